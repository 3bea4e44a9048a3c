// The answers that most calls share.

import { FFA_OK, type FfaErrorCode } from '../abi/errors.ts';
import { FFA_ERROR, FFA_SUCCESS_32 } from '../abi/function-ids.ts';
import type { RegisterFile } from '../hardware/registers.ts';

/** FFA_OK: the call succeeded and its answer is written; else the error with which to answer. */
export type Result = FfaErrorCode | typeof FFA_OK;

/** FFA_ERROR with `code` in w2; every other register of the answer is zero. */
export function answerError(registers: RegisterFile, code: Result): void {
  registers.clear();
  registers.setW(0, FFA_ERROR);
  registers.setW(2, code);
}

/** FFA_SUCCESS_32 with w2 and w3; every other register of the answer is zero. */
export function answerSuccess(registers: RegisterFile, w2 = 0, w3 = 0): typeof FFA_OK {
  registers.set4(FFA_SUCCESS_32, 0, w2, w3);
  registers.clear(8);
  return FFA_OK;
}
