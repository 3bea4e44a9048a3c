// A guest's own memory, through its stage 2 as it stands at each access.

import { type Ipa, PAGE_SIZE_BYTES } from '../base/units.ts';
import type { FrameContents } from '../hardware/frame-contents.ts';
import type { PartitionMemory } from '../hardware/partition-entry.ts';
import { STAGE2_INVALID, STAGE2_READ, STAGE2_WRITE, type Stage2 } from '../hardware/stage2.ts';

export class GuestMemory implements PartitionMemory {
  private readonly stage2: Stage2;
  private readonly contents: FrameContents;

  constructor(stage2: Stage2, contents: FrameContents) {
    this.stage2 = stage2;
    this.contents = contents;
  }

  read(address: Ipa, into: Uint8Array, at: number, length: number): boolean {
    if (!this.allows(address, length, STAGE2_READ)) return false;
    for (let done = 0; done < length; ) {
      const piece = pieceAt(address + done, length - done);
      this.contents.read(this.physical(address + done), into, at + done, piece);
      done += piece;
    }
    return true;
  }

  write(address: Ipa, from: Uint8Array, at: number, length: number): boolean {
    if (!this.allows(address, length, STAGE2_WRITE)) return false;
    for (let done = 0; done < length; ) {
      const piece = pieceAt(address + done, length - done);
      this.contents.write(this.physical(address + done), from, at + done, piece);
      done += piece;
    }
    return true;
  }

  private physical(address: Ipa): number {
    const gfn = Math.floor(address / PAGE_SIZE_BYTES);
    return this.stage2.translate(gfn) * PAGE_SIZE_BYTES + (address - gfn * PAGE_SIZE_BYTES);
  }

  private allows(address: Ipa, length: number, access: number): boolean {
    if (length === 0) return true;
    const last = Math.floor((address + length - 1) / PAGE_SIZE_BYTES);
    for (let gfn = Math.floor(address / PAGE_SIZE_BYTES); gfn <= last; gfn++) {
      const frame = this.stage2.translate(gfn);
      const { attributes } = this.stage2;
      if (frame < 0 || (attributes & access) === 0 || (attributes & STAGE2_INVALID) !== 0) return false;
    }
    return true;
  }
}

/** Bytes from `address` to the end of its page, at most `length`. */
function pieceAt(address: Ipa, length: number): number {
  return Math.min(length, PAGE_SIZE_BYTES - (address % PAGE_SIZE_BYTES));
}
