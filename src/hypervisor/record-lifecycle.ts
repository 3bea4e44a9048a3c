// Creation and death of a domain in the default profile. What a guest leaves behind is a teardown record, worked on in
// rounds: at once within the hypercall that destroys it, then by one timer for all records, each with its own back-off.
//
// Bounds: SMCs per hypercall and per tick; a tick that runs out of them lets others have their turn and comes back
// after TICK_GAP_NS. Delays double from `limits.retryNs` up to RETRY_MAX_NS.

import {
  FFA_MEM_RECLAIM,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_NOTIFICATION_BITMAP_CREATE,
  FFA_RX_ACQUIRE,
} from '../abi/function-ids.ts';
import { VM_CREATED_REQ_W2 } from '../abi/layout/messages.ts';
import { PARTITION_VM_CREATED, PARTITION_VM_DESTROYED } from '../abi/layout/partition-information.ts';
import { TOUCH_QUEUE } from '../base/announcement.ts';
import type { Coroutine } from '../base/coroutine.ts';
import { DeadlineQueue } from '../base/deadline-queue.ts';
import {
  EVENT_ANSWER_CLASS,
  EVENT_TEARDOWN_BEGIN,
  EVENT_TEARDOWN_END,
  EVENT_TEARDOWN_WAIT,
  EVENT_VM_ID_RETIRED,
} from '../base/event-kinds.ts';
import { NS_PER_MS, NS_PER_S } from '../base/units.ts';
import type { Pe } from '../hardware/pe.ts';
import type { Timer } from '../hardware/time.ts';
import {
  CALL_MEM_RECLAIM,
  CALL_VM_CREATED,
  classifyReply,
  REPLY_PREEMPTED,
  REPLY_SUCCESS,
  treatmentOf,
} from './answer-table.ts';
import { type Domain, TEE_FFA, TEE_NONE } from './domain.ts';
import { FfaContext } from './ffa-context.ts';
import { HandleTable } from './handle-table.ts';
import type { Hypervisor } from './hypervisor.ts';
import { OwedAbort, OwedBitmap, OwedMessage, OwedRelinquish, OwedRun, OwedUnmap, RETIRE_REASONS } from './owed.ts';
import type { Lifecycle } from './profile.ts';
import { Quarantine, type QuarantineEntry } from './quarantine.ts';
import { NOT_TAKEN, run, runToEnd, type Taken } from './run-to-end.ts';
import { TeardownRecord } from './teardown-record.ts';
import { type TeardownState, TeardownWorker } from './teardown-worker.ts';

/** errno values that creation reports. */
const EIO = -5;
const ENOMEM = -12;
const EINVAL = -22;
const ERANGE = -34;

export const SMCS_PER_HYPERCALL = 128;
export const SMCS_PER_TICK = 64;
const TICK_GAP_NS = NS_PER_MS;
const RETRY_MAX_NS = 60 * NS_PER_S;
/** FFA_RUNs of one VM_CREATED in a row: then its partition gets time. */
const CREATED_RUNS_MAX = 16;
/** First delay before VM_CREATED is sent again; doubles. */
const CREATED_RETRY_NS = NS_PER_MS;
/** Announced id of the queue of records. */
const RECORD_QUEUE = 1;

/** How an operator's retry ended. */
export type QuarantineRetry = 'released' | 'still-held' | 'guarded' | 'no-handle' | 'written-off';

export class RecordLifecycle implements Lifecycle, TeardownState {
  readonly handles = new HandleTable();
  readonly quarantine: Quarantine;
  sharesInFlight = 0;
  /** Records of guests whose end is not complete, by VM id. */
  readonly records = new Map<number, TeardownRecord>();
  /** VM ids that are never used again, with the reason. */
  readonly retired = new Map<number, string>();
  private readonly queue = new DeadlineQueue<TeardownRecord>();
  private readonly timer: Timer;

  constructor(hypervisor: Hypervisor) {
    this.quarantine = new Quarantine(hypervisor.machine, hypervisor.slots);
    this.timer = hypervisor.machine.time.timer('teardown');
  }

  /** Who works on records, for one hypercall or one tick. */
  protected worker(hypervisor: Hypervisor, smcs: number): TeardownWorker {
    return new TeardownWorker(hypervisor, this, smcs);
  }

  // Creation ---------------------------------------------------------------------------------------------------------

