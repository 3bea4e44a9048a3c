// What passes between the hypervisor and the SPMC, made sense of: which SMC began, refused or ended which memory
// transaction, told which partition of which VM, mapped whose buffers.

import { FFA_INVALID_PARAMETERS, FFA_NO_MEMORY } from '../../abi/errors.ts';
import {
  FFA_MEM_DONATE_32,
  FFA_MEM_DONATE_64,
  FFA_MEM_FRAG_RX,
  FFA_MEM_FRAG_TX,
  FFA_MEM_LEND_32,
  FFA_MEM_LEND_64,
  FFA_MEM_RECLAIM,
  FFA_MEM_SHARE_32,
  FFA_MEM_SHARE_64,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_REQ_64,
  FFA_MSG_SEND_DIRECT_REQ2,
  FFA_NOTIFICATION_BITMAP_CREATE,
  FFA_NOTIFICATION_BITMAP_DESTROY,
  FFA_PARTITION_INFO_GET,
  FFA_PARTITION_INFO_GET_REGS,
  FFA_RUN,
  FFA_RXTX_MAP_32,
  FFA_RXTX_MAP_64,
  FFA_RXTX_UNMAP,
  FFA_VERSION,
  FFA_YIELD,
} from '../../abi/function-ids.ts';
import {
  RXTX_DESCRIPTOR_RX_OFFSET,
  RXTX_DESCRIPTOR_SIZE_BYTES,
  RXTX_DESCRIPTOR_TX_OFFSET,
} from '../../abi/layout/buffers.ts';
import { VM_CREATED_REQ_W2, VM_DESTROYED_REQ_W2 } from '../../abi/layout/messages.ts';
import {
  PARTITION_INFO_1_0_SIZE_BYTES,
  PARTITION_INFO_GET_FLAG_COUNT_ONLY,
  PARTITION_INFO_PROPERTIES_OFFSET,
  PARTITION_VM_CREATED,
  PARTITION_VM_DESTROYED,
} from '../../abi/layout/partition-information.ts';
import { FFA_VERSION_1_1 } from '../../abi/versions.ts';
import type { EventLog } from '../../base/event-log.ts';
import { PAGE_SIZE_BYTES } from '../../base/units.ts';
import type { Machine } from '../../hardware/machine.ts';
import { ANSWER_REFUSED, ANSWER_SUCCESS, ANSWER_TAKEN, isTransient, readAnswer, refusalCode } from './answers.ts';
import { type Availability, MESSAGE_CREATED, MESSAGE_DESTROYED, type Message } from './availability.ts';
import type { Buffers } from './buffers.ts';
import { DescriptorReader, FRAGMENT_BYTES_MAX } from './descriptor.ts';
import type { Domains } from './domains.ts';
import {
  Exchange,
  PURPOSE_AVAILABILITY,
  PURPOSE_BUFFERS,
  PURPOSE_DIRECT,
  PURPOSE_OTHER,
  PURPOSE_RECLAIM,
  PURPOSE_RUN,
  PURPOSE_SEND,
  type Taken,
} from './exchange.ts';
import { ListedPartitions } from './listed-partitions.ts';
import {
  KIND_DONATE,
  KIND_LEND,
  KIND_SHARE,
  STATE_ENDED,
  STATE_LIVE,
  STATE_REFUSED,
  STATE_SENDING,
  STATE_UNKNOWN,
  Transaction,
  type TransactionKind,
} from './transaction.ts';
import type { TransactionTable } from './transaction-table.ts';

const NOT_MAPPED = -1;

export class SecureDoor {
  /** The hypervisor's own TX and RX pages, as it told the SPMC. */
  txAddress = NOT_MAPPED;
  rxAddress = NOT_MAPPED;
  /** FF-A version in force between hypervisor and SPMC. */
  version = FFA_VERSION_1_1;
  /** What the secure world took and has not answered. */
  readonly taken: Taken[] = [];
  /** VMs for which a notification bitmap was created and not destroyed. */
  readonly bitmaps = new Set<number>();
  readonly reader = new DescriptorReader();
  private readonly machine: Machine;
  private readonly transactions: TransactionTable;
  private readonly availability: Availability;
  private readonly buffers: Buffers;
  private readonly domains: Domains;
  private readonly exchanges: Exchange[] = [];
  private readonly listed: ListedPartitions;

