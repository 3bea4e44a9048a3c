// Constituents for the SPMC, written into the hypervisor's TX page: the pages of a share as physical ranges, adjacent
// ones merged or page by page. Page by page is how a send in fragments goes: its length must be known before its pages
// are.

import { CONSTITUENT_SIZE_BYTES } from '../abi/layout/memory-transaction.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { Share } from './ffa-context.ts';

/** Upper 32 bits of a frame's address: its bits from here on. */
const FRAME_HIGH_SHIFT = 20;
const CONSTITUENT_WORDS = CONSTITUENT_SIZE_BYTES / 4;
const LAST_CONSTITUENT_WORD = PAGE_SIZE_BYTES / 4 - CONSTITUENT_WORDS;

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
  const { runs, runCount } = share;
  let at = offset >> 2;
  let { run, done } = cursor;
  while (run < runCount && at <= LAST_CONSTITUENT_WORD) {
    const frame = runs[2 * run] + done;
    const left = runs[2 * run + 1] - done;
    const count = pageByPage ? 1 : left;
    words[at] = frame << 12;
    words[at + 1] = frame >>> FRAME_HIGH_SHIFT;
    words[at + 2] = count;
    words[at + 3] = 0;
    at += CONSTITUENT_WORDS;
    if (count === left) {
      run++;
      done = 0;
    } else {
      done += count;
    }
  }
  cursor.run = run;
  cursor.done = done;
  return at * 4;
}

/** Fills the page from byte `offset` to `end` with constituents that no SPMC can accept: no pages, nowhere. */
export function writeImpossibleConstituents(words: Uint32Array, offset: number, end: number): void {
  words.fill(0, offset / 4, end / 4);
}
