// The free list: runs of adjacent free frames, merged as they touch. Deterministic: the newest run is used first, from
// its low end. Each operation costs a few map look-ups, whatever the number of frames.

import { assert } from '../base/assert.ts';
import type { FrameNumber } from '../base/units.ts';

export class FreeFrames {
  /** Free frames in all runs. */
  total = 0;
  /** Run length by its first frame; in the order in which runs came to be. */
  private readonly lengthByFirst = new Map<FrameNumber, number>();
  /** First frame by the frame just past the run's end. */
  private readonly firstByEnd = new Map<FrameNumber, FrameNumber>();

  constructor(firstFrame: FrameNumber, count: number) {
    this.reset(firstFrame, count);
  }

  reset(firstFrame: FrameNumber, count: number): void {
    this.lengthByFirst.clear();
    this.firstByEnd.clear();
    this.total = 0;
    if (count > 0) this.give(firstFrame, count);
  }

  /** Takes `count` adjacent frames, or returns -1 when no run is that long. */
  take(count: number): FrameNumber {
    assert(count > 0, 'an allocation has frames');
    for (const [first, length] of this.lengthByFirst) {
      if (length < count) continue;
      this.cut(first, length, first, count);
      return first;
    }
    return -1;
  }

  /** Takes exactly these frames; false when one of them is not free. */
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
      const beforeLength = this.lengthByFirst.get(before) as number;
      this.firstByEnd.delete(frame);
      this.lengthByFirst.delete(before);
      first = before;
      length += beforeLength;
    }
    const after = this.lengthByFirst.get(frame + count);
    if (after !== undefined) {
      this.lengthByFirst.delete(frame + count);
      this.firstByEnd.delete(frame + count + after);
      length += after;
    }
    this.lengthByFirst.set(first, length);
    this.firstByEnd.set(first + length, first);
  }

  private cut(first: FrameNumber, length: number, frame: FrameNumber, count: number): void {
    this.total -= count;
    const end = first + length;
    if (first < frame) this.lengthByFirst.set(first, frame - first);
    else this.lengthByFirst.delete(first);
    this.firstByEnd.delete(end);
    if (first < frame) this.firstByEnd.set(frame, first);
    const rest = end - (frame + count);
    if (rest > 0) {
      this.lengthByFirst.set(frame + count, rest);
      this.firstByEnd.set(end, frame + count);
    }
  }
}
