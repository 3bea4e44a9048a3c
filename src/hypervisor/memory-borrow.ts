// A VM as a borrower, in the default profile: FFA_MEM_RETRIEVE_REQ and FFA_MEM_RELINQUISH. The request goes to the SPMC
// under the VM's id; the pages of the answer are mapped into the VM's space in a window of their own, and the answer
// reaches its RX buffer with the addresses of that window.
//
// Limits: the answer fits one page; pages of VMs only (a partition's memory is never mapped into a VM). The window
// begins at BORROW_BASE and maps a frame at BORROW_BASE + its physical address, so nothing is ever moved.

import {
  FFA_BUSY,
  FFA_DENIED,
  FFA_INVALID_PARAMETERS,
  FFA_NO_MEMORY,
  FFA_NOT_SUPPORTED,
  FFA_OK,
} from '../abi/errors.ts';
import {
  FFA_MEM_RELINQUISH,
  FFA_MEM_RETRIEVE_REQ_64,
  FFA_MEM_RETRIEVE_RESP,
  FFA_RX_RELEASE,
} from '../abi/function-ids.ts';
import {
  COMPOSITE_CONSTITUENT_COUNT_OFFSET,
  COMPOSITE_SIZE_BYTES,
  CONSTITUENT_PAGE_COUNT_OFFSET,
  CONSTITUENT_SIZE_BYTES,
  EMAD_1_0_SIZE_BYTES,
  EMAD_1_2_SIZE_BYTES,
  EMAD_COMPOSITE_OFFSET,
  MTD_1_0_SIZE_BYTES,
  MTD_1_1_EMAD_ARRAY_OFFSET,
  MTD_1_1_EMAD_SIZE_OFFSET,
  MTD_1_1_SIZE_BYTES,
  MTD_EMAD_COUNT_OFFSET,
  MTD_HANDLE_OFFSET,
  MTD_TAG_OFFSET,
  RELINQUISH_ENDPOINT_COUNT_OFFSET,
  RELINQUISH_ENDPOINTS_OFFSET,
  RELINQUISH_FLAGS_OFFSET,
} from '../abi/layout/memory-transaction.ts';
import { FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../abi/versions.ts';
import { TOUCH_BUFFER, TOUCH_FRAME } from '../base/announcement.ts';
import type { Coroutine } from '../base/coroutine.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { Pe } from '../hardware/pe.ts';
import { STAGE2_FOREIGN, STAGE2_RW } from '../hardware/stage2.ts';
import { answerError, answerSuccess } from './answer.ts';
import type { Vcpu } from './domain.ts';
import type { FfaContext } from './ffa-context.ts';
import type { Hypervisor } from './hypervisor.ts';
import { acquireRxLocked, releaseRxLocked } from './rx-tx-buffers.ts';
import { accessReceiver, readShareHeader } from './share-descriptor.ts';
import { answerCode, callSimply, prepareCall } from './spmc-answer.ts';
import { spmcTxWords } from './spmc-buffers.ts';
import { type Staging, stage, stagingOf } from './staging.ts';

/** Guest frame at which borrowed pages are mapped: 512 GiB. */
const BORROW_BASE_FRAME = 0x800_0000;
const LAYOUT = { accessSizeMin: EMAD_1_0_SIZE_BYTES, accessAlignment: 16 };
const RECEIVERS_MAX = 8;
const FRAMES_PER_4_GIB = 0x10_0000;

/** FFA_MEM_RETRIEVE_REQ: w1 total length, w2 fragment length, the same; the descriptor is in TX. */
export function* retrieveMemory(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Coroutine {
  const context = vcpu.domain.ffa as FfaContext;
  const { registers } = vcpu;
  const length = registers.w(1);
  if (!hypervisor.secure.has(FFA_MEM_RETRIEVE_REQ_64)) return answerError(registers, FFA_NOT_SUPPORTED);
  if ((registers.w(3) | registers.w(4)) !== 0 || registers.w(2) !== length || length > PAGE_SIZE_BYTES) {
    return answerError(registers, FFA_INVALID_PARAMETERS);
  }
  yield* context.rxLock.acquire(pe);
  if (!context.txLock.tryAcquire(pe)) {
    context.rxLock.release(pe);
    return answerError(registers, FFA_BUSY);
  }
  const error = yield* retrieveLocked(hypervisor, pe, vcpu, context, length);
  context.txLock.release(pe);
  context.rxLock.release(pe);
  if (error !== FFA_OK) answerError(registers, error);
}

function* retrieveLocked(
  hypervisor: Hypervisor,
  pe: Pe,
  vcpu: Vcpu,
  context: FfaContext,
  length: number,
): Coroutine<number> {
  if (!context.buffersMapped) return FFA_INVALID_PARAMETERS;
  if (!context.rxFree) return FFA_BUSY;
  if (pe.stepping) yield pe.reads(TOUCH_FRAME, context.txFrame);
  const staging = stagingOf(hypervisor, pe);
  stage(hypervisor, staging, context.txFrame, 0, length);
  const { header } = staging;
  const error = readShareHeader(staging, length, context.version, LAYOUT, header);
  if (error !== FFA_OK) return error;
  const { receiverCount, accessSizeBytes } = header;
  if (receiverCount === 0 || receiverCount > RECEIVERS_MAX) return FFA_INVALID_PARAMETERS;
  if (accessSizeBytes !== EMAD_1_0_SIZE_BYTES && accessSizeBytes !== EMAD_1_2_SIZE_BYTES) {
    return FFA_INVALID_PARAMETERS;
  }
  if (!namesItself(staging, context)) return FFA_INVALID_PARAMETERS;
  if (findBorrowed(context, staging.u32(MTD_HANDLE_OFFSET), staging.u32(MTD_HANDLE_OFFSET + 4)) >= 0) return FFA_DENIED;
  const { secure } = hypervisor;
  // The answer goes to RX: it is taken first, at the SPMC too, so that nothing fails after the retrieve for lack of it.
  const acquired = yield* acquireRxLocked(hypervisor, pe, context);
  if (acquired !== FFA_OK) return acquired;
  yield* secure.rxLock.acquire(pe);
  yield* secure.txLock.acquire(pe);
  const sent = writeRetrieve(hypervisor, staging);
  prepareCall(pe, FFA_MEM_RETRIEVE_REQ_64, sent, sent);
  const pending = secure.call(pe, context.vmId);
  if (pending !== null) yield* pending;
  secure.txLock.release(pe);
  const outcome = yield* takeResponse(hypervisor, pe, vcpu, context, staging);
  secure.rxLock.release(pe);
  if (outcome !== FFA_OK) yield* releaseRxLocked(hypervisor, pe, context);
  return outcome;
}

/** Whether the caller is among the receivers. */
function namesItself(staging: Staging, context: FfaContext): boolean {
  const { accessOffset, accessSizeBytes, receiverCount } = staging.header;
  for (let n = 0; n < receiverCount; n++) {
    if (accessReceiver(staging, accessOffset + n * accessSizeBytes) === context.vmId) return true;
  }
  return false;
}

/** The request in the layout that the SPMC reads, whatever the guest's is. Returns its length. */
function writeRetrieve(hypervisor: Hypervisor, staging: Staging): number {
  const words = spmcTxWords(hypervisor.secure);
  const { header } = staging;
  const long = header.accessSizeBytes === EMAD_1_2_SIZE_BYTES && hypervisor.secure.version >= FFA_VERSION_1_2;
  const accessSize = long ? EMAD_1_2_SIZE_BYTES : EMAD_1_0_SIZE_BYTES;
  words[0] = header.sender | (header.attributes << 16);
  words[1] = header.flags;
  words[2] = staging.u32(MTD_HANDLE_OFFSET);
  words[3] = staging.u32(MTD_HANDLE_OFFSET + 4);
  words[4] = staging.u32(MTD_TAG_OFFSET);
  words[5] = staging.u32(MTD_TAG_OFFSET + 4);
  words[6] = accessSize;
  words[7] = header.receiverCount;
  words[8] = MTD_1_1_SIZE_BYTES;
  words[9] = 0;
  words[10] = 0;
  words[11] = 0;
  let at = MTD_1_1_SIZE_BYTES / 4;
  for (let n = 0; n < header.receiverCount; n++) {
    const from = header.accessOffset + n * header.accessSizeBytes;
    for (let word = 0; word < accessSize / 4; word++) words[at + word] = staging.u32(from + 4 * word);
    at += accessSize / 4;
  }
  return at * 4;
}

/** Maps what the SPMC's answer describes, and hands the answer on. Undoes the retrieve when that cannot be done. */
function* takeResponse(
  hypervisor: Hypervisor,
  pe: Pe,
  vcpu: Vcpu,
  context: FfaContext,
  staging: Staging,
): Coroutine<number> {
  const { secure, machine } = hypervisor;
  if (pe.smc.w(0) !== FFA_MEM_RETRIEVE_RESP) {
    const code = answerCode(pe.smc);
    return code === FFA_OK ? FFA_NOT_SUPPORTED : code;
  }
  const total = pe.smc.w(1);
  const handleLow = staging.u32(MTD_HANDLE_OFFSET);
  const handleHigh = staging.u32(MTD_HANDLE_OFFSET + 4);
  const whole = pe.smc.w(2) === total && total <= PAGE_SIZE_BYTES;
  if (whole) machine.frames.contents.read(secure.rxFrame * PAGE_SIZE_BYTES, staging.bytes, 0, total);
  yield* callSimply(secure, pe, 0, FFA_RX_RELEASE);
  const runs = whole ? responseRuns(hypervisor, staging, total) : null;
  const length = runs === null ? 0 : answerLength(staging, context, runs.length / 2);
  if (runs === null || length > PAGE_SIZE_BYTES) {
    yield* giveBack(hypervisor, pe, context, handleLow, handleHigh);
    return FFA_NO_MEMORY;
  }
  const mapped: number[] = [];
  for (let n = 0; n < runs.length; n += 2) {
    vcpu.domain.stage2.map(BORROW_BASE_FRAME + runs[n], runs[n], runs[n + 1], STAGE2_RW | STAGE2_FOREIGN);
    mapped.push(BORROW_BASE_FRAME + runs[n], runs[n + 1]);
  }
  context.borrowed.push({ handleLow, handleHigh, mapped });
  if (pe.stepping) {
    pe.writes(TOUCH_BUFFER, context.vmId);
    yield pe.also(TOUCH_FRAME, context.rxFrame, 1);
  }
  writeResponse(hypervisor, staging, context, runs);
  vcpu.registers.set8(FFA_MEM_RETRIEVE_RESP, length, length);
  return FFA_OK;
}

/** Runs of frames that the staged answer describes; null when it is not well-formed or names what no VM can have. */
function responseRuns(hypervisor: Hypervisor, staging: Staging, total: number): number[] | null {
  const accessOffset = staging.u32(MTD_1_1_EMAD_ARRAY_OFFSET);
  if (staging.u32(MTD_EMAD_COUNT_OFFSET) !== 1 || accessOffset + EMAD_1_0_SIZE_BYTES > total) return null;
  const composite = staging.u32(accessOffset + EMAD_COMPOSITE_OFFSET);
  if (composite + COMPOSITE_SIZE_BYTES > total) return null;
  const count = staging.u32(composite + COMPOSITE_CONSTITUENT_COUNT_OFFSET);
  const first = composite + COMPOSITE_SIZE_BYTES;
  if (first + count * CONSTITUENT_SIZE_BYTES > total) return null;
  const { frames } = hypervisor.machine;
  const runs: number[] = [];
  for (let at = first; at < first + count * CONSTITUENT_SIZE_BYTES; at += CONSTITUENT_SIZE_BYTES) {
    const frame = staging.u32(at + 4) * FRAMES_PER_4_GIB + (staging.u32(at) >>> 12);
    const pages = staging.u32(at + CONSTITUENT_PAGE_COUNT_OFFSET);
    for (let page = 0; page < pages; page++) {
      if (!frames.has(frame + page) || frames.owner(frame + page) <= 0) return null;
    }
    runs.push(frame, pages);
  }
  return runs;
}

/** Length of the answer in the borrower's layout. */
function answerLength(staging: Staging, context: FfaContext, runCount: number): number {
  return answerComposite(staging, context) + COMPOSITE_SIZE_BYTES + runCount * CONSTITUENT_SIZE_BYTES;
}

function answerComposite(staging: Staging, context: FfaContext): number {
  const header = context.version >= FFA_VERSION_1_1 ? MTD_1_1_SIZE_BYTES : MTD_1_0_SIZE_BYTES;
  return header + answerAccessSize(staging, context);
}

function answerAccessSize(staging: Staging, context: FfaContext): number {
  const long = context.version >= FFA_VERSION_1_2 && staging.u32(MTD_1_1_EMAD_SIZE_OFFSET) === EMAD_1_2_SIZE_BYTES;
  return long ? EMAD_1_2_SIZE_BYTES : EMAD_1_0_SIZE_BYTES;
}

/** Writes the staged answer into the borrower's RX, in its layout and with its addresses. */
function writeResponse(hypervisor: Hypervisor, staging: Staging, context: FfaContext, runs: readonly number[]): void {
  const bytes = new Uint8Array(answerLength(staging, context, runs.length / 2));
  const view = new DataView(bytes.buffer);
  const is11 = context.version >= FFA_VERSION_1_1;
  const accessSize = answerAccessSize(staging, context);
  const composite = answerComposite(staging, context);
  bytes.set(staging.bytes.subarray(0, is11 ? MTD_1_1_SIZE_BYTES : MTD_1_1_EMAD_SIZE_OFFSET));
  const accessAt = composite - accessSize;
  const accessFrom = staging.u32(MTD_1_1_EMAD_ARRAY_OFFSET);
  if (is11) {
    view.setUint32(MTD_1_1_EMAD_SIZE_OFFSET, accessSize, true);
    view.setUint32(MTD_1_1_EMAD_ARRAY_OFFSET, MTD_1_1_SIZE_BYTES, true);
  }
  view.setUint32(MTD_EMAD_COUNT_OFFSET, 1, true);
  bytes.set(staging.bytes.subarray(accessFrom, accessFrom + accessSize), accessAt);
  view.setUint32(accessAt + EMAD_COMPOSITE_OFFSET, composite, true);
  let at = composite + COMPOSITE_SIZE_BYTES;
  let pages = 0;
  for (let n = 0; n < runs.length; n += 2) {
    const gfn = BORROW_BASE_FRAME + runs[n];
    view.setUint32(at, (gfn << 12) >>> 0, true);
    view.setUint32(at + 4, Math.floor(gfn / FRAMES_PER_4_GIB), true);
    view.setUint32(at + CONSTITUENT_PAGE_COUNT_OFFSET, runs[n + 1], true);
    pages += runs[n + 1];
    at += CONSTITUENT_SIZE_BYTES;
  }
  view.setUint32(composite, pages, true);
  view.setUint32(composite + COMPOSITE_CONSTITUENT_COUNT_OFFSET, runs.length / 2, true);
  hypervisor.machine.frames.contents.write(context.rxFrame * PAGE_SIZE_BYTES, bytes, 0, bytes.length);
}

function findBorrowed(context: FfaContext, low: number, high: number): number {
  return context.borrowed.findIndex((item) => item.handleLow === low && item.handleHigh === high);
}

/** FFA_MEM_RELINQUISH: the descriptor is in TX; it names the caller alone. */
export function* relinquishMemory(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Coroutine {
  const context = vcpu.domain.ffa as FfaContext;
  const { registers } = vcpu;
  if (!context.txLock.tryAcquire(pe)) return answerError(registers, FFA_BUSY);
  const error = yield* relinquishLocked(hypervisor, pe, vcpu, context);
  context.txLock.release(pe);
  if (error === FFA_OK) answerSuccess(registers);
  else answerError(registers, error);
}

function* relinquishLocked(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu, context: FfaContext): Coroutine<number> {
  if (!context.buffersMapped) return FFA_INVALID_PARAMETERS;
  if (pe.stepping) yield pe.reads(TOUCH_FRAME, context.txFrame);
  const staging = stagingOf(hypervisor, pe);
  stage(hypervisor, staging, context.txFrame, 0, RELINQUISH_ENDPOINTS_OFFSET + 2);
  const handleLow = staging.u32(0);
  const handleHigh = staging.u32(4);
  if (staging.u32(RELINQUISH_ENDPOINT_COUNT_OFFSET) !== 1) return FFA_INVALID_PARAMETERS;
  if (staging.u16(RELINQUISH_ENDPOINTS_OFFSET) !== context.vmId) return FFA_INVALID_PARAMETERS;
  const at = findBorrowed(context, handleLow, handleHigh);
  if (at < 0) return FFA_INVALID_PARAMETERS;
  const flags = staging.u32(RELINQUISH_FLAGS_OFFSET);
  // Access ends before the owner may hear of it.
  const borrowed = context.borrowed[at];
  changeWindow(vcpu, borrowed.mapped, false);
  const code = yield* sendRelinquish(hypervisor, pe, context, handleLow, handleHigh, flags);
  if (code === FFA_OK) context.borrowed.splice(context.borrowed.indexOf(borrowed), 1);
  else changeWindow(vcpu, borrowed.mapped, true);
  return code;
}

function changeWindow(vcpu: Vcpu, mapped: readonly number[], on: boolean): void {
  const { stage2 } = vcpu.domain;
  for (let n = 0; n < mapped.length; n += 2) {
    if (on) stage2.map(mapped[n], mapped[n] - BORROW_BASE_FRAME, mapped[n + 1], STAGE2_RW | STAGE2_FOREIGN);
    else stage2.unmap(mapped[n], mapped[n + 1]);
  }
}

function giveBack(hypervisor: Hypervisor, pe: Pe, context: FfaContext, low: number, high: number): Coroutine<number> {
  return sendRelinquish(hypervisor, pe, context, low, high, 0);
}

function* sendRelinquish(
  hypervisor: Hypervisor,
  pe: Pe,
  context: FfaContext,
  handleLow: number,
  handleHigh: number,
  flags: number,
): Coroutine<number> {
  const { secure } = hypervisor;
  yield* secure.txLock.acquire(pe);
  const words = spmcTxWords(secure);
  words[0] = handleLow;
  words[1] = handleHigh;
  words[2] = flags;
  words[3] = 1;
  words[4] = context.vmId;
  const code = yield* callSimply(secure, pe, context.vmId, FFA_MEM_RELINQUISH);
  secure.txLock.release(pe);
  return code;
}
