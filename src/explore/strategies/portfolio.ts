// A portfolio: random walk, uniform random walk and PCT of depths 2 to 4 take turns, all from one seed. No single one
// is the best at all bugs: Thomson, Donaldson, Betts, "Concurrency testing using controlled schedulers: an empirical
// study" (TOPC 2016).

import type { Task } from '../../world/scheduler.ts';
import { SeededRandom } from '../random.ts';
import type { Strategy } from '../strategy.ts';
import { Pct } from './pct.ts';
import { RandomWalk } from './random-walk.ts';
import { UniformRandomWalk } from './uniform-random-walk.ts';

export class Portfolio implements Strategy {
  readonly name = 'portfolio';
  private readonly members: readonly Strategy[];
  private turn = -1;

  constructor(seed: number) {
    const random = new SeededRandom(seed);
    this.members = [
      new RandomWalk(random.word()),
      new UniformRandomWalk(random.word()),
      new Pct(random.word(), 2),
      new Pct(random.word(), 3),
      new Pct(random.word(), 4),
    ];
  }

  begin(): boolean {
    this.turn = (this.turn + 1) % this.members.length;
    return this.members[this.turn].begin();
  }

  schedule(tasks: readonly Task[], count: number): number {
    return this.members[this.turn].schedule(tasks, count);
  }

  data(bound: number, site: number): number {
    return this.members[this.turn].data(bound, site);
  }

  step(tasks: readonly Task[], count: number, chosen: Task): void {
    this.members[this.turn].step?.(tasks, count, chosen);
  }

  end(found: boolean): void {
    this.members[this.turn].end(found);
  }
}
