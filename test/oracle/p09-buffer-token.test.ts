import { expect, test } from 'vitest';
import { EVENT_MEMORY_WRITE } from '../../src/base/event-kinds.ts';
import { DENIED, OK, PARTITION_INFO_GET, Rig, RX_RELEASE, RXTX_MAP, RXTX_UNMAP, refused, SP } from './rig.ts';

const RX_ACQUIRE = 0x84000084;
const MSG_SEND2 = 0x84000086;
const LISTED = [0x84000061, 0, 1, 24];

function mapped(): { rig: Rig; rx: number } {
  const rig = new Rig();
  const frame = rig.guest(1, 7, 16, true);
  rig.call(1, [RXTX_MAP, 0x100000, 0x101000, 1], OK, () => rig.machine.frames.getRange(frame, 2, 7));
  return { rig, rx: frame + 1 };
}

const list = (rig: Rig): void => rig.call(1, [PARTITION_INFO_GET], LISTED);
const release = (rig: Rig): void => rig.call(1, [RX_RELEASE], OK);

test('P9: listed, released, listed, released', () => {
  const { rig } = mapped();
  for (let n = 0; n < 2; n++) {
    list(rig);
    rig.call(1, [PARTITION_INFO_GET], refused(0xfffffffc));
    release(rig);
  }
  rig.call(1, [PARTITION_INFO_GET, 0, 0, 0, 0, 1], [0x84000061, 0, 1]);
  rig.call(1, [RXTX_UNMAP], OK, () => rig.unpin([rig.machine.frames.firstFrame + 2, 2]));
  rig.oracle.quiet();
  expect(rig.found).toEqual([]);
});

test('P9: RX is given twice', () => {
  const { rig } = mapped();
  list(rig);
  list(rig);
  expect(rig.found).toEqual([
    {
      property: 'P9',
      anomaly: 'RX of VM 1 is given to it though it has it',
      facts: { vm: 1, by: 'PARTITION_INFO_GET' },
    },
  ]);
});

test('P9: RX is released by a guest that does not have it, unless a message may have come', () => {
  for (const message of [false, true]) {
    const { rig } = mapped();
    if (message) rig.spCall(SP, [MSG_SEND2], OK);
    release(rig);
    expect(rig.found).toEqual(
      message ? [] : [{ property: 'P9', anomaly: 'VM 1 released RX though it did not have it', facts: { vm: 1 } }],
    );
  }
});

test('P9: buffers are unmapped while the guest has RX', () => {
  for (const done of [true, false]) {
    const { rig, rx } = mapped();
    list(rig);
    rig.call(1, [RXTX_UNMAP], done ? OK : refused(DENIED), () => {
      if (done) rig.unpin([rx - 1, 2]);
    });
    const anomaly = 'RX of VM 1 is unmapped while VM 1 has it';
    expect(rig.found).toEqual(done ? [{ property: 'P9', anomaly, facts: { vm: 1 } }] : []);
  }
});

test('P9: RX is written while the guest has it', () => {
  const { rig, rx } = mapped();
  rig.emit(EVENT_MEMORY_WRITE, 0, 0, rx, 0, 24);
  list(rig);
  rig.emit(EVENT_MEMORY_WRITE, 0, 1, rx, 0, 24);
  rig.emit(EVENT_MEMORY_WRITE, 0, 0, rx - 1, 0, 24);
  expect(rig.found).toEqual([]);
  rig.emit(EVENT_MEMORY_WRITE, 0, 0x8000, rx, 0, 24);
  expect(rig.found).toEqual([
    {
      property: 'P9',
      anomaly: 'SP 0x8000 writes RX of VM 1 while VM 1 has it',
      facts: { vm: 1, endpoint: 0x8000, frame: rx },
    },
  ]);
});

test('P9: the SPMC gives RX to a producer while the guest, or another producer, has it', () => {
  const { rig } = mapped();
  rig.call(1, [PARTITION_INFO_GET], LISTED, () => rig.smc(1, [RX_ACQUIRE, 1], OK));
  rig.smc(0, [RX_ACQUIRE, 1], refused(DENIED));
  expect(rig.found).toEqual([]);
  rig.smc(0, [RX_ACQUIRE, 1], OK);
  rig.call(1, [RX_RELEASE], OK);
  rig.smc(0, [RX_ACQUIRE, 1], OK);
  expect(rig.anomalies).toEqual([
    'P9: the SPMC gives RX of VM 1 to a producer while VM 1 has it',
    'P9: the SPMC gives RX of VM 1 to a second producer',
  ]);
});

test('P9: views agree when all is quiet', () => {
  for (const forwarded of [true, false]) {
    const { rig } = mapped();
    rig.call(1, [PARTITION_INFO_GET], LISTED, () => rig.smc(1, [RX_ACQUIRE, 1], OK));
    rig.oracle.quiet();
    expect(rig.found).toEqual([]);
    rig.call(1, [RX_RELEASE], OK, () => {
      if (forwarded) rig.smc(1, [RX_RELEASE, 1], OK);
    });
    rig.oracle.quiet();
    const anomaly = 'VM 1 does not have its RX and the SPMC says that it is taken';
    expect(rig.found).toEqual(forwarded ? [] : [{ property: 'P9', anomaly, facts: { vm: 1 } }]);
  }
});

test('P9: views differ the other way', () => {
  const { rig } = mapped();
  rig.call(1, [PARTITION_INFO_GET], LISTED, () => {
    rig.smc(1, [RX_ACQUIRE, 1], OK);
    rig.smc(1, [RX_RELEASE, 1], OK);
  });
  rig.oracle.quiet();
  expect(rig.anomalies).toEqual(['P9: VM 1 has its RX and the SPMC says that it is free']);
});
