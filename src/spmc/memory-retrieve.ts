// FFA_MEM_RETRIEVE_REQ: a borrower gets the pages of a transaction and its description, or the hypervisor gets the
// description alone. The description goes to the caller's RX buffer, in as many fragments as it needs (fragments.ts).

import { isSecureEndpoint } from '../abi/endpoint-ids.ts';
import { FFA_OK } from '../abi/errors.ts';
import { FFA_MEM_RETRIEVE_RESP } from '../abi/function-ids.ts';
import {
  DATA_ACCESS_MASK,
  DATA_ACCESS_RW,
  INSTRUCTION_ACCESS_MASK,
  INSTRUCTION_ACCESS_X,
  MEMORY_FLAG_ZERO,
} from '../abi/layout/memory-bits.ts';
import {
  CONSTITUENT_SIZE_BYTES,
  MTD_1_0_SIZE_BYTES,
  MTD_1_1_SIZE_BYTES,
  MTD_ATTRIBUTES_OFFSET,
  MTD_EMAD_COUNT_OFFSET,
  MTD_FLAGS_OFFSET,
  MTD_HANDLE_OFFSET,
  MTD_SENDER_OFFSET,
  MTD_TAG_OFFSET,
} from '../abi/layout/memory-transaction.ts';
import { FFA_VERSION_1_1 } from '../abi/versions.ts';
import { present } from '../base/assert.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import { STAGE2_EXECUTE, STAGE2_READ, STAGE2_WRITE } from '../hardware/stage2.ts';
import type { Result } from './answers.ts';
import { type Endpoint, RX_EMPTY, RX_FULL } from './endpoint.ts';
import { readU16, readU32 } from './little-endian.ts';
import { refuse } from './memory-checks.ts';
import { fetchDescriptor } from './memory-send.ts';
import {
  pageTablesLast,
  retrievedAttributes,
  setTransactionAttributes,
  transactionUnmapped,
  zeroTransaction,
} from './page-states.ts';
import { checkRetrieve, Grant } from './retrieve-checks.ts';
import { responseHeadBytes, writeResponse } from './retrieve-response.ts';
import { DescriptorParts, locateParts } from './send-checks.ts';
import type { Spmc } from './spmc.ts';
import type { Staging } from './staging.ts';
import { KIND_DONATE, type Transaction } from './transaction.ts';

const parts = new DescriptorParts();
const grant = new Grant();

export function fetchRetrieve(spmc: Spmc, caller: Endpoint, r: RegisterFile, staging: Staging): Result {
  if (r.w(1) !== r.w(2)) return refuse('retrieve: in one piece');
  const fetched = fetchDescriptor(spmc, caller, r, staging);
  if (fetched !== FFA_OK) return fetched;
  return caller.rx === RX_EMPTY ? FFA_OK : refuse('retrieve: RX is free', spmc.personality.memory.rxFullError);
}

export function retrieveMemory(spmc: Spmc, caller: Endpoint, r: RegisterFile, staging: Staging): Result {
  const bytes = staging.bytes;
  const length = staging.length;
  const byHypervisor = !caller.secure && length >= headerBytes(caller.version) && emadCountOf(bytes) === 0;
  if (!byHypervisor) {
    const located = locateParts(bytes, length, caller.version, parts);
    if (located !== FFA_OK) return located;
  }
  const transaction = spmc.slots.find(readU32(bytes, MTD_HANDLE_OFFSET), readU32(bytes, MTD_HANDLE_OFFSET + 4));
  const rules = spmc.personality.memory;
  if (transaction === null) return refuse('retrieve: handle is known', rules.unknownHandleError);
  if (byHypervisor) return retrieveByHypervisor(spmc, caller, r, transaction, bytes);
  if (!transaction.complete) return refuse('retrieve: completely sent');
  if (transaction.deferred) return refuse('retrieve: owner lives');
  if (!caller.secure && vmReceivers(transaction) > 1) return refuse('retrieve: one VM at most');
  const checked = checkRetrieve(rules, caller, transaction, bytes, length, parts, grant);
  if (checked !== FFA_OK) return checked;
  const mapped = caller.secure ? retrieveForPartition(spmc, caller, transaction, bytes) : retrieveForVm(spmc);
  if (mapped !== FFA_OK) return mapped;
  return respond(spmc, caller, r, transaction);
}

function headerBytes(version: number): number {
  return version >= FFA_VERSION_1_1 ? MTD_1_1_SIZE_BYTES : MTD_1_0_SIZE_BYTES;
}

function emadCountOf(bytes: Uint8Array): number {
  return readU32(bytes, MTD_EMAD_COUNT_OFFSET);
}

