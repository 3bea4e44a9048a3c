// Notifications: bits that one endpoint sets and another fetches. A VM's bitmap is created by the hypervisor; the
// receiver binds each bit to the one sender that may set it. Global notifications only.

import { isSecureEndpoint } from '../abi/endpoint-ids.ts';
import {
  FFA_DENIED,
  FFA_INVALID_PARAMETERS,
  FFA_NO_MEMORY,
  FFA_NOT_SUPPORTED,
  FFA_OK,
  type FfaErrorCode,
} from '../abi/errors.ts';
import {
  NOTIFICATION_FLAG_DELAY_SRI,
  NOTIFICATION_FLAG_PER_VCPU,
  NOTIFICATION_FRAMEWORK_RX_FULL,
  NOTIFICATION_GET_FLAGS_MASK,
  NOTIFICATION_GET_FROM_SP,
  NOTIFICATION_GET_FROM_SPM,
  NOTIFICATION_GET_FROM_VM,
  NOTIFICATION_GET_VCPU_SHIFT,
  NOTIFICATION_SENDER_SHIFT,
  NOTIFICATION_SET_VCPU_SHIFT,
} from '../abi/layout/notifications.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import { answerSuccess, type Result } from './answers.ts';
import type { Endpoint } from './endpoint.ts';
import type { NotificationBitmap } from './notification-state.ts';
import type { Spmc } from './spmc.ts';
import type { Staging } from './staging.ts';

const RECEIVER_MASK = 0xffff;

/** FFA_NOTIFICATION_BITMAP_CREATE: the hypervisor's, for a VM. */
export function createBitmap(spmc: Spmc, caller: Endpoint, r: RegisterFile): Result {
  const id = r.w(1);
  const vcpuCount = r.w(2);
  if (caller.secure) return FFA_NOT_SUPPORTED;
  if (id > RECEIVER_MASK || isSecureEndpoint(id) || vcpuCount === 0 || vcpuCount > spmc.limits.vcpus) {
    return FFA_INVALID_PARAMETERS;
  }
  const machine = spmc.makeVirtualMachine(id);
  if (machine === undefined) return FFA_NO_MEMORY;
  if (machine.notifications.enabled) return FFA_DENIED;
  machine.notifications.clear();
  machine.notifications.enabled = true;
  machine.notifications.vcpuCount = vcpuCount;
  return answerSuccess(r);
}

/** FFA_NOTIFICATION_BITMAP_DESTROY: DENIED while something is pending. */
export function destroyBitmap(spmc: Spmc, caller: Endpoint, r: RegisterFile): Result {
  const id = r.w(1);
  if (caller.secure) return FFA_NOT_SUPPORTED;
  const machine = id > RECEIVER_MASK || isSecureEndpoint(id) ? undefined : spmc.endpoint(id);
  if (machine?.notifications.enabled !== true) return FFA_INVALID_PARAMETERS;
  if (machine.notifications.pending) return FFA_DENIED;
  machine.notifications.enabled = false;
  machine.notifications.clear();
  spmc.forgetVirtualMachine(machine);
  return answerSuccess(r);
}

/** The receiver that a call names, if the caller may speak for it: itself, or any VM for the hypervisor. */
function ownReceiver(spmc: Spmc, caller: Endpoint, id: number): Endpoint | undefined {
  if (caller.secure) return id === caller.id ? caller : undefined;
  return isSecureEndpoint(id) ? undefined : spmc.endpoint(id);
}

/** The bitmap that a BIND or UNBIND names, or its error. */
function bindingTarget(
  spmc: Spmc,
  caller: Endpoint,
  r: RegisterFile,
  flagsAllowed: number,
): NotificationBitmap | FfaErrorCode {
  const sender = r.w(1) >>> NOTIFICATION_SENDER_SHIFT;
  const receiverId = r.w(1) & RECEIVER_MASK;
  const receiver = ownReceiver(spmc, caller, receiverId);
  if (receiver === undefined || sender === receiverId || !spmc.isEndpoint(sender)) {
    return FFA_INVALID_PARAMETERS;
  }
  if (!receiver.notifications.enabled) {
    return FFA_NOT_SUPPORTED;
  }
  // Among VMs notifications are the hypervisor's own business.
  if (!receiver.secure && !isSecureEndpoint(sender)) {
    return FFA_INVALID_PARAMETERS;
  }
  if ((r.w(2) & ~flagsAllowed) !== 0 || (r.w(3) | r.w(4)) === 0) {
    return FFA_INVALID_PARAMETERS;
  }
  return isSecureEndpoint(sender) ? receiver.notifications.fromPartitions : receiver.notifications.fromVms;
}

