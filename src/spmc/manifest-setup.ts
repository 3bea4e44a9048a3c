// From a decoded manifest (a device tree's, src/abi/partition-manifest.ts) to what the SPMC is told of a partition.
//
// What the SPMC cannot do is said, not passed over: managed exit, S-EL0 partitions and regions without a base address
// are refused. Interrupts, DMA permissions, power management and boot information are not acted on yet.

import type { PartitionManifest as DecodedManifest, ManifestMemoryRegion } from '../abi/partition-manifest.ts';
import { PAGE_SIZE_BYTES, type PhysicalAddress } from '../base/units.ts';
import { UserError } from '../base/user-error.ts';
import type { PartitionEntry } from '../hardware/partition-entry.ts';
import type { ManifestRegion, PartitionBuffers, PartitionManifest, PartitionSetup } from './partition-setup.ts';

/** Where the partition's image lies; its manifest may say nothing of it. */
export interface PartitionImage {
  readonly baseAddress: PhysicalAddress;
  readonly pageCount: number;
}

/** Throws a UserError that says what of the manifest cannot be done. */
export function setupFromManifest(
  id: number,
  decoded: DecodedManifest,
  image: PartitionImage,
  program: PartitionEntry | readonly PartitionEntry[],
): PartitionSetup {
  if (decoded.nsInterruptsAction === 'managed-exit') {
    throw new UserError('ns-interrupts-action: managed exit is not supported', null, 'queue or signal them');
  }
  if (decoded.exceptionLevel === 'S-EL0') {
    throw new UserError('exception-level: S-EL0 is not supported', null, 'S-EL1 is');
  }
  const pagesPerGranule = decoded.granuleBytes / PAGE_SIZE_BYTES;
  const manifest: PartitionManifest = {
    ...(decoded.description === undefined ? {} : { description: decoded.description }),
    ffaVersion: decoded.ffaVersion,
    services: decoded.services,
    executionContextCount: decoded.executionContextCount,
    aarch32: decoded.isAarch32,
    bootOrder: decoded.bootOrder ?? 0,
    nsInterruptAction: decoded.nsInterruptsAction === 'queued' ? 'queue' : 'signal',
    notificationSupport: decoded.hasNotifications,
    vmAvailabilityMessages: decoded.vmAvailabilityMessages,
    memoryRegions: decoded.memoryRegions.map((region) => placed(region, decoded, pagesPerGranule)),
    deviceRegions: decoded.deviceRegions.map((region) => ({
      baseAddress: region.baseAddress,
      pageCount: region.pageCount * pagesPerGranule,
      attributes: region.attributes,
    })),
    ...buffersOf(decoded, pagesPerGranule),
  };
  return { id, manifest, program, image };
}

function placed(region: ManifestMemoryRegion, decoded: DecodedManifest, pagesPerGranule: number): ManifestRegion {
  const { baseAddress, loadAddressRelativeOffset, pageCount, attributes } = region;
  const relative =
    loadAddressRelativeOffset === undefined || decoded.loadAddress === undefined
      ? undefined
      : decoded.loadAddress + loadAddressRelativeOffset;
  const address = baseAddress ?? relative;
  if (address === undefined) {
    throw new UserError(`memory region ${region.name}: it has no base-address`, null, 'give it one');
  }
  return { baseAddress: address, pageCount: pageCount * pagesPerGranule, attributes };
}

function buffersOf(decoded: DecodedManifest, pagesPerGranule: number): { readonly buffers?: PartitionBuffers } {
  const names = decoded.buffers;
  if (names === undefined) return {};
  const rx = regionNamed(decoded, names.rx);
  const tx = regionNamed(decoded, names.tx);
  if (rx.pageCount !== tx.pageCount) {
    throw new UserError(`rx_tx-info: ${names.rx} and ${names.tx} differ in size`, null, 'give them equal pages-count');
  }
  const rxAddress = placed(rx, decoded, pagesPerGranule).baseAddress;
  const txAddress = placed(tx, decoded, pagesPerGranule).baseAddress;
  return { buffers: { rxAddress, txAddress, pageCount: rx.pageCount * pagesPerGranule } };
}

function regionNamed(decoded: DecodedManifest, name: string): ManifestMemoryRegion {
  const region = decoded.memoryRegions.find((candidate) => candidate.name === name);
  if (region === undefined) throw new UserError(`rx_tx-info: no memory region is named ${name}`);
  return region;
}
