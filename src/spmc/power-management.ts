// Power management: the SPMD tells the SPMC in framework messages that a PE goes off, that the system is suspended, or
// that a PE is back; the SPMC tells each partition that asked for it in its manifest, one after another in boot order,
// and hands their word to the SPMD: one that does not agree is enough to refuse [Hafnium direct_messaging.c]
// [TF-A spmc_pm.c]. The version of FF-A that a hypervisor asks for comes to the SPMC by the same door.
//
// Told are contexts that wait, of partitions with several: a single context migrates, and needs no PE of its own.
// Which messages are passed on is the personality's: Hafnium answers for partitions what it does not pass on.
//
// Limit: an answer other than PSCI's success is not told apart from others: the SPMD hears DENIED.

import { FFA_SPMC_ID, FFA_SPMD_ID } from '../abi/endpoint-ids.ts';
import { FFA_INVALID_PARAMETERS } from '../abi/errors.ts';
import { FFA_MSG_SEND_DIRECT_REQ_32, FFA_MSG_SEND_DIRECT_RESP_32 } from '../abi/function-ids.ts';
import {
  DIRECT_ENDPOINT_MASK,
  DIRECT_FRAMEWORK_BIT,
  DIRECT_SENDER_SHIFT,
  FRAMEWORK_PM_RESP,
  FRAMEWORK_PM_WARM_BOOT,
  FRAMEWORK_PSCI_REQ,
  FRAMEWORK_VERSION_REQ,
  FRAMEWORK_VERSION_RESP,
} from '../abi/layout/messages.ts';
import {
  PSCI_CPU_OFF,
  PSCI_CPU_SUSPEND_32,
  PSCI_CPU_SUSPEND_64,
  PSCI_DENIED,
  PSCI_NOT_SUPPORTED,
  PSCI_SUCCESS,
} from '../abi/layout/psci.ts';
import type { Coroutine, Pending } from '../base/coroutine.ts';
import type { Pe } from '../hardware/pe.ts';
import { answerError } from './answers.ts';
import { prepareStart } from './boot-information.ts';
import { getVersion } from './discovery.ts';
import {
  type Partition,
  type PartitionVcpu,
  REQUEST_FRAMEWORK,
  RUNTIME_INIT,
  RUNTIME_NONE,
  RUNTIME_POWER_MANAGEMENT,
  VCPU_OFF,
  VCPU_WAITING,
} from './partition.ts';
import { POWER_MANAGEMENT_CPU_OFF, POWER_MANAGEMENT_RESUME, POWER_MANAGEMENT_SUSPEND } from './partition-setup.ts';
import { runVcpu } from './run-loop.ts';
import type { Spmc } from './spmc.ts';

/** What a PE's partitions are being told of. */
export interface PowerOperation {
  /** `POWER_MANAGEMENT_...` bit. */
  readonly kind: number;
  /** w2 to w6 of the message. */
  readonly words: readonly number[];
  /** Contexts that are still to be told. */
  readonly left: PartitionVcpu[];
}

export function messageFromSpmd(spmc: Spmc, pe: Pe): Pending {
  const r = pe.smc;
  const toSpmc = r.w(0) === FFA_MSG_SEND_DIRECT_REQ_32 && r.w(1) === ((FFA_SPMD_ID << 16) | FFA_SPMC_ID) >>> 0;
  if (!toSpmc || (r.w(2) & DIRECT_FRAMEWORK_BIT) === 0) {
    answerError(r, FFA_INVALID_PARAMETERS);
    return null;
  }
  switch (r.w(2) & ~DIRECT_FRAMEWORK_BIT) {
    case FRAMEWORK_PSCI_REQ:
      return tellOfPsci(spmc, pe);
    case FRAMEWORK_PM_WARM_BOOT:
      return begin(spmc, pe, POWER_MANAGEMENT_RESUME);
    case FRAMEWORK_VERSION_REQ: {
      r.setW(1, r.w(3));
      getVersion(spmc, spmc.normalWorld, r);
      answerSpmd(pe, FRAMEWORK_VERSION_RESP, r.w(0));
      return null;
    }
    default:
      answerError(r, FFA_INVALID_PARAMETERS);
      return null;
  }
}

function tellOfPsci(spmc: Spmc, pe: Pe): Pending {
  switch (pe.smc.w(3)) {
    case PSCI_CPU_OFF:
      return begin(spmc, pe, POWER_MANAGEMENT_CPU_OFF);
    case PSCI_CPU_SUSPEND_32:
    case PSCI_CPU_SUSPEND_64:
      if ((spmc.personality.powerManagement & POWER_MANAGEMENT_SUSPEND) !== 0) {
        return begin(spmc, pe, POWER_MANAGEMENT_SUSPEND);
      }
      break;
    default:
      break;
  }
  answerSpmd(pe, FRAMEWORK_PM_RESP, PSCI_NOT_SUPPORTED);
  return null;
}

