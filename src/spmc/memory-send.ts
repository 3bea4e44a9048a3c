// FFA_MEM_SHARE, FFA_MEM_LEND, FFA_MEM_DONATE: a sender states a transaction; when the whole descriptor has arrived (in
// one piece, or by FFA_MEM_FRAG_TX: fragments.ts) its pages are checked and change state.
//
// Check, reserve, commit: a send that fails leaves pages and slots as they were.

import { FFA_OK } from '../abi/errors.ts';
import { FFA_MEM_FRAG_RX, isSmc64 } from '../abi/function-ids.ts';
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
import { PAGE_SIZE_BYTES, TWO_POW_32 } from '../base/units.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import { STAGE2_DEVICE, STAGE2_WRITE } from '../hardware/stage2.ts';
import { answerSuccess, type Result } from './answers.ts';
import type { Endpoint } from './endpoint.ts';
import { readU16, readU32 } from './little-endian.ts';
import { refuse } from './memory-checks.ts';
import { constituentsOverlap } from './overlap.ts';
import {
  NOT_ALONE,
  NOT_UNIFORM,
  pageTablesLast,
  sentAttributes,
  setTransactionAttributes,
  transactionAttributes,
  uniformAttributes,
  zeroTransaction,
} from './page-states.ts';
import { checkSendContent, checkSendShape, DescriptorParts } from './send-checks.ts';
import type { Spmc } from './spmc.ts';
import type { Staging } from './staging.ts';
import { KIND_LEND, KIND_SHARE, type Transaction, type TransactionKind } from './transaction.ts';

const parts = new DescriptorParts();

/** Checks the registers of a call that carries a transaction descriptor, and takes its fragment out of TX. */
export function fetchDescriptor(spmc: Spmc, caller: Endpoint, r: RegisterFile, staging: Staging): Result {
  if (r.w(3) !== 0 || r.high(3) !== 0 || r.w(4) !== 0) return refuse('descriptor: no buffer of its own');
  const fragment = r.w(2);
  if (fragment > r.w(1)) return refuse('descriptor: fragment within total');
  if (!caller.mapped) return refuse('descriptor: TX is mapped');
  const pages = caller.version < FFA_VERSION_1_1 ? 1 : caller.bufferPages;
  if (fragment > pages * PAGE_SIZE_BYTES) return refuse('descriptor: fragment fits TX');
  staging.fetch(spmc.contents, caller, fragment);
  return FFA_OK;
}

