// A memory transaction: what a sender stated (a private copy, taken once), and how far its borrowers got.

import { CONSTITUENT_SIZE_BYTES, EMAD_1_2_SIZE_BYTES } from '../abi/layout/memory-transaction.ts';
import type { Nanoseconds } from '../base/units.ts';
import type { Stage2 } from '../hardware/stage2.ts';
import type { SpmcLimits } from './limits.ts';
import type { Staging } from './staging.ts';

export type TransactionKind = 1 | 2 | 3;
// The values are the type bits of a retrieve request's flags.
export const KIND_SHARE = 1;
export const KIND_LEND = 2;
export const KIND_DONATE = 3;

const WORDS_PER_CONSTITUENT = CONSTITUENT_SIZE_BYTES / 4;

/** Frames per 2^32 bytes. */
const FRAMES_PER_HIGH_WORD = 0x10_0000;

export class Receiver {
  id = 0;
  /** As the sender stated them. */
  permissions = 0;
  readonly impdef = new Uint32Array(4);
  /** Retrieves that it has not relinquished: one at most, unless the personality counts. */
  holdCount = 0;
  /** Fragments, as sent, of which the retrieve response has told it; it may relinquish when that is all of them. */
  fragmentsRead = 0;

  get holds(): boolean {
    return this.holdCount > 0;
  }
}

export class Transaction {
  /** Its slot. */
  index: number;
  inUse = false;
  handleLow = 0;
  handleHigh = 0;
  kind: TransactionKind = KIND_SHARE;
  /** As stated: a VM's id, 0, or the calling partition's id. */
  sender = 0;
  /** Whether the call came from the normal world. */
  fromNormalWorld = false;
  /** The table in which the sender has its pages; null while the slot is free. */
  senderPages: Stage2 | null = null;
  /** Layout in which the sender sent it. */
  senderVersion = 0;
  attributes = 0;
  flags = 0;
  tagLow = 0;
  tagHigh = 0;
  receiverCount = 0;
  emadSizeBytes = 0;
  /**
   * The sender's bytes from its first access descriptor on, 32 for each receiver that there may be. An implementation
   * defined value is 16 of them even where access descriptors have only 16 altogether: a receiver of 1.2 then gets what
   * follows [Hafnium ffa_memory.c].
   */
  readonly access: Uint8Array;
  private readonly accessWords: Uint32Array;
  readonly receivers: Receiver[] = [];
  /** Stated in the composite. */
  pageCount = 0;
  constituentCount = 0;
  /** Constituents that have arrived, as sent: four words each. */
  constituents = new Uint32Array(WORDS_PER_CONSTITUENT);
  /** The same, decoded once: the first page of each (exact up to 2^64 bytes), and how many there are. */
  private firstPages = new Float64Array(1);
  private pageCounts = new Uint32Array(1);
  /** Whether each of them begins at a page. */
  aligned = true;
  receivedCount = 0;
  fragmentCount = 0;
  /** How many constituents each fragment brought. */
  readonly fragmentSizes: Uint32Array;
  /** All constituents have arrived and the pages have changed state. */
  complete = false;
  /** The partition that owns the pages is dead: they are reclaimed for it when the last borrower relinquishes. */
  deferred = false;
  /** When its last fragment came, while it is not complete, and who waits longer and less long for theirs. */
  waitingSinceNs: Nanoseconds = 0;
  older: Transaction | null = null;
  newer: Transaction | null = null;
  /** Attributes that the sender's pages had. */
  senderAttributes = 0;
  /** The hypervisor's own retrieve: fragments that it has been given, -1 when none is under way. */
  hypervisorRead = -1;

  constructor(index: number, limits: SpmcLimits) {
    this.index = index;
    this.access = new Uint8Array((limits.receivers + 1) * EMAD_1_2_SIZE_BYTES);
    this.accessWords = new Uint32Array(this.access.buffer);
    this.fragmentSizes = new Uint32Array(limits.fragments);
    for (let n = 0; n < limits.receivers; n++) this.receivers.push(new Receiver());
  }

  /** Keeps the bytes that were fetched from `at`, as many as there are. */
  keepAccess({ bytes, words, length }: Staging, at: number): void {
    const { access, accessWords } = this;
    if ((at & 3) === 0 && at + access.length <= length) {
      for (let n = 0; n < accessWords.length; n++) accessWords[n] = words[(at >>> 2) + n];
      return;
    }
    const count = Math.min(access.length, length - at);
    for (let n = 0; n < count; n++) access[n] = bytes[at + n];
    access.fill(0, count);
  }

  /** Appends the constituents that were fetched, from `at`, which is aligned. */
  append(words: Uint32Array, at: number, count: number): void {
    const from = this.receivedCount * WORDS_PER_CONSTITUENT;
    const length = count * WORDS_PER_CONSTITUENT;
    if (from + length > this.constituents.length) {
      const larger = new Uint32Array(Math.max(from + length, 2 * this.constituents.length));
      larger.set(this.constituents.subarray(0, from));
      this.constituents = larger;
      this.growDecoded(larger.length / WORDS_PER_CONSTITUENT);
    }
    const to = this.constituents;
    const source = at >>> 2;
    for (let n = 0; n < length; n++) to[from + n] = words[source + n];
    for (let n = 0; n < count; n++) this.decode(this.receivedCount + n);
    this.receivedCount += count;
    this.fragmentSizes[this.fragmentCount++] = count;
  }

  firstPage(n: number): number {
    return this.firstPages[n];
  }

  pagesOf(n: number): number {
    return this.pageCounts[n];
  }

  private decode(n: number): void {
    const at = n * WORDS_PER_CONSTITUENT;
    const low = this.constituents[at];
    if ((low & 0xfff) !== 0) this.aligned = false;
    this.firstPages[n] = this.constituents[at + 1] * FRAMES_PER_HIGH_WORD + (low >>> 12);
    this.pageCounts[n] = this.constituents[at + 2];
  }

  private growDecoded(count: number): void {
    const firstPages = new Float64Array(count);
    const pageCounts = new Uint32Array(count);
    firstPages.set(this.firstPages);
    pageCounts.set(this.pageCounts);
    this.firstPages = firstPages;
    this.pageCounts = pageCounts;
  }

  receiver(id: number): Receiver | null {
    for (let n = 0; n < this.receiverCount; n++) if (this.receivers[n].id === id) return this.receivers[n];
    return null;
  }

  get held(): boolean {
    for (let n = 0; n < this.receiverCount; n++) if (this.receivers[n].holds) return true;
    return false;
  }
}
