// A guest's memory transaction descriptor, read from the staged copy of its TX page, and the descriptor that the
// hypervisor writes for the SPMC: the same transaction in physical addresses, adjacent pages merged. [Xen ffa_shm.c]
//
// Limits: one receiver, one fragment, no more than fits the hypervisor's TX page.

import { FFA_INVALID_PARAMETERS, FFA_OK } from '../abi/errors.ts';
import { DATA_ACCESS_RW, MEMORY_NORMAL_WRITE_BACK_INNER } from '../abi/layout/memory-bits.ts';
import {
  COMPOSITE_CONSTITUENT_COUNT_OFFSET,
  COMPOSITE_PAGE_COUNT_OFFSET,
  COMPOSITE_SIZE_BYTES,
  CONSTITUENT_SIZE_BYTES,
  EMAD_1_0_SIZE_BYTES,
  EMAD_1_2_IMPDEF_OFFSET,
  EMAD_1_2_SIZE_BYTES,
  EMAD_COMPOSITE_OFFSET,
  EMAD_PERMISSIONS_OFFSET,
  EMAD_RECEIVER_OFFSET,
  MTD_1_0_SIZE_BYTES,
  MTD_1_1_EMAD_ARRAY_OFFSET,
  MTD_1_1_EMAD_SIZE_OFFSET,
  MTD_1_1_SIZE_BYTES,
  MTD_EMAD_COUNT_OFFSET,
  MTD_FLAGS_OFFSET,
  MTD_SENDER_OFFSET,
} from '../abi/layout/memory-transaction.ts';
import { FFA_VERSION_1_1 } from '../abi/versions.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { Share } from './ffa-context.ts';
import type { Staging } from './staging.ts';

/** Fields of wider types are accepted up to these. */
const BYTE_MAX = 0xff;
const OFFSET_MAX = 0xffff;
/** The descriptor's first word: the sender, then the attributes (one byte in version 1.0, with a reserved one). */
const SENDER_MASK = 0xffff;
const ATTRIBUTES_SHIFT = 16;

/** What the header of a descriptor states, whatever its layout. One per PE, overwritten by each call. */
export class ShareHeader {
  sender = 0;
  attributes = 0;
  flags = 0;
  receiverCount = 0;
  accessSizeBytes = 0;
  accessOffset = 0;
  /** From the access entry and its composite. */
  receiver = 0;
  pageCount = 0;
  rangeCount = 0;
  rangesOffset = 0;
}

/** What a profile asks of the array of endpoint memory access descriptors. */
export interface AccessLayoutRules {
  /** Smallest size of an entry. */
  readonly accessSizeMin: number;
  /** What the array's offset must be a multiple of. */
  readonly accessAlignment: number;
}

/**
 * Reads the header in the layout of `version`, from the first `length` staged bytes. Order: the header fits, the fields
 * are in range, the array fits, then the profile's rules.
 */
export function readShareHeader(
  staging: Staging,
  length: number,
  version: number,
  rules: AccessLayoutRules,
  header: ShareHeader,
): number {
  const is11 = version >= FFA_VERSION_1_1;
  if (length < (is11 ? MTD_1_1_SIZE_BYTES : MTD_1_0_SIZE_BYTES)) return FFA_INVALID_PARAMETERS;
  const { words } = staging;
  const first = words[MTD_SENDER_OFFSET / 4];
  const flags = words[MTD_FLAGS_OFFSET / 4];
  const receiverCount = words[MTD_EMAD_COUNT_OFFSET / 4];
  const attributes = is11 ? first >>> ATTRIBUTES_SHIFT : (first >>> ATTRIBUTES_SHIFT) & BYTE_MAX;
  const accessSizeBytes = is11 ? words[MTD_1_1_EMAD_SIZE_OFFSET / 4] : EMAD_1_0_SIZE_BYTES;
  const accessOffset = is11 ? words[MTD_1_1_EMAD_ARRAY_OFFSET / 4] : MTD_1_0_SIZE_BYTES;
  header.sender = first & SENDER_MASK;
  header.flags = flags;
  header.receiverCount = receiverCount;
  header.attributes = attributes;
  header.accessSizeBytes = accessSizeBytes;
  header.accessOffset = accessOffset;
  if (attributes > BYTE_MAX || flags > BYTE_MAX) return FFA_INVALID_PARAMETERS;
  if (accessSizeBytes > BYTE_MAX || receiverCount > BYTE_MAX || accessOffset > OFFSET_MAX)
    return FFA_INVALID_PARAMETERS;
  if (accessSizeBytes * receiverCount + accessOffset > length) return FFA_INVALID_PARAMETERS;
  if (accessSizeBytes < rules.accessSizeMin) return FFA_INVALID_PARAMETERS;
  return accessOffset % rules.accessAlignment === 0 ? FFA_OK : FFA_INVALID_PARAMETERS;
}

