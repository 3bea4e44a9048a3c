// The page-owner model: all that the oracle knows, learnt from events and from hardware alone. It is brought up to date
// before any property looks at an event, with work in proportion to what the event changed.

import {
  EVENT_DMA_END,
  EVENT_DMA_START,
  EVENT_DOMAIN_CREATE,
  EVENT_DOMAIN_CREATE_FAILED,
  EVENT_DOMAIN_DYING,
  EVENT_DOMAIN_GET,
  EVENT_DOMAIN_GONE,
  EVENT_DOMAIN_PUT,
  EVENT_DOMAIN_ZOMBIE,
  EVENT_FRAME_GET,
  EVENT_FRAME_PUT,
  EVENT_GUEST_CALL,
  EVENT_GUEST_RETURN,
  EVENT_MAP,
  EVENT_REGISTERS_HIGH,
  EVENT_REGISTERS_REST,
  EVENT_SMC,
  EVENT_SMC_RETURN,
  EVENT_UNMAP,
} from '../../base/event-kinds.ts';
import type { EventLog } from '../../base/event-log.ts';
import { OWNER_QUARANTINE } from '../../hardware/frames.ts';
import type { Machine } from '../../hardware/machine.ts';
import { Availability } from './availability.ts';
import { Buffers } from './buffers.ts';
import { Dma } from './dma.ts';
import { Domains, LIFE_ALIVE, LIFE_DYING, LIFE_ZOMBIE } from './domains.ts';
import { PURPOSE_SEND } from './exchange.ts';
import { GuestCall } from './guest-call.ts';
import { Guests } from './guests.ts';
import { SecureDoor } from './secure-door.ts';
import { Spaces } from './spaces.ts';
import { TransactionTable } from './transaction-table.ts';

export class Model {
  readonly machine: Machine;
  readonly transactions = new TransactionTable();
  readonly availability = new Availability();
  readonly buffers = new Buffers();
  readonly domains = new Domains();
  readonly spaces = new Spaces();
  readonly guests = new Guests(this.spaces);
  readonly dma = new Dma();
  readonly door: SecureDoor;
  private readonly calls: GuestCall[] = [];

  constructor(machine: Machine) {
    this.machine = machine;
    this.door = new SecureDoor(machine, this.transactions, this.availability, this.buffers, this.domains);
  }

  reset(): void {
    this.transactions.reset();
    this.availability.reset();
    this.buffers.reset();
    this.domains.reset();
    this.spaces.reset();
    this.guests.reset();
    this.dma.reset();
    this.door.reset();
    this.calls.length = 0;
  }

  /** The call that a PE has open, or had last. */
  call(pe: number): GuestCall {
    while (this.calls.length <= pe) this.calls.push(new GuestCall(this.calls.length));
    return this.calls[pe];
  }

  /** Calls of guests that have no answer. */
  openCalls(): GuestCall[] {
    return this.calls.filter((call) => call.open);
  }

  /** References that the frame's allocation holds, as far as is known: its owner gives it up while it dies. */
  allocationReferences(frame: number): number {
    const owner = this.machine.frames.owner(frame);
    if (owner <= 0) return owner === 0 || owner === OWNER_QUARANTINE ? 0 : 1;
    const domain = this.domains.bySerial.get(owner);
    if (domain === undefined) return this.domains.isGone(owner) ? 0 : 1;
    return domain.life === LIFE_ALIVE && !domain.failed ? 1 : 0;
  }

