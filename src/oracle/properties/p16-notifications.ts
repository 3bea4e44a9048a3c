// P16 notifications: each bit that is set reaches exactly one GET, and somebody hears of it.

import { FFA_INVALID_PARAMETERS, FFA_NOT_SUPPORTED } from '../../abi/errors.ts';
import {
  FFA_NOTIFICATION_BIND,
  FFA_NOTIFICATION_BITMAP_DESTROY,
  FFA_NOTIFICATION_GET,
  FFA_NOTIFICATION_SET,
  FFA_NOTIFICATION_UNBIND,
  FFA_SUCCESS_32,
} from '../../abi/function-ids.ts';
import {
  NOTIFICATION_FLAG_DELAY_SRI,
  NOTIFICATION_FLAG_PER_VCPU,
  NOTIFICATION_GET_FROM_SP,
  NOTIFICATION_GET_FROM_VM,
} from '../../abi/layout/notifications.ts';
import {
  EVENT_DOMAIN_CREATE,
  EVENT_DOMAIN_DYING,
  EVENT_GUEST_RETURN,
  EVENT_INTERRUPT,
  EVENT_SMC,
  EVENT_SMC_RETURN,
  EVENT_SP_CALL,
  EVENT_SP_RETURN,
} from '../../base/event-kinds.ts';
import type { EventLog } from '../../base/event-log.ts';
import { lowWord } from '../model/answers.ts';
import { PendingBits } from '../model/pending-bits.ts';
import { Property, type PropertyInfo } from '../property.ts';
import { nameEndpoint } from '../violation.ts';

/** Within this time of a SET its receiver has an interrupt: nothing on its way there waits. */
const INTERRUPT_DELAY_NS = 100_000_000;

/** A SET or GET whose answer is awaited. */
interface Open {
  /** Events before the call. */
  readonly index: number;
  fid: number;
  w1: number;
  w2: number;
  /** Of a SET or UNBIND: its bits. Of a GET: as the two below, of bits from VMs. */
  low: number;
  high: number;
  /** Of a GET: bits from partitions that were pending for certain when it began, and were not taken since. */
  lostLow: number;
  lostHigh: number;
  /** Whether another GET of the same receiver was under way at any time. */
  crowded: boolean;
}

const FROM_SP = 0;
const FROM_VM = 1;
const GLOBAL = 0;

const FUNCTIONS = [
  FFA_NOTIFICATION_SET,
  FFA_NOTIFICATION_GET,
  FFA_NOTIFICATION_UNBIND,
  FFA_NOTIFICATION_BITMAP_DESTROY,
];

export class Notifications extends Property {
  readonly info: PropertyInfo = {
    id: 'P16',
    title: 'notifications',
    checks:
      'A GET returns every bit that was set before it and only such bits, each once, and a guest gets what its GET ' +
      'took from the SPMC; bits are bound as asked; a guest with bits pending has had an interrupt since then.',
    blindTo: 'Framework notifications, and interrupts that a vCPU masks.',
  };
  readonly kinds = [
    EVENT_SMC,
    EVENT_SMC_RETURN,
    EVENT_SP_CALL,
    EVENT_SP_RETURN,
    EVENT_GUEST_RETURN,
    EVENT_INTERRUPT,
    EVENT_DOMAIN_DYING,
    EVENT_DOMAIN_CREATE,
  ];
  /** By receiver, then by kind of sender and context. */
  private readonly bits = new Map<number, Map<number, PendingBits>>();
  /** What each PE (at the secure door) and each partition on a PE waits for. */
  private readonly open = new Map<number, Open>();
  /** Receivers of bits for which no interrupt was seen since. */
  private readonly untold = new Map<number, number>();
  /** Events before the newest interrupt of each receiver. */
  private readonly told = new Map<number, number>();

  override reset(): void {
    this.bits.clear();
    this.open.clear();
    this.untold.clear();
    this.told.clear();
  }

  override event(kind: number, log: EventLog, at: number): void {
    const pe = log.pe(at);
    const first = log.argument(at, 0);
    switch (kind) {
      case EVENT_SMC:
      case EVENT_SP_CALL: {
        const fid = lowWord(log.argument(at, 1));
        if (kind === EVENT_SMC) this.bound(pe, fid);
        const key = kind === EVENT_SMC ? pe : keyOfPartition(first, pe);
        this.open.delete(key);
        if (FUNCTIONS.includes(fid)) this.begin(key, fid, log, at);
        return;
      }
      case EVENT_SMC_RETURN:
      case EVENT_SP_RETURN: {
        const key = kind === EVENT_SMC_RETURN ? pe : keyOfPartition(first, pe);
        const open = this.open.get(key);
        if (open === undefined) return;
        this.open.delete(key);
        this.end(open, log, at);
        return;
      }
      case EVENT_GUEST_RETURN:
        this.delivered(pe);
        return;
      case EVENT_INTERRUPT:
      case EVENT_DOMAIN_DYING:
        if (kind === EVENT_DOMAIN_DYING) this.waited(first, log.timeNs(at));
        else this.told.set(first, log.count - 1);
        // Its bits stay until its bitmap goes: the hypervisor fetches them for it.
        this.untold.delete(first);
        return;
      default:
        this.forget(first);
    }
  }

