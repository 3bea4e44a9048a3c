// Which guest a frame owner is: a domain's serial, as `domain-create` introduces it, or who the world's author says.

import * as k from '../base/event-kinds.ts';
import { type ActorNames, endpointName } from './actor-names.ts';
import type { EventSource } from './event-source.ts';
import { ownerName } from './event-words.ts';

export interface OwnerLife {
  readonly name: string;
  /** VM id; 0 for an owner that is no guest. */
  readonly vm: number;
  readonly isDying: boolean;
  readonly isGone: boolean;
}

/** Follows the lives of owners, record by record. */
export class FrameOwners {
  private readonly names: ActorNames;
  private readonly vmOfSerial = new Map<number, number>();
  private readonly dying = new Set<number>();
  private readonly gone = new Set<number>();
  private readonly nameOfOwner: ReadonlyMap<number, string>;
  private readonly incarnations = new Map<number, number[]>();

  /** Looks through `events` for who will live: memory is allocated before `domain-create` says for whom. */
  constructor(names: ActorNames, events: EventSource) {
    this.names = names;
    this.nameOfOwner = new Map((names.owners ?? []).map(({ id, name }) => [id, name]));
    for (let at = 0; at < events.kept; at++) {
      if (events.kind(at) !== k.EVENT_DOMAIN_CREATE) continue;
      const vm = events.argument(at, 0);
      const serial = events.argument(at, 1);
      this.vmOfSerial.set(serial, vm);
      const serials = this.incarnations.get(vm) ?? [];
      serials.push(serial);
      this.incarnations.set(vm, serials);
    }
  }

  see(events: EventSource, at: number): void {
    const serial = events.argument(at, 1);
    switch (events.kind(at)) {
      case k.EVENT_DOMAIN_DYING:
      case k.EVENT_DOMAIN_CREATE_FAILED:
        this.dying.add(serial);
        return;
      case k.EVENT_DOMAIN_GONE:
        this.dying.add(serial);
        this.gone.add(serial);
        return;
      default:
    }
  }

  life(owner: number): OwnerLife {
    const vm = this.vmOfSerial.get(owner) ?? 0;
    return {
      name: vm === 0 ? ownerName(this.names, owner) : this.incarnationName(vm, owner),
      vm,
      isDying: this.dying.has(owner),
      isGone: this.gone.has(owner),
    };
  }

  /** The incarnation's own name; `g1 #2` where one name lived more than once under an id. */
  private incarnationName(vm: number, serial: number): string {
    const name = this.nameOfSerial(vm, serial);
    const namesakes = (this.incarnations.get(vm) ?? []).filter((one) => this.nameOfSerial(vm, one) === name);
    return namesakes.length < 2 ? name : `${name} #${namesakes.indexOf(serial) + 1}`;
  }

  private nameOfSerial(vm: number, serial: number): string {
    return this.nameOfOwner.get(serial) ?? endpointName(this.names, vm);
  }
}
