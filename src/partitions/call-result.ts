// What a call of the library comes to: a value, or how it failed. An FF-A error is a value, never an exception.

import { UserError } from '../base/user-error.ts';
import { OUTCOME_SUCCESS, type Outcome, outcomeName } from './outcome.ts';

/** `outcome`: 0 with `ok`; else an FF-A error (negative) or an `OUTCOME_...`; `call`: what was asked, for messages. */
export type CallResult<T = void> =
  | { readonly ok: true; readonly outcome: typeof OUTCOME_SUCCESS; readonly value: T }
  | { readonly ok: false; readonly outcome: Outcome; readonly call: string };

/** A result from an outcome. */
export function resultOf<T>(call: string, outcome: Outcome, value: T): CallResult<T> {
  return outcome === OUTCOME_SUCCESS ? { ok: true, outcome, value } : { ok: false, outcome, call };
}

/** The value; a failure, which the program's author ruled out, is a UserError that names call and outcome. */
export function must<T>(result: CallResult<T>): T {
  if (result.ok) return result.value;
  throw new UserError(`${result.call} ended with ${outcomeName(result.outcome)}`, null, 'expected SUCCESS');
}
