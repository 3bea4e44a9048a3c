// FFA_MSG_SEND_DIRECT_REQ in its three forms and FFA_RUN: the request goes to the SPMC as it is, with no lock held;
// what comes back goes to the guest if it is of a kind that may, else the guest gets FFA_ABORTED. [Xen ffa_msg.c]
//
// Not here: direct messages to a VM, and from one to answer.

import { isSecureEndpoint } from '../abi/endpoint-ids.ts';
import { FFA_ABORTED, FFA_INVALID_PARAMETERS, FFA_NOT_SUPPORTED } from '../abi/errors.ts';
import {
  FFA_ERROR,
  FFA_INTERRUPT,
  FFA_MSG_SEND_DIRECT_REQ2,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_MSG_SEND_DIRECT_RESP_64,
  FFA_MSG_SEND_DIRECT_RESP2,
  FFA_RUN,
  FFA_SUCCESS_32,
  FFA_SUCCESS_64,
  FFA_YIELD,
  SMC64_BIT,
} from '../abi/function-ids.ts';
import { DIRECT_ENDPOINT_MASK, DIRECT_SENDER_SHIFT, RUN_ENDPOINT_SHIFT } from '../abi/layout/messages.ts';
import { FFA_VERSION_1_2 } from '../abi/versions.ts';
import type { Coroutine, Pending } from '../base/coroutine.ts';
import type { Pe } from '../hardware/pe.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import { answerError } from './answer.ts';
import type { Vcpu } from './domain.ts';
import type { FfaContext } from './ffa-context.ts';
import type { Hypervisor } from './hypervisor.ts';
import { prepareCall } from './spmc-answer.ts';

const LAST_SHORT_REGISTER = 7;
const LAST_LONG_REGISTER = 17;
const ALL_ONES = 0xffff_ffff;

