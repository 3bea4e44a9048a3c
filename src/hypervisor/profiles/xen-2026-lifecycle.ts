// Creation and death of a domain in `xen-2026`: buffers and notifications of the VM are known to the SPMC too, the
// context lives until the domain is gone, and a failed creation is not undone. [Xen ffa.c]

import { FFA_NOT_SUPPORTED, FFA_OK } from '../../abi/errors.ts';
import {
  FFA_MEM_RECLAIM,
  FFA_NOTIFICATION_BITMAP_CREATE,
  FFA_NOTIFICATION_BITMAP_DESTROY,
  FFA_RX_ACQUIRE,
} from '../../abi/function-ids.ts';
import type { Coroutine } from '../../base/coroutine.ts';
import type { Pe } from '../../hardware/pe.ts';
import type { Timer } from '../../hardware/time.ts';
import { type Domain, TEE_FFA, TEE_NONE } from '../domain.ts';
import { FfaContext } from '../ffa-context.ts';
import type { Hypervisor } from '../hypervisor.ts';
import type { Lifecycle } from '../profile.ts';
import { dropBuffers, releaseRx, unmapAtSpmc } from '../rx-tx-buffers.ts';
import { reclaimFromSpmc, reclaimShares } from '../share-teardown.ts';
import { callSimply } from '../spmc-answer.ts';
import { TeardownQueue } from '../teardown-queue.ts';
import { tellCreated, tellDestroyed } from '../vm-availability.ts';
import { EINVAL, EIO, ENODEV, ENOMEM, ERANGE } from './errno.ts';

export class Xen2026Lifecycle implements Lifecycle {
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
    if (!(yield* tellCreated(hypervisor, pe, context))) return EIO;
    if (hypervisor.secure.scheduleReceiverInterrupt < 0) return 0;
    const code = yield* callSimply(
      hypervisor.secure,
      pe,
      context.vmId,
      FFA_NOTIFICATION_BITMAP_CREATE,
      context.vmId,
      domain.config.vcpuCount,
    );
    return code === FFA_OK ? 0 : ENOMEM;
  }

  /** The context is freed before the teardown looks for it, so nothing is undone. */
  // biome-ignore lint/correctness/useYield: other lifecycles have something to undo here.
  *creationFailed(_hypervisor: Hypervisor, _pe: Pe, domain: Domain): Coroutine {
    domain.ffa = null;
  }

  *domainTeardown(hypervisor: Hypervisor, pe: Pe, domain: Domain): Coroutine {
    const context = domain.ffa;
    if (context === null) return;
    if (hypervisor.vmsSeeVms) {
      yield* hypervisor.vmList.lock.acquire(pe);
      hypervisor.vmList.leave(context);
      hypervisor.vmList.lock.release(pe);
    }
    yield* unmapBuffersAtDeath(hypervisor, pe, context);
    if (hypervisor.secure.scheduleReceiverInterrupt >= 0) {
      yield* callSimply(hypervisor.secure, pe, context.vmId, FFA_NOTIFICATION_BITMAP_DESTROY, context.vmId);
    }
    yield* this.queue.begin(hypervisor, pe, context);
  }

  domainGone(): void {
    // Messages that are still owed go on by the queue's timer; the context names no more of the domain than its VM id.
  }

  timerFired(hypervisor: Hypervisor, pe: Pe, _timer: Timer): Coroutine {
    return this.queue.fired(hypervisor, pe);
  }
}

/**
 * RX goes back to the SPMC if the guest owned it; then both buffers, whatever it answered to that. When the SPMC
 * refuses to unmap them the pages stay pinned for good.
 */
function* unmapBuffersAtDeath(hypervisor: Hypervisor, pe: Pe, context: FfaContext): Coroutine {
  if (context.buffersMapped && !context.rxFree) yield* releaseRx(hypervisor, pe, context);
  yield* context.rxLock.acquire(pe);
  yield* context.txLock.acquire(pe);
  if (context.buffersMapped) yield* unmapWhoeverOwnsRx(hypervisor, pe, context);
  context.txLock.release(pe);
  context.rxLock.release(pe);
}

function* unmapWhoeverOwnsRx(hypervisor: Hypervisor, pe: Pe, context: FfaContext): Coroutine {
  const atSpmc = hypervisor.secure.has(FFA_RX_ACQUIRE);
  if (atSpmc && (yield* unmapAtSpmc(hypervisor, pe, context)) !== FFA_OK) return;
  dropBuffers(hypervisor, context);
}

/** Messages first, then memory. What was lost for good still counts, so such a context never finishes. */
function* round(hypervisor: Hypervisor, pe: Pe, context: FfaContext): Coroutine<boolean> {
  const told = yield* tellDestroyed(hypervisor, pe, context);
  yield* reclaimShares(hypervisor, pe, context, reclaimIfSupported);
  return told && context.shareCount === 0;
}

function* reclaimIfSupported(
  hypervisor: Hypervisor,
  pe: Pe,
  context: FfaContext,
  handleLow: number,
  handleHigh: number,
): Coroutine<number> {
  if (!hypervisor.secure.has(FFA_MEM_RECLAIM)) return FFA_NOT_SUPPORTED;
  return yield* reclaimFromSpmc(hypervisor, pe, context, handleLow, handleHigh);
}
