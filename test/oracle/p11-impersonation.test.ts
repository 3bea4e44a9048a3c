import { expect, test } from 'vitest';
import { EVENT_TEARDOWN_BEGIN, EVENT_TEARDOWN_ROUND } from '../../src/base/event-kinds.ts';
import {
  DENIED,
  DIRECT_REQ,
  DIRECT_RESP,
  INTERRUPT,
  MEM_RECLAIM,
  OK,
  Rig,
  RUN,
  RX_RELEASE,
  refused,
  SP,
  SP2,
  SUCCESS,
  type Words,
} from './rig.ts';

const BIND = 0x8400007f;
const SET = 0x84000081;
const GET = 0x84000082;
const MSG_SEND2 = 0x84000086;
const RX_ACQUIRE = 0x84000084;
const ids = (high: number, low: number): number => high * 0x10000 + low;
const TO_SP = ids(1, SP);

/** What goes out for VM 1, healthy and as somebody else. */
const SPOKEN: readonly (readonly [name: string, own: Words, other: Words, anomaly: string])[] = [
  [
    'a direct request',
    [DIRECT_REQ, TO_SP],
    [DIRECT_REQ, ids(2, SP)],
    'FFA_MSG_SEND_DIRECT_REQ_32 of VM 1 goes out as VM 2',
  ],
  ['an indirect message', [MSG_SEND2, ids(1, 0)], [MSG_SEND2, 0], 'FFA_MSG_SEND2 of VM 1 goes out as the hypervisor'],
  ['NOTIFICATION_SET', [SET, TO_SP], [SET, ids(2, SP)], 'FFA_NOTIFICATION_SET of VM 1 goes out as VM 2'],
  ['NOTIFICATION_BIND', [BIND, ids(SP, 1)], [BIND, ids(SP, 2)], 'FFA_NOTIFICATION_BIND of VM 1 goes out as VM 2'],
  ['NOTIFICATION_GET', [GET, ids(0, 1), 1], [GET, ids(0, 2), 1], 'FFA_NOTIFICATION_GET of VM 1 goes out as VM 2'],
  ['RX_RELEASE', [RX_RELEASE, 1], [RX_RELEASE, 2], 'FFA_RX_RELEASE of VM 1 goes out as VM 2'],
];

test.each(SPOKEN)('P11: %s goes out as somebody else', (_name, own, other, anomaly) => {
  const rig = new Rig();
  rig.smc(1, own, refused(DENIED));
  expect(rig.found).toEqual([]);
  rig.smc(1, other, refused(DENIED));
  const id = anomaly.endsWith('hypervisor') ? 0 : 2;
  expect(rig.found).toEqual([{ property: 'P11', anomaly, facts: { vm: 1, id } }]);
});

test('P11: a share of one VM names another as its sender', () => {
  const rig = new Rig({ off: ['P1b', 'P3'] });
  const frame = rig.guest(2, 8);
  const length = rig.describe({ sender: 2, ranges: [frame, 1] });
  rig.smc(1, [0x84000073, length, length], [SUCCESS, 0, 5]);
  expect(rig.found).toEqual([
    { property: 'P11', anomaly: 'FFA_MEM_SHARE_32 of VM 1 goes out as VM 2', facts: { vm: 1, id: 2 } },
  ]);
});

test('P11: a guest sends a framework message', () => {
  const rig = new Rig();
  rig.smc(1, [DIRECT_REQ, TO_SP, 0x80000004], refused(DENIED));
  expect(rig.found).toEqual([
    { property: 'P11', anomaly: 'VM 1 sends a framework message', facts: { vm: 1, w2: 0x80000004 } },
  ]);
  const relaxed = new Rig({ relax: ['framework-bit-relayed'] });
  relaxed.smc(1, [DIRECT_REQ, TO_SP, 0x80000004], refused(DENIED));
  expect(relaxed.found).toEqual([]);
});

test('P11: an SMC for another VM in the call of a guest', () => {
  const rig = new Rig();
  rig.call(1, [DIRECT_REQ, TO_SP], [DIRECT_RESP, ids(SP, 1)], () => {
    rig.smc(0, [0x84000064], OK);
    rig.smc(2, [DIRECT_REQ, ids(2, SP)], [DIRECT_RESP, ids(SP, 2)]);
  });
  expect(rig.found).toEqual([
    { property: 'P11', anomaly: 'SMC for VM 2 in a call of VM 1', facts: { vm: 1, named: 2 } },
  ]);
});

test('P11: to deliver an indirect message the hypervisor takes the RX of its receiver, and of nobody else', () => {
  const rig = new Rig();
  const deliver = (owner: number): void =>
    rig.call(1, [MSG_SEND2, ids(1, 0)], OK, () => {
      rig.smc(2, [RX_ACQUIRE, owner], OK);
      rig.smc(2, [RX_RELEASE, owner], OK);
    });
  deliver(2);
  expect(rig.found).toEqual([]);
  deliver(3);
  expect(rig.found).toContainEqual({
    property: 'P11',
    anomaly: 'SMC for VM 2 in a call of VM 1',
    facts: { vm: 1, named: 2 },
  });
});

