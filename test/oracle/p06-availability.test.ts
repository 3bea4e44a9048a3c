import { expect, test } from 'vitest';
import { EVENT_DOMAIN_CREATE_FAILED, EVENT_TEARDOWN_BEGIN, EVENT_TEARDOWN_END } from '../../src/base/event-kinds.ts';
import {
  ABORTED,
  accepts,
  BUSY,
  DENIED,
  DIRECT_RESP,
  ID_GET,
  INTERRUPT,
  INVALID_PARAMETERS,
  OK,
  RETRY,
  Rig,
  RUN,
  refused,
  SP,
  SP2,
  TOLD_CREATED,
  TOLD_DESTROYED,
  type Words,
} from './rig.ts';

const BOTH = TOLD_CREATED | TOLD_DESTROYED;

function rigWith(properties = BOTH): { rig: Rig; frame: number } {
  const rig = new Rig({ off: ['P12'] });
  rig.list([SP, properties]);
  return { rig, frame: rig.guest(1, 7) };
}

test('P6: born, told, dead, told: nothing to say', () => {
  const { rig, frame } = rigWith();
  rig.tell('created', SP, 1, accepts('created', SP));
  rig.call(1, [ID_GET], OK);
  rig.die(1, 7, [frame, 16], () => rig.tell('destroyed', SP, 1, accepts('destroyed', SP)));
  rig.oracle.quiet();
  expect(rig.found).toEqual([]);
});

const RESENT: readonly (readonly [name: string, answer: Words, anomaly: string | null])[] = [
  ['accepted', accepts('created', SP), 'SP 0x8001 was told twice that VM 1 was created'],
  ['RETRY', accepts('created', SP, RETRY), null],
  ['FFA_ERROR BUSY', refused(BUSY), null],
  ['preempted', [INTERRUPT, SP * 0x10000], 'SP 0x8001 got a message again that it had taken'],
  [
    'a response to something else',
    [DIRECT_RESP, SP * 0x10000, 0x80000007],
    'SP 0x8001 was told again that VM 1 was created though it may have accepted',
  ],
];

test.each(RESENT)('P6: "created" again after %s', (_name, answer, anomaly) => {
  const { rig } = rigWith();
  rig.tell('created', SP, 1, answer);
  rig.tell('created', SP, 1, accepts('created', SP));
  expect(rig.found).toEqual(anomaly === null ? [] : [{ property: 'P6', anomaly, facts: { vm: 1, sp: SP } }]);
});

const ENDED: readonly (readonly [name: string, before: Words | null, anomaly: string | null])[] = [
  ['it had accepted "created"', accepts('created', SP), null],
  ['it may have accepted', [0x84000099], null],
  ['it believed in an earlier one', accepts('created', SP, INVALID_PARAMETERS), null],
  ['it was never told', null, 'SP 0x8001 was told of the end of VM 1 that it had never accepted'],
  ['it refused', accepts('created', SP, DENIED), 'SP 0x8001 was told of the end of VM 1 that it had never accepted'],
];

test.each(ENDED)('P6: "destroyed" though %s', (_name, before, anomaly) => {
  const { rig } = rigWith();
  if (before !== null) rig.tell('created', SP, 1, before);
  rig.tell('destroyed', SP, 1, accepts('destroyed', SP));
  expect(rig.found).toEqual(anomaly === null ? [] : [{ property: 'P6', anomaly, facts: { vm: 1, sp: SP } }]);
});

test('P6: one that only asks for ends hears each end once', () => {
  const { rig } = rigWith(TOLD_DESTROYED);
  rig.tell('destroyed', SP, 1, accepts('destroyed', SP));
  expect(rig.found).toEqual([]);
  rig.tell('destroyed', SP, 1, accepts('destroyed', SP));
  expect(rig.found).toEqual([
    { property: 'P6', anomaly: 'SP 0x8001 was told twice that VM 1 was destroyed', facts: { vm: 1, sp: SP } },
  ]);
});

test('P6: a message that was taken is answered through FFA_RUN', () => {
  const { rig, frame } = rigWith();
  rig.tell('created', SP, 1, [INTERRUPT, SP * 0x10000]);
  rig.smc(0, [RUN, SP * 0x10000], [INTERRUPT, SP * 0x10000]);
  rig.smc(0, [RUN, SP * 0x10000], accepts('created', SP));
  rig.call(1, [ID_GET], OK);
  rig.die(1, 7, [frame, 16], () => rig.tell('destroyed', SP, 1, accepts('destroyed', SP)));
  rig.oracle.quiet();
  expect(rig.found).toEqual([]);
});