/** The same for a send, whose descriptor may lie in a buffer of the sender's own where the personality has that. */
export function fetchSend(spmc: Spmc, caller: Endpoint, r: RegisterFile, staging: Staging): Result {
  const own = (r.w(3) | r.high(3) | r.w(4)) !== 0;
  if (!own || caller.secure || !spmc.personality.memory.senderBuffers) return fetchDescriptor(spmc, caller, r, staging);
  const fragment = r.w(2);
  if (fragment > r.w(1)) return refuse('descriptor: fragment within total');
  const address = r.w(3) + (isSmc64(r.w(0)) ? r.high(3) : 0) * TWO_POW_32;
  const first = Math.floor(address / PAGE_SIZE_BYTES);
  const within = address - first * PAGE_SIZE_BYTES;
  const attributes = uniformAttributes(caller.pages, first, r.w(4), spmc.pageLimit);
  const holds = Math.min(r.w(4) * PAGE_SIZE_BYTES - within, staging.bytes.length) >= fragment;
  if (!holds || attributes === NOT_UNIFORM || (attributes & STAGE2_DEVICE) !== 0) {
    return refuse('descriptor: its own buffer holds it');
  }
  staging.fetchFrom(spmc.contents, address, fragment);
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
  const rules = spmc.personality.memory;
  if (caller.secure) {
    if (!rules.partitionSends.includes(kind)) return refuse('send: sender may', rules.partitionSendError);
    if (length < total && !rules.partitionFragments) return refuse('send: in one piece');
  }
  let result = checkSendShape(spmc, bytes, length, caller.version, parts);
  if (result === FFA_OK) result = checkSendContent(spmc, caller, kind, bytes, length, total, parts);
  if (result !== FFA_OK) return result;
  const { nowNs } = spmc.machine.time;
  if (!spmc.slots.makeRoom(nowNs, spmc.limits.fragmentPatienceNs)) return refuse('send: a slot is free');
  const transaction = record(spmc, caller, staging, kind);
  if (length < total) {
    spmc.slots.settle(true);
    spmc.slots.waitForMore(transaction, nowNs);
    return answerNextFragment(r, transaction, length);
  }
  const finished = finishSend(spmc, transaction, r);
  spmc.slots.settle(finished === FFA_OK);
  return finished;
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
function record(spmc: Spmc, caller: Endpoint, staging: Staging, kind: TransactionKind): Transaction {
  const { bytes, length } = staging;
  const sender = readU16(bytes, MTD_SENDER_OFFSET);
  const transaction = spmc.slots.take(sender, caller.secure);
  transaction.kind = kind;
  transaction.sender = sender;
  transaction.fromNormalWorld = !caller.secure;
  transaction.senderPages = caller.pages;
  transaction.senderVersion = caller.version;
  transaction.attributes = readU16(bytes, MTD_ATTRIBUTES_OFFSET);
  transaction.flags = readU32(bytes, MTD_FLAGS_OFFSET);
  transaction.tagLow = readU32(bytes, MTD_TAG_OFFSET);
  transaction.tagHigh = readU32(bytes, MTD_TAG_OFFSET + 4);
  transaction.receiverCount = parts.emadCount;
  transaction.emadSizeBytes = parts.emadSizeBytes;
  transaction.keepAccess(staging, parts.emadArrayOffset);
  for (let n = 0; n < parts.emadCount; n++) {
    const at = parts.emadArrayOffset + n * parts.emadSizeBytes;
    const receiver = transaction.receivers[n];
    receiver.id = readU16(bytes, at + EMAD_RECEIVER_OFFSET);
    receiver.permissions = bytes[at + EMAD_PERMISSIONS_OFFSET];
    receiver.holdCount = 0;
    receiver.fragmentsRead = 0;
    const impdefAt = n * parts.emadSizeBytes + EMAD_1_2_IMPDEF_OFFSET;
    for (let word = 0; word < 4; word++) receiver.impdef[word] = readU32(transaction.access, impdefAt + 4 * word);
  }
  transaction.pageCount = readU32(bytes, parts.compositeOffset + COMPOSITE_PAGE_COUNT_OFFSET);
  transaction.constituentCount = readU32(bytes, parts.compositeOffset + COMPOSITE_CONSTITUENT_COUNT_OFFSET);
  const from = parts.compositeOffset + COMPOSITE_SIZE_BYTES;
  transaction.append(staging.words, from, (length - from) / CONSTITUENT_SIZE_BYTES);
  return transaction;
}

/** The checks of a complete descriptor's pages (22 to 28), then the change of state. */
function commitSend(spmc: Spmc, transaction: Transaction): Result {
  let pageCount = 0;
  if (!transaction.aligned) return refuse('pages: aligned');
  for (let n = 0; n < transaction.constituentCount; n++) pageCount += transaction.pagesOf(n);
  if (pageCount !== transaction.pageCount) return refuse('pages: as many as stated');
  if (transaction.fragmentSizes[0] === 0) return refuse('pages: first fragment has some');
  if (constituentsOverlap(transaction)) return refuse('pages: each once');
  const pages = spmc.senderPages(transaction);
  const rules = spmc.personality.memory;
  const attributes = transactionAttributes(pages, transaction, spmc.pageLimit);
  if (attributes === NOT_UNIFORM) return refuse('pages: of one kind, and mapped');
  if (attributes === NOT_ALONE) return refuse("pages: the sender's alone", rules.sharedPageError);
  if (attributes < 0) return refuse('pages: of one world');
  const allowed = checkSenderPages(transaction, attributes, rules.flags.ignored);
  if (allowed !== FFA_OK) return allowed;
  if (!pageTablesLast(pages, transaction, spmc.limits.pageTables)) return refuse('pages: page tables for the sender');
  spmc.slots.stopWaiting(transaction);
  transaction.senderAttributes = attributes;
  transaction.complete = true;
  setTransactionAttributes(pages, transaction, sentAttributes(transaction.kind, attributes));
  if ((transaction.flags & MEMORY_FLAG_ZERO) !== 0 && !rules.flags.ignored) zeroTransaction(spmc.frames, transaction);
  return FFA_OK;
}

function checkSenderPages(transaction: Transaction, attributes: number, flagsIgnored: boolean): Result {
  const stated = transaction.attributes & MEMORY_TYPE_MASK;
  if ((attributes & STAGE2_DEVICE) !== 0) {
    const single = transaction.kind === KIND_LEND && transaction.receiverCount === 1;
    if (!single || stated === MEMORY_TYPE_MASK) return refuse('pages: device as device');
  } else if (stated === MEMORY_TYPE_DEVICE && transaction.kind !== KIND_SHARE) {
    return FFA_OK;
  }
  const writable = (attributes & STAGE2_WRITE) !== 0;
  const zeroed = (transaction.flags & MEMORY_FLAG_ZERO) !== 0 && !flagsIgnored;
  if (zeroed && !writable) return refuse('pages: writable to be zeroed');
  for (let n = 0; n < transaction.receiverCount; n++) {
    const data = transaction.receivers[n].permissions & DATA_ACCESS_MASK;
    if (data === DATA_ACCESS_RW && !writable) return refuse('pages: writable to be given so');
  }
  return FFA_OK;
}
