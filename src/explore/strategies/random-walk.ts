// Random walk: each task that could go on is as likely as the others. Naive, and yet as good as bounded search at many
// bugs: Thomson, Donaldson, Betts, "Concurrency testing using controlled schedulers: an empirical study" (TOPC 2016).
//
// Faults come in swarms (Groce and others, "Swarm testing", ISSTA 2012): each execution draws how often faults strike,
// and which alternatives it uses at all.

import type { Task } from '../../world/scheduler.ts';
import { SeededRandom } from '../random.ts';
import type { Strategy } from '../strategy.ts';

/** One execution in so many has no fault, whatever the budget. */
const CALM_EXECUTIONS = 4;
const RATES = [2, 3, 5, 9, 17] as const;

export class RandomWalk implements Strategy {
  readonly name: string = 'random';
  protected readonly random: SeededRandom;
  private rate = 0;
  private swarm = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }

  begin(): boolean {
    this.rate = this.random.oneIn(CALM_EXECUTIONS) ? 0 : RATES[this.random.below(RATES.length)];
    this.swarm = this.random.word();
    return true;
  }

  schedule(_tasks: readonly Task[], count: number): number {
    return this.random.below(count);
  }

  data(bound: number): number {
    if (this.rate === 0 || !this.random.oneIn(this.rate)) return 0;
    const value = 1 + this.random.below(bound - 1);
    // An alternative that this execution's swarm leaves out is replaced by its neighbour, as often as need be.
    return (this.swarm >>> (value & 31)) % 2 === 0 ? 1 + (value % (bound - 1)) : value;
  }

  end(_found: boolean): void {}
}
