// Every descriptor that `decode` knows by name, and what makes bytes look like one of them.

import {
  type BootEntry10,
  type BootInformation,
  decodeBootInformation,
  decodeBootInformation10,
} from '../../abi/boot-information.ts';
import { type Constituent, decodeConstituents } from '../../abi/composite-region.ts';
import type { Decoded, DecodeOptions } from '../../abi/fault.ts';
import { decodeMemoryTransaction, type MemoryTransaction } from '../../abi/memory-transaction.ts';
import { decodeMessageHeader, type MessageHeader } from '../../abi/message-header.ts';
import {
  decodePartitionInformation,
  type PartitionInformation,
  partitionInformationBytes,
} from '../../abi/partition-information.ts';
import { decodeRelinquish, type Relinquish } from '../../abi/relinquish.ts';
import { decodeRxtxDescriptor, type RxtxDescriptor } from '../../abi/rxtx-descriptor.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2, FFA_VERSION_1_3 } from '../../abi/versions.ts';

export interface DescriptorKind {
  readonly name: string;
  /** What it is, for the list of names. */
  readonly summary: string;
  /** The versions that changed the layout, newest first; empty: one layout. */
  readonly versions: readonly number[];
  /** `isPlausible`: whether an endpoint would write such a thing; false when there is a fault. */
  read(view: DataView, version: number): { readonly decoded: Decoded<unknown>; readonly isPlausible: boolean };
}

interface Row<T> {
  readonly name: string;
  readonly summary: string;
  readonly versions?: readonly number[];
  decode(view: DataView, version: number, options: DecodeOptions): Decoded<T>;
  plausible(value: T): boolean;
}

function kind<T>(row: Row<T>): DescriptorKind {
  return {
    name: row.name,
    summary: row.summary,
    versions: row.versions ?? [],
    read(view, version) {
      const decoded = row.decode(view, version, { fields: true });
      return { decoded, isPlausible: decoded.ok && row.plausible(decoded.value) };
    },
  };
}

const MEMORY_VERSIONS = [FFA_VERSION_1_1, FFA_VERSION_1_0];

/** In the order in which they are tried. */
export const DESCRIPTOR_KINDS: readonly DescriptorKind[] = [
  kind<MemoryTransaction>({
    name: 'memory-transaction',
    summary: 'of FFA_MEM_DONATE, LEND, SHARE, RETRIEVE_REQ and RETRIEVE_RESP',
    versions: MEMORY_VERSIONS,
    decode: decodeMemoryTransaction,
    plausible: (value) => value.receivers.length > 0 && (value.composite?.constituentCount ?? 1) > 0,
  }),
  kind<MemoryTransaction>({
    name: 'memory-fragment',
    summary: 'the first of several fragments of a memory transaction',
    versions: MEMORY_VERSIONS,
    decode: (view, version, options) => decodeMemoryTransaction(view, version, { ...options, isFragment: true }),
    plausible: ({ composite, receivers }) =>
      receivers.length > 0 && composite !== undefined && composite.constituents.length < composite.constituentCount,
  }),
  kind<BootInformation>({
    name: 'boot-information',
    summary: 'what a partition finds at boot',
    versions: [FFA_VERSION_1_1],
    decode: (view, _version, options) => decodeBootInformation(view, options),
    plausible: () => true,
  }),
  kind<readonly BootEntry10[]>({
    name: 'boot-information-1.0',
    summary: 'the same in the form of FF-A 1.0',
    decode: (view, _version, options) => decodeBootInformation10(view, options),
    plausible: () => true,
  }),
  kind<MessageHeader>({
    name: 'message',
    summary: 'an indirect message: FFA_MSG_SEND2',
    versions: [FFA_VERSION_1_2, FFA_VERSION_1_1],
    decode: decodeMessageHeader,
    plausible: (value) => value.flags === 0 && value.payloadSizeBytes > 0 && value.sender !== value.receiver,
  }),
  kind<readonly Constituent[]>({
    name: 'constituents',
    summary: 'a later fragment: FFA_MEM_FRAG_TX',
    decode: (view, _version, options) => decodeConstituents(view, options),
    plausible: (value) => value.every((one) => one.pageCount > 0 && one.address.high < 0x100_0000),
  }),
  kind<Relinquish>({
    name: 'relinquish',
    summary: 'of FFA_MEM_RELINQUISH',
    decode: (view, _version, options) => decodeRelinquish(view, options),
    plausible: (value) => value.endpoints.length > 0 && value.endpoints.every((one) => one !== 0),
  }),
  kind<readonly PartitionInformation[]>({
    name: 'partition-information',
    summary: 'what FFA_PARTITION_INFO_GET leaves in RX',
    versions: [FFA_VERSION_1_3, FFA_VERSION_1_1, FFA_VERSION_1_0],
    decode: (view, version, options) => {
      const sizeBytes = partitionInformationBytes(version);
      return decodePartitionInformation(view, descriptorsThatSaySomething(view, sizeBytes), sizeBytes, options);
    },
    plausible: (value) => value.every((one) => one.id !== 0 && one.executionContexts > 0 && one.properties < 0x4000),
  }),
  kind<RxtxDescriptor>({
    name: 'rxtx-descriptor',
    summary: 'the buffers of a VM, as a hypervisor forwards FFA_RXTX_MAP',
    decode: (view, _version, options) => decodeRxtxDescriptor(view, options),
    plausible: (value) => value.rx.constituentCount > 0 && value.tx.constituentCount > 0,
  }),
];

/** RX is a whole page: what is zero to the end was not written. */
function descriptorsThatSaySomething(view: DataView, sizeBytes: number): number {
  let end = view.byteLength;
  while (end > 0 && view.getUint8(end - 1) === 0) end--;
  const room = Math.max(1, Math.floor(view.byteLength / sizeBytes));
  return Math.min(room, Math.max(1, Math.ceil(end / sizeBytes)));
}
