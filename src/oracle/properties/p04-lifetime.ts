// P4 lifetime: nothing that has ended is touched again.

import { FFA_MEM_FRAG_TX, FFA_MEM_RECLAIM } from '../../abi/function-ids.ts';
import {
  EVENT_DOMAIN_DYING,
  EVENT_DOMAIN_GET,
  EVENT_DOMAIN_GONE,
  EVENT_DOMAIN_PUT,
  EVENT_DOMAIN_ZOMBIE,
  EVENT_FRAME_GET,
  EVENT_GUEST_CALL,
  EVENT_MAP,
  EVENT_MEMORY_READ,
  EVENT_MEMORY_WRITE,
  EVENT_SMC,
  EVENT_TEARDOWN_BEGIN,
  EVENT_TEARDOWN_END,
  EVENT_TEARDOWN_ROUND,
  EVENT_TEARDOWN_WAIT,
} from '../../base/event-kinds.ts';
import type { EventLog } from '../../base/event-log.ts';
import { OWNER_FREE } from '../../hardware/frames.ts';
import { Property, type PropertyInfo } from '../property.ts';
import { nameEndpoint, nameHandle } from '../violation.ts';

/** In longer ranges only every so many frames are looked at, and the last. */
const STRIDE_FRAMES = 512;

export class Lifetime extends Property {
  readonly info: PropertyInfo = {
    id: 'P4',
    title: 'lifetime',
    checks:
      'No event touches a domain that is gone, a handle that has ended, a frame that is free or a teardown that is ' +
      'over.',
    blindTo: 'Accesses that no event tells, and handles older than the last 4,096 that ended.',
  };
  readonly kinds = [
    EVENT_FRAME_GET,
    EVENT_MAP,
    EVENT_MEMORY_READ,
    EVENT_MEMORY_WRITE,
    EVENT_DOMAIN_DYING,
    EVENT_DOMAIN_ZOMBIE,
    EVENT_DOMAIN_GONE,
    EVENT_DOMAIN_GET,
    EVENT_DOMAIN_PUT,
    EVENT_GUEST_CALL,
    EVENT_SMC,
    EVENT_TEARDOWN_BEGIN,
    EVENT_TEARDOWN_ROUND,
    EVENT_TEARDOWN_WAIT,
    EVENT_TEARDOWN_END,
  ];
  /** VMs whose teardown has begun and not ended. */
  private readonly teardowns = new Set<number>();

  override reset(): void {
    this.teardowns.clear();
  }

  override event(kind: number, log: EventLog, at: number): void {
    switch (kind) {
      case EVENT_FRAME_GET:
        this.referenced(log.argument(at, 0), log.argument(at, 2));
        return;
      case EVENT_MAP:
        this.mapped(log.argument(at, 0), log.argument(at, 2), log.argument(at, 3));
        return;
      case EVENT_MEMORY_READ:
      case EVENT_MEMORY_WRITE:
        this.accessed(kind === EVENT_MEMORY_WRITE ? 'writes' : 'reads', log.argument(at, 0), log.argument(at, 1));
        return;
      case EVENT_GUEST_CALL: {
        const vm = log.argument(at, 0);
        const { domains } = this.bench.model;
        if (domains.knows(vm) && !domains.byVm.has(vm)) this.report(`VM ${vm} makes a call though it is gone`, { vm });
        return;
      }
      case EVENT_SMC:
        this.handle(log, at);
        return;
      case EVENT_TEARDOWN_BEGIN:
        this.teardowns.add(log.argument(at, 0));
        return;
      case EVENT_TEARDOWN_ROUND:
      case EVENT_TEARDOWN_WAIT:
      case EVENT_TEARDOWN_END: {
        const vm = log.argument(at, 0);
        if (!this.teardowns.has(vm)) this.report(`the teardown of VM ${vm} goes on though it is over`, { vm });
        if (kind === EVENT_TEARDOWN_END) this.teardowns.delete(vm);
        return;
      }
      default:
        this.domain(log.argument(at, 0), log.argument(at, 1));
    }
  }

  private referenced(frame: number, owner: number): void {
    if (!this.bench.model.domains.isGone(owner)) return;
    this.report('page of a domain that is gone gets a reference', { frame, owner });
  }

  private mapped(space: number, first: number, count: number): void {
    const { frames } = this.bench.machine;
    const stride = count < STRIDE_FRAMES ? 1 : STRIDE_FRAMES;
    for (let frame = first; ; frame += stride) {
      const at = Math.min(frame, first + count - 1);
      if (frames.has(at) && frames.owner(at) === OWNER_FREE) {
        this.report(`free page is mapped for ${nameEndpoint(space)}`, { frame: at, endpoint: space });
        return;
      }
      if (at !== frame || at === first + count - 1) return;
    }
  }

  private accessed(does: string, endpoint: number, frame: number): void {
    const { frames } = this.bench.machine;
    if (!frames.has(frame) || frames.owner(frame) !== OWNER_FREE) return;
    this.report(`${nameEndpoint(endpoint)} ${does} a free page`, { frame, endpoint });
  }

  /** A reclaim or a fragment for a handle that has ended: it may be somebody else's by the time it arrives. */
  private handle(log: EventLog, at: number): void {
    const exchange = this.bench.model.door.of(log.pe(at));
    const fid = exchange.w(0);
    if (fid !== FFA_MEM_RECLAIM && fid !== FFA_MEM_FRAG_TX) return;
    const sender = this.bench.model.transactions.buried(exchange.w(1), exchange.w(2));
    if (sender < 0) return;
    const handle = nameHandle(exchange.w(1), exchange.w(2));
    const call = fid === FFA_MEM_RECLAIM ? 'MEM_RECLAIM' : 'MEM_FRAG_TX';
    this.report(`${call} is sent for a handle that has ended`, { handle, vm: sender });
  }

  /** The model has just followed the event: a domain that it does not know, though it did, is gone. */
  private domain(vm: number, serial: number): void {
    if (!this.bench.model.domains.stray) return;
    this.report(`domain of VM ${vm} is touched though it is gone`, { vm, serial });
  }
}
