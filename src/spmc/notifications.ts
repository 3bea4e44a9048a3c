// Notifications: bits that one endpoint sets and another fetches. A VM's bitmap is created by the hypervisor; the
// receiver binds each bit to the one sender that may set it. Whether a bit may be bound for each vCPU is a matter of
// the personality. The order of checks is Hafnium's [Hafnium api.c] [Hafnium notifications.c].

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
  NOTIFICATION_GET_FROM_HYP,
  NOTIFICATION_GET_FROM_SP,
  NOTIFICATION_GET_FROM_SPM,
  NOTIFICATION_GET_FROM_VM,
  NOTIFICATION_GET_VCPU_SHIFT,
  NOTIFICATION_SENDER_SHIFT,
  NOTIFICATION_SET_VCPU_SHIFT,
} from '../abi/layout/notifications.ts';
import { FFA_VERSION_1_1 } from '../abi/versions.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import { answerSuccess, type Result } from './answers.ts';
import type { Endpoint } from './endpoint.ts';
import { ANY_VCPU, type NotificationBitmap, RX_FULL_FROM_HYPERVISOR, RX_FULL_FROM_SPM } from './notification-state.ts';
import type { Spmc } from './spmc.ts';
import type { Staging } from './staging.ts';

const RECEIVER_MASK = 0xffff;
const SET_FLAGS_MASK =
  NOTIFICATION_FLAG_DELAY_SRI | NOTIFICATION_FLAG_PER_VCPU | (0xffff << NOTIFICATION_SET_VCPU_SHIFT);
const GET_FROM_NORMAL_WORLD = NOTIFICATION_GET_FROM_VM | NOTIFICATION_GET_FROM_HYP;

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

/**
 * FFA_NOTIFICATION_BITMAP_DESTROY: DENIED when there is none, and while something that a partition set is pending. What
 * the VM has bound is bound no more; a message in its RX does not hinder.
 */
export function destroyBitmap(spmc: Spmc, caller: Endpoint, r: RegisterFile): Result {
  const id = r.w(1);
  if (caller.secure) return FFA_NOT_SUPPORTED;
  if (id > RECEIVER_MASK || isSecureEndpoint(id)) return FFA_INVALID_PARAMETERS;
  const machine = spmc.endpoint(id);
  if (machine?.notifications.enabled !== true || machine.notifications.fromPartitions.pending) return FFA_DENIED;
  machine.notifications.enabled = false;
  machine.notifications.clear();
  spmc.forgetVirtualMachine(machine);
  return answerSuccess(r);
}

/**
 * Whether the caller may bind for `receiver` what `sender` sets: a partition for itself; the hypervisor for a VM, of a
 * partition (among VMs notifications are its own business).
 */
function mayBind(caller: Endpoint, sender: number, receiver: number): boolean {
  if (sender === receiver) return false;
  if (caller.secure) return receiver === caller.id;
  return isSecureEndpoint(sender) && !isSecureEndpoint(receiver);
}

/** The bitmap that a BIND or UNBIND names, or its error. */
function bindingTarget(spmc: Spmc, caller: Endpoint, r: RegisterFile): NotificationBitmap | FfaErrorCode {
  const sender = r.w(1) >>> NOTIFICATION_SENDER_SHIFT;
  const receiverId = r.w(1) & RECEIVER_MASK;
  if (!mayBind(caller, sender, receiverId) || (r.w(3) | r.w(4)) === 0) return FFA_INVALID_PARAMETERS;
  const receiver = spmc.endpoint(receiverId);
  if (receiver === undefined) return FFA_INVALID_PARAMETERS;
  if (receiver.version < FFA_VERSION_1_1 || !receiver.notifications.enabled) return FFA_NOT_SUPPORTED;
  return isSecureEndpoint(sender) ? receiver.notifications.fromPartitions : receiver.notifications.fromVms;
}

/** FFA_NOTIFICATION_BIND: DENIED when one of the bits is bound already. */
export function bindNotifications(spmc: Spmc, caller: Endpoint, r: RegisterFile): Result {
  const flags = r.w(2);
  const rules = spmc.personality.notifications;
  const perVcpu = (flags & NOTIFICATION_FLAG_PER_VCPU) !== 0;
  if (perVcpu && !rules.perVcpu) return rules.perVcpuError;
  if ((flags & ~NOTIFICATION_FLAG_PER_VCPU) !== 0) return FFA_INVALID_PARAMETERS;
  const bitmap = bindingTarget(spmc, caller, r);
  if (typeof bitmap === 'number') return bitmap;
  const sender = r.w(1) >>> NOTIFICATION_SENDER_SHIFT;
  if (isSecureEndpoint(sender) && !spmc.partitionById.has(sender)) return FFA_INVALID_PARAMETERS;
  if (!bitmap.allUnbound(r.w(3), r.w(4))) return FFA_DENIED;
  bitmap.bind(sender, r.w(3), r.w(4), perVcpu);
  return answerSuccess(r);
}

/** FFA_NOTIFICATION_UNBIND: DENIED when one of the bits is pending, or bound to somebody else. */
export function unbindNotifications(spmc: Spmc, caller: Endpoint, r: RegisterFile): Result {
  if (r.w(2) !== 0) return FFA_INVALID_PARAMETERS;
  const bitmap = bindingTarget(spmc, caller, r);
  if (typeof bitmap === 'number') return bitmap;
  const low = r.w(3);
  const high = r.w(4);
  if (!bitmap.allBoundTo(r.w(1) >>> NOTIFICATION_SENDER_SHIFT, low, high)) return FFA_DENIED;
  if (bitmap.pendingAmong(low, high)) return FFA_DENIED;
  bitmap.unbind(low, high);
  return answerSuccess(r);
}

