// FFA_PARTITION_INFO_GET (descriptors in RX) and FFA_PARTITION_INFO_GET_REGS: one entry for each protocol that a
// partition speaks. What an entry says depends on who asks: the normal world is told what it can do with a partition.

import { FFA_BUSY, FFA_INVALID_PARAMETERS, FFA_NO_MEMORY, FFA_OK, FFA_RETRY } from '../abi/errors.ts';
import { FFA_SUCCESS_64 } from '../abi/function-ids.ts';
import {
  INFO_REGS_CURRENT_INDEX_SHIFT,
  INFO_REGS_DESCRIPTOR_SIZE_HIGH_SHIFT,
  INFO_REGS_FIRST_REGISTER,
  INFO_REGS_MAX_ENTRIES_24,
  INFO_REGS_TAG_SHIFT,
  PARTITION_AARCH64,
  PARTITION_INFO_1_0_SIZE_BYTES,
  PARTITION_INFO_1_1_SIZE_BYTES,
  PARTITION_INFO_EXECUTION_CONTEXTS_OFFSET,
  PARTITION_INFO_GET_FLAG_COUNT_ONLY,
  PARTITION_INFO_ID_OFFSET,
  PARTITION_INFO_PROPERTIES_OFFSET,
  PARTITION_INFO_UUID_OFFSET,
  PARTITION_INFO_VERSION_OFFSET,
  PARTITION_NOTIFICATIONS,
  PARTITION_RECEIVES_DIRECT_REQ2,
  PARTITION_SENDS_DIRECT_REQ,
  PARTITION_SENDS_DIRECT_REQ2,
  PARTITION_VM_CREATED,
  PARTITION_VM_DESTROYED,
} from '../abi/layout/partition-information.ts';
import { isNilUuid, NIL_UUID, type Uuid } from '../abi/uuid.ts';
import { FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../abi/versions.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import { answerSuccess, type Result } from './answers.ts';
import { type Endpoint, RX_EMPTY, RX_FULL } from './endpoint.ts';
import { writeU16, writeU32 } from './little-endian.ts';
import type { Partition } from './partition.ts';
import type { PartitionService } from './partition-setup.ts';
import type { Spmc } from './spmc.ts';
import { SUBSCRIBES_VM_CREATED, SUBSCRIBES_VM_DESTROYED, subscriptions } from './vm-availability.ts';

/** Flags of FFA_PARTITION_INFO_GET that exist. */
const FLAGS_MASK = PARTITION_INFO_GET_FLAG_COUNT_ONLY;

/** FFA_PARTITION_INFO_GET. */
export function getPartitionInfo(spmc: Spmc, caller: Endpoint, r: RegisterFile): Result {
  const uuid: Uuid = [r.w(1), r.w(2), r.w(3), r.w(4)];
  const flags = r.w(5);
  if ((flags & ~FLAGS_MASK) !== 0) return FFA_INVALID_PARAMETERS;
  const entries = spmc.table.find(uuid);
  const count = entries.length;
  if (count === 0) return FFA_INVALID_PARAMETERS;
  if ((flags & PARTITION_INFO_GET_FLAG_COUNT_ONLY) !== 0) return answerSuccess(r, count);
  if (!caller.mapped || caller.rx !== RX_EMPTY) return FFA_BUSY;
  const size = entrySize(spmc, caller);
  if (count * size > caller.bufferPages * PAGE_SIZE_BYTES) return FFA_NO_MEMORY;
  const bytes = spmc.response;
  bytes.fill(0, 0, count * size);
  let at = 0;
  for (const { partition, service } of entries) {
    writeEntry(bytes, at, caller, partition, service, size, isNilUuid(uuid) ? service.uuid : NIL_UUID);
    at += size;
  }
  spmc.writeRx(caller, bytes, at);
  caller.rx = RX_FULL;
  return answerSuccess(r, count, caller.version >= FFA_VERSION_1_1 ? size : 0);
}

function entrySize(spmc: Spmc, caller: Endpoint): number {
  return caller.version >= FFA_VERSION_1_1 ? spmc.personality.partitionInfoSizeBytes : PARTITION_INFO_1_0_SIZE_BYTES;
}

function writeEntry(
  bytes: Uint8Array,
  at: number,
  caller: Endpoint,
  partition: Partition,
  service: PartitionService,
  size: number,
  uuid: Uuid,
): void {
  writeU16(bytes, at + PARTITION_INFO_ID_OFFSET, partition.id);
  writeU16(bytes, at + PARTITION_INFO_EXECUTION_CONTEXTS_OFFSET, partition.vcpus.length);
  writeU32(bytes, at + PARTITION_INFO_PROPERTIES_OFFSET, propertiesFor(caller, partition, service));
  if (size < PARTITION_INFO_1_1_SIZE_BYTES) return;
  for (let word = 0; word < 4; word++) writeU32(bytes, at + PARTITION_INFO_UUID_OFFSET + 4 * word, uuid[word]);
  if (size > PARTITION_INFO_VERSION_OFFSET) writeU32(bytes, at + PARTITION_INFO_VERSION_OFFSET, partition.version);
}

/** What `caller` is told that it can do with the service. */
function propertiesFor(caller: Endpoint, partition: Partition, service: PartitionService): number {
  let properties = service.messagingMethod;
  if (caller.version < FFA_VERSION_1_2) properties &= ~(PARTITION_RECEIVES_DIRECT_REQ2 | PARTITION_SENDS_DIRECT_REQ2);
  // A partition never requests anything of the normal world.
  if (!caller.secure) properties &= ~(PARTITION_SENDS_DIRECT_REQ | PARTITION_SENDS_DIRECT_REQ2);
  if (caller.version < FFA_VERSION_1_1) return properties;
  if (partition.notifications.enabled) properties |= PARTITION_NOTIFICATIONS;
  if (!partition.aarch32) properties |= PARTITION_AARCH64;
  if (!caller.secure) {
    const subscribed = subscriptions(partition);
    if ((subscribed & SUBSCRIBES_VM_CREATED) !== 0) properties |= PARTITION_VM_CREATED;
    if ((subscribed & SUBSCRIBES_VM_DESTROYED) !== 0) properties |= PARTITION_VM_DESTROYED;
  }
  return properties;
}

/** FFA_PARTITION_INFO_GET_REGS: up to five entries in registers; the list never changes, so its tag is 0. */
export function getPartitionInfoRegs(spmc: Spmc, caller: Endpoint, r: RegisterFile): Result {
  const uuid: Uuid = [r.w(1), r.high(1), r.w(2), r.high(2)];
  const start = r.w(3) & 0xffff;
  const tag = r.w(3) >>> INFO_REGS_TAG_SHIFT;
  if (tag !== 0) return FFA_RETRY;
  const entries = spmc.table.find(uuid);
  const count = entries.length;
  if (count === 0 || start >= count) return FFA_INVALID_PARAMETERS;
  r.clear();
  const last = Math.min(count, start + INFO_REGS_MAX_ENTRIES_24) - 1;
  let register = INFO_REGS_FIRST_REGISTER;
  for (let index = start; index <= last; index++) {
    const { partition, service } = entries[index];
    const ids = (partition.id | (partition.vcpus.length << 16)) >>> 0;
    const named = isNilUuid(uuid) ? service.uuid : NIL_UUID;
    r.setWords(register, ids, propertiesFor(caller, partition, service));
    r.setWords(register + 1, named[0], named[1]);
    r.setWords(register + 2, named[2], named[3]);
    register += 3;
  }
  r.setW(0, FFA_SUCCESS_64);
  const indices = ((count - 1) | (last << INFO_REGS_CURRENT_INDEX_SHIFT)) >>> 0;
  r.setWords(2, indices, PARTITION_INFO_1_1_SIZE_BYTES << INFO_REGS_DESCRIPTOR_SIZE_HIGH_SHIFT);
  return FFA_OK;
}
