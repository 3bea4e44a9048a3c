// Rows of the call table: notifications.

import * as f from '../function-ids.ts';
import { FFA_VERSION_1_1, FFA_VERSION_1_3 } from '../versions.ts';
import {
  type Argument,
  bits,
  type Call,
  call,
  denied,
  endpoint,
  invalid,
  noData,
  noMemory,
  notSupported,
  pair,
  payload,
  w,
} from './call.ts';

const SUCCESS = [f.FFA_SUCCESS_32];
const BINDING: readonly Argument[] = [
  endpoint(1, 'high', 'sender'),
  endpoint(1, 'low', 'receiver'),
  w(2, 'flags', 'flags'),
  pair(3, 'bitmap'),
];

export const NOTIFICATION_CALLS: readonly Call[] = [
  call(f.FFA_NOTIFICATION_BITMAP_CREATE, 'FFA_NOTIFICATION_BITMAP_CREATE', {
    since: FFA_VERSION_1_1,
    callers: ['hypervisor'],
    arguments: [bits(1, 15, 0, 'vm', 'endpoint'), w(2, 'vcpuCount', 'decimal')],
    answers: SUCCESS,
    errors: [
      invalid('a wrong id, or a wrong vCPU count', 'OP-TEE thread_spmc.c'),
      denied('there is one already', 'Hafnium notifications.c'),
      noMemory('no room for another VM', 'Hafnium notifications.c'),
    ],
  }),
  call(f.FFA_NOTIFICATION_BITMAP_DESTROY, 'FFA_NOTIFICATION_BITMAP_DESTROY', {
    since: FFA_VERSION_1_1,
    callers: ['hypervisor'],
    arguments: [bits(1, 15, 0, 'vm', 'endpoint')],
    answers: SUCCESS,
    errors: [
      invalid('a wrong id', 'OP-TEE thread_spmc.c'),
      denied('there is none, or notifications are pending', 'Hafnium notifications.c'),
    ],
  }),
  call(f.FFA_NOTIFICATION_BIND, 'FFA_NOTIFICATION_BIND', {
    since: FFA_VERSION_1_1,
    callers: ['vm', 'hypervisor', 'sp'],
    arguments: BINDING,
    answers: SUCCESS,
    errors: [
      invalid('ids, flags or a bitmap that are wrong', 'Hafnium api.c'),
      denied('a notification that is bound or pending', 'Hafnium api.c'),
      denied('per-vCPU notifications are not there', 'Xen ffa_notif.c'),
      notSupported('the receiver takes no notifications', 'Hafnium api.c'),
    ],
  }),
  call(f.FFA_NOTIFICATION_UNBIND, 'FFA_NOTIFICATION_UNBIND', {
    since: FFA_VERSION_1_1,
    callers: ['vm', 'hypervisor', 'sp'],
    arguments: BINDING,
    answers: SUCCESS,
    errors: [
      invalid('ids, flags or a bitmap that are wrong', 'Hafnium api.c'),
      denied('a notification that is not bound to that sender, or pending', 'Hafnium api.c'),
      notSupported('the receiver takes no notifications', 'Hafnium api.c'),
    ],
  }),
  call(f.FFA_NOTIFICATION_SET, 'FFA_NOTIFICATION_SET', {
    since: FFA_VERSION_1_1,
    callers: ['vm', 'hypervisor', 'sp'],
    arguments: [
      endpoint(1, 'high', 'sender'),
      endpoint(1, 'low', 'receiver'),
      bits(2, 15, 0, 'flags', 'flags'),
      bits(2, 31, 16, 'vcpu', 'decimal'),
      pair(3, 'bitmap'),
    ],
    answers: SUCCESS,
    errors: [
      invalid('ids, flags or a bitmap that are wrong', 'Hafnium api.c'),
      denied('a notification that is not bound to the caller', 'Hafnium api.c'),
    ],
  }),
  call(f.FFA_NOTIFICATION_GET, 'FFA_NOTIFICATION_GET', {
    since: FFA_VERSION_1_1,
    callers: ['vm', 'hypervisor', 'sp'],
    arguments: [endpoint(1, 'low', 'receiver'), bits(1, 31, 16, 'vcpu', 'decimal'), w(2, 'flags', 'flags')],
    answers: SUCCESS,
    results: [pair(2, 'fromSps'), pair(4, 'fromVms'), w(6, 'fromSpm'), w(7, 'fromHypervisor')],
    errors: [invalid('an id, a vCPU or flags that are wrong', 'Hafnium api.c')],
  }),
  ...[f.FFA_NOTIFICATION_INFO_GET_32, f.FFA_NOTIFICATION_INFO_GET_64].map((fid) =>
    call(fid, f.functionName(fid), {
      since: FFA_VERSION_1_1,
      callers: ['vm', 'hypervisor'],
      // The 32-bit form is answered in the 64-bit form too [Xen ffa_notif.c].
      answers: f.isSmc64(fid) ? [f.FFA_SUCCESS_64] : [f.FFA_SUCCESS_32, f.FFA_SUCCESS_64],
      results: [
        bits(2, 0, 0, 'morePending', 'decimal'),
        bits(2, 11, 7, 'listCount', 'decimal'),
        bits(2, f.isSmc64(fid) ? 51 : 31, 12, 'listSizes'),
        ...payload(f.isSmc64(fid), 3, 7, 'ids'),
      ],
      errors: [
        noData('nothing is pending', 'Hafnium api.c'),
        notSupported('the caller schedules no receivers', 'Hafnium api.c'),
      ],
    }),
  ),
  ...[f.FFA_NOTIFICATION_BIND2, f.FFA_NOTIFICATION_UNBIND2, f.FFA_NOTIFICATION_SET2, f.FFA_NOTIFICATION_GET2].map(
    (fid) =>
      // Known by name: the dispatcher forwards them [TF-A spmd]; what the registers carry no public code says.
      call(fid, f.functionName(fid), {
        since: FFA_VERSION_1_3,
        callers: ['vm', 'hypervisor', 'sp'],
        arguments: payload(true, 1, 17, 'argument'),
        answers: [f.FFA_SUCCESS_32, f.FFA_SUCCESS_64],
      }),
  ),
];
