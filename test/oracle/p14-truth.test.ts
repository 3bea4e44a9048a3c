import { expect, test } from 'vitest';
import {
  type Descriptor,
  MEM_LEND,
  MEM_RECLAIM,
  MEM_SHARE,
  OK,
  PARTITION_INFO_GET,
  Rig,
  RXTX_MAP,
  SP,
  SP2,
  SUCCESS,
  VERSION,
} from './rig.ts';

const HANDLE = '0x0000000000000005';

/** VM 1 with version 1.1 and buffers in its first two pages: TX, RX. */
function speaking(options = {}): { rig: Rig; frame: number } {
  const rig = new Rig(options);
  const frame = rig.guest(1, 7, 16, true);
  rig.call(1, [VERSION, 0x10001], [0x10001]);
  rig.call(1, [RXTX_MAP, 0x100000, 0x101000, 1], OK, () => rig.machine.frames.getRange(frame, 2, 7));
  return { rig, frame };
}

/** The guest asks for `asked` (in guest frames), the hypervisor sends `sent` (in frames). */
function share(rig: Rig, tx: number, asked: Descriptor, sent: Descriptor, race = false, fid = MEM_SHARE): void {
  const length = rig.describe(asked, tx);
  rig.call(1, [MEM_SHARE, length, length], [SUCCESS, 0, 5], () => {
    if (race) rig.describe({ ...asked, tag: 99 }, tx);
    rig.send(sent, [SUCCESS, 0, 5], fid);
  });
}

test('P14: what is asked for is what is made', () => {
  const { rig, frame } = speaking();
  const asked = { sender: 1, ranges: [0x104, 2, 0x108, 1], tag: 77, flags: 0 };
  share(rig, frame, asked, { ...asked, ranges: [frame + 4, 2, frame + 8, 1] });
  rig.oracle.quiet();
  expect(rig.found).toEqual([]);
});

const DIFFERENT: readonly (readonly [
  what: string,
  change: Partial<Descriptor>,
  asked: number | string,
  made: number | string,
])[] = [
  ['tag', { tag: 0 }, '0x000000000000004d', '0x0000000000000000'],
  ['flags', { flags: 2 }, 0, 2],
  ['borrowers', { receivers: [[SP2, 2]] }, '0x8001:2', '0x8002:2'],
  ['borrowers', { receivers: [[SP, 1]] }, '0x8001:2', '0x8001:1'],
];

test.each(DIFFERENT)('P14: another %s is made than asked for: %j', (what, change, asked, made) => {
  const { rig, frame } = speaking();
  const wish = { sender: 1, ranges: [0x104, 2], tag: 77 };
  share(rig, frame, wish, { ...wish, ranges: [frame + 4, 2], ...change });
  expect(rig.found).toEqual([
    {
      property: 'P14',
      anomaly: `the transaction of VM 1 has other ${what} than asked for`,
      facts: { vm: 1, handle: HANDLE, asked, made },
    },
  ]);
});

test('P14: other pages, or another type, are made than asked for', () => {
  const wish = { sender: 1, ranges: [0x104, 2] };
  for (const [ranges, asked, made] of [
    [[5, 2], 4, 5],
    [[4, 1, 6, 1], 5, 6],
  ] as const) {
    const { rig, frame } = speaking();
    const sent = ranges.map((value, n) => (n % 2 === 0 ? frame + value : value));
    share(rig, frame, wish, { sender: 1, ranges: sent });
    const facts = { vm: 1, handle: HANDLE, asked: frame + asked, made: frame + made };
    const anomaly = 'the transaction of VM 1 has other pages than asked for';
    expect(rig.found).toEqual([{ property: 'P14', anomaly, facts }]);
  }
  const fewer = speaking();
  share(fewer.rig, fewer.frame, wish, { sender: 1, ranges: [fewer.frame + 4, 1] });
  expect(fewer.rig.found.map(({ facts }) => facts)).toEqual([{ vm: 1, handle: HANDLE, asked: 2, made: 1 }]);
  const lent = speaking({ off: ['P2'] });
  share(lent.rig, lent.frame, wish, { sender: 1, ranges: [lent.frame + 4, 2] }, false, MEM_LEND);
  expect(lent.rig.found.map(({ facts }) => facts)).toEqual([{ vm: 1, handle: HANDLE, asked: 'share', made: 'lend' }]);
});

