// Looks for a usable SPMC at boot: version, functions, the hypervisor's own RX/TX, the list of partitions, the
// schedule-receiver interrupt. Fills `hypervisor.secure`.
//
// Two generations. The first speaks 1.1 only, demands every function that it will ever use, keeps what it mapped when
// it gives up, and trusts the listing. The second asks what there is and does with less, checks the listing, keeps only
// secure ids, and unmaps again when it gives up. [Xen ffa.c] [Xen 7356bb5e47] [Xen 4992308e97]

import { isSecureEndpoint } from '../abi/endpoint-ids.ts';
import { FFA_OK } from '../abi/errors.ts';
import { FFA_FEATURE_SRI } from '../abi/features.ts';
import {
  FFA_FEATURES,
  FFA_MEM_RECLAIM,
  FFA_MEM_SHARE_32,
  FFA_MEM_SHARE_64,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_REQ_64,
  FFA_MSG_SEND_DIRECT_REQ2,
  FFA_MSG_SEND2,
  FFA_NOTIFICATION_BITMAP_CREATE,
  FFA_NOTIFICATION_BITMAP_DESTROY,
  FFA_NOTIFICATION_GET,
  FFA_NOTIFICATION_INFO_GET_64,
  FFA_PARTITION_INFO_GET,
  FFA_RUN,
  FFA_RX_ACQUIRE,
  FFA_RX_RELEASE,
  FFA_RXTX_MAP_64,
  FFA_RXTX_UNMAP,
  FFA_SUCCESS_32,
  FFA_VERSION,
} from '../abi/function-ids.ts';
import {
  PARTITION_INFO_1_1_SIZE_BYTES,
  PARTITION_INFO_EXECUTION_CONTEXTS_OFFSET,
  PARTITION_INFO_ID_OFFSET,
  PARTITION_INFO_PROPERTIES_OFFSET,
  PARTITION_INFO_UUID_OFFSET,
} from '../abi/layout/partition-information.ts';
import { FFA_VERSION_1_1, FFA_VERSION_1_2, versionMajor, versionMinor } from '../abi/versions.ts';
import type { Coroutine } from '../base/coroutine.ts';
import { type FrameNumber, PAGE_SIZE_BYTES } from '../base/units.ts';
import { OWNER_HYPERVISOR } from '../hardware/frames.ts';
import type { Pe } from '../hardware/pe.ts';
import type { Hypervisor } from './hypervisor.ts';
import { type KnownPartition, type SecureWorld, SMCCC_VERSION_1_2 } from './secure-world.ts';
import { answerCode, callSimply, prepareCall } from './spmc-answer.ts';

/** What the first generation demands, in the order in which it asks. [Xen 7356bb5e47] */
const DEMANDED_FUNCTIONS: readonly number[] = [
  FFA_PARTITION_INFO_GET,
  FFA_RX_RELEASE,
  FFA_RXTX_MAP_64,
  FFA_MEM_SHARE_64,
  FFA_RXTX_UNMAP,
  FFA_MEM_SHARE_32,
  FFA_MEM_RECLAIM,
  FFA_MSG_SEND_DIRECT_REQ_32,
];

/** What the second generation asks for, in its order. [Xen ffa.c] */
const ASKED_FUNCTIONS: readonly number[] = [
  FFA_VERSION,
  FFA_FEATURES,
  FFA_NOTIFICATION_BITMAP_CREATE,
  FFA_NOTIFICATION_BITMAP_DESTROY,
  FFA_PARTITION_INFO_GET,
  FFA_NOTIFICATION_INFO_GET_64,
  FFA_NOTIFICATION_GET,
  FFA_RX_ACQUIRE,
  FFA_RX_RELEASE,
  FFA_RXTX_MAP_64,
  FFA_RXTX_UNMAP,
  FFA_MEM_SHARE_64,
  FFA_MEM_RECLAIM,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_REQ_64,
  FFA_MSG_SEND2,
  FFA_MSG_SEND_DIRECT_REQ2,
  FFA_RUN,
];

