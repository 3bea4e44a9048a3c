// All memory transactions between the normal world and the SPMC that exist or may, by frame and by handle.
//
// Limit: the handles of the last 4,096 transactions that ended are remembered; of older ones the oracle cannot tell a
// dead handle from one that it never saw.

import { HANDLE_HIGH_HYPERVISOR_BIT, INVALID_HANDLE_WORD } from '../../abi/layout/memory-bits.ts';
import { TWO_POW_32 } from '../../base/units.ts';
import { FrameIndex } from './frame-index.ts';
import {
  KIND_DONATE,
  STATE_ENDED,
  STATE_LIVE,
  STATE_UNKNOWN,
  type Transaction,
  type TransactionState,
} from './transaction.ts';

const TOMBSTONES_MAX = 4096;
const EXACT_HIGH_LIMIT = 0x20_0000;

/** What a sender has in the secure world. */
export interface SenderTotals {
  transactions: number;
  pages: number;
}

export class TransactionTable {
  /** In the order in which they were sent. */
  readonly all = new Set<Transaction>();
  /** By incarnation of the sender. */
  readonly bySerial = new Map<number, SenderTotals>();
  /** Transactions under each VM id, those in quarantine left out. */
  private readonly underVm = new Map<number, number>();
  /** Whether a tombstone had to be forgotten. */
  forgetful = false;
  /** Any success is believed, whatever its handle (see `unknown-outcome-released`). */
  credulous = false;
  /** Slots of the SPMC's that are in use or may be: a donation that was retrieved has none. */
  slots = 0;
  private readonly byBorrower = new Map<number, number>();
  private readonly byFrame = new FrameIndex();
  private readonly byHandle = new Map<number | string, Transaction>();
  /** Ended handles, oldest first, and who had them. */
  private readonly tombstones = new Map<number | string, number>();

  reset(): void {
    this.all.clear();
    this.bySerial.clear();
    this.underVm.clear();
    this.byBorrower.clear();
    this.slots = 0;
    this.byFrame.clear();
    this.byHandle.clear();
    this.tombstones.clear();
    this.forgetful = false;
  }

  /** Takes a transaction in as soon as its first fragment is on its way. */
  add(transaction: Transaction): void {
    this.all.add(transaction);
    this.countSlot(transaction, 1);
    this.countUnder(transaction.sender, 1);
    const totals = this.bySerial.get(transaction.serial);
    if (totals === undefined) this.bySerial.set(transaction.serial, { transactions: 1, pages: transaction.pageCount });
    else {
      totals.transactions++;
      totals.pages += transaction.pageCount;
    }
    this.index(transaction, 0, 0);
  }

  /** Takes in what a further fragment added to `rangesBefore` entries, the last of `lastCountBefore` pages. */
  grow(transaction: Transaction, rangesBefore: number, lastCountBefore: number, pagesBefore: number): void {
    transaction.fragmentRefused = false;
    const totals = this.bySerial.get(transaction.serial);
    if (totals !== undefined) totals.pages += transaction.pageCount - pagesBefore;
    this.index(transaction, rangesBefore, lastCountBefore);
  }

  /**
   * Gives a transaction the handle that the SPMC issued. False when no unique handle can be told, or another than it
   * was told before.
   */
  issue(transaction: Transaction, low: number, high: number): boolean {
    if (!this.credulous) {
      if (transaction.handleLow >= 0) return transaction.handleLow === low && transaction.handleHigh === high;
      if (low === INVALID_HANDLE_WORD && high === INVALID_HANDLE_WORD) return false;
      if ((high & HANDLE_HIGH_HYPERVISOR_BIT) !== 0) return false;
    }
    const key = keyOf(low, high);
    const holder = this.byHandle.get(key);
    if (holder === transaction) return true;
    if (holder !== undefined) {
      if (holder.kind === KIND_DONATE) {
        // Its receiver has retrieved it: the handle is free, the pages are not the sender's any more.
        holder.handleLow = -1;
        holder.handleHigh = -1;
        this.countSlot(holder, -1);
      } else {
        const mayHaveEnded = holder.doubtful || holder.fragmentRefused || holder.reclaiming > 0;
        if (!mayHaveEnded && !this.credulous) return false;
        this.end(holder, STATE_ENDED);
      }
      transaction.displaced = true;
    }
    this.tombstones.delete(key);
    if (transaction.handleLow >= 0) this.byHandle.delete(keyOf(transaction.handleLow, transaction.handleHigh));
    transaction.handleLow = low;
    transaction.handleHigh = high;
    this.byHandle.set(key, transaction);
    return true;
  }

