// Who a preempted partition serves, in the default profile: direct requests and FFA_RUN of guests. FFA_RUN reaches only
// what was preempted while it served the caller, or, if policy allows, what waits; what comes back reaches only the
// guest that it is for; framework messages come from the hypervisor alone. When the guest dies, what it left running is
// run out (teardown-worker.ts).
//
// Limits: a reply for somebody else, or of another partition than was asked, is dropped, and the guest gets
// FFA_ABORTED.

import { isSecureEndpoint } from '../abi/endpoint-ids.ts';
import { FFA_ABORTED, FFA_DENIED, FFA_INVALID_PARAMETERS, FFA_NOT_SUPPORTED, isFfaErrorCode } from '../abi/errors.ts';
import {
  FFA_ERROR,
  FFA_INTERRUPT,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_MSG_SEND_DIRECT_RESP_64,
  FFA_MSG_SEND_DIRECT_RESP2,
  FFA_MSG_WAIT,
  FFA_RUN,
  FFA_YIELD,
} from '../abi/function-ids.ts';
import { DIRECT_ENDPOINT_MASK, DIRECT_SENDER_SHIFT, RUN_ENDPOINT_SHIFT } from '../abi/layout/messages.ts';
import { FFA_VERSION_1_2 } from '../abi/versions.ts';
import { TOUCH_PARTITION } from '../base/announcement.ts';
import type { Coroutine, Pending } from '../base/coroutine.ts';
import type { Pe } from '../hardware/pe.ts';
import { answerError } from './answer.ts';
import { relayAnswer, sendDirect, sendDirect2 } from './direct-message.ts';
import type { Vcpu } from './domain.ts';
import type { FfaContext } from './ffa-context.ts';
import type { Hypervisor } from './hypervisor.ts';
import { prepareCall } from './spmc-answer.ts';

