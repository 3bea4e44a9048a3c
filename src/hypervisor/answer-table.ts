// The answer table of the default profile: every answer that the secure world can give to a call that the hypervisor
// itself makes, and what is done about it. Data: a test walks it cell by cell, docs/reclaim.md prints it.
//
// A reply is put into a class first (w0 masked to 32 bits); the table then gives the treatment for the call.

import {
  FFA_ABORTED,
  FFA_BUSY,
  FFA_DENIED,
  FFA_INTERRUPTED,
  FFA_INVALID_PARAMETERS,
  FFA_NO_MEMORY,
  FFA_NOT_READY,
  FFA_NOT_SUPPORTED,
  FFA_RETRY,
} from '../abi/errors.ts';
import {
  FFA_ERROR,
  FFA_INTERRUPT,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_SUCCESS_32,
  FFA_SUCCESS_64,
  FFA_YIELD,
} from '../abi/function-ids.ts';
import type { RegisterFile } from '../hardware/registers.ts';

/** The calls whose answers are classified: columns of the table. */
export type OwnCall = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;
export const CALL_MEM_RECLAIM = 0;
export const CALL_VM_CREATED = 1;
export const CALL_VM_DESTROYED = 2;
/** MEM_SHARE, MEM_LEND, MEM_DONATE. */
export const CALL_MEM_SEND = 3;
export const CALL_RXTX_UNMAP = 4;
export const CALL_BITMAP_DESTROY = 5;
/** MEM_RELINQUISH for a borrower that died. */
export const CALL_MEM_RELINQUISH = 6;
/** FFA_RUN of what was preempted while it served a guest that died. */
export const CALL_RUN_OUT = 7;
/** RXTX_MAP of a guest's buffers. */
export const CALL_RXTX_MAP = 8;
export const OWN_CALL_NAMES = [
  'MEM_RECLAIM',
  'VM_CREATED',
  'VM_DESTROYED',
  'MEM_SHARE/LEND/DONATE',
  'RXTX_UNMAP',
  'BITMAP_DESTROY',
  'MEM_RELINQUISH',
  'RUN of an unfinished request',
  'RXTX_MAP',
] as const;

/** Classes of replies: rows of the table. */
export type ReplyClass = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11;
export const REPLY_SUCCESS = 0;
export const REPLY_RESPONSE_AGAIN = 1;
export const REPLY_RESPONSE_INVALID = 2;
export const REPLY_RESPONSE_ERROR = 3;
export const REPLY_ERROR_AGAIN = 4;
export const REPLY_ERROR_NO_MEMORY = 5;
export const REPLY_ERROR_DENIED = 6;
export const REPLY_ERROR_INVALID = 7;
export const REPLY_ERROR_NOT_SUPPORTED = 8;
export const REPLY_ERROR_ABORTED = 9;
export const REPLY_PREEMPTED = 10;
export const REPLY_OTHER = 11;
export const REPLY_CLASS_NAMES = [
  'SUCCESS, or the right response with w3 = 0',
  'response with w3 RETRY, INTERRUPTED or BUSY',
  'response with w3 INVALID_PARAMETERS',
  'response with w3 another FF-A error',
  'ERROR BUSY, RETRY, INTERRUPTED or NOT_READY',
  'ERROR NO_MEMORY',
  'ERROR DENIED',
  'ERROR INVALID_PARAMETERS',
  'ERROR NOT_SUPPORTED, or w0 = -1',
  'ERROR ABORTED',
  'INTERRUPT or YIELD',
  'anything else',
] as const;

/** What is done about a reply. */
export type Treatment =
  | 'done'
  /** Done as far as anybody can tell; counted and logged, for the two sides disagreed. */
  | 'done-flagged'
  /** Tried again later, without end. */
  | 'again'
  /** Tried again a bounded number of times, then creation is undone. */
  | 'again-then-undo'
  /** Creation is undone: DESTROYED goes to those that accepted before, not to this one. */
  | 'undo'
  /** This SP thinks that the VM exists already: undo, tell it DESTROYED once, and never use the id again. */
  | 'undo-tell-retire'
  /** Nobody knows whether this SP took it: undo, with DESTROYED to it as well. */
  | 'undo-tell'
  /** The SP is dead: creation goes on without it. */
  | 'skip-dead'
  | 'rounds-then-quarantine'
  | 'quarantine'
  /** Tried a bounded number of times, then as `stop`. */
  | 'rounds-then-stop'
  /** No more is said to this SP; the VM id is retired if it had accepted CREATED. */
  | 'stop'
  /** Nothing was shared, or mapped: the pages are released at once, the guest gets the error. */
  | 'refuse'
  /** Nobody knows what was shared, or mapped: the pages stay, no handle, the guest gets ABORTED. */
  | 'quarantine-aborted'
  /** FFA_RUN the partition that w1 names until it answers; the message was taken and is never sent again. */
  | 'run'
  /** Take and unbind what is pending and bound, destroy again, then retire the VM id. */
  | 'drain-then-retire'
  | 'retire';

