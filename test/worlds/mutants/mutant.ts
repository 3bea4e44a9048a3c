// A mutant: one component of a world with the code taken out that the world is about. At most 30 lines each.

import type { OwnCall, ReplyClass, Treatment } from '../../../src/hypervisor/answer-table.ts';
import type { Hypervisor } from '../../../src/hypervisor/hypervisor.ts';
import type { Owed } from '../../../src/hypervisor/owed.ts';
import type { Handler, Profile } from '../../../src/hypervisor/profile.ts';
import { FFABRIC } from '../../../src/hypervisor/profiles/ffabric.ts';
import { RecordLifecycle } from '../../../src/hypervisor/record-lifecycle.ts';
import { TeardownWorker } from '../../../src/hypervisor/teardown-worker.ts';
import type { WorldParts } from '../../../src/world/world-parts.ts';

export interface Mutant {
  /** The world whose story it breaks. */
  readonly world: string;
  /** What is taken out. */
  readonly takesOut: string;
  /** The property that must notice. */
  readonly fires: string;
  readonly parts: WorldParts;
}

/** The default profile, changed. */
export function profile(change: Partial<Profile>): WorldParts {
  return { profiles: new Map([[FFABRIC.name, { ...FFABRIC, ...change }]]) };
}

/** The default profile with another lifecycle. */
export function lifecycle(make: (hypervisor: Hypervisor) => RecordLifecycle): WorldParts {
  return profile({ lifecycle: make });
}

/** The default profile in which one cell of the answer table says something else. */
export function cell(reply: ReplyClass, call: OwnCall, treatment: Treatment): WorldParts {
  class Worker extends TeardownWorker {
    protected override treatment(item: Owed, given: ReplyClass): Treatment {
      return item.call === call && given === reply ? treatment : super.treatment(item, given);
    }
  }
  class Lifecycle extends RecordLifecycle {
    protected override worker(hypervisor: Hypervisor, smcs: number): TeardownWorker {
      return new Worker(hypervisor, this, smcs);
    }
  }
  return lifecycle((hypervisor) => new Lifecycle(hypervisor));
}

/** The default profile with another handler for a call, both forms. */
export function handler(functionId: number, make: (handlers: readonly (Handler | null)[]) => Handler): WorldParts {
  const change = (handlers: readonly (Handler | null)[]) => handlers.with(functionId & 0xff, make(handlers));
  return profile({ handlers32: change(FFABRIC.handlers32), handlers64: change(FFABRIC.handlers64) });
}
