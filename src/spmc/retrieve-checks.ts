// What a borrower may ask in FFA_MEM_RETRIEVE_REQ, in the order in which Hafnium checks it [Hafnium ffa_memory.c]. The
// request was copied once; nothing here touches memory or state.

import { isSecureEndpoint } from '../abi/endpoint-ids.ts';
import { FFA_OK } from '../abi/errors.ts';
import {
  DATA_ACCESS_MASK,
  DATA_ACCESS_RESERVED,
  DATA_ACCESS_RO,
  DATA_ACCESS_RW,
  DATA_ACCESS_UNSPECIFIED,
  INSTRUCTION_ACCESS_MASK,
  INSTRUCTION_ACCESS_NX,
  INSTRUCTION_ACCESS_RESERVED,
  INSTRUCTION_ACCESS_UNSPECIFIED,
  INSTRUCTION_ACCESS_X,
  MEMORY_FLAG_BYPASS_BORROWER_CHECK,
  MEMORY_FLAG_TYPE_MASK,
  MEMORY_FLAG_TYPE_SHIFT,
  MEMORY_FLAG_ZERO,
  MEMORY_FLAG_ZERO_AFTER_RELINQUISH,
  MEMORY_TYPE_DEVICE,
  MEMORY_TYPE_MASK,
  MEMORY_TYPE_NORMAL,
  MEMORY_TYPE_UNSPECIFIED,
} from '../abi/layout/memory-bits.ts';
import {
  EMAD_1_2_IMPDEF_OFFSET,
  EMAD_1_2_SIZE_BYTES,
  EMAD_COMPOSITE_OFFSET,
  EMAD_PERMISSIONS_OFFSET,
  EMAD_RECEIVER_OFFSET,
  MTD_ATTRIBUTES_OFFSET,
  MTD_FLAGS_OFFSET,
  MTD_SENDER_OFFSET,
  MTD_TAG_OFFSET,
} from '../abi/layout/memory-transaction.ts';
import { FFA_VERSION_1_1 } from '../abi/versions.ts';
import { assert } from '../base/assert.ts';
import { STAGE2_DEVICE, STAGE2_NON_SECURE } from '../hardware/stage2.ts';
import type { Result } from './answers.ts';
import type { Endpoint } from './endpoint.ts';
import { readU16, readU32 } from './little-endian.ts';
import { refuse } from './memory-checks.ts';
import type { MemoryRules } from './personality.ts';
import { type DescriptorParts, namesReceiver, SECURITY_MASK, statedTypeAllowed } from './send-checks.ts';
import { KIND_DONATE, KIND_LEND, type Receiver, type Transaction } from './transaction.ts';

/** What a request that passed its checks is granted. */
export class Grant {
  receiver: Receiver | null = null;
  /** DATA_ACCESS_RO or RW, and INSTRUCTION_ACCESS_NX or X. */
  permissions = 0;
  attributes = 0;
}

export function checkRetrieve(
  rules: MemoryRules,
  caller: Endpoint,
  transaction: Transaction,
  bytes: Uint8Array,
  length: number,
  parts: DescriptorParts,
  grant: Grant,
): Result {
  const flags = readU32(bytes, MTD_FLAGS_OFFSET);
  const own = ownReceiver(caller, transaction, bytes, parts);
  const emadsEnd = parts.emadArrayOffset + parts.emadCount * parts.emadSizeBytes;
  if (caller.version < FFA_VERSION_1_1 ? emadsEnd > length : emadsEnd !== length) {
    return refuse('retrieve: length');
  }
  if (readU16(bytes, MTD_SENDER_OFFSET) !== transaction.sender) {
    return refuse('retrieve: sender', rules.wrongSenderError);
  }
  const type = (flags & MEMORY_FLAG_TYPE_MASK) >>> MEMORY_FLAG_TYPE_SHIFT;
  if (type !== 0 && type !== transaction.kind) return refuse('retrieve: kind');
  const tagLow = readU32(bytes, MTD_TAG_OFFSET);
  const tagHigh = readU32(bytes, MTD_TAG_OFFSET + 4);
  if (tagLow !== transaction.tagLow || tagHigh !== transaction.tagHigh) return refuse('retrieve: tag');
  if (own === null) return refuse('retrieve: caller was listed');
  if (!namesReceiver(bytes, parts, own.id)) return refuse('retrieve: caller lists itself');
  const flagged = rules.flags.checkRetrieve(transaction, own, flags);
  if (flagged !== FFA_OK) return flagged;
  const attributed = checkAttributes(readU16(bytes, MTD_ATTRIBUTES_OFFSET));
  if (attributed !== FFA_OK) return attributed;
  const received = checkReceivers(transaction, bytes, parts, flags, own, grant);
  if (received !== FFA_OK) return received;
  const stated = transaction.attributes & MEMORY_TYPE_MASK;
  const device = stated === MEMORY_TYPE_DEVICE || (transaction.senderAttributes & STAGE2_DEVICE) !== 0;
  return device && memoryType(bytes) === MEMORY_TYPE_NORMAL ? refuse('retrieve: device as device') : FFA_OK;
}

