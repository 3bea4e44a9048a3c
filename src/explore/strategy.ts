// What a strategy is: it is asked at each choice of an execution, and told when one begins and ends. Strategies are in
// strategies/, one file each.

import type { Task } from '../world/scheduler.ts';

export interface Strategy {
  readonly name: string;
  /** Prepares the next execution; false: nothing is left to try. */
  begin(): boolean;
  /** Which of the first `count` (at least 2) tasks goes on; see `Director` for their order. */
  schedule(tasks: readonly Task[], count: number): number;
  /** A value in [0, bound) of any other choice; 0 is what happens without a fault. */
  data(bound: number, site: number): number;
  /** The execution has ended. `found`: with a finding. */
  end(found: boolean): void;
  /** Set by a strategy that wants the execution at hand to be left off: it has nothing new to show. */
  readonly abandoned?: boolean;
  /** Told that a PE's task begins or can go on because of the step at hand. */
  follows?(pe: number): void;
  /** Told of every step before it is made, also where there is no choice. */
  step?(tasks: readonly Task[], count: number, chosen: Task): void;
}
