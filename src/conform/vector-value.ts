// Numbers, registers and bytes as vector files write them: JSON integers, or strings in hexadecimal ("0x…") or
// decimal, with a sign if need be. Registers are 64 bits wide and become two words each, without BigInt.

const TWO_POW_32 = 0x1_0000_0000;
const HEX_DIGITS_MAX = 16;

/** Low and high word of the number that `parseWords` read last. */
export const parsed = { low: 0, high: 0 };

/** Reads a number of up to 64 bits into `parsed`; negative ones in two's complement. False when it is none. */
export function parseWords(value: unknown): boolean {
  if (typeof value === 'number') return fromDouble(value);
  if (typeof value !== 'string') return false;
  if (value.startsWith('0x')) return fromHex(value);
  if (!/^-?\d+$/.test(value)) return false;
  const double = Number(value);
  return Number.isSafeInteger(double) ? fromDouble(double) : fromDecimal(value);
}

/** A number of up to 53 bits, or null. */
export function parseDouble(value: unknown): number | null {
  if (typeof value === 'string' && value.startsWith('-')) {
    return parseWords(value) ? Number(value) : null;
  }
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : null;
  if (!parseWords(value)) return null;
  const double = parsed.high * TWO_POW_32 + parsed.low;
  return Number.isSafeInteger(double) ? double : null;
}

/**
 * Reads registers into `words` (two per register, low first); those that the list does not name are zero. Returns the
 * index of the first entry that is no register, `registers.length` when the list is too long, or -1 when all is well.
 */
export function parseRegisters(registers: readonly unknown[], words: Uint32Array): number {
  const count = words.length / 2;
  if (registers.length > count) return count;
  for (let n = 0; n < registers.length; n++) {
    if (!parseWords(registers[n])) return n;
    words[2 * n] = parsed.low;
    words[2 * n + 1] = parsed.high;
  }
  for (let n = 2 * registers.length; n < words.length; n++) words[n] = 0;
  return -1;
}

/** One register as "0x…". */
export function formatWords(low: number, high: number): string {
  const text = low.toString(16);
  return high === 0 ? `0x${text}` : `0x${high.toString(16)}${text.padStart(8, '0')}`;
}

/** Bytes written in hexadecimal into `into` from `at`; their count, or -1 when the text is no hexadecimal. */
export function parseBytes(text: string, into: Uint8Array, at: number): number {
  const length = text.length >> 1;
  if ((text.length & 1) !== 0 || at + length > into.length) return -1;
  for (let n = 0; n < length; n++) {
    const high = hexDigit(text.charCodeAt(2 * n));
    const low = hexDigit(text.charCodeAt(2 * n + 1));
    if ((high | low) < 0) return -1;
    into[at + n] = (high << 4) | low;
  }
  return length;
}

export function formatBytes(bytes: Uint8Array, length: number): string {
  let text = '';
  for (let n = 0; n < length; n++) text += bytes[n].toString(16).padStart(2, '0');
  return text;
}

function fromDouble(value: number): boolean {
  if (!Number.isSafeInteger(value)) return false;
  parsed.low = value >>> 0;
  parsed.high = Math.floor(value / TWO_POW_32) >>> 0;
  return true;
}

/** Decimal digits beyond what a double holds. */
function fromDecimal(digits: string): boolean {
  let low = 0;
  let high = 0;
  for (let n = 0; n < digits.length; n++) {
    const digit = digits.charCodeAt(n) - 0x30;
    if (digit < 0) return false;
    low = low * 10 + digit;
    const carry = Math.floor(low / TWO_POW_32);
    low -= carry * TWO_POW_32;
    high = high * 10 + carry;
    if (high >= TWO_POW_32) return false;
  }
  parsed.low = low;
  parsed.high = high;
  return true;
}

function fromHex(text: string): boolean {
  const end = text.length;
  if (end === 2 || end > 2 + HEX_DIGITS_MAX) return false;
  let low = 0;
  let high = 0;
  for (let n = 2; n < end; n++) {
    const digit = hexDigit(text.charCodeAt(n));
    if (digit < 0) return false;
    high = (high << 4) | (low >>> 28);
    low = (low << 4) | digit;
  }
  parsed.low = low >>> 0;
  parsed.high = high >>> 0;
  return true;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x61 && code <= 0x66) return code - 0x57;
  if (code >= 0x41 && code <= 0x46) return code - 0x37;
  return -1;
}
