// The guest's door: routes a trapped SMC or HVC to the mediator's handler, and publishes the answer.
//
// Order: an AArch32 guest's 64-bit function is unknown (x0 = -1); so is anything outside the mediator's window and any
// call of a domain without an FF-A context. What reaches the mediator passes the profile's gate, then its handler; what
// has none is NOT_SUPPORTED. [Xen ffa.c]

import { FFA_NOT_SUPPORTED } from '../abi/errors.ts';
import type { Coroutine, Pending } from '../base/coroutine.ts';
import { EVENT_GUEST_CALL, EVENT_GUEST_RETURN } from '../base/event-kinds.ts';
import { emitRegisters } from '../hardware/emit-registers.ts';
import type { Pe } from '../hardware/pe.ts';
import { answerError } from './answer.ts';
import type { Vcpu } from './domain.ts';
import type { Hypervisor } from './hypervisor.ts';

const FAST_CALL = 0x8000_0000;
const SMC64 = 0x4000_0000;
const OWNER_SHIFT = 24;
const OWNER_MASK = 0x3f;
const OWNER_STANDARD = 4;
/** Trusted applications (48, 49) and trusted operating systems (50 to 63) go to the mediator too. */
const OWNER_TRUSTED_FIRST = 48;
/** SMCCC: unknown function. */
const SMCCC_UNKNOWN = 0xffff_ffff;

export function guestCall(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending {
  const events = hypervisor.machine.events;
  if (events.on) emitRegisters(events, EVENT_GUEST_CALL, pe.index, vcpu.domain.vmId, vcpu.registers);
  const pending = route(hypervisor, pe, vcpu);
  if (pending !== null) return events.on ? finish(hypervisor, pe, vcpu, pending) : pending;
  if (events.on) emitRegisters(events, EVENT_GUEST_RETURN, pe.index, vcpu.domain.vmId, vcpu.registers);
  return null;
}

function* finish(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu, pending: Coroutine): Coroutine {
  yield* pending;
  emitRegisters(hypervisor.machine.events, EVENT_GUEST_RETURN, pe.index, vcpu.domain.vmId, vcpu.registers);
}

/** Whether the call belongs to the mediator at all; if not, answers SMCCC "unknown". */
function route(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending {
  const functionId = vcpu.registers.w(0);
  if (!reachesMediator(hypervisor, vcpu, functionId)) {
    vcpu.registers.setWords(0, SMCCC_UNKNOWN, SMCCC_UNKNOWN);
    return null;
  }
  return mediate(hypervisor, pe, vcpu);
}

/** The mediator proper, without the routing before it. */
export function mediate(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending {
  const profile = hypervisor.profile;
  if (profile.gate !== null) {
    const gated = profile.gate(hypervisor, pe, vcpu);
    if (gated !== undefined) return gated;
  }
  return dispatch(hypervisor, pe, vcpu);
}

/** The handler of a call that has passed the gate. */
export function dispatch(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending {
  const profile = hypervisor.profile;
  const functionId = vcpu.registers.w(0);
  const table = (functionId & SMC64) !== 0 ? profile.handlers64 : profile.handlers32;
  const handler = isStandardFast(functionId) ? table[functionId & 0xff] : null;
  if (handler !== null) return handler(hypervisor, pe, vcpu);
  answerError(vcpu.registers, FFA_NOT_SUPPORTED);
  return null;
}

function isStandardFast(functionId: number): boolean {
  return (functionId & FAST_CALL) !== 0 && (functionId & 0x3fff_ff00) === 0x0400_0000;
}

function reachesMediator(hypervisor: Hypervisor, vcpu: Vcpu, functionId: number): boolean {
  if (vcpu.domain.ffa === null) return false;
  if (vcpu.domain.config.bits === 32 && (functionId & SMC64) !== 0) return false;
  const owner = (functionId >>> OWNER_SHIFT) & OWNER_MASK;
  if (owner >= OWNER_TRUSTED_FIRST) return true;
  if (owner !== OWNER_STANDARD) return false;
  const number = functionId & 0xffff;
  return number >= hypervisor.profile.windowFirst && number <= hypervisor.profile.windowLast;
}