/** What notifications need of the SPMC. */
const NOTIFICATION_FUNCTIONS: readonly number[] = [
  FFA_NOTIFICATION_BITMAP_CREATE,
  FFA_NOTIFICATION_BITMAP_DESTROY,
  FFA_NOTIFICATION_GET,
  FFA_NOTIFICATION_INFO_GET_64,
];

const OWN_BUFFER_PAGES = 1;
/** Interrupt ids from here on are special to the interrupt controller. */
const INTERRUPT_END = 1020;

/** First generation: FF-A 1.1 exactly, with all of DEMANDED_FUNCTIONS. */
export function* probeDemanding(hypervisor: Hypervisor, pe: Pe): Coroutine<boolean> {
  const { secure } = hypervisor;
  if (secure.smcccVersion < SMCCC_VERSION_1_2) return false;
  const version = yield* askVersion(secure, pe, FFA_VERSION_1_1);
  if (version !== FFA_VERSION_1_1) return false;
  secure.version = version;
  for (const functionId of DEMANDED_FUNCTIONS) {
    if ((yield* callSimply(secure, pe, 0, FFA_FEATURES, functionId)) !== FFA_OK) return false;
    secure.functions.add(functionId);
  }
  if (!(yield* mapOwnBuffers(hypervisor, pe))) return false;
  const listed = (yield* callSimply(secure, pe, 0, FFA_PARTITION_INFO_GET)) === FFA_OK;
  const count = pe.smc.w(2);
  const usable = listed && count <= hypervisor.limits.partitionCountMax;
  if (usable) {
    secure.partitionInfoSizeBytes = pe.smc.w(3);
    // Whatever size the SPMC states, its entries are taken to follow each other at the size that 1.1 defines.
    secure.partitions = readPartitions(hypervisor, count, PARTITION_INFO_1_1_SIZE_BYTES);
  }
  // RX is given back whether or not the query succeeded.
  yield* callSimply(secure, pe, 0, FFA_RX_RELEASE);
  return usable;
}

/**
 * Second generation: FF-A 1.1 or later of major version 1, with what the SPMC says that it has. Without such an SPMC,
 * FF-A is usable all the same where VMs see each other.
 */
export function* probeAsking(hypervisor: Hypervisor, pe: Pe): Coroutine<boolean> {
  const { secure } = hypervisor;
  if (yield* findSpmc(hypervisor, pe)) {
    yield* askScheduleReceiver(secure, pe);
    return true;
  }
  secure.version = 0;
  secure.functions.clear();
  return hypervisor.vmsSeeVms;
}

function* findSpmc(hypervisor: Hypervisor, pe: Pe): Coroutine<boolean> {
  const { secure } = hypervisor;
  if (secure.smcccVersion < SMCCC_VERSION_1_2) return false;
  const version = yield* askVersion(secure, pe, FFA_VERSION_1_2);
  if (versionMajor(version) !== 1 || versionMinor(version) < 1) return false;
  secure.version = versionMinor(version) === 1 ? FFA_VERSION_1_1 : FFA_VERSION_1_2;
  for (const functionId of ASKED_FUNCTIONS) {
    if ((yield* callSimply(secure, pe, 0, FFA_FEATURES, functionId)) === FFA_OK) secure.functions.add(functionId);
  }
  // Hafnium up to 2.14 has FFA_RX_ACQUIRE and does not say so; with indirect messages it is taken for granted.
  if (secure.has(FFA_MSG_SEND2)) secure.functions.add(FFA_RX_ACQUIRE);
  if (!secure.has(FFA_RXTX_MAP_64)) return false;
  if ((yield* mapOwnBuffers(hypervisor, pe)) && (yield* learnPartitions(hypervisor, pe))) return true;
  yield* callSimply(secure, pe, 0, FFA_RXTX_UNMAP);
  return false;
}

/** w0 of the answer: a version, or what is none. */
function* askVersion(secure: SecureWorld, pe: Pe, version: number): Coroutine<number> {
  yield* callSimply(secure, pe, 0, FFA_VERSION, version);
  return pe.smc.w(0);
}

