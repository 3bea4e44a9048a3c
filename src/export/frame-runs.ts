// What is known of every frame as a run goes on: its owner, its references, who maps it, whom it was given to first.
// Kept as runs of neighbours that are alike so far: 64 GiB cost what happened to them.

import * as k from '../base/event-kinds.ts';
import type { EventSource } from './event-source.ts';

export const OWNER_FREE = 0;
const OWNER_QUARANTINE = -2;

/** Neighbouring frames to which the same happened. */
export interface FrameRun {
  readonly first: number;
  count: number;
  owner: number;
  references: number;
  /** Endpoint ids whose stage 2 maps the frames, ascending. */
  spaces: readonly number[];
  /** Whether nobody may use the frames again. */
  isQuarantined: boolean;
  /** The owner that the frames were last allocated to; 0 once they are free. */
  home: number;
  /** Whether the frames were ever pinned, mapped by two, or in quarantine. */
  wasShared: boolean;
}

export class FrameRuns {
  private runs: FrameRun[] = [];
  /** Frames that came back to the free list, per home. */
  readonly returned = new Map<number, number>();
  /** Frames that were allocated, per home. */
  readonly allocated = new Map<number, number>();

  /** All runs, by frame. Splits stay, so that neighbours that once differed are still apart. */
  get list(): readonly FrameRun[] {
    return this.runs;
  }

  /** Sees record `at`; returns the runs that it changed. */
  see(events: EventSource, at: number): readonly FrameRun[] {
    const a = (n: number) => events.argument(at, n);
    switch (events.kind(at)) {
      case k.EVENT_FRAME_ALLOCATE:
        this.allocated.set(a(2), (this.allocated.get(a(2)) ?? 0) + a(1));
        return this.change(a(0), a(1), (run) => {
          run.owner = a(2);
          run.home = a(2);
          run.references = 1;
        });
      case k.EVENT_FRAME_FREE:
        return this.change(a(0), a(1), (run) => {
          this.returned.set(run.home, (this.returned.get(run.home) ?? 0) + run.count);
          run.owner = OWNER_FREE;
          run.isQuarantined = false;
          run.home = OWNER_FREE;
          run.references = 0;
        });
      case k.EVENT_FRAME_GET:
        return this.change(a(0), a(1), (run) => {
          run.references++;
        });
      case k.EVENT_FRAME_PUT:
        return this.change(a(0), a(1), (run) => {
          run.references--;
        });
      case k.EVENT_FRAME_OWNER:
        return this.change(a(0), a(1), (run) => {
          run.owner = a(2);
          if (a(2) === OWNER_QUARANTINE) run.isQuarantined = true;
        });
      case k.EVENT_QUARANTINE:
        return this.change(a(5), a(4), (run) => {
          run.isQuarantined = true;
        });
      case k.EVENT_MAP:
        return this.change(a(2), a(3), (run) => {
          if (!run.spaces.includes(a(0))) run.spaces = [...run.spaces, a(0)].sort((x, y) => x - y);
        });
      case k.EVENT_UNMAP:
        return this.change(a(2), a(3), (run) => {
          run.spaces = run.spaces.filter((space) => space !== a(0));
        });
      case k.EVENT_DOMAIN_GONE:
        return this.forgetSpace(a(0));
      default:
        return [];
    }
  }

  /** A domain's stage 2 goes with it, without an event for each of its pages. */
  private forgetSpace(space: number): readonly FrameRun[] {
    const changed = this.runs.filter((run) => run.spaces.includes(space));
    for (const run of changed) run.spaces = run.spaces.filter((one) => one !== space);
    return changed;
  }

  private change(first: number, count: number, apply: (run: FrameRun) => void): readonly FrameRun[] {
    if (count <= 0) return [];
    const changed = this.slice(first, count);
    for (const run of changed) {
      apply(run);
      if (run.references > 1 || run.spaces.length > 1 || run.isQuarantined) run.wasShared = true;
    }
    return changed;
  }

  /** The runs that cover exactly [first, first + count), splitting and making them as needed. */
  private slice(first: number, count: number): FrameRun[] {
    const end = first + count;
    const found: FrameRun[] = [];
    let at = this.indexFrom(first);
    let frame = first;
    while (frame < end) {
      const run = this.runs[at];
      if (run === undefined || run.first >= end) {
        this.runs.splice(at, 0, newRun(frame, end - frame));
      } else if (run.first > frame) {
        this.runs.splice(at, 0, newRun(frame, run.first - frame));
      } else if (run.first < frame) {
        this.split(at, frame);
        at++;
      }
      if (this.runs[at].first + this.runs[at].count > end) this.split(at, end);
      found.push(this.runs[at]);
      frame = this.runs[at].first + this.runs[at].count;
      at++;
    }
    return found;
  }

  /** Index of the first run that ends after `frame`. */
  private indexFrom(frame: number): number {
    let low = 0;
    let high = this.runs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.runs[middle].first + this.runs[middle].count <= frame) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Splits run `at` so that its second part begins at `frame`. */
  private split(at: number, frame: number): void {
    const run = this.runs[at];
    const rest = run.first + run.count - frame;
    this.runs.splice(at + 1, 0, { ...run, first: frame, count: rest });
    run.count -= rest;
  }
}

function newRun(first: number, count: number): FrameRun {
  return {
    first,
    count,
    owner: OWNER_FREE,
    references: 0,
    spaces: [],
    home: OWNER_FREE,
    isQuarantined: false,
    wasShared: false,
  };
}
