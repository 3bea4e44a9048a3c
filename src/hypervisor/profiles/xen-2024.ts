// Profile `xen-2024`: Xen's mediator as of the patch "xen/arm: ffa: reclaim shared memory on guest destroy" (version 5,
// February 2024), exactly, its flaws included; the recorded vectors say what exactly means. [Xen 7356bb5e47]
//
// Where a guest could crash that mediator (the vectors that end with `crash`), there is nothing to be exact about: the
// call gets an error, and a teardown goes on without its domain.

import type { Coroutine } from '../../base/coroutine.ts';
import { NS_PER_S } from '../../base/units.ts';
import { probeDemanding } from '../boot-probe.ts';
import type { Profile } from '../profile.ts';
import { NO_SHARE_POLICY } from '../share-slots.ts';
import { XEN_2024_CALLS } from './xen-2024-calls.ts';
import { Xen2024Lifecycle } from './xen-2024-lifecycle.ts';

export const XEN_2024: Profile = {
  name: 'xen-2024',
  summary: 'Xen at the patch that reclaims shared memory (7356bb5e47, February 2024)',
  limits: {
    sharesPerGuest: 32,
    ...NO_SHARE_POLICY,
    pagesPerShare: 255,
    vmIdMax: 0xffff,
    partitionCountMax: 0xfffe,
    availabilityAttempts: 11,
    retryNs: NS_PER_S,
  },
  handlers32: XEN_2024_CALLS.handlers32,
  handlers64: XEN_2024_CALLS.handlers64,
  gate: null,
  vmsSeeVms: false,
  vmsAnswer: false,
  guestsRunWaiting: true,
  waitsForReceiver: true,
  windowFirst: 0x60,
  windowLast: 0x86,
  probe: probeDemanding,
  scheduleReceiver: ignoreInterrupt,
  lifecycle: (hypervisor) => new Xen2024Lifecycle(hypervisor),
};

/** This generation knows no notifications. */
function* ignoreInterrupt(): Coroutine {}
