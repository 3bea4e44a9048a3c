// Live memory handles of all guests, by their two words: a handle that is live already, or that another guest has, is
// no answer to a share; and a handle issued anew proves that the transaction which had it before has ended.

import type { Share } from './ffa-context.ts';

export class HandleTable {
  private readonly byHigh = new Map<number, Map<number, Share>>();
  size = 0;
  private lastHigh = -1;
  private last: Map<number, Share> | null = null;

  find(low: number, high: number): Share | null {
    const map = this.select(high);
    return map === null ? null : (map.get(low) ?? null);
  }

  add(share: Share): void {
    let map = this.select(share.handleHigh);
    if (map === null) {
      map = new Map();
      this.byHigh.set(share.handleHigh, map);
      this.lastHigh = share.handleHigh;
      this.last = map;
    }
    if (!map.has(share.handleLow)) this.size++;
    map.set(share.handleLow, share);
  }

  /** Takes the share out, if the handle is still its own. */
  remove(share: Share): void {
    const map = this.select(share.handleHigh);
    if (map === null || map.get(share.handleLow) !== share) return;
    map.delete(share.handleLow);
    this.size--;
  }

  private select(high: number): Map<number, Share> | null {
    if (high === this.lastHigh) return this.last;
    const map = this.byHigh.get(high) ?? null;
    if (map !== null) {
      this.lastHigh = high;
      this.last = map;
    }
    return map;
  }
}
