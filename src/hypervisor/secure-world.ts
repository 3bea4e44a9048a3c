// What the hypervisor knows of the secure world, and its door to it: the SPMC's version and functions, its partitions,
// the hypervisor's own RX/TX pages. Learnt at boot (boot-probe.ts).

import { ACCESS_WRITE, TOUCH_BUFFER, TOUCH_CONDUIT, TOUCH_LOCK } from '../base/announcement.ts';
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
    const events = this.machine.events;
    if (events.on) emitRegisters(events, EVENT_SMC, pe.index, caller, pe.smc);
    const pending = this.conduit.smc(pe);
    if (pending !== null) return this.finish(pe, caller, pending);
    if (events.on) emitRegisters(events, EVENT_SMC_RETURN, pe.index, caller, pe.smc);
    return null;
  }

  private *callInSteps(pe: Pe, caller: number): Coroutine {
    yield pe.writes(TOUCH_CONDUIT, 0);
    const events = this.machine.events;
    if (events.on) emitRegisters(events, EVENT_SMC, pe.index, caller, pe.smc);
    const pending = this.conduit.smc(pe);
    if (pending !== null) yield* pending;
    if (events.on) emitRegisters(events, EVENT_SMC_RETURN, pe.index, caller, pe.smc);
    yield announceReturn(pe, caller);
  }

  private *finish(pe: Pe, caller: number, pending: Coroutine): Coroutine {
    yield* pending;
    const events = this.machine.events;
    if (events.on) emitRegisters(events, EVENT_SMC_RETURN, pe.index, caller, pe.smc);
  }
}

/** What a caller does with an answer: it changes what its locks guard, and its VM's buffers, and gives locks back. */
function announceReturn(pe: Pe, caller: number): Wait {
  pe.writes(TOUCH_CONDUIT, 0);
  for (let n = 0; n < pe.heldCount; n++) pe.also(TOUCH_LOCK, pe.held[n].id, ACCESS_WRITE);
  return pe.also(TOUCH_BUFFER, caller, ACCESS_WRITE);
}
