// P2 access: who reaches a page is its owner and the borrowers to whom a transaction gives it, as the transaction says.

import { FFA_MEM_RELINQUISH } from '../../abi/function-ids.ts';
import { DATA_ACCESS_MASK, DATA_ACCESS_RO } from '../../abi/layout/memory-bits.ts';
import {
  EVENT_DMA_START,
  EVENT_FRAME_SCRUB,
  EVENT_GUEST_RETURN,
  EVENT_MAP,
  EVENT_SMC_RETURN,
  EVENT_SP_CALL,
  EVENT_SP_RETURN,
} from '../../base/event-kinds.ts';
import type { EventLog } from '../../base/event-log.ts';
import { OWNER_FREE } from '../../hardware/frames.ts';
import { STAGE2_EXECUTE, STAGE2_INVALID, STAGE2_READ, STAGE2_WRITE } from '../../hardware/stage2.ts';
import { lowWord } from '../model/answers.ts';
import { PURPOSE_SEND } from '../model/exchange.ts';
import type { Space } from '../model/spaces.ts';
import { KIND_NAMES, KIND_SHARE, STATE_LIVE, type Transaction } from '../model/transaction.ts';
import { Property, type PropertyInfo } from '../property.ts';
import { nameEndpoint } from '../violation.ts';

const SPMC = 0x8000;

export class Access extends Property {
  readonly info: PropertyInfo = {
    id: 'P2',
    title: 'access',
    checks:
      'A partition maps a page of a guest only while a transaction gives it that page, writable only if it is given ' +
      'so, and never executable; nobody gives a page that it does not own, has lent, names twice or has as buffer; ' +
      'who lent a page does not reach it itself, and who may only read a page does not have it zeroed.',
    blindTo: 'Endpoints whose stage 2 nobody watches, and memory that partitions give each other.',
  };
  readonly kinds = [
    EVENT_MAP,
    EVENT_SMC_RETURN,
    EVENT_GUEST_RETURN,
    EVENT_DMA_START,
    EVENT_FRAME_SCRUB,
    EVENT_SP_CALL,
    EVENT_SP_RETURN,
  ];
  /** The partition that relinquishes on each PE now; 0: none. */
  private readonly relinquishing: number[] = [];
  /** Lent or donated transactions that came to life during the call of each PE. */
  private readonly lent: Transaction[][] = [];

  override reset(): void {
    this.lent.length = 0;
    this.relinquishing.length = 0;
  }

  override event(kind: number, log: EventLog, at: number): void {
    switch (kind) {
      case EVENT_MAP: {
        const space = this.bench.model.spaces.find(log.argument(at, 0));
        if (space?.secure === true) this.mapped(space, log, at);
        return;
      }
      case EVENT_SMC_RETURN: {
        const exchange = this.bench.model.door.of(log.pe(at));
        if (exchange.answers !== PURPOSE_SEND || exchange.transaction?.state !== STATE_LIVE) return;
        this.given(exchange.transaction);
        if (exchange.transaction.kind !== KIND_SHARE) this.lentBy(exchange.pe).push(exchange.transaction);
        return;
      }
      case EVENT_GUEST_RETURN: {
        const list = this.lent[log.pe(at)];
        if (list === undefined || list.length === 0) return;
        for (const transaction of list) if (transaction.state === STATE_LIVE) this.lender(transaction);
        list.length = 0;
        return;
      }
      case EVENT_SP_CALL:
        this.relinquishing[log.pe(at)] = lowWord(log.argument(at, 1)) === FFA_MEM_RELINQUISH ? log.argument(at, 0) : 0;
        return;
      case EVENT_SP_RETURN:
        this.relinquishing[log.pe(at)] = 0;
        return;
      case EVENT_FRAME_SCRUB:
        this.zeroed(log.pe(at), log.argument(at, 0), log.argument(at, 1));
        return;
      default:
        this.transfer(log.argument(at, 0), log.argument(at, 1), log.argument(at, 2));
    }
  }

  override quiet(): void {
    for (const transaction of this.bench.model.transactions.all) {
      if (transaction.state === STATE_LIVE && transaction.kind !== KIND_SHARE) this.lender(transaction);
    }
  }

  private lentBy(pe: number): Transaction[] {
    while (this.lent.length <= pe) this.lent.push([]);
    return this.lent[pe];
  }

  private mapped(space: Space, log: EventLog, at: number): void {
    const first = log.argument(at, 2);
    const count = log.argument(at, 3);
    const attributes = log.argument(at, 4);
    if ((attributes & STAGE2_INVALID) !== 0 || (attributes & (STAGE2_READ | STAGE2_WRITE)) === 0) return;
    const { frames } = this.bench.machine;
    const writable = (attributes & STAGE2_WRITE) !== 0;
    const executable = (attributes & STAGE2_EXECUTE) !== 0;
    let run = 0;
    let runFrame = -1;
    let strange = 0;
    let strangeFrame = -1;
    let excess = 0;
    let excessFrame = -1;
    for (let frame = first; frame < first + count; frame++) {
      if (!frames.has(frame)) continue;
      const owner = frames.owner(frame);
      if (owner < OWNER_FREE) continue;
      const grant = this.grant(frame, space.endpoint);
      if (grant === NOT_GIVEN && strange++ === 0) strangeFrame = frame;
      if (grant === GIVEN_READ_ONLY && writable && excess++ === 0) excessFrame = frame;
      if (executable && run++ === 0) runFrame = frame;
    }
    if (strange + excess + run === 0) return;
    const who = nameEndpoint(space.endpoint);
    if (strange > 0) this.report(`${who} maps a page that no transaction gives it`, this.facts(strangeFrame, strange));
    if (excess > 0) this.report(`${who} maps writable what it is given read-only`, this.facts(excessFrame, excess));
    if (run > 0) this.report(`${who} maps executable what is not secure memory`, this.facts(runFrame, run));
  }

