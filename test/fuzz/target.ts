// What a fuzz target is: seeds, what helps to mutate them, and the code that takes an input.

import type { Random } from './random.ts';

/** Told of what an input reached beside code: each different number counts like a new line. */
export interface Features {
  seen(feature: number): void;
}

export interface Target {
  readonly name: string;
  readonly bytesMax: number;
  /** Inputs are a header of `headerBytes` and records of this size; 0: plain bytes. */
  readonly recordBytes: number;
  readonly headerBytes: number;
  readonly seeds: readonly Uint8Array[];
  /** Byte strings that are worth inserting. */
  readonly dictionary: readonly Uint8Array[];
  /** Changes an input where bytes at random would not; absent: bytes at random. */
  readonly mutate?: (input: Uint8Array, random: Random) => Uint8Array;
  /** Throws if the input shows a mistake: anything that is thrown is a finding. */
  run(input: Uint8Array, features: Features): void;
}

/** What a target itself finds wrong (an exception of the code under test is a finding too). */
export class Finding extends Error {
  override readonly name = 'Finding';
}
