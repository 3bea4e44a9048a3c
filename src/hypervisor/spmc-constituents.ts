// Constituents for the SPMC, written into the hypervisor's TX page: the pages of a share as physical ranges, adjacent
// ones merged or page by page. Page by page is how a send in fragments goes: its length must be known before its pages
// are.

import { CONSTITUENT_SIZE_BYTES } from '../abi/layout/memory-transaction.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { Share } from './ffa-context.ts';

/** Upper 32 bits of a frame's address: its bits from here on. */
const FRAME_HIGH_SHIFT = 20;
const CONSTITUENT_WORDS = CONSTITUENT_SIZE_BYTES / 4;

/** Where the next constituent comes from. */
export interface ConstituentCursor {
  /** Index of the run in the share. */
  run: number;
  /** Frames of that run that are written already (page by page only). */
  done: number;
}

/**
 * Writes constituents from `cursor` on into `words` from byte `offset`, as many as the page takes; moves the cursor.
 * Returns the offset after the last one.
 */
export function writeConstituents(
  words: Uint32Array,
  share: Share,
  cursor: ConstituentCursor,
  offset: number,
  pageByPage: boolean,
): number {
  let at = offset / 4;
  const end = PAGE_SIZE_BYTES / 4;
  while (cursor.run < share.runCount && at + CONSTITUENT_WORDS <= end) {
    const frame = share.runs[2 * cursor.run] + cursor.done;
    const left = share.runs[2 * cursor.run + 1] - cursor.done;
    const count = pageByPage ? 1 : left;
    words[at] = frame << 12;
    words[at + 1] = frame >>> FRAME_HIGH_SHIFT;
    words[at + 2] = count;
    words[at + 3] = 0;
    at += CONSTITUENT_WORDS;
    if (count === left) {
      cursor.run++;
      cursor.done = 0;
    } else {
      cursor.done += count;
    }
  }
  return at * 4;
}

/** Fills the page from byte `offset` to `end` with constituents that no SPMC can accept: no pages, nowhere. */
export function writeImpossibleConstituents(words: Uint32Array, offset: number, end: number): void {
  words.fill(0, offset / 4, end / 4);
}
