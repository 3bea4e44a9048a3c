// Notifications of one endpoint: which bits of its bitmap who may set (bind), setting another's bits, reading its
// own, and asking for whom something is pending.

import * as id from '../../abi/function-ids.ts';
import {
  NOTIFICATION_FLAG_DELAY_SRI,
  NOTIFICATION_FLAG_PER_VCPU,
  NOTIFICATION_GET_VCPU_SHIFT,
  NOTIFICATION_SENDER_SHIFT,
  NOTIFICATION_SET_VCPU_SHIFT,
} from '../../abi/layout/notifications.ts';
import { decodeNotificationInfo, type NotificationList } from '../../abi/notification-info.ts';
import type { Words64 } from '../../abi/words.ts';
import type { CallContext, Caller, CallStep, Operation } from '../caller.ts';
import { OUTCOME_MALFORMED, OUTCOME_SUCCESS, OUTCOME_UNEXPECTED } from '../outcome.ts';

function endWith(caller: Caller, context: CallContext): CallStep {
  return caller.finish(context.registers.w(0) === id.FFA_SUCCESS_32 ? OUTCOME_SUCCESS : OUTCOME_UNEXPECTED);
}

/** FFA_NOTIFICATION_BIND or UNBIND: lets `sender` set these bits, or no longer. */
export class BindNotifications implements Operation {
  private readonly functionId: number;
  private readonly sender: number;
  private readonly bitmap: Words64;
  private readonly flags: number;

  constructor(bind: boolean, sender: number, bitmap: Words64, perVcpu = false) {
    this.functionId = bind ? id.FFA_NOTIFICATION_BIND : id.FFA_NOTIFICATION_UNBIND;
    this.sender = sender;
    this.bitmap = bitmap;
    this.flags = perVcpu ? NOTIFICATION_FLAG_PER_VCPU : 0;
  }

  start(caller: Caller, context: CallContext): CallStep {
    const ends = ((this.sender << NOTIFICATION_SENDER_SHIFT) | caller.endpoint.id) >>> 0;
    return caller.call(context, this.functionId, ends, this.flags, this.bitmap.low, this.bitmap.high);
  }

  answered(caller: Caller, context: CallContext): CallStep {
    return endWith(caller, context);
  }
}

export interface SetNotificationsOptions {
  readonly perVcpu?: boolean;
  /** With `perVcpu`: the receiver's vCPU. */
  readonly vcpu?: number;
  readonly delaySri?: boolean;
  /** Sender instead of the own id: a lie. */
  readonly sender?: number;
}

/** FFA_NOTIFICATION_SET: sets bits of `receiver`. */
export class SetNotifications implements Operation {
  private readonly receiver: number;
  private readonly bitmap: Words64;
  private readonly options: SetNotificationsOptions;

  constructor(receiver: number, bitmap: Words64, options: SetNotificationsOptions = {}) {
    this.receiver = receiver;
    this.bitmap = bitmap;
    this.options = options;
  }

  start(caller: Caller, context: CallContext): CallStep {
    const sender = this.options.sender ?? caller.endpoint.id;
    const ends = ((sender << NOTIFICATION_SENDER_SHIFT) | this.receiver) >>> 0;
    let flags = (this.options.vcpu ?? 0) << NOTIFICATION_SET_VCPU_SHIFT;
    if (this.options.perVcpu === true) flags |= NOTIFICATION_FLAG_PER_VCPU;
    if (this.options.delaySri === true) flags |= NOTIFICATION_FLAG_DELAY_SRI;
    return caller.call(context, id.FFA_NOTIFICATION_SET, ends, flags >>> 0, this.bitmap.low, this.bitmap.high);
  }

  answered(caller: Caller, context: CallContext): CallStep {
    return endWith(caller, context);
  }
}

/** FFA_NOTIFICATION_GET: reads and clears what is pending for this endpoint. */
export class GetNotifications implements Operation {
  /** Bits from SPs, from VMs (low and high words), from the SPM and from the hypervisor. */
  fromSp: Words64 = { low: 0, high: 0 };
  fromVm: Words64 = { low: 0, high: 0 };
  fromSpm = 0;
  fromHypervisor = 0;
  private readonly flags: number;
  private readonly vcpu: number;

  /** `flags`: `NOTIFICATION_GET_FROM_...`; `vcpu`: whose per-vCPU bits. */
  constructor(flags: number, vcpu: number) {
    this.flags = flags;
    this.vcpu = vcpu;
  }

  start(caller: Caller, context: CallContext): CallStep {
    const who = ((this.vcpu << NOTIFICATION_GET_VCPU_SHIFT) | caller.endpoint.id) >>> 0;
    return caller.call(context, id.FFA_NOTIFICATION_GET, who, this.flags);
  }

  answered(caller: Caller, context: CallContext): CallStep {
    const { registers } = context;
    if (registers.w(0) !== id.FFA_SUCCESS_32) return caller.finish(OUTCOME_UNEXPECTED);
    this.fromSp = { low: registers.w(2), high: registers.w(3) };
    this.fromVm = { low: registers.w(4), high: registers.w(5) };
    this.fromSpm = registers.w(6);
    this.fromHypervisor = registers.w(7);
    return caller.finish(OUTCOME_SUCCESS);
  }
}

/** FFA_NOTIFICATION_INFO_GET, again while more is pending (at most 64 times): for whom something is. */
export class NotificationInfoGet implements Operation {
  lists: NotificationList[] = [];
  private readonly wide: boolean;
  private rounds = 0;

  constructor(wide: boolean) {
    this.wide = wide;
  }

  start(caller: Caller, context: CallContext): CallStep {
    return caller.call(context, this.wide ? id.FFA_NOTIFICATION_INFO_GET_64 : id.FFA_NOTIFICATION_INFO_GET_32);
  }

  answered(caller: Caller, context: CallContext): CallStep {
    const decoded = decodeNotificationInfo(context.registers.words);
    if (!decoded.ok) return caller.finish(OUTCOME_MALFORMED);
    this.lists.push(...decoded.value.lists);
    if (!decoded.value.isMorePending) return caller.finish(OUTCOME_SUCCESS);
    if (++this.rounds === INFO_ROUNDS_MAX) return caller.finish(OUTCOME_UNEXPECTED);
    return this.start(caller, context);
  }
}

const INFO_ROUNDS_MAX = 64;
