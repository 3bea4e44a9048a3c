// Dynamic partial-order reduction with source sets and sleep sets: of all schedules that differ only in the order of
// independent steps, at least one is executed, and few more. Abdulla, Aronis, Jonsson, Sagonas, "Source sets: a
// foundation for optimal dynamic partial order reduction" (JACM 2017), their algorithm "Source-DPOR"; sleep sets are
// Godefroid's.
//
// How it differs:
//
// - Which steps depend on each other comes from what they touched when they were executed (footprint.ts), not from what
//   they might have. A PE's next step from a state touches the same whenever it is executed after independent ones, so
//   a sleep set keeps what the step touched when it was tried.
// - A step can ask for data (does a fault strike?). All its values are tried; in sleep sets the step stands for all.
// - Release of a lock and its acquisition by another are ordered, but cannot be swapped: the race is between the two
//   acquisitions.
// - When time moves, everything before is ordered before everything after: it moves only when nobody can go on.
// - As long as time may go on early, which conflicts with every step, all that can go on is tried: a race with time
//   that moved because nobody could go on is not seen. Sleep sets alone reduce there.
//
// No wakeup trees: an execution may find at its end that all it could still do is in its sleep set, and is cut.
//
// Limits: 24 PEs.

import { assert } from '../../base/assert.ts';
import type { VirtualTime } from '../../hardware/time.ts';
import type { EarlyTime } from '../../world/early-time.ts';
import type { Task } from '../../world/scheduler.ts';
import type { World } from '../../world/world.ts';
import { dependent, type Footprint, type StepTouches, union } from '../footprint.ts';
import type { Strategy } from '../strategy.ts';

const PES_MAX = 24;

/** One step of the path, and what is known of the state before it. */
interface Node {
  /** PEs whose task could go on; those that must be tried from here. As bits. */
  enabled: number;
  backtrack: number;
  /** PEs that need not be tried from here, as bits, and what their step touches. */
  asleep: number;
  readonly sleepers: (StepTouches | null)[];
  /** The PE that goes on. */
  pe: number;
  /** Ids of locks that it holds before. */
  held: readonly number[];
  /** Values and bounds of the data that the step asks for. */
  readonly values: number[];
  readonly bounds: number[];
  /** What the step touched, and that in all executions of it so far. */
  touches: StepTouches | null;
  tried: StepTouches | null;
  /** Its own number among its PE's steps, from 1; what happened before it, and with it. */
  local: number;
  clock: Int32Array;
  /** All PEs' clocks before the step. */
  clocksBefore: Int32Array;
}

export class Dpor implements Strategy {
  readonly name = 'dpor';
  /** Set when all that could go on is asleep: the execution is ended here. */
  abandoned = false;
  /** Executions that were ended so. */
  cutCount = 0;
  private readonly footprint: Footprint;
  private readonly time: VirtualTime;
  private readonly early: EarlyTime | null;
  private readonly path: Node[] = [];
  /** Nodes that are off the path, for use again. */
  private readonly spare: Node[] = [];
  /** Steps per object on the path: indices into it, rising. */
  private readonly accesses: number[][] = [];
  /** Steps on the path that count as touching everything. */
  private readonly everything: number[] = [];
  private readonly clocks = new Int32Array(PES_MAX * PES_MAX);
  /** Steps in this execution that have begun; those that replay what is known. */
  private position = 0;
  private known = 0;
  private dataPosition = 0;
  private nowNs = 0;
  private begun = false;
  /** PEs whose task was begun or woken by the step at hand, as bits. */
  private followers = 0;

  constructor(footprint: Footprint, { machine, scheduler }: World) {
    this.footprint = footprint;
    this.time = machine.time;
    this.early = scheduler.early;
  }

  begin(): boolean {
    if (this.begun && !this.next()) return false;
    this.begun = true;
    this.abandoned = false;
    this.position = 0;
    this.dataPosition = 0;
    this.nowNs = -1;
    this.followers = 0;
    this.footprint.on = false;
    if (this.path.length === 0) this.clocks.fill(0);
    return true;
  }

  schedule(tasks: readonly Task[], count: number): number {
    // The step before is over; what it touched decides what is asleep now.
    this.finish();
    if (this.position < this.path.length) return placeOf(tasks, count, this.path[this.position].pe);
    const node = this.newNode(tasks, count);
    for (let n = 0; n < count; n++) if ((node.asleep & (1 << tasks[n].pe.index)) === 0) return n;
    return 0;
  }

