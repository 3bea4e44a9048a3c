// Which letter and hue each field of a descriptor gets, so that the byte map and the field tree speak of the same one.
// Reserved fields share a dot: they matter only when they are wrong.

import type { Fault, FieldSpan } from '../abi/fault.ts';
import { HUES, type Style } from './styled-text.ts';

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
export const RESERVED_LETTER = '.';

export interface LabelledField {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
  readonly text: string;
  /** From `a` on; after 52 fields they begin anew. `.`: reserved. */
  readonly letter: string;
  readonly style: Style;
  /** The rule that this field breaks; null if it breaks none. */
  readonly rule: string | null;
  /** False for a field that could not be read; `length` is then what is there of it. */
  readonly isRead: boolean;
}

/**
 * The fields of `sizeBytes` bytes in order of their offsets, labelled. A fault in a field that was not read (it lies
 * beyond the end, say) becomes a field of its own, whose text is what was found.
 */
export function labelFields(
  fields: readonly FieldSpan[],
  fault: Fault<string> | null,
  sizeBytes: number,
): LabelledField[] {
  const sorted = [...fields].sort((a, b) => a.offset - b.offset);
  const labelled: LabelledField[] = [];
  let count = 0;
  let faultIsShown = fault === null;
  for (const field of sorted) {
    const isReserved = /(^|\.)reserved$/.test(field.path);
    const isFault = fault !== null && field.path === fault.path && field.offset === fault.offset;
    if (isFault) faultIsShown = true;
    const rule = isFault ? fault.rule : (field.rule ?? null);
    labelled.push({
      path: field.path,
      offset: field.offset,
      length: field.length,
      text: field.text,
      letter: isReserved ? RESERVED_LETTER : LETTERS[count % LETTERS.length],
      style: rule !== null ? 'wrong' : isReserved ? 'dim' : HUES[count % HUES.length],
      rule,
      isRead: true,
    });
    if (!isReserved) count++;
  }
  if (fault !== null && !faultIsShown) {
    const { path, offset, found, rule } = fault;
    const length = fault.kind === 'too-short' ? Math.max(0, sizeBytes - offset) : 0;
    labelled.push({ path, offset, length, text: found, letter: '?', style: 'wrong', rule, isRead: false });
  }
  return labelled;
}
