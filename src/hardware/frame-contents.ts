// What is in the frames. A frame that nobody wrote is zero and takes no room. Everything reads by copying: a component
// checks and uses its copy, so what another PE writes meanwhile changes nothing that was checked.

import type { FrameNumber, PhysicalAddress } from '../base/units.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';

/** Bytes of physical memory. Addresses need not be aligned; a range may cross frames. */
export interface PhysicalMemory {
  read(address: PhysicalAddress, into: Uint8Array, at: number, length: number): void;
  write(address: PhysicalAddress, from: Uint8Array, at: number, length: number): void;
  zero(frame: FrameNumber, count: number): void;
}

/** Told of each access to a frame's bytes, by whomever: an explorer. */
export interface FrameWatcher {
  frameRead(frame: FrameNumber): void;
  frameWritten(frame: FrameNumber, count: number): void;
}

const POOLED_PAGES_MAX = 4096;

/** Frames in one chunk of the sparse table. */
const CHUNK_SHIFT = 9;
const CHUNK_FRAMES = 1 << CHUNK_SHIFT;
const CHUNK_MASK = CHUNK_FRAMES - 1;

/** The pages of 2 MiB that take room. */
class Chunk {
  readonly pages: (Uint8Array | null)[] = new Array(CHUNK_FRAMES).fill(null);
  /** Views of some of these pages as words; made on demand. */
  readonly words: (Uint32Array | null)[] = new Array(CHUNK_FRAMES).fill(null);
  touchedCount = 0;
}

export class FrameContents implements PhysicalMemory {
  /** Whoever wants to know of accesses; null in a plain run. */
  watcher: FrameWatcher | null = null;
  private readonly chunks = new Map<number, Chunk>();
  private readonly pool: Uint8Array[] = [];
  /** The two chunks used last: a guest's pages and the SPMC's take turns. */
  private lastIndex = -1;
  private lastChunk: Chunk | null = null;
  private otherIndex = -1;
  private otherChunk: Chunk | null = null;

  /** All zero again; the pages are kept for reuse. */
  reset(): void {
    for (const chunk of this.chunks.values()) this.zeroIn(chunk, 0, CHUNK_FRAMES);
  }

  /** Frames that take room. */
  get touchedCount(): number {
    let count = 0;
    for (const chunk of this.chunks.values()) count += chunk.touchedCount;
    return count;
  }

  read(address: PhysicalAddress, into: Uint8Array, at: number, length: number): void {
    let done = 0;
    while (done < length) {
      const frame = Math.floor((address + done) / PAGE_SIZE_BYTES);
      const offset = address + done - frame * PAGE_SIZE_BYTES;
      const piece = Math.min(length - done, PAGE_SIZE_BYTES - offset);
      this.watcher?.frameRead(frame);
      const page = this.find(frame);
      if (page === null) into.fill(0, at + done, at + done + piece);
      else copy(page, offset, into, at + done, piece);
      done += piece;
    }
  }

  write(address: PhysicalAddress, from: Uint8Array, at: number, length: number): void {
    let done = 0;
    while (done < length) {
      const frame = Math.floor((address + done) / PAGE_SIZE_BYTES);
      const offset = address + done - frame * PAGE_SIZE_BYTES;
      const piece = Math.min(length - done, PAGE_SIZE_BYTES - offset);
      copy(from, at + done, this.page(frame), offset, piece);
      done += piece;
    }
  }

  zero(frame: FrameNumber, count: number): void {
    this.watcher?.frameWritten(frame, count);
    let at = frame;
    const end = frame + count;
    while (at < end) {
      const stop = Math.min(end, (at | CHUNK_MASK) + 1);
      const chunk = this.chunk(at >> CHUNK_SHIFT);
      if (chunk !== null && chunk.touchedCount > 0) this.zeroIn(chunk, at & CHUNK_MASK, stop - at);
      at = stop;
    }
  }

