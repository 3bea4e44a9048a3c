// Where SPMCs disagree, a personality chooses: data, and where data is not enough a small strategy. No handler asks
// which SPMC it is; it asks what this SPMC does.

import { FFA_ABORTED, FFA_DENIED, FFA_INVALID_PARAMETERS, type FfaErrorCode } from '../abi/errors.ts';
import { PARTITION_INFO_1_1_SIZE_BYTES } from '../abi/layout/partition-information.ts';

/**
 * The shape of a handle: `slot-index`: the transaction's slot, reused at once [Hafnium ffa_memory.h]; `counting`: never
 * the same twice until 2^32 of them are used up [TF-A spmc_shared_mem.c]; `guest`: the sender's id and an index
 * [OP-TEE thread_spmc.c].
 */
export type HandleShape = 'slot-index' | 'counting' | 'guest';

export interface Personality {
  readonly name: string;
  readonly handleShape: HandleShape;
  /** Size of a partition information descriptor to a caller of 1.1 or later. */
  readonly partitionInfoSizeBytes: number;
  /** A direct request to a partition that does not take such. */
  readonly requestNotTakenError: FfaErrorCode;
  /** A call to a partition that has crashed. */
  readonly crashedPartitionError: FfaErrorCode;
  /** A retrieve or relinquish of a handle that is not live. */
  readonly unknownHandleError: FfaErrorCode;
  /** What a crashed partition still held: given back for it, or held until the end. */
  readonly relinquishOnCrash: boolean;
}

/** Hafnium as SPMC at S-EL2 [Hafnium api.c]. */
export const HAFNIUM_PERSONALITY: Personality = {
  name: 'hafnium',
  handleShape: 'slot-index',
  partitionInfoSizeBytes: PARTITION_INFO_1_1_SIZE_BYTES,
  requestNotTakenError: FFA_DENIED,
  crashedPartitionError: FFA_ABORTED,
  unknownHandleError: FFA_INVALID_PARAMETERS,
  relinquishOnCrash: false,
};
