// The field tree: every field with its letter in the byte map, its offset, its length and its value in words, indented
// by its path. A long array keeps its first elements, its last, and those with something wrong.

import type { LabelledField } from './field-labels.ts';
import { LineBuilder, line, type StyledLine } from './styled-text.ts';

/** Elements shown of a long array before it is cut. */
const ELEMENTS_SHOWN = 6;
/** Elements with something wrong that are kept all the same. */
const WRONG_SHOWN = 16;
const INDENT = 2;

export interface FieldTreeOptions {
  /** Shows every element, however many. */
  readonly all?: boolean;
}

/** The tree of `fields` (from `labelFields`). */
export function fieldTree(fields: readonly LabelledField[], options: FieldTreeOptions = {}): StyledLine[] {
  const elementCounts = countElements(fields);
  const nameWidth = Math.min(
    30,
    fields.reduce((most, field) => Math.max(most, nameColumns(field.path)), 0),
  );
  const offsetWidth = Math.max(
    4,
    fields.reduce((most, field) => Math.max(most, hex(field.offset).length), 0),
  );
  const lines: StyledLine[] = [];
  let groups: readonly string[] = [];
  let hiddenIn = '';
  const wrong = fields.filter((field) => field.rule !== null).slice(0, WRONG_SHOWN);
  const wrongElements = new Set(wrong.map((field) => elementOf(field.path)));
  for (const field of fields) {
    const element = elementOf(field.path);
    if (options.all !== true && !wrongElements.has(element) && isHidden(element, elementCounts)) {
      const array = arrayOf(element);
      if (hiddenIn !== array) {
        const more = hiddenCount(array, elementCounts, wrongElements);
        lines.push(line(`${' '.repeat(offsetWidth + 9)}… ${more} more of ${array} (--all shows them)`, 'dim'));
      }
      hiddenIn = array;
      continue;
    }
    const names = field.path.split('.');
    const parents = names.slice(0, -1);
    for (let depth = 0; depth < parents.length; depth++) {
      if (groups[depth] === parents[depth] && sameUpTo(groups, parents, depth)) continue;
      lines.push(line(`${' '.repeat(offsetWidth + 9 + depth * INDENT)}${parents[depth]}`, 'strong'));
      groups = parents.slice(0, depth + 1);
    }
    groups = parents;
    lines.push(fieldLine(field, names[names.length - 1], parents.length, nameWidth, offsetWidth));
    if (field.rule !== null) {
      const indent = ' '.repeat(offsetWidth + 9 + parents.length * INDENT);
      lines.push(line(`${indent}^ ${field.rule}`, 'wrong'));
    }
  }
  return lines;
}

function fieldLine(
  field: LabelledField,
  name: string,
  depth: number,
  nameWidth: number,
  offsetWidth: number,
): StyledLine {
  const indent = ' '.repeat(depth * INDENT);
  return new LineBuilder()
    .add(field.rule === null ? ' ' : '!', field.rule === null ? 'plain' : 'wrong')
    .add(field.letter, field.style)
    .add(
      ` ${hex(field.offset).padStart(offsetWidth)} ${(field.isRead ? String(field.length) : '-').padStart(4)}  `,
      'dim',
    )
    .add(`${indent}${name}`.padEnd(nameWidth), field.style)
    .add('  ')
    .add(field.text, field.rule === null ? 'plain' : 'wrong')
    .done();
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

function nameColumns(path: string): number {
  const names = path.split('.');
  return (names.length - 1) * INDENT + names[names.length - 1].length;
}

function sameUpTo(a: readonly string[], b: readonly string[], depth: number): boolean {
  for (let n = 0; n < depth; n++) if (a[n] !== b[n]) return false;
  return true;
}

/** `composite.constituents[3]` of `composite.constituents[3].address`; empty outside of arrays. */
function elementOf(path: string): string {
  return /^.*\[\d+\]/.exec(path)?.[0] ?? '';
}

function arrayOf(element: string): string {
  return element.slice(0, element.lastIndexOf('['));
}

function indexOf(element: string): number {
  return Number(element.slice(element.lastIndexOf('[') + 1, -1));
}

function countElements(fields: readonly LabelledField[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const field of fields) {
    const element = elementOf(field.path);
    if (element === '') continue;
    const array = arrayOf(element);
    counts.set(array, Math.max(counts.get(array) ?? 0, indexOf(element) + 1));
  }
  return counts;
}

function isHidden(element: string, counts: ReadonlyMap<string, number>): boolean {
  if (element === '') return false;
  const count = counts.get(arrayOf(element)) ?? 0;
  const index = indexOf(element);
  return count > ELEMENTS_SHOWN + 2 && index >= ELEMENTS_SHOWN && index < count - 1;
}

function hiddenCount(array: string, counts: ReadonlyMap<string, number>, shown: ReadonlySet<string>): number {
  let hidden = 0;
  for (let n = 0; n < (counts.get(array) ?? 0); n++) {
    const element = `${array}[${n}]`;
    if (isHidden(element, counts) && !shown.has(element)) hidden++;
  }
  return hidden;
}
