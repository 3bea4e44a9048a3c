// Handlers by the low byte of their function id, one table for each calling convention.

import { isSmc64 } from '../abi/function-ids.ts';
import { assert } from '../base/assert.ts';
import type { Handler } from './profile.ts';

const TABLE_LENGTH = 256;

export interface CallTables {
  readonly handlers32: readonly (Handler | null)[];
  readonly handlers64: readonly (Handler | null)[];
}

/** Tables with these handlers; every other function is not supported. */
export function callTables(calls: readonly (readonly [functionId: number, handler: Handler])[]): CallTables {
  const handlers32: (Handler | null)[] = new Array(TABLE_LENGTH).fill(null);
  const handlers64: (Handler | null)[] = new Array(TABLE_LENGTH).fill(null);
  for (const [functionId, handler] of calls) {
    const table = isSmc64(functionId) ? handlers64 : handlers32;
    const at = functionId & (TABLE_LENGTH - 1);
    assert(table[at] === null, 'a function has one handler');
    table[at] = handler;
  }
  return { handlers32, handlers64 };
}