  private facts(frame: number, pages: number): { frame: number; pages: number; owner: number } {
    return { frame, pages, owner: this.bench.machine.frames.owner(frame) };
  }

  /** What transactions (or, for the SPMC, buffers) give this endpoint of the frame. */
  private grant(frame: number, endpoint: number): number {
    const { transactions, buffers } = this.bench.model;
    if (endpoint === SPMC && buffers.vmOf(frame) >= 0) return GIVEN;
    let grant = NOT_GIVEN;
    const count = transactions.namedBy(frame);
    for (let n = 0; n < count; n++) {
      const permissions = transactions.at(frame, n).permissionsOf(endpoint);
      if (permissions < 0) continue;
      if ((permissions & DATA_ACCESS_MASK) !== DATA_ACCESS_RO) return GIVEN;
      grant = GIVEN_READ_ONLY;
    }
    return grant;
  }

  /** A transaction has come to life: is the page its sender's to give? */
  private given(transaction: Transaction): void {
    const { frames } = this.bench.machine;
    const { ranges, sender, serial } = transaction;
    if (ranges.length > 2 && this.namedTwice(transaction)) return;
    for (let n = 0; n < ranges.length; n += 2) {
      const end = ranges[n] + ranges[n + 1];
      for (let frame = ranges[n]; frame < end; frame++) {
        if (this.bench.model.buffers.vmOf(frame) === sender) {
          const facts = { frame, vm: sender, handle: transaction.handle };
          this.report(`${nameEndpoint(sender)} gave a page that is its buffer at the SPMC`, facts);
          return;
        }
        if (serial > 0 && frames.has(frame) && frames.owner(frame) !== serial) {
          const facts = { frame, owner: frames.owner(frame), vm: sender, handle: transaction.handle };
          this.report(`${nameEndpoint(sender)} gave a page that it does not own`, facts);
          return;
        }
        if (transaction.overlaps && this.givenTwice(transaction, frame)) return;
      }
    }
  }

  private namedTwice(transaction: Transaction): boolean {
    const { ranges, sender: vm, handle } = transaction;
    const firsts: number[] = [];
    for (let n = 0; n < ranges.length; n += 2) firsts.push(n);
    firsts.sort((a, b) => ranges[a] - ranges[b]);
    for (let n = 1; n < firsts.length; n++) {
      const before = firsts[n - 1];
      const frame = ranges[firsts[n]];
      if (ranges[before] + ranges[before + 1] <= frame) continue;
      this.report(`${nameEndpoint(vm)} gave a page twice in one transaction`, { frame, vm, handle });
      return true;
    }
    return false;
  }

  /** Zeroing is a write: a borrower that may only read has no part in it. */
  private zeroed(pe: number, first: number, count: number): void {
    const sp = this.relinquishing[pe] ?? 0;
    if (sp === 0) return;
    const { frames } = this.bench.machine;
    for (let frame = first; frame < first + count; frame++) {
      if (!frames.has(frame) || frames.owner(frame) <= OWNER_FREE || this.grant(frame, sp) !== GIVEN_READ_ONLY)
        continue;
      this.report(`${nameEndpoint(sp)} has a page zeroed that it may only read`, this.facts(frame, 1));
      return;
    }
  }

  private givenTwice(transaction: Transaction, frame: number): boolean {
    const { transactions } = this.bench.model;
    const count = transactions.namedBy(frame);
    for (let n = 0; n < count; n++) {
      const other = transactions.at(frame, n);
      // One whose reclaim had an unclear answer may have ended.
      if (other === transaction || other.state !== STATE_LIVE || other.doubtful) continue;
      if (other.kind === KIND_SHARE && transaction.kind === KIND_SHARE) continue;
      const { sender: vm, handle } = transaction;
      const how = KIND_NAMES[Math.max(other.kind, transaction.kind)];
      const facts = { frame, vm, handle, other: other.handle };
      this.report(`${nameEndpoint(vm)} gave a page twice, once by ${how}`, facts);
      return true;
    }
    return false;
  }

  private lender(transaction: Transaction): void {
    const space = this.bench.model.spaces.find(transaction.sender);
    if (space === null) return;
    const { ranges, sender } = transaction;
    let pages = 0;
    let first = -1;
    for (let n = 0; n < ranges.length; n += 2) {
      space.overlap(ranges[n], ranges[n + 1], (frame) => {
        if (pages++ === 0) first = frame;
      });
    }
    if (pages === 0) return;
    const what = `${nameEndpoint(sender)} still reaches a page of its ${KIND_NAMES[transaction.kind]}`;
    this.report(what, { frame: first, pages, vm: sender, handle: transaction.handle });
  }

  private transfer(sp: number, first: number, count: number): void {
    const { frames } = this.bench.machine;
    for (let frame = first; frame < first + count; frame++) {
      if (!frames.has(frame) || frames.owner(frame) < OWNER_FREE || this.grant(frame, sp) !== NOT_GIVEN) continue;
      this.report(`${nameEndpoint(sp)} starts DMA on a page that no transaction gives it`, this.facts(frame, 1));
      return;
    }
  }
}

const NOT_GIVEN = 0;
const GIVEN_READ_ONLY = 1;
const GIVEN = 2;
