// One call of a guest and its answer, with what happened on its PE in between. A PE has one at a time.

import { lowWord } from './answers.ts';
import type { Transaction } from './transaction.ts';

/** Changes to references that are noted per call; beyond it the call is not judged for what it left (`overflow`). */
const LEDGER_MAX = 3 * 4096;

export class GuestCall {
  readonly pe: number;
  open = false;
  vm = 0;
  /** Incarnation of the caller; 0 when it is not known. */
  serial = 0;
  /** Events before the call. */
  index = 0;
  readonly request = new Float64Array(8);
  readonly answer = new Float64Array(8);
  /** References taken (+) and given back (-) of the caller's own pages: frame, count, sign. */
  readonly ledger: number[] = [];
  overflow = false;
  /** SMCs made during the call. */
  smcCount = 0;
  /** Transactions of which a fragment was sent during the call. */
  readonly sent: Transaction[] = [];
  /** Transactions that ended during the call. */
  readonly ended: Transaction[] = [];

  constructor(pe: number) {
    this.pe = pe;
  }

  begin(vm: number, serial: number, index: number): void {
    this.open = true;
    this.vm = vm;
    this.serial = serial;
    this.index = index;
    this.overflow = false;
    this.smcCount = 0;
    if (this.ledger.length > 0) this.ledger.length = 0;
    if (this.sent.length > 0) this.sent.length = 0;
    if (this.ended.length > 0) this.ended.length = 0;
  }

  note(frame: number, count: number, sign: number): void {
    if (this.ledger.length >= LEDGER_MAX) this.overflow = true;
    else this.ledger.push(frame, count, sign);
  }

  /** w[n] of the call. */
  w(n: number): number {
    return lowWord(this.request[n]);
  }

  /** w[n] of the answer. */
  a(n: number): number {
    return lowWord(this.answer[n]);
  }
}
