// Physical memory: frames of 4 KiB with references, owners and contents. Sparse: a chunk of 512 frames (2 MiB) costs
// nothing until one of them is treated unlike its neighbours, contents cost nothing until written.
//
// A frame is free (owner OWNER_FREE, no references) or allocated: its owner holds one reference for the allocation,
// anybody else takes more with `getRange` and gives them back with `putRange`. The frame returns to the free list when
// the last one goes, and its owner is told. Nothing here knows FF-A.
//
// Limits: 2^28 frames (1 TiB). References per frame below 2^31.

import { assert } from '../base/assert.ts';
import {
  EVENT_FRAME_ALLOCATE,
  EVENT_FRAME_FREE,
  EVENT_FRAME_GET,
  EVENT_FRAME_OWNER,
  EVENT_FRAME_PUT,
  EVENT_FRAME_SCRUB,
} from '../base/event-kinds.ts';
import type { EventLog } from '../base/event-log.ts';
import type { FrameNumber } from '../base/units.ts';
import { FrameContents } from './frame-contents.ts';
import { FreeFrames } from './free-frames.ts';

/** Who owns a frame: a positive serial (a domain's incarnation, a partition), or one of these. */
export type Owner = number;
export const OWNER_FREE = 0;
/** The hypervisor's own heap. */
export const OWNER_HYPERVISOR = -1;
/** Frames that nobody may use again until an operator says so. */
export const OWNER_QUARANTINE = -2;
/** The secure world's own memory. */
export const OWNER_SECURE = -3;

const CHUNK_SHIFT = 9;
const CHUNK_FRAMES = 1 << CHUNK_SHIFT;
const CHUNK_MASK = CHUNK_FRAMES - 1;

/** Told when the last reference to its frames goes. */
export interface FrameOwner {
  /** `count` frames from `frame` have just been freed. */
  framesFreed(frame: FrameNumber, count: number): void;
}

interface Chunk {
  /** References and owner of every frame, while all are alike. */
  uniformReferences: number;
  uniformOwner: number;
  /** Per frame once they differ: references, owner, references, owner, ... */
  cells: Int32Array | null;
}

export interface FrameTableOptions {
  readonly firstFrame: FrameNumber;
  readonly count: number;
  /** Whether freed frames are handed out again (default true). */
  readonly reuse?: boolean;
  /** What is in the frames, when somebody else keeps it too. */
  readonly contents?: FrameContents | undefined;
}

export class FrameTable {
  readonly firstFrame: FrameNumber;
  readonly count: number;
  readonly contents: FrameContents;
  private readonly reuse: boolean;
  private readonly events: EventLog;
  private chunks: (Chunk | undefined)[];
  private readonly free: FreeFrames;
  private readonly owners = new Map<Owner, FrameOwner>();
  /** Changes to any frame's references or owner: lets the oracle look only where something happened. */
  changes = 0;

  constructor(events: EventLog, options: FrameTableOptions) {
    this.events = events;
    this.firstFrame = options.firstFrame;
    this.count = options.count;
    this.reuse = options.reuse ?? true;
    this.contents = options.contents ?? new FrameContents();
    this.free = new FreeFrames(options.firstFrame, options.count);
    this.chunks = new Array(Math.ceil(options.count / CHUNK_FRAMES));
  }

  /** Everything free, zero and unowned again. */
  reset(): void {
    this.chunks = new Array(Math.ceil(this.count / CHUNK_FRAMES));
    this.owners.clear();
    this.contents.reset();
    this.free.reset(this.firstFrame, this.count);
    this.changes = 0;
  }

  setOwner(owner: Owner, listener: FrameOwner): void {
    assert(owner !== OWNER_FREE, 'nobody owns free frames');
    this.owners.set(owner, listener);
  }

  /** `listener` is told no more, if it was. Another that has taken the frames over stays. */
  forgetOwner(owner: Owner, listener: FrameOwner): void {
    if (this.owners.get(owner) === listener) this.owners.delete(owner);
  }

  get freeCount(): number {
    return this.free.total;
  }

  has(frame: FrameNumber): boolean {
    return frame >= this.firstFrame && frame < this.firstFrame + this.count;
  }

