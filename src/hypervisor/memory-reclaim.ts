// FFA_MEM_RECLAIM in the default profile: by the guest that sent, of a transaction that is whole. The record leaves the
// guest's list before the SMC, so that a second vCPU cannot reclaim the same handle meanwhile; a refusal puts it back.
//
// An answer that leaves open whether the transaction has ended marks the share: from then on its handle may have been
// issued anew, so a reclaim is sent only while no other live share has that handle and no send is under way. So it is
// with a donation from the first, for its handle ends when it is retrieved. A reclaim that the SPMC took and never
// answered is not sent again but run on.

import { FFA_ABORTED, FFA_BUSY, FFA_INVALID_PARAMETERS, FFA_NOT_SUPPORTED } from '../abi/errors.ts';
import { FFA_ERROR, FFA_MEM_RECLAIM, FFA_RUN } from '../abi/function-ids.ts';
import { TOUCH_HANDLE, TOUCH_LOCK } from '../base/announcement.ts';
import type { Coroutine, Pending } from '../base/coroutine.ts';
import { EVENT_ANSWER_CLASS } from '../base/event-kinds.ts';
import type { Pe } from '../hardware/pe.ts';
import { answerError, answerSuccess } from './answer.ts';
import {
  CALL_MEM_RECLAIM,
  classifyReply,
  REPLY_PREEMPTED,
  REPLY_SUCCESS,
  type ReplyClass,
  treatmentOf,
} from './answer-table.ts';
import type { Vcpu } from './domain.ts';
import type { FfaContext, Share } from './ffa-context.ts';
import type { Hypervisor } from './hypervisor.ts';
import { emitShareDead } from './mem-reclaim.ts';
import { NOT_TAKEN, RUNS_MAX, runToEnd } from './run-to-end.ts';
import { recordsOf, restoreAccess } from './send-outcome.ts';
import { findShare, returnShare, unlinkShare } from './share-records.ts';
import { prepareShortCall } from './spmc-answer.ts';

export function reclaimMemory(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending {
  if (pe.stepping) return reclaimInSteps(hypervisor, pe, vcpu);
  const context = vcpu.domain.ffa as FfaContext;
  const share = begin(hypervisor, pe, vcpu, context);
  if (share === null) return null;
  const pending = hypervisor.secure.call(pe, context.vmId);
  if (pending !== null || share.runTarget !== NOT_TAKEN) {
    return finish(hypervisor, pe, vcpu, context, share, pending);
  }
  const reply = classifyReply(pe.smc);
  if (reply === REPLY_PREEMPTED) return finish(hypervisor, pe, vcpu, context, share, null);
  conclude(hypervisor, pe, vcpu, context, share, reply);
  return null;
}

function* reclaimInSteps(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Coroutine {
  const context = vcpu.domain.ffa as FfaContext;
  yield pe.writes(TOUCH_LOCK, context.lock.id);
  const share = begin(hypervisor, pe, vcpu, context);
  if (share === null) return;
  yield pe.writes(TOUCH_HANDLE, share.handleLow);
  yield* finish(hypervisor, pe, vcpu, context, share, hypervisor.secure.call(pe, context.vmId));
}

/** Unlinks the guest's share of that handle and prepares the SMC; answers the guest when nothing is to be sent. */
function begin(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu, context: FfaContext): Share | null {
  const { registers } = vcpu;
  if (!hypervisor.secure.has(FFA_MEM_RECLAIM)) return refuse(vcpu, FFA_NOT_SUPPORTED);
  const handleLow = registers.w(1);
  const handleHigh = registers.w(2);
  const at = findShare(context, handleLow, handleHigh);
  if (at < 0) return refuse(vcpu, FFA_INVALID_PARAMETERS);
  const share = context.shares[at];
  if (share.rounds > 0 || share.donated) {
    const records = recordsOf(hypervisor);
    const now = records.handles.find(handleLow, handleHigh);
    if (now !== null && now !== share) {
      unlinkShare(context, at);
      end(hypervisor, vcpu, context, share);
      return null;
    }
    if (records.sharesInFlight > 0) return refuse(vcpu, FFA_BUSY);
  }
  if (share.runTarget === NOT_TAKEN) prepareShortCall(pe, FFA_MEM_RECLAIM, handleLow, handleHigh, registers.w(3));
  else prepareShortCall(pe, FFA_RUN, share.runTarget, 0, 0);
  share.reclaiming = true;
  return unlinkShare(context, at);
}

function refuse(vcpu: Vcpu, error: number): null {
  answerError(vcpu.registers, error);
  return null;
}

function* finish(
  hypervisor: Hypervisor,
  pe: Pe,
  vcpu: Vcpu,
  context: FfaContext,
  share: Share,
  pending: Pending,
): Coroutine {
  if (pending !== null) yield* pending;
  const runs = { left: RUNS_MAX };
  const reply = yield* runToEnd(hypervisor.secure, pe, context.vmId, share, CALL_MEM_RECLAIM, 0, runs);
  if (pe.stepping) yield pe.writes(TOUCH_LOCK, context.lock.id);
  conclude(hypervisor, pe, vcpu, context, share, reply);
}

function conclude(
  hypervisor: Hypervisor,
  pe: Pe,
  vcpu: Vcpu,
  context: FfaContext,
  share: Share,
  reply: ReplyClass,
): void {
  if (reply === REPLY_SUCCESS) {
    end(hypervisor, vcpu, context, share);
    return;
  }
  const { events } = hypervisor.machine;
  if (events.on) {
    const { smc } = pe;
    events.emit(EVENT_ANSWER_CLASS, pe.index, context.vmId, CALL_MEM_RECLAIM, reply, smc.w(0), smc.w(2), smc.w(3));
  }
  const now = recordsOf(hypervisor).handles.find(share.handleLow, share.handleHigh);
  if (now !== null && now !== share) {
    // Its handle was issued anew meanwhile: whatever the answer says, it has ended.
    end(hypervisor, vcpu, context, share);
    return;
  }
  share.reclaiming = reply === REPLY_PREEMPTED;
  if (treatmentOf(reply, CALL_MEM_RECLAIM) !== 'again') share.rounds = 1;
  context.shares.push(share);
  const code = pe.smc.w(0) === FFA_ERROR ? pe.smc.w(2) | 0 : FFA_ABORTED;
  answerError(vcpu.registers, code < 0 ? code : FFA_ABORTED);
}

function end(hypervisor: Hypervisor, vcpu: Vcpu, context: FfaContext, share: Share): void {
  recordsOf(hypervisor).handles.remove(share);
  restoreAccess(vcpu.domain, share);
  emitShareDead(hypervisor, context, share);
  returnShare(hypervisor, context, share);
  answerSuccess(vcpu.registers);
}
