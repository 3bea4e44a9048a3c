// What a guest sees of the partitions and VMs: the entries in their order, and their bytes. Partitions come first, as
// the boot-time listing had them, then the asking VM itself, then the other VMs in the order in which they joined. [Xen
// ffa_partinfo.c]

import {
  PARTITION_AARCH64,
  PARTITION_INDIRECT_MESSAGES,
  PARTITION_INFO_1_0_SIZE_BYTES,
  PARTITION_INFO_1_1_SIZE_BYTES,
  PARTITION_INFO_EXECUTION_CONTEXTS_OFFSET,
  PARTITION_INFO_ID_OFFSET,
  PARTITION_INFO_PROPERTIES_OFFSET,
  PARTITION_INFO_UUID_OFFSET,
  PARTITION_NOTIFICATIONS,
  PARTITION_RECEIVES_DIRECT_REQ,
  PARTITION_RECEIVES_DIRECT_REQ2,
  PARTITION_SENDS_DIRECT_REQ,
  PARTITION_SENDS_DIRECT_REQ2,
} from '../abi/layout/partition-information.ts';
import { FFA_VERSION_1_2 } from '../abi/versions.ts';
import type { FfaContext } from './ffa-context.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { KnownPartition, SecureWorld } from './secure-world.ts';

const UUID_SIZE_BYTES = 16;
const UUID_WORDS = 4;

/** The known partitions, encoded in both layouts. Made once per boot. */
export class PartitionListing {
  readonly partitions: readonly KnownPartition[];
  /** 8 bytes each. */
  readonly short: Uint8Array;
  /** 24 bytes each, with their UUIDs. */
  readonly long: Uint8Array;
  /** UUID words, four each. */
  readonly uuids: Uint32Array;

  constructor(partitions: readonly KnownPartition[]) {
    this.partitions = partitions;
    this.short = new Uint8Array(partitions.length * PARTITION_INFO_1_0_SIZE_BYTES);
    this.long = new Uint8Array(partitions.length * PARTITION_INFO_1_1_SIZE_BYTES);
    this.uuids = new Uint32Array(partitions.length * UUID_WORDS);
    for (let n = 0; n < partitions.length; n++) {
      const { id, contextCount, properties, uuid } = partitions[n];
      writeEntry(this.short, n * PARTITION_INFO_1_0_SIZE_BYTES, id, contextCount, properties);
      const at = n * PARTITION_INFO_1_1_SIZE_BYTES;
      writeEntry(this.long, at, id, contextCount, properties);
      this.long.set(uuid.subarray(0, UUID_SIZE_BYTES), at + PARTITION_INFO_UUID_OFFSET);
      for (let word = 0; word < UUID_WORDS; word++) {
        this.uuids[n * UUID_WORDS + word] = readWord(this.long, at + PARTITION_INFO_UUID_OFFSET + 4 * word);
      }
    }
  }
}

/** The listing of what is known now. */
export function partitionListing(secure: SecureWorld): PartitionListing {
  const cached = secure.listing;
  if (cached !== null && cached.partitions === secure.partitions) return cached;
  const listing = new PartitionListing(secure.partitions);
  secure.listing = listing;
  return listing;
}

function readWord(bytes: Uint8Array, at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}

/** Writes the first 8 bytes of an entry; the rest is the caller's. */
export function writeEntry(into: Uint8Array, at: number, id: number, contextCount: number, properties: number): void {
  into[at + PARTITION_INFO_ID_OFFSET] = id;
  into[at + PARTITION_INFO_ID_OFFSET + 1] = id >>> 8;
  into[at + PARTITION_INFO_EXECUTION_CONTEXTS_OFFSET] = contextCount;
  into[at + PARTITION_INFO_EXECUTION_CONTEXTS_OFFSET + 1] = contextCount >>> 8;
  into[at + PARTITION_INFO_PROPERTIES_OFFSET] = properties;
  into[at + PARTITION_INFO_PROPERTIES_OFFSET + 1] = properties >>> 8;
  into[at + PARTITION_INFO_PROPERTIES_OFFSET + 2] = properties >>> 16;
  into[at + PARTITION_INFO_PROPERTIES_OFFSET + 3] = properties >>> 24;
}

/** How a VM appears to others: it sends direct requests, exchanges indirect messages, receives notifications. */
const VM_PROPERTIES = PARTITION_SENDS_DIRECT_REQ | PARTITION_INDIRECT_MESSAGES | PARTITION_NOTIFICATIONS;
/** What one of 1.2 can do beside, where VMs answer each other. */
const VM_PROPERTIES_1_2 = PARTITION_RECEIVES_DIRECT_REQ2 | PARTITION_SENDS_DIRECT_REQ2;

export function vmProperties(hypervisor: Hypervisor, context: FfaContext): number {
  let properties = VM_PROPERTIES;
  if (context.domain.config.bits === 64) properties |= PARTITION_AARCH64;
  if (!hypervisor.profile.vmsAnswer) return properties;
  properties |= PARTITION_RECEIVES_DIRECT_REQ;
  return context.version >= FFA_VERSION_1_2 ? properties | VM_PROPERTIES_1_2 : properties;
}

/** Whether a guest finds itself in its listing. (Linux takes its own entry for another's in older versions.) */
function listsItself(context: FfaContext): boolean {
  return context.version >= FFA_VERSION_1_2;
}

/** VMs in the listing of this guest, itself included where it is. */
export function listedVmCount(hypervisor: Hypervisor, context: FfaContext): number {
  const self = listsItself(context) ? 1 : 0;
  if (!hypervisor.vmsSeeVms) return self;
  return self + hypervisor.vmList.members.length - (hypervisor.vmList.has(context) ? 1 : 0);
}

/** The `index`-th VM of this guest's listing. */
export function listedVm(hypervisor: Hypervisor, context: FfaContext, index: number): FfaContext {
  const self = listsItself(context) ? 1 : 0;
  if (index < self) return context;
  let rest = index - self;
  for (const member of hypervisor.vmList.members) {
    if (member === context) continue;
    if (rest === 0) return member;
    rest--;
  }
  return context;
}

/** Entries of VMs of the guest's listing into `into` from `at`, `size` bytes each; returns where they end. */
export function writeVmEntries(
  hypervisor: Hypervisor,
  context: FfaContext,
  into: Uint8Array,
  from: number,
  size: number,
): number {
  let at = from;
  if (listsItself(context)) at = writeVmEntry(hypervisor, into, at, context, size);
  if (!hypervisor.vmsSeeVms) return at;
  const members = hypervisor.vmList.members;
  for (let n = 0; n < members.length; n++) {
    if (members[n] !== context) at = writeVmEntry(hypervisor, into, at, members[n], size);
  }
  return at;
}

function writeVmEntry(hypervisor: Hypervisor, into: Uint8Array, at: number, vm: FfaContext, size: number): number {
  writeEntry(into, at, vm.vmId, vm.domain.config.vcpuCount, vmProperties(hypervisor, vm));
  for (let n = at + PARTITION_INFO_1_0_SIZE_BYTES; n < at + size; n++) into[n] = 0;
  return at + size;
}
