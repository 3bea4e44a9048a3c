// P7 quiet: teardown ends when it can, and keeps at it while it cannot.

import { errorName, FFA_ABORTED, FFA_DENIED, FFA_INVALID_PARAMETERS, FFA_NOT_SUPPORTED } from '../../abi/errors.ts';
import { FFA_ERROR } from '../../abi/function-ids.ts';
import {
  EVENT_QUARANTINE,
  EVENT_SMC_RETURN,
  EVENT_TEARDOWN_BEGIN,
  EVENT_TEARDOWN_END,
  EVENT_TEARDOWN_ROUND,
  EVENT_TEARDOWN_WAIT,
  EVENT_TIMER_ARM,
  EVENT_TIMER_FIRE,
  EVENT_TIMER_STOP,
} from '../../base/event-kinds.ts';
import type { EventLog } from '../../base/event-log.ts';
import { ANSWER_SUCCESS, isTransient, readAnswer } from '../model/answers.ts';
import { PAIR_TOLD_END } from '../model/availability.ts';
import { PURPOSE_RECLAIM } from '../model/exchange.ts';
import { STATE_UNKNOWN, type Transaction } from '../model/transaction.ts';
import { Property, type PropertyInfo } from '../property.ts';
import { nameHandle } from '../violation.ts';

const NO_DEADLINE = -1;
/** So many refusals that cannot change, and the teardown counts as one that asks for ever. */
const FINAL_REFUSALS_MAX = 12;

interface Teardown {
  readonly vm: number;
  rounds: number;
  /** When its next round is due at the latest. */
  untilNs: number;
  /** SMCs of the round under way that were not answered by success. */
  failures: number;
  /** Final refusals of reclaims so far, by handle. */
  readonly refusals: Map<string, number>;
}

export class Quiet extends Property {
  readonly info: PropertyInfo = {
    id: 'P7',
    title: 'quiet',
    checks:
      'A teardown begins each round by the time it announced, has a timer while it waits, is over with the round ' +
      'that leaves nothing of the guest in the secure world, leaves no timer behind, and gives pages up (quarantine) ' +
      'only when the last answer was neither DENIED nor "later"; it does not ask for ever what is refused for good.',
    blindTo: 'Whether a teardown that still waits would ever end.',
  };
  readonly kinds = [
    EVENT_TEARDOWN_BEGIN,
    EVENT_TEARDOWN_ROUND,
    EVENT_TEARDOWN_WAIT,
    EVENT_TEARDOWN_END,
    EVENT_QUARANTINE,
    EVENT_TIMER_ARM,
    EVENT_TIMER_FIRE,
    EVENT_TIMER_STOP,
    EVENT_SMC_RETURN,
  ];
  private readonly open = new Map<number, Teardown>();
  /** Timers whose firing ran a round of a teardown. */
  private readonly timers = new Set<number>();
  private readonly armed = new Set<number>();
  /** The timer that fired last on each PE, until something else begins there. */
  private readonly fired: number[] = [];
  /** The teardown that each PE works on now. */
  private readonly working: (Teardown | null)[] = [];

  override reset(): void {
    this.working.length = 0;
    this.open.clear();
    this.timers.clear();
    this.armed.clear();
    this.fired.length = 0;
  }

  override event(kind: number, log: EventLog, at: number): void {
    const id = log.argument(at, 0);
    switch (kind) {
      case EVENT_TEARDOWN_BEGIN:
        this.open.set(id, { vm: id, rounds: 0, untilNs: NO_DEADLINE, failures: 0, refusals: new Map() });
        this.fired[log.pe(at)] = 0;
        return;
      case EVENT_TEARDOWN_ROUND:
        this.round(log, at, id);
        return;
      case EVENT_SMC_RETURN: {
        const teardown = this.working[log.pe(at)] ?? null;
        if (teardown !== null && !this.wentWell(log.pe(at))) {
          teardown.failures++;
          this.refused(teardown, log.pe(at));
        }
        return;
      }
      case EVENT_TEARDOWN_WAIT:
        this.wait(log, at, id);
        return;
      case EVENT_TEARDOWN_END:
        this.open.delete(id);
        this.working[log.pe(at)] = null;
        return;
      case EVENT_QUARANTINE:
        this.quarantined(log, at);
        return;
      case EVENT_TIMER_ARM:
        this.armed.add(id);
        return;
      case EVENT_TIMER_FIRE:
        this.armed.delete(id);
        this.fired[log.pe(at)] = id;
        return;
      default:
        this.armed.delete(id);
    }
  }

  private round(log: EventLog, at: number, vm: number): void {
    const pe = log.pe(at);
    const timer = this.fired[pe] ?? 0;
    if (timer !== 0) this.timers.add(timer);
    const teardown = this.open.get(vm) ?? null;
    this.working[pe] = teardown;
    if (teardown === null) return;
    teardown.rounds++;
    teardown.failures = 0;
    this.late(teardown, log.timeNs(at));
    teardown.untilNs = NO_DEADLINE;
  }

