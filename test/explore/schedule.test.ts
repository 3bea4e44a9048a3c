// Schedules in print: there and back, and what is no schedule.

import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/user-error.ts';
import { isSchedule, parseSchedule, printSchedule } from '../../src/explore/schedule.ts';

const ROWS: readonly (readonly [readonly number[], number, string])[] = [
  [[], 0, 's1'],
  [[0, 0, 0], 0, 's1'],
  [[1], 0, 's1-.1'],
  [[0, 0, 0, 0, 2, 0], 0, 's1-4.2'],
  [[0, 0, 0, 0, 2, ...new Array(10).fill(0), 1], 2, 's1f2-4.2-a.1'],
  [[1, 2, 36], 1, 's1f1-.1-.2-.10'],
];

describe('a schedule', () => {
  for (const [choices, faultsMax, text] of ROWS) {
    it(`of ${choices.length} choices is printed as ${text}`, () => {
      expect(printSchedule({ choices, faultsMax })).toBe(text);
      expect(isSchedule(text)).toBe(true);
      const parsed = parseSchedule(text);
      expect(parsed.faultsMax).toBe(faultsMax);
      expect(printSchedule(parsed)).toBe(text);
      const length = parsed.choices.length;
      expect(parsed.choices).toEqual(choices.slice(0, length));
      expect(choices.slice(length).every((choice) => choice === 0)).toBe(true);
    });
  }

  for (const [text, message] of [
    ['', "'' is no schedule"],
    ['s2-4.1', "'s2-4.1' is no schedule"],
    ['s1-4', "'4' in a schedule is no choice"],
    ['s1-4.', "'4.' in a schedule is no choice"],
    ['s1-zzzzz.1', "'zzzzz.1' in a schedule is no choice"],
    ['s1-4.1-', "'' in a schedule is no choice"],
  ] as const) {
    it(`is not '${text}'`, () => {
      expect(() => parseSchedule(text)).toThrow(UserError);
      expect(() => parseSchedule(text)).toThrow(message);
    });
  }
});
