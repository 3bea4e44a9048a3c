// FFA_MEM_SHARE, LEND and DONATE in the default profile: check and reserve. What is checked is a copy of the guest's
// TX, read once; what is reserved is a share record with its pages pinned. A refusal leaves nothing behind.

import { isSecureEndpoint } from '../abi/endpoint-ids.ts';
import { FFA_DENIED, FFA_INVALID_PARAMETERS, FFA_NO_MEMORY, FFA_NOT_SUPPORTED, FFA_OK } from '../abi/errors.ts';
import {
  FFA_MEM_DONATE_32,
  FFA_MEM_DONATE_64,
  FFA_MEM_SHARE_32,
  FFA_MEM_SHARE_64,
  SMC64_BIT,
} from '../abi/function-ids.ts';

import {
  COMPOSITE_SIZE_BYTES,
  CONSTITUENT_PAGE_COUNT_OFFSET,
  CONSTITUENT_SIZE_BYTES,
  EMAD_1_0_SIZE_BYTES,
  EMAD_1_2_SIZE_BYTES,
  EMAD_COMPOSITE_OFFSET,
} from '../abi/layout/memory-transaction.ts';

import { PAGE_SIZE_BYTES } from '../base/units.ts';

import type { Vcpu } from './domain.ts';
import type { FfaContext, Share } from './ffa-context.ts';
import type { Hypervisor } from './hypervisor.ts';

import { type AccessLayoutRules, readShareHeader } from './share-descriptor.ts';
import { pinIn, returnShare, takeShare } from './share-records.ts';

import { type Staging, stage } from './staging.ts';

const LAYOUT: AccessLayoutRules = { accessSizeMin: EMAD_1_0_SIZE_BYTES, accessAlignment: 16 };
const COMPOSITE_ALIGNMENT_BYTES = 16;
const RECEIVERS_MAX = 8;
/** Sends in fragments that one guest may have open. */
const PARTIAL_SENDS_MAX = 4;
/** Pages below which an address and its length cannot wrap around 64 bits. */
const ADDRESS_PAGE_END = 2 ** 52;
const PAGE_OFFSET_MASK = PAGE_SIZE_BYTES - 1;
/** An access entry's receiver: the low half of its first word. Entries are aligned to 16 bytes. */
const RECEIVER_MASK = 0xffff;

/** The 64-bit form of the guest's function, as a signed word: a small integer, unlike its unsigned value. */
export function spmcFunction(vcpu: Vcpu): number {
  return vcpu.registers.w(0) | SMC64_BIT;
}

/** w1 total length, w2 length of this fragment; x3 and w4 would name another buffer, which is not supported. */
export function checkRegisters(hypervisor: Hypervisor, vcpu: Vcpu): number {
  const registers = vcpu.registers;
  if (!hypervisor.secure.has(spmcFunction(vcpu))) return FFA_NOT_SUPPORTED;
  if ((registers.w(3) | registers.w(4)) !== 0) return FFA_INVALID_PARAMETERS;
  if ((registers.w(0) & SMC64_BIT) !== 0 && registers.high(3) !== 0) return FFA_INVALID_PARAMETERS;
  return registers.w(2) > registers.w(1) ? FFA_INVALID_PARAMETERS : FFA_OK;
}

/** A share with the pages of the first fragment pinned, from the guest's TX; or null and `staging.error`. */
export function reserve(hypervisor: Hypervisor, staging: Staging, vcpu: Vcpu, context: FfaContext): Share | null {
  const length = vcpu.registers.w(2);
  if (!context.buffersMapped || length > PAGE_SIZE_BYTES) return refuse(staging, FFA_INVALID_PARAMETERS);
  stage(hypervisor, staging, context.txFrame, 0, length);
  const header = staging.header;
  const error = readShareHeader(staging, length, context.version, LAYOUT, header);
  if (error !== FFA_OK) return refuse(staging, error);
  const { receiverCount, accessSizeBytes } = header;
  if (accessSizeBytes !== EMAD_1_0_SIZE_BYTES && accessSizeBytes !== EMAD_1_2_SIZE_BYTES) {
    return refuse(staging, FFA_INVALID_PARAMETERS);
  }
  if (receiverCount === 0 || receiverCount > RECEIVERS_MAX) return refuse(staging, FFA_INVALID_PARAMETERS);
  if (header.sender !== context.vmId) return refuse(staging, FFA_DENIED);
  const composite = staging.words[(header.accessOffset + EMAD_COMPOSITE_OFFSET) >> 2];
  const receiverError = checkReceivers(hypervisor, staging, context, composite);
  if (receiverError !== FFA_OK) return refuse(staging, receiverError);
  if (composite % COMPOSITE_ALIGNMENT_BYTES !== 0) return refuse(staging, FFA_INVALID_PARAMETERS);
  if (composite < header.accessOffset + accessSizeBytes * receiverCount || composite + COMPOSITE_SIZE_BYTES > length) {
    return refuse(staging, FFA_INVALID_PARAMETERS);
  }
  staging.composite = composite;
  staging.pageCount = staging.words[composite >> 2];
  staging.rangeCount = staging.words[(composite >> 2) + 1];
  return reservePages(hypervisor, staging, vcpu, context);
}