  update(kind: number, log: EventLog, at: number): void {
    switch (kind) {
      case EVENT_SMC:
        this.smc(log, at);
        return;
      case EVENT_SMC_RETURN:
        this.smcReturn(log, at);
        return;
      case EVENT_GUEST_CALL:
        this.guestCall(log, at);
        return;
      case EVENT_GUEST_RETURN:
        this.guestReturn(log, at);
        return;
      case EVENT_FRAME_GET:
      case EVENT_FRAME_PUT:
        this.reference(log, at, kind === EVENT_FRAME_GET ? 1 : -1);
        return;
      case EVENT_MAP: {
        const space = this.spaces.find(log.argument(at, 0));
        if (space !== null) space.mapped(log.argument(at, 1), log.argument(at, 2), log.argument(at, 3));
        return;
      }
      case EVENT_UNMAP: {
        const space = this.spaces.find(log.argument(at, 0));
        if (space !== null) space.unmapped(log.argument(at, 1), log.argument(at, 2), log.argument(at, 3));
        return;
      }
      case EVENT_REGISTERS_HIGH:
      case EVENT_REGISTERS_REST:
        this.door.moreRegisters(log, at, kind === EVENT_REGISTERS_HIGH);
        return;
      case EVENT_DMA_START:
        this.dma.start(log.argument(at, 0), log.argument(at, 1), log.argument(at, 2));
        return;
      case EVENT_DMA_END:
        this.dma.end(log.argument(at, 0), log.argument(at, 1), log.argument(at, 2));
        return;
      default:
        this.domainEvent(kind, log, at);
    }
  }

  private smc(log: EventLog, at: number): void {
    const exchange = this.door.request(log, at);
    const call = this.call(exchange.pe);
    if (!call.open) return;
    call.smcCount++;
    const { transaction } = exchange;
    if (exchange.purpose === PURPOSE_SEND && transaction !== null && !call.sent.includes(transaction)) {
      call.sent.push(transaction);
    }
  }

  private smcReturn(log: EventLog, at: number): void {
    const exchange = this.door.answer(log, at);
    const call = this.call(exchange.pe);
    if (call.open && exchange.transaction !== null && !exchange.transaction.counts) {
      call.ended.push(exchange.transaction);
    }
  }

  private guestCall(log: EventLog, at: number): void {
    const call = this.call(log.pe(at));
    const vm = log.argument(at, 0);
    call.begin(vm, this.domains.byVm.get(vm)?.serial ?? 0, log.count - 1);
    for (let n = 0; n < 8; n++) call.request[n] = log.argument(at, n + 1);
  }

  private guestReturn(log: EventLog, at: number): void {
    const call = this.call(log.pe(at));
    for (let n = 0; n < 8; n++) call.answer[n] = log.argument(at, n + 1);
    call.open = false;
    this.guests.answered(call);
  }

  /** After every property has looked at the event: what it ends is forgotten. */
  conclude(kind: number, log: EventLog, at: number): void {
    if (kind === EVENT_DOMAIN_CREATE) {
      this.availability.forget(log.argument(at, 0));
      this.guests.forget(log.argument(at, 0));
    } else if (kind === EVENT_DOMAIN_GONE) this.availability.settle(log.argument(at, 0));
  }

  private reference(log: EventLog, at: number, sign: number): void {
    const call = this.call(log.pe(at));
    if (call.open && (call.serial === 0 || log.argument(at, 2) === call.serial)) {
      call.note(log.argument(at, 0), log.argument(at, 1), sign);
    }
  }

  private domainEvent(kind: number, log: EventLog, at: number): void {
    const vm = log.argument(at, 0);
    const serial = log.argument(at, 1);
    switch (kind) {
      case EVENT_DOMAIN_CREATE:
        this.domains.create(vm, serial, log.argument(at, 2));
        return;
      case EVENT_DOMAIN_GONE:
        this.domains.gone(serial);
        return;
      case EVENT_DOMAIN_CREATE_FAILED:
      case EVENT_DOMAIN_DYING:
      case EVENT_DOMAIN_ZOMBIE:
      case EVENT_DOMAIN_GET:
      case EVENT_DOMAIN_PUT:
        break;
      default:
        return;
    }
    const domain = this.domains.bySerial.get(serial);
    this.domains.stray = domain === undefined && this.domains.isGone(serial);
    if (domain === undefined) return;
    if (kind === EVENT_DOMAIN_CREATE_FAILED) domain.failed = true;
    else if (kind === EVENT_DOMAIN_DYING) domain.life = LIFE_DYING;
    else if (kind === EVENT_DOMAIN_ZOMBIE) domain.life = LIFE_ZOMBIE;
    else {
      const references = log.argument(at, 2);
      if (domain.baseline < 0) domain.baseline = kind === EVENT_DOMAIN_GET ? references - 1 : references + 1;
      domain.references = references;
    }
  }
}
