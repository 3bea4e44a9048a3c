// FFA_CONSOLE_LOG: characters in registers. What does not fit one call follows in the next ones.
// [Hafnium api.c], [OP-TEE spmc_sp_handler.c]

import { consoleLogMax, encodeConsoleLog } from '../../abi/console-log.ts';
import { FFA_CONSOLE_LOG_32, FFA_CONSOLE_LOG_64, FFA_SUCCESS_32 } from '../../abi/function-ids.ts';
import type { CallContext, Caller, CallStep, Operation } from '../caller.ts';
import { OUTCOME_SUCCESS, OUTCOME_UNEXPECTED } from '../outcome.ts';

export class ConsoleLog implements Operation {
  private readonly characters: Uint8Array;
  private readonly functionId: number;
  private sent = 0;

  /** `wide`: the SMC64 form, 48 characters a call (128 from 1.2 on) instead of 24. */
  constructor(characters: Uint8Array, wide = true) {
    this.characters = characters;
    this.functionId = wide ? FFA_CONSOLE_LOG_64 : FFA_CONSOLE_LOG_32;
  }

  start(caller: Caller, context: CallContext): CallStep {
    if (this.sent >= this.characters.length) return caller.finish(OUTCOME_SUCCESS);
    const version = caller.endpoint.layoutVersion;
    const part = this.characters.subarray(this.sent, this.sent + consoleLogMax(this.functionId, version));
    encodeConsoleLog(part, this.functionId, version, context.registers.words);
    return caller.made(context);
  }

  answered(caller: Caller, context: CallContext): CallStep {
    if (context.registers.w(0) !== FFA_SUCCESS_32) return caller.finish(OUTCOME_UNEXPECTED);
    this.sent += consoleLogMax(this.functionId, caller.endpoint.layoutVersion);
    return this.start(caller, context);
  }
}

/** ASCII characters as bytes; others become '?'. */
export function asciiBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let n = 0; n < text.length; n++) bytes[n] = text.charCodeAt(n) < 0x80 ? text.charCodeAt(n) : 0x3f;
  return bytes;
}
