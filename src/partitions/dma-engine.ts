// A device that an SP programs: it reads or writes memory by itself for a time, and nothing stops it earlier, not
// even the SP's death. The world implements it: it knows the frames behind the pages and reports EVENT_DMA_START and
// EVENT_DMA_END.

import type { Nanoseconds } from '../base/units.ts';
import type { PageRange } from './memory-region.ts';

export interface DmaEngine {
  /**
   * Starts a transfer that writes these pages of SP `endpoint`'s space until `durationNs` from now. Its number, 0 or
   * more, or -1 when one of the pages is not mapped there.
   */
  start(endpoint: number, ranges: readonly PageRange[], durationNs: Nanoseconds): number;
  /** Whether that transfer still runs. */
  active(transfer: number): boolean;
}
