// The partition entry: how EL2 or the SPMC runs an endpoint's vCPU. The endpoint is a program over plain state (ours in
// TypeScript, or machine code elsewhere); it runs until it leaves with one of a few exits, and is entered again with
// the answer in the same registers. Between entries all its state is plain data.

import type { Ipa, Nanoseconds } from '../base/units.ts';
import type { RegisterFile } from './registers.ts';

export type Exit = 1 | 2 | 3 | 4 | 5;
/** It made a call; x0..x17 are in `registers`. */
export const EXIT_CALL = 1;
/** It computes for `workNs` and is then entered again, unless it is preempted first. */
export const EXIT_WORK = 2;
/** It has nothing to do until an interrupt (WFI). */
export const EXIT_IDLE = 3;
/** It crashed: an exception that nobody handles. */
export const EXIT_CRASH = 4;
/** An external PE runs it; somebody wakes the PE when it has left. */
export const EXIT_EXTERNAL = 5;

/** A partition's own memory, through its stage 2. A fault is an answer, not an exception. */
export interface PartitionMemory {
  /** False when a page of the range is not mapped readable; nothing was read then. */
  read(address: Ipa, into: Uint8Array, at: number, length: number): boolean;
  /** False when a page of the range is not mapped writable; nothing was written then. */
  write(address: Ipa, from: Uint8Array, at: number, length: number): boolean;
}

/** One vCPU of an endpoint, as its runner sees it. */
export interface VcpuContext {
  readonly endpoint: number;
  readonly vcpu: number;
  /** In: the answer to its last call, or the message that woke it. Out: its next call. */
  readonly registers: RegisterFile;
  readonly memory: PartitionMemory;
  readonly nowNs: Nanoseconds;
  /** With EXIT_WORK: how long. */
  workNs: Nanoseconds;
  /** Interrupt ids pending for this vCPU; the program takes what it handles. */
  readonly interrupts: number[];
}

export interface PartitionEntry {
  /** Runs the vCPU to its next exit. */
  run(context: VcpuContext): Exit;
  /** Back to the state before its first entry. */
  reset(): void;
  /** Whether it is in the middle of something that is no plain state: it cannot be noted and put back now. */
  underWay?(): boolean;
}
