// Partition information in registers: the answer to FFA_PARTITION_INFO_GET_REGS.
//
// x2 says where in the whole list these entries are, and how long each is; they follow from x3 to x17. An entry of 24
// bytes takes 3 registers, so that 5 fit; one of 48 bytes takes 6, so that 2 fit. A client strides by the size that is
// stated.
//
// Sources: [Hafnium api.c], [Xen ffa_partinfo.c], [Linux arm_ffa].

import { assert } from '../base/assert.ts';
import type { Decoded, Fault, FaultKind } from './fault.ts';
import { FFA_SUCCESS_64 } from './function-ids.ts';
import * as layout from './layout/partition-information.ts';
import type { PartitionInformation } from './partition-information.ts';
import type { Uuid } from './uuid.ts';

export interface PartitionInformationRegisters {
  /** Index of the last entry that there is. */
  readonly lastIndex: number;
  /** Index of the last entry in this answer. */
  readonly currentIndex: number;
  /** Changes when the list does: 16 bits. */
  readonly tag: number;
  /** Size of an entry: 24, 48, or another multiple of 8. */
  readonly sizeBytes: number;
  readonly partitions: readonly PartitionInformation[];
}

const REGISTER_BYTES = 8;
const ENTRY_REGISTERS = layout.INFO_REGS_LAST_REGISTER - layout.INFO_REGS_FIRST_REGISTER + 1;

/** Entries of that size that one answer holds at most. */
export function partitionsPerAnswer(sizeBytes: number): number {
  return Math.floor(ENTRY_REGISTERS / (sizeBytes / REGISTER_BYTES));
}

/** Decodes the answer to a call that asked for entries from `startIndex` on. */
export function decodePartitionInformationRegisters(
  words: Uint32Array,
  startIndex: number,
): Decoded<PartitionInformationRegisters> {
  if (words[0] !== FFA_SUCCESS_64) {
    return faultAt('function', 'w0', 0, `0x${words[0].toString(16)}`, 'must be FFA_SUCCESS_64');
  }
  const lastIndex = words[4] & 0xffff;
  const currentIndex = words[4] >>> layout.INFO_REGS_CURRENT_INDEX_SHIFT;
  const tag = words[5] & 0xffff;
  const sizeBytes = words[5] >>> layout.INFO_REGS_DESCRIPTOR_SIZE_HIGH_SHIFT;
  if (sizeBytes < layout.PARTITION_INFO_1_1_SIZE_BYTES || sizeBytes % REGISTER_BYTES !== 0) {
    return faultAt('size-unsupported', 'x2[63:48]', 22, String(sizeBytes), 'must be a multiple of 8, 24 or more');
  }
  if (currentIndex < startIndex || currentIndex > lastIndex) {
    const rule = `must be ${startIndex} to ${lastIndex}`;
    return faultAt('count-mismatch', 'x2[31:16]', 18, String(currentIndex), rule);
  }
  const count = currentIndex - startIndex + 1;
  const most = partitionsPerAnswer(sizeBytes);
  if (count > most) {
    const rule = `${count} entries of ${sizeBytes} bytes: the registers hold ${most}`;
    return faultAt('count-outside', 'x2[31:16]', 18, String(currentIndex), rule);
  }
  const partitions: PartitionInformation[] = [];
  for (let n = 0; n < count; n++) partitions.push(readEntry(words, entryWord(n, sizeBytes), sizeBytes));
  return { ok: true, value: { lastIndex, currentIndex, tag, sizeBytes, partitions }, fields: [] };
}

/** Writes the whole answer; registers that no entry takes become zero. */
export function encodePartitionInformationRegisters(value: PartitionInformationRegisters, words: Uint32Array): void {
  const { currentIndex, lastIndex, partitions, sizeBytes, tag } = value;
  assert(sizeBytes % REGISTER_BYTES === 0, 'an entry takes whole registers');
  assert(sizeBytes >= layout.PARTITION_INFO_1_1_SIZE_BYTES, 'an entry has a UUID');
  assert(partitions.length <= partitionsPerAnswer(sizeBytes), 'the entries fit the registers');
  words.fill(0);
  words[0] = FFA_SUCCESS_64;
  words[4] = lastIndex | (currentIndex << layout.INFO_REGS_CURRENT_INDEX_SHIFT);
  words[5] = tag | (sizeBytes << layout.INFO_REGS_DESCRIPTOR_SIZE_HIGH_SHIFT);
  for (let n = 0; n < partitions.length; n++) writeEntry(words, entryWord(n, sizeBytes), sizeBytes, partitions[n]);
}

/** Index of the first word of entry `n`. */
function entryWord(n: number, sizeBytes: number): number {
  return 2 * layout.INFO_REGS_FIRST_REGISTER + (n * sizeBytes) / 4;
}

// Entries are the bytes of the descriptor, packed into registers from the low end.
function readEntry(words: Uint32Array, at: number, sizeBytes: number): PartitionInformation {
  const partition = {
    id: words[at] & 0xffff,
    executionContexts: words[at] >>> 16,
    properties: words[at + 1],
    uuid: readUuid(words, at + layout.PARTITION_INFO_UUID_OFFSET / 4),
  };
  if (sizeBytes < layout.PARTITION_INFO_1_3_SIZE_BYTES) return partition;
  const uuid = readUuid(words, at + layout.PARTITION_INFO_IMAGE_UUID_OFFSET / 4);
  return { ...partition, image: { uuid, version: words[at + layout.PARTITION_INFO_VERSION_OFFSET / 4] } };
}

function writeEntry(words: Uint32Array, at: number, sizeBytes: number, partition: PartitionInformation): void {
  words[at] = partition.id | (partition.executionContexts << 16);
  words[at + 1] = partition.properties;
  words.set(partition.uuid, at + layout.PARTITION_INFO_UUID_OFFSET / 4);
  if (sizeBytes < layout.PARTITION_INFO_1_3_SIZE_BYTES || partition.image === undefined) return;
  words.set(partition.image.uuid, at + layout.PARTITION_INFO_IMAGE_UUID_OFFSET / 4);
  words[at + layout.PARTITION_INFO_VERSION_OFFSET / 4] = partition.image.version;
}

function readUuid(words: Uint32Array, at: number): Uuid {
  return [words[at], words[at + 1], words[at + 2], words[at + 3]];
}

function faultAt(kind: FaultKind, path: string, offset: number, found: string, rule: string): Decoded<never> {
  const fault: Fault = { kind, path, offset, found, rule };
  return { ok: false, fault, fields: [] };
}
