// Whether two constituents of a transaction name the same page.

import type { Transaction } from './transaction.ts';

/** In one pass when they are in rising order, as senders mostly list them; else sorted first. */
export function constituentsOverlap(transaction: Transaction): boolean {
  const count = transaction.constituentCount;
  let end = -1;
  let rising = true;
  for (let n = 0; n < count && rising; n++) {
    const first = transaction.firstPage(n);
    if (first < end) rising = false;
    end = first + transaction.pagesOf(n);
  }
  return rising ? false : sortedOverlap(transaction);
}

function sortedOverlap(transaction: Transaction): boolean {
  const order: number[] = [];
  for (let n = 0; n < transaction.constituentCount; n++) order.push(n);
  order.sort((a, b) => transaction.firstPage(a) - transaction.firstPage(b));
  let end = -1;
  for (const n of order) {
    const first = transaction.firstPage(n);
    if (first < end) return true;
    end = first + transaction.pagesOf(n);
  }
  return false;
}
