// A world as plain data: what a world file says, or a test builds by hand. Times are virtual nanoseconds from the
// start, sizes are pages of 4 KiB unless a name says bytes.

import type { PartitionManifest } from '../abi/partition-manifest.ts';
import type { PartitionEntry } from '../hardware/partition-entry.ts';
import type { Limits } from '../hypervisor/profile.ts';
import type { GuestStep } from '../partitions/guest-step.ts';
import type { ProgramEnvironment } from '../partitions/partition-program-module.ts';
import type { SpmcLimits } from '../spmc/limits.ts';
import type { HandleShape } from '../spmc/personality.ts';

/** Makes a partition's program. */
export type ProgramMaker = (environment: ProgramEnvironment) => PartitionEntry;

export interface PartitionDescription {
  readonly name: string;
  /** Endpoint id, bit 15 set. */
  readonly id: number;
  /** A name of SP_PROGRAMS, or of a program that the world's maker brings. */
  readonly program: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** 16 bytes as four words; default: made from the id. */
  readonly uuid?: readonly [number, number, number, number] | undefined;
  /** Where its image lies; default: behind the normal world's memory and the partitions before. */
  readonly baseAddress?: number | undefined;
  readonly ffaVersion: number;
  readonly vcpuCount: number;
  readonly pages: number;
  /** Subscriptions to VM availability messages. */
  readonly created: boolean;
  readonly destroyed: boolean;
  readonly nsInterrupts: 'queue' | 'managed-exit' | 'signal';
  readonly bootOrder: number;
  /** What happens when it dies; `keep`: it keeps all that it holds. Default: the personality's way. */
  readonly abortAction?: 'keep' | 'stop' | 'destroy' | 'restart' | undefined;
  /** Its DMA goes on when it dies: there is no SMMU before its device. Default false. */
  readonly dmaOutlives?: boolean | undefined;
  readonly notifications: boolean;
  /** At S-EL0 it may change what its own pages allow while it starts. Default S-EL1. */
  readonly exceptionLevel?: 'S-EL0' | 'S-EL1' | undefined;
  /** In which form it finds its manifest in memory when it starts, its address in x0. Default not at all. */
  readonly bootInformation?: '1.0' | '1.1' | undefined;
  /** Ids of the secure interrupts of its device. Default none. */
  readonly deviceInterrupts?: readonly number[] | undefined;
  /** Of what it is told when a PE changes its power. Default nothing. */
  readonly powerMessages?: readonly ('off' | 'suspend' | 'resume')[] | undefined;
  /** Its manifest, which says all of what it may be but its id, program and size. Default none. */
  readonly manifest?: ManifestDescription | undefined;
}

/** A partition's manifest, as values and as its package holds it. */
export interface ManifestDescription {
  readonly decoded: PartitionManifest;
  readonly blob: Uint8Array;
}

/** What happens to a PE: it goes off or comes back on, or the system is suspended or resumed. */
export type PowerChange = 'off' | 'on' | 'suspend' | 'resume';

export interface GuestDescription {
  readonly name: string;
  /** So many guests alike: `name-0`, `name-1`, ...; 1: just `name`. */
  readonly count: number;
  readonly pages: number;
  readonly ramBase: number;
  readonly bits: 32 | 64;
  /** The FF-A version that its driver asks for. */
  readonly ffaVersion: number;
  /** Steps of each vCPU; with `program` one empty list for each. */
  readonly vcpus: readonly (readonly GuestStep[])[];
  /** Instead of steps: the name of a program that the world's maker brings. */
  readonly program?: string | undefined;
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** When it is created; null: by the timeline only. */
  readonly createAtNs: number | null;
}

export type TimelineAction =
  | { readonly do: 'create'; readonly guest: string }
  | { readonly do: 'destroy'; readonly guest: string }
  /** A non-secure interrupt at the PE of each of the guest's vCPUs. */
  | { readonly do: 'interrupt'; readonly guest: string }
  /** A device's secure interrupt, where a guest's vCPU runs in the secure world, else at a PE of the host. */
  | { readonly do: 'secure-interrupt'; readonly id: number; readonly guest?: string }
  /** What the SPMD tells the secure world of the host's last PE. */
  | { readonly do: 'power'; readonly change: PowerChange }
  /** An error strikes a partition, or an operator stops or restarts it. */
  | { readonly do: 'partition'; readonly partition: string; readonly change: 'crash' | 'stop' | 'restart' }
  /** An operator retries, or gives up, everything in quarantine. */
  | { readonly do: 'retry-quarantine' }
  | { readonly do: 'write-off-quarantine' }
  /** Nothing but what `say` says. */
  | { readonly do: 'say' };