/** FFA_MSG_SEND_DIRECT_REQ, 32 and 64: w2 is zero in a partition message. */
export function requestDirect(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending {
  if (vcpu.registers.w(2) !== 0) {
    answerError(vcpu.registers, FFA_INVALID_PARAMETERS);
    return null;
  }
  const asked = vcpu.registers.w(1) & DIRECT_ENDPOINT_MASK;
  if (!isSecureEndpoint(asked)) return requestVm(hypervisor, pe, vcpu);
  return watch(pe, vcpu, sendDirect(hypervisor, pe, vcpu), 0, asked);
}

/** FFA_MSG_SEND_DIRECT_REQ2. */
export function requestDirect2(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending {
  const asked = vcpu.registers.w(1) & DIRECT_ENDPOINT_MASK;
  const is12 = (vcpu.domain.ffa as FfaContext).version >= FFA_VERSION_1_2;
  if (is12 && !isSecureEndpoint(asked)) return requestVm(hypervisor, pe, vcpu);
  return watch(pe, vcpu, sendDirect2(hypervisor, pe, vcpu), 0, asked);
}

/** A request to another VM: the ids first, then all else. */
function requestVm(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending {
  const endpoints = vcpu.registers.w(1);
  const { vmId } = vcpu.domain;
  if (endpoints >>> DIRECT_SENDER_SHIFT !== vmId || (endpoints & DIRECT_ENDPOINT_MASK) === vmId) {
    answerError(vcpu.registers, FFA_INVALID_PARAMETERS);
    return null;
  }
  return hypervisor.vmMessages.ask(hypervisor, pe, vcpu);
}

/** FFA_MSG_WAIT of a guest: for a request of another VM. */
export function waitForRequest(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending {
  return hypervisor.vmMessages.wait(pe, vcpu);
}

/** FFA_MSG_SEND_DIRECT_RESP and RESP2 of a guest, to another VM. */
export function respond(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending {
  return hypervisor.vmMessages.answer(pe, vcpu);
}

/**
 * FFA_RUN of a partition vCPU that was preempted while it served this guest; where the hypervisor lets guests do so,
 * also of one that waits.
 */
export function runOwn(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending {
  const context = vcpu.domain.ffa as FfaContext;
  const target = vcpu.registers.w(1);
  const { secure } = hypervisor;
  if (!isSecureEndpoint(target >>> RUN_ENDPOINT_SHIFT)) return hypervisor.vmMessages.goOn(pe, vcpu);
  if (!secure.has(FFA_RUN)) {
    answerError(vcpu.registers, FFA_NOT_SUPPORTED);
    return null;
  }
  const at = context.unfinished.indexOf(target);
  if (at < 0) {
    if (hypervisor.guestsRunWaiting) return runWaiting(hypervisor, pe, vcpu, target);
    answerError(vcpu.registers, FFA_DENIED);
    return null;
  }
  const asked = context.unfinishedAsked[at];
  prepareCall(pe, FFA_RUN, target);
  const pending = secure.call(pe, context.vmId);
  if (pending !== null) return runLater(pe, vcpu, pending, target, asked);
  relayRun(pe, vcpu, target, asked);
  return null;
}

function* runLater(pe: Pe, vcpu: Vcpu, pending: Coroutine, target: number, asked: number): Coroutine {
  yield* pending;
  if (pe.stepping) yield pe.writes(TOUCH_PARTITION, vcpu.domain.vmId);
  relayRun(pe, vcpu, target, asked);
}

/** Nothing is run that stands still in the middle of something: its answer would be somebody else's. */
function* runWaiting(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu, target: number): Coroutine {
  if (!(yield* hypervisor.secure.runFree(pe, vcpu.domain.vmId, target))) {
    answerError(vcpu.registers, FFA_DENIED);
    return;
  }
  if (pe.stepping) yield pe.writes(TOUCH_PARTITION, vcpu.domain.vmId);
  relayRun(pe, vcpu, target, target >>> RUN_ENDPOINT_SHIFT);
}

/** The answer to an FFA_RUN goes to the guest: that of a request, or that the partition waits again. */
function relayRun(pe: Pe, vcpu: Vcpu, target: number, asked: number): void {
  if (pe.smc.w(0) === FFA_MSG_WAIT) {
    forget(vcpu.domain.ffa as FfaContext, target);
    vcpu.registers.set4(FFA_MSG_WAIT, pe.smc.w(1), 0, 0);
    return;
  }
  relayAnswer(pe.smc, vcpu.registers);
  note(pe, vcpu, target, asked);
}

/**
 * Looks at the answer once it is in the guest's registers. `target`: what FFA_RUN ran, 0 for a request; `asked`: the
 * partition that the request went to, which alone may answer it (what is run may be another, that it called in turn).
 */
function watch(pe: Pe, vcpu: Vcpu, pending: Pending, target: number, asked: number): Pending {
  if (pending !== null) return watchLater(pe, vcpu, pending, target, asked);
  note(pe, vcpu, target, asked);
  return null;
}

function* watchLater(pe: Pe, vcpu: Vcpu, pending: Coroutine, target: number, asked: number): Coroutine {
  yield* pending;
  if (pe.stepping) yield pe.writes(TOUCH_PARTITION, vcpu.domain.vmId);
  note(pe, vcpu, target, asked);
}

function note(pe: Pe, vcpu: Vcpu, target: number, asked: number): void {
  const { registers } = vcpu;
  const context = vcpu.domain.ffa as FfaContext;
  switch (registers.w(0)) {
    case FFA_INTERRUPT:
    case FFA_YIELD: {
      // The interrupt is the hypervisor's, which takes it now.
      pe.interruptPending = false;
      const preempted = registers.w(1);
      if (target !== 0 && target !== preempted) forget(context, target);
      const at = context.unfinished.indexOf(preempted);
      if (at < 0) {
        context.unfinished.push(preempted);
        context.unfinishedAsked.push(asked);
      } else context.unfinishedAsked[at] = asked;
      return;
    }
    case FFA_ERROR:
      // A code that FF-A does not define, 0 above all, may be read as anything.
      if (!isFfaErrorCode(registers.w(2) | 0)) answerError(registers, FFA_ABORTED);
      return;
    case FFA_MSG_SEND_DIRECT_RESP_32:
    case FFA_MSG_SEND_DIRECT_RESP_64:
    case FFA_MSG_SEND_DIRECT_RESP2:
      if (target !== 0) forget(context, target);
      if (registers.w(1) !== ((asked << DIRECT_SENDER_SHIFT) | context.vmId) >>> 0) answerError(registers, FFA_ABORTED);
      return;
    default:
      return;
  }
}

function forget(context: FfaContext, target: number): void {
  const at = context.unfinished.indexOf(target);
  if (at < 0) return;
  context.unfinished.splice(at, 1);
  context.unfinishedAsked.splice(at, 1);
}
