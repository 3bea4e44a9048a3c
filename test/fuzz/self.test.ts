// The fuzzing machinery itself: it finds a planted mistake, shrinks it, and goes the same way for the same seed.

import { expect, it } from 'vitest';
import { Coverage, makeRoom } from './coverage.ts';
import { Loop } from './loop.ts';
import { shrink } from './shrink.ts';
import type { Target } from './target.ts';

function target(run: Target['run']): Target {
  return { name: 'planted', bytesMax: 64, recordBytes: 0, headerBytes: 0, seeds: [], dictionary: [], run };
}

const PLANTED = target((input, features) => {
  let depth = 0;
  for (const byte of [0x10, 0x80, 0xff]) {
    if (input[depth] !== byte) break;
    features.seen(++depth);
  }
  if (depth === 3) throw new Error(`planted at depth ${depth}`);
});

function fuzz(seed: number, inputs: number): Loop {
  makeRoom();
  const loop = new Loop(PLANTED, new Coverage(), seed, () => {});
  while (loop.inputs < inputs && loop.failures.length === 0) loop.next();
  return loop;
}

it('finds, step by step, what no single guess would', () => {
  const loop = fuzz(1, 200_000);
  expect(loop.failures.map((failure) => failure.key)).toEqual(['Error: planted at depth N ']);
  expect(Array.from(loop.failures[0].shrunk)).toEqual([0x10, 0x80, 0xff]);
});

it('goes the same way for the same seed', () => {
  expect(fuzz(5, 200_000).progress).toEqual(fuzz(5, 200_000).progress);
});

it('shrinks records without moving their borders', () => {
  const records: Target = { ...PLANTED, recordBytes: 4, headerBytes: 2 };
  const input = Uint8Array.from([9, 9, 1, 1, 1, 1, 7, 5, 0, 0, 2, 2, 2, 2]);
  const shows = (bytes: Uint8Array): boolean => {
    for (let at = 2; at + 4 <= bytes.length; at += 4) if (bytes[at] === 7) return true;
    return false;
  };
  expect(Array.from(shrink(records, input, 1000, shows))).toEqual([0, 0, 7, 0, 0, 0]);
});
