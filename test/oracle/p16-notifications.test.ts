import { expect, test } from 'vitest';
import { EVENT_DOMAIN_DYING, EVENT_INTERRUPT } from '../../src/base/event-kinds.ts';
import { DENIED, ERROR, OK, Rig, refused, SP, SUCCESS } from './rig.ts';

const SET = 0x84000081;
const GET = 0x84000082;
const UNBIND = 0x84000080;
const BITMAP_DESTROY = 0x8400007e;
const DELAY = 2;
const TO_VM = SP * 0x10000 + 1;

function set(rig: Rig, low: number, high = 0, flags = 0): void {
  rig.spCall(SP, [SET, TO_VM, flags, low, high], OK);
}

/** The guest's GET of partitions' bits: the SPMC gives (low, high), the guest gets what `got` says. */
function get(rig: Rig, low: number, high = 0, got: readonly number[] = [SUCCESS, 0, low, high]): void {
  rig.call(1, [GET, 1, 1], got, () => rig.smc(1, [GET, 1, 1], [SUCCESS, 0, low, high]));
}

function told(rig: Rig): void {
  rig.emit(EVENT_INTERRUPT, 0, 1, 8);
}

test('P16: each bit reaches one GET', () => {
  const rig = new Rig();
  rig.guest(1, 7);
  get(rig, 0);
  set(rig, 1, 0x80000000);
  told(rig);
  set(rig, 4);
  told(rig);
  get(rig, 5, 0x80000000);
  get(rig, 0);
  rig.oracle.quiet();
  expect(rig.found).toEqual([]);
});

test('P16: a bit comes twice, or from nowhere', () => {
  const rig = new Rig();
  rig.guest(1, 7);
  set(rig, 3);
  get(rig, 3);
  get(rig, 2, 0x80000000);
  expect(rig.found).toEqual([
    {
      property: 'P16',
      anomaly: 'VM 1 gets a notification that nobody set, or gets it twice',
      facts: { receiver: 1, low: 2, high: 0x80000000 },
    },
  ]);
});

test('P16: a bit is lost at the SPMC', () => {
  const rig = new Rig();
  rig.guest(1, 7);
  set(rig, 3);
  get(rig, 1);
  expect(rig.found).toEqual([
    {
      property: 'P16',
      anomaly: 'VM 1 does not get a notification that was set',
      facts: { receiver: 1, low: 2, high: 0 },
    },
  ]);
});

test('P16: a bit that is set while the GET is under way may come now or later', () => {
  for (const now of [0, 1]) {
    const rig = new Rig();
    rig.guest(1, 7);
    rig.call(1, [GET, 1, 1], [SUCCESS, 0, now, 0], () => {
      rig.smc(1, [GET, 1, 1], [SUCCESS, 0, now, 0], () => set(rig, 1));
    });
    get(rig, 1 - now);
    expect(rig.found).toEqual([]);
  }
});

test('P16: a SET that was refused sets nothing', () => {
  const rig = new Rig();
  rig.guest(1, 7);
  rig.spCall(SP, [SET, TO_VM, 0, 1, 0], refused(DENIED));
  get(rig, 0);
  expect(rig.found).toEqual([]);
  get(rig, 1);
  expect(rig.anomalies).toEqual(['P16: VM 1 gets a notification that nobody set, or gets it twice']);
});

test('P16: what was unbound need not come', () => {
  const rig = new Rig();
  rig.guest(1, 7);
  set(rig, 3);
  rig.smc(1, [UNBIND, TO_VM, 0, 3, 0], OK);
  get(rig, 0);
  rig.oracle.quiet();
  expect(rig.found).toEqual([]);
});

test('P16: the mediator loses what the SPMC gave out', () => {
  for (const got of [
    [SUCCESS, 0, 1, 0],
    [ERROR, 0, DENIED],
  ]) {
    const rig = new Rig();
    rig.guest(1, 7);
    set(rig, 3);
    get(rig, 3, 0, got);
    expect(rig.found.filter(({ property }) => property === 'P16')).toEqual([
      {
        property: 'P16',
        anomaly: 'notifications for VM 1 are taken from the SPMC and do not reach it',
        facts: { vm: 1, low: got[0] === SUCCESS ? 2 : 3, high: 0 },
      },
    ]);
  }
});

test('P16: bits of a vCPU come to that vCPU', () => {
  const rig = new Rig();
  rig.guest(1, 7);
  set(rig, 1, 0, 0x1_0001);
  rig.smc(1, [GET, 1, 1], [SUCCESS, 0, 0, 0]);
  rig.smc(1, [GET, 0x1_0001, 1], [SUCCESS, 0, 1, 0]);
  expect(rig.found).toEqual([]);
  set(rig, 1, 0, 0x1_0001);
  rig.smc(1, [GET, 1, 1], [SUCCESS, 0, 1, 0]);
  expect(rig.anomalies).toEqual(['P16: VM 1 gets a notification that nobody set, or gets it twice']);
});

test('P16: a partition gets what a VM set', () => {
  const rig = new Rig();
  rig.guest(1, 7);
  rig.smc(1, [SET, 0x10000 + SP, 0, 6, 0], OK);
  rig.spCall(SP, [GET, SP, 2], [SUCCESS, 0, 0, 0, 6, 0]);
  expect(rig.found).toEqual([]);
  rig.smc(1, [SET, 0x10000 + SP, 0, 1, 0], OK);
  rig.spCall(SP, [GET, SP, 2], [SUCCESS, 0, 0, 0, 0, 0]);
  expect(rig.anomalies).toEqual(['P16: SP 0x8001 does not get a notification that was set']);
});

test('P16: nobody is told of what is pending', () => {
  const found = [
    {
      property: 'P16',
      anomaly: 'VM 1 has notifications pending and no interrupt told it',
      facts: { vm: 1, low: 1, high: 0 },
    },
  ];
  for (const [flags, interrupt, dies, expected] of [
    [0, false, false, found],
    [0, true, false, []],
    [DELAY, false, false, []],
    [0, false, true, []],
  ] as const) {
    const rig = new Rig({ off: ['P3'] });
    rig.guest(1, 7);
    set(rig, 1, 0, flags);
    if (interrupt) told(rig);
    if (dies) rig.emit(EVENT_DOMAIN_DYING, 0, 1, 7);
    rig.oracle.quiet();
    expect(rig.found).toEqual(expected);
  }
});

test('P16: what a dying guest has pending may be fetched for it, until its bitmap goes', () => {
  const rig = new Rig({ off: ['P3'] });
  rig.guest(1, 7);
  set(rig, 4);
  told(rig);
  rig.emit(EVENT_DOMAIN_DYING, 0, 1, 7);
  set(rig, 8);
  rig.smc(0, [GET, 1, 1], [SUCCESS, 0, 12]);
  rig.smc(0, [BITMAP_DESTROY, 1], OK);
  rig.oracle.quiet();
  expect(rig.found).toEqual([]);
  rig.smc(0, [GET, 1, 1], [SUCCESS, 0, 4]);
  expect(rig.found).toEqual([
    {
      property: 'P16',
      anomaly: 'VM 1 gets a notification that nobody set, or gets it twice',
      facts: { receiver: 1, low: 4, high: 0 },
    },
  ]);
});
