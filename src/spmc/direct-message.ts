// Direct messages: a request hands the PE to its receiver, the response hands it back. From the normal world to a
// partition, and from partition to partition, in chains; a partition never requests anything of the normal world.
//
// Order of checks and their errors: [Hafnium api.c] [Hafnium direct_messaging.c]. Stricter than Hafnium: a framework
// request is answered by the response of its own type, a partition message by no framework message.

import { isSecureEndpoint } from '../abi/endpoint-ids.ts';
import {
  FFA_ABORTED,
  FFA_BUSY,
  FFA_DENIED,
  FFA_INVALID_PARAMETERS,
  FFA_NOT_SUPPORTED,
  FFA_OK,
  isFfaErrorCode,
} from '../abi/errors.ts';
import { FFA_MSG_SEND_DIRECT_REQ2, FFA_MSG_SEND_DIRECT_RESP2, isSmc64 } from '../abi/function-ids.ts';
import {
  DIRECT_ENDPOINT_MASK,
  DIRECT_FRAMEWORK_BIT,
  DIRECT_PAYLOAD_LAST_REGISTER,
  DIRECT_SENDER_SHIFT,
  VM_AVAILABILITY_VM_ID_MASK,
  VM_DESTROYED_REQ_W2,
} from '../abi/layout/messages.ts';
import {
  PARTITION_RECEIVES_DIRECT_REQ,
  PARTITION_RECEIVES_DIRECT_REQ2,
  PARTITION_SENDS_DIRECT_REQ,
  PARTITION_SENDS_DIRECT_REQ2,
} from '../abi/layout/partition-information.ts';
import { FFA_VERSION_1_2 } from '../abi/versions.ts';
import type { Pe } from '../hardware/pe.ts';
import { REGISTER_COUNT, type RegisterFile } from '../hardware/registers.ts';
import { answerError, type Result } from './answers.ts';
import { answerToDead, isOrphan, link, resumeCaller, unlink } from './call-chain.ts';
import { abortVcpu } from './crash.ts';
import type { Endpoint } from './endpoint.ts';
import { beforeItWaits, endManagedExit } from './interrupts.ts';
import {
  type Partition,
  type PartitionVcpu,
  REQUEST_DIRECT,
  REQUEST_DIRECT2,
  REQUEST_FRAMEWORK,
  REQUEST_NONE,
  type RequestFamily,
  RUNTIME_DIRECT_REQUEST,
  RUNTIME_NONE,
  RUNTIME_POWER_MANAGEMENT,
  VCPU_ABORTED,
  VCPU_RUNNING,
  VCPU_WAITING,
} from './partition.ts';
import { powerAnswered } from './power-management.ts';
import { ALLOWED, CALL_ABORT, CALL_REQUEST, CALL_RESPONSE, DENIED, transition } from './runtime-models.ts';
import type { Spmc } from './spmc.ts';

const FIRST_EXTENDED_REGISTER = DIRECT_PAYLOAD_LAST_REGISTER + 1;

/** A request of the hypervisor or of a VM. Returns the context that serves it, or null with the error in `pe.smc`. */
export function requestFromNormalWorld(spmc: Spmc, pe: Pe): PartitionVcpu | null {
  const r = pe.smc;
  const sender = r.w(1) >>> DIRECT_SENDER_SHIFT;
  const family = familyOf(r);
  if (family === REQUEST_DIRECT && r.w(2) !== 0) return refuse(r, FFA_INVALID_PARAMETERS);
  const receiver = spmc.partitionById.get(r.w(1) & DIRECT_ENDPOINT_MASK);
  if (isSecureEndpoint(sender) || receiver === undefined) return refuse(r, FFA_INVALID_PARAMETERS);
  const result =
    family === REQUEST_FRAMEWORK
      ? spmc.personality.availability.check(receiver, r)
      : checkReceives(spmc, spmc.normalWorld, receiver, family, r);
  if (result !== FFA_OK) return refuse(r, result);
  const target = receiver.vcpuFor(pe.index);
  const ready = checkReady(spmc, target, null);
  if (ready !== FFA_OK) return refuse(r, ready);
  if (r.w(2) === VM_DESTROYED_REQ_W2) {
    spmc.personality.availability.destroyed(spmc, r.w(5) & VM_AVAILABILITY_VM_ID_MASK);
  }
  serve(target, r, sender, family, null);
  return target;
}

