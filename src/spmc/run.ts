// FFA_RUN gives the PE to an execution context that waits, yielded or was preempted; FFA_MSG_WAIT and FFA_YIELD give it
// up. Which of them a context may call follows from what it was given the PE for [Hafnium cpu_cycles.c].

import { isSecureEndpoint } from '../abi/endpoint-ids.ts';
import { FFA_BUSY, FFA_DENIED, FFA_INVALID_PARAMETERS, FFA_OK } from '../abi/errors.ts';
import { FFA_MSG_WAIT, FFA_RUN, FFA_YIELD } from '../abi/function-ids.ts';
import { MSG_WAIT_FLAG_RETAIN_RX, RUN_ENDPOINT_SHIFT, RUN_VCPU_MASK } from '../abi/layout/messages.ts';
import { FFA_VERSION_1_2 } from '../abi/versions.ts';
import type { Pe } from '../hardware/pe.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import { answerError, answerSuccess, type Result } from './answers.ts';
import {
  type PartitionVcpu,
  RUNTIME_DIRECT_REQUEST,
  RUNTIME_INIT,
  RUNTIME_NONE,
  RUNTIME_RUN,
  VCPU_ABORTED,
  VCPU_BLOCKED,
  VCPU_PREEMPTED,
  VCPU_RUNNING,
  VCPU_WAITING,
} from './partition.ts';
import { releaseRxOnWait } from './rx-tx.ts';
import type { Spmc } from './spmc.ts';

/** FFA_RUN of the hypervisor. Returns the context that runs, or null with the error in `pe.smc`. */
export function runFromNormalWorld(spmc: Spmc, pe: Pe): PartitionVcpu | null {
  const target = findTarget(spmc, pe.smc);
  const result = target === undefined ? FFA_INVALID_PARAMETERS : checkRun(spmc, pe, target);
  if (result !== FFA_OK || target === undefined) {
    answerError(pe.smc, result === FFA_OK ? FFA_INVALID_PARAMETERS : result);
    return null;
  }
  switch (target.state) {
    case VCPU_WAITING:
      target.registers.clear();
      target.registers.setW(0, FFA_RUN);
      target.registers.setW(1, pe.smc.w(1));
      target.runtime = RUNTIME_RUN;
      target.caller = null;
      target.answered = true;
      break;
    case VCPU_BLOCKED:
      resumeYielded(target);
      break;
    default:
      // Preempted: it goes on where it was, with the registers that it had.
      break;
  }
  return target;
}

function findTarget(spmc: Spmc, r: RegisterFile): PartitionVcpu | undefined {
  const id = r.w(1) >>> RUN_ENDPOINT_SHIFT;
  if (!isSecureEndpoint(id)) return undefined;
  return spmc.partitionById.get(id)?.vcpus[r.w(1) & RUN_VCPU_MASK];
}

function checkRun(spmc: Spmc, pe: Pe, target: PartitionVcpu): Result {
  if (target.partition.crashed || target.state === VCPU_ABORTED) return spmc.personality.crashedPartitionError;
  // A context of a partition that has several is pinned to its PE.
  if (target.partition.vcpus.length > 1 && target.partition.vcpuFor(pe.index) !== target) return FFA_INVALID_PARAMETERS;
  if (target.state === VCPU_WAITING) return FFA_OK;
  const stopped = target.state === VCPU_PREEMPTED || (target.state === VCPU_BLOCKED && target.yielded);
  if (!stopped) return FFA_BUSY;
  // Who was called by a partition yields to that one; and no context of a call chain moves to another PE.
  if (target.caller === null) return FFA_OK;
  if (target.state === VCPU_BLOCKED) return FFA_DENIED;
  return target.peIndex === pe.index ? FFA_OK : FFA_DENIED;
}

function resumeYielded(target: PartitionVcpu): void {
  target.yielded = false;
  answerSuccess(target.registers);
  target.answered = true;
}

/** FFA_RUN of a partition: only for a context that it called, and that yielded. Returns who runs next. */
export function runFromPartition(spmc: Spmc, _pe: Pe, vcpu: PartitionVcpu): PartitionVcpu {
  const target = findTarget(spmc, vcpu.registers);
  let result: Result = FFA_OK;
  if (target === undefined || target === vcpu) result = FFA_INVALID_PARAMETERS;
  else if (target.partition.crashed) result = spmc.personality.crashedPartitionError;
  else if (target.caller !== vcpu) result = FFA_DENIED;
  else if (!target.yielded) result = FFA_BUSY;
  if (result !== FFA_OK || target === undefined) {
    answerError(vcpu.registers, result === FFA_OK ? FFA_INVALID_PARAMETERS : result);
    return vcpu;
  }
  resumeYielded(target);
  vcpu.state = VCPU_BLOCKED;
  return target;
}

/** FFA_MSG_WAIT: nothing to do until a message, or FFA_RUN. Ends initialisation. */
export function waitForMessage(_spmc: Spmc, pe: Pe, vcpu: PartitionVcpu): PartitionVcpu | null {
  if (vcpu.runtime !== RUNTIME_INIT && vcpu.runtime !== RUNTIME_RUN) {
    answerError(vcpu.registers, FFA_DENIED);
    return vcpu;
  }
  const version = vcpu.partition.version;
  const flags = version >= FFA_VERSION_1_2 ? vcpu.registers.w(2) : 0;
  if ((flags & ~MSG_WAIT_FLAG_RETAIN_RX) !== 0) {
    answerError(vcpu.registers, FFA_INVALID_PARAMETERS);
    return vcpu;
  }
  if ((flags & MSG_WAIT_FLAG_RETAIN_RX) === 0) releaseRxOnWait(vcpu.partition);
  vcpu.state = VCPU_WAITING;
  vcpu.runtime = RUNTIME_NONE;
  vcpu.answered = false;
  answerTo(pe, null, FFA_MSG_WAIT, vcpu);
  return null;
}

/** FFA_YIELD: the PE goes to who asked, or to the normal world; FFA_RUN brings it back. */
export function yieldPe(_spmc: Spmc, pe: Pe, vcpu: PartitionVcpu): PartitionVcpu | null {
  if (vcpu.runtime !== RUNTIME_DIRECT_REQUEST && vcpu.runtime !== RUNTIME_RUN) {
    answerError(vcpu.registers, FFA_DENIED);
    return vcpu;
  }
  vcpu.state = VCPU_BLOCKED;
  vcpu.yielded = true;
  vcpu.answered = false;
  const caller = vcpu.caller;
  answerTo(pe, caller, FFA_YIELD, vcpu);
  if (caller === null) return null;
  caller.state = VCPU_RUNNING;
  caller.answered = true;
  return caller;
}

/** Tells `to` (null: the normal world) that `vcpu` gave up the PE, and how. */
function answerTo(pe: Pe, to: PartitionVcpu | null, functionId: number, vcpu: PartitionVcpu): void {
  const r = to === null ? pe.smc : to.registers;
  r.clear();
  r.setW(0, functionId);
  r.setW(1, (vcpu.endpoint << RUN_ENDPOINT_SHIFT) | vcpu.vcpu);
}