function checkReceivers(hypervisor: Hypervisor, staging: Staging, context: FfaContext, composite: number): number {
  const { receiverCount, accessOffset, accessSizeBytes } = staging.header;
  const { words } = staging;
  for (let n = 0; n < receiverCount; n++) {
    const at = (accessOffset + n * accessSizeBytes) >> 2;
    const receiver = words[at] & RECEIVER_MASK;
    if (words[at + EMAD_COMPOSITE_OFFSET / 4] !== composite || receiver === context.vmId) return FFA_INVALID_PARAMETERS;
    for (let m = 0; m < n; m++) {
      if ((words[(accessOffset + m * accessSizeBytes) >> 2] & RECEIVER_MASK) === receiver)
        return FFA_INVALID_PARAMETERS;
    }
    if (!isSecureEndpoint(receiver) && !isLivePeer(hypervisor, receiver)) return FFA_INVALID_PARAMETERS;
    if (!hypervisor.slots.mayBorrow(receiver)) return FFA_NO_MEMORY;
  }
  return FFA_OK;
}

/** Whether a VM id names a guest that is alive and speaks FF-A. */
function isLivePeer(hypervisor: Hypervisor, vmId: number): boolean {
  const domain = hypervisor.domains.findVm(vmId);
  return domain !== null && domain.ffa !== null && domain.ffa.version !== 0 && domain.life === 0;
}

function reservePages(hypervisor: Hypervisor, staging: Staging, vcpu: Vcpu, context: FfaContext): Share | null {
  const registers = vcpu.registers;
  const { composite, pageCount, rangeCount } = staging;
  const ranges = composite + COMPOSITE_SIZE_BYTES;
  const fragmented = registers.w(1) !== registers.w(2);
  if (pageCount === 0 || ranges + rangeCount * CONSTITUENT_SIZE_BYTES !== registers.w(1)) {
    return refuse(staging, FFA_INVALID_PARAMETERS);
  }
  if (pageCount > hypervisor.limits.pagesPerShare) return refuse(staging, FFA_NO_MEMORY);
  if (fragmented && context.partial.length >= PARTIAL_SENDS_MAX) return refuse(staging, FFA_NO_MEMORY);
  if (!hypervisor.slots.hasRoom(context.shareCount)) return refuse(staging, FFA_NO_MEMORY);
  const made = takeShare(hypervisor, context);
  if (made === null) return refuse(staging, FFA_NO_MEMORY);
  made.receiver = staging.words[staging.header.accessOffset >> 2] & RECEIVER_MASK;
  if (staging.header.receiverCount > 1) made.others = otherReceivers(staging);
  hypervisor.slots.take(made);
  made.taken = isShare(vcpu) ? null : [];
  made.donated = isDonation(vcpu);
  staging.error = pinConstituents(hypervisor, staging, context, made, ranges, registers.w(2), pageCount);
  if (staging.error === FFA_OK && !fragmented && made.pageCount !== pageCount) staging.error = FFA_INVALID_PARAMETERS;
  if (staging.error === FFA_OK) return made;
  returnShare(hypervisor, context, made);
  return null;
}

/** All receivers but the first. */
function otherReceivers({ header, words }: Staging): number[] {
  const { receiverCount, accessOffset, accessSizeBytes } = header;
  const others: number[] = [];
  for (let n = 1; n < receiverCount; n++) {
    others.push(words[(accessOffset + n * accessSizeBytes) >> 2] & RECEIVER_MASK);
  }
  return others;
}

function isShare(vcpu: Vcpu): boolean {
  const functionId = vcpu.registers.w(0);
  return functionId === FFA_MEM_SHARE_32 || functionId === FFA_MEM_SHARE_64;
}

function isDonation(vcpu: Vcpu): boolean {
  const functionId = vcpu.registers.w(0);
  return functionId === FFA_MEM_DONATE_32 || functionId === FFA_MEM_DONATE_64;
}

/** Pins the pages of the staged constituents between two offsets; no more than `pageCount` in all. */
export function pinConstituents(
  hypervisor: Hypervisor,
  staging: Staging,
  context: FfaContext,
  made: Share,
  from: number,
  to: number,
  pageCount: number,
): number {
  if ((to - from) % CONSTITUENT_SIZE_BYTES !== 0) return FFA_INVALID_PARAMETERS;
  const { words } = staging;
  const { frames } = hypervisor.machine;
  const { stage2, serial } = context.domain;
  const { taken } = made;
  const end = to >> 2;
  for (let word = from >> 2; word < end; word += CONSTITUENT_SIZE_BYTES / 4) {
    const low = words[word];
    const high = words[word + 1];
    const count = words[word + CONSTITUENT_PAGE_COUNT_OFFSET / 4];
    // Guest frames of the first 4 GiB stay small integers.
    const gfn = high === 0 ? low >>> 12 : high * 0x10_0000 + (low >>> 12);
    if ((low & PAGE_OFFSET_MASK) !== 0) return FFA_INVALID_PARAMETERS;
    if (high !== 0 && gfn + count > ADDRESS_PAGE_END) return FFA_INVALID_PARAMETERS;
    if (count > pageCount - made.pageCount) return FFA_INVALID_PARAMETERS;
    if (count === 0 || !pinIn(frames, stage2, serial, made, gfn, count)) return FFA_DENIED;
    if (taken !== null) taken.push(gfn, count);
  }
  return FFA_OK;
}

function refuse(staging: Staging, error: number): null {
  staging.error = error;
  return null;
}