/** ANSWER_TABLE[reply class][call]. */
export const ANSWER_TABLE: readonly (readonly Treatment[])[] = [
  ['done', 'done', 'done', 'done', 'done', 'done', 'done', 'done', 'done'],
  [
    'rounds-then-quarantine',
    'again-then-undo',
    'again',
    'quarantine-aborted',
    'quarantine',
    'retire',
    'retire',
    'done',
    'quarantine-aborted',
  ],
  [
    'rounds-then-quarantine',
    'undo-tell-retire',
    'done-flagged',
    'quarantine-aborted',
    'quarantine',
    'retire',
    'retire',
    'done',
    'quarantine-aborted',
  ],
  [
    'rounds-then-quarantine',
    'undo',
    'rounds-then-stop',
    'quarantine-aborted',
    'quarantine',
    'retire',
    'retire',
    'done',
    'quarantine-aborted',
  ],
  ['again', 'again-then-undo', 'again', 'refuse', 'again', 'again', 'again', 'again', 'refuse'],
  ['again', 'undo', 'again', 'refuse', 'again', 'again', 'again', 'again', 'refuse'],
  [
    'again',
    'undo',
    'rounds-then-stop',
    'refuse',
    'rounds-then-quarantine',
    'drain-then-retire',
    'rounds-then-stop',
    'done',
    'refuse',
  ],
  ['rounds-then-quarantine', 'undo', 'stop', 'refuse', 'done-flagged', 'done', 'done-flagged', 'done', 'refuse'],
  ['quarantine', 'undo', 'stop', 'refuse', 'quarantine', 'retire', 'retire', 'done', 'refuse'],
  ['rounds-then-quarantine', 'skip-dead', 'stop', 'refuse', 'quarantine', 'retire', 'done-flagged', 'done', 'refuse'],
  ['run', 'run', 'run', 'run', 'run', 'run', 'run', 'run', 'run'],
  [
    'rounds-then-quarantine',
    'undo-tell',
    'rounds-then-stop',
    'quarantine-aborted',
    'quarantine',
    'retire',
    'retire',
    'done',
    'quarantine-aborted',
  ],
];

/** Class of each FF-A error: by FFA_ERROR's w2, and by the w3 of a right response. */
const ERROR_CLASS: ReadonlyMap<number, ReplyClass> = new Map<number, ReplyClass>([
  [FFA_BUSY, REPLY_ERROR_AGAIN],
  [FFA_RETRY, REPLY_ERROR_AGAIN],
  [FFA_INTERRUPTED, REPLY_ERROR_AGAIN],
  [FFA_NOT_READY, REPLY_ERROR_AGAIN],
  [FFA_NO_MEMORY, REPLY_ERROR_NO_MEMORY],
  [FFA_DENIED, REPLY_ERROR_DENIED],
  [FFA_INVALID_PARAMETERS, REPLY_ERROR_INVALID],
  [FFA_NOT_SUPPORTED, REPLY_ERROR_NOT_SUPPORTED],
  [FFA_ABORTED, REPLY_ERROR_ABORTED],
]);
const LOWEST_ERROR = FFA_NOT_READY;

const SMCCC_UNKNOWN = 0xffff_ffff;

/** Class of the reply in `registers` to a call that is answered by FFA_SUCCESS or FFA_ERROR. */
export function classifyReply(registers: RegisterFile): ReplyClass {
  const w0 = registers.w(0);
  if (w0 === FFA_SUCCESS_32 || w0 === FFA_SUCCESS_64) return REPLY_SUCCESS;
  return classifyFailure(registers, w0);
}

/**
 * Class of the reply in `registers` to a framework message: the right response is FFA_MSG_SEND_DIRECT_RESP_32 with
 * `w1` (SP in the upper half, hypervisor in the lower) and `w2` (the framework response).
 */
export function classifyResponse(registers: RegisterFile, w1: number, w2: number): ReplyClass {
  const w0 = registers.w(0);
  if (w0 !== FFA_MSG_SEND_DIRECT_RESP_32) return classifyFailure(registers, w0);
  if (registers.w(1) !== w1 || registers.w(2) !== w2) return REPLY_OTHER;
  const status = registers.w(3) | 0;
  switch (status) {
    case 0:
      return REPLY_SUCCESS;
    case FFA_RETRY:
    case FFA_INTERRUPTED:
    case FFA_BUSY:
      return REPLY_RESPONSE_AGAIN;
    case FFA_INVALID_PARAMETERS:
      return REPLY_RESPONSE_INVALID;
    default:
      return status < 0 && status >= LOWEST_ERROR ? REPLY_RESPONSE_ERROR : REPLY_OTHER;
  }
}

function classifyFailure(registers: RegisterFile, w0: number): ReplyClass {
  if (w0 === FFA_ERROR) return ERROR_CLASS.get(registers.w(2) | 0) ?? REPLY_OTHER;
  if (w0 === FFA_INTERRUPT || w0 === FFA_YIELD) return REPLY_PREEMPTED;
  return w0 === SMCCC_UNKNOWN ? REPLY_ERROR_NOT_SUPPORTED : REPLY_OTHER;
}

export function treatmentOf(reply: ReplyClass, call: OwnCall): Treatment {
  return ANSWER_TABLE[reply][call];
}
