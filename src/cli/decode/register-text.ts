// Registers as people write them: `x0=0x84000073 x1=0x50`, `w0: 84000073`, as gdb prints them, or a plain list that
// begins with a function id. A register that comes again begins another set: a call and its answer, say.

import { isInFfaRange } from '../../abi/function-ids.ts';
import { UserError } from '../../base/user-error.ts';
import { placeIn } from './text-place.ts';

/** x0..x17 as 36 words: x[n] = words[2n] (low), words[2n + 1] (high). */
export interface RegisterSet {
  readonly words: Uint32Array;
  /** Registers that were given; the others are zero. */
  readonly given: readonly boolean[];
}

export const REGISTERS_SHOWN = 18;
const REGISTERS_FIT = 'registers are x0 to x17, as x0=0x84000073 x1=0x50, or a list that begins with x0';

/**
 * The register sets of `text`; null if it does not look like registers (unless `isSure`: then what is wrong is said).
 * `file`: where the text came from; null for the command line.
 */
export function parseRegisters(text: string, file: string | null, isSure: boolean): RegisterSet[] | null {
  if (/(^|[^\w])[xw]\d{1,2}\s*[=:]|^\s*[xw]\d{1,2}\s+0x/im.test(text)) return parseNamed(text, file);
  return parseList(text, file, isSure);
}

function parseNamed(text: string, file: string | null): RegisterSet[] {
  const sets: { words: Uint32Array; given: boolean[] }[] = [];
  let position = 0;
  // gdb adds the value in decimal after the hex; the third group takes it away.
  const pattern = /([xw])(\d{1,2})\s*(?:[=:]\s*|\s+)(-?(?:0x)?[0-9a-f_]+)(?:[ \t]+\d+(?=\s*(?:\n|$)))?[\s,;]*/giy;
  position = text.length - text.trimStart().length;
  while (position < text.length) {
    pattern.lastIndex = position;
    const match = pattern.exec(text);
    if (match === null) {
      const rest = text.slice(position).split(/[\s,]/)[0];
      throw new UserError(`'${rest}' is no register`, placeIn(text, position, file), REGISTERS_FIT);
    }
    const register = Number(match[2]);
    const place = placeIn(text, position, file);
    if (register >= REGISTERS_SHOWN)
      throw new UserError(`FF-A has no register ${match[1]}${register}`, place, REGISTERS_FIT);
    const last = sets[sets.length - 1];
    const set = last === undefined || last.given[register] ? newSet(sets) : last;
    const hasPrefix = /^-?0x/i.test(match[3]) || match[3].startsWith('-');
    setRegister(set, register, hasPrefix ? match[3] : `0x${match[3]}`, match[1].toLowerCase() === 'w' ? 32 : 64, place);
    position = pattern.lastIndex;
  }
  return sets;
}

function parseList(text: string, file: string | null, isSure: boolean): RegisterSet[] | null {
  const found = [...text.matchAll(/[^\s,;[\]()"']+/g)];
  if (!isSure && !looksLikeList(found.map((one) => one[0]))) return null;
  if (found.length > REGISTERS_SHOWN) {
    const place = placeIn(text, found[REGISTERS_SHOWN].index, file);
    throw new UserError(`${found.length} numbers are more than x0 to x17`, place, REGISTERS_FIT);
  }
  const sets: { words: Uint32Array; given: boolean[] }[] = [];
  const set = newSet(sets);
  const isDecimal = isDecimalId(found[0]?.[0] ?? '');
  found.forEach((match, register) => {
    const isHex = /^-?0x/i.test(match[0]) || match[0].startsWith('-') || isDecimal;
    setRegister(set, register, isHex ? match[0] : `0x${match[0]}`, 64, placeIn(text, match.index, file));
  });
  return found.length === 0 ? null : sets;
}

/** A list of registers begins with a function id or -1, or is eight numbers that each say that they are hex. */
function looksLikeList(list: readonly string[]): boolean {
  if (list.length === 0 || list.length > REGISTERS_SHOWN) return false;
  if (list.some((one) => !/^-?(0x)?[0-9a-f]{1,16}$/i.test(one))) return false;
  if (isDecimalId(list[0])) return true;
  const first = Number(/^-|0x/i.test(list[0]) ? list[0] : `0x${list[0]}`);
  if (list[0].replace(/^0x/i, '').length === 8 && isInFfaRange(first)) return true;
  return list.length >= 4 && list.every((one) => /^0x/i.test(one)) && list.some((one) => one.length > 4);
}

function isDecimalId(text: string): boolean {
  return /^\d{10}$/.test(text) && isInFfaRange(Number(text));
}

function newSet(sets: { words: Uint32Array; given: boolean[] }[]): { words: Uint32Array; given: boolean[] } {
  const set = { words: new Uint32Array(2 * REGISTERS_SHOWN), given: new Array<boolean>(REGISTERS_SHOWN).fill(false) };
  sets.push(set);
  return set;
}

function setRegister(
  set: { words: Uint32Array; given: boolean[] },
  register: number,
  text: string,
  bits: 32 | 64,
  place: ReturnType<typeof placeIn>,
): void {
  let value: bigint;
  try {
    const isNegative = text.startsWith('-');
    value = BigInt((isNegative ? text.slice(1) : text).replaceAll('_', ''));
    if (isNegative) value = BigInt.asUintN(32, -value);
  } catch {
    throw new UserError(`x${register} is '${text.replace(/^0x/, '')}', which is no number`, place, REGISTERS_FIT);
  }
  if (value >= 1n << BigInt(bits)) {
    throw new UserError(`${bits === 32 ? 'w' : 'x'}${register} is ${text}, more than ${bits} bits`, place);
  }
  set.words[2 * register] = Number(value & 0xffffffffn);
  set.words[2 * register + 1] = Number(value >> 32n);
  set.given[register] = true;
}
