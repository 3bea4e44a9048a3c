// P8 atomicity: a call that fails changes nothing.

import { FFA_ABORTED, FFA_INTERRUPTED, FFA_NO_MEMORY } from '../../abi/errors.ts';
import {
  FFA_ERROR,
  FFA_MEM_DONATE_32,
  FFA_MEM_DONATE_64,
  FFA_MEM_FRAG_TX,
  FFA_MEM_LEND_32,
  FFA_MEM_LEND_64,
  FFA_MEM_SHARE_32,
  FFA_MEM_SHARE_64,
  functionName,
} from '../../abi/function-ids.ts';
import { EVENT_FAULT, EVENT_GUEST_RETURN, EVENT_SMC, EVENT_SP_CALL } from '../../base/event-kinds.ts';
import type { EventLog } from '../../base/event-log.ts';
import { lowWord } from '../model/answers.ts';
import type { GuestCall } from '../model/guest-call.ts';
import { STATE_ENDED, STATE_LIVE, STATE_SENDING, STATE_UNKNOWN } from '../model/transaction.ts';
import { Property, type PropertyInfo } from '../property.ts';

const SENDS: ReadonlySet<number> = new Set([
  FFA_MEM_SHARE_32,
  FFA_MEM_SHARE_64,
  FFA_MEM_LEND_32,
  FFA_MEM_LEND_64,
  FFA_MEM_DONATE_32,
  FFA_MEM_DONATE_64,
]);

export class Atomicity extends Property {
  readonly info: PropertyInfo = {
    id: 'P8',
    title: 'atomicity',
    checks:
      'A call of a guest that is answered with an error leaves references to its pages, and transactions in the ' +
      'secure world, as they were, and the SPMC as many free slots; an interrupted call and one with unknown outcome ' +
      'are excepted.',
    blindTo: 'State that neither a reference nor the secure door shows.',
  };
  readonly kinds = [EVENT_GUEST_RETURN, EVENT_SMC, EVENT_FAULT, EVENT_SP_CALL];
  /** Whether the newest answer to each PE was made up by the world. */
  private readonly faulted: boolean[] = [];
  /** A partition has sent something: then the oracle does not know how many slots are in use. */
  private partitionsSend = false;
  private readonly net = new Map<number, number>();

  override reset(): void {
    this.faulted.length = 0;
    this.partitionsSend = false;
  }

  override event(kind: number, log: EventLog, at: number): void {
    if (kind === EVENT_SP_CALL) this.partitionsSend ||= SENDS.has(lowWord(log.argument(at, 1)));
    else if (kind !== EVENT_GUEST_RETURN) this.faulted[log.pe(at)] = kind === EVENT_FAULT;
    else this.answered(log, at);
  }

  private answered(log: EventLog, at: number): void {
    const call = this.bench.model.call(log.pe(at));
    if (call.a(0) !== FFA_ERROR) return;
    const code = call.a(2) | 0;
    if (code === FFA_INTERRUPTED || (code === FFA_ABORTED && this.unknown(call))) return;
    const { vm } = call;
    const name = functionName(call.w(0));
    this.slots(call, name, code);
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

  /** The SPMC says that it is full though it is not: what failed before has kept its slots. */
  private slots(call: GuestCall, name: string, code: number): void {
    const { options, model } = this.bench;
    const used = model.transactions.all.size;
    const exchange = model.door.of(call.pe);
    if (code !== FFA_NO_MEMORY || !SENDS.has(call.w(0)) || call.sent.length === 0 || call.w(1) !== call.w(2)) return;
    if (used >= options.spmcSlots || this.partitionsSend || this.faulted[call.pe] === true) return;
    if (exchange.a(0) !== FFA_ERROR || exchange.a(2) !== call.a(2)) return;
    const facts = { vm: call.vm, used, slots: options.spmcSlots };
    this.report(`the SPMC has no slot for ${name} of VM ${call.vm} though most are free`, facts);
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
