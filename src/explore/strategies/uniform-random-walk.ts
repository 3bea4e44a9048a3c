// Uniform random walk (URW): a task is as likely as it has steps left, so that schedules, not steps, are nearly equally
// likely when tasks are of unequal lengths. Zhao, Wolff, Mathur, Roychoudhury, "Selectively Uniform Concurrency
// Testing" (ASPLOS 2025). Here how many steps a task has is learnt from the executions before, by its name.

import type { Task } from '../../world/scheduler.ts';
import { RandomWalk } from './random-walk.ts';

/** What a task that nobody has seen yet is thought to need. */
const STEPS_UNKNOWN = 8;

export class UniformRandomWalk extends RandomWalk {
  override readonly name = 'urw';
  /** Steps by name: the mean so far, and those of this execution. */
  private readonly expected = new Map<string, number>();
  private readonly done = new Map<string, number>();

  override begin(): boolean {
    for (const [name, steps] of this.done) {
      const before = this.expected.get(name);
      this.expected.set(name, before === undefined ? steps : before + (steps - before) / 8);
    }
    this.done.clear();
    return super.begin();
  }

  override schedule(tasks: readonly Task[], count: number): number {
    let sum = 0;
    for (let n = 0; n < count; n++) sum += this.left(tasks[n].name);
    let at = (this.random.word() / 2 ** 32) * sum;
    for (let n = 0; n < count - 1; n++) {
      at -= this.left(tasks[n].name);
      if (at < 0) return n;
    }
    return count - 1;
  }

  step(_tasks: readonly Task[], _count: number, chosen: Task): void {
    this.done.set(chosen.name, (this.done.get(chosen.name) ?? 0) + 1);
  }

  private left(name: string): number {
    return Math.max(1, (this.expected.get(name) ?? STEPS_UNKNOWN) - (this.done.get(name) ?? 0));
  }
}
