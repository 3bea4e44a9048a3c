// The explorer's rows: what an execution and a step of it cost, oracle on, in a world of two guests and a partition in
// which one shares, both are destroyed, and an answer is retried.

import { assert } from '../../base/assert.ts';
import { Executor } from '../../explore/executor.ts';
import { replay } from '../../explore/replay.ts';
import { DepthFirst } from '../../explore/strategies/depth-first.ts';
import { Dpor } from '../../explore/strategies/dpor.ts';
import { RandomWalk } from '../../explore/strategies/random-walk.ts';
import type { Strategy } from '../../explore/strategy.ts';
import { loadWorld } from '../../scenario/load-world.ts';
import { measure, row } from './measure.ts';
import type { BenchRow } from './rows.ts';

const WORLD = `
story: two guests die, one of them with a page out
memory: {pages: 512}
partitions:
  - {name: crypto, id: 0x8001, program: holder}
guests:
  - name: g1
    pages: 18
    script: [version, until: {time: 1s}, share: {name: a, to: crypto, pages: 1, expect: any}]
  - name: g2
    pages: 18
    script: [version, until: {time: 1s}]
timeline:
  - {at: 1s, destroy: g1}
  - {at: 1s, destroy: g2}
explore:
  from: 1s
  faults: [{call: MEM_RECLAIM, answers: [BUSY]}]
  faultsMax: 1
`;

const STRATEGIES: Readonly<Record<string, (executor: Executor) => Strategy>> = {
  dfs: () => new DepthFirst(),
  random: () => new RandomWalk(1),
  dpor: (executor) => new Dpor(executor.footprint, executor.world),
};

/** Executes until `enough`; a strategy that has tried everything begins anew. */
function execute(executor: Executor, strategyName: string, enough: () => boolean): void {
  let strategy = STRATEGIES[strategyName](executor);
  while (!enough()) {
    if (!strategy.begin()) {
      strategy = STRATEGIES[strategyName](executor);
      continue;
    }
    const finding = executor.execute(strategy);
    assert(finding === null, 'the world of the benchmark holds');
  }
}

function executor(): Executor {
  return new Executor(loadWorld(WORLD, 'bench.yaml'), {}, { faultsMax: 1 });
}

function stepRow(strategy: string, ceilingNs: number): BenchRow {
  const name = `explore-step-${strategy}`;
  return {
    name,
    what: `a step of an execution under ${strategy}, judged`,
    xenNs: 0,
    ceilingNs,
    run(_context, calibrationNs) {
      const one = executor();
      const ns = measure((count) => {
        one.forget();
        execute(one, strategy, () => one.stepTotal >= count);
        return one.stepTotal;
      });
      return row(name, ns, calibrationNs);
    },
  };
}

export const EXPLORE_ROWS: readonly BenchRow[] = [
  {
    name: 'explore-execution',
    what: 'a whole execution at random: share, two deaths, retry, judged',
    xenNs: 0,
    ceilingNs: 50_000,
    run(_context, calibrationNs) {
      const one = executor();
      const ns = measure((count) => {
        one.forget();
        execute(one, 'random', () => one.executionCount >= count);
        return one.stepTotal;
      });
      return row('explore-execution', ns, calibrationNs);
    },
  },
  stepRow('dfs', 1000),
  stepRow('random', 1000),
  stepRow('dpor', 3333),
  {
    name: 'explore-replay',
    what: 'a replay with all events kept, its world made anew',
    xenNs: 0,
    ceilingNs: 50_000_000,
    run(_context, calibrationNs) {
      const description = loadWorld(WORLD, 'bench.yaml');
      const ns = measure((count) => {
        let steps = 0;
        for (let n = 0; n < count; n++) steps += replay(description, {}, { choices: [1], faultsMax: 1 }).steps;
        return steps;
      });
      return row('explore-replay', ns, calibrationNs);
    },
  },
];
