// One vCPU of a guest script: where in its steps it is, what it waits for, which interrupts came. Plain state.

import type { Nanoseconds } from '../base/units.ts';
import { Caller, type Operation } from './caller.ts';
import type { Endpoint } from './endpoint.ts';
import type { GuestStep } from './guest-step.ts';
import { OUTCOME_SUCCESS, type Outcome } from './outcome.ts';

/** A list of steps being done: the script itself, or a `repeat`'s. */
export interface Frame {
  readonly steps: readonly GuestStep[];
  /** Index of the step that is done next, or now. */
  at: number;
  iteration: number;
  readonly times: number;
}

/** What the vCPU does in the step at hand. */
export type Activity = 'none' | 'operation' | 'raw-call' | 'wait' | 'poll' | 'rewrite';

export class GuestVcpu {
  readonly index: number;
  readonly caller: Caller;
  readonly steps: readonly GuestStep[];
  frames: Frame[] = [];
  activity: Activity = 'none';
  /** The operation of the step at hand, still readable when the caller has finished it. */
  operation: Operation | null = null;
  ended = false;
  crashed = false;
  /** How the last step with an outcome ended. */
  outcome: Outcome = OUTCOME_SUCCESS;
  /** When a wait or the next look of an `until` is over. */
  untilNs: Nanoseconds = 0;
  /** When an `until` gives up. */
  timeoutNs: Nanoseconds = 0;
  /** Writes of a `rewrite-tx` so far. */
  writeCount = 0;
  /** Steps done, for reports. */
  stepCount = 0;
  /** Interrupts that came and that no `until` has taken: counts by id. */
  readonly interrupts = new Map<number, number>();

  constructor(endpoint: Endpoint, index: number, steps: readonly GuestStep[]) {
    this.index = index;
    this.caller = new Caller(endpoint, index);
    this.steps = steps;
    this.reset();
  }

  reset(): void {
    this.caller.reset();
    this.frames = [{ steps: this.steps, at: 0, iteration: 0, times: 1 }];
    this.activity = 'none';
    this.operation = null;
    this.ended = false;
    this.crashed = false;
    this.outcome = OUTCOME_SUCCESS;
    this.untilNs = 0;
    this.timeoutNs = 0;
    this.writeCount = 0;
    this.stepCount = 0;
    this.interrupts.clear();
  }

  /** The step at hand, or null when the script is over. Leaves lists that are done and begins their next round. */
  current(): GuestStep | null {
    for (;;) {
      const frame = this.frames[this.frames.length - 1];
      if (frame.at < frame.steps.length) return frame.steps[frame.at];
      if (frame.iteration + 1 < frame.times && frame.steps.length > 0) {
        frame.iteration++;
        frame.at = 0;
        continue;
      }
      if (this.frames.length === 1) return null;
      this.frames.pop();
    }
  }

  /** Number of the innermost `repeat`'s round; 0 outside. */
  get iteration(): number {
    return this.frames[this.frames.length - 1].iteration;
  }

  /** Where the step at hand is, e.g. `vcpu 0, step 3.1, round 2` (steps count from 1). */
  place(): string {
    const numbers = this.frames.map((frame, depth) => frame.at + (depth === this.frames.length - 1 ? 1 : 0)).join('.');
    const round = this.frames.length > 1 ? `, round ${this.iteration + 1}` : '';
    return `vcpu ${this.index}, step ${numbers}${round}`;
  }

  /** Takes all pending interrupts of the context. */
  takeInterrupts(pending: number[]): void {
    for (const id of pending) this.interrupts.set(id, (this.interrupts.get(id) ?? 0) + 1);
    pending.length = 0;
  }

  /** Takes one interrupt of that id; false when none came. */
  useInterrupt(id: number): boolean {
    const count = this.interrupts.get(id) ?? 0;
    if (count === 0) return false;
    this.interrupts.set(id, count - 1);
    return true;
  }
}
