// FFA_ID_GET and FFA_FEATURES. A profile's table says for each function id when it is offered: always, when the SPMC
// has it, or by a rule of its own. [Xen ffa.c]

import { FFA_NOT_SUPPORTED } from '../abi/errors.ts';
import { FFA_FEATURE_NPI, FFA_FEATURE_SRI, FFA_FEATURES_RXTX_MAX_PAGES_SHIFT } from '../abi/features.ts';
import {
  FFA_ERROR,
  FFA_FEATURES,
  FFA_ID_GET,
  FFA_INTERRUPT,
  FFA_MEM_RECLAIM,
  FFA_MEM_SHARE_32,
  FFA_MEM_SHARE_64,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_REQ_64,
  FFA_MSG_SEND_DIRECT_REQ2,
  FFA_MSG_SEND2,
  FFA_NOTIFICATION_BIND,
  FFA_NOTIFICATION_GET,
  FFA_NOTIFICATION_INFO_GET_32,
  FFA_NOTIFICATION_INFO_GET_64,
  FFA_NOTIFICATION_SET,
  FFA_NOTIFICATION_UNBIND,
  FFA_PARTITION_INFO_GET,
  FFA_PARTITION_INFO_GET_REGS,
  FFA_RUN,
  FFA_RX_ACQUIRE,
  FFA_RX_RELEASE,
  FFA_RXTX_MAP_32,
  FFA_RXTX_MAP_64,
  FFA_RXTX_UNMAP,
  FFA_SUCCESS_32,
  FFA_SUCCESS_64,
  FFA_VERSION,
  SMC64_BIT,
} from '../abi/function-ids.ts';
import { FFA_VERSION_1_2 } from '../abi/versions.ts';
import type { Pending } from '../base/coroutine.ts';
import type { Pe } from '../hardware/pe.ts';
import { answerError, answerSuccess } from './answer.ts';
import type { Vcpu } from './domain.ts';
import type { FfaContext } from './ffa-context.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { SecureWorld } from './secure-world.ts';

/** Interrupt id with which a guest hears of pending notifications (a software-generated one). */
export const NOTIFICATION_PENDING_INTERRUPT = 8;
/** Interrupt id reserved for a guest's schedule-receiver interrupt. */
const SCHEDULE_RECEIVER_INTERRUPT = 9;

/** Pages that a guest's RX and TX buffer may each have. */
const BUFFER_PAGES_MAX = 1;

/** w2 of the answer for what is asked, or NOT_OFFERED. */
export type Offer = (hypervisor: Hypervisor, context: FfaContext) => number;
const NOT_OFFERED = -1;

/** By function id or feature id: when it is offered. What is not in it is not supported. */
export type FeatureTable = ReadonlyMap<number, Offer>;

/** FFA_ID_GET: the guest's endpoint id. */
export function idGet(_hypervisor: Hypervisor, _pe: Pe, vcpu: Vcpu): Pending {
  answerSuccess(vcpu.registers, vcpu.domain.vmId);
  return null;
}

/** FFA_FEATURES by a table; w2 to w7 are not looked at. */
export function featuresBy(table: FeatureTable): (hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu) => Pending {
  return (hypervisor, _pe, vcpu) => {
    const asked = vcpu.registers.w(1);
    const offer = vcpu.domain.config.bits === 32 && isSmc64Function(asked) ? undefined : table.get(asked);
    const answer = offer === undefined ? NOT_OFFERED : offer(hypervisor, vcpu.domain.ffa as FfaContext);
    if (answer === NOT_OFFERED) answerError(vcpu.registers, FFA_NOT_SUPPORTED);
    else answerSuccess(vcpu.registers, answer);
    return null;
  };
}

function isSmc64Function(asked: number): boolean {
  return (asked & SMC64_BIT) !== 0;
}

export const always: Offer = () => 0;

/** Offered to guests of 1.2. */
export const since12: Offer = (_hypervisor, context) => (context.version >= FFA_VERSION_1_2 ? 0 : NOT_OFFERED);

/** Offered when the SPMC has this function. */
export function whenSpmcHas(functionId: number): Offer {
  return (hypervisor) => (hypervisor.secure.has(functionId) ? 0 : NOT_OFFERED);
}

/** Whether an indirect message can reach a partition: the SPMC must see the guest's TX buffer too. */
export function canSendIndirectly(secure: SecureWorld): boolean {
  return secure.has(FFA_MSG_SEND2) && secure.has(FFA_RX_ACQUIRE);
}

const bufferPages: Offer = (_hypervisor, context) =>
  context.version >= FFA_VERSION_1_2 ? BUFFER_PAGES_MAX << FFA_FEATURES_RXTX_MAX_PAGES_SHIFT : 0;

/** What the second generation offers. [Xen 4992308e97] */
export const NEGOTIATED_FEATURES: FeatureTable = new Map<number, Offer>([
  [FFA_ERROR, always],
  [FFA_SUCCESS_32, always],
  [FFA_SUCCESS_64, always],
  [FFA_INTERRUPT, always],
  [FFA_VERSION, always],
  [FFA_FEATURES, always],
  [FFA_ID_GET, always],
  [FFA_RX_RELEASE, always],
  [FFA_RXTX_UNMAP, always],
  [FFA_MEM_RECLAIM, always],
  [FFA_PARTITION_INFO_GET, always],
  [FFA_MSG_SEND_DIRECT_REQ_32, whenSpmcHas(FFA_MSG_SEND_DIRECT_REQ_32)],
  [FFA_MSG_SEND_DIRECT_REQ_64, whenSpmcHas(FFA_MSG_SEND_DIRECT_REQ_64)],
  [FFA_RUN, whenSpmcHas(FFA_RUN)],
  [FFA_MSG_SEND2, (hypervisor) => (hypervisor.vmsSeeVms || canSendIndirectly(hypervisor.secure) ? 0 : NOT_OFFERED)],
  [
    FFA_MSG_SEND_DIRECT_REQ2,
    (hypervisor, context) =>
      context.version >= FFA_VERSION_1_2 && hypervisor.secure.has(FFA_MSG_SEND_DIRECT_REQ2) ? 0 : NOT_OFFERED,
  ],
  [FFA_PARTITION_INFO_GET_REGS, since12],
  [FFA_MEM_SHARE_32, whenSpmcHas(FFA_MEM_SHARE_64)],
  [FFA_MEM_SHARE_64, whenSpmcHas(FFA_MEM_SHARE_64)],
  [FFA_RXTX_MAP_32, bufferPages],
  [FFA_RXTX_MAP_64, bufferPages],
  [FFA_FEATURE_NPI, () => NOTIFICATION_PENDING_INTERRUPT],
  [FFA_FEATURE_SRI, () => SCHEDULE_RECEIVER_INTERRUPT],
  [FFA_NOTIFICATION_BIND, always],
  [FFA_NOTIFICATION_UNBIND, always],
  [FFA_NOTIFICATION_GET, always],
  [FFA_NOTIFICATION_SET, always],
  [FFA_NOTIFICATION_INFO_GET_32, always],
  [FFA_NOTIFICATION_INFO_GET_64, always],
]);
