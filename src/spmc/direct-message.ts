// Direct messages: a request hands the PE to its receiver, the response hands it back. From the normal world to a
// partition, and from partition to partition; a partition never requests anything of the normal world.

import { isSecureEndpoint } from '../abi/endpoint-ids.ts';
import { FFA_BUSY, FFA_DENIED, FFA_INVALID_PARAMETERS, FFA_NOT_SUPPORTED, FFA_OK } from '../abi/errors.ts';
import { FFA_MSG_SEND_DIRECT_REQ2, FFA_MSG_SEND_DIRECT_RESP2, isSmc64 } from '../abi/function-ids.ts';
import {
  DIRECT_ENDPOINT_MASK,
  DIRECT_FRAMEWORK_BIT,
  DIRECT_PAYLOAD_LAST_REGISTER,
  DIRECT_SENDER_SHIFT,
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
  VCPU_ABORTED,
  VCPU_BLOCKED,
  VCPU_WAITING,
} from './partition.ts';
import type { Spmc } from './spmc.ts';

/** A request of the hypervisor or of a VM. Returns the context that serves it, or null with the error in `pe.smc`. */
export function requestFromNormalWorld(spmc: Spmc, pe: Pe): PartitionVcpu | null {
  const r = pe.smc;
  const sender = r.w(1) >>> DIRECT_SENDER_SHIFT;
  const receiver = spmc.partitionById.get(r.w(1) & DIRECT_ENDPOINT_MASK);
  if (isSecureEndpoint(sender) || receiver === undefined) return refuse(r, FFA_INVALID_PARAMETERS);
  const family = familyOf(r);
  if (family === REQUEST_FRAMEWORK) {
    const result = spmc.personality.availability.check(receiver, r);
    if (result !== FFA_OK) return refuse(r, result);
  } else {
    const result = checkReceives(spmc, receiver, family);
    if (result !== FFA_OK) return refuse(r, result);
  }
  const target = receiver.vcpuFor(pe.index);
  const ready = checkReady(spmc, target);
  if (ready !== FFA_OK) return refuse(r, ready);
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
  const ready = checkReady(spmc, target);
  if (ready !== FFA_OK) {
    answerError(r, ready);
    return vcpu;
  }
  serve(target, r, vcpu.endpoint, familyOf(r), vcpu);
  vcpu.state = VCPU_BLOCKED;
  return target;
}

function checkPartitionRequest(spmc: Spmc, vcpu: PartitionVcpu): Result {
  const r = vcpu.registers;
  const partition = vcpu.partition;
  const receiverId = r.w(1) & DIRECT_ENDPOINT_MASK;
  const family = familyOf(r);
  if (r.w(1) >>> DIRECT_SENDER_SHIFT !== partition.id || receiverId === partition.id) return FFA_INVALID_PARAMETERS;
  const receiver = spmc.partitionById.get(receiverId);
  if (receiver === undefined) return FFA_INVALID_PARAMETERS;
  // Framework messages are the hypervisor's and the SPMC's to send.
  if (family === REQUEST_FRAMEWORK) return FFA_DENIED;
  const sends = family === REQUEST_DIRECT2 ? PARTITION_SENDS_DIRECT_REQ2 : PARTITION_SENDS_DIRECT_REQ;
  if ((partition.messagingMethods & sends) === 0) return FFA_DENIED;
  if (family === REQUEST_DIRECT2 && partition.version < FFA_VERSION_1_2) return FFA_NOT_SUPPORTED;
  return checkReceives(spmc, receiver, family);
}

function checkReceives(spmc: Spmc, receiver: Partition, family: RequestFamily): Result {
  const receives = family === REQUEST_DIRECT2 ? PARTITION_RECEIVES_DIRECT_REQ2 : PARTITION_RECEIVES_DIRECT_REQ;
  return (receiver.messagingMethods & receives) === 0 ? spmc.personality.requestNotTakenError : FFA_OK;
}

function checkReady(spmc: Spmc, target: PartitionVcpu): Result {
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
    return;
  }
  to.copy(from, 0, DIRECT_PAYLOAD_LAST_REGISTER);
  if (!isSmc64(functionId)) {
    for (let n = 0; n <= DIRECT_PAYLOAD_LAST_REGISTER; n++) to.words[2 * n + 1] = 0;
  }
  to.clear(DIRECT_PAYLOAD_LAST_REGISTER + 1, REGISTER_COUNT - 1);
}

/** A response. Returns who runs next: who asked, null for the normal world, or the responder with an error. */
export function responseFromPartition(_spmc: Spmc, pe: Pe, vcpu: PartitionVcpu): PartitionVcpu | null {
  const r = vcpu.registers;
  const result = checkResponse(vcpu);
  if (result !== FFA_OK) {
    answerError(r, result);
    return vcpu;
  }
  const caller = vcpu.caller;
  passMessage(r, caller === null ? pe.smc : caller.registers);
  if (caller !== null) caller.answered = true;
  vcpu.endRequest();
  vcpu.runtime = RUNTIME_NONE;
  vcpu.state = VCPU_WAITING;
  return caller;
}

function checkResponse(vcpu: PartitionVcpu): Result {
  const r = vcpu.registers;
  if (r.w(1) >>> DIRECT_SENDER_SHIFT !== vcpu.endpoint) return FFA_INVALID_PARAMETERS;
  if (vcpu.runtime !== RUNTIME_DIRECT_REQUEST || vcpu.request === REQUEST_NONE) return FFA_DENIED;
  if ((r.w(1) & DIRECT_ENDPOINT_MASK) !== vcpu.requester) return FFA_INVALID_PARAMETERS;
  const second = r.w(0) === FFA_MSG_SEND_DIRECT_RESP2;
  if (second !== (vcpu.request === REQUEST_DIRECT2)) return FFA_DENIED;
  if (vcpu.request === REQUEST_FRAMEWORK && r.w(2) !== vcpu.frameworkResponse) return FFA_DENIED;
  return FFA_OK;
}

function refuse(r: RegisterFile, result: Result): null {
  answerError(r, result);
  return null;
}