  /** A guest's BIND and UNBIND reach the SPMC with the bits that it named. */
  private bound(pe: number, fid: number): void {
    if (fid !== FFA_NOTIFICATION_BIND && fid !== FFA_NOTIFICATION_UNBIND) return;
    const { model } = this.bench;
    const call = model.call(pe);
    const exchange = model.door.of(pe);
    if (!call.open || call.w(0) !== fid || (call.w(3) === exchange.w(3) && call.w(4) === exchange.w(4))) return;
    const { vm } = call;
    this.report(`VM ${vm} has other notifications bound than it asked for`, {
      vm,
      low: exchange.w(3),
      high: exchange.w(4),
    });
  }

  /** The pending bits of a receiver: from partitions or from VMs, global (0) or of a vCPU (its index + 1). */
  private pending(receiver: number, from: number, context: number): PendingBits {
    let own = this.bits.get(receiver);
    if (own === undefined) {
      own = new Map();
      this.bits.set(receiver, own);
    }
    const key = from * 0x2_0000 + context;
    const known = own.get(key);
    if (known !== undefined) return known;
    const bits = new PendingBits();
    own.set(key, bits);
    return bits;
  }

  private begin(key: number, fid: number, log: EventLog, at: number): void {
    const w1 = lowWord(log.argument(at, 2));
    const w2 = lowWord(log.argument(at, 3));
    const carries = fid !== FFA_NOTIFICATION_GET;
    const low = carries ? lowWord(log.argument(at, 4)) : 0;
    const high = carries ? lowWord(log.argument(at, 5)) : 0;
    const open: Open = { index: log.count - 1, fid, w1, w2, low, high, lostLow: 0, lostHigh: 0, crowded: false };
    if (fid === FFA_NOTIFICATION_SET) this.target(open).offer(low, high);
    else if (fid === FFA_NOTIFICATION_GET) {
      for (const other of this.open.values()) {
        if (other.fid !== FFA_NOTIFICATION_GET || (other.w1 & 0xffff) !== (w1 & 0xffff)) continue;
        other.crowded = true;
        open.crowded = true;
      }
      for (const from of [FROM_SP, FROM_VM]) {
        if ((w2 & flagOf(from)) === 0) continue;
        for (const context of [GLOBAL, (w1 >>> 16) + 1]) {
          const bits = this.pending(w1 & 0xffff, from, context);
          if (from === FROM_SP) {
            open.lostLow |= bits.sureLow;
            open.lostHigh |= bits.sureHigh;
          } else {
            open.low |= bits.sureLow;
            open.high |= bits.sureHigh;
          }
        }
      }
    }
    this.open.set(key, open);
  }

  /** Where a SET puts its bits. */
  private target(open: Open): PendingBits {
    const from = ((open.w1 >>> 16) & 0x8000) !== 0 ? FROM_SP : FROM_VM;
    const context = (open.w2 & NOTIFICATION_FLAG_PER_VCPU) !== 0 ? (open.w2 >>> 16) + 1 : GLOBAL;
    return this.pending(open.w1 & 0xffff, from, context);
  }

  private end(open: Open, log: EventLog, at: number): void {
    const good = lowWord(log.argument(at, 1)) === FFA_SUCCESS_32;
    const receiver = open.w1 & 0xffff;
    if (open.fid === FFA_NOTIFICATION_BITMAP_DESTROY) {
      if (good) this.forget(receiver);
      return;
    }
    if (open.fid === FFA_NOTIFICATION_SET) {
      const bits = this.target(open);
      if (!good) {
        bits.withdraw(open.low, open.high);
        return;
      }
      bits.confirm(open.low, open.high);
      const isPending = (bits.sureLow & open.low) !== 0 || (bits.sureHigh & open.high) !== 0;
      if (isPending && (open.w2 & NOTIFICATION_FLAG_DELAY_SRI) === 0 && receiver < 0x8000) {
        // The interrupt may come before the partition has its answer.
        if ((this.told.get(receiver) ?? -1) < open.index) this.untold.set(receiver, log.timeNs(at));
      }
      return;
    }
    if (open.fid === FFA_NOTIFICATION_UNBIND) {
      if (good) for (const context of [GLOBAL, 1]) this.pending(receiver, FROM_SP, context).take(open.low, open.high);
      return;
    }
    if (!good) {
      this.refused(open, lowWord(log.argument(at, 3)) | 0);
      return;
    }
    this.untold.delete(receiver);
    const answer = (n: number): number => lowWord(log.argument(at, n + 1));
    if ((open.w2 & NOTIFICATION_GET_FROM_SP) !== 0) {
      this.got(open, FROM_SP, answer(2), answer(3), open.lostLow, open.lostHigh);
    }
    if ((open.w2 & NOTIFICATION_GET_FROM_VM) !== 0) {
      this.got(open, FROM_VM, answer(4), answer(5), open.low, open.high);
    }
  }

