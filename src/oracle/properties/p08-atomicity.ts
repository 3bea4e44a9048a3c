// P8 atomicity: a call that fails changes nothing.

import { FFA_ABORTED, FFA_INTERRUPTED } from '../../abi/errors.ts';
import { FFA_ERROR, FFA_MEM_FRAG_TX, functionName } from '../../abi/function-ids.ts';
import { EVENT_GUEST_RETURN } from '../../base/event-kinds.ts';
import type { EventLog } from '../../base/event-log.ts';
import type { GuestCall } from '../model/guest-call.ts';
import { STATE_ENDED, STATE_LIVE, STATE_SENDING, STATE_UNKNOWN } from '../model/transaction.ts';
import { Property, type PropertyInfo } from '../property.ts';

export class Atomicity extends Property {
  readonly info: PropertyInfo = {
    id: 'P8',
    title: 'atomicity',
    checks:
      'A call of a guest that is answered with an error leaves references to its pages, and transactions in the ' +
      'secure world, as they were; an interrupted call and one with unknown outcome are excepted.',
    blindTo: 'State that neither a reference nor the secure door shows.',
  };
  readonly kinds = [EVENT_GUEST_RETURN];
  private readonly net = new Map<number, number>();

  override event(_kind: number, log: EventLog, at: number): void {
    const call = this.bench.model.call(log.pe(at));
    if (call.a(0) !== FFA_ERROR) return;
    const code = call.a(2) | 0;
    if (code === FFA_INTERRUPTED || (code === FFA_ABORTED && this.unknown(call))) return;
    const { vm } = call;
    const name = functionName(call.w(0));
    for (const transaction of call.sent) {
      if (transaction.state !== STATE_LIVE) continue;
      const facts = { vm, code, handle: transaction.handle, pages: transaction.pageCount };
      this.report(`${name} of VM ${vm} failed and left a transaction`, facts);
    }
    for (const transaction of call.ended) {
      if (transaction.state !== STATE_ENDED) continue;
      this.report(`${name} of VM ${vm} failed and ended a transaction`, { vm, code, handle: transaction.handle });
    }
    // A fragment that is refused ends what earlier calls began: only the whole can be balanced, and is when all is
    // quiet.
    if (call.w(0) === FFA_MEM_FRAG_TX || call.overflow) return;
    if (call.ledger.length > 0) this.references(call, name, code);
  }

  private unknown(call: GuestCall): boolean {
    for (const { state, displaced } of call.sent) {
      if (state === STATE_UNKNOWN || state === STATE_SENDING || displaced) return true;
    }
    return false;
  }

  private references(call: GuestCall, name: string, code: number): void {
    const { ledger, vm } = call;
    if (undoesItself(ledger)) return;
    this.net.clear();
    for (let n = 0; n < ledger.length; n += 3) {
      for (let frame = ledger[n]; frame < ledger[n] + ledger[n + 1]; frame++) {
        this.net.set(frame, (this.net.get(frame) ?? 0) + ledger[n + 2]);
      }
    }
    let pages = 0;
    let first = -1;
    let sign = 0;
    for (const [frame, change] of this.net) {
      if (change !== 0 && pages++ === 0) {
        first = frame;
        sign = change;
      }
    }
    if (pages === 0) return;
    const what = sign > 0 ? 'kept' : 'dropped';
    this.report(`${name} of VM ${vm} failed and ${what} a reference`, { vm, code, frame: first, pages });
  }
}

/** The common case: what was taken is given back, range by range, in the same order. */
function undoesItself(ledger: readonly number[]): boolean {
  if (ledger.length % 6 !== 0) return false;
  const half = ledger.length / 2;
  for (let n = 0; n < half; n += 3) {
    if (ledger[n] !== ledger[half + n] || ledger[n + 1] !== ledger[half + n + 1]) return false;
    if (ledger[n + 2] !== -ledger[half + n + 2]) return false;
  }
  return true;
}
