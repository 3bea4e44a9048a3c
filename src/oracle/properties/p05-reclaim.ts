// P5 reclaim: it succeeds only when nobody else has the pages, and a handle dies with it.

import { isSecureEndpoint } from '../../abi/endpoint-ids.ts';
import { FFA_DENIED, FFA_INVALID_PARAMETERS } from '../../abi/errors.ts';
import { FFA_ERROR, FFA_MEM_RECLAIM } from '../../abi/function-ids.ts';
import { EVENT_FAULT, EVENT_SMC, EVENT_SMC_RETURN } from '../../base/event-kinds.ts';
import type { EventLog } from '../../base/event-log.ts';
import { ANSWER_SUCCESS, readAnswer } from '../model/answers.ts';
import { type Exchange, PURPOSE_RECLAIM } from '../model/exchange.ts';
import { KIND_DONATE, STATE_ENDED, STATE_LIVE, type Transaction } from '../model/transaction.ts';
import { Property, type PropertyInfo } from '../property.ts';
import { nameEndpoint, nameHandle } from '../violation.ts';

export class Reclaim extends Property {
  readonly info: PropertyInfo = {
    id: 'P5',
    title: 'reclaim',
    checks:
      'MEM_RECLAIM succeeds only for a handle that was issued and has not ended since, and only when no borrower ' +
      'maps a page of it; and an SPMC refuses it only while one may.',
    blindTo: 'Borrowers whose stage 2 nobody watches; handles older than the last 4,096 that ended.',
  };
  readonly kinds = [EVENT_SMC, EVENT_FAULT, EVENT_SMC_RETURN];
  /** Whether the newest answer to each PE was made up by the world. */
  private readonly faulted: boolean[] = [];

  override reset(): void {
    this.faulted.length = 0;
  }

  override event(kind: number, log: EventLog, at: number): void {
    if (kind === EVENT_SMC_RETURN) this.answered(log, at);
    else this.faulted[log.pe(at)] = kind === EVENT_FAULT;
  }

  private answered(log: EventLog, at: number): void {
    const { door, transactions } = this.bench.model;
    const exchange = door.of(log.pe(at));
    if (exchange.answers !== PURPOSE_RECLAIM) return;
    if (readAnswer(exchange.a(0), exchange.a(2)) !== ANSWER_SUCCESS) {
      this.refused(exchange, log.pe(at));
      return;
    }
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

  /** An SPMC that is known to be ours refuses only what a borrower has. */
  private refused(exchange: Exchange, pe: number): void {
    const { transaction } = exchange;
    if (this.bench.options.spmcSlots === 0 || this.faulted[pe] === true || transaction === null) return;
    if (transaction.state !== STATE_LIVE || transaction.kind === KIND_DONATE || transaction.doubtful) return;
    if (exchange.w(0) !== FFA_MEM_RECLAIM || exchange.w(3) !== 0 || exchange.a(0) !== FFA_ERROR) return;
    const { ranges, receivers, sender: vm, handle } = transaction;
    for (const { id } of receivers) {
      const space = this.bench.model.spaces.find(id);
      if (space === null || (!isSecureEndpoint(id) && this.borrows(id))) return;
      for (let n = 0; n < ranges.length; n += 2) {
        for (let at = 0; at < ranges[n + 1]; at++) if (space.maps(ranges[n] + at)) return;
      }
    }
    const code = exchange.a(2) | 0;
    if (code !== FFA_DENIED && code !== FFA_INVALID_PARAMETERS) return;
    this.report(`reclaim for VM ${vm} is refused though no borrower has a page`, { vm, handle, code });
  }

  /** Whether the VM is between the SPMC and its own page tables: it may have what it does not map. */
  private borrows(vm: number): boolean {
    return this.bench.model.openCalls().some((call) => call.vm === vm);
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
