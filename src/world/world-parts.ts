// What a world is made with beside its description, and what it keeps of each guest.

import type { Nanoseconds } from '../base/units.ts';
import type { Conduit } from '../hardware/conduit.ts';
import type { FrameContents } from '../hardware/frame-contents.ts';
import type { PartitionEntry } from '../hardware/partition-entry.ts';
import type { Pe } from '../hardware/pe.ts';
import type { Domain } from '../hypervisor/domain.ts';
import type { Profile } from '../hypervisor/profile.ts';
import type { OracleOptionsInput } from '../oracle/options.ts';
import type { GuestScript } from '../partitions/guest-script.ts';
import type { Personality } from '../spmc/personality.ts';
import type { Spmc } from '../spmc/spmc.ts';
import type { GuestDescription, ProgramMaker } from './description.ts';

/** A guest of the description, and what has become of it. */
export interface WorldGuest {
  readonly name: string;
  readonly description: GuestDescription;
  readonly script: GuestScript;
  /** What its vCPUs run: the script, or a program of the world's maker. */
  readonly program: PartitionEntry;
  domain: Domain | null;
  vmId: number;
  /** 0, or the errno with which its creation ended. */
  createError: number;
  createdNs: Nanoseconds | null;
  /** When its destruction was asked for, and when nothing of it was left. */
  destroyAskedNs: Nanoseconds | null;
  goneNs: Nanoseconds | null;
  readonly pes: Pe[];
  /** Indices of the PEs whose vCPU sleeps in the guest's own code. */
  readonly asleep: Set<number>;
}

/** What a world is made with beside its description; nothing of it is needed for a plain run. */
export interface WorldParts {
  /** Programs beside the built-in ones, by name. */
  readonly programs?: ReadonlyMap<string, ProgramMaker>;
  /** Profiles by name instead of PROFILES. */
  readonly profiles?: ReadonlyMap<string, Profile>;
  /** Personalities by name, beside the built-in ones. */
  readonly personalities?: ReadonlyMap<string, Personality>;
  /** What the oracle is told instead of what fits the profile. */
  readonly oracle?: OracleOptionsInput;
  /** False: no oracle (benchmarks). */
  readonly judged?: boolean;
  /** False: events are told to listeners and not kept. */
  readonly keepEvents?: boolean;
  /** What is in the frames, when machine code runs in some of them. */
  readonly contents?: FrameContents;
  /** Changes the SPMC before it boots (tests of the oracle). */
  readonly spmc?: (spmc: Spmc) => void;
  /** Stands between the mediator and the SPMC (tests of the oracle). */
  readonly conduit?: (inner: Conduit) => Conduit;
}
