import { expect, test } from 'vitest';
import { EVENT_QUARANTINE } from '../../src/base/event-kinds.ts';
import {
  accepts,
  DENIED,
  DIRECT_REQ,
  DIRECT_RESP,
  INTERRUPT,
  INVALID_PARAMETERS,
  MEM_RECLAIM,
  OK,
  Rig,
  RUN,
  refused,
  SP,
  TOLD_CREATED,
  TOLD_DESTROYED,
} from './rig.ts';

const CREATE = 0x8400007d;
const DESTROY = 0x8400007e;

/** What VM 1 may leave, how that is settled, and what its successor finds if it is not. */
const LEFT: readonly (readonly [
  name: string,
  leave: (rig: Rig, frame: number) => void,
  settle: (rig: Rig, frame: number) => void,
  anomaly: string,
  facts: Readonly<Record<string, number>>,
])[] = [
  [
    'memory',
    (rig, frame) => rig.share(1, [frame, 2], 5),
    (rig, frame) => {
      rig.smc(0, [MEM_RECLAIM, 5], OK);
      rig.unpin([frame, 2]);
    },
    'VM id 1 is used again with memory of the VM before it',
    { shares: 1 },
  ],
  [
    'a bitmap',
    (rig) => rig.smc(0, [CREATE, 1, 1], OK),
    (rig) => rig.smc(0, [DESTROY, 1], OK),
    'VM id 1 is used again with the notification bitmap of the VM before it',
    {},
  ],
  [
    'a believer',
    (rig) => rig.tell('created', SP, 1, accepts('created', SP)),
    (rig) => rig.tell('destroyed', SP, 1, accepts('destroyed', SP)),
    'VM id 1 is used again while SP 0x8001 believes in the VM before it',
    { sp: SP },
  ],
  [
    'a believer that refused to hear of the end',
    (rig) => {
      rig.tell('created', SP, 1, accepts('created', SP));
      rig.tell('destroyed', SP, 1, refused(DENIED));
    },
    (rig) => rig.tell('destroyed', SP, 1, accepts('destroyed', SP, INVALID_PARAMETERS)),
    'VM id 1 is used again while SP 0x8001 believes in the VM before it',
    { sp: SP },
  ],
  [
    'an unfinished request',
    (rig) => rig.smc(1, [DIRECT_REQ, 0x18001], [INTERRUPT, SP * 0x10000]),
    (rig) => rig.smc(0, [RUN, SP * 0x10000], [DIRECT_RESP, SP * 0x10000 + 1]),
    'VM id 1 is used again while SP 0x8001 serves the VM before it',
    { sp: SP },
  ],
];

test.each(LEFT)('P15: %s', (_name, leave, settle, anomaly, facts) => {
  for (const settled of [true, false]) {
    const rig = new Rig({ off: ['P6'] });
    rig.list([SP, TOLD_CREATED | TOLD_DESTROYED]);
    const frame = rig.guest(1, 7);
    leave(rig, frame);
    rig.die(1, 7, [frame, 16], () => {
      if (settled) settle(rig, frame);
    });
    rig.guest(1, 8);
    expect(rig.found).toEqual(settled ? [] : [{ property: 'P15', anomaly, facts: { vm: 1, serial: 8, ...facts } }]);
  }
});

test('P15: another id is nobody’s business, nor are pages in quarantine', () => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 2], 5);
  rig.guest(2, 8);
  rig.smc(0, [MEM_RECLAIM, 5], refused(INVALID_PARAMETERS));
  rig.emit(EVENT_QUARANTINE, 0, 1, 0, 5, 0, 2, frame);
  rig.die(1, 7, [frame, 16]);
  rig.guest(1, 9);
  expect(rig.found).toEqual([]);
});

test('P15: a profile may be known to forget messages', () => {
  const rig = new Rig({ relax: ['messages-forgotten'] });
  rig.list([SP, TOLD_CREATED | TOLD_DESTROYED]);
  const frame = rig.guest(1, 7);
  rig.tell('created', SP, 1, accepts('created', SP));
  rig.die(1, 7, [frame, 16]);
  rig.guest(1, 8);
  rig.oracle.quiet();
  expect(rig.found).toEqual([]);
});
