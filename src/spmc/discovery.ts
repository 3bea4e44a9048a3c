// FFA_VERSION, FFA_FEATURES, FFA_ID_GET, FFA_SPM_ID_GET.

import { FFA_NOT_SUPPORTED, FFA_OK } from '../abi/errors.ts';
import {
  FFA_FEATURE_MEI,
  FFA_FEATURE_NPI,
  FFA_FEATURE_SRI,
  FFA_FEATURES_FUNCTION_ID_BIT,
  FFA_FEATURES_RETRIEVE_BY_HYPERVISOR,
  FFA_FEATURES_RETRIEVE_NS_BIT,
  FFA_FEATURES_RETRIEVE_NS_BIT_WANTED,
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
  FFA_MEM_PERM_GET_32,
  FFA_MEM_PERM_GET_64,
  FFA_MEM_PERM_SET_32,
  FFA_MEM_PERM_SET_64,
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
  FFA_SECONDARY_EP_REGISTER,
  FFA_SPM_ID_GET,
  FFA_SUCCESS_32,
  FFA_SUCCESS_64,
  FFA_VERSION,
  FFA_YIELD,
} from '../abi/function-ids.ts';
import {
  FFA_VERSION_1_0,
  FFA_VERSION_1_1,
  FFA_VERSION_1_2,
  FFA_VERSION_MBZ_BIT,
  versionMajor,
} from '../abi/versions.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import { answerSuccess, type Result } from './answers.ts';
import type { Endpoint } from './endpoint.ts';
import {
  MANAGED_EXIT_INTERRUPT,
  NOTIFICATION_PENDING_INTERRUPT,
  SCHEDULE_RECEIVER_INTERRUPT,
} from './interrupt-ids.ts';
import { Partition } from './partition.ts';
import { lacks } from './personality.ts';
import type { Spmc } from './spmc.ts';

/** Whom FFA_FEATURES tells of a call. */
type Audience = (caller: Endpoint) => boolean;
const anybody: Audience = () => true;
const partitions: Audience = (caller) => caller.secure;
const hypervisor: Audience = (caller) => !caller.secure;
const partitionsAtSEl0: Audience = (caller) => caller instanceof Partition && caller.sEl0;
const partitionsWithManyContexts: Audience = (caller) => caller instanceof Partition && caller.vcpus.length > 1;

interface Feature {
  /** The version of the SPMC since which there is the call. */
  readonly since: number;
  readonly audience: Audience;
}

/**
 * Every call that FFA_FEATURES tells of. What it tells does not depend on the caller's version, and is not always what
 * the caller may do: a partition hears of FFA_NOTIFICATION_BITMAP_CREATE, and is refused when it makes that call
 * [Hafnium api.c]. Of FFA_RXTX_MAP and FFA_NOTIFICATION_INFO_GET it tells the 64-bit form alone.
 */
