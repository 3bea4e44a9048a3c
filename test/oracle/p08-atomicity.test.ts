import { expect, test } from 'vitest';
import { ABORTED, BUSY, DENIED, ERROR, MEM_RECLAIM, MEM_SHARE, OK, Rig, refused, SUCCESS } from './rig.ts';

test('P8: a call that fails keeps a reference', () => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  const { frames } = rig.machine;
  rig.call(1, [MEM_SHARE, 0, 0], refused(DENIED), () => {
    frames.getRange(frame, 2, 7);
    frames.getRange(frame + 4, 2, 7);
    rig.unpin([frame, 2]);
    rig.unpin([frame + 4, 1]);
  });
  expect(rig.found).toEqual([
    {
      property: 'P8',
      anomaly: 'FFA_MEM_SHARE_32 of VM 1 failed and kept a reference',
      facts: { vm: 1, code: -6, frame: frame + 5, pages: 1 },
    },
  ]);
});

test('P8: a call that fails drops a reference', () => {
  const rig = new Rig({ off: ['P1b'] });
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 2], 5);
  rig.call(1, [MEM_RECLAIM, 5], refused(DENIED), () => {
    rig.smc(1, [MEM_RECLAIM, 5], refused(DENIED));
    rig.unpin([frame, 2]);
  });
  expect(rig.found).toEqual([
    {
      property: 'P8',
      anomaly: 'FFA_MEM_RECLAIM of VM 1 failed and dropped a reference',
      facts: { vm: 1, code: -6, frame, pages: 2 },
    },
  ]);
});

test('P8: what is taken and given back leaves nothing, in whatever order', () => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  const { frames } = rig.machine;
  rig.call(1, [MEM_SHARE, 0, 0], refused(BUSY), () => {
    rig.send({ sender: 1, ranges: [frame, 2, frame + 4, 1] }, refused(BUSY));
  });
  rig.call(1, [MEM_SHARE, 0, 0], refused(DENIED), () => {
    frames.getRange(frame, 3, 7);
    rig.unpin([frame + 2, 1, frame, 1, frame + 1, 1]);
  });
  expect(rig.found).toEqual([]);
});

test('P8: pages of others do not count', () => {
  const rig = new Rig();
  rig.guest(1, 7);
  const other = rig.guest(2, 8);
  rig.call(1, [MEM_SHARE, 0, 0], refused(BUSY), () => rig.machine.frames.getRange(other, 1, 8));
  expect(rig.found).toEqual([]);
});

test('P8: what another PE does meanwhile does not count', () => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  rig.call(1, [MEM_SHARE, 0, 0], refused(BUSY), () => {
    rig.machine.events.currentPe = 1;
    rig.machine.frames.getRange(frame, 1, 7);
    rig.machine.events.currentPe = 0;
  });
  expect(rig.found).toEqual([]);
});

test('P8: a call that fails leaves a transaction, or ends one', () => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  rig.call(1, [MEM_SHARE, 0, 0], refused(BUSY), () => {
    rig.send({ sender: 1, ranges: [frame, 2] }, [SUCCESS, 0, 5]);
  });
  rig.call(1, [MEM_RECLAIM, 5], refused(DENIED), () => rig.smc(1, [MEM_RECLAIM, 5], OK));
  const facts = { vm: 1, code: -4, handle: '0x0000000000000005' };
  expect(rig.found).toEqual([
    {
      property: 'P8',
      anomaly: 'FFA_MEM_SHARE_32 of VM 1 failed and left a transaction',
      facts: { ...facts, pages: 2 },
    },
    {
      property: 'P8',
      anomaly: 'FFA_MEM_SHARE_32 of VM 1 failed and kept a reference',
      facts: { vm: 1, code: -4, frame, pages: 2 },
    },
    {
      property: 'P8',
      anomaly: 'FFA_MEM_RECLAIM of VM 1 failed and ended a transaction',
      facts: { ...facts, code: -6 },
    },
  ]);
});

test('P8: an unknown outcome may keep what it needs', () => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  rig.call(1, [MEM_SHARE, 0, 0], [ERROR, 0, ABORTED], () => {
    rig.send({ sender: 1, ranges: [frame, 2] }, [0x84000099]);
  });
  expect(rig.found).toEqual([]);
});
