// What the SPMC is told of a secure partition before boot: its id, its manifest's content, its program, and where its
// image lies. A world makes these inline; a device-tree manifest is decoded elsewhere into the same shape.

import type { AbortAction } from '../abi/partition-manifest.ts';
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

/** An interrupt of a device. */
export interface DeviceInterrupt {
  readonly id: number;
  /** Bits [7:0] priority, 8 secure, 9 level-triggered, [11:10] type. */
  readonly attributes: number;
}

/** A device that a partition drives. */
export interface DeviceRegion extends ManifestRegion {
  /** Default none. */
  readonly interrupts?: readonly DeviceInterrupt[];
}

/** What to do when a non-secure interrupt arrives while the partition runs. */
export type NsInterruptAction = 'queue' | 'managed-exit' | 'signal';

/** At which exception level a partition runs. */
export type ExceptionLevel = 'S-EL0' | 'S-EL1';

/** `sri-interrupts-policy` bit 0: the schedule receiver interrupt is raised for an interrupt that finds it waiting. */
export const SRI_POLICY_WHILE_WAITING = 1 << 0;
/** Bit 1: ... when it goes to wait with interrupts pending. */
export const SRI_POLICY_ENTERING_WAIT = 1 << 1;

/** `power-management-messages`: told when a PE goes off. */
export const POWER_MANAGEMENT_CPU_OFF = 1 << 0;
/** Told before the system is suspended. */
export const POWER_MANAGEMENT_SUSPEND = 1 << 1;
/** Told after the system is resumed. */
export const POWER_MANAGEMENT_RESUME = 1 << 2;

/** What a partition finds in memory when it starts. */
export interface BootInformationWanted {
  /** `ffa_manifest` (needs `manifestBlob`), `hob_list` (needs `hobList`). */
  readonly contents: readonly string[];
  /** Default `1.1`: header and descriptors; `1.0`: names and values. */
  readonly form?: '1.0' | '1.1';
  /** The manifest as the partition's package holds it, a flattened device tree. */
  readonly manifestBlob?: Uint8Array;
  readonly hobList?: Uint8Array;
}

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
  /** Default `S-EL1`. */
  readonly exceptionLevel?: ExceptionLevel;
  /** Where its code begins, from the start of its image. Default 0. */
  readonly entrypointOffset?: number;
  /** Smaller boots first; equal ones in the order of their ids. Default 0. */
  readonly bootOrder?: number;
  /** x0 to x3: has the address of the boot information when the partition starts. Default none. */
  readonly bootRegister?: number;
  readonly bootInformation?: BootInformationWanted;
  /** Default `signal`: the partition is preempted. */
  readonly nsInterruptAction?: NsInterruptAction;
  /** With `managed-exit`: it is told by IRQ, not by FIQ. Default false. */
  readonly managedExitVirq?: boolean;
  /** What to do when another partition's secure interrupt arrives while it runs. Default `signal`. */
  readonly otherSecureInterruptAction?: 'queue' | 'signal';
  /** `SRI_POLICY_...` bits. Default 0. */
  readonly sriInterruptsPolicy?: number;
  /**
   * What happens when it dies (crash.ts); `keep`: it keeps all that it holds, as under an SPMC that knows of no life
   * cycle. Default: the personality's.
   */
  readonly abortAction?: AbortAction | 'keep';
  readonly notificationSupport?: boolean;
  /** `POWER_MANAGEMENT_...` bits. Default 0. */
  readonly powerManagementMessages?: number;
  /** Bit 0: told of VMs that are created, bit 1: of those that are destroyed. */
  readonly vmAvailabilityMessages?: number;
  readonly memoryRegions?: readonly ManifestRegion[];
  readonly deviceRegions?: readonly DeviceRegion[];
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
  /**
   * The partition's own memory, at the same address in its own space: readable, writable and executable; at S-EL0
   * readable and executable, until the partition asks for something else.
   */
  readonly image: { readonly baseAddress: PhysicalAddress; readonly pageCount: number };
}
