// Names as a run goes on: a VM id that lives twice is two guests, and each has the name that its incarnation has.

import { EVENT_DOMAIN_CREATE } from '../base/event-kinds.ts';
import { type ActorNames, copyNames, endpointName, renameEndpoint } from './actor-names.ts';
import type { EventSource } from './event-source.ts';

export class NamesOverTime {
  /** The names of now. */
  readonly names: ActorNames;
  private readonly nameOfOwner: ReadonlyMap<number, string>;

  constructor(names: ActorNames) {
    this.names = copyNames(names);
    this.nameOfOwner = new Map((names.owners ?? []).map(({ id, name }) => [id, name]));
  }

  /** Sees record `at`; records come in order. */
  see(events: EventSource, at: number): void {
    if (events.kind(at) !== EVENT_DOMAIN_CREATE) return;
    const vm = events.argument(at, 0);
    const name = this.nameOfOwner.get(events.argument(at, 1));
    if (name !== undefined && name !== endpointName(this.names, vm)) renameEndpoint(this.names, vm, name);
  }
}
