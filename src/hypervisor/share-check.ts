// FFA_MEM_SHARE, the descriptor's side: what a guest may ask (check), and the share record with its pages pinned
// (reserve). Both work on the PE's staged copy of the TX buffer, which is read once. [Xen ffa_shm.c]

import { isSecureEndpoint } from '../abi/endpoint-ids.ts';
import { FFA_DENIED, FFA_INVALID_PARAMETERS, FFA_NO_MEMORY, FFA_NOT_SUPPORTED, FFA_OK } from '../abi/errors.ts';
import { FFA_MEM_SHARE_64 } from '../abi/function-ids.ts';
import { DATA_ACCESS_RW, MEMORY_ATTRIBUTE_NS, MEMORY_NORMAL_WRITE_BACK_INNER } from '../abi/layout/memory-bits.ts';
import {
  COMPOSITE_SIZE_BYTES,
  CONSTITUENT_PAGE_COUNT_OFFSET,
  CONSTITUENT_SIZE_BYTES,
  EMAD_1_0_SIZE_BYTES,
} from '../abi/layout/memory-transaction.ts';
import { ACCESS_WRITE, TOUCH_DOMAIN, TOUCH_LOCK, TOUCH_REFERENCES } from '../base/announcement.ts';
import type { Wait } from '../base/coroutine.ts';
import { type GuestFrame, PAGE_SIZE_BYTES } from '../base/units.ts';
import type { Pe } from '../hardware/pe.ts';
import type { FfaContext, Share } from './ffa-context.ts';
import { GUEST_FRAME_END, NO_FRAME, plainRam } from './guest-memory.ts';
import type { Hypervisor } from './hypervisor.ts';
import {
  type AccessLayoutRules,
  accessCompositeOffset,
  accessPermissions,
  accessReceiver,
  compositePageCount,
  compositeRangeCount,
  readImpdef,
  readShareHeader,
} from './share-descriptor.ts';
import { pinIn, pinRange, returnShare, takeShare } from './share-records.ts';
import { type Staging, stage } from './staging.ts';

/** Where one profile's MEM_SHARE differs from another's. */
export interface ShareRules extends AccessLayoutRules {
  /** Refused at once (NOT_SUPPORTED) when the SPMC lacks it; null: not asked. */
  readonly needsFunction: number | null;
  /** Answer to a guest without a TX buffer; null: it counts as a buffer of no pages. */
  readonly unmappedError: number | null;
  /** Answer to a fragment that is larger than the TX buffer; FFA_OK: success, with handle 0 and nothing shared. */
  readonly oversizeError: number;
  /** Answer to an attribute with the NS bit. */
  readonly nonSecureBitError: number;
  /** Whether a receiver that is no partition is refused here (else the SPMC decides). */
  readonly receiverIsSecure: boolean;
  /** Whether a range that begins inside a page, or wraps, is refused (else rounded down). */
  readonly rangesAreAligned: boolean;
  /** Whether an SPMC of 1.2 gets access entries of 32 bytes, with the implementation defined value. */
  readonly impdefForwarded: boolean;
}

/** [Xen 7356bb5e47] */
export const FIRST_SHARE_RULES: ShareRules = {
  accessSizeMin: 0,
  accessAlignment: 1,
  needsFunction: null,
  unmappedError: null,
  oversizeError: FFA_DENIED,
  nonSecureBitError: FFA_NOT_SUPPORTED,
  receiverIsSecure: false,
  rangesAreAligned: false,
  impdefForwarded: false,
};

/** [Xen a90376c6ad] [Xen 01c79ad9c6] [Xen edf036fac2] */
export const HARDENED_SHARE_RULES: ShareRules = {
  accessSizeMin: EMAD_1_0_SIZE_BYTES,
  accessAlignment: 16,
  needsFunction: FFA_MEM_SHARE_64,
  unmappedError: FFA_DENIED,
  oversizeError: FFA_OK,
  nonSecureBitError: FFA_INVALID_PARAMETERS,
  receiverIsSecure: true,
  rangesAreAligned: true,
  impdefForwarded: true,
};

/**
 * Stages the descriptor of `length` bytes from the guest's TX buffer and checks it. On FFA_OK `staging.header` says
 * what is to be shared; else the code for the guest. (FFA_OK from `rules.oversizeError` leaves a header of no pages.)
 */
export function checkShare(
  hypervisor: Hypervisor,
  staging: Staging,
  context: FfaContext,
  rules: ShareRules,
  length: number,
): number {
  const header = staging.header;
  header.pageCount = 0;
  if (!context.buffersMapped && rules.unmappedError !== null) return rules.unmappedError;
  if (length > context.bufferPageCount * PAGE_SIZE_BYTES) return rules.oversizeError;
  if (context.buffersMapped) stage(hypervisor, staging, context.txFrame, 0, length);
  const error = readShareHeader(staging, length, context.version, rules, header);
  if (error !== FFA_OK) return error;
  if ((header.attributes & MEMORY_ATTRIBUTE_NS) !== 0) return rules.nonSecureBitError;
  if (header.attributes !== MEMORY_NORMAL_WRITE_BACK_INNER) return FFA_NOT_SUPPORTED;
  if (header.receiverCount !== 1) return FFA_NOT_SUPPORTED;
  if (header.sender !== context.vmId) return FFA_INVALID_PARAMETERS;
  return checkAccess(hypervisor, staging, context, rules, length);
}

