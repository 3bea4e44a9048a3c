// The description of a transaction, as its retriever gets it: header, one access descriptor (the hypervisor gets all),
// composite, and the constituents of as many sent fragments as fit in RX. Written in the retriever's layout. The tag is
// not repeated in it: the retriever has just stated it [Hafnium ffa_memory.c].

import { MEMORY_ATTRIBUTE_NS, MEMORY_FLAG_TYPE_SHIFT } from '../abi/layout/memory-bits.ts';
import {
  COMPOSITE_CONSTITUENT_COUNT_OFFSET,
  COMPOSITE_PAGE_COUNT_OFFSET,
  COMPOSITE_SIZE_BYTES,
  CONSTITUENT_SIZE_BYTES,
  EMAD_1_0_SIZE_BYTES,
  EMAD_1_2_IMPDEF_OFFSET,
  EMAD_1_2_RESERVED_24_OFFSET,
  EMAD_1_2_SIZE_BYTES,
  EMAD_COMPOSITE_OFFSET,
  EMAD_PERMISSIONS_OFFSET,
  EMAD_RECEIVER_OFFSET,
  MTD_1_0_SIZE_BYTES,
  MTD_1_1_EMAD_ARRAY_OFFSET,
  MTD_1_1_EMAD_SIZE_OFFSET,
  MTD_1_1_SIZE_BYTES,
  MTD_ATTRIBUTES_OFFSET,
  MTD_EMAD_COUNT_OFFSET,
  MTD_FLAGS_OFFSET,
  MTD_HANDLE_OFFSET,
  MTD_SENDER_OFFSET,
} from '../abi/layout/memory-transaction.ts';
import { FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../abi/versions.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import { STAGE2_NON_SECURE } from '../hardware/stage2.ts';
import type { Endpoint } from './endpoint.ts';
import { writeU16, writeU32 } from './little-endian.ts';
import type { Spmc } from './spmc.ts';
import type { Receiver, Transaction } from './transaction.ts';

/** What was written to RX; one object, reused. */
export interface WrittenResponse {
  totalBytes: number;
  fragmentBytes: number;
  /** Sent fragments that it holds. */
  fragments: number;
}

const written: WrittenResponse = { totalBytes: 0, fragmentBytes: 0, fragments: 0 };

/** Size of an access descriptor as the endpoint gets it. */
function emadSizeFor(version: number): number {
  return version >= FFA_VERSION_1_2 ? EMAD_1_2_SIZE_BYTES : EMAD_1_0_SIZE_BYTES;
}

/** Bytes before the first constituent of a response with `emadCount` access descriptors. */
export function responseHeadBytes(version: number, emadCount: number): number {
  const header = version >= FFA_VERSION_1_1 ? MTD_1_1_SIZE_BYTES : MTD_1_0_SIZE_BYTES;
  return header + emadCount * emadSizeFor(version) + COMPOSITE_SIZE_BYTES;
}

/** Writes the response for `receiver` (with the permissions that it was granted), or for the hypervisor (null). */
export function writeResponse(
  spmc: Spmc,
  to: Endpoint,
  transaction: Transaction,
  receiver: Receiver | null,
  permissions: number,
): WrittenResponse {
  const version = to.version;
  const bytes = spmc.response;
  const emadCount = receiver === null ? transaction.receiverCount : 1;
  const head = responseHeadBytes(version, emadCount);
  bytes.fill(0, 0, head);
  const forPartition = receiver !== null && to.secure;
  writeHeader(bytes, transaction, version, emadCount, to.secure);
  if (forPartition && !spmc.personality.memory.exactResponse) bytes.fill(0, MTD_HANDLE_OFFSET, MTD_HANDLE_OFFSET + 8);
  const emadSize = emadSizeFor(version);
  const array = head - COMPOSITE_SIZE_BYTES - emadCount * emadSize;
  const composite = head - COMPOSITE_SIZE_BYTES;
  for (let n = 0; n < emadCount; n++) {
    const at = array + n * emadSize;
    if (receiver === null) {
      // The hypervisor gets entries as they lie in the sender's descriptor, one each 32 bytes whatever their size.
      const kept = Math.min(emadSize, EMAD_1_2_RESERVED_24_OFFSET);
      for (let byte = 0; byte < kept; byte++) bytes[at + byte] = transaction.access[n * EMAD_1_2_SIZE_BYTES + byte];
    } else {
      writeU16(bytes, at + EMAD_RECEIVER_OFFSET, receiver.id);
      bytes[at + EMAD_PERMISSIONS_OFFSET] = permissions;
      if (emadSize === EMAD_1_2_SIZE_BYTES) writeImpdef(bytes, at + EMAD_1_2_IMPDEF_OFFSET, receiver);
    }
    writeU32(bytes, at + EMAD_COMPOSITE_OFFSET, composite);
  }
  writeU32(bytes, composite + COMPOSITE_PAGE_COUNT_OFFSET, transaction.pageCount);
  writeU32(bytes, composite + COMPOSITE_CONSTITUENT_COUNT_OFFSET, transaction.constituentCount);
  const room = to.bufferPages * PAGE_SIZE_BYTES;
  let constituents = 0;
  let fragments = 0;
  while (fragments < transaction.fragmentCount) {
    const next = constituents + transaction.fragmentSizes[fragments];
    if (head + next * CONSTITUENT_SIZE_BYTES > room) break;
    if (receiver === null && fragments === 1) break;
    constituents = next;
    fragments++;
  }
  copyConstituents(spmc.responseWords, head, transaction, 0, constituents);
  written.totalBytes = head + transaction.constituentCount * CONSTITUENT_SIZE_BYTES;
  written.fragmentBytes = head + constituents * CONSTITUENT_SIZE_BYTES;
  written.fragments = fragments;
  spmc.writeRx(to, bytes, written.fragmentBytes);
  return written;
}

function writeImpdef(bytes: Uint8Array, at: number, receiver: Receiver): void {
  for (let word = 0; word < 4; word++) writeU32(bytes, at + 4 * word, receiver.impdef[word]);
}

/** Copies constituents `first` to `first + count - 1` to byte `at`, which is aligned, as they were sent. */
export function copyConstituents(
  into: Uint32Array,
  at: number,
  transaction: Transaction,
  first: number,
  count: number,
): void {
  const from = transaction.constituents;
  const words = (count * CONSTITUENT_SIZE_BYTES) >>> 2;
  const source = (first * CONSTITUENT_SIZE_BYTES) >>> 2;
  const target = at >>> 2;
  for (let n = 0; n < words; n++) into[target + n] = from[source + n];
}

function writeHeader(
  bytes: Uint8Array,
  transaction: Transaction,
  version: number,
  emadCount: number,
  forPartition: boolean,
): void {
  let attributes = transaction.attributes;
  if (forPartition && (transaction.senderAttributes & STAGE2_NON_SECURE) !== 0) attributes |= MEMORY_ATTRIBUTE_NS;
  writeU16(bytes, MTD_SENDER_OFFSET, transaction.sender);
  writeU16(bytes, MTD_ATTRIBUTES_OFFSET, attributes);
  writeU32(bytes, MTD_FLAGS_OFFSET, transaction.flags | (transaction.kind << MEMORY_FLAG_TYPE_SHIFT));
  writeU32(bytes, MTD_HANDLE_OFFSET, transaction.handleLow);
  writeU32(bytes, MTD_HANDLE_OFFSET + 4, transaction.handleHigh);
  writeU32(bytes, MTD_EMAD_COUNT_OFFSET, emadCount);
  if (version < FFA_VERSION_1_1) return;
  writeU32(bytes, MTD_1_1_EMAD_SIZE_OFFSET, emadSizeFor(version));
  writeU32(bytes, MTD_1_1_EMAD_ARRAY_OFFSET, MTD_1_1_SIZE_BYTES);
}
