// Reads fields of a descriptor that somebody else wrote. It never throws and never reads past the end: the first field
// that does not fit latches a fault, and from then on every read gives 0. It keeps the path to where it is as a stack,
// and builds text only for a fault or for the byte map.
//
// It reads each byte as often as it is asked to: a decoder asks once for each.

import type { Decoded, DecodeOptions, Fault, FaultKind, FieldSpan } from './fault.ts';
import type { Uuid } from './uuid.ts';
import { formatUuid, NIL_UUID } from './uuid.ts';
import { formatWords, type Words64, ZERO_WORDS } from './words.ts';

const NO_FIELDS: readonly FieldSpan[] = [];
const RESERVED_RULE = 'reserved, must be zero';

export class DescriptorReader {
  readonly sizeBytes: number;
  fault: Fault | null = null;
  private readonly view: DataView;
  private readonly fields: FieldSpan[] | null;
  private readonly strict: boolean;
  private readonly names: string[] = [];
  private readonly indices: number[] = [];

  constructor(view: DataView, options: DecodeOptions = {}) {
    this.view = view;
    this.sizeBytes = view.byteLength;
    this.fields = options.fields === true ? [] : null;
    this.strict = options.strict === true;
  }

  /** From here on paths begin with `name` or `name[index]`. */
  enter(name: string, index = -1): void {
    this.names.push(name);
    this.indices.push(index);
  }

  leave(): void {
    this.names.pop();
    this.indices.pop();
  }

  u8(name: string, offset: number, describe: (value: number) => string = hex): number {
    if (!this.fits(name, offset, 1)) return 0;
    const value = this.view.getUint8(offset);
    if (this.fields !== null) this.span(name, offset, 1, describe(value));
    return value;
  }

  u16(name: string, offset: number, describe: (value: number) => string = hex): number {
    if (!this.fits(name, offset, 2)) return 0;
    const value = this.view.getUint16(offset, true);
    if (this.fields !== null) this.span(name, offset, 2, describe(value));
    return value;
  }

  u32(name: string, offset: number, describe: (value: number) => string = hex): number {
    if (!this.fits(name, offset, 4)) return 0;
    const value = this.view.getUint32(offset, true);
    if (this.fields !== null) this.span(name, offset, 4, describe(value));
    return value;
  }

  words64(name: string, offset: number): Words64 {
    if (!this.fits(name, offset, 8)) return ZERO_WORDS;
    const value = { low: this.view.getUint32(offset, true), high: this.view.getUint32(offset + 4, true) };
    if (this.fields !== null) this.span(name, offset, 8, formatWords(value));
    return value;
  }

  uuid(name: string, offset: number): Uuid {
    if (!this.fits(name, offset, 16)) return NIL_UUID;
    const view = this.view;
    const value: Uuid = [
      view.getUint32(offset, true),
      view.getUint32(offset + 4, true),
      view.getUint32(offset + 8, true),
      view.getUint32(offset + 12, true),
    ];
    if (this.fields !== null) this.span(name, offset, 16, formatUuid(value));
    return value;
  }

  /** A copy of `length` bytes. */
  bytes(name: string, offset: number, length: number, describe: (value: Uint8Array) => string = hexBytes): Uint8Array {
    if (!this.fits(name, offset, length)) return new Uint8Array(0);
    const value = new Uint8Array(length);
    for (let n = 0; n < length; n++) value[n] = this.view.getUint8(offset + n);
    if (this.fields !== null) this.span(name, offset, length, describe(value));
    return value;
  }

  /** Reads a field that must be zero. If it is not, that is a fault if decoding is strict, else a remark. */
  reserved(name: string, offset: number, length: number): void {
    if (!this.fits(name, offset, length)) return;
    if (this.fields === null && !this.strict) return;
    let zero = true;
    const value = new Uint8Array(length);
    for (let n = 0; n < length; n++) {
      value[n] = this.view.getUint8(offset + n);
      if (value[n] !== 0) zero = false;
    }
    if (this.fields !== null) this.span(name, offset, length, zero ? '0' : hexBytes(value));
    if (zero) return;
    this.remark(RESERVED_RULE);
    if (this.strict) this.fail('reserved-not-zero', name, offset, hexBytes(value), RESERVED_RULE);
  }

  /** Notes in the byte map that the field read last, or the one at `offset`, breaks `rule`. */
  remark(rule: string, offset = -1): void {
    const fields = this.fields;
    if (fields === null || fields.length === 0) return;
    let at = fields.length - 1;
    while (offset >= 0 && at > 0 && fields[at].offset !== offset) at--;
    fields[at] = { ...fields[at], rule };
  }

  /** Latches a fault unless there is one already. */
  fail(kind: FaultKind, name: string, offset: number, found: string | number, rule: string): void {
    if (this.fault !== null) return;
    const text = typeof found === 'number' ? hex(found) : found;
    this.fault = { kind, path: this.path(name), offset, found: text, rule };
  }

  /** The result: `value` if nothing was wrong. */
  result<T>(value: T): Decoded<T> {
    const fields = this.fields ?? NO_FIELDS;
    return this.fault === null ? { ok: true, value, fields } : { ok: false, fault: this.fault, fields };
  }

  private fits(name: string, offset: number, length: number): boolean {
    if (this.fault !== null) return false;
    if (offset + length <= this.sizeBytes) return true;
    this.fail('too-short', name, offset, `${this.sizeBytes} bytes`, `needs ${offset + length} bytes`);
    return false;
  }

  private span(name: string, offset: number, length: number, text: string): void {
    this.fields?.push({ path: this.path(name), offset, length, text });
  }

  private path(name: string): string {
    let path = '';
    for (let n = 0; n < this.names.length; n++) {
      const index = this.indices[n];
      path += index < 0 ? `${this.names[n]}.` : `${this.names[n]}[${index}].`;
    }
    return path + name;
  }
}

/** `0x2f`. */
export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** `3`. */
export function decimal(value: number): string {
  return String(value);
}

/** `00 2f ff`. */
function hexBytes(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += `${text === '' ? '' : ' '}${byte.toString(16).padStart(2, '0')}`;
  return text;
}
