// Reads what the hypervisor put into its TX page: memory transaction descriptors and the descriptor of forwarded
// buffers. Tolerant: it takes what can be read and stops at the first field that leads outside; it does not judge.

import {
  COMPOSITE_CONSTITUENT_COUNT_OFFSET,
  COMPOSITE_PAGE_COUNT_OFFSET,
  COMPOSITE_SIZE_BYTES,
  CONSTITUENT_PAGE_COUNT_OFFSET,
  CONSTITUENT_SIZE_BYTES,
  EMAD_1_0_SIZE_BYTES,
  EMAD_COMPOSITE_OFFSET,
  EMAD_PERMISSIONS_OFFSET,
  MTD_1_0_SIZE_BYTES,
  MTD_1_1_EMAD_ARRAY_OFFSET,
  MTD_1_1_EMAD_SIZE_OFFSET,
  MTD_1_1_SIZE_BYTES,
  MTD_ATTRIBUTES_OFFSET,
  MTD_EMAD_COUNT_OFFSET,
  MTD_FLAGS_OFFSET,
  MTD_TAG_OFFSET,
} from '../../abi/layout/memory-transaction.ts';
import { FFA_VERSION_1_1 } from '../../abi/versions.ts';
import { PAGE_SIZE_BYTES, TWO_POW_32 } from '../../base/units.ts';
import type { PhysicalMemory } from '../../hardware/frame-contents.ts';
import type { Transaction } from './transaction.ts';

/** Longest fragment that is looked at: 64 pages. */
export const FRAGMENT_BYTES_MAX = 64 * PAGE_SIZE_BYTES;
const RECEIVERS_MAX = 64;

/** Pages of one range that are followed: a hostile count of 2^32 is not, page by page. */
const RANGE_PAGES_MAX = 2 ** 20;

export class DescriptorReader {
  private readonly bytes = new Uint8Array(FRAGMENT_BYTES_MAX);
  private readonly view = new DataView(this.bytes.buffer);

  /** Reads a first fragment of `length` bytes at `address`; false when its header cannot be read. */
  readTransaction(
    memory: PhysicalMemory,
    address: number,
    length: number,
    version: number,
    into: Transaction,
  ): boolean {
    const size = Math.min(length, FRAGMENT_BYTES_MAX);
    if (size < MTD_1_0_SIZE_BYTES) return false;
    memory.read(address, this.bytes, 0, size);
    const view = this.view;
    const recent = version >= FFA_VERSION_1_1;
    if (recent && size < MTD_1_1_SIZE_BYTES) return false;
    into.sender = view.getUint16(0, true);
    into.attributes = recent ? view.getUint16(MTD_ATTRIBUTES_OFFSET, true) : view.getUint8(MTD_ATTRIBUTES_OFFSET);
    into.flags = view.getUint32(MTD_FLAGS_OFFSET, true);
    into.tagLow = view.getUint32(MTD_TAG_OFFSET, true);
    into.tagHigh = view.getUint32(MTD_TAG_OFFSET + 4, true);
    const count = Math.min(view.getUint32(MTD_EMAD_COUNT_OFFSET, true), RECEIVERS_MAX);
    const stride = recent ? view.getUint32(MTD_1_1_EMAD_SIZE_OFFSET, true) : EMAD_1_0_SIZE_BYTES;
    const first = recent ? view.getUint32(MTD_1_1_EMAD_ARRAY_OFFSET, true) : MTD_1_0_SIZE_BYTES;
    into.accessSize = stride;
    let composite = 0;
    for (let n = 0; n < count; n++) {
      const at = first + n * stride;
      if (at + EMAD_1_0_SIZE_BYTES > size) return true;
      const permissions = view.getUint8(at + EMAD_PERMISSIONS_OFFSET);
      into.receivers.push({ id: view.getUint16(at, true), permissions });
      if (n === 0) composite = view.getUint32(at + EMAD_COMPOSITE_OFFSET, true);
    }
    if (composite === 0 || composite + COMPOSITE_SIZE_BYTES > size) return true;
    into.pagesAnnounced = view.getUint32(composite + COMPOSITE_PAGE_COUNT_OFFSET, true);
    const constituents = view.getUint32(composite + COMPOSITE_CONSTITUENT_COUNT_OFFSET, true);
    const at = composite + COMPOSITE_SIZE_BYTES;
    this.readConstituents(at, Math.min(size, at + constituents * CONSTITUENT_SIZE_BYTES), into);
    return true;
  }

  /** Reads a further fragment: constituents alone. */
  readFragment(memory: PhysicalMemory, address: number, length: number, into: Transaction): void {
    const size = Math.min(length, FRAGMENT_BYTES_MAX);
    memory.read(address, this.bytes, 0, size);
    this.readConstituents(0, size, into);
  }

  /** Reads the frames of one composite of a buffer descriptor into `ranges`. */
  readComposite(memory: PhysicalMemory, address: number, ranges: number[]): void {
    memory.read(address, this.bytes, 0, COMPOSITE_SIZE_BYTES);
    const constituents = Math.min(
      this.view.getUint32(COMPOSITE_CONSTITUENT_COUNT_OFFSET, true),
      PAGE_SIZE_BYTES / CONSTITUENT_SIZE_BYTES,
    );
    const length = constituents * CONSTITUENT_SIZE_BYTES;
    memory.read(address + COMPOSITE_SIZE_BYTES, this.bytes, 0, length);
    for (let at = 0; at < length; at += CONSTITUENT_SIZE_BYTES) {
      const count = this.view.getUint32(at + CONSTITUENT_PAGE_COUNT_OFFSET, true);
      if (count > 0) ranges.push(this.frameAt(at), count);
    }
  }

  /** Reads `length` bytes for the fields that the caller picks with `u16` and `u32`. */
  load(memory: PhysicalMemory, address: number, length: number): void {
    memory.read(address, this.bytes, 0, Math.min(length, FRAGMENT_BYTES_MAX));
  }

  u16(at: number): number {
    return this.view.getUint16(at, true);
  }

  u32(at: number): number {
    return this.view.getUint32(at, true);
  }

  private readConstituents(from: number, to: number, into: Transaction): void {
    for (let at = from; at + CONSTITUENT_SIZE_BYTES <= to; at += CONSTITUENT_SIZE_BYTES) {
      const count = this.view.getUint32(at + CONSTITUENT_PAGE_COUNT_OFFSET, true);
      if (this.view.getUint32(at, true) % PAGE_SIZE_BYTES !== 0) into.misaligned = true;
      if (count > 0) into.addRange(this.frameAt(at), Math.min(count, RANGE_PAGES_MAX));
    }
  }

  private frameAt(at: number): number {
    const address = this.view.getUint32(at, true) + this.view.getUint32(at + 4, true) * TWO_POW_32;
    return Math.floor(address / PAGE_SIZE_BYTES);
  }
}
