// One property of the oracle: what it says of itself, and how it looks at events. A property keeps only what it needs
// beside the model, and its work per event is in proportion to what the event changed.

import type { EventLog } from '../base/event-log.ts';
import type { Machine } from '../hardware/machine.ts';
import type { Model } from './model/model.ts';
import type { OracleOptions } from './options.ts';
import type { Facts, Violations } from './violation.ts';

export interface PropertyInfo {
  /** `P1`, `P1b`, ... */
  readonly id: string;
  readonly title: string;
  /** What it checks, in one sentence. */
  readonly checks: string;
  /** What a run of a single schedule cannot show of it. */
  readonly blindTo: string;
}

/** What a property may look at and speak through. */
export interface Bench {
  readonly machine: Machine;
  readonly model: Model;
  readonly options: OracleOptions;
  readonly violations: Violations;
}

export abstract class Property {
  abstract readonly info: PropertyInfo;
  /** Kinds of events that `event` is called for. */
  abstract readonly kinds: readonly number[];
  protected readonly bench: Bench;

  constructor(bench: Bench) {
    this.bench = bench;
  }

  /** Record `at` of the log has just happened, and the model knows of it. */
  event(_kind: number, _log: EventLog, _at: number): void {}

  /** Nothing is under way: the full scan. */
  quiet(): void {}

  reset(): void {}

  protected report(anomaly: string, facts: Facts): void {
    this.bench.violations.report(this.info.id, anomaly, facts);
  }

  protected relaxed(relaxation: string): boolean {
    return this.bench.options.relax.has(relaxation);
  }
}
