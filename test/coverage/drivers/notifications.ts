// Drivers: notifications.

import * as f from '../../../src/abi/function-ids.ts';
import { ids, SP1, SP2, SP3 } from '../../spmc/small-world.ts';
import { type Driver, guestDrivers, secureDrivers } from '../driver.ts';
import type { GuestBench } from '../guest-bench.ts';
import { type SecureBench, VM } from '../secure-bench.ts';

const FILE = 'notifications';
const SPMC = ['hypervisor', 'partition'] as const;
const BIND = f.FFA_NOTIFICATION_BIND;
const UNBIND = f.FFA_NOTIFICATION_UNBIND;
const SET = f.FFA_NOTIFICATION_SET;
const GET = f.FFA_NOTIFICATION_GET;
const CREATE = f.FFA_NOTIFICATION_BITMAP_CREATE;
const DESTROY = f.FFA_NOTIFICATION_BITMAP_DESTROY;
const INFO_GET = [f.FFA_NOTIFICATION_INFO_GET_32, f.FFA_NOTIFICATION_INFO_GET_64];
const GUEST_CALLS = [BIND, UNBIND, SET];
/** Functions without which a mediator has no notifications of partitions. */
const WITHOUT = { lacks: [2, BIND, UNBIND, SET, GET, CREATE, DESTROY, ...INFO_GET] };
const OTHER_VM = 9;

/** The caller may receive: the hypervisor's VM has a bitmap. */
function receiving(b: SecureBench): void {
  if (b.side === 'hypervisor') b.hyp(CREATE, VM, 2);
  else b.as(f.FFA_ID_GET);
}

/** The caller has bound bit 0 to SP2. */
function bound(b: SecureBench): void {
  receiving(b);
  b.as(BIND, ids(SP2, b.me), 0, 1);
}

/** SP2 has bound bit 0 to the caller. */
function awaited(b: SecureBench): void {
  b.as(f.FFA_ID_GET);
  b.sp(SP2, BIND, ids(b.me, SP2), 0, 1);
}

function pending(b: SecureBench): void {
  bound(b);
  b.sp(SP2, SET, ids(SP2, b.me), 0, 1);
}

/** Something of SP1's waits for the guest, and the mediator knows. */
function pendingForGuest(b: GuestBench): void {
  b.as(BIND, ids(SP1, b.me), 0, 1);
  b.sp(SP1, SET, ids(SP1, b.me), 0, 1);
  const scheduled = b.hypervisor.scheduleReceiver(b.pe);
  while (scheduled.next().done !== true);
}

