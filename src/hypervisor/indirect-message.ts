// FFA_MSG_SEND2: a message from a guest's TX buffer to a partition (the SPMC reads it there) or, where VMs see each
// other, to another VM (copied here into its RX). w1 and w2 of the call do not count. [Xen ffa_msg.c]
//
// The header is read once; what goes to a VM is built from that copy. For a partition the SPMC reads the page again and
// checks for itself.

import { isSecureEndpoint } from '../abi/endpoint-ids.ts';
import {
  FFA_BUSY,
  FFA_DENIED,
  FFA_INVALID_PARAMETERS,
  FFA_NO_MEMORY,
  FFA_NOT_SUPPORTED,
  FFA_OK,
} from '../abi/errors.ts';
import { FFA_MSG_SEND2 } from '../abi/function-ids.ts';
import {
  MESSAGE_FLAGS_OFFSET,
  MESSAGE_HEADER_1_1_SIZE_BYTES,
  MESSAGE_HEADER_1_2_SIZE_BYTES,
  MESSAGE_PAYLOAD_OFFSET,
  MESSAGE_PAYLOAD_SIZE_OFFSET,
  MESSAGE_RECEIVER_OFFSET,
  MESSAGE_RESERVED_4_OFFSET,
  MESSAGE_RESERVED_20_OFFSET,
  MESSAGE_SENDER_OFFSET,
  MESSAGE_UUID_OFFSET,
  MSG_SEND2_SENDER_SHIFT,
} from '../abi/layout/messages.ts';
import { FFA_VERSION_1_2 } from '../abi/versions.ts';
import { ACCESS_READ, ACCESS_WRITE, TOUCH_BUFFER, TOUCH_FRAME, TOUCH_LOCK } from '../base/announcement.ts';
import type { Coroutine } from '../base/coroutine.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { Pe } from '../hardware/pe.ts';
import { answerError, answerSuccess } from './answer.ts';
import { DOMAIN_ALIVE, type Vcpu } from './domain.ts';
import { canSendIndirectly } from './features.ts';
import { type FfaContext, VERSION_NONE } from './ffa-context.ts';
import type { Hypervisor } from './hypervisor.ts';
import { raiseRxFull } from './notifications.ts';
import { emitRxWrite } from './partition-info.ts';
import { acquireRx, releaseRx, tryAcquireRx } from './rx-tx-buffers.ts';
import { callSimply } from './spmc-answer.ts';
import { type Staging, stage, stagingOf } from './staging.ts';

const UUID_SIZE_BYTES = 16;

