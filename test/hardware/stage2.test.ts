import { describe, expect, it } from 'vitest';
import { EVENT_MAP, EVENT_UNMAP } from '../../src/base/event-kinds.ts';
import { EventLog } from '../../src/base/event-log.ts';
import { STAGE2_DEVICE, STAGE2_READ, STAGE2_RW, STAGE2_RWX, Stage2 } from '../../src/hardware/stage2.ts';

const GFN = 0x4_0000;
const FRAME = 0x10_0000;

function entry(space: Stage2, gfn: number): [number, number, number] {
  const frame = space.translate(gfn);
  return [frame, space.attributes, space.run];
}

function mapped(space: Stage2): [number, number, number][] {
  const runs: [number, number, number][] = [];
  space.eachRun((gfn, frame, count) => runs.push([gfn, frame, count]));
  return runs;
}

it('maps nothing at first', () => {
  expect(entry(new Stage2(new EventLog(), 1), GFN)).toEqual([-1, 0, 0]);
});

it('translates linear regions, and says how much of them follows', () => {
  const space = new Stage2(new EventLog(), 1);
  space.addRegion(GFN, FRAME, 100, STAGE2_RWX);
  space.addRegion(GFN + 200, FRAME + 1000, 10, STAGE2_READ);
  expect(entry(space, GFN)).toEqual([FRAME, STAGE2_RWX, 100]);
  expect(entry(space, GFN + 99)).toEqual([FRAME + 99, STAGE2_RWX, 1]);
  expect(entry(space, GFN + 100)).toEqual([-1, 0, 0]);
  expect(entry(space, GFN - 1)).toEqual([-1, 0, 0]);
  expect(entry(space, GFN + 205)).toEqual([FRAME + 1005, STAGE2_READ, 5]);
});

it('refuses regions that overlap, or map nothing', () => {
  const space = new Stage2(new EventLog(), 1);
  space.addRegion(GFN, FRAME, 100, STAGE2_RWX);
  expect(() => space.addRegion(GFN + 99, FRAME, 2, STAGE2_RWX)).toThrow('regions do not overlap');
  expect(() => space.addRegion(GFN + 100, FRAME, 0, STAGE2_RWX)).toThrow('a region maps something');
  expect(() => space.map(GFN + 100, FRAME, 1, 0)).toThrow('a mapping has attributes');
});

describe('tables over regions', () => {
  it('change single pages and leave their neighbours', () => {
    const space = new Stage2(new EventLog(), 1);
    space.addRegion(GFN, FRAME, 2048, STAGE2_RWX);
    space.map(GFN + 600, 5, 1, STAGE2_READ | STAGE2_DEVICE);
    space.unmap(GFN + 602, 1);
    expect(entry(space, GFN + 599)).toEqual([FRAME + 599, STAGE2_RWX, 1]);
    expect(entry(space, GFN + 600)).toEqual([5, STAGE2_READ | STAGE2_DEVICE, 1]);
    expect(entry(space, GFN + 601)).toEqual([FRAME + 601, STAGE2_RWX, 1]);
    expect(entry(space, GFN + 602)[0]).toBe(-1);
    expect(space.attributes).toBe(0);
  });

  it('end the runs of the region: a run never reaches into a table', () => {
    const space = new Stage2(new EventLog(), 1);
    space.addRegion(GFN, FRAME, 2048, STAGE2_RWX);
    space.map(GFN + 1024, 5, 1, STAGE2_RW);
    const [, , run] = entry(space, GFN + 1020);
    expect(run).toBe(4);
  });

  it('know a region that is added after them', () => {
    const space = new Stage2(new EventLog(), 1);
    space.map(GFN + 3, 5, 1, STAGE2_RW);
    space.addRegion(GFN + 100, FRAME, 1000, STAGE2_RWX);
    expect(entry(space, GFN + 3)).toEqual([5, STAGE2_RW, 1]);
    expect(entry(space, GFN + 101)).toEqual([FRAME + 1, STAGE2_RWX, 1]);
    expect(entry(space, GFN + 600)[0]).toBe(FRAME + 500);
  });

  it('span borders of 2 MiB', () => {
    const space = new Stage2(new EventLog(), 1);
    space.map(GFN + 510, FRAME, 4, STAGE2_RW);
    for (let n = 0; n < 4; n++) expect(space.translate(GFN + 510 + n)).toBe(FRAME + n);
    space.unmap(GFN + 511, 2);
    expect([510, 511, 512, 513].map((n) => space.translate(GFN + n))).toEqual([FRAME, -1, -1, FRAME + 3]);
  });
});

// Addresses of up to 64 bits come from guests: bit operators would fold these frames onto low ones.
it.each([
  ['2^31', 2 ** 31],
  ['2^32', 2 ** 32],
  ['2^51', 2 ** 51],
])('keeps guest frames from %s on apart from low ones', (_name, gfn) => {
  const space = new Stage2(new EventLog(), 1);
  space.addRegion(0, FRAME, 4096, STAGE2_RWX);
  space.map(7, 70, 1, STAGE2_READ);
  expect(space.translate(gfn)).toBe(-1);
  expect(space.translate(gfn + 7)).toBe(-1);
  space.map(gfn + 7, 9, 2, STAGE2_RW);
  expect(entry(space, gfn + 8)).toEqual([10, STAGE2_RW, 1]);
  expect(entry(space, gfn + 9)[0]).toBe(-1);
  expect(entry(space, 8)).toEqual([FRAME + 8, STAGE2_RWX, 1]);
  expect(mapped(space)).toContainEqual([gfn + 7, 9, 1]);
});

it('of 64 GiB costs only the tables of what is changed', () => {
  const space = new Stage2(new EventLog(), 1);
  space.addRegion(GFN, FRAME, 2 ** 24, STAGE2_RWX);
  expect(space['tables']).toBeNull();
  expect(entry(space, GFN + 2 ** 24 - 1)).toEqual([FRAME + 2 ** 24 - 1, STAGE2_RWX, 1]);
  space.unmap(GFN + 2 ** 20, 1);
  expect(space['tables']?.size).toBe(1);
});

it('is empty after clear', () => {
  const space = new Stage2(new EventLog(), 1);
  space.addRegion(GFN, FRAME, 10, STAGE2_RWX);
  space.map(GFN, 5, 1, STAGE2_RW);
  space.clear();
  expect(entry(space, GFN)).toEqual([-1, 0, 0]);
  expect(mapped(space)).toEqual([]);
  space.map(GFN + 1, 5, 1, STAGE2_RW);
  expect(mapped(space)).toEqual([[GFN + 1, 5, 1]]);
});

it('tells what it maps and unmaps', () => {
  const events = new EventLog();
  const space = new Stage2(events, 42);
  events.keep();
  space.addRegion(GFN, FRAME, 10, STAGE2_RWX);
  space.map(GFN + 1, 5, 2, STAGE2_RW);
  space.unmap(GFN + 1, 2);
  const seen = [0, 1, 2].map((at) => [events.kind(at), ...[0, 1, 2, 3, 4].map((n) => events.argument(at, n))]);
  expect(seen).toEqual([
    [EVENT_MAP, 42, GFN, FRAME, 10, STAGE2_RWX],
    [EVENT_MAP, 42, GFN + 1, 5, 2, STAGE2_RW],
    [EVENT_UNMAP, 42, GFN + 1, 5, 2, 0],
  ]);
});
