// The scheduler of a world: which PE goes on next, and when time moves. A task is one PE with one coroutine. In a plain
// run a task goes on until it stands still, then the one that has been ready longest; with `takesTurns` the ready tasks
// alternate step by step. An explorer decides at each step through the choice stack.
//
// Time moves only when no task is ready: to the next timer, sleeper, or planned action; an explorer may let it go on
// earlier (early-time.ts). A PE that the secure world
// keeps longer than a time slice gets an interrupt, as the hypervisor's own tick would give it.
//
// A step costs the same however many tasks sleep or wait: sleepers are in a heap, waiters are kept by lock, and whoever
// is woken says so.

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
import { type Deadline, DeadlineQueue } from '../base/deadline-queue.ts';
import type { Nanoseconds } from '../base/units.ts';
import type { Lock } from '../hardware/lock.ts';
import type { Machine } from '../hardware/machine.ts';
import type { Pe, Sleeper } from '../hardware/pe.ts';
import type { EarlyTime } from './early-time.ts';

/** Site of the scheduler's choices. */
export const SITE_SCHEDULE = 1;
const NEVER = Number.POSITIVE_INFINITY;
/** More PEs than there ever are. */
const PES_MAX = 2 ** 31;

/**
 * Decides which task goes on, through the choice stack: an explorer. It is shown the tasks that could, in the order of
 * the alternatives: the one that ran last first, then the others by their PE, as a round goes; `early.task` at the end.
 */
export interface Director {
  enabled(tasks: readonly Task[], count: number): void;
  /** A task exists from now on. */
  started(task: Task): void;
  /** A task that stood still can go on because of what the current one did. */
  enabledBy(task: Task): void;
}

export class Task implements Deadline {
  readonly pe: Pe;
  readonly name: string;
  coroutine: Coroutine;
  /**
   * Makes a coroutine that goes on as this task's would, as long as the task stands in its guest's own code; null: none
   * does. Lets an explorer go back to a state without running up to it again.
   */
  again: (() => Coroutine) | null = null;
  wait: Wait = WAIT_STEP;
  /** Whether the PE is in the secure world now: its tick interrupts what runs there. */
  inSecureWorld = false;
  /** When its time slice in the secure world ends. */
  sliceEndNs: Nanoseconds = NEVER;

  deadlineNs: Nanoseconds = 0;
  sequence = 0;
  slot = -1;

  constructor(pe: Pe, name: string, coroutine: Coroutine) {
    this.pe = pe;
    this.name = name;
    this.coroutine = coroutine;
  }
}

export class Scheduler implements Sleeper {
  readonly machine: Machine;
  /** Whether ready tasks alternate step by step: what a plain run does instead of an explorer's choices. */
  takesTurns = false;
  /** Who decides instead of this scheduler; null in a plain run. */
  director: Director | null = null;
  /** Time that may go on although tasks could; null: it never does. Only for a director. */
  early: EarlyTime | null = null;
  /** The task whose step runs now. */
  current: Task | null = null;
  /** Steps so far. */
  stepCount = 0;
  private readonly timeSliceNs: Nanoseconds;
  /** By the PE's index; a PE has one task at most. */
  private readonly byPe: (Task | undefined)[] = [];
  private readonly tasks = new Set<Task>();
  /** Ready now; the first is the one that ran last, unless tasks take turns. */
  private readonly ready: Task[] = [];
  private readonly polite: Task[] = [];
  private readonly lockWaiters = new Map<Lock, Task[]>();
  private readonly sleepers = new DeadlineQueue<Task>();
  /** For a director: what it is shown, and the PE whose step was the last. */
  private readonly candidates: Task[] = [];
  private lastPe = 0;

  constructor(machine: Machine, timeSliceNs: Nanoseconds) {
    this.machine = machine;
    this.timeSliceNs = timeSliceNs;
  }

  /** Starts a coroutine on a PE that executes nothing else. */
  start(pe: Pe, name: string, coroutine: Coroutine): Task {
    assert(this.byPe[pe.index] === undefined, 'a PE executes one task at a time');
    const task = new Task(pe, name, coroutine);
    pe.sleeper = this;
    this.byPe[pe.index] = task;
    this.tasks.add(task);
    this.ready.push(task);
    this.director?.started(task);
    return task;
  }