  /**
   * Allocates `count` adjacent frames to `owner`, each with its allocation reference. Returns the first, or -1 when no
   * run of that length is free.
   */
  allocate(count: number, owner: Owner): FrameNumber {
    const frame = this.free.take(count);
    if (frame < 0) return -1;
    this.assign(frame, count, owner, 1);
    if (this.events.on) this.events.emit(EVENT_FRAME_ALLOCATE, this.events.currentPe, frame, count, owner);
    return frame;
  }

  /**
   * Allocates `count` frames to `owner` in as few runs as can be found at once. Returns first, count, first, count,
   * ...; null, and nothing allocated, when there are not so many.
   */
  allocateRuns(count: number, owner: Owner): number[] | null {
    const whole = this.allocate(count, owner);
    if (whole >= 0) return [whole, count];
    if (this.free.total < count) return null;
    const runs: number[] = [];
    for (let left = count; left > 0; left -= this.free.lastTaken) {
      const frame = this.free.takeSome(left);
      const taken = this.free.lastTaken;
      this.assign(frame, taken, owner, 1);
      if (this.events.on) this.events.emit(EVENT_FRAME_ALLOCATE, this.events.currentPe, frame, taken, owner);
      runs.push(frame, taken);
    }
    return runs;
  }

  /** Allocates exactly the frames named; false when one of them is not free. */
  allocateAt(frame: FrameNumber, count: number, owner: Owner): boolean {
    if (!this.free.takeAt(frame, count)) return false;
    this.assign(frame, count, owner, 1);
    if (this.events.on) this.events.emit(EVENT_FRAME_ALLOCATE, this.events.currentPe, frame, count, owner);
    return true;
  }

  references(frame: FrameNumber): number {
    const chunk = this.chunks[(frame - this.firstFrame) >> CHUNK_SHIFT];
    if (chunk === undefined) return 0;
    if (chunk.cells === null) return chunk.uniformReferences;
    return chunk.cells[2 * ((frame - this.firstFrame) & CHUNK_MASK)];
  }

  owner(frame: FrameNumber): Owner {
    const chunk = this.chunks[(frame - this.firstFrame) >> CHUNK_SHIFT];
    if (chunk === undefined) return OWNER_FREE;
    if (chunk.cells === null) return chunk.uniformOwner;
    return chunk.cells[2 * ((frame - this.firstFrame) & CHUNK_MASK) + 1];
  }

  /**
   * Takes one more reference to each of `count` adjacent frames. All or nothing: false, and nothing taken, when one of
   * them is not `owner`'s.
   */
  getRange(frame: FrameNumber, count: number, owner: Owner): boolean {
    let at = frame - this.firstFrame;
    if (at < 0 || at + count > this.count || count <= 0) return false;
    if (count === 1 && !this.events.on) return this.getOne(at, owner);
    const end = at + count;
    while (at < end) {
      const chunk = this.chunks[at >> CHUNK_SHIFT];
      const stop = Math.min(end, (at | CHUNK_MASK) + 1);
      if (chunk === undefined || !this.chunkGet(chunk, at & CHUNK_MASK, stop - at, owner)) {
        const taken = at - (frame - this.firstFrame);
        if (taken > 0) this.dropReferences(frame, taken);
        return false;
      }
      at = stop;
    }
    this.changes++;
    if (this.events.on) this.events.emit(EVENT_FRAME_GET, this.events.currentPe, frame, count, owner);
    return true;
  }

  /**
   * `getRange` of one frame when nobody listens: a share of scattered pages makes hundreds (measured: half the time).
   */
  private getOne(at: number, owner: Owner): boolean {
    const chunk = this.chunks[at >> CHUNK_SHIFT];
    if (chunk === undefined) return false;
    const cells = chunk.cells ?? this.materialise(chunk);
    const place = 2 * (at & CHUNK_MASK);
    const references = cells[place];
    if (cells[place + 1] !== owner || references <= 0) return false;
    cells[place] = references + 1;
    this.changes++;
    return true;
  }

  /** `putRange` of one frame when nobody listens. */
  private putOne(at: number): void {
    const chunk = this.chunks[at >> CHUNK_SHIFT];
    assert(chunk !== undefined, 'put of a free frame');
    const cells = chunk.cells ?? this.materialise(chunk);
    this.changes++;
    const place = 2 * (at & CHUNK_MASK);
    const left = cells[place] - 1;
    assert(left >= 0, 'more puts than gets');
    cells[place] = left;
    if (left === 0) this.release(at, 1);
  }

