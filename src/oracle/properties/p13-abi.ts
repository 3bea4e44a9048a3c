// P13 ABI: answers are of a shape that the specification gives them, and documented: by the table of call, side and
// version (abi/documented).

import type { Call } from '../../abi/calls/call.ts';
import { callOf } from '../../abi/calls/call-table.ts';
import { carriedBits, reservedRegister } from '../../abi/calls/register-call.ts';
import { isDocumented } from '../../abi/documented/documented-table.ts';
import { errorName, FFA_ABORTED, isFfaErrorCode } from '../../abi/errors.ts';
import {
  FFA_ERROR,
  FFA_SUCCESS_32,
  FFA_SUCCESS_64,
  FFA_VERSION,
  functionName,
  isFfaFunctionId,
  isInFfaRange,
  isSmc64,
} from '../../abi/function-ids.ts';
import { FFA_VERSION_1_3 } from '../../abi/versions.ts';
import { EVENT_GUEST_RETURN, EVENT_REGISTERS_HIGH } from '../../base/event-kinds.ts';
import type { EventLog } from '../../base/event-log.ts';
import { TWO_POW_32 } from '../../base/units.ts';
import { ANSWER_UNKNOWN, lowWord, readAnswer, SMCCC_UNKNOWN_FUNCTION } from '../model/answers.ts';
import { EXCHANGE_KINDS, type Exchange, Exchanges } from '../model/exchanges.ts';
import type { GuestCall } from '../model/guest-call.ts';
import { type Bench, Property, type PropertyInfo } from '../property.ts';

const WORDS = 36;

const NUMBER_MASK = 0xff;
/** FFA_MSG_SEND_DIRECT_RESP2. */
const LAST_NUMBER_OF_1_2 = 0x8e;

export class Abi extends Property {
  readonly info: PropertyInfo = {
    id: 'P13',
    title: 'ABI',
    checks:
      'Each call of a guest is answered with a function that answers it, an error that is documented for it (or that ' +
      'the SPMC gave), and zero wherever nothing is defined; so is, where the SPMC is judged, each call of the ' +
      'hypervisor and of a partition, where an error may also be what the partition that was asked says itself.',
    blindTo:
      'Registers x8 to x17, upper halves that do not fit a double at the doors of the SPMC, and what a value that is ' +
      'in range should have been.',
  };
  readonly kinds: readonly number[];
  private readonly words = new Uint32Array(WORDS);
  /** Bits that may be set, by request and answer. */
  private readonly carried = new Map<number, Uint32Array>();

  /** Events up to the newest answer to a guest: upper halves, if any, are in the record right after it. */
  private answerCount = 0;

  /** Calls at the doors of the SPMC. */
  private readonly exchanges = new Exchanges((exchange) => this.judgeSpmc(exchange));
  /** What FFA_VERSION agreed on there, by endpoint. */
  private readonly versions = new Map<number, number>();
  private readonly exchangeKinds: ReadonlySet<number>;

  constructor(bench: Bench) {
    super(bench);
    const judged = bench.options.spmcJudged ? EXCHANGE_KINDS : [];
    this.exchangeKinds = new Set(judged);
    this.kinds = [...new Set([EVENT_GUEST_RETURN, EVENT_REGISTERS_HIGH, ...judged])];
  }

  override reset(): void {
    this.answerCount = 0;
    this.exchanges.reset();
    this.versions.clear();
  }

  override event(kind: number, log: EventLog, at: number): void {
    if (this.exchangeKinds.has(kind)) this.exchanges.event(log, at);
    if (kind === EVENT_GUEST_RETURN || kind === EVENT_REGISTERS_HIGH) this.guestEvent(kind, log, at);
  }

  private guestEvent(kind: number, log: EventLog, at: number): void {
    const call = this.bench.model.call(log.pe(at));
    if (kind === EVENT_REGISTERS_HIGH) {
      if (log.count === this.answerCount + 1) this.upperHalves(call, log, at);
      return;
    }
    this.answerCount = log.count;
    const fid = call.w(0);
    const w0 = call.a(0);
    if (!isInFfaRange(fid)) return;
    if (w0 === SMCCC_UNKNOWN_FUNCTION) {
      this.unknown(call, fid);
      return;
    }
    const row = callOf(fid);
    const name = functionName(fid);
    const { vm } = call;
    if (w0 === FFA_ERROR && fid !== FFA_VERSION) this.error(call, name);
    else if (fid !== FFA_VERSION && (row === undefined || !row.answers.includes(w0)) && !this.relayed(call)) {
      this.report(`${name} is answered by ${functionName(w0)}`, { vm });
    }
    this.reserved(call, row, name);
  }

  /**
   * To who has agreed on a version a function of FF-A is at worst not supported. (A 32-bit guest has no 64-bit calls;
   * what 1.3 adds may be as unknown as what nobody has named.)
   */
  private unknown(call: GuestCall, fid: number): void {
    const { vm } = call;
    if (
      !isFfaFunctionId(fid) ||
      (fid & NUMBER_MASK) > LAST_NUMBER_OF_1_2 ||
      isSmc64(fid) ||
      this.relaxed('undocumented-errors') ||
      this.bench.model.guests.find(vm)?.settled !== true
    )
      return;
    this.report(`${functionName(fid)} is answered as no function of FF-A`, { vm });
  }

