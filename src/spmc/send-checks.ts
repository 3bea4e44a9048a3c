// What a sender may ask: the checks of FFA_MEM_SHARE, LEND and DONATE that need only the descriptor, in the order in
// which Hafnium makes them, for the order decides the error [Hafnium ffa_memory.c]. The pages are checked when the
// descriptor is complete (memory-send.ts).

import { isSecureEndpoint } from '../abi/endpoint-ids.ts';
import { FFA_OK } from '../abi/errors.ts';
import {
  DATA_ACCESS_MASK,
  DATA_ACCESS_RESERVED,
  DATA_ACCESS_UNSPECIFIED,
  INSTRUCTION_ACCESS_MASK,
  INSTRUCTION_ACCESS_UNSPECIFIED,
  MEMORY_ATTRIBUTE_NS,
  MEMORY_CACHEABILITY_MASK,
  MEMORY_DEVICE_NGNRNE,
  MEMORY_FLAG_TIME_SLICE,
  MEMORY_INNER_SHAREABLE,
  MEMORY_SHAREABILITY_MASK,
  MEMORY_TYPE_DEVICE,
  MEMORY_TYPE_MASK,
  MEMORY_TYPE_NORMAL,
  MEMORY_TYPE_UNSPECIFIED,
  MEMORY_WRITE_BACK,
} from '../abi/layout/memory-bits.ts';
import {
  COMPOSITE_CONSTITUENT_COUNT_OFFSET,
  COMPOSITE_SIZE_BYTES,
  CONSTITUENT_SIZE_BYTES,
  EMAD_1_0_RESERVED_8_OFFSET,
  EMAD_1_0_SIZE_BYTES,
  EMAD_1_2_RESERVED_24_OFFSET,
  EMAD_1_2_SIZE_BYTES,
  EMAD_COMPOSITE_OFFSET,
  EMAD_PERMISSIONS_OFFSET,
  EMAD_RECEIVER_OFFSET,
  MTD_1_0_RESERVED_24_OFFSET,
  MTD_1_0_SIZE_BYTES,
  MTD_1_1_EMAD_ARRAY_OFFSET,
  MTD_1_1_EMAD_SIZE_OFFSET,
  MTD_1_1_RESERVED_36_OFFSET,
  MTD_1_1_SIZE_BYTES,
  MTD_ATTRIBUTES_OFFSET,
  MTD_EMAD_COUNT_OFFSET,
  MTD_FLAGS_OFFSET,
  MTD_SENDER_OFFSET,
} from '../abi/layout/memory-transaction.ts';
import { FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../abi/versions.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { Result } from './answers.ts';
import type { Endpoint } from './endpoint.ts';
import { readU16, readU32 } from './little-endian.ts';
import { refuse } from './memory-checks.ts';
import type { Spmc } from './spmc.ts';
import { KIND_DONATE, KIND_LEND, KIND_SHARE, type TransactionKind } from './transaction.ts';

/** The NS bit and its reserved neighbour: bits above them are ignored. */
export const SECURITY_MASK = MEMORY_ATTRIBUTE_NS | 0x80;

/** Where the parts of a descriptor lie, by its version. `locateParts` fills it, the checks after it read it. */
export class DescriptorParts {
  emadSizeBytes = 0;
  emadArrayOffset = 0;
  emadCount = 0;
  compositeOffset = 0;
}

/** Finds the access descriptors; IP when the header is wrong or they do not lie within `length`. */
export function locateParts(bytes: Uint8Array, length: number, version: number, parts: DescriptorParts): Result {
  if (version >= FFA_VERSION_1_1) {
    if (length < MTD_1_1_SIZE_BYTES) return refuse('header: complete');
    for (let at = MTD_1_1_RESERVED_36_OFFSET; at < MTD_1_1_SIZE_BYTES; at++) {
      if (bytes[at] !== 0) return refuse('header: reserved is zero');
    }
    parts.emadSizeBytes = readU32(bytes, MTD_1_1_EMAD_SIZE_OFFSET);
    parts.emadArrayOffset = readU32(bytes, MTD_1_1_EMAD_ARRAY_OFFSET);
    if (!emadSizeAllowed(parts.emadSizeBytes, version)) return refuse('header: access descriptor size');
    if (parts.emadArrayOffset < MTD_1_1_SIZE_BYTES) return refuse('header: access descriptors behind it');
  } else {
    if (length < MTD_1_0_SIZE_BYTES) return refuse('header: complete');
    if (readU32(bytes, MTD_1_0_RESERVED_24_OFFSET) !== 0) return refuse('header: reserved is zero');
    parts.emadSizeBytes = EMAD_1_0_SIZE_BYTES;
    parts.emadArrayOffset = MTD_1_0_SIZE_BYTES;
  }
  parts.emadCount = readU32(bytes, MTD_EMAD_COUNT_OFFSET);
  return FFA_OK;
}

/** A 16-byte access descriptor's reserved field is looked at only where the sender is of 1.0. */
function reservedIsZero(bytes: Uint8Array, at: number, version: number, sizeBytes: number): boolean {
  if (sizeBytes === EMAD_1_2_SIZE_BYTES) {
    return (
      (readU32(bytes, at + EMAD_1_2_RESERVED_24_OFFSET) | readU32(bytes, at + EMAD_1_2_RESERVED_24_OFFSET + 4)) === 0
    );
  }
  if (version >= FFA_VERSION_1_1) return true;
  return (readU32(bytes, at + EMAD_1_0_RESERVED_8_OFFSET) | readU32(bytes, at + EMAD_1_0_RESERVED_8_OFFSET + 4)) === 0;
}

function emadSizeAllowed(sizeBytes: number, version: number): boolean {
  if (sizeBytes === EMAD_1_0_SIZE_BYTES) return true;
  return sizeBytes === EMAD_1_2_SIZE_BYTES && version >= FFA_VERSION_1_2;
}

/** Header, access descriptors and composite of a send, as bytes (checks 7 and 8). */
export function checkSendShape(
  spmc: Spmc,
  bytes: Uint8Array,
  length: number,
  version: number,
  parts: DescriptorParts,
): Result {
  const located = locateParts(bytes, length, version, parts);
  if (located !== FFA_OK) return located;
  const count = parts.emadCount;
  if (count === 0) return refuse('send: has a receiver');
  if (count > spmc.limits.receivers) return refuse('send: not too many receivers');
  const emadsEnd = parts.emadArrayOffset + count * parts.emadSizeBytes;
  if (emadsEnd > length) return refuse('send: access descriptors within fragment');
  parts.compositeOffset = readU32(bytes, parts.emadArrayOffset + EMAD_COMPOSITE_OFFSET);
  for (let n = 0; n < count; n++) {
    const at = parts.emadArrayOffset + n * parts.emadSizeBytes;
    if (!reservedIsZero(bytes, at, version, parts.emadSizeBytes)) {
      return refuse('send: access descriptor reserved is zero');
    }
    if (readU32(bytes, at + EMAD_COMPOSITE_OFFSET) !== parts.compositeOffset) return refuse('send: one composite');
  }
  if (parts.compositeOffset < emadsEnd) return refuse('send: composite behind access descriptors');
  if (parts.compositeOffset + COMPOSITE_SIZE_BYTES > length) return refuse('send: composite within fragment');
  if (version < FFA_VERSION_1_1 && length + GROWTH_SINCE_1_0_BYTES > PAGE_SIZE_BYTES) {
    return refuse('send: fits a page as 1.1');
  }
  return FFA_OK;
}

/** By how much a 1.0 descriptor grows in the layout that an SPMC of 1.1 and later keeps. */
const GROWTH_SINCE_1_0_BYTES = MTD_1_1_SIZE_BYTES - MTD_1_0_SIZE_BYTES;

/** Who sends what to whom, and how (checks 9 to 20). */
export function checkSendContent(
  spmc: Spmc,
  caller: Endpoint,
  kind: TransactionKind,
  bytes: Uint8Array,
  length: number,
  total: number,
  parts: DescriptorParts,
): Result {
  const count = parts.emadCount;
  const flags = readU32(bytes, MTD_FLAGS_OFFSET);
  const rules = spmc.personality.memory;
  if ((flags & ~rules.flags.sendMask(kind)) !== 0) return refuse('send: flags');
  if (kind === KIND_DONATE && count !== 1) return refuse('send: donated to one');
  const routed = checkReceivers(spmc, caller, kind, bytes, parts);
  if (routed !== FFA_OK) return routed;
  if (length % 16 !== 0) return refuse('send: length is whole');
  if (total % 16 !== 0) return refuse('send: total is whole');
  const sender = readU16(bytes, MTD_SENDER_OFFSET);
  if (caller.secure ? sender !== caller.id : isSecureEndpoint(sender)) return refuse('send: sender is the caller');
  if (namesReceiver(bytes, parts, sender)) return refuse('send: sender receives nothing');
  if (parts.compositeOffset % 16 !== 0) return refuse('send: composite alignment');
  const constituents = readU32(bytes, parts.compositeOffset + COMPOSITE_CONSTITUENT_COUNT_OFFSET);
  const end = parts.compositeOffset + COMPOSITE_SIZE_BYTES + constituents * CONSTITUENT_SIZE_BYTES;
  if (end !== total) return refuse('send: constituents match length');
  if ((flags & MEMORY_FLAG_TIME_SLICE) !== 0 && !rules.flags.ignored) return refuse('send: no time slice');
  const permitted = checkPermissions(kind, bytes, parts);
  if (permitted !== FFA_OK) return permitted;
  return checkAttributes(kind, count, readU16(bytes, MTD_ATTRIBUTES_OFFSET));
}

/** Known receivers, none of them the sender, in a direction that is allowed. */
function checkReceivers(
  spmc: Spmc,
  caller: Endpoint,
  kind: TransactionKind,
  bytes: Uint8Array,
  parts: DescriptorParts,
): Result {
  for (let n = 0; n < parts.emadCount; n++) {
    const id = readU16(bytes, parts.emadArrayOffset + n * parts.emadSizeBytes + EMAD_RECEIVER_OFFSET);
    if (id === caller.id) return refuse('send: sender receives nothing');
    if (!spmc.isEndpoint(id)) return refuse('send: receiver exists');
    if (isSecureEndpoint(id)) continue;
    // A page that a partition owns never reaches the normal world; among VMs alone memory is the hypervisor's business,
    // though a share with two VMs is let pass.
    if (caller.secure || kind !== KIND_SHARE || parts.emadCount === 1) return refuse('send: direction');
  }
  return FFA_OK;
}

/** Whether one of the access descriptors is `id`'s. */
export function namesReceiver(bytes: Uint8Array, parts: DescriptorParts, id: number): boolean {
  for (let n = 0; n < parts.emadCount; n++) {
    if (readU16(bytes, parts.emadArrayOffset + n * parts.emadSizeBytes + EMAD_RECEIVER_OFFSET) === id) return true;
  }
  return false;
}

function checkPermissions(kind: TransactionKind, bytes: Uint8Array, parts: DescriptorParts): Result {
  for (let n = 0; n < parts.emadCount; n++) {
    const at = parts.emadArrayOffset + n * parts.emadSizeBytes;
    const id = readU16(bytes, at + EMAD_RECEIVER_OFFSET);
    for (let other = 0; other < n; other++) {
      const otherAt = parts.emadArrayOffset + other * parts.emadSizeBytes;
      if (readU16(bytes, otherAt + EMAD_RECEIVER_OFFSET) === id) return refuse('send: receivers differ');
    }
    const permissions = bytes[at + EMAD_PERMISSIONS_OFFSET];
    const data = permissions & DATA_ACCESS_MASK;
    if (data === DATA_ACCESS_RESERVED) return refuse('send: data access exists');
    if ((permissions & INSTRUCTION_ACCESS_MASK) !== INSTRUCTION_ACCESS_UNSPECIFIED) {
      return refuse('send: instruction access is open');
    }
    if ((data === DATA_ACCESS_UNSPECIFIED) !== (kind === KIND_DONATE)) return refuse('send: data access of the kind');
  }
  return FFA_OK;
}

function checkAttributes(kind: TransactionKind, receiverCount: number, attributes: number): Result {
  if ((attributes & SECURITY_MASK) !== 0) return refuse('send: no NS bit');
  const type = attributes & MEMORY_TYPE_MASK;
  if (kind === KIND_DONATE || (kind === KIND_LEND && receiverCount === 1)) {
    return type === MEMORY_TYPE_UNSPECIFIED ? FFA_OK : refuse('send: no memory type');
  }
  return statedTypeAllowed(attributes) ? FFA_OK : refuse('send: memory type allowed');
}

/** Inner shareable, write-back if it is normal memory, nGnRnE if it is a device; the reserved type passes. */
export function statedTypeAllowed(attributes: number): boolean {
  if ((attributes & MEMORY_SHAREABILITY_MASK) !== MEMORY_INNER_SHAREABLE) return false;
  const cacheability = attributes & MEMORY_CACHEABILITY_MASK;
  const type = attributes & MEMORY_TYPE_MASK;
  if (type === MEMORY_TYPE_NORMAL) return cacheability === MEMORY_WRITE_BACK;
  return type !== MEMORY_TYPE_DEVICE || cacheability === MEMORY_DEVICE_NGNRNE;
}
