// Which pages of its RAM a script has given away: the lowest free ones are taken first, so that the same script takes
// the same pages each time.

import type { Ipa } from '../base/units.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { PageRange } from './memory-region.ts';

export class PagePlan {
  readonly base: Ipa;
  readonly pageCount: number;
  /** Pages below this are the guest's own: its buffers, its code. */
  readonly firstPage: number;
  private readonly used: Uint8Array;

  constructor(base: Ipa, pageCount: number, firstPage: number) {
    this.base = base;
    this.pageCount = pageCount;
    this.firstPage = firstPage;
    this.used = new Uint8Array(pageCount);
  }

  reset(): void {
    this.used.fill(0);
  }

  /** Takes `count` pages: adjacent, or (scattered) each in a range of its own. Null when there is no room. */
  take(count: number, scattered: boolean): PageRange[] | null {
    return scattered ? this.takeScattered(count) : this.takeAdjacent(count);
  }

  /** Notes that pages are in use which a script chose itself; what lies outside RAM is not noted. */
  note(ranges: readonly PageRange[]): void {
    this.mark(ranges, 1);
  }

  /** Gives pages back. */
  giveBack(ranges: readonly PageRange[]): void {
    this.mark(ranges, 0);
  }

  private takeAdjacent(count: number): PageRange[] | null {
    let run = 0;
    for (let page = this.firstPage; page < this.pageCount; page++) {
      run = this.used[page] === 0 ? run + 1 : 0;
      if (run < count) continue;
      const ranges = [this.range(page - count + 1, count)];
      this.mark(ranges, 1);
      return ranges;
    }
    return null;
  }

  /** Every second page, so that no two ranges touch. */
  private takeScattered(count: number): PageRange[] | null {
    const ranges: PageRange[] = [];
    for (let page = this.firstPage; page < this.pageCount && ranges.length < count; page += 2) {
      if (this.used[page] === 0) ranges.push(this.range(page, 1));
    }
    if (ranges.length < count) return null;
    this.mark(ranges, 1);
    return ranges;
  }

  private range(page: number, count: number): PageRange {
    return { address: this.base + page * PAGE_SIZE_BYTES, pageCount: count };
  }

  private mark(ranges: readonly PageRange[], value: 0 | 1): void {
    for (const { address, pageCount } of ranges) {
      const first = Math.floor((address - this.base) / PAGE_SIZE_BYTES);
      const from = Math.max(first, 0);
      const to = Math.min(first + pageCount, this.pageCount);
      for (let page = from; page < to; page++) this.used[page] = value;
    }
  }
}
