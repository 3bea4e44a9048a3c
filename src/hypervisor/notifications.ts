// Notifications between a VM and partitions: FFA_NOTIFICATION_BIND, UNBIND, SET and GET go to the SPMC,
// FFA_NOTIFICATION_INFO_GET is answered from what the schedule-receiver interrupt brought. The hypervisor's own bitmap
// has one bit: RX is full. [Xen ffa_notif.c]
//
// Not here: notifications between VMs, and per vCPU.

import { isSecureEndpoint } from '../abi/endpoint-ids.ts';
import { FFA_DENIED, FFA_INVALID_PARAMETERS, FFA_NO_DATA, FFA_NOT_SUPPORTED, FFA_OK } from '../abi/errors.ts';
import {
  FFA_NOTIFICATION_BIND,
  FFA_NOTIFICATION_GET,
  FFA_NOTIFICATION_INFO_GET_64,
  FFA_NOTIFICATION_SET,
  FFA_NOTIFICATION_UNBIND,
  FFA_SUCCESS_32,
  FFA_SUCCESS_64,
} from '../abi/function-ids.ts';
import {
  INFO_GET_FIRST_LIST_SHIFT,
  INFO_GET_FIRST_REGISTER,
  INFO_GET_LIST_COUNT_MASK,
  INFO_GET_LIST_COUNT_SHIFT,
  INFO_GET_LIST_VCPU_COUNT_MASK,
  INFO_GET_MAX_IDS_32,
  INFO_GET_MAX_IDS_64,
  INFO_GET_MORE_PENDING,
  NOTIFICATION_FRAMEWORK_RX_FULL,
  NOTIFICATION_GET_FROM_HYP,
  NOTIFICATION_GET_FROM_SP,
  NOTIFICATION_GET_FROM_SPM,
  NOTIFICATION_SENDER_SHIFT,
} from '../abi/layout/notifications.ts';
import { TOUCH_PARTITION } from '../base/announcement.ts';
import type { Coroutine } from '../base/coroutine.ts';
import { EVENT_INTERRUPT } from '../base/event-kinds.ts';
import { TWO_POW_32 } from '../base/units.ts';
import type { Pe } from '../hardware/pe.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import { answerError, answerSuccess } from './answer.ts';
import { DOMAIN_GONE, type Vcpu } from './domain.ts';
import { NOTIFICATION_PENDING_INTERRUPT } from './features.ts';
import type { FfaContext } from './ffa-context.ts';
import type { Hypervisor } from './hypervisor.ts';
import { callSimply, prepareCall } from './spmc-answer.ts';

const ENDPOINT_MASK = 0xffff;

/** Whether notifications of partitions pass at all. */
function hasSecureNotifications(hypervisor: Hypervisor): boolean {
  return hypervisor.secure.scheduleReceiverInterrupt >= 0;
}

