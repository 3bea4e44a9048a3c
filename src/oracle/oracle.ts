// The judge. It listens to every event, keeps the page-owner model up to date, and lets each property look at what
// concerns it. It stands outside: it shares no code with the hypervisor or the SPMC, sees no state of theirs, and reads
// only events and hardware.
//
//     const oracle = new Oracle(machine, { smcsPerCallMax: 128 });
//     oracle.watchSpace(0x8001, partitionStage2);
//     ... run ...
//     oracle.quiet();
//     oracle.violations
//
// Limits: it sees one schedule; what each property cannot see in one is in its `info.blindTo`. Handles of the last
// 4,096 transactions that ended are remembered, and 1,000 different violations.

import { EVENT_DOMAIN_CREATE, EVENT_DOMAIN_GONE } from '../base/event-kinds.ts';
import type { EventListener, EventLog } from '../base/event-log.ts';
import type { Machine } from '../hardware/machine.ts';
import type { Stage2 } from '../hardware/stage2.ts';
import { Model } from './model/model.ts';
import type { Transaction } from './model/transaction.ts';
import { completeOptions, type OracleOptions, type OracleOptionsInput } from './options.ts';
import { makeProperties } from './properties.ts';
import type { Property } from './property.ts';
import { type Facts, type Violation, Violations } from './violation.ts';

export class Oracle implements EventListener {
  readonly machine: Machine;
  readonly options: OracleOptions;
  readonly model: Model;
  readonly properties: readonly Property[];
  private readonly found: Violations;
  /** Which properties look at a kind of event, by its number. */
  private readonly lookers: Property[][] = [];

  /** Listens to the machine's events from now on. */
  constructor(machine: Machine, options: OracleOptionsInput = {}) {
    this.machine = machine;
    this.options = completeOptions(options);
    this.model = new Model(machine);
    this.model.transactions.credulous = this.options.relax.has('unknown-outcome-released');
    this.model.guests.renegotiable = this.options.relax.has('version-renegotiated');
    this.found = new Violations(machine);
    const bench = { machine, model: this.model, options: this.options, violations: this.found };
    this.properties = makeProperties(bench).filter((property) => !this.options.off.has(property.info.id));
    for (const property of this.properties) {
      for (const kind of property.kinds) {
        while (this.lookers.length <= kind) this.lookers.push([]);
        this.lookers[kind].push(property);
      }
    }
    machine.events.listen(this);
  }

  /** What was found so far, in order. */
  get violations(): readonly Violation[] {
    return this.found.list;
  }

  /** Different violations beyond the 1,000 that are kept. */
  get violationsLost(): number {
    return this.found.lost;
  }

  /**
   * Looks at this stage 2 too: a partition's (`endpoint` has bit 15) or a guest's. A space that is watched already
   * under the same id is replaced.
   */
  watchSpace(endpoint: number, stage2: Stage2): void {
    this.model.spaces.watch(endpoint, stage2);
  }

  /** The endpoint has gone; its stage 2 is not looked at any more. */
  forgetSpace(endpoint: number): void {
    this.model.spaces.forget(endpoint);
  }

  event(log: EventLog, at: number): void {
    const kind = log.kind(at);
    this.model.update(kind, log, at);
    if (kind < this.lookers.length) {
      const lookers = this.lookers[kind];
      for (let n = 0; n < lookers.length; n++) lookers[n].event(kind, log, at);
    }
    if (kind === EVENT_DOMAIN_CREATE || kind === EVENT_DOMAIN_GONE) this.model.conclude(kind, log, at);
  }

  /** Nothing is under way: every property looks at everything. */
  quiet(): void {
    for (const property of this.properties) property.quiet();
  }

  /** For what only the world can see, such as a deadlock: a violation of `property` unless it is off. */
  report(property: string, anomaly: string, facts: Facts): void {
    if (!this.options.off.has(property)) this.found.report(property, anomaly, facts);
  }

  /** Pages of guests that the endpoint maps now. */
  pagesHeldBy(endpoint: number): number {
    const space = this.model.spaces.find(endpoint);
    if (space === null) return 0;
    let pages = 0;
    for (const frame of space.gfnByFrame.keys()) {
      if (this.machine.frames.has(frame) && this.machine.frames.owner(frame) > 0 && space.maps(frame)) pages++;
    }
    return pages;
  }

  /** Transactions that exist in the secure world, oldest first. */
  get liveTransactions(): Transaction[] {
    return this.model.transactions.live;
  }

  /** Transactions of which nobody knows whether they exist. */
  get unknownTransactions(): Transaction[] {
    return this.model.transactions.unknown;
  }

  /** As at the beginning; spaces have to be watched anew. */
  reset(): void {
    this.model.reset();
    this.found.reset();
    for (const property of this.properties) property.reset();
  }
}
