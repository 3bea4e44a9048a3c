// The fuzzing loop of one target: take an input, change it, run it, keep it if it reached something new. Deterministic
// for a seed and a number of inputs.

import type { Coverage } from './coverage.ts';
import { mutate } from './mutator.ts';
import { Random } from './random.ts';
import { shrink } from './shrink.ts';
import type { Target } from './target.ts';

/** Inputs that are tried to make a failing one smaller. */
const SHRINK_TRIES_MAX = 4000;

/** A mistake that was found. */
export interface Failure {
  /** The same for the same mistake. */
  readonly key: string;
  readonly text: string;
  readonly input: Uint8Array;
  readonly shrunk: Uint8Array;
}

export interface Progress {
  readonly inputs: number;
  readonly corpus: number;
  readonly edges: number;
  readonly counters: number;
  readonly features: number;
}

export class Loop {
  readonly failures: Failure[] = [];
  inputs = 0;
  private readonly target: Target;
  private readonly coverage: Coverage;
  private readonly corpus: Uint8Array[] = [];
  private readonly random: Random;
  private readonly keys = new Set<string>();
  private readonly about: (input: Uint8Array) => void;
  private seedsLeft: Uint8Array[];

  /** `about` is told of each input before it runs. */
  constructor(target: Target, coverage: Coverage, seed: number, about: (input: Uint8Array) => void) {
    this.target = target;
    this.coverage = coverage;
    this.random = new Random(seed);
    this.about = about;
    this.seedsLeft = [new Uint8Array(0), ...target.seeds];
  }

  get progress(): Progress {
    const { edgeCount: edges, featureCount: features, counterCount: counters } = this.coverage;
    return { inputs: this.inputs, corpus: this.corpus.length, edges, counters, features };
  }

  get corpusBytes(): number {
    return this.corpus.reduce((sum, input) => sum + input.length, 0);
  }

  /** One input. */
  next(): void {
    const seed = this.seedsLeft.shift();
    const input = seed ?? mutate(this.target, this.corpus, this.random);
    this.inputs++;
    this.coverage.clear();
    const failure = this.attempt(input);
    const isNew = this.coverage.take();
    if (failure !== null) this.note(input, failure);
    else if (isNew || seed !== undefined) this.corpus.push(input);
    if (this.corpus.length === 0) this.corpus.push(new Uint8Array(0));
  }

  private attempt(input: Uint8Array): unknown {
    this.about(input);
    try {
      this.target.run(input.slice(), this.coverage);
    } catch (error) {
      return error ?? new Error('nothing was thrown');
    }
    return null;
  }

  private note(input: Uint8Array, error: unknown): void {
    const key = keyOf(error);
    if (this.keys.has(key)) return;
    this.keys.add(key);
    const shows = (bytes: Uint8Array): boolean => {
      const again = this.attempt(bytes);
      return again !== null && keyOf(again) === key;
    };
    const shrunk = shrink(this.target, input, SHRINK_TRIES_MAX, shows);
    const last = this.attempt(shrunk) ?? error;
    this.failures.push({ key, text: textOf(last), input, shrunk });
  }
}

/** Name, message without numbers, and the first place in the code under test. */
function keyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = /at .*?(\w+ \()?[^(\s]*\/(src\/[^\s:)]+)/.exec(error.stack ?? '')?.[2] ?? '';
  return `${error.name}: ${error.message.replace(/0x[0-9a-f]+|\d+/g, 'N').slice(0, 160)} ${place}`;
}

export function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
