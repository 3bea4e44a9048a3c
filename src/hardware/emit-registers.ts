// One call's registers as events: the eight low registers in one record, what does not fit in further ones.

import { EVENT_REGISTERS_HIGH, EVENT_REGISTERS_REST } from '../base/event-kinds.ts';
import type { EventLog } from '../base/event-log.ts';
import type { RegisterFile } from './registers.ts';

/** An upper half from here on makes a register inexact as a double. */
const EXACT_HIGH_LIMIT = 0x20_0000;

/** Emits `kind` with (endpoint, x0..x7), then EVENT_REGISTERS_HIGH and _REST records where they are needed. */
export function emitRegisters(
  events: EventLog,
  kind: number,
  pe: number,
  endpoint: number,
  registers: RegisterFile,
): void {
  const r = registers;
  const w = r.words;
  let inexact = false;
  for (let n = 0; n < 8; n++) if (w[2 * n + 1] >= EXACT_HIGH_LIMIT) inexact = true;
  if (!inexact) {
    events.emit(kind, pe, endpoint, r.x(0), r.x(1), r.x(2), r.x(3), r.x(4), r.x(5), r.x(6), r.x(7));
  } else {
    events.emit(kind, pe, endpoint, w[0], w[2], w[4], w[6], w[8], w[10], w[12], w[14]);
    events.emit(EVENT_REGISTERS_HIGH, pe, endpoint, w[1], w[3], w[5], w[7], w[9], w[11], w[13], w[15]);
  }
  let rest = 0;
  for (let n = 16; n < w.length; n++) rest |= w[n];
  if (rest === 0) return;
  for (let part = 0; part < 4; part++) {
    const base = 16 + (part & 1) * 10 + (part >> 1);
    events.emit(EVENT_REGISTERS_REST, pe, endpoint, part, w[base], w[base + 2], w[base + 4], w[base + 6], w[base + 8]);
  }
}
