import { expect, test } from 'vitest';
import {
  EVENT_DOMAIN_DYING,
  EVENT_DOMAIN_GET,
  EVENT_DOMAIN_GONE,
  EVENT_DOMAIN_PUT,
  EVENT_FRAME_GET,
  EVENT_MEMORY_READ,
  EVENT_MEMORY_WRITE,
  EVENT_TEARDOWN_BEGIN,
  EVENT_TEARDOWN_END,
  EVENT_TEARDOWN_ROUND,
  EVENT_TEARDOWN_WAIT,
} from '../../src/base/event-kinds.ts';
import { STAGE2_RW } from '../../src/hardware/stage2.ts';
import { FRAG_TX, ID_GET, INVALID_PARAMETERS, MEM_RECLAIM, OK, Rig, refused, SP } from './rig.ts';

function afterDeath(): { rig: Rig; frame: number } {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  rig.emit(EVENT_DOMAIN_GET, 0, 1, 7, 2);
  rig.emit(EVENT_DOMAIN_PUT, 0, 1, 7, 1);
  rig.call(1, [ID_GET], OK);
  rig.emit(EVENT_MEMORY_WRITE, 0, 0, frame, 0, 4);
  rig.share(1, [frame, 1], 5);
  rig.smc(1, [MEM_RECLAIM, 5], OK);
  rig.unpin([frame, 1]);
  rig.die(1, 7, [frame, 16]);
  expect(rig.found).toEqual([]);
  return { rig, frame };
}

const TOUCHES: readonly (readonly [
  name: string,
  touch: (rig: Rig, frame: number) => void,
  anomaly: string,
  facts: (frame: number) => unknown,
])[] = [
  [
    'a reference to a page of a domain that is gone',
    (rig, frame) => rig.emit(EVENT_FRAME_GET, 0, frame, 1, 7),
    'page of a domain that is gone gets a reference',
    (frame) => ({ frame, owner: 7 }),
  ],
  [
    'a reference to a domain that is gone',
    (rig) => rig.emit(EVENT_DOMAIN_PUT, 0, 1, 7, 0),
    'domain of VM 1 is touched though it is gone',
    () => ({ vm: 1, serial: 7 }),
  ],
  [
    'a second death',
    (rig) => rig.emit(EVENT_DOMAIN_DYING, 0, 1, 7),
    'domain of VM 1 is touched though it is gone',
    () => ({ vm: 1, serial: 7 }),
  ],
  [
    'a second end',
    (rig) => rig.emit(EVENT_DOMAIN_GONE, 0, 1, 7),
    'domain of VM 1 is touched though it is gone',
    () => ({ vm: 1, serial: 7 }),
  ],
  [
    'a map of a free page',
    (rig, frame) => {
      rig.partition(2);
      rig.spaces.get(2)?.map(0x10, frame + 3, 1, STAGE2_RW);
    },
    'free page is mapped for VM 2',
    (frame) => ({ frame: frame + 3, endpoint: 2 }),
  ],
  [
    'a write to a free page',
    (rig, frame) => rig.emit(EVENT_MEMORY_WRITE, 0, SP, frame, 0, 8),
    'SP 0x8001 writes a free page',
    (frame) => ({ frame, endpoint: SP }),
  ],
  [
    'a read of a free page',
    (rig, frame) => rig.emit(EVENT_MEMORY_READ, 0, 0, frame, 0, 8),
    'the hypervisor reads a free page',
    (frame) => ({ frame, endpoint: 0 }),
  ],
  [
    'a reclaim of a handle that has ended',
    (rig) => rig.smc(0, [MEM_RECLAIM, 5], refused(INVALID_PARAMETERS)),
    'MEM_RECLAIM is sent for a handle that has ended',
    () => ({ handle: '0x0000000000000005', vm: 1 }),
  ],
  [
    'a fragment for a handle that has ended',
    (rig) => rig.smc(0, [FRAG_TX, 5, 0, 16], refused(INVALID_PARAMETERS)),
    'MEM_FRAG_TX is sent for a handle that has ended',
    () => ({ handle: '0x0000000000000005', vm: 1 }),
  ],
  [
    'a call of a guest that is gone',
    (rig) => rig.call(1, [ID_GET], OK),
    'VM 1 makes a call though it is gone',
    () => ({ vm: 1 }),
  ],
  [
    'a round of a teardown that is over',
    (rig) => rig.emit(EVENT_TEARDOWN_ROUND, 0, 1, 1, 0, 0),
    'the teardown of VM 1 goes on though it is over',
    () => ({ vm: 1 }),
  ],
];

test.each(TOUCHES)('P4: %s', (_name, touch, anomaly, facts) => {
  const { rig, frame } = afterDeath();
  touch(rig, frame);
  expect(rig.found.filter(({ property }) => property === 'P4')).toEqual([
    { property: 'P4', anomaly, facts: facts(frame) },
  ]);
});

test('P4: a teardown may outlive its domain', () => {
  const { rig } = afterDeath();
  rig.emit(EVENT_TEARDOWN_BEGIN, 0, 1, 7, 1, 0, 1);
  rig.emit(EVENT_TEARDOWN_ROUND, 0, 1, 1, 1, 0);
  rig.emit(EVENT_TEARDOWN_END, 0, 1, 1, 0);
  expect(rig.found).toEqual([]);
  rig.emit(EVENT_TEARDOWN_WAIT, 0, 1, 100, 1, 0);
  expect(rig.anomalies).toEqual(['P4: the teardown of VM 1 goes on though it is over']);
});

test('P4: the last page of a long range is looked at too', () => {
  const rig = new Rig();
  const frame = rig.guest(1, 7, 1025);
  rig.unpin([frame + 1024, 1]);
  rig.partition(2);
  rig.spaces.get(2)?.addRegion(0, frame, 1025, STAGE2_RW);
  expect(rig.found).toEqual([
    { property: 'P4', anomaly: 'free page is mapped for VM 2', facts: { frame: frame + 1024, endpoint: 2 } },
  ]);
});

test('P4: a new domain of the same id lives', () => {
  const { rig } = afterDeath();
  const frame = rig.guest(1, 8);
  rig.call(1, [ID_GET], OK);
  rig.share(1, [frame, 1], 5);
  rig.smc(1, [MEM_RECLAIM, 5], OK);
  expect(rig.found).toEqual([]);
});
