// A guest's FFA_MEM_SHARE descriptor, field by field, so that a test can spoil any one of them.

import { RAM, SP1 } from './mediator.ts';

export interface ShareFields {
  readonly sender: number;
  readonly attributes: number;
  readonly flags: number;
  readonly accessSize: number;
  readonly accessCount: number;
  readonly accessOffset: number;
  readonly receiver: number;
  readonly permissions: number;
  readonly compositeOffset: number;
  readonly pageCount: number;
  readonly rangeCount: number;
  readonly ranges: readonly (readonly [address: number, pages: number])[];
}

const DATA = RAM + 0x10000;

/** A valid share of two pages in one range in the layout of 1.1, by VM id 2. */
export function shareFields(changes: Partial<ShareFields> = {}): ShareFields {
  const ranges = changes.ranges ?? [[DATA, 2]];
  return {
    sender: 2,
    attributes: 0x2f,
    flags: 0,
    accessSize: 16,
    accessCount: 1,
    accessOffset: 48,
    receiver: SP1,
    permissions: 2,
    compositeOffset: 64,
    pageCount: ranges.reduce((sum, [, pages]) => sum + pages, 0),
    rangeCount: ranges.length,
    ...changes,
    ranges,
  };
}

/** Bytes of the descriptor since 1.1. */
export function shareBytes(fields: ShareFields): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, fields.sender, true);
  view.setUint16(2, fields.attributes, true);
  view.setUint32(4, fields.flags, true);
  view.setUint32(24, fields.accessSize, true);
  view.setUint32(28, fields.accessCount, true);
  view.setUint32(32, fields.accessOffset, true);
  writeRegion(view, fields, Math.min(fields.accessOffset, 2048), Math.min(fields.compositeOffset, 2048));
  return bytes.slice(0, 64 + 16 + 16 * fields.ranges.length);
}

/** Bytes of the descriptor in 1.0: a header of 32 bytes, one access entry behind it. */
export function shareBytes10(fields: ShareFields): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, fields.sender, true);
  view.setUint8(2, fields.attributes);
  view.setUint32(4, fields.flags, true);
  view.setUint32(28, fields.accessCount, true);
  writeRegion(view, { ...fields, compositeOffset: 48 }, 32, 48);
  return bytes.slice(0, 64 + 16 * fields.ranges.length);
}

function writeRegion(view: DataView, fields: ShareFields, access: number, composite: number): void {
  view.setUint16(access, fields.receiver, true);
  view.setUint8(access + 2, fields.permissions);
  view.setUint32(access + 4, fields.compositeOffset, true);
  view.setUint32(composite, fields.pageCount, true);
  view.setUint32(composite + 4, fields.rangeCount, true);
  fields.ranges.forEach(([address, pages], n) => {
    const at = composite + 16 + 16 * n;
    view.setUint32(at, address % 2 ** 32, true);
    view.setUint32(at + 4, Math.floor(address / 2 ** 32), true);
    view.setUint32(at + 8, pages, true);
  });
}
