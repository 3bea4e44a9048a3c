// P5 reclaim: it succeeds only when nobody else has the pages, and a handle dies with it.

import { EVENT_SMC_RETURN } from '../../base/event-kinds.ts';
import type { EventLog } from '../../base/event-log.ts';
import { ANSWER_SUCCESS, readAnswer } from '../model/answers.ts';
import { PURPOSE_RECLAIM } from '../model/exchange.ts';
import { STATE_ENDED, type Transaction } from '../model/transaction.ts';
import { Property, type PropertyInfo } from '../property.ts';
import { nameEndpoint, nameHandle } from '../violation.ts';

export class Reclaim extends Property {
  readonly info: PropertyInfo = {
    id: 'P5',
    title: 'reclaim',
    checks:
      'MEM_RECLAIM succeeds only for a handle that was issued and has not ended since, and only when no borrower ' +
      'maps a page of it.',
    blindTo: 'Borrowers whose stage 2 nobody watches; handles older than the last 4,096 that ended.',
  };
  readonly kinds = [EVENT_SMC_RETURN];

  override event(_kind: number, log: EventLog, at: number): void {
    const { door, transactions } = this.bench.model;
    const exchange = door.of(log.pe(at));
    if (exchange.answers !== PURPOSE_RECLAIM || readAnswer(exchange.a(0), exchange.a(2)) !== ANSWER_SUCCESS) return;
    const { transaction } = exchange;
    if (transaction !== null) {
      if (transaction.state === STATE_ENDED) this.held(transaction);
      return;
    }
    const handle = nameHandle(exchange.w(1), exchange.w(2));
    if (exchange.buriedSender >= 0) {
      this.report('reclaim of a handle that had ended succeeded', { handle, vm: exchange.buriedSender });
    } else if (!transactions.forgetful && transactions.unknown.length === 0) {
      this.report('reclaim of a handle that was never issued succeeded', { handle });
    }
  }

  private held(transaction: Transaction): void {
    const { model } = this.bench;
    for (const space of model.spaces.list) {
      if (space.endpoint === transaction.sender || transaction.permissionsOf(space.endpoint) < 0) continue;
      let frame = -1;
      let pages = 0;
      const { ranges } = transaction;
      for (let n = 0; n < ranges.length; n += 2) {
        space.overlap(ranges[n], ranges[n + 1], (at) => {
          if (this.otherwiseGiven(at, space.endpoint)) return;
          if (pages++ === 0) frame = at;
        });
      }
      if (pages === 0) continue;
      const holder = nameEndpoint(space.endpoint);
      const facts = { frame, pages, vm: transaction.sender, handle: transaction.handle };
      this.report(`reclaim succeeded while ${holder} holds pages of the transaction`, facts);
    }
  }

  /** Whether another transaction gives the page to the same endpoint. */
  private otherwiseGiven(frame: number, endpoint: number): boolean {
    const { transactions } = this.bench.model;
    const count = transactions.namedBy(frame);
    for (let n = 0; n < count; n++) if (transactions.at(frame, n).permissionsOf(endpoint) >= 0) return true;
    return false;
  }
}