export const NOTIFICATION_DRIVERS: readonly Driver[] = [
  ...secureDrivers(FILE, ['hypervisor'], [CREATE], {
    'for a VM that has none': (b) => b.call(VM, 2),
    'the id of a partition': (b) => b.call(SP1, 2),
    'no vCPU, or more than there may be': (b) => b.call(VM, 0),
    'there is one already': (b) => {
      b.call(VM, 2);
      b.call(VM, 2);
    },
    'no room for another VM': (b) => {
      b.given({ limits: { virtualMachines: 1 } });
      b.call(OTHER_VM, 1);
      b.call(VM, 1);
    },
  }),
  ...secureDrivers(FILE, ['hypervisor'], [DESTROY], {
    'nothing is pending': (b) => {
      receiving(b);
      b.call(VM);
    },
    'the id of a partition': (b) => b.call(SP1),
    'there is none': (b) => b.call(VM),
    'something is pending': (b) => {
      pending(b);
      b.call(VM);
    },
  }),

  ...guestDrivers(FILE, [BIND], {
    'to a partition': (b) => b.call(ids(SP1, b.me), 0, 1),
    'per vCPU, or another flag': (b) => b.call(ids(SP1, b.me), 1, 1),
  }),
  ...guestDrivers(FILE, [UNBIND], {
    'what is bound and not pending': (b) => {
      b.as(BIND, ids(SP1, b.me), 0, 1);
      b.call(ids(SP1, b.me), 0, 1);
    },
  }),
  ...guestDrivers(FILE, [BIND, UNBIND], {
    'another receiver than the guest': (b) => b.call(ids(SP1, b.me + 1), 0, 1),
    'the sender is no partition': (b) => b.call(ids(b.me + 1, b.me), 0, 1),
  }),
  ...guestDrivers(FILE, GUEST_CALLS, {
    'the secure world has no notifications': (b) => {
      b.given(WITHOUT);
      b.call(b.fid === SET ? ids(b.me, SP1) : ids(SP1, b.me), 0, 1);
    },
  }),
  ...guestDrivers(FILE, [SET], {
    'to a partition that bound it': (b) => {
      b.as(f.FFA_ID_GET);
      b.sp(SP1, BIND, ids(b.me, SP1), 0, 1);
      b.call(ids(b.me, SP1), 0, 1);
    },
    'another sender than the guest': (b) => b.call(ids(b.me + 1, SP1), 0, 1),
    'the receiver is no partition': (b) => b.call(ids(b.me, b.me + 1), 0, 1),
  }),
  ...guestDrivers(FILE, [GET], {
    'what is pending, by kind of sender': (b) => b.call(b.me, 3),
    'another receiver than the guest': (b) => b.call(b.me + 1, 3),
    'the secure world has no notifications': (b) => b.given(WITHOUT).call(b.me, 3),
  }),
  ...guestDrivers(FILE, INFO_GET, {
    'something is pending': (b) => {
      pendingForGuest(b);
      b.call();
    },
    'something is pending (whatever form was asked for)': (b) => {
      pendingForGuest(b);
      b.call();
    },
    'nothing is pending': (b) => b.call(),
    'the secure world has no notifications': (b) => b.given(WITHOUT).call(),
  }),

  ...secureDrivers(FILE, SPMC, [BIND, UNBIND], {
    'per vCPU, or another flag': (b) => {
      receiving(b);
      b.call(ids(SP2, b.me), 1, 1);
    },
    "a receiver that is not the caller's to bind for": (b) => {
      receiving(b);
      b.call(ids(SP2, SP3), 0, 1);
    },
    'sender and receiver are one': (b) => {
      receiving(b);
      b.call(ids(b.me, b.me), 0, 1);
    },
    'no bit': (b) => {
      receiving(b);
      b.call(ids(SP2, b.me), 0, 0);
    },
    'a receiver of 1.0': (b) => {
      receiving(b);
      b.call(ids(SP2, b.me), 0, 1);
    },
    'a bit that another sender has': (b) => {
      bound(b);
      b.call(ids(SP3, b.me), 0, 1);
    },
  }),
  ...secureDrivers(FILE, SPMC, [BIND], {
    'bits that nobody has': (b) => {
      receiving(b);
      b.call(ids(SP2, b.me), 0, 1);
    },
  }),
  ...secureDrivers(FILE, SPMC, [UNBIND], {
    'what is bound and not pending': (b) => {
      bound(b);
      b.call(ids(SP2, b.me), 0, 1);
    },
    'a bit that is pending': (b) => {
      pending(b);
      b.call(ids(SP2, b.me), 0, 1);
    },
  }),
  ...secureDrivers(FILE, ['hypervisor'], [BIND, UNBIND], {
    'a VM without a bitmap': (b) => b.call(ids(SP2, VM), 0, 1),
    'a VM as sender': (b) => {
      receiving(b);
      b.call(ids(OTHER_VM, VM), 0, 1);
    },
  }),
  ...secureDrivers(FILE, ['partition'], [BIND, UNBIND], {
    'a partition without notifications': (b) => {
      b.given({ manifests: [{ notificationSupport: false }] });
      b.call(ids(SP2, SP1), 0, 1);
    },
  }),

  ...secureDrivers(FILE, SPMC, [SET], {
    'bits that are bound to the sender': (b) => {
      awaited(b);
      b.call(ids(b.me, SP2), 0, 1);
    },
    'per vCPU, or flags that do not exist': (b) => {
      awaited(b);
      b.call(ids(b.me, SP2), 1, 1);
    },
    'a sender that the caller is not': (b) => {
      awaited(b);
      b.call(ids(SP3, SP2), 0, 1);
    },
    'sender and receiver are one': (b) => b.call(ids(b.me, b.me), 0, 1),
    'no bit': (b) => {
      awaited(b);
      b.call(ids(b.me, SP2), 0, 0);
    },
    'a receiver that there is not': (b) => b.call(ids(b.me, 0x8077), 0, 1),
    'a receiver without notifications': (b) => {
      b.given({ manifests: [{}, { notificationSupport: false }] });
      b.call(ids(b.me, SP2), 0, 1);
    },
    'a bit that is not bound to the sender': (b) => {
      awaited(b);
      b.call(ids(b.me, SP2), 0, 2);
    },
  }),
  ...secureDrivers(FILE, ['hypervisor'], [SET], {
    'a VM as receiver': (b) => {
      b.hyp(CREATE, OTHER_VM, 1);
      b.call(ids(VM, OTHER_VM), 0, 1);
    },
    'the interrupt is to be delayed': (b) => {
      awaited(b);
      b.call(ids(VM, SP2), 2, 1);
    },
  }),

  ...secureDrivers(FILE, SPMC, [GET], {
    'what is pending, by kind of sender': (b) => {
      receiving(b);
      b.call(b.me, 1);
    },
    'flags that do not exist': (b) => {
      receiving(b);
      b.call(b.me, 0x10);
    },
    "a receiver that is not the caller's to ask for": (b) => b.call(SP2, 1),
    'a vCPU that there is not': (b) => {
      receiving(b);
      b.call(ids(7, b.me), 1);
    },
  }),
  ...secureDrivers(FILE, ['hypervisor'], [GET], {
    'bitmaps of VMs or of the hypervisor, which it keeps itself': (b) => {
      receiving(b);
      b.call(VM, 2);
    },
  }),
  ...secureDrivers(FILE, ['hypervisor'], INFO_GET, {
    'the 32-bit form': (b) => b.call(),
    'something is pending': (b) => {
      awaited(b);
      b.hyp(SET, ids(VM, SP2), 0, 1);
      b.call();
    },
    'nothing is pending': (b) => b.call(),
  }),
];
