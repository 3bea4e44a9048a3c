// The worker that pays what teardown records owe: one call per item and round, its answer treated as the table says
// (answer-table.ts). An item never stops another: each round tries all of them once.
//
// Bounds: a caller gives a budget of SMCs; a round that runs out of it goes on where it stopped. FFA_RUN of one item is
// made at most RUNS_PER_ROUND times a round. Nothing is locked over an SMC but the hypervisor's own TX page, and only
// for MEM_RELINQUISH.

import {
  FFA_MEM_FRAG_RX,
  FFA_MEM_FRAG_TX,
  FFA_MEM_RECLAIM,
  FFA_MEM_RELINQUISH,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_NOTIFICATION_BITMAP_DESTROY,
  FFA_NOTIFICATION_GET,
  FFA_NOTIFICATION_UNBIND,
  FFA_RXTX_UNMAP,
} from '../abi/function-ids.ts';
import { VM_DESTROYED_REQ_W2 } from '../abi/layout/messages.ts';
import { TOUCH_HANDLE } from '../base/announcement.ts';
import { assert, unreachable } from '../base/assert.ts';
import type { Coroutine } from '../base/coroutine.ts';
import { EVENT_ANSWER_CLASS, EVENT_SHARE_DEAD, EVENT_TEARDOWN_ROUND } from '../base/event-kinds.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { Pe } from '../hardware/pe.ts';
import {
  CALL_BITMAP_DESTROY,
  CALL_MEM_RECLAIM,
  CALL_MEM_SEND,
  CALL_RXTX_UNMAP,
  CALL_VM_CREATED,
  classifyReply,
  type OwnCall,
  REPLY_ERROR_AGAIN,
  REPLY_ERROR_NO_MEMORY,
  REPLY_OTHER,
  REPLY_PREEMPTED,
  REPLY_SUCCESS,
  type ReplyClass,
  type Treatment,
  treatmentOf,
} from './answer-table.ts';
import type { PartialSend, Share } from './ffa-context.ts';
import type { HandleTable } from './handle-table.ts';
import type { Hypervisor } from './hypervisor.ts';
import { type Owed, OwedAbort, OwedBitmap, OwedMessage, OwedRelinquish, OwedUnmap } from './owed.ts';
import type { Quarantine, QuarantineReason } from './quarantine.ts';
import { NOT_TAKEN, noteAnswer, type Runs, run, runToEnd } from './run-to-end.ts';
import { giveBack } from './share-records.ts';
import { spmcTxWords } from './spmc-buffers.ts';
import { writeImpossibleConstituents } from './spmc-constituents.ts';
import type { TeardownRecord } from './teardown-record.ts';

/** FFA_RUNs of one item in one round: then others have their turn. */
const RUNS_PER_ROUND = 4;
/** Answers of the bounded kind ("some rounds") before the item ends. */
export const ROUNDS_MAX = 5;
/** NOTIFICATION_GET flags: from SPs and from the SPM. */
const GET_FROM_SECURE = 0x5;

/** State that all teardowns of one hypervisor share. */
export interface TeardownState {
  readonly handles: HandleTable;
  readonly quarantine: Quarantine;
  /** Shares at the secure door now, whose handles nobody knows yet. */
  sharesInFlight: number;
}

export class TeardownWorker {
  private readonly hypervisor: Hypervisor;
  private readonly state: TeardownState;
  /** SMCs that the caller of `round` may still make. */
  budget: number;

  constructor(hypervisor: Hypervisor, state: TeardownState, budget: number) {
    this.budget = budget;
    this.hypervisor = hypervisor;
    this.state = state;
  }

