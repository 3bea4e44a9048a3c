// The worlds of worlds/explore hold: the small ones over every schedule and every answer within their bounds, with the
// number of executions that takes (a change of it is a change of what was explored); the large ones over some of a
// seeded portfolio.

import { describe, expect, it } from 'vitest';
import { explore } from '../../src/explore/search.ts';
import { slowRing } from '../require.ts';
import { exploredWorld } from './worlds.ts';

interface Exhaustive {
  readonly name: string;
  readonly faults: number;
  readonly executions: number;
}

const EXHAUSTIVE: readonly Exhaustive[] = [
  { name: 'dies-as-it-shares', faults: 2, executions: 1574 },
  { name: 'every-answer', faults: 1, executions: 144 },
];

/** A minute together at most. */
const SLOW: readonly Exhaustive[] = [{ name: 'every-answer', faults: 2, executions: 9251 }];

const SAMPLED = [{ name: 'two-guests', executions: 600 }] as const;

function holdsOverEverything(rows: readonly Exhaustive[]): void {
  for (const { executions, faults: faultsMax, name } of rows) {
    it(`${name}, with up to ${faultsMax} faults`, { timeout: 180_000 }, () => {
      const result = explore(exploredWorld(name), {}, { strategy: 'dpor', faults: faultsMax });
      expect(result.finding).toBe(null);
      expect(result.verdict).toBe('held');
      const bounds: string[] = [];
      for (let faults = 0; faults <= faultsMax; faults++) {
        const reduced = 'every schedule, up to the order of independent steps,';
        bounds.push(`${reduced} with up to ${faults} fault${faults === 1 ? '' : 's'}`);
      }
      expect(result.bounds).toBe(bounds.join('; '));
      expect(result.executions).toBe(executions);
    });
  }
}

describe('a small world holds over everything', () => holdsOverEverything(EXHAUSTIVE));

slowRing('explore')('a small world holds over everything, with more faults', () => holdsOverEverything(SLOW));

describe('a large world holds over some', () => {
  for (const { executions, name } of SAMPLED) {
    it(`${name}, ${executions} executions of a portfolio`, { timeout: 60_000 }, () => {
      const result = explore(exploredWorld(name), {}, { strategy: 'portfolio', executions, seed: 11 });
      expect(result.finding).toBe(null);
      expect(result.executions).toBe(executions);
    });
  }
});
