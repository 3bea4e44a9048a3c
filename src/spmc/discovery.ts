// FFA_VERSION, FFA_FEATURES, FFA_ID_GET, FFA_SPM_ID_GET.

import { FFA_NOT_SUPPORTED, FFA_OK } from '../abi/errors.ts';
import {
  FFA_FEATURE_NPI,
  FFA_FEATURE_SRI,
  FFA_FEATURES_FUNCTION_ID_BIT,
  FFA_FEATURES_RETRIEVE_BY_HYPERVISOR,
  FFA_FEATURES_RETRIEVE_NS_BIT,
  FFA_FEATURES_RXTX_GRANULE_4K,
  FFA_FEATURES_RXTX_MAX_PAGES_SHIFT,
} from '../abi/features.ts';
import {
  FFA_CONSOLE_LOG_32,
  FFA_CONSOLE_LOG_64,
  FFA_ERROR,
  FFA_FEATURES,
  FFA_ID_GET,
  FFA_INTERRUPT,
  FFA_MEM_DONATE_32,
  FFA_MEM_DONATE_64,
  FFA_MEM_FRAG_RX,
  FFA_MEM_FRAG_TX,
  FFA_MEM_LEND_32,
  FFA_MEM_LEND_64,
  FFA_MEM_RECLAIM,
  FFA_MEM_RELINQUISH,
  FFA_MEM_RETRIEVE_REQ_32,
  FFA_MEM_RETRIEVE_REQ_64,
  FFA_MEM_RETRIEVE_RESP,
  FFA_MEM_SHARE_32,
  FFA_MEM_SHARE_64,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_REQ_64,
  FFA_MSG_SEND_DIRECT_REQ2,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_MSG_SEND_DIRECT_RESP_64,
  FFA_MSG_SEND_DIRECT_RESP2,
  FFA_MSG_SEND2,
  FFA_MSG_WAIT,
  FFA_NOTIFICATION_BIND,
  FFA_NOTIFICATION_BITMAP_CREATE,
  FFA_NOTIFICATION_BITMAP_DESTROY,
  FFA_NOTIFICATION_GET,
  FFA_NOTIFICATION_INFO_GET_32,
  FFA_NOTIFICATION_INFO_GET_64,
  FFA_NOTIFICATION_SET,
  FFA_NOTIFICATION_UNBIND,
  FFA_PARTITION_INFO_GET,
  FFA_PARTITION_INFO_GET_REGS,
  FFA_RUN,
  FFA_RX_ACQUIRE,
  FFA_RX_RELEASE,
  FFA_RXTX_MAP_64,
  FFA_RXTX_UNMAP,
  FFA_SPM_ID_GET,
  FFA_SUCCESS_32,
  FFA_SUCCESS_64,
  FFA_VERSION,
  FFA_YIELD,
} from '../abi/function-ids.ts';
import { FFA_VERSION_1_1, FFA_VERSION_1_2, FFA_VERSION_MBZ_BIT, versionMajor } from '../abi/versions.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import { answerSuccess, type Result } from './answers.ts';
import type { Endpoint } from './endpoint.ts';
import { NOTIFICATION_PENDING_INTERRUPT } from './partition.ts';
import { SCHEDULE_RECEIVER_INTERRUPT } from './schedule-receiver.ts';
import type { Spmc } from './spmc.ts';

const EITHER = 0;
const PARTITION_ONLY = 1;
const NORMAL_WORLD_ONLY = 2;

