// Page states: who owns a page, and who may touch it, in the software bits of each stage-2 entry [Hafnium vm.c].
//
//   owner, alone            (none of the bits)
//   owner, shared           SHARED
//   owner, lent             INVALID: it keeps the entry and loses access
//   borrower of a share     UNOWNED and SHARED
//   borrower of a lend      UNOWNED
//   nothing here            no entry
//
// The normal world has one table for all its endpoints: which VM owns a page is the hypervisor's business alone.

import type { FrameTable } from '../hardware/frames.ts';
import {
  STAGE2_INVALID,
  STAGE2_NON_SECURE,
  STAGE2_RWX,
  STAGE2_SHARED,
  STAGE2_UNOWNED,
  type Stage2,
  type Stage2Attributes,
} from '../hardware/stage2.ts';
import { KIND_DONATE, KIND_LEND, KIND_SHARE, type Transaction, type TransactionKind } from './transaction.ts';

export const OWNERSHIP_BITS = STAGE2_INVALID | STAGE2_UNOWNED | STAGE2_SHARED;

/** No page of a range is mapped, or pages differ. */
export const NOT_UNIFORM = -1;
/** A page is not its sender's, or not its alone. */
export const NOT_ALONE = -2;
/** Pages of both worlds. */
const OF_BOTH_WORLDS = -3;

/**
 * The attributes that all pages of one run have, or NOT_UNIFORM when one is not mapped, differs, or lies beyond
 * `pageLimit`. No page at all is NOT_UNIFORM too.
 */
export function uniformAttributes(pages: Stage2, first: number, count: number, pageLimit: number): number {
  if (count === 0 || first + count > pageLimit) return NOT_UNIFORM;
  if (pages.translate(first) < 0) return NOT_UNIFORM;
  return pages.uniform(first, count) ? pages.attributes : NOT_UNIFORM;
}

/**
 * The attributes that a transaction's pages count as having in their sender's table: those of the last constituent of
 * the first fragment, which later fragments must match; or a negative number that says why they have none: they differ
 * within a constituent, a page is not the sender's alone, or they are of both worlds. So access and memory type may
 * differ between constituents of the first fragment; all are treated alike from then on, as Hafnium does.
 */
export function transactionAttributes(pages: Stage2, transaction: Transaction, pageLimit: number): number {
  let attributes = NOT_UNIFORM;
  let security = 0;
  for (let n = 0; n < transaction.constituentCount; n++) {
    const found = uniformAttributes(pages, transaction.firstPage(n), transaction.pagesOf(n), pageLimit);
    if (found === NOT_UNIFORM) return NOT_UNIFORM;
    if ((found & OWNERSHIP_BITS) !== 0) return NOT_ALONE;
    security |= (found & STAGE2_NON_SECURE) !== 0 ? 2 : 1;
    if (n < transaction.fragmentSizes[0]) attributes = found;
    else if (found !== attributes) return NOT_UNIFORM;
  }
  // Pages of both worlds would leave some of them with a sender that has given them away.
  const mixed = security === 3 && ((attributes & STAGE2_NON_SECURE) !== 0 || transaction.kind === KIND_DONATE);
  return mixed ? OF_BOTH_WORLDS : attributes;
}

/** Maps every page of a transaction, at its own address, with `attributes`; 0 unmaps. */
export function setTransactionAttributes(pages: Stage2, transaction: Transaction, attributes: Stage2Attributes): void {
  for (let n = 0; n < transaction.constituentCount; n++) {
    const first = transaction.firstPage(n);
    const count = transaction.pagesOf(n);
    if (attributes === 0) pages.unmap(first, count);
    else pages.map(first, first, count, attributes);
  }
}

export function transactionUnmapped(pages: Stage2, transaction: Transaction): boolean {
  for (let n = 0; n < transaction.constituentCount; n++) {
    if (!pages.uniform(transaction.firstPage(n), transaction.pagesOf(n)) || pages.attributes !== 0) return false;
  }
  return true;
}

/** Whether the endpoint has page tables for all pages of a transaction, when it may have `limit` of them. */
export function pageTablesLast(pages: Stage2, transaction: Transaction, limit: number): boolean {
  if (pages.tableCount + transaction.pageCount <= limit) return true;
  const missing = new Set<number>();
  for (let n = 0; n < transaction.constituentCount; n++) {
    pages.missingTables(transaction.firstPage(n), transaction.pagesOf(n), missing);
  }
  return pages.tableCount + missing.size <= limit;
}

export function zeroTransaction(frames: FrameTable, transaction: Transaction): void {
  for (let n = 0; n < transaction.constituentCount; n++) {
    frames.scrub(transaction.firstPage(n), transaction.pagesOf(n));
  }
}

/** What the sender's pages become when they are sent. */
export function sentAttributes(kind: TransactionKind, attributes: Stage2Attributes): Stage2Attributes {
  if (kind === KIND_SHARE) return attributes | STAGE2_SHARED;
  return kind === KIND_LEND ? attributes | STAGE2_INVALID : 0;
}

/** What a borrower's pages become when it retrieves them with `access`. */
export function retrievedAttributes(
  kind: TransactionKind,
  senderAttributes: Stage2Attributes,
  access: Stage2Attributes,
): Stage2Attributes {
  const kept = senderAttributes & ~(STAGE2_RWX | OWNERSHIP_BITS);
  if (kind === KIND_SHARE) return kept | access | STAGE2_UNOWNED | STAGE2_SHARED;
  return kind === KIND_LEND ? kept | access | STAGE2_UNOWNED : kept | access;
}
