// A partition's door: its calls to the SPMC. Those that keep the PE are the same as the normal world's (handlers.ts);
// the others end or suspend what the partition was given the PE for.

import { FFA_DENIED, FFA_NOT_SUPPORTED } from '../abi/errors.ts';
import {
  FFA_ABORT_32,
  FFA_ABORT_64,
  FFA_ERROR,
  FFA_INTERRUPT,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_REQ_64,
  FFA_MSG_SEND_DIRECT_REQ2,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_MSG_SEND_DIRECT_RESP_64,
  FFA_MSG_SEND_DIRECT_RESP2,
  FFA_MSG_WAIT,
  FFA_RUN,
  FFA_YIELD,
} from '../abi/function-ids.ts';
import { TOUCH_PARTITION } from '../base/announcement.ts';
import type { Coroutine } from '../base/coroutine.ts';
import type { Pe } from '../hardware/pe.ts';
import { answerError } from './answers.ts';
import { abortVcpu } from './crash.ts';
import { errorFromPartition, requestFromPartition, responseFromPartition } from './direct-message.ts';
import { callAboutInterrupts } from './paravirtual-interrupts.ts';
import type { PartitionVcpu } from './partition.ts';
import { plainCall, plainCallInSteps } from './plain-call.ts';
import { runFromPartition, waitForMessage, yieldPe } from './run.ts';
import type { Spmc } from './spmc.ts';

/** The call in the context's registers. Returns who runs next: often the same, null for the normal world. */
export function callFromPartition(spmc: Spmc, pe: Pe, vcpu: PartitionVcpu): PartitionVcpu | null {
  const r = vcpu.registers;
  vcpu.answered = true;
  const handler = spmc.handlerOf(r.w(0));
  if (handler !== undefined) {
    plainCall(spmc, pe, vcpu.partition, r, handler);
    return vcpu;
  }
  return transfer(spmc, pe, vcpu);
}

export function* callFromPartitionInSteps(spmc: Spmc, pe: Pe, vcpu: PartitionVcpu): Coroutine<PartitionVcpu | null> {
  const r = vcpu.registers;
  vcpu.answered = true;
  const handler = spmc.handlerOf(r.w(0));
  if (handler !== undefined) {
    yield* plainCallInSteps(spmc, pe, vcpu.partition, r, handler);
    return vcpu;
  }
  yield pe.writes(TOUCH_PARTITION, vcpu.endpoint);
  return transfer(spmc, pe, vcpu);
}

function transfer(spmc: Spmc, pe: Pe, vcpu: PartitionVcpu): PartitionVcpu | null {
  if (callAboutInterrupts(vcpu)) return vcpu;
  vcpu.partition.versionLocked = true;
  switch (vcpu.registers.w(0)) {
    case FFA_MSG_SEND_DIRECT_REQ_32:
    case FFA_MSG_SEND_DIRECT_REQ_64:
    case FFA_MSG_SEND_DIRECT_REQ2:
      return requestFromPartition(spmc, pe, vcpu);
    case FFA_MSG_SEND_DIRECT_RESP_32:
    case FFA_MSG_SEND_DIRECT_RESP_64:
    case FFA_MSG_SEND_DIRECT_RESP2:
      return responseFromPartition(spmc, pe, vcpu);
    case FFA_MSG_WAIT:
      return waitForMessage(spmc, pe, vcpu);
    case FFA_YIELD:
      return yieldPe(spmc, pe, vcpu);
    case FFA_RUN:
      return runFromPartition(spmc, pe, vcpu);
    case FFA_ABORT_32:
    case FFA_ABORT_64:
      return abortVcpu(spmc, pe, vcpu);
    case FFA_ERROR:
      return errorFromPartition(spmc, pe, vcpu);
    case FFA_INTERRUPT:
      // Interrupts are the dispatcher's to tell of [Hafnium handler.c].
      answerError(vcpu.registers, FFA_DENIED);
      return vcpu;
    default:
      answerError(vcpu.registers, FFA_NOT_SUPPORTED);
      return vcpu;
  }
}
