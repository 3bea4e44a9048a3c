// The call table: one row for each function id of FF-A 1.0 to 1.3.
//
// Documented errors are those that the sources of a row give for a reason that its text names; a callee may restrict
// itself to fewer. What 1.3 added is here as far as public code shows it.

import type { Call } from './call.ts';
import { MEMORY_CALLS } from './memory-calls.ts';
import { MESSAGE_CALLS } from './message-calls.ts';
import { NOTIFICATION_CALLS } from './notification-calls.ts';
import { SETUP_CALLS } from './setup-calls.ts';

export const CALLS: readonly Call[] = [...SETUP_CALLS, ...MESSAGE_CALLS, ...MEMORY_CALLS, ...NOTIFICATION_CALLS];

const CALL_OF_ID: ReadonlyMap<number, Call> = new Map(CALLS.map((call) => [call.fid, call]));

/** The row of a function id (bits above 31 are ignored), or undefined. */
export function callOf(fid: number): Call | undefined {
  return CALL_OF_ID.get(fid >>> 0);
}

/** Whether `code` (negative, or as a register holds it) is documented for `call`. */
export function isDocumentedError(call: Call, code: number): boolean {
  return call.errors.some((error) => error.code === (code | 0));
}
