// FFA_CONSOLE_LOG: characters in registers, put together to lines. A line ends with a line feed, with a zero, or when
// it is as long as a line may be; each execution context, and each PE of the normal world, has a line of its own
// [Hafnium api.c].

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
import { currentVcpu } from './current-vcpu.ts';
import type { Endpoint } from './endpoint.ts';
import type { ConsoleSink } from './options.ts';
import { Partition } from './partition.ts';
import type { Spmc } from './spmc.ts';
import type { Staging } from './staging.ts';

/** Characters in a line. */
const LINE_LENGTH_MAX = 255;
/** More than any endpoint has execution contexts. */
const CONTEXTS_MAX = 0x1_0000;
const LINE_FEED = 0x0a;

/** The lines that are not at their end yet. */
export class ConsoleLines {
  private readonly sink: ConsoleSink | null;
  /** By endpoint and context. */
  private readonly lines = new Map<number, string>();

  constructor(sink: ConsoleSink | null) {
    this.sink = sink;
  }

  reset(): void {
    this.lines.clear();
  }

  put(endpoint: number, context: number, character: number): void {
    const key = endpoint * CONTEXTS_MAX + context;
    let line = this.lines.get(key) ?? '';
    const ends = character === LINE_FEED || character === 0;
    if (!ends) line += String.fromCharCode(character);
    if (!ends && line.length < LINE_LENGTH_MAX) {
      this.lines.set(key, line);
      return;
    }
    this.lines.delete(key);
    this.sink?.log(endpoint, line, context);
  }
}

export function logToConsole(
  spmc: Spmc,
  caller: Endpoint,
  r: RegisterFile,
  _staging: Staging,
  peIndex: number,
): Result {
  const wide = isSmc64(r.w(0));
  const count = r.w(1);
  if (count === 0 || (wide && r.high(1) !== 0) || count > charactersMax(caller, wide)) return FFA_INVALID_PARAMETERS;
  const context = contextOf(caller, peIndex);
  const perRegister = wide ? 8 : 4;
  for (let n = 0; n < count; n++) {
    const register = CONSOLE_LOG_FIRST_REGISTER + Math.floor(n / perRegister);
    const byte = n % perRegister;
    const word = byte < 4 ? r.w(register) : r.high(register);
    spmc.consoleLines.put(caller.id, context, (word >>> (8 * (byte & 3))) & 0xff);
  }
  return answerSuccess(r);
}

function charactersMax(caller: Endpoint, wide: boolean): number {
  if (!wide) return CONSOLE_LOG_MAX_CHARACTERS_32;
  return caller.version >= FFA_VERSION_1_2 ? CONSOLE_LOG_MAX_CHARACTERS_64_1_2 : CONSOLE_LOG_MAX_CHARACTERS_64;
}

/** The context that calls; of the normal world the PE. */
function contextOf(caller: Endpoint, peIndex: number): number {
  return caller instanceof Partition ? (currentVcpu(caller, peIndex)?.vcpu ?? 0) : peIndex;
}