  /**
   * Goes on with the record's round. True: the round is over (something may still be owed). False: the budget ran out
   * first.
   */
  *round(pe: Pe, record: TeardownRecord): Coroutine<boolean> {
    if (record.cursor === 0) {
      record.round++;
      const events = this.hypervisor.machine.events;
      if (events.on) {
        const shares = record.countOwed(CALL_MEM_RECLAIM);
        events.emit(EVENT_TEARDOWN_ROUND, pe.index, record.vmId, record.round, shares, record.owed.length - shares);
      }
    }
    const owed = record.owed;
    let kept = record.cursor;
    let at = record.cursor;
    let finished = true;
    for (; at < owed.length; at++) {
      if (this.budget <= 0) {
        finished = false;
        break;
      }
      const item = owed[at];
      if (!pe.stepping && this.isFresh(item) && this.prepare(pe, record, item)) {
        // The plain path: nobody explores, and the SPMC answers at once that it has let go.
        this.budget--;
        const pending = this.hypervisor.secure.call(pe, 0);
        if (pending !== null) yield* pending;
        if (classifyReply(pe.smc) === REPLY_SUCCESS) this.done(pe, record, item);
        else if (!(yield* this.answered(pe, record, item))) owed[kept++] = item;
        continue;
      }
      if (!(yield* this.attempt(pe, record, item))) owed[kept++] = item;
    }
    record.cursor = finished ? 0 : kept;
    while (at < owed.length) owed[kept++] = owed[at++];
    owed.length = kept;
    return finished;
  }

  /** Whether nothing of an item is at the secure world, and it may be sent without a look at anything else. */
  private isFresh(item: Owed): boolean {
    if (item.rounds !== 0 || item.runTarget !== NOT_TAKEN) return false;
    if (item.call !== CALL_MEM_RECLAIM) return true;
    const share = item as Share;
    return !share.donated && this.state.handles.find(share.handleLow, share.handleHigh) === share;
  }

  /** Makes one item's call (or runs it on). True when the item has ended. */
  private *attempt(pe: Pe, record: TeardownRecord, item: Owed): Coroutine<boolean> {
    if (item.call === CALL_MEM_RECLAIM && !this.maySend(item as Share)) {
      return this.proveReissued(pe, record, item as Share);
    }
    if (item instanceof OwedAbort) return yield* this.abort(pe, record, item);
    if (item.runTarget === NOT_TAKEN) {
      yield* this.send(pe, record, item);
    } else {
      yield* this.runOnce(pe, item);
    }
    return yield* this.answered(pe, record, item);
  }

  /** The answer to an item's call is in `pe.smc`: runs it on while it is preempted, then treats it. */
  private *answered(pe: Pe, record: TeardownRecord, item: Owed): Coroutine<boolean> {
    const message = item instanceof OwedMessage ? item : null;
    const partition = message === null ? 0 : this.hypervisor.secure.partitions[message.partition].id;
    const call = message?.createdUnderWay === true ? CALL_VM_CREATED : item.call;
    let reply = classifyReply(pe.smc);
    if (this.isPreempted(reply)) reply = yield* this.runOn(pe, item, call, partition);
    else reply = noteAnswer(pe, item, call, partition);
    if (this.isPreempted(reply)) return false;
    return yield* this.treat(pe, record, item, reply);
  }

  private *runOnce(pe: Pe, item: Owed): Coroutine {
    this.budget--;
    yield* run(this.hypervisor.secure, pe, 0, item);
  }

  /** The answer in `pe.smc`, and FFA_RUN while it says that the call is taken, as often as a round may. */
  private *runOn(pe: Pe, item: Owed, call: OwnCall, partition: number): Coroutine<ReplyClass> {
    const runs: Runs = { left: Math.max(0, Math.min(RUNS_PER_ROUND, this.budget)) };
    this.budget -= runs.left;
    const reply = yield* runToEnd(this.hypervisor.secure, pe, 0, item, call, partition, runs);
    this.budget += runs.left;
    return reply;
  }

