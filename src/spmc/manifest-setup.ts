// From a decoded manifest (a device tree's, src/abi/partition-manifest.ts) to what the SPMC is told of a partition, and
// the rules that hold between the manifests of one system. docs/manifests.md lists every property and its effect.
//
// What the SPMC cannot do is refused, not passed over, with the property's name and what fits.

import { encodeDeviceTree } from '../abi/device-tree.ts';
import { FFA_SECURE_ENDPOINT_BIT } from '../abi/endpoint-ids.ts';
import type {
  PartitionManifest as DecodedManifest,
  ManifestDeviceRegion,
  ManifestMemoryRegion,
  NsInterruptsAction,
} from '../abi/partition-manifest.ts';
import { writePartitionManifest } from '../abi/partition-manifest-writer.ts';
import { FFA_VERSION_1_2, formatVersion } from '../abi/versions.ts';
import { PAGE_SIZE_BYTES, type PhysicalAddress } from '../base/units.ts';
import { UserError } from '../base/user-error.ts';
import type { PartitionEntry } from '../hardware/partition-entry.ts';
import type {
  BootInformationWanted,
  DeviceRegion,
  ManifestRegion,
  NsInterruptAction,
  PartitionBuffers,
  PartitionManifest,
  PartitionSetup,
} from './partition-setup.ts';

/** Where the partition's image lies. */
export interface PartitionImage {
  /** Default: the manifest's load-address. */
  readonly baseAddress?: PhysicalAddress;
  readonly pageCount: number;
}

/** What of a partition is not in its manifest. */
export interface ManifestSources {
  /** The manifest's bytes, for a partition that asks for them; default: the manifest, written anew. */
  readonly manifestBlob?: Uint8Array;
  readonly hobList?: Uint8Array;
}

/** A partition whose manifest states no order boots after all that do. */
const BOOT_ORDER_LAST = 0xffff;

const NS_INTERRUPT_ACTIONS: Readonly<Record<NsInterruptsAction, NsInterruptAction>> = {
  queued: 'queue',
  'managed-exit': 'managed-exit',
  signaled: 'signal',
};

/** Throws a UserError that says what of the manifest cannot be done. */
export function setupFromManifest(
  id: number,
  decoded: DecodedManifest,
  image: PartitionImage,
  program: PartitionEntry | readonly PartitionEntry[],
  sources: ManifestSources = {},
): PartitionSetup {
  checkSupported(decoded);
  checkId(id, decoded);
  const baseAddress = baseOf(decoded, image);
  const sizeBytes = image.pageCount * PAGE_SIZE_BYTES;
  if (decoded.entrypointOffset >= sizeBytes) {
    const found = `entrypoint-offset: ${hex(decoded.entrypointOffset)} lies beyond the image`;
    throw new UserError(found, null, `less than ${hex(sizeBytes)}`);
  }
  const movable = decoded.executionContextCount === 1 || decoded.exceptionLevel === 'S-EL0';
  const manifest: PartitionManifest = {
    ...(decoded.description === undefined ? {} : { description: decoded.description }),
    ffaVersion: decoded.ffaVersion,
    services: decoded.services,
    executionContextCount: decoded.executionContextCount,
    exceptionLevel: decoded.exceptionLevel === 'S-EL0' ? 'S-EL0' : 'S-EL1',
    entrypointOffset: decoded.entrypointOffset,
    bootOrder: decoded.bootOrder ?? BOOT_ORDER_LAST,
    ...(decoded.bootRegister === undefined ? {} : { bootRegister: decoded.bootRegister }),
    ...bootInformationOf(decoded, sources),
    nsInterruptAction: NS_INTERRUPT_ACTIONS[decoded.nsInterruptsAction],
    managedExitVirq: decoded.isManagedExitVirq,
    otherSecureInterruptAction: decoded.otherSecureInterruptsAction === 'queued' ? 'queue' : 'signal',
    sriInterruptsPolicy: decoded.sriInterruptsPolicy,
    notificationSupport: decoded.hasNotifications,
    // A partition that is pinned to no PE is told of none [Hafnium manifest.c].
    powerManagementMessages: movable ? 0 : decoded.powerManagementMessages,
    vmAvailabilityMessages: decoded.vmAvailabilityMessages,
    ...(decoded.abortAction === undefined ? {} : { abortAction: decoded.abortAction }),
    memoryRegions: decoded.memoryRegions.map((region) => placed(region, baseAddress)),
    deviceRegions: decoded.deviceRegions.map(device),
    ...(decoded.buffers === undefined ? {} : { buffers: buffersAt(decoded, decoded.buffers, baseAddress) }),
  };
  return { id, manifest, program, image: { baseAddress, pageCount: image.pageCount } };
}

/**
 * What holds between the manifests of one system: boot orders that are stated are unique. (That ids are, that no two
 * partitions have an interrupt or memory in common, is checked of every SPMC, however it was told of its partitions.)
 */
