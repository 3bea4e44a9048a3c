// How an SPMC is made.

import type { Uuid } from '../abi/uuid.ts';
import type { PhysicalAddress } from '../base/units.ts';
import type { InterruptSink } from '../hardware/conduit.ts';
import type { SpmcLimits } from './limits.ts';
import type { PartitionSetup } from './partition-setup.ts';
import type { Personality } from './personality.ts';

/** Memory of the normal world: what it may share, lend, donate, and use for buffers. */
export interface NormalWorldMemory {
  readonly baseAddress: PhysicalAddress;
  readonly pageCount: number;
  /** `REGION_READ`, `REGION_WRITE` and `REGION_EXECUTE` bits. */
  readonly attributes: number;
  /** Device memory, not RAM. */
  readonly device?: boolean;
}

/** A partition at EL3, known to other partitions by FFA_PARTITION_INFO_GET_REGS alone; here it is only listed. */
export interface LogicalPartition {
  /** From 0xffc0 to 0xfffe. */
  readonly id: number;
  readonly uuid: Uuid;
  /** `PARTITION_...` bits. */
  readonly properties: number;
}

/** The devices behind the partitions' SMMU streams. */
export interface Devices {
  /** Ends every transfer of the partition; none touches memory from then on. */
  stop(partitionId: number): void;
}

/** Takes what endpoints write with FFA_CONSOLE_LOG: whole lines, without their ends. */
export interface ConsoleSink {
  /** `context`: which of its execution contexts wrote the line; of the normal world, which PE. */
  log(endpoint: number, line: string, context: number): void;
}

export interface SpmcOptions {
  readonly partitions: readonly PartitionSetup[];
  readonly interrupts: InterruptSink;
  /** Default: HAFNIUM_PERSONALITY. */
  readonly personality?: Personality;
  /** Those that are absent are DEFAULT_LIMITS'. */
  readonly limits?: Partial<SpmcLimits>;
  /** Highest version that it speaks; default 1.2. */
  readonly version?: number;
  /** Its own endpoint id; default 0x8000. */
  readonly id?: number;
  /** Default: all frames of the machine that no partition's setup names. */
  readonly normalWorldMemory?: readonly NormalWorldMemory[];
  readonly console?: ConsoleSink;
  /** Default: no device of a partition touches memory by itself. */
  readonly devices?: Devices;
  /** Default none. */
  readonly logicalPartitions?: readonly LogicalPartition[];
}