  busy(pe: Pe): boolean {
    return this.byPe[pe.index] !== undefined;
  }

  /** Tasks that have not ended. */
  get taskCount(): number {
    return this.tasks.size;
  }

  /** Tasks that have not ended, in the order of their start. */
  all(): IterableIterator<Task> {
    return this.tasks.values();
  }

  /** Tasks that could go on now; the polite ones only when nobody else could. */
  enabled(): Task[] {
    const list = [...this.ready];
    for (const [lock, tasks] of this.lockWaiters) if (lock.holder === null) list.push(...tasks);
    return list.length > 0 ? list : [...this.polite];
  }

  /** Lets one ready task go on by one step; false when none is ready. */
  step(): boolean {
    const task = this.pick();
    if (task === null) return false;
    this.stepCount++;
    if (this.early !== null && task === this.early.task) {
      this.early.pass();
      return true;
    }
    const { pe } = task;
    this.current = task;
    this.machine.events.currentPe = pe.index;
    this.lastPe = pe.index;
    const { value, done } = task.coroutine.next();
    this.current = null;
    if (done === true) this.end(task);
    else this.place(task, value as Wait);
    return true;
  }

  /** When a task wants to go on next, if time alone is what it waits for. */
  nextWakeNs(): Nanoseconds {
    return this.sleepers.first?.deadlineNs ?? NEVER;
  }

  /** After time has moved: wakes whose time has come, and interrupts what has used up its slice. */
  tick(): void {
    const { nowNs } = this.machine.time;
    for (;;) {
      const task = this.sleepers.takeDue(nowNs);
      if (task === null) return;
      if (nowNs < task.pe.wakeNs) {
        task.sliceEndNs = nowNs + this.timeSliceNs;
        task.pe.interruptPending = true;
      }
      this.ready.push(task);
    }
  }

  /** A non-secure interrupt at a PE: what runs there in the secure world is preempted at its next chance. */
  interrupt(pe: Pe): void {
    pe.interruptPending = true;
    if (this.byPe[pe.index]?.inSecureWorld === true) this.rouse(pe);
  }

  /** Whether a PE is in the secure world now. */
  isInSecureWorld(pe: Pe): boolean {
    return this.byPe[pe.index]?.inSecureWorld === true;
  }

  /** Ends a PE's sleep, if it sleeps. */
  rouse(pe: Pe): void {
    const task = this.byPe[pe.index];
    if (task === undefined || task.slot < 0) return;
    this.sleepers.remove(task);
    this.ready.push(task);
    this.director?.enabledBy(task);
  }

  /** Sleeper: a PE that may stand still has been woken. */
  woken(pe: Pe): void {
    const task = this.byPe[pe.index];
    if (task === undefined || task.wait !== WAIT_WAKE || task === this.current) return;
    task.wait = WAIT_STEP;
    this.ready.push(task);
    this.director?.enabledBy(task);
  }

  /** The running task's PE goes into the secure world, or comes out of it. */
  secureWorld(pe: Pe, inside: boolean): void {
    const task = this.byPe[pe.index];
    if (task === undefined) return;
    task.inSecureWorld = inside;
    // Back in the normal world, the hypervisor takes its interrupt.
    if (!inside) pe.interruptPending = false;
    task.sliceEndNs = inside ? this.machine.time.nowNs + this.timeSliceNs : NEVER;
  }

  /** The next task, at the head of `ready`; null when none could go on. */
  private pick(): Task | null {
    if (this.director !== null) return this.directed(this.director);
    let count = this.ready.length;
    if (this.lockWaiters.size > 0) {
      for (const [lock, tasks] of this.lockWaiters) if (lock.holder === null) count += tasks.length;
    }
    if (count === 0) {
      const polite = this.polite.shift();
      if (polite === undefined) return null;
      this.ready.push(polite);
      return polite;
    }
    let index = this.machine.choices.choose(count, SITE_SCHEDULE);
    if (index < this.ready.length) {
      const task = this.ready[index];
      if (index > 0) {
        this.ready.splice(index, 1);
        this.ready.unshift(task);
      }
      return task;
    }
    index -= this.ready.length;
    for (const [lock, tasks] of this.lockWaiters) {
      if (lock.holder !== null) continue;
      if (index >= tasks.length) {
        index -= tasks.length;
        continue;
      }
      const [task] = tasks.splice(index, 1);
      if (tasks.length === 0) this.lockWaiters.delete(lock);
      this.ready.unshift(task);
      return task;
    }
    return null;
  }