  private wait(log: EventLog, at: number, vm: number): void {
    this.working[log.pe(at)] = null;
    const teardown = this.open.get(vm);
    if (teardown === undefined) return;
    teardown.untilNs = log.argument(at, 1);
    if (teardown.rounds === 0 || teardown.failures > 0 || this.leftOf(vm) > 0) return;
    const { rounds } = teardown;
    this.report(`the teardown of VM ${vm} goes on though the secure world has nothing of it`, { vm, rounds });
  }

  /** Whether the PE's newest SMC did what it was for. */
  private wentWell(pe: number): boolean {
    const exchange = this.bench.model.door.of(pe);
    if (exchange.pair !== null) return exchange.pair.state === PAIR_TOLD_END;
    return readAnswer(exchange.a(0), exchange.a(2)) === ANSWER_SUCCESS;
  }

  /** A refusal that will not change is no reason to go on asking. */
  private refused(teardown: Teardown, pe: number): void {
    const exchange = this.bench.model.door.of(pe);
    const code = exchange.a(2) | 0;
    if (exchange.answers !== PURPOSE_RECLAIM || exchange.a(0) !== FFA_ERROR) return;
    if (code !== FFA_INVALID_PARAMETERS && code !== FFA_NOT_SUPPORTED && code !== FFA_ABORTED) return;
    const handle = nameHandle(exchange.w(1), exchange.w(2));
    const count = (teardown.refusals.get(handle) ?? 0) + 1;
    teardown.refusals.set(handle, count);
    if (count !== FINAL_REFUSALS_MAX || this.relaxed('refused-for-good-early')) return;
    const { vm } = teardown;
    this.report(`the teardown of VM ${vm} asks for ever: the answer is always ${errorName(code)}`, {
      vm,
      handle,
      count,
    });
  }

  private late(teardown: Teardown, nowNs: number): void {
    const { vm, untilNs, rounds } = teardown;
    if (untilNs < 0 || nowNs <= untilNs + this.bench.options.retrySlackNs) return;
    this.report(`the teardown of VM ${vm} missed its deadline`, { vm, untilNs, nowNs, rounds });
  }

  private quarantined(log: EventLog, at: number): void {
    const vm = log.argument(at, 0);
    const low = log.argument(at, 2);
    const high = log.argument(at, 3);
    const { transactions } = this.bench.model;
    const transaction = transactions.find(low, high);
    const frame = log.argument(at, 5);
    // Zero is a handle, and also stands for none: the page decides.
    if (transaction === null || transaction.sender !== vm || !this.names(transaction, frame)) {
      this.quarantinedFrame(vm, frame);
      return;
    }
    transactions.quarantine(transaction);
    if (this.relaxed('refused-for-good-early')) return;
    const handle = nameHandle(low, high);
    const { reclaimCode, reclaimCount } = transaction;
    if (reclaimCount === 0) {
      if (transaction.state === STATE_UNKNOWN || transaction.displaced) return;
      this.report(`pages of VM ${vm} are in quarantine though nobody asked for them`, { vm, handle });
    } else if (reclaimCode === FFA_DENIED || isTransient(reclaimCode)) {
      const answer = errorName(reclaimCode);
      this.report(`pages of VM ${vm} are in quarantine though the last answer was ${answer}`, {
        vm,
        handle,
        reclaims: reclaimCount,
      });
    }
  }

  private names(transaction: Transaction, frame: number): boolean {
    const { transactions } = this.bench.model;
    const count = transactions.namedBy(frame);
    for (let n = 0; n < count; n++) if (transactions.at(frame, n) === transaction) return true;
    return false;
  }

  /** Without a handle it is a share with unknown outcome, found by its first frame, or a pair of buffers. */
  private quarantinedFrame(vm: number, frame: number): void {
    const { transactions } = this.bench.model;
    const count = transactions.namedBy(frame);
    for (let n = 0; n < count; n++) {
      const transaction = transactions.at(frame, n);
      if (transaction.sender === vm && transaction.state === STATE_UNKNOWN) transactions.quarantine(transaction);
    }
  }

  override quiet(): void {
    const { nowNs } = this.bench.machine.time;
    let timerArmed = this.timers.size === 0 && this.armed.size > 0;
    for (const timer of this.timers) if (this.armed.has(timer)) timerArmed = true;
    for (const teardown of this.open.values()) {
      this.late(teardown, nowNs);
      if (timerArmed) continue;
      const { vm, rounds } = teardown;
      const left = this.leftOf(vm);
      this.report(`the teardown of VM ${vm} stands still: no timer is armed for it`, { vm, rounds, left });
    }
    if (timerArmed && this.timers.size > 0 && this.open.size === 0) {
      this.report('the timer of teardowns is armed though none is open', { timers: this.timers.size });
    }
  }

  /** Transactions, messages and buffers of a VM that the secure world has, as far as is known. */
  private leftOf(vm: number): number {
    const { transactions, availability, buffers } = this.bench.model;
    let left = transactions.countOf(vm) + (buffers.atSpmc.has(vm) ? 1 : 0);
    for (const pair of availability.byVm.get(vm) ?? []) if (availability.owes(pair) && !pair.endRefused) left++;
    return left;
  }
}
