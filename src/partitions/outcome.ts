// How a sequence of FF-A calls ended: 0 for success, an FF-A error code (negative), or one of the positive numbers
// below for what only the caller can see. One number, so that a script compares it and a report names it.

import { errorName, FFA_ERROR_CODES } from '../abi/errors.ts';

/** 0, a negative FF-A error code, or an `OUTCOME_...`. */
export type Outcome = number;
export const OUTCOME_SUCCESS = 0;
/** The answer is of a kind that this call never gets, or contradicts the request. */
export const OUTCOME_UNEXPECTED = 1;
/** FFA_INTERRUPT came back and the caller does not run the partition again. */
export const OUTCOME_INTERRUPT = 2;
/** FFA_YIELD came back and the caller does not run the partition again. */
export const OUTCOME_YIELD = 3;
/** The caller cannot access its own memory (its stage 2 refuses). */
export const OUTCOME_FAULT = 4;
/** What the answer left in RX cannot be decoded. */
export const OUTCOME_MALFORMED = 5;
/** A condition did not come true in time. */
export const OUTCOME_TIMEOUT = 6;
/** What was read differs from what the script says. */
export const OUTCOME_MISMATCH = 7;
/** The script names a region that does not exist, or has no room left. */
export const OUTCOME_NO_REGION = 8;

const OWN_NAMES: readonly string[] = [
  'SUCCESS',
  'UNEXPECTED',
  'INTERRUPT',
  'YIELD',
  'FAULT',
  'MALFORMED',
  'TIMEOUT',
  'MISMATCH',
  'NO_REGION',
];

/** `SUCCESS`, an error's name such as `DENIED`, or one of ours such as `TIMEOUT`. */
export function outcomeName(outcome: Outcome): string {
  return OWN_NAMES[outcome] ?? errorName(outcome);
}

/** Every name that `outcomeName` gives to a known outcome, SUCCESS first. */
export const OUTCOME_NAMES: readonly string[] = [
  ...OWN_NAMES.slice(0, 1),
  ...FFA_ERROR_CODES.map((code) => errorName(code)),
  ...OWN_NAMES.slice(1),
];

const OUTCOME_OF_NAME: ReadonlyMap<string, Outcome> = new Map([
  ...OWN_NAMES.map((name, outcome): [string, Outcome] => [name, outcome]),
  ...FFA_ERROR_CODES.map((code): [string, Outcome] => [errorName(code), code]),
]);

/** The outcome of that name, or undefined. */
export function outcomeOf(name: string): Outcome | undefined {
  return OUTCOME_OF_NAME.get(name);
}
