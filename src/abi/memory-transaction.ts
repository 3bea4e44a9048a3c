// Memory transaction descriptor: what FFA_MEM_DONATE, LEND, SHARE, RETRIEVE_REQ and RETRIEVE_RESP carry in a buffer.
//
// Covers the header of 1.0 (32 bytes) and of 1.1 and later (48 bytes), its access descriptors in the size that it
// states, the composite that they name, and the first of several fragments. A version from 1.1 on decides nothing but
// the default sizes of what we build: the layout states its own.
//
// Checked: that everything lies inside the bytes, in an order in which nothing is read twice. Not checked: what a
// mediator or an SPMC thinks of attributes, flags, permissions, ids, and page counts.
//
// Sources: [Hafnium ffa_memory.c], [Xen ffa_shm.c], [arm-ffa crate].

import { assert } from '../base/assert.ts';
import type { Constituent } from './composite-region.ts';
import {
  type CompositeRegion,
  compositeOf,
  compositeSizeBytes,
  readComposite,
  writeComposite,
} from './composite-region.ts';
import { DescriptorReader, decimal, hex } from './descriptor-reader.ts';
import { formatEndpointId } from './endpoint-ids.ts';
import type { Decoded, DecodeOptions } from './fault.ts';
import * as layout from './layout/memory-transaction.ts';
import { type MemoryAccess, readAccess, writeAccess } from './memory-access.ts';
import { formatMemoryAttributes, formatMemoryFlags } from './memory-text.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_2 } from './versions.ts';
import { type Words64, ZERO_WORDS } from './words.ts';

export interface MemoryTransaction {
  /** Id of the endpoint that owns the memory. */
  readonly sender: number;
  /** 16 bits (8 in 1.0): `MEMORY_...`. */
  readonly attributes: number;
  /** 32 bits: `MEMORY_FLAG_...`. */
  readonly flags: number;
  readonly handle: Words64;
  readonly tag: Words64;
  /** Size of each access descriptor in bytes: 16, 32, or what a peer states. 16 in 1.0. */
  readonly accessSizeBytes: number;
  /** Offset of the first access descriptor. 32 in 1.0. */
  readonly accessOffset: number;
  readonly receivers: readonly MemoryAccess[];
  /** Offset of the composite, the same for all receivers; 0 if there is none. */
  readonly compositeOffset: number;
  /** The composite; absent if and only if its offset is 0. */
  readonly composite?: CompositeRegion;
}

export interface MemoryTransactionOptions extends DecodeOptions {
  /** The bytes are the first of several fragments: constituents may be missing at the end. */
  readonly isFragment?: boolean;
}

/** What a sender or retriever states; everything else has its usual value. */
export interface MemoryTransactionParts {
  readonly sender: number;
  readonly attributes?: number;
  readonly flags?: number;
  readonly handle?: Words64;
  readonly tag?: Words64;
  readonly receivers: readonly MemoryAccess[];
  /** Absent in a retrieve request. */
  readonly constituents?: readonly Constituent[];
}

/** Header size of that version. */
export function memoryTransactionHeaderBytes(version: number): number {
  return version === FFA_VERSION_1_0 ? layout.MTD_1_0_SIZE_BYTES : layout.MTD_1_1_SIZE_BYTES;
}

/** Size of the access descriptors that an endpoint of that version writes. */
export function memoryAccessBytes(version: number): number {
  return version >= FFA_VERSION_1_2 ? layout.EMAD_1_2_SIZE_BYTES : layout.EMAD_1_0_SIZE_BYTES;
}

/** A hypervisor's retrieve request: nothing but the handle. */
export function hypervisorRetrieve(version: number, handle: Words64): MemoryTransaction {
  const isVersion10 = version === FFA_VERSION_1_0;
  return {
    sender: 0,
    attributes: 0,
    flags: 0,
    handle,
    tag: ZERO_WORDS,
    accessSizeBytes: isVersion10 ? layout.EMAD_1_0_SIZE_BYTES : 0,
    accessOffset: isVersion10 ? layout.MTD_1_0_SIZE_BYTES : 0,
    receivers: [],
    compositeOffset: 0,
  };
}

/**
 * A transaction laid out as an endpoint of that version would: access descriptors after the header, then the
 * composite.
 */
export function buildMemoryTransaction(version: number, parts: MemoryTransactionParts): MemoryTransaction {
  const accessSizeBytes = memoryAccessBytes(version);
  const accessOffset = memoryTransactionHeaderBytes(version);
  const compositeOffset = accessOffset + accessSizeBytes * parts.receivers.length;
  const transaction = {
    sender: parts.sender,
    attributes: parts.attributes ?? 0,
    flags: parts.flags ?? 0,
    handle: parts.handle ?? ZERO_WORDS,
    tag: parts.tag ?? ZERO_WORDS,
    accessSizeBytes,
    accessOffset,
    receivers: parts.receivers,
  };
  if (parts.constituents === undefined) return { ...transaction, compositeOffset: 0 };
  return { ...transaction, compositeOffset, composite: compositeOf(parts.constituents) };
}

