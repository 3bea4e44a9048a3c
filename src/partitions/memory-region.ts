// A memory region as an endpoint keeps it: what it sent (as owner) or retrieved (as borrower), under a name of its own.

import type { Ipa } from '../base/units.ts';

/** How memory is sent. */
export type MemoryKind = 'share' | 'lend' | 'donate';

/** Adjacent pages of 4 KiB in the endpoint's own address space. */
export interface PageRange {
  readonly address: Ipa;
  readonly pageCount: number;
}

/**
 * - `sending`: the descriptor is on its way, perhaps with fragments missing;
 * - `sent`: the owner got a handle; `refused`: it did not;
 * - `reclaimed`: the owner has it back;
 * - `held`: this borrower retrieved it; `relinquished`: it gave it back.
 */
export type RegionState = 'sending' | 'sent' | 'refused' | 'reclaimed' | 'held' | 'relinquished';

export interface MemoryRegion {
  readonly name: string;
  readonly kind: MemoryKind;
  /** Endpoint id of the owner. */
  readonly owner: number;
  /** Endpoint ids of the borrowers, in the descriptor's order. */
  readonly receivers: readonly number[];
  /** The owner's pages, or for a borrower where it found them. */
  ranges: readonly PageRange[];
  handleLow: number;
  handleHigh: number;
  readonly tagLow: number;
  readonly tagHigh: number;
  state: RegionState;
}

/** Pages of 4 KiB in all ranges. */
export function pageCountOf(ranges: readonly PageRange[]): number {
  let count = 0;
  for (const range of ranges) count += range.pageCount;
  return count;
}
