// What a teardown owes the secure world: one call each, made again until its answer ends it.

import {
  CALL_BITMAP_DESTROY,
  CALL_MEM_RELINQUISH,
  CALL_MEM_SEND,
  CALL_RUN_OUT,
  CALL_RXTX_UNMAP,
  CALL_VM_DESTROYED,
  type OwnCall,
} from './answer-table.ts';
import type { PartialSend } from './ffa-context.ts';
import { NOT_TAKEN, type Taken } from './run-to-end.ts';

/** Why a VM id is not used again. */
export type RetireReason = 'none' | 'believer' | 'bitmap' | 'borrower' | 'created-twice' | 'quarantine';
export const RETIRE_REASONS: readonly RetireReason[] = [
  'none',
  'believer',
  'bitmap',
  'borrower',
  'created-twice',
  'quarantine',
];

export interface Owed extends Taken {
  readonly call: OwnCall;
  /** Answers of the bounded kind so far ("some rounds"). */
  rounds: number;
}

/** VM_DESTROYED to one partition. */
export class OwedMessage implements Owed {
  readonly call: OwnCall = CALL_VM_DESTROYED;
  rounds = 0;
  runTarget = NOT_TAKEN;
  runMoved = false;
  readonly partition: number;
  /** Whether it had accepted VM_CREATED: then an end without its answer retires the VM id. */
  readonly accepted: boolean;
  /**
   * Whether what it has taken is still VM_CREATED: its answer decides whether VM_DESTROYED is owed at all.
   */
  createdUnderWay = false;

  constructor(partition: number, accepted: boolean) {
    this.partition = partition;
    this.accepted = accepted;
  }
}

/** RXTX_UNMAP of the VM's buffers at the SPMC. */
export class OwedUnmap implements Owed {
  readonly call: OwnCall = CALL_RXTX_UNMAP;
  rounds = 0;
  runTarget = NOT_TAKEN;
  runMoved = false;
}

/** Notifications that a partition may set for the VM: 64 bits in two words. */
export interface Binding {
  readonly sender: number;
  low: number;
  high: number;
}

/** NOTIFICATION_BITMAP_DESTROY. */
export class OwedBitmap implements Owed {
  readonly call: OwnCall = CALL_BITMAP_DESTROY;
  rounds = 0;
  runTarget = NOT_TAKEN;
  runMoved = false;
  /** Whether what was pending and bound has been taken and unbound. */
  drained = false;
  readonly bindings: readonly Binding[];

  constructor(bindings: readonly Binding[]) {
    this.bindings = bindings;
  }
}

/** MEM_RELINQUISH on behalf of a dead borrower. */
export class OwedRelinquish implements Owed {
  readonly call: OwnCall = CALL_MEM_RELINQUISH;
  rounds = 0;
  runTarget = NOT_TAKEN;
  runMoved = false;
  readonly handleLow: number;
  readonly handleHigh: number;

  constructor(handleLow: number, handleHigh: number) {
    this.handleLow = handleLow;
    this.handleHigh = handleHigh;
  }
}

/**
 * The end of a send of which fragments are missing. FF-A has no call for it: the rest is sent as constituents that no
 * SPMC can accept, and should one accept them all the same, the transaction is whole and is reclaimed.
 */
export class OwedAbort implements Owed {
  readonly call: OwnCall = CALL_MEM_SEND;
  rounds = 0;
  runTarget = NOT_TAKEN;
  runMoved = false;
  /** Bytes of the last fragment that went out. */
  lastLength = 0;
  readonly partial: PartialSend;

  constructor(partial: PartialSend) {
    this.partial = partial;
  }
}

/** FFA_RUN of a partition vCPU that was preempted while it served the dead guest; its reply reaches nobody. */
export class OwedRun implements Owed {
  readonly call: OwnCall = CALL_RUN_OUT;
  rounds = 0;
  runTarget: number;
  runMoved = false;

  constructor(target: number) {
    this.runTarget = target;
  }
}
