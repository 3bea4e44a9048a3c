// Teardown with parts taken out of what it owes.

import type { Coroutine } from '../../../src/base/coroutine.ts';
import { WITHOUT_TEARDOWN } from '../../../src/cli/world/without-teardown.ts';
import type { Pe } from '../../../src/hardware/pe.ts';
import type { Domain } from '../../../src/hypervisor/domain.ts';
import type { FfaContext } from '../../../src/hypervisor/ffa-context.ts';
import type { Hypervisor } from '../../../src/hypervisor/hypervisor.ts';
import { RecordLifecycle } from '../../../src/hypervisor/record-lifecycle.ts';
import { lifecycle, type Mutant, profile } from './mutant.ts';

type Forget = (context: FfaContext, hypervisor: Hypervisor) => void;

/** Teardown that first forgets something. */
function forgetting(forget: Forget) {
  return lifecycle((hypervisor) => new Forgetful(hypervisor, forget));
}

class Forgetful extends RecordLifecycle {
  private readonly forget: Forget;

  constructor(hypervisor: Hypervisor, forget: Forget) {
    super(hypervisor);
    this.forget = forget;
  }

  override *domainTeardown(hypervisor: Hypervisor, pe: Pe, domain: Domain): Coroutine {
    if (domain.ffa !== null) this.forget(domain.ffa, hypervisor);
    yield* super.domainTeardown(hypervisor, pe, domain);
  }
}

const noFragments = forgetting(({ partial }, hypervisor) => {
  for (const { runCount, runs } of partial.splice(0).map(({ share }) => share)) {
    for (let n = 0; n < runCount; n++) hypervisor.machine.frames.putRange(runs[2 * n], runs[2 * n + 1]);
  }
});
const noRunOut = forgetting((context) => {
  context.unfinished.length = 0;
});
const noRelinquish = forgetting((context) => {
  context.borrowed.length = 0;
});
const noBitmap = forgetting((context) => {
  context.bitmapAtSpmc = false;
});

export const TEARDOWN_MUTANTS: readonly Mutant[] = [
  {
    world: 'destroyed-while-held',
    takesOut: 'teardown',
    fires: 'P1',
    parts: profile({ lifecycle: WITHOUT_TEARDOWN.lifecycle }),
  },
  { world: 'killed-between-fragments', takesOut: 'the end of half a send', fires: 'P1b', parts: noFragments },
  {
    world: 'killed-while-partition-is-preempted',
    takesOut: 'running a dead request out',
    fires: 'P12',
    parts: noRunOut,
  },
  { world: 'dies-as-borrower', takesOut: 'relinquishing for the dead', fires: 'P5', parts: noRelinquish },
  { world: 'notifications', takesOut: 'destroying the bitmap', fires: 'P15', parts: noBitmap },
];
