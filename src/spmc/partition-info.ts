// FFA_PARTITION_INFO_GET (descriptors in RX) and FFA_PARTITION_INFO_GET_REGS: one entry for each protocol that a
// partition speaks. What an entry says depends on who asks: the normal world is told what it can do with a partition.

import { FFA_BUSY, FFA_INVALID_PARAMETERS, FFA_NO_MEMORY, FFA_OK, FFA_RETRY } from '../abi/errors.ts';
import { FFA_SUCCESS_64 } from '../abi/function-ids.ts';
import {
  INFO_REGS_CURRENT_INDEX_SHIFT,
  INFO_REGS_DESCRIPTOR_SIZE_HIGH_SHIFT,
  INFO_REGS_FIRST_REGISTER,
  INFO_REGS_LAST_REGISTER,
  INFO_REGS_TAG_SHIFT,
  PARTITION_AARCH64,
  PARTITION_INDIRECT_MESSAGES,
  PARTITION_INFO_1_0_SIZE_BYTES,
  PARTITION_INFO_1_1_SIZE_BYTES,
  PARTITION_INFO_EXECUTION_CONTEXTS_OFFSET,
  PARTITION_INFO_GET_FLAG_COUNT_ONLY,
  PARTITION_INFO_ID_OFFSET,
  PARTITION_INFO_PROPERTIES_OFFSET,
  PARTITION_INFO_UUID_OFFSET,
  PARTITION_INFO_VERSION_OFFSET,
  PARTITION_NOTIFICATIONS,
  PARTITION_RECEIVES_DIRECT_REQ,
  PARTITION_RECEIVES_DIRECT_REQ2,
  PARTITION_SENDS_DIRECT_REQ,
  PARTITION_SENDS_DIRECT_REQ2,
  PARTITION_VM_CREATED,
  PARTITION_VM_DESTROYED,
} from '../abi/layout/partition-information.ts';
import { isNilUuid, NIL_UUID, sameUuid, type Uuid } from '../abi/uuid.ts';
import { FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../abi/versions.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import { answerSuccess, type Result } from './answers.ts';
import { type Endpoint, RX_EMPTY, RX_FULL } from './endpoint.ts';
import { writeU16, writeU32 } from './little-endian.ts';
import type { Partition } from './partition.ts';
import type { PartitionService } from './partition-setup.ts';
import type { TableEntry } from './partition-table.ts';
import type { Spmc } from './spmc.ts';
import { SUBSCRIBES_VM_CREATED, SUBSCRIBES_VM_DESTROYED, subscriptions } from './vm-availability.ts';

/** Flags of FFA_PARTITION_INFO_GET that exist. */
const FLAGS_MASK = PARTITION_INFO_GET_FLAG_COUNT_ONLY;
/** Properties that the layout of 1.0 has: direct requests received and sent, indirect messages. */
const PROPERTIES_1_0 = PARTITION_RECEIVES_DIRECT_REQ | PARTITION_SENDS_DIRECT_REQ | PARTITION_INDIRECT_MESSAGES;
const REGISTER_SIZE_BYTES = 8;
const NO_LOGICAL_PARTITIONS: readonly never[] = [];

/** One entry that a caller is told of: a service of a partition, or a logical partition. */
interface Listed {
  readonly id: number;
  readonly contextCount: number;
  readonly properties: number;
  /** FF-A version of the partition. */
  readonly version: number;
  readonly uuid: Uuid;
}

/**
 * FFA_PARTITION_INFO_GET. Descriptors go to RX in the caller's layout, and nothing else does: a caller of 1.0 gets 8
 * bytes each, a later one what the SPMC has, and reads their size from the answer.
 */
export function getPartitionInfo(spmc: Spmc, caller: Endpoint, r: RegisterFile): Result {
  const uuid: Uuid = [r.w(1), r.w(2), r.w(3), r.w(4)];
  const flags = r.w(5);
  if ((flags & ~FLAGS_MASK) !== 0) return FFA_INVALID_PARAMETERS;
  const entries = entriesFor(spmc, caller, uuid);
  const count = entries.length;
  if (count === 0) return FFA_INVALID_PARAMETERS;
  if ((flags & PARTITION_INFO_GET_FLAG_COUNT_ONLY) !== 0) return answerSuccess(r, count);
  if (!caller.mapped) return FFA_BUSY;
  const size = entrySize(spmc, caller);
  if (count * size > caller.bufferPages * PAGE_SIZE_BYTES) return FFA_NO_MEMORY;
  if (caller.rx !== RX_EMPTY) return FFA_BUSY;
  const bytes = spmc.response;
  bytes.fill(0, 0, count * size);
  // A caller that asked for one UUID knows it.
  const named = isNilUuid(uuid);
  for (let n = 0; n < count; n++) writeEntry(bytes, n * size, size, listed(caller, entries[n]), named);
  spmc.writeRx(caller, bytes, count * size);
  caller.rx = RX_FULL;
  // The size is stated whatever the caller's version [Hafnium api.c].
  return answerSuccess(r, count, size);
}

/** What the caller may be told of `uuid`. Before 1.2 a partition has one UUID: it is listed once, by its first. */
function entriesFor(spmc: Spmc, caller: Endpoint, uuid: Uuid): readonly TableEntry[] {
  return caller.version >= FFA_VERSION_1_2 ? spmc.table.find(uuid) : spmc.table.findFirst(uuid);
}

function entrySize(spmc: Spmc, caller: Endpoint): number {
  return caller.version >= FFA_VERSION_1_1 ? spmc.personality.partitionInfoSizeBytes : PARTITION_INFO_1_0_SIZE_BYTES;
}

function listed(caller: Endpoint, { partition, service }: TableEntry): Listed {
  return {
    id: partition.id,
    contextCount: partition.vcpus.length,
    properties: propertiesFor(caller, partition, service),
    version: partition.version,
    uuid: service.uuid,
  };
}

function writeEntry(bytes: Uint8Array, at: number, size: number, entry: Listed, named: boolean): void {
  writeU16(bytes, at + PARTITION_INFO_ID_OFFSET, entry.id);
  writeU16(bytes, at + PARTITION_INFO_EXECUTION_CONTEXTS_OFFSET, entry.contextCount);
  writeU32(bytes, at + PARTITION_INFO_PROPERTIES_OFFSET, entry.properties);
  if (size < PARTITION_INFO_1_1_SIZE_BYTES) return;
  const uuid = named ? entry.uuid : NIL_UUID;
  for (let word = 0; word < 4; word++) writeU32(bytes, at + PARTITION_INFO_UUID_OFFSET + 4 * word, uuid[word]);
  if (size > PARTITION_INFO_VERSION_OFFSET) writeU32(bytes, at + PARTITION_INFO_VERSION_OFFSET, entry.version);
}

/**
 * What `caller` is told that it can do with the service: what the partition's own version knows of, cut to what the
 * layout of 1.0 has room for.
 */
function propertiesFor(caller: Endpoint, partition: Partition, service: PartitionService): number {
  const method = service.messagingMethod;
  let shown = PARTITION_RECEIVES_DIRECT_REQ;
  // A partition never requests anything of the normal world.
  if (caller.secure) shown |= PARTITION_SENDS_DIRECT_REQ;
  if (partition.version >= FFA_VERSION_1_1) shown |= PARTITION_INDIRECT_MESSAGES;
  if (partition.version >= FFA_VERSION_1_2) {
    shown |= PARTITION_RECEIVES_DIRECT_REQ2;
    if (caller.secure) shown |= PARTITION_SENDS_DIRECT_REQ2;
  }
  let properties = method & shown;
  if (!partition.aarch32) properties |= PARTITION_AARCH64;
  if (partition.version >= FFA_VERSION_1_1 && partition.notifications.enabled) properties |= PARTITION_NOTIFICATIONS;
  if (!caller.secure && (properties & PARTITION_RECEIVES_DIRECT_REQ) !== 0) {
    const subscribed = subscriptions(partition);
    if ((subscribed & SUBSCRIBES_VM_CREATED) !== 0) properties |= PARTITION_VM_CREATED;
    if ((subscribed & SUBSCRIBES_VM_DESTROYED) !== 0) properties |= PARTITION_VM_DESTROYED;
  }
  return caller.version >= FFA_VERSION_1_1 ? properties : properties & PROPERTIES_1_0;
}

/**
 * FFA_PARTITION_INFO_GET_REGS: as many entries as the registers hold, from the one asked for; the list never changes,
 * so its tag is 0. A partition is told of logical partitions too, which no buffer lists.
 */
export function getPartitionInfoRegs(spmc: Spmc, caller: Endpoint, r: RegisterFile): Result {
  const uuid: Uuid = [r.w(1), r.high(1), r.w(2), r.high(2)];
  const start = r.w(3) & 0xffff;
  const tag = r.w(3) >>> INFO_REGS_TAG_SHIFT;
  if (tag !== 0) return FFA_RETRY;
  const entries = entriesFor(spmc, caller, uuid);
  const logical = caller.secure ? logicalPartitions(spmc, uuid) : NO_LOGICAL_PARTITIONS;
  const count = entries.length + logical.length;
  if (start >= count) return FFA_INVALID_PARAMETERS;
  const size = spmc.personality.partitionInfoSizeBytes;
  const stride = size / REGISTER_SIZE_BYTES;
  const most = Math.floor((INFO_REGS_LAST_REGISTER + 1 - INFO_REGS_FIRST_REGISTER) / stride);
  const last = Math.min(count, start + most) - 1;
  const named = isNilUuid(uuid);
  r.clear();
  for (let index = start, register = INFO_REGS_FIRST_REGISTER; index <= last; index++, register += stride) {
    const fromTable = index < entries.length;
    const entry = fromTable ? listed(caller, entries[index]) : logical[index - entries.length];
    r.setWords(register, (entry.id | (entry.contextCount << 16)) >>> 0, entry.properties);
    if (named) {
      r.setWords(register + 1, entry.uuid[0], entry.uuid[1]);
      r.setWords(register + 2, entry.uuid[2], entry.uuid[3]);
    }
    if (size > PARTITION_INFO_VERSION_OFFSET) {
      r.setWords(register + PARTITION_INFO_VERSION_OFFSET / REGISTER_SIZE_BYTES, entry.version, 0);
    }
  }
  r.setW(0, FFA_SUCCESS_64);
  const indices = ((count - 1) | (last << INFO_REGS_CURRENT_INDEX_SHIFT)) >>> 0;
  r.setWords(2, indices, size << INFO_REGS_DESCRIPTOR_SIZE_HIGH_SHIFT);
  return FFA_OK;
}

function logicalPartitions(spmc: Spmc, uuid: Uuid): readonly Listed[] {
  const all = spmc.options.logicalPartitions ?? NO_LOGICAL_PARTITIONS;
  const found = isNilUuid(uuid) ? all : all.filter((partition) => sameUuid(partition.uuid, uuid));
  return found.map(({ id, properties, uuid: own }) => {
    return { id, contextCount: 1, properties, version: spmc.version, uuid: own };
  });
}
