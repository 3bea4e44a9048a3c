// Virtual time and its timers. Time moves only when the world (or a replay) moves it; timers fire in the order of their
// expiry, equal ones in the order in which they were armed.

import { type Deadline, DeadlineQueue } from '../base/deadline-queue.ts';
import { EVENT_TIMER_ARM, EVENT_TIMER_STOP } from '../base/event-kinds.ts';
import type { EventLog } from '../base/event-log.ts';
import type { Nanoseconds } from '../base/units.ts';

export class Timer implements Deadline {
  readonly id: number;
  readonly name: string;
  deadlineNs: Nanoseconds = 0;
  sequence = 0;
  slot = -1;

  constructor(id: number, name: string) {
    this.id = id;
    this.name = name;
  }

  get armed(): boolean {
    return this.slot >= 0;
  }

  /** When it fires; meaningless unless `armed`. */
  get expiryNs(): Nanoseconds {
    return this.deadlineNs;
  }
}

export class VirtualTime {
  private readonly events: EventLog;
  private readonly queue = new DeadlineQueue<Timer>();
  /** Names of all timers, by id. */
  readonly timerNames: string[] = [''];
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
    this.timerNames.push(name);
    return new Timer(this.timerNames.length - 1, name);
  }

  /** Arms, or moves, a timer. An expiry in the past fires at once when time is next looked at. */
  arm(timer: Timer, expiryNs: Nanoseconds): void {
    if (timer.armed) this.queue.remove(timer);
    this.queue.add(timer, expiryNs);
    if (this.events.on) this.events.emit(EVENT_TIMER_ARM, this.events.currentPe, timer.id, expiryNs);
  }

  stop(timer: Timer): void {
    if (!timer.armed) return;
    this.queue.remove(timer);
    if (this.events.on) this.events.emit(EVENT_TIMER_STOP, this.events.currentPe, timer.id);
  }

  /** The timer that fires next, or null. */
  get next(): Timer | null {
    return this.queue.first;
  }

  /** Takes the next timer out, disarmed, if it expires at or before `untilNs`. */
  takeDue(untilNs: Nanoseconds): Timer | null {
    return this.queue.takeDue(untilNs);
  }

  reset(): void {
    this.queue.clear();
    this.now = 0;
  }
}
