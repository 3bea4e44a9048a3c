// FFA_NOTIFICATION_BIND and UNBIND in the default profile: passed on, and remembered, so that a guest's end can unbind
// what it left.

import { FFA_SUCCESS_32 } from '../abi/function-ids.ts';
import type { Coroutine } from '../base/coroutine.ts';
import type { Pe } from '../hardware/pe.ts';
import type { Vcpu } from './domain.ts';
import type { FfaContext } from './ffa-context.ts';
import type { Hypervisor } from './hypervisor.ts';
import { bindNotifications, unbindNotifications } from './notifications.ts';

export function* bindTracked(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Coroutine {
  const [sender, low, high] = request(vcpu);
  yield* bindNotifications(hypervisor, pe, vcpu);
  if (vcpu.registers.w(0) !== FFA_SUCCESS_32) return;
  const context = vcpu.domain.ffa as FfaContext;
  const known = context.bindings.find((binding) => binding.sender === sender);
  if (known === undefined) {
    context.bindings.push({ sender, low, high });
    return;
  }
  known.low = (known.low | low) >>> 0;
  known.high = (known.high | high) >>> 0;
}

export function* unbindTracked(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Coroutine {
  const [sender, low, high] = request(vcpu);
  yield* unbindNotifications(hypervisor, pe, vcpu);
  if (vcpu.registers.w(0) !== FFA_SUCCESS_32) return;
  const { bindings } = vcpu.domain.ffa as FfaContext;
  const at = bindings.findIndex((binding) => binding.sender === sender);
  if (at < 0) return;
  const binding = bindings[at];
  binding.low = (binding.low & ~low) >>> 0;
  binding.high = (binding.high & ~high) >>> 0;
  if (binding.low === 0 && binding.high === 0) bindings.splice(at, 1);
}

/** Sender, and the bitmap's two words. */
function request(vcpu: Vcpu): [number, number, number] {
  const { registers } = vcpu;
  return [registers.w(1) >>> 16, registers.w(3), registers.w(4)];
}
