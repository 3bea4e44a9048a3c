// FFA_MEM_SHARE from a VM to one partition: check the descriptor, pin the pages, write the SPMC's descriptor, ask it,
// and keep the handle, or undo everything. [Xen ffa_shm.c]
//
// What is checked is a copy, read once. The guest's TX lock is held from there to the end, the hypervisor's TX lock
// over the SMC. Where the generations differ, `ShareRules` says how.
//
// Limits: one receiver, one fragment that lies in the TX buffer, plain RAM, read-write access.

import { isSecureEndpoint } from '../abi/endpoint-ids.ts';
import {
  FFA_ABORTED,
  FFA_BUSY,
  FFA_DENIED,
  FFA_INVALID_PARAMETERS,
  FFA_NO_MEMORY,
  FFA_NOT_SUPPORTED,
  FFA_OK,
} from '../abi/errors.ts';
import { FFA_ERROR, FFA_MEM_FRAG_RX, FFA_MEM_SHARE_64, FFA_SUCCESS_32 } from '../abi/function-ids.ts';
import { DATA_ACCESS_RW, MEMORY_ATTRIBUTE_NS, MEMORY_NORMAL_WRITE_BACK_INNER } from '../abi/layout/memory-bits.ts';
import {
  COMPOSITE_SIZE_BYTES,
  CONSTITUENT_PAGE_COUNT_OFFSET,
  CONSTITUENT_SIZE_BYTES,
  EMAD_1_0_SIZE_BYTES,
  EMAD_1_2_SIZE_BYTES,
} from '../abi/layout/memory-transaction.ts';
import { FFA_VERSION_1_2 } from '../abi/versions.ts';
import {
  ACCESS_READ,
  ACCESS_WRITE,
  TOUCH_BUFFER,
  TOUCH_FRAME,
  TOUCH_LOCK,
  TOUCH_REFERENCES,
} from '../base/announcement.ts';
import type { Coroutine, Pending } from '../base/coroutine.ts';
import { EVENT_SHARE_LIVE } from '../base/event-kinds.ts';
import { type GuestFrame, PAGE_SIZE_BYTES } from '../base/units.ts';
import type { Pe } from '../hardware/pe.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import { answerError, answerSuccess } from './answer.ts';
import type { Vcpu } from './domain.ts';
import type { FfaContext, Share } from './ffa-context.ts';
import { GUEST_FRAME_END } from './guest-memory.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { Handler } from './profile.ts';
import {
  type AccessLayoutRules,
  accessCompositeOffset,
  accessPermissions,
  accessReceiver,
  compositePageCount,
  compositeRangeCount,
  readImpdef,
  readShareHeader,
  writeSpmcDescriptor,
} from './share-descriptor.ts';
import { pinIn, pinRange, returnShare, takeShare } from './share-records.ts';
import { prepareCall } from './spmc-answer.ts';
import { spmcTxWords } from './spmc-buffers.ts';
import { type Staging, stage, stagingOf } from './staging.ts';

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

/** The handler of FFA_MEM_SHARE under `rules`. */
export function shareBy(rules: ShareRules): Handler {
  return (hypervisor, pe, vcpu) => {
    if (pe.stepping) return shareInSteps(hypervisor, pe, vcpu, rules);
    return share(hypervisor, pe, vcpu, rules);
  };
}

/**
 * Nobody explores: a plain path, which becomes a coroutine when the hypervisor's TX is taken or the SPMC needs time.
 */
function share(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu, rules: ShareRules): Pending {
  const registers = vcpu.registers;
  const context = vcpu.domain.ffa as FfaContext;
  const error = checkShareRegisters(hypervisor, registers, rules);
  if (error !== FFA_OK) {
    answerError(registers, error);
    return null;
  }
  if (!context.txLock.tryAcquire(pe)) {
    answerError(registers, FFA_BUSY);
    return null;
  }
  const staging = stagingOf(hypervisor, pe);
  const made = makeShare(hypervisor, staging, vcpu, context, rules);
  if (made === null) {
    context.txLock.release(pe);
    answerCode(registers, staging.error);
    return null;
  }
  const secure = hypervisor.secure;
  if (!secure.txLock.tryAcquire(pe)) return transmitInSteps(hypervisor, pe, vcpu, context, made, rules);
  if (!writeRequest(hypervisor, pe, context, made, staging, rules)) {
    concludeShare(hypervisor, pe, vcpu, context, made, FFA_NOT_SUPPORTED);
    return null;
  }
  const pending = secure.call(pe, context.vmId);
  if (pending !== null) return finishShare(hypervisor, pe, vcpu, context, made, pending);
  concludeShare(hypervisor, pe, vcpu, context, made, shareAnswer(pe.smc, made));
  return null;
}

