import { expect, test } from 'vitest';
import { MEM_SHARE, Rig, SUCCESS } from './rig.ts';

/** A guest's share that pins `pinned` and names `named` to the SPMC. */
function share(rig: Rig, pinned: readonly number[], named: readonly number[], pages?: number): void {
  const { frames } = rig.machine;
  rig.call(1, [MEM_SHARE, 96, 96], [SUCCESS, 0, 5], () => {
    for (let n = 0; n < pinned.length; n += 2) frames.getRange(pinned[n], pinned[n + 1], 7);
    const length = rig.describe({ sender: 1, ranges: named, ...(pages === undefined ? {} : { pages }) });
    rig.smc(1, [MEM_SHARE, length, length], [SUCCESS, 0, 5]);
  });
}

const OFF = ['P1b', 'P3', 'P8'];

test('P10: what is pinned is what is named, merged or not, in whatever order', () => {
  for (const [pinned, named] of [
    [
      [0, 3],
      [0, 3],
    ],
    [
      [0, 1, 1, 1, 2, 1],
      [0, 3],
    ],
    [
      [4, 1, 0, 2],
      [0, 2, 4, 1],
    ],
  ]) {
    const rig = new Rig();
    const frame = rig.guest(1, 7);
    const at = (list: readonly number[]): number[] => list.map((value, n) => (n % 2 === 0 ? frame + value : value));
    share(rig, at(pinned), at(named));
    expect(rig.found).toEqual([]);
  }
});

test('P10: a page is named that was not pinned', () => {
  const rig = new Rig({ off: OFF });
  const frame = rig.guest(1, 7);
  share(rig, [frame, 3], [frame, 2, frame + 9, 1]);
  expect(rig.found).toEqual([
    {
      property: 'P10',
      anomaly: 'VM 1 names a page to the SPMC that this call did not pin',
      facts: { vm: 1, frame: frame + 9, pages: 3, pinned: 3 },
    },
  ]);
});

test('P10: more is pinned than named', () => {
  const rig = new Rig({ off: OFF });
  const frame = rig.guest(1, 7);
  share(rig, [frame, 3], [frame, 2]);
  expect(rig.found).toEqual([
    {
      property: 'P10',
      anomaly: 'a call of VM 1 pinned pages that it does not name to the SPMC',
      facts: { vm: 1, pages: 2, pinned: 3 },
    },
  ]);
});

test('P10: the header announces other pages than are named', () => {
  const rig = new Rig({ off: OFF });
  const frame = rig.guest(1, 7);
  share(rig, [frame, 2], [frame, 2], 3);
  expect(rig.found).toEqual([
    {
      property: 'P10',
      anomaly: 'descriptor of VM 1 names other pages than it announces',
      facts: { vm: 1, pages: 2, announced: 3 },
    },
  ]);
});
