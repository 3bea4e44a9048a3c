// Runtime models: what an execution context may do with its PE follows from what it was given the PE for. One table for
// all of them; a call that its model does not allow is answered DENIED and changes nothing [Hafnium cpu_cycles.c].
//
// Two rows are not models of the specification's: what Hafnium asks of a context that takes part in turning its PE off,
// and of one that handles an interrupt of its own in the middle of a call chain.
//
// Not here: arguments, and the target's own state, which each call checks for itself.

import {
  type PartitionVcpu,
  RUNTIME_DIRECT_REQUEST,
  RUNTIME_INIT,
  RUNTIME_NONE,
  RUNTIME_POWER_MANAGEMENT,
  RUNTIME_RUN,
  RUNTIME_SECURE_INTERRUPT,
  VCPU_PREEMPTED,
} from './partition.ts';

/** Calls that give the PE up: columns of the table. */
export type ModelCall = 0 | 1 | 2 | 3 | 4 | 5;
/** FFA_MSG_SEND_DIRECT_REQ and REQ2. */
export const CALL_REQUEST = 0;
/** FFA_MSG_SEND_DIRECT_RESP and RESP2. */
export const CALL_RESPONSE = 1;
export const CALL_RUN = 2;
export const CALL_WAIT = 3;
export const CALL_YIELD = 4;
/** FFA_ERROR with ABORTED: the partition gives up. */
export const CALL_ABORT = 5;

export type Verdict = 0 | 1 | 2 | 3 | 4 | 5;
export const DENIED = 0;
export const ALLOWED = 1;
/** Unless the target called the caller, directly or not: no cycles. */
export const NO_CYCLE = 2;
/** Unless the target is being initialised itself. */
export const TARGET_STARTED = 3;
/** If the target was preempted. */
export const TARGET_PREEMPTED = 4;
/** FFA_SUCCESS, and the caller keeps its PE. */
export const NOTHING_HAPPENS = 5;

/** The row of a context that handles its own interrupt on the PE of one further down its call chain. */
const ROW_INTERRUPT_IN_CHAIN = 6;

export interface RuntimeModelRow {
  readonly row: number;
  readonly name: string;
  /** By CALL_... */
  readonly verdicts: readonly Verdict[];
}

/** Columns: request, response, FFA_RUN, FFA_MSG_WAIT, FFA_YIELD, FFA_ERROR. */
export const RUNTIME_MODELS: readonly RuntimeModelRow[] = [
  { row: RUNTIME_NONE, name: 'not running', verdicts: [DENIED, DENIED, DENIED, DENIED, DENIED, DENIED] },
  {
    row: RUNTIME_INIT,
    name: 'initialisation',
    verdicts: [TARGET_STARTED, DENIED, DENIED, ALLOWED, DENIED, ALLOWED],
  },
  { row: RUNTIME_RUN, name: 'FFA_RUN', verdicts: [NO_CYCLE, DENIED, NO_CYCLE, ALLOWED, ALLOWED, DENIED] },
  {
    row: RUNTIME_DIRECT_REQUEST,
    name: 'direct request',
    verdicts: [NO_CYCLE, ALLOWED, NO_CYCLE, DENIED, ALLOWED, DENIED],
  },
  {
    row: RUNTIME_SECURE_INTERRUPT,
    name: 'secure interrupt',
    verdicts: [ALLOWED, DENIED, TARGET_PREEMPTED, ALLOWED, NOTHING_HAPPENS, DENIED],
  },
  {
    row: RUNTIME_POWER_MANAGEMENT,
    name: 'power management',
    verdicts: [DENIED, ALLOWED, DENIED, DENIED, DENIED, DENIED],
  },
  {
    row: ROW_INTERRUPT_IN_CHAIN,
    name: 'interrupt in a call chain',
    verdicts: [DENIED, DENIED, ALLOWED, DENIED, DENIED, DENIED],
  },
];

/** What the table says of the call, its conditions on the target looked at: DENIED, ALLOWED or NOTHING_HAPPENS. */
export function transition(vcpu: PartitionVcpu, call: ModelCall, target: PartitionVcpu | null): Verdict {
  const row = isHandlingInChain(vcpu) ? ROW_INTERRUPT_IN_CHAIN : vcpu.runtime;
  const verdict = RUNTIME_MODELS[row].verdicts[call];
  switch (verdict) {
    case NO_CYCLE:
      return target !== null && precedes(target, vcpu) ? DENIED : ALLOWED;
    case TARGET_STARTED:
      return target !== null && target.runtime === RUNTIME_INIT ? DENIED : ALLOWED;
    case TARGET_PREEMPTED:
      return target !== null && target.state === VCPU_PREEMPTED ? ALLOWED : DENIED;
    default:
      return verdict;
  }
}

/** Whether the context handles an interrupt of its own on the PE of one further down its call chain. */
export function isHandlingInChain(vcpu: PartitionVcpu): boolean {
  return vcpu.interrupted !== null && vcpu.runtime !== RUNTIME_SECURE_INTERRUPT;
}

/** The context that waits for `vcpu` in a call chain; null: none, the chain begins here. */
export function predecessor(vcpu: PartitionVcpu): PartitionVcpu | null {
  const { caller } = vcpu;
  return caller !== null && caller.callee === vcpu ? caller : null;
}

/** Whether `first` comes before `vcpu` in the same call chain. */
export function precedes(first: PartitionVcpu, vcpu: PartitionVcpu): boolean {
  for (let at = predecessor(vcpu); at !== null; at = predecessor(at)) if (at === first) return true;
  return false;
}

/** Whether the context is part of a call chain of partitions: then it stays on its PE. */
export function inCallChain(vcpu: PartitionVcpu): boolean {
  return vcpu.callee !== null || predecessor(vcpu) !== null;
}
