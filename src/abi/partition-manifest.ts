// A partition's manifest as values: what the device-tree binding of FF-A manifests 1.0 and 1.1 can say.
//
// `partition-manifest-reader.ts` makes one from a device tree, `partition-manifest-writer.ts` a device tree from one.
// Both hold the same for a VM's manifest. The two versions differ in how services are written, and in nothing that is
// here. Sources: the binding document of TF-A, [Hafnium manifest.c], [OP-TEE secure_partition.c].

import type { Uuid } from './uuid.ts';

/** `exception-level`. */
export type ManifestExceptionLevel = 'EL1' | 'S-EL0' | 'S-EL1';
/** `ns-interrupts-action`: what becomes of a non-secure interrupt while the partition runs. */
export type NsInterruptsAction = 'queued' | 'managed-exit' | 'signaled';
/** `other-s-interrupts-action`. */
export type OtherSecureInterruptsAction = 'queued' | 'signaled';
/** `abort-action`, 1.3. */
export type AbortAction = 'stop' | 'destroy' | 'restart' | 'propagate';

/** Bits of `messaging-method`; they are the partition properties of the same name. */
export const MESSAGING_RECEIVES_DIRECT_REQ = 1 << 0;
export const MESSAGING_SENDS_DIRECT_REQ = 1 << 1;
export const MESSAGING_INDIRECT = 1 << 2;
export const MESSAGING_RECEIVES_DIRECT_REQ2 = 1 << 9;
export const MESSAGING_SENDS_DIRECT_REQ2 = 1 << 10;
export const MESSAGING_METHOD_MASK = 0x607;

/** Bits of `attributes` of a region. */
export const REGION_READ = 1 << 0;
export const REGION_WRITE = 1 << 1;
export const REGION_EXECUTE = 1 << 2;
export const REGION_NON_SECURE = 1 << 3;

/** Bits of `vm-availability-messages`. */
export const MANIFEST_VM_CREATED = 1 << 0;
export const MANIFEST_VM_DESTROYED = 1 << 1;

/** A protocol that the partition speaks. */
export interface ManifestService {
  readonly uuid: Uuid;
  /** `MESSAGING_...`. */
  readonly messagingMethod: number;
}

export interface DmaAccess {
  readonly smmuId: number;
  readonly streamIds: readonly number[];
  /** `stream-ids-access-permissions`: one for each stream id, or none. */
  readonly accessPermissions: readonly number[];
}

export interface ManifestMemoryRegion {
  /** The node's name. */
  readonly name: string;
  readonly description?: string;
  /** In units of the translation granule. */
  readonly pageCount: number;
  /** `REGION_...`. */
  readonly attributes: number;
  /** Absent: the SPMC chooses one. */
  readonly baseAddress?: number;
  /** Instead of a base address: from where the partition is loaded. */
  readonly loadAddressRelativeOffset?: number;
  readonly dma?: DmaAccess;
}

export interface ManifestInterrupt {
  readonly id: number;
  /** Bits [7:0] priority, 8 secure, 9 level-triggered, [11:10] type. */
  readonly attributes: number;
  /** `interrupts-target`: MPIDR of the PE that takes it. */
  readonly targetMpidr?: { readonly high: number; readonly low: number };
}

export interface ManifestDeviceRegion {
  readonly name: string;
  readonly description?: string;
  readonly pageCount: number;
  readonly attributes: number;
  readonly baseAddress: number;
  readonly dma?: DmaAccess;
  readonly interrupts: readonly ManifestInterrupt[];
  readonly isExclusive: boolean;
}

export interface LiveActivation {
  /** `live-activation-register`. */
  readonly register?: number;
  readonly imageUuid: Uuid;
  /** Name of the memory region of `live-state-buffer-info`. */
  readonly stateBuffer?: string;
}

export interface PartitionManifest {
  readonly manifestVersion: '1.0' | '1.1';
  /** The FF-A version that the partition expects. */
  readonly ffaVersion: number;
  readonly services: readonly ManifestService[];
  /** `id`: fixed id, without the secure bit in some manifests. */
  readonly id?: number;
  readonly auxiliaryId?: number;
  readonly description?: string;
  readonly executionContextCount: number;
  readonly exceptionLevel: ManifestExceptionLevel;
  readonly isAarch32: boolean;
  readonly loadAddress?: number;
  readonly entrypointOffset: number;
  readonly granuleBytes: 4096 | 16384 | 65536;
  /** Smaller boots first. */
  readonly bootOrder?: number;
  /** `gp-register-num`: x0 to x3 gets the address of the boot information. */
  readonly bootRegister?: number;
  /** Names of the memory regions that are the RX and TX buffers. */
  readonly buffers?: { readonly rx: string; readonly tx: string };
  /** `managed-exit` counts as the action `managed-exit`. */
  readonly nsInterruptsAction: NsInterruptsAction;
  readonly isManagedExitVirq: boolean;
  readonly otherSecureInterruptsAction: OtherSecureInterruptsAction;
  /** Two bits: when the schedule receiver interrupt is raised. */
  readonly sriInterruptsPolicy: number;
  readonly hasNotifications: boolean;
  readonly hasPrimaryScheduler: boolean;
  /** `time-slice-mem`: long memory operations must not be sliced. */
  readonly isMemoryNotTimeSliced: boolean;
  /** Bits 0 CPU_OFF, 1 suspend, 2 resume. */
  readonly powerManagementMessages: number;
  /** `MANIFEST_VM_...`. */
  readonly vmAvailabilityMessages: number;
  readonly hasLifecycle: boolean;
  readonly abortAction?: AbortAction;
  readonly liveActivation?: LiveActivation;
  readonly memoryRegions: readonly ManifestMemoryRegion[];
  readonly deviceRegions: readonly ManifestDeviceRegion[];
  /** Names of what `boot-info` asks for, e.g. `ffa_manifest`. */
  readonly bootInformation: readonly string[];
}

/** Names by number, as the binding counts them. */
export const EXCEPTION_LEVELS: readonly ManifestExceptionLevel[] = ['EL1', 'S-EL0', 'S-EL1'];
export const NS_INTERRUPTS_ACTIONS: readonly NsInterruptsAction[] = ['queued', 'managed-exit', 'signaled'];
export const OTHER_SECURE_INTERRUPTS_ACTIONS: readonly OtherSecureInterruptsAction[] = ['queued', 'signaled'];
export const ABORT_ACTIONS: readonly AbortAction[] = ['stop', 'destroy', 'restart', 'propagate'];
export const GRANULES: readonly (4096 | 16384 | 65536)[] = [4096, 16384, 65536];

export const MANIFEST_1_0_COMPATIBLE = 'arm,ffa-manifest-1.0';
export const MANIFEST_1_1_COMPATIBLE = 'arm,ffa-manifest-1.1';
export const SERVICES_COMPATIBLE = 'arm,ffa-manifest-services';
export const MEMORY_REGIONS_COMPATIBLE = 'arm,ffa-manifest-memory-regions';
export const DEVICE_REGIONS_COMPATIBLE = 'arm,ffa-manifest-device-regions';
export const BUFFERS_COMPATIBLE = 'arm,ffa-manifest-rx_tx-buffer';
export const BOOT_INFO_COMPATIBLE = 'arm,ffa-manifest-boot-info';
export const LIVE_STATE_BUFFER_COMPATIBLE = 'arm,ffa-manifest,live-state-buffer';