test('P11: FFA_RUN reaches what serves the caller, not what serves another', () => {
  const target = ids(SP, 0);
  const rig = new Rig();
  rig.smc(1, [DIRECT_REQ, TO_SP], [INTERRUPT, target]);
  rig.smc(1, [RUN, target], [INTERRUPT, target]);
  expect(rig.found).toEqual([]);
  rig.smc(2, [RUN, target], refused(DENIED));
  rig.smc(0, [RUN, target], [DIRECT_RESP, ids(SP, 1)]);
  expect(rig.found).toEqual([
    { property: 'P11', anomaly: 'VM 2 runs SP 0x8001 that serves VM 1', facts: { vm: 2, sp: SP, serves: 1 } },
  ]);
  rig.smc(2, [RUN, target], refused(DENIED));
  expect(rig.oracle.violations.map(({ repeats }) => repeats)).toEqual([0]);
});

test('P11: the reply after FFA_RUN in a chain of calls is that of whom the guest asked', () => {
  const chain = ids(SP2, 0);
  const rig = new Rig();
  const run = (from: number): void =>
    rig.call(1, [RUN, chain], [DIRECT_RESP, ids(from, 1)], () => rig.smc(1, [RUN, chain], [DIRECT_RESP, ids(from, 1)]));
  rig.call(1, [DIRECT_REQ, TO_SP], [INTERRUPT, chain], () => rig.smc(1, [DIRECT_REQ, TO_SP], [INTERRUPT, chain]));
  run(SP);
  expect(rig.found).toEqual([]);
  run(SP2);
  const facts = { vm: 1, from: SP2, asked: SP };
  const anomaly = 'VM 1 gets a reply of SP 0x8002 to what it asked SP 0x8001';
  expect(rig.found).toEqual([{ property: 'P11', anomaly, facts }]);
});

test('P11: a reclaim of what another shares', () => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 1], 5);
  rig.smc(1, [MEM_RECLAIM, 5], refused(DENIED));
  expect(rig.found).toEqual([]);
  rig.smc(2, [MEM_RECLAIM, 5], refused(DENIED));
  rig.emit(EVENT_TEARDOWN_BEGIN, 0, 1, 7, 1, 0, 1);
  rig.emit(EVENT_TEARDOWN_ROUND, 0, 1, 1, 1, 0);
  rig.smc(0, [MEM_RECLAIM, 5], refused(DENIED));
  rig.emit(EVENT_TEARDOWN_BEGIN, 0, 3, 9, 1, 0, 1);
  rig.emit(EVENT_TEARDOWN_ROUND, 0, 3, 1, 1, 0);
  rig.smc(0, [MEM_RECLAIM, 5], refused(DENIED));
  const handle = '0x0000000000000005';
  expect(rig.found).toEqual([
    { property: 'P11', anomaly: 'VM 2 reclaims what VM 1 shares', facts: { vm: 2, sender: 1, handle } },
    { property: 'P11', anomaly: 'the teardown of VM 3 reclaims what VM 1 shares', facts: { vm: 3, sender: 1, handle } },
  ]);
});

const REPLIES: readonly (readonly [name: string, call: Words, reply: Words, anomaly: string | null])[] = [
  ['its own', [DIRECT_REQ, TO_SP], [DIRECT_RESP, ids(SP, 1)], null],
  ['its own after FFA_RUN', [RUN, ids(SP, 3)], [DIRECT_RESP, ids(SP, 1)], null],
  ["another's", [DIRECT_REQ, TO_SP], [DIRECT_RESP, ids(SP, 2)], 'VM 1 gets a reply that is for VM 2'],
  [
    'of another partition',
    [DIRECT_REQ, TO_SP],
    [DIRECT_RESP, ids(SP2, 1)],
    'VM 1 gets a reply of SP 0x8002 to what it asked SP 0x8001',
  ],
  [
    'a framework response',
    [DIRECT_REQ, TO_SP],
    [DIRECT_RESP, ids(SP, 1), 0x80000005],
    'VM 1 gets a framework response',
  ],
];

test.each(REPLIES)('P11: a guest gets a reply: %s', (_name, call, reply, anomaly) => {
  const rig = new Rig();
  rig.call(1, call, reply, () => rig.smc(1, call, reply));
  expect(rig.anomalies).toEqual(anomaly === null ? [] : [`P11: ${anomaly}`]);
  const relaxed = new Rig({ relax: ['reply-unchecked'] });
  relaxed.call(1, call, reply, () => relaxed.smc(1, call, reply));
  expect(relaxed.anomalies).toEqual([]);
});
