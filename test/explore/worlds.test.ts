// The worlds of worlds/explore hold: the small ones over every schedule and every answer within their bounds, with the
// number of executions that takes (a change of it is a change of what was explored); the large ones over some of a
// seeded portfolio.

import { describe, expect, it } from 'vitest';
import { explore } from '../../src/explore/search.ts';
import { exploredWorld } from './worlds.ts';

const EXHAUSTIVE = [
  { name: 'dies-as-it-shares', faults: 2, executions: 1574 },
  { name: 'every-answer', faults: 1, executions: 144 },
] as const;

const SAMPLED = [{ name: 'two-guests', executions: 600 }] as const;

describe('a small world holds over everything', () => {
  for (const { executions, faults, name } of EXHAUSTIVE) {
    it(`${name}, with up to ${faults} faults`, { timeout: 60_000 }, () => {
      const result = explore(exploredWorld(name), {}, { strategy: 'dpor', faults });
      expect(result.finding).toBe(null);
      expect(result.verdict).toBe('held');
      expect(result.bounds).toContain(
        `every schedule, up to the order of independent steps, with up to ${faults} fault`,
      );
      expect(result.executions).toBe(executions);
    });
  }
});

describe('a large world holds over some', () => {
  for (const { executions, name } of SAMPLED) {
    it(`${name}, ${executions} executions of a portfolio`, { timeout: 60_000 }, () => {
      const result = explore(exploredWorld(name), {}, { strategy: 'portfolio', executions, seed: 11 });
      expect(result.finding).toBe(null);
      expect(result.executions).toBe(executions);
    });
  }
});
