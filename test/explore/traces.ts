// The class of an execution: two executions are of one class (a Mazurkiewicz trace) if one becomes the other by
// swapping neighbouring steps that do not depend on each other. Its normal form is here the list of all steps with
// their vector clocks, made by comparing each step with every earlier one: slow, and nothing like what the strategy
// under test does.

import type { Executor } from '../../src/explore/executor.ts';
import { dependent, type StepTouches } from '../../src/explore/footprint.ts';
import type { Strategy } from '../../src/explore/strategy.ts';
import type { Task } from '../../src/world/scheduler.ts';

const PES = 24;

interface Step {
  readonly pe: number;
  /** Whether time had moved before it. */
  readonly afterTime: boolean;
  readonly followers: number[];
  touches: StepTouches | null;
}

/** A strategy that lets another decide, and notes the trace of each execution. */
export class Traced implements Strategy {
  readonly name = 'traced';
  steps: Step[] = [];
  private readonly executor: Executor;
  private readonly inner: Strategy;
  private nowNs = -1;

  constructor(executor: Executor, inner: Strategy) {
    this.executor = executor;
    this.inner = inner;
  }

  begin(): boolean {
    this.steps = [];
    this.nowNs = -1;
    return this.inner.begin();
  }

  schedule(tasks: readonly Task[], count: number): number {
    return this.inner.schedule(tasks, count);
  }

  data(bound: number, site: number): number {
    return this.inner.data(bound, site);
  }

  step(tasks: readonly Task[], count: number, chosen: Task): void {
    this.close();
    const { nowNs } = this.executor.world.machine.time;
    this.steps.push({ pe: chosen.pe.index, afterTime: nowNs !== this.nowNs, followers: [], touches: null });
    this.nowNs = nowNs;
    this.executor.footprint.begin(chosen.pe.announcement);
    this.inner.step?.(tasks, count, chosen);
  }

  follows(pe: number): void {
    this.steps.at(-1)?.followers.push(pe);
  }

  end(found: boolean): void {
    this.close();
    this.executor.footprint.on = false;
    this.inner.end(found);
  }

  /** The normal form of the last execution. */
  trace(): string {
    const rows = Array.from({ length: PES }, () => new Int32Array(PES));
    const clocks: Int32Array[] = [];
    for (const { afterTime, followers, pe, touches } of this.steps) {
      if (afterTime) {
        const all = new Int32Array(PES);
        for (const row of rows) join(all, row);
        for (const row of rows) row.set(all);
      }
      for (const [index, before] of this.steps.slice(0, clocks.length).entries()) {
        if (before.pe !== pe && dependent(present(before.touches), present(touches))) join(rows[pe], clocks[index]);
      }
      rows[pe][pe]++;
      clocks.push(rows[pe].slice());
      for (const follower of followers) if (follower !== pe) join(rows[follower], rows[pe]);
    }
    return this.steps
      .map(({ pe }, n) => `${pe}:${clocks[n].join()}`)
      .sort()
      .join(' ');
  }

  private close(): void {
    const last = this.steps.at(-1);
    if (last !== undefined && last.touches === null) last.touches = this.executor.footprint.end();
  }
}

function present(touches: StepTouches | null): StepTouches {
  if (touches === null) throw new Error('a step without touches');
  return touches;
}

function join(into: Int32Array, from: Int32Array): void {
  for (let n = 0; n < PES; n++) if (from[n] > into[n]) into[n] = from[n];
}
