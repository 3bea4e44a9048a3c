// What an execution ended with when something did not hold.

/** The property that a failed assertion counts as: a mistake of ffabric's own. */
export const ASSERTION_PROPERTY = 'assertion';

export interface Finding {
  /** `P1`, ...; `expect`: an expectation of the world's; `assertion`. */
  readonly property: string;
  /** A sentence without a full stop. */
  readonly anomaly: string;
  readonly facts: Readonly<Record<string, number | string>>;
  /** The choices that lead to it, from the checkpoint on. */
  readonly choices: readonly number[];
  /** Steps until it was found. */
  readonly steps: number;
  /** Faults that struck, and those that might have. */
  readonly faults: number;
  readonly faultsMax: number;
}
