// The one source of freedom. Whatever may go either way is asked of the choice stack: same world + same choices = same
// events. A stack replays its recorded prefix, then asks its policy; exhaustive search increments the last choice that
// can grow (the idea of TigerBeetle's exhaustigen).

import { assert } from './assert.ts';

/** Decides what lies beyond the recorded prefix. Returns a value in [0, bound). */
export interface ChoicePolicy {
  pick(bound: number, site: number): number;
}

/** The policy of a plain run: always the first alternative. */
export const FIRST_CHOICE: ChoicePolicy = { pick: () => 0 };

/** A schedule is limited so that a runaway loop ends as an assertion, not as a full heap. */
const CHOICES_MAX = 4_000_000;

export class ChoiceStack {
  readonly values: number[] = [];
  readonly bounds: number[] = [];
  private position = 0;
  private policy: ChoicePolicy;

  constructor(policy: ChoicePolicy = FIRST_CHOICE) {
    this.policy = policy;
  }

  /** Asks for a value in [0, bound). `site` names the place that asks, for reports. A bound of 1 is no choice. */
  choose(bound: number, site: number): number {
    assert(bound >= 1, 'a choice needs an alternative');
    if (bound === 1) return 0;
    const at = this.position++;
    if (at < this.values.length) {
      assert(this.bounds[at] === 0 || this.bounds[at] === bound, 'a replayed choice has another bound');
      assert(this.values[at] < bound, 'a replayed choice is out of bounds');
      this.bounds[at] = bound;
      return this.values[at];
    }
    assert(at < CHOICES_MAX, 'too many choices in one run');
    const value = this.policy.pick(bound, site);
    assert(value >= 0 && value < bound, 'a policy chose out of bounds');
    this.values.push(value);
    this.bounds.push(bound);
    return value;
  }

  /** Choices made since the last restart. */
  get length(): number {
    return this.position;
  }

  /** Starts over with the recorded values as prefix. */
  restart(policy: ChoicePolicy = this.policy): void {
    this.position = 0;
    this.policy = policy;
  }

  /** Starts over with `prefix` as the recorded values (bounds are learnt on the way). */
  replay(prefix: readonly number[], policy: ChoicePolicy = FIRST_CHOICE): void {
    this.values.length = 0;
    this.bounds.length = 0;
    for (const value of prefix) {
      this.values.push(value);
      this.bounds.push(0);
    }
    this.restart(policy);
  }

  /** Moves to the next untried sequence in depth-first order; false when all have been tried. */
  next(): boolean {
    this.values.length = Math.min(this.values.length, this.position);
    this.bounds.length = this.values.length;
    while (this.values.length > 0) {
      const last = this.values.length - 1;
      if (this.values[last] + 1 < this.bounds[last]) {
        this.values[last]++;
        this.restart();
        return true;
      }
      this.values.pop();
      this.bounds.pop();
    }
    this.restart();
    return false;
  }
}
