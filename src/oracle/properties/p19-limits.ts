// P19 limits: what one guest has in the secure world is bounded.

import { EVENT_SMC } from '../../base/event-kinds.ts';
import type { EventLog } from '../../base/event-log.ts';
import { PURPOSE_SEND } from '../model/exchange.ts';
import type { Transaction } from '../model/transaction.ts';
import { Property, type PropertyInfo } from '../property.ts';
import { nameEndpoint } from '../violation.ts';

export class Limits extends Property {
  readonly info: PropertyInfo = {
    id: 'P19',
    title: 'limits',
    checks:
      'No guest has more transactions in the secure world, or more pages in them, than the profile promises; all ' +
      'guests together keep to the host\u2019s number and to what is reserved for those with few, and no borrower is ' +
      'in more than its share.',
    blindTo: 'Messages and ids, whose number no single run drives to a limit by itself.',
  };
  readonly kinds = [EVENT_SMC];

  override event(_kind: number, log: EventLog, at: number): void {
    const { model, options } = this.bench;
    const exchange = model.door.of(log.pe(at));
    if (exchange.purpose !== PURPOSE_SEND || exchange.transaction === null) return;
    const { sender, serial } = exchange.transaction;
    const totals = model.transactions.bySerial.get(serial);
    if (totals === undefined || serial === 0) return;
    const { transactions, pages } = totals;
    if (transactions > options.sharesPerGuestMax) {
      const limit = options.sharesPerGuestMax;
      this.report(`VM ${sender} has more transactions than its limit`, { vm: sender, transactions, limit });
    }
    this.host(exchange.transaction, transactions);
    if (pages > options.pinnedPagesPerGuestMax) {
      const limit = options.pinnedPagesPerGuestMax;
      this.report(`VM ${sender} has more pages pinned than its limit`, { vm: sender, pages, limit });
    }
  }

  /** `own`: how many transactions the sender has, this one included. */
  private host({ sender, receivers }: Transaction, own: number): void {
    const { model, options } = this.bench;
    const { slots } = model.transactions;
    const limit = options.sharesPerHostMax;
    if (slots > limit) {
      this.report('the host has more transactions than its limit', { vm: sender, transactions: slots, limit });
    } else if (slots > limit - options.sharesReserved && own > options.sharesAssured) {
      this.report(`VM ${sender} takes what is reserved for guests with few transactions`, {
        vm: sender,
        transactions: slots,
        own,
        reserved: options.sharesReserved,
      });
    }
    for (const { id } of receivers) {
      const borrowed = model.transactions.borrowedBy(id);
      if (borrowed <= options.sharesPerBorrowerMax) continue;
      const facts = { vm: sender, borrowed, limit: options.sharesPerBorrowerMax };
      this.report(`${nameEndpoint(id)} is a borrower of more than its share`, facts);
    }
  }
}
