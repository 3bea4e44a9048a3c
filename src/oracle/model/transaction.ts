// One memory transaction as the secure door showed it: who gave which pages to whom, and how far it is known to exist.

import { nameHandle } from '../violation.ts';

export type TransactionKind = 1 | 2 | 3;
export const KIND_SHARE = 1;
export const KIND_LEND = 2;
export const KIND_DONATE = 3;
export const KIND_NAMES = ['', 'share', 'lend', 'donate'] as const;

export type TransactionState = 1 | 2 | 3 | 4 | 5;
/** Its descriptor is on its way, or between two fragments. */
export const STATE_SENDING = 1;
/** The SPMC gave it a handle. */
export const STATE_LIVE = 2;
/** The answer was none that the specification knows for it: it may exist. */
export const STATE_UNKNOWN = 3;
/** The SPMC refused it: it never existed. */
export const STATE_REFUSED = 4;
/** Reclaimed, or its handle was issued anew. */
export const STATE_ENDED = 5;

export interface Receiver {
  readonly id: number;
  readonly permissions: number;
}

export class Transaction {
  readonly kind: TransactionKind;
  /** Events before the one that sent it. */
  readonly sentIndex: number;
  state: TransactionState = STATE_SENDING;
  sender = 0;
  /** Incarnation of the sender; 0 when it is not known. */
  serial = 0;
  attributes = 0;
  flags = 0;
  tagLow = 0;
  tagHigh = 0;
  readonly receivers: Receiver[] = [];
  /** Runs of frames: ranges[2i] first, ranges[2i + 1] count, in the descriptor's order, merged where they touch. */
  readonly ranges: number[] = [];
  /** Pages in `ranges`. */
  pageCount = 0;
  /** Pages that the composite announces. */
  pagesAnnounced = 0;
  /** A range begins inside a page. */
  misaligned = false;
  /** Bytes of each endpoint memory access descriptor. */
  accessSize = 0;
  /** Bytes of the descriptor, all fragments. */
  totalBytes = 0;
  sentBytes = 0;
  /** Low and high word, or -1 while there is none. */
  handleLow = -1;
  handleHigh = -1;
  /** A reclaim of it is on its way. */
  reclaiming = 0;
  /** A reclaim of it had an answer that leaves open whether it still exists. */
  doubtful = false;
  /** Its last fragment was refused in a way that leaves open whether the SPMC still has what came before. */
  fragmentRefused = false;
  /** The last refusal of a reclaim, or 0; 1 for an answer that nobody can read. */
  reclaimCode = 0;
  reclaimCount = 0;
  quarantined = false;
  /** Whether it is, or may be, one of those that the SPMC keeps. */
  hasSlot = false;
  /** Its handle was that of another, of which this proved that it was over. */
  displaced = false;
  /** Whether it ever named a page together with another. */
  overlaps = false;
  /** Whether it names a page more than once. */
  repeats = false;
  /** How far its ranges had come before the fragment that is on its way. */
  readonly before = { ranges: 0, lastCount: 0, pages: 0, bytes: 0 };

  constructor(kind: TransactionKind, sentIndex: number) {
    this.kind = kind;
    this.sentIndex = sentIndex;
  }

  get handle(): string {
    return this.handleLow < 0 ? 'none' : nameHandle(this.handleLow, this.handleHigh);
  }

  /** Whether it exists, or may. */
  get counts(): boolean {
    return this.state <= STATE_UNKNOWN;
  }

  /** How often it names a frame: each time counts as a reference. */
  timesNamed(frame: number): number {
    if (!this.repeats) return 1;
    const { ranges } = this;
    let times = 0;
    for (let n = 0; n < ranges.length; n += 2) {
      if (frame >= ranges[n] && frame < ranges[n] + ranges[n + 1]) times++;
    }
    return times;
  }

  addRange(frame: number, count: number): void {
    const ranges = this.ranges;
    const last = ranges.length - 2;
    this.pageCount += count;
    if (last >= 0 && ranges[last] + ranges[last + 1] === frame) ranges[last + 1] += count;
    else ranges.push(frame, count);
  }

  /** The receiver's permissions, or -1 when it is none of the borrowers. */
  permissionsOf(endpoint: number): number {
    for (const receiver of this.receivers) if (receiver.id === endpoint) return receiver.permissions;
    return -1;
  }
}