/** One page each for the hypervisor's own RX and TX. They stay allocated, whatever the SPMC answers. */
function* mapOwnBuffers(hypervisor: Hypervisor, pe: Pe): Coroutine<boolean> {
  const { secure } = hypervisor;
  secure.rxFrame = ownPage(hypervisor);
  secure.txFrame = ownPage(hypervisor);
  if (secure.rxFrame < 0 || secure.txFrame < 0) return false;
  prepareCall(pe, FFA_RXTX_MAP_64, 0, 0, OWN_BUFFER_PAGES);
  pe.smc.setX(1, secure.txFrame * PAGE_SIZE_BYTES);
  pe.smc.setX(2, secure.rxFrame * PAGE_SIZE_BYTES);
  const pending = secure.call(pe, 0);
  if (pending !== null) yield* pending;
  return answerCode(pe.smc) === FFA_OK;
}

function ownPage(hypervisor: Hypervisor): FrameNumber {
  return hypervisor.machine.frames.allocate(1, OWNER_HYPERVISOR);
}

/** Keeps the SPMC's list of partitions; false when there is none or it cannot be believed. */
function* learnPartitions(hypervisor: Hypervisor, pe: Pe): Coroutine<boolean> {
  const { secure } = hypervisor;
  if (!secure.has(FFA_PARTITION_INFO_GET) || !secure.has(FFA_MSG_SEND_DIRECT_REQ_32)) return false;
  if ((yield* callSimply(secure, pe, 0, FFA_PARTITION_INFO_GET)) !== FFA_OK) return false;
  const count = pe.smc.w(2);
  const sizeBytes = pe.smc.w(3);
  const believable =
    sizeBytes >= PARTITION_INFO_1_1_SIZE_BYTES &&
    sizeBytes < PAGE_SIZE_BYTES &&
    count * sizeBytes <= PAGE_SIZE_BYTES &&
    count <= hypervisor.limits.partitionCountMax;
  if (believable) {
    secure.partitionInfoSizeBytes = sizeBytes;
    secure.partitions = readPartitions(hypervisor, count, sizeBytes).filter((partition) =>
      isSecureEndpoint(partition.id),
    );
  }
  yield* callSimply(secure, pe, 0, FFA_RX_RELEASE);
  return believable;
}

/** The entries in RX; those that would lie beyond the page are not there. */
function readPartitions(hypervisor: Hypervisor, count: number, strideBytes: number): KnownPartition[] {
  const page = new Uint8Array(PAGE_SIZE_BYTES + PARTITION_INFO_1_1_SIZE_BYTES);
  hypervisor.machine.frames.contents.read(hypervisor.secure.rxFrame * PAGE_SIZE_BYTES, page, 0, PAGE_SIZE_BYTES);
  const view = new DataView(page.buffer);
  const partitions: KnownPartition[] = [];
  for (let n = 0, at = 0; n < count && at < PAGE_SIZE_BYTES; n++, at += strideBytes) {
    partitions.push({
      id: view.getUint16(at + PARTITION_INFO_ID_OFFSET, true),
      contextCount: view.getUint16(at + PARTITION_INFO_EXECUTION_CONTEXTS_OFFSET, true),
      properties: view.getUint32(at + PARTITION_INFO_PROPERTIES_OFFSET, true),
      uuid: page.slice(at + PARTITION_INFO_UUID_OFFSET, at + PARTITION_INFO_UUID_OFFSET + 16),
    });
  }
  return partitions;
}

/** Notifications pass only if the SPMC has all of their functions and names an interrupt that can be taken. */
function* askScheduleReceiver(secure: SecureWorld, pe: Pe): Coroutine {
  for (const functionId of NOTIFICATION_FUNCTIONS) if (!secure.has(functionId)) return;
  yield* callSimply(secure, pe, 0, FFA_FEATURES, FFA_FEATURE_SRI);
  if (pe.smc.w(0) !== FFA_SUCCESS_32 || pe.smc.high(0) !== 0) return;
  const interrupt = pe.smc.w(2);
  if (interrupt < INTERRUPT_END) secure.scheduleReceiverInterrupt = interrupt;
}
