// What is in the frames, when machine code runs in some of them. A frame that an image may touch lives in the RAM file,
// all others in ffabric's own memory as ever. Everything still reads by copying: `words` of a frame in the file is a
// fresh copy each time.

import { assert } from '../base/assert.ts';
import { type FrameNumber, PAGE_SIZE_BYTES, type PhysicalAddress } from '../base/units.ts';
import { FrameContents } from '../hardware/frame-contents.ts';
import type { RamFile } from './ram-file.ts';

const ZEROES = new Uint8Array(PAGE_SIZE_BYTES);

export class RamContents extends FrameContents {
  private readonly file: RamFile;
  /** Frames whose contents are in the file. */
  private readonly inFile = new Set<FrameNumber>();
  private readonly copy = new Uint8Array(PAGE_SIZE_BYTES);

  constructor(file: RamFile) {
    super();
    this.file = file;
  }

  /** Moves the contents of frames to the file: machine code may touch them from now on. */
  moveToFile(frame: FrameNumber, count: number): void {
    for (let at = frame; at < frame + count; at++) {
      if (this.inFile.has(at)) continue;
      super.read(at * PAGE_SIZE_BYTES, this.copy, 0, PAGE_SIZE_BYTES);
      this.file.write(at * PAGE_SIZE_BYTES, this.copy, 0, PAGE_SIZE_BYTES);
      this.inFile.add(at);
    }
  }

  isInFile(frame: FrameNumber): boolean {
    return this.inFile.has(frame);
  }

  override reset(): void {
    for (const frame of [...this.inFile]) this.zero(frame, 1);
    super.reset();
  }

  override read(address: PhysicalAddress, into: Uint8Array, at: number, length: number): void {
    this.byPage(address, length, (frame, piece, done) => {
      if (this.inFile.has(frame)) this.file.read(address + done, into, at + done, piece);
      else super.read(address + done, into, at + done, piece);
    });
  }

  override write(address: PhysicalAddress, from: Uint8Array, at: number, length: number): void {
    this.byPage(address, length, (frame, piece, done) => {
      if (this.inFile.has(frame)) this.file.write(address + done, from, at + done, piece);
      else super.write(address + done, from, at + done, piece);
    });
  }

  /** A frame that is scrubbed is nobody's: it leaves the file until machine code gets it again. */
  override zero(frame: FrameNumber, count: number): void {
    super.zero(frame, count);
    for (let at = frame; at < frame + count; at++) {
      if (!this.inFile.delete(at)) continue;
      this.file.write(at * PAGE_SIZE_BYTES, ZEROES, 0, PAGE_SIZE_BYTES);
    }
  }

  override isZero(frame: FrameNumber): boolean {
    if (!this.inFile.has(frame)) return super.isZero(frame);
    this.file.read(frame * PAGE_SIZE_BYTES, this.copy, 0, PAGE_SIZE_BYTES);
    return this.copy.every((byte) => byte === 0);
  }

  override firstNonZero(frame: FrameNumber, count: number): FrameNumber {
    const elsewhere = super.firstNonZero(frame, count);
    for (let at = frame; at < frame + count; at++) {
      if (at === elsewhere) return at;
      if (this.inFile.has(at) && !this.isZero(at)) return at;
    }
    return elsewhere;
  }

  override page(frame: FrameNumber): Uint8Array {
    assert(!this.inFile.has(frame), 'a page that machine code may touch is read and written by copying');
    return super.page(frame);
  }

  override words(frame: FrameNumber): Uint32Array {
    if (!this.inFile.has(frame)) return super.words(frame);
    const bytes = new Uint8Array(PAGE_SIZE_BYTES);
    this.file.read(frame * PAGE_SIZE_BYTES, bytes, 0, PAGE_SIZE_BYTES);
    return new Uint32Array(bytes.buffer);
  }

  private byPage(
    address: PhysicalAddress,
    length: number,
    each: (frame: FrameNumber, piece: number, done: number) => void,
  ): void {
    for (let done = 0; done < length; ) {
      const frame = Math.floor((address + done) / PAGE_SIZE_BYTES);
      const offset = address + done - frame * PAGE_SIZE_BYTES;
      const piece = Math.min(length - done, PAGE_SIZE_BYTES - offset);
      each(frame, piece, done);
      done += piece;
    }
  }
}
