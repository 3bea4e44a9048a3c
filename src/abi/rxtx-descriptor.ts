// Endpoint RX/TX descriptor: what a hypervisor leaves in its TX buffer when it forwards a VM's FFA_RXTX_MAP.
//
// 12 bytes of header; then the composites of the RX and of the TX buffer, each at a multiple of 8, in any order.
// Sources: [Xen ffa_rxtx.c], [Hafnium api.c].

import { assert } from '../base/assert.ts';
import { type CompositeRegion, compositeSizeBytes, readComposite, writeComposite } from './composite-region.ts';
import { DescriptorReader, hex } from './descriptor-reader.ts';
import { formatEndpointId } from './endpoint-ids.ts';
import type { Decoded, DecodeOptions } from './fault.ts';
import * as layout from './layout/buffers.ts';
import { COMPOSITE_SIZE_BYTES } from './layout/memory-transaction.ts';

export interface RxtxDescriptor {
  /** The VM whose buffers these are. */
  readonly endpoint: number;
  readonly rxOffset: number;
  readonly rx: CompositeRegion;
  readonly txOffset: number;
  readonly tx: CompositeRegion;
}

/** Header, padded to where the first composite may lie. */
const FIRST_COMPOSITE_OFFSET = 16;

/** A descriptor with RX at offset 16 and TX after it. */
export function buildRxtxDescriptor(endpoint: number, rx: CompositeRegion, tx: CompositeRegion): RxtxDescriptor {
  const rxOffset = FIRST_COMPOSITE_OFFSET;
  return { endpoint, rxOffset, rx, txOffset: rxOffset + compositeSizeBytes(rx), tx };
}

/** Decodes a descriptor. The two composites must not overlap: no byte is read twice. */
export function decodeRxtxDescriptor(view: DataView, options?: DecodeOptions): Decoded<RxtxDescriptor> {
  const reader = new DescriptorReader(view, options);
  const endpoint = reader.u16('endpoint', layout.RXTX_DESCRIPTOR_ENDPOINT_OFFSET, formatEndpointId);
  reader.reserved('reserved', layout.RXTX_DESCRIPTOR_RESERVED_2_OFFSET, 2);
  const rxOffset = reader.u32('rxOffset', layout.RXTX_DESCRIPTOR_RX_OFFSET);
  const txOffset = reader.u32('txOffset', layout.RXTX_DESCRIPTOR_TX_OFFSET);
  checkOffset(reader, 'rxOffset', layout.RXTX_DESCRIPTOR_RX_OFFSET, rxOffset);
  checkOffset(reader, 'txOffset', layout.RXTX_DESCRIPTOR_TX_OFFSET, txOffset);
  if (rxOffset <= txOffset) {
    const rx = readPart(reader, 'rx', rxOffset);
    checkAfter(reader, 'txOffset', layout.RXTX_DESCRIPTOR_TX_OFFSET, txOffset, rxOffset + compositeSizeBytes(rx));
    return reader.result({ endpoint, rxOffset, rx, txOffset, tx: readPart(reader, 'tx', txOffset) });
  }
  const tx = readPart(reader, 'tx', txOffset);
  checkAfter(reader, 'rxOffset', layout.RXTX_DESCRIPTOR_RX_OFFSET, rxOffset, txOffset + compositeSizeBytes(tx));
  return reader.result({ endpoint, rxOffset, rx: readPart(reader, 'rx', rxOffset), txOffset, tx });
}

export function encodeRxtxDescriptor(descriptor: RxtxDescriptor): Uint8Array {
  const { rx, rxOffset, tx, txOffset } = descriptor;
  const rxEnd = rxOffset + compositeSizeBytes(rx);
  const txEnd = txOffset + compositeSizeBytes(tx);
  assert(Math.min(rxOffset, txOffset) >= layout.RXTX_DESCRIPTOR_SIZE_BYTES, 'the composites lie after the header');
  assert(rxEnd <= txOffset || txEnd <= rxOffset, 'the composites do not overlap');
  const bytes = new Uint8Array(Math.max(rxEnd, txEnd));
  const view = new DataView(bytes.buffer);
  view.setUint16(layout.RXTX_DESCRIPTOR_ENDPOINT_OFFSET, descriptor.endpoint, true);
  view.setUint32(layout.RXTX_DESCRIPTOR_RX_OFFSET, rxOffset, true);
  view.setUint32(layout.RXTX_DESCRIPTOR_TX_OFFSET, txOffset, true);
  writeComposite(view, rxOffset, rx);
  writeComposite(view, txOffset, tx);
  return bytes;
}

function readPart(reader: DescriptorReader, name: string, offset: number): CompositeRegion {
  reader.enter(name);
  const region = readComposite(reader, offset, false);
  reader.leave();
  return region;
}

function checkOffset(reader: DescriptorReader, name: string, at: number, offset: number): void {
  if (offset < layout.RXTX_DESCRIPTOR_SIZE_BYTES) {
    reader.fail('offset-inside-header', name, at, offset, `must be ${hex(layout.RXTX_DESCRIPTOR_SIZE_BYTES)} or more`);
  } else if (offset % layout.RXTX_DESCRIPTOR_COMPOSITE_ALIGNMENT_BYTES !== 0) {
    reader.fail('offset-unaligned', name, at, offset, 'must be a multiple of 8');
  } else if (offset + COMPOSITE_SIZE_BYTES > reader.sizeBytes) {
    reader.fail('offset-outside', name, at, offset, `must leave 16 bytes before ${hex(reader.sizeBytes)}`);
  }
}

function checkAfter(reader: DescriptorReader, name: string, at: number, offset: number, end: number): void {
  if (offset < end) reader.fail('offset-inside-header', name, at, offset, `must be ${hex(end)} or more`);
}
