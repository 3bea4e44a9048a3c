// What stands behind the mediator at the fuzzed door: a secure world that answers as the input says, or our own SPMC
// with hostile partitions. The door needs no more of either.

import type { Coroutine } from '../../../src/base/coroutine.ts';
import type { Conduit } from '../../../src/hardware/conduit.ts';
import type { Pe } from '../../../src/hardware/pe.ts';

/** Answers that are due, as pairs of bytes: what kind, and its argument. */
export interface AnswerSource {
  /** The next pair as kind << 8 | argument; 0: an honest answer. */
  next(): number;
}

export interface SecureSide extends Conduit {
  answers: AnswerSource;
  /** PEs that stand still in it until they are woken. */
  readonly waiting: readonly Pe[];
  /** Handles that were given out, newest last. */
  readonly handles: readonly { readonly low: number; readonly high: number }[];
  /** Handles of transactions that it claims and has not looked at. */
  readonly claimed: ReadonlySet<string>;
  /** What went in and out in short, if it is kept. */
  readonly transcript: string[] | null;
  /** Before the hypervisor. */
  boot(pe: Pe): Coroutine;
  /** Lets a PE that stands still here go on. */
  wake(pe: Pe): void;
  /** The input has ended: from now on everybody gives back what he has. */
  makeAmends(pe: Pe): Coroutine;
}
