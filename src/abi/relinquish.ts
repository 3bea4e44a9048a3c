// Relinquish descriptor: what FFA_MEM_RELINQUISH finds in the caller's TX buffer.
//
// The call states no length: the view is the whole buffer, and what follows the last endpoint id is not looked at.

import { DescriptorReader, decimal } from './descriptor-reader.ts';
import { formatEndpointId } from './endpoint-ids.ts';
import type { Decoded, DecodeOptions } from './fault.ts';
import * as layout from './layout/memory-transaction.ts';
import { formatRelinquishFlags } from './memory-text.ts';
import type { Words64 } from './words.ts';

export interface Relinquish {
  readonly handle: Words64;
  /** 32 bits: `RELINQUISH_FLAG_...`. */
  readonly flags: number;
  /** Ids of the endpoints that give the memory back. */
  readonly endpoints: readonly number[];
}

export function decodeRelinquish(view: DataView, options?: DecodeOptions): Decoded<Relinquish> {
  const reader = new DescriptorReader(view, options);
  const handle = reader.words64('handle', layout.RELINQUISH_HANDLE_OFFSET);
  const flags = reader.u32('flags', layout.RELINQUISH_FLAGS_OFFSET, formatRelinquishFlags);
  const countOffset = layout.RELINQUISH_ENDPOINT_COUNT_OFFSET;
  const count = reader.u32('endpointCount', countOffset, decimal);
  const room = Math.floor((reader.sizeBytes - layout.RELINQUISH_SIZE_BYTES) / layout.RELINQUISH_ENDPOINT_SIZE_BYTES);
  if (count > room) {
    reader.fail('count-outside', 'endpointCount', countOffset, decimal(count), `room for ${room} endpoint ids is left`);
  }
  const endpoints: number[] = [];
  for (let n = 0; n < count && reader.fault === null; n++) {
    const at = layout.RELINQUISH_ENDPOINTS_OFFSET + n * layout.RELINQUISH_ENDPOINT_SIZE_BYTES;
    endpoints.push(reader.u16(`endpoints[${n}]`, at, formatEndpointId));
  }
  return reader.result({ handle, flags, endpoints });
}

/** 16 bytes and two for each endpoint. */
export function encodeRelinquish(relinquish: Relinquish): Uint8Array {
  const { endpoints, flags, handle } = relinquish;
  const size = layout.RELINQUISH_SIZE_BYTES + endpoints.length * layout.RELINQUISH_ENDPOINT_SIZE_BYTES;
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(layout.RELINQUISH_HANDLE_OFFSET, handle.low, true);
  view.setUint32(layout.RELINQUISH_HANDLE_OFFSET + 4, handle.high, true);
  view.setUint32(layout.RELINQUISH_FLAGS_OFFSET, flags, true);
  view.setUint32(layout.RELINQUISH_ENDPOINT_COUNT_OFFSET, endpoints.length, true);
  for (let n = 0; n < endpoints.length; n++) {
    const at = layout.RELINQUISH_ENDPOINTS_OFFSET + n * layout.RELINQUISH_ENDPOINT_SIZE_BYTES;
    view.setUint16(at, endpoints[n], true);
  }
  return bytes;
}
