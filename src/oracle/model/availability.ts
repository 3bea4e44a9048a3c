// What each secure partition has been told of each VM, and what it answered: one small state machine per pair.

import { FFA_ABORTED, FFA_INVALID_PARAMETERS } from '../../abi/errors.ts';
import { FFA_MSG_SEND_DIRECT_RESP_32 } from '../../abi/function-ids.ts';
import { VM_CREATED_RESP_W2, VM_DESTROYED_RESP_W2 } from '../../abi/layout/messages.ts';
import { nameEndpoint } from '../violation.ts';
import { ANSWER_REFUSED, ANSWER_TAKEN, isTransient, readAnswer, refusalCode } from './answers.ts';
import type { Exchange } from './exchange.ts';

export type PairState = 0 | 1 | 2 | 3 | 4 | 5 | 6;
/** It knows nothing of the VM: never told, or not handled. */
const PAIR_NONE = 0;
/** It accepted "created". */
export const PAIR_BELIEVES = 1;
/** It may have accepted: the answer was none that the specification knows. */
export const PAIR_MAYBE = 2;
/** It refused "created" for good. */
const PAIR_REFUSED = 3;
/** It said that "created" does not fit what it knows: it believes in an earlier VM of that id. */
const PAIR_STALE = 4;
/** It accepted "destroyed". */
export const PAIR_TOLD_END = 5;
/** It died while it was told. Once it is back it may be told of the end, until it takes that. */
export const PAIR_DEAD = 6;

export type Message = 0 | 1 | 2;
const MESSAGE_NONE = 0;
export const MESSAGE_CREATED = 1;
export const MESSAGE_DESTROYED = 2;

/** One VM and one partition. */
export interface Pair {
  readonly vm: number;
  readonly sp: number;
  state: PairState;
  /** The message whose answer is awaited. */
  inFlight: Message;
  /** Whether the partition took that message and was preempted. */
  taken: boolean;
  /** "Destroyed" was refused for good: nobody can tell it any more. */
  endRefused: boolean;
  endsSent: number;
}

export interface Subscription {
  readonly sp: number;
  created: boolean;
  destroyed: boolean;
}

export class Availability {
  /** Partitions that want to be told, in the order in which they were listed. */
  readonly subscriptions = new Map<number, Subscription>();
  readonly byVm = new Map<number, Pair[]>();

  reset(): void {
    this.subscriptions.clear();
    this.byVm.clear();
  }

  subscribe(sp: number, created: boolean, destroyed: boolean): void {
    const known = this.subscriptions.get(sp);
    if (known === undefined) {
      if (created || destroyed) this.subscriptions.set(sp, { sp, created, destroyed });
      return;
    }
    known.created = created;
    known.destroyed = destroyed;
  }

  find(vm: number, sp: number): Pair | null {
    const pairs = this.byVm.get(vm);
    if (pairs === undefined) return null;
    for (const pair of pairs) if (pair.sp === sp) return pair;
    return null;
  }

  /** A message leaves. Notes on the exchange what is wrong with that. */
  sent(exchange: Exchange, message: Message, sp: number, vm: number): void {
    const pair = this.pairOf(vm, sp);
    exchange.pair = pair;
    const told = nameEndpoint(sp);
    if (pair.inFlight !== MESSAGE_NONE && pair.taken) {
      exchange.anomaly = `${told} got a message again that it had taken`;
    } else if (message === MESSAGE_CREATED) {
      if (pair.state === PAIR_BELIEVES) exchange.anomaly = `${told} was told twice that VM ${vm} was created`;
      else if (pair.state === PAIR_MAYBE) {
        exchange.anomaly = `${told} was told again that VM ${vm} was created though it may have accepted`;
      }
    } else if (pair.state === PAIR_TOLD_END) {
      exchange.anomaly = `${told} was told twice that VM ${vm} was destroyed`;
    } else if (pair.state === PAIR_NONE || pair.state === PAIR_REFUSED) {
      const listensToBirth = this.subscriptions.get(sp)?.created ?? false;
      if (listensToBirth) exchange.anomaly = `${told} was told of the end of VM ${vm} that it had never accepted`;
    }
    pair.inFlight = message;
    pair.taken = false;
    if (message === MESSAGE_DESTROYED) pair.endsSent++;
  }

  /** The answer to the pair's message is in the exchange. */
  answered(exchange: Exchange, pair: Pair): void {
    const message = pair.inFlight;
    const w0 = exchange.a(0);
    const answer = readAnswer(w0, exchange.a(2));
    if (answer === ANSWER_TAKEN) {
      pair.taken = true;
      return;
    }
    pair.inFlight = MESSAGE_NONE;
    pair.taken = false;
    const created = message === MESSAGE_CREATED;
    if (w0 === FFA_MSG_SEND_DIRECT_RESP_32) {
      const right = created ? VM_CREATED_RESP_W2 : VM_DESTROYED_RESP_W2;
      const status = exchange.a(3) | 0;
      if (exchange.a(1) !== pair.sp * 0x1_0000 || exchange.a(2) !== right || status > 0 || status < -10) {
        unclear(pair, created);
      } else responded(pair, created, status);
    } else if (answer === ANSWER_REFUSED) refused(pair, created, refusalCode(w0, exchange.a(2)));
    else unclear(pair, created);
  }

  /** Drops what was said of a VM whose id begins anew. */
  forget(vm: number): void {
    this.byVm.delete(vm);
  }

  /** Drops what was said of a VM if nothing of it is owed, or may still be told. */
  settle(vm: number): void {
    const pairs = this.byVm.get(vm);
    if (pairs === undefined) return;
    for (const pair of pairs) if (this.owes(pair) || pair.state === PAIR_DEAD) return;
    this.byVm.delete(vm);
  }

  /** Whether the partition still waits to hear of the VM's end, or believes in it for ever. */
  owes(pair: Pair): boolean {
    if (pair.inFlight !== MESSAGE_NONE) return true;
    if (pair.state !== PAIR_BELIEVES && pair.state !== PAIR_MAYBE && pair.state !== PAIR_STALE) return false;
    return this.subscriptions.get(pair.sp)?.destroyed ?? false;
  }

  private pairOf(vm: number, sp: number): Pair {
    const found = this.find(vm, sp);
    if (found !== null) return found;
    const pair: Pair = {
      vm,
      sp,
      state: PAIR_NONE,
      inFlight: MESSAGE_NONE,
      taken: false,
      endRefused: false,
      endsSent: 0,
    };
    const pairs = this.byVm.get(vm);
    if (pairs === undefined) this.byVm.set(vm, [pair]);
    else pairs.push(pair);
    return pair;
  }
}

function responded(pair: Pair, created: boolean, status: number): void {
  if (status === 0) {
    pair.state = created ? PAIR_BELIEVES : PAIR_TOLD_END;
    return;
  }
  if (isTransient(status)) return;
  if (status === FFA_INVALID_PARAMETERS) pair.state = created ? PAIR_STALE : PAIR_TOLD_END;
  else if (created) pair.state = PAIR_REFUSED;
  else pair.endRefused = true;
}

function refused(pair: Pair, created: boolean, code: number): void {
  if (created) {
    if (code === FFA_ABORTED) pair.state = PAIR_DEAD;
    return;
  }
  if (!isTransient(code)) pair.endRefused = true;
}

function unclear(pair: Pair, created: boolean): void {
  if (created) pair.state = PAIR_MAYBE;
  else pair.endRefused = true;
}