  /**
   * Ends a send of which fragments are missing: the rest goes as constituents that no SPMC accepts. One that does all
   * the same has a whole transaction, which is reclaimed like any other.
   */
  private *abort(pe: Pe, record: TeardownRecord, item: OwedAbort): Coroutine<boolean> {
    const { share } = item.partial;
    if (item.runTarget === NOT_TAKEN && !this.maySend(share)) return this.proveReissued(pe, record, share);
    let reply: ReplyClass;
    do {
      if (this.budget <= 0) return false;
      if (item.runTarget === NOT_TAKEN) yield* this.sendImpossible(pe, record, item);
      else yield* this.runOnce(pe, item);
      reply = yield* this.runOn(pe, item, CALL_MEM_SEND, 0);
    } while (asksForMore(pe, item.partial));
    if (reply === REPLY_PREEMPTED) return false;
    const isOwn = pe.smc.w(2) === share.handleLow && pe.smc.w(3) === share.handleHigh;
    if (reply === REPLY_SUCCESS && isOwn) {
      record.owed.push(share);
      return true;
    }
    if (reply === REPLY_SUCCESS) reply = REPLY_OTHER;
    this.note(pe, record, CALL_MEM_SEND, reply);
    if (reply === REPLY_ERROR_AGAIN || reply === REPLY_ERROR_NO_MEMORY) {
      // The send is still open, if it says so truly: whether it is, nobody knows from now on.
      item.partial.sentLength -= item.lastLength;
      share.rounds++;
      if (++item.rounds < ROUNDS_MAX) return false;
    }
    const isRefused = item.rounds < ROUNDS_MAX && treatmentOf(reply, CALL_MEM_SEND) === 'refuse';
    if (isRefused) this.releaseShare(pe, record, share);
    else this.quarantineShare(pe, record, share, 'share-outcome-unknown');
    return true;
  }

  private *sendImpossible(pe: Pe, record: TeardownRecord, item: OwedAbort): Coroutine {
    const { secure } = this.hypervisor;
    const { partial } = item;
    const { handleLow, handleHigh } = partial.share;
    item.lastLength = Math.min(PAGE_SIZE_BYTES, partial.spmcLength - partial.sentLength);
    if (pe.stepping || !secure.txLock.tryAcquire(pe)) yield* secure.txLock.acquire(pe);
    writeImpossibleConstituents(spmcTxWords(secure), 0, item.lastLength);
    pe.smc.set8(FFA_MEM_FRAG_TX, handleLow, handleHigh, item.lastLength, (record.vmId << 16) >>> 0);
    yield* this.call(pe);
    secure.txLock.release(pe);
    partial.sentLength += item.lastLength;
  }

  /** Whether the secure world has taken a call without an answer. */
  protected isPreempted(reply: ReplyClass): boolean {
    return reply === REPLY_PREEMPTED;
  }

  private *send(pe: Pe, record: TeardownRecord, item: Owed): Coroutine {
    if (item instanceof OwedRelinquish) {
      yield* this.sendRelinquish(pe, record, item);
      return;
    }
    if (pe.stepping && item.call === CALL_MEM_RECLAIM) yield pe.writes(TOUCH_HANDLE, (item as Share).handleLow);
    if (item instanceof OwedMessage) {
      const partition = this.hypervisor.secure.partitions[item.partition].id;
      pe.smc.set8(FFA_MSG_SEND_DIRECT_REQ_32, partition, VM_DESTROYED_REQ_W2, 0, 0, record.vmId);
    } else {
      assert(this.prepare(pe, record, item), 'what is sent has its call');
    }
    yield* this.call(pe);
  }

  /** Puts the call of an item that FFA_SUCCESS ends into `pe.smc`; false for one that takes more than that. */
  private prepare(pe: Pe, record: TeardownRecord, item: Owed): boolean {
    switch (item.call) {
      case CALL_MEM_RECLAIM:
        pe.smc.set4(FFA_MEM_RECLAIM, (item as Share).handleLow, (item as Share).handleHigh, 0);
        (item as Share).reclaiming = true;
        return true;
      case CALL_BITMAP_DESTROY:
        pe.smc.set4(FFA_NOTIFICATION_BITMAP_DESTROY, record.vmId, 0, 0);
        return true;
      case CALL_RXTX_UNMAP:
        pe.smc.set4(FFA_RXTX_UNMAP, record.vmId << 16, 0, 0);
        return true;
      default:
        return false;
    }
  }

