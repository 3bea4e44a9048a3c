// Xen's queue of teardowns that are not complete: one FIFO, one timer for its head, one second. Each firing works on
// one context: popped from the head, appended again when something is left. [Xen 7356bb5e47]
//
// The timer belongs to the head: it is armed when a context is appended, and when one is finished in a firing and
// others wait. A context that is finished at its first try leaves the timer alone. An overdue head arms it in the past,
// so that all overdue contexts are worked on back to back. There is no end to it for a context that never finishes.

import { TOUCH_TIMER } from '../base/announcement.ts';
import { assert } from '../base/assert.ts';
import type { Coroutine } from '../base/coroutine.ts';
import {
  EVENT_TEARDOWN_BEGIN,
  EVENT_TEARDOWN_END,
  EVENT_TEARDOWN_ROUND,
  EVENT_TEARDOWN_WAIT,
} from '../base/event-kinds.ts';
import type { Nanoseconds } from '../base/units.ts';
import type { Lock } from '../hardware/lock.ts';
import type { Machine } from '../hardware/machine.ts';
import type { Pe } from '../hardware/pe.ts';
import type { Timer } from '../hardware/time.ts';
import type { FfaContext } from './ffa-context.ts';
import type { Hypervisor } from './hypervisor.ts';
import { RANK_TEARDOWN } from './lock-order.ts';

/** One attempt to end what a dead guest left. True: nothing is left. */
export type TeardownRound = (hypervisor: Hypervisor, pe: Pe, context: FfaContext) => Coroutine<boolean>;

interface Unfinished {
  readonly context: FfaContext;
  /** When it is tried again, at the earliest. */
  expiryNs: Nanoseconds;
  rounds: number;
}

export class TeardownQueue {
  /** In the order in which they are tried. */
  readonly unfinished: Unfinished[] = [];
  readonly timer: Timer;
  private readonly machine: Machine;
  private readonly lock: Lock;
  private readonly round: TeardownRound;

  constructor(machine: Machine, round: TeardownRound) {
    this.machine = machine;
    this.round = round;
    this.lock = machine.lock(RANK_TEARDOWN);
    this.timer = machine.time.timer('teardown');
  }

  /** The first try, when the guest is destroyed. */
  *begin(hypervisor: Hypervisor, pe: Pe, context: FfaContext): Coroutine {
    const { events } = this.machine;
    if (events.on) {
      const { domain, shares } = context;
      let pages = 0;
      for (const share of shares) pages += share.pageCount;
      events.emit(
        EVENT_TEARDOWN_BEGIN,
        pe.index,
        context.vmId,
        domain.serial,
        shares.length,
        messagesOwed(context),
        pages,
      );
    }
    yield* this.proceed(hypervisor, pe, { context, expiryNs: 0, rounds: 0 }, true);
  }

  /** The timer fired: the head is tried again. */
  *fired(hypervisor: Hypervisor, pe: Pe): Coroutine {
    yield* this.lock.acquire(pe);
    const head = this.unfinished.shift();
    this.lock.release(pe);
    assert(head !== undefined, 'the teardown timer is armed only for a head');
    yield* this.proceed(hypervisor, pe, head, false);
  }

  private *proceed(hypervisor: Hypervisor, pe: Pe, entry: Unfinished, first: boolean): Coroutine {
    const { events, time } = this.machine;
    const { context } = entry;
    entry.rounds++;
    if (events.on) {
      events.emit(
        EVENT_TEARDOWN_ROUND,
        pe.index,
        context.vmId,
        entry.rounds,
        context.shares.length,
        messagesOwed(context),
      );
    }
    const finished = yield* this.round(hypervisor, pe, context);
    yield* this.lock.acquire(pe);
    if (!finished) {
      entry.expiryNs = time.nowNs + hypervisor.limits.retryNs;
      this.unfinished.push(entry);
    }
    const next = finished && first ? null : (this.unfinished[0] ?? null);
    // The head may leave the queue before the timer is armed for it: only this copy of its time is used.
    const expiryNs = next === null ? 0 : next.expiryNs;
    this.lock.release(pe);
    if (events.on) {
      if (finished) events.emit(EVENT_TEARDOWN_END, pe.index, context.vmId, entry.rounds, 0);
      else {
        events.emit(
          EVENT_TEARDOWN_WAIT,
          pe.index,
          context.vmId,
          entry.expiryNs,
          context.shares.length,
          messagesOwed(context),
        );
      }
    }
    if (next === null) return;
    if (pe.stepping) yield pe.writes(TOUCH_TIMER, this.timer.id);
    time.arm(this.timer, expiryNs);
  }
}

function messagesOwed(context: FfaContext): number {
  const owed = context.owesDestroyed;
  if (owed === null) return 0;
  let count = 0;
  for (let n = 0; n < owed.length; n++) count += owed[n];
  return count;
}
