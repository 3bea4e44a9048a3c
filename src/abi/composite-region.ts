// Composite memory region descriptor and its constituents, and the bare constituents of a later fragment.

import { type DescriptorReader, decimal, DescriptorReader as Reader } from './descriptor-reader.ts';
import type { Decoded, DecodeOptions } from './fault.ts';
import * as layout from './layout/memory-transaction.ts';
import { type Words64, wordsOf } from './words.ts';

/** One range of pages. The address is as stated: nobody checked that it is aligned. */
export interface Constituent {
  readonly address: Words64;
  /** Pages of 4 KiB. */
  readonly pageCount: number;
}

export interface CompositeRegion {
  /** Pages of 4 KiB in the whole region, as stated; nobody checked that the constituents add up to it. */
  readonly pageCount: number;
  /** Constituents of the whole region, as stated; a first fragment holds fewer. */
  readonly constituentCount: number;
  readonly constituents: readonly Constituent[];
}

/** A constituent from an address below 2^53. */
export function constituent(address: number, pageCount: number): Constituent {
  return { address: wordsOf(address), pageCount };
}

/** A whole region of these constituents. */
export function compositeOf(constituents: readonly Constituent[]): CompositeRegion {
  let pageCount = 0;
  for (const one of constituents) pageCount += one.pageCount;
  return { pageCount, constituentCount: constituents.length, constituents };
}

/** Bytes of the composite with the constituents that it holds. */
export function compositeSizeBytes(region: CompositeRegion): number {
  return layout.COMPOSITE_SIZE_BYTES + region.constituents.length * layout.CONSTITUENT_SIZE_BYTES;
}

/**
 * Reads the composite at `offset`. In a first fragment (`isFragment`) constituents may be missing at the end, and what
 * follows the last whole one is left alone; else all must be there.
 */
export function readComposite(reader: DescriptorReader, offset: number, isFragment: boolean): CompositeRegion {
  const pageCount = reader.u32('pageCount', offset + layout.COMPOSITE_PAGE_COUNT_OFFSET, decimal);
  const countOffset = offset + layout.COMPOSITE_CONSTITUENT_COUNT_OFFSET;
  const constituentCount = reader.u32('constituentCount', countOffset, decimal);
  reader.reserved('reserved', offset + layout.COMPOSITE_RESERVED_8_OFFSET, 8);
  const first = offset + layout.COMPOSITE_SIZE_BYTES;
  const room = Math.max(0, Math.floor((reader.sizeBytes - first) / layout.CONSTITUENT_SIZE_BYTES));
  if (constituentCount > room && !isFragment) {
    const rule = `room for ${room} constituents of 16 bytes is left`;
    reader.fail('count-outside', 'constituentCount', countOffset, decimal(constituentCount), rule);
  }
  const constituents = readConstituents(reader, first, Math.min(constituentCount, room));
  const sum = constituents.reduce((pages, one) => pages + one.pageCount, 0);
  if (constituents.length === constituentCount && sum !== pageCount) {
    reader.remark(`the constituents have ${sum} pages`, offset + layout.COMPOSITE_PAGE_COUNT_OFFSET);
  }
  return { pageCount, constituentCount, constituents };
}

/** Writes the composite and its constituents at `offset`. */
export function writeComposite(view: DataView, offset: number, region: CompositeRegion): void {
  view.setUint32(offset + layout.COMPOSITE_PAGE_COUNT_OFFSET, region.pageCount, true);
  view.setUint32(offset + layout.COMPOSITE_CONSTITUENT_COUNT_OFFSET, region.constituentCount, true);
  writeConstituents(view, offset + layout.COMPOSITE_SIZE_BYTES, region.constituents);
}

/**
 * Constituents of a fragment that FFA_MEM_FRAG_TX sends or receives: `length` is the fragment's, a multiple of 16.
 */
export function decodeConstituents(view: DataView, options?: DecodeOptions): Decoded<readonly Constituent[]> {
  const reader = new Reader(view, options);
  if (reader.sizeBytes % layout.CONSTITUENT_SIZE_BYTES !== 0) {
    reader.fail('length-unaligned', 'length', 0, decimal(reader.sizeBytes), 'must be a multiple of 16');
  }
  return reader.result(readConstituents(reader, 0, Math.floor(reader.sizeBytes / layout.CONSTITUENT_SIZE_BYTES)));
}

/** Bytes of bare constituents. */
export function encodeConstituents(constituents: readonly Constituent[]): Uint8Array {
  const bytes = new Uint8Array(constituents.length * layout.CONSTITUENT_SIZE_BYTES);
  writeConstituents(new DataView(bytes.buffer), 0, constituents);
  return bytes;
}

function readConstituents(reader: DescriptorReader, first: number, count: number): readonly Constituent[] {
  const constituents: Constituent[] = [];
  for (let n = 0; n < count && reader.fault === null; n++) {
    const at = first + n * layout.CONSTITUENT_SIZE_BYTES;
    reader.enter('constituents', n);
    const address = reader.words64('address', at + layout.CONSTITUENT_ADDRESS_OFFSET);
    if ((address.low & 0xfff) !== 0) reader.remark('must be a multiple of 4096');
    const pageCount = reader.u32('pageCount', at + layout.CONSTITUENT_PAGE_COUNT_OFFSET, decimal);
    reader.reserved('reserved', at + layout.CONSTITUENT_RESERVED_12_OFFSET, 4);
    reader.leave();
    constituents.push({ address, pageCount });
  }
  return constituents;
}

function writeConstituents(view: DataView, first: number, constituents: readonly Constituent[]): void {
  let at = first;
  for (const { address, pageCount } of constituents) {
    view.setUint32(at + layout.CONSTITUENT_ADDRESS_OFFSET, address.low, true);
    view.setUint32(at + layout.CONSTITUENT_ADDRESS_OFFSET + 4, address.high, true);
    view.setUint32(at + layout.CONSTITUENT_PAGE_COUNT_OFFSET, pageCount, true);
    at += layout.CONSTITUENT_SIZE_BYTES;
  }
}
