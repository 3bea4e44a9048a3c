// The conduit of a world: the way to its SPMC, on which faults strike. A fault replaces the answer of a call that
// matches it, whether the call reaches the SPMC or not.

import { errorName, FFA_ERROR_CODES } from '../abi/errors.ts';
import {
  FFA_ERROR,
  FFA_INTERRUPT,
  FFA_MEM_DONATE_32,
  FFA_MEM_DONATE_64,
  FFA_MEM_FRAG_TX,
  FFA_MEM_LEND_32,
  FFA_MEM_LEND_64,
  FFA_MEM_RECLAIM,
  FFA_MEM_SHARE_32,
  FFA_MEM_SHARE_64,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_REQ_64,
  FFA_MSG_SEND_DIRECT_REQ2,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_NOTIFICATION_BITMAP_CREATE,
  FFA_NOTIFICATION_BITMAP_DESTROY,
  FFA_RUN,
  FFA_RX_ACQUIRE,
  FFA_RXTX_MAP_64,
  FFA_RXTX_UNMAP,
  FFA_SUCCESS_32,
} from '../abi/function-ids.ts';
import { VM_CREATED_REQ_W2, VM_DESTROYED_REQ_W2 } from '../abi/layout/messages.ts';
import type { Coroutine, Pending } from '../base/coroutine.ts';
import { EVENT_FAULT } from '../base/event-kinds.ts';
import { TWO_POW_32 } from '../base/units.ts';
import type { Conduit } from '../hardware/conduit.ts';
import type { Machine } from '../hardware/machine.ts';
import type { Pe } from '../hardware/pe.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import type { FaultCall, FaultDescription } from './description.ts';
import type { Scheduler } from './scheduler.ts';

const FAULT_FUNCTIONS: Readonly<Record<FaultCall, readonly number[]>> = {
  MEM_RECLAIM: [FFA_MEM_RECLAIM],
  VM_CREATED: [FFA_MSG_SEND_DIRECT_REQ_32],
  VM_DESTROYED: [FFA_MSG_SEND_DIRECT_REQ_32],
  MEM_SHARE: [FFA_MEM_SHARE_32, FFA_MEM_SHARE_64],
  MEM_LEND: [FFA_MEM_LEND_32, FFA_MEM_LEND_64],
  MEM_DONATE: [FFA_MEM_DONATE_32, FFA_MEM_DONATE_64],
  MEM_FRAG_TX: [FFA_MEM_FRAG_TX],
  RXTX_MAP: [FFA_RXTX_MAP_64],
  RXTX_UNMAP: [FFA_RXTX_UNMAP],
  RX_ACQUIRE: [FFA_RX_ACQUIRE],
  BITMAP_CREATE: [FFA_NOTIFICATION_BITMAP_CREATE],
  BITMAP_DESTROY: [FFA_NOTIFICATION_BITMAP_DESTROY],
  DIRECT_REQ: [FFA_MSG_SEND_DIRECT_REQ_32, FFA_MSG_SEND_DIRECT_REQ_64, FFA_MSG_SEND_DIRECT_REQ2],
  RUN: [FFA_RUN],
};
export const FAULT_CALLS = Object.keys(FAULT_FUNCTIONS) as readonly FaultCall[];

/** A fault, and how much of it is left. */
export interface ArmedFault {
  readonly index: number;
  readonly description: FaultDescription;
  /** Partition id, or -1 for any. */
  readonly partition: number;
  /** VM ids that it is about, or null for any. */
  readonly guests: ((vmId: number) => boolean) | null;
  skip: number;
  times: number;
}

/** Whether text names an answer that a fault can give. */
export function isFaultAnswer(text: string): boolean {
  if (['INTERRUPT', 'SUCCESS', 'UNKNOWN', 'GARBAGE'].includes(text)) return true;
  return errorCode(text.startsWith('status ') ? text.slice('status '.length) : text) !== null;
}

function errorCode(name: string): number | null {
  for (const code of FFA_ERROR_CODES) if (errorName(code) === name) return code;
  return null;
}

/** Site of the choices between the SPMC's own answer and those of faults that are explored. */
export const SITE_FAULT = 2;

export class FaultyConduit implements Conduit {
  /** Explored faults that may still strike in this execution. */
  faultsLeft = 0;
  private readonly machine: Machine;
  private readonly inner: Conduit;
  private readonly scheduler: Scheduler;
  private readonly faults: readonly ArmedFault[];
  /** Which VM sent the transaction of a handle: low word + high word * 2^32 as text. */
  private readonly senders = new Map<string, number>();
  /** Explored faults by the function that they strike. */
  private readonly explored = new Map<number, ArmedFault[]>();
  /** Those that could strike the call at hand. */
  private readonly alternatives: ArmedFault[] = [];

  constructor(
    machine: Machine,
    inner: Conduit,
    scheduler: Scheduler,
    faults: readonly ArmedFault[],
    explored: readonly ArmedFault[] = [],
  ) {
    this.machine = machine;
    this.inner = inner;
    this.scheduler = scheduler;
    this.faults = faults;
    for (const fault of explored) {
      for (const functionId of FAULT_FUNCTIONS[fault.description.call]) {
        const list = this.explored.get(functionId);
        if (list === undefined) this.explored.set(functionId, [fault]);
        else list.push(fault);
      }
    }
  }

