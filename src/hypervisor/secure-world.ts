// What the hypervisor knows of the secure world, and its door to it: the SPMC's version and functions, its partitions,
// the hypervisor's own RX/TX pages. Learnt at boot (boot-probe.ts).

import { FFA_ABORTED } from '../abi/errors.ts';
import { FFA_ERROR, FFA_INTERRUPT, FFA_RUN, FFA_YIELD } from '../abi/function-ids.ts';
import { RUN_ENDPOINT_SHIFT } from '../abi/layout/messages.ts';
import { ACCESS_WRITE, TOUCH_BUFFER, TOUCH_CONDUIT, TOUCH_LOCK, TOUCH_PARTITION } from '../base/announcement.ts';
import type { Coroutine, Pending, Wait } from '../base/coroutine.ts';
import { EVENT_SMC, EVENT_SMC_RETURN } from '../base/event-kinds.ts';
import type { FrameNumber } from '../base/units.ts';
import type { Conduit } from '../hardware/conduit.ts';
import { emitRegisters } from '../hardware/emit-registers.ts';
import type { Lock } from '../hardware/lock.ts';
import type { Machine } from '../hardware/machine.ts';
import type { Pe } from '../hardware/pe.ts';
import { FunctionSet } from './function-set.ts';
import { RANK_SPMC_RX, RANK_SPMC_TX } from './lock-order.ts';
import type { PartitionListing } from './partition-listing.ts';

/** The first version that passes x0..x17. */
export const SMCCC_VERSION_1_2 = 0x10002;

/** No vCPU's name: ids of partitions have bit 15. */
const NOTHING_RAN = 0;

/** A secure partition as the boot-time listing described it. */
export interface KnownPartition {
  readonly id: number;
  readonly contextCount: number;
  readonly properties: number;
  /** 16 bytes, as listed. */
  readonly uuid: Uint8Array;
}

export class SecureWorld {
  readonly machine: Machine;
  readonly conduit: Conduit;
  /** Version of the SMC calling convention that firmware speaks: (major << 16) | minor. */
  smcccVersion = SMCCC_VERSION_1_2;
  /** Whether FF-A was found usable. */
  usable = false;
  /** Negotiated with the SPMC. */
  version = 0;
  /** Function ids (with their SMC64 bit) that the SPMC has, as FFA_FEATURES said. */
  readonly functions = new FunctionSet();
  partitions: KnownPartition[] = [];
  /** The SPMC's schedule-receiver interrupt; -1: it has none, and no notification passes. */
  scheduleReceiverInterrupt = -1;
  /** The partitions as guests see them (see partition-listing.ts). */
  listing: PartitionListing | null = null;
  /** Size of one partition-information entry as the SPMC stated it. */
  partitionInfoSizeBytes = 0;
  txFrame: FrameNumber = -1;
  rxFrame: FrameNumber = -1;
  readonly txLock: Lock;
  readonly rxLock: Lock;
  /** SMCs made so far. */
  smcCount = 0;
  /** Partition vCPUs (w1 of FFA_RUN) that stand still in the middle of something, and the VM for whom: 0 for none. */
  readonly stopped = new Map<number, number>();

  constructor(machine: Machine, conduit: Conduit) {
    this.machine = machine;
    this.conduit = conduit;
    this.txLock = machine.lock(RANK_SPMC_TX);
    this.rxLock = machine.lock(RANK_SPMC_RX);
  }

  has(functionId: number): boolean {
    return this.functions.has(functionId);
  }

  /** The SMC in `pe.smc`, made on behalf of `caller` (a VM id, 0 for the hypervisor itself). */
  call(pe: Pe, caller: number): Pending {
    this.smcCount++;
    pe.caller = caller;
    if (pe.stepping) return this.callInSteps(pe, caller);
    const ran = pe.smc.w(0) === FFA_RUN ? pe.smc.w(1) : NOTHING_RAN;
    const events = this.machine.events;
    if (events.on) emitRegisters(events, EVENT_SMC, pe.index, caller, pe.smc);
    const pending = this.conduit.smc(pe);
    if (pending !== null) return this.finish(pe, caller, ran, pending);
    if (events.on) emitRegisters(events, EVENT_SMC_RETURN, pe.index, caller, pe.smc);
    this.note(pe, caller, ran);
    return null;
  }

  /**
   * FFA_RUN of a vCPU that does nothing for anybody; its answer is in `pe.smc`. False, and no SMC: it stands still in
   * the middle of something.
   */
  *runFree(pe: Pe, caller: number, target: number): Coroutine<boolean> {
    if (pe.stepping) {
      pe.writes(TOUCH_CONDUIT, 0);
      yield pe.also(TOUCH_PARTITION, target >>> RUN_ENDPOINT_SHIFT, ACCESS_WRITE);
    }
    if (this.stopped.has(target)) return false;
    this.smcCount++;
    pe.caller = caller;
    pe.smc.clear();
    pe.smc.set4(FFA_RUN, target, 0, 0);
    yield* this.enter(pe, caller, target);
    return true;
  }

  private *callInSteps(pe: Pe, caller: number): Coroutine {
    yield pe.writes(TOUCH_CONDUIT, 0);
    yield* this.enter(pe, caller, pe.smc.w(0) === FFA_RUN ? pe.smc.w(1) : NOTHING_RAN);
  }

  private *enter(pe: Pe, caller: number, ran: number): Coroutine {
    const events = this.machine.events;
    if (events.on) emitRegisters(events, EVENT_SMC, pe.index, caller, pe.smc);
    const pending = this.conduit.smc(pe);
    if (pending !== null) yield* this.finish(pe, caller, ran, pending);
    else {
      if (events.on) emitRegisters(events, EVENT_SMC_RETURN, pe.index, caller, pe.smc);
      this.note(pe, caller, ran);
    }
    if (pe.stepping) yield announceReturn(pe, caller);
  }

  private *finish(pe: Pe, caller: number, ran: number, pending: Coroutine): Coroutine {
    yield* pending;
    const events = this.machine.events;
    if (events.on) emitRegisters(events, EVENT_SMC_RETURN, pe.index, caller, pe.smc);
    this.note(pe, caller, ran);
  }

  /** Who stands still after this answer. `ran`: what FFA_RUN ran. */
  private note(pe: Pe, caller: number, ran: number): void {
    const answer = pe.smc.w(0);
    const stops = answer === FFA_INTERRUPT || answer === FFA_YIELD;
    if (!stops && ran === NOTHING_RAN) return;
    if (!stops) {
      // An error of FFA_RUN itself leaves things as they are; a partition that died serves nobody.
      if (answer !== FFA_ERROR || (pe.smc.w(2) | 0) === FFA_ABORTED) this.stopped.delete(ran);
      return;
    }
    const target = pe.smc.w(1);
    if (target === 0) return;
    const forWhom = this.stopped.get(ran) ?? caller;
    if (target !== ran) this.stopped.delete(ran);
    this.stopped.set(target, forWhom);
  }
}

/** What a caller does with an answer: it changes what its locks guard, and its VM's buffers, and gives locks back. */
function announceReturn(pe: Pe, caller: number): Wait {
  pe.writes(TOUCH_CONDUIT, 0);
  for (let n = 0; n < pe.heldCount; n++) pe.also(TOUCH_LOCK, pe.held[n].id, ACCESS_WRITE);
  return pe.also(TOUCH_BUFFER, caller, ACCESS_WRITE);
}
