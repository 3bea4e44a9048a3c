// What the SPMC is told of a secure partition before boot: its id, its manifest's content, its program, and where its
// image lies. A world makes these inline; a device-tree manifest is decoded elsewhere into the same shape.

import type { Uuid } from '../abi/uuid.ts';
import type { PhysicalAddress } from '../base/units.ts';
import type { PartitionEntry } from '../hardware/partition-entry.ts';

/** A protocol that a partition speaks. */
export interface PartitionService {
  readonly uuid: Uuid;
  /** Bit 0 receives direct requests, 1 sends them, 2 indirect messages, 9 receives REQ2, 10 sends REQ2. */
  readonly messagingMethod: number;
}

/** Region attributes: readable. */
export const REGION_READ = 1;
export const REGION_WRITE = 2;
export const REGION_EXECUTE = 4;
/** The region lies in non-secure memory. */
export const REGION_NON_SECURE = 8;

export interface ManifestRegion {
  readonly baseAddress: PhysicalAddress;
  readonly pageCount: number;
  /** `REGION_...` bits. */
  readonly attributes: number;
}

/** What to do when a non-secure interrupt arrives while the partition runs. */
export type NsInterruptAction = 'queue' | 'signal';

/** The manifest's fields that the SPMC acts on; what is absent has the default that is named. */
export interface PartitionManifest {
  readonly description?: string;
  /** Default: the SPMC's own. */
  readonly ffaVersion?: number;
  readonly services: readonly PartitionService[];
  /** 1: one context that may migrate; more: one pinned to each PE. Default 1. */
  readonly executionContextCount?: number;
  /** Default false: AArch64. */
  readonly aarch32?: boolean;
  /** Smaller boots first; equal ones in the order of their ids. Default 0. */
  readonly bootOrder?: number;
  /** Default `signal`: the partition is preempted. */
  readonly nsInterruptAction?: NsInterruptAction;
  readonly notificationSupport?: boolean;
  /** Bit 0: told of VMs that are created, bit 1: of those that are destroyed. */
  readonly vmAvailabilityMessages?: number;
  readonly memoryRegions?: readonly ManifestRegion[];
  readonly deviceRegions?: readonly ManifestRegion[];
  /** RX and TX buffers that are mapped before the partition boots. */
  readonly buffers?: PartitionBuffers;
}

export interface PartitionBuffers {
  readonly rxAddress: PhysicalAddress;
  readonly txAddress: PhysicalAddress;
  readonly pageCount: number;
}

export interface PartitionSetup {
  /** Endpoint id, bit 15 set. */
  readonly id: number;
  readonly manifest: PartitionManifest;
  /** One program for all execution contexts, or one for each. */
  readonly program: PartitionEntry | readonly PartitionEntry[];
  /** The partition's own memory: readable, writable and executable, at the same address in its own space. */
  readonly image: { readonly baseAddress: PhysicalAddress; readonly pageCount: number };
}
