// Every recording of Hafnium's SPMC, on ours.

import { describe, expect, it } from 'vitest';
import { FileReplay } from '../../src/conform/file-replay.ts';
import { forEachLine } from '../../src/conform/text-lines.ts';
import { vectorLines, vectorNames } from './vector-files.ts';

/** File, recordings that pass, calls that they make. Nothing fails, is skipped or refused. */
const FILES: readonly (readonly [name: string, passed: number, calls: number])[] = [
  ['hafnium.frag-rx-v10', 33, 661],
  ['hafnium.frag-rx-v11', 38, 757],
  ['hafnium.frag-rx-v12', 41, 824],
  ['hafnium.fragments-v11', 181, 1000],
  ['hafnium.fragments-v12', 182, 999],
  ['hafnium.negative-v10', 1061, 1684],
  ['hafnium.negative-v11', 1074, 1764],
  ['hafnium.negative-v12', 1102, 1820],
  ['hafnium.positive-mixed-v12-v11', 1006, 5065],
  ['hafnium.positive-v11', 1038, 5297],
  ['hafnium.positive-v12', 1042, 5245],
  ['hafnium.random-mixed', 83, 1671],
  ['hafnium.random-v11', 88, 1756],
  ['hafnium.random-v12', 504, 10119],
  ['hafnium.random-v13', 68, 1418],
];

describe('recordings of Hafnium’s SPMC', () => {
  it.each(FILES)('%s: %i passed in %i calls', (name, passed, calls) => {
    const replay = new FileReplay(name);
    for (const _ of forEachLine(vectorLines(name).join('\n'), replay));
    expect(replay.failures.slice(0, 3)).toEqual([]);
    expect(replay.refusals.slice(0, 3)).toEqual([]);
    expect([replay.passed, replay.failed, replay.skipped, replay.refused]).toEqual([passed, 0, 0, 0]);
    expect(replay.calls).toBe(calls);
    expect(replay.isOfSpmc).toBe(true);
  });

  it('are 7,541, in files that are all named here', () => {
    expect(FILES.reduce((sum, file) => sum + file[1], 0)).toBe(7541);
    expect(vectorNames('hafnium.')).toEqual(FILES.map(([name]) => name));
  });
});
