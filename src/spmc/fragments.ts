// FFA_MEM_FRAG_TX: a sender brings the next fragment of its descriptor. FFA_MEM_FRAG_RX: a retriever asks for the next
// one of its response.
//
// There is no call to give up a send that is under way: a sender that stops leaves its slot used, until somebody wants
// the slot and has waited long enough (slots.ts).

import { isSecureEndpoint } from '../abi/endpoint-ids.ts';
import { FFA_OK } from '../abi/errors.ts';
import { FFA_MEM_FRAG_TX } from '../abi/function-ids.ts';
import { FRAG_ENDPOINT_SHIFT } from '../abi/layout/memory-bits.ts';
import { CONSTITUENT_SIZE_BYTES, EMAD_1_0_SIZE_BYTES } from '../abi/layout/memory-transaction.ts';
import { FFA_VERSION_1_1 } from '../abi/versions.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import type { Result } from './answers.ts';
import { type Endpoint, RX_EMPTY, RX_FULL } from './endpoint.ts';
import { refuse } from './memory-checks.ts';
import { vmReceivers } from './memory-retrieve.ts';
import { answerNextFragment, finishSend } from './memory-send.ts';
import { copyConstituents, responseHeadBytes } from './retrieve-response.ts';
import type { Spmc } from './spmc.ts';
import type { Staging } from './staging.ts';
import { KIND_DONATE, type Receiver, type Transaction } from './transaction.ts';

export function fetchFragment(spmc: Spmc, caller: Endpoint, r: RegisterFile, staging: Staging): Result {
  const length = r.w(3);
  if (caller.secure && r.w(4) >>> FRAG_ENDPOINT_SHIFT !== 0) return refuse('fragment: sender is at its own door');
  if (!caller.mapped) return refuse('fragment: TX is mapped');
  if (length < CONSTITUENT_SIZE_BYTES) return refuse('fragment: not empty');
  if (length % CONSTITUENT_SIZE_BYTES !== 0) return refuse('fragment: whole constituents');
  const pages = caller.version < FFA_VERSION_1_1 ? 1 : caller.bufferPages;
  if (length > pages * PAGE_SIZE_BYTES) return refuse('fragment: fits TX');
  staging.fetch(spmc.contents, caller, length);
  return FFA_OK;
}

export function takeFragment(spmc: Spmc, caller: Endpoint, r: RegisterFile, staging: Staging): Result {
  const transaction = spmc.slots.find(r.w(1), r.w(2));
  if (transaction === null) return refuse('fragment: handle is known');
  if (transaction.complete) return refuse('fragment: something is missing');
  if (!isSender(caller, transaction)) return refuse("fragment: of the caller's send");
  if (vmReceivers(transaction) > 0) return refuse('fragment: no VM receives');
  if (transaction.fragmentCount === spmc.limits.fragments) {
    spmc.slots.release(transaction);
    return refuse('fragment: not too many');
  }
  const count = staging.length / CONSTITUENT_SIZE_BYTES;
  transaction.append(staging.words, 0, count);
  if (transaction.receivedCount === transaction.constituentCount) return finishSend(spmc, transaction, r);
  spmc.slots.waitForMore(transaction, spmc.machine.time.nowNs);
  // A sender of 1.2 may use access descriptors of 1.1's size: what counts is what it sent.
  const { emadSizeBytes, receiverCount, senderVersion } = transaction;
  const head = responseHeadBytes(senderVersion, 0) + receiverCount * emadSizeBytes;
  return answerNextFragment(r, transaction, head + transaction.receivedCount * CONSTITUENT_SIZE_BYTES);
}

/** Which VM sends is the hypervisor's business: it is not told apart here, whatever w4 says. */
function isSender(caller: Endpoint, transaction: Transaction): boolean {
  if (!caller.secure) return transaction.fromNormalWorld;
  return !transaction.fromNormalWorld && transaction.sender === caller.id;
}