export function checkManifests(manifests: readonly { readonly id: number; readonly decoded: DecodedManifest }[]): void {
  const orders = new Map<number, number>();
  for (const { id, decoded } of manifests) {
    if (decoded.bootOrder === undefined || decoded.bootOrder === BOOT_ORDER_LAST) continue;
    const other = orders.get(decoded.bootOrder);
    if (other !== undefined) {
      const found = `boot-order: partitions ${hex(other)} and ${hex(id)} both have ${decoded.bootOrder}`;
      throw new UserError(found, null, 'give each its own');
    }
    orders.set(decoded.bootOrder, id);
  }
}

/** Refuses what is not imitated. */
function checkSupported(decoded: DecodedManifest): void {
  if (decoded.ffaVersion > FFA_VERSION_1_2) {
    const found = `ffa-version: ${formatVersion(decoded.ffaVersion)} is not spoken here`;
    throw new UserError(found, null, `${formatVersion(FFA_VERSION_1_2)} or less`);
  }
  if (decoded.exceptionLevel === 'EL1') {
    throw new UserError("exception-level: EL1 is a VM's", null, 'S-EL0 (1) or S-EL1 (2)');
  }
  if (decoded.isAarch32) throw new UserError('execution-state: AArch32 is not supported', null, 'AArch64 (0)');
  if (decoded.granuleBytes !== PAGE_SIZE_BYTES) {
    throw new UserError(`xlat-granule: ${decoded.granuleBytes} bytes are not supported`, null, '4096 (0)');
  }
  if (decoded.liveActivation !== undefined) {
    throw new UserError('live-activation-support: it is not supported', null, 'leave it out');
  }
}

/** A manifest may state the id with or without the bit of the secure world. */
function checkId(id: number, decoded: DecodedManifest): void {
  if (decoded.id === undefined || (decoded.id | FFA_SECURE_ENDPOINT_BIT) === id) return;
  throw new UserError(`id: ${hex(decoded.id)} is not the partition's`, null, `${hex(id)}, or none`);
}

function baseOf(decoded: DecodedManifest, image: PartitionImage): PhysicalAddress {
  const baseAddress = image.baseAddress ?? decoded.loadAddress;
  if (baseAddress === undefined) {
    throw new UserError('load-address: it is not stated, and the image has no address', null, 'state one of them');
  }
  if (decoded.loadAddress !== undefined && decoded.loadAddress !== baseAddress) {
    const found = `load-address: ${hex(decoded.loadAddress)} is not where the image lies`;
    throw new UserError(found, null, hex(baseAddress));
  }
  return baseAddress;
}

function bootInformationOf(
  decoded: DecodedManifest,
  sources: ManifestSources,
): { readonly bootInformation?: BootInformationWanted } {
  if (decoded.bootInformation.length === 0) return {};
  const manifestBlob = sources.manifestBlob ?? encodeDeviceTree(writePartitionManifest(decoded));
  const hobList = sources.hobList === undefined ? {} : { hobList: sources.hobList };
  return { bootInformation: { contents: decoded.bootInformation, manifestBlob, ...hobList } };
}

function placed(region: ManifestMemoryRegion, loadAddress: PhysicalAddress): ManifestRegion {
  const { baseAddress, loadAddressRelativeOffset: offset, pageCount, attributes } = region;
  const address = baseAddress ?? (offset === undefined ? undefined : loadAddress + offset);
  if (address === undefined) {
    const fits = 'give it one, or a load-address-relative-offset';
    throw new UserError(`memory region ${region.name}: it has no base-address`, null, fits);
  }
  return { baseAddress: address, pageCount, attributes };
}

function device({ attributes, baseAddress, interrupts, pageCount }: ManifestDeviceRegion): DeviceRegion {
  return {
    baseAddress,
    pageCount,
    attributes,
    interrupts: interrupts.map((interrupt) => ({ id: interrupt.id, attributes: interrupt.attributes })),
  };
}

/** Where the manifest's RX and TX buffers lie, if it has some. */
export function buffersOf(decoded: DecodedManifest, image: PartitionImage): PartitionBuffers | undefined {
  if (decoded.buffers === undefined) return undefined;
  return buffersAt(decoded, decoded.buffers, baseOf(decoded, image));
}

function buffersAt(
  decoded: DecodedManifest,
  names: NonNullable<DecodedManifest['buffers']>,
  loadAddress: PhysicalAddress,
): PartitionBuffers {
  const rx = regionNamed(decoded, names.rx);
  const tx = regionNamed(decoded, names.tx);
  if (rx.pageCount !== tx.pageCount) {
    throw new UserError(`rx_tx-info: ${names.rx} and ${names.tx} differ in size`, null, 'give them equal pages-count');
  }
  const rxAddress = placed(rx, loadAddress).baseAddress;
  const txAddress = placed(tx, loadAddress).baseAddress;
  return { rxAddress, txAddress, pageCount: rx.pageCount };
}

function regionNamed(decoded: DecodedManifest, name: string): ManifestMemoryRegion {
  const region = decoded.memoryRegions.find((candidate) => candidate.name === name);
  if (region === undefined) throw new UserError(`rx_tx-info: no memory region is named ${name}`);
  return region;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
