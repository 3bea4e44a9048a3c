// The free list: runs of adjacent free frames, merged as they touch, kept in bins by the power of two of their length.
// Deterministic: a bin's runs are in the order in which they came. Each operation costs a few look-ups, whatever the
// number of frames and runs, and allocates nothing once its part of the memory has been touched.
//
// A run is described in the cells of its own frames (boundary tags): its first frame has the length and the links to
// its neighbours in the bin, its last frame has the way back to the first.

import { assert } from '../base/assert.ts';
import type { FrameNumber } from '../base/units.ts';

const BIN_COUNT = 30;
/** Runs of a bin whose lengths straddle the wanted one that are looked at before a longer bin is cut. */
const STRADDLERS_MAX = 8;

const CHUNK_SHIFT = 9;
const CHUNK_FRAMES = 1 << CHUNK_SHIFT;
const CHUNK_MASK = CHUNK_FRAMES - 1;

/** Cells of a frame: length of the run that begins here, length of the run that ends here, links + 1 (0: none). */
const CELLS_SHIFT = 2;
const LENGTH = 0;
const LENGTH_BACK = 1;
const NEXT = 2;
const BEFORE = 3;

/** No run. */
const NONE = -1;

export class FreeFrames {
  /** Free frames in all runs. */
  total = 0;
  /** Frames that the last `takeSome` took. */
  lastTaken = 0;
  private firstFrame: FrameNumber;
  private count: number;
  /** Cells of each chunk of frames; made when a run begins or ends there. */
  private chunks: (Int32Array | undefined)[] = [];
  /** First run of each bin and the last one, as indices from `firstFrame`. */
  private readonly heads = new Int32Array(BIN_COUNT).fill(NONE);
  private readonly tails = new Int32Array(BIN_COUNT).fill(NONE);

  constructor(firstFrame: FrameNumber, count: number) {
    this.firstFrame = firstFrame;
    this.count = count;
    this.reset(firstFrame, count);
  }

  /** One run of all frames again. */
  reset(firstFrame: FrameNumber, count: number): void {
    this.firstFrame = firstFrame;
    this.count = count;
    this.chunks = new Array(Math.ceil(count / CHUNK_FRAMES));
    this.heads.fill(NONE);
    this.tails.fill(NONE);
    this.total = count;
    if (count > 0) this.add(0, count);
  }

  /** Takes `count` adjacent frames, or returns -1 when no run of that length is found. */
  take(count: number): FrameNumber {
    assert(count > 0, 'an allocation has frames');
    const straddling = binOf(count);
    let looked = 0;
    for (let at = this.heads[straddling]; at !== NONE && looked < STRADDLERS_MAX; at = this.next(at), looked++) {
      const length = this.lengthOf(at);
      if (length >= count) return this.cut(at, length, at, count);
    }
    for (let bin = straddling + 1; bin < BIN_COUNT; bin++) {
      const at = this.heads[bin];
      if (at !== NONE) return this.cut(at, this.lengthOf(at), at, count);
    }
    return -1;
  }

  /**
   * Takes at most `count` adjacent frames from a longest bin's run. Returns the first frame; `lastTaken` says how
   * many.
   */
  takeSome(count: number): FrameNumber {
    for (let bin = BIN_COUNT - 1; bin >= 0; bin--) {
      const at = this.heads[bin];
      if (at === NONE) continue;
      const length = this.lengthOf(at);
      this.lastTaken = Math.min(length, count);
      return this.cut(at, length, at, this.lastTaken);
    }
    this.lastTaken = 0;
    return -1;
  }

  /** Takes exactly these frames; false when one of them is not free. Looks through the runs. */
  takeAt(frame: FrameNumber, count: number): boolean {
    const wanted = frame - this.firstFrame;
    for (let bin = BIN_COUNT - 1; bin >= 0; bin--) {
      for (let at = this.heads[bin]; at !== NONE; at = this.next(at)) {
        const length = this.lengthOf(at);
        if (at > wanted || at + length < wanted + count) continue;
        this.cut(at, length, wanted, count);
        return true;
      }
    }
    return false;
  }

  give(frame: FrameNumber, count: number): void {
    this.total += count;
    let first = frame - this.firstFrame;
    let length = count;
    const end = first + count;
    const before = first > 0 ? this.cell(first - 1, LENGTH_BACK) : 0;
    if (before > 0) {
      first -= before;
      length += before;
      this.remove(first, before);
    }
    const after = end < this.count ? this.cell(end, LENGTH) : 0;
    if (after > 0) {
      this.remove(end, after);
      length += after;
    }
    this.add(first, length);
  }

  /** The free runs as [first frame, count], lowest first; for reports and tests. */
  runs(): [FrameNumber, number][] {
    const found: [FrameNumber, number][] = [];
    for (let bin = 0; bin < BIN_COUNT; bin++) {
      for (let at = this.heads[bin]; at !== NONE; at = this.next(at)) {
        found.push([this.firstFrame + at, this.lengthOf(at)]);
      }
    }
    return found.sort(([a], [b]) => a - b);
  }

  /** Takes frames out of a run. Returns the first one. */
  private cut(first: number, length: number, at: number, count: number): FrameNumber {
    this.total -= count;
    const end = first + length;
    this.remove(first, length);
    if (first < at) this.add(first, at - first);
    const rest = end - (at + count);
    if (rest > 0) this.add(at + count, rest);
    return this.firstFrame + at;
  }

  /** Puts a run behind the others of its bin. */
  private add(first: number, length: number): void {
    const bin = binOf(length);
    const last = this.tails[bin];
    this.tails[bin] = first;
    const cells = this.cellsOf(first);
    const place = placeOf(first);
    cells[place + LENGTH] = length;
    cells[place + NEXT] = 0;
    cells[place + BEFORE] = last + 1;
    if (last === NONE) this.heads[bin] = first;
    else this.cellsOf(last)[placeOf(last) + NEXT] = first + 1;
    const end = first + length - 1;
    this.cellsOf(end)[placeOf(end) + LENGTH_BACK] = length;
  }

  private remove(first: number, length: number): void {
    const bin = binOf(length);
    const cells = this.cellsOf(first);
    const place = placeOf(first);
    const next = cells[place + NEXT] - 1;
    const before = cells[place + BEFORE] - 1;
    if (before === NONE) this.heads[bin] = next;
    else this.cellsOf(before)[placeOf(before) + NEXT] = next + 1;
    if (next === NONE) this.tails[bin] = before;
    else this.cellsOf(next)[placeOf(next) + BEFORE] = before + 1;
    cells[place + LENGTH] = 0;
    const end = first + length - 1;
    this.cellsOf(end)[placeOf(end) + LENGTH_BACK] = 0;
  }

  private next(at: number): number {
    return this.cell(at, NEXT) - 1;
  }

  private lengthOf(at: number): number {
    return this.cell(at, LENGTH);
  }

  private cell(at: number, which: number): number {
    const cells = this.chunks[at >> CHUNK_SHIFT];
    return cells === undefined ? 0 : cells[placeOf(at) + which];
  }

  private cellsOf(at: number): Int32Array {
    const index = at >> CHUNK_SHIFT;
    const cells = this.chunks[index];
    if (cells !== undefined) return cells;
    const made = new Int32Array(CHUNK_FRAMES << CELLS_SHIFT);
    this.chunks[index] = made;
    return made;
  }
}

function placeOf(at: number): number {
  return (at & CHUNK_MASK) << CELLS_SHIFT;
}

/** The bin of runs of that length. */
function binOf(length: number): number {
  return 31 - Math.clz32(length);
}
