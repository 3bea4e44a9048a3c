// The actors of a run, in the order in which every picture draws them: guests, hypervisor, SPMC, partitions, timer.
// And for each event, whose it is and to whom it goes.

import { isSecureEndpoint } from '../abi/endpoint-ids.ts';
import * as k from '../base/event-kinds.ts';
import { type ActorNames, endpointName } from './actor-names.ts';
import type { EventSource } from './event-source.ts';

export type ActorKind = 'vm' | 'hypervisor' | 'spmc' | 'sp' | 'timer';

export interface Actor {
  readonly kind: ActorKind;
  /** Endpoint id of a guest or partition, else 0; -1 for the crowd of guests that have no place of their own. */
  readonly id: number;
  readonly name: string;
}

/** An event's ends: `to` is null when it stays where it is. */
export interface Ends {
  readonly from: Actor;
  readonly to: Actor | null;
}

const CROWD_ID = -1;

export class Actors {
  /** In drawing order. */
  readonly list: readonly Actor[];
  readonly hypervisor: Actor = { kind: 'hypervisor', id: 0, name: 'hypervisor' };
  readonly spmc: Actor = { kind: 'spmc', id: 0, name: 'SPMC' };
  readonly timer: Actor = { kind: 'timer', id: 0, name: 'timer' };
  private readonly vms = new Map<number, Actor>();
  private readonly sps = new Map<number, Actor>();
  private readonly guests: Actor = { kind: 'vm', id: CROWD_ID, name: 'guests' };
  private readonly partitions: Actor = { kind: 'sp', id: CROWD_ID, name: 'SPs' };

  /** Guests and partitions that `names` knows, and those that only `events` knows; more than `most` share one place. */
  constructor(names: ActorNames, events: EventSource | null, most = Number.POSITIVE_INFINITY) {
    const vmIds = new Set(names.vms.map((one) => one.id));
    const spIds = new Set(names.sps.map((one) => one.id));
    if (events !== null) addIds(events, vmIds, spIds);
    const vms = this.place('vm', vmIds, this.vms, this.guests, names, most);
    const sps = this.place('sp', spIds, this.sps, this.partitions, names, most);
    this.list = [...vms, this.hypervisor, this.spmc, ...sps, this.timer];
  }

  /** The actor of an endpoint id. */
  endpoint(id: number): Actor {
    if (id === 0) return this.hypervisor;
    return isSecureEndpoint(id) ? (this.sps.get(id) ?? this.partitions) : (this.vms.get(id) ?? this.guests);
  }

  /** Whose event record `at` is, and to whom it goes; null for what belongs to nobody (a story line). */
  endsOf(events: EventSource, at: number): Ends | null {
    const kind = events.kind(at);
    const first = events.argument(at, 0);
    switch (kind) {
      case k.EVENT_GUEST_CALL:
        return { from: this.endpoint(first), to: this.hypervisor };
      case k.EVENT_GUEST_RETURN:
        return { from: this.hypervisor, to: this.endpoint(first) };
      case k.EVENT_SMC:
        return { from: this.hypervisor, to: this.spmc };
      case k.EVENT_SMC_RETURN:
        return { from: this.spmc, to: this.hypervisor };
      case k.EVENT_SP_CALL:
        return { from: this.endpoint(first), to: this.spmc };
      case k.EVENT_SP_RETURN:
        return { from: this.spmc, to: this.endpoint(first) };
      case k.EVENT_TIMER_FIRE:
        return { from: this.timer, to: this.hypervisor };
      case k.EVENT_TIMER_ARM:
      case k.EVENT_TIMER_STOP:
        return { from: this.timer, to: null };
      case k.EVENT_INTERRUPT:
        return { from: this.endpoint(first), to: null };
      case k.EVENT_STORY:
      case k.EVENT_EXPECTATION:
      case k.EVENT_VIOLATION:
      case k.EVENT_CHOICE:
        return null;
      case k.EVENT_FAULT:
        return { from: this.spmc, to: null };
      default:
        return { from: this.holder(kind, first), to: null };
    }
  }

  private holder(kind: number, first: number): Actor {
    if (kind >= k.EVENT_SP_ENTER && kind <= k.EVENT_SECURE_INTERRUPT) return this.endpoint(first);
    if (kind >= k.EVENT_DOMAIN_CREATE && kind <= k.EVENT_DOMAIN_CREATE_FAILED) return this.endpoint(first);
    if (kind === k.EVENT_MAP || kind === k.EVENT_UNMAP) return this.endpoint(first);
    if (kind >= k.EVENT_DMA_START && kind <= k.EVENT_MEMORY_READ) return this.endpoint(first);
    return this.hypervisor;
  }

  private place(
    kind: 'vm' | 'sp',
    ids: ReadonlySet<number>,
    known: Map<number, Actor>,
    crowd: Actor,
    names: ActorNames,
    most: number,
  ): Actor[] {
    if (ids.size > most) return [crowd];
    const placed: Actor[] = [];
    for (const id of ids) {
      const actor: Actor = { kind, id, name: endpointName(names, id) };
      known.set(id, actor);
      placed.push(actor);
    }
    return placed;
  }
}

function addIds(events: EventSource, vmIds: Set<number>, spIds: Set<number>): void {
  const vms: number[] = [];
  const sps: number[] = [];
  for (let at = 0; at < events.kept; at++) {
    const kind = events.kind(at);
    const id = events.argument(at, 0);
    if (kind === k.EVENT_GUEST_CALL || kind === k.EVENT_DOMAIN_CREATE) vms.push(id);
    else if (kind === k.EVENT_SP_CALL || kind === k.EVENT_SP_ENTER) sps.push(id);
  }
  for (const id of vms.sort((a, b) => a - b)) vmIds.add(id);
  for (const id of sps.sort((a, b) => a - b)) spIds.add(id);
}
