// Hafnium as SPMC at S-EL2: the default. Its memory management is held to recordings of the real one.

import {
  FFA_ABORTED,
  FFA_BUSY,
  FFA_DENIED,
  FFA_INVALID_PARAMETERS,
  FFA_OK,
  type FfaErrorCode,
} from '../../abi/errors.ts';
import {
  DATA_ACCESS_MASK,
  DATA_ACCESS_RO,
  MEMORY_FLAG_ALIGNMENT_HINT_MASK,
  MEMORY_FLAG_ALIGNMENT_HINT_VALID,
  MEMORY_FLAG_ZERO,
  MEMORY_FLAG_ZERO_AFTER_RELINQUISH,
  MEMORY_FLAGS_RETRIEVE_MASK,
  MEMORY_FLAGS_SEND_MASK,
} from '../../abi/layout/memory-bits.ts';
import { PARTITION_INFO_1_1_SIZE_BYTES } from '../../abi/layout/partition-information.ts';
import { refuse } from '../memory-checks.ts';
import { HAFNIUM_NOTIFICATIONS } from '../notification-rules.ts';
import { POWER_MANAGEMENT_CPU_OFF } from '../partition-setup.ts';
import type { AvailabilityRules, FlagRules, MemoryRules, Personality } from '../personality.ts';
import { KIND_DONATE, KIND_LEND, KIND_SHARE, type Receiver, type Transaction } from '../transaction.ts';
import { checkVmAvailability } from '../vm-availability.ts';

const FLAGS: FlagRules = {
  sendMask(kind) {
    return kind === KIND_SHARE ? MEMORY_FLAGS_SEND_MASK & ~MEMORY_FLAG_ZERO : MEMORY_FLAGS_SEND_MASK;
  },
  ignored: false,
  checkRetrieve: checkRetrieveFlags,
  checkRelinquish() {
    return FFA_OK;
  },
  checkReclaim() {
    return FFA_OK;
  },
};

function checkRetrieveFlags(transaction: Transaction, own: Receiver, flags: number): FfaErrorCode | typeof FFA_OK {
  if ((flags & ~MEMORY_FLAGS_RETRIEVE_MASK) !== 0) return refuse('retrieve: flags exist');
  if ((flags & (MEMORY_FLAG_ALIGNMENT_HINT_MASK | MEMORY_FLAG_ALIGNMENT_HINT_VALID)) !== 0) {
    return refuse('retrieve: no alignment hint');
  }
  const zeroing = flags & (MEMORY_FLAG_ZERO | MEMORY_FLAG_ZERO_AFTER_RELINQUISH);
  if (zeroing === 0) return FFA_OK;
  if (transaction.kind === KIND_SHARE) return refuse('retrieve: no zeroing of a share');
  if ((own.permissions & DATA_ACCESS_MASK) === DATA_ACCESS_RO) return refuse('retrieve: no zeroing when read-only');
  const sent = transaction.flags & MEMORY_FLAG_ZERO;
  if ((flags & MEMORY_FLAG_ZERO) !== 0 && sent === 0) return refuse('retrieve: zeroed only as sent');
  return FFA_OK;
}

export const HAFNIUM_MEMORY: MemoryRules = {
  flags: FLAGS,
  partitionSends: [KIND_SHARE, KIND_LEND, KIND_DONATE],
  partitionSendError: FFA_DENIED,
  partitionFragments: true,
  partitionReclaims: true,
  normalWorldRelinquishes: true,
  sharedPageError: FFA_DENIED,
  unknownHandleError: FFA_INVALID_PARAMETERS,
  wrongSenderError: FFA_DENIED,
  rxFullError: FFA_BUSY,
  notHeldError: FFA_INVALID_PARAMETERS,
  retrievesPerBorrower: 1,
  rereadsFragment: false,
  fragmentedResponses: true,
  exactResponse: true,
  senderBuffers: false,
};

/** Relayed to those that asked for it; what a VM sent stays as it is until it is reclaimed. */
const HAFNIUM_AVAILABILITY: AvailabilityRules = {
  check: checkVmAvailability,
  destroyed() {},
};

/** [Hafnium api.c] */
export const HAFNIUM_PERSONALITY: Personality = {
  name: 'hafnium',
  handleShape: 'slot-index',
  absentFunctions: [],
  narrowForms: false,
  notifications: HAFNIUM_NOTIFICATIONS,
  partitionInfoSizeBytes: PARTITION_INFO_1_1_SIZE_BYTES,
  requestNotTakenError: FFA_DENIED,
  crashedPartitionError: FFA_ABORTED,
  freesOnAbort: true,
  memory: HAFNIUM_MEMORY,
  availability: HAFNIUM_AVAILABILITY,
  powerManagement: POWER_MANAGEMENT_CPU_OFF,
  errorAnswersRequest: false,
};