/** `say`: a line of the story, told before the action. */
export type TimelineEntry = TimelineAction & { readonly atNs: number; readonly say?: string };

/** Calls that a fault can strike. */
export type FaultCall =
  | 'MEM_RECLAIM'
  | 'VM_CREATED'
  | 'VM_DESTROYED'
  | 'MEM_SHARE'
  | 'MEM_LEND'
  | 'MEM_DONATE'
  | 'MEM_FRAG_TX'
  | 'RXTX_MAP'
  | 'RXTX_UNMAP'
  | 'RX_ACQUIRE'
  | 'BITMAP_CREATE'
  | 'BITMAP_DESTROY'
  | 'DIRECT_REQ'
  | 'RUN';

/** `times` of a fault that strikes every matching call. */
export const TIMES_ALL = Number.POSITIVE_INFINITY;

/** The secure world's answer to a call, replaced. */
export interface FaultDescription {
  readonly call: FaultCall;
  /** Only calls to this partition (messages). */
  readonly partition?: string;
  /** Only calls about this guest. */
  readonly guest?: string;
  /** So many matching calls pass first. */
  readonly skip: number;
  /** So many are struck, or TIMES_ALL. */
  readonly times: number;
  /**
   * The answer: an FF-A error by name (FFA_ERROR with that code), `status ERROR` (a framework response with that
   * status), `INTERRUPT`, `SUCCESS`, `UNKNOWN` (x0 = -1), or `GARBAGE`.
   */
  readonly answer: string;
  /** Whether the SPMC gets the call all the same, and only its answer is replaced. */
  readonly reaches: boolean;
}

/** What an explorer may vary in a world, beside which PE goes on. */
export interface ExploreDescription {
  /** Everything before runs once, plainly; from here on every schedule is tried. */
  readonly fromNs: number;
  /** Answers that the secure world may give instead of its own, each at any matching call. */
  readonly faults: readonly FaultDescription[];
  /** At most so many of them in one execution. */
  readonly faultsMax: number;
  /** So many times in one execution, time may go on to the next event although a PE could still do something. */
  readonly earlyMax: number;
}

export type GuestEnd = 'alive' | 'gone' | 'zombie' | 'held' | 'refused';

export type Expectation =
  | { readonly kind: 'guest'; readonly guest: string; readonly is: GuestEnd; readonly byNs: number | null }
  | { readonly kind: 'quarantine'; readonly pages: number }
  /** Every page of every guest that is gone is free again. */
  | { readonly kind: 'pages-back' }
  /** The run came to rest: nothing under way, no timer armed. */
  | { readonly kind: 'quiet'; readonly is: boolean }
  /** Every expectation in every guest's script held. */
  | { readonly kind: 'scripts' }
  /** These lines were logged (FFA_CONSOLE_LOG), in this order, others perhaps between: `name: text`. */
  | { readonly kind: 'console'; readonly lines: readonly string[] }
  /** A partition was told that so many VMs exist and do not any more. */
  | { readonly kind: 'believers'; readonly partition: string; readonly count: number };

export interface WorldDescription {
  readonly name: string;
  readonly story: string;
  readonly profile: string;
  /** Whether FFA_RUN of a guest reaches a partition that waits; default: as the profile has it. */
  readonly guestsRunPartitions?: boolean | undefined;
  readonly limits: Partial<Limits>;
  readonly personality: string;
  readonly handleShape: HandleShape | null;
  readonly spmcLimits: Partial<SpmcLimits>;
  readonly spmcVersion: number;
  readonly memoryBase: number;
  readonly memoryPages: number;
  readonly partitions: readonly PartitionDescription[];
  readonly guests: readonly GuestDescription[];
  readonly timeline: readonly TimelineEntry[];
  readonly faults: readonly FaultDescription[];
  readonly expectations: readonly Expectation[];
  readonly propertiesOff: readonly string[];
  /** The run ends here if it has not come to rest before. */
  readonly untilNs: number;
  /** PEs of the host itself: timers and interrupts on the first, creations and destructions on the others. */
  readonly hostPeCount: number;
  /** How long the secure world may keep a PE before the hypervisor's tick interrupts it. */
  readonly timeSliceNs: number;
  /** Whether PEs alternate at every point where real ones can: a race is then seen without an explorer. */
  readonly interleave: boolean;
  /** What an explorer varies; absent: schedules only, from the end of the boot. */
  readonly explore?: ExploreDescription | undefined;
}