  constructor(
    machine: Machine,
    transactions: TransactionTable,
    availability: Availability,
    buffers: Buffers,
    domains: Domains,
  ) {
    this.machine = machine;
    this.transactions = transactions;
    this.availability = availability;
    this.buffers = buffers;
    this.domains = domains;
    this.listed = new ListedPartitions(availability);
  }

  reset(): void {
    this.txAddress = NOT_MAPPED;
    this.rxAddress = NOT_MAPPED;
    this.version = FFA_VERSION_1_1;
    this.taken.length = 0;
    this.bitmaps.clear();
    this.exchanges.length = 0;
    this.listed.reset();
  }

  /** The exchange that a PE has open, or had last. */
  of(pe: number): Exchange {
    while (this.exchanges.length <= pe) this.exchanges.push(new Exchange(this.exchanges.length));
    return this.exchanges[pe];
  }

  /** EVENT_SMC at record `at`. */
  request(log: EventLog, at: number): Exchange {
    const x = this.of(log.pe(at));
    x.open = true;
    x.index = log.count - 1;
    x.caller = log.argument(at, 0);
    for (let n = 0; n < 8; n++) x.request[n] = log.argument(at, n + 1);
    x.purpose = PURPOSE_OTHER;
    x.answers = PURPOSE_OTHER;
    x.answeredFid = x.w(0);
    x.transaction = null;
    x.buriedSender = -1;
    x.pair = null;
    x.anomaly = null;
    x.servedVm = -1;
    x.subject = -1;
    this.readRequest(x);
    x.answers = x.purpose;
    return x;
  }

  /** EVENT_SMC_RETURN at record `at`. */
  answer(log: EventLog, at: number): Exchange {
    const x = this.of(log.pe(at));
    x.open = false;
    for (let n = 0; n < 8; n++) x.answer[n] = log.argument(at, n + 1);
    this.readReturn(x);
    return x;
  }

  /** EVENT_REGISTERS_HIGH and _REST, which belong to the record before them. */
  moreRegisters(log: EventLog, at: number, high: boolean): void {
    this.listed.more(log, at, high);
  }

  private readRequest(x: Exchange): void {
    switch (x.w(0)) {
      case FFA_MEM_SHARE_32:
      case FFA_MEM_SHARE_64:
        this.send(x, KIND_SHARE);
        return;
      case FFA_MEM_LEND_32:
      case FFA_MEM_LEND_64:
        this.send(x, KIND_LEND);
        return;
      case FFA_MEM_DONATE_32:
      case FFA_MEM_DONATE_64:
        this.send(x, KIND_DONATE);
        return;
      case FFA_MEM_FRAG_TX:
        this.sendFragment(x);
        return;
      case FFA_MEM_RECLAIM:
        this.reclaim(x);
        return;
      case FFA_MSG_SEND_DIRECT_REQ_32:
        if (!this.tell(x)) x.purpose = PURPOSE_DIRECT;
        return;
      case FFA_MSG_SEND_DIRECT_REQ_64:
      case FFA_MSG_SEND_DIRECT_REQ2:
        x.purpose = PURPOSE_DIRECT;
        return;
      case FFA_RUN: {
        x.purpose = PURPOSE_RUN;
        const taken = this.takenAt(x);
        if (taken === null) return;
        x.servedVm = taken.caller;
        x.transaction = taken.transaction;
        x.pair = taken.pair;
        x.subject = taken.subject;
        return;
      }
      case FFA_RXTX_MAP_32:
      case FFA_RXTX_MAP_64:
        x.purpose = PURPOSE_BUFFERS;
        if (x.request[1] === 0 && x.request[2] === 0) this.mapBuffers(x);
        return;
      case FFA_RXTX_UNMAP:
        x.purpose = PURPOSE_BUFFERS;
        x.subject = x.w(1) >>> 16;
        return;
      default:
        return;
    }
  }