  /** Gives back one reference to each of `count` adjacent frames; those without any left are freed. */
  putRange(frame: FrameNumber, count: number): void {
    const first = frame - this.firstFrame;
    if (count === 1 && !this.events.on && first >= 0 && first < this.count) {
      this.putOne(first);
      return;
    }
    if (this.events.on) this.events.emit(EVENT_FRAME_PUT, this.events.currentPe, frame, count, this.owner(frame));
    this.changes++;
    assert(first >= 0 && first + count <= this.count, 'put of frames that do not exist');
    const chunk = this.chunks[first >> CHUNK_SHIFT];
    if (chunk !== undefined && chunk.cells !== null && (first & CHUNK_MASK) + count <= CHUNK_FRAMES) {
      this.putWithin(chunk.cells, first, count);
    } else {
      this.putAcross(first, count);
    }
  }

  /** `putRange` of frames of one chunk, as most are: nothing is looked for as long as all keep a reference. */
  private putWithin(cells: Int32Array, first: number, count: number): void {
    const from = 2 * (first & CHUNK_MASK);
    const end = from + 2 * count;
    let least = 1;
    for (let place = from; place < end; place += 2) {
      const left = cells[place] - 1;
      cells[place] = left;
      if (left < least) least = left;
    }
    if (least > 0) return;
    assert(least === 0, 'more puts than gets');
    for (let n = 0; n < count; ) {
      let run = 0;
      while (n + run < count && cells[from + 2 * (n + run)] === 0) run++;
      if (run > 0) this.release(first + n, run);
      n += run + 1;
    }
  }

  private putAcross(first: number, count: number): void {
    let at = first;
    const end = at + count;
    let freedFrom = -1;
    while (at < end) {
      const chunk = this.chunks[at >> CHUNK_SHIFT];
      assert(chunk !== undefined, 'put of a free frame');
      const stop = Math.min(end, (at | CHUNK_MASK) + 1);
      if (chunk.cells === null && stop - at === CHUNK_FRAMES) {
        assert(chunk.uniformReferences > 0, 'more puts than gets');
        chunk.uniformReferences--;
        if (chunk.uniformReferences === 0) {
          if (freedFrom < 0) freedFrom = at;
        } else if (freedFrom >= 0) {
          this.release(freedFrom, at - freedFrom);
          freedFrom = -1;
        }
        at = stop;
        continue;
      }
      const cells = chunk.cells ?? this.materialise(chunk);
      for (let place = 2 * (at & CHUNK_MASK); at < stop; at++, place += 2) {
        const left = cells[place] - 1;
        assert(left >= 0, 'more puts than gets');
        cells[place] = left;
        if (left === 0) {
          if (freedFrom < 0) freedFrom = at;
        } else if (freedFrom >= 0) {
          this.release(freedFrom, at - freedFrom);
          freedFrom = -1;
        }
      }
    }
    if (freedFrom >= 0) this.release(freedFrom, end - freedFrom);
  }

  /** Hands frames to another owner; references stay. */
  changeOwner(frame: FrameNumber, count: number, owner: Owner): void {
    assert(owner !== OWNER_FREE, 'frames are freed by putting them');
    const before = this.owner(frame);
    for (let n = 0; n < count; n++) {
      const at = frame + n - this.firstFrame;
      const chunk = this.chunks[at >> CHUNK_SHIFT];
      assert(chunk !== undefined, 'a free frame has no owner to change');
      this.materialise(chunk)[2 * (at & CHUNK_MASK) + 1] = owner;
    }
    this.changes++;
    if (this.events.on) this.events.emit(EVENT_FRAME_OWNER, this.events.currentPe, frame, count, owner, before);
  }

  /** Zeroes the contents of `count` frames. */
  scrub(frame: FrameNumber, count: number): void {
    this.contents.zero(frame, count);
    if (this.events.on) this.events.emit(EVENT_FRAME_SCRUB, this.events.currentPe, frame, count, this.owner(frame));
  }