/** Bytes that `encodeMemoryTransaction` gives. */
export function memoryTransactionSizeBytes(transaction: MemoryTransaction, version: number): number {
  const { composite } = transaction;
  if (composite !== undefined) return transaction.compositeOffset + compositeSizeBytes(composite);
  if (transaction.receivers.length === 0) return memoryTransactionHeaderBytes(version);
  return transaction.accessOffset + transaction.accessSizeBytes * transaction.receivers.length;
}

/**
 * Decodes the bytes of a descriptor (or of its first fragment); the view is as long as the call states.
 *
 * @param version the negotiated version of the endpoint that wrote it: 1.0 has a layout of its own.
 */
export function decodeMemoryTransaction(
  view: DataView,
  version: number,
  options: MemoryTransactionOptions = {},
): Decoded<MemoryTransaction> {
  const reader = new DescriptorReader(view, options);
  const isVersion10 = version === FFA_VERSION_1_0;
  const headerBytes = memoryTransactionHeaderBytes(version);

  const sender = reader.u16('sender', layout.MTD_SENDER_OFFSET, formatEndpointId);
  const attributes = isVersion10
    ? reader.u8('attributes', layout.MTD_ATTRIBUTES_OFFSET, formatMemoryAttributes)
    : reader.u16('attributes', layout.MTD_ATTRIBUTES_OFFSET, formatMemoryAttributes);
  if (isVersion10) reader.reserved('reserved', layout.MTD_1_0_RESERVED_3_OFFSET, 1);
  const flags = reader.u32('flags', layout.MTD_FLAGS_OFFSET, formatMemoryFlags);
  const handle = reader.words64('handle', layout.MTD_HANDLE_OFFSET);
  const tag = reader.words64('tag', layout.MTD_TAG_OFFSET);

  let accessSizeBytes = layout.EMAD_1_0_SIZE_BYTES;
  let accessOffset = headerBytes;
  if (isVersion10) reader.reserved('reserved', layout.MTD_1_0_RESERVED_24_OFFSET, 4);
  else accessSizeBytes = reader.u32('accessSizeBytes', layout.MTD_1_1_EMAD_SIZE_OFFSET, decimal);
  const receiverCount = reader.u32('receiverCount', layout.MTD_EMAD_COUNT_OFFSET, decimal);
  if (!isVersion10) {
    accessOffset = reader.u32('accessOffset', layout.MTD_1_1_EMAD_ARRAY_OFFSET);
    reader.reserved('reserved', layout.MTD_1_1_RESERVED_36_OFFSET, 12);
  }
  // A hypervisor's retrieve request names no receiver, and leaves size and offset of the receivers zero.
  if (receiverCount > 0) checkAccessArray(reader, receiverCount, accessSizeBytes, accessOffset, headerBytes);
  const accessEnd = accessOffset + receiverCount * accessSizeBytes;

  let compositeOffset = 0;
  const receivers: MemoryAccess[] = [];
  for (let n = 0; n < receiverCount && reader.fault === null; n++) {
    const at = accessOffset + n * accessSizeBytes;
    reader.enter('receivers', n);
    const read = readAccess(reader, at, accessSizeBytes);
    receivers.push(read.access);
    if (n === 0) compositeOffset = read.compositeOffset;
    checkCompositeOffset(reader, at + layout.EMAD_COMPOSITE_OFFSET, read.compositeOffset, compositeOffset, accessEnd);
    reader.leave();
  }

  const transaction = {
    sender,
    attributes,
    flags,
    handle,
    tag,
    accessSizeBytes,
    accessOffset,
    receivers,
    compositeOffset,
  };
  if (compositeOffset === 0 || reader.fault !== null) return reader.result<MemoryTransaction>(transaction);
  reader.enter('composite');
  const composite = readComposite(reader, compositeOffset, options.isFragment === true);
  reader.leave();
  return reader.result<MemoryTransaction>({ ...transaction, composite });
}

