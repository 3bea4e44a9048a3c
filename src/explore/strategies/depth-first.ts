// Depth-first search of all choices: the last choice that can grow is increased, what lies behind it is tried anew.
// Bounded by delays: the scheduler's own order goes on with the task that ran last, and taking the n-th alternative
//
// How it differs: the order that is departed from is not a round robin but "the same task, as long as it can".

import type { Task } from '../../world/scheduler.ts';
import type { Strategy } from '../strategy.ts';

export class DepthFirst implements Strategy {
  readonly name: string;
  /** Whether the bound has cut anything off. */
  cut = false;
  private readonly delaysMax: number;
  private readonly values: number[] = [];
  private readonly bounds: number[] = [];
  private position = 0;
  private delays = 0;
  /** Choices that stay as they are: the prefix of a shard. */
  private readonly fixed: number;
  private begun = false;

  /** `prefix`: only executions that begin with these choices. */
  constructor(delaysMax = Number.POSITIVE_INFINITY, prefix: readonly number[] = []) {
    this.delaysMax = delaysMax;
    this.name = delaysMax === Number.POSITIVE_INFINITY ? 'dfs' : 'delay';
    this.fixed = prefix.length;
    for (const value of prefix) {
      this.values.push(value);
      this.bounds.push(value + 1);
    }
  }

  begin(): boolean {
    if (this.begun && !this.next()) return false;
    this.begun = true;
    this.position = 0;
    this.delays = 0;
    return true;
  }

  schedule(_tasks: readonly Task[], count: number): number {
    const left = this.delaysMax - this.delays;
    const value = this.choose(left >= count ? count : left + 1);
    if (left + 1 < count) this.cut = true;
    this.delays += value;
    return value;
  }

  data(bound: number): number {
    return this.choose(bound);
  }

  end(_found: boolean): void {}

  /** How many alternatives the last execution had at its `n`-th choice; 0 when it had no such choice. */
  boundAt(n: number): number {
    return n < this.position ? this.bounds[n] : 0;
  }

  private choose(bound: number): number {
    const at = this.position++;
    if (at < this.values.length) {
      this.bounds[at] = bound;
      return this.values[at];
    }
    this.values.push(0);
    this.bounds.push(bound);
    return 0;
  }

  private next(): boolean {
    const { bounds, values } = this;
    values.length = Math.min(values.length, this.position);
    while (values.length > this.fixed) {
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
}
