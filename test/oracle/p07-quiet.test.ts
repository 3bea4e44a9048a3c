import { expect, test } from 'vitest';
import {
  EVENT_QUARANTINE,
  EVENT_TEARDOWN_BEGIN,
  EVENT_TEARDOWN_END,
  EVENT_TEARDOWN_ROUND,
  EVENT_TEARDOWN_WAIT,
  EVENT_TIMER_FIRE,
} from '../../src/base/event-kinds.ts';
import type { Timer } from '../../src/hardware/time.ts';
import { BUSY, DENIED, INVALID_PARAMETERS, MEM_RECLAIM, NOT_SUPPORTED, OK, Rig, refused, type Words } from './rig.ts';

const S = 1_000_000_000;
const HANDLE = '0x0000000000000005';

interface Setup {
  readonly rig: Rig;
  readonly timer: Timer;
  readonly frame: number;
}

/** A guest that dies with one share; the first round is answered by `answer` and waits a second. */
function dying(answer: Words = refused(DENIED), pe = 3): Setup {
  const rig = new Rig();
  const timer = rig.machine.time.timer('teardown');
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 2], 5);
  rig.die(1, 7, [frame, 16], () => {
    rig.emit(EVENT_TEARDOWN_BEGIN, pe, 1, 7, 1, 0, 2);
    rig.emit(EVENT_TEARDOWN_ROUND, pe, 1, 1, 1, 0);
    rig.smc(0, [MEM_RECLAIM, 5], answer, undefined, pe);
    rig.emit(EVENT_TEARDOWN_WAIT, pe, 1, S, 1, 0);
    rig.machine.time.arm(timer, S);
  });
  return { rig, timer, frame };
}

/** The timer fires at `atNs` and a round is answered. */
function round(setup: Setup, atNs: number, answer: Words, pe = 3): void {
  const { rig, timer } = setup;
  rig.machine.time.advanceTo(atNs);
  rig.machine.time.takeDue(atNs);
  rig.emit(EVENT_TIMER_FIRE, pe, timer.id, atNs);
  rig.emit(EVENT_TEARDOWN_ROUND, pe, 1, 2, 1, 0);
  rig.smc(0, [MEM_RECLAIM, 5], answer, undefined, pe);
}

test('P7: denied, denied, then back: the teardown ends and its timer is off', () => {
  const setup = dying();
  const { rig, timer, frame } = setup;
  rig.oracle.quiet();
  round(setup, S, refused(DENIED));
  rig.emit(EVENT_TEARDOWN_WAIT, 3, 1, 3 * S, 1, 0);
  rig.machine.time.arm(timer, 3 * S);
  rig.oracle.quiet();
  round(setup, 3 * S, OK);
  rig.unpin([frame, 2]);
  rig.emit(EVENT_TEARDOWN_END, 3, 1, 3, 0);
  rig.oracle.quiet();
  expect(rig.found).toEqual([]);
});

test('P7: a teardown without a timer stands still', () => {
  const setup = dying();
  setup.rig.machine.time.stop(setup.timer);
  setup.rig.oracle.quiet();
  expect(setup.rig.found).toEqual([
    {
      property: 'P7',
      anomaly: 'the teardown of VM 1 stands still: no timer is armed for it',
      facts: { vm: 1, rounds: 1, left: 1 },
    },
  ]);
});

test('P7: another timer does not count once it is known which one does', () => {
  const setup = dying();
  const { rig } = setup;
  rig.machine.time.arm(rig.machine.time.timer('other'), 9 * S);
  round(setup, S, refused(DENIED));
  rig.emit(EVENT_TEARDOWN_WAIT, 3, 1, 3 * S, 1, 0);
  rig.oracle.quiet();
  expect(rig.anomalies).toEqual(['P7: the teardown of VM 1 stands still: no timer is armed for it']);
});

