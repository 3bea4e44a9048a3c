// FFA_MEM_SHARE, FFA_MEM_LEND and FFA_MEM_DONATE in the default profile, and their FFA_MEM_FRAG_TX: from a VM to one or
// more partitions and VMs. The mediator checks what protects the hypervisor and other guests (who sends, whose pages,
// how many); what else a transaction must be is the SPMC's to judge, and its error is relayed.
//
// Phases: check (the staged copy of the descriptor), reserve (a share record, the pages pinned), commit (the SMC). The
// answer is classified (answer-table.ts): refused means released at once; unknown means quarantine, no handle, ABORTED.
// Tag, flags, attributes, permissions and the implementation defined value reach the SPMC as the guest wrote them.
//
// Limits: one RX/TX page each; receivers, pages and partial sends per guest as the limits say. A send in fragments goes
// to the SPMC page by page, so it takes 16 bytes a page there. Only one fragment of a send is worked on at a time.

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
import {
  FFA_INTERRUPT,
  FFA_MEM_FRAG_RX,
  FFA_MEM_FRAG_TX,
  FFA_MEM_SHARE_32,
  FFA_MEM_SHARE_64,
  FFA_RUN,
  FFA_YIELD,
  SMC64_BIT,
} from '../abi/function-ids.ts';
import { HANDLE_HIGH_HYPERVISOR_BIT, INVALID_HANDLE_WORD } from '../abi/layout/memory-bits.ts';
import {
  COMPOSITE_SIZE_BYTES,
  CONSTITUENT_PAGE_COUNT_OFFSET,
  CONSTITUENT_SIZE_BYTES,
  EMAD_1_0_SIZE_BYTES,
  EMAD_1_2_SIZE_BYTES,
  EMAD_COMPOSITE_OFFSET,
  MTD_1_1_SIZE_BYTES,
  MTD_TAG_OFFSET,
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
import { EVENT_ANSWER_CLASS } from '../base/event-kinds.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { Pe } from '../hardware/pe.ts';
import { STAGE2_INVALID } from '../hardware/stage2.ts';
import { answerError, answerSuccess } from './answer.ts';
import { CALL_MEM_SEND, classifyReply, REPLY_OTHER, REPLY_SUCCESS, treatmentOf } from './answer-table.ts';
import type { Domain, Vcpu } from './domain.ts';
import type { FfaContext, PartialSend, Share } from './ffa-context.ts';
import type { Hypervisor } from './hypervisor.ts';
import { keepShare } from './mem-share.ts';
import type { RecordLifecycle } from './record-lifecycle.ts';
import { type AccessLayoutRules, accessCompositeOffset, accessReceiver, readShareHeader } from './share-descriptor.ts';
import { pinRange, returnShare, takeShare } from './share-records.ts';
import { prepareCall } from './spmc-answer.ts';
import { spmcTxWords } from './spmc-buffers.ts';
import { type ConstituentCursor, writeConstituents } from './spmc-constituents.ts';
import { type Staging, stage, stagingOf } from './staging.ts';

const LAYOUT: AccessLayoutRules = { accessSizeMin: EMAD_1_0_SIZE_BYTES, accessAlignment: 16 };
const COMPOSITE_ALIGNMENT_BYTES = 16;
const RECEIVERS_MAX = 8;
/** Sends in fragments that one guest may have open. */
const PARTIAL_SENDS_MAX = 4;
/** FFA_RUNs before a send that does not end counts as one of unknown outcome. */
const RUNS_MAX = 64;
/** Pages below which an address and its length cannot wrap around 64 bits. */
const ADDRESS_PAGE_END = 2 ** 52;
const PAGE_OFFSET_MASK = PAGE_SIZE_BYTES - 1;

/** The teardown state of a hypervisor that runs the default profile. */
export function recordsOf(hypervisor: Hypervisor): RecordLifecycle {
  return hypervisor.lifecycle as RecordLifecycle;
}

/** Handler of the three sends, in both forms. */
export function sendMemory(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending {
  const context = vcpu.domain.ffa as FfaContext;
  if (pe.stepping) return sendInSteps(hypervisor, pe, vcpu, context);
  const error = checkRegisters(hypervisor, vcpu);
  if (error !== FFA_OK) return answer(vcpu, error);
  if (!context.txLock.tryAcquire(pe)) return answer(vcpu, FFA_BUSY);
  const staging = stagingOf(hypervisor, pe);
  const made = reserve(hypervisor, staging, vcpu, context);
  if (made === null) {
    context.txLock.release(pe);
    return answer(vcpu, staging.error);
  }
  const fragmented = vcpu.registers.w(1) !== vcpu.registers.w(2);
  if (fragmented || !hypervisor.secure.txLock.tryAcquire(pe)) {
    return transmitInSteps(hypervisor, pe, vcpu, context, made, staging, false);
  }
  const total = spmcLength(hypervisor, made, staging, false);
  if (total > PAGE_SIZE_BYTES) return transmitInSteps(hypervisor, pe, vcpu, context, made, staging, true);
  const cursor: ConstituentCursor = { run: 0, done: 0 };
  writeFirst(hypervisor, made, staging, context.vmId, made.runCount, cursor, false);
  prepareCall(pe, spmcFunction(vcpu), total, total);
  recordsOf(hypervisor).sharesInFlight++;
  const pending = hypervisor.secure.call(pe, context.vmId);
  if (pending !== null) return finishSend(hypervisor, pe, vcpu, context, made, pending);
  if (isPreempted(pe)) return finishSend(hypervisor, pe, vcpu, context, made, null);
  conclude(hypervisor, pe, vcpu, context, made);
  return null;
}

function answer(vcpu: Vcpu, error: number): null {
  answerError(vcpu.registers, error);
  return null;
}

function* sendInSteps(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu, context: FfaContext): Coroutine {
  const error = checkRegisters(hypervisor, vcpu);
  if (error !== FFA_OK) {
    answerError(vcpu.registers, error);
    return;
  }
  yield pe.writes(TOUCH_LOCK, context.txLock.id);
  if (!context.txLock.tryAcquire(pe)) {
    answerError(vcpu.registers, FFA_BUSY);
    return;
  }
  pe.reads(TOUCH_BUFFER, context.vmId);
  pe.also(TOUCH_LOCK, context.lock.id, ACCESS_WRITE);
  pe.also(TOUCH_REFERENCES, context.txFrame, ACCESS_WRITE);
  yield pe.also(TOUCH_FRAME, context.txFrame, ACCESS_READ);
  const staging = stagingOf(hypervisor, pe);
  const made = reserve(hypervisor, staging, vcpu, context);
  if (made === null) {
    context.txLock.release(pe);
    answerError(vcpu.registers, staging.error);
    return;
  }
  yield* transmitInSteps(hypervisor, pe, vcpu, context, made, staging, false);
}

// Check and reserve ------------------------------------------------------------------------------------------------

function spmcFunction(vcpu: Vcpu): number {
  return (vcpu.registers.w(0) | SMC64_BIT) >>> 0;
}

/** w1 total length, w2 length of this fragment; x3 and w4 would name another buffer, which is not supported. */
function checkRegisters(hypervisor: Hypervisor, vcpu: Vcpu): number {
  const registers = vcpu.registers;
  if (!hypervisor.secure.has(spmcFunction(vcpu))) return FFA_NOT_SUPPORTED;
  if ((registers.w(3) | registers.w(4)) !== 0) return FFA_INVALID_PARAMETERS;
  if ((registers.w(0) & SMC64_BIT) !== 0 && registers.high(3) !== 0) return FFA_INVALID_PARAMETERS;
  return registers.w(2) > registers.w(1) ? FFA_INVALID_PARAMETERS : FFA_OK;
}

/** A share with the pages of the first fragment pinned, from the guest's TX; or null and `staging.error`. */
function reserve(hypervisor: Hypervisor, staging: Staging, vcpu: Vcpu, context: FfaContext): Share | null {
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
  for (let n = 0; n < receiverCount; n++) {
    const at = accessOffset + n * accessSizeBytes;
    const receiver = accessReceiver(staging, at);
    if (accessCompositeOffset(staging, at) !== composite || receiver === context.vmId) return FFA_INVALID_PARAMETERS;
    for (let m = 0; m < n; m++) {
      if (accessReceiver(staging, accessOffset + m * accessSizeBytes) === receiver) return FFA_INVALID_PARAMETERS;
    }
    if (!isSecureEndpoint(receiver) && !isLivePeer(hypervisor, receiver)) return FFA_INVALID_PARAMETERS;
  }
  return FFA_OK;
}

/** Whether a VM id names a guest that is alive and speaks FF-A. */
export function isLivePeer(hypervisor: Hypervisor, vmId: number): boolean {
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
  const made = takeShare(hypervisor, context);
  if (made === null) return refuse(staging, FFA_NO_MEMORY);
  made.receiver = accessReceiver(staging, staging.header.accessOffset);
  made.taken = isShare(vcpu) ? null : [];
  staging.error = pinConstituents(hypervisor, staging, context, made, ranges, registers.w(2), pageCount);
  if (staging.error === FFA_OK && !fragmented && made.pageCount !== pageCount) staging.error = FFA_INVALID_PARAMETERS;
  if (staging.error === FFA_OK) return made;
  returnShare(hypervisor, context, made);
  return null;
}

function isShare(vcpu: Vcpu): boolean {
  const functionId = vcpu.registers.w(0);
  return functionId === FFA_MEM_SHARE_32 || functionId === FFA_MEM_SHARE_64;
}

/** Pins the pages of the staged constituents between two offsets; no more than `pageCount` in all. */
function pinConstituents(
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
  for (let at = from; at < to; at += CONSTITUENT_SIZE_BYTES) {
    const word = at >> 2;
    const low = words[word];
    const gfn = words[word + 1] * 0x10_0000 + (low >>> 12);
    const count = words[word + CONSTITUENT_PAGE_COUNT_OFFSET / 4];
    if ((low & PAGE_OFFSET_MASK) !== 0 || gfn + count > ADDRESS_PAGE_END) return FFA_INVALID_PARAMETERS;
    if (count > pageCount - made.pageCount) return FFA_INVALID_PARAMETERS;
    if (count === 0 || !pinRange(hypervisor, context, made, gfn, count)) return FFA_DENIED;
    if (made.taken !== null) made.taken.push(gfn, count);
  }
  return FFA_OK;
}

function refuse(staging: Staging, error: number): null {
  staging.error = error;
  return null;
}

// The SPMC's descriptor --------------------------------------------------------------------------------------------

function spmcAccessSize(hypervisor: Hypervisor, staging: Staging): number {
  const asked = staging.header.accessSizeBytes;
  return asked === EMAD_1_2_SIZE_BYTES && hypervisor.secure.version >= FFA_VERSION_1_2 ? asked : EMAD_1_0_SIZE_BYTES;
}

/** Length of the SPMC's descriptor: with a constituent for each run, or for each page of the whole transaction. */
function spmcLength(hypervisor: Hypervisor, made: Share, staging: Staging, pageByPage: boolean): number {
  const constituents = pageByPage ? staging.pageCount : made.runCount;
  const access = spmcAccessSize(hypervisor, staging) * staging.header.receiverCount;
  return MTD_1_1_SIZE_BYTES + access + COMPOSITE_SIZE_BYTES + constituents * CONSTITUENT_SIZE_BYTES;
}

/** Writes the header, the access entries, the composite and what fits of the constituents. Returns the length. */
function writeFirst(
  hypervisor: Hypervisor,
  made: Share,
  staging: Staging,
  sender: number,
  constituentCount: number,
  cursor: ConstituentCursor,
  pageByPage: boolean,
): number {
  const words = spmcTxWords(hypervisor.secure);
  const from = staging.words;
  const header = staging.header;
  const accessSize = spmcAccessSize(hypervisor, staging);
  const composite = MTD_1_1_SIZE_BYTES + accessSize * header.receiverCount;
  words[0] = sender | (header.attributes << 16);
  words[1] = header.flags;
  words[2] = 0;
  words[3] = 0;
  words[4] = from[MTD_TAG_OFFSET / 4];
  words[5] = from[MTD_TAG_OFFSET / 4 + 1];
  words[6] = accessSize;
  words[7] = header.receiverCount;
  words[8] = MTD_1_1_SIZE_BYTES;
  words[9] = 0;
  words[10] = 0;
  words[11] = 0;
  let at = MTD_1_1_SIZE_BYTES / 4;
  for (let n = 0; n < header.receiverCount; n++) {
    const entry = (header.accessOffset + n * header.accessSizeBytes) >> 2;
    for (let word = 0; word < accessSize / 4; word++) words[at + word] = from[entry + word];
    words[at + EMAD_COMPOSITE_OFFSET / 4] = composite;
    at += accessSize / 4;
  }
  words[at] = staging.pageCount;
  words[at + 1] = constituentCount;
  words[at + 2] = 0;
  words[at + 3] = 0;
  return writeConstituents(words, made, cursor, composite + COMPOSITE_SIZE_BYTES, pageByPage);
}

// Commit -----------------------------------------------------------------------------------------------------------

/** The whole way with all its waits: for explorers, for a TX that is taken, for more than one fragment. */
function* transmitInSteps(
  hypervisor: Hypervisor,
  pe: Pe,
  vcpu: Vcpu,
  context: FfaContext,
  made: Share,
  staging: Staging,
  txHeld: boolean,
): Coroutine {
  const secure = hypervisor.secure;
  const records = recordsOf(hypervisor);
  if (!txHeld) yield* secure.txLock.acquire(pe);
  const totalLength = vcpu.registers.w(1);
  const fragmented = totalLength !== vcpu.registers.w(2);
  const { pageCount } = staging;
  const total = spmcLength(hypervisor, made, staging, fragmented);
  const cursor: ConstituentCursor = { run: 0, done: 0 };
  const constituents = fragmented ? pageCount : made.runCount;
  const first = writeFirst(hypervisor, made, staging, context.vmId, constituents, cursor, fragmented);
  prepareCall(pe, spmcFunction(vcpu), total, first);
  records.sharesInFlight++;
  yield* callToEnd(hypervisor, pe, context);
  const sent = yield* sendRest(hypervisor, pe, context, made, cursor, first, total, fragmented);
  if (!fragmented || sent < 0 || sent === total) {
    conclude(hypervisor, pe, vcpu, context, made);
    return;
  }
  records.sharesInFlight--;
  context.partial.push({
    share: made,
    totalLength,
    receivedLength: vcpu.registers.w(2),
    sentLength: sent,
    spmcLength: total,
    pageCount,
    busy: false,
  });
  records.handles.add(made);
  secure.txLock.release(pe);
  context.txLock.release(pe);
  askForFragment(vcpu, made, vcpu.registers.w(2));
}

/** FFA_MEM_FRAG_RX to the guest: the handle, and the offset from which it goes on. */
function askForFragment(vcpu: Vcpu, made: Share, offset: number): void {
  vcpu.registers.set8(FFA_MEM_FRAG_RX, made.handleLow, made.handleHigh, offset);
}

/**
 * Sends the constituents that are left in the share as fragments, for as long as the SPMC asks for just the next one.
 * Returns the length sent in all, or -1 when an answer ended the send (it is in `pe.smc`).
 */
function* sendRest(
  hypervisor: Hypervisor,
  pe: Pe,
  context: FfaContext,
  made: Share,
  cursor: ConstituentCursor,
  from: number,
  total: number,
  pageByPage: boolean,
): Coroutine<number> {
  let sent = from;
  for (;;) {
    if (sent === total) return sent;
    if (!asksFor(pe, made, sent)) return -1;
    if (cursor.run === made.runCount) return sent;
    const length = writeConstituents(spmcTxWords(hypervisor.secure), made, cursor, 0, pageByPage);
    prepareCall(pe, FFA_MEM_FRAG_TX, made.handleLow, made.handleHigh, length, (context.vmId << 16) >>> 0);
    yield* callToEnd(hypervisor, pe, context);
    sent += length;
  }
}

/** Whether the answer asks for the fragment at `offset` of this send. The first one tells the handle. */
function asksFor(pe: Pe, made: Share, offset: number): boolean {
  const smc = pe.smc;
  if (smc.w(0) !== FFA_MEM_FRAG_RX || smc.w(3) !== offset) return false;
  const fresh = made.handleLow === 0 && made.handleHigh === 0;
  if (fresh) {
    made.handleLow = smc.w(1);
    made.handleHigh = smc.w(2);
  }
  return smc.w(1) === made.handleLow && smc.w(2) === made.handleHigh;
}

/** The SMC, and FFA_RUN while it is preempted. */
function* callToEnd(hypervisor: Hypervisor, pe: Pe, context: FfaContext): Coroutine {
  const pending = hypervisor.secure.call(pe, context.vmId);
  if (pending !== null) yield* pending;
  yield* runToEnd(hypervisor, pe, context);
}

function isPreempted(pe: Pe): boolean {
  const functionId = pe.smc.w(0);
  return functionId === FFA_INTERRUPT || functionId === FFA_YIELD;
}

function* runToEnd(hypervisor: Hypervisor, pe: Pe, context: FfaContext): Coroutine {
  for (let runs = 0; isPreempted(pe) && runs < RUNS_MAX; runs++) {
    pe.interruptPending = false;
    prepareCall(pe, FFA_RUN, pe.smc.w(1));
    const pending = hypervisor.secure.call(pe, context.vmId);
    if (pending !== null) yield* pending;
  }
}

function* finishSend(
  hypervisor: Hypervisor,
  pe: Pe,
  vcpu: Vcpu,
  context: FfaContext,
  made: Share,
  pending: Pending,
): Coroutine {
  if (pending !== null) yield* pending;
  yield* runToEnd(hypervisor, pe, context);
  conclude(hypervisor, pe, vcpu, context, made);
}

/** Ends a send with both TX locks held: keeps it, undoes it, or quarantines what nobody knows. */
function conclude(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu, context: FfaContext, made: Share): void {
  const error = settle(hypervisor, pe, vcpu.domain, context, made);
  const { handleLow, handleHigh } = made;
  hypervisor.secure.txLock.release(pe);
  context.txLock.release(pe);
  recordsOf(hypervisor).sharesInFlight--;
  if (error === FFA_OK) {
    answerSuccess(vcpu.registers, handleLow, handleHigh);
    return;
  }
  if (error === QUARANTINED) {
    answerError(vcpu.registers, FFA_ABORTED);
    return;
  }
  answerError(vcpu.registers, error);
  made.taken = null;
  returnShare(hypervisor, context, made);
}

/** What `settle` returns when the pages went to quarantine. */
const QUARANTINED = 1;

/** Treats the answer in `pe.smc` to a send that is complete or refused. Returns the code for the guest. */
function settle(hypervisor: Hypervisor, pe: Pe, domain: Domain, context: FfaContext, made: Share): number {
  const records = recordsOf(hypervisor);
  let reply = classifyReply(pe.smc);
  if (reply === REPLY_SUCCESS && !acceptHandle(records, pe, made)) reply = REPLY_OTHER;
  const treatment = reply === REPLY_SUCCESS ? 'done' : treatmentOf(reply, CALL_MEM_SEND);
  if (treatment === 'done') {
    records.handles.add(made);
    takeAccess(domain, made);
    keepShare(hypervisor, context, made);
    return FFA_OK;
  }
  const { events } = hypervisor.machine;
  if (events.on) {
    const { smc } = pe;
    events.emit(EVENT_ANSWER_CLASS, pe.index, context.vmId, CALL_MEM_SEND, reply, smc.w(0), smc.w(2), smc.w(3));
  }
  records.handles.remove(made);
  if (treatment === 'refuse') {
    const code = pe.smc.w(2) | 0;
    return code < 0 ? code : FFA_NOT_SUPPORTED;
  }
  quarantineUnknown(hypervisor, pe, domain, context, made);
  return QUARANTINED;
}

/**
 * Whether the answer's handle can be this send's: not all ones, not one that only a hypervisor allocates, not live (one
 * that waits under an unclear reclaim is issued anew: that proves that its old share has ended).
 */
function acceptHandle(records: RecordLifecycle, pe: Pe, made: Share): boolean {
  const low = pe.smc.w(2);
  const high = pe.smc.w(3);
  if (low === INVALID_HANDLE_WORD && high === INVALID_HANDLE_WORD) return false;
  if ((high & HANDLE_HIGH_HYPERVISOR_BIT) !== 0) return false;
  const live = records.handles.find(low, high);
  if (live !== null && live !== made && live.rounds === 0) return false;
  made.handleLow = low;
  made.handleHigh = high;
  return true;
}

/** The lender of a lend or donate loses access until the reclaim; the translation stays for that. */
function takeAccess(domain: Domain, made: Share): void {
  if (made.taken !== null) changeAccess(domain, made.taken, STAGE2_INVALID);
}

/** Gives a lender its access back. */
export function restoreAccess(domain: Domain, share: Share): void {
  if (share.taken !== null) changeAccess(domain, share.taken, 0);
  share.taken = null;
}

function changeAccess(domain: Domain, runs: readonly number[], invalid: number): void {
  const { stage2 } = domain;
  for (let n = 0; n < runs.length; n += 2) {
    for (let page = 0; page < runs[n + 1]; page++) {
      const frame = stage2.translate(runs[n] + page);
      if (frame >= 0) stage2.map(runs[n] + page, frame, 1, (stage2.attributes & ~STAGE2_INVALID) | invalid);
    }
  }
}

/** The pages stay pinned and out of reach of any reuse; they count as one of the guest's shares. */
function quarantineUnknown(hypervisor: Hypervisor, pe: Pe, domain: Domain, context: FfaContext, made: Share): void {
  recordsOf(hypervisor).quarantine.add({
    vmId: context.vmId,
    serial: domain.serial,
    reason: 'share-outcome-unknown',
    hasHandle: false,
    handleLow: 0,
    handleHigh: 0,
    runs: made.runs.slice(0, 2 * made.runCount),
    answer: [pe.smc.w(0), pe.smc.w(2)],
  });
}

// Further fragments --------------------------------------------------------------------------------------------------

/** FFA_MEM_FRAG_TX from the guest: w1 and w2 handle, w3 length; w4 must be zero at a virtual instance. */
export function* sendFragment(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Coroutine {
  const context = vcpu.domain.ffa as FfaContext;
  const registers = vcpu.registers;
  if (pe.stepping) yield pe.writes(TOUCH_LOCK, context.txLock.id);
  if (!context.txLock.tryAcquire(pe)) {
    answerError(registers, FFA_BUSY);
    return;
  }
  const partial = findPartial(context, registers.w(1), registers.w(2));
  const length = registers.w(3);
  const error = checkFragment(context, partial, length, registers.w(4));
  if (error !== FFA_OK || partial === null) {
    context.txLock.release(pe);
    answerError(registers, error);
    return;
  }
  partial.busy = true;
  yield* takeFragment(hypervisor, pe, vcpu, context, partial, length);
}

function findPartial(context: FfaContext, low: number, high: number): PartialSend | null {
  for (const partial of context.partial) {
    if (partial.share.handleLow === low && partial.share.handleHigh === high) return partial;
  }
  return null;
}

function checkFragment(context: FfaContext, partial: PartialSend | null, length: number, w4: number): number {
  if (partial === null || partial.busy || !context.buffersMapped || w4 !== 0) return FFA_INVALID_PARAMETERS;
  if (length === 0 || length > PAGE_SIZE_BYTES || length % CONSTITUENT_SIZE_BYTES !== 0) return FFA_INVALID_PARAMETERS;
  return length > partial.totalLength - partial.receivedLength ? FFA_INVALID_PARAMETERS : FFA_OK;
}

function* takeFragment(
  hypervisor: Hypervisor,
  pe: Pe,
  vcpu: Vcpu,
  context: FfaContext,
  partial: PartialSend,
  length: number,
): Coroutine {
  const staging = stagingOf(hypervisor, pe);
  const made = partial.share;
  if (pe.stepping) {
    pe.reads(TOUCH_FRAME, context.txFrame);
    yield pe.also(TOUCH_LOCK, context.lock.id, ACCESS_WRITE);
  }
  stage(hypervisor, staging, context.txFrame, 0, length);
  const before = markOf(made);
  const error = pinConstituents(hypervisor, staging, context, made, 0, length, partial.pageCount);
  const last = partial.receivedLength + length === partial.totalLength;
  if (error !== FFA_OK || (last && made.pageCount !== partial.pageCount)) {
    // The SPMC holds what came before: the send stays open, its end is the guest's or the teardown's to bring about.
    unpinFrom(hypervisor, made, before);
    partial.busy = false;
    context.txLock.release(pe);
    answerError(vcpu.registers, error === FFA_OK ? FFA_INVALID_PARAMETERS : error);
    return;
  }
  yield* hypervisor.secure.txLock.acquire(pe);
  recordsOf(hypervisor).sharesInFlight++;
  pe.smc.set8(FFA_MEM_FRAG_RX, made.handleLow, made.handleHigh, partial.sentLength);
  const cursor = cursorAt(made, before);
  const { sentLength, spmcLength } = partial;
  const sent = yield* sendRest(hypervisor, pe, context, made, cursor, sentLength, spmcLength, true);
  partial.busy = false;
  if (sent >= 0 && sent < spmcLength) {
    partial.receivedLength += length;
    partial.sentLength = sent;
    recordsOf(hypervisor).sharesInFlight--;
    hypervisor.secure.txLock.release(pe);
    context.txLock.release(pe);
    askForFragment(vcpu, made, partial.receivedLength);
    return;
  }
  context.partial.splice(context.partial.indexOf(partial), 1);
  conclude(hypervisor, pe, vcpu, context, made);
}

/** How far a share had come: enough to go back there. */
interface Mark {
  readonly pageCount: number;
  readonly runCount: number;
  readonly lastRunLength: number;
  readonly takenLength: number;
}

function markOf(made: Share): Mark {
  return {
    pageCount: made.pageCount,
    runCount: made.runCount,
    lastRunLength: made.runCount === 0 ? 0 : made.runs[2 * made.runCount - 1],
    takenLength: made.taken === null ? 0 : made.taken.length,
  };
}

/** The first constituent after the mark: what came later may have lengthened the mark's last run. */
function cursorAt(made: Share, mark: Mark): ConstituentCursor {
  if (mark.runCount > 0 && made.runs[2 * mark.runCount - 1] !== mark.lastRunLength) {
    return { run: mark.runCount - 1, done: mark.lastRunLength };
  }
  return { run: mark.runCount, done: 0 };
}

/** Unpins what was pinned after the mark. */
function unpinFrom(hypervisor: Hypervisor, made: Share, mark: Mark): void {
  const { frames } = hypervisor.machine;
  const cursor = cursorAt(made, mark);
  for (let run = cursor.run; run < made.runCount; run++) {
    const done = run === cursor.run ? cursor.done : 0;
    frames.putRange(made.runs[2 * run] + done, made.runs[2 * run + 1] - done);
  }
  if (cursor.done > 0) made.runs[2 * cursor.run + 1] = cursor.done;
  made.runCount = mark.runCount;
  made.pageCount = mark.pageCount;
  if (made.taken !== null) made.taken.length = mark.takenLength;
}
