// Documented answers: notifications.

import { FFA_DENIED, FFA_INVALID_PARAMETERS, FFA_NO_DATA, FFA_NO_MEMORY, FFA_NOT_SUPPORTED } from '../errors.ts';
import * as f from '../function-ids.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_1 } from '../versions.ts';
import { absent, type DocumentedRow, on, row } from './documented-answer.ts';

const API = 'Hafnium api.c';
const HAFNIUM = 'Hafnium notifications.c';
const XEN = 'Xen ffa_notif.c';
const SPMC = ['hypervisor', 'partition'] as const;
const OK = f.FFA_SUCCESS_32;
const FROM_1_1 = { since: FFA_VERSION_1_1 };
const WITHOUT_SPMC = 'the secure world has no notifications';

const OF_THE_HYPERVISOR = [
  f.FFA_NOTIFICATION_BITMAP_CREATE,
  f.FFA_NOTIFICATION_BITMAP_DESTROY,
  f.FFA_NOTIFICATION_INFO_GET_32,
  f.FFA_NOTIFICATION_INFO_GET_64,
];
const OF_BOTH = [f.FFA_NOTIFICATION_BIND, f.FFA_NOTIFICATION_UNBIND, f.FFA_NOTIFICATION_SET, f.FFA_NOTIFICATION_GET];

