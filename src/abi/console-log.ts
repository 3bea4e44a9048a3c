// FFA_CONSOLE_LOG: characters in registers from register 2 on, low byte first; w1 [7:0] says how many.
//
// 24 fit the 32-bit form (w2 to w7), 48 the 64-bit form, 128 that of 1.2 (x2 to x17).
// Sources: [Hafnium api.c], [OP-TEE spmc_sp_handler.c], [arm-ffa crate].

import { assert } from '../base/assert.ts';
import type { Decoded, Fault } from './fault.ts';
import { FFA_CONSOLE_LOG_32, FFA_CONSOLE_LOG_64 } from './function-ids.ts';
import * as layout from './layout/buffers.ts';
import { FFA_VERSION_1_2 } from './versions.ts';

const COUNT_MASK = 0xff;

/** Most characters that one call takes. */
export function consoleLogMax(fid: number, version: number): number {
  if (fid === FFA_CONSOLE_LOG_32) return layout.CONSOLE_LOG_MAX_CHARACTERS_32;
  return version >= FFA_VERSION_1_2 ? layout.CONSOLE_LOG_MAX_CHARACTERS_64_1_2 : layout.CONSOLE_LOG_MAX_CHARACTERS_64;
}

/** The characters, as bytes: nobody says in which encoding. */
export function decodeConsoleLog(words: Uint32Array, version: number): Decoded<Uint8Array> {
  const fid = words[0];
  if (fid !== FFA_CONSOLE_LOG_32 && fid !== FFA_CONSOLE_LOG_64) {
    const rule = 'must be FFA_CONSOLE_LOG_32 or FFA_CONSOLE_LOG_64';
    return {
      ok: false,
      fault: { kind: 'function', path: 'w0', offset: 0, found: `0x${fid.toString(16)}`, rule },
      fields: [],
    };
  }
  const count = words[2] & COUNT_MASK;
  const most = consoleLogMax(fid, version);
  if (count === 0 || count > most) {
    const rule = `must be 1 to ${most}`;
    const fault: Fault = { kind: 'count-outside', path: 'w1[7:0]', offset: 8, found: String(count), rule };
    return { ok: false, fault, fields: [] };
  }
  const characters = new Uint8Array(count);
  for (let n = 0; n < count; n++) characters[n] = words[wordOf(n, fid)] >>> (8 * (n & 3));
  return { ok: true, value: characters, fields: [] };
}

/** Writes x0 to x17. */
export function encodeConsoleLog(characters: Uint8Array, fid: number, version: number, words: Uint32Array): void {
  assert(characters.length > 0 && characters.length <= consoleLogMax(fid, version), 'the characters fit the registers');
  words.fill(0);
  words[0] = fid;
  words[2] = characters.length;
  for (let n = 0; n < characters.length; n++) words[wordOf(n, fid)] |= characters[n] << (8 * (n & 3));
}

function wordOf(n: number, fid: number): number {
  const first = 2 * layout.CONSOLE_LOG_FIRST_REGISTER;
  return fid === FFA_CONSOLE_LOG_32 ? first + 2 * (n >>> 2) : first + (n >>> 2);
}
