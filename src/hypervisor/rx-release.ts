// FFA_RX_RELEASE in the default profile. A guest's RX is filled by the hypervisor (a list, a message of another VM) or,
// behind its back, by the SPMC (a message of a partition). Of the latter only the SPMC knows, so it is asked. While the
// hypervisor fills RX for another vCPU or VM, the guest does not have it yet, and cannot release it.

import { FFA_DENIED, FFA_OK } from '../abi/errors.ts';
import { FFA_RX_ACQUIRE, FFA_RX_RELEASE } from '../abi/function-ids.ts';
import type { Coroutine, Pending } from '../base/coroutine.ts';
import type { Pe } from '../hardware/pe.ts';
import { answerError, answerSuccess } from './answer.ts';
import type { Vcpu } from './domain.ts';
import type { FfaContext } from './ffa-context.ts';
import type { Hypervisor } from './hypervisor.ts';
import { releaseRxBuffer, releaseRxLocked } from './rx-tx-buffers.ts';
import { callSimply } from './spmc-answer.ts';

export function releaseRxOfAnyFiller(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Pending {
  const context = vcpu.domain.ffa as FfaContext;
  const mayWait = pe.stepping || context.rxLock.holder !== null;
  if (mayWait || context.rxFilling || isFilledBySpmc(hypervisor, context)) {
    return releaseInSteps(hypervisor, pe, vcpu, context);
  }
  return releaseRxBuffer(hypervisor, pe, vcpu);
}

/** Whether RX, if it is full at all, was filled by the SPMC. */
function isFilledBySpmc(hypervisor: Hypervisor, context: FfaContext): boolean {
  return context.buffersMapped && context.rxFree && hypervisor.secure.has(FFA_RX_ACQUIRE);
}

function* releaseInSteps(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu, context: FfaContext): Coroutine {
  yield* context.rxLock.acquire(pe);
  let code: number = FFA_DENIED;
  if (isFilledBySpmc(hypervisor, context)) {
    code = yield* callSimply(hypervisor.secure, pe, context.vmId, FFA_RX_RELEASE, context.vmId);
  } else if (!context.rxFilling) {
    code = yield* releaseRxLocked(hypervisor, pe, context);
  }
  context.rxLock.release(pe);
  if (code === FFA_OK) answerSuccess(vcpu.registers);
  else answerError(vcpu.registers, code);
}
