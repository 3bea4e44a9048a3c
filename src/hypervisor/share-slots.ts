// The SPMC's slots for memory transactions as the host divides them, in the default profile: all transactions that it
// has or may have, of the living, the dead and those in quarantine. Some are kept for guests that have few, so that no
// guest's many keep another from its first; and no borrower may be in more than its share, so that one that never gives
// anything back cannot take them all. The policy is data: `sharesPerHost` and its neighbours in `Limits`.

import { assert } from '../base/assert.ts';
import type { Share } from './ffa-context.ts';
import type { Limits } from './profile.ts';

const ENDPOINTS = 0x1_0000;

type ShareLimits = Pick<Limits, 'sharesPerHost' | 'sharesReserved' | 'sharesAssured' | 'sharesPerBorrower'>;

/** What Xen has: limits for each guest, none for the host. */
export const NO_SHARE_POLICY: ShareLimits = {
  sharesPerHost: Number.POSITIVE_INFINITY,
  sharesReserved: 0,
  sharesAssured: 0,
  sharesPerBorrower: Number.POSITIVE_INFINITY,
};

/**
 * Generous: 32 transactions for each of 32,768 guests; an eighth is kept for those that have fewer than four, and one
 * borrower may be in half of them.
 */
export const GENEROUS_SHARE_POLICY: ShareLimits = {
  sharesPerHost: 0x10_0000,
  sharesReserved: 0x2_0000,
  sharesAssured: 4,
  sharesPerBorrower: 0x8_0000,
};

export class ShareSlots {
  /** Transactions that the SPMC has or may have. */
  total = 0;
  private readonly limits: Limits;
  /** How many each endpoint is a borrower of. Made when it is needed. */
  private byBorrower: Uint32Array | null = null;

  constructor(limits: Limits) {
    this.limits = limits;
  }

  /** Whether a guest that has `held` transactions may have another. */
  hasRoom(held: number): boolean {
    const left = this.limits.sharesPerHost - this.total;
    return left > this.limits.sharesReserved || (left > 0 && held < this.limits.sharesAssured);
  }

  /** Whether an endpoint may be a borrower of another. */
  mayBorrow(endpoint: number): boolean {
    return this.byBorrower === null || this.byBorrower[endpoint] < this.limits.sharesPerBorrower;
  }

  /** The share, its borrowers known, takes a slot. */
  take(share: Share): void {
    if (this.byBorrower === null) this.byBorrower = new Uint32Array(ENDPOINTS);
    share.hasSlot = true;
    this.total++;
    this.byBorrower[share.receiver]++;
    if (share.others === null) return;
    for (const endpoint of share.others) this.byBorrower[endpoint]++;
  }

  /** What the share stood for is no more: its slot, if it had one, is free. */
  end(share: Share): void {
    if (!share.hasSlot) return;
    const { byBorrower } = this;
    assert(byBorrower !== null && this.total > 0, 'a slot is freed once');
    share.hasSlot = false;
    this.total--;
    byBorrower[share.receiver]--;
    if (share.others === null) return;
    for (const endpoint of share.others) byBorrower[endpoint]--;
  }
}
