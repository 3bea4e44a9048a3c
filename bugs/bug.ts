// A bug of the museum: one that was made and fixed in a real hypervisor, SPMC or partition, put back as one small
// override of one component (overrides.ts); or one of our own making (`upstream: null`), so that each promise has
// something that breaks it.

import type { WorldParts } from '../src/world/world-parts.ts';

/** Where a bug was, and what fixed it. */
export interface Upstream {
  readonly project: 'Xen' | 'Hafnium' | 'TF-A' | 'OP-TEE' | 'pKVM' | 'Linux';
  /** The commit that fixed it, or another public id. */
  readonly fixedBy: string;
  /** When that was written: YYYY-MM-DD. */
  readonly date: string;
}

/** `race`: it takes two PEs. `lifecycle`: it takes a creation or a death. */
export type BugKind = 'race' | 'lifecycle' | 'memory' | 'buffers' | 'messages' | 'notifications' | 'abi' | 'limits';

export interface Bug {
  /** Letters, digits and hyphens; unique. */
  readonly id: string;
  /** Null: ours, and nobody's history. */
  readonly upstream: Upstream | null;
  readonly title: string;
  /** What it broke, in one sentence. */
  readonly broke: string;
  readonly kind: BugKind;
  /** The world that exposes it: a path below worlds/ or bugs/worlds/, without its ending. */
  readonly world: string;
  /** The property of the oracle that notices. */
  readonly property: string;
  /** The component put wrong. Called anew for each world, as what it returns may keep state. */
  mutate(): WorldParts;
}
