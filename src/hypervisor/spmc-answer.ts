// What the SPMC's answer to a simple call means: success, or an FF-A error code. The function id counts with all its 64
// bits, as Xen compares it. [Xen ffa_private.h]

import { FFA_NOT_SUPPORTED, FFA_OK } from '../abi/errors.ts';
import { FFA_ERROR, FFA_SUCCESS_32, FFA_SUCCESS_64 } from '../abi/function-ids.ts';
import type { Coroutine } from '../base/coroutine.ts';
import type { Pe } from '../hardware/pe.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import type { SecureWorld } from './secure-world.ts';

/**
 * FFA_OK for FFA_SUCCESS in either form, the code of an FFA_ERROR, FFA_NOT_SUPPORTED for anything else and for an error
 * without a code. A code is whatever the SPMC put into w2, a positive number too.
 */
export function answerCode(answer: RegisterFile): number {
  const words = answer.words;
  if (words[1] !== 0) return FFA_NOT_SUPPORTED;
  const functionId = words[0];
  if (functionId === FFA_SUCCESS_32 || functionId === FFA_SUCCESS_64) return FFA_OK;
  if (functionId !== FFA_ERROR || words[4] === 0) return FFA_NOT_SUPPORTED;
  return words[4] | 0;
}

/** Puts a call with 32-bit arguments into `pe.smc`; all other registers are zero. */
export function prepareCall(pe: Pe, functionId: number, w1 = 0, w2 = 0, w3 = 0, w4 = 0, w5 = 0): void {
  const smc = pe.smc;
  smc.set8(functionId, w1, w2, w3, w4, w5);
  smc.clear(8, 17);
}

/** `prepareCall` with three arguments at most: what sends and reclaims need, on their way. */
export function prepareShortCall(pe: Pe, functionId: number, w1: number, w2: number, w3: number): void {
  const smc = pe.smc;
  smc.set4(functionId, w1, w2, w3);
  smc.clear(8, 17);
}

/** Makes a call with 32-bit arguments on behalf of `caller`; returns its code. The answer stays in `pe.smc`. */
export function* callSimply(
  secure: SecureWorld,
  pe: Pe,
  caller: number,
  functionId: number,
  w1 = 0,
  w2 = 0,
  w3 = 0,
  w4 = 0,
): Coroutine<number> {
  prepareCall(pe, functionId, w1, w2, w3, w4);
  const pending = secure.call(pe, caller);
  if (pending !== null) yield* pending;
  return answerCode(pe.smc);
}
