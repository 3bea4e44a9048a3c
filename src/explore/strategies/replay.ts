// Replay: the choices of a schedule, then the first alternative of each. A choice that there is not (the world has
// changed, or a shrinker tries something) becomes the first alternative too; `misfits` counts these.

import type { Task } from '../../world/scheduler.ts';
import type { Strategy } from '../strategy.ts';

export class Replay implements Strategy {
  readonly name = 'replay';
  /** Choices that were out of bounds in the last execution. */
  misfits = 0;
  private choices: readonly number[];
  private position = 0;

  constructor(choices: readonly number[]) {
    this.choices = choices;
  }

  /** Replays these instead, from the next execution on. */
  set(choices: readonly number[]): void {
    this.choices = choices;
  }

  begin(): boolean {
    this.position = 0;
    this.misfits = 0;
    return true;
  }

  schedule(_tasks: readonly Task[], count: number): number {
    return this.next(count);
  }

  data(bound: number): number {
    return this.next(bound);
  }

  end(_found: boolean): void {}

  private next(bound: number): number {
    if (this.position >= this.choices.length) return 0;
    const value = this.choices[this.position++];
    if (value < bound) return value;
    this.misfits++;
    return 0;
  }
}
