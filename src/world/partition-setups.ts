// The partitions of a world, as the SPMC is told of them: images side by side in secure memory, manifests made from the
// description, buffers in the image's last pages.

import type { Uuid } from '../abi/uuid.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import { UserError } from '../base/user-error.ts';
import type { PartitionSetup } from '../spmc/partition-setup.ts';
import type { DmaPort, PartitionDescription, ProgramMaker, WorldDescription } from './description.ts';

/** Services: receives and sends direct requests in both forms, and indirect messages. */
const ALL_MESSAGES = 0x607;

export function partitionSetups(
  description: WorldDescription,
  secureBase: number,
  programs: ReadonlyMap<string, ProgramMaker>,
  endpoints: ReadonlyMap<string, number>,
  dma: DmaPort,
): PartitionSetup[] {
  let baseAddress = secureBase;
  return description.partitions.map((partition) => {
    const image = { baseAddress, pageCount: partition.pages };
    baseAddress += partition.pages * PAGE_SIZE_BYTES;
    const txAddress = baseAddress - 2 * PAGE_SIZE_BYTES;
    const rxAddress = baseAddress - PAGE_SIZE_BYTES;
    const maker = programs.get(partition.program);
    if (maker === undefined) {
      throw new UserError(
        `partition ${partition.name}: program '${partition.program}' is none`,
        null,
        `one of ${[...programs.keys()].join(', ')}, or a module's path`,
      );
    }
    const setting = {
      endpoint: partition.id,
      vcpuCount: partition.vcpuCount,
      txAddress,
      rxAddress,
      ffaVersion: partition.ffaVersion,
      endpoints,
      dma,
    };
    return {
      id: partition.id,
      image,
      program: maker(setting, partition.parameters),
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
