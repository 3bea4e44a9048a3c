// The calls that a guest of `xen-2024` may make. [Xen 7356bb5e47]

import {
  FFA_ID_GET,
  FFA_MEM_RECLAIM,
  FFA_MEM_SHARE_32,
  FFA_MEM_SHARE_64,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_REQ_64,
  FFA_PARTITION_INFO_GET,
  FFA_RX_RELEASE,
  FFA_RXTX_MAP_32,
  FFA_RXTX_MAP_64,
  FFA_RXTX_UNMAP,
  FFA_VERSION,
} from '../../abi/function-ids.ts';
import { type CallTables, callTables } from '../call-tables.ts';
import { sendDirectAnywhere } from '../direct-message.ts';
import { idGet } from '../features.ts';
import { reclaim } from '../mem-reclaim.ts';
import { shareBy } from '../mem-share.ts';
import { listPartitionsFromSpmc } from '../partition-info.ts';
import { mapBuffersLocally, releaseRxLocally, unmapBuffersLocally } from '../rx-tx-buffers.ts';
import { FIRST_SHARE_RULES } from '../share-check.ts';
import { replaceVersion } from '../version.ts';

const share = shareBy(FIRST_SHARE_RULES);

export const XEN_2024_CALLS: CallTables = callTables([
  [FFA_VERSION, replaceVersion],
  [FFA_ID_GET, idGet],
  [FFA_RXTX_MAP_32, mapBuffersLocally],
  [FFA_RXTX_MAP_64, mapBuffersLocally],
  [FFA_RXTX_UNMAP, unmapBuffersLocally],
  [FFA_RX_RELEASE, releaseRxLocally],
  [FFA_PARTITION_INFO_GET, listPartitionsFromSpmc],
  [FFA_MSG_SEND_DIRECT_REQ_32, sendDirectAnywhere],
  [FFA_MSG_SEND_DIRECT_REQ_64, sendDirectAnywhere],
  [FFA_MEM_SHARE_32, share],
  [FFA_MEM_SHARE_64, share],
  [FFA_MEM_RECLAIM, reclaim],
]);
