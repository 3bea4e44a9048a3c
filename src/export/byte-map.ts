// The byte map: rows of 16 bytes as hexyl draws them, each field in its own hue, and beside them the same bytes as the
// letters of their fields, so that the map reads without colour too. Under a row, carets mark the bytes of a field that
// breaks a rule, with the rule.
//
// Rows that repeat inside one field are squeezed to `*`; a long map keeps its first rows and those with something
// wrong.

import { type LabelledField, RESERVED_LETTER } from './field-labels.ts';
import { LineBuilder, line, type Style, type StyledLine } from './styled-text.ts';

const ROW_BYTES = 16;
const HALF_ROW_BYTES = 8;
/** Rows shown of a long map before it is cut. */
const ROWS_SHOWN = 24;
/** ... and rows with something wrong. */
const WRONG_ROWS_SHOWN = 24;

export interface ByteMapOptions {
  /** Shows every row, however many. */
  readonly all?: boolean;
}

/** Bytes [start, end) to mark, and what is said about them. */
interface Wrong {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const NOTHING_WRONG: readonly Wrong[] = [];

/** The map of `bytes`; `fields` come from `labelFields`. */
export function byteMap(
  bytes: Uint8Array,
  fields: readonly LabelledField[],
  options: ByteMapOptions = {},
): StyledLine[] {
  const owner = ownersOf(bytes.length, fields);
  const wrongOfRow = new Map<number, Wrong[]>();
  let end = bytes.length;
  for (const field of fields) {
    if (field.rule === null) continue;
    const one = wrongBytes(field, field.rule, bytes.length);
    if (one === null) continue;
    for (let row = Math.floor(one.start / ROW_BYTES); row * ROW_BYTES < one.end; row++) {
      const others = wrongOfRow.get(row);
      if (others === undefined) wrongOfRow.set(row, [one]);
      else others.push(one);
    }
    end = Math.max(end, one.end);
  }
  const rowCount = Math.ceil(end / ROW_BYTES);
  const width = Math.max(4, Math.max(end - 1, 0).toString(16).length);

  const lines: StyledLine[] = [];
  let isSqueezing = false;
  let hidden = 0;
  let wrongRows = 0;
  for (let row = 0; row < rowCount; row++) {
    const rowWrong = wrongOfRow.get(row) ?? NOTHING_WRONG;
    if (rowWrong.length === 0 && repeatsRowBefore(bytes, owner, row)) {
      if (!isSqueezing) lines.push(line(`${' '.repeat(width + 3)}*`, 'dim'));
      isSqueezing = true;
      continue;
    }
    isSqueezing = false;
    const isKept = row < ROWS_SHOWN || row === rowCount - 1 || (rowWrong.length > 0 && wrongRows < WRONG_ROWS_SHOWN);
    if (!isKept && options.all !== true) {
      hidden++;
      continue;
    }
    if (hidden > 0) lines.push(hiddenLine(hidden, width));
    hidden = 0;
    if (rowWrong.length > 0) wrongRows++;
    lines.push(rowLine(bytes, owner, row, width, rowWrong));
    for (const one of rowWrong) lines.push(caretLine(one, row, width));
  }
  return lines;
}

/** For each byte, the field that it belongs to (the first of several); null for a byte that no field covers. */
function ownersOf(length: number, fields: readonly LabelledField[]): (LabelledField | null)[] {
  const owner: (LabelledField | null)[] = new Array(length).fill(null);
  for (const field of fields) {
    const end = Math.min(field.offset + field.length, length);
    for (let at = field.offset; at < end; at++) owner[at] ??= field;
  }
  return owner;
}

/** What a wrong field marks: its bytes, or, if it does not fit, what is there of it and one cell past the end. */
function wrongBytes(field: LabelledField, rule: string, sizeBytes: number): Wrong | null {
  const text = `${field.path.slice(field.path.lastIndexOf('.') + 1)}: ${rule}`;
  if (field.isRead) return { start: field.offset, end: field.offset + field.length, text };
  // A field without bytes of its own (a length that the call states) is said in words alone.
  if (field.length === 0 && field.offset < sizeBytes) return null;
  return { start: Math.min(field.offset, sizeBytes), end: sizeBytes + 1, text };
}

function repeatsRowBefore(bytes: Uint8Array, owner: readonly (LabelledField | null)[], row: number): boolean {
  const first = row * ROW_BYTES;
  if (row === 0 || first + ROW_BYTES > bytes.length) return false;
  for (let at = first; at < first + ROW_BYTES; at++) {
    if (bytes[at] !== bytes[at - ROW_BYTES] || owner[at] !== owner[at - ROW_BYTES]) return false;
  }
  return true;
}

function hiddenLine(hidden: number, width: number): StyledLine {
  return line(`${' '.repeat(width + 3)}… ${hidden} more row${hidden === 1 ? '' : 's'} (--all shows them)`, 'dim');
}

function rowLine(
  bytes: Uint8Array,
  owner: readonly (LabelledField | null)[],
  row: number,
  width: number,
  wrong: readonly Wrong[],
): StyledLine {
  const first = row * ROW_BYTES;
  const built = new LineBuilder();
  built.add(` ${first.toString(16).padStart(width, '0')}`, 'dim').add(' │', 'dim');
  for (let n = 0; n < ROW_BYTES; n++) {
    if (n === HALF_ROW_BYTES) built.add(' ┊', 'dim');
    const at = first + n;
    if (at < bytes.length) {
      built.add(' ').add(bytes[at].toString(16).padStart(2, '0'), styleOf(owner[at], at, wrong));
    } else if (wrong.some((one) => at >= one.start && at < one.end)) {
      built.add(' ').add('--', 'wrong');
    } else {
      built.add('   ');
    }
  }
  built.add(' │ ', 'dim');
  for (let n = 0; n < ROW_BYTES; n++) {
    if (n === HALF_ROW_BYTES) built.add('┊', 'dim');
    const at = first + n;
    if (at >= bytes.length) break;
    const field = owner[at];
    built.add(field === null ? ' ' : field.letter, styleOf(field, at, wrong));
  }
  return built.done();
}

function styleOf(field: LabelledField | null, at: number, wrong: readonly Wrong[]): Style {
  if (wrong.some((one) => at >= one.start && at < one.end)) return 'wrong';
  if (field === null) return 'dim';
  return field.letter === RESERVED_LETTER ? 'dim' : field.style;
}

/** Carets under the marked bytes in this row; the row where they begin also says the rule. */
function caretLine(one: Wrong, row: number, width: number): StyledLine {
  const first = row * ROW_BYTES;
  let carets = '';
  for (let n = 0; n < ROW_BYTES; n++) {
    if (n === HALF_ROW_BYTES) carets += '  ';
    carets += first + n >= one.start && first + n < one.end ? ' ^^' : '   ';
  }
  const built = new LineBuilder()
    .add(' '.repeat(width + 2))
    .add('│', 'dim')
    .add(carets, 'wrong')
    .add(' │', 'dim');
  if (one.start >= first) built.add(` ${one.text}`, 'wrong');
  return built.done();
}
