// Which partition drives the device that an interrupt comes from, as the manifests say.

import { UserError } from '../base/user-error.ts';
import type { Partition } from './partition.ts';

/** By interrupt; a UserError when two partitions claim one. */
export function ownersOfInterrupts(partitions: readonly Partition[]): ReadonlyMap<number, Partition> {
  const owners = new Map<number, Partition>();
  for (const partition of partitions) {
    for (const { interrupts } of partition.setup.manifest.deviceRegions ?? []) {
      for (const { id } of interrupts ?? []) {
        const other = owners.get(id);
        if (other !== undefined) {
          const names = `partitions 0x${other.id.toString(16)} and 0x${partition.id.toString(16)}`;
          throw new UserError(`interrupt ${id}: ${names} both have it`, null, 'give it to one device region');
        }
        owners.set(id, partition);
      }
    }
  }
  return owners;
}
