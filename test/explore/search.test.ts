// The search as a whole: what holds is said to hold within its bounds, a mistake is found by every strategy, shrinks to
// the same schedule, and is there again when that is replayed.

import { describe, expect, it } from 'vitest';
import type { StrategyName } from '../../src/explore/plan.ts';
import { replay } from '../../src/explore/replay.ts';
import { parseSchedule, printSchedule } from '../../src/explore/schedule.ts';
import { explore } from '../../src/explore/search.ts';
import { MUTANT, smallWorld } from './worlds.ts';

const SHARE = 'share: {name: a, to: crypto, pages: 1, expect: any}';
const RETRIEVE = 'message: {to: crypto, do: retrieve, region: a, expect: any}';
const DESTROY = '[{at: 1s, destroy: g1}]';

function lifecycle(profile = 'ffabric') {
  return { ...smallWorld([[SHARE, RETRIEVE]], DESTROY), profile };
}

describe('a search', () => {
  it('holds within bounds that it names, when the world holds', () => {
    const result = explore(lifecycle(), {}, { strategy: 'dpor' });
    expect(result.verdict).toBe('held');
    expect(result.finding).toBe(null);
    expect(result.bounds).toBe('every schedule, up to the order of independent steps, with up to 0 faults');
    expect(result.executions).toMatchInlineSnapshot(`6`);
  });

  it('says what it has not tried when the executions end first', () => {
    const result = explore(lifecycle(), {}, { strategy: 'dfs', executions: 3 });
    expect(result.verdict).toBe('held');
    expect(result.bounds).toBe('nothing was completed');
    expect(result.notExplored).toBe('every schedule with up to 0 faults');
  });

  it('is inconclusive when it is told to stop', () => {
    const result = explore(lifecycle(), {}, { strategy: 'random', executions: 5000, stop: () => true });
    expect(result.verdict).toBe('inconclusive');
    expect(result.executions).toBeLessThan(5000);
  });

  /** Schedules by the anomaly that they show. */
  const schedules = new Map<string, Set<string>>();
  for (const strategy of ['auto', 'dfs', 'dpor', 'delay', 'random', 'urw', 'pct', 'portfolio'] as StrategyName[]) {
    it(`finds by ${strategy} that a teardown is missing`, () => {
      const description = lifecycle('without-teardown');
      const result = explore(description, MUTANT, { strategy });
      expect(result.verdict).toBe('violated');
      const { finding, original } = result;
      if (finding === null || original === null) throw new Error('nothing was found');
      expect(['P1', 'P1b']).toContain(finding.property);
      expect(finding.anomaly).toMatch(/^page (returned|unpinned) while /);
      expect(finding.steps).toBeLessThanOrEqual(original.steps);
      const known = schedules.get(finding.anomaly) ?? new Set();
      schedules.set(finding.anomaly, known.add(printSchedule(finding)));
      const again = replay(description, MUTANT, parseSchedule(printSchedule(finding)));
      expect(again.misfits).toBe(0);
      expect(again.finding?.anomaly).toBe(finding.anomaly);
      expect(again.steps).toBe(finding.steps);
      expect(again.world.machine.events.kept).toBeGreaterThan(again.firstEvent);
    });
  }

  it('prints the same mistake the same way, whoever found it', () => {
    expect(schedules.size).toBeLessThanOrEqual(3);
    for (const [anomaly, found] of schedules) expect([anomaly, ...found]).toHaveLength(2);
  });

  it('is the same search with the same seed, and another with another', () => {
    const schedule = (seed: number) => {
      const result = explore(lifecycle('without-teardown'), MUTANT, { strategy: 'random', seed, shrinks: false });
      return [result.executions, result.steps, result.finding?.choices.join()].join(' ');
    };
    expect(schedule(5)).toBe(schedule(5));
    expect(new Set([1, 2, 3, 4, 5, 6].map(schedule)).size).toBeGreaterThan(1);
  });
});