  *domainInit(hypervisor: Hypervisor, pe: Pe, domain: Domain): Coroutine<number> {
    if (domain.config.tee === TEE_NONE || !hypervisor.secure.usable) return 0;
    if (domain.config.tee !== TEE_FFA) return EINVAL;
    if (domain.vmId > hypervisor.limits.vmIdMax) return ERANGE;
    const context = new FfaContext(hypervisor.machine, domain);
    domain.ffa = context;
    const count = hypervisor.secure.partitions.length;
    context.acceptedCreated = new Uint8Array(count);
    context.owesDestroyed = new Uint8Array(count);
    for (let index = 0; index < count; index++) {
      if (!this.subscribes(hypervisor, index, PARTITION_VM_CREATED)) continue;
      const error = yield* this.tellCreated(hypervisor, pe, context, index);
      if (error !== 0) return error;
    }
    // One that was dead is told of the end all the same: it may be back by then, and hold memory of the guest.
    for (let index = 0; index < count; index++) {
      if (this.subscribes(hypervisor, index, PARTITION_VM_DESTROYED)) this.oweDestroyed(context, index);
    }
    return yield* this.createBitmap(hypervisor, pe, context);
  }

  private *createBitmap(hypervisor: Hypervisor, pe: Pe, context: FfaContext): Coroutine<number> {
    if (!hypervisor.secure.has(FFA_NOTIFICATION_BITMAP_CREATE)) return 0;
    pe.smc.set8(FFA_NOTIFICATION_BITMAP_CREATE, context.vmId, context.domain.config.vcpuCount);
    const pending = hypervisor.secure.call(pe, 0);
    if (pending !== null) yield* pending;
    if (classifyReply(pe.smc) !== REPLY_SUCCESS) return ENOMEM;
    context.bitmapAtSpmc = true;
    return 0;
  }

  /** Tells one partition that the VM exists now. Returns 0, or the error with which creation ends. */
  private *tellCreated(hypervisor: Hypervisor, pe: Pe, context: FfaContext, index: number): Coroutine<number> {
    const partition = hypervisor.secure.partitions[index].id;
    const { secure } = hypervisor;
    const taken: Taken = { runTarget: NOT_TAKEN, runMoved: false };
    for (let attempt = 1; ; attempt++) {
      if (taken.runTarget !== NOT_TAKEN) {
        yield* run(secure, pe, 0, taken);
      } else {
        pe.smc.set8(FFA_MSG_SEND_DIRECT_REQ_32, partition, VM_CREATED_REQ_W2, 0, 0, context.vmId);
        const pending = secure.call(pe, 0);
        if (pending !== null) yield* pending;
      }
      if (classifyReply(pe.smc) === REPLY_PREEMPTED) this.noteCreated(hypervisor, pe, context, REPLY_PREEMPTED);
      const reply = yield* runToEnd(secure, pe, 0, taken, CALL_VM_CREATED, partition, { left: CREATED_RUNS_MAX });
      if (reply !== REPLY_SUCCESS && reply !== REPLY_PREEMPTED) this.noteCreated(hypervisor, pe, context, reply);
      switch (treatmentOf(reply, CALL_VM_CREATED)) {
        case 'done':
          (context.acceptedCreated as Uint8Array)[index] = 1;
          return 0;
        case 'skip-dead':
          return 0;
        case 'run':
          if (attempt < hypervisor.limits.availabilityAttempts) break;
          this.oweAnswer(context, index, taken);
          return EIO;
        case 'again-then-undo':
          if (attempt >= hypervisor.limits.availabilityAttempts) return EIO;
          break;
        case 'undo-tell-retire':
          this.oweDestroyed(context, index);
          context.retire = 'created-twice';
          return EIO;
        case 'undo-tell':
          this.oweDestroyed(context, index);
          return EIO;
        default:
          return EIO;
      }
      yield pe.sleepUntil(hypervisor.machine.time.nowNs + CREATED_RETRY_NS * 2 ** (attempt - 1));
    }
  }

  /** A partition has taken VM_CREATED and does not answer: it is run on when the creation is undone. */
  private oweAnswer(context: FfaContext, index: number, taken: Taken): void {
    const message = this.oweDestroyed(context, index);
    message.runTarget = taken.runTarget;
    message.runMoved = taken.runMoved;
    message.createdUnderWay = true;
  }

  private subscribes(hypervisor: Hypervisor, index: number, property: number): boolean {
    return (hypervisor.secure.partitions[index].properties & property) !== 0;
  }

  private oweDestroyed(context: FfaContext, index: number): OwedMessage {
    const accepted = (context.acceptedCreated as Uint8Array)[index] !== 0;
    const message = new OwedMessage(index, accepted);
    context.owedMessages.push(message);
    return message;
  }

