import { expect, test } from 'vitest';
import { Rig } from './rig.ts';

test('P19: more transactions than the limit', () => {
  const rig = new Rig({ sharesPerGuestMax: 2 });
  const frame = rig.guest(1, 7);
  const other = rig.guest(2, 8);
  rig.share(1, [frame, 1], 1);
  rig.share(1, [frame + 1, 1], 2);
  rig.share(2, [other, 1], 3);
  rig.reclaim(1, [frame, 1], 1);
  rig.share(1, [frame + 2, 1], 4);
  expect(rig.found).toEqual([]);
  rig.share(1, [frame + 3, 1], 5);
  expect(rig.found).toEqual([
    {
      property: 'P19',
      anomaly: 'VM 1 has more transactions than its limit',
      facts: { vm: 1, transactions: 3, limit: 2 },
    },
  ]);
});

test('P19: more pages than the limit', () => {
  const rig = new Rig({ pinnedPagesPerGuestMax: 4 });
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 4], 1);
  expect(rig.found).toEqual([]);
  rig.share(1, [frame + 8, 1], 2);
  expect(rig.found).toEqual([
    { property: 'P19', anomaly: 'VM 1 has more pages pinned than its limit', facts: { vm: 1, pages: 5, limit: 4 } },
  ]);
});

test('P19: without limits nothing is judged', () => {
  const rig = new Rig();
  const frame = rig.guest(1, 7);
  for (let n = 0; n < 8; n++) rig.share(1, [frame + n, 1], n + 1);
  expect(rig.found).toEqual([]);
});

test('P19: more transactions than the host may have, or than is left beside what is reserved', () => {
  const rig = new Rig({ sharesPerHostMax: 4, sharesReserved: 2, sharesAssured: 1 });
  const frame = rig.guest(1, 7);
  const other = rig.guest(2, 8);
  rig.share(1, [frame, 1], 1);
  rig.share(1, [frame + 1, 1], 2);
  rig.share(2, [other, 1], 3);
  expect(rig.found).toEqual([]);
  rig.share(1, [frame + 2, 1], 4);
  rig.share(2, [other + 1, 1], 5);
  expect(rig.found.map(({ property, anomaly }) => [property, anomaly])).toEqual([
    ['P19', 'VM 1 takes what is reserved for guests with few transactions'],
    ['P19', 'the host has more transactions than its limit'],
  ]);
});

test('P19: a borrower in more transactions than its share', () => {
  const rig = new Rig({ sharesPerBorrowerMax: 1 });
  const frame = rig.guest(1, 7);
  rig.share(1, [frame, 1], 1);
  rig.reclaim(1, [frame, 1], 1);
  rig.share(1, [frame, 1], 2);
  expect(rig.found).toEqual([]);
  rig.share(1, [frame + 1, 1], 3);
  expect(rig.found.map(({ property, anomaly }) => [property, anomaly])).toEqual([
    ['P19', 'SP 0x8001 is a borrower of more than its share'],
  ]);
});
