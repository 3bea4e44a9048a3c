// Partition information as FFA_PARTITION_INFO_GET leaves it in RX: an array of descriptors of 8 bytes (1.0), 24 bytes
// (1.1, 1.2), 48 bytes (1.3), or what the peer states. The register form is in `partition-information-registers.ts`.
//
// A peer may answer a 1.1 caller with 48 bytes each: always stride by the size that it states in w3.
//
// Sources: [Hafnium api.c], [Linux arm_ffa], [arm-ffa crate].

import { assert } from '../base/assert.ts';
import { DescriptorReader, decimal, hex } from './descriptor-reader.ts';
import { formatEndpointId } from './endpoint-ids.ts';
import type { Decoded, DecodeOptions } from './fault.ts';
import * as layout from './layout/partition-information.ts';
import { NIL_UUID, type Uuid } from './uuid.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_3, formatVersion } from './versions.ts';

export interface PartitionInformation {
  readonly id: number;
  /** Number of execution contexts (or, of an auxiliary id, the partition that it stands for). */
  readonly executionContexts: number;
  /** 32 bits: `PARTITION_...`. */
  readonly properties: number;
  /** Nil in a descriptor of 8 bytes, and where the caller asked for one UUID. */
  readonly uuid: Uuid;
  /** What only a descriptor of 48 bytes has. */
  readonly image?: PartitionImage;
}

export interface PartitionImage {
  readonly uuid: Uuid;
  /** The partition's own FF-A version. */
  readonly version: number;
}

const PROPERTY_NAMES: readonly (readonly [bit: number, name: string])[] = [
  [layout.PARTITION_RECEIVES_DIRECT_REQ, 'receives direct requests'],
  [layout.PARTITION_SENDS_DIRECT_REQ, 'sends direct requests'],
  [layout.PARTITION_INDIRECT_MESSAGES, 'indirect messages'],
  [layout.PARTITION_NOTIFICATIONS, 'notifications'],
  [layout.PARTITION_VM_CREATED, 'told of VMs created'],
  [layout.PARTITION_VM_DESTROYED, 'told of VMs destroyed'],
  [layout.PARTITION_AARCH64, 'AArch64'],
  [layout.PARTITION_RECEIVES_DIRECT_REQ2, 'receives direct requests 2'],
  [layout.PARTITION_SENDS_DIRECT_REQ2, 'sends direct requests 2'],
  [layout.PARTITION_LIVE_ACTIVATION, 'live activation'],
  [layout.PARTITION_CPU_RENDEZVOUS, 'CPU rendezvous'],
  [layout.PARTITION_SMC64_CYCLE_MANAGEMENT, 'SMC64 cycle management'],
];

const ID_TYPES = ['', 'SEPID independent', 'SEPID dependent', 'auxiliary id'];

/** `0x43 receives direct requests, sends direct requests, told of VMs created`. */
export function formatPartitionProperties(properties: number): string {
  const words: string[] = [];
  for (const [bit, name] of PROPERTY_NAMES) if ((properties & bit) !== 0) words.push(name);
  const idType = (properties & layout.PARTITION_ID_TYPE_MASK) >>> layout.PARTITION_ID_TYPE_SHIFT;
  if (idType !== 0) words.push(ID_TYPES[idType]);
  return words.length === 0 ? hex(properties) : `${hex(properties)} ${words.join(', ')}`;
}

/** Size of the descriptors that an endpoint of that version expects at least. */
export function partitionInformationBytes(version: number): number {
  if (version === FFA_VERSION_1_0) return layout.PARTITION_INFO_1_0_SIZE_BYTES;
  return version >= FFA_VERSION_1_3 ? layout.PARTITION_INFO_1_3_SIZE_BYTES : layout.PARTITION_INFO_1_1_SIZE_BYTES;
}

/**
 * Decodes `count` descriptors of `sizeBytes` each (w2 and w3 of FFA_PARTITION_INFO_GET; in 1.0 w3 says nothing: give
 * 8). Of a size in between, the fields that it has room for are read.
 */
