// The partitions of a world, as the SPMC is told of them: images side by side in secure memory, manifests made from the
// description, buffers in the image's last pages.

import { encodeDeviceTree } from '../abi/device-tree.ts';
import { cellsProperty, textProperty } from '../abi/device-tree-values.ts';
import { MANIFEST_1_0_COMPATIBLE } from '../abi/partition-manifest.ts';
import type { Uuid } from '../abi/uuid.ts';
import { type FrameNumber, PAGE_SIZE_BYTES } from '../base/units.ts';
import { type FrameTable, OWNER_SECURE } from '../hardware/frames.ts';
import type { DmaEngine } from '../partitions/dma-engine.ts';
import { createSpProgram } from '../partitions/sp-programs.ts';
import { buffersOf, checkManifests, setupFromManifest } from '../spmc/manifest-setup.ts';
import {
  type DeviceRegion,
  type ManifestRegion,
  type PartitionManifest,
  type PartitionSetup,
  POWER_MANAGEMENT_CPU_OFF,
  POWER_MANAGEMENT_RESUME,
  POWER_MANAGEMENT_SUSPEND,
  REGION_READ,
  REGION_WRITE,
} from '../spmc/partition-setup.ts';
import type { PartitionDescription, ProgramMaker, WorldDescription } from './description.ts';

/** Services: receives and sends direct requests in both forms, and indirect messages. */
const ALL_MESSAGES = 0x607;

/**
 * Where the secure world's own memory begins that nobody has placed: above the normal world's and all that is placed.
 */
export function secureBaseOf(description: WorldDescription): number {
  let base = description.memoryBase + description.memoryPages * PAGE_SIZE_BYTES;
  for (const { baseAddress, pages } of description.partitions) {
    if (baseAddress !== undefined) base = Math.max(base, baseAddress + pages * PAGE_SIZE_BYTES);
  }
  return base;
}

/** From `first` to `end` lies nothing but the images that were placed there: no guest may get the rest. */
export function reserveGaps(
  frames: FrameTable,
  description: WorldDescription,
  first: FrameNumber,
  end: FrameNumber,
): void {
  const images = description.partitions
    .filter(({ baseAddress }) => baseAddress !== undefined)
    .map(({ baseAddress, pages }) => ({ first: (baseAddress ?? 0) / PAGE_SIZE_BYTES, count: pages }))
    .sort((a, b) => a.first - b.first);
  let at = first;
  for (const image of [...images, { first: end, count: 0 }]) {
    if (image.first > at) frames.allocateAt(at, image.first - at, OWNER_SECURE);
    at = image.first + image.count;
  }
}

