// A PE's copy of what a guest wrote: read once, then checked and used from here, so that what another vCPU writes into
// the same page meanwhile changes nothing that was checked. Each PE has its own, as two may be inside at once.

import type { FrameNumber } from '../base/units.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { Pe } from '../hardware/pe.ts';
import { REPLY_SUCCESS, type ReplyClass } from './answer-table.ts';
import type { Hypervisor } from './hypervisor.ts';
import { IMPDEF_WORDS, ShareHeader } from './share-descriptor.ts';
import type { ConstituentCursor } from './spmc-constituents.ts';

/** A page, and room behind it for a field that begins at its end. */
const STAGING_SIZE_BYTES = 2 * PAGE_SIZE_BYTES;

/** Up to here a loop over words is quicker than a view and a copy. */
const WORD_LOOP_BYTES_MAX = 512;

export class Staging {
  readonly bytes = new Uint8Array(STAGING_SIZE_BYTES);
  readonly view = new DataView(this.bytes.buffer);
  readonly words = new Uint32Array(this.bytes.buffer);
  /** What the descriptor's header said. */
  readonly header = new ShareHeader();
  /** The implementation defined value of the descriptor's access entry. */
  readonly impdef = new Uint32Array(IMPDEF_WORDS);
  /** Where the constituents for the SPMC come from, in a call that nothing can interrupt. */
  readonly cursor: ConstituentCursor = { run: 0, done: 0 };
  /** Offset of the composite region, and what it announces. */
  composite = 0;
  pageCount = 0;
  rangeCount = 0;
  /** Why the descriptor was refused: the code for the guest. */
  error = 0;
  /** Class of the SPMC's last answer to a send in fragments. */
  reply: ReplyClass = REPLY_SUCCESS;
  /** Bytes of it that the SPMC has taken; 0: none. */
  accepted = 0;

  u8(offset: number): number {
    return this.bytes[offset];
  }

  u16(offset: number): number {
    return this.view.getUint16(offset, true);
  }

  u32(offset: number): number {
    return this.view.getUint32(offset, true);
  }
}

/** The staging of this PE. */
export function stagingOf(hypervisor: Hypervisor, pe: Pe): Staging {
  const stagings = hypervisor.stagings;
  while (stagings.length <= pe.index) stagings.push(new Staging());
  return stagings[pe.index];
}

/** Copies `length` bytes from `offset` of a frame to the same offset of the staging. */
export function stage(
  hypervisor: Hypervisor,
  staging: Staging,
  frame: FrameNumber,
  offset: number,
  length: number,
): void {
  const contents = hypervisor.machine.frames.contents;
  if (length <= WORD_LOOP_BYTES_MAX && (offset & 3) === 0 && offset + length <= PAGE_SIZE_BYTES) {
    const from = contents.words(frame);
    const to = staging.words;
    const end = (offset + length + 3) >>> 2;
    for (let n = offset >>> 2; n < end; n++) to[n] = from[n];
    return;
  }
  contents.read(frame * PAGE_SIZE_BYTES + offset, staging.bytes, offset, length);
}