  /** Whether every byte of the frame is zero. */
  isZero(frame: FrameNumber): boolean {
    const page = this.find(frame);
    return page === null || page.every((byte) => byte === 0);
  }

  /** The lowest of `count` frames from `frame` that is not zero, or -1. Chunks that take no room cost nothing. */
  firstNonZero(frame: FrameNumber, count: number): FrameNumber {
    let at = frame;
    const end = frame + count;
    while (at < end) {
      const stop = Math.min(end, (at | CHUNK_MASK) + 1);
      const chunk = this.chunk(at >> CHUNK_SHIFT);
      if (chunk !== null && chunk.touchedCount > 0) {
        for (; at < stop; at++) if (!this.isZero(at)) return at;
      }
      at = stop;
    }
    return -1;
  }

  /** The frame's live bytes, made on first use. For what stands for a device or a PE that writes in place. */
  page(frame: FrameNumber): Uint8Array {
    this.watcher?.frameWritten(frame, 1);
    const index = frame >> CHUNK_SHIFT;
    let chunk = this.chunk(index);
    if (chunk === null) {
      chunk = new Chunk();
      this.chunks.set(index, chunk);
      this.remember(index, chunk);
    }
    const found = chunk.pages[frame & CHUNK_MASK];
    if (found !== null) return found;
    const page = this.pool.pop() ?? new Uint8Array(PAGE_SIZE_BYTES);
    chunk.pages[frame & CHUNK_MASK] = page;
    chunk.touchedCount++;
    return page;
  }

  /** The frame's live bytes as words, made on first use; little-endian as every machine is that runs this. */
  words(frame: FrameNumber): Uint32Array {
    this.watcher?.frameWritten(frame, 1);
    const chunk = this.chunk(frame >> CHUNK_SHIFT);
    const found = chunk === null ? null : chunk.words[frame & CHUNK_MASK];
    return found ?? this.makeWords(frame);
  }

  private makeWords(frame: FrameNumber): Uint32Array {
    const page = this.page(frame);
    const words = new Uint32Array(page.buffer, page.byteOffset, PAGE_SIZE_BYTES / 4);
    (this.chunk(frame >> CHUNK_SHIFT) as Chunk).words[frame & CHUNK_MASK] = words;
    return words;
  }

  private find(frame: FrameNumber): Uint8Array | null {
    const chunk = this.chunk(frame >> CHUNK_SHIFT);
    return chunk === null ? null : chunk.pages[frame & CHUNK_MASK];
  }

  private chunk(index: number): Chunk | null {
    if (index === this.lastIndex) return this.lastChunk;
    if (index === this.otherIndex) return this.otherChunk;
    const chunk = this.chunks.get(index);
    if (chunk === undefined) return null;
    this.remember(index, chunk);
    return chunk;
  }

  private remember(index: number, chunk: Chunk): void {
    this.otherIndex = this.lastIndex;
    this.otherChunk = this.lastChunk;
    this.lastIndex = index;
    this.lastChunk = chunk;
  }

  private zeroIn(chunk: Chunk, from: number, count: number): void {
    for (let n = from; n < from + count; n++) {
      const page = chunk.pages[n];
      if (page === null) continue;
      chunk.pages[n] = null;
      chunk.words[n] = null;
      chunk.touchedCount--;
      if (this.pool.length >= POOLED_PAGES_MAX) continue;
      page.fill(0);
      this.pool.push(page);
    }
  }
}

/** Below this a loop is quicker than a subarray and `set` (measured: about 60 bytes on Node 20). */
const LOOP_BYTES_MAX = 64;

function copy(from: Uint8Array, fromAt: number, to: Uint8Array, toAt: number, length: number): void {
  if (length > LOOP_BYTES_MAX) {
    to.set(fromAt === 0 && length === from.length ? from : from.subarray(fromAt, fromAt + length), toAt);
    return;
  }
  for (let n = 0; n < length; n++) to[toAt + n] = from[fromAt + n];
}
