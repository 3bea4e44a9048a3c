// P13 ABI: answers are of a shape that the specification gives them.

import type { Call } from '../../abi/calls/call.ts';
import { callOf, isDocumentedError } from '../../abi/calls/call-table.ts';
import { carriedBits, reservedRegister } from '../../abi/calls/register-call.ts';
import { errorName, FFA_ABORTED, isFfaErrorCode } from '../../abi/errors.ts';
import {
  FFA_ERROR,
  FFA_SUCCESS_32,
  FFA_SUCCESS_64,
  FFA_VERSION,
  functionName,
  isInFfaRange,
} from '../../abi/function-ids.ts';
import { FFA_VERSION_1_3 } from '../../abi/versions.ts';
import { EVENT_GUEST_RETURN, EVENT_REGISTERS_HIGH } from '../../base/event-kinds.ts';
import type { EventLog } from '../../base/event-log.ts';
import { TWO_POW_32 } from '../../base/units.ts';
import { ANSWER_UNKNOWN, lowWord, readAnswer, SMCCC_UNKNOWN_FUNCTION } from '../model/answers.ts';
import type { GuestCall } from '../model/guest-call.ts';
import { Property, type PropertyInfo } from '../property.ts';

const WORDS = 36;

export class Abi extends Property {
  readonly info: PropertyInfo = {
    id: 'P13',
    title: 'ABI',
    checks:
      'Each call of a guest is answered with a function that answers it, an error that is documented for it (or that ' +
      'the SPMC gave), and zero wherever nothing is defined.',
    blindTo: 'Registers x8 to x17, and what a value that is in range should have been.',
  };
  readonly kinds = [EVENT_GUEST_RETURN, EVENT_REGISTERS_HIGH];
  private readonly words = new Uint32Array(WORDS);
  /** Bits that may be set, by request and answer. */
  private readonly carried = new Map<number, Uint32Array>();

  /** Events up to the newest answer to a guest: upper halves, if any, are in the record right after it. */
  private answerCount = 0;

  override reset(): void {
    this.answerCount = 0;
  }

  override event(kind: number, log: EventLog, at: number): void {
    const call = this.bench.model.call(log.pe(at));
    if (kind === EVENT_REGISTERS_HIGH) {
      if (log.count === this.answerCount + 1) this.upperHalves(call, log, at);
      return;
    }
    this.answerCount = log.count;
    const fid = call.w(0);
    const w0 = call.a(0);
    if (!isInFfaRange(fid) || w0 === SMCCC_UNKNOWN_FUNCTION) return;
    const row = callOf(fid);
    const name = functionName(fid);
    const { vm } = call;
    if (w0 === FFA_ERROR && fid !== FFA_VERSION) this.error(call, row, name);
    else if (fid !== FFA_VERSION && (row === undefined || !row.answers.includes(w0)) && !this.relayed(call)) {
      this.report(`${name} is answered by ${functionName(w0)}`, { vm });
    }
    this.reserved(call, row, name);
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

  private error(call: GuestCall, row: Call | undefined, name: string): void {
    const code = call.a(2) | 0;
    const { vm } = call;
    if (!isFfaErrorCode(code)) {
      this.report(`${name} fails with ${code}, which is no FF-A error`, { vm, code });
      return;
    }
    const documented = row === undefined ? code === -1 : isDocumentedError(row, code);
    if (code === FFA_ABORTED && this.unreadable(call)) return;
    if (documented || this.relayed(call) || this.relaxed('undocumented-errors')) return;
    this.report(`${name} fails with ${errorName(code)}, which nobody documents for it`, { vm, code });
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
