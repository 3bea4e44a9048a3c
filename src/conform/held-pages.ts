// Pages of a domain that somebody references beyond their allocation: what a share, a mapped buffer or a zombie holds.
// Pages are told by where they were at creation, whatever the guest's stage 2 says now.

import type { FrameTable } from '../hardware/frames.ts';
import type { Domain } from '../hypervisor/domain.ts';

export class HeldPages {
  /** Pages with such references, and the sum of those. */
  pages = 0;
  references = 0;

  count(frames: FrameTable, domain: Domain): void {
    this.pages = 0;
    this.references = 0;
    const allocation = domain.relinquished ? 0 : 1;
    for (const bank of domain.banks) {
      for (let n = 0; n < bank.count; n++) {
        const extra = frames.references(bank.frame + n) - allocation;
        if (extra <= 0) continue;
        this.pages++;
        this.references += extra;
      }
    }
  }
}

/** The same as ranges [guest address at creation, pages, extra references of each]. */
export function heldRanges(frames: FrameTable, domain: Domain): [string, number, number][] {
  const ranges: [string, number, number][] = [];
  const allocation = domain.relinquished ? 0 : 1;
  for (const bank of domain.banks) {
    let before = 0;
    for (let n = 0; n < bank.count; n++) {
      const extra = frames.references(bank.frame + n) - allocation;
      if (extra > 0) {
        if (extra === before) ranges[ranges.length - 1][1]++;
        else ranges.push([`0x${((bank.gfn + n) * 4096).toString(16)}`, 1, extra]);
      }
      before = Math.max(extra, 0);
    }
  }
  return ranges;
}