/** Encodes a transaction in the header layout of `version`. What does not fit that layout is a bug of the caller. */
export function encodeMemoryTransaction(transaction: MemoryTransaction, version: number): Uint8Array {
  const { accessOffset, accessSizeBytes, composite, compositeOffset, receivers } = transaction;
  const isVersion10 = version === FFA_VERSION_1_0;
  checkEncodable(transaction, version);
  const bytes = new Uint8Array(memoryTransactionSizeBytes(transaction, version));
  const view = new DataView(bytes.buffer);
  view.setUint16(layout.MTD_SENDER_OFFSET, transaction.sender, true);
  if (isVersion10) view.setUint8(layout.MTD_ATTRIBUTES_OFFSET, transaction.attributes);
  else view.setUint16(layout.MTD_ATTRIBUTES_OFFSET, transaction.attributes, true);
  view.setUint32(layout.MTD_FLAGS_OFFSET, transaction.flags, true);
  writeWords(view, layout.MTD_HANDLE_OFFSET, transaction.handle);
  writeWords(view, layout.MTD_TAG_OFFSET, transaction.tag);
  view.setUint32(layout.MTD_EMAD_COUNT_OFFSET, receivers.length, true);
  if (!isVersion10) {
    view.setUint32(layout.MTD_1_1_EMAD_SIZE_OFFSET, accessSizeBytes, true);
    view.setUint32(layout.MTD_1_1_EMAD_ARRAY_OFFSET, accessOffset, true);
  }
  for (let n = 0; n < receivers.length; n++) {
    writeAccess(view, accessOffset + n * accessSizeBytes, accessSizeBytes, receivers[n], compositeOffset);
  }
  if (composite !== undefined) writeComposite(view, compositeOffset, composite);
  return bytes;
}

function checkEncodable(transaction: MemoryTransaction, version: number): void {
  const { accessOffset, accessSizeBytes, composite, compositeOffset, receivers } = transaction;
  const isVersion10 = version === FFA_VERSION_1_0;
  assert(version >= FFA_VERSION_1_0, 'a memory transaction needs a version');
  assert(!isVersion10 || accessOffset === layout.MTD_1_0_SIZE_BYTES, 'in 1.0 access descriptors follow the header');
  assert(!isVersion10 || accessSizeBytes === layout.EMAD_1_0_SIZE_BYTES, 'in 1.0 an access descriptor has 16 bytes');
  assert((composite === undefined) === (compositeOffset === 0), 'a composite has an offset');
  if (receivers.length === 0) {
    assert(composite === undefined, 'without a receiver nothing names the composite');
    return;
  }
  assert(accessOffset >= memoryTransactionHeaderBytes(version), 'access descriptors lie after the header');
  assert(accessSizeBytes >= layout.EMAD_1_0_SIZE_BYTES, 'an access descriptor has 16 bytes or more');
  const accessEnd = accessOffset + accessSizeBytes * receivers.length;
  assert(composite === undefined || compositeOffset >= accessEnd, 'the composite follows the access descriptors');
}

function checkAccessArray(
  reader: DescriptorReader,
  count: number,
  sizeBytes: number,
  offset: number,
  headerBytes: number,
): void {
  if (sizeBytes < layout.EMAD_1_0_SIZE_BYTES) {
    const at = layout.MTD_1_1_EMAD_SIZE_OFFSET;
    reader.fail('size-unsupported', 'accessSizeBytes', at, decimal(sizeBytes), 'must be 16 or more');
  }
  const at = layout.MTD_1_1_EMAD_ARRAY_OFFSET;
  if (offset < headerBytes) {
    reader.fail('offset-inside-header', 'accessOffset', at, offset, `must be ${hex(headerBytes)} or more`);
  } else if (offset % layout.MTD_EMAD_ARRAY_ALIGNMENT_BYTES !== 0) {
    reader.fail('offset-unaligned', 'accessOffset', at, offset, 'must be a multiple of 16');
  } else if (offset > reader.sizeBytes) {
    reader.fail('offset-outside', 'accessOffset', at, offset, `must not exceed ${hex(reader.sizeBytes)}`);
  }
  const end = offset + count * sizeBytes;
  if (end <= reader.sizeBytes) return;
  const rule = `${count} access descriptors of ${sizeBytes} bytes end at ${end} of ${reader.sizeBytes}`;
  reader.fail('count-outside', 'receiverCount', layout.MTD_EMAD_COUNT_OFFSET, decimal(count), rule);
}

function checkCompositeOffset(reader: DescriptorReader, at: number, found: number, first: number, end: number): void {
  const text = hex(found);
  if (found !== first) {
    reader.fail(
      'offset-differs',
      'compositeOffset',
      at,
      text,
      `must be ${hex(first)} as in the first access descriptor`,
    );
  } else if (found === 0) {
    return;
  } else if (found < end) {
    reader.fail('offset-inside-header', 'compositeOffset', at, text, `must be 0, or ${hex(end)} or more`);
  } else if (found + layout.COMPOSITE_SIZE_BYTES > reader.sizeBytes) {
    reader.fail('offset-outside', 'compositeOffset', at, text, `must leave 16 bytes before ${hex(reader.sizeBytes)}`);
  }
}

function writeWords(view: DataView, offset: number, words: Words64): void {
  view.setUint32(offset, words.low, true);
  view.setUint32(offset + 4, words.high, true);
}
