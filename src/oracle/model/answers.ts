// What an answer at the secure door says, by the specification's words alone: the oracle's own reading, which shares
// nothing with the mediator's table.

import {
  FFA_BUSY,
  FFA_INTERRUPTED,
  FFA_NO_MEMORY,
  FFA_NOT_READY,
  FFA_NOT_SUPPORTED,
  FFA_RETRY,
} from '../../abi/errors.ts';
import { FFA_ERROR, FFA_INTERRUPT, FFA_SUCCESS_32, FFA_SUCCESS_64, FFA_YIELD } from '../../abi/function-ids.ts';

/** A register of an event, as its low 32 bits. */
export function lowWord(x: number): number {
  return x >>> 0;
}

export type Answer = 0 | 1 | 2 | 3;
/** FFA_SUCCESS. */
export const ANSWER_SUCCESS = 0;
/** FFA_ERROR with a code that FF-A defines, or SMCCC's "unknown function": it was not done. */
export const ANSWER_REFUSED = 1;
/** FFA_INTERRUPT or FFA_YIELD: it was taken, and its end comes with a later FFA_RUN. */
export const ANSWER_TAKEN = 2;
/** Anything else: nobody knows. */
export const ANSWER_UNKNOWN = 3;

export const SMCCC_UNKNOWN_FUNCTION = 0xffff_ffff;

export function readAnswer(w0: number, w2: number): Answer {
  switch (w0) {
    case FFA_SUCCESS_32:
    case FFA_SUCCESS_64:
      return ANSWER_SUCCESS;
    case FFA_INTERRUPT:
    case FFA_YIELD:
      return ANSWER_TAKEN;
    case SMCCC_UNKNOWN_FUNCTION:
      return ANSWER_REFUSED;
    case FFA_ERROR: {
      const code = w2 | 0;
      return code <= FFA_NOT_SUPPORTED && code >= FFA_NOT_READY ? ANSWER_REFUSED : ANSWER_UNKNOWN;
    }
    default:
      return ANSWER_UNKNOWN;
  }
}

/** The code of a refusal. */
export function refusalCode(w0: number, w2: number): number {
  return w0 === FFA_ERROR ? w2 | 0 : FFA_NOT_SUPPORTED;
}

/** Whether a code asks to try again and says nothing for good. */
export function isTransient(code: number): boolean {
  return (
    code === FFA_BUSY ||
    code === FFA_RETRY ||
    code === FFA_INTERRUPTED ||
    code === FFA_NOT_READY ||
    code === FFA_NO_MEMORY
  );
}
