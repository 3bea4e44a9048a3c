// The steps that make calls: from a step to an operation, and from its end to an outcome.

import { FFA_NOT_SUPPORTED } from '../abi/errors.ts';
import { FFA_ERROR, FFA_INTERRUPT, FFA_YIELD } from '../abi/function-ids.ts';
import { RECLAIM_FLAG_ZERO, RELINQUISH_FLAG_ZERO } from '../abi/layout/memory-bits.ts';
import { MSG_SEND2_FLAG_DELAY_SRI } from '../abi/layout/messages.ts';
import { NOTIFICATION_GET_FLAGS_MASK } from '../abi/layout/notifications.ts';
import { NIL_UUID, parseUuid, type Uuid } from '../abi/uuid.ts';
import type { VcpuContext } from '../hardware/partition-entry.ts';
import type { Operation } from './caller.ts';
import { foundOutcome } from './findings.ts';
import type { GuestScript } from './guest-script.ts';
import type * as steps from './guest-step.ts';
import type { GuestStep } from './guest-step.ts';
import type { GuestVcpu } from './guest-vcpu.ts';
import { bytesOfHex } from './memory-steps.ts';
import { messageWords } from './message-words.ts';
import { DirectRequest, type DirectRequestOptions } from './operations/direct-request.ts';
import { DiscoverByRegisters } from './operations/discover-by-registers.ts';
import { DiscoverPartitions } from './operations/discover-partitions.ts';
import { ReceiveMessage, SendMessage } from './operations/indirect-message.ts';
import { MapBuffers, UnmapBuffers } from './operations/map-buffers.ts';
import { NegotiateVersion } from './operations/negotiate-version.ts';
import {
  BindNotifications,
  GetNotifications,
  NotificationInfoGet,
  SetNotifications,
} from './operations/notifications.ts';
import { QueryFeatures } from './operations/query-features.ts';
import { ReclaimMemory } from './operations/reclaim-memory.ts';
import { RelinquishMemory } from './operations/relinquish-memory.ts';
import { RetrieveMemory } from './operations/retrieve-memory.ts';
import { RunPartition } from './operations/run-partition.ts';
import { SendMemory } from './operations/send-memory.ts';
import {
  OUTCOME_INTERRUPT,
  OUTCOME_MISMATCH,
  OUTCOME_NO_REGION,
  OUTCOME_SUCCESS,
  OUTCOME_UNEXPECTED,
  OUTCOME_YIELD,
  type Outcome,
} from './outcome.ts';
import { regionToRetrieve, regionToSend } from './region-steps.ts';

/** Steps that are an operation of the caller. */
export type OperationStep = Exclude<
  GuestStep,
  { step: 'wait' | 'set' | 'until' | 'repeat' | 'stop' | 'crash' | 'write' | 'read' | 'tx' | 'rewrite-tx' | 'call' }
>;

/** The operation that a step stands for, or the outcome when it cannot even begin. */
export function operationOf(script: GuestScript, vcpu: GuestVcpu, step: OperationStep): Operation | Outcome {
  switch (step.step) {
    case 'version':
      return new NegotiateVersion(step.version ?? script.endpoint.wantedVersion, step.identify ?? true);
    case 'map':
      return new MapBuffers();
    case 'unmap':
      return new UnmapBuffers();
    case 'share':
    case 'lend':
    case 'donate': {
      const region = regionToSend(script, vcpu, step);
      return region === null ? OUTCOME_NO_REGION : new SendMemory(region, step);
    }
    case 'reclaim': {
      const region = script.region(vcpu, step.name);
      return region === null
        ? OUTCOME_NO_REGION
        : new ReclaimMemory(region, step.zero === true ? RECLAIM_FLAG_ZERO : 0);
    }
    case 'retrieve': {
      const region = regionToRetrieve(script, vcpu, step.name);
      return region === null ? OUTCOME_NO_REGION : new RetrieveMemory(region, step);
    }
    case 'relinquish': {
      const region = script.region(vcpu, step.name);
      const flags = step.zero === true ? RELINQUISH_FLAG_ZERO : 0;
      return region === null ? OUTCOME_NO_REGION : new RelinquishMemory(region, flags);
    }
    case 'message':
      return directRequest(script, vcpu, step);
    case 'features':
      return new QueryFeatures(script.word(vcpu, step.of).low, script.word(vcpu, step.input ?? 0).low);
    case 'discover': {
      const uuid = uuidOf(step.uuid);
      if (step.by === 'registers') return new DiscoverByRegisters(uuid);
      return new DiscoverPartitions(uuid, step.countOnly === true);
    }
    case 'send':
      return new SendMessage(script.endpointId(step.to), bytesOfHex(step.hex), {
        uuid: uuidOf(step.uuid),
        flags: step.delaySri === true ? MSG_SEND2_FLAG_DELAY_SRI : 0,
        sender: senderOf(script, step.sender),
      });
    case 'receive':
      return new ReceiveMessage();
    case 'bind':
    case 'unbind': {
      const perVcpu = step.step === 'bind' && step.perVcpu === true;
      return new BindNotifications(
        step.step === 'bind',
        script.endpointId(step.from),
        script.word(vcpu, step.bits),
        perVcpu,
      );
    }
    case 'notify':
      return new SetNotifications(script.endpointId(step.to), script.word(vcpu, step.bits), {
        ...step,
        sender: senderOf(script, step.sender),
      });
    case 'notifications':
      return new GetNotifications(step.flags ?? NOTIFICATION_GET_FLAGS_MASK, vcpu.index);
    case 'notification-info':
      return new NotificationInfoGet(step.wide === true);
    case 'run':
      return new RunPartition(script.endpointId(step.to), step.vcpu ?? 0);
  }
}