const FUNCTIONS: ReadonlyMap<number, Feature> = new Map([
  ...rows(FFA_VERSION_1_0, anybody, [
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
    FFA_MSG_WAIT,
    FFA_RUN,
    FFA_MSG_SEND_DIRECT_REQ_32,
    FFA_MSG_SEND_DIRECT_REQ_64,
    FFA_MSG_SEND_DIRECT_RESP_32,
    FFA_MSG_SEND_DIRECT_RESP_64,
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
  ...rows(FFA_VERSION_1_0, partitions, [FFA_YIELD]),
  ...rows(FFA_VERSION_1_0, partitionsAtSEl0, [
    FFA_MEM_PERM_GET_32,
    FFA_MEM_PERM_GET_64,
    FFA_MEM_PERM_SET_32,
    FFA_MEM_PERM_SET_64,
  ]),
  ...rows(FFA_VERSION_1_1, anybody, [
    FFA_SPM_ID_GET,
    FFA_MSG_SEND2,
    FFA_NOTIFICATION_BITMAP_CREATE,
    FFA_NOTIFICATION_BITMAP_DESTROY,
    FFA_NOTIFICATION_BIND,
    FFA_NOTIFICATION_UNBIND,
    FFA_NOTIFICATION_SET,
    FFA_NOTIFICATION_GET,
  ]),
  ...rows(FFA_VERSION_1_1, hypervisor, [FFA_RX_ACQUIRE, FFA_NOTIFICATION_INFO_GET_64]),
  ...rows(FFA_VERSION_1_1, partitionsWithManyContexts, [FFA_SECONDARY_EP_REGISTER]),
  ...rows(FFA_VERSION_1_2, anybody, [
    FFA_CONSOLE_LOG_32,
    FFA_CONSOLE_LOG_64,
    FFA_PARTITION_INFO_GET_REGS,
    FFA_MSG_SEND_DIRECT_REQ2,
    FFA_MSG_SEND_DIRECT_RESP2,
  ]),
]);

function rows(since: number, audience: Audience, ids: readonly number[]): [number, Feature][] {
  return ids.map((id) => [id, { since, audience }]);
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
  const input = r.w(2);
  if ((asked & FFA_FEATURES_FUNCTION_ID_BIT) === 0) return getFeatureId(spmc, caller, r, asked, input);
  const feature = FUNCTIONS.get(asked);
  if (feature === undefined || feature.since > spmc.version || !feature.audience(caller)) return FFA_NOT_SUPPORTED;
  if (lacks(spmc.personality, asked)) return FFA_NOT_SUPPORTED;
  switch (asked) {
    case FFA_RXTX_MAP_64: {
      // Before 1.2 the upper half of the answer is zero: one page.
      const pages = caller.version >= FFA_VERSION_1_2 ? spmc.limits.bufferPages : 0;
      return answerSuccess(r, FFA_FEATURES_RXTX_GRANULE_4K | (pages << FFA_FEATURES_RXTX_MAX_PAGES_SHIFT));
    }
    case FFA_MEM_RETRIEVE_REQ_32:
    case FFA_MEM_RETRIEVE_REQ_64:
      // Responses state the NS bit: since 1.1 the caller must say that it knows of it. Other input bits are ignored.
      if (caller.version >= FFA_VERSION_1_1 && (input & FFA_FEATURES_RETRIEVE_NS_BIT_WANTED) === 0) {
        return FFA_NOT_SUPPORTED;
      }
      // w3 is 0: a borrower retrieves once before it relinquishes.
      return answerSuccess(r, FFA_FEATURES_RETRIEVE_NS_BIT | FFA_FEATURES_RETRIEVE_BY_HYPERVISOR);
    default:
      return answerSuccess(r);
  }
}

/** A feature id: the number of its interrupt. Bits of `id` beyond the feature's, and any input, are refused. */
function getFeatureId(spmc: Spmc, caller: Endpoint, r: RegisterFile, id: number, input: number): Result {
  if (input !== 0 || spmc.version < FFA_VERSION_1_1) return FFA_NOT_SUPPORTED;
  const takesInterrupts = caller instanceof Partition && !caller.sEl0;
  switch (id) {
    case FFA_FEATURE_NPI:
      return takesInterrupts ? answerSuccess(r, NOTIFICATION_PENDING_INTERRUPT) : FFA_NOT_SUPPORTED;
    case FFA_FEATURE_MEI:
      return takesInterrupts ? answerSuccess(r, MANAGED_EXIT_INTERRUPT) : FFA_NOT_SUPPORTED;
    case FFA_FEATURE_SRI:
      return caller.secure ? FFA_NOT_SUPPORTED : answerSuccess(r, SCHEDULE_RECEIVER_INTERRUPT);
    default:
      return FFA_NOT_SUPPORTED;
  }
}

export function getId(_spmc: Spmc, caller: Endpoint, r: RegisterFile): Result {
  return answerSuccess(r, caller.id);
}

export function getSpmId(spmc: Spmc, _caller: Endpoint, r: RegisterFile): Result {
  return answerSuccess(r, spmc.id);
}
