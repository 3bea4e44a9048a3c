// What happens to the secure world from outside its door: a device's secure interrupt, and what the SPMD tells of a PE
// that goes off or comes back.

import { FFA_SPMC_ID, FFA_SPMD_ID } from '../abi/endpoint-ids.ts';
import { FFA_MSG_SEND_DIRECT_REQ_32 } from '../abi/function-ids.ts';
import {
  DIRECT_FRAMEWORK_BIT,
  DIRECT_SENDER_SHIFT,
  FRAMEWORK_PM_WARM_BOOT,
  FRAMEWORK_PSCI_REQ,
} from '../abi/layout/messages.ts';
import { PSCI_CPU_OFF, PSCI_CPU_SUSPEND_64, PSCI_SUCCESS } from '../abi/layout/psci.ts';
import type { Coroutine } from '../base/coroutine.ts';
import type { Pe } from '../hardware/pe.ts';
import type { Spmc } from '../spmc/spmc.ts';
import type { PowerChange } from './description.ts';

/** A device asserts its interrupt while the normal world has the PE. */
export function* interruptHost(spmc: Spmc, pe: Pe, id: number): Coroutine {
  if (!spmc.assertInterrupt(pe, id)) return;
  const pending = spmc.takeInterrupt(pe);
  if (pending !== null) yield* pending;
}

/** The SPMD asks the partitions about their PE; gives whether all agreed. What went off starts again with `on`. */
export function* changePower(spmc: Spmc, pe: Pe, change: PowerChange): Coroutine<boolean> {
  if (change === 'on') {
    yield* spmc.peOn(pe);
    return true;
  }
  const type = change === 'resume' ? FRAMEWORK_PM_WARM_BOOT : FRAMEWORK_PSCI_REQ;
  const call = { off: PSCI_CPU_OFF, suspend: PSCI_CPU_SUSPEND_64, resume: 0 }[change];
  const ids = ((FFA_SPMD_ID << DIRECT_SENDER_SHIFT) | FFA_SPMC_ID) >>> 0;
  pe.smc.clear();
  pe.smc.set8(FFA_MSG_SEND_DIRECT_REQ_32, ids, (DIRECT_FRAMEWORK_BIT | type) >>> 0, call);
  const pending = spmc.spmdMessage(pe);
  if (pending !== null) yield* pending;
  return pe.smc.w(3) === PSCI_SUCCESS;
}