  private send(x: Exchange, kind: TransactionKind): void {
    const address = x.request[3] === 0 ? this.txAddress : x.request[3];
    if (address < 0) return;
    x.purpose = PURPOSE_SEND;
    const transaction = new Transaction(kind, x.index);
    transaction.totalBytes = x.w(1);
    transaction.sentBytes = x.w(2);
    x.transaction = transaction;
    const memory = this.machine.frames.contents;
    if (!this.reader.readTransaction(memory, address, x.w(2), this.version, transaction)) {
      transaction.sender = x.caller;
    }
    transaction.serial = this.domains.byVm.get(transaction.sender)?.serial ?? 0;
    this.transactions.add(transaction);
  }

  private sendFragment(x: Exchange): void {
    const transaction = this.transactions.find(x.w(1), x.w(2));
    if (transaction === null || transaction.state !== STATE_SENDING || this.txAddress < 0) return;
    x.purpose = PURPOSE_SEND;
    x.transaction = transaction;
    const ranges = transaction.ranges.length;
    const pages = transaction.pageCount;
    const last = ranges > 0 ? transaction.ranges[ranges - 1] : 0;
    Object.assign(transaction.before, { ranges, lastCount: last, pages, bytes: transaction.sentBytes });
    this.reader.readFragment(this.machine.frames.contents, this.txAddress, x.w(3), transaction);
    transaction.sentBytes += x.w(3);
    this.transactions.grow(transaction, ranges, last, pages);
  }

  private reclaim(x: Exchange): void {
    x.purpose = PURPOSE_RECLAIM;
    x.transaction = this.transactions.find(x.w(1), x.w(2));
    if (x.transaction === null) x.buriedSender = this.transactions.buried(x.w(1), x.w(2));
    else {
      x.transaction.reclaiming++;
      x.transaction.reclaimCount++;
    }
  }

  /** A VM availability message of the hypervisor's own? */
  private tell(x: Exchange): boolean {
    let message: Message;
    if (x.w(2) === VM_CREATED_REQ_W2) message = MESSAGE_CREATED;
    else if (x.w(2) === VM_DESTROYED_REQ_W2) message = MESSAGE_DESTROYED;
    else return false;
    if (x.caller !== 0 || x.w(1) >>> 16 !== 0) return false;
    x.purpose = PURPOSE_AVAILABILITY;
    this.availability.sent(x, message, x.w(1) & 0xffff, x.w(5) & 0xffff);
    return true;
  }

  private mapBuffers(x: Exchange): void {
    if (this.txAddress < 0) return;
    const memory = this.machine.frames.contents;
    const reader = this.reader;
    reader.load(memory, this.txAddress, RXTX_DESCRIPTOR_SIZE_BYTES);
    const vm = reader.u16(0);
    if (this.buffers.atSpmc.has(vm)) return;
    const rx = reader.u32(RXTX_DESCRIPTOR_RX_OFFSET);
    const tx = reader.u32(RXTX_DESCRIPTOR_TX_OFFSET);
    if (rx >= PAGE_SIZE_BYTES || tx >= PAGE_SIZE_BYTES) return;
    const ranges: number[] = [];
    reader.readComposite(memory, this.txAddress + rx, ranges);
    reader.readComposite(memory, this.txAddress + tx, ranges);
    this.buffers.mapped(vm, ranges);
    x.subject = vm;
  }