  /** It was refused, or it ended: nothing names its pages any more. */
  end(transaction: Transaction, state: TransactionState): void {
    if (!transaction.counts) return;
    transaction.state = state;
    this.all.delete(transaction);
    if (transaction.hasSlot) this.countSlot(transaction, -1);
    if (!transaction.quarantined) this.countUnder(transaction.sender, -1);
    const totals = this.bySerial.get(transaction.serial);
    if (totals !== undefined) {
      totals.transactions--;
      totals.pages -= transaction.pageCount;
      if (totals.transactions === 0) this.bySerial.delete(transaction.serial);
    }
    const ranges = transaction.ranges;
    for (let n = 0; n < ranges.length; n += 2) {
      const end = ranges[n] + ranges[n + 1];
      for (let frame = ranges[n]; frame < end; frame++) this.byFrame.remove(frame, transaction);
    }
    if (transaction.handleLow < 0) return;
    const key = keyOf(transaction.handleLow, transaction.handleHigh);
    if (this.byHandle.get(key) === transaction) {
      this.byHandle.delete(key);
      this.bury(key, transaction.sender);
    }
  }

  /** The last fragment was not taken: the transaction is again as it was before. */
  shrink(transaction: Transaction): void {
    transaction.fragmentRefused = true;
    const { ranges, before } = transaction;
    for (let n = 0; n < ranges.length; n += 2) {
      const end = ranges[n] + ranges[n + 1];
      for (let frame = ranges[n]; frame < end; frame++) this.byFrame.remove(frame, transaction);
    }
    const totals = this.bySerial.get(transaction.serial);
    if (totals !== undefined) totals.pages -= transaction.pageCount - before.pages;
    ranges.length = before.ranges;
    if (before.ranges > 0) ranges[before.ranges - 1] = before.lastCount;
    transaction.pageCount = before.pages;
    transaction.sentBytes = before.bytes;
    this.index(transaction, 0, 0);
  }

  /** Its pages have left their VM id for the system's quarantine. */
  quarantine(transaction: Transaction): void {
    if (transaction.quarantined || !transaction.counts) return;
    transaction.quarantined = true;
    this.countUnder(transaction.sender, -1);
  }

  /** How many are under a VM id and not in quarantine. */
  countOf(vm: number): number {
    return this.underVm.get(vm) ?? 0;
  }

  find(low: number, high: number): Transaction | null {
    return this.byHandle.get(keyOf(low, high)) ?? null;
  }

  /** The sender that had a handle which has ended and was not issued since; -1 when none is remembered. */
  buried(low: number, high: number): number {
    return this.tombstones.get(keyOf(low, high)) ?? -1;
  }

  /** How many references the transactions that exist or may need of a frame. */
  referencesOf(frame: number): number {
    const count = this.byFrame.count(frame);
    let references = 0;
    for (let n = 0; n < count; n++) references += this.byFrame.at(frame, n).timesNamed(frame);
    return references;
  }

  /** How many slots of the SPMC's an endpoint is a borrower in. */
  borrowedBy(endpoint: number): number {
    return this.byBorrower.get(endpoint) ?? 0;
  }

  /** How many transactions that exist or may name the frame. */
  namedBy(frame: number): number {
    return this.byFrame.count(frame);
  }

  /** The `n`-th of them. */
  at(frame: number, n: number): Transaction {
    return this.byFrame.at(frame, n);
  }

  /** Calls `look` for each frame of the range that any of them names. */
  overlap(first: number, count: number, look: (frame: number) => void): void {
    this.byFrame.overlap(first, count, look);
  }

  get live(): Transaction[] {
    return [...this.all].filter((transaction) => transaction.state === STATE_LIVE);
  }

  get unknown(): Transaction[] {
    return [...this.all].filter((transaction) => transaction.state === STATE_UNKNOWN);
  }

  private countSlot(transaction: Transaction, change: number): void {
    transaction.hasSlot = change > 0;
    this.slots += change;
    for (const { id } of transaction.receivers) this.byBorrower.set(id, this.borrowedBy(id) + change);
  }

  private countUnder(vm: number, change: number): void {
    const count = (this.underVm.get(vm) ?? 0) + change;
    if (count === 0) this.underVm.delete(vm);
    else this.underVm.set(vm, count);
  }

  private bury(key: number | string, sender: number): void {
    this.tombstones.set(key, sender);
    if (this.tombstones.size <= TOMBSTONES_MAX) return;
    for (const oldest of this.tombstones.keys()) {
      this.tombstones.delete(oldest);
      this.forgetful = true;
      return;
    }
  }

  private index(transaction: Transaction, rangesBefore: number, lastCountBefore: number): void {
    const ranges = transaction.ranges;
    const from = Math.max(0, rangesBefore - 2);
    for (let n = from; n < ranges.length; n += 2) {
      const skip = n < rangesBefore ? lastCountBefore : 0;
      const end = ranges[n] + ranges[n + 1];
      for (let frame = ranges[n] + skip; frame < end; frame++) {
        this.byFrame.add(frame, transaction);
      }
    }
  }
}

/** A handle as one key: a number where 53 bits and a sign hold it exactly, else text. */
function keyOf(low: number, high: number): number | string {
  if (high < EXACT_HIGH_LIMIT) return high * TWO_POW_32 + low;
  return `${high}:${low}`;
}