test('P14: a guest that rewrites its TX meanwhile asked for nothing in particular', () => {
  const { rig, frame } = speaking();
  const wish = { sender: 1, ranges: [0x104, 2], tag: 77 };
  share(rig, frame, wish, { ...wish, ranges: [frame + 4, 2], tag: 99 }, true);
  expect(rig.found).toEqual([]);
});

test('P14: a profile may drop tag and flags', () => {
  const { rig, frame } = speaking({ relax: ['tag-and-flags-dropped'] });
  const wish = { sender: 1, ranges: [0x104, 2], tag: 77, flags: 1 };
  share(rig, frame, wish, { ...wish, ranges: [frame + 4, 2], tag: 0, flags: 0 });
  expect(rig.found).toEqual([]);
});

test('P14: success without a transaction', () => {
  const anomaly = 'FFA_MEM_SHARE_32 of VM 1 succeeds without a transaction of that handle';
  const { rig, frame } = speaking();
  rig.call(1, [MEM_SHARE, 0, 0], [SUCCESS, 0, 0]);
  expect(rig.found).toEqual([{ property: 'P14', anomaly, facts: { vm: 1, handle: '0x0000000000000000' } }]);
  rig.call(1, [MEM_SHARE, 0, 0], [SUCCESS, 0, 6], () => {
    rig.send({ sender: 1, ranges: [frame + 4, 1] }, [SUCCESS, 0, 5]);
  });
  expect(rig.found.slice(1)).toEqual([{ property: 'P14', anomaly, facts: { vm: 1, handle: '0x0000000000000006' } }]);
});

test('P14: one success and two transactions', () => {
  const { rig, frame } = speaking();
  rig.call(1, [MEM_SHARE, 0, 0], [SUCCESS, 0, 6], () => {
    rig.send({ sender: 1, ranges: [frame + 4, 1] }, [SUCCESS, 0, 5]);
    rig.send({ sender: 1, ranges: [frame + 5, 1] }, [SUCCESS, 0, 6]);
  });
  expect(rig.found.filter(({ property }) => property === 'P14')).toEqual([
    {
      property: 'P14',
      anomaly: 'one FFA_MEM_SHARE_32 of VM 1 leaves more than one transaction',
      facts: { vm: 1, handle: '0x0000000000000006', live: 2 },
    },
  ]);
});

test('P14: a reclaim succeeds for the guest and not at the SPMC', () => {
  const { rig, frame } = speaking();
  rig.share(1, [frame + 4, 1], 5);
  rig.call(1, [MEM_RECLAIM, 5], OK);
  expect(rig.found).toEqual([
    {
      property: 'P14',
      anomaly: 'MEM_RECLAIM of VM 1 succeeds though its transaction has not ended',
      facts: { vm: 1, handle: HANDLE },
    },
  ]);
});

test('P14: a list names an endpoint twice; two UUIDs of one endpoint are two entries', () => {
  for (const uuid of [0, 1]) {
    const { rig, frame } = speaking();
    const bytes = new Uint8Array(72);
    const view = new DataView(bytes.buffer);
    for (const [n, id] of [SP, SP2, SP].entries()) view.setUint16(24 * n, id, true);
    view.setUint32(48 + 8, uuid, true);
    rig.call(1, [PARTITION_INFO_GET], [SUCCESS, 0, 3, 24], () => {
      rig.machine.frames.contents.write((frame + 1) * 4096, bytes, 0, 72);
    });
    expect(rig.found).toEqual(
      uuid === 1
        ? []
        : [
            {
              property: 'P14',
              anomaly: 'the list for VM 1 names an endpoint twice',
              facts: { vm: 1, endpoint: SP, entries: 3 },
            },
          ],
    );
  }
});
