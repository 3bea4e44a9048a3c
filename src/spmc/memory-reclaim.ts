// FFA_MEM_RELINQUISH: a borrower gives back what it retrieved. FFA_MEM_RECLAIM: the owner takes back what no borrower
// holds any more; its handle is dead from then on.

import { FFA_DENIED, FFA_INVALID_PARAMETERS, FFA_OK } from '../abi/errors.ts';
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
import { setTransactionAttributes, zeroTransaction } from './page-states.ts';
import type { Spmc } from './spmc.ts';
import type { Staging } from './staging.ts';
import { KIND_SHARE, type Receiver, type Transaction } from './transaction.ts';

/** The relinquish descriptor with one endpoint. */
const RELINQUISH_ONE_BYTES = RELINQUISH_ENDPOINTS_OFFSET + 2;

export function fetchRelinquish(spmc: Spmc, caller: Endpoint, _r: RegisterFile, staging: Staging): Result {
  if (!caller.mapped) return FFA_INVALID_PARAMETERS;
  staging.fetch(spmc.contents, caller, RELINQUISH_ONE_BYTES);
  return FFA_OK;
}

export function relinquishMemory(spmc: Spmc, caller: Endpoint, r: RegisterFile, staging: Staging): Result {
  const bytes = staging.bytes;
  if (readU32(bytes, RELINQUISH_ENDPOINT_COUNT_OFFSET) !== 1) return FFA_INVALID_PARAMETERS;
  const id = readU16(bytes, RELINQUISH_ENDPOINTS_OFFSET);
  if (caller.secure ? id !== caller.id : (id & 0x8000) !== 0) return FFA_INVALID_PARAMETERS;
  const low = readU32(bytes, RELINQUISH_HANDLE_OFFSET);
  const high = readU32(bytes, RELINQUISH_HANDLE_OFFSET + 4);
  const transaction = spmc.slots.find(low, high);
  if (transaction === null) return spmc.personality.unknownHandleError;
  const receiver = transaction.complete ? transaction.receiver(id) : null;
  if (receiver === null || !receiver.holds || receiver.fragmentsRead !== transaction.fragmentCount) {
    return FFA_INVALID_PARAMETERS;
  }
  // A VM's relinquish is bookkeeping: no page of its own is touched, so nothing is zeroed.
  const asked = (readU32(bytes, RELINQUISH_FLAGS_OFFSET) & RELINQUISH_FLAG_ZERO) !== 0;
  const zero = caller.secure && asked && isLastHolder(transaction);
  if (zero && transaction.kind === KIND_SHARE) return FFA_INVALID_PARAMETERS;
  if (zero && (receiver.permissions & DATA_ACCESS_MASK) === DATA_ACCESS_RO) return FFA_DENIED;
  relinquish(spmc, transaction, receiver, caller);
  if (zero) zeroTransaction(spmc.frames, transaction);
  return answerSuccess(r);
}

function isLastHolder(transaction: Transaction): boolean {
  let holders = 0;
  for (let n = 0; n < transaction.receiverCount; n++) if (transaction.receivers[n].holds) holders++;
  return holders === 1;
}

/** Takes the pages away from a borrower that holds them. */
export function relinquish(_spmc: Spmc, transaction: Transaction, receiver: Receiver, borrower: Endpoint): void {
  if (borrower.secure) setTransactionAttributes(borrower.pages, transaction, 0);
  receiver.holds = false;
  receiver.retrieved = false;
  receiver.fragmentsRead = 0;
}

export function reclaimMemory(spmc: Spmc, caller: Endpoint, r: RegisterFile): Result {
  const transaction = spmc.slots.find(r.w(1), r.w(2));
  if (transaction === null || !transaction.complete) return FFA_INVALID_PARAMETERS;
  if (caller.secure && (transaction.fromNormalWorld || transaction.sender !== caller.id)) return FFA_INVALID_PARAMETERS;
  // What a partition sent never comes to the normal world, and the normal world is not told more than that.
  if (transaction.held || caller.secure === transaction.fromNormalWorld) return FFA_DENIED;
  const zero = (r.w(3) & RECLAIM_FLAG_ZERO) !== 0;
  if (zero && (transaction.senderAttributes & STAGE2_WRITE) === 0) return FFA_DENIED;
  setTransactionAttributes(spmc.senderPages(transaction), transaction, transaction.senderAttributes);
  if (zero) zeroTransaction(spmc.frames, transaction);
  spmc.slots.release(transaction);
  return answerSuccess(r);
}
