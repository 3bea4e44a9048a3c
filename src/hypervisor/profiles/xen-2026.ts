// Profile `xen-2026`: Xen's mediator of August 2026, built without messages between VMs, exactly, its flaws included;
// the recorded vectors say what exactly means. [Xen c447b7308b]

import { NS_PER_S } from '../../base/units.ts';
import { probeAsking } from '../boot-probe.ts';
import { takeScheduleReceiver } from '../notifications.ts';
import type { Profile } from '../profile.ts';
import { NO_SHARE_POLICY } from '../share-slots.ts';
import { negotiationGate } from '../version.ts';
import { XEN_2026_CALLS } from './xen-2026-calls.ts';
import { Xen2026Lifecycle } from './xen-2026-lifecycle.ts';

export const XEN_2026: Profile = {
  name: 'xen-2026',
  summary: 'Xen of August 2026 (c447b7308b), VMs see only partitions',
  limits: {
    sharesPerGuest: 32,
    ...NO_SHARE_POLICY,
    pagesPerShare: 256,
    vmIdMax: 0x7ff0,
    partitionCountMax: 63,
    availabilityAttempts: 11,
    retryNs: NS_PER_S,
  },
  handlers32: XEN_2026_CALLS.handlers32,
  handlers64: XEN_2026_CALLS.handlers64,
  gate: negotiationGate,
  vmsSeeVms: false,
  vmsAnswer: false,
  guestsRunWaiting: true,
  waitsForReceiver: true,
  windowFirst: 0x60,
  windowLast: 0x8e,
  probe: probeAsking,
  scheduleReceiver: takeScheduleReceiver,
  lifecycle: (hypervisor) => new Xen2026Lifecycle(hypervisor),
};
