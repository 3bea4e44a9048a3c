// Slots of memory transactions, and handles: a slot is found by its handle in one look-up, whatever lives beside it.

import { assert } from '../base/assert.ts';
import { type Nanoseconds, TWO_POW_32 } from '../base/units.ts';
import type { SpmcLimits } from './limits.ts';
import type { HandleShape } from './personality.ts';
import { Transaction } from './transaction.ts';

/** The first handle of the counting shape [TF-A spmc_shared_mem.c]. */
const COUNTING_FIRST = 0xffffffc0;
/** Bits of the `guest` shape's high word: 44 non-secure sender, 45 secure one [OP-TEE thread_spmc.c]. */
const GUEST_NON_SECURE_HIGH = 1 << 12;
const GUEST_SECURE_HIGH = 1 << 13;
/** A handle beyond this is none that was given. */
const HIGH_LIMIT = 0x20_0000;

export class Slots {
  readonly transactions: Transaction[] = [];
  inUse = 0;
  private readonly shape: HandleShape;
  /** Free slots; the lowest is taken first, as Hafnium does. A bitmap of 32 slots a word. */
  private readonly free: Uint32Array;
  /** Slot by handle, for shapes in which the handle does not say it. */
  private readonly slotByHandle = new Map<number, number>();
  private next = COUNTING_FIRST;
  /** Of the sends that wait for a fragment, the one that waits longest, and the one that waits least. */
  private oldest: Transaction | null = null;
  private newest: Transaction | null = null;
  /** The one that made room for a send whose end is open, and one that stands in for it meanwhile. */
  private setAside: Transaction | null = null;
  private spare: Transaction;
  /** No word of `free` below this one has a free slot. */
  private firstFreeWord = 0;

  constructor(limits: SpmcLimits, shape: HandleShape) {
    this.shape = shape;
    for (let n = 0; n < limits.slots; n++) this.transactions.push(new Transaction(n, limits));
    this.spare = new Transaction(0, limits);
    this.free = new Uint32Array(Math.ceil(limits.slots / 32));
    this.reset();
  }

  reset(): void {
    for (const transaction of this.transactions) {
      transaction.inUse = false;
      transaction.senderPages = null;
      transaction.older = null;
      transaction.newer = null;
    }
    this.oldest = null;
    this.newest = null;
    this.setAside = null;
    this.free.fill(0);
    for (let n = 0; n < this.transactions.length; n++) this.free[n >>> 5] |= 1 << (n & 31);
    this.slotByHandle.clear();
    this.next = COUNTING_FIRST;
    this.firstFreeWord = 0;
    this.inUse = 0;
  }

  /** Takes the lowest free slot and gives it a handle. There is one: ask `makeRoom` first. */
  take(sender: number, secure: boolean): Transaction {
    const free = this.free;
    let word = this.firstFreeWord;
    while (word < free.length && free[word] === 0) word++;
    assert(word < free.length, 'a slot is free');
    this.firstFreeWord = word;
    const bit = 31 - Math.clz32(free[word] & -free[word]);
    free[word] &= ~(1 << bit);
    const transaction = this.transactions[word * 32 + bit];
    transaction.inUse = true;
    this.inUse++;
    this.giveHandle(transaction, sender, secure);
    transaction.receivedCount = 0;
    transaction.aligned = true;
    transaction.fragmentCount = 0;
    transaction.complete = false;
    transaction.hypervisorRead = -1;
    transaction.deferred = false;
    return transaction;
  }

  /** A fragment of the transaction came, and more are to come: of all that wait it now waits the least. */
  waitForMore(transaction: Transaction, nowNs: Nanoseconds): void {
    this.stopWaiting(transaction);
    transaction.waitingSinceNs = nowNs;
    transaction.older = this.newest;
    if (this.newest !== null) this.newest.newer = transaction;
    this.newest = transaction;
    if (this.oldest === null) this.oldest = transaction;
  }

  /** Nothing more is to come, or nobody waits for it any more. */
  stopWaiting(transaction: Transaction): void {
    const { older, newer } = transaction;
    if (older === null && newer === null && this.oldest !== transaction) return;
    if (older === null) this.oldest = newer;
    else older.newer = newer;
    if (newer === null) this.newest = older;
    else newer.older = older;
    transaction.older = null;
    transaction.newer = null;
  }

