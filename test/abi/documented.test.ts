// The table of documented answers: its sources exist, its versions and rows are sound, and the call table says the same
// in short.

import { describe, expect, test } from 'vitest';
import { CALLS, callOf } from '../../src/abi/calls/call-table.ts';
import { NO_ANSWER, SIDES } from '../../src/abi/documented/documented-answer.ts';
import {
  CALLER_VERSIONS,
  DOCUMENTED_CALLS,
  documentedAnswers,
  isDocumented,
  RELAYED,
} from '../../src/abi/documented/documented-table.ts';
import { errorName, FFA_BUSY, FFA_DENIED, FFA_NOT_SUPPORTED, FFA_RETRY } from '../../src/abi/errors.ts';
import {
  FFA_ERROR,
  FFA_MEM_RECLAIM,
  FFA_PARTITION_INFO_GET_REGS,
  FFA_RX_ACQUIRE,
  FFA_SUCCESS_32,
  FFA_SUCCESS_64,
  FUNCTION_NAMES,
  functionName,
} from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import { CITATIONS } from '../../src/base/citations.ts';

describe('the table of documented answers', () => {
  test('has every function id at every side, and an answer that is given in each version', () => {
    expect(DOCUMENTED_CALLS.length).toBe(SIDES.length * FUNCTION_NAMES.length);
    for (const { fid, side, answers } of DOCUMENTED_CALLS) {
      for (const version of CALLER_VERSIONS) {
        const given = answers.filter((one) => one.notGiven === '' && one.only.length === 0);
        const fitting = given.filter((one) => one.since <= version && version <= one.until);
        expect([functionName(fid), side, version, fitting.length > 0]).toEqual([
          functionName(fid),
          side,
          version,
          true,
        ]);
      }
    }
  });

  test('names its sources', () => {
    const keys = new Set(CITATIONS.map(({ key }) => key));
    for (const { answers } of DOCUMENTED_CALLS) {
      for (const { source, when } of answers) expect([when, source, keys.has(source)]).toEqual([when, source, true]);
    }
  });

  test.each<[string, number, (typeof SIDES)[number], number, number, boolean]>([
    ['an error of the call', FFA_MEM_RECLAIM, 'guest', FFA_VERSION_1_2, FFA_DENIED, true],
    ['an error that nobody gives it', FFA_MEM_RECLAIM, 'hypervisor', 0, FFA_RETRY, false],
    ['an error of another side', FFA_RX_ACQUIRE, 'partition', 0, FFA_BUSY, false],
    ['a call that the side has not', FFA_RX_ACQUIRE, 'guest', FFA_VERSION_1_1, FFA_NOT_SUPPORTED, true],
    ['an answer of a later version', FFA_PARTITION_INFO_GET_REGS, 'guest', FFA_VERSION_1_1, FFA_SUCCESS_64, false],
    ['the same, of a version that is not known', FFA_PARTITION_INFO_GET_REGS, 'guest', 0, FFA_SUCCESS_64, true],
    ['what is no call', 0x8400_00ff, 'guest', 0, FFA_NOT_SUPPORTED, true],
    ['success of what is no call', 0x8400_00ff, 'guest', 0, FFA_SUCCESS_32, false],
  ])('knows %s', (_name, fid, side, version, answer, expected) => {
    expect(isDocumented(fid, side, version, answer)).toBe(expected);
  });
});

/** Calls that some side has here. */
const HAD = CALLS.filter(({ fid }) => SIDES.some((side) => documentedAnswers(fid, side)?.chapter !== 'others'));

describe('the call table', () => {
  test('has each error of the table, and no other', () => {
    for (const call of HAD) {
      const codes = new Set<number>([FFA_NOT_SUPPORTED]);
      for (const side of SIDES) {
        for (const { answer, when } of documentedAnswers(call.fid, side)?.answers ?? []) {
          if (answer < 0 && when !== RELAYED) codes.add(answer);
        }
      }
      const own = new Set<number>(call.errors.map(({ code }) => code));
      expect([call.name, [...own].sort().map(errorName)]).toEqual([call.name, [...codes].sort().map(errorName)]);
    }
  });

  test('has each answer of the table', () => {
    for (const { fid, answers } of DOCUMENTED_CALLS) {
      // An answer itself: what a partition gets after it is its next work, which the call table does not know.
      if (fid === FFA_ERROR) continue;
      for (const { answer } of answers) {
        if (answer <= NO_ANSWER || answer === fid) continue;
        expect([functionName(fid), callOf(fid)?.answers]).toEqual([
          functionName(fid),
          expect.arrayContaining([answer]),
        ]);
      }
    }
  });
});
