// P12 progress: nobody waits for what never comes, and nobody makes others wait long.

import { isSecureEndpoint } from '../../abi/endpoint-ids.ts';
import {
  FFA_INTERRUPT,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_REQ_64,
  FFA_MSG_SEND_DIRECT_REQ2,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_MSG_SEND_DIRECT_RESP_64,
  FFA_MSG_SEND_DIRECT_RESP2,
  FFA_MSG_WAIT,
  FFA_RUN,
  FFA_YIELD,
  functionName,
} from '../../abi/function-ids.ts';
import {
  EVENT_DOMAIN_CREATE,
  EVENT_DOMAIN_DYING,
  EVENT_GUEST_CALL,
  EVENT_GUEST_RETURN,
  EVENT_LOCK,
  EVENT_SMC,
  EVENT_TEARDOWN_ROUND,
  EVENT_TEARDOWN_WAIT,
  EVENT_TIMER_FIRE,
  EVENT_UNLOCK,
} from '../../base/event-kinds.ts';
import type { EventLog } from '../../base/event-log.ts';
import { PURPOSE_DIRECT, PURPOSE_RUN } from '../model/exchange.ts';
import { Property, type PropertyInfo } from '../property.ts';
import { nameEndpoint } from '../violation.ts';

const NO_TICK = -1;

/** What one PE holds and does. */
class PeLoad {
  /** Locks that it holds: id, rank, ... in the order in which they were taken. */
  readonly held: number[] = [];
  /** SMCs since a timer fired there; NO_TICK outside of one. */
  tickSmcs = NO_TICK;
  timer = 0;
  /** What FFA_RUN named since the round of a teardown began there. */
  readonly runs: number[] = [];
}

export class Progress extends Property {
  readonly info: PropertyInfo = {
    id: 'P12',
    title: 'progress',
    checks:
      'A call ends without a lock and is answered; only locks that may be are held over an SMC; a call and a tick ' +
      'make no more SMCs than the profile promises; a request that is answered leaves no partition preempted.',
    blindTo: 'Deadlocks of other schedules, and whether a wait that ended here could be longer elsewhere.',
  };
  readonly kinds = [
    EVENT_LOCK,
    EVENT_UNLOCK,
    EVENT_SMC,
    EVENT_GUEST_CALL,
    EVENT_GUEST_RETURN,
    EVENT_TEARDOWN_ROUND,
    EVENT_TEARDOWN_WAIT,
    EVENT_TIMER_FIRE,
    EVENT_DOMAIN_CREATE,
    EVENT_DOMAIN_DYING,
  ];
  private readonly loads: PeLoad[] = [];

  override reset(): void {
    this.loads.length = 0;
  }

  private load(pe: number): PeLoad {
    while (this.loads.length <= pe) this.loads.push(new PeLoad());
    return this.loads[pe];
  }

  override event(kind: number, log: EventLog, at: number): void {
    const pe = log.pe(at);
    const load = this.load(pe);
    switch (kind) {
      case EVENT_LOCK:
        load.held.push(log.argument(at, 0), log.argument(at, 1));
        return;
      case EVENT_UNLOCK: {
        const { held } = load;
        for (let n = held.length - 2; n >= 0; n -= 2) {
          if (held[n] === log.argument(at, 0)) {
            held.splice(n, 2);
            return;
          }
        }
        return;
      }
      case EVENT_TEARDOWN_ROUND:
        load.runs.length = 0;
        return;
      case EVENT_TEARDOWN_WAIT:
        this.leftPreempted(load, log.argument(at, 0));
        return;
      case EVENT_SMC:
        this.smc(pe, load);
        return;
      case EVENT_GUEST_CALL:
        load.tickSmcs = NO_TICK;
        return;
      case EVENT_GUEST_RETURN:
        this.exit(pe, load);
        return;
      case EVENT_TIMER_FIRE:
        load.tickSmcs = 0;
        load.timer = log.argument(at, 0);
        return;
      default:
        // Whoever creates or destroys is no tick, whichever PE the event names.
        for (const one of this.loads) one.tickSmcs = NO_TICK;
    }
  }

