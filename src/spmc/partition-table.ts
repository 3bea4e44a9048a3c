// The partition table: every partition by its id, and every service that one offers by its UUID, in the order in which
// partition information lists them (ids, then the manifest's order). Made once; a look-up costs the same however many
// there are.

import { isNilUuid, type Uuid } from '../abi/uuid.ts';
import { assert } from '../base/assert.ts';
import type { Partition } from './partition.ts';
import type { PartitionService } from './partition-setup.ts';

/** One entry of the partition information. */
export interface TableEntry {
  readonly partition: Partition;
  readonly service: PartitionService;
}

const NO_ENTRIES: readonly TableEntry[] = [];

export class PartitionTable {
  /** In the order of their ids. */
  readonly partitions: readonly Partition[];
  readonly byId = new Map<number, Partition>();
  private readonly entries: TableEntry[] = [];
  private readonly entriesByUuid = new Map<string, TableEntry[]>();
  /** One for each partition. */
  private readonly firstEntries: TableEntry[] = [];

  constructor(partitions: readonly Partition[]) {
    this.partitions = [...partitions].sort((a, b) => a.id - b.id);
    this.reset();
    assert(this.byId.size === partitions.length, 'partition ids are unique');
  }

  /** As before boot: all of them are there. */
  reset(): void {
    this.byId.clear();
    this.entries.length = 0;
    this.entriesByUuid.clear();
    this.firstEntries.length = 0;
    for (const partition of this.partitions) {
      this.byId.set(partition.id, partition);
      const { services } = partition.setup.manifest;
      for (const service of services) this.add({ partition, service });
      if (services.length > 0) this.firstEntries.push({ partition, service: services[0] });
    }
  }

  /** Who offers the service; the nil UUID: everybody, once for each service. */
  find(uuid: Uuid): readonly TableEntry[] {
    return isNilUuid(uuid) ? this.entries : (this.entriesByUuid.get(uuid.join()) ?? NO_ENTRIES);
  }

  /** The same for whom a partition has one service only: the nil UUID finds each partition once, by its first. */
  findFirst(uuid: Uuid): readonly TableEntry[] {
    return isNilUuid(uuid) ? this.firstEntries : this.find(uuid);
  }

  /** The partition was destroyed: nobody finds it any more. */
  remove(partition: Partition): void {
    this.byId.delete(partition.id);
    for (const list of [this.entries, this.firstEntries, ...this.entriesByUuid.values()]) {
      for (let n = list.length - 1; n >= 0; n--) if (list[n].partition === partition) list.splice(n, 1);
    }
  }

  private add(entry: TableEntry): void {
    this.entries.push(entry);
    const key = entry.service.uuid.join();
    const list = this.entriesByUuid.get(key);
    if (list === undefined) this.entriesByUuid.set(key, [entry]);
    else list.push(entry);
  }
}
