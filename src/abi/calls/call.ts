// What a row of the call table says, and the few words in which rows are written.
//
// A row describes one function id as a caller or an answerer puts it in registers: which bits of which register carry
// what, who may use it, what answers it, and with which errors. Bits that no argument covers are reserved and must be
// zero.

import {
  FFA_ABORTED,
  FFA_BUSY,
  FFA_DENIED,
  FFA_INTERRUPTED,
  FFA_INVALID_PARAMETERS,
  FFA_NO_DATA,
  FFA_NO_MEMORY,
  FFA_NOT_SUPPORTED,
  FFA_RETRY,
  type FfaErrorCode,
} from '../errors.ts';
import { SMC64_BIT } from '../function-ids.ts';
import { FFA_VERSION_1_0 } from '../versions.ts';

/**
 * Who puts a function id into registers: `vm` to its hypervisor, `hypervisor` (or a kernel without one) to the secure
 * world, `sp` to its SPMC, `spmc` to an SP or to the dispatcher, `spmd` to the SPMC or back to the normal world.
 */
export type Caller = 'vm' | 'hypervisor' | 'sp' | 'spmc' | 'spmd';

/** How an argument reads; the last three take more than one register. */
export type ArgumentForm =
  | 'hex'
  | 'decimal'
  | 'endpoint'
  | 'error'
  | 'function'
  | 'flags'
  | 'version'
  | 'pair'
  | 'uuid32'
  | 'uuid64';

export interface Argument {
  readonly name: string;
  /** First register. */
  readonly register: number;
  /** Highest and lowest bit in it. */
  readonly high: number;
  readonly low: number;
  /**
   * `pair`: bits [31:0] of this register are the low word of 64 bits, of the next one the high word. `uuid32`: a word
   * in each of four registers. `uuid64`: two words in each of two registers.
   */
  readonly form: ArgumentForm;
  /** The version that brought it. */
  readonly since: number;
}

/** An error that a call may be answered with, when, and who documents it (a key of `CITATIONS`). */
export interface CallError {
  readonly code: FfaErrorCode;
  readonly when: string;
  readonly source: string;
}

export interface Call {
  readonly fid: number;
  readonly name: string;
  /** 64-bit convention: whole x registers count. Otherwise the upper halves are ignored. */
  readonly isSmc64: boolean;
  /** The version that brought it. */
  readonly since: number;
  /** The version that took it away; 0 = none. */
  readonly until: number;
  readonly callers: readonly Caller[];
  readonly arguments: readonly Argument[];
  /**
   * Function ids that answer it other than with FFA_ERROR; none in an answer, and in FFA_VERSION, whose answer is in
   * w0.
   */
  readonly answers: readonly number[];
  /** What FFA_SUCCESS carries when it answers this call. */
  readonly results: readonly Argument[];
  readonly errors: readonly CallError[];
}

/** What a row may leave out. */
export interface CallParts {
  readonly since?: number;
  readonly until?: number;
  readonly callers: readonly Caller[];
  readonly arguments?: readonly Argument[];
  readonly answers?: readonly number[];
  readonly results?: readonly Argument[];
  readonly errors?: readonly CallError[];
}

/** Everything may be answered so: a call by a callee without it, an answer that somebody makes as a call. */
const NOT_IMPLEMENTED: CallError = {
  code: FFA_NOT_SUPPORTED,
  when: 'the callee does not implement it',
  source: 'Xen ffa.c',
};

/** A row. `name` is the constant's name. */
export function call(fid: number, name: string, parts: CallParts): Call {
  return {
    fid,
    name,
    isSmc64: (fid & SMC64_BIT) !== 0,
    since: parts.since ?? FFA_VERSION_1_0,
    until: parts.until ?? 0,
    callers: parts.callers,
    arguments: parts.arguments ?? [],
    answers: parts.answers ?? [],
    results: parts.results ?? [],
    errors: [...(parts.errors ?? []), NOT_IMPLEMENTED],
  };
}

/** Bits [high:low] of a register. */
export function bits(register: number, high: number, low: number, name: string, form: ArgumentForm = 'hex'): Argument {
  return { name, register, high, low, form, since: FFA_VERSION_1_0 };
}

/** The low 32 bits of a register. */
export function w(register: number, name: string, form: ArgumentForm = 'hex'): Argument {
  return bits(register, 31, 0, name, form);
}

/** All 64 bits of a register. */
export function x(register: number, name: string): Argument {
  return bits(register, 63, 0, name);
}

/** A register in the width of the calling convention. */
export function wide(isSmc64: boolean, register: number, name: string): Argument {
  return isSmc64 ? x(register, name) : w(register, name);
}

/** 64 bits in the low halves of two registers. */
export function pair(register: number, name: string): Argument {
  return w(register, name, 'pair');
}

/** An endpoint id in bits [31:16] or [15:0]. */
export function endpoint(register: number, half: 'high' | 'low', name: string): Argument {
  return half === 'high' ? bits(register, 31, 16, name, 'endpoint') : bits(register, 15, 0, name, 'endpoint');
}

/** Registers `first` to `last`, in the width of the calling convention, as `name[0]`, `name[1]`, ... */
export function payload(isSmc64: boolean, first: number, last: number, name = 'payload'): Argument[] {
  const list: Argument[] = [];
  for (let n = first; n <= last; n++) list.push(wide(isSmc64, n, `${name}[${n - first}]`));
  return list;
}

/** The same arguments, brought by a later version. */
export function since(version: number, list: readonly Argument[]): Argument[] {
  return list.map((argument) => ({ ...argument, since: version }));
}

/** One documented error. */
function error(code: FfaErrorCode, when: string, source: string): CallError {
  return { code, when, source };
}

export function notSupported(when: string, source: string): CallError {
  return error(FFA_NOT_SUPPORTED, when, source);
}
export function invalid(when: string, source: string): CallError {
  return error(FFA_INVALID_PARAMETERS, when, source);
}
export function noMemory(when: string, source: string): CallError {
  return error(FFA_NO_MEMORY, when, source);
}
export function busy(when: string, source: string): CallError {
  return error(FFA_BUSY, when, source);
}
export function interrupted(when: string, source: string): CallError {
  return error(FFA_INTERRUPTED, when, source);
}
export function denied(when: string, source: string): CallError {
  return error(FFA_DENIED, when, source);
}
export function retry(when: string, source: string): CallError {
  return error(FFA_RETRY, when, source);
}
export function aborted(when: string, source: string): CallError {
  return error(FFA_ABORTED, when, source);
}
export function noData(when: string, source: string): CallError {
  return error(FFA_NO_DATA, when, source);
}
