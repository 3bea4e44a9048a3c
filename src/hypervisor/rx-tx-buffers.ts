// A guest's RX and TX buffers: FFA_RXTX_MAP, FFA_RXTX_UNMAP, FFA_RX_RELEASE, and the mediator's own acquiring of an RX
// buffer before it writes there. [Xen ffa_rxtx.c]
//
// Two generations. The first keeps buffers to itself and takes no lock to map and unmap. The second holds both buffer
// locks and passes buffers on to an SPMC that can tell who owns an RX buffer (one that has FFA_RX_ACQUIRE).
//
// Limits: one page each.

import { FFA_BUSY, FFA_DENIED, FFA_INVALID_PARAMETERS, FFA_OK } from '../abi/errors.ts';
import { FFA_RX_ACQUIRE, FFA_RX_RELEASE, FFA_RXTX_MAP_64, FFA_RXTX_UNMAP, SMC64_BIT } from '../abi/function-ids.ts';
import { RXTX_UNMAP_ENDPOINT_SHIFT } from '../abi/layout/buffers.ts';
import { ACCESS_WRITE, TOUCH_BUFFER, TOUCH_LOCK, TOUCH_REFERENCES } from '../base/announcement.ts';
import type { Coroutine, Pending } from '../base/coroutine.ts';
import type { FrameNumber } from '../base/units.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { Pe } from '../hardware/pe.ts';
import { answerError, answerSuccess } from './answer.ts';
import type { Vcpu } from './domain.ts';
import type { FfaContext } from './ffa-context.ts';
import { guestFrameOf, NO_FRAME, pinPage, unpinPage } from './guest-memory.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { Handler } from './profile.ts';
import { answerCode, callSimply, prepareCall } from './spmc-answer.ts';
import { spmcTxWords } from './spmc-buffers.ts';

const BUFFER_PAGES_MAX = 1;
const PAGE_OFFSET_MASK = PAGE_SIZE_BYTES - 1;

/** Answers FFA_SUCCESS for 0, else FFA_ERROR. */
function answerCodeTo(vcpu: Vcpu, code: number): void {
  if (code === FFA_OK) answerSuccess(vcpu.registers);
  else answerError(vcpu.registers, code);
}

function isWide(vcpu: Vcpu): boolean {
  return (vcpu.registers.w(0) & SMC64_BIT) !== 0;
}

// --- First generation ---

