// Checks a codec on table rows, each four ways: encode = hex, decode(hex) = value, decode(encode) = value,
// encode(decode) = hex; and that decoding reads no byte twice and its byte map covers no byte twice.

import { describe, expect, test } from 'vitest';
import type { Decoded, DecodeOptions, Fault, FieldSpan } from '../../src/abi/fault.ts';

export interface Codec<T> {
  readonly decode: (view: DataView, options?: DecodeOptions) => Decoded<T, string>;
  readonly encode: (value: T) => Uint8Array;
}

export interface CodecRow<T> {
  readonly name: string;
  /** Where the bytes come from. */
  readonly source: string;
  readonly hex: string;
  readonly value: T;
}

export function viewOfHex(hex: string): DataView {
  const bytes = bytesOfHex(hex);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function bytesOfHex(hex: string): Uint8Array<ArrayBuffer> {
  const digits = hex.replaceAll(/[\s_]/g, '');
  if (!/^([0-9a-f]{2})*$/.test(digits)) throw new Error(`not hex: ${hex}`);
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A view that counts how often each byte is read. */
class CountingView extends DataView<ArrayBuffer> {
  readonly reads: Uint8Array;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    super(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.reads = new Uint8Array(bytes.byteLength);
  }

  override getUint8(offset: number): number {
    this.count(offset, 1);
    return super.getUint8(offset);
  }

  override getUint16(offset: number, littleEndian?: boolean): number {
    this.count(offset, 2);
    return super.getUint16(offset, littleEndian);
  }

  override getUint32(offset: number, littleEndian?: boolean): number {
    this.count(offset, 4);
    return super.getUint32(offset, littleEndian);
  }

  override getInt8(): number {
    throw new Error('a codec reads with getUint8, getUint16 and getUint32 only');
  }

  /** Offsets read more than once. */
  readTwice(): number[] {
    return Array.from(this.reads.entries()).flatMap(([offset, count]) => (count > 1 ? [offset] : []));
  }

  private count(offset: number, length: number): void {
    for (let n = offset; n < offset + length; n++) this.reads[n]++;
  }
}

/** Decodes with and without the byte map: same result, no byte read twice, no byte in two fields, nothing thrown. */
export function decodeWatched<T>(codec: Codec<T>['decode'], bytes: Uint8Array<ArrayBuffer>): Decoded<T, string> {
  const plainView = new CountingView(bytes);
  const plain = codec(plainView);
  const view = new CountingView(bytes);
  const mapped = codec(view, { fields: true });
  expect(plainView.readTwice(), 'bytes read twice').toEqual([]);
  expect(view.readTwice(), 'bytes read twice with the byte map').toEqual([]);
  expect({ ...mapped, fields: [] }).toEqual(plain);
  expectDisjoint(mapped.fields, bytes.length);
  return plain;
}

/** Fails if two fields have a byte in common, or one lies outside. A plain throw: `expect` for each byte is slow. */
function expectDisjoint(fields: readonly FieldSpan[], sizeBytes: number): void {
  const covered = new Uint8Array(sizeBytes);
  for (const field of fields) {
    if (field.offset + field.length > sizeBytes) throw new Error(`${field.path} lies outside the ${sizeBytes} bytes`);
    for (let n = field.offset; n < field.offset + field.length; n++) {
      if (covered[n] !== 0) throw new Error(`byte ${n} (${field.path}) is in two fields`);
      covered[n] = 1;
    }
  }
}

export function checkRows<T>(title: string, codec: Codec<T>, rows: readonly CodecRow<T>[]): void {
  describe(title, () => {
    test.each(rows.map((row) => [`${row.name} (${row.source})`, row] as const))('%s', (_, row) => {
      const bytes = bytesOfHex(row.hex);
      const decoded = decodeWatched(codec.decode, bytes);
      expect(decoded).toEqual({ ok: true, value: row.value, fields: [] });
      expect(hexOf(codec.encode(row.value))).toBe(hexOf(bytes));
      expect(codec.decode(viewOf(codec.encode(row.value)))).toEqual({ ok: true, value: row.value, fields: [] });
      if (decoded.ok) expect(hexOf(codec.encode(decoded.value))).toBe(hexOf(bytes));
    });
  });
}

export interface FaultRow {
  readonly name: string;
  readonly hex: string;
  readonly fault: Fault<string>;
}

/** Each row's bytes give exactly that fault. */
export function checkFaults<T>(title: string, decode: Codec<T>['decode'], rows: readonly FaultRow[]): void {
  describe(title, () => {
    test.each(rows.map((row) => [row.name, row] as const))('%s', (_, row) => {
      const decoded = decodeWatched(decode, bytesOfHex(row.hex));
      expect(decoded).toEqual({ ok: false, fault: row.fault, fields: [] });
    });
  });
}
