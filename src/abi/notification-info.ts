// The answer to FFA_NOTIFICATION_INFO_GET: for whom notifications are pending.
//
// Register 2 has the number of lists and how many vCPU ids each has; the ids, 16 bits each, are packed from register 3
// on: 10 in w3 to w7, or 20 in x3 to x7. A list begins with an endpoint's id; its vCPU ids follow, none for a global
// notification. Which form it is, FFA_SUCCESS_32 or _64 says, not the call: a 32-bit call may be answered in the
// 64-bit form.
//
// Sources: FF-A 1.1 §17.7.1, [Hafnium api.c], [Xen ffa_notif.c].

import { assert } from '../base/assert.ts';
import type { Decoded, Fault, FaultKind } from './fault.ts';
import { FFA_SUCCESS_32, FFA_SUCCESS_64 } from './function-ids.ts';
import * as layout from './layout/notifications.ts';

export interface NotificationList {
  readonly endpoint: number;
  /** At most three. */
  readonly vcpus: readonly number[];
}

export interface NotificationInfo {
  /** More is pending than is listed: ask again. */
  readonly isMorePending: boolean;
  readonly lists: readonly NotificationList[];
}

const LIST_SIZE_BITS = 2;

export function decodeNotificationInfo(words: Uint32Array): Decoded<NotificationInfo> {
  const isSmc64 = words[0] === FFA_SUCCESS_64;
  if (!isSmc64 && words[0] !== FFA_SUCCESS_32) {
    return faultAt('function', 'w0', 0, `0x${words[0].toString(16)}`, 'must be FFA_SUCCESS_32 or FFA_SUCCESS_64');
  }
  const listCount = (words[4] >>> layout.INFO_GET_LIST_COUNT_SHIFT) & layout.INFO_GET_LIST_COUNT_MASK;
  const mostLists = isSmc64 ? layout.INFO_GET_MAX_LISTS_64 : layout.INFO_GET_MAX_LISTS_32;
  if (listCount > mostLists) {
    return faultAt('count-outside', 'w2[11:7]', 16, String(listCount), `must be ${mostLists} or less`);
  }
  const mostIds = isSmc64 ? layout.INFO_GET_MAX_IDS_64 : layout.INFO_GET_MAX_IDS_32;
  const lists: NotificationList[] = [];
  let next = 0;
  for (let n = 0; n < listCount; n++) {
    const vcpuCount = listSize(words, n);
    if (next + 1 + vcpuCount > mostIds) {
      const rule = `list ${n} ends at id ${next + 1 + vcpuCount}: the registers hold ${mostIds}`;
      return faultAt('count-outside', `lists[${n}]`, 17, String(vcpuCount), rule);
    }
    const endpoint = idAt(words, next, isSmc64);
    const vcpus: number[] = [];
    for (let m = 1; m <= vcpuCount; m++) vcpus.push(idAt(words, next + m, isSmc64));
    lists.push({ endpoint, vcpus });
    next += 1 + vcpuCount;
  }
  const isMorePending = (words[4] & layout.INFO_GET_MORE_PENDING) !== 0;
  return { ok: true, value: { isMorePending, lists }, fields: [] };
}

/** Writes the whole answer in the form that `success` (FFA_SUCCESS_32 or _64) says. */
export function encodeNotificationInfo(info: NotificationInfo, success: number, words: Uint32Array): void {
  const isSmc64 = success === FFA_SUCCESS_64;
  const mostIds = isSmc64 ? layout.INFO_GET_MAX_IDS_64 : layout.INFO_GET_MAX_IDS_32;
  words.fill(0);
  words[0] = success;
  words[4] = (info.lists.length << layout.INFO_GET_LIST_COUNT_SHIFT) | (info.isMorePending ? 1 : 0);
  let next = 0;
  for (let n = 0; n < info.lists.length; n++) {
    const { endpoint, vcpus } = info.lists[n];
    assert(vcpus.length <= layout.INFO_GET_LIST_VCPU_COUNT_MASK, 'a list has at most three vCPU ids');
    assert(next + 1 + vcpus.length <= mostIds, 'the ids fit the registers');
    setListSize(words, n, vcpus.length);
    setId(words, next, endpoint, isSmc64);
    for (let m = 0; m < vcpus.length; m++) setId(words, next + 1 + m, vcpus[m], isSmc64);
    next += 1 + vcpus.length;
  }
}

function listSize(words: Uint32Array, list: number): number {
  const bit = layout.INFO_GET_FIRST_LIST_SHIFT + LIST_SIZE_BITS * list;
  return (words[4 + (bit >>> 5)] >>> (bit & 31)) & layout.INFO_GET_LIST_VCPU_COUNT_MASK;
}

function setListSize(words: Uint32Array, list: number, size: number): void {
  const bit = layout.INFO_GET_FIRST_LIST_SHIFT + LIST_SIZE_BITS * list;
  words[4 + (bit >>> 5)] |= size << (bit & 31);
}

/** Index of the word that holds id `n`: the 32-bit form leaves the upper halves alone. */
function wordOf(n: number, isSmc64: boolean): number {
  return 2 * layout.INFO_GET_FIRST_REGISTER + (isSmc64 ? n >>> 1 : 2 * (n >>> 1));
}

function idAt(words: Uint32Array, n: number, isSmc64: boolean): number {
  return (words[wordOf(n, isSmc64)] >>> (16 * (n & 1))) & 0xffff;
}

function setId(words: Uint32Array, n: number, id: number, isSmc64: boolean): void {
  words[wordOf(n, isSmc64)] |= id << (16 * (n & 1));
}

function faultAt(kind: FaultKind, path: string, offset: number, found: string, rule: string): Decoded<never> {
  const fault: Fault = { kind, path, offset, found, rule };
  return { ok: false, fault, fields: [] };
}
