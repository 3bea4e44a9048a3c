// Live memory handles of all guests, by their two words: a handle that is live already, or that another guest has, is
// no answer to a share; and a handle issued anew proves that the transaction which had it before has ended.
//
// A hash table whose chains run through the shares themselves: nothing is allocated per share.

import type { Share } from './ffa-context.ts';

const FIRST_BUCKETS = 64;
const GOLDEN = 0x9e37_79b1;

export class HandleTable {
  size = 0;
  private buckets: (Share | null)[] = new Array(FIRST_BUCKETS).fill(null);
  private mask = FIRST_BUCKETS - 1;

  /** The share that has this handle now, or null. */
  find(low: number, high: number): Share | null {
    let share = this.buckets[this.slot(low, high)];
    while (share !== null && (share.handleLow !== low || share.handleHigh !== high)) share = share.nextByHandle;
    return share;
  }

  /** Puts the share in. One that had its handle before is no longer found. */
  add(share: Share): void {
    const before = this.find(share.handleLow, share.handleHigh);
    if (before === share) return;
    if (before !== null) this.remove(before);
    this.insert(share);
  }

  /** Puts the share in under a handle that nobody has. */
  insert(share: Share): void {
    if (this.size > 2 * this.mask) this.grow();
    const slot = this.slot(share.handleLow, share.handleHigh);
    share.nextByHandle = this.buckets[slot];
    this.buckets[slot] = share;
    this.size++;
  }

  /** Takes the share out, if it is still the one that its handle names. */
  remove(share: Share): void {
    const slot = this.slot(share.handleLow, share.handleHigh);
    let before: Share | null = null;
    let at = this.buckets[slot];
    while (at !== share) {
      if (at === null) return;
      before = at;
      at = at.nextByHandle;
    }
    if (before === null) this.buckets[slot] = share.nextByHandle;
    else before.nextByHandle = share.nextByHandle;
    share.nextByHandle = null;
    this.size--;
  }

  private slot(low: number, high: number): number {
    const mixed = Math.imul(low ^ Math.imul(high, 31), GOLDEN);
    return (mixed ^ (mixed >>> 15)) & this.mask;
  }

  private grow(): void {
    const old = this.buckets;
    this.mask = 2 * this.mask + 1;
    this.buckets = new Array(this.mask + 1).fill(null);
    for (let share of old) {
      while (share !== null) {
        const next: Share | null = share.nextByHandle;
        const slot = this.slot(share.handleLow, share.handleHigh);
        share.nextByHandle = this.buckets[slot];
        this.buckets[slot] = share;
        share = next;
      }
    }
  }
}
