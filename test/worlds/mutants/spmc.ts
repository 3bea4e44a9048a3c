// The SPMC with a check taken out.

import type { Spmc } from '../../../src/spmc/spmc.ts';
import type { Mutant } from './mutant.ts';

/** A transaction counts as given back when its first borrower has given it back. */
function firstBorrowerOnly(spmc: Spmc): void {
  const take = spmc.slots.take.bind(spmc.slots);
  spmc.slots.take = (sender, secure) => {
    const transaction = take(sender, secure);
    Object.defineProperty(transaction, 'held', { get: () => transaction.receivers[0].holds, configurable: true });
    return transaction;
  };
}

/** The SPMC has room for one fragment only. */
function firstFragmentOnly(spmc: Spmc): void {
  Object.assign(spmc.limits, { fragments: 1 });
}

export const SPMC_MUTANTS: readonly Mutant[] = [
  {
    world: 'mixed-borrowers',
    takesOut: 'all borrowers but the first',
    fires: 'P5',
    parts: { spmc: firstBorrowerOnly },
  },
  { world: 'two-borrowers', takesOut: 'all borrowers but the first', fires: 'P5', parts: { spmc: firstBorrowerOnly } },
  { world: 'fragments-both-ways', takesOut: 'fragments', fires: 'expect', parts: { spmc: firstFragmentOnly } },
];
