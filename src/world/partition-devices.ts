// What becomes of a partition's DMA when it dies: an SMMU keeps its device out of memory from then on, unless the
// description says that there is none.

import type { Devices } from '../spmc/options.ts';
import type { WorldDescription } from './description.ts';
import type { WorldDmaEngine } from './dma-engine.ts';

export function partitionDevices({ partitions }: WorldDescription, dma: WorldDmaEngine): Devices {
  const free = new Set(partitions.filter(({ dmaOutlives }) => dmaOutlives === true).map(({ id }) => id));
  return {
    stop(id) {
      if (!free.has(id)) dma.stop(id);
    },
  };
}
