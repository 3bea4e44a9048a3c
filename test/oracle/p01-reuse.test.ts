import { expect, test } from 'vitest';
import { EVENT_DMA_END, EVENT_DMA_START } from '../../src/base/event-kinds.ts';
import {
  ABORTED,
  DENIED,
  ERROR,
  FRAG_RX,
  FRAG_TX,
  INTERRUPT,
  MEM_RECLAIM,
  MEM_SHARE,
  OK,
  Rig,
  RUN,
  RXTX_MAP,
  RXTX_UNMAP,
  refused,
  SP,
  SUCCESS,
  TX,
} from './rig.ts';

test('P1: a page of a live transaction is returned when its guest dies', () => {
  const rig = new Rig({ off: ['P1b'] });
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 2], 0x55);
  rig.die(1, 7, [frame, 16], () => rig.unpin([frame, 2]));
  expect(rig.oracle.violations).toEqual([
    {
      property: 'P1',
      anomaly: 'page returned while a live transaction of VM 1 names it',
      eventIndex: 14,
      timeNs: 0,
      facts: { frame, pages: 2, owner: 7, vm: 1, handle: '0x0000000000000055' },
      repeats: 0,
    },
  ]);
});

test('P1: the same pages stay until MEM_RECLAIM succeeds', () => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 2], 0x55);
  rig.die(1, 7, [frame, 16], () => rig.smc(0, [MEM_RECLAIM, 0x55], refused(DENIED)));
  expect(rig.machine.frames.references(frame)).toBe(1);
  rig.smc(0, [MEM_RECLAIM, 0x55], OK);
  rig.unpin([frame, 2]);
  rig.oracle.quiet();
  expect(rig.found).toEqual([]);
  expect(rig.machine.frames.references(frame)).toBe(0);
});

test('P1: a page is returned while a partition holds it', () => {
  const rig = new Rig({ off: ['P2', 'P5'] });
  rig.partition(SP);
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 4], 0x55);
  rig.retrieve(SP, frame + 1, 2);
  rig.reclaim(1, [frame, 4], 0x55);
  expect(rig.oracle.pagesHeldBy(SP)).toBe(2);
  rig.die(1, 7, [frame, 16]);
  expect(rig.found).toEqual([
    {
      property: 'P1',
      anomaly: 'page returned while SP 0x8001 holds it',
      facts: { frame: frame + 1, pages: 2, owner: 7 },
    },
  ]);
});

test('P1: the same page is returned after the partition relinquished it', () => {
  const rig = new Rig();
  rig.partition(SP);
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 4], 0x55);
  rig.retrieve(SP, frame, 4);
  rig.relinquish(SP, frame, 4);
  expect(rig.oracle.pagesHeldBy(SP)).toBe(0);
  rig.reclaim(1, [frame, 4], 0x55);
  rig.die(1, 7, [frame, 16]);
  rig.oracle.quiet();
  expect(rig.found).toEqual([]);
});

test('P1: a large linear map of a partition counts, page by page', () => {
  const rig = new Rig({ off: ['P2'] });
  const stage2 = rig.partition(SP);
  const frame = rig.guest(1, 7, 600);
  stage2.addRegion(0, frame, 600, 3);
  rig.unpin([frame + 10, 3]);
  expect(rig.found).toEqual([
    {
      property: 'P1',
      anomaly: 'page returned while SP 0x8001 holds it',
      facts: { frame: frame + 10, pages: 3, owner: 7 },
    },
  ]);
});

test('P1: DMA runs on a page that is returned; not once it has ended', () => {
  const rig = new Rig({ off: ['P2'] });
  const frame = rig.guest(1, 7);
  rig.emit(EVENT_DMA_START, 0, SP, frame + 2, 4);
  rig.emit(EVENT_DMA_START, 0, SP, frame + 8, 1);
  rig.emit(EVENT_DMA_END, 0, SP, frame + 8, 1);
  rig.die(1, 7, [frame, 16]);
  expect(rig.found).toEqual([
    {
      property: 'P1',
      anomaly: 'page returned while DMA of SP 0x8001 is under way on it',
      facts: { frame: frame + 2, pages: 4, owner: 7 },
    },
  ]);
});