export function accessReceiver(staging: Staging, accessOffset: number): number {
  return staging.u16(accessOffset + EMAD_RECEIVER_OFFSET);
}

export function accessPermissions(staging: Staging, accessOffset: number): number {
  return staging.u8(accessOffset + EMAD_PERMISSIONS_OFFSET);
}

export function accessCompositeOffset(staging: Staging, accessOffset: number): number {
  return staging.u32(accessOffset + EMAD_COMPOSITE_OFFSET);
}

export function compositePageCount(staging: Staging, compositeOffset: number): number {
  return staging.u32(compositeOffset + COMPOSITE_PAGE_COUNT_OFFSET);
}

export function compositeRangeCount(staging: Staging, compositeOffset: number): number {
  return staging.u32(compositeOffset + COMPOSITE_CONSTITUENT_COUNT_OFFSET);
}

/** Words of the implementation defined value, in order; zero in an entry that has none. */
export const IMPDEF_WORDS = 4;

/** The receiver's implementation defined value, for entries of 32 bytes. */
export function readImpdef(staging: Staging, header: ShareHeader, into: Uint32Array): void {
  const has = header.accessSizeBytes >= EMAD_1_2_SIZE_BYTES;
  const from = header.accessOffset + EMAD_1_2_IMPDEF_OFFSET;
  for (let n = 0; n < IMPDEF_WORDS; n++) into[n] = has ? staging.u32(from + 4 * n) : 0;
}

const PAGE_HIGH_SHIFT = 20;
/** The SPMC's descriptor: header, one access entry, composite, constituents; in words. */
const HEADER_WORDS = MTD_1_1_SIZE_BYTES / 4;
const COMPOSITE_WORDS = COMPOSITE_SIZE_BYTES / 4;
const CONSTITUENT_WORDS = CONSTITUENT_SIZE_BYTES / 4;

/** Size of the SPMC's descriptor of a share with entries of `accessSizeBytes`. */
function spmcDescriptorSize(share: Share, accessSizeBytes: number): number {
  return MTD_1_1_SIZE_BYTES + accessSizeBytes + COMPOSITE_SIZE_BYTES + share.runCount * CONSTITUENT_SIZE_BYTES;
}

/**
 * Writes the share's descriptor for the SPMC into `words`: version 1.1, normal write-back memory, one receiver with
 * read-write access, flags, handle and tag zero. `accessSizeBytes` is 16, or 32 with `impdef`. Returns its size, or 0
 * when it does not fit a page (nothing is written then).
 */
export function writeSpmcDescriptor(
  words: Uint32Array,
  share: Share,
  sender: number,
  accessSizeBytes: number,
  impdef: Uint32Array,
): number {
  const size = spmcDescriptorSize(share, accessSizeBytes);
  if (size > PAGE_SIZE_BYTES) return 0;
  words[0] = sender | (MEMORY_NORMAL_WRITE_BACK_INNER << 16);
  words[1] = 0;
  words[2] = 0;
  words[3] = 0;
  words[4] = 0;
  words[5] = 0;
  words[6] = accessSizeBytes;
  words[7] = 1;
  words[8] = MTD_1_1_SIZE_BYTES;
  words[9] = 0;
  words[10] = 0;
  words[11] = 0;
  words[HEADER_WORDS] = share.receiver | (DATA_ACCESS_RW << 16);
  words[HEADER_WORDS + 1] = MTD_1_1_SIZE_BYTES + accessSizeBytes;
  words[HEADER_WORDS + 2] = 0;
  words[HEADER_WORDS + 3] = 0;
  if (accessSizeBytes >= EMAD_1_2_SIZE_BYTES) {
    words[HEADER_WORDS + 2] = impdef[0];
    words[HEADER_WORDS + 3] = impdef[1];
    words[HEADER_WORDS + 4] = impdef[2];
    words[HEADER_WORDS + 5] = impdef[3];
    words[HEADER_WORDS + 6] = 0;
    words[HEADER_WORDS + 7] = 0;
  }
  let at = HEADER_WORDS + accessSizeBytes / 4;
  words[at] = share.pageCount;
  words[at + 1] = share.runCount;
  words[at + 2] = 0;
  words[at + 3] = 0;
  at += COMPOSITE_WORDS;
  const runs = share.runs;
  const end = 2 * share.runCount;
  for (let n = 0; n < end; n += 2) {
    const frame = runs[n];
    words[at] = frame << 12;
    words[at + 1] = frame >>> PAGE_HIGH_SHIFT;
    words[at + 2] = runs[n + 1];
    words[at + 3] = 0;
    at += CONSTITUENT_WORDS;
  }
  return size;
}
