// FFA_MEM_RELINQUISH: a borrower gives back what it retrieved. FFA_MEM_RECLAIM: the owner takes back what no borrower
// holds any more; its handle is dead from then on.

import { FFA_OK } from '../abi/errors.ts';
import {
  DATA_ACCESS_MASK,
  DATA_ACCESS_RO,
  RECLAIM_FLAG_ZERO,
  RELINQUISH_FLAG_ZERO,
} from '../abi/layout/memory-bits.ts';
import {
  RELINQUISH_ENDPOINT_COUNT_OFFSET,
  RELINQUISH_ENDPOINTS_OFFSET,
  RELINQUISH_FLAGS_OFFSET,
  RELINQUISH_HANDLE_OFFSET,
} from '../abi/layout/memory-transaction.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import { STAGE2_WRITE } from '../hardware/stage2.ts';
import { answerSuccess, type Result } from './answers.ts';
import type { Endpoint } from './endpoint.ts';
import { readU16, readU32 } from './little-endian.ts';
import { refuse } from './memory-checks.ts';
import { setTransactionAttributes, zeroTransaction } from './page-states.ts';
import type { Spmc } from './spmc.ts';
import type { Staging } from './staging.ts';
import { KIND_SHARE, type Receiver, type Transaction } from './transaction.ts';

/** The relinquish descriptor with one endpoint. */
const RELINQUISH_ONE_BYTES = RELINQUISH_ENDPOINTS_OFFSET + 2;

export function fetchRelinquish(spmc: Spmc, caller: Endpoint, _r: RegisterFile, staging: Staging): Result {
  if (!caller.mapped) return refuse('relinquish: TX is mapped');
  staging.fetch(spmc.contents, caller, RELINQUISH_ONE_BYTES);
  return FFA_OK;
}

export function relinquishMemory(spmc: Spmc, caller: Endpoint, r: RegisterFile, staging: Staging): Result {
  const bytes = staging.bytes;
  const rules = spmc.personality.memory;
  if (!caller.secure && !rules.normalWorldRelinquishes) return refuse('relinquish: sender may');
  if (readU32(bytes, RELINQUISH_ENDPOINT_COUNT_OFFSET) !== 1) return refuse('relinquish: one endpoint');
  const id = readU16(bytes, RELINQUISH_ENDPOINTS_OFFSET);
  if (caller.secure ? id !== caller.id : (id & 0x8000) !== 0) {
    return refuse('relinquish: of the caller', rules.notHeldError);
  }
  const flags = readU32(bytes, RELINQUISH_FLAGS_OFFSET);
  const flagged = rules.flags.checkRelinquish(flags);
  if (flagged !== FFA_OK) return flagged;
  const low = readU32(bytes, RELINQUISH_HANDLE_OFFSET);
  const high = readU32(bytes, RELINQUISH_HANDLE_OFFSET + 4);
  const transaction = spmc.slots.find(low, high);
  if (transaction === null) return refuse('relinquish: handle is known', rules.unknownHandleError);
  if (!transaction.complete) return refuse('relinquish: completely sent');
  const receiver = transaction.receiver(id);
  if (receiver === null || !receiver.holds) return refuse('relinquish: caller borrows', rules.notHeldError);
  if (receiver.fragmentsRead !== transaction.fragmentCount) return refuse('relinquish: response is read');
  // A VM's relinquish is bookkeeping: no page of its own is touched, so nothing is zeroed.
  const asked = (flags & RELINQUISH_FLAG_ZERO) !== 0 && !rules.flags.ignored;
  const zero = caller.secure && asked && isLastHolder(transaction);
  if (zero && transaction.kind === KIND_SHARE) return refuse('relinquish: no zeroing of a share');
  if (zero && (receiver.permissions & DATA_ACCESS_MASK) === DATA_ACCESS_RO) {
    return refuse('relinquish: no zeroing when read-only');
  }
  if (receiver.holdCount > 1) {
    receiver.holdCount--;
    return answerSuccess(r);
  }
  relinquish(spmc, transaction, receiver);
  if (zero) zeroTransaction(spmc.frames, transaction);
  return answerSuccess(r);
}

function isLastHolder(transaction: Transaction): boolean {
  let holders = 0;
  for (let n = 0; n < transaction.receiverCount; n++) if (transaction.receivers[n].holds) holders++;
  return holders === 1;
}

/**
 * Takes the pages away from a borrower that holds them, however often it retrieved. If it was the last, and the
 * partition that owns them is dead, they go back to it.
 */
export function relinquish(spmc: Spmc, transaction: Transaction, receiver: Receiver): void {
  const borrower = spmc.partitionById.get(receiver.id);
  if (borrower !== undefined) setTransactionAttributes(borrower.pages, transaction, 0);
  receiver.holdCount = 0;
  receiver.fragmentsRead = 0;
  if (transaction.deferred && !transaction.held) reclaim(spmc, transaction);
}

/** The pages are their owner's alone again, and the handle is dead. */
export function reclaim(spmc: Spmc, transaction: Transaction, zero = false): void {
  setTransactionAttributes(spmc.senderPages(transaction), transaction, transaction.senderAttributes);
  if (zero) zeroTransaction(spmc.frames, transaction);
  spmc.slots.release(transaction);
}

/** Ends every borrower's hold on what a VM sent: all of it can be reclaimed, and nothing is reclaimed yet. */
export function takeBackFrom(spmc: Spmc, vmId: number): void {
  for (const transaction of spmc.slots.transactions) {
    if (!transaction.inUse || !transaction.complete || transaction.sender !== vmId) continue;
    for (let n = 0; n < transaction.receiverCount; n++) {
      const receiver = transaction.receivers[n];
      if (receiver.holds) relinquish(spmc, transaction, receiver);
    }
  }
}

export function reclaimMemory(spmc: Spmc, caller: Endpoint, r: RegisterFile): Result {
  const rules = spmc.personality.memory;
  const flags = r.w(3);
  if (caller.secure && !rules.partitionReclaims) return refuse('reclaim: caller may');
  const flagged = rules.flags.checkReclaim(caller.secure, flags);
  if (flagged !== FFA_OK) return flagged;
  const transaction = spmc.slots.find(r.w(1), r.w(2));
  if (transaction === null) return refuse('reclaim: handle is known');
  if (!transaction.complete) return refuse('reclaim: completely sent');
  if (caller.secure && (transaction.fromNormalWorld || transaction.sender !== caller.id)) {
    return refuse('reclaim: caller owns');
  }
  if (transaction.held) return refuse('reclaim: nobody holds');
  // What a partition sent never comes to the normal world, and the normal world is not told more than that.
  if (caller.secure === transaction.fromNormalWorld) return refuse('reclaim: within its world');
  const zero = (flags & RECLAIM_FLAG_ZERO) !== 0;
  if (zero && (transaction.senderAttributes & STAGE2_WRITE) === 0) return refuse('reclaim: writable to be zeroed');
  reclaim(spmc, transaction, zero);
  return answerSuccess(r);
}