/** RXTX_MAP as a hypervisor forwards it: endpoint, offsets of both composites, one page each. */
function forwardBuffers(rig: Rig, vm: number, rx: number, tx: number, answer: readonly number[]): void {
  const bytes = new Uint8Array(80);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, vm, true);
  for (const [n, frame] of [rx, tx].entries()) {
    const at = 16 + 32 * n;
    view.setUint32(4 + 4 * n, at, true);
    view.setUint32(at, 1, true);
    view.setUint32(at + 4, 1, true);
    view.setUint32(at + 16, frame * 4096, true);
    view.setUint32(at + 24, 1, true);
  }
  rig.machine.frames.contents.write(TX * 4096, bytes, 0, 80);
  rig.smc(vm, [RXTX_MAP], answer);
}

test('P1: a buffer that the SPMC still maps is returned; not after RXTX_UNMAP', () => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  forwardBuffers(rig, 1, frame, frame + 1, OK);
  forwardBuffers(rig, 2, frame + 4, frame + 5, refused(DENIED));
  rig.unpin([frame, 1]);
  rig.smc(0, [RXTX_UNMAP, 1 << 16], OK);
  rig.unpin([frame + 1, 15]);
  expect(rig.found).toEqual([
    {
      property: 'P1',
      anomaly: 'page returned while the SPMC maps it as a buffer of VM 1',
      facts: { frame, pages: 1, owner: 7, vm: 1 },
    },
  ]);
});

const UNCLEAR: readonly (readonly [name: string, answer: readonly number[], keeps: boolean])[] = [
  ['an unknown function id', [0x84000099], true],
  ['a handle of all ones', [SUCCESS, 0, 0xffffffff, 0xffffffff], true],
  ['a handle that the hypervisor would have issued', [SUCCESS, 0, 1, 0x80000000], true],
  ['FRAG_RX to a complete descriptor', [FRAG_RX, 3, 0, 96], true],
  ['FFA_ERROR with a code that does not exist', [ERROR, 0, 0xffffff00], true],
  ['FFA_ERROR ABORTED', [ERROR, 0, ABORTED], false],
  ['FFA_ERROR DENIED', [ERROR, 0, DENIED], false],
  ['the unknown function of SMCCC', [0xffffffff], false],
];

test.each(UNCLEAR)('P1, P1b: after %s the pages stay: %j %s', (_name, answer, keeps) => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  rig.machine.frames.getRange(frame, 1, 7);
  const length = rig.describe({ sender: 1, ranges: [frame, 1] });
  rig.smc(1, [MEM_SHARE, length, length], answer);
  expect(rig.oracle.unknownTransactions.length).toBe(keeps ? 1 : 0);
  rig.unpin([frame, 1]);
  rig.die(1, 7, [frame, 16]);
  const handle = 'none';
  expect(rig.found).toEqual(
    keeps
      ? [
          {
            property: 'P1b',
            anomaly: 'page unpinned while a transaction of VM 1 names it',
            facts: { frame, references: 1, needed: 2, vm: 1, handle },
          },
          {
            property: 'P1',
            anomaly: 'page returned while a transaction of VM 1 with unknown outcome names it',
            facts: { frame, pages: 1, owner: 7, vm: 1, handle },
          },
        ]
      : [],
  );
});

test('P1, P1b: a profile may be known to return the pages of an unknown outcome', () => {
  const rig = new Rig({ relax: ['unknown-outcome-released'] });
  const frame = rig.guest(1, 7);
  rig.send({ sender: 1, ranges: [frame, 1] }, [0x84000099]);
  rig.unpin([frame, 1]);
  rig.die(1, 7, [frame, 16]);
  expect(rig.found).toEqual([]);
});

