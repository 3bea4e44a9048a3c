// Writes down what was answered: each exchange of a system as (side, call, caller's version, answer). Fed by the event
// log; a system that nobody records costs nothing.

import type { Side } from '../../src/abi/documented/documented-answer.ts';
import { FFA_NOT_SUPPORTED } from '../../src/abi/errors.ts';
import { FFA_ERROR, FFA_VERSION } from '../../src/abi/function-ids.ts';
import type { EventListener, EventLog } from '../../src/base/event-log.ts';
import { SMCCC_UNKNOWN_FUNCTION } from '../../src/oracle/model/answers.ts';
import { type Exchange, Exchanges } from '../../src/oracle/model/exchanges.ts';

/** One answer that was seen. */
export interface Seen {
  readonly side: Side;
  readonly endpoint: number;
  readonly fid: number;
  readonly version: number;
  /** A function id, or an error code (negative). */
  readonly answer: number;
}

export class Recorder implements EventListener {
  readonly seen: Seen[] = [];
  private readonly versionOf: (side: Side, endpoint: number) => number;
  private readonly exchanges: Exchanges;

  constructor(versionOf: (side: Side, endpoint: number) => number) {
    this.versionOf = versionOf;
    this.exchanges = new Exchanges((exchange) => this.note(exchange));
  }

  event(log: EventLog, at: number): void {
    this.exchanges.event(log, at);
  }

  private note(exchange: Exchange): void {
    const { side, endpoint } = exchange;
    const version = this.versionOf(side, endpoint);
    this.seen.push({ side, endpoint, fid: exchange.w(0), version, answer: answerOf(exchange) });
  }
}

/**
 * What the table calls the answer: an error's code, or the function that answers (FFA_VERSION: a version). The calling
 * convention's "unknown function" is NOT_SUPPORTED.
 */
function answerOf(exchange: Exchange): number {
  const w0 = exchange.a(0);
  if (exchange.w(0) === FFA_VERSION) return (w0 | 0) < 0 && w0 !== FFA_ERROR ? w0 | 0 : FFA_VERSION;
  if (w0 === SMCCC_UNKNOWN_FUNCTION) return FFA_NOT_SUPPORTED;
  return w0 === FFA_ERROR ? exchange.a(2) | 0 : w0;
}