  smc(pe: Pe): Pending {
    const armed = this.faults.length === 0 ? null : this.match(pe);
    const fault = armed === null && this.faultsLeft > 0 ? this.chosen(pe) : armed;
    const { caller } = pe;
    const request = { w0: pe.smc.w(0), w1: pe.smc.w(1), w2: pe.smc.w(2) };
    if (fault !== null && !fault.description.reaches) {
      this.strike(pe, fault, request);
      return null;
    }
    this.scheduler.secureWorld(pe, true);
    const pending = this.inner.smc(pe);
    if (pending !== null) return this.finish(pe, pending, fault, caller, request);
    this.leave(pe, fault, caller, request);
    return null;
  }

  private *finish(pe: Pe, pending: Coroutine, fault: ArmedFault | null, caller: number, request: Request): Coroutine {
    yield* pending;
    this.leave(pe, fault, caller, request);
  }

  private leave(pe: Pe, fault: ArmedFault | null, caller: number, request: Request): void {
    this.scheduler.secureWorld(pe, false);
    if (isSend(request.w0) && pe.smc.w(0) === FFA_SUCCESS_32) {
      this.senders.set(handleKey(pe.smc.w(2), pe.smc.w(3)), caller);
    }
    if (fault !== null) this.strike(pe, fault, request);
  }

  private match(pe: Pe): ArmedFault | null {
    for (const fault of this.faults) {
      if (fault.times <= 0 || !this.concerns(fault, pe)) continue;
      if (fault.skip > 0) {
        fault.skip--;
        continue;
      }
      fault.times--;
      return fault;
    }
    return null;
  }

  /** Asks the choice stack whether an explored fault strikes this call, and which. */
  private chosen(pe: Pe): ArmedFault | null {
    const list = this.explored.get(pe.smc.w(0));
    if (list === undefined) return null;
    const { alternatives } = this;
    let count = 0;
    for (let n = 0; n < list.length; n++) if (this.concerns(list[n], pe)) alternatives[count++] = list[n];
    if (count === 0) return null;
    const value = this.machine.choices.choose(count + 1, SITE_FAULT);
    if (value === 0) return null;
    this.faultsLeft--;
    return alternatives[value - 1];
  }

  private concerns(fault: ArmedFault, pe: Pe): boolean {
    const { smc } = pe;
    const { call } = fault.description;
    if (!FAULT_FUNCTIONS[call].includes(smc.w(0))) return false;
    if (call === 'VM_CREATED' && smc.w(2) !== VM_CREATED_REQ_W2) return false;
    if (call === 'VM_DESTROYED' && smc.w(2) !== VM_DESTROYED_REQ_W2) return false;
    if (fault.partition >= 0 && partitionOf(call, smc) !== fault.partition) return false;
    return fault.guests === null || fault.guests(this.guestOf(call, pe));
  }

  private guestOf(call: FaultCall, pe: Pe): number {
    const { smc } = pe;
    switch (call) {
      case 'VM_CREATED':
      case 'VM_DESTROYED':
        return smc.w(5) & 0xffff;
      case 'BITMAP_CREATE':
      case 'BITMAP_DESTROY':
        return smc.w(1) & 0xffff;
      case 'RXTX_UNMAP':
        return smc.w(1) >>> 16;
      case 'MEM_RECLAIM':
        return this.senders.get(handleKey(smc.w(1), smc.w(2))) ?? pe.caller;
      default:
        return pe.caller;
    }
  }

  private strike(pe: Pe, fault: ArmedFault, request: Request): void {
    const { events } = this.machine;
    const { smc } = pe;
    const { answer } = fault.description;
    if (answer === 'SUCCESS') smc.set8(FFA_SUCCESS_32);
    else if (answer === 'INTERRUPT') smc.set8(FFA_INTERRUPT, interruptTarget(request));
    else if (answer === 'UNKNOWN') smc.set8(0xffff_ffff);
    else if (answer === 'GARBAGE') smc.set8(0x1234_5678, 0x9abc_def0, 0xffff_fffe, 0x7fff_ffff);
    else if (answer.startsWith('status ')) {
      const code = errorCode(answer.slice('status '.length)) ?? 0;
      smc.set8(FFA_MSG_SEND_DIRECT_RESP_32, ((request.w1 << 16) | (request.w1 >>> 16)) >>> 0, request.w2 + 1, code);
    } else smc.set8(FFA_ERROR, 0, errorCode(answer) ?? 0);
    if (events.on) events.emit(EVENT_FAULT, pe.index, fault.index, request.w0, smc.w(0));
  }
}

interface Request {
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
}

function partitionOf(call: FaultCall, smc: RegisterFile): number {
  return call === 'RUN' ? smc.w(1) >>> 16 : smc.w(1) & 0xffff;
}

/** The vCPU that FFA_INTERRUPT claims to have stopped: the receiver's first. */
function interruptTarget(request: Request): number {
  return ((request.w1 & 0xffff) << 16) >>> 0;
}

function isSend(functionId: number): boolean {
  for (const call of ['MEM_SHARE', 'MEM_LEND', 'MEM_DONATE', 'MEM_FRAG_TX'] as const) {
    if (FAULT_FUNCTIONS[call].includes(functionId)) return true;
  }
  return false;
}

function handleKey(low: number, high: number): string {
  return high < 0x20_0000 ? String(high * TWO_POW_32 + low) : `${high}:${low}`;
}