  step(tasks: readonly Task[], count: number, chosen: Task): void {
    if (count === 1) this.finish();
    const at = this.position++;
    this.dataPosition = 0;
    if (at < this.path.length && this.path[at].touches !== null) {
      this.nowNs = this.time.nowNs;
      return;
    }
    if (at === this.path.length) this.newNode(tasks, count);
    const node = this.path[at];
    const { pe } = chosen;
    assert(pe.index < PES_MAX, 'dpor knows 24 PEs');
    if ((node.asleep & (1 << pe.index)) !== 0) {
      this.abandoned = true;
      this.cutCount++;
      this.path.length = at;
      return;
    }
    if (node.backtrack === 0) node.backtrack = 1 << pe.index;
    node.pe = pe.index;
    node.held = pe.held.slice(0, pe.heldCount).map(({ id }) => id);
    if (this.time.nowNs !== this.nowNs) this.barrier();
    this.nowNs = this.time.nowNs;
    node.clocksBefore.set(this.clocks);
    this.footprint.begin(pe.announcement);
  }

  data(bound: number): number {
    if (this.abandoned) return 0;
    const node = this.path[this.position - 1];
    const at = this.dataPosition++;
    if (at < node.values.length) {
      node.bounds[at] = bound;
      return node.values[at];
    }
    node.values.push(0);
    node.bounds.push(bound);
    return 0;
  }

  end(_found: boolean): void {
    if (!this.abandoned) this.finish();
    this.footprint.on = false;
  }

  /** A task begins, or is woken, by the step at hand: it comes after that. */
  follows(pe: number): void {
    if (this.position > 0 && this.footprint.on) this.followers |= 1 << pe;
  }

  /** The step at hand is over: notes what it touched, and which races that shows. */
  private finish(): void {
    const at = this.position - 1;
    if (at < 0 || !this.footprint.on) return;
    const node = this.path[at];
    node.values.length = Math.min(node.values.length, this.dataPosition);
    const touches = this.footprint.end();
    node.touches = touches;
    node.tried = node.tried === null ? touches : union(node.tried, touches);
    this.order(at, node, touches);
    for (let n = 0; n < touches.objects.length; n++) this.accessesOf(touches.objects[n]).push(at);
    if (touches.everything) this.everything.push(at);
    this.known = at + 1;
  }

  private accessesOf(object: number): number[] {
    while (this.accesses.length <= object) this.accesses.push([]);
    return this.accesses[object];
  }

  /** Gives the step its clock, and adds to earlier nodes what its races ask for. */
  private order(at: number, node: Node, touches: StepTouches): void {
    const { pe } = node;
    const row = this.clocks.subarray(pe * PES_MAX, (pe + 1) * PES_MAX);
    const conflicts = this.conflicts(node, touches, row);
    for (const one of conflicts) join(row, this.path[one].clock);
    row[pe]++;
    node.local = row[pe];
    node.clock.set(row);
    for (let other = 0; this.followers !== 0; other++, this.followers >>>= 1) {
      if ((this.followers & 1) !== 0 && other !== pe) {
        join(this.clocks.subarray(other * PES_MAX, (other + 1) * PES_MAX), row);
      }
    }
    const races = conflicts.filter((one) => !this.isBlockedBy(one, touches));
    for (const one of races) {
      const { local, pe: other } = this.path[one];
      const isDirect = !races.some((between) => between > one && this.path[between].clock[other] >= local);
      if (isDirect) this.backtrackAt(one, at);
    }
  }

  /** Earlier steps of other PEs that the step depends on and that nothing yet orders before it. */
  private conflicts({ pe }: Node, touches: StepTouches, row: Int32Array): number[] {
    const found: number[] = [];
    const consider = (one: number) => {
      const { local, pe: other } = this.path[one];
      if (other !== pe && row[other] < local && !found.includes(one)) found.push(one);
    };
    if (touches.everything) {
      for (let one = 0; one < this.known; one++) consider(one);
    } else {
      for (const one of this.everything) consider(one);
      for (let n = 0; n < touches.objects.length; n++) {
        const object = touches.objects[n];
        for (const one of this.accessesOf(object)) {
          if (touches.writes[n] !== 0 || wrote(this.path[one].touches, object)) consider(one);
        }
      }
    }
    return found;
  }

  /** Whether the step had to wait for a lock that the earlier step's PE held before that. */
  private isBlockedBy(one: number, { acquired }: StepTouches): boolean {
    if (acquired.length === 0) return false;
    return this.path[one].held.some((id) => acquired.includes(id));
  }

  /** Of what could come first instead of step `one` so that step `at` comes before it, something has to be tried. */
  private backtrackAt(one: number, at: number): void {
    const before = this.path[one];
    let initials = 0;
    let seen = 0;
    for (let n = one + 1; n <= at; n++) {
      const node = this.path[n];
      if (n < at && node.clock[before.pe] >= before.local) continue;
      const bit = 1 << node.pe;
      if ((seen & bit) === 0 && this.comesFirst(one, n)) initials |= bit;
      seen |= bit;
    }
    if ((initials & before.backtrack) !== 0) return;
    const last = 1 << this.path[at].pe;
    // Only what can go on there; that is so by construction, unless something is missing from what steps touch.
    const usable = initials & before.enabled;
    if (usable === 0) before.backtrack |= before.enabled;
    else before.backtrack |= (usable & last) !== 0 ? last : usable & -usable;
  }