/** The access entry and the composite. */
function checkAccess(
  hypervisor: Hypervisor,
  staging: Staging,
  context: FfaContext,
  rules: ShareRules,
  length: number,
): number {
  const header = staging.header;
  const access = header.accessOffset;
  // An entry may be announced smaller than it is, where the profile allows that: what follows is read all the same.
  const beyond = access + EMAD_1_0_SIZE_BYTES - length;
  if (beyond > 0) stage(hypervisor, staging, context.txFrame, length, beyond);
  header.receiver = accessReceiver(staging, access);
  if (rules.receiverIsSecure && !isSecureEndpoint(header.receiver)) return FFA_NOT_SUPPORTED;
  if (accessPermissions(staging, access) !== DATA_ACCESS_RW) return FFA_NOT_SUPPORTED;
  const composite = accessCompositeOffset(staging, access);
  if (composite + COMPOSITE_SIZE_BYTES > length) return FFA_NOT_SUPPORTED;
  const pageCount = compositePageCount(staging, composite);
  if (pageCount === 0) return FFA_INVALID_PARAMETERS;
  if (pageCount > hypervisor.limits.pagesPerShare) return FFA_NO_MEMORY;
  header.pageCount = pageCount | 0;
  header.rangeCount = compositeRangeCount(staging, composite);
  header.rangesOffset = composite + COMPOSITE_SIZE_BYTES;
  if (rules.impdefForwarded) readImpdef(staging, header, staging.impdef);
  return FFA_OK;
}

/** The checked share with its pages pinned; or null, nothing kept, and the code for the guest in `staging.error`. */
export function reserveShare(
  hypervisor: Hypervisor,
  staging: Staging,
  context: FfaContext,
  rules: ShareRules,
  length: number,
): Share | null {
  const { receiver, rangesOffset, rangeCount, pageCount } = staging.header;
  const made = takeShare(hypervisor, context);
  if (made === null) {
    staging.error = FFA_NO_MEMORY;
    return null;
  }
  made.receiver = receiver;
  staging.error =
    rangesOffset + rangeCount * CONSTITUENT_SIZE_BYTES > length
      ? FFA_INVALID_PARAMETERS
      : pinRanges(hypervisor, staging, context, made, rangesOffset, rangeCount, pageCount, rules.rangesAreAligned);
  if (staging.error === FFA_OK) return made;
  returnShare(hypervisor, context, made);
  return null;
}

/**
 * Announces the references that `reserveShare` will take, as far as stage 2 says now; more frames than an announcement
 * holds make it "everything".
 */
export function announceReserve(pe: Pe, staging: Staging, context: FfaContext, length: number): Wait {
  const { rangesOffset, rangeCount, pageCount } = staging.header;
  const stage2 = context.domain.stage2;
  const end = Math.min(rangesOffset + rangeCount * CONSTITUENT_SIZE_BYTES, length);
  let wait = pe.writes(TOUCH_LOCK, context.lock.id);
  wait = pe.also(TOUCH_DOMAIN, context.domain.serial, ACCESS_WRITE);
  let left = pageCount;
  for (let at = rangesOffset; at < end && left > 0; at += CONSTITUENT_SIZE_BYTES) {
    const gfn = staging.u32(at + 4) * 0x10_0000 + (staging.u32(at) >>> 12);
    const count = Math.min(staging.u32(at + CONSTITUENT_PAGE_COUNT_OFFSET), left);
    for (let n = 0; n < count; n++) {
      const frame = plainRam(stage2, (gfn + n) % GUEST_FRAME_END);
      if (frame !== NO_FRAME) wait = pe.also(TOUCH_REFERENCES, frame, ACCESS_WRITE);
    }
    left -= count;
  }
  return wait;
}

/** Pins the pages of each range in order; they must be as many as announced. */
function pinRanges(
  hypervisor: Hypervisor,
  staging: Staging,
  context: FfaContext,
  made: Share,
  offset: number,
  rangeCount: number,
  pageCount: number,
  aligned: boolean,
): number {
  const end = offset + rangeCount * CONSTITUENT_SIZE_BYTES;
  const frames = hypervisor.machine.frames;
  const { stage2, serial } = context.domain;
  for (let at = offset; at < end; at += CONSTITUENT_SIZE_BYTES) {
    const low = staging.u32(at);
    const high = staging.u32(at + 4);
    const count = staging.u32(at + CONSTITUENT_PAGE_COUNT_OFFSET);
    if (aligned && (low & (PAGE_SIZE_BYTES - 1)) !== 0) return FFA_INVALID_PARAMETERS;
    const room = pageCount - made.pageCount;
    // As a signed integer, like `room`: a loop bound that may be a double costs a fifth of the call.
    const wanted = count < room ? count | 0 : room;
    if (high === 0) {
      // Below 4 GiB, where nearly all guests have their RAM, frame numbers are small integers: twice as quick.
      if (!pinIn(frames, stage2, serial, made, low >>> 12, wanted)) return FFA_DENIED;
    } else {
      const error = pinHighRange(hypervisor, context, made, high * 0x10_0000 + (low >>> 12), wanted, aligned);
      if (error !== FFA_OK) return error;
    }
    if (count > room) return FFA_INVALID_PARAMETERS;
  }
  return made.pageCount === pageCount ? FFA_OK : FFA_INVALID_PARAMETERS;
}

/** A range that may reach the end of 64 bits of address: it goes on at 0, or is refused, when its turn comes. */
function pinHighRange(
  hypervisor: Hypervisor,
  context: FfaContext,
  made: Share,
  gfn: GuestFrame,
  count: number,
  aligned: boolean,
): number {
  const straight = gfn + count <= GUEST_FRAME_END ? count : GUEST_FRAME_END - gfn;
  if (!pinRange(hypervisor, context, made, gfn, straight)) return FFA_DENIED;
  if (straight === count) return FFA_OK;
  if (aligned) return FFA_INVALID_PARAMETERS;
  return pinRange(hypervisor, context, made, 0, count - straight) ? FFA_OK : FFA_DENIED;
}
