import { expect, test } from 'vitest';
import { EVENT_DOMAIN_DYING, EVENT_GUEST_CALL, EVENT_TIMER_FIRE } from '../../src/base/event-kinds.ts';
import { Pe } from '../../src/hardware/pe.ts';
import { DENIED, DIRECT_REQ, ID_GET, OK, Rig, refused } from './rig.ts';

const FEATURES = 0x84000064;

test('P12: a call ends with a lock', () => {
  for (const released of [true, false]) {
    const rig = new Rig();
    const pe = new Pe(0);
    const lock = rig.machine.lock(30);
    rig.call(1, [ID_GET], OK, () => {
      expect(lock.tryAcquire(pe)).toBe(true);
      if (released) lock.release(pe);
    });
    expect(rig.found).toEqual(
      released
        ? []
        : [
            {
              property: 'P12',
              anomaly: 'a call of VM 1 ends with a lock of rank 30 held',
              facts: { vm: 1, lock: lock.id, rank: 30 },
            },
          ],
    );
  }
});

test('P12: another PE may hold a lock while a call ends', () => {
  const rig = new Rig();
  const lock = rig.machine.lock(30);
  rig.call(1, [ID_GET], OK, () => lock.tryAcquire(new Pe(1)));
  expect(rig.found).toEqual([]);
});

test('P12: a lock is held over an SMC that must not be', () => {
  const rig = new Rig({ lockRanksOverSmc: [60] });
  const pe = new Pe(0);
  const own = rig.machine.lock(60);
  const shared = rig.machine.lock(40);
  own.tryAcquire(pe);
  rig.smc(0, [FEATURES], OK);
  expect(rig.found).toEqual([]);
  shared.tryAcquire(pe);
  rig.smc(0, [FEATURES], OK);
  own.release(pe);
  shared.release(pe);
  rig.smc(0, [FEATURES], OK);
  expect(rig.found).toEqual([
    {
      property: 'P12',
      anomaly: 'a lock of rank 40 is held over FFA_FEATURES',
      facts: { lock: shared.id, rank: 40, pe: 0 },
    },
  ]);
  expect(rig.oracle.violations[0].repeats).toBe(0);
});

test('P12: too many SMCs in a call', () => {
  const rig = new Rig({ smcsPerCallMax: 2 });
  const call = (smcs: number): void =>
    rig.call(1, [ID_GET], OK, () => {
      for (let n = 0; n < smcs; n++) rig.smc(0, [FEATURES], OK);
    });
  call(2);
  call(2);
  expect(rig.found).toEqual([]);
  call(3);
  expect(rig.found).toEqual([
    { property: 'P12', anomaly: 'a call of VM 1 makes more SMCs than its limit', facts: { vm: 1, smcs: 3, limit: 2 } },
  ]);
});

test('P12: too many SMCs in a tick; what follows a tick does not count', () => {
  const rig = new Rig({ smcsPerTickMax: 2 });
  const smcs = (count: number): void => {
    for (let n = 0; n < count; n++) rig.smc(0, [FEATURES], OK);
  };
  rig.guest(1, 7);
  smcs(5);
  rig.emit(EVENT_TIMER_FIRE, 0, 4, 0);
  smcs(2);
  rig.emit(EVENT_TIMER_FIRE, 0, 4, 0);
  smcs(2);
  rig.emit(EVENT_DOMAIN_DYING, 0, 1, 7);
  smcs(5);
  expect(rig.found).toEqual([]);
  rig.emit(EVENT_TIMER_FIRE, 0, 4, 0);
  smcs(3);
  expect(rig.found).toEqual([
    {
      property: 'P12',
      anomaly: 'a firing of timer 4 makes more SMCs than its limit',
      facts: { timer: 4, smcs: 3, limit: 2 },
    },
  ]);
});

test('P12: what waits for another VM may wait for ever', () => {
  const rig = new Rig();
  const waiting = [
    [0x8400006b, 0],
    [0x84000070, 0x10002],
    [DIRECT_REQ, 0x10002],
    [0x8400006d, 0x20000],
  ];
  for (const [pe, [fid, w1]] of waiting.entries()) rig.emit(EVENT_GUEST_CALL, pe, 1, fid, w1);
  rig.oracle.quiet();
  expect(rig.found.filter(({ property }) => property === 'P12')).toEqual([]);
});

test('P12: a call is never answered, a lock never released', () => {
  const rig = new Rig();
  const lock = rig.machine.lock(20);
  rig.call(1, [DIRECT_REQ, 0x18001], refused(DENIED));
  lock.tryAcquire(new Pe(1));
  rig.emit(EVENT_GUEST_CALL, 2, 1, DIRECT_REQ, 0x18001);
  rig.oracle.quiet();
  expect(rig.found).toEqual([
    {
      property: 'P12',
      anomaly: 'FFA_MSG_SEND_DIRECT_REQ_32 of VM 1 was never answered',
      facts: { vm: 1, pe: 2, callIndex: 6 },
    },
    {
      property: 'P12',
      anomaly: 'a lock of rank 20 is held though nothing is under way',
      facts: { lock: lock.id, rank: 20, pe: 1 },
    },
  ]);
});

test('P12: the world reports a deadlock, unless P12 is off', () => {
  const facts = { pe: 1, waitsFor: 2 };
  const rig = new Rig();
  rig.oracle.report('P12', 'deadlock', facts);
  expect(rig.found).toEqual([{ property: 'P12', anomaly: 'deadlock', facts }]);
  const off = new Rig({ off: ['P12'] });
  off.oracle.report('P12', 'deadlock', facts);
  expect(off.found).toEqual([]);
});
