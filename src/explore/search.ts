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
import { blocksOf, EXECUTIONS, type Pass, type PlanOptions, planOf, type Shard, strategyOf } from './plan.ts';
import { Shrinker } from './shrink.ts';

export interface ExploreOptions extends PlanOptions {
  /** Steps of one execution at most. */
  readonly stepsMax?: number;
  /** Whether the world's own expectations are judged too; default false. */
  readonly expectations?: boolean;
  /** Whether a finding is shrunk; default true. */
  readonly shrinks?: boolean;
  /** Asked now and then: true ends the search with what was found so far. */
  readonly stop?: () => boolean;
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
  const executor = executorOf(description, parts, options);
  const passes = planOf(description, options);
  const tally = new Tally(passes, options);
  for (const pass of passes) {
    for (const shard of pass.isRandom ? blocksOf(pass.whole) : [pass.whole]) {
      const most = Math.min(shard.executions, tally.executionsLeft);
      if (most === 0) break;
      const part = yield* runShard(executor, { ...shard, executions: most }, options.stop, tally);
      tally.add(part);
      if (part.finding !== null) return yield* conclude(executor, tally, part.finding, pass, options);
      if (part.stopped) return tally.result('inconclusive', null, null);
    }
    tally.endPass(pass);
  }
  return tally.result('held', null, null);
}

export function executorOf(description: WorldDescription, parts: WorldParts, options: ExploreOptions): Executor {
  return new Executor(description, parts, {
    faultsMax: 0,
    ...(options.stepsMax === undefined ? {} : { stepsMax: options.stepsMax }),
    expectations: options.expectations ?? false,
  });
}

/** What came of a shard. */
export interface ShardOutcome {
  readonly finding: Finding | null;
  readonly executions: number;
  readonly steps: number;
  /** Whether there was nothing left to try. */
  readonly complete: boolean;
  readonly stopped: boolean;
}

/** Executes one shard. */
export function* runShard(
  executor: Executor,
  shard: Shard,
  stop: () => boolean = () => false,
  before: { readonly executions: number; readonly steps: number } = { executions: 0, steps: 0 },
): Generator<SearchProgress, ShardOutcome, void> {
  executor.faultsMax = shard.faults;
  for (;;) {
    executor.forget();
    const strategy = strategyOf(shard, executor);
    let finding: Finding | null = null;
    let complete = false;
    let stopped = false;
    while (finding === null && !executor.tainted && !stopped) {
      if (!strategy.begin()) {
        complete = true;
        break;
      }
      if (executor.executionCount >= shard.executions) break;
      finding = executor.execute(strategy);
      if (executor.executionCount % EXECUTIONS_PER_YIELD !== 0) continue;
      const executions = before.executions + executor.executionCount;
      const steps = before.steps + executor.stepTotal;
      yield { strategy: strategy.name, faults: shard.faults, executions, steps, best: null };
      stopped = stop();
    }
    executor.settle();
    if (executor.tainted) continue;
    return { finding, executions: executor.executionCount, steps: executor.stepTotal, complete, stopped };
  }
}

/** The end of a search that has found something: shrinks it. */
export function* conclude(
  executor: Executor,
  tally: Tally,
  finding: Finding,
  pass: Pass,
  options: ExploreOptions,
): Generator<SearchProgress, ExploreResult, void> {
  tally.strategy = pass.whole.strategy;
  if (options.shrinks === false) return tally.result('violated', finding, finding);
  const shrinker = new Shrinker(executor, finding);
  const running = shrinker.run();
  const { executions, steps } = tally;
  while (running.next().done !== true) {
    yield { strategy: 'shrink', faults: pass.whole.faults, executions, steps, best: shrinker.best };
  }
  return tally.result('violated', shrinker.best, finding);
}

/** What a search has come to so far. */
export class Tally {
  executions = 0;
  steps = 0;
  strategy: string;
  private readonly limit: number;
  private readonly passes: readonly Pass[];
  private readonly completed: string[] = [];
  private readonly incomplete: string[] = [];
  private passCount = 0;
  /** Of the pass at hand: its executions, and whether all its shards were complete. */
  private passExecutions = 0;
  private isPassComplete = true;

  constructor(passes: readonly Pass[], options: ExploreOptions) {
    this.passes = passes;
    this.limit = options.executions ?? EXECUTIONS;
    this.strategy = options.strategy ?? 'auto';
  }

  get executionsLeft(): number {
    return Math.max(0, this.limit - this.executions);
  }

  add({ complete, executions, steps }: ShardOutcome): void {
    this.executions += executions;
    this.steps += steps;
    this.passExecutions += executions;
    this.isPassComplete &&= complete;
  }

  /** All shards of a pass have been added, or there were no executions left for them. */
  endPass({ covers, isRandom }: Pass): void {
    this.passCount++;
    if (this.passExecutions === 0) this.incomplete.push(covers);
    else if (isRandom) this.completed.push(`${this.passExecutions} executions of ${covers}`);
    else if (this.isPassComplete) this.completed.push(covers);
    else this.incomplete.push(covers);
    this.passExecutions = 0;
    this.isPassComplete = true;
  }

  result(verdict: ExploreResult['verdict'], finding: Finding | null, original: Finding | null): ExploreResult {
    const left = [...this.incomplete, ...this.passes.slice(this.passCount).map(({ covers }) => covers)];
    return {
      verdict,
      strategy: this.strategy,
      bounds: listed(this.completed, finding === null ? 'nothing was completed' : 'nothing was complete before'),
      executions: this.executions,
      steps: this.steps,
      finding,
      original,
      notExplored: finding === null ? listed(left, BEYOND) : 'what comes after the first finding',
    };
  }
}

/** What no bound includes. */
const BEYOND = 'weak memory, cache maintenance, real time';

function listed(list: readonly string[], none: string): string {
  return list.length === 0 ? none : list.join('; ');
}