export const NOTIFICATION_ANSWERS: readonly DocumentedRow[] = [
  row(
    'notifications',
    ['hypervisor'],
    [f.FFA_NOTIFICATION_BITMAP_CREATE],
    [
      on(OK, 'for a VM that has none', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'the id of a partition', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'no vCPU, or more than there may be', 'OP-TEE thread_spmc.c'),
      on(FFA_DENIED, 'there is one already', HAFNIUM),
      on(FFA_NO_MEMORY, 'no room for another VM', HAFNIUM),
    ],
  ),
  row(
    'notifications',
    ['hypervisor'],
    [f.FFA_NOTIFICATION_BITMAP_DESTROY],
    [
      on(OK, 'nothing is pending', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'the id of a partition', HAFNIUM),
      on(FFA_DENIED, 'there is none', HAFNIUM),
      on(FFA_DENIED, 'something is pending', HAFNIUM, FROM_1_1),
    ],
  ),

  row(
    'notifications',
    ['guest'],
    [f.FFA_NOTIFICATION_BIND],
    [
      on(OK, 'to a partition', XEN),
      on(FFA_INVALID_PARAMETERS, 'another receiver than the guest', XEN),
      on(FFA_DENIED, 'per vCPU, or another flag', XEN),
      on(FFA_NOT_SUPPORTED, 'the sender is no partition', XEN),
      on(FFA_NOT_SUPPORTED, WITHOUT_SPMC, XEN),
    ],
    [f.FFA_NOTIFICATION_BIND],
  ),
  row(
    'notifications',
    ['guest'],
    [f.FFA_NOTIFICATION_UNBIND],
    [
      on(OK, 'what is bound and not pending', XEN),
      on(FFA_INVALID_PARAMETERS, 'another receiver than the guest', XEN),
      on(FFA_NOT_SUPPORTED, 'the sender is no partition', XEN),
      on(FFA_NOT_SUPPORTED, WITHOUT_SPMC, XEN),
    ],
    [f.FFA_NOTIFICATION_UNBIND],
  ),
  row(
    'notifications',
    SPMC,
    [f.FFA_NOTIFICATION_BIND, f.FFA_NOTIFICATION_UNBIND],
    [
      on(FFA_INVALID_PARAMETERS, 'per vCPU, or another flag', API),
      on(FFA_INVALID_PARAMETERS, "a receiver that is not the caller's to bind for", HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'sender and receiver are one', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'no bit', API),
      on(FFA_DENIED, 'a bit that another sender has', API, FROM_1_1),
      on(FFA_NOT_SUPPORTED, 'a receiver of 1.0', API, { until: FFA_VERSION_1_0 }),
    ],
  ),
  row('notifications', SPMC, [f.FFA_NOTIFICATION_BIND], [on(OK, 'bits that nobody has', API, FROM_1_1)]),
  row(
    'notifications',
    SPMC,
    [f.FFA_NOTIFICATION_UNBIND],
    [on(OK, 'what is bound and not pending', API, FROM_1_1), on(FFA_DENIED, 'a bit that is pending', API, FROM_1_1)],
  ),
  row(
    'notifications',
    ['hypervisor'],
    [f.FFA_NOTIFICATION_BIND, f.FFA_NOTIFICATION_UNBIND],
    [on(FFA_INVALID_PARAMETERS, 'a VM without a bitmap', API), on(FFA_INVALID_PARAMETERS, 'a VM as sender', HAFNIUM)],
  ),
  row(
    'notifications',
    ['partition'],
    [f.FFA_NOTIFICATION_BIND, f.FFA_NOTIFICATION_UNBIND],
    [on(FFA_NOT_SUPPORTED, 'a partition without notifications', API)],
  ),

  row(
    'notifications',
    ['guest'],
    [f.FFA_NOTIFICATION_SET],
    [
      on(OK, 'to a partition that bound it', XEN),
      on(FFA_INVALID_PARAMETERS, 'another sender than the guest', XEN),
      on(FFA_NOT_SUPPORTED, 'the receiver is no partition', XEN),
      on(FFA_NOT_SUPPORTED, WITHOUT_SPMC, XEN),
    ],
    [f.FFA_NOTIFICATION_SET],
  ),
  row(
    'notifications',
    SPMC,
    [f.FFA_NOTIFICATION_SET],
    [
      on(OK, 'bits that are bound to the sender', API),
      on(FFA_INVALID_PARAMETERS, 'per vCPU, or flags that do not exist', API),
      on(FFA_INVALID_PARAMETERS, 'a sender that the caller is not', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'sender and receiver are one', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'no bit', API),
      on(FFA_INVALID_PARAMETERS, 'a receiver that there is not', API),
      on(FFA_DENIED, 'a receiver without notifications', API),
      on(FFA_DENIED, 'a bit that is not bound to the sender', API),
    ],
  ),
  row(
    'notifications',
    ['hypervisor'],
    [f.FFA_NOTIFICATION_SET],
    [
      on(FFA_INVALID_PARAMETERS, 'a VM as receiver', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'the interrupt is to be delayed', API),
    ],
  ),

  row(
    'notifications',
    ['guest'],
    [f.FFA_NOTIFICATION_GET],
    [
      on(OK, 'what is pending, by kind of sender', XEN),
      on(FFA_INVALID_PARAMETERS, 'another receiver than the guest', XEN),
      on(FFA_NOT_SUPPORTED, WITHOUT_SPMC, XEN, { only: ['xen-2026'] }),
    ],
    [f.FFA_NOTIFICATION_GET],
  ),
  row(
    'notifications',
    SPMC,
    [f.FFA_NOTIFICATION_GET],
    [
      on(OK, 'what is pending, by kind of sender', API),
      on(FFA_INVALID_PARAMETERS, 'flags that do not exist', API),
      on(FFA_INVALID_PARAMETERS, "a receiver that is not the caller's to ask for", HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'a vCPU that there is not', API),
    ],
  ),
  row(
    'notifications',
    ['hypervisor'],
    [f.FFA_NOTIFICATION_GET],
    [on(FFA_INVALID_PARAMETERS, 'bitmaps of VMs or of the hypervisor, which it keeps itself', HAFNIUM)],
  ),

  row(
    'notifications',
    ['guest'],
    [f.FFA_NOTIFICATION_INFO_GET_32],
    [
      on(OK, 'something is pending', 'FF-A 1.1 §17.7'),
      on(f.FFA_SUCCESS_64, 'something is pending (whatever form was asked for)', XEN, {
        only: ['xen-2026', 'xen-2026-vm-to-vm'],
      }),
    ],
  ),
  row(
    'notifications',
    ['guest'],
    [f.FFA_NOTIFICATION_INFO_GET_64],
    [on(f.FFA_SUCCESS_64, 'something is pending', XEN)],
  ),
  row(
    'notifications',
    ['guest'],
    [f.FFA_NOTIFICATION_INFO_GET_32, f.FFA_NOTIFICATION_INFO_GET_64],
    [on(FFA_NO_DATA, 'nothing is pending', XEN), on(FFA_NOT_SUPPORTED, WITHOUT_SPMC, XEN, { only: ['xen-2026'] })],
  ),
  row(
    'notifications',
    ['hypervisor'],
    [f.FFA_NOTIFICATION_INFO_GET_64],
    [on(f.FFA_SUCCESS_64, 'something is pending', API), on(FFA_NO_DATA, 'nothing is pending', API)],
  ),
  row(
    'notifications',
    ['hypervisor'],
    [f.FFA_NOTIFICATION_INFO_GET_32],
    [
      on(FFA_NOT_SUPPORTED, 'the 32-bit form', 'Hafnium handler.c'),
      on(OK, 'something is pending', 'OP-TEE thread_spmc.c', { only: ['optee'] }),
      on(FFA_NO_DATA, 'nothing is pending', 'OP-TEE thread_spmc.c', { only: ['optee'] }),
    ],
  ),

  // Of the other personalities: the SPMC of TF-A has none of it.
  row(
    'notifications',
    SPMC,
    [f.FFA_NOTIFICATION_BIND],
    [on(FFA_DENIED, 'per vCPU, or another flag', 'OP-TEE thread_spmc.c', { only: ['optee'] })],
  ),
  row('notifications', ['hypervisor'], OF_THE_HYPERVISOR, [absent('tfa-el3', 'TF-A spmc_main.c')]),
  row('notifications', SPMC, OF_BOTH, [absent('tfa-el3', 'TF-A spmc_main.c')]),
];
