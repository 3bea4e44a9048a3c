// A guest shares memory with a partition and is destroyed while the partition still holds it. Every page must come
// back, and none before the partition has let go of it. Run it with `npx vitest run` where `ffabric` is installed.

import { must, service } from 'ffabric/partitions';
import { createWorld } from 'ffabric/world';
import { expect, test } from 'vitest';

const RETRY = -7;

test('pages come back when the partition lets go, not before', () => {
  // It answers VM_DESTROYED with RETRY until three seconds have passed, then gives back what it holds.
  const crypto = service({
    *message(ffa, { sender, words: [handleLow, handleHigh] }) {
      const retrieved = yield* ffa.retrieve({ owner: sender, handleLow, handleHigh });
      return [retrieved.outcome];
    },
    *vmDestroyed(ffa, vmId) {
      if (ffa.nowNs < 3e9) return RETRY;
      const held = [...ffa.endpoint.regions.values()].filter(({ owner }) => owner === vmId);
      for (const region of held) must(yield* ffa.relinquish(region));
      return 0;
    },
  });
  const world = createWorld({
    partitions: [{ name: 'crypto', program: crypto }],
    guests: [
      {
        name: 'g1',
        *task(ffa) {
          const [partition] = must(yield* ffa.probe());
          const { handleLow, handleHigh } = must(yield* ffa.share({ to: partition.id, pages: 4 }));
          must(yield* ffa.request(partition.id, [handleLow, handleHigh]));
        },
      },
    ],
    timeline: [{ atNs: 1e9, do: 'destroy', guest: 'g1' }],
  });
  const { violations, guests } = world.run();
  expect(violations).toEqual([]);
  expect(guests[0]).toMatchObject({ state: 'gone', pages: { total: 256, returned: 256, held: 0 } });
  expect(guests[0].goneNs).toBeGreaterThanOrEqual(3e9);
});
