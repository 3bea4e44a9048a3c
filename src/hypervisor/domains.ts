// The table of domains: ids, memory, references, and what is left of the dead. An id is free again only when its domain
// is gone (and, in profiles that keep records, when nothing is owed under it: `retain` and `unretain`).

import { assert } from '../base/assert.ts';
import {
  EVENT_DOMAIN_CREATE,
  EVENT_DOMAIN_CREATE_FAILED,
  EVENT_DOMAIN_DYING,
  EVENT_DOMAIN_GET,
  EVENT_DOMAIN_GONE,
  EVENT_DOMAIN_PUT,
  EVENT_DOMAIN_ZOMBIE,
} from '../base/event-kinds.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { Machine } from '../hardware/machine.ts';
import { STAGE2_RWX } from '../hardware/stage2.ts';
import { DOMAIN_DEAD, DOMAIN_DYING, DOMAIN_GONE, Domain, type DomainConfig } from './domain.ts';

/** Ids 0 to 0x7fef: VM id = id + 1 stays below 0x7ff0 and has bit 15 clear. */
const DOMAIN_ID_END = 0x7fef;

/** Banks that are linear regions of the stage 2; further ones are mapped page by page. */
const LINEAR_BANKS_MAX = 4;

export class Domains {
  private readonly machine: Machine;
  private readonly gone: (domain: Domain) => void;
  private readonly byId = new Map<number, Domain>();
  /** Ids that are in use by something other than a domain (a record): how many hold each. */
  private readonly retained = new Map<number, number>();
  /** The first id that is never given; ids begin at 1. */
  idEnd = DOMAIN_ID_END;
  private serials = 0;
  private nextId = 1;

  constructor(machine: Machine, gone: (domain: Domain) => void) {
    this.machine = machine;
    this.gone = gone;
  }

  get count(): number {
    return this.byId.size;
  }

  find(id: number): Domain | null {
    return this.byId.get(id) ?? null;
  }

  findVm(vmId: number): Domain | null {
    return this.byId.get(vmId - 1) ?? null;
  }

  all(): IterableIterator<Domain> {
    return this.byId.values();
  }

  /** A domain with the next free id, or null when ids or memory have run out (nothing is allocated then). */
  allocate(config: DomainConfig): Domain | null {
    const id = this.freeId();
    if (id < 0) return null;
    return this.allocateAs(id, config);
  }

  /** A domain with this id, which must be free. Null when memory has run out. */
  allocateAs(id: number, config: DomainConfig): Domain | null {
    assert(!this.byId.has(id), 'a domain id is used once at a time');
    const serial = ++this.serials;
    const frames = this.machine.frames;
    const domain = new Domain(this.machine, id, serial, config, (emptied) => this.put(emptied));
    if (config.pageCount > 0) {
      const runs = frames.allocateRuns(config.pageCount, serial);
      if (runs === null) return null;
      frames.setOwner(serial, domain);
      this.populate(domain, runs);
      domain.references++;
    }
    this.byId.set(id, domain);
    const events = this.machine.events;
    if (events.on) events.emit(EVENT_DOMAIN_CREATE, 0, domain.vmId, serial, config.pageCount);
    return domain;
  }

  /** The domain's RAM: adjacent guest frames over runs of frames. */
  private populate(domain: Domain, runs: readonly number[]): void {
    let gfn = Math.floor(domain.config.ramBase / PAGE_SIZE_BYTES);
    for (let n = 0; n < runs.length; n += 2) {
      const frame = runs[n];
      const count = runs[n + 1];
      domain.banks.push({ gfn, frame, count });
      if (domain.banks.length <= LINEAR_BANKS_MAX) domain.stage2.addRegion(gfn, frame, count, STAGE2_RWX);
      else domain.stage2.map(gfn, frame, count, STAGE2_RWX);
      gfn += count;
    }
    domain.totalPages = domain.config.pageCount;
  }

  /** One more reference. */
  get(domain: Domain): void {
    assert(domain.life !== DOMAIN_GONE, 'a domain that is gone has no references');
    domain.references++;
    const events = this.machine.events;
    if (events.on) events.emit(EVENT_DOMAIN_GET, 0, domain.vmId, domain.serial, domain.references);
  }

  /** One reference less; without any the domain is gone. */
  put(domain: Domain): void {
    domain.references--;
    assert(domain.references >= 0, 'more domain puts than gets');
    const events = this.machine.events;
    if (events.on) events.emit(EVENT_DOMAIN_PUT, 0, domain.vmId, domain.serial, domain.references);
    if (domain.references === 0) this.forget(domain);
  }

  dying(domain: Domain): void {
    domain.life = DOMAIN_DYING;
    const events = this.machine.events;
    if (events.on) events.emit(EVENT_DOMAIN_DYING, 0, domain.vmId, domain.serial);
  }

  creationFailed(domain: Domain, error: number): void {
    const events = this.machine.events;
    if (events.on) events.emit(EVENT_DOMAIN_CREATE_FAILED, 0, domain.vmId, domain.serial, error);
  }

  /** Drops the allocation references of all its pages; pages that nobody else references are free now. */
  relinquish(domain: Domain): void {
    if (domain.relinquished) return;
    domain.relinquished = true;
    domain.stage2.clear();
    for (const bank of domain.banks) this.machine.frames.putRange(bank.frame, bank.count);
  }

  /** Drops the domain's own reference. */
  drop(domain: Domain): void {
    assert(domain.life !== DOMAIN_DEAD && domain.life !== DOMAIN_GONE, 'a domain dies once');
    domain.life = DOMAIN_DEAD;
    const events = this.machine.events;
    if (events.on && domain.references > 1) {
      events.emit(EVENT_DOMAIN_ZOMBIE, 0, domain.vmId, domain.serial, domain.totalPages, domain.references - 1);
    }
    this.put(domain);
  }

  /** Frees a domain whose creation failed, at once, whatever references it. */
  abandon(domain: Domain): void {
    this.relinquish(domain);
    if (domain.life === DOMAIN_GONE) return;
    domain.references = 0;
    this.forget(domain);
  }

  /** Keeps an id out of use. */
  retain(id: number): void {
    this.retained.set(id, (this.retained.get(id) ?? 0) + 1);
  }

  /** Ids that something other than a domain keeps. */
  get retainedCount(): number {
    return this.retained.size;
  }

  unretain(id: number): void {
    const count = this.retained.get(id) ?? 0;
    assert(count > 0, 'an id is released as often as it was retained');
    if (count === 1) this.retained.delete(id);
    else this.retained.set(id, count - 1);
  }

  private forget(domain: Domain): void {
    domain.life = DOMAIN_GONE;
    this.byId.delete(domain.id);
    this.machine.frames.forgetOwner(domain.serial, domain);
    this.gone(domain);
    const events = this.machine.events;
    if (events.on) events.emit(EVENT_DOMAIN_GONE, 0, domain.vmId, domain.serial);
  }

  /** The next free id in rotation, so that an id rests as long as possible before it is used again. */
  private freeId(): number {
    for (let tried = 0; tried < this.idEnd; tried++) {
      const id = this.nextId;
      this.nextId = id + 1 < this.idEnd ? id + 1 : 1;
      if (!this.byId.has(id) && !this.retained.has(id)) return id;
    }
    return -1;
  }
}
