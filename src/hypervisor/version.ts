// FFA_VERSION, in two ways. The first generation answers and stores at each call, at any time. The second negotiates:
// FFA_VERSION proposes, the first other call puts the last proposal into force for good, and until one proposal has
// been made every other call is refused. [Xen 7356bb5e47] [Xen ad2d3a7daf]
//
// Nothing of it reaches the SPMC. No input is answered with an error.

import { FFA_NOT_SUPPORTED } from '../abi/errors.ts';
import { FFA_MSG_SEND_DIRECT_REQ2, FFA_MSG_SEND_DIRECT_RESP2, FFA_VERSION, isSmc64 } from '../abi/function-ids.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2, versionMajor, versionMinor } from '../abi/versions.ts';
import { ACCESS_WRITE, TOUCH_LOCK, TOUCH_QUEUE, TOUCH_VERSION } from '../base/announcement.ts';
import type { Coroutine, Pending } from '../base/coroutine.ts';
import type { Pe } from '../hardware/pe.ts';
import { answerError } from './answer.ts';
import type { Vcpu } from './domain.ts';
import type { FfaContext } from './ffa-context.ts';
import { VERSION_NONE } from './ffa-context.ts';
import { dispatch } from './guest-call.ts';
import type { Hypervisor } from './hypervisor.ts';

/** Registers x8 to x17: part of an answer only for a guest that speaks 1.2. */
const EXTENDED_FIRST = 8;
const EXTENDED_LAST = 17;

/** FFA_VERSION of the first generation: the older of what was asked and 1.1, at least 1.0; in force at once. */
export function replaceVersion(_hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending {
  if (pe.stepping) return replaceVersionInSteps(pe, vcpu);
  answerReplacedVersion(vcpu);
  return null;
}

function* replaceVersionInSteps(pe: Pe, vcpu: Vcpu): Coroutine {
  yield pe.writes(TOUCH_VERSION, vcpu.domain.vmId);
  answerReplacedVersion(vcpu);
}

function answerReplacedVersion(vcpu: Vcpu): void {
  const asked = vcpu.registers.w(1);
  const version = asked < FFA_VERSION_1_1 ? FFA_VERSION_1_0 : FFA_VERSION_1_1;
  (vcpu.domain.ffa as FfaContext).version = version;
  vcpu.registers.set8(version);
}

/** Where VMs answer each other, FFA_MSG_SEND_DIRECT_RESP2 brings x8..x17 as well. */
function takesExtended(hypervisor: Hypervisor, functionId: number): boolean {
  return functionId === FFA_MSG_SEND_DIRECT_RESP2 && hypervisor.profile.vmsAnswer;
}

/**
 * The gate of profiles that negotiate: handles FFA_VERSION, refuses what comes before it, puts the version into force,
 * and clears x8..x17 of a 1.2 guest for the answer (all but FFA_MSG_SEND_DIRECT_REQ2 take no more than x0..x7).
 */
export function negotiationGate(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending | undefined {
  const context = vcpu.domain.ffa as FfaContext;
  const functionId = vcpu.registers.w(0);
  if (context.version === VERSION_NONE) return negotiate(hypervisor, pe, vcpu, context);
  if (context.version >= FFA_VERSION_1_2 && !takesExtended(hypervisor, functionId)) clearExtended(vcpu, functionId);
  if (functionId === FFA_VERSION) {
    vcpu.registers.set8(FFA_VERSION_1_2);
    return null;
  }
  if (vcpu.domain.config.bits === 64 || !isSmc64(functionId)) return undefined;
  answerError(vcpu.registers, FFA_NOT_SUPPORTED);
  return null;
}

function negotiate(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu, context: FfaContext): Pending | undefined {
  if (pe.stepping || context.versionLock.holder !== null || hypervisor.vmList.lock.holder !== null) {
    return negotiateInSteps(hypervisor, pe, vcpu, context);
  }
  if (!settle(vcpu, context)) return null;
  publish(hypervisor, context);
  clearIfExtended(context, vcpu);
  return undefined;
}

function* negotiateInSteps(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu, context: FfaContext): Coroutine {
  yield* context.versionLock.acquire(pe);
  // Another vCPU may have put a version into force meanwhile.
  const settled = context.version !== VERSION_NONE;
  const goesOn = settled ? vcpu.registers.w(0) !== FFA_VERSION : settle(vcpu, context);
  if (goesOn && !settled) {
    if (hypervisor.vmsSeeVms) yield* hypervisor.vmList.lock.acquire(pe);
    if (pe.stepping) {
      pe.writes(TOUCH_VERSION, context.vmId);
      pe.also(TOUCH_LOCK, context.versionLock.id, ACCESS_WRITE);
      yield pe.also(TOUCH_QUEUE, hypervisor.vmList.lock.id, ACCESS_WRITE);
    }
    publish(hypervisor, context);
    if (hypervisor.vmsSeeVms) hypervisor.vmList.lock.release(pe);
  }
  context.versionLock.release(pe);
  if (settled && !goesOn) vcpu.registers.set8(FFA_VERSION_1_2);
  if (!goesOn) return;
  clearIfExtended(context, vcpu);
  const pending = dispatch(hypervisor, pe, vcpu);
  if (pending !== null) yield* pending;
}

/** Whether the call goes on, with the proposal in force; if not, it has been answered. */
function settle(vcpu: Vcpu, context: FfaContext): boolean {
  const registers = vcpu.registers;
  if (registers.w(0) === FFA_VERSION) {
    const asked = registers.w(1);
    const known = versionMajor(asked) === 1 && versionMinor(asked) <= versionMinor(FFA_VERSION_1_2);
    context.versionAsked = known ? asked : FFA_VERSION_1_2;
    registers.set8(FFA_VERSION_1_2);
    return false;
  }
  if (context.versionAsked !== VERSION_NONE) return true;
  answerError(registers, FFA_NOT_SUPPORTED);
  return false;
}

function publish(hypervisor: Hypervisor, context: FfaContext): void {
  context.version = context.versionAsked;
  if (hypervisor.vmsSeeVms) hypervisor.vmList.join(context);
}

function clearIfExtended(context: FfaContext, vcpu: Vcpu): void {
  if (context.version >= FFA_VERSION_1_2) clearExtended(vcpu, vcpu.registers.w(0));
}

function clearExtended(vcpu: Vcpu, functionId: number): void {
  if (vcpu.domain.config.bits === 32 || functionId === FFA_MSG_SEND_DIRECT_REQ2) return;
  vcpu.registers.clear(EXTENDED_FIRST, EXTENDED_LAST);
}
