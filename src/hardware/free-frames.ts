// The free list: runs of adjacent free frames, merged as they touch, kept in bins by the power of two of their length.
// Deterministic. Each operation costs a few look-ups, whatever the number of frames and runs.

import { assert } from '../base/assert.ts';
import type { FrameNumber } from '../base/units.ts';

const BIN_COUNT = 30;
/** Runs of a bin whose lengths straddle the wanted one that are looked at before a longer bin is cut. */
const STRADDLERS_MAX = 8;

export class FreeFrames {
  /** Free frames in all runs. */
  total = 0;
  /** Run length by its first frame. */
  private readonly lengthByFirst = new Map<FrameNumber, number>();
  /** First frame by the frame just past the run's end. */
  private readonly firstByEnd = new Map<FrameNumber, FrameNumber>();
  /** First frames of the runs of 2^n to 2^(n + 1) - 1 frames. */
  private readonly bins: Set<FrameNumber>[] = [];

  constructor(firstFrame: FrameNumber, count: number) {
    for (let n = 0; n < BIN_COUNT; n++) this.bins.push(new Set());
    this.reset(firstFrame, count);
  }

  reset(firstFrame: FrameNumber, count: number): void {
    this.lengthByFirst.clear();
    this.firstByEnd.clear();
    for (const bin of this.bins) bin.clear();
    this.total = 0;
    if (count > 0) this.give(firstFrame, count);
  }

  /** Takes `count` adjacent frames, or returns -1 when no run of that length is found. */
  take(count: number): FrameNumber {
    assert(count > 0, 'an allocation has frames');
    const straddling = binOf(count);
    if (this.bins[straddling].size !== 0) {
      let looked = 0;
      for (const first of this.bins[straddling]) {
        const length = this.lengthByFirst.get(first) as number;
        if (length >= count) {
          this.cut(first, length, first, count);
          return first;
        }
        if (++looked === STRADDLERS_MAX) break;
      }
    }
    for (let n = straddling + 1; n < BIN_COUNT; n++) {
      if (this.bins[n].size === 0) continue;
      for (const first of this.bins[n]) {
        this.cut(first, this.lengthByFirst.get(first) as number, first, count);
        return first;
      }
    }
    return -1;
  }

  /**
   * Takes at most `count` adjacent frames from a longest bin's run. Returns the first frame; `lastTaken` says how
   * many.
   */
  takeSome(count: number): FrameNumber {
    for (let n = BIN_COUNT - 1; n >= 0; n--) {
      if (this.bins[n].size === 0) continue;
      for (const first of this.bins[n]) {
        const length = this.lengthByFirst.get(first) as number;
        this.lastTaken = Math.min(length, count);
        this.cut(first, length, first, this.lastTaken);
        return first;
      }
    }
    this.lastTaken = 0;
    return -1;
  }

  /** Frames that the last `takeSome` took. */
  lastTaken = 0;

  /** Takes exactly these frames; false when one of them is not free. Looks through the runs. */
  takeAt(frame: FrameNumber, count: number): boolean {
    for (const [first, length] of this.lengthByFirst) {
      if (first > frame || first + length < frame + count) continue;
      this.cut(first, length, frame, count);
      return true;
    }
    return false;
  }

  give(frame: FrameNumber, count: number): void {
    this.total += count;
    let first = frame;
    let length = count;
    const before = this.firstByEnd.get(frame);
    if (before !== undefined) {
      length += this.lengthByFirst.get(before) as number;
      this.remove(before, frame);
      first = before;
    }
    const afterLength = this.lengthByFirst.get(frame + count);
    if (afterLength !== undefined) {
      this.remove(frame + count, frame + count + afterLength);
      length += afterLength;
    }
    this.add(first, length);
  }

  private cut(first: FrameNumber, length: number, frame: FrameNumber, count: number): void {
    this.total -= count;
    const end = first + length;
    this.remove(first, end);
    if (first < frame) this.add(first, frame - first);
    const rest = end - (frame + count);
    if (rest > 0) this.add(frame + count, rest);
  }

  private add(first: FrameNumber, length: number): void {
    this.lengthByFirst.set(first, length);
    this.firstByEnd.set(first + length, first);
    this.bins[binOf(length)].add(first);
  }

  private remove(first: FrameNumber, end: FrameNumber): void {
    this.lengthByFirst.delete(first);
    this.firstByEnd.delete(end);
    this.bins[binOf(end - first)].delete(first);
  }
}

/** The bin of runs of that length. */
function binOf(length: number): number {
  return 31 - Math.clz32(length);
}