/** Calls by who can make them, and since which version. */
const FUNCTIONS: ReadonlyMap<number, readonly [who: number, since: number]> = new Map([
  ...rows(EITHER, 0, [
    FFA_ERROR,
    FFA_SUCCESS_32,
    FFA_SUCCESS_64,
    FFA_INTERRUPT,
    FFA_VERSION,
    FFA_FEATURES,
    FFA_RX_RELEASE,
    FFA_RXTX_MAP_64,
    FFA_RXTX_UNMAP,
    FFA_PARTITION_INFO_GET,
    FFA_ID_GET,
    FFA_RUN,
    FFA_MSG_SEND_DIRECT_REQ_32,
    FFA_MSG_SEND_DIRECT_REQ_64,
    FFA_MEM_DONATE_32,
    FFA_MEM_DONATE_64,
    FFA_MEM_LEND_32,
    FFA_MEM_LEND_64,
    FFA_MEM_SHARE_32,
    FFA_MEM_SHARE_64,
    FFA_MEM_RETRIEVE_REQ_32,
    FFA_MEM_RETRIEVE_REQ_64,
    FFA_MEM_RETRIEVE_RESP,
    FFA_MEM_RELINQUISH,
    FFA_MEM_RECLAIM,
    FFA_MEM_FRAG_RX,
    FFA_MEM_FRAG_TX,
  ]),
  ...rows(EITHER, FFA_VERSION_1_1, [
    FFA_SPM_ID_GET,
    FFA_MSG_SEND2,
    FFA_NOTIFICATION_BIND,
    FFA_NOTIFICATION_UNBIND,
    FFA_NOTIFICATION_SET,
    FFA_NOTIFICATION_GET,
    FFA_PARTITION_INFO_GET_REGS,
  ]),
  ...rows(EITHER, FFA_VERSION_1_2, [FFA_CONSOLE_LOG_32, FFA_CONSOLE_LOG_64, FFA_MSG_SEND_DIRECT_REQ2]),
  ...rows(PARTITION_ONLY, 0, [FFA_MSG_WAIT, FFA_YIELD, FFA_MSG_SEND_DIRECT_RESP_32, FFA_MSG_SEND_DIRECT_RESP_64]),
  ...rows(PARTITION_ONLY, FFA_VERSION_1_2, [FFA_MSG_SEND_DIRECT_RESP2]),
  ...rows(NORMAL_WORLD_ONLY, FFA_VERSION_1_1, [
    FFA_RX_ACQUIRE,
    FFA_NOTIFICATION_BITMAP_CREATE,
    FFA_NOTIFICATION_BITMAP_DESTROY,
    FFA_NOTIFICATION_INFO_GET_32,
    FFA_NOTIFICATION_INFO_GET_64,
  ]),
]);

function rows(who: number, since: number, ids: readonly number[]): [number, readonly [number, number]][] {
  return ids.map((id) => [id, [who, since]]);
}

/** FFA_VERSION: the answer, or -1, is in w0. */
export function getVersion(spmc: Spmc, caller: Endpoint, r: RegisterFile): Result {
  const asked = r.w(1);
  r.clear();
  const valid = (asked & FFA_VERSION_MBZ_BIT) === 0 && versionMajor(asked) === versionMajor(spmc.version);
  if (!valid || (caller.versionLocked && asked !== caller.version && asked <= spmc.version)) {
    r.setW(0, FFA_NOT_SUPPORTED);
    return FFA_OK;
  }
  if (asked <= spmc.version) caller.version = asked;
  r.setW(0, spmc.version);
  return FFA_OK;
}

/** FFA_FEATURES: what of FF-A there is for this caller. Its only error is NOT_SUPPORTED. */
export function getFeatures(spmc: Spmc, caller: Endpoint, r: RegisterFile): Result {
  const asked = r.w(1);
  if ((asked & FFA_FEATURES_FUNCTION_ID_BIT) === 0) return getFeatureId(caller, r, asked);
  const row = FUNCTIONS.get(asked);
  if (row === undefined) return FFA_NOT_SUPPORTED;
  const [who, since] = row;
  if (since > caller.version || who === (caller.secure ? NORMAL_WORLD_ONLY : PARTITION_ONLY)) {
    return FFA_NOT_SUPPORTED;
  }
  switch (asked) {
    case FFA_RXTX_MAP_64: {
      const pages = caller.version >= FFA_VERSION_1_2 ? spmc.limits.bufferPages : 0;
      return answerSuccess(r, FFA_FEATURES_RXTX_GRANULE_4K | (pages << FFA_FEATURES_RXTX_MAX_PAGES_SHIFT));
    }
    case FFA_MEM_RETRIEVE_REQ_32:
    case FFA_MEM_RETRIEVE_REQ_64: {
      const byHypervisor = caller.secure ? 0 : FFA_FEATURES_RETRIEVE_BY_HYPERVISOR;
      return answerSuccess(r, caller.version >= FFA_VERSION_1_1 ? FFA_FEATURES_RETRIEVE_NS_BIT | byHypervisor : 0);
    }
    default:
      return answerSuccess(r);
  }
}

function getFeatureId(caller: Endpoint, r: RegisterFile, id: number): Result {
  if (id === FFA_FEATURE_SRI && !caller.secure) return answerSuccess(r, SCHEDULE_RECEIVER_INTERRUPT);
  if (id === FFA_FEATURE_NPI && caller.secure) return answerSuccess(r, NOTIFICATION_PENDING_INTERRUPT);
  return FFA_NOT_SUPPORTED;
}

export function getId(_spmc: Spmc, caller: Endpoint, r: RegisterFile): Result {
  return answerSuccess(r, caller.id);
}

export function getSpmId(spmc: Spmc, _caller: Endpoint, r: RegisterFile): Result {
  return answerSuccess(r, spmc.id);
}
