// The explorer as a library, as a test of somebody else's would use it: a description, `expectHeld`, and a failure
// whose message is the code that replays it.

import { describe, expect, it } from 'vitest';
import { expectHeld, NotHeld, parseSchedule, replay } from '../../src/explore/index.ts';
import { exploredWorld, MUTANT } from './worlds.ts';

describe('the explorer in a test', () => {
  it('says what it covered', () => {
    const { bounds, executions } = expectHeld(exploredWorld('dies-as-it-shares'), {}, { strategy: 'dpor', faults: 0 });
    expect(bounds).toBe('every schedule, up to the order of independent steps, with up to 0 faults');
    expect(executions).toBe(6);
  });

  it('fails with the code that replays it', () => {
    const description = { ...exploredWorld('dies-as-it-shares'), profile: 'without-teardown' };
    let failure: unknown = null;
    try {
      expectHeld(description, MUTANT, { strategy: 'portfolio' });
    } catch (error) {
      failure = error;
    }
    if (!(failure instanceof NotHeld)) throw new Error('nothing was found');
    const code = /parseSchedule\('(s1[^']*)'\)/.exec(failure.message);
    expect(failure.message.startsWith(`${failure.finding.property} ${failure.finding.anomaly}\n`)).toBe(true);
    expect(failure.message).toContain("from 'ffabric/explore'");
    const { finding, steps } = replay(description, MUTANT, parseSchedule(code?.[1] ?? ''));
    expect(finding?.anomaly).toBe(failure.finding.anomaly);
    expect(steps).toBe(failure.finding.steps);
  });
});