  /** Whether the answer is what the SPMC answered in this call. */
  private relayed(call: GuestCall): boolean {
    if (call.smcCount === 0) return false;
    const exchange = this.bench.model.door.of(call.pe);
    return exchange.a(0) === call.a(0) && exchange.a(2) === call.a(2);
  }

  /** Whether the SPMC's newest answer in this call was none that the specification knows: FFA_ABORTED stands for it. */
  private unreadable(call: GuestCall): boolean {
    if (call.smcCount === 0) return false;
    const exchange = this.bench.model.door.of(call.pe);
    const w0 = exchange.a(0);
    return w0 === SMCCC_UNKNOWN_FUNCTION || readAnswer(w0, exchange.a(2)) === ANSWER_UNKNOWN;
  }

  private error(call: GuestCall, name: string): void {
    const code = call.a(2) | 0;
    const { vm } = call;
    if (!isFfaErrorCode(code)) {
      this.report(`${name} fails with ${code}, which is no FF-A error`, { vm, code });
      return;
    }
    const version = this.bench.model.guests.find(vm)?.version ?? 0;
    const documented = isDocumented(call.w(0), 'guest', version, code);
    if (code === FFA_ABORTED && this.unreadable(call)) return;
    if (documented || this.relayed(call) || this.relaxed('undocumented-errors')) return;
    this.report(`${name} fails with ${errorName(code)}, which nobody documents for it`, { vm, code });
  }

  /** What the SPMC answered the hypervisor or a partition; faults of the world are nobody's answers. */
  private judgeSpmc(exchange: Exchange): void {
    const { side, endpoint } = exchange;
    const fid = exchange.w(0);
    if (side === 'guest' || exchange.faulted || !isInFfaRange(fid)) return;
    const who = side === 'partition' ? endpoint : 0;
    const version = this.versions.get(who) ?? 0;
    const w0 = exchange.a(0);
    const isError = w0 === FFA_ERROR || (fid === FFA_VERSION && w0 >>> 31 !== 0);
    if (fid === FFA_VERSION && !isError) this.versions.set(who, Math.min(w0, exchange.w(1)));
    const code = fid === FFA_VERSION ? w0 | 0 : exchange.a(2) | 0;
    const given = isError ? code : fid === FFA_VERSION ? FFA_VERSION : w0;
    const facts = { endpoint: who, answer: given };
    const name = functionName(fid);
    const passedOn = exchange.partitionError && isFfaErrorCode(code);
    if (!passedOn && !isDocumented(fid, side, fid === FFA_VERSION ? 0 : version, given)) {
      const said = isError ? errorName(code) : functionName(w0);
      this.report(`the SPMC answers ${name} of the ${side} with ${said}, which nobody documents for it`, facts);
    }
    const row = callOf(fid);
    if (row === undefined) return;
    for (let n = 1; n < 8; n++) {
      this.words[2 * n] = lowWord(exchange.answer[n]);
      this.words[2 * n + 1] = Math.floor(exchange.answer[n] / TWO_POW_32);
    }
    const register = reservedRegister(this.words, this.carriedBy(row, w0), true);
    if (register < 0) return;
    this.report(`the SPMC's answer to ${name} of the ${side} has reserved bits set in x${register}`, {
      ...facts,
      register,
    });
  }

  private reserved(call: GuestCall, row: Call | undefined, name: string): void {
    for (let n = 1; n < 8; n++) {
      this.words[2 * n] = lowWord(call.answer[n]);
      this.words[2 * n + 1] = Math.floor(call.answer[n] / TWO_POW_32);
    }
    this.judgeWords(call, row, name);
  }

  /** The answer's record had only lower halves; here are the upper ones. */
  private upperHalves(call: GuestCall, log: EventLog, at: number): void {
    const fid = call.w(0);
    if (!isInFfaRange(fid) || call.a(0) === SMCCC_UNKNOWN_FUNCTION) return;
    for (let n = 1; n < 8; n++) {
      this.words[2 * n] = lowWord(call.answer[n]);
      this.words[2 * n + 1] = log.argument(at, n + 1);
    }
    this.judgeWords(call, callOf(fid), functionName(fid));
  }

  private judgeWords(call: GuestCall, row: Call | undefined, name: string): void {
    if (row === undefined || this.relaxed('reserved-not-zero')) return;
    const register = reservedRegister(this.words, this.carriedBy(row, call.a(0)), true);
    if (register < 0) return;
    const { vm } = call;
    const found = this.words[2 * register] + this.words[2 * register + 1] * TWO_POW_32;
    this.report(`the answer to ${name} has reserved bits set in x${register}`, { vm, register, found });
  }

  private carriedBy(row: Call, w0: number): Uint32Array {
    const key = ((row.fid & 0xff) + (row.isSmc64 ? 0x100 : 0)) * TWO_POW_32 + (row.fid === FFA_VERSION ? 0 : w0);
    const known = this.carried.get(key);
    if (known !== undefined) return known;
    const isSuccess = row.fid === FFA_VERSION || w0 === FFA_SUCCESS_32 || w0 === FFA_SUCCESS_64;
    const list = isSuccess ? row.results : (callOf(w0)?.arguments ?? []);
    const carried = carriedBits(list, FFA_VERSION_1_3);
    this.carried.set(key, carried);
    return carried;
  }
}
