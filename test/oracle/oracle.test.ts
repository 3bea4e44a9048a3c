import { expect, test } from 'vitest';
import { EVENT_DOMAIN_DYING, EVENT_FRAME_FREE, EVENT_GUEST_CALL } from '../../src/base/event-kinds.ts';
import { Machine } from '../../src/hardware/machine.ts';
import { STAGE2_RW, STAGE2_RWX, Stage2 } from '../../src/hardware/stage2.ts';
import { Oracle, RELAXATIONS } from '../../src/oracle/index.ts';
import { completeOptions } from '../../src/oracle/options.ts';
import { Violations } from '../../src/oracle/violation.ts';
import { ID_GET, MEM_RECLAIM, OK, Rig, SP, TX } from './rig.ts';

const machine = (): Machine => new Machine({ firstFrame: 0, frameCount: 64 });

test('the properties, in order, each with what it checks and what it cannot see', () => {
  const { properties } = new Oracle(machine());
  expect(properties.map(({ info }) => info.id)).toEqual(
    'P1 P1b P2 P3 P4 P5 P6 P7 P8 P9 P10 P11 P12 P13 P14 P15 P16 P17 P18 P19'.split(' '),
  );
  for (const { info, kinds } of properties) {
    expect(info.checks).toMatch(/^[A-Z].*\.$/);
    expect(info.blindTo).toMatch(/^[A-Z].*\.$/);
    expect(info.title).toMatch(/^[A-Za-z]/);
    expect(kinds.length).toBeGreaterThan(0);
    expect(new Set(kinds).size).toBe(kinds.length);
  }
});

test('a property that is off does not look', () => {
  const off = ['P1', 'P18'];
  const { properties } = new Oracle(machine(), { off });
  expect(properties.some(({ info }) => off.includes(info.id))).toBe(false);
  expect(properties.length).toBe(18);
});

test('every relaxation says which property it is for', () => {
  for (const [name, text] of Object.entries(RELAXATIONS)) {
    expect(name).toMatch(/^[a-z-]+$/);
    expect(text).toMatch(/^P\d+b?(, P\d+b?)*: /);
  }
});

test('limits that are not given are not judged', () => {
  const options = completeOptions({});
  expect(options.smcsPerCallMax).toBe(Number.POSITIVE_INFINITY);
  expect(options.lockRanksOverSmc).toBe(null);
  expect(options.retrySlackNs).toBe(1_000_000_000);
});

test('a follow-up of the same kind about the same thing is counted', () => {
  const violations = new Violations(machine());
  violations.report('P1', 'it happened', { frame: 1, vm: 1 });
  violations.report('P1', 'it happened', { frame: 2, vm: 1 });
  violations.report('P1', 'it happened', { frame: 2, vm: 2 });
  violations.report('P2', 'it happened', { frame: 2, vm: 1 });
  expect(violations.list.map(({ property, facts, repeats }) => ({ property, facts, repeats }))).toEqual([
    { property: 'P1', facts: { frame: 1, vm: 1 }, repeats: 1 },
    { property: 'P1', facts: { frame: 2, vm: 2 }, repeats: 0 },
    { property: 'P2', facts: { frame: 2, vm: 1 }, repeats: 0 },
  ]);
});

test('a thousand different violations are kept, further ones counted', () => {
  const violations = new Violations(machine());
  for (let n = 0; n < 1003; n++) violations.report('P1', 'it happened', { vm: n });
  expect(violations.list.length).toBe(1000);
  expect(violations.lost).toBe(3);
  violations.reset();
  expect([violations.list.length, violations.lost]).toEqual([0, 0]);
});

test('a violation carries its place in the log and in time', () => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 1], 5);
  rig.machine.time.advanceTo(1234);
  rig.emit(EVENT_FRAME_FREE, 0, frame, 1, 7);
  const [violation] = rig.oracle.violations;
  expect(violation.timeNs).toBe(1234);
  expect(violation.eventIndex).toBe(rig.machine.events.count - 1);
});

test('the oracle judges the same whether events are kept or not', () => {
  const run = (keep: boolean): unknown => {
    const rig = new Rig();
    if (keep) rig.machine.events.keep();
    const frame = rig.guest(1, 7);
    rig.share(1, [frame, 2], 5);
    rig.die(1, 7, [frame, 16], () => rig.unpin([frame, 2]));
    rig.oracle.quiet();
    return rig.oracle.violations;
  };
  expect(run(true)).toEqual(run(false));
});

