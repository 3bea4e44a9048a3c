// The fields of one operation or answer of a vector file, read with their types. Whatever does not fit is the file's
// mistake: one message with the file, the line and the field.

import { PAGE_SHIFT } from '../base/units.ts';
import { UserError } from '../base/user-error.ts';
import { parseDouble, parsed, parseWords } from './vector-value.ts';

/** Pages in 4 GiB. */
const PAGES_PER_HIGH_WORD = 0x10_0000;

/** Where a JSON value stands, for messages. */
export interface FieldsPlace {
  readonly file: string;
  readonly line: number;
  /** Words such as "session x, step 3". */
  readonly where: string;
}

export class Fields {
  readonly values: Readonly<Record<string, unknown>>;
  private readonly place: FieldsPlace;

  constructor(value: unknown, place: FieldsPlace, what: string) {
    this.place = place;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw wrong(place, `${what} is ${shown(value)}`, 'it must be an object');
    }
    this.values = value as Record<string, unknown>;
  }

  has(name: string): boolean {
    return this.values[name] !== undefined;
  }

  text(name: string): string {
    const value = this.values[name];
    if (typeof value !== 'string') this.fail(name, 'text in quotes');
    return value as string;
  }

  flag(name: string): boolean {
    const value = this.values[name];
    if (value === undefined) return false;
    if (typeof value !== 'boolean') this.fail(name, 'true or false');
    return value as boolean;
  }

  /** An integer below 2^53, from `least` to `most`. */
  number(name: string, fallback?: number, least = -Infinity, most = Infinity): number {
    const value = this.values[name];
    if (value === undefined && fallback !== undefined) return fallback;
    const number = parseDouble(value);
    if (number === null || number < least || number > most) this.fail(name, numberThatFits(least, most));
    return number as number;
  }

  /** The page number of an address of up to 64 bits. */
  pageNumber(name: string): number {
    if (!parseWords(this.values[name])) this.fail(name, 'an address ("0x…" or decimal)');
    return parsed.high * PAGES_PER_HIGH_WORD + (parsed.low >>> PAGE_SHIFT);
  }

  /** A list; missing: empty. */
  list(name: string): readonly unknown[] {
    const value = this.values[name];
    if (value === undefined) return [];
    if (!Array.isArray(value)) this.fail(name, 'a list');
    return value as unknown[];
  }

  /** A nested object; missing: empty. */
  fields(name: string): Fields {
    return new Fields(this.values[name] ?? {}, this.place, `"${name}"`);
  }

  /** An entry of a list as an object of its own. */
  entry(value: unknown, what: string): Fields {
    return new Fields(value, this.place, what);
  }

  /** Rejects the field `name`. */
  fail(name: string, fits: string): never {
    const value = this.values[name];
    const found = value === undefined ? 'is missing' : `is ${shown(value)}`;
    throw wrong(this.place, `"${name}" ${found}`, `it must be ${fits}`);
  }
}

function numberThatFits(least: number, most: number): string {
  if (most !== Infinity) return `a number from ${least} to ${most}`;
  return least === 0 ? 'a number, 0 or more ("0x…" or decimal)' : 'a number ("0x…" or decimal)';
}

function wrong(place: FieldsPlace, what: string, hint: string): UserError {
  const at = { file: place.file, line: place.line, column: 1 };
  return new UserError(`${place.where}: ${what}`, at, hint);
}

const SHOWN_LENGTH_MAX = 60;

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text;
}
