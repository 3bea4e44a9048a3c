import { expect, test } from 'vitest';
import { STAGE2_INVALID, STAGE2_RW } from '../../src/hardware/stage2.ts';
import {
  DENIED,
  INTERRUPT,
  INVALID_PARAMETERS,
  MEM_DONATE,
  MEM_RECLAIM,
  OK,
  Rig,
  RUN,
  refused,
  SP,
  SP2,
} from './rig.ts';

test('P5: reclaim succeeds while a borrower holds a page', () => {
  const rig = new Rig();
  rig.partition(SP);
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 4], 0x55);
  rig.retrieve(SP, frame + 1, 2);
  rig.smc(1, [MEM_RECLAIM, 0x55], OK);
  expect(rig.found).toEqual([
    {
      property: 'P5',
      anomaly: 'reclaim succeeded while SP 0x8001 holds pages of the transaction',
      facts: { frame: frame + 1, pages: 2, vm: 1, handle: '0x0000000000000055' },
    },
  ]);
});

test('P5: reclaim is refused while held, and succeeds when only owner-less entries are left', () => {
  const rig = new Rig();
  const stage2 = rig.partition(SP);
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 4], 0x55);
  rig.retrieve(SP, frame, 4);
  rig.smc(1, [MEM_RECLAIM, 0x55], refused(DENIED));
  stage2.map(frame, frame, 2, STAGE2_RW | STAGE2_INVALID);
  rig.relinquish(SP, frame + 2, 2);
  rig.smc(1, [MEM_RECLAIM, 0x55], OK);
  expect(rig.found).toEqual([]);
});

test('P5: a page that another live transaction gives to the same borrower may stay mapped', () => {
  const rig = new Rig();
  rig.partition(SP);
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 1], 1);
  rig.share(1, [frame, 1], 2);
  rig.retrieve(SP, frame, 1);
  rig.smc(1, [MEM_RECLAIM, 1], OK);
  expect(rig.found).toEqual([]);
  rig.smc(1, [MEM_RECLAIM, 2], OK);
  expect(rig.anomalies).toEqual(['P5: reclaim succeeded while SP 0x8001 holds pages of the transaction']);
});

test('P5: who is not a borrower of the transaction does not count', () => {
  const rig = new Rig({ off: ['P2'] });
  rig.partition(SP2);
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 1], 1);
  rig.retrieve(SP2, frame, 1);
  rig.smc(1, [MEM_RECLAIM, 1], OK);
  expect(rig.found).toEqual([]);
});

test('P5: a dead handle answers SUCCESS again', () => {
  const rig = new Rig({ off: ['P4'] });
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 1], 0x55);
  rig.reclaim(1, [frame, 1], 0x55);
  rig.smc(1, [MEM_RECLAIM, 0x55], OK);
  expect(rig.found).toEqual([
    {
      property: 'P5',
      anomaly: 'reclaim of a handle that had ended succeeded',
      facts: { handle: '0x0000000000000055', vm: 1 },
    },
  ]);
});

test('P5: a handle that was issued anew may be reclaimed again', () => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  for (let n = 0; n < 3; n++) {
    rig.share(1, [frame, 1], 0x55);
    rig.reclaim(1, [frame, 1], 0x55);
  }
  rig.oracle.quiet();
  expect(rig.found).toEqual([]);
});

test('P5: a handle that was never issued is reclaimed', () => {
  const rig = new Rig();
  rig.smc(1, [MEM_RECLAIM, 0x66, 1], OK);
  rig.smc(1, [MEM_RECLAIM, 0x67, 1], refused(INVALID_PARAMETERS));
  expect(rig.found).toEqual([
    {
      property: 'P5',
      anomaly: 'reclaim of a handle that was never issued succeeded',
      facts: { handle: '0x0000000100000066' },
    },
  ]);
});

test('P5: a reclaim that was preempted ends when FFA_RUN brings its answer', () => {
  const rig = new Rig();
  rig.partition(SP);
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 1], 0x55);
  rig.retrieve(SP, frame, 1);
  rig.smc(1, [MEM_RECLAIM, 0x55], [INTERRUPT, SP * 0x10000]);
  expect(rig.oracle.liveTransactions.length).toBe(1);
  rig.smc(1, [RUN, SP * 0x10000], OK);
  expect(rig.oracle.liveTransactions.length).toBe(0);
  expect(rig.anomalies).toEqual(['P5: reclaim succeeded while SP 0x8001 holds pages of the transaction']);
});

test('a handle that is issued anew proves that the doubtful transaction before it has ended', () => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 1], 0x55);
  rig.smc(0, [MEM_RECLAIM, 0x55], refused(INVALID_PARAMETERS));
  rig.share(1, [frame + 1, 1], 0x55);
  expect(rig.oracle.liveTransactions.map(({ ranges }) => ranges)).toEqual([[frame + 1, 1]]);
  rig.unpin([frame, 1]);
  expect(rig.found).toEqual([]);
});

test('a handle that is issued twice without doubt leaves the second outcome unknown', () => {
  const rig = new Rig({ off: ['P14'] });
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 1], 0x55);
  rig.send({ sender: 1, ranges: [frame + 1, 1] }, [0x84000061, 0, 0x55]);
  expect(rig.oracle.liveTransactions.map(({ ranges }) => ranges)).toEqual([[frame, 1]]);
  expect(rig.oracle.unknownTransactions.map(({ ranges }) => ranges)).toEqual([[frame + 1, 1]]);
});

test('a handle that is issued anew proves that a donation before it was retrieved: its pages stay out of use', () => {
  const rig = new Rig();
  rig.partition(SP);
  const frame = rig.guest(1, 7);
  rig.send({ sender: 1, ranges: [frame, 1] }, [0x84000061, 0, 5], MEM_DONATE);
  rig.retrieve(SP, frame, 1);
  rig.share(1, [frame + 1, 1], 5);
  expect(rig.oracle.liveTransactions.map(({ ranges, handle }) => ({ ranges, handle }))).toEqual([
    { ranges: [frame, 1], handle: 'none' },
    { ranges: [frame + 1, 1], handle: '0x0000000000000005' },
  ]);
  rig.reclaim(1, [frame + 1, 1], 5);
  rig.oracle.quiet();
  expect(rig.found).toEqual([]);
  rig.die(1, 7, [frame, 16], () => rig.unpin([frame, 1]));
  expect(rig.anomalies).toEqual([
    'P1b: page unpinned while a transaction of VM 1 names it',
    'P1: page returned while a live transaction of VM 1 names it',
    'P1: page returned while SP 0x8001 holds it',
  ]);
});
