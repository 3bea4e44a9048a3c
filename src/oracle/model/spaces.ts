// Who maps which frame: the stage-2 maps of watched spaces, kept frame by frame from EVENT_MAP and EVENT_UNMAP. What
// the events say is checked against the hardware before anybody is accused, so one that is cleared at once is no trap.
// Large linear maps (a partition's own memory, a guest's RAM) are kept as ranges.

import { STAGE2_INVALID, STAGE2_READ, STAGE2_WRITE, type Stage2 } from '../../hardware/stage2.ts';

/** From here on a map is kept as one range. */
const RANGE_PAGES_MIN = 512;

interface MappedRange {
  readonly gfn: number;
  readonly frame: number;
  readonly count: number;
}

export class Space {
  readonly endpoint: number;
  readonly stage2: Stage2;
  readonly secure: boolean;
  /** Attributes of the entry that `finds` looked at last. */
  attributes = 0;
  /** Frames mapped one by one. */
  readonly gfnByFrame = new Map<number, number>();
  private readonly ranges: MappedRange[] = [];
  /** All that was ever mapped lies between these frames: most spaces are passed over by this alone. */
  private start = Number.POSITIVE_INFINITY;
  private end = 0;

  constructor(endpoint: number, stage2: Stage2) {
    this.endpoint = endpoint;
    this.stage2 = stage2;
    this.secure = (endpoint & 0x8000) !== 0;
  }

  mapped(gfn: number, frame: number, count: number): void {
    this.start = Math.min(this.start, frame);
    this.end = Math.max(this.end, frame + count);
    if (count >= RANGE_PAGES_MIN) {
      this.ranges.push({ gfn, frame, count });
      return;
    }
    for (let n = 0; n < count; n++) this.gfnByFrame.set(frame + n, gfn + n);
  }

  unmapped(gfn: number, frame: number, count: number): void {
    for (let n = 0; n < count; n++) {
      if (this.gfnByFrame.get(frame + n) === gfn + n) this.gfnByFrame.delete(frame + n);
    }
  }

  /** Whether the space maps the frame with any access now; `attributes` then says how. */
  maps(frame: number): boolean {
    const gfn = this.gfnByFrame.get(frame);
    if (gfn !== undefined && this.finds(gfn, frame)) return true;
    for (const range of this.ranges) {
      const offset = frame - range.frame;
      if (offset >= 0 && offset < range.count && this.finds(range.gfn + offset, frame)) return true;
    }
    return false;
  }

  /** Calls `look` for each of `count` frames from `first` that the space maps now. */
  overlap(first: number, count: number, look: (frame: number) => void): void {
    if (first >= this.end || first + count <= this.start) return;
    const single = this.gfnByFrame;
    if (single.size < count) {
      for (const [frame, gfn] of single) {
        if (frame >= first && frame < first + count && this.finds(gfn, frame)) look(frame);
      }
    } else {
      for (let frame = first; frame < first + count; frame++) {
        const gfn = single.get(frame);
        if (gfn !== undefined && this.finds(gfn, frame)) look(frame);
      }
    }
    for (const range of this.ranges) {
      const end = Math.min(first + count, range.frame + range.count);
      for (let frame = Math.max(first, range.frame); frame < end; frame++) {
        if (!single.has(frame) && this.finds(range.gfn + frame - range.frame, frame)) look(frame);
      }
    }
  }

  private finds(gfn: number, frame: number): boolean {
    if (this.stage2.translate(gfn) !== frame) return false;
    this.attributes = this.stage2.attributes;
    return (this.attributes & STAGE2_INVALID) === 0 && (this.attributes & (STAGE2_READ | STAGE2_WRITE)) !== 0;
  }
}

export class Spaces {
  readonly list: Space[] = [];
  private readonly byEndpoint = new Map<number, Space>();

  watch(endpoint: number, stage2: Stage2): void {
    const space = new Space(endpoint, stage2);
    const before = this.byEndpoint.get(endpoint);
    if (before !== undefined) this.list.splice(this.list.indexOf(before), 1);
    this.byEndpoint.set(endpoint, space);
    this.list.push(space);
    stage2.eachRun((gfn, frame, count) => space.mapped(gfn, frame, count));
  }

  /** Stops watching a space whose endpoint has gone. */
  forget(endpoint: number): void {
    const space = this.byEndpoint.get(endpoint);
    if (space === undefined) return;
    this.byEndpoint.delete(endpoint);
    this.list.splice(this.list.indexOf(space), 1);
  }

  reset(): void {
    this.list.length = 0;
    this.byEndpoint.clear();
  }

  find(endpoint: number): Space | null {
    return this.byEndpoint.get(endpoint) ?? null;
  }
}
