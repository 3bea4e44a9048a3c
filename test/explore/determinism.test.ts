// The explorer rests on this: the same choices make the same execution, event for event, whatever was executed before;
// and an execution from a checkpoint is the execution of a new world.

import { describe, expect, it } from 'vitest';
import { Executor } from '../../src/explore/executor.ts';
import { replay } from '../../src/explore/replay.ts';
import { Portfolio } from '../../src/explore/strategies/portfolio.ts';
import { Replay } from '../../src/explore/strategies/replay.ts';
import { exploredWorld } from './worlds.ts';

const EXECUTIONS = 60;

interface Made {
  readonly values: readonly number[];
  readonly bounds: readonly number[];
  readonly digest: number;
}

function made(executor: Executor): Made {
  const { choices, events } = executor.world.machine;
  return { values: [...choices.values], bounds: [...choices.bounds], digest: events.digest() };
}

/**
 * Pairs of executions of the same choices; what holds only, since a finding is executed again at once to confirm it.
 */
function pairs(executor: Executor): (readonly [Made, Made])[] {
  const portfolio = new Portfolio(3);
  const list: (readonly [Made, Made])[] = [];
  for (let n = 0; n < EXECUTIONS; n++) {
    portfolio.begin();
    if (executor.execute(portfolio) !== null) continue;
    const first = made(executor);
    const again = new Replay(first.values);
    again.begin();
    executor.execute(again);
    list.push([first, made(executor)]);
  }
  return list;
}

describe('an execution', () => {
  for (const name of ['two-guests', 'dies-as-it-shares', 'every-answer']) {
    it(`of ${name} is the same again, and the same in a new world`, { timeout: 60_000 }, () => {
      const description = exploredWorld(name);
      const faultsMax = 2;
      const executor = new Executor(description, { keepEvents: true }, { faultsMax });
      let list = pairs(executor);
      // As a search does it: what was executed before all that changes was known is executed anew.
      for (; executor.tainted; list = pairs(executor)) executor.forget();
      expect(list.length).toBeGreaterThan(EXECUTIONS / 2);
      for (const [first, second] of list) expect(second).toEqual(first);
      for (const [first] of list.slice(0, 8)) {
        const { world } = replay(description, {}, { choices: first.values, faultsMax });
        expect(world.machine.events.digest()).toBe(first.digest);
      }
    });
  }
});