  /** The same, as a director wants it. */
  private directed(director: Director): Task | null {
    const count = this.gather();
    if (count === 0) return null;
    const { early, ready } = this;
    const isTimeOne = early?.possible === true;
    if (isTimeOne) this.candidates.push(early.task);
    const alternatives = isTimeOne ? count + 1 : count;
    director.enabled(this.candidates, alternatives);
    const task = this.candidates[this.machine.choices.choose(alternatives, SITE_SCHEDULE)];
    if (task === early?.task) return task;
    const at = ready.indexOf(task);
    if (at > 0) ready.splice(at, 1);
    if (at < 0) this.takeFromWaiters(task);
    if (at !== 0) ready.unshift(task);
    return task;
  }

  /** Puts the enabled tasks into `candidates` in a director's order; returns how many. */
  private gather(): number {
    const { candidates, ready } = this;
    let count = 0;
    for (let n = 0; n < ready.length; n++) candidates[count++] = ready[n];
    if (this.lockWaiters.size > 0) {
      for (const [lock, tasks] of this.lockWaiters) {
        if (lock.holder !== null) continue;
        for (let n = 0; n < tasks.length; n++) candidates[count++] = tasks[n];
      }
    }
    if (count === 0) for (let n = 0; n < this.polite.length; n++) candidates[count++] = this.polite[n];
    candidates.length = count;
    // An insertion sort: there are few.
    for (let n = 1; n < count; n++) {
      const task = candidates[n];
      const turn = this.turnOf(task);
      let at = n;
      for (; at > 0 && this.turnOf(candidates[at - 1]) > turn; at--) candidates[at] = candidates[at - 1];
      candidates[at] = task;
    }
    return count;
  }

  private turnOf(task: Task): number {
    const { index } = task.pe;
    return index >= this.lastPe ? index - this.lastPe : index + PES_MAX;
  }

  private takeFromWaiters(task: Task): void {
    const at = this.polite.indexOf(task);
    if (at >= 0) {
      this.polite.splice(at, 1);
      return;
    }
    for (const [lock, tasks] of this.lockWaiters) {
      const place = tasks.indexOf(task);
      if (place < 0) continue;
      tasks.splice(place, 1);
      if (tasks.length === 0) this.lockWaiters.delete(lock);
      return;
    }
  }

  /** The task has made its step and stands still for this reason. */
  private place(task: Task, wait: Wait): void {
    const { pe } = task;
    task.wait = wait;
    switch (wait) {
      case WAIT_LOCK:
        if (pe.waitLock === null) return;
        this.ready.shift();
        this.waitForLock(task, pe.waitLock);
        return;
      case WAIT_TIME:
        if (this.machine.time.nowNs >= pe.wakeNs || (task.inSecureWorld && pe.interruptPending)) break;
        this.ready.shift();
        this.sleepers.add(task, task.inSecureWorld ? Math.min(pe.wakeNs, task.sliceEndNs) : pe.wakeNs);
        return;
      case WAIT_WAKE:
        if (pe.awake) break;
        this.ready.shift();
        return;
      case WAIT_POLITE:
        this.ready.shift();
        this.polite.push(task);
        return;
      case WAIT_STEP:
        break;
    }
    if (this.takesTurns) this.ready.push(this.ready.shift() as Task);
  }

  private waitForLock(task: Task, lock: Lock): void {
    const waiters = this.lockWaiters.get(lock);
    if (waiters === undefined) this.lockWaiters.set(lock, [task]);
    else waiters.push(task);
  }

  private end(task: Task): void {
    assert(task.pe.heldCount === 0, `${task.name} ends with a lock held`);
    this.ready.shift();
    this.tasks.delete(task);
    this.byPe[task.pe.index] = undefined;
  }
}