  /** Whether nothing between step `one` and step `n`, of what would be there without `one`, comes before `n`. */
  private comesFirst(one: number, n: number): boolean {
    const before = this.path[one];
    const { clock } = this.path[n];
    for (let m = one + 1; m < n; m++) {
      const between = this.path[m];
      if (between.clock[before.pe] < before.local && clock[between.pe] >= between.local) return false;
    }
    return true;
  }

  private newNode(tasks: readonly Task[], count: number): Node {
    if (this.position < this.path.length) return this.path[this.position];
    let enabled = 0;
    for (let n = 0; n < count; n++) enabled |= 1 << tasks[n].pe.index;
    const node: Node = this.spare.pop() ?? {
      enabled,
      backtrack: 0,
      asleep: 0,
      sleepers: new Array(PES_MAX).fill(null),
      pe: 0,
      held: [],
      values: [],
      bounds: [],
      touches: null,
      tried: null,
      local: 0,
      clock: new Int32Array(PES_MAX),
      clocksBefore: new Int32Array(PES_MAX * PES_MAX),
    };
    node.enabled = enabled;
    node.backtrack = this.early !== null && this.early.left > 0 ? enabled : 0;
    node.asleep = 0;
    node.sleepers.fill(null);
    node.values.length = 0;
    node.bounds.length = 0;
    node.touches = null;
    node.tried = null;
    const parent = this.path.at(-1);
    if (parent !== undefined && parent.touches !== null) {
      for (let pe = 0; pe < PES_MAX; pe++) {
        const sleeper = parent.sleepers[pe];
        if (sleeper === null || pe === parent.pe || dependent(sleeper, parent.touches)) continue;
        node.sleepers[pe] = sleeper;
        node.asleep |= 1 << pe;
      }
    }
    this.path.push(node);
    return node;
  }

  /** Time has moved: all that has happened is before all that follows. */
  private barrier(): void {
    const all = new Int32Array(PES_MAX);
    for (let pe = 0; pe < PES_MAX; pe++) join(all, this.clocks.subarray(pe * PES_MAX, (pe + 1) * PES_MAX));
    for (let pe = 0; pe < PES_MAX; pe++) this.clocks.set(all, pe * PES_MAX);
  }

  /** The next that has to be tried, from the end of the path; false when there is none. */
  private next(): boolean {
    const { path } = this;
    while (path.length > 0) {
      const at = path.length - 1;
      const node = path[at];
      this.takeBack(at, node);
      if (nextData(node)) {
        this.clocks.set(node.clocksBefore);
        return true;
      }
      const bit = 1 << node.pe;
      node.sleepers[node.pe] = node.tried;
      node.asleep |= bit;
      node.tried = null;
      node.values.length = 0;
      node.bounds.length = 0;
      const left = node.backtrack & ~node.asleep;
      if (left !== 0) {
        node.pe = 31 - Math.clz32(left & -left);
        this.clocks.set(node.clocksBefore);
        return true;
      }
      path.pop();
      this.spare.push(node);
    }
    return false;
  }

  /** The step is off the path now. */
  private takeBack(at: number, node: Node): void {
    const { touches } = node;
    if (touches === null) return;
    for (let n = 0; n < touches.objects.length; n++) {
      const list = this.accesses[touches.objects[n]];
      if (list[list.length - 1] === at) list.pop();
    }
    if (this.everything[this.everything.length - 1] === at) this.everything.pop();
    node.touches = null;
    this.known = at;
  }
}

function placeOf(tasks: readonly Task[], count: number, pe: number): number {
  for (let n = 0; n < count; n++) if (tasks[n].pe.index === pe) return n;
  assert(false, 'a PE that could go on can go on again in the same state');
  return 0;
}

function nextData({ bounds, values }: Node): boolean {
  while (values.length > 0) {
    const last = values.length - 1;
    if (values[last] + 1 < bounds[last]) {
      values[last]++;
      bounds.length = values.length;
      return true;
    }
    values.pop();
  }
  return false;
}

function wrote(touches: StepTouches | null, object: number): boolean {
  return touches !== null && touches.writes[touches.objects.indexOf(object)] !== 0;
}

function join(into: Int32Array, from: Int32Array): void {
  for (let n = 0; n < PES_MAX; n++) if (from[n] > into[n]) into[n] = from[n];
}
