// A search on several threads. The shards of all passes are executed in their order, as threads come free, and taken
// account of in their order: what is found, and after how many executions, does not depend on how many threads there
// are. (What a thread did beyond that is thrown away.)

import { Worker } from 'node:worker_threads';
import type { Executor } from '../../explore/executor.ts';
import { type Pass, planOf, type Shard, shardsOf } from '../../explore/plan.ts';
import {
  conclude,
  type ExploreOptions,
  type ExploreResult,
  executorOf,
  runShard,
  type SearchProgress,
  type ShardOutcome,
  Tally,
} from '../../explore/search.ts';
import type { WorldOnDisk } from '../world/load-world.ts';
import type { ShardOrder, ShardReport, WorkerSetup } from './explore-worker.ts';

/** Milliseconds between two looks at whether to stop. */
const LOOK_MS = 50;

/** Told of progress now and then; resolves when the caller has had its breath. */
export type Watch = (progress: SearchProgress) => Promise<void>;

export async function searchWithWorkers(
  { description, programs }: WorldOnDisk,
  setup: WorkerSetup,
  count: number,
  options: ExploreOptions,
  watch: Watch,
): Promise<ExploreResult> {
  const executor = executorOf(description, { programs }, options);
  const passes = planOf(description, options);
  const tally = new Tally(passes, options);
  const pool = new Pool(setup, count);
  try {
    for (const [at, pass] of passes.entries()) {
      // What a pass leaves idle at its end, the next passes use.
      for (const ahead of passes.slice(at, at + 2)) if (!pool.has(ahead)) pool.add(ahead, shardsOf(ahead, executor));
      for (const order of pool.ordersOf(pass)) {
        if (tally.executionsLeft === 0) break;
        const outcome = await pool.outcome(order, options, () =>
          watch({
            strategy: pass.whole.strategy,
            faults: pass.whole.faults,
            executions: tally.executions,
            steps: tally.steps,
            best: null,
          }),
        );
        if (outcome === null) return tally.result('inconclusive', null, null);
        const isBeyond = outcome.executions > tally.executionsLeft;
        tally.add(isBeyond ? cutTo(executor, order.shard, tally.executionsLeft) : outcome);
        if (isBeyond || outcome.finding === null) continue;
        pool.end();
        const running = conclude(executor, tally, outcome.finding, pass, options);
        for (;;) {
          const { done, value } = running.next();
          if (done === true) return value;
          await watch(value);
        }
      }
      tally.endPass(pass);
    }
    return tally.result('held', null, null);
  } finally {
    pool.end();
  }
}

/** A shard of which only the first executions count: they are made again, here. */
function cutTo(executor: Executor, shard: Shard, executions: number): ShardOutcome {
  const running = runShard(executor, { ...shard, executions });
  for (;;) {
    const { done, value } = running.next();
    if (done === true) return value;
  }
}

class Pool {
  private readonly workers: Worker[] = [];
  private readonly idle: Worker[] = [];
  private readonly waiting: ShardOrder[] = [];
  private readonly orders = new Map<Pass, ShardOrder[]>();
  private readonly outcomes = new Map<number, ShardOutcome>();
  private orderCount = 0;
  private failure: Error | null = null;
  private wake: () => void = () => undefined;

  constructor(setup: WorkerSetup, count: number) {
    for (let n = 0; n < count; n++) {
      const worker = new Worker(new URL('./explore-worker.js', import.meta.url), { workerData: setup });
      worker.on('message', ({ index, outcome }: ShardReport) => {
        this.outcomes.set(index, outcome);
        this.idle.push(worker);
        this.employ();
        this.wake();
      });
      worker.on('error', (error) => {
        this.failure = error;
        this.wake();
      });
      this.workers.push(worker);
      this.idle.push(worker);
    }
  }

  has(pass: Pass): boolean {
    return this.orders.has(pass);
  }

  add(pass: Pass, shards: readonly Shard[]): void {
    const orders = shards.map((shard) => ({ index: this.orderCount++, shard }));
    this.orders.set(pass, orders);
    this.waiting.push(...orders);
    this.employ();
  }

  ordersOf(pass: Pass): readonly ShardOrder[] {
    return this.orders.get(pass) ?? [];
  }

  /** What came of a shard, once it is there; null when the search is to stop first. */
  async outcome(
    order: ShardOrder,
    options: ExploreOptions,
    breathe: () => Promise<void>,
  ): Promise<ShardOutcome | null> {
    for (;;) {
      if (this.failure !== null) throw this.failure;
      const found = this.outcomes.get(order.index);
      if (found !== undefined) {
        this.outcomes.delete(order.index);
        return found;
      }
      if (options.stop?.() === true) return null;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, LOOK_MS);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      await breathe();
    }
  }

  end(): void {
    for (const worker of this.workers.splice(0)) void worker.terminate();
    this.idle.length = 0;
  }

  private employ(): void {
    while (this.idle.length > 0 && this.waiting.length > 0) {
      const order = this.waiting.shift() as ShardOrder;
      (this.idle.pop() as Worker).postMessage(order);
    }
  }
}
