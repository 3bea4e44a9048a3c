// 64-bit fields as two 32-bit words, low first. Handles, tags and bitmaps stay words, for they need not fit a double.

import { TWO_POW_32 } from '../base/units.ts';

/** A 64-bit field: two unsigned 32-bit words. */
export interface Words64 {
  readonly low: number;
  readonly high: number;
}

export const ZERO_WORDS: Words64 = { low: 0, high: 0 };

/** Words of a non-negative integer below 2^53, e.g. an address. */
export function wordsOf(value: number): Words64 {
  return { low: value >>> 0, high: Math.floor(value / TWO_POW_32) >>> 0 };
}

/** The field as a double: exact below 2^53, and for any multiple of 4096. */
export function numberOf(words: Words64): number {
  return words.low + words.high * TWO_POW_32;
}

/** `0x1` or `0x8000000000000001`: hex without leading zeros. */
export function formatWords(words: Words64): string {
  const low = words.low.toString(16);
  return words.high === 0 ? `0x${low}` : `0x${words.high.toString(16)}${low.padStart(8, '0')}`;
}

/** Whether both are the same 64 bits. */
export function sameWords(a: Words64, b: Words64): boolean {
  return a.low === b.low && a.high === b.high;
}
