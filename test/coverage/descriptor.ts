// Memory transaction descriptors in the layouts of 1.0, 1.1 and 1.2, byte by byte, with places to break them at.

import { FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../src/abi/versions.ts';

export interface DescribedReceiver {
  readonly id: number;
  readonly permissions: number;
}

export interface DescribeOptions {
  readonly sender: number;
  readonly receivers: readonly DescribedReceiver[];
  /** Address and pages of each constituent; none in a request to retrieve. */
  readonly ranges: readonly (readonly [address: number, pages: number])[];
  readonly attributes?: number;
  readonly flags?: number;
  readonly handle?: readonly [low: number, high: number];
  readonly tag?: number;
}

/** The bytes, and where their parts begin. */
export class Described {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly emadAt: number;
  readonly emadSize: number;
  readonly compositeAt: number;
  readonly rangesAt: number;

  constructor(length: number, emadAt: number, emadSize: number, compositeAt: number) {
    this.bytes = new Uint8Array(length);
    this.view = new DataView(this.bytes.buffer);
    this.emadAt = emadAt;
    this.emadSize = emadSize;
    this.compositeAt = compositeAt;
    this.rangesAt = compositeAt + 16;
  }

  get length(): number {
    return this.bytes.length;
  }

  /** Changes a 32-bit field. */
  set(at: number, value: number): this {
    this.view.setUint32(at, value, true);
    return this;
  }
}

export function describe(version: number, options: DescribeOptions): Described {
  const { receivers, ranges } = options;
  const old = version < FFA_VERSION_1_1;
  const emadAt = old ? 32 : 48;
  const emadSize = version >= FFA_VERSION_1_2 ? 32 : 16;
  const compositeAt = emadAt + emadSize * receivers.length;
  const sends = ranges.length > 0;
  const length = sends ? compositeAt + 16 + 16 * ranges.length : compositeAt;
  const made = new Described(length, emadAt, emadSize, compositeAt);
  const { view } = made;
  view.setUint16(0, options.sender, true);
  if (old) view.setUint8(2, options.attributes ?? 0);
  else view.setUint16(2, options.attributes ?? 0, true);
  view.setUint32(4, options.flags ?? 0, true);
  view.setUint32(8, options.handle?.[0] ?? 0, true);
  view.setUint32(12, options.handle?.[1] ?? 0, true);
  view.setUint32(16, options.tag ?? 0, true);
  if (!old) {
    view.setUint32(24, emadSize, true);
    view.setUint32(32, emadAt, true);
  }
  view.setUint32(28, receivers.length, true);
  for (const [n, { id, permissions }] of receivers.entries()) {
    const at = emadAt + n * emadSize;
    view.setUint16(at, id, true);
    view.setUint8(at + 2, permissions);
    view.setUint32(at + 4, sends ? compositeAt : 0, true);
  }
  if (!sends) return made;
  let pages = 0;
  for (const [n, [address, count]] of ranges.entries()) {
    const at = made.rangesAt + 16 * n;
    view.setUint32(at, address % 2 ** 32, true);
    view.setUint32(at + 4, Math.floor(address / 2 ** 32), true);
    view.setUint32(at + 8, count, true);
    pages += count;
  }
  view.setUint32(compositeAt, pages, true);
  view.setUint32(compositeAt + 4, ranges.length, true);
  return made;
}
