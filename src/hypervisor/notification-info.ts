// FFA_NOTIFICATION_INFO_GET as wide as it was asked: the list has one id, which the two forms hold alike, so only the
// function id of the answer differs.

import { FFA_SUCCESS_32, FFA_SUCCESS_64 } from '../abi/function-ids.ts';
import type { Coroutine } from '../base/coroutine.ts';
import type { Pe } from '../hardware/pe.ts';
import type { Vcpu } from './domain.ts';
import type { Hypervisor } from './hypervisor.ts';
import { getNotificationInfo } from './notifications.ts';

/** FFA_NOTIFICATION_INFO_GET in its 32-bit form, answered in it. */
export function* getShortNotificationInfo(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu): Coroutine {
  yield* getNotificationInfo(hypervisor, pe, vcpu);
  if (vcpu.registers.w(0) === FFA_SUCCESS_64) vcpu.registers.setW(0, FFA_SUCCESS_32);
}