/** FFA_NOTIFICATION_BIND: DENIED when one of the bits is bound already. Per-vCPU: INVALID_PARAMETERS. */
export function bindNotifications(spmc: Spmc, caller: Endpoint, r: RegisterFile): Result {
  const bitmap = bindingTarget(spmc, caller, r, 0);
  if (typeof bitmap === 'number') return bitmap;
  if (!bitmap.allUnbound(r.w(3), r.w(4))) return FFA_DENIED;
  bitmap.bind(r.w(1) >>> NOTIFICATION_SENDER_SHIFT, r.w(3), r.w(4));
  return answerSuccess(r);
}

/** FFA_NOTIFICATION_UNBIND: DENIED when one of the bits is pending, or bound to somebody else. */
export function unbindNotifications(spmc: Spmc, caller: Endpoint, r: RegisterFile): Result {
  const bitmap = bindingTarget(spmc, caller, r, 0);
  if (typeof bitmap === 'number') return bitmap;
  const low = r.w(3);
  const high = r.w(4);
  const pending = (bitmap.pendingLow & low) | (bitmap.pendingHigh & high);
  const sender = r.w(1) >>> NOTIFICATION_SENDER_SHIFT;
  if (pending !== 0 || !bitmap.allBoundTo(sender, low, high)) return FFA_DENIED;
  bitmap.unbind(low, high);
  return answerSuccess(r);
}

/** FFA_NOTIFICATION_SET. */
export function setNotifications(
  spmc: Spmc,
  caller: Endpoint,
  r: RegisterFile,
  _staging: Staging,
  peIndex: number,
): Result {
  const sender = r.w(1) >>> NOTIFICATION_SENDER_SHIFT;
  const receiverId = r.w(1) & RECEIVER_MASK;
  const flags = r.w(2);
  const low = r.w(3);
  const high = r.w(4);
  const speaksForSender = caller.secure ? sender === caller.id : !isSecureEndpoint(sender);
  const receiver = spmc.endpoint(receiverId);
  if (!speaksForSender || receiver === undefined || sender === receiverId || (low | high) === 0) {
    return FFA_INVALID_PARAMETERS;
  }
  if (!caller.secure && !receiver.secure) return FFA_INVALID_PARAMETERS;
  if (!receiver.notifications.enabled) return FFA_NOT_SUPPORTED;
  const reserved =
    flags & ~(NOTIFICATION_FLAG_DELAY_SRI | NOTIFICATION_FLAG_PER_VCPU | (0xffff << NOTIFICATION_SET_VCPU_SHIFT));
  const perVcpu = (flags & NOTIFICATION_FLAG_PER_VCPU) !== 0 || flags >>> NOTIFICATION_SET_VCPU_SHIFT !== 0;
  if (reserved !== 0 || perVcpu) return FFA_INVALID_PARAMETERS;
  const bitmap = isSecureEndpoint(sender) ? receiver.notifications.fromPartitions : receiver.notifications.fromVms;
  if (!bitmap.allBoundTo(sender, low, high)) return FFA_DENIED;
  bitmap.pendingLow = (bitmap.pendingLow | low) >>> 0;
  bitmap.pendingHigh = (bitmap.pendingHigh | high) >>> 0;
  spmc.notificationPending(receiver, (flags & NOTIFICATION_FLAG_DELAY_SRI) !== 0, peIndex);
  return answerSuccess(r);
}

/** FFA_NOTIFICATION_GET: what is pending for the receiver, by kind of sender; it is pending no more. */
export function getNotifications(spmc: Spmc, caller: Endpoint, r: RegisterFile): Result {
  const receiver = ownReceiver(spmc, caller, r.w(1) & RECEIVER_MASK);
  const flags = r.w(2);
  if (receiver === undefined || flags === 0 || (flags & ~NOTIFICATION_GET_FLAGS_MASK) !== 0) {
    return FFA_INVALID_PARAMETERS;
  }
  const notifications = receiver.notifications;
  if (!notifications.enabled) return FFA_NOT_SUPPORTED;
  if (r.w(1) >>> NOTIFICATION_GET_VCPU_SHIFT >= notifications.vcpuCount) return FFA_INVALID_PARAMETERS;
  answerSuccess(r);
  if ((flags & NOTIFICATION_GET_FROM_SP) !== 0) take(notifications.fromPartitions, r, 2);
  if ((flags & NOTIFICATION_GET_FROM_VM) !== 0) take(notifications.fromVms, r, 4);
  if ((flags & NOTIFICATION_GET_FROM_SPM) !== 0 && notifications.rxFullFromSpm) {
    notifications.rxFullFromSpm = false;
    notifications.rxFullReported = false;
    r.setW(6, NOTIFICATION_FRAMEWORK_RX_FULL);
  }
  return FFA_OK;
}

function take(bitmap: NotificationBitmap, r: RegisterFile, register: number): void {
  r.setW(register, bitmap.pendingLow);
  r.setW(register + 1, bitmap.pendingHigh);
  bitmap.pendingLow = 0;
  bitmap.pendingHigh = 0;
  bitmap.reportedLow = 0;
  bitmap.reportedHigh = 0;
}