  /** Undoes a failed creation for exactly the partitions that may have heard of it. */
  *creationFailed(hypervisor: Hypervisor, pe: Pe, domain: Domain): Coroutine {
    const context = domain.ffa;
    if (context === null) return;
    const accepted = context.acceptedCreated as Uint8Array;
    for (let index = 0; index < accepted.length; index++) {
      const owed = context.owedMessages.some((message) => message.partition === index);
      if (accepted[index] === 0 || owed || !this.subscribes(hypervisor, index, PARTITION_VM_DESTROYED)) continue;
      this.oweDestroyed(context, index);
    }
    yield* this.domainTeardown(hypervisor, pe, domain);
  }

  // Death ------------------------------------------------------------------------------------------------------------

  *domainTeardown(hypervisor: Hypervisor, pe: Pe, domain: Domain): Coroutine {
    const context = domain.ffa;
    if (context === null) return;
    const { vmList } = hypervisor;
    if (pe.stepping || !vmList.lock.tryAcquire(pe)) yield* vmList.lock.acquire(pe);
    vmList.leave(context);
    vmList.lock.release(pe);
    const record = yield* this.record(hypervisor, pe, context);
    domain.ffa = null;
    hypervisor.domains.retain(domain.id);
    // Live shares hold a reference to their domain; the record needs none.
    if (context.shareCount > 0) hypervisor.domains.put(domain);
    this.records.set(record.vmId, record);
    const events = hypervisor.machine.events;
    if (events.on) {
      const shares = record.countOwed(CALL_MEM_RECLAIM);
      const others = record.owed.length - shares;
      events.emit(EVENT_TEARDOWN_BEGIN, pe.index, record.vmId, record.serial, shares, others, pinnedPages(context));
    }
    const worker = this.worker(hypervisor, SMCS_PER_HYPERCALL);
    const finished = yield* worker.round(pe, record);
    this.settle(hypervisor, pe, record, finished);
  }

  /** Moves all that the context owes into a record of its own. */
  protected *record(hypervisor: Hypervisor, pe: Pe, context: FfaContext): Coroutine<TeardownRecord> {
    const record = new TeardownRecord(hypervisor.machine, context.vmId, context.domain.serial);
    record.retire = context.retire;
    for (const target of context.unfinished) record.owed.push(new OwedRun(target));
    yield* this.takeBuffers(hypervisor, pe, context, record);
    for (const { handleLow, handleHigh } of context.borrowed) {
      record.owed.push(new OwedRelinquish(handleLow, handleHigh));
    }
    if (context.bitmapAtSpmc) record.owed.push(new OwedBitmap(context.bindings));
    for (const message of context.owedMessages) record.owed.push(message);
    for (const share of context.shares) {
      share.holder = null;
      record.owed.push(share);
    }
    for (const partial of context.partial) {
      partial.share.holder = null;
      record.owed.push(new OwedAbort(partial));
    }
    return record;
  }

  /** The buffers change hands under both locks: another VM may be copying into RX. */
  private *takeBuffers(hypervisor: Hypervisor, pe: Pe, context: FfaContext, record: TeardownRecord): Coroutine {
    if (pe.stepping || !context.rxLock.tryAcquire(pe)) yield* context.rxLock.acquire(pe);
    if (pe.stepping || !context.txLock.tryAcquire(pe)) yield* context.txLock.acquire(pe);
    if (context.buffersMapped) {
      context.buffersMapped = false;
      if (hypervisor.secure.has(FFA_RX_ACQUIRE)) {
        record.txFrame = context.txFrame;
        record.rxFrame = context.rxFrame;
        record.owed.push(new OwedUnmap());
      } else {
        hypervisor.machine.frames.putRange(context.txFrame, 1);
        hypervisor.machine.frames.putRange(context.rxFrame, 1);
      }
    }
    context.txLock.release(pe);
    context.rxLock.release(pe);
  }

  /** The domain's own pages have been returned: what is left of them belongs to the record from now on. */
  handOver(hypervisor: Hypervisor, domain: Domain): void {
    const record = this.records.get(domain.vmId);
    const left = domain.totalPages;
    const inQuarantine = this.adoptQuarantined(domain.serial);
    if (left === 0) return;
    domain.totalPages = 0;
    hypervisor.domains.put(domain);
    if (record === undefined || record.serial !== domain.serial) return;
    record.pagesHeld += left - inQuarantine;
    hypervisor.machine.frames.setOwner(record.serial, record);
  }

  /** Quarantined pages of a guest that lived until now go to the system. Returns their number. */
  private adoptQuarantined(serial: number): number {
    let pages = 0;
    for (const entry of this.quarantine.of(serial)) pages += this.quarantine.adopt(entry);
    return pages;
  }