  private smc(pe: number, load: PeLoad): void {
    const { model, options } = this.bench;
    if (model.door.of(pe).w(0) === FFA_RUN) load.runs.push(model.door.of(pe).w(1));
    const call = model.call(pe);
    const fid = functionName(model.door.of(pe).w(0));
    const allowed = options.lockRanksOverSmc;
    if (allowed !== null) {
      for (let n = 0; n < load.held.length; n += 2) {
        if (allowed.has(load.held[n + 1])) continue;
        const [lock, rank] = [load.held[n], load.held[n + 1]];
        this.report(`a lock of rank ${rank} is held over ${fid}`, { lock, rank, pe });
      }
    }
    if (call.open) {
      if (call.smcCount <= options.smcsPerCallMax) return;
      const { vm, smcCount } = call;
      const limit = options.smcsPerCallMax;
      this.report(`a call of VM ${vm} makes more SMCs than its limit`, { vm, smcs: smcCount, limit });
    } else if (load.tickSmcs !== NO_TICK && ++load.tickSmcs > options.smcsPerTickMax) {
      const facts = { timer: load.timer, smcs: load.tickSmcs, limit: options.smcsPerTickMax };
      this.report(`a firing of timer ${load.timer} makes more SMCs than its limit`, facts);
    }
  }

  private exit(pe: number, load: PeLoad): void {
    this.abandoned(pe);
    if (load.held.length === 0) return;
    const { vm } = this.bench.model.call(pe);
    const [lock, rank] = load.held;
    this.report(`a call of VM ${vm} ends with a lock of rank ${rank} held`, { vm, lock, rank });
  }

  /** A partition that was preempted in a guest's request goes on only if the guest is told to run it. */
  private abandoned(pe: number): void {
    const { model } = this.bench;
    const call = model.call(pe);
    const exchange = model.door.of(pe);
    if (call.smcCount === 0 || this.relaxed('run-unchecked')) return;
    if (exchange.purpose !== PURPOSE_DIRECT && exchange.purpose !== PURPOSE_RUN) return;
    const isStopped = exchange.a(0) === FFA_INTERRUPT || exchange.a(0) === FFA_YIELD;
    if (!isStopped || call.a(0) === FFA_INTERRUPT || call.a(0) === FFA_YIELD) return;
    const facts = { vm: call.vm, sp: exchange.a(1) >>> 16 };
    this.report(`${nameEndpoint(facts.sp)} stands still in a request of VM ${call.vm} that is over`, facts);
  }

  /** A teardown runs on, in each round, what was preempted in a request of its guest. */
  private leftPreempted(load: PeLoad, vm: number): void {
    if (this.relaxed('run-unchecked')) return;
    for (const { caller, purpose, target } of this.bench.model.door.taken) {
      if (caller !== vm || purpose !== PURPOSE_DIRECT || load.runs.includes(target)) continue;
      const sp = target >>> 16;
      this.report(`the teardown of VM ${vm} leaves ${nameEndpoint(sp)} preempted in its request`, { vm, sp });
    }
  }

  override quiet(): void {
    for (const call of this.bench.model.openCalls()) {
      const { vm, pe } = call;
      if (waitsForVm(call.w(0), call.w(1))) continue;
      this.report(`${functionName(call.w(0))} of VM ${vm} was never answered`, { vm, pe, callIndex: call.index });
    }
    for (let pe = 0; pe < this.loads.length; pe++) {
      const { held } = this.loads[pe];
      if (held.length === 0 || this.bench.model.call(pe).open) continue;
      this.report(`a lock of rank ${held[1]} is held though nothing is under way`, {
        lock: held[0],
        rank: held[1],
        pe,
      });
    }
  }
}

/** Whether a guest's call ends when another VM likes: a wait for its request, an answer (a wait again), a request. */
function waitsForVm(fid: number, w1: number): boolean {
  switch (fid) {
    case FFA_MSG_WAIT:
    case FFA_MSG_SEND_DIRECT_RESP_32:
    case FFA_MSG_SEND_DIRECT_RESP_64:
    case FFA_MSG_SEND_DIRECT_RESP2:
      return true;
    case FFA_MSG_SEND_DIRECT_REQ_32:
    case FFA_MSG_SEND_DIRECT_REQ_64:
    case FFA_MSG_SEND_DIRECT_REQ2:
      return !isSecureEndpoint(w1);
    case FFA_RUN:
      return !isSecureEndpoint(w1 >>> 16);
    default:
      return false;
  }
}
