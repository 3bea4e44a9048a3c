// The schedule-receiver interrupt in the default profile: whom the SPMC lists has something to fetch. A VM is told by
// its own interrupt, as in Xen; a partition that waits is given a PE (FFA_RUN) until it waits again, as its scheduler
// would.
//
// A partition that stands still in the middle of something is left to whoever will run it on. Bound: RUNS_MAX FFA_RUNs
// of one partition at a time; one that needs longer goes on with the next tick.

import { isSecureEndpoint } from '../abi/endpoint-ids.ts';
import { FFA_INTERRUPT, FFA_RUN, FFA_YIELD } from '../abi/function-ids.ts';
import type { Coroutine } from '../base/coroutine.ts';
import { NS_PER_MS } from '../base/units.ts';
import type { Pe } from '../hardware/pe.ts';
import type { Timer } from '../hardware/time.ts';
import type { Hypervisor } from './hypervisor.ts';
import { listWhoIsNotified, notify } from './notifications.ts';
import { prepareCall } from './spmc-answer.ts';

/** FFA_RUNs of one partition before others have their turn. */
const RUNS_MAX = 16;
/** When a partition that was not finished is run on. */
const TICK_NS = 10 * NS_PER_MS;

export class PartitionSchedule {
  /** Partition vCPUs (w1 of FFA_RUN) that were given a PE and have not waited again, first come first. */
  readonly unfinished: number[] = [];
  private readonly timer: Timer;

  constructor(hypervisor: Hypervisor) {
    this.timer = hypervisor.machine.time.timer('partition schedule');
  }

  /** Whether the timer is this one's; if so its work is `goOn`. */
  owns(timer: Timer): boolean {
    return timer === this.timer;
  }

  /** The interrupt: asks who has something to fetch, and tells or runs each. */
  *interrupt(hypervisor: Hypervisor, pe: Pe): Coroutine {
    const partitions: number[] = [];
    yield* listWhoIsNotified(hypervisor, pe, (id) => {
      if (!isSecureEndpoint(id)) notify(hypervisor, id);
      else if (!partitions.includes(id)) partitions.push(id);
    });
    for (const id of partitions) {
      const target = targetOf(hypervisor, pe, id);
      if (target !== 0 && !this.unfinished.includes(target)) yield* this.start(hypervisor, pe, target);
    }
    this.arm(hypervisor);
  }

  /** Runs on what has not finished. */
  *goOn(hypervisor: Hypervisor, pe: Pe): Coroutine {
    for (const target of this.unfinished.splice(0)) {
      prepareCall(pe, FFA_RUN, target);
      const pending = hypervisor.secure.call(pe, 0);
      if (pending !== null) yield* pending;
      yield* this.finish(hypervisor, pe);
    }
    this.arm(hypervisor);
  }

  private *start(hypervisor: Hypervisor, pe: Pe, target: number): Coroutine {
    if (yield* hypervisor.secure.runFree(pe, 0, target)) yield* this.finish(hypervisor, pe);
  }

  /** The answer to an FFA_RUN is in `pe.smc`: runs what it left, a few times. */
  private *finish(hypervisor: Hypervisor, pe: Pe): Coroutine {
    const { smc } = pe;
    for (let runs = 1; smc.w(0) === FFA_INTERRUPT || smc.w(0) === FFA_YIELD; runs++) {
      // The interrupt is the hypervisor's, which takes it now.
      pe.interruptPending = false;
      const target = smc.w(1);
      if (runs >= RUNS_MAX) {
        this.unfinished.push(target);
        return;
      }
      prepareCall(pe, FFA_RUN, target);
      const pending = hypervisor.secure.call(pe, 0);
      if (pending !== null) yield* pending;
    }
  }

  private arm(hypervisor: Hypervisor): void {
    const { time } = hypervisor.machine;
    if (this.unfinished.length > 0 && !this.timer.armed) time.arm(this.timer, time.nowNs + TICK_NS);
  }
}

/** The partition's vCPU for this PE, as w1 of FFA_RUN has it; 0 for a partition that is not known. */
function targetOf(hypervisor: Hypervisor, pe: Pe, id: number): number {
  const known = hypervisor.secure.partitions.find((partition) => partition.id === id);
  if (known === undefined) return 0;
  const vcpu = known.contextCount > 1 ? pe.index % known.contextCount : 0;
  return ((id << 16) | vcpu) >>> 0;
}