function memoryType(bytes: Uint8Array): number {
  return readU16(bytes, MTD_ATTRIBUTES_OFFSET) & MEMORY_TYPE_MASK;
}

/** The sender's entry for whoever asks: the calling partition, or the VM for which the hypervisor asks. */
function ownReceiver(
  caller: Endpoint,
  transaction: Transaction,
  bytes: Uint8Array,
  parts: DescriptorParts,
): Receiver | null {
  if (caller.secure) return transaction.receiver(caller.id);
  for (let n = 0; n < parts.emadCount; n++) {
    const id = readU16(bytes, parts.emadArrayOffset + n * parts.emadSizeBytes + EMAD_RECEIVER_OFFSET);
    if (!isSecureEndpoint(id)) return transaction.receiver(id);
  }
  return null;
}

function checkAttributes(attributes: number): Result {
  if ((attributes & SECURITY_MASK) !== 0) return refuse('retrieve: no NS bit');
  const type = attributes & MEMORY_TYPE_MASK;
  if (type === MEMORY_TYPE_UNSPECIFIED) return FFA_OK;
  return statedTypeAllowed(attributes) ? FFA_OK : refuse('retrieve: memory type allowed');
}

function checkReceivers(
  transaction: Transaction,
  bytes: Uint8Array,
  parts: DescriptorParts,
  flags: number,
  own: Receiver,
  grant: Grant,
): Result {
  const bypass = (flags & MEMORY_FLAG_BYPASS_BORROWER_CHECK) !== 0;
  if (bypass) {
    if (parts.emadCount !== 1 || transaction.receiverCount < 2) return refuse('retrieve: bypass with one of several');
  } else if (parts.emadCount !== transaction.receiverCount) {
    return refuse('retrieve: all receivers');
  }
  grant.receiver = null;
  for (let n = 0; n < parts.emadCount; n++) {
    const at = parts.emadArrayOffset + n * parts.emadSizeBytes;
    const id = readU16(bytes, at + EMAD_RECEIVER_OFFSET);
    if (readU32(bytes, at + EMAD_COMPOSITE_OFFSET) !== 0) return refuse('retrieve: no addresses');
    const receiver = transaction.receiver(id);
    if (receiver === null) return refuse('retrieve: receiver was listed');
    const permissions = grantedPermissions(transaction, receiver, bytes[at + EMAD_PERMISSIONS_OFFSET]);
    if (permissions < 0) return permissions as Result;
    if (receiver !== own) continue;
    if ((flags & (MEMORY_FLAG_ZERO | MEMORY_FLAG_ZERO_AFTER_RELINQUISH)) !== 0) {
      if ((permissions & DATA_ACCESS_MASK) === DATA_ACCESS_RO)
        return refuse('retrieve: no zeroing when asked read-only');
    }
    if (parts.emadSizeBytes === EMAD_1_2_SIZE_BYTES && transaction.emadSizeBytes === EMAD_1_2_SIZE_BYTES) {
      for (let word = 0; word < 4; word++) {
        const asked = readU32(bytes, at + EMAD_1_2_IMPDEF_OFFSET + 4 * word);
        if (asked !== receiver.impdef[word]) return refuse('retrieve: implementation defined value');
      }
    }
    grant.receiver = receiver;
    grant.permissions = permissions;
  }
  assert(grant.receiver !== null, 'the caller is among the receivers that were checked');
  return FFA_OK;
}

/** What `receiver` gets when it asks for `asked`, or an error (negative). */
function grantedPermissions(transaction: Transaction, receiver: Receiver, asked: number): number {
  let data = asked & DATA_ACCESS_MASK;
  const sent = receiver.permissions & DATA_ACCESS_MASK;
  const most = sent === DATA_ACCESS_UNSPECIFIED ? DATA_ACCESS_RW : sent;
  if (data === DATA_ACCESS_RESERVED) return refuse('retrieve: data access exists');
  if (data === DATA_ACCESS_UNSPECIFIED) data = most;
  if (data > most) return refuse('retrieve: data access given');
  const instruction = asked & INSTRUCTION_ACCESS_MASK;
  const single =
    transaction.kind === KIND_DONATE || (transaction.kind === KIND_LEND && transaction.receiverCount === 1);
  if (!single) {
    if (instruction !== INSTRUCTION_ACCESS_UNSPECIFIED) return refuse('retrieve: instruction access is open');
    return data | INSTRUCTION_ACCESS_NX;
  }
  if (instruction === INSTRUCTION_ACCESS_UNSPECIFIED) return refuse('retrieve: instruction access stated');
  if (instruction === INSTRUCTION_ACCESS_RESERVED) return refuse('retrieve: instruction access exists');
  const nonSecure = (transaction.senderAttributes & STAGE2_NON_SECURE) !== 0;
  if (instruction === INSTRUCTION_ACCESS_X && nonSecure) return refuse('retrieve: no execution of non-secure memory');
  return data | instruction;
}