test('P1b: a transaction leaves without a pin', () => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  rig.machine.frames.getRange(frame, 1, 7);
  const length = rig.describe({ sender: 1, ranges: [frame, 2] });
  rig.smc(1, [MEM_SHARE, length, length], [SUCCESS, 0, 9]);
  expect(rig.found).toEqual([
    {
      property: 'P1b',
      anomaly: 'page without a pin when a transaction of VM 1 leaves for the SPMC',
      facts: { frame: frame + 1, references: 1, needed: 2, vm: 1, handle: 'none' },
    },
  ]);
});

test('P1b: each of two transactions of one page needs a pin', () => {
  const rig = new Rig({ off: ['P3'] });
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 1], 1);
  rig.share(1, [frame, 1], 2);
  rig.reclaim(1, [frame, 1], 1);
  expect(rig.found).toEqual([]);
  rig.unpin([frame, 1]);
  expect(rig.found).toEqual([
    {
      property: 'P1b',
      anomaly: 'page unpinned while a transaction of VM 1 names it',
      facts: { frame, references: 1, needed: 2, vm: 1, handle: '0x0000000000000002' },
    },
  ]);
});

test('P1b: between two fragments the pages of the first stay pinned', () => {
  const rig = new Rig({ off: ['P3'] });
  const frame = rig.guest(1, 7);
  rig.machine.frames.getRange(frame, 2, 7);
  const first = rig.describe({ sender: 1, ranges: [frame, 1], constituents: 2, pages: 2 });
  rig.smc(1, [MEM_SHARE, first + 16, first], [FRAG_RX, 5, 0, first, 1 << 16]);
  expect(rig.anomalies).toEqual([]);
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(0, (frame + 1) * 4096, true);
  bytes[8] = 1;
  rig.machine.frames.contents.write(TX * 4096, bytes, 0, 16);
  rig.smc(1, [FRAG_TX, 5, 0, 16, 1 << 16], [SUCCESS, 0, 5, 0]);
  expect(rig.oracle.liveTransactions.map(({ ranges, handle, pageCount }) => ({ ranges, handle, pageCount }))).toEqual([
    { ranges: [frame, 2], handle: '0x0000000000000005', pageCount: 2 },
  ]);
  rig.unpin([frame + 1, 1]);
  expect(rig.anomalies).toEqual(['P1b: page unpinned while a transaction of VM 1 names it']);
});

test('P1b: a guest killed between two fragments leaves pages that must stay', () => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  rig.machine.frames.getRange(frame, 1, 7);
  const first = rig.describe({ sender: 1, ranges: [frame, 1], constituents: 2, pages: 2 });
  rig.smc(1, [MEM_SHARE, first + 16, first], [FRAG_RX, 5, 0, first, 1 << 16]);
  rig.die(1, 7, [frame, 16], () => rig.unpin([frame, 1]));
  expect(rig.anomalies).toEqual([
    'P1b: page unpinned while a transaction of VM 1 names it',
    'P1: page returned while a transaction of VM 1 that names it is on its way',
  ]);
});

test('P1b: a share that was preempted is live when FFA_RUN brings its answer', () => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  rig.machine.frames.getRange(frame, 1, 7);
  const length = rig.describe({ sender: 1, ranges: [frame, 1] });
  rig.smc(1, [MEM_SHARE, length, length], [INTERRUPT, SP << 16]);
  expect(rig.oracle.liveTransactions).toEqual([]);
  rig.smc(0, [RUN, SP * 0x10000], [INTERRUPT, SP * 0x10000]);
  rig.smc(0, [RUN, SP * 0x10000], [SUCCESS, 0, 3]);
  expect(rig.oracle.liveTransactions.map(({ handle }) => handle)).toEqual(['0x0000000000000003']);
  expect(rig.anomalies).toEqual([]);
});
