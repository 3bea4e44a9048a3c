import { expect, it } from 'vitest';
import { FreeFrames } from '../../src/hardware/free-frames.ts';

it('merges with the run before, the run after, and both', () => {
  const free = new FreeFrames(100, 20);
  expect(free.take(20)).toBe(100);
  expect(free.runs()).toEqual([]);
  free.give(104, 2);
  free.give(106, 2);
  expect(free.runs()).toEqual([[104, 4]]);
  free.give(102, 2);
  expect(free.runs()).toEqual([[102, 6]]);
  free.give(112, 8);
  free.give(108, 4);
  expect(free.runs()).toEqual([[102, 18]]);
  expect(free.total).toBe(18);
});

it('does not merge what does not touch', () => {
  const free = new FreeFrames(0, 10);
  free.take(10);
  free.give(0, 2);
  free.give(3, 2);
  expect(free.runs()).toEqual([
    [0, 2],
    [3, 2],
  ]);
});

it('takes from a run that is long enough, and says -1 when there is none', () => {
  const free = new FreeFrames(0, 16);
  expect(free.takeAt(5, 1)).toBe(true);
  expect(free.take(6)).toBe(6);
  expect(free.runs()).toEqual([
    [0, 5],
    [12, 4],
  ]);
  expect(free.take(6)).toBe(-1);
  expect(free.total).toBe(9);
});

it('takes what it can from a longest run when asked for some', () => {
  const free = new FreeFrames(0, 12);
  free.takeAt(8, 1);
  expect([free.takeSome(10), free.lastTaken]).toEqual([0, 8]);
  expect([free.takeSome(2), free.lastTaken]).toEqual([9, 2]);
  expect([free.takeSome(2), free.lastTaken]).toEqual([11, 1]);
  expect([free.takeSome(2), free.lastTaken]).toEqual([-1, 0]);
});

it.each([
  ['the beginning', 0, 3, [[3, 7]]],
  [
    'the middle',
    4,
    2,
    [
      [0, 4],
      [6, 4],
    ],
  ],
  ['the end', 8, 2, [[0, 8]]],
  ['all', 0, 10, []],
] as const)('cuts frames out of %s of a run', (_name, frame, count, left) => {
  const free = new FreeFrames(0, 10);
  expect(free.takeAt(frame, count)).toBe(true);
  expect(free.runs()).toEqual(left);
  expect(free.takeAt(frame, count)).toBe(false);
  free.give(frame, count);
  expect(free.runs()).toEqual([[0, 10]]);
});

it('refuses an allocation of nothing', () => {
  expect(() => new FreeFrames(0, 4).take(0)).toThrow('an allocation has frames');
});

it('is one run again after any order of giving back, and agrees with a map of frames all the way', () => {
  const FRAMES = 256;
  const free = new FreeFrames(0, FRAMES);
  const taken: [number, number][] = [];
  const isFree = new Array<boolean>(FRAMES).fill(true);
  let state = 12345;
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
  for (let step = 0; step < 4000; step++) {
    if (random(2) === 0) {
      const count = 1 + random(20);
      const first = free.take(count);
      if (first >= 0) {
        expect(isFree.slice(first, first + count).every(Boolean)).toBe(true);
        isFree.fill(false, first, first + count);
        taken.push([first, count]);
      }
    } else if (taken.length > 0) {
      const [[first, count]] = taken.splice(random(taken.length), 1);
      free.give(first, count);
      isFree.fill(true, first, first + count);
    }
    expect(free.total).toBe(isFree.filter(Boolean).length);
  }
  for (const [first, count] of taken) free.give(first, count);
  expect(free.runs()).toEqual([[0, FRAMES]]);
});