/** FFA_MSG_SEND2. */
export function* sendIndirect(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Coroutine {
  const context = vcpu.domain.ffa as FfaContext;
  if (pe.stepping) yield pe.writes(TOUCH_LOCK, context.txLock.id);
  if (!context.txLock.tryAcquire(pe)) {
    answerError(vcpu.registers, FFA_BUSY);
    return;
  }
  const code = yield* sendLocked(hypervisor, pe, context);
  context.txLock.release(pe);
  if (code === FFA_OK) answerSuccess(vcpu.registers);
  else answerError(vcpu.registers, code);
}

/** The caller holds the sender's TX lock. */
function* sendLocked(hypervisor: Hypervisor, pe: Pe, context: FfaContext): Coroutine<number> {
  if (!context.buffersMapped) return FFA_DENIED;
  if (pe.stepping) {
    pe.reads(TOUCH_FRAME, context.txFrame);
    yield pe.also(TOUCH_BUFFER, context.vmId, ACCESS_READ);
  }
  const staging = stagingOf(hypervisor, pe);
  stage(hypervisor, staging, context.txFrame, 0, MESSAGE_HEADER_1_2_SIZE_BYTES);
  const error = checkMessage(staging, context);
  if (error !== FFA_OK) return error;
  const receiver = staging.u16(MESSAGE_RECEIVER_OFFSET);
  if (isSecureEndpoint(receiver)) return yield* sendToPartition(hypervisor, pe, context);
  return yield* sendToVm(hypervisor, pe, context, receiver);
}

/** Order: ids, offset, size. */
function checkMessage(staging: Staging, context: FfaContext): number {
  const receiver = staging.u16(MESSAGE_RECEIVER_OFFSET);
  if (staging.u16(MESSAGE_SENDER_OFFSET) !== context.vmId || receiver === context.vmId) return FFA_INVALID_PARAMETERS;
  const offset = staging.u32(MESSAGE_PAYLOAD_OFFSET);
  const size = staging.u32(MESSAGE_PAYLOAD_SIZE_OFFSET);
  if (offset < headerSize(context)) return FFA_INVALID_PARAMETERS;
  const room = context.bufferPageCount * PAGE_SIZE_BYTES - offset;
  return size > 0 && size <= room ? FFA_OK : FFA_INVALID_PARAMETERS;
}

function headerSize(context: FfaContext): number {
  return context.version >= FFA_VERSION_1_2 ? MESSAGE_HEADER_1_2_SIZE_BYTES : MESSAGE_HEADER_1_1_SIZE_BYTES;
}

function* sendToPartition(hypervisor: Hypervisor, pe: Pe, context: FfaContext): Coroutine<number> {
  const secure = hypervisor.secure;
  if (!canSendIndirectly(secure)) return FFA_NOT_SUPPORTED;
  return yield* callSimply(secure, pe, context.vmId, FFA_MSG_SEND2, context.vmId << MSG_SEND2_SENDER_SHIFT);
}

function* sendToVm(hypervisor: Hypervisor, pe: Pe, context: FfaContext, receiverId: number): Coroutine<number> {
  const receiver = hypervisor.vmsSeeVms ? findReceiver(hypervisor, receiverId) : null;
  if (receiver === null) return FFA_INVALID_PARAMETERS;
  const staging = stagingOf(hypervisor, pe);
  const size = staging.u32(MESSAGE_PAYLOAD_SIZE_OFFSET);
  const waits = hypervisor.profile.waitsForReceiver;
  const code = yield* waits ? acquireRx(hypervisor, pe, receiver) : tryAcquireRx(hypervisor, pe, receiver);
  if (code !== FFA_OK) return code;
  if (size > receiver.bufferPageCount * PAGE_SIZE_BYTES - MESSAGE_HEADER_1_2_SIZE_BYTES) {
    yield* releaseRx(hypervisor, pe, receiver);
    receiver.rxFilling = false;
    return FFA_NO_MEMORY;
  }
  // The receiver may die before the copy begins: its page stays until the copy is done, or there is no copy.
  const frames = hypervisor.machine.frames;
  const { rxFrame } = receiver;
  if (!receiver.buffersMapped || !frames.getRange(rxFrame, 1, receiver.domain.serial)) {
    receiver.rxFilling = false;
    return FFA_INVALID_PARAMETERS;
  }
  if (pe.stepping) {
    pe.reads(TOUCH_FRAME, context.txFrame);
    pe.also(TOUCH_BUFFER, receiver.vmId, ACCESS_WRITE);
    yield pe.also(TOUCH_FRAME, rxFrame, ACCESS_WRITE);
  }
  const written = copyMessage(hypervisor, staging, context, rxFrame);
  emitRxWrite(hypervisor, pe, receiver, written);
  frames.putRange(rxFrame, 1);
  receiver.rxFilling = false;
  raiseRxFull(hypervisor, receiver);
  return FFA_OK;
}

/** A VM that is alive and has agreed on a version; null for anything else. */
function findReceiver(hypervisor: Hypervisor, vmId: number): FfaContext | null {
  const domain = vmId === 0 ? null : hypervisor.domains.findVm(vmId);
  if (domain === null || domain.life !== DOMAIN_ALIVE) return null;
  const context = domain.ffa;
  return context === null || context.version === VERSION_NONE ? null : context;
}

/** A header of 40 bytes, whatever the sender's version, and the payload behind it. Returns the length of both. */
function copyMessage(hypervisor: Hypervisor, staging: Staging, context: FfaContext, rxFrame: number): number {
  const view = staging.view;
  const offset = staging.u32(MESSAGE_PAYLOAD_OFFSET);
  const size = staging.u32(MESSAGE_PAYLOAD_SIZE_OFFSET);
  view.setUint32(MESSAGE_FLAGS_OFFSET, 0, true);
  view.setUint32(MESSAGE_RESERVED_4_OFFSET, 0, true);
  view.setUint32(MESSAGE_PAYLOAD_OFFSET, MESSAGE_HEADER_1_2_SIZE_BYTES, true);
  view.setUint32(MESSAGE_RESERVED_20_OFFSET, 0, true);
  if (context.version < FFA_VERSION_1_2) {
    staging.bytes.fill(0, MESSAGE_UUID_OFFSET, MESSAGE_UUID_OFFSET + UUID_SIZE_BYTES);
  }
  const contents = hypervisor.machine.frames.contents;
  const source = context.txFrame * PAGE_SIZE_BYTES + offset;
  contents.read(source, staging.bytes, MESSAGE_HEADER_1_2_SIZE_BYTES, size);
  contents.write(rxFrame * PAGE_SIZE_BYTES, staging.bytes, 0, MESSAGE_HEADER_1_2_SIZE_BYTES + size);
  return MESSAGE_HEADER_1_2_SIZE_BYTES + size;
}