/** Somebody explores: the same, with a yield wherever another PE can come between. */
function* shareInSteps(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu, rules: ShareRules): Coroutine {
  const registers = vcpu.registers;
  const context = vcpu.domain.ffa as FfaContext;
  const error = checkShareRegisters(hypervisor, registers, rules);
  if (error !== FFA_OK) {
    answerError(registers, error);
    return;
  }
  yield pe.writes(TOUCH_LOCK, context.txLock.id);
  if (!context.txLock.tryAcquire(pe)) {
    answerError(registers, FFA_BUSY);
    return;
  }
  pe.reads(TOUCH_BUFFER, context.vmId);
  pe.also(TOUCH_LOCK, context.lock.id, ACCESS_WRITE);
  pe.also(TOUCH_REFERENCES, context.txFrame, ACCESS_WRITE);
  yield pe.also(TOUCH_FRAME, context.txFrame, ACCESS_READ);
  const staging = stagingOf(hypervisor, pe);
  const made = makeShare(hypervisor, staging, vcpu, context, rules);
  if (made === null) {
    context.txLock.release(pe);
    answerCode(registers, staging.error);
    return;
  }
  yield* transmitInSteps(hypervisor, pe, vcpu, context, made, rules);
}

function* transmitInSteps(
  hypervisor: Hypervisor,
  pe: Pe,
  vcpu: Vcpu,
  context: FfaContext,
  made: Share,
  rules: ShareRules,
): Coroutine {
  const secure = hypervisor.secure;
  yield* secure.txLock.acquire(pe);
  if (!writeRequest(hypervisor, pe, context, made, stagingOf(hypervisor, pe), rules)) {
    concludeShare(hypervisor, pe, vcpu, context, made, FFA_NOT_SUPPORTED);
    return;
  }
  const pending = secure.call(pe, context.vmId);
  if (pending !== null) yield* pending;
  concludeShare(hypervisor, pe, vcpu, context, made, shareAnswer(pe.smc, made));
}

function* finishShare(
  hypervisor: Hypervisor,
  pe: Pe,
  vcpu: Vcpu,
  context: FfaContext,
  made: Share,
  pending: Coroutine,
): Coroutine {
  yield* pending;
  concludeShare(hypervisor, pe, vcpu, context, made, shareAnswer(pe.smc, made));
}

/**
 * Registers: w1 total length, w2 length of this fragment, x3 address of a buffer of its own, w4 its pages (not read).
 */
function checkShareRegisters(hypervisor: Hypervisor, registers: RegisterFile, rules: ShareRules): number {
  if (rules.needsFunction !== null && !hypervisor.secure.has(rules.needsFunction)) return FFA_NOT_SUPPORTED;
  // Only the RX/TX buffers are supported; the address counts with all its bits in the 32-bit form too.
  if ((registers.w(3) | registers.high(3)) !== 0) return FFA_NOT_SUPPORTED;
  const total = registers.w(1);
  const fragment = registers.w(2);
  if (fragment > total) return FFA_INVALID_PARAMETERS;
  return fragment === total ? FFA_OK : FFA_NOT_SUPPORTED;
}

/** A share with its pages pinned, from the descriptor in the guest's TX buffer; or null and `staging.error`. */
function makeShare(
  hypervisor: Hypervisor,
  staging: Staging,
  vcpu: Vcpu,
  context: FfaContext,
  rules: ShareRules,
): Share | null {
  const length = vcpu.registers.w(2);
  if (!context.buffersMapped && rules.unmappedError !== null) return refuse(staging, rules.unmappedError);
  if (length > context.bufferPageCount * PAGE_SIZE_BYTES) return refuse(staging, rules.oversizeError);
  if (context.buffersMapped) stage(hypervisor, staging, context.txFrame, 0, length);
  const header = staging.header;
  const error = readShareHeader(staging, length, context.version, rules, header);
  if (error !== FFA_OK) return refuse(staging, error);
  if ((header.attributes & MEMORY_ATTRIBUTE_NS) !== 0) return refuse(staging, rules.nonSecureBitError);
  if (header.attributes !== MEMORY_NORMAL_WRITE_BACK_INNER) return refuse(staging, FFA_NOT_SUPPORTED);
  if (header.receiverCount !== 1) return refuse(staging, FFA_NOT_SUPPORTED);
  if (header.sender !== context.vmId) return refuse(staging, FFA_INVALID_PARAMETERS);
  return makeShareFor(hypervisor, staging, context, rules, length);
}

