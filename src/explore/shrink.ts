// The shrinker: a finding's schedule, made as plain as it can be while the same property still fails with the same
// anomaly. What stays is a normal form: equal mistakes print equally, mostly.
//
//   1. Faults are left out, all that can be.
//   2. Stretches (a PE goes on for so many steps) are left out, in pieces of half, a quarter, ... down to one: Zeller,
//      Hildebrandt, "Simplifying and isolating failure-inducing input" (TSE 2002). The PE makes the steps later.
//   3. Neighbours change places where the lower PE can go first.
//   4. Single choices are taken back, or made smaller.
//   5. Schedules that are no longer and depart at most twice from the plain order are searched for.
//
// Simpler means: fewer faults, then fewer steps, then fewer departures from the plain order, then fewer stretches. It
// ends after so many executions, or when it is left off, and has kept the best so far.
//
// Limits: it takes no guest out of the world; a finding is shrunk in the world in which it was found.

import type { Executor } from './executor.ts';
import type { Finding } from './finding.ts';
import { DepthFirst } from './strategies/depth-first.ts';
import { type DataChoice, Guided, type Stretch } from './strategies/guided.ts';

const EXECUTIONS_MAX = 4000;
/** Steps after which it ends even so: a long execution is worth fewer tries. */
const STEPS_MAX = 2_000_000;
/** Of the last search: departures, and executions for each number of them. */
const DELAYS_MAX = 2;
const SHORTER_EXECUTIONS_MAX = 1500;
/** Executions between two yields. */
const EXECUTIONS_PER_YIELD = 16;

/** Makes a finding smaller. After each step of `run`, `best` is the simplest with the same property and anomaly. */
export class Shrinker {
  best: Finding;
  private readonly executor: Executor;
  private readonly guided = new Guided();
  private stretches: readonly Stretch[] = [];
  private faults: readonly DataChoice[] = [];
  private executions = 0;
  private steps = 0;

  constructor(executor: Executor, finding: Finding) {
    this.executor = executor;
    this.best = finding;
  }

  /** Shrinks; yields now and then, so that it can be left off. */
  *run(): Generator<void, Finding, void> {
    this.executor.faultsMax = this.best.faultsMax;
    this.learn();
    for (;;) {
      const before = this.best;
      yield* this.leaveOutFaults();
      yield* this.leaveOutStretches();
      yield* this.changePlaces();
      yield* this.takeBack();
      if (this.best === before || this.over()) break;
    }
    yield* this.searchShorter();
    return this.best;
  }

  /** Every schedule of no more steps, with no, one, two departures from the plain order, as far as tries go. */
  private *searchShorter(): Generator<void, void, void> {
    this.executor.faultsMax = this.best.faults;
    for (let delays = 0; delays <= DELAYS_MAX; delays++) {
      const shorter = new Shorter(delays, this.best.steps);
      for (let n = 0; n < SHORTER_EXECUTIONS_MAX && !this.over() && shorter.begin(); n++) {
        if (n % EXECUTIONS_PER_YIELD === 0) yield;
        const found = this.executor.execute(shorter);
        this.steps += this.best.steps;
        if (found === null || found.property !== this.best.property || found.anomaly !== this.best.anomaly) continue;
        if (simpler(found, 0, this.best, 0)) this.best = found;
        shorter.stepsMax = this.best.steps;
      }
    }
  }

  private *leaveOutFaults(): Generator<void, void, void> {
    for (let n = 0; n < this.faults.length && !this.over(); ) {
      if (!(yield* this.tryPlan(this.stretches, without(this.faults, n, 1)))) n++;
    }
  }

  private *leaveOutStretches(): Generator<void, void, void> {
    for (let size = this.stretches.length >> 1; size >= 1 && !this.over(); size >>= 1) {
      for (let from = 0; from < this.stretches.length && !this.over(); ) {
        if (!(yield* this.tryPlan(without(this.stretches, from, size), this.faults))) from += size;
      }
    }
  }

  private *changePlaces(): Generator<void, void, void> {
    for (let n = 0; n + 1 < this.stretches.length && !this.over(); n++) {
      const plan = [...this.stretches];
      [plan[n], plan[n + 1]] = [plan[n + 1], plan[n]];
      yield* this.tryPlan(plan, this.faults);
    }
  }

  private *takeBack(): Generator<void, void, void> {
    for (let place = 0; place < this.best.choices.length && !this.over(); place++) {
      const value = this.best.choices[place];
      for (let smaller = 0; smaller < value; smaller++) {
        const choices = [...this.best.choices];
        choices[place] = smaller;
        this.guided.follow(choices);
        if (yield* this.holds()) break;
      }
    }
  }

  private *tryPlan(plan: readonly Stretch[], faults: readonly DataChoice[]): Generator<void, boolean, void> {
    this.guided.set(plan, faults);
    return yield* this.holds();
  }

  /** What the best does, in stretches. */
  private learn(): void {
    const { guided } = this;
    guided.follow(this.best.choices);
    guided.begin();
    this.executor.execute(guided);
    this.stretches = [...guided.stretches];
    this.faults = [...guided.struck];
  }

  /** Whether an execution shows the same and is simpler; then it is the best. */
  private *holds(): Generator<void, boolean, void> {
    this.executions++;
    if (this.executions % EXECUTIONS_PER_YIELD === 0) yield;
    const { guided } = this;
    guided.begin();
    const found = this.executor.execute(guided);
    this.steps += found?.steps ?? this.best.steps;
    if (found === null || found.property !== this.best.property || found.anomaly !== this.best.anomaly) return false;
    if (!simpler(found, guided.stretches.length, this.best, this.stretches.length)) return false;
    this.best = found;
    this.stretches = [...guided.stretches];
    this.faults = [...guided.struck];
    return true;
  }

  private over(): boolean {
    return this.executions >= EXECUTIONS_MAX || this.steps >= STEPS_MAX;
  }
}

/** Depth-first search that leaves an execution off when it is longer than the best. */
class Shorter extends DepthFirst {
  abandoned = false;
  stepsMax: number;
  private steps = 0;

  constructor(delaysMax: number, stepsMax: number) {
    super(delaysMax);
    this.stepsMax = stepsMax;
  }

  override begin(): boolean {
    this.steps = 0;
    this.abandoned = false;
    return super.begin();
  }

  step(): void {
    this.abandoned = ++this.steps > this.stepsMax;
  }
}

function simpler(a: Finding, stretchesA: number, b: Finding, stretchesB: number): boolean {
  if (a.faults !== b.faults) return a.faults < b.faults;
  if (a.steps !== b.steps) return a.steps < b.steps;
  const [departuresA, departuresB] = [departures(a), departures(b)];
  if (departuresA !== departuresB) return departuresA < departuresB;
  if (stretchesA !== stretchesB) return stretchesA < stretchesB;
  if (a.choices.length !== b.choices.length) return a.choices.length < b.choices.length;
  for (let n = 0; n < a.choices.length; n++) if (a.choices[n] !== b.choices[n]) return a.choices[n] < b.choices[n];
  return false;
}

function departures({ choices }: Finding): number {
  let count = 0;
  for (const choice of choices) if (choice !== 0) count++;
  return count;
}

function without<T>(list: readonly T[], from: number, count: number): T[] {
  return [...list.slice(0, from), ...list.slice(from + count)];
}
