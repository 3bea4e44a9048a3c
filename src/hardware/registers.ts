// The general registers x0..x17 that FF-A uses, as 36 words: no BigInt, no allocation. Upper halves are real: an SMC64
// call sees them, an SMC32 call ignores them.

import { TWO_POW_32 } from '../base/units.ts';

export const REGISTER_COUNT = 18;

/** Register files that share one buffer: a buffer for each would be most of what a vCPU costs to make. */
const FILES_PER_SLAB = 32;
const FILE_SIZE_BYTES = 8 * REGISTER_COUNT;

/** Where the next register files come from. What a file holds is its own; only the room is shared. */
let slab = new ArrayBuffer(0);
let slabUsedBytes = 0;

function room(): number {
  if (slabUsedBytes === slab.byteLength) {
    slab = new ArrayBuffer(FILES_PER_SLAB * FILE_SIZE_BYTES);
    slabUsedBytes = 0;
  }
  slabUsedBytes += FILE_SIZE_BYTES;
  return slabUsedBytes - FILE_SIZE_BYTES;
}

export class RegisterFile {
  /** x[n] = words[2n] (low), words[2n + 1] (high). */
  readonly words: Uint32Array;
  /** The same registers as zeroes are written: one store each. */
  private readonly cells: Float64Array;

  constructor() {
    const offset = room();
    this.words = new Uint32Array(slab, offset, 2 * REGISTER_COUNT);
    this.cells = new Float64Array(slab, offset, REGISTER_COUNT);
  }

  /** w[n], unsigned. */
  w(n: number): number {
    return this.words[2 * n];
  }

  /** Upper half of x[n], unsigned. */
  high(n: number): number {
    return this.words[2 * n + 1];
  }

  /** x[n] as a double: exact below 2^53. */
  x(n: number): number {
    return this.words[2 * n] + this.words[2 * n + 1] * TWO_POW_32;
  }

  /** Writes w[n]; the upper half becomes zero. */
  setW(n: number, value: number): void {
    this.words[2 * n] = value;
    this.words[2 * n + 1] = 0;
  }

  /** Writes x[n] from a non-negative double below 2^53. */
  setX(n: number, value: number): void {
    this.words[2 * n] = value >>> 0;
    this.words[2 * n + 1] = Math.floor(value / TWO_POW_32);
  }

  setWords(n: number, low: number, high: number): void {
    this.words[2 * n] = low;
    this.words[2 * n + 1] = high;
  }

  /** Writes x0..x7, each as a 32-bit value with its upper half zero. */
  set8(w0: number, w1 = 0, w2 = 0, w3 = 0, w4 = 0, w5 = 0, w6 = 0, w7 = 0): void {
    const r = this.words;
    r[0] = w0;
    r[1] = 0;
    r[2] = w1;
    r[3] = 0;
    r[4] = w2;
    r[5] = 0;
    r[6] = w3;
    r[7] = 0;
    r[8] = w4;
    r[9] = 0;
    r[10] = w5;
    r[11] = 0;
    r[12] = w6;
    r[13] = 0;
    r[14] = w7;
    r[15] = 0;
  }

  /** `set8` with x4..x7 zero: an answer's usual shape, in fewer stores. */
  set4(w0: number, w1: number, w2: number, w3: number): void {
    const r = this.words;
    const cells = this.cells;
    r[0] = w0;
    r[1] = 0;
    r[2] = w1;
    r[3] = 0;
    r[4] = w2;
    r[5] = 0;
    r[6] = w3;
    r[7] = 0;
    cells[4] = 0;
    cells[5] = 0;
    cells[6] = 0;
    cells[7] = 0;
  }

  /** Copies x[first]..x[last] from another file. */
  copy(from: RegisterFile, first = 0, last = REGISTER_COUNT - 1): void {
    const to = this.words;
    const source = from.words;
    const end = 2 * last + 2;
    for (let n = 2 * first; n < end; n++) to[n] = source[n];
  }

  /** Whether x[first]..x[last] are zero. */
  isClear(first: number, last = REGISTER_COUNT - 1): boolean {
    const { words } = this;
    for (let n = 2 * first; n <= 2 * last + 1; n++) if (words[n] !== 0) return false;
    return true;
  }

  /** Clears x[first]..x[last]. */
  clear(first = 0, last = REGISTER_COUNT - 1): void {
    const cells = this.cells;
    for (let n = first; n <= last; n++) cells[n] = 0;
  }
}
