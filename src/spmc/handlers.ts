// The calls that any endpoint makes and that give the PE back at once, by function id: which of them first copy the
// caller's TX buffer, and what they then do. Calls that hand the PE to somebody else are in door.ts (normal world) and
// partition-door.ts (partitions).

import { FFA_NOT_SUPPORTED } from '../abi/errors.ts';
import {
  FFA_CONSOLE_LOG_32,
  FFA_CONSOLE_LOG_64,
  FFA_FEATURES,
  FFA_ID_GET,
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
  FFA_MEM_SHARE_32,
  FFA_MEM_SHARE_64,
  FFA_MSG_SEND2,
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
  FFA_RX_ACQUIRE,
  FFA_RX_RELEASE,
  FFA_RXTX_MAP_32,
  FFA_RXTX_MAP_64,
  FFA_RXTX_UNMAP,
  FFA_SECONDARY_EP_REGISTER,
  FFA_SPM_ID_GET,
  FFA_VERSION,
  SMC64_BIT,
} from '../abi/function-ids.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import type { Result } from './answers.ts';
import { logToConsole } from './console-log.ts';
import { getFeatures, getId, getSpmId, getVersion } from './discovery.ts';
import type { Endpoint } from './endpoint.ts';
import { fetchFragment, giveFragment, takeFragment } from './fragments.ts';
import { fetchMessage, sendMessage } from './indirect-message.ts';
import { getMemoryPermissions, setMemoryPermissions } from './memory-permissions.ts';
import { fetchRelinquish, reclaimMemory, relinquishMemory } from './memory-reclaim.ts';
import { fetchRetrieve, retrieveMemory } from './memory-retrieve.ts';
import { fetchSend, sendMemory } from './memory-send.ts';
import { getNotificationInfo } from './notification-info.ts';
import {
  bindNotifications,
  createBitmap,
  destroyBitmap,
  getNotifications,
  setNotifications,
  unbindNotifications,
} from './notifications.ts';
import { getPartitionInfo, getPartitionInfoRegs } from './partition-info.ts';
import { lacks, type Personality } from './personality.ts';
import { acquireRx, fetchForwardedBuffers, mapRxTx, releaseRx, unmapRxTx } from './rx-tx.ts';
import { registerSecondaryEntry } from './secondary-entry.ts';
import type { Spmc } from './spmc.ts';
import type { Staging } from './staging.ts';
import { KIND_DONATE, KIND_LEND, KIND_SHARE } from './transaction.ts';

/** Copies what the call needs of the caller's TX; an error ends the call. */
export type Fetch = (spmc: Spmc, caller: Endpoint, r: RegisterFile, staging: Staging) => Result;
/** Does the call; writes the answer unless it returns an error. `peIndex`: the PE that makes it. */
export type Act = (spmc: Spmc, caller: Endpoint, r: RegisterFile, staging: Staging, peIndex: number) => Result;

export interface Handler {
  readonly fetch: Fetch | null;
  readonly act: Act;
}

const HANDLERS: (Handler | undefined)[] = [];

function on(functionIds: readonly number[], fetch: Fetch | null, act: Act): void {
  for (const functionId of functionIds) HANDLERS[indexOf(functionId)] = { fetch, act };
}

/** The function number, and 0x100 more for the 64-bit form. */
function indexOf(functionId: number): number {
  return (functionId & 0xff) + ((functionId & SMC64_BIT) !== 0 ? 0x100 : 0);
}

on([FFA_VERSION], null, getVersion);
on([FFA_FEATURES], null, getFeatures);
on([FFA_ID_GET], null, getId);
on([FFA_SPM_ID_GET], null, getSpmId);
on([FFA_RXTX_MAP_32, FFA_RXTX_MAP_64], fetchForwardedBuffers, mapRxTx);
on([FFA_RXTX_UNMAP], null, unmapRxTx);
on([FFA_RX_RELEASE], null, releaseRx);
on([FFA_RX_ACQUIRE], null, acquireRx);
on([FFA_PARTITION_INFO_GET], null, getPartitionInfo);
on([FFA_PARTITION_INFO_GET_REGS], null, getPartitionInfoRegs);
on([FFA_CONSOLE_LOG_32, FFA_CONSOLE_LOG_64], null, logToConsole);
on([FFA_MEM_PERM_GET_32, FFA_MEM_PERM_GET_64], null, getMemoryPermissions);
on([FFA_MEM_PERM_SET_32, FFA_MEM_PERM_SET_64], null, setMemoryPermissions);
on([FFA_SECONDARY_EP_REGISTER], null, registerSecondaryEntry);
on([FFA_MSG_SEND2], fetchMessage, sendMessage);
on([FFA_MEM_SHARE_32, FFA_MEM_SHARE_64], fetchSend, (spmc, caller, r, staging) =>
  sendMemory(spmc, caller, r, staging, KIND_SHARE),
);
on([FFA_MEM_LEND_32, FFA_MEM_LEND_64], fetchSend, (spmc, caller, r, staging) =>
  sendMemory(spmc, caller, r, staging, KIND_LEND),
);
on([FFA_MEM_DONATE_32, FFA_MEM_DONATE_64], fetchSend, (spmc, caller, r, staging) =>
  sendMemory(spmc, caller, r, staging, KIND_DONATE),
);
on([FFA_MEM_RETRIEVE_REQ_32, FFA_MEM_RETRIEVE_REQ_64], fetchRetrieve, retrieveMemory);
on([FFA_MEM_RELINQUISH], fetchRelinquish, relinquishMemory);
on([FFA_MEM_RECLAIM], null, reclaimMemory);
on([FFA_MEM_FRAG_TX], fetchFragment, takeFragment);
on([FFA_MEM_FRAG_RX], null, giveFragment);
on([FFA_NOTIFICATION_BITMAP_CREATE], null, createBitmap);
on([FFA_NOTIFICATION_BITMAP_DESTROY], null, destroyBitmap);
on([FFA_NOTIFICATION_BIND], null, bindNotifications);
on([FFA_NOTIFICATION_UNBIND], null, unbindNotifications);
on([FFA_NOTIFICATION_SET], null, setNotifications);
on([FFA_NOTIFICATION_GET], null, getNotifications);
on([FFA_NOTIFICATION_INFO_GET_32, FFA_NOTIFICATION_INFO_GET_64], null, getNotificationInfo);

const ABSENT: Handler = { fetch: null, act: () => FFA_NOT_SUPPORTED };

/** The handlers of an SPMC that lacks some functions: these answer NOT_SUPPORTED. */
export function handlersWithout(personality: Personality): (functionId: number) => Handler | undefined {
  return (functionId) => (lacks(personality, functionId) ? ABSENT : handlerOf(functionId));
}

/** The handler of a function id, or undefined: no such call, or one that is not made here. */
export function handlerOf(functionId: number): Handler | undefined {
  const base = functionId & 0xbfffff00;
  return base === (0x84000000 | 0) ? HANDLERS[indexOf(functionId)] : undefined;
}
