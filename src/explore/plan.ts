// The plan of a search: its passes, each a strategy under one fault budget, as plain data; and the shards of a pass,
// each of which can be executed apart, in another thread for example. Shards are the same however many execute them,
// and taken in their order they are the pass; so what a search finds, and after how many executions, is the same too.

import type { WorldDescription } from '../world/description.ts';
import type { Executor } from './executor.ts';
import { SeededRandom } from './random.ts';
import { DepthFirst } from './strategies/depth-first.ts';
import { Dpor } from './strategies/dpor.ts';
import { Pct } from './strategies/pct.ts';
import { Portfolio } from './strategies/portfolio.ts';
import { RandomWalk } from './strategies/random-walk.ts';
import { UniformRandomWalk } from './strategies/uniform-random-walk.ts';
import type { Strategy } from './strategy.ts';

export const STRATEGY_NAMES = ['auto', 'dfs', 'dpor', 'delay', 'random', 'urw', 'pct', 'portfolio'] as const;
export type StrategyName = (typeof STRATEGY_NAMES)[number];

export interface PlanOptions {
  /** Default auto. */
  readonly strategy?: StrategyName;
  /** Executions at most, all strategies together; default 20,000. */
  readonly executions?: number;
  /** Faults in one execution at most; default: what the world says. */
  readonly faults?: number;
  /** Delays in one execution at most, where they are bounded; default 3. */
  readonly delays?: number;
  /** Of all that is random; default 1. */
  readonly seed?: number;
}

/** A part of a pass. */
export interface Shard {
  readonly strategy: Exclude<StrategyName, 'auto'>;
  readonly faults: number;
  /** With `delay`: at most so many. */
  readonly delays: number;
  readonly seed: number;
  /** With `dfs` and `delay`: only executions that begin with these choices. */
  readonly prefix: readonly number[];
  /** Executions at most; it may be complete before. */
  readonly executions: number;
}

/** A strategy under one fault budget. */
export interface Pass {
  readonly whole: Shard;
  /** What it says when it is complete. */
  readonly covers: string;
  /** Whether it is a number of executions by chance, which are complete when they have been made. */
  readonly isRandom: boolean;
}

export const EXECUTIONS = 20_000;
const DELAYS = 3;
/** Executions of one shard of a random pass. */
const BLOCK_EXECUTIONS = 1000;
/** Shards that an exhaustive pass is split into, at least, if it has so many beginnings. */
const PREFIXES_MIN = 24;
const PREFIX_ROUNDS_MAX = 8;
const PCT_DEPTH = 3;

/** The passes of a search, in order. */
export function planOf(description: WorldDescription, options: PlanOptions): Pass[] {
  const faultsMax = options.faults ?? description.explore?.faultsMax ?? 0;
  const executions = options.executions ?? EXECUTIONS;
  const delaysMax = options.delays ?? DELAYS;
  const { seed = 1, strategy: name = 'auto' } = options;
  const passes: Pass[] = [];
  const earlyMax = description.explore?.earlyMax ?? 0;
  const early = earlyMax === 0 ? '' : `, time up to ${plural(earlyMax, 'time')} early`;
  const base = { faults: faultsMax, delays: delaysMax, seed, prefix: [], executions };
  const quarter = Math.ceil(executions / 4);
  if (name === 'auto' || name === 'random' || name === 'urw' || name === 'pct' || name === 'portfolio') {
    const isAuto = name === 'auto';
    const strategy = isAuto ? 'portfolio' : name;
    const whole: Shard = { ...base, strategy, executions: isAuto ? quarter : executions };
    passes.push({ whole, covers: `${strategy} with up to ${plural(faultsMax, 'fault')}${early}`, isRandom: true });
  }
  if (name === 'auto' || name === 'dfs' || name === 'dpor') {
    const strategy = name === 'dfs' ? 'dfs' : 'dpor';
    for (let faults = 0; faults <= faultsMax; faults++) {
      const reduced = strategy === 'dfs' ? '' : ', up to the order of independent steps,';
      const covers = `every schedule${reduced} with up to ${plural(faults, 'fault')}${early}`;
      const whole: Shard = { ...base, strategy, faults, executions: name === 'auto' ? quarter : executions };
      passes.push({ whole, covers, isRandom: false });
    }
  }
  if (name === 'auto' || name === 'delay') {
    for (let sum = 0; sum <= delaysMax + faultsMax; sum++) {
      for (let faults = 0; faults <= Math.min(sum, faultsMax); faults++) {
        const delays = sum - faults;
        if (delays > delaysMax) continue;
        const bounds = `${plural(delays, 'delay')} and ${plural(faults, 'fault')}${early}`;
        const covers = `every schedule with up to ${bounds}`;
        passes.push({ whole: { ...base, strategy: 'delay', faults, delays }, covers, isRandom: false });
      }
    }
  }
  return passes;
}

/** A shard's strategy, at its beginning. */
export function strategyOf({ delays, prefix, seed, strategy }: Shard, executor: Executor): Strategy {
  switch (strategy) {
    case 'dfs':
      return new DepthFirst(Number.POSITIVE_INFINITY, prefix);
    case 'delay':
      return new DepthFirst(delays, prefix);
    case 'dpor':
      return new Dpor(executor.footprint, executor.world);
    case 'random':
      return new RandomWalk(seed);
    case 'urw':
      return new UniformRandomWalk(seed);
    case 'pct':
      return new Pct(seed, PCT_DEPTH);
    case 'portfolio':
      return new Portfolio(seed);
  }
}

/** The shards of a pass, in order, for several to execute: random blocks, or beginnings; a dpor pass is one. */
export function shardsOf({ isRandom, whole }: Pass, executor: Executor): Shard[] {
  if (isRandom) return [...blocksOf(whole)];
  if (whole.strategy === 'dpor') return [whole];
  return beginnings(whole, executor).map((prefix) => ({ ...whole, prefix }));
}

/** The shards of a pass, in order, for one to execute. */
export function* blocksOf(whole: Shard): Iterable<Shard> {
  const random = new SeededRandom(whole.seed);
  for (let done = 0; done < whole.executions; done += BLOCK_EXECUTIONS) {
    const seed = done === 0 ? whole.seed : random.word();
    yield { ...whole, seed, executions: Math.min(BLOCK_EXECUTIONS, whole.executions - done) };
  }
}

/** Beginnings of all executions, in the order of depth-first search. */
function beginnings(whole: Shard, executor: Executor): number[][] {
  executor.faultsMax = whole.faults;
  for (;;) {
    executor.forget();
    const prefixes = probed(whole, executor);
    executor.settle();
    if (!executor.tainted) return prefixes;
  }
}

function probed(whole: Shard, executor: Executor): number[][] {
  let prefixes: number[][] = [[]];
  for (let round = 0; round < PREFIX_ROUNDS_MAX && prefixes.length < PREFIXES_MIN; round++) {
    prefixes = prefixes.flatMap((prefix) => {
      const probe = new DepthFirst(whole.strategy === 'delay' ? whole.delays : Number.POSITIVE_INFINITY, prefix);
      probe.begin();
      executor.execute(probe);
      const bound = probe.boundAt(prefix.length);
      return bound === 0 ? [prefix] : Array.from({ length: bound }, (_, value) => [...prefix, value]);
    });
  }
  return prefixes;
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