/** `programs`: beside the built-in ones. */
export function partitionSetups(
  description: WorldDescription,
  programs: ReadonlyMap<string, ProgramMaker>,
  endpoints: ReadonlyMap<string, number>,
  dma: DmaEngine,
): PartitionSetup[] {
  let next = secureBaseOf(description);
  checkManifests(
    description.partitions.flatMap(({ id, manifest }) => (manifest ? [{ id, decoded: manifest.decoded }] : [])),
  );
  return description.partitions.map((partition) => {
    const image = { baseAddress: partition.baseAddress ?? next, pageCount: partition.pages };
    const end = image.baseAddress + partition.pages * PAGE_SIZE_BYTES;
    if (partition.baseAddress === undefined) next = end;
    const stated = partition.manifest === undefined ? undefined : buffersOf(partition.manifest.decoded, image);
    const txAddress = stated?.txAddress ?? end - 2 * PAGE_SIZE_BYTES;
    const rxAddress = stated?.rxAddress ?? end - PAGE_SIZE_BYTES;
    const environment = {
      name: partition.name,
      kind: 'partition' as const,
      version: partition.ffaVersion,
      vcpuCount: partition.vcpuCount,
      txAddress,
      rxAddress,
      buffersMapped: stated !== undefined,
      // The buffers are the last two pages of its image.
      memory: { address: image.baseAddress, pageCount: partition.pages - 2 },
      endpoints,
      dma,
      parameters: partition.parameters,
    };
    const maker = programs.get(partition.program);
    const program = maker === undefined ? createSpProgram(partition.program, environment) : maker(environment);
    if (partition.manifest !== undefined) {
      const { blob, decoded } = partition.manifest;
      return setupFromManifest(partition.id, decoded, image, program, { manifestBlob: blob });
    }
    return {
      id: partition.id,
      image,
      program,
      manifest: {
        description: partition.name,
        ffaVersion: partition.ffaVersion,
        services: [{ uuid: uuidOf(partition), messagingMethod: ALL_MESSAGES }],
        executionContextCount: partition.vcpuCount,
        bootOrder: partition.bootOrder,
        ...(partition.abortAction === undefined ? {} : { abortAction: partition.abortAction }),
        nsInterruptAction: partition.nsInterrupts,
        exceptionLevel: partition.exceptionLevel ?? 'S-EL1',
        ...bootInformation(partition),
        memoryRegions: dataRegions(partition, image.baseAddress),
        deviceRegions: deviceRegions(partition),
        powerManagementMessages: powerBits(partition),
        notificationSupport: partition.notifications,
        vmAvailabilityMessages: (partition.created ? 1 : 0) | (partition.destroyed ? 2 : 0),
      },
    };
  });
}

const BOOT_REGISTER = 0;

/** The partition finds a manifest that says who it is. */
function bootInformation(partition: PartitionDescription): Partial<PartitionManifest> {
  if (partition.bootInformation === undefined) return {};
  const properties = [
    textProperty('compatible', MANIFEST_1_0_COMPATIBLE),
    cellsProperty('ffa-version', partition.ffaVersion),
    textProperty('description', partition.name),
  ];
  const manifestBlob = encodeDeviceTree({ bootCpu: 0, reservations: [], root: { name: '', properties, children: [] } });
  const wanted = { contents: ['ffa_manifest'], form: partition.bootInformation, manifestBlob };
  return { bootRegister: BOOT_REGISTER, bootInformation: wanted };
}

/** At S-EL0 the image is code; all of it but the first page is data here. */
function dataRegions({ exceptionLevel, pages }: PartitionDescription, baseAddress: number): ManifestRegion[] {
  if (exceptionLevel !== 'S-EL0') return [];
  const attributes = REGION_READ | REGION_WRITE;
  return [{ baseAddress: baseAddress + PAGE_SIZE_BYTES, pageCount: pages - 1, attributes }];
}

/** Devices lie where no memory of a world can be. */
const DEVICE_BASE = 0xff_0000_0000;
const DEVICE_SPACE_BYTES = 0x1_0000;
const SECURE_INTERRUPT = 1 << 8;

function deviceRegions({ deviceInterrupts = [], id }: PartitionDescription): DeviceRegion[] {
  if (deviceInterrupts.length === 0) return [];
  const baseAddress = DEVICE_BASE + (id & 0x7fff) * DEVICE_SPACE_BYTES;
  const interrupts = deviceInterrupts.map((interrupt) => ({ id: interrupt, attributes: SECURE_INTERRUPT }));
  return [{ baseAddress, pageCount: 1, attributes: REGION_READ | REGION_WRITE, interrupts }];
}

function powerBits({ powerMessages = [] }: PartitionDescription): number {
  let bits = 0;
  if (powerMessages.includes('off')) bits |= POWER_MANAGEMENT_CPU_OFF;
  if (powerMessages.includes('suspend')) bits |= POWER_MANAGEMENT_SUSPEND;
  if (powerMessages.includes('resume')) bits |= POWER_MANAGEMENT_RESUME;
  return bits;
}

function uuidOf(partition: PartitionDescription): Uuid {
  return partition.uuid ?? [partition.id, 0xffab, 0x41c0, 0x1];
}
