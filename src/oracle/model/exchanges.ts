// Calls and their answers at the three doors, as events tell them: a guest's at the mediator's, the hypervisor's at the
// SPMC's, a partition's at the SPMC's. A partition's answer may come long after its call: it is found by the execution
// context that is entered with it.

import type { Side } from '../../abi/documented/documented-answer.ts';
import { FFA_ERROR } from '../../abi/function-ids.ts';
import {
  EVENT_FAULT,
  EVENT_GUEST_CALL,
  EVENT_GUEST_RETURN,
  EVENT_SMC,
  EVENT_SMC_RETURN,
  EVENT_SP_CALL,
  EVENT_SP_ENTER,
  EVENT_SP_EXIT,
  EVENT_SP_RETURN,
} from '../../base/event-kinds.ts';
import type { EventListener, EventLog } from '../../base/event-log.ts';
import { lowWord } from './answers.ts';

const REGISTERS = 8;
const CONTEXT_FACTOR = 0x1_0000;

export class Exchange {
  side: Side = 'guest';
  endpoint = 0;
  /** Whether a fault of the world's stood between call and answer. */
  faulted = false;
  /** Whether the answer is the FFA_ERROR by which a partition itself answered. */
  partitionError = false;
  readonly request = new Float64Array(REGISTERS);
  readonly answer = new Float64Array(REGISTERS);

  /** w[n] of the call. */
  w(n: number): number {
    return lowWord(this.request[n]);
  }

  /** w[n] of the answer. */
  a(n: number): number {
    return lowWord(this.answer[n]);
  }
}

/** Told of each exchange when its answer is known. The exchange is used again afterwards. */
export type ExchangeSink = (exchange: Exchange) => void;

/** Events that exchanges are made of. */
export const EXCHANGE_KINDS: readonly number[] = [
  EVENT_GUEST_CALL,
  EVENT_GUEST_RETURN,
  EVENT_SMC,
  EVENT_SMC_RETURN,
  EVENT_SP_CALL,
  EVENT_SP_RETURN,
  EVENT_SP_ENTER,
  EVENT_SP_EXIT,
  EVENT_FAULT,
];

export class Exchanges implements EventListener {
  private readonly sink: ExchangeSink;
  /** By PE: what a guest and the hypervisor have under way. */
  private readonly guests = new Map<number, Exchange>();
  private readonly smcs = new Map<number, Exchange>();
  /** By execution context of a partition. */
  private readonly contexts = new Map<number, Exchange>();
  /** By PE: the context that left last; what the next one that is entered gets. */
  private readonly left = new Map<number, number>();
  private readonly returned = new Map<number, Float64Array>();
  /** By PE: the code of a partition's FFA_ERROR, if that was the newest call there. */
  private readonly errors = new Map<number, number>();

  constructor(sink: ExchangeSink) {
    this.sink = sink;
  }

  reset(): void {
    this.guests.clear();
    this.smcs.clear();
    this.contexts.clear();
    this.left.clear();
    this.returned.clear();
    this.errors.clear();
  }

  event(log: EventLog, at: number): void {
    const pe = log.pe(at);
    switch (log.kind(at)) {
      case EVENT_GUEST_CALL:
        begin(this.guests, pe, 'guest', log, at);
        return;
      case EVENT_GUEST_RETURN:
        this.end(this.guests, pe, log, at);
        return;
      case EVENT_SMC:
        this.errors.delete(pe);
        begin(this.smcs, pe, 'hypervisor', log, at);
        return;
      case EVENT_SMC_RETURN:
        this.passOn(this.smcs.get(pe), pe, log.argument(at, 1), log.argument(at, 3));
        this.end(this.smcs, pe, log, at);
        return;
      case EVENT_FAULT: {
        const under = this.smcs.get(pe);
        if (under !== undefined) under.faulted = true;
        return;
      }
      case EVENT_SP_EXIT:
        this.left.set(pe, contextOf(log, at));
        return;
      case EVENT_SP_CALL: {
        const context = this.left.get(pe);
        if (lowWord(log.argument(at, 1)) === FFA_ERROR) this.errors.set(pe, lowWord(log.argument(at, 3)));
        else this.errors.delete(pe);
        if (context !== undefined) begin(this.contexts, context, 'partition', log, at);
        return;
      }
      case EVENT_SP_RETURN: {
        const registers = new Float64Array(REGISTERS);
        for (let n = 0; n < REGISTERS; n++) registers[n] = log.argument(at, n + 1);
        this.returned.set(pe, registers);
        return;
      }
      case EVENT_SP_ENTER:
        this.entered(pe, contextOf(log, at));
        return;
      default:
    }
  }

  private entered(pe: number, context: number): void {
    const registers = this.returned.get(pe);
    if (registers === undefined) return;
    this.returned.delete(pe);
    const exchange = this.contexts.get(context);
    if (exchange === undefined) return;
    this.contexts.delete(context);
    // A context that begins anew has nothing in its registers: that answers nothing.
    if (registers[0] === 0) return;
    exchange.answer.set(registers);
    this.passOn(exchange, pe, registers[0], registers[2]);
    this.sink(exchange);
  }

  private passOn(exchange: Exchange | undefined, pe: number, x0: number, x2: number): void {
    if (exchange === undefined || lowWord(x0) !== FFA_ERROR || lowWord(exchange.request[0]) === FFA_ERROR) return;
    exchange.partitionError = this.errors.get(pe) === lowWord(x2);
  }

  private end(open: Map<number, Exchange>, key: number, log: EventLog, at: number): void {
    const exchange = open.get(key);
    if (exchange === undefined) return;
    for (let n = 0; n < REGISTERS; n++) exchange.answer[n] = log.argument(at, n + 1);
    open.delete(key);
    this.sink(exchange);
  }
}

function contextOf(log: EventLog, at: number): number {
  return log.argument(at, 0) * CONTEXT_FACTOR + log.argument(at, 1);
}

function begin(open: Map<number, Exchange>, key: number, side: Side, log: EventLog, at: number): void {
  const exchange = new Exchange();
  exchange.side = side;
  exchange.endpoint = log.argument(at, 0);
  for (let n = 0; n < REGISTERS; n++) exchange.request[n] = log.argument(at, n + 1);
  open.set(key, exchange);
}
