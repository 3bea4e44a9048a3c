// Worlds for the tests of the explorer, and a mutant: the default profile without its teardown.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WITHOUT_TEARDOWN } from '../../src/cli/world/without-teardown.ts';
import { PROFILES } from '../../src/hypervisor/profiles/profile-table.ts';
import { loadWorld } from '../../src/scenario/load-world.ts';
import type { WorldDescription } from '../../src/world/description.ts';
import type { WorldParts } from '../../src/world/world-parts.ts';

const FOLDER = join(import.meta.dirname, '..', '..', 'worlds', 'explore');

export function exploredWorld(name: string): WorldDescription {
  return loadWorld(readFileSync(join(FOLDER, `${name}.yaml`), 'utf8'), `${name}.yaml`);
}

/** Parts for a world whose profile is `without-teardown`. */
export const MUTANT: WorldParts = { profiles: new Map([...PROFILES, [WITHOUT_TEARDOWN.name, WITHOUT_TEARDOWN]]) };

/** One guest whose vCPUs wake at 1 s and then do these steps; `timeline`: YAML. */
export function smallWorld(vcpus: readonly (readonly string[])[], timeline = '[]'): WorldDescription {
  const lists = vcpus.map((steps, index) => {
    const all = [...(index === 0 ? ['version', 'map'] : []), 'until: {time: 1s}', ...steps];
    return `      - - ${all.join('\n        - ')}`;
  });
  const text = `
story: PEs that meet
memory: {pages: 1024}
partitions:
  - {name: crypto, id: 0x8001, program: holder}
guests:
  - name: g1
    pages: 32
    vcpus:
${lists.join('\n')}
timeline: ${timeline}
explore: {from: 1s}
`;
  return loadWorld(text, 'small.yaml');
}