  private readReturn(x: Exchange): void {
    const answer = readAnswer(x.a(0), x.a(2));
    if (x.purpose === PURPOSE_RUN) {
      const taken = this.takenAt(x);
      if (taken === null) return;
      x.answers = taken.purpose;
      x.answeredFid = taken.fid;
      if (answer === ANSWER_TAKEN) {
        if (taken.pair !== null) this.availability.answered(x, taken.pair);
        const yielded = x.a(0) === FFA_YIELD && x.a(1) === 0;
        if (yielded || x.a(1) === taken.target) return;
        this.taken.splice(this.taken.indexOf(taken), 1);
        this.take({ ...taken, target: x.a(1), pe: x.pe, moved: true });
        return;
      }
      if (answer === ANSWER_REFUSED && this.isOfTheRun(x, taken)) return;
      this.taken.splice(this.taken.indexOf(taken), 1);
      this.conclude(x);
      return;
    }
    if (answer === ANSWER_TAKEN && x.purpose === PURPOSE_SEND && this.transactions.credulous) {
      if (x.transaction !== null) this.transactions.end(x.transaction, STATE_REFUSED);
      return;
    }
    if (answer === ANSWER_TAKEN && x.purpose !== PURPOSE_OTHER) {
      const { purpose, caller, transaction, pair, subject } = x;
      this.take({ target: x.a(1), pe: x.pe, purpose, fid: x.w(0), caller, transaction, pair, subject, moved: false });
      if (pair !== null) this.availability.answered(x, pair);
      return;
    }
    this.conclude(x);
  }

  /**
   * Whether an error is, or may be, that of FFA_RUN and not of what was taken: a vCPU that is busy; any other than
   * NO_MEMORY once FFA_RUN has led on to another vCPU; and of an undoing, that there is nothing to undo.
   */
  private isOfTheRun(x: Exchange, taken: Taken): boolean {
    if (taken.purpose === PURPOSE_DIRECT) return true;
    const code = refusalCode(x.a(0), x.a(2));
    if (code === FFA_NO_MEMORY) return false;
    if (isTransient(code) || taken.moved) return true;
    return code === FFA_INVALID_PARAMETERS && taken.fid === FFA_RXTX_UNMAP;
  }

  /**
   * The call that the vCPU which FFA_RUN names has taken. A vCPU takes one at a time; where the secure world claims
   * more, one of the same caller, best from the same PE, is meant.
   */
  private takenAt(x: Exchange): Taken | null {
    let best: Taken | null = null;
    let bestFit = -1;
    for (const taken of this.taken) {
      if (taken.target !== x.w(1)) continue;
      const fit = (taken.caller === x.caller ? 2 : 0) + (taken.pe === x.pe ? 1 : 0);
      if (fit < bestFit) continue;
      best = taken;
      bestFit = fit;
    }
    return best;
  }

  /** What the same PE said before of the same vCPU for the same caller is over. */
  private take(taken: Taken): void {
    for (let n = 0; n < this.taken.length; n++) {
      const { target, caller, pe } = this.taken[n];
      if (target !== taken.target || caller !== taken.caller || pe !== taken.pe) continue;
      this.taken[n] = taken;
      return;
    }
    this.taken.push(taken);
  }

  /** The answer in `x` is the end of what `x.answers` says. */
  private conclude(x: Exchange): void {
    switch (x.answers) {
      case PURPOSE_SEND:
        if (x.transaction !== null) this.sent(x, x.transaction);
        return;
      case PURPOSE_RECLAIM:
        if (x.transaction !== null) this.reclaimed(x, x.transaction);
        return;
      case PURPOSE_AVAILABILITY:
        if (x.pair !== null) this.availability.answered(x, x.pair);
        return;
      case PURPOSE_BUFFERS:
        this.buffersAnswered(x);
        return;
      case PURPOSE_OTHER:
        this.otherAnswered(x);
        return;
      default:
        return;
    }
  }

  private sent(x: Exchange, transaction: Transaction): void {
    if (transaction.state !== STATE_SENDING) return;
    const w0 = x.a(0);
    const complete = transaction.sentBytes >= transaction.totalBytes;
    if (w0 === FFA_MEM_FRAG_RX && !complete && x.a(3) === transaction.sentBytes) {
      if (this.transactions.issue(transaction, x.a(1), x.a(2))) return;
    }
    const answer = readAnswer(w0, x.a(2));
    if (answer === ANSWER_REFUSED && x.answeredFid === FFA_MEM_FRAG_TX && isTransient(refusalCode(w0, x.a(2)))) {
      // Refused for now: what went before is still there.
      if (!this.transactions.credulous) {
        this.transactions.shrink(transaction);
        return;
      }
    }
    if (answer === ANSWER_REFUSED) {
      this.transactions.end(transaction, STATE_REFUSED);
      return;
    }
    if (answer === ANSWER_SUCCESS && complete && this.transactions.issue(transaction, x.a(2), x.a(3))) {
      transaction.state = STATE_LIVE;
      return;
    }
    if (this.transactions.credulous) this.transactions.end(transaction, STATE_REFUSED);
    else transaction.state = STATE_UNKNOWN;
  }