/** FFA_NOTIFICATION_BIND: a partition may signal these bits to the guest. */
export function* bindNotifications(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Coroutine {
  const registers = vcpu.registers;
  const endpoints = registers.w(1);
  if ((endpoints & ENDPOINT_MASK) !== vcpu.domain.vmId) answerError(registers, FFA_INVALID_PARAMETERS);
  else if (registers.w(2) !== 0) answerError(registers, FFA_DENIED);
  else yield* forward(hypervisor, pe, vcpu, FFA_NOTIFICATION_BIND, endpoints >>> NOTIFICATION_SENDER_SHIFT, 0);
}

/** FFA_NOTIFICATION_UNBIND; its flags do not count. */
export function* unbindNotifications(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Coroutine {
  const registers = vcpu.registers;
  const endpoints = registers.w(1);
  if ((endpoints & ENDPOINT_MASK) !== vcpu.domain.vmId) answerError(registers, FFA_INVALID_PARAMETERS);
  else yield* forward(hypervisor, pe, vcpu, FFA_NOTIFICATION_UNBIND, endpoints >>> NOTIFICATION_SENDER_SHIFT, 0);
}

/** FFA_NOTIFICATION_SET: the guest signals to a partition, with its own flags. */
export function* setNotifications(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Coroutine {
  const registers = vcpu.registers;
  const endpoints = registers.w(1);
  if (endpoints >>> NOTIFICATION_SENDER_SHIFT !== vcpu.domain.vmId) answerError(registers, FFA_INVALID_PARAMETERS);
  else yield* forward(hypervisor, pe, vcpu, FFA_NOTIFICATION_SET, endpoints & ENDPOINT_MASK, registers.w(2));
}

/** The call with `flags` to the SPMC if the other side is a partition; its code to the guest. */
function* forward(
  hypervisor: Hypervisor,
  pe: Pe,
  vcpu: Vcpu,
  functionId: number,
  other: number,
  flags: number,
): Coroutine {
  const registers = vcpu.registers;
  if (!isSecureEndpoint(other) || !hasSecureNotifications(hypervisor)) {
    answerError(registers, FFA_NOT_SUPPORTED);
    return;
  }
  const code = yield* callSimply(
    hypervisor.secure,
    pe,
    vcpu.domain.vmId,
    functionId,
    registers.w(1),
    flags,
    registers.w(3),
    registers.w(4),
  );
  if (code === FFA_OK) answerSuccess(registers);
  else answerError(registers, code);
}

/** FFA_NOTIFICATION_GET: bitmaps of partitions and SPMC from the SPMC, the hypervisor's own here, none of VMs. */
export function* getNotifications(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Coroutine {
  const registers = vcpu.registers;
  const context = vcpu.domain.ffa as FfaContext;
  const secure = hasSecureNotifications(hypervisor);
  if (!secure && !hypervisor.vmsSeeVms) {
    answerError(registers, FFA_NOT_SUPPORTED);
    return;
  }
  if ((registers.w(1) & ENDPOINT_MASK) !== context.vmId) {
    answerError(registers, FFA_INVALID_PARAMETERS);
    return;
  }
  const flags = registers.w(2);
  const secureFlags = flags & (NOTIFICATION_GET_FROM_SP | NOTIFICATION_GET_FROM_SPM);
  let fromSpLow = 0;
  let fromSpHigh = 0;
  let fromSpm = 0;
  if (secure && secureFlags !== 0) {
    if (pe.stepping) yield pe.writes(TOUCH_PARTITION, context.vmId);
    if (secureFlags === (NOTIFICATION_GET_FROM_SP | NOTIFICATION_GET_FROM_SPM)) {
      context.secureNotificationPending = false;
    }
    const code = yield* callSimply(
      hypervisor.secure,
      pe,
      context.vmId,
      FFA_NOTIFICATION_GET,
      registers.w(1),
      secureFlags,
    );
    if (code !== FFA_OK) {
      answerError(registers, code);
      return;
    }
    const answer = pe.smc;
    if ((flags & NOTIFICATION_GET_FROM_SP) !== 0) {
      fromSpLow = answer.w(2);
      fromSpHigh = answer.w(3);
    }
    if ((flags & NOTIFICATION_GET_FROM_SPM) !== 0) fromSpm = answer.w(6);
  }
  let fromHypervisor = 0;
  if (hypervisor.vmsSeeVms && (flags & NOTIFICATION_GET_FROM_HYP) !== 0) {
    if (pe.stepping) yield pe.writes(TOUCH_PARTITION, context.vmId);
    if (context.rxFullPending) fromHypervisor = NOTIFICATION_FRAMEWORK_RX_FULL;
    context.rxFullPending = false;
  }
  registers.set8(FFA_SUCCESS_32, 0, fromSpLow, fromSpHigh, 0, 0, fromSpm, fromHypervisor);
}

/** One list of one id, for the guest itself. */
const ONE_LIST = 1 << INFO_GET_LIST_COUNT_SHIFT;

/** FFA_NOTIFICATION_INFO_GET, always in the 64-bit form: whether something waits for the guest. */
export function* getNotificationInfo(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Coroutine {
  const registers = vcpu.registers;
  const context = vcpu.domain.ffa as FfaContext;
  if (!hasSecureNotifications(hypervisor) && !hypervisor.vmsSeeVms) {
    answerError(registers, FFA_NOT_SUPPORTED);
    return;
  }
  if (pe.stepping) yield pe.writes(TOUCH_PARTITION, context.vmId);
  const pending = context.secureNotificationPending || context.rxFullPending;
  context.secureNotificationPending = false;
  if (pending) registers.set8(FFA_SUCCESS_64, 0, ONE_LIST, context.vmId);
  else answerError(registers, FFA_NO_DATA);
}

/** Makes the notification-pending interrupt pending at a vCPU; once, however often it is raised. */
function raiseNotificationPending(hypervisor: Hypervisor, vcpu: Vcpu): void {
  if (!vcpu.interrupts.includes(NOTIFICATION_PENDING_INTERRUPT)) {
    vcpu.interrupts.push(NOTIFICATION_PENDING_INTERRUPT);
  }
  const events = hypervisor.machine.events;
  if (events.on) events.emit(EVENT_INTERRUPT, 0, vcpu.domain.vmId, NOTIFICATION_PENDING_INTERRUPT);
}

/** The RX-full notification for a VM whose RX has been filled; the interrupt goes to its first vCPU. */
export function raiseRxFull(hypervisor: Hypervisor, context: FfaContext): void {
  if (context.rxFullPending) return;
  context.rxFullPending = true;
  const vcpu = context.domain.vcpus[0];
  if (vcpu !== undefined) raiseNotificationPending(hypervisor, vcpu);
}

/** The SPMC's schedule-receiver interrupt: asks who has notifications until there is no more, and tells each VM. */
export function* takeScheduleReceiver(hypervisor: Hypervisor, pe: Pe): Coroutine {
  yield* listWhoIsNotified(hypervisor, pe, (id) => notify(hypervisor, id));
}

/** Asks the SPMC who has notifications until there is no more; `tell` hears of each, in the order of the lists. */
export function* listWhoIsNotified(hypervisor: Hypervisor, pe: Pe, tell: (id: number) => void): Coroutine {
  if (!hasSecureNotifications(hypervisor)) return;
  for (;;) {
    prepareCall(pe, FFA_NOTIFICATION_INFO_GET_64);
    const pending = hypervisor.secure.call(pe, 0);
    if (pending !== null) yield* pending;
    const answer = pe.smc;
    const wide = answer.w(0) === FFA_SUCCESS_64;
    if (answer.high(0) !== 0 || (!wide && answer.w(0) !== FFA_SUCCESS_32)) return;
    const more = (answer.w(2) & INFO_GET_MORE_PENDING) !== 0;
    const listed = listedIds(answer, wide);
    for (const id of listed) {
      if (pe.stepping) yield pe.writes(TOUCH_PARTITION, id);
      tell(id);
    }
    if (!more) return;
  }
}

/** The first id of each list in the answer of FFA_NOTIFICATION_INFO_GET, as far as lists stay inside the registers. */
function listedIds(answer: RegisterFile, wide: boolean): number[] {
  const ids: number[] = [];
  const idCount = wide ? INFO_GET_MAX_IDS_64 : INFO_GET_MAX_IDS_32;
  const listCount = (answer.w(2) >>> INFO_GET_LIST_COUNT_SHIFT) & INFO_GET_LIST_COUNT_MASK;
  let at = 0;
  for (let list = 0; list < listCount && at < idCount; list++) {
    ids.push(idAt(answer, at, wide));
    at += 1 + vcpuCountOf(answer, list, wide);
  }
  return ids;
}

/** vCPU ids that follow the first id of the `list`-th list. */
function vcpuCountOf(answer: RegisterFile, list: number, wide: boolean): number {
  const shift = INFO_GET_FIRST_LIST_SHIFT + 2 * list;
  if (!wide && shift >= 32) return 0;
  return Math.floor((answer.w(2) + answer.high(2) * TWO_POW_32) / 2 ** shift) & INFO_GET_LIST_VCPU_COUNT_MASK;
}

function idAt(answer: RegisterFile, at: number, wide: boolean): number {
  const perRegister = wide ? 4 : 2;
  const register = INFO_GET_FIRST_REGISTER + Math.floor(at / perRegister);
  const part = at % perRegister;
  const word = part < 2 ? answer.w(register) : answer.high(register);
  return (part & 1) === 0 ? word & ENDPOINT_MASK : word >>> 16;
}

/** Ids of partitions and of the hypervisor itself are passed over, and those of no VM. */
export function notify(hypervisor: Hypervisor, vmId: number): void {
  if (vmId === 0 || isSecureEndpoint(vmId)) return;
  const domain = hypervisor.domains.findVm(vmId);
  if (domain === null || domain.life === DOMAIN_GONE || domain.ffa === null) return;
  domain.ffa.secureNotificationPending = true;
  for (const vcpu of domain.vcpus) {
    if (!vcpu.online) continue;
    raiseNotificationPending(hypervisor, vcpu);
    return;
  }
}
