// Time that goes on early (`explore.early`): a mistake that needs it is found by every strategy, only with it; its
// schedule shrinks and replays; and the world as it is holds.

import { describe, expect, it } from 'vitest';
import type { StrategyName } from '../../src/explore/plan.ts';
import { replay } from '../../src/explore/replay.ts';
import { parseSchedule, printSchedule } from '../../src/explore/schedule.ts';
import { explore } from '../../src/explore/search.ts';
import type { Hypervisor } from '../../src/hypervisor/hypervisor.ts';
import type { Profile } from '../../src/hypervisor/profile.ts';
import { FFABRIC } from '../../src/hypervisor/profiles/ffabric.ts';
import { PROFILES } from '../../src/hypervisor/profiles/profile-table.ts';
import { RecordLifecycle } from '../../src/hypervisor/record-lifecycle.ts';
import { loadWorld } from '../../src/scenario/load-world.ts';
import type { WorldDescription } from '../../src/world/description.ts';
import type { WorldParts } from '../../src/world/world-parts.ts';

/** A teardown that does not know of shares under way: a handle that was issued anew strikes somebody else's share. */
class Careless extends RecordLifecycle {
  constructor(hypervisor: Hypervisor) {
    super(hypervisor);
    Object.defineProperty(this, 'sharesInFlight', { get: () => 0, set: () => {}, enumerable: true });
  }
}

const CARELESS: Profile = { ...FFABRIC, name: 'careless', lifecycle: (hypervisor) => new Careless(hypervisor) };
const PARTS: WorldParts = { profiles: new Map([...PROFILES, [CARELESS.name, CARELESS]]) };

/**
 * The answer to the reclaim of g1's share is lost, so the teardown asks again 100 ms later. g2 shares at the same time
 * as g1 dies, and gets the handle that g1's share had.
 */
function world(profile: string, early: number): WorldDescription {
  const text = `
story: a retry of a teardown meets a share
memory: {pages: 1024}
partitions:
  - {name: crypto, id: 0x8001, program: holder}
guests:
  - name: g1
    pages: 32
    script: [version, map, share: {name: a, to: crypto, pages: 1}]
  - name: g2
    pages: 32
    script:
      - version
      - map
      - until: {time: 1s}
      - share: {name: b, to: crypto, pages: 1, expect: any}
timeline: [{at: 1s, destroy: g1}]
faults:
  - {call: MEM_RECLAIM, guest: g1, answer: GARBAGE, reaches: true}
explore: {from: 1s, early: ${early}}
`;
  return { ...loadWorld(text, 'early.yaml'), profile };
}

describe('time that goes on early', () => {
  for (const strategy of ['dpor', 'delay', 'portfolio'] as StrategyName[]) {
    it(`shows by ${strategy} what a retry does in the middle of a share`, () => {
      const description = world('careless', 1);
      const { finding, original } = explore(description, PARTS, { strategy, executions: 4000 });
      if (finding === null || original === null) throw new Error('nothing was found');
      expect(finding.property).toBe('P11');
      expect(finding.anomaly).toBe('the teardown of VM 2 reclaims what VM 3 shares');
      expect(finding.steps).toBeLessThanOrEqual(original.steps);
      const schedule = printSchedule(finding);
      const again = replay(description, PARTS, parseSchedule(schedule));
      expect(again.misfits).toBe(0);
      expect(again.steps).toBe(finding.steps);
      expect(again.finding?.anomaly).toBe(finding.anomaly);
    });
  }

  it('is what that needs: the same world holds over everything when time waits for everybody', () => {
    const { bounds, finding } = explore(world('careless', 0), PARTS, { strategy: 'dpor' });
    expect(finding).toBe(null);
    expect(bounds).toBe('every schedule, up to the order of independent steps, with up to 0 faults');
  });
});
