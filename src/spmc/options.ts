// How an SPMC is made.

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

/** Takes what endpoints write with FFA_CONSOLE_LOG. */
export interface ConsoleSink {
  log(endpoint: number, text: string): void;
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
}
