// The shrinker: a finding's choices, made as few and as small as they can be while the same property still fails with
// the same anomaly. What stays is a normal form: equal mistakes print equally, mostly.
//
//   1. Each choice that is not the first alternative is taken back, in pieces of half, a quarter, ... down to one:
//      Zeller, Hildebrandt, "Simplifying and isolating failure-inducing input" (TSE 2002). Faults go first.
//   2. Each that is left is made smaller.
//   3. Each is moved to an earlier place where it does the same; what follows it shifts.
//
// Fewer choices that are not the first alternative mean fewer switches and fewer faults; among equal ones the shorter
// execution wins. It ends after so many executions, or when it is left off, and has kept the best so far.
//
// Limits: it takes no guest out of the world; a finding is shrunk in the world in which it was found.

import type { Executor } from './executor.ts';
import type { Finding } from './finding.ts';
import { Replay } from './strategies/replay.ts';

const EXECUTIONS_MAX = 4000;

/** Executions between two yields. */
const EXECUTIONS_PER_YIELD = 64;

/** Makes a finding smaller. After each step of `run`, `best` is the smallest with the same property and anomaly. */
export class Shrinker {
  best: Finding;
  private readonly executor: Executor;
  private readonly replay = new Replay([]);
  private executions = 0;

  constructor(executor: Executor, finding: Finding) {
    this.executor = executor;
    this.best = finding;
  }

  /** Shrinks; yields now and then, so that it can be left off. */
  *run(): Generator<void, Finding, void> {
    this.executor.faultsMax = this.best.faultsMax;
    for (;;) {
      const before = this.best;
      yield* this.takeBack();
      yield* this.lower();
      yield* this.pullForward();
      if (this.best === before || this.over()) return this.best;
    }
  }

  /** Sets choices to the first alternative, many at a time, then fewer. */
  private *takeBack(): Generator<void, void, void> {
    let places = placesOf(this.best.choices);
    for (let size = places.length; size >= 1 && !this.over(); size = Math.floor(size / 2)) {
      for (let from = 0; from < places.length && !this.over(); ) {
        const choices = [...this.best.choices];
        for (const place of places.slice(from, from + size)) choices[place] = 0;
        if (yield* this.holds(choices)) places = placesOf(this.best.choices);
        else from += size;
      }
    }
  }

  private *lower(): Generator<void, void, void> {
    for (const place of placesOf(this.best.choices)) {
      for (let value = 1; value < (this.best.choices[place] ?? 0) && !this.over(); value++) {
        const choices = [...this.best.choices];
        choices[place] = value;
        if (yield* this.holds(choices)) break;
      }
    }
  }

  /** Drops a choice that is the first alternative: all that follow come one earlier. */
  private *pullForward(): Generator<void, void, void> {
    for (let place = 0; place < this.best.choices.length && !this.over(); place++) {
      if (this.best.choices[place] !== 0) continue;
      const choices = [...this.best.choices];
      choices.splice(place, 1);
      if (yield* this.holds(choices)) place--;
    }
  }

  /** Whether these choices show the same and are simpler; then they are the best. */
  private *holds(choices: readonly number[]): Generator<void, boolean, void> {
    this.executions++;
    if (this.executions % EXECUTIONS_PER_YIELD === 0) yield;
    this.replay.set(choices);
    this.replay.begin();
    const found = this.executor.execute(this.replay);
    if (found === null || found.property !== this.best.property || found.anomaly !== this.best.anomaly) return false;
    if (!simpler(found, this.best)) return false;
    this.best = found;
    return true;
  }

  private over(): boolean {
    return this.executions >= EXECUTIONS_MAX;
  }
}

/** Fewer faults, then fewer choices that are not the first, then fewer steps, then smaller and earlier choices. */
function simpler(a: Finding, b: Finding): boolean {
  if (a.faults !== b.faults) return a.faults < b.faults;
  const [placesA, placesB] = [placesOf(a.choices).length, placesOf(b.choices).length];
  if (placesA !== placesB) return placesA < placesB;
  if (a.steps !== b.steps) return a.steps < b.steps;
  if (a.choices.length !== b.choices.length) return a.choices.length < b.choices.length;
  for (let n = 0; n < a.choices.length; n++) if (a.choices[n] !== b.choices[n]) return a.choices[n] < b.choices[n];
  return false;
}

function placesOf(choices: readonly number[]): number[] {
  const places: number[] = [];
  for (let n = 0; n < choices.length; n++) if (choices[n] !== 0) places.push(n);
  return places;
}
