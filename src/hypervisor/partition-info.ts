// FFA_PARTITION_INFO_GET, in two ways: asked of the SPMC each time, or answered from the boot-time listing, with the
// VMs that the guest may see. [Xen 7356bb5e47] [Xen ffa_partinfo.c]
//
// Limits: the listing must fit the guest's RX buffer, one page.

import { FFA_BUSY, FFA_DENIED, FFA_INVALID_PARAMETERS, FFA_NO_MEMORY, FFA_OK } from '../abi/errors.ts';
import { FFA_PARTITION_INFO_GET, FFA_RX_ACQUIRE, FFA_RX_RELEASE } from '../abi/function-ids.ts';
import {
  PARTITION_INFO_1_0_SIZE_BYTES,
  PARTITION_INFO_1_1_SIZE_BYTES,
  PARTITION_INFO_GET_FLAG_COUNT_ONLY,
} from '../abi/layout/partition-information.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_1 } from '../abi/versions.ts';
import { ACCESS_READ, ACCESS_WRITE, TOUCH_BUFFER, TOUCH_FRAME, TOUCH_LOCK, TOUCH_QUEUE } from '../base/announcement.ts';
import type { Coroutine, Pending } from '../base/coroutine.ts';
import { EVENT_MEMORY_WRITE } from '../base/event-kinds.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { Pe } from '../hardware/pe.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import { answerError, answerSuccess } from './answer.ts';
import type { Vcpu } from './domain.ts';
import type { FfaContext } from './ffa-context.ts';
import type { Hypervisor } from './hypervisor.ts';
import {
  listedVmCount,
  type PartitionListing,
  partitionListing,
  writeEntry,
  writeVmEntries,
} from './partition-listing.ts';
import { releaseRx } from './rx-tx-buffers.ts';
import { answerCode, callSimply, prepareCall } from './spmc-answer.ts';
import { stagingOf } from './staging.ts';

// --- Asked of the SPMC each time ---