/** FFA_MEM_FRAG_RX. */
export function giveFragment(spmc: Spmc, caller: Endpoint, r: RegisterFile): Result {
  if (caller.secure && r.w(4) >>> FRAG_ENDPOINT_SHIFT !== 0) return refuse('response: borrower is at its own door');
  if (!caller.mapped) return refuse('response: RX is mapped');
  if (caller.rx !== RX_EMPTY) return refuse('response: RX is free', spmc.personality.memory.rxFullError);
  const transaction = spmc.slots.find(r.w(1), r.w(2));
  if (transaction === null) return refuse('response: handle is known');
  if (!transaction.complete) return refuse('response: completely sent');
  const borrower = r.w(4) >>> FRAG_ENDPOINT_SHIFT;
  if (!caller.secure && borrower === 0) return giveToHypervisor(spmc, caller, r, transaction);
  const receiver = transaction.receiver(caller.secure ? caller.id : borrower);
  if (receiver === null || !receiver.holds || isSecureEndpoint(receiver.id) !== caller.secure) {
    return refuse('response: caller borrows');
  }
  return giveToBorrower(spmc, caller, r, transaction, receiver);
}

function giveToBorrower(
  spmc: Spmc,
  caller: Endpoint,
  r: RegisterFile,
  transaction: Transaction,
  receiver: Receiver,
): Result {
  const head = responseHeadBytes(caller.version, 1);
  const { fragmentsRead } = receiver;
  if (
    spmc.personality.memory.rereadsFragment &&
    fragmentsRead > 1 &&
    r.w(3) < offsetOf(transaction, fragmentsRead, head)
  ) {
    return give(spmc, caller, r, transaction, fragmentsRead - 1, head);
  }
  const result = give(spmc, caller, r, transaction, fragmentsRead, head);
  if (result !== FFA_OK) return result;
  receiver.fragmentsRead++;
  if (transaction.kind === KIND_DONATE && receiver.fragmentsRead === transaction.fragmentCount) {
    spmc.slots.release(transaction);
  }
  return FFA_OK;
}

function giveToHypervisor(spmc: Spmc, caller: Endpoint, r: RegisterFile, transaction: Transaction): Result {
  if (transaction.hypervisorRead < 0) return refuse('response: hypervisor has begun');
  // Offsets count from a response with one access descriptor, however many the hypervisor got.
  const head = responseHeadBytes(caller.version, 1);
  const result = give(spmc, caller, r, transaction, transaction.hypervisorRead, head);
  if (result !== FFA_OK) return result;
  transaction.hypervisorRead++;
  if (transaction.hypervisorRead === transaction.fragmentCount) transaction.hypervisorRead = -1;
  return FFA_OK;
}

/** Offset of sent fragment `index` in a response whose first constituent is at `head`. */
function offsetOf(transaction: Transaction, index: number, head: number): number {
  let before = 0;
  for (let n = 0; n < index; n++) before += transaction.fragmentSizes[n];
  return head + before * CONSTITUENT_SIZE_BYTES;
}

/** Writes sent fragment `index` to RX when the caller asks for exactly its offset; else answers the error. */
function give(
  spmc: Spmc,
  caller: Endpoint,
  r: RegisterFile,
  transaction: Transaction,
  index: number,
  head: number,
): Result {
  if (index >= transaction.fragmentCount) return refuse('response: something is left');
  const offset = offsetOf(transaction, index, head);
  // Of several receivers one of 1.0 counts from where its access descriptors would begin if it had got them all, as
  // Hafnium does; where they do begin is as good.
  const early = caller.version < FFA_VERSION_1_1 ? EMAD_1_0_SIZE_BYTES * (transaction.receiverCount - 1) : 0;
  if (r.w(3) !== offset && r.w(3) !== offset - early) return refuse('response: offset');
  const count = transaction.fragmentSizes[index];
  copyConstituents(spmc.responseWords, 0, transaction, (offset - head) / CONSTITUENT_SIZE_BYTES, count);
  spmc.writeRx(caller, spmc.response, count * CONSTITUENT_SIZE_BYTES);
  caller.rx = RX_FULL;
  r.clear();
  r.setW(0, FFA_MEM_FRAG_TX);
  r.setW(1, transaction.handleLow);
  r.setW(2, transaction.handleHigh);
  r.setW(3, count * CONSTITUENT_SIZE_BYTES);
  return FFA_OK;
}
