// Handlers by the low byte of their function id, one table for each calling convention.

import { isSmc64 } from '../abi/function-ids.ts';
import { assert } from '../base/assert.ts';
import type { Handler } from './profile.ts';

const TABLE_LENGTH = 256;

export interface CallTables {
  readonly handlers32: readonly (Handler | null)[];
  readonly handlers64: readonly (Handler | null)[];
}

const NO_HANDLERS: readonly null[] = new Array(TABLE_LENGTH).fill(null);
const NO_CALLS: CallTables = { handlers32: NO_HANDLERS, handlers64: NO_HANDLERS };

/** Tables with these handlers; every other function is as `others` have it, by default not supported. */
export function callTables(
  calls: readonly (readonly [functionId: number, handler: Handler])[],
  others: CallTables = NO_CALLS,
): CallTables {
  const handlers32 = [...others.handlers32];
  const handlers64 = [...others.handlers64];
  for (const [functionId, handler] of calls) {
    const wide = isSmc64(functionId);
    const table = wide ? handlers64 : handlers32;
    const at = functionId & (TABLE_LENGTH - 1);
    assert(table[at] === (wide ? others.handlers64 : others.handlers32)[at], 'a function has one handler');
    table[at] = handler;
  }
  return { handlers32, handlers64 };
}
