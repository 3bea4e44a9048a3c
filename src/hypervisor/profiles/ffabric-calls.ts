// The calls that a guest of the default profile may make.

import {
  FFA_FEATURES,
  FFA_MEM_DONATE_32,
  FFA_MEM_DONATE_64,
  FFA_MEM_FRAG_TX,
  FFA_MEM_LEND_32,
  FFA_MEM_LEND_64,
  FFA_MEM_RECLAIM,
  FFA_MEM_RELINQUISH,
  FFA_MEM_RETRIEVE_REQ_32,
  FFA_MEM_RETRIEVE_REQ_64,
  FFA_MEM_SHARE_32,
  FFA_MEM_SHARE_64,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_REQ_64,
  FFA_MSG_SEND_DIRECT_REQ2,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_MSG_SEND_DIRECT_RESP_64,
  FFA_MSG_SEND_DIRECT_RESP2,
  FFA_MSG_WAIT,
  FFA_NOTIFICATION_BIND,
  FFA_NOTIFICATION_INFO_GET_32,
  FFA_NOTIFICATION_UNBIND,
  FFA_PARTITION_INFO_GET_REGS,
  FFA_RUN,
  FFA_RX_RELEASE,
  FFA_RXTX_MAP_32,
  FFA_RXTX_MAP_64,
  FFA_RXTX_UNMAP,
} from '../../abi/function-ids.ts';
import { bindTracked, unbindTracked } from '../bindings.ts';
import { mapBuffersClearly, unmapBuffersClearly } from '../buffer-outcome.ts';
import { type CallTables, callTables } from '../call-tables.ts';
import {
  always,
  type FeatureTable,
  featuresBy,
  NEGOTIATED_FEATURES,
  type Offer,
  since12,
  whenSpmcHas,
} from '../features.ts';
import { relinquishMemory, retrieveMemory } from '../memory-borrow.ts';
import { reclaimMemory } from '../memory-reclaim.ts';
import { sendMemory } from '../memory-send.ts';
import { getShortNotificationInfo } from '../notification-info.ts';
import { listInRegisters } from '../partition-info-regs.ts';
import { releaseRxOfAnyFiller } from '../rx-release.ts';
import { sendFragment } from '../send-fragment.ts';
import { requestDirect, requestDirect2, respond, runOwn, waitForRequest } from '../serving.ts';
import { XEN_2026_CALLS } from './xen-2026-calls.ts';

const FEATURES: FeatureTable = new Map<number, Offer>([
  ...NEGOTIATED_FEATURES,
  [FFA_MEM_LEND_32, whenSpmcHas(FFA_MEM_LEND_64)],
  [FFA_MEM_LEND_64, whenSpmcHas(FFA_MEM_LEND_64)],
  [FFA_MEM_DONATE_32, whenSpmcHas(FFA_MEM_DONATE_64)],
  [FFA_MEM_DONATE_64, whenSpmcHas(FFA_MEM_DONATE_64)],
  [FFA_MEM_RETRIEVE_REQ_32, whenSpmcHas(FFA_MEM_RETRIEVE_REQ_64)],
  [FFA_MEM_RETRIEVE_REQ_64, whenSpmcHas(FFA_MEM_RETRIEVE_REQ_64)],
  [FFA_MEM_RELINQUISH, whenSpmcHas(FFA_MEM_RELINQUISH)],
  [FFA_MEM_FRAG_TX, whenSpmcHas(FFA_MEM_SHARE_64)],
  // Among VMs these need no SPMC.
  [FFA_MSG_WAIT, always],
  [FFA_MSG_SEND_DIRECT_REQ_32, always],
  [FFA_MSG_SEND_DIRECT_REQ_64, always],
  [FFA_MSG_SEND_DIRECT_REQ2, since12],
  [FFA_MSG_SEND_DIRECT_RESP_32, always],
  [FFA_MSG_SEND_DIRECT_RESP_64, always],
  [FFA_MSG_SEND_DIRECT_RESP2, since12],
]);

/** Functions that the default profile uses of an SPMC beyond those that the probe asks for. */
export const MORE_FUNCTIONS: readonly number[] = [
  FFA_MEM_LEND_64,
  FFA_MEM_DONATE_64,
  FFA_MEM_RETRIEVE_REQ_64,
  FFA_MEM_RELINQUISH,
];

/** What Xen of 2026 has, and what is otherwise here. */
export const FFABRIC_CALLS: CallTables = callTables(
  [
    [FFA_FEATURES, featuresBy(FEATURES)],
    [FFA_RXTX_MAP_32, mapBuffersClearly],
    [FFA_RXTX_MAP_64, mapBuffersClearly],
    [FFA_RXTX_UNMAP, unmapBuffersClearly],
    [FFA_RX_RELEASE, releaseRxOfAnyFiller],
    [FFA_PARTITION_INFO_GET_REGS, listInRegisters],
    [FFA_MSG_SEND_DIRECT_REQ_32, requestDirect],
    [FFA_MSG_SEND_DIRECT_REQ_64, requestDirect],
    [FFA_MSG_SEND_DIRECT_REQ2, requestDirect2],
    [FFA_RUN, runOwn],
    [FFA_MSG_WAIT, waitForRequest],
    [FFA_MSG_SEND_DIRECT_RESP_32, respond],
    [FFA_MSG_SEND_DIRECT_RESP_64, respond],
    [FFA_MSG_SEND_DIRECT_RESP2, respond],
    [FFA_MEM_SHARE_32, sendMemory],
    [FFA_MEM_SHARE_64, sendMemory],
    [FFA_MEM_LEND_32, sendMemory],
    [FFA_MEM_LEND_64, sendMemory],
    [FFA_MEM_DONATE_32, sendMemory],
    [FFA_MEM_DONATE_64, sendMemory],
    [FFA_MEM_FRAG_TX, sendFragment],
    [FFA_MEM_RETRIEVE_REQ_32, retrieveMemory],
    [FFA_MEM_RETRIEVE_REQ_64, retrieveMemory],
    [FFA_MEM_RELINQUISH, relinquishMemory],
    [FFA_MEM_RECLAIM, reclaimMemory],
    [FFA_NOTIFICATION_BIND, bindTracked],
    [FFA_NOTIFICATION_UNBIND, unbindTracked],
    [FFA_NOTIFICATION_INFO_GET_32, getShortNotificationInfo],
  ],
  XEN_2026_CALLS,
);
