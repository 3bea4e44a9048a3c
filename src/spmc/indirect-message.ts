// FFA_MSG_SEND2: a message from the sender's TX to the receiver's RX, which then belongs to the receiver until it
// releases it; the receiver is told by a framework notification. Order of checks: who sends, its buffers, the header's
// ids, the receiver, whether both ends take such messages, RX, the payload's place [Hafnium api.c].

import { isSecureEndpoint } from '../abi/endpoint-ids.ts';
import { FFA_BUSY, FFA_DENIED, FFA_INVALID_PARAMETERS, FFA_OK } from '../abi/errors.ts';
import {
  MESSAGE_FLAGS_OFFSET,
  MESSAGE_HEADER_1_1_SIZE_BYTES,
  MESSAGE_HEADER_1_2_SIZE_BYTES,
  MESSAGE_PAYLOAD_OFFSET,
  MESSAGE_PAYLOAD_SIZE_OFFSET,
  MESSAGE_RECEIVER_OFFSET,
  MESSAGE_RESERVED_4_OFFSET,
  MESSAGE_SENDER_OFFSET,
  MESSAGE_UUID_OFFSET,
  MSG_SEND2_FLAG_DELAY_SRI,
  MSG_SEND2_SENDER_SHIFT,
} from '../abi/layout/messages.ts';
import { PARTITION_INDIRECT_MESSAGES } from '../abi/layout/partition-information.ts';
import { FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../abi/versions.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import { answerSuccess, type Result } from './answers.ts';
import { type Endpoint, RX_EMPTY, RX_FULL } from './endpoint.ts';
import { readU16, readU32, writeU16, writeU32 } from './little-endian.ts';
import { notifyRxFull } from './notifications.ts';
import { Partition } from './partition.ts';
import type { Spmc } from './spmc.ts';
import type { Staging } from './staging.ts';

/** Who sends: the calling partition, which names nobody, or the VM that the hypervisor names. */
function senderOf(spmc: Spmc, caller: Endpoint, r: RegisterFile): Endpoint | undefined {
  return caller.secure ? caller : spmc.endpoint(r.w(1) >>> MSG_SEND2_SENDER_SHIFT);
}

export function fetchMessage(spmc: Spmc, caller: Endpoint, r: RegisterFile, staging: Staging): Result {
  const id = r.w(1) >>> MSG_SEND2_SENDER_SHIFT;
  if (caller.secure ? id !== 0 : isSecureEndpoint(id)) return FFA_INVALID_PARAMETERS;
  const sender = senderOf(spmc, caller, r);
  if (sender === undefined || !sender.mapped) return FFA_DENIED;
  staging.fetch(spmc.contents, sender, sender.bufferPages * PAGE_SIZE_BYTES);
  return FFA_OK;
}

export function sendMessage(spmc: Spmc, caller: Endpoint, r: RegisterFile, staging: Staging, peIndex: number): Result {
  const sender = senderOf(spmc, caller, r);
  if (sender === undefined) return FFA_INVALID_PARAMETERS;
  const bytes = staging.bytes;
  const offset = readU32(bytes, MESSAGE_PAYLOAD_OFFSET);
  const size = readU32(bytes, MESSAGE_PAYLOAD_SIZE_OFFSET);
  const receiverId = readU16(bytes, MESSAGE_RECEIVER_OFFSET);
  const reserved = readU32(bytes, MESSAGE_FLAGS_OFFSET) | readU32(bytes, MESSAGE_RESERVED_4_OFFSET);
  if (reserved !== 0 || readU16(bytes, MESSAGE_SENDER_OFFSET) !== sender.id || receiverId === sender.id) {
    return FFA_INVALID_PARAMETERS;
  }
  // Only a partition may delay the interrupt.
  const flagsAllowed = sender.secure ? MSG_SEND2_FLAG_DELAY_SRI : 0;
  if ((r.w(2) & ~flagsAllowed) !== 0) return FFA_INVALID_PARAMETERS;
  const receiver = spmc.endpoint(receiverId);
  // Between two VMs a message is the hypervisor's business.
  if (receiver === undefined || (!sender.secure && !receiver.secure)) return FFA_INVALID_PARAMETERS;
  if (!takesIndirect(sender) || !takesIndirect(receiver)) return FFA_DENIED;
  if (!receiver.mapped || receiver.rx !== RX_EMPTY) return FFA_BUSY;
  if (offset < headerSizeFor(sender.version) || offset + size > staging.length) return FFA_INVALID_PARAMETERS;
  if (headerSizeFor(receiver.version) + size > receiver.bufferPages * PAGE_SIZE_BYTES) return FFA_INVALID_PARAMETERS;
  deliver(spmc, sender, receiver, bytes, offset, size);
  receiver.rx = RX_FULL;
  notifyRxFull(spmc, sender, receiver, (r.w(2) & MSG_SEND2_FLAG_DELAY_SRI) !== 0, peIndex);
  return answerSuccess(r);
}

/** The SPMC knows nothing of a VM but its version [Hafnium indirect_messaging.c]. */
function takesIndirect(endpoint: Endpoint): boolean {
  if (endpoint.version < FFA_VERSION_1_1) return false;
  return !(endpoint instanceof Partition) || (endpoint.messagingMethods & PARTITION_INDIRECT_MESSAGES) !== 0;
}

function headerSizeFor(version: number): number {
  return version >= FFA_VERSION_1_2 ? MESSAGE_HEADER_1_2_SIZE_BYTES : MESSAGE_HEADER_1_1_SIZE_BYTES;
}

/** Writes header and payload to the receiver's RX, in the receiver's layout. */
function deliver(
  spmc: Spmc,
  sender: Endpoint,
  receiver: Endpoint,
  from: Uint8Array,
  offset: number,
  size: number,
): void {
  const bytes = spmc.response;
  const header = headerSizeFor(receiver.version);
  bytes.fill(0, 0, header);
  writeU32(bytes, MESSAGE_PAYLOAD_OFFSET, header);
  writeU16(bytes, MESSAGE_RECEIVER_OFFSET, receiver.id);
  writeU16(bytes, MESSAGE_SENDER_OFFSET, sender.id);
  writeU32(bytes, MESSAGE_PAYLOAD_SIZE_OFFSET, size);
  if (header === MESSAGE_HEADER_1_2_SIZE_BYTES && sender.version >= FFA_VERSION_1_2) {
    for (let n = 0; n < 16; n++) bytes[MESSAGE_UUID_OFFSET + n] = from[MESSAGE_UUID_OFFSET + n];
  }
  bytes.set(from.subarray(offset, offset + size), header);
  spmc.writeRx(receiver, bytes, header + size);
}
