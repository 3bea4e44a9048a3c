// Guided execution, for the shrinker: a list of stretches, each of which lets one PE go on until it has made so many
// steps of its own. Unlike a list of choices it keeps its meaning when a stretch is left out: the PE makes those steps
// in its next stretch. Faults are named by the PE's own step in which they strike. What no stretch says is the first
// alternative.

import type { Task } from '../../world/scheduler.ts';
import type { Strategy } from '../strategy.ts';
import { Replay } from './replay.ts';

/** A PE goes on until it has made `until` steps. */
export interface Stretch {
  readonly pe: number;
  readonly until: number;
}

/** A choice of data other than the first alternative. */
export interface DataChoice {
  readonly pe: number;
  /** The PE's own step in which it is asked, from 1, and which question of the step it is, from 0. */
  readonly step: number;
  readonly question: number;
  readonly value: number;
}

export class Guided implements Strategy {
  readonly name = 'guided';
  /** What the last execution did, in the same terms. */
  readonly stretches: Stretch[] = [];
  readonly struck: DataChoice[] = [];
  /** Follows these choices instead, if there are any, and notes what they do. */
  private replay: Replay | null = null;
  private plan: readonly Stretch[] = [];
  private faults: readonly DataChoice[] = [];
  private position = 0;
  private question = 0;
  private lastPe = -1;
  private readonly steps = new Map<number, number>();

  /** The next execution follows these. */
  set(plan: readonly Stretch[], faults: readonly DataChoice[]): void {
    this.plan = plan;
    this.faults = faults;
    this.replay = null;
  }

  /** The next execution follows a list of choices. */
  follow(choices: readonly number[]): void {
    this.replay = new Replay(choices);
  }

  begin(): boolean {
    this.replay?.begin();
    this.position = 0;
    this.lastPe = -1;
    this.steps.clear();
    this.stretches.length = 0;
    this.struck.length = 0;
    return true;
  }

  schedule(tasks: readonly Task[], count: number): number {
    if (this.replay !== null) return this.replay.schedule(tasks, count);
    for (; this.position < this.plan.length; this.position++) {
      const { pe, until } = this.plan[this.position];
      if ((this.steps.get(pe) ?? 0) >= until) continue;
      for (let n = 0; n < count; n++) if (tasks[n].pe.index === pe) return n;
    }
    return 0;
  }

  data(bound: number): number {
    const pe = this.lastPe;
    const step = this.steps.get(pe) ?? 0;
    const question = this.question++;
    const found = this.faults.find((one) => one.pe === pe && one.step === step && one.question === question);
    const wanted = this.replay === null ? (found?.value ?? 0) : this.replay.data(bound);
    const value = wanted < bound ? wanted : 0;
    if (value !== 0) this.struck.push({ pe, step, question, value });
    return value;
  }

  step(_tasks: readonly Task[], _count: number, chosen: Task): void {
    const { index } = chosen.pe;
    const made = (this.steps.get(index) ?? 0) + 1;
    this.steps.set(index, made);
    this.question = 0;
    if (this.lastPe === index) this.stretches.pop();
    this.stretches.push({ pe: index, until: made });
    this.lastPe = index;
  }

  end(_found: boolean): void {}
}
