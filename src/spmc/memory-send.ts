// FFA_MEM_SHARE, FFA_MEM_LEND, FFA_MEM_DONATE: a sender states a transaction; when the whole descriptor has arrived (in
// one piece, or by FFA_MEM_FRAG_TX: fragments.ts) its pages are checked and change state.
//
// Check, reserve, commit: a send that fails leaves pages and slots as they were.

import { FFA_DENIED, FFA_INVALID_PARAMETERS, FFA_NO_MEMORY, FFA_OK } from '../abi/errors.ts';
import { FFA_MEM_FRAG_RX } from '../abi/function-ids.ts';
import {
  DATA_ACCESS_MASK,
  DATA_ACCESS_RW,
  FRAG_ENDPOINT_SHIFT,
  MEMORY_FLAG_ZERO,
  MEMORY_TYPE_DEVICE,
  MEMORY_TYPE_MASK,
} from '../abi/layout/memory-bits.ts';
import {
  COMPOSITE_CONSTITUENT_COUNT_OFFSET,
  COMPOSITE_PAGE_COUNT_OFFSET,
  COMPOSITE_SIZE_BYTES,
  CONSTITUENT_SIZE_BYTES,
  EMAD_1_2_IMPDEF_OFFSET,
  EMAD_PERMISSIONS_OFFSET,
  EMAD_RECEIVER_OFFSET,
  MTD_ATTRIBUTES_OFFSET,
  MTD_FLAGS_OFFSET,
  MTD_SENDER_OFFSET,
  MTD_TAG_OFFSET,
} from '../abi/layout/memory-transaction.ts';
import { FFA_VERSION_1_1 } from '../abi/versions.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import { STAGE2_DEVICE, STAGE2_WRITE } from '../hardware/stage2.ts';
import { answerSuccess, type Result } from './answers.ts';
import type { Endpoint } from './endpoint.ts';
import { readU16, readU32 } from './little-endian.ts';
import { constituentsOverlap } from './overlap.ts';
import {
  NOT_UNIFORM,
  sentAttributes,
  setTransactionAttributes,
  transactionAttributes,
  zeroTransaction,
} from './page-states.ts';
import { checkSendContent, checkSendShape, DescriptorParts } from './send-checks.ts';
import type { Spmc } from './spmc.ts';
import type { Staging } from './staging.ts';
import { KIND_LEND, KIND_SHARE, type Transaction, type TransactionKind } from './transaction.ts';

const parts = new DescriptorParts();

/** Checks the registers of a call that carries a transaction descriptor, and takes its fragment out of TX. */
export function fetchDescriptor(spmc: Spmc, caller: Endpoint, r: RegisterFile, staging: Staging): Result {
  if (r.w(3) !== 0 || r.high(3) !== 0 || r.w(4) !== 0) return FFA_INVALID_PARAMETERS;
  const total = r.w(1);
  const fragment = r.w(2);
  if (fragment > total || !caller.mapped) return FFA_INVALID_PARAMETERS;
  const pages = caller.version < FFA_VERSION_1_1 ? 1 : caller.bufferPages;
  if (fragment > pages * PAGE_SIZE_BYTES) return FFA_INVALID_PARAMETERS;
  staging.fetch(spmc.contents, caller, fragment);
  return FFA_OK;
}

export function sendMemory(
  spmc: Spmc,
  caller: Endpoint,
  r: RegisterFile,
  staging: Staging,
  kind: TransactionKind,
): Result {
  const bytes = staging.bytes;
  const length = staging.length;
  const total = r.w(1);
  let result = checkSendShape(spmc, bytes, length, caller.version, parts);
  if (result === FFA_OK) result = checkSendContent(spmc, caller, kind, bytes, length, total, parts);
  if (result === FFA_OK && spmc.slots.full) result = FFA_NO_MEMORY;
  if (result !== FFA_OK) return result;
  const transaction = record(spmc, caller, bytes, length, kind);
  if (length < total) {
    return answerNextFragment(r, transaction, length);
  }
  return finishSend(spmc, transaction, r);
}

/** Checks the pages of a descriptor that has arrived whole, and lets them change state; else frees the slot. */
export function finishSend(spmc: Spmc, transaction: Transaction, r: RegisterFile): Result {
  const result = commitSend(spmc, transaction);
  if (result !== FFA_OK) {
    spmc.slots.release(transaction);
    return result;
  }
  return answerSuccess(r, transaction.handleLow, transaction.handleHigh);
}