  private reclaimed(x: Exchange, transaction: Transaction): void {
    transaction.reclaiming--;
    const answer = readAnswer(x.a(0), x.a(2));
    if (answer === ANSWER_SUCCESS) {
      this.transactions.end(transaction, STATE_ENDED);
    } else if (answer === ANSWER_REFUSED) {
      transaction.reclaimCode = refusalCode(x.a(0), x.a(2));
      if (!saysStillHeld(transaction.reclaimCode)) transaction.doubtful = true;
    } else {
      transaction.reclaimCode = 1;
      transaction.doubtful = true;
    }
  }

  private buffersAnswered(x: Exchange): void {
    const answer = readAnswer(x.a(0), x.a(2));
    if (x.answeredFid === FFA_RXTX_UNMAP) {
      const gone = answer === ANSWER_SUCCESS || refusalCode(x.a(0), x.a(2)) === FFA_INVALID_PARAMETERS;
      if (gone && x.subject >= 0) this.buffers.unmapped(x.subject);
      return;
    }
    if (x.purpose === PURPOSE_BUFFERS && x.request[1] !== 0) {
      if (answer !== ANSWER_SUCCESS) return;
      this.txAddress = x.request[1];
      this.rxAddress = x.request[2];
      return;
    }
    if (answer === ANSWER_REFUSED && x.subject >= 0) this.buffers.unmapped(x.subject);
  }

  private otherAnswered(x: Exchange): void {
    switch (x.w(0)) {
      case FFA_VERSION: {
        const theirs = x.a(0);
        if ((theirs & 0x8000_0000) === 0) this.version = Math.min(theirs, x.w(1));
        return;
      }
      case FFA_NOTIFICATION_BITMAP_CREATE:
        if (readAnswer(x.a(0), x.a(2)) === ANSWER_SUCCESS) this.bitmaps.add(x.w(1));
        return;
      case FFA_NOTIFICATION_BITMAP_DESTROY: {
        const done = readAnswer(x.a(0), x.a(2)) === ANSWER_SUCCESS;
        if (done || refusalCode(x.a(0), x.a(2)) === FFA_INVALID_PARAMETERS) this.bitmaps.delete(x.w(1));
        return;
      }
      case FFA_PARTITION_INFO_GET:
        this.readListing(x);
        return;
      case FFA_PARTITION_INFO_GET_REGS:
        this.listed.answer(x);
        return;
      default:
        return;
    }
  }

  private readListing(x: Exchange): void {
    if (this.rxAddress < 0 || readAnswer(x.a(0), x.a(2)) !== ANSWER_SUCCESS) return;
    if ((x.w(5) & PARTITION_INFO_GET_FLAG_COUNT_ONLY) !== 0) return;
    const stride = this.version >= FFA_VERSION_1_1 ? x.a(3) : PARTITION_INFO_1_0_SIZE_BYTES;
    if (stride < PARTITION_INFO_1_0_SIZE_BYTES) return;
    const count = Math.min(x.a(2), Math.floor(FRAGMENT_BYTES_MAX / stride));
    this.reader.load(this.machine.frames.contents, this.rxAddress, count * stride);
    for (let n = 0; n < count; n++) {
      const properties = this.reader.u32(n * stride + PARTITION_INFO_PROPERTIES_OFFSET);
      const created = (properties & PARTITION_VM_CREATED) !== 0;
      this.availability.subscribe(this.reader.u16(n * stride), created, (properties & PARTITION_VM_DESTROYED) !== 0);
    }
  }
}

/** Whether a refused reclaim says that the transaction exists and is held. */
function saysStillHeld(code: number): boolean {
  return code !== FFA_INVALID_PARAMETERS && code !== -1 && code !== -8;
}