test('P7: a round comes too late, or never', () => {
  const facts = { vm: 1, untilNs: S, nowNs: 2 * S + 1 };
  const anomaly = 'the teardown of VM 1 missed its deadline';
  const late = dying();
  round(late, 2 * S, refused(DENIED));
  expect(late.rig.found).toEqual([]);
  const later = dying();
  round(later, 2 * S + 1, refused(DENIED));
  expect(later.rig.found).toEqual([{ property: 'P7', anomaly, facts: { ...facts, rounds: 2 } }]);
  const never = dying();
  never.rig.machine.time.advanceTo(2 * S + 1);
  never.rig.oracle.quiet();
  expect(never.rig.found).toEqual([{ property: 'P7', anomaly, facts: { ...facts, rounds: 1 } }]);
});

test('P7: a teardown waits though nothing is left', () => {
  const setup = dying();
  const { rig, frame } = setup;
  round(setup, S, OK);
  rig.unpin([frame, 2]);
  rig.emit(EVENT_TEARDOWN_WAIT, 3, 1, 3 * S, 0, 0);
  expect(rig.found).toEqual([
    {
      property: 'P7',
      anomaly: 'the teardown of VM 1 goes on though the secure world has nothing of it',
      facts: { vm: 1, rounds: 2 },
    },
  ]);
});

test('P7: a timer stays armed though no teardown is open', () => {
  const setup = dying();
  const { rig, timer, frame } = setup;
  round(setup, S, OK);
  rig.unpin([frame, 2]);
  rig.emit(EVENT_TEARDOWN_END, 3, 1, 2, 0);
  rig.machine.time.arm(timer, 3 * S);
  rig.oracle.quiet();
  expect(rig.found).toEqual([
    { property: 'P7', anomaly: 'the timer of teardowns is armed though none is open', facts: { timers: 1 } },
  ]);
});

const QUARANTINED: readonly (readonly [name: string, answers: readonly Words[], anomaly: string | null])[] = [
  ['NOT_SUPPORTED', [refused(NOT_SUPPORTED)], null],
  ['INVALID_PARAMETERS three times', [1, 2, 3].map(() => refused(INVALID_PARAMETERS)), null],
  ['what nobody can read', [[0x84000099]], null],
  ['DENIED', [refused(DENIED)], 'pages of VM 1 are in quarantine though the last answer was DENIED'],
  [
    'BUSY after NOT_SUPPORTED',
    [refused(NOT_SUPPORTED), refused(BUSY)],
    'pages of VM 1 are in quarantine though the last answer was BUSY',
  ],
  ['nothing', [], 'pages of VM 1 are in quarantine though nobody asked for them'],
];

test.each(QUARANTINED)('P7: quarantine after %s', (_name, answers, anomaly) => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 2], 5);
  for (const answer of answers) rig.smc(0, [MEM_RECLAIM, 5], answer);
  rig.emit(EVENT_QUARANTINE, 0, 1, 0, 5, 0, 2, frame);
  const facts = answers.length === 0 ? { vm: 1, handle: HANDLE } : { vm: 1, handle: HANDLE, reclaims: answers.length };
  expect(rig.found).toEqual(anomaly === null ? [] : [{ property: 'P7', anomaly, facts }]);
});

test('P7: what is in quarantine is nothing to wait for', () => {
  const setup = dying(refused(NOT_SUPPORTED));
  const { rig, frame } = setup;
  rig.emit(EVENT_QUARANTINE, 3, 1, 0, 5, 0, 2, frame);
  rig.emit(EVENT_TEARDOWN_END, 3, 1, 1, 2);
  rig.machine.time.stop(setup.timer);
  rig.oracle.quiet();
  expect(rig.found).toEqual([]);
  rig.guest(1, 8);
  expect(rig.found).toEqual([]);
});

test('P7: a share with unknown outcome goes to quarantine under its first frame', () => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  rig.send({ sender: 1, ranges: [frame, 2] }, [0x84000099]);
  rig.emit(EVENT_QUARANTINE, 0, 1, 2, 0, 0, 2, frame);
  rig.die(1, 7, [frame, 16]);
  rig.guest(1, 8);
  expect(rig.found).toEqual([]);
});