  /**
   * Whether a slot is free, or can be made so: a send whose next fragment has not come for `patienceNs` makes room.
   * Nothing else ends one whose sender stopped, and no page of it has changed state. It is set aside until `settle`
   * tells whether the send that wanted its slot has got it.
   */
  makeRoom(nowNs: Nanoseconds, patienceNs: Nanoseconds): boolean {
    if (this.inUse < this.transactions.length) return true;
    const { oldest, spare } = this;
    if (oldest === null || nowNs - oldest.waitingSinceNs < patienceNs) return false;
    this.stopWaiting(oldest);
    this.free[oldest.index >>> 5] |= 1 << (oldest.index & 31);
    this.firstFreeWord = Math.min(this.firstFreeWord, oldest.index >>> 5);
    this.forgetHandle(oldest);
    this.inUse--;
    spare.index = oldest.index;
    this.transactions[oldest.index] = spare;
    this.setAside = oldest;
    return true;
  }

  /**
   * The send that was last let in succeeded, or failed and gave its slot back: who made room for it is gone, or back.
   */
  settle(succeeded: boolean): void {
    const { setAside } = this;
    if (setAside === null) return;
    this.setAside = null;
    if (succeeded) {
      setAside.inUse = false;
      setAside.senderPages = null;
      this.spare = setAside;
      return;
    }
    this.spare = this.transactions[setAside.index];
    this.transactions[setAside.index] = setAside;
    this.free[setAside.index >>> 5] &= ~(1 << (setAside.index & 31));
    this.inUse++;
    this.rememberHandle(setAside);
    // It waits the longest still.
    setAside.newer = this.oldest;
    if (this.oldest !== null) this.oldest.older = setAside;
    this.oldest = setAside;
    if (this.newest === null) this.newest = setAside;
  }

  /** Frees a slot; its handle is dead, until the shape gives it out again. */
  release(transaction: Transaction): void {
    assert(transaction.inUse, 'a slot is freed once');
    transaction.inUse = false;
    transaction.senderPages = null;
    this.stopWaiting(transaction);
    const word = transaction.index >>> 5;
    this.free[word] |= 1 << (transaction.index & 31);
    if (word < this.firstFreeWord) this.firstFreeWord = word;
    this.forgetHandle(transaction);
    this.inUse--;
  }

  private forgetHandle({ handleHigh, handleLow }: Transaction): void {
    if (this.shape !== 'slot-index') this.slotByHandle.delete(handleKey(handleLow, handleHigh));
  }

  private rememberHandle({ handleHigh, handleLow, index }: Transaction): void {
    if (this.shape !== 'slot-index') this.slotByHandle.set(handleKey(handleLow, handleHigh), index);
  }

  /** The live transaction with that handle, or null. */
  find(low: number, high: number): Transaction | null {
    if (high >= HIGH_LIMIT) return null;
    if (this.shape === 'slot-index') {
      if (high !== 0 || low >= this.transactions.length) return null;
      const transaction = this.transactions[low];
      return transaction.inUse ? transaction : null;
    }
    const index = this.slotByHandle.get(handleKey(low, high));
    return index === undefined ? null : this.transactions[index];
  }

  private giveHandle(transaction: Transaction, sender: number, secure: boolean): void {
    switch (this.shape) {
      case 'slot-index':
        transaction.handleLow = transaction.index;
        transaction.handleHigh = 0;
        return;
      case 'counting':
        transaction.handleLow = this.next >>> 0;
        transaction.handleHigh = Math.floor(this.next / TWO_POW_32);
        this.next++;
        break;
      case 'guest':
        transaction.handleLow = (((sender & 0xffff) << 16) | (transaction.index & 0xffff)) >>> 0;
        transaction.handleHigh = secure ? GUEST_SECURE_HIGH : GUEST_NON_SECURE_HIGH;
        break;
    }
    this.rememberHandle(transaction);
  }
}

function handleKey(low: number, high: number): number {
  return low + high * TWO_POW_32;
}
