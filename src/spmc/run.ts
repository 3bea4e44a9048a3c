// FFA_RUN gives the PE to an execution context that waits, yielded or was preempted; FFA_MSG_WAIT and FFA_YIELD give it
// up. Which of them a context may call follows from what it was given the PE for (runtime-models.ts)
// [Hafnium cpu_cycles.c].
//
// Stricter than Hafnium: whatever serves a partition is run by that partition alone, and a context that an interrupt's
// handler will resume by nobody else.

import { isSecureEndpoint } from '../abi/endpoint-ids.ts';
import { FFA_BUSY, FFA_DENIED, FFA_INVALID_PARAMETERS, FFA_OK } from '../abi/errors.ts';
import { FFA_MSG_WAIT, FFA_RUN, FFA_YIELD } from '../abi/function-ids.ts';
import { MSG_WAIT_FLAG_RETAIN_RX, RUN_ENDPOINT_SHIFT, RUN_VCPU_MASK } from '../abi/layout/messages.ts';
import { FFA_VERSION_1_2 } from '../abi/versions.ts';
import type { Pe } from '../hardware/pe.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import { answerError, answerSuccess, type Result } from './answers.ts';
import { isOrphan, link, resumeCaller } from './call-chain.ts';
import { endRestart } from './crash.ts';
import { beforeItWaits, deviceInterrupt, endInterrupt, endManagedExit, noticeInterrupts } from './interrupts.ts';
import {
  type PartitionVcpu,
  RUNTIME_NONE,
  RUNTIME_RUN,
  RUNTIME_SECURE_INTERRUPT,
  VCPU_ABORTED,
  VCPU_BLOCKED,
  VCPU_OFF,
  VCPU_PREEMPTED,
  VCPU_RUNNING,
  VCPU_WAITING,
} from './partition.ts';
import {
  CALL_RUN,
  CALL_WAIT,
  CALL_YIELD,
  DENIED,
  inCallChain,
  isHandlingInChain,
  NOTHING_HAPPENS,
  predecessor,
  transition,
} from './runtime-models.ts';
import { releaseRxOnWait } from './rx-tx.ts';
import type { Spmc } from './spmc.ts';

const FIRST_EXTENDED_REGISTER = 8;

/** FFA_RUN of the hypervisor. Returns the context that runs, or null with the error in `pe.smc`. */
export function runFromNormalWorld(spmc: Spmc, pe: Pe): PartitionVcpu | null {
  const target = findTarget(spmc, pe.smc);
  const result = target === undefined ? FFA_INVALID_PARAMETERS : checkRun(spmc, pe, target);
  if (result !== FFA_OK || target === undefined) {
    answerError(pe.smc, result === FFA_OK ? FFA_INVALID_PARAMETERS : result);
    return null;
  }
  if (target.state === VCPU_WAITING) {
    target.registers.clear();
    target.registers.setW(0, FFA_RUN);
    target.registers.setW(1, pe.smc.w(1));
    target.runtime = RUNTIME_RUN;
    target.caller = null;
    target.answered = true;
  } else {
    resume(target);
  }
  return target;
}

function findTarget(spmc: Spmc, r: RegisterFile): PartitionVcpu | undefined {
  const id = r.w(1) >>> RUN_ENDPOINT_SHIFT;
  if (!isSecureEndpoint(id)) return undefined;
  return spmc.partitionById.get(id)?.vcpus[r.w(1) & RUN_VCPU_MASK];
}

function checkRun(spmc: Spmc, pe: Pe, target: PartitionVcpu): Result {
  if (!isPinnedHere(target, pe)) return FFA_INVALID_PARAMETERS;
  if (target.partition.crashed || target.state === VCPU_ABORTED) return spmc.personality.crashedPartitionError;
  if (target.state === VCPU_OFF) return FFA_DENIED;
  // A call chain does not move to another PE.
  if (inCallChain(target) && target.peIndex !== pe.index) return FFA_DENIED;
  if (target.state === VCPU_RUNNING || target.handler !== null) return FFA_BUSY;
  if (target.state === VCPU_WAITING) return FFA_OK;
  if (target.caller !== null && !isOrphan(target)) return FFA_DENIED;
  return target.state === VCPU_PREEMPTED || target.yielded ? FFA_OK : FFA_BUSY;
}

/** A context of a partition that has several is pinned to its PE. */
function isPinnedHere(target: PartitionVcpu, pe: Pe): boolean {
  return target.partition.vcpus.length === 1 || target.partition.vcpuFor(pe.index) === target;
}

/** It goes on where it was: after a yield with FFA_SUCCESS, else with the registers that it had. */
function resume(target: PartitionVcpu): void {
  noticeInterrupts(target);
  if (!target.yielded) return;
  target.yielded = false;
  answerSuccess(target.registers);
  target.answered = true;
}

/**
 * FFA_RUN of a partition: for a context that it called, and that yielded or was preempted; after an interrupt of its
 * own, for whoever had the PE before. Returns who runs next.
 */
