// A PE's private copy of what a caller put into its TX buffer. Taken once per call; all is checked and used here.

import { PAGE_SIZE_BYTES, type PhysicalAddress } from '../base/units.ts';
import type { FrameContents } from '../hardware/frame-contents.ts';
import type { Endpoint } from './endpoint.ts';

export class Staging {
  readonly bytes: Uint8Array;
  /** Bytes that were copied by this call. */
  length = 0;

  constructor(bufferPages: number) {
    this.bytes = new Uint8Array(bufferPages * PAGE_SIZE_BYTES);
  }

  /** Copies the first `length` bytes of the endpoint's TX buffer, which is that large. */
  fetch(contents: FrameContents, from: Endpoint, length: number): void {
    this.fetchFrame(contents, from.txFrame, length);
  }

  fetchFrame(contents: FrameContents, frame: number, length: number): void {
    this.fetchFrom(contents, frame * PAGE_SIZE_BYTES, length);
  }

  /** Copies `length` bytes from a physical address. */
  fetchFrom(contents: FrameContents, address: PhysicalAddress, length: number): void {
    contents.read(address, this.bytes, 0, length);
    this.length = length;
  }
}