  /** The descriptor goes into the hypervisor's TX page, which is held until the answer. */
  private *sendRelinquish(pe: Pe, record: TeardownRecord, item: OwedRelinquish): Coroutine {
    const secure = this.hypervisor.secure;
    if (pe.stepping || !secure.txLock.tryAcquire(pe)) yield* secure.txLock.acquire(pe);
    const bytes = new Uint8Array(18);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, item.handleLow, true);
    view.setUint32(4, item.handleHigh, true);
    view.setUint32(12, 1, true);
    view.setUint16(16, record.vmId, true);
    this.hypervisor.machine.frames.contents.write(secure.txFrame * PAGE_SIZE_BYTES, bytes, 0, bytes.length);
    pe.smc.set8(FFA_MEM_RELINQUISH);
    yield* this.call(pe);
    secure.txLock.release(pe);
  }

  private *call(pe: Pe): Coroutine {
    this.budget--;
    const pending = this.hypervisor.secure.call(pe, 0);
    if (pending !== null) yield* pending;
  }

  /** Ends, keeps, quarantines: true when the item has ended. */
  private *treat(pe: Pe, record: TeardownRecord, item: Owed, reply: ReplyClass): Coroutine<boolean> {
    if (item instanceof OwedMessage && item.createdUnderWay) return this.treatLateCreated(pe, record, item, reply);
    if (item.call === CALL_MEM_RECLAIM) (item as Share).reclaiming = false;
    const treatment = this.treatment(item, reply);
    if (reply !== REPLY_SUCCESS) this.note(pe, record, item.call, reply);
    return yield* this.apply(pe, record, item, treatment);
  }

  /** What the answer table says about a reply. */
  protected treatment(item: Owed, reply: ReplyClass): Treatment {
    return treatmentOf(reply, item.call);
  }

  private *apply(pe: Pe, record: TeardownRecord, item: Owed, treatment: Treatment): Coroutine<boolean> {
    switch (treatment) {
      case 'done':
      case 'done-flagged':
        this.done(pe, record, item);
        return true;
      case 'again':
        return false;
      case 'rounds-then-quarantine':
        if (++item.rounds < ROUNDS_MAX) return false;
        this.quarantine(pe, record, item, 'reclaim-unclear');
        return true;
      case 'quarantine':
        this.quarantine(pe, record, item, 'reclaim-refused-for-good');
        return true;
      case 'rounds-then-stop':
        if (++item.rounds < ROUNDS_MAX) return false;
        this.stop(record, item);
        return true;
      case 'stop':
        this.stop(record, item);
        return true;
      case 'retire':
        record.retire = item instanceof OwedBitmap ? 'bitmap' : 'borrower';
        return true;
      case 'drain-then-retire': {
        const bitmap = item as OwedBitmap;
        if (bitmap.drained) {
          record.retire = 'bitmap';
          return true;
        }
        bitmap.drained = true;
        yield* this.drain(pe, record, bitmap);
        return yield* this.attempt(pe, record, bitmap);
      }
      default:
        return unreachable(`treatment ${treatment} of a teardown's call`);
    }
  }

  /** VM_CREATED was under way when its creation was given up: only one that accepted it is told that the VM is gone. */
  private treatLateCreated(pe: Pe, record: TeardownRecord, item: OwedMessage, reply: ReplyClass): boolean {
    const treatment = treatmentOf(reply, CALL_VM_CREATED);
    if (reply !== REPLY_SUCCESS) this.note(pe, record, CALL_VM_CREATED, reply);
    item.createdUnderWay = false;
    if (treatment === 'undo-tell-retire') record.retire = 'created-twice';
    return treatment !== 'done' && treatment !== 'undo-tell' && treatment !== 'undo-tell-retire';
  }

  /** Takes what is pending and unbinds what is bound, so that the SPMC finds nothing in the bitmap. */
  private *drain(pe: Pe, record: TeardownRecord, item: OwedBitmap): Coroutine {
    pe.smc.set8(FFA_NOTIFICATION_GET, record.vmId, GET_FROM_SECURE);
    yield* this.call(pe);
    for (const binding of item.bindings) {
      const ids = ((binding.sender << 16) | record.vmId) >>> 0;
      pe.smc.set8(FFA_NOTIFICATION_UNBIND, ids, 0, binding.low, binding.high);
      yield* this.call(pe);
    }
  }

  private done(pe: Pe, record: TeardownRecord, item: Owed): void {
    if (item.call === CALL_MEM_RECLAIM) this.releaseShare(pe, record, item as Share);
    else if (item instanceof OwedUnmap) this.releaseBuffers(record);
  }

  private releaseShare(pe: Pe, record: TeardownRecord, share: Share): void {
    const { machine } = this.hypervisor;
    this.state.handles.remove(share);
    if (machine.events.on) {
      const { handleLow, handleHigh, pageCount, receiver } = share;
      machine.events.emit(EVENT_SHARE_DEAD, pe.index, record.vmId, handleLow, handleHigh, pageCount, receiver);
    }
    const { runs } = share;
    const end = 2 * share.runCount;
    for (let at = 0; at < end; at += 2) machine.frames.putRange(runs[at], runs[at + 1]);
    giveBack(this.hypervisor, share);
  }

  private releaseBuffers(record: TeardownRecord): void {
    const frames = this.hypervisor.machine.frames;
    frames.putRange(record.txFrame, 1);
    frames.putRange(record.rxFrame, 1);
    record.txFrame = -1;
    record.rxFrame = -1;
  }

  private quarantine(pe: Pe, record: TeardownRecord, item: Owed, reason: QuarantineReason): void {
    const answer: [number, number] = [pe.smc.w(0), pe.smc.w(2)];
    const { vmId, serial } = record;
    if (item.call === CALL_MEM_RECLAIM) {
      this.quarantineShare(pe, record, item as Share, reason);
      return;
    }
    const runs = [record.txFrame, 1, record.rxFrame, 1];
    record.txFrame = -1;
    record.rxFrame = -1;
    record.retire = 'quarantine';
    const entry = { vmId, serial, hasHandle: false, handleLow: 0, handleHigh: 0, runs, share: null, answer } as const;
    this.adopt(record, { ...entry, reason: 'buffers-still-mapped' });
  }

  private quarantineShare(pe: Pe, record: TeardownRecord, share: Share, reason: QuarantineReason): void {
    this.state.handles.remove(share);
    const { vmId, serial } = record;
    const { handleLow, handleHigh } = share;
    const runs = share.runs.slice(0, 2 * share.runCount);
    const answer: [number, number] = [pe.smc.w(0), pe.smc.w(2)];
    // A donation's handle ends when it is retrieved: it can prove nothing.
    const hasHandle = !share.donated;
    if (reason === 'donated') this.hypervisor.slots.end(share);
    this.adopt(record, { vmId, serial, reason, hasHandle, handleLow, handleHigh, runs, share, answer });
  }

  private adopt(record: TeardownRecord, fresh: Parameters<Quarantine['add']>[0]): void {
    const entry = this.state.quarantine.add(fresh);
    record.pagesHeld -= this.state.quarantine.adopt(entry);
    record.quarantinedPages += entry.pageCount;
  }

  private stop(record: TeardownRecord, item: Owed): void {
    if (item instanceof OwedMessage) {
      if (item.accepted) record.retire = 'believer';
    } else {
      record.retire = 'borrower';
    }
  }

  /**
   * Whether a call that names a share's handle may be sent. After an unclear answer, and of a donation at any time, the
   * handle may have been issued anew: then the call would strike somebody else's share, so it waits while another live
   * share has it or any share is under way.
   */
  private maySend(share: Share): boolean {
    if (this.state.handles.find(share.handleLow, share.handleHigh) !== share) return false;
    return (share.rounds === 0 && !share.donated) || this.state.sharesInFlight === 0;
  }

  /**
   * A handle that was issued anew proves that the share which had it has ended, also when the share that it was issued
   * to has gone since: then nobody has it, for this share is found under it until another takes its place.
   */
  private proveReissued(pe: Pe, record: TeardownRecord, share: Share): boolean {
    const now = this.state.handles.find(share.handleLow, share.handleHigh);
    if (now === share) return false;
    if (share.donated) this.quarantineShare(pe, record, share, 'donated');
    else this.releaseShare(pe, record, share);
    return true;
  }

  private note(pe: Pe, record: TeardownRecord, call: OwnCall, reply: number): void {
    const events = this.hypervisor.machine.events;
    if (!events.on) return;
    events.emit(EVENT_ANSWER_CLASS, pe.index, record.vmId, call, reply, pe.smc.w(0), pe.smc.w(2), pe.smc.w(3));
  }
}

/** Whether the SPMC asks for just the next fragment of this send. */
function asksForMore(pe: Pe, { share, sentLength, spmcLength }: PartialSend): boolean {
  const { smc } = pe;
  if (smc.w(0) !== FFA_MEM_FRAG_RX || smc.w(3) !== sentLength || sentLength === spmcLength) return false;
  return smc.w(1) === share.handleLow && smc.w(2) === share.handleHigh;
}
