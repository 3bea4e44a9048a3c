// The registers that a door's event carries, with what its HIGH and REST records add (see event-kinds.ts).

import { EVENT_REGISTERS_HIGH, EVENT_REGISTERS_REST } from '../base/event-kinds.ts';
import { TWO_POW_32 } from '../base/units.ts';
import type { EventSource } from './event-source.ts';

const REGISTER_COUNT = 18;
const FIRST_REST_REGISTER = 8;
const REST_REGISTERS = 5;

/** x0..x17 as 36 words: x[n] = words[2n] (low), words[2n + 1] (high). `at`: a call's or an answer's record. */
export function registersOf(events: EventSource, at: number): Uint32Array {
  const words = new Uint32Array(2 * REGISTER_COUNT);
  for (let n = 0; n < 8; n++) {
    const value = events.argument(at, n + 1);
    words[2 * n] = value % TWO_POW_32;
    words[2 * n + 1] = Math.floor(value / TWO_POW_32);
  }
  for (let next = at + 1; next < events.kept; next++) {
    const kind = events.kind(next);
    if (kind === EVENT_REGISTERS_HIGH) {
      for (let n = 0; n < 8; n++) words[2 * n + 1] = events.argument(next, n + 1);
    } else if (kind === EVENT_REGISTERS_REST) {
      const part = events.argument(next, 1);
      const first = FIRST_REST_REGISTER + (part & 1) * REST_REGISTERS;
      for (let n = 0; n < REST_REGISTERS; n++) words[2 * (first + n) + (part >> 1)] = events.argument(next, n + 2);
    } else {
      break;
    }
  }
  return words;
}

/** w0 of a call's or an answer's record: a function id. */
export function functionIdOf(events: EventSource, at: number): number {
  return events.argument(at, 1) % TWO_POW_32;
}
