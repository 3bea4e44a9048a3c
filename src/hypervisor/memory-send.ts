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

import { FFA_ABORTED, FFA_BUSY, FFA_OK } from '../abi/errors.ts';
import { FFA_MEM_FRAG_RX, FFA_MEM_FRAG_TX } from '../abi/function-ids.ts';
import {
  ACCESS_READ,
  ACCESS_WRITE,
  TOUCH_BUFFER,
  TOUCH_FRAME,
  TOUCH_LOCK,
  TOUCH_REFERENCES,
} from '../base/announcement.ts';
import type { Coroutine, Pending } from '../base/coroutine.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { Pe } from '../hardware/pe.ts';
import { answerError } from './answer.ts';
import {
  CALL_MEM_SEND,
  classifyReply,
  REPLY_ERROR_AGAIN,
  REPLY_ERROR_NO_MEMORY,
  REPLY_PREEMPTED,
  type ReplyClass,
} from './answer-table.ts';
import type { Vcpu } from './domain.ts';
import type { FfaContext, Share } from './ffa-context.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { RecordLifecycle } from './record-lifecycle.ts';
import { NOT_TAKEN, RUNS_MAX, runToEnd } from './run-to-end.ts';
import { checkRegisters, reserve, spmcFunction } from './send-check.ts';
import { spmcLength, writeFirst } from './send-descriptor.ts';
import { conclude, enterHandle, recordsOf, takeHandle } from './send-outcome.ts';

import { prepareCall, prepareShortCall } from './spmc-answer.ts';
import { spmcTxWords } from './spmc-buffers.ts';
import { type ConstituentCursor, writeConstituents } from './spmc-constituents.ts';
import { type Staging, stagingOf } from './staging.ts';

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
  const cursor = staging.cursor;
  cursor.run = 0;
  cursor.done = 0;
  writeFirst(hypervisor, made, staging, context.vmId, made.runCount, cursor, false);
  prepareShortCall(pe, spmcFunction(vcpu), total, total, 0);
  recordsOf(hypervisor).sharesInFlight++;
  const pending = hypervisor.secure.call(pe, context.vmId);
  if (pending !== null) return finishSend(hypervisor, pe, vcpu, context, made, pending);
  const reply = classifyReply(pe.smc);
  if (reply === REPLY_PREEMPTED) return finishSend(hypervisor, pe, vcpu, context, made, null);
  conclude(hypervisor, pe, vcpu, context, made, true, reply);
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
  staging.accepted = 0;
  staging.reply = yield* callToEnd(hypervisor, pe, context);
  const sent = yield* sendRest(hypervisor, pe, context, made, staging, cursor, first, total, fragmented);
  const stuck = isOpenStill(staging);
  if (!stuck && (!fragmented || sent < 0 || sent === total)) {
    conclude(hypervisor, pe, vcpu, context, made, sent === total, staging.reply);
    return;
  }
  records.sharesInFlight--;
  context.partial.push({
    share: made,
    totalLength,
    receivedLength: vcpu.registers.w(2),
    sentLength: stuck ? staging.accepted : sent,
    spmcLength: total,
    pageCount,
    busy: stuck,
    refused: stuck,
  });
  made.holder = context;
  enterHandle(hypervisor, pe, made);
  secure.txLock.release(pe);
  context.txLock.release(pe);
  // What is stuck is open at the SPMC, and nobody can go on with it: the guest's end is its end.
  if (stuck) answerError(vcpu.registers, FFA_ABORTED);
  else askForFragment(vcpu, made, vcpu.registers.w(2));
}

/**
 * Whether the SPMC refused a further fragment for now: what it has of the send it keeps, so no page of it may be
 * returned.
 */
export function isOpenStill(staging: Staging): boolean {
  const { reply } = staging;
  return staging.accepted > 0 && (reply === REPLY_ERROR_AGAIN || reply === REPLY_ERROR_NO_MEMORY);
}

/** FFA_MEM_FRAG_RX to the guest: the handle, and the offset from which it goes on. */
export function askForFragment(vcpu: Vcpu, made: Share, offset: number): void {
  vcpu.registers.set8(FFA_MEM_FRAG_RX, made.handleLow, made.handleHigh, offset);
}

/**
 * Sends the constituents that are left in the share as fragments, for as long as the SPMC asks for just the next one.
 * Returns the length sent in all, or -1 when an answer ended the send (it is in `pe.smc`, its class in
 * `staging.reply`).
 */
export function* sendRest(
  hypervisor: Hypervisor,
  pe: Pe,
  context: FfaContext,
  made: Share,
  staging: Staging,
  cursor: ConstituentCursor,
  from: number,
  total: number,
  pageByPage: boolean,
): Coroutine<number> {
  let sent = from;
  for (;;) {
    if (sent === total) return sent;
    if (!asksFor(recordsOf(hypervisor), pe, made, sent)) return -1;
    staging.accepted = sent;
    if (cursor.run === made.runCount) return sent;
    const length = writeConstituents(spmcTxWords(hypervisor.secure), made, cursor, 0, pageByPage);
    prepareCall(pe, FFA_MEM_FRAG_TX, made.handleLow, made.handleHigh, length, (context.vmId << 16) >>> 0);
    staging.reply = yield* callToEnd(hypervisor, pe, context);
    sent += length;
  }
}

/** Whether the answer asks for the fragment at `offset` of this send. The first one tells the handle. */
function asksFor(records: RecordLifecycle, pe: Pe, made: Share, offset: number): boolean {
  const smc = pe.smc;
  if (smc.w(0) !== FFA_MEM_FRAG_RX || smc.w(3) !== offset) return false;
  return takeHandle(records, made, smc.w(1), smc.w(2));
}

/** The SMC, and FFA_RUN while it is preempted. Returns the class of the answer. */
function* callToEnd(hypervisor: Hypervisor, pe: Pe, context: FfaContext): Coroutine<ReplyClass> {
  const pending = hypervisor.secure.call(pe, context.vmId);
  if (pending !== null) yield* pending;
  return yield* runSendToEnd(hypervisor, pe, context);
}

function runSendToEnd(hypervisor: Hypervisor, pe: Pe, context: FfaContext): Coroutine<ReplyClass> {
  const taken = { runTarget: NOT_TAKEN, runMoved: false };
  return runToEnd(hypervisor.secure, pe, context.vmId, taken, CALL_MEM_SEND, 0, { left: RUNS_MAX });
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
  const reply = yield* runSendToEnd(hypervisor, pe, context);
  conclude(hypervisor, pe, vcpu, context, made, true, reply);
}
