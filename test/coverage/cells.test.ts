// Every cell of the table of documented answers is exercised: for each call, side and version each documented answer is
// given for its reason, and nothing is answered that the table lacks.

import { describe, expect, test } from 'vitest';
import { SIDES } from '../../src/abi/documented/documented-answer.ts';
import { DOCUMENTED_CALLS } from '../../src/abi/documented/documented-table.ts';
import { functionName } from '../../src/abi/function-ids.ts';
import { flavoursOf, problemsOf, strangersOf } from './coverage.ts';
import { isGeneral } from './driver.ts';
import { DRIVERS } from './drivers/index.ts';

describe.each(SIDES)('a call by a %s', (side) => {
  const calls = DOCUMENTED_CALLS.filter((call) => call.side === side);
  test.each(calls.map((call) => [functionName(call.fid), call] as const))('%s', (_name, call) => {
    expect(problemsOf(call)).toEqual([]);
  });
});

describe.each(SIDES)('at the door of a %s', (side) => {
  test.each(flavoursOf(side).slice(1))('%s answers nothing that the table lacks', (flavour) => {
    expect(strangersOf(side, flavour)).toEqual([]);
  });
});

test('no driver is without a reason in the table', () => {
  const reasons = new Set(
    DOCUMENTED_CALLS.flatMap(({ side, answers }) => answers.map(({ when }) => `${side}: ${when}`)),
  );
  const idle = DRIVERS.map(({ side, when }) => `${side}: ${when}`).filter((reason) => !reasons.has(reason));
  expect(idle).toEqual([]);
});

test('reasons are told apart', () => {
  for (const { fid, side, answers } of DOCUMENTED_CALLS) {
    const keys = answers.map(({ when, answer, only }) => `${when} ${isGeneral(when) ? answer : ''} ${only.join()}`);
    expect([functionName(fid), side, keys.filter((key, n) => keys.indexOf(key) !== n)]).toEqual([
      functionName(fid),
      side,
      [],
    ]);
  }
});
