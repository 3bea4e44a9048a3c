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

const POOLED_PAGES_MAX = 4096;

export class FrameContents implements PhysicalMemory {
  private readonly pages = new Map<FrameNumber, Uint8Array>();
  private readonly pool: Uint8Array[] = [];
  private lastFrame = -1;
  private lastPage: Uint8Array | null = null;

  /** All zero again; the pages are kept for reuse. */
  reset(): void {
    for (const page of this.pages.values()) this.recycle(page);
    this.pages.clear();
    this.lastFrame = -1;
    this.lastPage = null;
  }

  /** Frames that take room. */
  get touchedCount(): number {
    return this.pages.size;
  }

  read(address: PhysicalAddress, into: Uint8Array, at: number, length: number): void {
    let done = 0;
    while (done < length) {
      const frame = Math.floor((address + done) / PAGE_SIZE_BYTES);
      const offset = address + done - frame * PAGE_SIZE_BYTES;
      const piece = Math.min(length - done, PAGE_SIZE_BYTES - offset);
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
    if (this.pages.size === 0) return;
    for (let n = 0; n < count; n++) {
      const page = this.pages.get(frame + n);
      if (page === undefined) continue;
      this.pages.delete(frame + n);
      this.recycle(page);
    }
    this.lastFrame = -1;
    this.lastPage = null;
  }

  /** Whether every byte of the frame is zero. */
  isZero(frame: FrameNumber): boolean {
    const page = this.find(frame);
    return page === null || page.every((byte) => byte === 0);
  }

  /** The lowest of `count` frames from `frame` that is not zero, or -1. Looks only at frames that take room. */
  firstNonZero(frame: FrameNumber, count: number): FrameNumber {
    if (this.pages.size < count) {
      let lowest = -1;
      for (const at of this.pages.keys()) {
        if (at < frame || at >= frame + count || (lowest >= 0 && at > lowest)) continue;
        if (!this.isZero(at)) lowest = at;
      }
      return lowest;
    }
    for (let at = frame; at < frame + count; at++) if (!this.isZero(at)) return at;
    return -1;
  }

  /** The frame's live bytes, made on first use. For what stands for a device or a PE that writes in place. */
  page(frame: FrameNumber): Uint8Array {
    const found = this.find(frame);
    if (found !== null) return found;
    const page = this.pool.pop() ?? new Uint8Array(PAGE_SIZE_BYTES);
    this.pages.set(frame, page);
    this.lastFrame = frame;
    this.lastPage = page;
    return page;
  }

  private find(frame: FrameNumber): Uint8Array | null {
    if (frame === this.lastFrame) return this.lastPage;
    const page = this.pages.get(frame) ?? null;
    if (page !== null) {
      this.lastFrame = frame;
      this.lastPage = page;
    }
    return page;
  }

  private recycle(page: Uint8Array): void {
    if (this.pool.length >= POOLED_PAGES_MAX) return;
    page.fill(0);
    this.pool.push(page);
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
