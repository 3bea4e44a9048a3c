import { describe, expect, it } from 'vitest';
import {
  EVENT_FRAME_ALLOCATE,
  EVENT_FRAME_FREE,
  EVENT_FRAME_GET,
  EVENT_FRAME_OWNER,
  EVENT_FRAME_PUT,
  EVENT_FRAME_SCRUB,
} from '../../src/base/event-kinds.ts';
import { EventLog } from '../../src/base/event-log.ts';
import { type FrameOwner, FrameTable, OWNER_FREE, OWNER_QUARANTINE } from '../../src/hardware/frames.ts';

const FIRST = 0x4_0000;
const CHUNK = 512;
const OWNER = 7;
const OTHER = 8;

function tableOf(count: number, events = new EventLog(), reuse = true): FrameTable {
  return new FrameTable(events, { firstFrame: FIRST, count, reuse });
}

/** References and owner of `count` frames. */
function stateOf(table: FrameTable, frame: number, count: number): [number, number][] {
  return Array.from({ length: count }, (_, n) => [table.references(frame + n), table.owner(frame + n)]);
}

/** Remembers which frames it was told of. */
class Freed implements FrameOwner {
  readonly runs: [number, number][] = [];

  framesFreed(frame: number, count: number): void {
    this.runs.push([frame, count]);
  }
}

/** Chunks whose frames are kept one by one. */
function chunksWithCells(table: FrameTable): number {
  return table['chunks'].filter((chunk) => chunk !== undefined && chunk.cells !== null).length;
}

describe('allocation', () => {
  it('gives adjacent frames with one reference each', () => {
    const table = tableOf(64);
    const frame = table.allocate(3, OWNER);
    expect(frame).toBe(FIRST);
    expect(stateOf(table, frame, 4)).toEqual([
      [1, OWNER],
      [1, OWNER],
      [1, OWNER],
      [0, OWNER_FREE],
    ]);
    expect(table.freeCount).toBe(61);
  });

  it('takes all or nothing', () => {
    const table = tableOf(8);
    expect(table.allocate(9, OWNER)).toBe(-1);
    expect(table.allocateRuns(9, OWNER)).toBeNull();
    expect(table.freeCount).toBe(8);
    expect(table.owner(FIRST)).toBe(OWNER_FREE);
  });

  it('takes several runs where no single one is long enough', () => {
    const table = tableOf(12);
    expect(table.allocateAt(FIRST + 5, 1, OTHER)).toBe(true);
    const runs = table.allocateRuns(11, OWNER) as number[];
    const frames = [];
    for (let n = 0; n < runs.length; n += 2) {
      for (let at = 0; at < runs[n + 1]; at++) frames.push(runs[n] + at - FIRST);
    }
    expect(frames.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]);
    expect(table.owner(FIRST + 5)).toBe(OTHER);
    expect(table.freeCount).toBe(0);
  });

  it('at a place fails when one of the frames is taken', () => {
    const table = tableOf(8);
    expect(table.allocateAt(FIRST + 2, 2, OWNER)).toBe(true);
    expect(table.allocateAt(FIRST + 1, 2, OTHER)).toBe(false);
    expect(table.allocateAt(FIRST + 7, 2, OTHER)).toBe(false);
    expect(table.owner(FIRST + 1)).toBe(OWNER_FREE);
  });

  it('never hands a frame out again when reuse is off', () => {
    const table = tableOf(4, new EventLog(), false);
    table.putRange(table.allocate(2, OWNER), 2);
    expect(table.allocate(2, OWNER)).toBe(FIRST + 2);
    expect(table.allocate(1, OWNER)).toBe(-1);
  });
});

