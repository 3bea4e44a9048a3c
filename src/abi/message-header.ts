// Header of an indirect message in TX or RX: 20 bytes in 1.1, 40 bytes since 1.2 (with a UUID).
//
// The payload must lie after the header and inside the buffer; its bytes are not looked at.
// Sources: [Hafnium api.c], [Xen ffa_msg.c], [Linux arm_ffa].

import { assert } from '../base/assert.ts';
import { DescriptorReader, hex } from './descriptor-reader.ts';
import { formatEndpointId } from './endpoint-ids.ts';
import type { Decoded, DecodeOptions } from './fault.ts';
import * as layout from './layout/messages.ts';
import { NIL_UUID, type Uuid } from './uuid.ts';
import { FFA_VERSION_1_2 } from './versions.ts';

export interface MessageHeader {
  /** 32 bits; must be zero. */
  readonly flags: number;
  /** Offset of the payload from the header's start. */
  readonly payloadOffset: number;
  readonly receiver: number;
  readonly sender: number;
  readonly payloadSizeBytes: number;
  /** Nil in 1.1. */
  readonly uuid: Uuid;
}

/** Header size of that version. */
export function messageHeaderBytes(version: number): number {
  return version >= FFA_VERSION_1_2 ? layout.MESSAGE_HEADER_1_2_SIZE_BYTES : layout.MESSAGE_HEADER_1_1_SIZE_BYTES;
}

/** Decodes the header at the start of a buffer; `version` is that of the endpoint that wrote it. */
export function decodeMessageHeader(view: DataView, version: number, options?: DecodeOptions): Decoded<MessageHeader> {
  const reader = new DescriptorReader(view, options);
  const headerBytes = messageHeaderBytes(version);
  const flags = reader.u32('flags', layout.MESSAGE_FLAGS_OFFSET);
  if (flags !== 0) reader.remark('must be zero');
  reader.reserved('reserved', layout.MESSAGE_RESERVED_4_OFFSET, 4);
  const payloadOffset = reader.u32('payloadOffset', layout.MESSAGE_PAYLOAD_OFFSET);
  const receiver = reader.u16('receiver', layout.MESSAGE_RECEIVER_OFFSET, formatEndpointId);
  const sender = reader.u16('sender', layout.MESSAGE_SENDER_OFFSET, formatEndpointId);
  const payloadSizeBytes = reader.u32('payloadSize', layout.MESSAGE_PAYLOAD_SIZE_OFFSET);
  let uuid = NIL_UUID;
  if (version >= FFA_VERSION_1_2) {
    reader.reserved('reserved', layout.MESSAGE_RESERVED_20_OFFSET, 4);
    uuid = reader.uuid('uuid', layout.MESSAGE_UUID_OFFSET);
  }
  const size = reader.sizeBytes;
  if (payloadOffset < headerBytes) {
    const at = layout.MESSAGE_PAYLOAD_OFFSET;
    reader.fail('offset-inside-header', 'payloadOffset', at, payloadOffset, `must be ${hex(headerBytes)} or more`);
  } else if (payloadOffset > size) {
    const at = layout.MESSAGE_PAYLOAD_OFFSET;
    reader.fail('offset-outside', 'payloadOffset', at, payloadOffset, `must not exceed ${hex(size)}`);
  } else if (payloadOffset + payloadSizeBytes > size) {
    const at = layout.MESSAGE_PAYLOAD_SIZE_OFFSET;
    reader.fail('count-outside', 'payloadSize', at, payloadSizeBytes, `must not exceed ${hex(size - payloadOffset)}`);
  }
  return reader.result({ flags, payloadOffset, receiver, sender, payloadSizeBytes, uuid });
}

/** 20 or 40 bytes, without the payload. */
export function encodeMessageHeader(header: MessageHeader, version: number): Uint8Array {
  const headerBytes = messageHeaderBytes(version);
  assert(header.payloadOffset >= headerBytes, 'the payload lies after the header');
  const bytes = new Uint8Array(headerBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(layout.MESSAGE_FLAGS_OFFSET, header.flags, true);
  view.setUint32(layout.MESSAGE_PAYLOAD_OFFSET, header.payloadOffset, true);
  view.setUint16(layout.MESSAGE_RECEIVER_OFFSET, header.receiver, true);
  view.setUint16(layout.MESSAGE_SENDER_OFFSET, header.sender, true);
  view.setUint32(layout.MESSAGE_PAYLOAD_SIZE_OFFSET, header.payloadSizeBytes, true);
  if (version < FFA_VERSION_1_2) return bytes;
  for (let n = 0; n < 4; n++) view.setUint32(layout.MESSAGE_UUID_OFFSET + 4 * n, header.uuid[n], true);
  return bytes;
}
