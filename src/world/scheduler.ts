// The scheduler of a world: which PE goes on next, and when time moves. A task is one PE with one coroutine. In a plain
// run the first ready task in turn goes on until it stands still; an explorer decides at each step through the choice
// stack.
//
// Time moves only when no task is ready: to the next timer, sleeper, or planned action. A PE that the secure world keeps
// longer than a time slice gets an interrupt, as the hypervisor's own tick would give it.

import { assert } from '../base/assert.ts';
import {
  type Coroutine,
  WAIT_LOCK,
  WAIT_POLITE,
  WAIT_STEP,
  WAIT_TIME,
  WAIT_WAKE,
  type Wait,
} from '../base/coroutine.ts';
import type { Nanoseconds } from '../base/units.ts';
import type { Machine } from '../hardware/machine.ts';
import type { Pe } from '../hardware/pe.ts';

/** Site of the scheduler's choices. */
export const SITE_SCHEDULE = 1;
const NEVER = Number.POSITIVE_INFINITY;

export class Task {
  readonly pe: Pe;
  readonly name: string;
  readonly coroutine: Coroutine;
  wait: Wait = WAIT_STEP;
  /** Whether the PE is in the secure world now: its tick interrupts what runs there. */
  inSecureWorld = false;
  /** When its time slice in the secure world ends. */
  sliceEndNs: Nanoseconds = NEVER;
  done = false;

  constructor(pe: Pe, name: string, coroutine: Coroutine) {
    this.pe = pe;
    this.name = name;
    this.coroutine = coroutine;
  }
}

export class Scheduler {
  readonly machine: Machine;
  readonly tasks: Task[] = [];
  /** The task whose step runs now. */
  current: Task | null = null;
  /** Steps so far. */
  stepCount = 0;
  private readonly timeSliceNs: Nanoseconds;
  private turn = 0;

  constructor(machine: Machine, timeSliceNs: Nanoseconds) {
    this.machine = machine;
    this.timeSliceNs = timeSliceNs;
  }

  /** Starts a coroutine on a PE that executes nothing else. */
  start(pe: Pe, name: string, coroutine: Coroutine): Task {
    const task = new Task(pe, name, coroutine);
    this.tasks.push(task);
    return task;
  }

  busy(pe: Pe): boolean {
    for (const task of this.tasks) if (task.pe === pe) return true;
    return false;
  }

  /** Whether the task could go on now. */
  ready(task: Task): boolean {
    const { pe } = task;
    switch (task.wait) {
      case WAIT_LOCK:
        return pe.waitLock === null || pe.waitLock.holder === null;
      case WAIT_TIME:
        return this.machine.time.nowNs >= pe.wakeNs || (task.inSecureWorld && pe.interruptPending);
      case WAIT_WAKE:
        return pe.awake;
      default:
        return true;
    }
  }

  /** Lets one ready task go on by one step; false when none is ready. */
  step(): boolean {
    const task = this.pick();
    if (task === null) return false;
    this.stepCount++;
    this.current = task;
    const { value, done } = task.coroutine.next();
    this.current = null;
    if (done === true) {
      task.done = true;
      assert(task.pe.heldCount === 0, `${task.name} ends with a lock held`);
      this.tasks.splice(this.tasks.indexOf(task), 1);
    } else {
      task.wait = value as Wait;
    }
    return true;
  }

  /** When a task wants to go on next, if time alone is what it waits for. */
  nextWakeNs(): Nanoseconds {
    let next = NEVER;
    for (const task of this.tasks) {
      if (task.wait !== WAIT_TIME) continue;
      const { wakeNs } = task.pe;
      next = Math.min(next, wakeNs, task.inSecureWorld ? task.sliceEndNs : NEVER);
    }
    return next;
  }

  /** After time has moved: interrupts what has used up its slice. */
  tick(): void {
    const { nowNs } = this.machine.time;
    for (const task of this.tasks) {
      if (!task.inSecureWorld || task.wait !== WAIT_TIME || nowNs < task.sliceEndNs) continue;
      task.sliceEndNs = nowNs + this.timeSliceNs;
      if (nowNs < task.pe.wakeNs) task.pe.interruptPending = true;
    }
  }

  /** The running task's PE goes into the secure world, or comes out of it. */
  secureWorld(pe: Pe, inside: boolean): void {
    for (const task of this.tasks) {
      if (task.pe !== pe) continue;
      task.inSecureWorld = inside;
      task.sliceEndNs = inside ? this.machine.time.nowNs + this.timeSliceNs : NEVER;
    }
  }

  private pick(): Task | null {
    const ready: Task[] = [];
    const count = this.tasks.length;
    let polite: Task | null = null;
    for (let n = 0; n < count; n++) {
      const task = this.tasks[(this.turn + n) % count];
      if (!this.ready(task)) continue;
      if (task.wait === WAIT_POLITE) polite ??= task;
      else ready.push(task);
    }
    if (ready.length === 0) return polite;
    const task = ready[this.machine.choices.choose(ready.length, SITE_SCHEDULE)];
    this.turn = this.tasks.indexOf(task);
    return task;
  }
}
