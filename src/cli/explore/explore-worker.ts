// The thread of `explore --workers`: makes the world once, executes the shards that it is sent, and answers each with
// what came of it.

import { parentPort, workerData } from 'node:worker_threads';
import type { Shard } from '../../explore/plan.ts';
import { type ExploreOptions, executorOf, runShard, type ShardOutcome } from '../../explore/search.ts';
import { loadWorldFrom } from '../world/load-world.ts';

/** What a worker is started with. */
export interface WorkerSetup {
  readonly file: string;
  readonly directory: string;
  readonly profile: string;
  readonly options: Pick<ExploreOptions, 'expectations' | 'stepsMax'>;
}

/** A shard for it, by its place among all. */
export interface ShardOrder {
  readonly index: number;
  readonly shard: Shard;
}

export interface ShardReport {
  readonly index: number;
  readonly outcome: ShardOutcome;
}

const port = parentPort;
if (port !== null) {
  const { directory, file, options, profile } = workerData as WorkerSetup;
  const { description, programs } = await loadWorldFrom(file, directory);
  const executor = executorOf({ ...description, profile }, { programs }, options);
  port.on('message', ({ index, shard }: ShardOrder) => {
    const running = runShard(executor, shard);
    for (;;) {
      const { done, value } = running.next();
      if (done !== true) continue;
      port.postMessage({ index, outcome: value } satisfies ShardReport);
      return;
    }
  });
}
