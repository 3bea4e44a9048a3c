// Where SPMCs disagree, a personality chooses: data, and where data is not enough a small strategy. No handler asks
// which SPMC it is; it asks what this SPMC does. docs/personalities.md says what of each is imitated.
//
// The state machine of pages is everybody's: who may touch a page never depends on the personality.

import type { FFA_OK, FfaErrorCode } from '../abi/errors.ts';
import { SMC64_BIT } from '../abi/function-ids.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import type { NotificationRules } from './notification-rules.ts';
import type { Partition } from './partition.ts';
import type { Spmc } from './spmc.ts';
import type { Receiver, Transaction, TransactionKind } from './transaction.ts';

/**
 * The shape of a handle: `slot-index`: the transaction's slot, reused at once [Hafnium ffa_memory.h]; `counting`: never
 * the same twice until 2^32 of them are used up [TF-A spmc_shared_mem.c]; `guest`: the sender's id and an index
 * [OP-TEE thread_spmc.c].
 */
export type HandleShape = 'slot-index' | 'counting' | 'guest';

/** What the flags of memory calls may say, and whether they do anything. */
export interface FlagRules {
  /** Flags that a send of the kind may have. */
  sendMask(kind: TransactionKind): number;
  /** Flags are looked at for form only: none of them does anything. */
  readonly ignored: boolean;
  checkRetrieve(transaction: Transaction, own: Receiver, flags: number): FfaErrorCode | typeof FFA_OK;
  checkRelinquish(flags: number): FfaErrorCode | typeof FFA_OK;
  checkReclaim(byPartition: boolean, flags: number): FfaErrorCode | typeof FFA_OK;
}

/** Memory transactions. */
export interface MemoryRules {
  readonly flags: FlagRules;
  /** What partitions may send; with which error all else is refused. */
  readonly partitionSends: readonly TransactionKind[];
  readonly partitionSendError: FfaErrorCode;
  /** Whether a partition may send in fragments. */
  readonly partitionFragments: boolean;
  /** Whether partitions may reclaim, and the normal world relinquish (for VMs that borrow). */
  readonly partitionReclaims: boolean;
  readonly normalWorldRelinquishes: boolean;
  /** A page of a send is in another transaction. */
  readonly sharedPageError: FfaErrorCode;
  /** A retrieve or relinquish of a handle that is not live. */
  readonly unknownHandleError: FfaErrorCode;
  /** A retrieve that names another sender. */
  readonly wrongSenderError: FfaErrorCode;
  /** A retrieve, or a read of its response, while RX is full. */
  readonly rxFullError: FfaErrorCode;
  /** A relinquish of what the caller does not hold, or in another's name. */
  readonly notHeldError: FfaErrorCode;
  /** How often a borrower may retrieve without relinquishing; it relinquishes as often. */
  readonly retrievesPerBorrower: number;
  /** Whether the fragment of a response that was read last can be read again. */
  readonly rereadsFragment: boolean;
  /** Whether a response that does not fit RX can be read in fragments. */
  readonly fragmentedResponses: boolean;
  /** Whether a response states its handle and its own length, not those of the buffer. */
  readonly exactResponse: boolean;
  /** Whether a sender's descriptor may lie in a buffer of its own, named in w3 and w4. */
  readonly senderBuffers: boolean;
}

/** VM availability messages. */
export interface AvailabilityRules {
  /** Whether the framework message in `r` is relayed to the partition. */
  check(receiver: Partition, r: RegisterFile): FfaErrorCode | typeof FFA_OK;
  /** A message that a VM is destroyed is about to be relayed. */
  destroyed(spmc: Spmc, vmId: number): void;
}

export interface Personality {
  readonly name: string;
  readonly handleShape: HandleShape;
  /** Functions, in either form, that are not there: FFA_ERROR NOT_SUPPORTED, from FFA_FEATURES too. */
  readonly absentFunctions: readonly number[];
  /** Whether FFA_RXTX_MAP and FFA_NOTIFICATION_INFO_GET are there in their 32-bit forms too. */
  readonly narrowForms: boolean;
  /** Size of a partition information descriptor to a caller of 1.1 or later. */
  readonly partitionInfoSizeBytes: number;
  /** A direct request to a partition that does not take such. */
  readonly requestNotTakenError: FfaErrorCode;
  /** A call to a partition that has crashed. */
  readonly crashedPartitionError: FfaErrorCode;
  /** What a partition that crashed held is relinquished and what it sent reclaimed, or both stay until the end. */
  readonly freesOnAbort: boolean;
  readonly notifications: NotificationRules;
  readonly memory: MemoryRules;
  readonly availability: AvailabilityRules;
  /** `POWER_MANAGEMENT_...` bits: what partitions are told of, if they asked for it. */
  readonly powerManagement: number;
  /** Whether FFA_ERROR of a partition answers the request that it serves; else it is NOT_SUPPORTED. */
  readonly errorAnswersRequest: boolean;
}

/** Whether it lacks a function, in either form. */
export function lacks(personality: Personality, functionId: number): boolean {
  const narrow = (functionId & ~SMC64_BIT) >>> 0;
  return personality.absentFunctions.some((absent) => (absent & ~SMC64_BIT) >>> 0 === narrow);
}