/** FFA_PARTITION_INFO_GET of the first generation: the SPMC answers, its entries are copied to the guest's RX. */
export function* listPartitionsFromSpmc(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Coroutine {
  const context = vcpu.domain.ffa as FfaContext;
  const registers = vcpu.registers;
  const secure = hypervisor.secure;
  const flags = registers.w(5);
  if (flags === PARTITION_INFO_GET_FLAG_COUNT_ONLY && context.version === FFA_VERSION_1_1) {
    answerListing(registers, pe, yield* askSpmc(hypervisor, pe, context.vmId, registers));
    return;
  }
  if (flags !== 0) {
    answerError(registers, FFA_INVALID_PARAMETERS);
    return;
  }
  if (pe.stepping) {
    pe.writes(TOUCH_BUFFER, context.vmId);
    yield pe.also(TOUCH_LOCK, context.rxLock.id, ACCESS_WRITE);
  }
  if (!context.rxLock.tryAcquire(pe)) {
    answerError(registers, FFA_BUSY);
    return;
  }
  if (context.bufferPageCount === 0 || !context.rxFree) {
    context.rxLock.release(pe);
    answerError(registers, FFA_DENIED);
    return;
  }
  yield* secure.rxLock.acquire(pe);
  const code = yield* askSpmc(hypervisor, pe, context.vmId, registers);
  const count = pe.smc.w(2);
  const sizeBytes = pe.smc.w(3);
  let copied = code;
  if (code === FFA_OK) {
    if (pe.stepping) {
      pe.writes(TOUCH_FRAME, context.rxFrame);
      pe.also(TOUCH_BUFFER, context.vmId, ACCESS_WRITE);
      yield pe.also(TOUCH_FRAME, secure.rxFrame, ACCESS_READ);
    }
    copied = copyListing(hypervisor, pe, context, count, sizeBytes);
    if (copied === FFA_OK) context.rxFree = false;
    // The SPMC gave its RX with the answer; it gets it back whatever became of the copy.
    yield* callSimply(secure, pe, context.vmId, FFA_RX_RELEASE);
  }
  secure.rxLock.release(pe);
  context.rxLock.release(pe);
  if (copied === FFA_OK) answerSuccess(registers, count, sizeBytes);
  else answerError(registers, copied);
}

function* askSpmc(hypervisor: Hypervisor, pe: Pe, vmId: number, guest: RegisterFile): Coroutine<number> {
  prepareCall(pe, FFA_PARTITION_INFO_GET, guest.w(1), guest.w(2), guest.w(3), guest.w(4), guest.w(5));
  const pending = hypervisor.secure.call(pe, vmId);
  if (pending !== null) yield* pending;
  return answerCode(pe.smc);
}

function answerListing(registers: RegisterFile, pe: Pe, code: number): void {
  if (code === FFA_OK) answerSuccess(registers, pe.smc.w(2), pe.smc.w(3));
  else answerError(registers, code);
}

/**
 * The SPMC's entries from the hypervisor's RX to the guest's: as they are, or, for a guest of 1.0, the first 8 bytes of
 * each (whatever size the SPMC states, entries are taken to be 24 bytes then).
 */
function copyListing(hypervisor: Hypervisor, pe: Pe, context: FfaContext, count: number, sizeBytes: number): number {
  const capacity = context.bufferPageCount * PAGE_SIZE_BYTES;
  const contents = hypervisor.machine.frames.contents;
  const bytes = stagingOf(hypervisor, pe).bytes;
  const source = hypervisor.secure.rxFrame * PAGE_SIZE_BYTES;
  const target = context.rxFrame * PAGE_SIZE_BYTES;
  if (context.version === FFA_VERSION_1_0) {
    const length = count * PARTITION_INFO_1_0_SIZE_BYTES;
    if (length > capacity) return FFA_NO_MEMORY;
    for (let n = 0; n < count; n++) {
      const at = n * PARTITION_INFO_1_0_SIZE_BYTES;
      contents.read(source + n * PARTITION_INFO_1_1_SIZE_BYTES, bytes, at, PARTITION_INFO_1_0_SIZE_BYTES);
    }
    contents.write(target, bytes, 0, length);
    emitRxWrite(hypervisor, pe, context, length);
    return FFA_OK;
  }
  // The product is of 32 bits there.
  const length = Math.imul(count, sizeBytes) >>> 0;
  if (length > capacity) return FFA_NO_MEMORY;
  contents.read(source, bytes, 0, length);
  contents.write(target, bytes, 0, length);
  emitRxWrite(hypervisor, pe, context, length);
  return FFA_OK;
}

/** Tells listeners that the mediator wrote the start of a guest's RX. */
export function emitRxWrite(hypervisor: Hypervisor, pe: Pe, context: FfaContext, length: number): void {
  const events = hypervisor.machine.events;
  if (events.on) events.emit(EVENT_MEMORY_WRITE, pe.index, 0, context.rxFrame, 0, length);
}

// --- From the boot-time listing ---

/** FFA_PARTITION_INFO_GET of the second generation: no SMC but FFA_RX_ACQUIRE. */
export function listPartitions(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending {
  const context = vcpu.domain.ffa as FfaContext;
  const registers = vcpu.registers;
  const flags = registers.w(5);
  if (flags !== 0) {
    if (context.version === FFA_VERSION_1_0 || flags !== PARTITION_INFO_GET_FLAG_COUNT_ONLY) {
      answerError(registers, FFA_INVALID_PARAMETERS);
      return null;
    }
    if (pe.stepping) return countInSteps(hypervisor, pe, vcpu, context);
    answerCount(hypervisor, registers, context);
    return null;
  }
  if (pe.stepping || !context.rxLock.tryAcquire(pe)) return listInSteps(hypervisor, pe, vcpu, context);
  if (!context.buffersMapped || !context.rxFree) {
    context.rxLock.release(pe);
    answerError(registers, context.buffersMapped ? FFA_BUSY : FFA_DENIED);
    return null;
  }
  const secure = hypervisor.secure;
  if (secure.has(FFA_RX_ACQUIRE)) {
    prepareCall(pe, FFA_RX_ACQUIRE, context.vmId);
    const pending = secure.call(pe, context.vmId);
    if (pending !== null) return finishListing(hypervisor, pe, vcpu, context, pending);
    const code = answerCode(pe.smc);
    if (code !== FFA_OK) {
      context.rxLock.release(pe);
      answerError(registers, code);
      return null;
    }
  }
  context.rxFree = false;
  context.rxFilling = true;
  context.rxLock.release(pe);
  const filled = fillRx(hypervisor, pe, registers, context);
  return filled === FFA_OK ? null : giveBack(hypervisor, pe, vcpu, context, filled);
}

function* countInSteps(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu, context: FfaContext): Coroutine {
  yield pe.reads(TOUCH_QUEUE, hypervisor.vmList.lock.id);
  answerCount(hypervisor, vcpu.registers, context);
}

function answerCount(hypervisor: Hypervisor, registers: RegisterFile, context: FfaContext): void {
  const listing = partitionListing(hypervisor.secure);
  const nil = asksForAll(registers);
  const count = nil
    ? listing.partitions.length + listedVmCount(hypervisor, context)
    : matchCount(listing, registers.w(1), registers.w(2), registers.w(3), registers.w(4));
  if (!nil && count === 0) answerError(registers, FFA_INVALID_PARAMETERS);
  else answerSuccess(registers, count);
}

function asksForAll(registers: RegisterFile): boolean {
  return (registers.w(1) | registers.w(2) | registers.w(3) | registers.w(4)) === 0;
}

/** Whether the `n`-th partition has this UUID. */
export function matches(
  listing: PartitionListing,
  n: number,
  uuid0: number,
  uuid1: number,
  uuid2: number,
  uuid3: number,
): boolean {
  const uuids = listing.uuids;
  const at = 4 * n;
  return uuids[at] === uuid0 && uuids[at + 1] === uuid1 && uuids[at + 2] === uuid2 && uuids[at + 3] === uuid3;
}

export function matchCount(
  listing: PartitionListing,
  uuid0: number,
  uuid1: number,
  uuid2: number,
  uuid3: number,
): number {
  let count = 0;
  for (let n = 0; n < listing.partitions.length; n++) {
    if (matches(listing, n, uuid0, uuid1, uuid2, uuid3)) count++;
  }
  return count;
}

function* listInSteps(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu, context: FfaContext): Coroutine {
  yield* context.rxLock.acquire(pe);
  if (pe.stepping) yield pe.reads(TOUCH_BUFFER, context.vmId);
  if (!context.buffersMapped || !context.rxFree) {
    context.rxLock.release(pe);
    answerError(vcpu.registers, context.buffersMapped ? FFA_BUSY : FFA_DENIED);
    return;
  }
  const secure = hypervisor.secure;
  let pending: Pending = null;
  if (secure.has(FFA_RX_ACQUIRE)) {
    prepareCall(pe, FFA_RX_ACQUIRE, context.vmId);
    pending = secure.call(pe, context.vmId);
  } else {
    pe.smc.set8(0);
  }
  yield* finishListing(hypervisor, pe, vcpu, context, pending);
}

/** From the SPMC's answer to FFA_RX_ACQUIRE (if it was asked) to the end; rxLock is held. */
function* finishListing(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu, context: FfaContext, pending: Pending): Coroutine {
  if (pending !== null) yield* pending;
  const code = hypervisor.secure.has(FFA_RX_ACQUIRE) ? answerCode(pe.smc) : FFA_OK;
  if (code === FFA_OK) {
    context.rxFree = false;
    context.rxFilling = true;
  }
  context.rxLock.release(pe);
  if (code !== FFA_OK) {
    answerError(vcpu.registers, code);
    return;
  }
  if (pe.stepping) {
    pe.writes(TOUCH_FRAME, context.rxFrame);
    yield pe.also(TOUCH_QUEUE, hypervisor.vmList.lock.id, ACCESS_READ);
  }
  const filled = fillRx(hypervisor, pe, vcpu.registers, context);
  if (filled !== FFA_OK) yield* giveBack(hypervisor, pe, vcpu, context, filled);
}

/** The listing did not work out: RX goes back to its producer. */
function* giveBack(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu, context: FfaContext, error: number): Coroutine {
  yield* releaseRx(hypervisor, pe, context);
  context.rxFilling = false;
  answerError(vcpu.registers, error);
}

/** Writes the listing into the guest's RX, which the mediator has acquired, and answers; or returns an error. */
function fillRx(hypervisor: Hypervisor, pe: Pe, registers: RegisterFile, context: FfaContext): number {
  const listing = partitionListing(hypervisor.secure);
  const isShort = context.version === FFA_VERSION_1_0;
  const size = isShort ? PARTITION_INFO_1_0_SIZE_BYTES : PARTITION_INFO_1_1_SIZE_BYTES;
  let count = listing.partitions.length;
  if (asksForAll(registers)) {
    count += listedVmCount(hypervisor, context);
    if (count * size > PAGE_SIZE_BYTES) return FFA_NO_MEMORY;
    const encoded = isShort ? listing.short : listing.long;
    let bytes = encoded;
    if (count * size > encoded.length) {
      bytes = stagingOf(hypervisor, pe).bytes;
      bytes.set(encoded);
      writeVmEntries(hypervisor, context, bytes, encoded.length, size);
    }
    hypervisor.machine.frames.contents.write(context.rxFrame * PAGE_SIZE_BYTES, bytes, 0, count * size);
  } else {
    const bytes = stagingOf(hypervisor, pe).bytes;
    count = encodeMatches(listing, registers, bytes, size);
    if (count === 0) return FFA_INVALID_PARAMETERS;
    if (count * size > PAGE_SIZE_BYTES) return FFA_NO_MEMORY;
    hypervisor.machine.frames.contents.write(context.rxFrame * PAGE_SIZE_BYTES, bytes, 0, count * size);
  }
  emitRxWrite(hypervisor, pe, context, count * size);
  context.rxFilling = false;
  answerSuccess(registers, count, isShort ? 0 : size);
  return FFA_OK;
}

/** Entries of the partitions with the UUID in w1 to w4, without it; returns how many. */
function encodeMatches(listing: PartitionListing, registers: RegisterFile, into: Uint8Array, size: number): number {
  const uuid0 = registers.w(1);
  const uuid1 = registers.w(2);
  const uuid2 = registers.w(3);
  const uuid3 = registers.w(4);
  let count = 0;
  for (let n = 0; n < listing.partitions.length; n++) {
    if (!matches(listing, n, uuid0, uuid1, uuid2, uuid3)) continue;
    const { id, contextCount, properties } = listing.partitions[n];
    const at = count++ * size;
    writeEntry(into, at, id, contextCount, properties);
    into.fill(0, at + PARTITION_INFO_1_0_SIZE_BYTES, at + size);
  }
  return count;
}