/** VMs among the receivers. */
export function vmReceivers(transaction: Transaction): number {
  let count = 0;
  for (let n = 0; n < transaction.receiverCount; n++) {
    if (!isSecureEndpoint(transaction.receivers[n].id)) count++;
  }
  return count;
}

/** Maps the pages at the partition, as `grant` says. */
function retrieveForPartition(spmc: Spmc, caller: Endpoint, transaction: Transaction, bytes: Uint8Array): Result {
  const receiver = present(grant.receiver, 'who is granted something');
  const rules = spmc.personality.memory;
  if (receiver.holdCount >= rules.retrievesPerBorrower) return refuse('retrieve: once');
  if (!rules.fragmentedResponses && !fitsRx(caller, transaction)) return refuse('retrieve: response fits RX');
  if (receiver.holds) {
    receiver.holdCount++;
    return FFA_OK;
  }
  if (!transactionUnmapped(caller.pages, transaction)) return refuse('retrieve: nothing is there');
  if (!pageTablesLast(caller.pages, transaction, spmc.limits.pageTables)) {
    return refuse('retrieve: page tables for the borrower');
  }
  let access = STAGE2_READ;
  if ((grant.permissions & DATA_ACCESS_MASK) === DATA_ACCESS_RW) access |= STAGE2_WRITE;
  if ((grant.permissions & INSTRUCTION_ACCESS_MASK) === INSTRUCTION_ACCESS_X) access |= STAGE2_EXECUTE;
  const zero = (readU32(bytes, MTD_FLAGS_OFFSET) & MEMORY_FLAG_ZERO) !== 0 && !rules.flags.ignored;
  if (zero) zeroTransaction(spmc.frames, transaction);
  const attributes = retrievedAttributes(transaction.kind, transaction.senderAttributes, access);
  setTransactionAttributes(caller.pages, transaction, attributes);
  receiver.holdCount = 1;
  return FFA_OK;
}

function fitsRx(caller: Endpoint, transaction: Transaction): boolean {
  const bytes = responseHeadBytes(caller.version, 1) + transaction.constituentCount * CONSTITUENT_SIZE_BYTES;
  return bytes <= caller.bufferPages * PAGE_SIZE_BYTES;
}

/** A VM's retrieve is bookkeeping: what the VM may touch is the hypervisor's business. */
function retrieveForVm(spmc: Spmc): Result {
  const receiver = present(grant.receiver, 'who is granted something');
  receiver.holdCount = Math.min(receiver.holdCount + 1, spmc.personality.memory.retrievesPerBorrower);
  return FFA_OK;
}

/** Fills RX with the response, or its first fragment. */
function respond(spmc: Spmc, caller: Endpoint, r: RegisterFile, transaction: Transaction): Result {
  const receiver = present(grant.receiver, 'who is granted something');
  const written = writeResponse(spmc, caller, transaction, receiver, grant.permissions);
  receiver.fragmentsRead = written.fragments;
  caller.rx = RX_FULL;
  r.clear();
  r.setW(0, FFA_MEM_RETRIEVE_RESP);
  const exact = spmc.personality.memory.exactResponse;
  r.setW(1, exact ? written.totalBytes : caller.bufferPages * PAGE_SIZE_BYTES);
  r.setW(2, exact ? written.fragmentBytes : caller.bufferPages * PAGE_SIZE_BYTES);
  // A donated region has a new owner: nothing of the transaction is left once the owner has been told where it is.
  if (transaction.kind === KIND_DONATE && receiver.fragmentsRead === transaction.fragmentCount) {
    spmc.slots.release(transaction);
  }
  return FFA_OK;
}

/** The hypervisor asks what a VM's transaction says: every field of the request but the handle is zero. */
function retrieveByHypervisor(
  spmc: Spmc,
  caller: Endpoint,
  r: RegisterFile,
  transaction: Transaction,
  bytes: Uint8Array,
): Result {
  const zeroExceptHandle =
    readU16(bytes, MTD_SENDER_OFFSET) |
    bytes[MTD_ATTRIBUTES_OFFSET] |
    readU32(bytes, MTD_FLAGS_OFFSET) |
    readU32(bytes, MTD_TAG_OFFSET) |
    readU32(bytes, MTD_TAG_OFFSET + 4);
  if (zeroExceptHandle !== 0) return refuse('retrieve: hypervisor names the handle alone');
  if (transaction.hypervisorRead >= 0) return refuse('retrieve: hypervisor has read the last');
  const written = writeResponse(spmc, caller, transaction, null, 0);
  transaction.hypervisorRead = written.fragments === transaction.fragmentCount ? -1 : written.fragments;
  caller.rx = RX_FULL;
  r.clear();
  r.setW(0, FFA_MEM_RETRIEVE_RESP);
  r.setW(1, written.totalBytes);
  r.setW(2, written.fragmentBytes);
  return FFA_OK;
}
