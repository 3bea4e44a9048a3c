// How much of everything the SPMC has. Data, so that a world can lower one of them ("an SPMC out of slots") or raise
// it. The defaults are Hafnium's [Hafnium ffa_memory.c].

import type { Nanoseconds } from '../base/units.ts';
import { UserError } from '../base/user-error.ts';

export interface SpmcLimits {
  /** Memory transactions that live at once. */
  readonly slots: number;
  /** Fragments in which one memory transaction may be sent. */
  readonly fragments: number;
  /** How long a send may wait for its next fragment when its slot is wanted, in nanoseconds. */
  readonly fragmentPatienceNs: Nanoseconds;
  /** Receivers of one memory transaction. */
  readonly receivers: number;
  /** Pages of 4 KiB in an RX or a TX buffer. */
  readonly bufferPages: number;
  /** Width of a physical address: nothing is mapped beyond. */
  readonly physicalAddressBits: number;
  /** Page tables of 2 MiB that one endpoint's pages may need. */
  readonly pageTables: number;
  /** Normal-world endpoints that have buffers or notifications here at once. */
  readonly virtualMachines: number;
  /** vCPUs of a VM in FFA_NOTIFICATION_BITMAP_CREATE. */
  readonly vcpus: number;
}

export const DEFAULT_LIMITS: SpmcLimits = {
  slots: 100,
  fragments: 20,
  fragmentPatienceNs: 1_000_000_000,
  receivers: 2,
  bufferPages: 1,
  physicalAddressBits: 40,
  pageTables: 0x20_0000,
  virtualMachines: 32_768,
  vcpus: 512,
};

/** The range of each limit: what the tables and the numbers of pages here can hold. */
const RANGES: Readonly<Record<keyof SpmcLimits, readonly [least: number, most: number]>> = {
  slots: [1, 65_536],
  fragments: [1, 65_536],
  fragmentPatienceNs: [0, Number.MAX_SAFE_INTEGER],
  receivers: [1, 64],
  bufferPages: [1, 63],
  physicalAddressBits: [32, 42],
  pageTables: [0, 0x20_0000],
  virtualMachines: [0, 32_768],
  vcpus: [1, 65_535],
};

/** The limits with what is absent filled in; a UserError for one that is out of its range. */
export function completeLimits(given: Partial<SpmcLimits> = {}): SpmcLimits {
  const limits = { ...DEFAULT_LIMITS, ...given };
  for (const name of Object.keys(RANGES) as (keyof SpmcLimits)[]) {
    const [least, most] = RANGES[name];
    const value = limits[name];
    if (Number.isInteger(value) && value >= least && value <= most) continue;
    throw new UserError(`the SPMC's limit ${name} is ${value}`, null, `from ${least} to ${most}`);
  }
  return limits;
}