describe('references', () => {
  // Ranges of one frame, within a chunk, over its border, over a whole chunk and more.
  const RANGES: readonly (readonly [string, number, number])[] = [
    ['one frame', 3, 1],
    ['some of a chunk', 3, 20],
    ['over a border', CHUNK - 2, 5],
    ['a whole chunk', CHUNK, CHUNK],
    ['a whole chunk and a bit', CHUNK - 1, CHUNK + 2],
  ];

  for (const listening of [false, true]) {
    it.each(RANGES)(`are taken and given back, %s, ${listening ? 'watched' : 'unwatched'}`, (_name, offset, count) => {
      const events = new EventLog();
      if (listening) events.keep();
      const table = tableOf(4 * CHUNK, events);
      table.allocate(4 * CHUNK, OWNER);
      const freed = new Freed();
      table.setOwner(OWNER, freed);
      const around = stateOf(table, FIRST + offset - 1, count + 2);
      expect(table.getRange(FIRST + offset, count, OWNER)).toBe(true);
      const got = stateOf(table, FIRST + offset - 1, count + 2);
      expect(got.map(([references]) => references)).toEqual([1, ...new Array(count).fill(2), 1]);
      table.putRange(FIRST + offset, count);
      expect(stateOf(table, FIRST + offset - 1, count + 2)).toEqual(around);
      expect(freed.runs).toEqual([]);
      table.putRange(FIRST + offset, count);
      expect(freed.runs).toEqual([[FIRST + offset, count]]);
      expect(table.freeCount).toBe(count);
      expect(table.references(FIRST + offset + count)).toBe(1);
      expect(table.owner(FIRST + offset)).toBe(OWNER_FREE);
    });

    it.each([
      ['another owner in the middle', 10],
      ['another owner at the end', 19],
      ['another owner past a chunk', CHUNK + 1],
    ])(`are not taken where there is %s, ${listening ? 'watched' : 'unwatched'}`, (_name, place) => {
      const events = new EventLog();
      if (listening) events.keep();
      const table = tableOf(2 * CHUNK, events);
      table.allocate(2 * CHUNK, OWNER);
      table.changeOwner(FIRST + place, 1, OTHER);
      const before = stateOf(table, FIRST, 2 * CHUNK);
      expect(table.getRange(FIRST, place + 1, OWNER)).toBe(false);
      expect(stateOf(table, FIRST, 2 * CHUNK)).toEqual(before);
      expect(table.getRange(FIRST, place, OWNER)).toBe(true);
    });
  }

  it.each([
    ['free frames', FIRST, 1],
    ['free frames of a chunk in use', FIRST + 70, 2],
    ['frames below the table', FIRST - 1, 1],
    ['frames past the table', FIRST + 2 * CHUNK - 1, 2],
    ['no frames', FIRST + 64, 0],
  ])('are not taken to %s', (_name, frame, count) => {
    const table = tableOf(2 * CHUNK);
    table.allocateAt(FIRST + 64, 4, OWNER);
    expect(table.getRange(frame, count, OWNER)).toBe(false);
  });

  it('keep a frame alive after its allocation was given back', () => {
    const table = tableOf(16);
    const freed = new Freed();
    const frame = table.allocate(4, OWNER);
    table.setOwner(OWNER, freed);
    table.getRange(frame + 1, 1, OWNER);
    table.putRange(frame, 4);
    expect(freed.runs).toEqual([
      [frame, 1],
      [frame + 2, 2],
    ]);
    expect(stateOf(table, frame + 1, 1)).toEqual([[1, OWNER]]);
    table.putRange(frame + 1, 1);
    expect(freed.runs[2]).toEqual([frame + 1, 1]);
  });

  it.each([
    ['one frame', 1],
    ['several frames', 3],
    ['a whole chunk', CHUNK],
  ])('given back too often are a bug of ours: %s', (_name, count) => {
    const table = tableOf(CHUNK);
    table.allocate(CHUNK, OWNER);
    table.putRange(FIRST, count);
    expect(() => table.putRange(FIRST, count)).toThrow('more puts than gets');
  });

  it('of frames that nobody ever had are a bug of ours', () => {
    expect(() => tableOf(8).putRange(FIRST, 1)).toThrow('put of a free frame');
    expect(() => tableOf(8).putRange(FIRST, 2)).toThrow('put of a free frame');
    expect(() => tableOf(8).putRange(FIRST + 7, 2)).toThrow('put of frames that do not exist');
  });
});

