// The calls that a guest of `xen-2026` may make; those of `xen-2026-vm-to-vm` are the same. [Xen c447b7308b]

import {
  FFA_FEATURES,
  FFA_ID_GET,
  FFA_MEM_RECLAIM,
  FFA_MEM_SHARE_32,
  FFA_MEM_SHARE_64,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_REQ_64,
  FFA_MSG_SEND_DIRECT_REQ2,
  FFA_MSG_SEND2,
  FFA_NOTIFICATION_BIND,
  FFA_NOTIFICATION_GET,
  FFA_NOTIFICATION_INFO_GET_32,
  FFA_NOTIFICATION_INFO_GET_64,
  FFA_NOTIFICATION_SET,
  FFA_NOTIFICATION_UNBIND,
  FFA_PARTITION_INFO_GET,
  FFA_PARTITION_INFO_GET_REGS,
  FFA_RUN,
  FFA_RX_RELEASE,
  FFA_RXTX_MAP_32,
  FFA_RXTX_MAP_64,
  FFA_RXTX_UNMAP,
} from '../../abi/function-ids.ts';
import { type CallTables, callTables } from '../call-tables.ts';
import { run, sendDirect, sendDirect2 } from '../direct-message.ts';
import { featuresBy, idGet, NEGOTIATED_FEATURES } from '../features.ts';
import { sendIndirect } from '../indirect-message.ts';
import { reclaimIfSupported } from '../mem-reclaim.ts';
import { shareBy } from '../mem-share.ts';
import {
  bindNotifications,
  getNotificationInfo,
  getNotifications,
  setNotifications,
  unbindNotifications,
} from '../notifications.ts';
import { listPartitions } from '../partition-info.ts';
import { listInRegistersUncounted } from '../partition-info-regs.ts';
import { mapBuffersTrusting, releaseRxBuffer, unmapBuffersTrusting } from '../rx-tx-buffers.ts';
import { HARDENED_SHARE_RULES } from '../share-check.ts';

const share = shareBy(HARDENED_SHARE_RULES);

/** FFA_VERSION is the gate's (see version.ts). */
export const XEN_2026_CALLS: CallTables = callTables([
  [FFA_FEATURES, featuresBy(NEGOTIATED_FEATURES)],
  [FFA_ID_GET, idGet],
  [FFA_RXTX_MAP_32, mapBuffersTrusting],
  [FFA_RXTX_MAP_64, mapBuffersTrusting],
  [FFA_RXTX_UNMAP, unmapBuffersTrusting],
  [FFA_RX_RELEASE, releaseRxBuffer],
  [FFA_PARTITION_INFO_GET, listPartitions],
  [FFA_PARTITION_INFO_GET_REGS, listInRegistersUncounted],
  [FFA_MSG_SEND_DIRECT_REQ_32, sendDirect],
  [FFA_MSG_SEND_DIRECT_REQ_64, sendDirect],
  [FFA_MSG_SEND_DIRECT_REQ2, sendDirect2],
  [FFA_RUN, run],
  [FFA_MSG_SEND2, sendIndirect],
  [FFA_MEM_SHARE_32, share],
  [FFA_MEM_SHARE_64, share],
  [FFA_MEM_RECLAIM, reclaimIfSupported],
  [FFA_NOTIFICATION_BIND, bindNotifications],
  [FFA_NOTIFICATION_UNBIND, unbindNotifications],
  [FFA_NOTIFICATION_SET, setNotifications],
  [FFA_NOTIFICATION_GET, getNotifications],
  [FFA_NOTIFICATION_INFO_GET_32, getNotificationInfo],
  [FFA_NOTIFICATION_INFO_GET_64, getNotificationInfo],
]);
