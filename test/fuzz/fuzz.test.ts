// The fuzzers in CI: each target at the door 20 s, each decoder and reader 6 s, always from the same seed, so that a
// red run can be repeated; `npm run fuzz` goes on longer and elsewhere. All targets together stay under five minutes.

import { expect, it } from 'vitest';
import { slowRing } from '../require.ts';
import { TARGET_PLACES } from './all-targets.ts';
import { fuzzTarget } from './fuzz-target.ts';
import { instrumentedTree } from './instrumented-tree.ts';
import { reportLine, writeFindings } from './report.ts';

const SEED = 20260822;
const DOOR_SECONDS = 20;
const READER_SECONDS = 6;
/** A target that reaches less than this is broken, not clean. */
const EDGES_MIN = 40;

slowRing('fuzz')('each fuzz target finds nothing', () => {
  const tree = instrumentedTree();

  for (const place of TARGET_PLACES) {
    const seconds = place.name.startsWith('door-') ? DOOR_SECONDS : READER_SECONDS;
    it(`${place.name} in ${seconds} s`, async () => {
      const outcome = await fuzzTarget(tree, place, { seed: SEED, seconds, inputsMax: Number.POSITIVE_INFINITY });
      console.log(reportLine(outcome, SEED));
      expect(writeFindings(outcome, process.cwd()).join('\n')).toBe('');
      expect(outcome.progress.edges).toBeGreaterThan(EDGES_MIN);
    });
  }

  it('goes the same way for the same seed and number of inputs', async () => {
    for (const name of ['door-ffabric', 'memory-transaction']) {
      const place = TARGET_PLACES.find((one) => one.name === name);
      if (place === undefined) throw new Error(`no target ${name}`);
      const options = { seed: 7, seconds: 60, inputsMax: 1500 };
      const first = await fuzzTarget(tree, place, options);
      const second = await fuzzTarget(tree, place, options);
      expect(second.progress).toEqual(first.progress);
      expect(first.progress.inputs).toBe(1500);
    }
  });
});
