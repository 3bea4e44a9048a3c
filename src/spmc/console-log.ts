// FFA_CONSOLE_LOG: characters in registers, to whoever listens.

import { FFA_INVALID_PARAMETERS } from '../abi/errors.ts';
import { isSmc64 } from '../abi/function-ids.ts';
import {
  CONSOLE_LOG_FIRST_REGISTER,
  CONSOLE_LOG_MAX_CHARACTERS_32,
  CONSOLE_LOG_MAX_CHARACTERS_64,
  CONSOLE_LOG_MAX_CHARACTERS_64_1_2,
} from '../abi/layout/buffers.ts';
import { FFA_VERSION_1_2 } from '../abi/versions.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import { answerSuccess, type Result } from './answers.ts';
import type { Endpoint } from './endpoint.ts';
import type { Spmc } from './spmc.ts';

export function logToConsole(spmc: Spmc, caller: Endpoint, r: RegisterFile): Result {
  const wide = isSmc64(r.w(0));
  const count = r.w(1);
  const most64 = caller.version >= FFA_VERSION_1_2 ? CONSOLE_LOG_MAX_CHARACTERS_64_1_2 : CONSOLE_LOG_MAX_CHARACTERS_64;
  if (count === 0 || count > (wide ? most64 : CONSOLE_LOG_MAX_CHARACTERS_32)) {
    return FFA_INVALID_PARAMETERS;
  }
  if (spmc.console !== null) spmc.console.log(caller.id, textOf(r, count, wide ? 8 : 4));
  return answerSuccess(r);
}

/** `count` characters of one byte each, `perRegister` in each register. */
function textOf(r: RegisterFile, count: number, perRegister: number): string {
  let text = '';
  for (let n = 0; n < count; n++) {
    const register = CONSOLE_LOG_FIRST_REGISTER + Math.floor(n / perRegister);
    const byte = n % perRegister;
    const word = byte < 4 ? r.w(register) : r.high(register);
    text += String.fromCharCode((word >>> (8 * (byte & 3))) & 0xff);
  }
  return text;
}
