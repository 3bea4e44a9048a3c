// FFA_MEM_FRAG_TX from a guest, in the default profile: further constituents of a send that is open. A fragment that
// the mediator refuses, or the SPMC for now, leaves the send as it was: the guest may try again.

import { FFA_ABORTED, FFA_BUSY, FFA_INVALID_PARAMETERS, FFA_OK } from '../abi/errors.ts';
import { FFA_MEM_FRAG_RX } from '../abi/function-ids.ts';
import { CONSTITUENT_SIZE_BYTES } from '../abi/layout/memory-transaction.ts';
import { ACCESS_WRITE, TOUCH_FRAME, TOUCH_LOCK } from '../base/announcement.ts';
import type { Coroutine } from '../base/coroutine.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { Pe } from '../hardware/pe.ts';
import { answerError } from './answer.ts';
import type { Vcpu } from './domain.ts';
import type { FfaContext, PartialSend, Share } from './ffa-context.ts';
import type { Hypervisor } from './hypervisor.ts';
import { askForFragment, isOpenStill, sendRest } from './memory-send.ts';
import { pinConstituents } from './send-check.ts';
import { conclude, recordsOf } from './send-outcome.ts';

import type { ConstituentCursor } from './spmc-constituents.ts';
import { stage, stagingOf } from './staging.ts';

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
  partial.refused = false;
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
  staging.accepted = sentLength;
  const sent = yield* sendRest(hypervisor, pe, context, made, staging, cursor, sentLength, spmcLength, true);
  partial.busy = false;
  if (isOpenStill(staging)) {
    recordsOf(hypervisor).sharesInFlight--;
    hypervisor.secure.txLock.release(pe);
    const code = pe.smc.w(2);
    partial.refused = true;
    if (staging.accepted === sentLength) unpinFrom(hypervisor, made, before);
    else {
      // Part of it went through: it can be neither taken back nor sent again. The guest's end is the send's.
      partial.sentLength = staging.accepted;
      partial.busy = true;
    }
    context.txLock.release(pe);
    answerError(vcpu.registers, partial.busy ? FFA_ABORTED : code);
    return;
  }
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
  conclude(hypervisor, pe, vcpu, context, made, sent === spmcLength, staging.reply);
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
