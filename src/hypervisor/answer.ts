// Answers to a guest: FFA_SUCCESS and FFA_ERROR in its registers, reserved ones zero. [Xen ffa_private.h]

import { FFA_ERROR, FFA_SUCCESS_32 } from '../abi/function-ids.ts';
import type { RegisterFile } from '../hardware/registers.ts';

/** FFA_ERROR with `code` (negative) as 32-bit two's complement in w2. */
export function answerError(registers: RegisterFile, code: number): void {
  registers.set4(FFA_ERROR, 0, code, 0);
}

/** FFA_SUCCESS_32 with w2 and w3. */
export function answerSuccess(registers: RegisterFile, w2 = 0, w3 = 0): void {
  registers.set4(FFA_SUCCESS_32, 0, w2, w3);
}
