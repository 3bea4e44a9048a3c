// A spinlock. Held by a PE; a waiting PE's coroutine stands still until it is free. The order in which locks may nest
// is written down in lock-order.ts of the component that owns them and checked by the explorer.
//
//     if (pe.stepping || !lock.tryAcquire(pe)) yield* lock.acquire(pe);
//     ...
//     lock.release(pe);

import { TOUCH_LOCK } from '../base/announcement.ts';
import { assert } from '../base/assert.ts';
import type { Coroutine } from '../base/coroutine.ts';
import { EVENT_LOCK, EVENT_UNLOCK } from '../base/event-kinds.ts';
import type { EventLog } from '../base/event-log.ts';
import type { Pe } from './pe.ts';

export class Lock {
  /** Unique in its machine; also its id in announcements. */
  readonly id: number;
  /** Rank in the lock order: a PE takes locks in rising rank. */
  readonly rank: number;
  holder: Pe | null = null;
  private readonly events: EventLog | null;

  constructor(id: number, rank: number, events: EventLog | null = null) {
    this.id = id;
    this.rank = rank;
    this.events = events;
  }

  /** Takes the lock if it is free. */
  tryAcquire(pe: Pe): boolean {
    if (this.holder !== null) return false;
    this.take(pe);
    return true;
  }

  /** Waits for the lock and takes it. */
  *acquire(pe: Pe): Coroutine {
    assert(this.holder !== pe, 'a PE waits for a lock that it holds');
    if (pe.stepping) {
      const step = pe.writes(TOUCH_LOCK, this.id);
      yield pe.patient ? pe.waitFor(this) : step;
    }
    while (this.holder !== null) {
      pe.writes(TOUCH_LOCK, this.id);
      yield pe.waitFor(this);
    }
    this.take(pe);
  }

  release(pe: Pe): void {
    assert(this.holder === pe, 'a lock is released by its holder');
    this.holder = null;
    const top = --pe.heldCount;
    if (pe.held[top] !== this) this.takeOut(pe, top);
    if (this.events?.on) this.events.emit(EVENT_UNLOCK, pe.index, this.id, this.rank);
  }

  /** Locks that were taken after this one move up. */
  private takeOut(pe: Pe, top: number): void {
    let at = top;
    while (pe.held[at] !== this) at--;
    for (; at < top; at++) pe.held[at] = pe.held[at + 1];
  }

  private take(pe: Pe): void {
    this.holder = pe;
    pe.held[pe.heldCount++] = this;
    if (this.events?.on) this.events.emit(EVENT_LOCK, pe.index, this.id, this.rank);
  }
}
