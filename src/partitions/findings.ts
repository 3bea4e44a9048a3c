// What asking steps found out, compared with what they say must be found.

import type { Words64 } from '../abi/words.ts';
import type { GuestScript } from './guest-script.ts';
import type {
  DiscoverStep,
  EndpointReference,
  FeaturesStep,
  NotificationInfoStep,
  NotificationsStep,
  ReceiveStep,
} from './guest-step.ts';
import type { GuestVcpu } from './guest-vcpu.ts';
import { bytesOfHex } from './memory-steps.ts';
import { DiscoverByRegisters } from './operations/discover-by-registers.ts';
import { DiscoverPartitions } from './operations/discover-partitions.ts';
import { ReceiveMessage } from './operations/indirect-message.ts';
import { GetNotifications, NotificationInfoGet } from './operations/notifications.ts';
import { QueryFeatures } from './operations/query-features.ts';
import { OUTCOME_MISMATCH, OUTCOME_SUCCESS, type Outcome } from './outcome.ts';
import type { WordExpression } from './word-expression.ts';

/** Compares what an operation learnt with what its step says. */
export function foundOutcome(
  script: GuestScript,
  vcpu: GuestVcpu,
  step: FeaturesStep | DiscoverStep | ReceiveStep | NotificationsStep | NotificationInfoStep,
): Outcome {
  const { operation } = vcpu;
  let good = false;
  if (step.step === 'features' && operation instanceof QueryFeatures) {
    good = step.properties === undefined || script.word(vcpu, step.properties).low === operation.w2;
  } else if (step.step === 'discover') {
    const count =
      operation instanceof DiscoverPartitions || operation instanceof DiscoverByRegisters ? operation.count : -1;
    const listed = script.endpoint.partitions.map((partition) => partition.id);
    good = (step.count === undefined || step.count === count) && includesAll(script, listed, step.includes);
  } else if (step.step === 'receive' && operation instanceof ReceiveMessage) {
    const bytes = step.hex === undefined ? operation.payload : bytesOfHex(step.hex);
    const sameBytes =
      bytes.length === operation.payload.length && bytes.every((byte, n) => byte === operation.payload[n]);
    good = sameBytes && (step.from === undefined || script.endpointId(step.from) === operation.sender);
  } else if (step.step === 'notifications' && operation instanceof GetNotifications) {
    good =
      sameBits(script, vcpu, step.sp, operation.fromSp) &&
      sameBits(script, vcpu, step.vm, operation.fromVm) &&
      sameBits(script, vcpu, step.spm, { low: operation.fromSpm, high: 0 }) &&
      sameBits(script, vcpu, step.hypervisor, { low: operation.fromHypervisor, high: 0 });
  } else if (step.step === 'notification-info' && operation instanceof NotificationInfoGet) {
    const listed = operation.lists.map((list) => list.endpoint);
    good = includesAll(script, listed, step.includes);
  }
  return good ? OUTCOME_SUCCESS : OUTCOME_MISMATCH;
}

function includesAll(
  script: GuestScript,
  listed: readonly number[],
  wanted: EndpointReference | readonly EndpointReference[] | undefined,
): boolean {
  if (wanted === undefined) return true;
  const all = Array.isArray(wanted) ? wanted : [wanted];
  return all.every((reference) => listed.includes(script.endpointId(reference)));
}

function sameBits(script: GuestScript, vcpu: GuestVcpu, wanted: WordExpression | undefined, got: Words64): boolean {
  if (wanted === undefined) return true;
  const { high, low } = script.word(vcpu, wanted);
  return low === got.low && high === got.high;
}