/** Whether the caller may set `receiver`'s bits as `sender`: a partition as itself; the hypervisor as a VM, SPs'. */
function maySet(caller: Endpoint, sender: number, receiver: number): boolean {
  if (sender === receiver) return false;
  if (caller.secure) return sender === caller.id;
  return !isSecureEndpoint(sender) && isSecureEndpoint(receiver);
}

/** FFA_NOTIFICATION_SET. A bit that is pending already stays pending once. */
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
  const perVcpu = (flags & NOTIFICATION_FLAG_PER_VCPU) !== 0;
  const vcpu = flags >>> NOTIFICATION_SET_VCPU_SHIFT;
  const delayed = (flags & NOTIFICATION_FLAG_DELAY_SRI) !== 0;
  if ((flags & ~SET_FLAGS_MASK) !== 0) return FFA_INVALID_PARAMETERS;
  if (perVcpu ? !spmc.personality.notifications.perVcpu : vcpu !== 0) return FFA_INVALID_PARAMETERS;
  if (!maySet(caller, sender, receiverId) || (low | high) === 0) return FFA_INVALID_PARAMETERS;
  // The hypervisor needs no interrupt to know what it does itself.
  if (!caller.secure && delayed) return FFA_INVALID_PARAMETERS;
  const receiver = spmc.endpoint(receiverId);
  if (receiver === undefined) return FFA_INVALID_PARAMETERS;
  const { notifications } = receiver;
  if (!notifications.enabled) return FFA_DENIED;
  const bitmap = isSecureEndpoint(sender) ? notifications.fromPartitions : notifications.fromVms;
  if (!bitmap.allBoundTo(sender, low, high)) return FFA_DENIED;
  // What is bound for each vCPU is set for one, and what is bound globally for none [Hafnium 89c22131].
  if (!bitmap.allBoundAs(perVcpu, low, high)) return FFA_INVALID_PARAMETERS;
  if (perVcpu && vcpu >= notifications.vcpuCount) return FFA_INVALID_PARAMETERS;
  const target = perVcpu ? vcpu : ANY_VCPU;
  bitmap.set(target, low, high);
  spmc.notificationPending(receiver, target, delayed, peIndex);
  return answerSuccess(r);
}

/** The framework's notification that `receiver` has a message of `sender` in RX; to whom takes notifications. */
export function notifyRxFull(
  spmc: Spmc,
  sender: Endpoint,
  receiver: Endpoint,
  delayed: boolean,
  peIndex: number,
): void {
  // A VM that gave the SPMC its buffers takes messages, and so their notifications.
  if (receiver.secure && !receiver.notifications.enabled) return;
  receiver.notifications.framework |= sender.secure ? RX_FULL_FROM_SPM : RX_FULL_FROM_HYPERVISOR;
  spmc.notificationPending(receiver, ANY_VCPU, delayed, peIndex);
}

/**
 * FFA_NOTIFICATION_GET: what is pending for the receiver, by kind of sender; it is pending no more. Either of the
 * framework's flags fetches both of the framework's halves [Hafnium vm.c].
 */
export function getNotifications(spmc: Spmc, caller: Endpoint, r: RegisterFile): Result {
  const id = r.w(1) & RECEIVER_MASK;
  const vcpu = r.w(1) >>> NOTIFICATION_GET_VCPU_SHIFT;
  const flags = r.w(2);
  if ((flags & ~NOTIFICATION_GET_FLAGS_MASK) !== 0) return FFA_INVALID_PARAMETERS;
  const receiver = ownReceiver(spmc, caller, id);
  if (receiver === undefined) return FFA_INVALID_PARAMETERS;
  // What VMs and the hypervisor set for a VM, the hypervisor keeps.
  if (!receiver.secure && (flags & GET_FROM_NORMAL_WORLD) !== 0) return FFA_INVALID_PARAMETERS;
  const { notifications } = receiver;
  const vcpuCount = receiver.secure || notifications.enabled ? notifications.vcpuCount : spmc.limits.vcpus;
  if (vcpu >= vcpuCount) return FFA_INVALID_PARAMETERS;
  answerSuccess(r);
  if ((flags & NOTIFICATION_GET_FROM_SP) !== 0) take(notifications.fromPartitions, vcpu, r, 2);
  if ((flags & NOTIFICATION_GET_FROM_VM) !== 0) take(notifications.fromVms, vcpu, r, 4);
  if ((flags & (NOTIFICATION_GET_FROM_SPM | NOTIFICATION_GET_FROM_HYP)) !== 0) {
    const framework = notifications.takeFramework();
    if ((framework & RX_FULL_FROM_SPM) !== 0) r.setW(6, NOTIFICATION_FRAMEWORK_RX_FULL);
    if ((framework & RX_FULL_FROM_HYPERVISOR) !== 0) r.setW(7, NOTIFICATION_FRAMEWORK_RX_FULL);
  }
  return FFA_OK;
}

/** The endpoint whose notifications the caller may fetch: its own, or those of any VM for the hypervisor. */
function ownReceiver(spmc: Spmc, caller: Endpoint, id: number): Endpoint | undefined {
  if (caller.secure) return id === caller.id ? caller : undefined;
  return isSecureEndpoint(id) ? undefined : spmc.endpoint(id);
}

/** Fetches what is pending for no vCPU in particular, and what is for this one. */
function take(bitmap: NotificationBitmap, vcpu: number, r: RegisterFile, register: number): void {
  const own = bitmap.ofVcpu(vcpu);
  r.setW(register, bitmap.global.low | (own?.low ?? 0));
  r.setW(register + 1, bitmap.global.high | (own?.high ?? 0));
  bitmap.global.clear();
  own?.clear();
}