/** An operation is over: does what follows from it, and gives the step's outcome. */
export function operationOver(
  script: GuestScript,
  vcpu: GuestVcpu,
  step: GuestStep,
  context: VcpuContext,
  outcome: Outcome,
): Outcome {
  switch (step.step) {
    case 'share':
    case 'lend':
    case 'donate':
    case 'reclaim': {
      // Pages that nobody else can have any more may be sent again.
      const region = script.region(vcpu, step.name);
      if (region !== null && (region.state === 'reclaimed' || region.state === 'refused')) {
        script.pages.giveBack(region.ranges);
      }
      return outcome;
    }
    case 'run':
      script.save(vcpu, step.save, context.registers);
      return outcome;
    case 'message':
      script.save(vcpu, step.save, context.registers);
      return outcome === OUTCOME_SUCCESS ? replyOutcome(script, vcpu, step) : outcome;
    case 'notifications':
      script.save(vcpu, step.save, context.registers);
      return outcome === OUTCOME_SUCCESS ? foundOutcome(script, vcpu, step) : outcome;
    case 'features':
    case 'discover':
    case 'receive':
    case 'notification-info':
      return outcome === OUTCOME_SUCCESS ? foundOutcome(script, vcpu, step) : outcome;
    default:
      return outcome;
  }
}

/** Puts the registers of a raw call. */
export function makeRawCall(script: GuestScript, vcpu: GuestVcpu, step: steps.RawCallStep, context: VcpuContext): void {
  context.registers.clear();
  for (let n = 0; n < step.registers.length; n++) {
    const { low, high } = script.word(vcpu, step.registers[n]);
    context.registers.setWords(n, low, high);
  }
}

/** Outcome of a raw call: its error if it is one, MISMATCH if it differs from what the step says. */
export function readRawAnswer(
  script: GuestScript,
  vcpu: GuestVcpu,
  step: steps.RawCallStep,
  context: VcpuContext,
): Outcome {
  const { registers } = context;
  script.save(vcpu, step.save, registers);
  const answer = step.answer ?? [];
  for (let n = 0; n < answer.length; n++) {
    const expression = answer[n];
    if (expression === null) continue;
    const { low, high } = script.word(vcpu, expression);
    if (registers.w(n) !== low || registers.high(n) !== high) return OUTCOME_MISMATCH;
  }
  if (step.answer !== undefined) return OUTCOME_SUCCESS;
  switch (registers.w(0)) {
    case FFA_ERROR: {
      const code = registers.w(2) | 0;
      return code < 0 ? code : OUTCOME_UNEXPECTED;
    }
    case 0xffff_ffff:
      return FFA_NOT_SUPPORTED;
    case FFA_INTERRUPT:
      return OUTCOME_INTERRUPT;
    case FFA_YIELD:
      return OUTCOME_YIELD;
    default:
      return OUTCOME_SUCCESS;
  }
}

function directRequest(script: GuestScript, vcpu: GuestVcpu, step: steps.MessageStep): Operation | Outcome {
  const words = messageWords(script, vcpu, step);
  if (words === null) return OUTCOME_NO_REGION;
  const options: DirectRequestOptions = {
    form: step.form ?? 'req32',
    uuid: uuidOf(step.uuid),
    flags: step.flags ?? 0,
    sender: senderOf(script, step.sender),
  };
  return new DirectRequest(script.endpointId(step.to), words, options);
}

function replyOutcome(script: GuestScript, vcpu: GuestVcpu, step: steps.MessageStep): Outcome {
  if (!(vcpu.operation instanceof DirectRequest)) return OUTCOME_UNEXPECTED;
  const { reply, words } = vcpu.operation;
  if (step.reply !== undefined) {
    for (let n = 0; n < step.reply.length; n++) {
      const { low, high } = script.word(vcpu, step.reply[n]);
      if (reply[2 * n] !== low || reply[2 * n + 1] !== high) return OUTCOME_MISMATCH;
    }
  }
  if (step.do === 'echo') return words.every((word, n) => word === reply[n]) ? OUTCOME_SUCCESS : OUTCOME_MISMATCH;
  if (step.do === undefined) return OUTCOME_SUCCESS;
  const status = reply[0] | 0;
  if (status <= 0) return status;
  // Passed on words may be anything; a status of an SP program is never above 0.
  return step.do === 'forward' ? OUTCOME_SUCCESS : OUTCOME_UNEXPECTED;
}

function uuidOf(text: string | undefined): Uuid {
  return text === undefined ? NIL_UUID : (parseUuid(text) ?? NIL_UUID);
}

function senderOf(script: GuestScript, reference: steps.EndpointReference | undefined): number {
  return reference === undefined ? script.endpoint.id : script.endpointId(reference);
}
