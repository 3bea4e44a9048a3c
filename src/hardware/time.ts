// Virtual time and its timers. Time moves only when the world (or a replay) moves it; timers fire in the order of their
// expiry, equal ones in the order in which they were armed.

import { assert } from '../base/assert.ts';
import type { EventLog } from '../base/event-log.ts';
import { EVENT_TIMER_ARM, EVENT_TIMER_STOP } from '../base/event-kinds.ts';
import type { Nanoseconds } from '../base/units.ts';

export class Timer {
  readonly id: number;
  readonly name: string;
  /** When it fires; meaningless unless `armed`. */
  expiryNs: Nanoseconds = 0;
  armed = false;
  /** Order among equal expiries. */
  sequence = 0;
  /** Place in the heap. */
  slot = -1;

  constructor(id: number, name: string) {
    this.id = id;
    this.name = name;
  }
}

export class VirtualTime {
  private readonly events: EventLog;
  private heap: Timer[] = [];
  private sequence = 0;
  private timerCount = 0;
  private now: Nanoseconds = 0;

  constructor(events: EventLog) {
    this.events = events;
  }

  get nowNs(): Nanoseconds {
    return this.now;
  }

  /** Moves on to `nowNs`; never back. */
  advanceTo(nowNs: Nanoseconds): void {
    if (nowNs <= this.now) return;
    this.now = nowNs;
    this.events.nowNs = nowNs;
  }

  timer(name: string): Timer {
    return new Timer(++this.timerCount, name);
  }

  /** Arms, or moves, a timer. An expiry in the past fires at once when time is next looked at. */
  arm(timer: Timer, expiryNs: Nanoseconds): void {
    if (timer.armed) this.remove(timer);
    timer.armed = true;
    timer.expiryNs = expiryNs;
    timer.sequence = ++this.sequence;
    timer.slot = this.heap.length;
    this.heap.push(timer);
    this.up(timer.slot);
    if (this.events.on) this.events.emit(EVENT_TIMER_ARM, 0, timer.id, expiryNs);
  }

  stop(timer: Timer): void {
    if (!timer.armed) return;
    this.remove(timer);
    if (this.events.on) this.events.emit(EVENT_TIMER_STOP, 0, timer.id);
  }

  /** The timer that fires next, or null. */
  get next(): Timer | null {
    return this.heap.length === 0 ? null : this.heap[0];
  }

  /** Takes the next timer out, disarmed, if it expires at or before `untilNs`. */
  takeDue(untilNs: Nanoseconds): Timer | null {
    const first = this.next;
    if (first === null || first.expiryNs > untilNs) return null;
    this.remove(first);
    return first;
  }

  reset(): void {
    for (const timer of this.heap) timer.armed = false;
    this.heap = [];
    this.sequence = 0;
    this.now = 0;
  }

  private remove(timer: Timer): void {
    const slot = timer.slot;
    assert(this.heap[slot] === timer, 'an armed timer is in the heap');
    const last = this.heap.pop() as Timer;
    if (last !== timer) {
      this.heap[slot] = last;
      last.slot = slot;
      this.up(slot);
      this.down(last.slot);
    }
    timer.armed = false;
    timer.slot = -1;
  }

  private up(from: number): void {
    let slot = from;
    while (slot > 0) {
      const parent = (slot - 1) >> 1;
      if (!before(this.heap[slot], this.heap[parent])) return;
      this.swap(slot, parent);
      slot = parent;
    }
  }

  private down(from: number): void {
    let slot = from;
    for (;;) {
      const left = 2 * slot + 1;
      if (left >= this.heap.length) return;
      const right = left + 1;
      const least = right < this.heap.length && before(this.heap[right], this.heap[left]) ? right : left;
      if (!before(this.heap[least], this.heap[slot])) return;
      this.swap(slot, least);
      slot = least;
    }
  }

  private swap(a: number, b: number): void {
    const timer = this.heap[a];
    this.heap[a] = this.heap[b];
    this.heap[b] = timer;
    this.heap[a].slot = a;
    this.heap[b].slot = b;
  }
}

function before(a: Timer, b: Timer): boolean {
  return a.expiryNs < b.expiryNs || (a.expiryNs === b.expiryNs && a.sequence < b.sequence);
}
