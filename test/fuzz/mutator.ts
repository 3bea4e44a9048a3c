// Makes a new input from old ones: bit flips, arithmetic, interesting numbers, words of the target's dictionary,
// copies, removals, insertions, two inputs spliced. Inputs of records are cut and spliced at the records' borders.

import type { Random } from './random.ts';
import type { Target } from './target.ts';

const INTERESTING = [
  0, 1, 2, 3, 4, 7, 8, 15, 16, 24, 31, 32, 47, 48, 63, 64, 96, 127, 128, 254, 255, 256, 511, 512, 1023, 1024, 4095,
  4096, 4097, 8192, 0x7fff, 0x8000, 0x8001, 0xffff, 0x10000, 0x10001, 0x10002, 0xfffff, 0x100000, 0x7fffffff,
  0x80000000, 0xfffffff0, 0xfffffffe, 0xffffffff, 0x40000000, 0x40001000,
];
const STACKED_MAX = 6;

export function mutate(target: Target, corpus: readonly Uint8Array[], random: Random): Uint8Array {
  let bytes: Uint8Array = random.pick(corpus).slice();
  const rounds = 1 + random.below(STACKED_MAX);
  for (let n = 0; n < rounds; n++) {
    if (target.mutate !== undefined && random.below(2) === 0) bytes = target.mutate(bytes, random);
    else bytes = once(target, bytes, corpus, random);
  }
  return bytes.length > target.bytesMax ? bytes.slice(0, target.bytesMax) : bytes;
}

function once(target: Target, bytes: Uint8Array, corpus: readonly Uint8Array[], random: Random): Uint8Array {
  if (bytes.length === 0) return Uint8Array.of(random.below(256));
  const at = random.below(bytes.length);
  switch (random.below(13)) {
    case 0:
    case 1:
      bytes[at] ^= 1 << random.below(8);
      return bytes;
    case 2:
      bytes[at] = random.below(256);
      return bytes;
    case 3:
      bytes[at] += random.below(35) - 17;
      return bytes;
    case 4:
    case 5:
      return writeNumber(bytes, at, random);
    case 6:
      return remove(target, bytes, random);
    case 7:
    case 8:
      return insert(target, bytes, random.pick(corpus), random);
    case 9:
      return splice(target, bytes, random.pick(corpus), random);
    case 10: {
      const length = Math.min(1 + random.below(16), bytes.length - at);
      bytes.copyWithin(random.below(bytes.length), at, at + length);
      return bytes;
    }
    case 11: {
      const end = Math.min(bytes.length, at + 1 + random.below(8));
      for (let n = at; n < end; n++) bytes[n] = random.below(256);
      return bytes;
    }
    default:
      return target.dictionary.length === 0
        ? writeNumber(bytes, at, random)
        : place(bytes, at, random.pick(target.dictionary), random);
  }
}

/** An interesting number of 1, 2, 4 or 8 bytes, or one near what is there, mostly at an aligned place. */
function writeNumber(bytes: Uint8Array, anywhere: number, random: Random): Uint8Array {
  const size = random.pick([1, 2, 4, 4, 4, 8]);
  if (bytes.length < size) return bytes;
  const at = random.oneIn(4) ? Math.min(anywhere, bytes.length - size) : anywhere - (anywhere % size);
  if (at + size > bytes.length) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const value = random.pick(INTERESTING);
  const bigEndian = random.oneIn(8);
  if (size === 1) bytes[at] = value;
  else if (size === 2) view.setUint16(at, value, !bigEndian);
  else if (random.oneIn(4)) view.setUint32(at, view.getUint32(at, true) + random.below(9) - 4, true);
  else view.setUint32(at, value, !bigEndian);
  if (size === 8) view.setUint32(at + 4, random.oneIn(2) ? 0 : random.pick(INTERESTING), true);
  return bytes;
}

function border(target: Target, bytes: Uint8Array, random: Random): number {
  const { recordBytes, headerBytes } = target;
  if (recordBytes === 0 || bytes.length < headerBytes) return random.below(bytes.length + 1);
  return headerBytes + recordBytes * random.below(Math.floor((bytes.length - headerBytes) / recordBytes) + 1);
}

function pieceLength(target: Target, random: Random): number {
  return target.recordBytes === 0 ? 1 + random.below(16) : target.recordBytes * (1 + random.below(4));
}

function remove(target: Target, bytes: Uint8Array, random: Random): Uint8Array {
  const at = Math.min(border(target, bytes, random), bytes.length);
  const length = Math.min(pieceLength(target, random), bytes.length - at);
  return join(bytes.subarray(0, at), bytes.subarray(at + length));
}

/** A piece of another input, or of bytes at random, between two records. */
function insert(target: Target, bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const at = border(target, bytes, random);
  const length = pieceLength(target, random);
  let piece: Uint8Array;
  if (other.length > target.headerBytes && !random.oneIn(3)) {
    const from = border(target, other, random);
    piece = other.subarray(from, from + length);
  } else {
    piece = Uint8Array.from({ length }, () => random.below(256));
  }
  return join(bytes.subarray(0, at), piece, bytes.subarray(at));
}

function splice(target: Target, bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  if (other.length === 0) return bytes;
  return join(bytes.subarray(0, border(target, bytes, random)), other.subarray(border(target, other, random)));
}

/** A word of the dictionary, over what is there or between it. */
function place(bytes: Uint8Array, at: number, word: Uint8Array, random: Random): Uint8Array {
  if (random.oneIn(2)) return join(bytes.subarray(0, at), word, bytes.subarray(at));
  if (at + word.length > bytes.length) return join(bytes.subarray(0, at), word);
  bytes.set(word, at);
  return bytes;
}

function join(...pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
