// The partitions of a world, as the SPMC is told of them: images side by side in secure memory, manifests made from the
// description, buffers in the image's last pages.

import type { Uuid } from '../abi/uuid.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { DmaEngine } from '../partitions/dma-engine.ts';
import { createSpProgram } from '../partitions/sp-programs.ts';
import type { PartitionSetup } from '../spmc/partition-setup.ts';
import type { PartitionDescription, ProgramMaker, WorldDescription } from './description.ts';

/** Services: receives and sends direct requests in both forms, and indirect messages. */
const ALL_MESSAGES = 0x607;

/** `programs`: beside the built-in ones. */
export function partitionSetups(
  description: WorldDescription,
  secureBase: number,
  programs: ReadonlyMap<string, ProgramMaker>,
  endpoints: ReadonlyMap<string, number>,
  dma: DmaEngine,
): PartitionSetup[] {
  let baseAddress = secureBase;
  return description.partitions.map((partition) => {
    const image = { baseAddress, pageCount: partition.pages };
    baseAddress += partition.pages * PAGE_SIZE_BYTES;
    const txAddress = baseAddress - 2 * PAGE_SIZE_BYTES;
    const rxAddress = baseAddress - PAGE_SIZE_BYTES;
    const environment = {
      name: partition.name,
      kind: 'partition' as const,
      version: partition.ffaVersion,
      vcpuCount: partition.vcpuCount,
      txAddress,
      rxAddress,
      buffersMapped: false,
      // The buffers are the last two pages of its image.
      memory: { address: image.baseAddress, pageCount: partition.pages - 2 },
      endpoints,
      dma,
      parameters: partition.parameters,
    };
    const maker = programs.get(partition.program);
    const program = maker === undefined ? createSpProgram(partition.program, environment) : maker(environment);
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
        nsInterruptAction: partition.nsInterrupts === 'queue' ? 'queue' : 'signal',
        notificationSupport: partition.notifications,
        vmAvailabilityMessages: (partition.created ? 1 : 0) | (partition.destroyed ? 2 : 0),
      },
    };
  });
}

function uuidOf(partition: PartitionDescription): Uuid {
  return partition.uuid ?? [partition.id, 0xffab, 0x41c0, 0x1];
}
