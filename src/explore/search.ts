// The search: which strategies, in which order, within which bounds, until something is found or the bounds are done.
// It is a generator that yields now and then, so that whoever drives it can look at a clock, show progress, or stop.
//
//     const result = explore(description, parts, { strategy: 'auto' });
//
// Strategies by name:
//
//     dfs        every schedule
//     dpor       one schedule at least of each class of equivalent ones
//     delay      every schedule with 0, 1, 2, ... delays
//     random, urw, pct, portfolio   so many executions by chance
//     auto       a portfolio first, then dpor, then delay as far as the number of executions goes
//
// Around them goes the fault budget: 0 faults, then 1, then 2, up to the world's; so the first finding is nearly the
// simplest.

import type { WorldDescription } from '../world/description.ts';
import type { WorldParts } from '../world/world-parts.ts';
import { Executor } from './executor.ts';
import type { Finding } from './finding.ts';
import { Shrinker } from './shrink.ts';
import { DepthFirst } from './strategies/depth-first.ts';
import { Dpor } from './strategies/dpor.ts';
import { Pct } from './strategies/pct.ts';
import { Portfolio } from './strategies/portfolio.ts';
import { RandomWalk } from './strategies/random-walk.ts';
import { UniformRandomWalk } from './strategies/uniform-random-walk.ts';
import type { Strategy } from './strategy.ts';

export const STRATEGY_NAMES = ['auto', 'dfs', 'dpor', 'delay', 'random', 'urw', 'pct', 'portfolio'] as const;
export type StrategyName = (typeof STRATEGY_NAMES)[number];

export interface ExploreOptions {
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
  /** Steps of one execution at most. */
  readonly stepsMax?: number;
  /** Whether the world's own expectations are judged too; default false. */
  readonly expectations?: boolean;
  /** Whether a finding is shrunk; default true. */
  readonly shrinks?: boolean;
  /** Asked now and then: true ends the search with what was found so far. */
  readonly stop?: () => boolean;
}

/** One pass of a search: a strategy under one fault budget. */
interface Pass {
  readonly strategy: string;
  readonly faults: number;
  /** What it says when it is complete. */
  readonly covers: string;
  readonly make: (executor: Executor) => Strategy;
  /** Executions at most; it may be complete before. */
  readonly executions: number;
}

export interface SearchProgress {
  readonly strategy: string;
  readonly faults: number;
  readonly executions: number;
  readonly steps: number;
  /** While a finding is being shrunk: the smallest so far. */
  readonly best: Finding | null;
}

export interface ExploreResult {
  /** `held`: within the bounds; `violated`; `inconclusive`: it was ended before. */
  readonly verdict: 'held' | 'violated' | 'inconclusive';
  /** The strategy that found something, or those that were used. */
  readonly strategy: string;
  /** What was completed, in words. */
  readonly bounds: string;
  readonly executions: number;
  readonly steps: number;
  readonly finding: Finding | null;
  /** What was found first, before it was shrunk. */
  readonly original: Finding | null;
  /** What was not tried, in words. */
  readonly notExplored: string;
}

const EXECUTIONS = 20_000;
const DELAYS = 3;
/** Executions between two looks at whether to stop. */
const EXECUTIONS_PER_YIELD = 64;

/** Explores a world to the end of its bounds, or to the first finding. */
export function explore(
  description: WorldDescription,
  parts: WorldParts = {},
  options: ExploreOptions = {},
): ExploreResult {
  const running = search(description, parts, options);
  for (;;) {
    const { done, value } = running.next();
    if (done === true) return value;
  }
}

/** The same, one piece at a time. */
export function* search(
  description: WorldDescription,
  parts: WorldParts,
  options: ExploreOptions,
): Generator<SearchProgress, ExploreResult, void> {
  const executor = new Executor(description, parts, {
    faultsMax: 0,
    ...(options.stepsMax === undefined ? {} : { stepsMax: options.stepsMax }),
    expectations: options.expectations ?? false,
  });
  const passes = planOf(description, options);
  const completed: string[] = [];
  const incomplete: string[] = [];
  let executions = 0;
  let steps = 0;
  const limit = options.executions ?? EXECUTIONS;
  for (const pass of passes) {
    if (executions >= limit) {
      incomplete.push(pass.covers);
      continue;
    }
    const outcome = yield* runPass(executor, pass, Math.min(pass.executions, limit - executions), options, {
      executions,
      steps,
    });
    executions += outcome.executions;
    steps += outcome.steps;
    if (outcome.finding !== null) {
      const shrunk =
        options.shrinks === false
          ? outcome.finding
          : yield* shrinking(executor, outcome.finding, { strategy: 'shrink', faults: pass.faults, executions, steps });
      return {
        verdict: 'violated',
        strategy: pass.strategy,
        bounds: listed(completed, 'nothing was complete before'),
        executions,
        steps,
        finding: shrunk,
        original: outcome.finding,
        notExplored: 'what comes after the first finding',
      };
    }
    if (outcome.complete) completed.push(outcome.covers);
    else incomplete.push(pass.covers);
    if (outcome.stopped) {
      return {
        verdict: 'inconclusive',
        strategy: options.strategy ?? 'auto',
        bounds: listed(completed, 'nothing was completed'),
        executions,
        steps,
        finding: null,
        original: null,
        notExplored: listed(
          passes.slice(completed.length).map(({ covers }) => covers),
          'nothing',
        ),
      };
    }
  }
  return {
    verdict: 'held',
    strategy: options.strategy ?? 'auto',
    bounds: listed(completed, 'nothing was completed'),
    executions,
    steps,
    finding: null,
    original: null,
    notExplored: listed(incomplete, 'weak memory, cache maintenance, real time'),
  };
}