/** FFA_MEM_FRAG_RX: the sender is asked for what follows the first `offset` bytes. */
export function answerNextFragment(r: RegisterFile, transaction: Transaction, offset: number): Result {
  r.clear();
  r.setW(0, FFA_MEM_FRAG_RX);
  r.setW(1, transaction.handleLow);
  r.setW(2, transaction.handleHigh);
  r.setW(3, offset);
  if (transaction.fromNormalWorld) r.setW(4, transaction.sender << FRAG_ENDPOINT_SHIFT);
  return FFA_OK;
}

/** Takes a slot and writes down what the checked descriptor says. */
function record(spmc: Spmc, caller: Endpoint, bytes: Uint8Array, length: number, kind: TransactionKind): Transaction {
  const sender = readU16(bytes, MTD_SENDER_OFFSET);
  const transaction = spmc.slots.take(sender, caller.secure);
  transaction.kind = kind;
  transaction.sender = sender;
  transaction.fromNormalWorld = !caller.secure;
  transaction.senderVersion = caller.version;
  transaction.attributes = readU16(bytes, MTD_ATTRIBUTES_OFFSET);
  transaction.flags = readU32(bytes, MTD_FLAGS_OFFSET);
  transaction.tagLow = readU32(bytes, MTD_TAG_OFFSET);
  transaction.tagHigh = readU32(bytes, MTD_TAG_OFFSET + 4);
  transaction.receiverCount = parts.emadCount;
  transaction.emadSizeBytes = parts.emadSizeBytes;
  transaction.keepAccess(bytes, parts.emadArrayOffset, length);
  for (let n = 0; n < parts.emadCount; n++) {
    const at = parts.emadArrayOffset + n * parts.emadSizeBytes;
    const receiver = transaction.receivers[n];
    receiver.id = readU16(bytes, at + EMAD_RECEIVER_OFFSET);
    receiver.permissions = bytes[at + EMAD_PERMISSIONS_OFFSET];
    receiver.holds = false;
    receiver.retrieved = false;
    receiver.fragmentsRead = 0;
    const impdefAt = n * parts.emadSizeBytes + EMAD_1_2_IMPDEF_OFFSET;
    for (let word = 0; word < 4; word++) receiver.impdef[word] = readU32(transaction.access, impdefAt + 4 * word);
  }
  transaction.pageCount = readU32(bytes, parts.compositeOffset + COMPOSITE_PAGE_COUNT_OFFSET);
  transaction.constituentCount = readU32(bytes, parts.compositeOffset + COMPOSITE_CONSTITUENT_COUNT_OFFSET);
  const from = parts.compositeOffset + COMPOSITE_SIZE_BYTES;
  transaction.append(bytes, from, (length - from) / CONSTITUENT_SIZE_BYTES);
  return transaction;
}

/** The checks of a complete descriptor's pages (22 to 28), then the change of state. */
function commitSend(spmc: Spmc, transaction: Transaction): Result {
  let pageCount = 0;
  if (!transaction.aligned) return FFA_INVALID_PARAMETERS;
  for (let n = 0; n < transaction.constituentCount; n++) pageCount += transaction.pagesOf(n);
  if (pageCount !== transaction.pageCount || transaction.fragmentSizes[0] === 0) return FFA_INVALID_PARAMETERS;
  if (constituentsOverlap(transaction)) return FFA_INVALID_PARAMETERS;
  const pages = spmc.senderPages(transaction);
  const attributes = transactionAttributes(pages, transaction, spmc.pageLimit);
  if (attributes === NOT_UNIFORM) return FFA_DENIED;
  const allowed = checkSenderPages(transaction, attributes);
  if (allowed !== FFA_OK) return allowed;
  transaction.senderAttributes = attributes;
  transaction.complete = true;
  setTransactionAttributes(pages, transaction, sentAttributes(transaction.kind, attributes));
  if ((transaction.flags & MEMORY_FLAG_ZERO) !== 0) zeroTransaction(spmc.frames, transaction);
  return FFA_OK;
}

function checkSenderPages(transaction: Transaction, attributes: number): Result {
  const stated = transaction.attributes & MEMORY_TYPE_MASK;
  if ((attributes & STAGE2_DEVICE) !== 0) {
    const single = transaction.kind === KIND_LEND && transaction.receiverCount === 1;
    if (!single || stated === MEMORY_TYPE_MASK) return FFA_DENIED;
  } else if (stated === MEMORY_TYPE_DEVICE && transaction.kind !== KIND_SHARE) {
    return FFA_OK;
  }
  const writable = (attributes & STAGE2_WRITE) !== 0;
  if ((transaction.flags & MEMORY_FLAG_ZERO) !== 0 && !writable) return FFA_DENIED;
  for (let n = 0; n < transaction.receiverCount; n++) {
    const data = transaction.receivers[n].permissions & DATA_ACCESS_MASK;
    if (data === DATA_ACCESS_RW && !writable) return FFA_DENIED;
  }
  return FFA_OK;
}
