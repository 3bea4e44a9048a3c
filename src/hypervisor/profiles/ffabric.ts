// Profile `ffabric`, the default: what Xen's mediator of 2026 does, and what it leaves undone. Guests may use a full
// SPMC (lend, donate, several borrowers, fragments, borrowing); every answer of the secure world has a treatment; a
// guest's end is a record that holds what must stay, and gives back the rest at once.

import { FFA_OK } from '../../abi/errors.ts';
import { FFA_FEATURES_RETRIEVE_NS_BIT_WANTED } from '../../abi/features.ts';
import { FFA_FEATURES, FFA_MEM_RETRIEVE_REQ_64 } from '../../abi/function-ids.ts';
import type { Coroutine } from '../../base/coroutine.ts';
import type { Pe } from '../../hardware/pe.ts';
import { probeAsking } from '../boot-probe.ts';
import type { Hypervisor } from '../hypervisor.ts';
import type { Profile } from '../profile.ts';
import { RecordLifecycle } from '../record-lifecycle.ts';
import { GENEROUS_SHARE_POLICY } from '../share-slots.ts';
import { callSimply } from '../spmc-answer.ts';
import { FFABRIC_CALLS, MORE_FUNCTIONS } from './ffabric-calls.ts';
import { XEN_2026 } from './xen-2026.ts';

export const FFABRIC: Profile = {
  ...XEN_2026,
  name: 'ffabric',
  summary: 'the default: full FF-A for guests, teardown by records, quarantine',
  limits: { ...XEN_2026.limits, ...GENEROUS_SHARE_POLICY },
  handlers32: FFABRIC_CALLS.handlers32,
  handlers64: FFABRIC_CALLS.handlers64,
  vmsSeeVms: true,
  vmsAnswer: true,
  guestsRunWaiting: false,
  waitsForReceiver: false,
  probe,
  scheduleReceiver: (hypervisor, pe) => hypervisor.schedule.interrupt(hypervisor, pe),
  lifecycle: (hypervisor) => new RecordLifecycle(hypervisor),
};

function* probe(hypervisor: Hypervisor, pe: Pe): Coroutine<boolean> {
  if (!(yield* probeAsking(hypervisor, pe))) return false;
  const { secure } = hypervisor;
  // Without an SPMC that was found usable nothing is asked of it: guests see only each other.
  if (secure.version === 0) return true;
  for (const functionId of MORE_FUNCTIONS) {
    // An SPMC refuses retrieves to whom does not know of the NS bit in their responses.
    const input = functionId === FFA_MEM_RETRIEVE_REQ_64 ? FFA_FEATURES_RETRIEVE_NS_BIT_WANTED : 0;
    const code = yield* callSimply(secure, pe, 0, FFA_FEATURES, functionId, input);
    if (code === FFA_OK) secure.functions.add(functionId);
  }
  return true;
}