/** FFA_MSG_SEND_DIRECT_REQ of the first generation: only the sender is checked, whoever the receiver. */
export function sendDirectAnywhere(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending {
  const registers = vcpu.registers;
  const vmId = vcpu.domain.vmId;
  const wide = (registers.w(0) & SMC64_BIT) !== 0;
  const endpoints = registers.w(1);
  if (endpoints >>> DIRECT_SENDER_SHIFT !== vmId) {
    answerFailure(registers, 0, FFA_INVALID_PARAMETERS, wide);
    return null;
  }
  passOn(pe, registers, wide);
  const pending = hypervisor.secure.call(pe, vmId);
  if (pending !== null) return finishAnywhere(pe, registers, endpoints, wide, pending);
  relayFinalAnswer(pe, registers, endpoints, wide);
  return null;
}

function* finishAnywhere(
  pe: Pe,
  registers: RegisterFile,
  endpoints: number,
  wide: boolean,
  pending: Coroutine,
): Coroutine {
  yield* pending;
  relayFinalAnswer(pe, registers, endpoints, wide);
}

/** FFA_ERROR with both endpoints in w1 once the request had gone out; in the 64-bit form its code fills x2. */
function answerFailure(registers: RegisterFile, endpoints: number, code: number, wide: boolean): void {
  registers.set8(FFA_ERROR, endpoints, code);
  if (wide) registers.setWords(2, code, ALL_ONES);
}

/** Answers that end a request go to the guest, as wide as it asked; FFA_INTERRUPT and FFA_YIELD do not. */
function relayFinalAnswer(pe: Pe, registers: RegisterFile, endpoints: number, wide: boolean): void {
  const answer = pe.smc.words;
  const functionId = answer[1] === 0 ? answer[0] : 0;
  switch (functionId) {
    case FFA_ERROR:
    case FFA_SUCCESS_32:
    case FFA_SUCCESS_64:
    case FFA_MSG_SEND_DIRECT_RESP_32:
    case FFA_MSG_SEND_DIRECT_RESP_64:
      copyShort(pe.smc, registers, wide);
      return;
    default:
      answerFailure(registers, endpoints, FFA_ABORTED, wide);
  }
}

/** FFA_MSG_SEND_DIRECT_REQ of the second generation: from the guest itself to a partition, if the SPMC has the call. */
export function sendDirect(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending {
  const registers = vcpu.registers;
  const functionId = registers.w(0);
  const error = checkDirect(hypervisor, vcpu, functionId);
  if (error !== 0) {
    answerError(registers, error);
    return null;
  }
  passOn(pe, registers, (functionId & SMC64_BIT) !== 0);
  return callAndRelay(hypervisor, pe, vcpu);
}

/** FFA_MSG_SEND_DIRECT_REQ2: as `sendDirect`, with x2 to x17, for guests that speak 1.2. */
export function sendDirect2(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending {
  const registers = vcpu.registers;
  const is12 = (vcpu.domain.ffa as FfaContext).version >= FFA_VERSION_1_2;
  const error = is12 ? checkDirect(hypervisor, vcpu, FFA_MSG_SEND_DIRECT_REQ2) : FFA_NOT_SUPPORTED;
  if (error === 0) {
    pe.smc.copy(registers);
    pe.smc.setW(0, FFA_MSG_SEND_DIRECT_REQ2);
    pe.smc.setW(1, registers.w(1));
  }
  if (is12) registers.clear(LAST_SHORT_REGISTER + 1, LAST_LONG_REGISTER);
  if (error === 0) return callAndRelay(hypervisor, pe, vcpu);
  answerError(registers, error);
  return null;
}

/** Order: the SPMC's lack, then the ids, then the kind of receiver. */
function checkDirect(hypervisor: Hypervisor, vcpu: Vcpu, functionId: number): number {
  if (!hypervisor.secure.has(functionId)) return FFA_NOT_SUPPORTED;
  const endpoints = vcpu.registers.w(1);
  const vmId = vcpu.domain.vmId;
  const receiver = endpoints & DIRECT_ENDPOINT_MASK;
  if (endpoints >>> DIRECT_SENDER_SHIFT !== vmId || receiver === vmId) return FFA_INVALID_PARAMETERS;
  return isSecureEndpoint(receiver) ? 0 : FFA_NOT_SUPPORTED;
}

/** FFA_RUN of a partition's vCPU: w1 goes to the SPMC, nothing else. */
export function run(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending {
  const target = vcpu.registers.w(1);
  if (!hypervisor.secure.has(FFA_RUN) || !isSecureEndpoint(target >>> RUN_ENDPOINT_SHIFT)) {
    answerError(vcpu.registers, FFA_NOT_SUPPORTED);
    return null;
  }
  prepareCall(pe, FFA_RUN, target);
  return callAndRelay(hypervisor, pe, vcpu);
}

/** The SMC in `pe.smc` for this guest; its answer goes to the guest. */
function callAndRelay(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending {
  const pending = hypervisor.secure.call(pe, vcpu.domain.vmId);
  if (pending !== null) return finishRelay(pe, vcpu.registers, pending);
  relayAnswer(pe.smc, vcpu.registers);
  return null;
}

function* finishRelay(pe: Pe, registers: RegisterFile, pending: Coroutine): Coroutine {
  yield* pending;
  relayAnswer(pe.smc, registers);
}

/** What a guest may get as the outcome of a direct request or FFA_RUN, as wide as the answer is. */
export function relayAnswer(answer: RegisterFile, registers: RegisterFile): void {
  const functionId = answer.words[1] === 0 ? answer.words[0] : 0;
  switch (functionId) {
    case FFA_ERROR:
    case FFA_INTERRUPT:
    case FFA_YIELD:
    case FFA_SUCCESS_32:
    case FFA_MSG_SEND_DIRECT_RESP_32:
      copyShort(answer, registers, false);
      return;
    case FFA_SUCCESS_64:
    case FFA_MSG_SEND_DIRECT_RESP_64:
      copyShort(answer, registers, true);
      return;
    case FFA_MSG_SEND_DIRECT_RESP2:
      registers.copy(answer);
      return;
    default:
      answerError(registers, FFA_ABORTED);
  }
}

/** The guest's x0 to x7 into `pe.smc`; ids and function id as 32-bit words. */
function passOn(pe: Pe, registers: RegisterFile, wide: boolean): void {
  const smc = pe.smc;
  copyShort(registers, smc, wide);
  smc.words[1] = 0;
  smc.words[3] = 0;
  smc.clear(LAST_SHORT_REGISTER + 1, LAST_LONG_REGISTER);
}

/** x0 to x7; without their upper halves unless `wide`. */
function copyShort(from: RegisterFile, to: RegisterFile, wide: boolean): void {
  const source = from.words;
  const target = to.words;
  const mask = wide ? -1 : 0;
  for (let n = 0; n <= 2 * LAST_SHORT_REGISTER; n += 2) {
    target[n] = source[n];
    target[n + 1] = source[n + 1] & mask;
  }
}