function* shrinking(
  executor: Executor,
  finding: Finding,
  progress: Omit<SearchProgress, 'best'>,
): Generator<SearchProgress, Finding, void> {
  const shrinker = new Shrinker(executor, finding);
  const running = shrinker.run();
  while (running.next().done !== true) yield { ...progress, best: shrinker.best };
  return shrinker.best;
}

interface PassOutcome {
  readonly finding: Finding | null;
  readonly executions: number;
  readonly steps: number;
  readonly complete: boolean;
  readonly stopped: boolean;
  readonly covers: string;
}

function* runPass(
  executor: Executor,
  pass: Pass,
  executionsMax: number,
  options: ExploreOptions,
  before: { readonly executions: number; readonly steps: number },
): Generator<SearchProgress, PassOutcome, void> {
  executor.faultsMax = pass.faults;
  for (;;) {
    executor.forget();
    const strategy = pass.make(executor);
    let finding: Finding | null = null;
    let complete = false;
    let stopped = false;
    while (finding === null && !executor.tainted && !stopped) {
      if (!strategy.begin()) {
        complete = true;
        break;
      }
      if (executor.executionCount >= executionsMax) break;
      finding = executor.execute(strategy);
      if (executor.executionCount % EXECUTIONS_PER_YIELD === 0) {
        yield {
          strategy: strategy.name,
          faults: pass.faults,
          executions: before.executions + executor.executionCount,
          steps: before.steps + executor.stepTotal,
          best: null,
        };
        stopped = options.stop?.() === true;
      }
    }
    if (executor.tainted) continue;
    const counted = isRandom(pass) && !stopped;
    return {
      finding,
      executions: executor.executionCount,
      steps: executor.stepTotal,
      complete: complete || counted,
      stopped,
      covers: counted ? `${executor.executionCount} executions of ${pass.covers}` : pass.covers,
    };
  }
}

function isRandom({ strategy }: Pass): boolean {
  return strategy === 'random' || strategy === 'urw' || strategy === 'pct' || strategy === 'portfolio';
}

/** The passes of a search, in order. */
function planOf(description: WorldDescription, options: ExploreOptions): Pass[] {
  const faultsMax = options.faults ?? description.explore?.faultsMax ?? 0;
  const executions = options.executions ?? EXECUTIONS;
  const delaysMax = options.delays ?? DELAYS;
  const seed = options.seed ?? 1;
  const name = options.strategy ?? 'auto';
  const passes: Pass[] = [];
  const random = (strategy: string, make: () => Strategy, count: number) => {
    passes.push({
      strategy,
      faults: faultsMax,
      covers: `${strategy} with up to ${faults(faultsMax)}`,
      make,
      executions: count,
    });
  };
  switch (name) {
    case 'random':
      random(name, () => new RandomWalk(seed), executions);
      break;
    case 'urw':
      random(name, () => new UniformRandomWalk(seed), executions);
      break;
    case 'pct':
      random(name, () => new Pct(seed, 3), executions);
      break;
    case 'portfolio':
      random(name, () => new Portfolio(seed), executions);
      break;
    case 'auto':
      random('portfolio', () => new Portfolio(seed), Math.ceil(executions / 4));
      break;
  }
  const early = (description.explore?.earlyMax ?? 0) > 0;
  if (name === 'dfs' || name === 'dpor' || (name === 'auto' && !early)) {
    const isDfs = name === 'dfs';
    for (let count = 0; count <= faultsMax; count++) {
      const reduced = isDfs ? '' : ', up to the order of independent steps,';
      const covers = `every schedule${reduced} with up to ${faults(count)}`;
      const make = (executor: Executor) =>
        isDfs ? new DepthFirst() : new Dpor(executor.footprint, executor.world.machine.time);
      const most = name === 'auto' ? Math.ceil(executions / 4) : executions;
      passes.push({ strategy: isDfs ? 'dfs' : 'dpor', faults: count, covers, make, executions: most });
    }
  }
  if (name === 'delay' || name === 'auto') {
    for (let sum = 0; sum <= delaysMax + faultsMax; sum++) {
      for (let count = 0; count <= Math.min(sum, faultsMax); count++) {
        const delays = sum - count;
        if (delays > delaysMax) continue;
        const covers = `every schedule with up to ${plural(delays, 'delay')} and ${faults(count)}`;
        passes.push({ strategy: 'delay', faults: count, covers, make: () => new DepthFirst(delays), executions });
      }
    }
  }
  return passes;
}

function faults(count: number): string {
  return plural(count, 'fault');
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

function listed(list: readonly string[], none: string): string {
  return list.length === 0 ? none : list.join('; ');
}
