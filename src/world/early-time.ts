// Time that goes on early: while exploring, so often as the world allows, time may move to the next event (a timer, a
// sleeper's end, the end of a transfer, a planned action) although a PE could still go on. To a director it is one more
// task, behind all PEs, whose step moves time. So it is part of a schedule, and the first alternative is never it.
//
// Limits: it moves to the next event only, never past it; a PE that could go on is then late, by no more than that.

import { ACCESS_WRITE, TOUCH_EVERYTHING } from '../base/announcement.ts';
import { type Coroutine, WAIT_STEP } from '../base/coroutine.ts';
import type { Nanoseconds } from '../base/units.ts';
import type { Machine } from '../hardware/machine.ts';
import { Pe } from '../hardware/pe.ts';
import { Task } from './scheduler.ts';

/** Whatever moves time. */
interface Clock {
  readonly machine: Machine;
  readonly description: { readonly untilNs: Nanoseconds };
  /** When the next event is; infinite when there is none. */
  nextTimeNs(): Nanoseconds;
  /** Moves to `toNs`, and does what is due then. */
  passTime(toNs: Nanoseconds): void;
}

export class EarlyTime {
  /** How often it may still go on early. */
  left = 0;
  /** What stands for it among the tasks; its PE is none of the machine's. */
  readonly task: Task;
  private readonly clock: Clock;

  constructor(clock: Clock, peIndex: number) {
    this.clock = clock;
    this.task = new Task(new Pe(peIndex), 'time', nothing());
  }

  /** Whether it may now. */
  get possible(): boolean {
    if (this.left === 0) return false;
    const next = this.clock.nextTimeNs();
    return next < Number.POSITIVE_INFINITY && next <= this.clock.description.untilNs;
  }

  /** Goes on. No step of a PE can change places with this one: it touches everything. */
  pass(): void {
    this.left--;
    this.clock.machine.touches?.touch(TOUCH_EVERYTHING, 0, ACCESS_WRITE);
    this.clock.passTime(this.clock.nextTimeNs());
  }
}

function* nothing(): Coroutine {
  yield WAIT_STEP;
}
