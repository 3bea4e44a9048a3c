// What the mediator keeps for one domain: negotiated version, RX/TX buffers, shares, what it owes others at the
// domain's death. Plain state; its locks say who may touch what.

import type { FrameNumber } from '../base/units.ts';
import type { Lock } from '../hardware/lock.ts';
import type { Machine } from '../hardware/machine.ts';
import { CALL_MEM_RECLAIM, type OwnCall } from './answer-table.ts';
import type { Domain } from './domain.ts';
import { RANK_CONTEXT, RANK_RX, RANK_TX, RANK_VERSION } from './lock-order.ts';
import type { Binding, Owed, OwedMessage, RetireReason } from './owed.ts';
import { NOT_TAKEN } from './run-to-end.ts';

/** One memory transaction that a guest has at the SPMC: pinned pages under a handle. */
export class Share implements Owed {
  readonly call: OwnCall = CALL_MEM_RECLAIM;
  rounds = 0;
  runTarget = NOT_TAKEN;
  runMoved = false;
  /** The next share in the same bucket of the handle table. */
  nextByHandle: Share | null = null;
  handleLow = 0;
  handleHigh = 0;
  /** First borrower; further ones are in `others`. */
  receiver = 0;
  others: number[] | null = null;
  /** Whether it counts as one of the host's at the SPMC (see share-slots.ts). */
  hasSlot = false;
  pageCount = 0;
  /** Whether the SPMC has told its handle. */
  hasHandle = false;
  /** Whether the secure world has its MEM_RECLAIM: its handle may be issued anew before the answer is taken in. */
  reclaiming = false;
  /** Donated: once it is retrieved its handle ends by itself, and its pages never come back. */
  donated = false;
  /** The guest that has it, while that lives. */
  holder: FfaContext | null = null;
  /** Guest frames of the pages whose lender has lost access to them (lend, donate): first, count, first, count, ... */
  taken: number[] | null = null;
  /** Runs of adjacent frames: runs[2i] first frame, runs[2i + 1] count. Only the first 2 * runCount are used. */
  runs: number[] = [];
  runCount = 0;
}

/** A transaction that a guest has retrieved as a borrower. */
export interface Borrowed {
  readonly handleLow: number;
  readonly handleHigh: number;
  /** Where it is mapped: first guest frame, count, first, count, ... */
  readonly mapped: readonly number[];
}

/** A send of which the guest owes further fragments. Its pages so far are pinned in `share`. */
export interface PartialSend {
  readonly share: Share;
  /** Bytes of the guest's descriptor: in all, and so far. */
  readonly totalLength: number;
  receivedLength: number;
  /** Bytes of the SPMC's descriptor so far. */
  sentLength: number;
  readonly spmcLength: number;
  /** Pages of the transaction, announced by its header. */
  readonly pageCount: number;
  /** Whether a fragment is being worked on, or none can be any more: another one is refused. */
  busy: boolean;
  /** The SPMC refused the last fragment for now, or for want of memory: it may have forgotten the send. */
  refused: boolean;
}

/** Version of an endpoint that has not negotiated yet. */
export const VERSION_NONE = 0;

export class FfaContext {
  readonly domain: Domain;
  readonly vmId: number;
  /** Version in force: it decides every layout. */
  version = VERSION_NONE;
  /** Version of the last FFA_VERSION, not yet in force (two-phase negotiation). */
  versionAsked = VERSION_NONE;

  // RX/TX buffers, guarded by rxLock and txLock.
  buffersMapped = false;
  bufferPageCount = 0;
  txFrame: FrameNumber = -1;
  rxFrame: FrameNumber = -1;
  /** Whether RX is the mediator's to fill (the guest does not own it). */
  rxFree = false;
  /** Whether the mediator has taken RX and fills it, without the lock: it is not the guest's yet. */
  rxFilling = false;

  // Shares, guarded by `lock`.
  readonly shares: Share[] = [];
  /** Sends of which fragments are missing. */
  readonly partial: PartialSend[] = [];
  /** Counts shares that are live, being made, or lost for good. */
  shareCount = 0;

  /** Per known SP, in the order of the SP list: owes VM_DESTROYED. */
  owesDestroyed: Uint8Array | null = null;

  /** The SPMC said that secure notifications wait for this guest. */
  secureNotificationPending = false;
  /** RX-full framework notification of the hypervisor. */
  rxFullPending = false;

  /** Partition vCPUs (id << 16 | vCPU) that were preempted while they served this guest. */
  readonly unfinished: number[] = [];
  /** The partition that the guest asked, for each of them. */
  readonly unfinishedAsked: number[] = [];
  /** Transactions that this guest has retrieved as a borrower. */
  readonly borrowed: Borrowed[] = [];
  /** Notifications that partitions may set for this guest, as the SPMC accepted them. */
  readonly bindings: Binding[] = [];
  /** Per known SP: accepted VM_CREATED. */
  acceptedCreated: Uint8Array | null = null;
  /** VM_DESTROYED messages that are due when the guest ends. */
  readonly owedMessages: OwedMessage[] = [];
  /** Why the VM id must not be used again, if so. */
  retire: RetireReason = 'none';
  /** Whether the SPMC holds a notification bitmap for this VM. */
  bitmapAtSpmc = false;

  readonly txLock: Lock;
  readonly rxLock: Lock;
  readonly lock: Lock;
  readonly versionLock: Lock;

  constructor(machine: Machine, domain: Domain) {
    this.domain = domain;
    this.vmId = domain.vmId;
    this.txLock = machine.lock(RANK_TX);
    this.rxLock = machine.lock(RANK_RX);
    this.lock = machine.lock(RANK_CONTEXT);
    this.versionLock = machine.lock(RANK_VERSION);
  }
}
