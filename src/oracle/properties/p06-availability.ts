// P6 availability: partitions that asked for it hear of each VM's birth and end, once each, in this order.

import {
  EVENT_DOMAIN_CREATE,
  EVENT_DOMAIN_CREATE_FAILED,
  EVENT_GUEST_RETURN,
  EVENT_SMC,
  EVENT_TEARDOWN_BEGIN,
  EVENT_TEARDOWN_END,
} from '../../base/event-kinds.ts';
import type { EventLog } from '../../base/event-log.ts';
import { SMCCC_UNKNOWN_FUNCTION } from '../model/answers.ts';
import { PAIR_BELIEVES, PAIR_DEAD, PAIR_MAYBE, type Pair } from '../model/availability.ts';
import { PURPOSE_AVAILABILITY } from '../model/exchange.ts';
import { Property, type PropertyInfo } from '../property.ts';
import { nameEndpoint } from '../violation.ts';

export class AvailabilityMessages extends Property {
  readonly info: PropertyInfo = {
    id: 'P6',
    title: 'availability',
    checks:
      'For each VM and each partition that subscribes, accepted "created" and "destroyed" alternate; a message is ' +
      'repeated only after "not handled"; no VM runs before those that asked were told; a failed creation leaves no ' +
      'believer, and no end is lost after an answer that says "later".',
    blindTo: 'Whether a partition that never answers would have been told in another schedule.',
  };
  readonly kinds = [
    EVENT_SMC,
    EVENT_GUEST_RETURN,
    EVENT_DOMAIN_CREATE,
    EVENT_DOMAIN_CREATE_FAILED,
    EVENT_TEARDOWN_BEGIN,
    EVENT_TEARDOWN_END,
  ];
  /** VMs whose teardown has begun and not ended. */
  private readonly underTeardown = new Set<number>();
  private readonly failed = new Set<number>();

  override reset(): void {
    this.underTeardown.clear();
    this.failed.clear();
  }

  override event(kind: number, log: EventLog, at: number): void {
    const vm = log.argument(at, 0);
    switch (kind) {
      case EVENT_SMC: {
        const exchange = this.bench.model.door.of(log.pe(at));
        if (exchange.purpose !== PURPOSE_AVAILABILITY || exchange.anomaly === null || exchange.pair === null) return;
        this.report(exchange.anomaly, { vm: exchange.pair.vm, sp: exchange.pair.sp });
        return;
      }
      case EVENT_GUEST_RETURN:
        this.firstCall(log, at, vm);
        return;
      case EVENT_DOMAIN_CREATE:
        this.failed.delete(vm);
        return;
      case EVENT_DOMAIN_CREATE_FAILED:
        this.failed.add(vm);
        return;
      case EVENT_TEARDOWN_BEGIN:
        this.underTeardown.add(vm);
        return;
      default:
        this.underTeardown.delete(vm);
    }
  }

  private firstCall(log: EventLog, at: number, vm: number): void {
    const { model } = this.bench;
    const domain = model.domains.byVm.get(vm);
    if (domain === undefined || domain.called) return;
    if (model.call(log.pe(at)).a(0) === SMCCC_UNKNOWN_FUNCTION) return;
    domain.called = true;
    for (const { sp, created } of model.availability.subscriptions.values()) {
      if (!created) continue;
      const state = model.availability.find(vm, sp)?.state;
      if (state === PAIR_BELIEVES || state === PAIR_DEAD) continue;
      this.report(`VM ${vm} runs though ${nameEndpoint(sp)} has not accepted that it was created`, { vm, sp });
    }
  }

  override quiet(): void {
    if (this.relaxed('messages-forgotten')) return;
    const { availability, domains } = this.bench.model;
    for (const [vm, pairs] of availability.byVm) {
      const domain = domains.byVm.get(vm);
      if ((domain !== undefined && !domain.failed && domain.life === 0) || this.underTeardown.has(vm)) continue;
      for (const pair of pairs) this.owed(pair);
    }
  }

  /** Nobody will tell this partition any more. */
  private owed(pair: Pair): void {
    const { availability } = this.bench.model;
    if (!availability.owes(pair) || pair.endRefused) return;
    if (pair.state !== PAIR_BELIEVES && pair.state !== PAIR_MAYBE) return;
    const { vm, sp, endsSent } = pair;
    const why = this.failed.has(vm) ? `the creation of VM ${vm} failed` : `VM ${vm} is gone`;
    this.report(`${why} and ${nameEndpoint(sp)} still believes in it`, { vm, sp, endsSent });
  }
}
