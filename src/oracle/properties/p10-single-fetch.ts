// P10 single fetch: what was checked is what is used.

import {
  FFA_MEM_DONATE_32,
  FFA_MEM_DONATE_64,
  FFA_MEM_LEND_32,
  FFA_MEM_LEND_64,
  FFA_MEM_SHARE_32,
  FFA_MEM_SHARE_64,
} from '../../abi/function-ids.ts';
import { EVENT_SMC } from '../../base/event-kinds.ts';
import type { EventLog } from '../../base/event-log.ts';
import { PURPOSE_SEND } from '../model/exchange.ts';
import type { GuestCall } from '../model/guest-call.ts';
import type { Transaction } from '../model/transaction.ts';
import { Property, type PropertyInfo } from '../property.ts';

const SENDS: ReadonlySet<number> = new Set([
  FFA_MEM_SHARE_32,
  FFA_MEM_SHARE_64,
  FFA_MEM_LEND_32,
  FFA_MEM_LEND_64,
  FFA_MEM_DONATE_32,
  FFA_MEM_DONATE_64,
]);

export class SingleFetch extends Property {
  readonly info: PropertyInfo = {
    id: 'P10',
    title: 'single fetch',
    checks:
      'The pages that a descriptor names to the SPMC are the pages that were pinned in the same call, no others and ' +
      'no fewer, and as many as its header announces.',
    blindTo: 'Fields of a descriptor other than pages, and memory that the guest did not rewrite in this schedule.',
  };
  readonly kinds = [EVENT_SMC];
  private readonly pinned = new Map<number, number>();

  override event(_kind: number, log: EventLog, at: number): void {
    const { model } = this.bench;
    const exchange = model.door.of(log.pe(at));
    const { transaction } = exchange;
    if (exchange.purpose !== PURPOSE_SEND || transaction === null || transaction.sentIndex !== exchange.index) return;
    const { sender, pageCount, pagesAnnounced } = transaction;
    if (transaction.sentBytes >= transaction.totalBytes && pageCount !== pagesAnnounced) {
      const facts = { vm: sender, pages: pageCount, announced: pagesAnnounced };
      this.report(`descriptor of VM ${sender} names other pages than it announces`, facts);
    }
    const call = model.call(exchange.pe);
    if (!call.open || call.ledger.length === 0 || call.overflow || !SENDS.has(call.w(0))) return;
    if (call.w(1) !== call.w(2) || transaction.sentBytes < transaction.totalBytes) return;
    this.compare(call, transaction);
  }

  private compare(call: GuestCall, transaction: Transaction): void {
    if (alike(call.ledger, transaction.ranges)) return;
    const { pinned } = this;
    pinned.clear();
    let net = 0;
    for (let n = 0; n < call.ledger.length; n += 3) {
      for (let frame = call.ledger[n]; frame < call.ledger[n] + call.ledger[n + 1]; frame++) {
        pinned.set(frame, (pinned.get(frame) ?? 0) + call.ledger[n + 2]);
      }
      net += call.ledger[n + 1] * call.ledger[n + 2];
    }
    const { ranges, sender: vm, pageCount: pages } = transaction;
    for (let n = 0; n < ranges.length; n += 2) {
      for (let frame = ranges[n]; frame < ranges[n] + ranges[n + 1]; frame++) {
        if ((pinned.get(frame) ?? 0) > 0) continue;
        this.report(`VM ${vm} names a page to the SPMC that this call did not pin`, { vm, frame, pages, pinned: net });
        return;
      }
    }
    if (net > pages) {
      this.report(`a call of VM ${vm} pinned pages that it does not name to the SPMC`, { vm, pages, pinned: net });
    }
  }
}

/** The common case: pinned range by range as they are named, with nothing given back. */
function alike(ledger: readonly number[], ranges: readonly number[]): boolean {
  let at = 0;
  let frame = ranges.length > 0 ? ranges[0] : -1;
  let end = ranges.length > 0 ? frame + ranges[1] : -1;
  for (let n = 0; n < ledger.length; n += 3) {
    if (ledger[n + 2] < 0 || ledger[n] !== frame || frame + ledger[n + 1] > end) return false;
    frame += ledger[n + 1];
    if (frame < end) continue;
    at += 2;
    if (at >= ranges.length) return n + 3 === ledger.length;
    frame = ranges[at];
    end = frame + ranges[at + 1];
  }
  return false;
}
