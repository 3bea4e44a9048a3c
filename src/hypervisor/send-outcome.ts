// The end of a send: what the SPMC's answer means (answer-table.ts), the handle that it may be, the lender's access,
// the quarantine for what nobody knows.

import { FFA_ABORTED, FFA_NOT_SUPPORTED, FFA_OK } from '../abi/errors.ts';

import { HANDLE_HIGH_HYPERVISOR_BIT, INVALID_HANDLE_WORD } from '../abi/layout/memory-bits.ts';

import { EVENT_ANSWER_CLASS } from '../base/event-kinds.ts';

import type { Pe } from '../hardware/pe.ts';
import { STAGE2_INVALID } from '../hardware/stage2.ts';
import { answerError, answerSuccess } from './answer.ts';
import { CALL_MEM_SEND, REPLY_OTHER, REPLY_SUCCESS, type ReplyClass, treatmentOf } from './answer-table.ts';
import type { Domain, Vcpu } from './domain.ts';
import type { FfaContext, PartialSend, Share } from './ffa-context.ts';
import type { Hypervisor } from './hypervisor.ts';
import { keepShare } from './mem-share.ts';
import type { RecordLifecycle } from './record-lifecycle.ts';

import { returnShare } from './share-records.ts';

/** The teardown state of a hypervisor that runs the default profile. */
export function recordsOf(hypervisor: Hypervisor): RecordLifecycle {
  return hypervisor.lifecycle as RecordLifecycle;
}

/**
 * Ends a send with both TX locks held: keeps it, undoes it, or quarantines what nobody knows. `complete`: whether the
 * SPMC had all of it; a success before that is an answer out of place. `reply`: the class of the answer in `pe.smc`.
 */
export function conclude(
  hypervisor: Hypervisor,
  pe: Pe,
  vcpu: Vcpu,
  context: FfaContext,
  made: Share,
  complete: boolean,
  reply: ReplyClass,
): void {
  const error = settle(hypervisor, pe, vcpu.domain, context, made, complete, reply);
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
function settle(
  hypervisor: Hypervisor,
  pe: Pe,
  domain: Domain,
  context: FfaContext,
  made: Share,
  complete: boolean,
  answered: ReplyClass,
): number {
  const records = recordsOf(hypervisor);
  let reply = answered;
  if (reply === REPLY_SUCCESS && !(complete && acceptHandle(records, pe, made))) reply = REPLY_OTHER;
  const treatment = reply === REPLY_SUCCESS ? 'done' : treatmentOf(reply, CALL_MEM_SEND);
  if (treatment === 'done') {
    enterHandle(hypervisor, pe, made);
    made.holder = context;
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
 * that waits under an unclear reclaim is issued anew: that proves that its old share has ended; so is one whose reclaim
 * is on its way, one of a donation that was retrieved, and one of half a send whose last fragment was refused).
 */
function acceptHandle(records: RecordLifecycle, pe: Pe, made: Share): boolean {
  return takeHandle(records, made, pe.smc.w(2), pe.smc.w(3));
}

/** Gives the send this handle if it can be its own: the first one that it is told, and no other afterwards. */
export function takeHandle(records: RecordLifecycle, made: Share, low: number, high: number): boolean {
  if (made.hasHandle) return made.handleLow === low && made.handleHigh === high;
  if (low === INVALID_HANDLE_WORD && high === INVALID_HANDLE_WORD) return false;
  if ((high & HANDLE_HIGH_HYPERVISOR_BIT) !== 0) return false;
  const live = records.handles.find(low, high);
  const mayHaveEnded = live === null || live === made || live.rounds > 0 || live.donated || live.reclaiming;
  if (!mayHaveEnded && refusedPartial(live) === null) return false;
  made.handleLow = low;
  made.handleHigh = high;
  made.hasHandle = true;
  return true;
}

/** The handle is the send's from now on. Who had it before has ended, as its being issued anew proves. */
export function enterHandle(hypervisor: Hypervisor, pe: Pe, made: Share): void {
  const { handles } = recordsOf(hypervisor);
  if (handles.find(made.handleLow, made.handleHigh) === null) {
    handles.insert(made);
    return;
  }
  leaveDonated(hypervisor, pe, made);
  leaveForgotten(hypervisor, made);
  handles.add(made);
}

/**
 * The handle of a living guest's donation is issued anew: the donation was retrieved, its pages are a partition's. They
 * leave the guest's list for the quarantine.
 */
function leaveDonated({ slots, lifecycle }: Hypervisor, pe: Pe, made: Share): void {
  const records = lifecycle as RecordLifecycle;
  const before = records.handles.find(made.handleLow, made.handleHigh);
  if (before === null || before === made || !before.donated || before.holder === null) return;
  const { shares, vmId, domain } = before.holder;
  shares.splice(shares.indexOf(before), 1);
  slots.end(before);
  records.quarantine.add({
    vmId,
    serial: domain.serial,
    reason: 'donated',
    hasHandle: false,
    handleLow: 0,
    handleHigh: 0,
    runs: before.runs.slice(0, 2 * before.runCount),
    share: null,
    answer: [pe.smc.w(0), pe.smc.w(2)],
  });
}

/** The half of a send that this is, if the SPMC refused its last fragment. */
function refusedPartial(share: Share): PartialSend | null {
  return share.holder?.partial.find((partial) => partial.refused && partial.share === share) ?? null;
}

/**
 * The handle of a living guest's half send is issued anew: the SPMC has forgotten the send when it refused a fragment
 * (Hafnium does, when it has no room for one more). Its pages are the guest's alone again.
 */
function leaveForgotten(hypervisor: Hypervisor, made: Share): void {
  const before = recordsOf(hypervisor).handles.find(made.handleLow, made.handleHigh);
  const partial = before === null || before === made ? null : refusedPartial(before);
  if (partial === null || before === null || before.holder === null) return;
  const { holder } = before;
  holder.partial.splice(holder.partial.indexOf(partial), 1);
  recordsOf(hypervisor).handles.remove(before);
  before.taken = null;
  returnShare(hypervisor, holder, before);
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
    share: made,
    answer: [pe.smc.w(0), pe.smc.w(2)],
  });
}
