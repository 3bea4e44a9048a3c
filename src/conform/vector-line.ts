// One line of a vector file as a JSON object, or the message that it is none.

import { UserError } from '../base/user-error.ts';

export type LineValues = Readonly<Record<string, unknown>>;

/** The object on line `number` (from 1) of `file`. */
export function parseLine(file: string, text: string, number: number): LineValues {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw wrongLine(file, number, `no JSON: ${reason}`, 'each line must be one JSON object');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrongLine(file, number, 'no JSON object', 'each line must be one JSON object');
  }
  return value as LineValues;
}

export function wrongLine(file: string, line: number, what: string, hint: string): UserError {
  return new UserError(what, { file, line, column: 1 }, hint);
}