export function decodePartitionInformation(
  view: DataView,
  count: number,
  sizeBytes: number,
  options?: DecodeOptions,
): Decoded<readonly PartitionInformation[]> {
  const reader = new DescriptorReader(view, options);
  if (sizeBytes < layout.PARTITION_INFO_1_0_SIZE_BYTES) {
    reader.fail('size-unsupported', 'size', 0, decimal(sizeBytes), 'must be 8 or more');
  } else if (count * sizeBytes > reader.sizeBytes) {
    const rule = `${count} descriptors of ${sizeBytes} bytes do not fit ${reader.sizeBytes} bytes`;
    reader.fail('count-outside', 'count', 0, decimal(count), rule);
  }
  const list: PartitionInformation[] = [];
  for (let n = 0; n < count && reader.fault === null; n++) {
    reader.enter('partitions', n);
    list.push(readPartition(reader, n * sizeBytes, sizeBytes));
    reader.leave();
  }
  return reader.result(list);
}

/** Encodes descriptors of 8, 24, 48 or more bytes each; what a size has no room for is left out. */
export function encodePartitionInformation(list: readonly PartitionInformation[], sizeBytes: number): Uint8Array {
  assert(sizeBytes >= layout.PARTITION_INFO_1_0_SIZE_BYTES, 'a partition information descriptor has 8 bytes or more');
  const bytes = new Uint8Array(list.length * sizeBytes);
  const view = new DataView(bytes.buffer);
  for (let n = 0; n < list.length; n++) writePartition(view, n * sizeBytes, sizeBytes, list[n]);
  return bytes;
}

function readPartition(reader: DescriptorReader, at: number, sizeBytes: number): PartitionInformation {
  const id = reader.u16('id', at + layout.PARTITION_INFO_ID_OFFSET, formatEndpointId);
  const contextsOffset = at + layout.PARTITION_INFO_EXECUTION_CONTEXTS_OFFSET;
  const executionContexts = reader.u16('executionContexts', contextsOffset, decimal);
  const propertiesOffset = at + layout.PARTITION_INFO_PROPERTIES_OFFSET;
  const properties = reader.u32('properties', propertiesOffset, formatPartitionProperties);
  const hasUuid = sizeBytes >= layout.PARTITION_INFO_1_1_SIZE_BYTES;
  const uuid = hasUuid ? reader.uuid('uuid', at + layout.PARTITION_INFO_UUID_OFFSET) : NIL_UUID;
  const partition = { id, executionContexts, properties, uuid };
  if (sizeBytes < layout.PARTITION_INFO_1_3_SIZE_BYTES) return partition;
  const imageUuid = reader.uuid('image.uuid', at + layout.PARTITION_INFO_IMAGE_UUID_OFFSET);
  const version = reader.u32('image.version', at + layout.PARTITION_INFO_VERSION_OFFSET, formatVersion);
  reader.reserved('reserved', at + layout.PARTITION_INFO_RESERVED_44_OFFSET, 4);
  return { ...partition, image: { uuid: imageUuid, version } };
}

function writePartition(view: DataView, at: number, sizeBytes: number, partition: PartitionInformation): void {
  view.setUint16(at + layout.PARTITION_INFO_ID_OFFSET, partition.id, true);
  view.setUint16(at + layout.PARTITION_INFO_EXECUTION_CONTEXTS_OFFSET, partition.executionContexts, true);
  view.setUint32(at + layout.PARTITION_INFO_PROPERTIES_OFFSET, partition.properties, true);
  if (sizeBytes < layout.PARTITION_INFO_1_1_SIZE_BYTES) return;
  writeUuid(view, at + layout.PARTITION_INFO_UUID_OFFSET, partition.uuid);
  if (sizeBytes < layout.PARTITION_INFO_1_3_SIZE_BYTES || partition.image === undefined) return;
  writeUuid(view, at + layout.PARTITION_INFO_IMAGE_UUID_OFFSET, partition.image.uuid);
  view.setUint32(at + layout.PARTITION_INFO_VERSION_OFFSET, partition.image.version, true);
}

function writeUuid(view: DataView, at: number, uuid: Uuid): void {
  for (let n = 0; n < 4; n++) view.setUint32(at + 4 * n, uuid[n], true);
}