  private assign(frame: FrameNumber, count: number, owner: Owner, references: number): void {
    this.changes++;
    let at = frame - this.firstFrame;
    const end = at + count;
    while (at < end) {
      const index = at >> CHUNK_SHIFT;
      const stop = Math.min(end, (at | CHUNK_MASK) + 1);
      let chunk = this.chunks[index];
      if (chunk === undefined) {
        chunk = { uniformReferences: 0, uniformOwner: OWNER_FREE, cells: null };
        this.chunks[index] = chunk;
      }
      if (stop - at === CHUNK_FRAMES && chunk.cells === null) {
        chunk.uniformReferences = references;
        chunk.uniformOwner = owner;
        at = stop;
        continue;
      }
      const cells = this.materialise(chunk);
      for (let place = 2 * (at & CHUNK_MASK); at < stop; at++, place += 2) {
        cells[place] = references;
        cells[place + 1] = owner;
      }
    }
  }

  private chunkGet(chunk: Chunk, from: number, count: number, owner: Owner): boolean {
    if (chunk.cells === null && count === CHUNK_FRAMES) {
      if (chunk.uniformOwner !== owner || chunk.uniformReferences <= 0) return false;
      chunk.uniformReferences++;
      return true;
    }
    const cells = chunk.cells ?? this.materialise(chunk);
    const first = 2 * from;
    const end = first + 2 * count;
    for (let place = first; place < end; place += 2) {
      const references = cells[place];
      if (cells[place + 1] !== owner || references <= 0) {
        for (let back = first; back < place; back += 2) cells[back]--;
        return false;
      }
      cells[place] = references + 1;
    }
    return true;
  }

  /** Undoes gets that cannot have been the last references. */
  private dropReferences(frame: FrameNumber, count: number): void {
    for (let n = 0; n < count; n++) {
      const at = frame + n - this.firstFrame;
      const chunk = this.chunks[at >> CHUNK_SHIFT];
      assert(chunk !== undefined, 'undo of a get that was not');
      this.materialise(chunk)[2 * (at & CHUNK_MASK)]--;
    }
  }

  private materialise(chunk: Chunk): Int32Array {
    if (chunk.cells !== null) return chunk.cells;
    const { uniformReferences, uniformOwner } = chunk;
    const cells = new Int32Array(2 * CHUNK_FRAMES);
    chunk.cells = cells;
    if (uniformOwner === OWNER_FREE) return cells;
    for (let place = 0; place < cells.length; place += 2) {
      cells[place] = uniformReferences;
      cells[place + 1] = uniformOwner;
    }
    return cells;
  }

  /** Frames at `at` (from the table's first) without references left: back to the free list, run by run of an owner. */
  private release(at: number, count: number): void {
    const end = at + count;
    let from = at;
    while (from < end) {
      const owner = this.owner(this.firstFrame + from);
      const stop = this.disown(from, end, owner);
      const frame = this.firstFrame + from;
      if (this.reuse) this.free.give(frame, stop - from);
      if (this.events.on) this.events.emit(EVENT_FRAME_FREE, this.events.currentPe, frame, stop - from, owner);
      this.owners.get(owner)?.framesFreed(frame, stop - from);
      from = stop;
    }
  }

  /**
   * Makes the frames from `from` on nobody's for as long as they are `owner`'s. Returns where that ends. A chunk whose
   * frames are alike is one step: freeing a guest of many GiB looks at no single frame.
   */
  private disown(from: number, end: number, owner: Owner): number {
    let at = from;
    while (at < end) {
      const stop = Math.min(end, (at | CHUNK_MASK) + 1);
      const chunk = this.chunks[at >> CHUNK_SHIFT] as Chunk;
      const { cells } = chunk;
      if (cells === null) {
        if (chunk.uniformOwner !== owner) return at;
        assert(stop - at === CHUNK_FRAMES, 'frames that are unlike their neighbours have cells');
        chunk.uniformOwner = OWNER_FREE;
        at = stop;
        continue;
      }
      for (let place = 2 * (at & CHUNK_MASK) + 1; at < stop; at++, place += 2) {
        if (cells[place] !== owner) return at;
        cells[place] = OWNER_FREE;
      }
    }
    return at;
  }
}
