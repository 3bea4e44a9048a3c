// Endpoint memory access descriptor (EMAD), 16 bytes in 1.0 and 1.1, 32 bytes since 1.2. What is between the part that
// is known and the size that the peer states is skipped.

import type { DescriptorReader } from './descriptor-reader.ts';
import { formatEndpointId } from './endpoint-ids.ts';
import * as bits from './layout/memory-bits.ts';
import * as layout from './layout/memory-transaction.ts';
import { formatPermissions } from './memory-text.ts';
import { type Words64, ZERO_WORDS } from './words.ts';

/** What one endpoint may do with the memory. */
export interface MemoryAccess {
  /** Endpoint id. */
  readonly receiver: number;
  /** One byte: `DATA_ACCESS_...`, `INSTRUCTION_ACCESS_...`. */
  readonly permissions: number;
  /** One byte: `EMAD_FLAG_...`. */
  readonly flags: number;
  /** 16 implementation defined bytes, in an EMAD of 32 bytes; else zero. */
  readonly impdef: readonly [first: Words64, second: Words64];
}

export const NO_IMPDEF: readonly [Words64, Words64] = [ZERO_WORDS, ZERO_WORDS];

/** Access for `receiver` with these permissions, no flags, no implementation defined bytes. */
export function memoryAccess(receiver: number, permissions: number): MemoryAccess {
  return { receiver, permissions, flags: 0, impdef: NO_IMPDEF };
}

/** An EMAD as read, with the composite offset that it states. */
export interface ReadAccess {
  readonly access: MemoryAccess;
  readonly compositeOffset: number;
}

/** Reads the EMAD at `offset`; `sizeBytes`, at least 16, is what the peer states. */
export function readAccess(reader: DescriptorReader, offset: number, sizeBytes: number): ReadAccess {
  const receiver = reader.u16('receiver', offset + layout.EMAD_RECEIVER_OFFSET, formatEndpointId);
  const permissions = reader.u8('permissions', offset + layout.EMAD_PERMISSIONS_OFFSET, formatPermissions);
  if ((permissions & bits.EMAD_PERMISSIONS_RESERVED_MASK) !== 0) reader.remark('bits [7:4] are reserved');
  const flags = reader.u8('flags', offset + layout.EMAD_FLAGS_OFFSET);
  const compositeOffset = reader.u32('compositeOffset', offset + layout.EMAD_COMPOSITE_OFFSET);
  let impdef = NO_IMPDEF;
  if (sizeBytes >= layout.EMAD_1_2_SIZE_BYTES) {
    const at = offset + layout.EMAD_1_2_IMPDEF_OFFSET;
    impdef = [reader.words64('impdef[0]', at), reader.words64('impdef[1]', at + 8)];
    reader.reserved('reserved', offset + layout.EMAD_1_2_RESERVED_24_OFFSET, 8);
  } else {
    reader.reserved('reserved', offset + layout.EMAD_1_0_RESERVED_8_OFFSET, 8);
  }
  return { access: { receiver, permissions, flags, impdef }, compositeOffset };
}

/** Writes an EMAD at `offset`; an EMAD of less than 32 bytes has no room for the implementation defined bytes. */
export function writeAccess(
  view: DataView,
  offset: number,
  sizeBytes: number,
  access: MemoryAccess,
  compositeOffset: number,
): void {
  view.setUint16(offset + layout.EMAD_RECEIVER_OFFSET, access.receiver, true);
  view.setUint8(offset + layout.EMAD_PERMISSIONS_OFFSET, access.permissions);
  view.setUint8(offset + layout.EMAD_FLAGS_OFFSET, access.flags);
  view.setUint32(offset + layout.EMAD_COMPOSITE_OFFSET, compositeOffset, true);
  if (sizeBytes < layout.EMAD_1_2_SIZE_BYTES) return;
  for (let n = 0; n < 2; n++) {
    const at = offset + layout.EMAD_1_2_IMPDEF_OFFSET + 8 * n;
    view.setUint32(at, access.impdef[n].low, true);
    view.setUint32(at + 4, access.impdef[n].high, true);
  }
}
