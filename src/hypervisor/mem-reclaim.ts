// FFA_MEM_RECLAIM by the VM that shared: the record is taken out of the guest's list before the SMC, so that a second
// vCPU cannot reclaim the same handle meanwhile, and goes back to its end when the SPMC refuses. [Xen ffa_shm.c]

import { FFA_INVALID_PARAMETERS, FFA_NOT_SUPPORTED, FFA_OK } from '../abi/errors.ts';
import { FFA_MEM_RECLAIM } from '../abi/function-ids.ts';
import { TOUCH_LOCK } from '../base/announcement.ts';
import type { Coroutine, Pending } from '../base/coroutine.ts';
import { EVENT_SHARE_DEAD } from '../base/event-kinds.ts';
import type { Pe } from '../hardware/pe.ts';
import { answerError, answerSuccess } from './answer.ts';
import type { Vcpu } from './domain.ts';
import type { FfaContext, Share } from './ffa-context.ts';
import type { Hypervisor } from './hypervisor.ts';
import { announceConclusion } from './mem-share.ts';
import { findShare, returnShare, unlinkShare } from './share-records.ts';
import { answerCode, prepareCall } from './spmc-answer.ts';

/** FFA_MEM_RECLAIM where the SPMC is known to have it: w1 and w2 handle, w3 flags, passed on as they are. */
export function reclaim(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending {
  if (pe.stepping) return reclaimInSteps(hypervisor, pe, vcpu);
  const context = vcpu.domain.ffa as FfaContext;
  const share = beginReclaim(pe, vcpu, context);
  if (share === null) return null;
  const pending = hypervisor.secure.call(pe, context.vmId);
  if (pending !== null) return finishReclaim(hypervisor, pe, vcpu, context, share, pending);
  concludeReclaim(hypervisor, pe, vcpu, context, share);
  return null;
}

/** FFA_MEM_RECLAIM, not supported when the SPMC lacks it. */
export function reclaimIfSupported(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending {
  if (hypervisor.secure.has(FFA_MEM_RECLAIM)) return reclaim(hypervisor, pe, vcpu);
  answerError(vcpu.registers, FFA_NOT_SUPPORTED);
  return null;
}

function* reclaimInSteps(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Coroutine {
  const context = vcpu.domain.ffa as FfaContext;
  yield pe.writes(TOUCH_LOCK, context.lock.id);
  const share = beginReclaim(pe, vcpu, context);
  if (share === null) return;
  const pending = hypervisor.secure.call(pe, context.vmId);
  if (pending !== null) yield* pending;
  yield announceConclusion(pe, context, share);
  concludeReclaim(hypervisor, pe, vcpu, context, share);
}

function* finishReclaim(
  hypervisor: Hypervisor,
  pe: Pe,
  vcpu: Vcpu,
  context: FfaContext,
  share: Share,
  pending: Coroutine,
): Coroutine {
  yield* pending;
  concludeReclaim(hypervisor, pe, vcpu, context, share);
}

/** Unlinks the guest's share of that handle and prepares the SMC; answers the guest when there is none. */
function beginReclaim(pe: Pe, vcpu: Vcpu, context: FfaContext): Share | null {
  const registers = vcpu.registers;
  const handleLow = registers.w(1);
  const handleHigh = registers.w(2);
  const at = findShare(context, handleLow, handleHigh);
  if (at < 0) {
    answerError(registers, FFA_INVALID_PARAMETERS);
    return null;
  }
  prepareCall(pe, FFA_MEM_RECLAIM, handleLow, handleHigh, registers.w(3));
  return unlinkShare(context, at);
}

function concludeReclaim(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu, context: FfaContext, share: Share): void {
  const code = answerCode(pe.smc);
  if (code === FFA_OK) {
    emitShareDead(hypervisor, context, share);
    returnShare(hypervisor, context, share);
    answerSuccess(vcpu.registers);
  } else {
    context.shares.push(share);
    answerError(vcpu.registers, code);
  }
}

export function emitShareDead(hypervisor: Hypervisor, context: FfaContext, share: Share): void {
  const events = hypervisor.machine.events;
  if (!events.on) return;
  events.emit(EVENT_SHARE_DEAD, 0, context.vmId, share.handleLow, share.handleHigh, share.pageCount, share.receiver);
}