/** A request of a partition. Returns who runs next: the receiver, or the caller with an error. */
export function requestFromPartition(spmc: Spmc, pe: Pe, vcpu: PartitionVcpu): PartitionVcpu {
  const r = vcpu.registers;
  const result = checkPartitionRequest(spmc, vcpu);
  if (result !== FFA_OK) {
    answerError(r, result);
    return vcpu;
  }
  const receiver = spmc.partitionById.get(r.w(1) & DIRECT_ENDPOINT_MASK) as Partition;
  const target = receiver.vcpuFor(pe.index);
  const ready = checkReady(spmc, target, vcpu);
  if (ready !== FFA_OK) {
    answerError(r, ready);
    return vcpu;
  }
  serve(target, r, vcpu.endpoint, familyOf(r), vcpu);
  link(vcpu, target);
  return target;
}

function checkPartitionRequest(spmc: Spmc, vcpu: PartitionVcpu): Result {
  const r = vcpu.registers;
  const partition = vcpu.partition;
  const receiverId = r.w(1) & DIRECT_ENDPOINT_MASK;
  const family = familyOf(r);
  if (family === REQUEST_DIRECT && r.w(2) !== 0) return FFA_INVALID_PARAMETERS;
  if (r.w(1) >>> DIRECT_SENDER_SHIFT !== partition.id || receiverId === partition.id) return FFA_INVALID_PARAMETERS;
  const receiver = spmc.partitionById.get(receiverId);
  if (receiver === undefined) return FFA_INVALID_PARAMETERS;
  // Framework messages are the hypervisor's and the SPMC's to send.
  if (family === REQUEST_FRAMEWORK) return FFA_DENIED;
  const sends = family === REQUEST_DIRECT2 ? PARTITION_SENDS_DIRECT_REQ2 : PARTITION_SENDS_DIRECT_REQ;
  if ((partition.messagingMethods & sends) === 0) return FFA_DENIED;
  return checkReceives(spmc, partition, receiver, family, r);
}

function checkReceives(
  spmc: Spmc,
  sender: Endpoint,
  receiver: Partition,
  family: RequestFamily,
  r: RegisterFile,
): Result {
  if (family !== REQUEST_DIRECT2) {
    const receives = receiver.messagingMethods & PARTITION_RECEIVES_DIRECT_REQ;
    return receives === 0 ? spmc.personality.requestNotTakenError : FFA_OK;
  }
  const methods = methodsOfService(receiver, r);
  if (methods < 0) return FFA_INVALID_PARAMETERS;
  if (sender.version < FFA_VERSION_1_2 || receiver.version < FFA_VERSION_1_2) return FFA_DENIED;
  return (methods & PARTITION_RECEIVES_DIRECT_REQ2) === 0 ? spmc.personality.requestNotTakenError : FFA_OK;
}

/** Messaging methods of the service that FFA_MSG_SEND_DIRECT_REQ2 names: all of them for none; -1: no such service. */
function methodsOfService(receiver: Partition, r: RegisterFile): number {
  const { words } = r;
  if ((words[4] | words[5] | words[6] | words[7]) === 0) return receiver.messagingMethods;
  for (const { messagingMethod, uuid } of receiver.setup.manifest.services) {
    if (uuid[0] !== words[4] || uuid[1] !== words[5] || uuid[2] !== words[6] || uuid[3] !== words[7]) continue;
    return messagingMethod;
  }
  return -1;
}

/** Whether the target can take a request, and `caller` (null: the normal world) may make one now. */
function checkReady(spmc: Spmc, target: PartitionVcpu, caller: PartitionVcpu | null): Result {
  if (target.request !== REQUEST_NONE || target.state === VCPU_RUNNING) {
    if (!target.partition.crashed) return FFA_BUSY;
  }
  if (caller !== null && transition(caller, CALL_REQUEST, target) === DENIED) return FFA_DENIED;
  if (target.partition.crashed || target.state === VCPU_ABORTED) return spmc.personality.crashedPartitionError;
  return target.state === VCPU_WAITING ? FFA_OK : FFA_BUSY;
}

/** The family of the request in `r`. */
function familyOf(r: RegisterFile): RequestFamily {
  if (r.w(0) === FFA_MSG_SEND_DIRECT_REQ2) return REQUEST_DIRECT2;
  return (r.w(2) & DIRECT_FRAMEWORK_BIT) !== 0 ? REQUEST_FRAMEWORK : REQUEST_DIRECT;
}

/** Gives the request to the context that serves it. */
function serve(
  target: PartitionVcpu,
  r: RegisterFile,
  sender: number,
  family: RequestFamily,
  caller: PartitionVcpu | null,
): void {
  passMessage(r, target.registers);
  target.runtime = RUNTIME_DIRECT_REQUEST;
  target.requester = sender;
  target.request = family;
  // Each framework request's type is even, and its response's is one more.
  target.frameworkResponse = family === REQUEST_FRAMEWORK ? r.w(2) + 1 : 0;
  target.caller = caller;
  target.answered = true;
}

