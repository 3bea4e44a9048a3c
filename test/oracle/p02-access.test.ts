import { expect, test } from 'vitest';
import { EVENT_DMA_START } from '../../src/base/event-kinds.ts';
import { STAGE2_INVALID, STAGE2_NON_SECURE, STAGE2_READ, STAGE2_RW, STAGE2_RWX } from '../../src/hardware/stage2.ts';
import { DENIED, MEM_LEND, MEM_RECLAIM, NOT_SUPPORTED, Rig, refused, SP, SP2, SUCCESS } from './rig.ts';

const HANDLE = '0x0000000000000005';

test('P2: a partition maps what nobody gives it', () => {
  const rig = new Rig();
  rig.partition(SP);
  rig.partition(SP2);
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 2], 5);
  rig.retrieve(SP2, frame, 2);
  rig.retrieve(SP, frame, 4);
  expect(rig.found).toEqual([
    {
      property: 'P2',
      anomaly: 'SP 0x8002 maps a page that no transaction gives it',
      facts: { frame, pages: 2, owner: 7 },
    },
    {
      property: 'P2',
      anomaly: 'SP 0x8001 maps a page that no transaction gives it',
      facts: { frame: frame + 2, pages: 2, owner: 7 },
    },
  ]);
});

test('P2: a borrower maps what it is given, also before the hypervisor has the answer', () => {
  const rig = new Rig();
  rig.partition(SP);
  const frame = rig.guest(1, 7);
  rig.call(1, [MEM_LEND, 0, 0], [SUCCESS, 0, 5], () => {
    rig.send({ sender: 1, ranges: [frame, 2] }, [SUCCESS, 0, 5], MEM_LEND, () => rig.retrieve(SP, frame, 2));
  });
  expect(rig.found).toEqual([]);
});

test('P2: a partition maps what was refused', () => {
  const rig = new Rig();
  rig.partition(SP);
  const frame = rig.guest(1, 7);
  rig.send({ sender: 1, ranges: [frame, 2] }, refused(DENIED));
  rig.retrieve(SP, frame, 2);
  expect(rig.anomalies).toEqual(['P2: SP 0x8001 maps a page that no transaction gives it']);
});

test('P2: read-only is not writable', () => {
  for (const attributes of [STAGE2_READ, STAGE2_RW]) {
    const rig = new Rig();
    rig.partition(SP);
    const frame = rig.guest(1, 7);
    rig.send({ sender: 1, ranges: [frame, 2], receivers: [[SP, 1]] }, [SUCCESS, 0, 5]);
    rig.retrieve(SP, frame, 2, attributes | STAGE2_NON_SECURE);
    expect(rig.found).toEqual(
      attributes === STAGE2_READ
        ? []
        : [
            {
              property: 'P2',
              anomaly: 'SP 0x8001 maps writable what it is given read-only',
              facts: { frame, pages: 2, owner: 7 },
            },
          ],
    );
  }
});

test('P2: a lent page is given again, a shared one may be', () => {
  for (const kind of [MEM_LEND, undefined]) {
    const rig = new Rig();
    const frame = rig.guest(1, 7);
    rig.share(1, [frame, 2], 4);
    rig.send({ sender: 1, ranges: [frame + 1, 2] }, [SUCCESS, 0, 5], kind);
    expect(rig.found).toEqual(
      kind === undefined
        ? []
        : [
            {
              property: 'P2',
              anomaly: 'VM 1 gave a page twice, once by lend',
              facts: { frame: frame + 1, vm: 1, handle: HANDLE, other: '0x0000000000000004' },
            },
          ],
    );
  }
});

test('P2: a guest gives a page of another', () => {
  const rig = new Rig();
  const mine = rig.guest(1, 7);
  const theirs = rig.guest(2, 8);
  rig.send({ sender: 1, ranges: [mine + 15, 1, theirs, 1] }, [SUCCESS, 0, 5]);
  expect(rig.found).toEqual([
    {
      property: 'P2',
      anomaly: 'VM 1 gave a page that it does not own',
      facts: { frame: theirs, owner: 8, vm: 1, handle: HANDLE },
    },
  ]);
});

test('P2: who lent a page does not reach it', () => {
  for (const taken of [false, true]) {
    const rig = new Rig();
    const frame = rig.guest(1, 7, 16, true);
    rig.call(1, [MEM_LEND, 0, 0], [SUCCESS, 0, 5], () => {
      rig.send({ sender: 1, ranges: [frame, 2] }, [SUCCESS, 0, 5], MEM_LEND);
      if (taken) rig.spaces.get(1)?.map(0x100, frame, 2, STAGE2_RWX | STAGE2_INVALID);
    });
    const found = [
      {
        property: 'P2',
        anomaly: 'VM 1 still reaches a page of its lend',
        facts: { frame, pages: 2, vm: 1, handle: HANDLE },
      },
    ];
    expect(rig.found).toEqual(taken ? [] : found);
    if (taken) rig.spaces.get(1)?.map(0x100, frame, 2, STAGE2_RWX);
    rig.oracle.quiet();
    expect(rig.found).toEqual(found);
  }
});

test('P2: DMA starts on a page that is not given', () => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 2], 5);
  rig.emit(EVENT_DMA_START, 0, SP, frame, 2);
  expect(rig.found).toEqual([]);
  rig.emit(EVENT_DMA_START, 0, SP, frame + 1, 2);
  expect(rig.found).toEqual([
    {
      property: 'P2',
      anomaly: 'SP 0x8001 starts DMA on a page that no transaction gives it',
      facts: { frame: frame + 2, pages: 1, owner: 7 },
    },
  ]);
});

test('P2: secure memory and what is mapped without access are not judged', () => {
  const rig = new Rig();
  const stage2 = rig.partition(SP);
  const frame = rig.guest(1, 7);
  const own = rig.machine.frames.allocate(4, -3);
  stage2.map(0x10, own, 4, STAGE2_RW);
  stage2.map(0x20, frame, 1, STAGE2_RW | STAGE2_INVALID);
  expect(rig.found).toEqual([]);
});

test('P2: a page is free to be given again when the reclaim of the first had an unclear answer', () => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 1], 1);
  rig.smc(1, [MEM_RECLAIM, 1], refused(NOT_SUPPORTED));
  rig.send({ sender: 1, ranges: [frame, 1] }, [SUCCESS, 0, 2], MEM_LEND);
  expect(rig.found).toEqual([]);
});