test('P6: a VM runs before a subscriber accepted it, unless that one is dead', () => {
  for (const [answer, told] of [
    [accepts('created', SP, RETRY), false],
    [refused(ABORTED), true],
  ] as const) {
    const { rig } = rigWith(TOLD_CREATED);
    rig.tell('created', SP, 1, answer);
    rig.call(1, [ID_GET], [0xffffffff]);
    expect(rig.found).toEqual([]);
    rig.call(1, [ID_GET], OK);
    rig.call(1, [ID_GET], OK);
    const anomaly = 'VM 1 runs though SP 0x8001 has not accepted that it was created';
    expect(rig.found).toEqual(told ? [] : [{ property: 'P6', anomaly, facts: { vm: 1, sp: SP } }]);
  }
});

test('P6: an end is lost after RETRY; not while its teardown goes on, nor after a refusal for good', () => {
  const lost = {
    property: 'P6',
    anomaly: 'VM 1 is gone and SP 0x8001 still believes in it',
    facts: { vm: 1, sp: SP, endsSent: 1 },
  };
  for (const [answer, open, expected] of [
    [accepts('destroyed', SP, RETRY), false, [lost]],
    [accepts('destroyed', SP, RETRY), true, []],
    [refused(INVALID_PARAMETERS), false, []],
    [accepts('destroyed', SP), false, []],
  ] as const) {
    const { rig, frame } = rigWith();
    rig.tell('created', SP, 1, accepts('created', SP));
    rig.die(1, 7, [frame, 16], () => {
      rig.emit(EVENT_TEARDOWN_BEGIN, 0, 1, 7, 0, 1, 0);
      rig.tell('destroyed', SP, 1, answer);
      if (!open) rig.emit(EVENT_TEARDOWN_END, 0, 1, 1, 0);
    });
    rig.oracle.quiet();
    expect(rig.found.filter(({ property }) => property === 'P6')).toEqual(expected);
  }
});

test('P6: one that was dead at the birth may hear of the end until it takes it, also when the domain has gone', () => {
  for (const [answer, anomaly] of [
    [accepts('destroyed', SP, RETRY), null],
    [accepts('destroyed', SP), 'SP 0x8001 was told twice that VM 1 was destroyed'],
  ] as const) {
    const { rig, frame } = rigWith();
    rig.tell('created', SP, 1, refused(ABORTED));
    rig.die(1, 7, [frame, 16], () => {
      rig.emit(EVENT_TEARDOWN_BEGIN, 0, 1, 7, 0, 1, 0);
      rig.tell('destroyed', SP, 1, accepts('destroyed', SP, RETRY));
    });
    rig.tell('destroyed', SP, 1, answer);
    rig.tell('destroyed', SP, 1, accepts('destroyed', SP));
    const found = rig.found.filter(({ property }) => property === 'P6');
    expect(found).toEqual(anomaly === null ? [] : [{ property: 'P6', anomaly, facts: { vm: 1, sp: SP } }]);
  }
});

test('P6: a failed creation leaves a believer, or tells it', () => {
  for (const undone of [false, true]) {
    const rig = new Rig();
    rig.list([SP, BOTH], [SP2, BOTH]);
    const frame = rig.guest(1, 7);
    rig.tell('created', SP, 1, accepts('created', SP));
    rig.tell('created', SP2, 1, accepts('created', SP2, DENIED));
    rig.emit(EVENT_DOMAIN_CREATE_FAILED, 0, 1, 7, -5);
    if (undone) rig.tell('destroyed', SP, 1, accepts('destroyed', SP));
    rig.die(1, 7, [frame, 16]);
    rig.oracle.quiet();
    expect(rig.found).toEqual(
      undone
        ? []
        : [
            {
              property: 'P6',
              anomaly: 'the creation of VM 1 failed and SP 0x8001 still believes in it',
              facts: { vm: 1, sp: SP, endsSent: 0 },
            },
          ],
    );
  }
});

test('P6: subscriptions come from the register form too', () => {
  const rig = new Rig();
  const { machine } = rig;
  const high = 0x20_0000;
  const last = 1 | (1 << 16);
  // Two entries of three registers: x3 to x5 and x6 to x8; the properties are in bits 63 to 32 of the first of each.
  rig.smcOut(0, [0xc400008b]);
  machine.events.emit(4, 0, 0, 0xc4000061, 0, last, 0x10000 | SP, 5, 6, 0x10000 | SP2, 7);
  machine.events.emit(7, 0, 0, 0, 0, 24 << 16, TOLD_CREATED, high, high, TOLD_DESTROYED, high);
  machine.events.emit(8, 0, 0, 0, 8, 0, 0, 0, 0);
  expect([...rig.oracle.model.availability.subscriptions.values()]).toEqual([
    { sp: SP, created: true, destroyed: false },
    { sp: SP2, created: false, destroyed: true },
  ]);
});
