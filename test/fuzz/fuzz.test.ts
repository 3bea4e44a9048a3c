// The fuzzers in CI: each target 20 s, two at a time, always from the same seed, so that a red run can be repeated;
// `npm run fuzz` goes on longer and elsewhere. All targets together stay under six minutes.

import { expect, it } from 'vitest';
import { slowRing } from '../require.ts';
import { TARGET_PLACES, type TargetPlace } from './all-targets.ts';
import { fuzzTarget } from './fuzz-target.ts';
import { instrumentedTree } from './instrumented-tree.ts';
import { reportLine, writeFindings } from './report.ts';

const SEED = 20260822;
const SECONDS = 20;
/** A target that reaches less than this is broken, not clean. */
const EDGES_MIN = 40;

slowRing('fuzz')('each fuzz target finds nothing', () => {
  const tree = instrumentedTree();
  const waiting = [...TARGET_PLACES];
  const outcomes = new Map<TargetPlace, ReturnType<typeof fuzzTarget>>();

  /** Begins the next target; each that ends begins another. */
  function begin(): void {
    const place = waiting.shift();
    if (place === undefined) return;
    const outcome = fuzzTarget(tree, place, { seed: SEED, seconds: SECONDS, inputsMax: Number.POSITIVE_INFINITY });
    outcomes.set(place, outcome);
    outcome.then(begin, begin);
  }

  /** The outcome of a target that has begun, or will when one before it ends. */
  async function outcomeOf(place: TargetPlace): ReturnType<typeof fuzzTarget> {
    for (;;) {
      const outcome = outcomes.get(place);
      if (outcome !== undefined) return await outcome;
      await Promise.race([...outcomes.values()].slice(-2).map((one) => one.catch(() => null)));
    }
  }

  for (const place of TARGET_PLACES) {
    it(`${place.name} in ${SECONDS} s`, async () => {
      if (outcomes.size === 0) {
        begin();
        begin();
      }
      const outcome = await outcomeOf(place);
      console.log(reportLine(outcome, SEED));
      expect(writeFindings(outcome, process.cwd()).join('\n')).toBe('');
      expect(outcome.progress.edges).toBeGreaterThan(EDGES_MIN);
    });
  }

  it('goes the same way for the same seed and number of inputs', async () => {
    for (const name of ['door-ffabric', 'door-spmc', 'memory-transaction']) {
      const place = TARGET_PLACES.find((one) => one.name === name);
      if (place === undefined) throw new Error(`no target ${name}`);
      const options = { seed: 7, seconds: 60, inputsMax: 700 };
      const [first, second] = await Promise.all([fuzzTarget(tree, place, options), fuzzTarget(tree, place, options)]);
      expect(second.progress).toEqual(first.progress);
      expect(first.progress.inputs).toBe(700);
    }
  });
});