export function runFromPartition(spmc: Spmc, pe: Pe, vcpu: PartitionVcpu): PartitionVcpu {
  const target = findTarget(spmc, vcpu.registers);
  const result = target === undefined ? FFA_INVALID_PARAMETERS : checkRunByPartition(pe, vcpu, target);
  if (result !== FFA_OK || target === undefined) {
    answerError(vcpu.registers, result === FFA_OK ? FFA_INVALID_PARAMETERS : result);
    return vcpu;
  }
  if (isHandlingInChain(vcpu)) {
    // Those between stay blocked, whichever of them was named.
    const before = endInterrupt(vcpu) as PartitionVcpu;
    vcpu.state = VCPU_BLOCKED;
    resume(before);
    return before;
  }
  link(vcpu, target);
  resume(target);
  return target;
}

function checkRunByPartition(pe: Pe, vcpu: PartitionVcpu, target: PartitionVcpu): Result {
  const { version } = vcpu.partition;
  if (version >= FFA_VERSION_1_2 && !vcpu.registers.isClear(FIRST_EXTENDED_REGISTER)) return FFA_INVALID_PARAMETERS;
  if (!isPinnedHere(target, pe)) return FFA_INVALID_PARAMETERS;
  if (target.state !== VCPU_PREEMPTED && target.state !== VCPU_BLOCKED) return FFA_DENIED;
  if (inCallChain(target) && target.peIndex !== pe.index) return FFA_DENIED;
  if (transition(vcpu, CALL_RUN, target) === DENIED) return FFA_DENIED;
  if (isHandlingInChain(vcpu)) {
    const seen = deviceInterrupt(vcpu) === undefined && vcpu.activeInterrupts.length === 0;
    return seen ? FFA_OK : FFA_DENIED;
  }
  if (target.caller !== vcpu || target.handler !== null) return FFA_DENIED;
  return target.state === VCPU_PREEMPTED || target.yielded ? FFA_OK : FFA_DENIED;
}

/** FFA_MSG_WAIT: nothing to do until a message, FFA_RUN or an interrupt. Ends initialisation. */
export function waitForMessage(spmc: Spmc, pe: Pe, vcpu: PartitionVcpu): PartitionVcpu | null {
  const result = checkWait(vcpu);
  if (result !== FFA_OK) {
    answerError(vcpu.registers, result);
    return vcpu;
  }
  if ((vcpu.registers.w(2) & MSG_WAIT_FLAG_RETAIN_RX) === 0) releaseRxOnWait(vcpu.partition);
  endManagedExit(vcpu);
  let next: PartitionVcpu | null = null;
  if (vcpu.runtime === RUNTIME_SECURE_INTERRUPT) next = endInterrupt(vcpu);
  else if (vcpu.restarting) next = endRestart(vcpu);
  else {
    pe.smc.clear();
    pe.smc.setW(0, FFA_MSG_WAIT);
  }
  vcpu.state = VCPU_WAITING;
  vcpu.runtime = RUNTIME_NONE;
  vcpu.answered = false;
  return beforeItWaits(spmc, vcpu, next);
}

function checkWait(vcpu: PartitionVcpu): Result {
  const r = vcpu.registers;
  if ((r.w(1) | r.w(3) | r.w(4) | r.w(5) | r.w(6) | r.w(7)) !== 0) return FFA_INVALID_PARAMETERS;
  if (vcpu.partition.version < FFA_VERSION_1_2) {
    if (r.w(2) !== 0) return FFA_INVALID_PARAMETERS;
  } else if (!r.isClear(FIRST_EXTENDED_REGISTER)) return FFA_INVALID_PARAMETERS;
  return transition(vcpu, CALL_WAIT, null) === DENIED ? FFA_DENIED : FFA_OK;
}

/** FFA_YIELD: the PE goes to who asked, or to the normal world; FFA_RUN brings it back. */
export function yieldPe(_spmc: Spmc, pe: Pe, vcpu: PartitionVcpu): PartitionVcpu | null {
  const r = vcpu.registers;
  if ((r.w(4) | r.w(5) | r.w(6) | r.w(7)) !== 0) {
    answerError(r, FFA_INVALID_PARAMETERS);
    return vcpu;
  }
  const verdict = transition(vcpu, CALL_YIELD, null);
  if (verdict === DENIED) {
    answerError(r, FFA_DENIED);
    return vcpu;
  }
  if (verdict === NOTHING_HAPPENS) {
    answerSuccess(r);
    return vcpu;
  }
  vcpu.state = VCPU_BLOCKED;
  vcpu.yielded = true;
  vcpu.answered = false;
  const caller = predecessor(vcpu);
  const to = caller === null ? pe.smc : caller.registers;
  const w2 = r.w(2);
  const w3 = r.w(3);
  to.clear();
  to.set4(FFA_YIELD, (vcpu.endpoint << RUN_ENDPOINT_SHIFT) | vcpu.vcpu, w2, w3);
  return caller === null ? null : resumeCaller(caller);
}
