// Memory descriptors as senders and borrowers write them, byte by byte and not by the project's own encoder.

import { PAGE } from './small-world.ts';

export interface Access {
  readonly id: number;
  readonly permissions: number;
}

export interface MemoryOptions {
  readonly sender: number;
  readonly receivers: readonly Access[];
  /** First address and pages of each constituent. */
  readonly constituents: readonly (readonly [address: number, pageCount: number])[];
  readonly attributes?: number;
  readonly flags?: number;
  readonly handle?: number;
  readonly tag?: number;
}

/** Data read-write. */
export const RW = 2;
/** Data read-write, not executable: what a single borrower of a lend asks. */
export const RW_NX = 6;
const NORMAL = 0x2f;

const HEADER = 48;
const EMAD = 32;

/** A descriptor of 1.2 that sends memory. */
export function sendDescriptor(options: MemoryOptions): Uint8Array {
  const composite = HEADER + EMAD * options.receivers.length;
  const bytes = new Uint8Array(composite + 16 + 16 * options.constituents.length);
  const view = writeHeader(bytes, options, composite);
  let pageCount = 0;
  for (const [n, [address, pages]] of options.constituents.entries()) {
    const at = composite + 16 + 16 * n;
    view.setUint32(at, address % 2 ** 32, true);
    view.setUint32(at + 4, Math.floor(address / 2 ** 32), true);
    view.setUint32(at + 8, pages, true);
    pageCount += pages;
  }
  view.setUint32(composite, pageCount, true);
  view.setUint32(composite + 4, options.constituents.length, true);
  return bytes;
}

/** A request of 1.2 that retrieves memory. */
export function retrieveDescriptor(options: Omit<MemoryOptions, 'constituents'>): Uint8Array {
  const bytes = new Uint8Array(HEADER + EMAD * options.receivers.length);
  writeHeader(bytes, { ...options, constituents: [], attributes: options.attributes ?? 0 }, 0);
  return bytes;
}

function writeHeader(bytes: Uint8Array, options: MemoryOptions, composite: number): DataView {
  const view = new DataView(bytes.buffer);
  view.setUint16(0, options.sender, true);
  view.setUint16(2, options.attributes ?? NORMAL, true);
  view.setUint32(4, options.flags ?? 0, true);
  view.setUint32(8, (options.handle ?? 0) >>> 0, true);
  view.setUint32(12, Math.floor((options.handle ?? 0) / 2 ** 32), true);
  view.setUint32(16, options.tag ?? 0, true);
  view.setUint32(24, EMAD, true);
  view.setUint32(28, options.receivers.length, true);
  view.setUint32(32, HEADER, true);
  for (const [n, { id, permissions }] of options.receivers.entries()) {
    view.setUint16(HEADER + EMAD * n, id, true);
    bytes[HEADER + EMAD * n + 2] = permissions;
    view.setUint32(HEADER + EMAD * n + 4, composite, true);
  }
  return view;
}

export function relinquishDescriptor(handle: number, id: number, flags = 0): Uint8Array {
  const bytes = new Uint8Array(18);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, handle >>> 0, true);
  view.setUint32(4, Math.floor(handle / 2 ** 32), true);
  view.setUint32(8, flags, true);
  view.setUint32(12, 1, true);
  view.setUint16(16, id, true);
  return bytes;
}

/** Pages at odd places, so that no two of them touch. */
export function scattered(base: number, count: number): (readonly [number, number])[] {
  return Array.from({ length: count }, (_, n) => [base + 2 * n * PAGE, 1] as const);
}
