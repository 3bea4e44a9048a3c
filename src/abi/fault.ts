// What decoding gives: a value or a fault, and the byte map if it was asked for. Decoding never throws.

/** What can be wrong with bytes or registers from somebody else; `fault-errors.ts` gives each its FF-A error. */
export type FaultKind =
  | 'too-short'
  | 'size-unsupported'
  | 'offset-inside-header'
  | 'offset-unaligned'
  | 'offset-outside'
  | 'offset-differs'
  | 'count-outside'
  | 'count-mismatch'
  | 'length-unaligned'
  | 'signature'
  | 'version'
  | 'function'
  | 'message-type'
  | 'reserved-not-zero';

/** One thing that is wrong, and where. */
export interface Fault<Kind extends string = FaultKind> {
  readonly kind: Kind;
  /** The field, e.g. `receivers[1].compositeOffset`. */
  readonly path: string;
  /** Where the field begins, in bytes from the start of what was decoded (register xN begins at 8N). */
  readonly offset: number;
  /** What is there, as text. */
  readonly found: string;
  /** What should be there: a sentence without a full stop. */
  readonly rule: string;
}

/** Which bytes are which field. */
export interface FieldSpan {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
  /** The value, readable. */
  readonly text: string;
  /** The rule that this field breaks though the whole could be decoded, e.g. a reserved field that is not zero. */
  readonly rule?: string;
}

/** A decoder's result. `fields` is empty unless it was asked for; after a fault it holds what was read before it. */
export type Decoded<T, Kind extends string = FaultKind> =
  | { readonly ok: true; readonly value: T; readonly fields: readonly FieldSpan[] }
  | { readonly ok: false; readonly fault: Fault<Kind>; readonly fields: readonly FieldSpan[] };

export interface DecodeOptions {
  /** Collect the byte map. */
  readonly fields?: boolean;
  /** A reserved field that is not zero is a fault, not only a remark in the byte map. */
  readonly strict?: boolean;
}

/** `receivers[1].compositeOffset at 0x34: found 0x8; must not lie inside the header`. */
export function formatFault(fault: Fault<string>): string {
  return `${fault.path} at 0x${fault.offset.toString(16)}: found ${fault.found}; ${fault.rule}`;
}
