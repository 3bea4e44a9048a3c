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
  private readonly incarnations = new Map<number, number[]>();

  /** Looks through `events` for who will live: memory is allocated before `domain-create` says for whom. */
  constructor(names: ActorNames, events: EventSource) {
    this.names = names;
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

  /** `g1`, or `g1 #2` where an id lived more than once. */
  private incarnationName(vm: number, serial: number): string {
    const name = endpointName(this.names, vm);
    const serials = this.incarnations.get(vm) ?? [];
    return serials.length < 2 ? name : `${name} #${serials.indexOf(serial) + 1}`;
  }
}