/** FFA_RXTX_MAP, local: any page count up to one, any offset into the page, no lock. [Xen 38d81e7ccb] */
export function* mapBuffersLocally(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Coroutine {
  const context = vcpu.domain.ffa as FfaContext;
  const registers = vcpu.registers;
  const wide = isWide(vcpu);
  const pageCount = registers.w(3);
  if (pageCount > BUFFER_PAGES_MAX) {
    answerError(registers, FFA_INVALID_PARAMETERS);
    return;
  }
  if (pe.stepping) yield pe.reads(TOUCH_BUFFER, context.vmId);
  if (context.buffersMapped) {
    answerError(registers, FFA_DENIED);
    return;
  }
  const txFrame = pinPage(hypervisor, vcpu.domain, guestFrameOf(registers, 1, wide));
  if (txFrame === NO_FRAME) {
    answerError(registers, FFA_INVALID_PARAMETERS);
    return;
  }
  const rxFrame = pinPage(hypervisor, vcpu.domain, guestFrameOf(registers, 2, wide));
  if (rxFrame === NO_FRAME) {
    unpinPage(hypervisor, txFrame);
    answerError(registers, FFA_INVALID_PARAMETERS);
    return;
  }
  if (pe.stepping) {
    pe.writes(TOUCH_BUFFER, context.vmId);
    yield pe.also(TOUCH_REFERENCES, txFrame, ACCESS_WRITE);
  }
  holdBuffers(context, txFrame, rxFrame, pageCount);
  answerSuccess(registers);
}

/** FFA_RXTX_UNMAP, local: no lock, whoever owns RX. */
export function* unmapBuffersLocally(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Coroutine {
  const context = vcpu.domain.ffa as FfaContext;
  if (pe.stepping) yield pe.writes(TOUCH_BUFFER, context.vmId);
  if (!context.buffersMapped) {
    answerError(vcpu.registers, FFA_INVALID_PARAMETERS);
    return;
  }
  dropBuffers(hypervisor, context);
  answerSuccess(vcpu.registers);
}

/** FFA_RX_RELEASE, local: does not wait for the lock. */
export function releaseRxLocally(_hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending {
  if (pe.stepping) return releaseRxLocallyInSteps(pe, vcpu);
  answerCodeTo(vcpu, freeRxUnlessLocked(vcpu.domain.ffa as FfaContext, pe));
  return null;
}

function* releaseRxLocallyInSteps(pe: Pe, vcpu: Vcpu): Coroutine {
  const context = vcpu.domain.ffa as FfaContext;
  pe.writes(TOUCH_BUFFER, context.vmId);
  yield pe.also(TOUCH_LOCK, context.rxLock.id, ACCESS_WRITE);
  answerCodeTo(vcpu, freeRxUnlessLocked(context, pe));
}

function freeRxUnlessLocked(context: FfaContext, pe: Pe): number {
  if (!context.rxLock.tryAcquire(pe)) return FFA_BUSY;
  let code = FFA_OK;
  if (!context.buffersMapped || context.rxFree) code = FFA_DENIED;
  else context.rxFree = true;
  context.rxLock.release(pe);
  return code;
}

// --- Second generation ---

/**
 * Tells an SPMC that keeps RX ownership of a VM's buffers. Returns the code for the guest; but for FFA_OK the pages'
 * pins are then its to drop or to keep.
 */
export type MapAtSpmc = (
  hypervisor: Hypervisor,
  pe: Pe,
  context: FfaContext,
  txFrame: FrameNumber,
  rxFrame: FrameNumber,
) => Coroutine<number>;

/** Tells it that they are no more. Returns the code for the guest. */
export type UnmapAtSpmc = (hypervisor: Hypervisor, pe: Pe, context: FfaContext) => Coroutine<number>;

/** FFA_RXTX_MAP: exactly one aligned page each. [Xen a3075e2fda] */
export function mapBuffersBy(mapAtSpmc: MapAtSpmc): Handler {
  return (hypervisor, pe, vcpu) => mapBuffers(hypervisor, pe, vcpu, mapAtSpmc);
}

/** FFA_RXTX_UNMAP: refused while the guest owns RX, or when the SPMC refuses. [Xen 309e8edfe3] */
export function unmapBuffersBy(unmapAtSpmc: UnmapAtSpmc): Handler {
  return (hypervisor, pe, vcpu) => unmapBuffers(hypervisor, pe, vcpu, unmapAtSpmc);
}

/** FFA_RXTX_MAP where any failure counts as a refusal. */
export const mapBuffersTrusting = mapBuffersBy(mapAtSpmc);
export const unmapBuffersTrusting = unmapBuffersBy(unmapAtSpmc);

function* mapBuffers(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu, atSpmc: MapAtSpmc): Coroutine {
  const context = vcpu.domain.ffa as FfaContext;
  const registers = vcpu.registers;
  const wide = isWide(vcpu);
  const misaligned = ((registers.w(1) | registers.w(2)) & PAGE_OFFSET_MASK) !== 0;
  if (registers.w(3) !== BUFFER_PAGES_MAX || misaligned) {
    answerError(registers, FFA_INVALID_PARAMETERS);
    return;
  }
  yield* context.rxLock.acquire(pe);
  yield* context.txLock.acquire(pe);
  answerCodeTo(vcpu, yield* mapBuffersLocked(hypervisor, pe, vcpu, context, wide, atSpmc));
  context.txLock.release(pe);
  context.rxLock.release(pe);
}

function* mapBuffersLocked(
  hypervisor: Hypervisor,
  pe: Pe,
  vcpu: Vcpu,
  context: FfaContext,
  wide: boolean,
  atSpmc: MapAtSpmc,
): Coroutine<number> {
  if (context.buffersMapped) return FFA_DENIED;
  const txFrame = pinPage(hypervisor, vcpu.domain, guestFrameOf(vcpu.registers, 1, wide));
  if (txFrame === NO_FRAME) return FFA_INVALID_PARAMETERS;
  const rxFrame = pinPage(hypervisor, vcpu.domain, guestFrameOf(vcpu.registers, 2, wide));
  if (rxFrame === NO_FRAME) {
    unpinPage(hypervisor, txFrame);
    return FFA_INVALID_PARAMETERS;
  }
  if (hypervisor.secure.has(FFA_RX_ACQUIRE)) {
    const code = yield* atSpmc(hypervisor, pe, context, txFrame, rxFrame);
    if (code !== FFA_OK) return code;
  }
  holdBuffers(context, txFrame, rxFrame, BUFFER_PAGES_MAX);
  return FFA_OK;
}

// The endpoint RX/TX descriptor as the mediator writes it: header, padding to 8, then one composite with one
// constituent for each buffer.
const RX_REGION_OFFSET = 16;
const REGION_SIZE_BYTES = 32;
const TX_REGION_OFFSET = RX_REGION_OFFSET + REGION_SIZE_BYTES;
const PAGE_HIGH_SHIFT = 20;

/** Tells the SPMC of a VM's buffers: a descriptor in the hypervisor's TX, then FFA_RXTX_MAP_64 with no arguments. */
function* mapAtSpmc(
  hypervisor: Hypervisor,
  pe: Pe,
  context: FfaContext,
  txFrame: FrameNumber,
  rxFrame: FrameNumber,
): Coroutine<number> {
  const secure = hypervisor.secure;
  yield* secure.txLock.acquire(pe);
  writeBuffers(hypervisor, context.vmId, txFrame, rxFrame);
  const code = yield* callSimply(secure, pe, context.vmId, FFA_RXTX_MAP_64);
  secure.txLock.release(pe);
  if (code === FFA_OK) return code;
  unpinPage(hypervisor, rxFrame);
  unpinPage(hypervisor, txFrame);
  return code;
}

/** The endpoint RX/TX descriptor of a VM, into the hypervisor's TX. */
export function writeBuffers(hypervisor: Hypervisor, vmId: number, txFrame: FrameNumber, rxFrame: FrameNumber): void {
  const words = spmcTxWords(hypervisor.secure);
  words[0] = vmId;
  words[1] = RX_REGION_OFFSET;
  words[2] = TX_REGION_OFFSET;
  words[3] = 0;
  writeRegion(words, RX_REGION_OFFSET / 4, rxFrame);
  writeRegion(words, TX_REGION_OFFSET / 4, txFrame);
}

function writeRegion(words: Uint32Array, at: number, frame: FrameNumber): void {
  words[at] = 1;
  words[at + 1] = 1;
  words[at + 2] = 0;
  words[at + 3] = 0;
  words[at + 4] = frame << 12;
  words[at + 5] = frame >>> PAGE_HIGH_SHIFT;
  words[at + 6] = 1;
  words[at + 7] = 0;
}

function* unmapBuffers(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu, atSpmc: UnmapAtSpmc): Coroutine {
  const context = vcpu.domain.ffa as FfaContext;
  yield* context.rxLock.acquire(pe);
  yield* context.txLock.acquire(pe);
  answerCodeTo(vcpu, yield* unmapBuffersLocked(hypervisor, pe, context, atSpmc));
  context.txLock.release(pe);
  context.rxLock.release(pe);
}

/** The caller holds both buffer locks. */
function* unmapBuffersLocked(
  hypervisor: Hypervisor,
  pe: Pe,
  context: FfaContext,
  atSpmc: UnmapAtSpmc,
): Coroutine<number> {
  if (!context.buffersMapped) return FFA_INVALID_PARAMETERS;
  if (!context.rxFree) return FFA_DENIED;
  if (hypervisor.secure.has(FFA_RX_ACQUIRE)) {
    const code = yield* atSpmc(hypervisor, pe, context);
    if (code !== FFA_OK) return code;
  }
  dropBuffers(hypervisor, context);
  return FFA_OK;
}

export function unmapAtSpmc(hypervisor: Hypervisor, pe: Pe, { vmId }: FfaContext): Coroutine<number> {
  return callSimply(hypervisor.secure, pe, vmId, FFA_RXTX_UNMAP, vmId << RXTX_UNMAP_ENDPOINT_SHIFT);
}

/** FFA_RX_RELEASE: a plain path while nobody explores and the lock is free. */
export function releaseRxBuffer(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending {
  const context = vcpu.domain.ffa as FfaContext;
  if (pe.stepping || !context.rxLock.tryAcquire(pe)) return releaseRxInSteps(hypervisor, pe, vcpu, context);
  if (!context.buffersMapped || context.rxFree) {
    context.rxLock.release(pe);
    answerError(vcpu.registers, FFA_DENIED);
    return null;
  }
  const secure = hypervisor.secure;
  let code: number = FFA_OK;
  if (secure.has(FFA_RX_ACQUIRE)) {
    prepareCall(pe, FFA_RX_RELEASE, context.vmId);
    const pending = secure.call(pe, context.vmId);
    if (pending !== null) return finishRelease(pe, vcpu, context, pending);
    code = answerCode(pe.smc);
  }
  concludeRelease(pe, vcpu, context, code);
  return null;
}

function* releaseRxInSteps(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu, context: FfaContext): Coroutine {
  answerCodeTo(vcpu, yield* releaseRx(hypervisor, pe, context));
}

function* finishRelease(pe: Pe, vcpu: Vcpu, context: FfaContext, pending: Coroutine): Coroutine {
  yield* pending;
  concludeRelease(pe, vcpu, context, answerCode(pe.smc));
}

function concludeRelease(pe: Pe, vcpu: Vcpu, context: FfaContext, code: number): void {
  if (code === FFA_OK) context.rxFree = true;
  context.rxLock.release(pe);
  answerCodeTo(vcpu, code);
}

/** Gives an RX buffer back to its producer, at the SPMC too; it stays with the guest when the SPMC refuses. */
export function* releaseRx(hypervisor: Hypervisor, pe: Pe, context: FfaContext): Coroutine<number> {
  yield* context.rxLock.acquire(pe);
  const code = yield* releaseRxLocked(hypervisor, pe, context);
  context.rxLock.release(pe);
  return code;
}

/** The caller holds rxLock. */
export function* releaseRxLocked(hypervisor: Hypervisor, pe: Pe, context: FfaContext): Coroutine<number> {
  if (!context.buffersMapped || context.rxFree) return FFA_DENIED;
  if (hypervisor.secure.has(FFA_RX_ACQUIRE)) {
    const code = yield* callSimply(hypervisor.secure, pe, context.vmId, FFA_RX_RELEASE, context.vmId);
    if (code !== FFA_OK) return code;
  }
  context.rxFree = true;
  return FFA_OK;
}

/**
 * Takes an RX buffer in order to fill it, from the SPMC too. The lock is free again at the end: what keeps others out
 * is that RX is not free and, until the caller clears it, `rxFilling`. Returns FFA_DENIED when nothing is mapped,
 * FFA_BUSY when the guest owns it, else the SPMC's code.
 */
export function* acquireRx(hypervisor: Hypervisor, pe: Pe, context: FfaContext): Coroutine<number> {
  yield* context.rxLock.acquire(pe);
  const code = yield* acquireRxLocked(hypervisor, pe, context);
  if (code === FFA_OK) context.rxFilling = true;
  context.rxLock.release(pe);
  return code;
}

/** The same without waiting: FFA_BUSY when another PE has the lock. For callers that hold a lock of a higher rank. */
export function* tryAcquireRx(hypervisor: Hypervisor, pe: Pe, context: FfaContext): Coroutine<number> {
  if (pe.stepping) yield pe.writes(TOUCH_LOCK, context.rxLock.id);
  if (!context.rxLock.tryAcquire(pe)) return FFA_BUSY;
  const code = yield* acquireRxLocked(hypervisor, pe, context);
  if (code === FFA_OK) context.rxFilling = true;
  context.rxLock.release(pe);
  return code;
}

/** The caller holds rxLock. */
export function* acquireRxLocked(hypervisor: Hypervisor, pe: Pe, context: FfaContext): Coroutine<number> {
  if (!context.buffersMapped) return FFA_DENIED;
  if (!context.rxFree) return FFA_BUSY;
  if (hypervisor.secure.has(FFA_RX_ACQUIRE)) {
    const code = yield* callSimply(hypervisor.secure, pe, 0, FFA_RX_ACQUIRE, context.vmId);
    if (code !== FFA_OK) return code;
  }
  context.rxFree = false;
  return FFA_OK;
}

// --- Both ---

function holdBuffers(context: FfaContext, txFrame: FrameNumber, rxFrame: FrameNumber, pageCount: number): void {
  context.buffersMapped = true;
  context.bufferPageCount = pageCount;
  context.txFrame = txFrame;
  context.rxFrame = rxFrame;
  context.rxFree = true;
}

/** Forgets a guest's buffers and unpins them. */
export function dropBuffers(hypervisor: Hypervisor, context: FfaContext): void {
  const { rxFrame, txFrame } = context;
  context.buffersMapped = false;
  context.bufferPageCount = 0;
  context.txFrame = NO_FRAME;
  context.rxFrame = NO_FRAME;
  context.rxFree = false;
  unpinPage(hypervisor, rxFrame);
  unpinPage(hypervisor, txFrame);
}