  /** Who has something pending can fetch it: only a call that is wrong in itself may be refused. */
  private refused(open: Open, code: number): void {
    const due = open.lostLow | open.lostHigh;
    const receiver = open.w1 & 0xffff;
    if (due === 0 || open.crowded || (code !== FFA_INVALID_PARAMETERS && code !== FFA_NOT_SUPPORTED)) return;
    this.report(`${nameEndpoint(receiver)} cannot fetch the notifications that it has`, { receiver, code });
  }

  private got(open: Open, from: number, low: number, high: number, dueLow: number, dueHigh: number): void {
    const receiver = open.w1 & 0xffff;
    const who = nameEndpoint(receiver);
    const contexts = [this.pending(receiver, from, GLOBAL), this.pending(receiver, from, (open.w1 >>> 16) + 1)];
    let maybeLow = 0;
    let maybeHigh = 0;
    let sureLow = 0;
    let sureHigh = 0;
    for (const bits of contexts) {
      maybeLow |= bits.maybeLow;
      maybeHigh |= bits.maybeHigh;
      sureLow |= bits.sureLow;
      sureHigh |= bits.sureHigh;
      bits.take(low, high);
    }
    const strangeLow = (low & ~maybeLow) >>> 0;
    const strangeHigh = (high & ~maybeHigh) >>> 0;
    if (strangeLow !== 0 || strangeHigh !== 0) {
      const facts = { receiver, low: strangeLow, high: strangeHigh };
      this.report(`${who} gets a notification that nobody set, or gets it twice`, facts);
    }
    if (open.crowded) return;
    const lostLow = (dueLow & sureLow & ~low) >>> 0;
    const lostHigh = (dueHigh & sureHigh & ~high) >>> 0;
    if (lostLow === 0 && lostHigh === 0) return;
    this.report(`${who} does not get a notification that was set`, { receiver, low: lostLow, high: lostHigh });
  }

  /** What the SPMC gave out for a guest must reach it: it is not pending there any more. */
  private delivered(pe: number): void {
    const { model } = this.bench;
    const call = model.call(pe);
    const exchange = model.door.of(pe);
    if (call.w(0) !== FFA_NOTIFICATION_GET || call.smcCount === 0) return;
    if (exchange.w(0) !== FFA_NOTIFICATION_GET || exchange.a(0) !== FFA_SUCCESS_32) return;
    const good = call.a(0) === FFA_SUCCESS_32;
    const low = (exchange.a(2) & ~(good ? call.a(2) : 0)) >>> 0;
    const high = (exchange.a(3) & ~(good ? call.a(3) : 0)) >>> 0;
    if (low === 0 && high === 0) return;
    const { vm } = call;
    this.report(`notifications for VM ${vm} are taken from the SPMC and do not reach it`, { vm, low, high });
  }

  private forget(vm: number): void {
    this.untold.delete(vm);
    this.bits.delete(vm);
  }

  override quiet(): void {
    for (const receiver of this.untold.keys()) this.unheard(receiver);
  }

  /** A guest that dies had its time to hear of what was pending. */
  private waited(receiver: number, nowNs: number): void {
    const sinceNs = this.untold.get(receiver);
    if (sinceNs !== undefined && nowNs > sinceNs + INTERRUPT_DELAY_NS) this.unheard(receiver);
  }

  private unheard(receiver: number): void {
    const { sureLow, sureHigh } = this.pending(receiver, FROM_SP, GLOBAL);
    if (sureLow === 0 && sureHigh === 0) return;
    const facts = { vm: receiver, low: sureLow >>> 0, high: sureHigh >>> 0 };
    this.report(`VM ${receiver} has notifications pending and no interrupt told it`, facts);
  }
}

function flagOf(from: number): number {
  return from === FROM_SP ? NOTIFICATION_GET_FROM_SP : NOTIFICATION_GET_FROM_VM;
}

/** Partitions' doors beside PEs' doors. */
function keyOfPartition(sp: number, pe: number): number {
  return 0x1_0000 * (pe + 1) + sp;
}