function begin(spmc: Spmc, pe: Pe, kind: number): Pending {
  const left = (spmc.personality.powerManagement & kind) === 0 ? [] : subscribers(spmc, pe, kind);
  const words = [2, 3, 4, 5, 6].map((n) => pe.smc.w(n));
  spmc.powerOperations[pe.index] = { kind, words, left };
  const first = next(spmc, pe);
  return first === null ? null : runVcpu(spmc, pe, first);
}

function subscribers(spmc: Spmc, pe: Pe, kind: number): PartitionVcpu[] {
  const list: PartitionVcpu[] = [];
  for (const partition of inBootOrder(spmc)) {
    if (partition.vcpus.length === 1 || (partition.powerManagement & kind) === 0) continue;
    list.push(partition.vcpuFor(pe.index));
  }
  return list;
}

function inBootOrder(spmc: Spmc): Partition[] {
  return [...spmc.partitions].sort(
    (a, b) => (a.setup.manifest.bootOrder ?? 0) - (b.setup.manifest.bootOrder ?? 0) || a.id - b.id,
  );
}

/** The next context to tell, with the message; null, and the SPMD's answer, when all have agreed. */
function next(spmc: Spmc, pe: Pe): PartitionVcpu | null {
  const operation = spmc.powerOperations[pe.index];
  if (operation === undefined) return null;
  for (let vcpu = operation.left.shift(); vcpu !== undefined; vcpu = operation.left.shift()) {
    if (vcpu.state !== VCPU_WAITING || vcpu.partition.crashed) continue;
    vcpu.registers.clear();
    const ids = ((spmc.id << DIRECT_SENDER_SHIFT) | vcpu.endpoint) >>> 0;
    vcpu.registers.set8(FFA_MSG_SEND_DIRECT_REQ_32, ids, ...operation.words);
    vcpu.answered = true;
    vcpu.runtime = RUNTIME_POWER_MANAGEMENT;
    vcpu.scheduledBySpmc = true;
    vcpu.requester = spmc.id;
    vcpu.request = REQUEST_FRAMEWORK;
    return vcpu;
  }
  spmc.powerOperations[pe.index] = undefined;
  if (operation.kind === POWER_MANAGEMENT_CPU_OFF) turnOff(spmc, pe);
  answerSpmd(pe, FRAMEWORK_PM_RESP, PSCI_SUCCESS);
  return null;
}

/** The contexts that are pinned to the PE go off with it. */
function turnOff(spmc: Spmc, pe: Pe): void {
  for (const partition of spmc.partitions) {
    if (partition.vcpus.length === 1) continue;
    const vcpu = partition.vcpuFor(pe.index);
    if (vcpu.state === VCPU_WAITING) vcpu.state = VCPU_OFF;
  }
}

/** A partition's answer is in its registers. Returns who runs next, or the same with an error. */
export function powerAnswered(spmc: Spmc, pe: Pe, vcpu: PartitionVcpu): PartitionVcpu | null {
  const r = vcpu.registers;
  const isFor = (r.w(1) & DIRECT_ENDPOINT_MASK) === spmc.id && r.w(0) === FFA_MSG_SEND_DIRECT_RESP_32;
  if (!isFor || r.w(2) !== (DIRECT_FRAMEWORK_BIT | FRAMEWORK_PM_RESP) >>> 0) {
    answerError(r, FFA_INVALID_PARAMETERS);
    return vcpu;
  }
  const agreed = r.w(3) === PSCI_SUCCESS;
  const off = spmc.powerOperations[pe.index]?.kind === POWER_MANAGEMENT_CPU_OFF;
  vcpu.endRequest();
  vcpu.runtime = RUNTIME_NONE;
  vcpu.scheduledBySpmc = false;
  vcpu.state = agreed && off ? VCPU_OFF : VCPU_WAITING;
  if (agreed) return next(spmc, pe);
  spmc.powerOperations[pe.index] = undefined;
  answerSpmd(pe, FRAMEWORK_PM_RESP, PSCI_DENIED);
  return null;
}

function answerSpmd(pe: Pe, type: number, word: number): void {
  pe.smc.clear();
  const ids = ((FFA_SPMC_ID << DIRECT_SENDER_SHIFT) | FFA_SPMD_ID) >>> 0;
  pe.smc.set8(FFA_MSG_SEND_DIRECT_RESP_32, ids, (DIRECT_FRAMEWORK_BIT | type) >>> 0, word);
}

/** Starts what was turned off with the PE, each until its first FFA_MSG_WAIT. */
export function* startContexts(spmc: Spmc, pe: Pe): Coroutine {
  for (const partition of inBootOrder(spmc)) {
    const vcpu = partition.vcpuFor(pe.index);
    if (vcpu.state !== VCPU_OFF || partition.crashed) continue;
    vcpu.runtime = RUNTIME_INIT;
    prepareStart(vcpu, spmc.contents);
    const pending = runVcpu(spmc, pe, vcpu);
    if (pending !== null) yield* pending;
  }
  pe.smc.clear();
}
