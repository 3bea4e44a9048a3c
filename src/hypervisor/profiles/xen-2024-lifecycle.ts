// Creation and death of a domain in `xen-2024`: the patch itself. Its steps, and what a reader of its text misses, are
// in docs/reclaim.md. [Xen 7356bb5e47]

import type { Coroutine } from '../../base/coroutine.ts';
import type { Pe } from '../../hardware/pe.ts';
import type { Timer } from '../../hardware/time.ts';
import { type Domain, TEE_FFA, TEE_NONE } from '../domain.ts';
import { FfaContext } from '../ffa-context.ts';
import type { Hypervisor } from '../hypervisor.ts';
import type { Lifecycle } from '../profile.ts';
import { dropBuffers } from '../rx-tx-buffers.ts';
import { reclaimFromSpmc, reclaimShares } from '../share-teardown.ts';
import { TeardownQueue } from '../teardown-queue.ts';
import { tellCreated, tellDestroyed } from '../vm-availability.ts';
import { EINVAL, EIO, ENODEV, ERANGE } from './errno.ts';

export class Xen2024Lifecycle implements Lifecycle {
  readonly queue: TeardownQueue;

  constructor(hypervisor: Hypervisor) {
    this.queue = new TeardownQueue(hypervisor.machine, round);
  }

  *domainInit(hypervisor: Hypervisor, pe: Pe, domain: Domain): Coroutine<number> {
    if (domain.config.tee === TEE_NONE) return 0;
    if (domain.config.tee !== TEE_FFA) return EINVAL;
    if (!hypervisor.secure.usable) return ENODEV;
    if (domain.vmId > hypervisor.limits.vmIdMax) return ERANGE;
    const context = new FfaContext(hypervisor.machine, domain);
    domain.ffa = context;
    return (yield* tellCreated(hypervisor, pe, context)) ? 0 : EIO;
  }

  /** Undone by the teardown; what that leaves stays queued although the domain is freed at once. */
  *creationFailed(hypervisor: Hypervisor, pe: Pe, domain: Domain): Coroutine {
    yield* this.domainTeardown(hypervisor, pe, domain);
  }

  *domainTeardown(hypervisor: Hypervisor, pe: Pe, domain: Domain): Coroutine {
    const context = domain.ffa;
    if (context === null) return;
    if (context.buffersMapped) dropBuffers(hypervisor, context);
    yield* this.queue.begin(hypervisor, pe, context);
  }

  domainGone(): void {
    // A context that still waits in the queue outlives its domain; it names no more of it than its VM id.
  }

  timerFired(hypervisor: Hypervisor, pe: Pe, _timer: Timer): Coroutine {
    return this.queue.fired(hypervisor, pe);
  }
}

/** Messages first, then memory. What was lost for good still counts, so such a context never finishes. */
function* round(hypervisor: Hypervisor, pe: Pe, context: FfaContext): Coroutine<boolean> {
  const told = yield* tellDestroyed(hypervisor, pe, context);
  yield* reclaimShares(hypervisor, pe, context, reclaimFromSpmc);
  return told && context.shareCount === 0;
}