  /** After a round, or a part of one: ends the record or lets it wait. */
  private settle(hypervisor: Hypervisor, pe: Pe, record: TeardownRecord, finished: boolean): void {
    const { time, events } = hypervisor.machine;
    if (record.owed.length === 0) {
      this.end(hypervisor, pe, record);
      return;
    }
    let untilNs = time.nowNs + TICK_GAP_NS;
    if (finished && record.running) {
      // What was preempted goes on soon: it is no refusal, and others may wait for the partition.
      record.runRounds++;
      untilNs = time.nowNs + Math.min(record.runRounds * TICK_GAP_NS, hypervisor.limits.retryNs);
    } else if (finished) {
      record.delayNs = record.delayNs === 0 ? hypervisor.limits.retryNs : Math.min(2 * record.delayNs, RETRY_MAX_NS);
      record.runRounds = 0;
      untilNs = time.nowNs + record.delayNs;
    }
    this.queue.add(record, untilNs);
    if (events.on) {
      const shares = record.countOwed(CALL_MEM_RECLAIM);
      events.emit(EVENT_TEARDOWN_WAIT, pe.index, record.vmId, untilNs, shares, record.owed.length - shares);
    }
    const first = this.queue.first as TeardownRecord;
    if (!this.timer.armed || first.deadlineNs < this.timer.expiryNs) time.arm(this.timer, first.deadlineNs);
  }

  private end(hypervisor: Hypervisor, pe: Pe, record: TeardownRecord): void {
    const events = hypervisor.machine.events;
    this.records.delete(record.vmId);
    if (record.pagesHeld === 0) hypervisor.machine.frames.forgetOwner(record.serial, record);
    if (record.retire === 'none') {
      hypervisor.domains.unretain(record.domainId);
    } else {
      this.retired.set(record.vmId, record.retire);
      if (events.on) {
        events.emit(EVENT_VM_ID_RETIRED, pe.index, record.vmId, RETIRE_REASONS.indexOf(record.retire));
      }
    }
    if (events.on) events.emit(EVENT_TEARDOWN_END, pe.index, record.vmId, record.round, record.quarantinedPages);
  }

  /**
   * An operator's retry of one quarantine entry. A handle may have been issued anew, so nothing is sent while another
   * live share has it or a send is under way.
   */
  *retryQuarantine(hypervisor: Hypervisor, pe: Pe, entry: QuarantineEntry): Coroutine<QuarantineRetry> {
    if (entry.writtenOff) return 'written-off';
    if (!entry.hasHandle) return 'no-handle';
    if (this.handles.find(entry.handleLow, entry.handleHigh) !== null) {
      this.quarantine.release(entry);
      return 'released';
    }
    if (this.sharesInFlight > 0) return 'guarded';
    pe.smc.set8(FFA_MEM_RECLAIM, entry.handleLow, entry.handleHigh, 0);
    const pending = hypervisor.secure.call(pe, 0);
    if (pending !== null) yield* pending;
    if (classifyReply(pe.smc) !== REPLY_SUCCESS) return 'still-held';
    this.quarantine.release(entry);
    return 'released';
  }

  domainGone(): void {
    // What a dead domain leaves is in its record; the domain itself holds nothing of the mediator's.
  }

  *timerFired(hypervisor: Hypervisor, pe: Pe, timer: Timer): Coroutine {
    if (timer !== this.timer) return;
    const { time } = hypervisor.machine;
    const worker = this.worker(hypervisor, SMCS_PER_TICK);
    const nowNs = time.nowNs;
    for (;;) {
      if (pe.stepping) yield pe.writes(TOUCH_QUEUE, RECORD_QUEUE);
      if (worker.budget <= 0) break;
      const record = this.queue.takeDue(nowNs);
      if (record === null) break;
      const finished = yield* worker.round(pe, record);
      this.settle(hypervisor, pe, record, finished);
    }
    const first = this.queue.first;
    if (first === null) return;
    const gapNs = worker.budget <= 0 ? TICK_GAP_NS : 0;
    time.arm(this.timer, Math.max(first.deadlineNs, time.nowNs + gapNs));
  }

  private noteCreated(hypervisor: Hypervisor, pe: Pe, context: FfaContext, reply: number): void {
    const events = hypervisor.machine.events;
    if (!events.on) return;
    const smc = pe.smc;
    events.emit(EVENT_ANSWER_CLASS, pe.index, context.vmId, CALL_VM_CREATED, reply, smc.w(0), smc.w(2), smc.w(3));
  }
}

function pinnedPages(context: FfaContext): number {
  let pages = 0;
  for (const share of context.shares) pages += share.pageCount;
  return pages;
}
