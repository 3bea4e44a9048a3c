// Probabilistic concurrency testing (PCT): each task has a random priority, the highest goes on, and at d - 1 random
// steps the running task falls below all others. An execution finds a bug of depth d with probability 1/(n k^(d-1)) at
// least, for n tasks and k steps. Burckhardt, Kothari, Musuvathi, Nagarakatte, "A randomized scheduler with
// probabilistic guarantees of finding bugs" (ASPLOS 2010). Here k is the longest execution so far.

import type { Task } from '../../world/scheduler.ts';
import { RandomWalk } from './random-walk.ts';

const STEPS_AT_FIRST = 60;

export class Pct extends RandomWalk {
  override readonly name: string;
  private readonly depth: number;
  private readonly priorities = new Map<number, number>();
  private readonly changeAt: number[] = [];
  private steps = 0;
  private stepsMax = STEPS_AT_FIRST;
  private lowest = 0;

  constructor(seed: number, depth: number) {
    super(seed);
    this.depth = depth;
    this.name = `pct-${depth}`;
  }

  override begin(): boolean {
    this.stepsMax = Math.max(this.stepsMax, this.steps);
    this.steps = 0;
    this.lowest = 0;
    this.priorities.clear();
    this.changeAt.length = 0;
    for (let n = 1; n < this.depth; n++) this.changeAt.push(this.random.below(this.stepsMax));
    return super.begin();
  }

  override schedule(tasks: readonly Task[], count: number): number {
    let best = 0;
    for (let n = 1; n < count; n++) if (this.priority(tasks[n]) > this.priority(tasks[best])) best = n;
    return best;
  }

  step(_tasks: readonly Task[], _count: number, chosen: Task): void {
    if (this.changeAt.includes(this.steps)) this.priorities.set(chosen.pe.index, --this.lowest);
    this.steps++;
  }

  private priority(task: Task): number {
    const known = this.priorities.get(task.pe.index);
    if (known !== undefined) return known;
    const drawn = this.random.word();
    this.priorities.set(task.pe.index, drawn);
    return drawn;
  }
}
