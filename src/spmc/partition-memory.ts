// A partition's own view of memory: through its stage 2, page by page. A fault is an answer, not an exception.

import { type Ipa, PAGE_SHIFT, PAGE_SIZE_BYTES } from '../base/units.ts';
import type { FrameContents } from '../hardware/frame-contents.ts';
import type { PartitionMemory } from '../hardware/partition-entry.ts';
import { STAGE2_INVALID, STAGE2_READ, STAGE2_WRITE, type Stage2, type Stage2Attributes } from '../hardware/stage2.ts';

/** Addresses from here on are translated by no stage 2. */
const ADDRESS_LIMIT = 2 ** 40;

export class Stage2Memory implements PartitionMemory {
  private readonly pages: Stage2;
  private readonly contents: FrameContents;

  constructor(pages: Stage2, contents: FrameContents) {
    this.pages = pages;
    this.contents = contents;
  }

  read(address: Ipa, into: Uint8Array, at: number, length: number): boolean {
    if (!this.accessible(address, length, STAGE2_READ)) return false;
    let done = 0;
    while (done < length) {
      const page = Math.floor((address + done) / PAGE_SIZE_BYTES);
      const offset = address + done - page * PAGE_SIZE_BYTES;
      const piece = Math.min(length - done, PAGE_SIZE_BYTES - offset);
      this.contents.read(this.pages.translate(page) * PAGE_SIZE_BYTES + offset, into, at + done, piece);
      done += piece;
    }
    return true;
  }

  write(address: Ipa, from: Uint8Array, at: number, length: number): boolean {
    if (!this.accessible(address, length, STAGE2_WRITE)) return false;
    let done = 0;
    while (done < length) {
      const page = Math.floor((address + done) / PAGE_SIZE_BYTES);
      const offset = address + done - page * PAGE_SIZE_BYTES;
      const piece = Math.min(length - done, PAGE_SIZE_BYTES - offset);
      this.contents.write(this.pages.translate(page) * PAGE_SIZE_BYTES + offset, from, at + done, piece);
      done += piece;
    }
    return true;
  }

  private accessible(address: Ipa, length: number, access: Stage2Attributes): boolean {
    if (!Number.isInteger(address) || !Number.isInteger(length)) return false;
    if (address < 0 || length < 0 || address + length > ADDRESS_LIMIT) return false;
    if (length === 0) return true;
    const last = Math.floor((address + length - 1) / PAGE_SIZE_BYTES);
    for (let page = Math.floor(address / (1 << PAGE_SHIFT)); page <= last; page++) {
      if (this.pages.translate(page) < 0) return false;
      if ((this.pages.attributes & (access | STAGE2_INVALID)) !== access) return false;
    }
    return true;
  }
}
