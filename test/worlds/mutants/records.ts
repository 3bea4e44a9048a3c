// The default profile's records, quarantine and limits with something taken out.

import { type Coroutine, WAIT_STEP } from '../../../src/base/coroutine.ts';
import type { Pe } from '../../../src/hardware/pe.ts';
import type { Hypervisor } from '../../../src/hypervisor/hypervisor.ts';
import type { Owed } from '../../../src/hypervisor/owed.ts';
import { FFABRIC } from '../../../src/hypervisor/profiles/ffabric.ts';
import type { QuarantineEntry } from '../../../src/hypervisor/quarantine.ts';
import { type QuarantineRetry, RecordLifecycle } from '../../../src/hypervisor/record-lifecycle.ts';
import { TeardownWorker } from '../../../src/hypervisor/teardown-worker.ts';
import { lifecycle, type Mutant, profile } from './mutant.ts';

class Undone extends RecordLifecycle {
  override *creationFailed(): Coroutine {}
}

class Trusting extends RecordLifecycle {
  override *retryQuarantine(_hypervisor: Hypervisor, _pe: Pe, entry: QuarantineEntry): Coroutine<QuarantineRetry> {
    yield WAIT_STEP;
    this.quarantine.release(entry);
    return 'released';
  }
}

class Unbounded extends RecordLifecycle {
  protected override worker(hypervisor: Hypervisor): TeardownWorker {
    return new TeardownWorker(hypervisor, this, Number.POSITIVE_INFINITY);
  }
}

class Deaf extends TeardownWorker {
  protected override isPreempted(): boolean {
    return false;
  }

  protected override treatment(_item: Owed): 'done' {
    return 'done';
  }
}

class NeverRuns extends RecordLifecycle {
  protected override worker(hypervisor: Hypervisor, smcs: number): TeardownWorker {
    return new Deaf(hypervisor, this, smcs);
  }
}

/** Ids are free as soon as their domain is gone. */
function withoutRetaining(hypervisor: Hypervisor): RecordLifecycle {
  Object.assign(hypervisor.domains, { retain: () => undefined, unretain: () => undefined });
  return new RecordLifecycle(hypervisor);
}

/** Quarantine that gives back what it is given. */
function withoutQuarantine(hypervisor: Hypervisor): RecordLifecycle {
  const made = new RecordLifecycle(hypervisor);
  const { quarantine } = made;
  const add = quarantine.add.bind(quarantine);
  quarantine.add = (entry) => {
    const whole = add(entry);
    quarantine.release(whole);
    return whole;
  };
  return made;
}

const manyShares = {
  ...profile({ limits: { ...FFABRIC.limits, sharesPerGuest: 99 } }),
  oracle: { sharesPerGuestMax: 32 },
};

export const RECORD_MUTANTS: readonly Mutant[] = [
  { world: 'creation-refused-half-way', takesOut: 'undoing', fires: 'P6', parts: lifecycle((h) => new Undone(h)) },
  {
    world: 'quarantine-retried-by-operator',
    takesOut: 'asking',
    fires: 'P1',
    parts: lifecycle((h) => new Trusting(h)),
  },
  {
    world: 'thousand-die-at-once',
    takesOut: 'the bound on SMCs',
    fires: 'P12',
    parts: lifecycle((h) => new Unbounded(h)),
  },
  {
    world: 'destroyed-answered-interrupted',
    takesOut: 'FFA_RUN',
    fires: 'P6',
    parts: lifecycle((h) => new NeverRuns(h)),
  },
  { world: 'vm-id-reused', takesOut: 'keeping the id', fires: 'P15', parts: lifecycle(withoutRetaining) },
  { world: 'share-outcome-unknown', takesOut: 'quarantine', fires: 'P1', parts: lifecycle(withoutQuarantine) },
  { world: 'share-limit', takesOut: 'the limit', fires: 'P19', parts: manyShares },
];