/** Hands a message over: what its form does not carry is zero. */
function passMessage(from: RegisterFile, to: RegisterFile): void {
  const functionId = from.w(0);
  if (functionId === FFA_MSG_SEND_DIRECT_REQ2 || functionId === FFA_MSG_SEND_DIRECT_RESP2) {
    to.copy(from);
    if (functionId === FFA_MSG_SEND_DIRECT_RESP2) to.clear(2, 3);
    return;
  }
  to.copy(from, 0, DIRECT_PAYLOAD_LAST_REGISTER);
  if (!isSmc64(functionId)) {
    for (let n = 0; n <= DIRECT_PAYLOAD_LAST_REGISTER; n++) to.words[2 * n + 1] = 0;
  }
  to.clear(FIRST_EXTENDED_REGISTER, REGISTER_COUNT - 1);
}

/** A response. Returns who runs next: who asked, null for the normal world, or the responder with an error. */
export function responseFromPartition(spmc: Spmc, pe: Pe, vcpu: PartitionVcpu): PartitionVcpu | null {
  const result = checkResponse(vcpu);
  if (result !== FFA_OK) {
    answerError(vcpu.registers, result);
    return vcpu;
  }
  if (vcpu.runtime === RUNTIME_POWER_MANAGEMENT) return powerAnswered(spmc, pe, vcpu);
  return endRequest(spmc, pe, vcpu);
}

/** The answer in the context's registers goes to who asked, and the context waits. Returns who runs next. */
function endRequest(spmc: Spmc, pe: Pe, vcpu: PartitionVcpu): PartitionVcpu | null {
  const { caller } = vcpu;
  const orphan = isOrphan(vcpu);
  if (!orphan) passMessage(vcpu.registers, caller === null ? pe.smc : caller.registers);
  endManagedExit(vcpu);
  unlink(vcpu);
  vcpu.endRequest();
  vcpu.runtime = RUNTIME_NONE;
  vcpu.scheduledBySpmc = false;
  vcpu.state = VCPU_WAITING;
  vcpu.answered = false;
  let next: PartitionVcpu | null = null;
  if (caller !== null) next = orphan ? answerToDead(pe, caller) : resumeCaller(caller);
  return beforeItWaits(spmc, vcpu, next);
}

function checkResponse(vcpu: PartitionVcpu): Result {
  const r = vcpu.registers;
  const second = r.w(0) === FFA_MSG_SEND_DIRECT_RESP2;
  const framework = !second && (r.w(2) & DIRECT_FRAMEWORK_BIT) !== 0;
  if (!second) {
    if (!framework && r.w(2) !== 0) return FFA_INVALID_PARAMETERS;
    if (vcpu.partition.version >= FFA_VERSION_1_2 && !r.isClear(FIRST_EXTENDED_REGISTER)) return FFA_INVALID_PARAMETERS;
  }
  const receiver = r.w(1) & DIRECT_ENDPOINT_MASK;
  if (r.w(1) >>> DIRECT_SENDER_SHIFT !== vcpu.endpoint || receiver === vcpu.endpoint) return FFA_INVALID_PARAMETERS;
  if (transition(vcpu, CALL_RESPONSE, null) === DENIED) return FFA_DENIED;
  if (vcpu.runtime === RUNTIME_POWER_MANAGEMENT) return FFA_OK;
  if (receiver !== vcpu.requester || framework !== (vcpu.request === REQUEST_FRAMEWORK)) return FFA_DENIED;
  if (second !== (vcpu.request === REQUEST_DIRECT2)) return FFA_DENIED;
  return framework && r.w(2) !== vcpu.frameworkResponse ? FFA_DENIED : FFA_OK;
}

/**
 * FFA_ERROR of a partition: with ABORTED while it initialises, it gives up; else, where the personality has it so, it
 * is the answer to the request that it serves. Returns who runs next.
 */
export function errorFromPartition(spmc: Spmc, pe: Pe, vcpu: PartitionVcpu): PartitionVcpu | null {
  const r = vcpu.registers;
  const code = r.w(2) | 0;
  if (code === FFA_ABORTED && transition(vcpu, CALL_ABORT, null) === ALLOWED) return abortVcpu(spmc, pe, vcpu);
  if (!spmc.personality.errorAnswersRequest || vcpu.runtime !== RUNTIME_DIRECT_REQUEST) {
    answerError(r, FFA_NOT_SUPPORTED);
    return vcpu;
  }
  if (transition(vcpu, CALL_RESPONSE, null) === DENIED) {
    answerError(r, FFA_DENIED);
    return vcpu;
  }
  // A code that FF-A does not define, 0 above all, would be read as anything by who asked.
  answerError(r, isFfaErrorCode(code) ? (code as Result) : FFA_ABORTED);
  return endRequest(spmc, pe, vcpu);
}

function refuse(r: RegisterFile, result: Result): null {
  answerError(r, result);
  return null;
}