/** The access entry, the composite, the pages. */
function makeShareFor(
  hypervisor: Hypervisor,
  staging: Staging,
  context: FfaContext,
  rules: ShareRules,
  length: number,
): Share | null {
  const header = staging.header;
  const access = header.accessOffset;
  // An entry may be announced smaller than it is, where the profile allows that: what follows is read all the same.
  const beyond = access + EMAD_1_0_SIZE_BYTES - length;
  if (beyond > 0) stage(hypervisor, staging, context.txFrame, length, beyond);
  const receiver = accessReceiver(staging, access);
  if (rules.receiverIsSecure && !isSecureEndpoint(receiver)) return refuse(staging, FFA_NOT_SUPPORTED);
  if (accessPermissions(staging, access) !== DATA_ACCESS_RW) return refuse(staging, FFA_NOT_SUPPORTED);
  const composite = accessCompositeOffset(staging, access);
  if (composite + COMPOSITE_SIZE_BYTES > length) return refuse(staging, FFA_NOT_SUPPORTED);
  const pageCount = compositePageCount(staging, composite);
  const rangeCount = compositeRangeCount(staging, composite);
  if (pageCount === 0) return refuse(staging, FFA_INVALID_PARAMETERS);
  if (pageCount > hypervisor.limits.pagesPerShare) return refuse(staging, FFA_NO_MEMORY);
  if (rules.impdefForwarded) readImpdef(staging, header, staging.impdef);
  const made = takeShare(hypervisor, context);
  if (made === null) return refuse(staging, FFA_NO_MEMORY);
  made.receiver = receiver;
  const ranges = composite + COMPOSITE_SIZE_BYTES;
  staging.error =
    ranges + rangeCount * CONSTITUENT_SIZE_BYTES > length
      ? FFA_INVALID_PARAMETERS
      : pinRanges(hypervisor, staging, context, made, ranges, rangeCount, pageCount | 0, rules.rangesAreAligned);
  if (staging.error === FFA_OK) return made;
  returnShare(hypervisor, context, made);
  return null;
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

function refuse(staging: Staging, error: number): null {
  staging.error = error;
  return null;
}

/** The SPMC's descriptor into the hypervisor's TX page and the call into `pe.smc`. False when it does not fit. */
function writeRequest(
  hypervisor: Hypervisor,
  pe: Pe,
  context: FfaContext,
  made: Share,
  staging: Staging,
  rules: ShareRules,
): boolean {
  const secure = hypervisor.secure;
  const long = rules.impdefForwarded && secure.version >= FFA_VERSION_1_2;
  const accessSizeBytes = long ? EMAD_1_2_SIZE_BYTES : EMAD_1_0_SIZE_BYTES;
  const size = writeSpmcDescriptor(spmcTxWords(secure), made, context.vmId, accessSizeBytes, staging.impdef);
  if (size === 0) return false;
  prepareCall(pe, FFA_MEM_SHARE_64, size, size);
  return true;
}

/** FFA_MEM_FRAG_RX: more than this is no offset. */
const FRAGMENT_OFFSET_MAX = 0x7fff_ffff;

/**
 * What the SPMC answered: FFA_OK with the handle in the share, or the code for the guest. FFA_MEM_FRAG_RX, which nobody
 * asked for, gives the number of bytes as the code. [Xen ffa_shm.c]
 */
function shareAnswer(answer: RegisterFile, made: Share): number {
  const words = answer.words;
  switch (words[1] === 0 ? words[0] : 0) {
    case FFA_ERROR:
      return words[4] === 0 ? FFA_NOT_SUPPORTED : words[4] | 0;
    case FFA_SUCCESS_32:
      made.handleLow = words[4];
      made.handleHigh = words[6];
      return FFA_OK;
    case FFA_MEM_FRAG_RX:
      made.handleLow = words[2];
      made.handleHigh = words[4];
      return words[7] !== 0 || words[6] > FRAGMENT_OFFSET_MAX ? FFA_ABORTED : words[6];
    default:
      return FFA_NOT_SUPPORTED;
  }
}

/** Ends the call with both TX locks held: keeps the share, or undoes it; answers the guest. */
function concludeShare(
  hypervisor: Hypervisor,
  pe: Pe,
  vcpu: Vcpu,
  context: FfaContext,
  made: Share,
  code: number,
): void {
  hypervisor.secure.txLock.release(pe);
  const { handleLow, handleHigh } = made;
  if (code === FFA_OK) keepShare(hypervisor, context, made);
  else returnShare(hypervisor, context, made);
  context.txLock.release(pe);
  if (code === FFA_OK) answerSuccess(vcpu.registers, handleLow, handleHigh);
  else answerError(vcpu.registers, code);
}

/** Appends a share that the SPMC has accepted to the guest's list. */
export function keepShare(hypervisor: Hypervisor, context: FfaContext, made: Share): void {
  context.shares.push(made);
  const events = hypervisor.machine.events;
  if (events.on) {
    events.emit(EVENT_SHARE_LIVE, 0, context.vmId, made.handleLow, made.handleHigh, made.pageCount, made.receiver);
  }
}

/** An error, or the success that nothing stands behind (see `ShareRules.oversizeError`). */
function answerCode(registers: RegisterFile, code: number): void {
  if (code === FFA_OK) answerSuccess(registers);
  else answerError(registers, code);
}