test('reset forgets everything', () => {
  const rig = new Rig();
  rig.partition(SP);
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 2], 5);
  rig.emit(EVENT_GUEST_CALL, 0, 1, ID_GET);
  rig.emit(EVENT_DOMAIN_DYING, 0, 1, 7);
  rig.unpin([frame, 2, frame, 2]);
  expect(rig.oracle.violations.length).toBeGreaterThan(0);
  rig.machine.frames.reset();
  rig.oracle.reset();
  expect(rig.oracle.violations).toEqual([]);
  expect(rig.oracle.liveTransactions).toEqual([]);
  rig.oracle.quiet();
  rig.guest(1, 7);
  rig.smc(0, [MEM_RECLAIM, 9], [0x84000060, 0, 0xfffffffe]);
  expect(rig.oracle.violations).toEqual([]);
});

test('a space that was filled before it was watched counts too, and one that is cleared does not', () => {
  const rig = new Rig({ off: ['P2'] });
  const frame = rig.guest(1, 7, 1024);
  const stage2 = new Stage2(rig.machine.events, SP);
  stage2.map(0x200, frame, 2, STAGE2_RW);
  stage2.addRegion(0x1000, frame + 4, 600, STAGE2_RWX);
  rig.oracle.watchSpace(SP, stage2);
  expect(rig.oracle.pagesHeldBy(SP)).toBe(2);
  rig.unpin([frame + 1, 1]);
  rig.unpin([frame + 5, 1]);
  expect(rig.found.map(({ facts }) => facts)).toEqual([{ frame: frame + 1, pages: 1, owner: 7 }]);
  expect(rig.oracle.violations[0].repeats).toBe(1);
  stage2.clear();
  rig.unpin([frame, 1]);
  expect(rig.oracle.violations[0].repeats).toBe(1);
  expect(rig.oracle.pagesHeldBy(SP)).toBe(0);
});

test('a space that is forgotten is not looked at', () => {
  const rig = new Rig({ off: ['P2'] });
  rig.partition(SP);
  const frame = rig.guest(1, 7);
  rig.retrieve(SP, frame, 1);
  rig.oracle.forgetSpace(SP);
  rig.unpin([frame, 1]);
  expect(rig.found).toEqual([]);
  expect(rig.oracle.pagesHeldBy(SP)).toBe(0);
});

test('handles far apart are told apart, however large', () => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  const handles: readonly (readonly [low: number, high: number])[] = [
    [1, 0],
    [0, 1],
    [1, 1],
    [1, 0x1f_ffff],
    [1, 0x20_0000],
    [1, 0x7fff_ffff],
    [2, 0x7fff_ffff],
  ];
  for (const [n, [low, high]] of handles.entries()) {
    rig.send({ sender: 1, ranges: [frame + n, 1] }, [0x84000061, 0, low, high]);
  }
  expect(rig.oracle.liveTransactions.map(({ handleLow, handleHigh }) => [handleLow, handleHigh])).toEqual(handles);
  for (const [low, high] of handles) rig.smc(1, [MEM_RECLAIM, low, high], OK);
  expect(rig.oracle.liveTransactions).toEqual([]);
  expect(rig.found).toEqual([]);
});

test('of more than 4,096 ended handles the oldest are forgotten, and then nobody is accused of a stranger', () => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  for (let n = 0; n < 4100; n++) {
    rig.share(1, [frame, 1], n);
    rig.reclaim(1, [frame, 1], n);
  }
  rig.smc(1, [MEM_RECLAIM, 3], OK);
  expect(rig.found).toEqual([]);
  rig.smc(1, [MEM_RECLAIM, 4099], OK);
  expect(rig.anomalies).toEqual([
    'P4: MEM_RECLAIM is sent for a handle that has ended',
    'P5: reclaim of a handle that had ended succeeded',
  ]);
});

test('a descriptor that leads outside is read as far as it goes', () => {
  const rig = new Rig({ off: ['P1b', 'P10', 'P17'] });
  const frame = rig.guest(1, 7);
  const { contents } = rig.machine.frames;
  const length = rig.describe({ sender: 1, ranges: [frame, 1] });
  const patch = (offset: number, value: number): void => {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, true);
    contents.write(TX * 4096 + offset, bytes, 0, 4);
  };
  for (const [offset, value] of [
    [24, 0xffffffff],
    [28, 0xffffffff],
    [32, 0xfffffff0],
    [52, 0xfffffff0],
    [68, 0xffffffff],
  ]) {
    rig.describe({ sender: 1, ranges: [frame, 1] });
    patch(offset, value);
    rig.smc(1, [0x84000073, length, length], [0x84000060, 0, 0xfffffffe]);
  }
  rig.smc(1, [0x84000073, 8, 8], [0x84000060, 0, 0xfffffffe]);
  rig.smc(1, [0x84000073, 0xffffffff, 0xffffffff], [0x84000060, 0, 0xfffffffe]);
  expect(rig.found).toEqual([]);
});