describe('owners', () => {
  it('change without a change of references, and are told of their own frames only', () => {
    const table = tableOf(16);
    const mine = new Freed();
    const theirs = new Freed();
    const frame = table.allocate(6, OWNER);
    table.setOwner(OWNER, mine);
    table.setOwner(OTHER, theirs);
    table.changeOwner(frame + 2, 2, OTHER);
    expect(table.references(frame + 2)).toBe(1);
    table.putRange(frame, 6);
    expect(mine.runs).toEqual([
      [frame, 2],
      [frame + 4, 2],
    ]);
    expect(theirs.runs).toEqual([[frame + 2, 2]]);
  });

  it('that are forgotten are not told', () => {
    const table = tableOf(16);
    const freed = new Freed();
    const frame = table.allocate(1, OWNER);
    table.setOwner(OWNER, freed);
    table.forgetOwner(OWNER, freed);
    table.putRange(frame, 1);
    expect(freed.runs).toEqual([]);
  });

  it('cannot be nobody', () => {
    const table = tableOf(16);
    const frame = table.allocate(1, OWNER);
    expect(() => table.changeOwner(frame, 1, OWNER_FREE)).toThrow('frames are freed by putting them');
    expect(() => table.changeOwner(frame + 1, CHUNK, OWNER_QUARANTINE)).toThrow('a free frame has no owner to change');
    expect(() => table.setOwner(OWNER_FREE, new Freed())).toThrow('nobody owns free frames');
  });
});

describe('size', () => {
  const FRAMES = 2 ** 24;

  it('64 GiB that one owner takes, shares whole and gives back cost no frame anything', () => {
    const table = tableOf(FRAMES);
    table.allocate(FRAMES, OWNER);
    expect(table.getRange(FIRST, FRAMES, OWNER)).toBe(true);
    expect(table.references(FIRST + FRAMES - 1)).toBe(2);
    table.putRange(FIRST, FRAMES);
    table.putRange(FIRST, FRAMES);
    expect(table.freeCount).toBe(FRAMES);
    expect(table.owner(FIRST + 12345)).toBe(OWNER_FREE);
    expect(chunksWithCells(table)).toBe(0);
  });

  it('of 64 GiB only the chunks that were touched take room', () => {
    const table = tableOf(FRAMES);
    table.allocate(FRAMES, OWNER);
    table.getRange(FIRST + 5 * CHUNK, 1, OWNER);
    table.getRange(FIRST + 9 * CHUNK - 1, 2, OWNER);
    table.contents.page(FIRST + 77)[0] = 1;
    expect(chunksWithCells(table)).toBe(3);
    expect(table.contents.touchedCount).toBe(1);
    expect(table.references(FIRST + 5 * CHUNK + 1)).toBe(1);
    expect(table.owner(FIRST + 5 * CHUNK + 1)).toBe(OWNER);
  });
});

it('a reset frees, zeroes and forgets everything', () => {
  const table = tableOf(1024);
  const freed = new Freed();
  const frame = table.allocate(600, OWNER);
  table.setOwner(OWNER, freed);
  table.contents.page(frame)[9] = 1;
  table.reset();
  expect(table.freeCount).toBe(1024);
  expect(table.references(frame)).toBe(0);
  expect(table.contents.isZero(frame)).toBe(true);
  expect(table.changes).toBe(0);
  expect(table.allocate(1024, OWNER)).toBe(FIRST);
  table.putRange(FIRST, 1024);
  expect(freed.runs).toEqual([]);
});

it('every change is an event, with the frame, the number and the owner', () => {
  const events = new EventLog();
  const table = tableOf(16, events);
  events.keep();
  events.currentPe = 3;
  const frame = table.allocate(4, OWNER);
  table.getRange(frame, 2, OWNER);
  table.putRange(frame, 2);
  table.changeOwner(frame, 1, OTHER);
  table.scrub(frame, 4);
  table.putRange(frame, 4);
  const seen = [];
  for (let at = 0; at < events.kept; at++) {
    seen.push([events.kind(at), ...Array.from({ length: 4 }, (_, n) => events.argument(at, n))]);
    expect(events.pe(at)).toBe(3);
  }
  expect(seen).toEqual([
    [EVENT_FRAME_ALLOCATE, frame, 4, OWNER, 0],
    [EVENT_FRAME_GET, frame, 2, OWNER, 0],
    [EVENT_FRAME_PUT, frame, 2, OWNER, 0],
    [EVENT_FRAME_OWNER, frame, 1, OTHER, OWNER],
    [EVENT_FRAME_SCRUB, frame, 4, OTHER, 0],
    [EVENT_FRAME_PUT, frame, 4, OTHER, 0],
    [EVENT_FRAME_FREE, frame, 1, OTHER, 0],
    [EVENT_FRAME_FREE, frame + 1, 3, OWNER, 0],
  ]);
});
