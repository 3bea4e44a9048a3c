// TF-A as SPMC at EL3: one counter per memory object, no zeroing, no sends by partitions, no donation.

import { FFA_DENIED, FFA_INVALID_PARAMETERS, FFA_OK } from '../../abi/errors.ts';
import {
  FFA_MEM_DONATE_32,
  FFA_MSG_SEND2,
  FFA_NOTIFICATION_BIND,
  FFA_NOTIFICATION_BITMAP_CREATE,
  FFA_NOTIFICATION_BITMAP_DESTROY,
  FFA_NOTIFICATION_GET,
  FFA_NOTIFICATION_INFO_GET_32,
  FFA_NOTIFICATION_SET,
  FFA_NOTIFICATION_UNBIND,
  FFA_PARTITION_INFO_GET_REGS,
  FFA_RX_ACQUIRE,
} from '../../abi/function-ids.ts';
import { MEMORY_FLAG_TYPE_MASK, MEMORY_FLAG_TYPE_SHIFT } from '../../abi/layout/memory-bits.ts';
import { PARTITION_INFO_1_1_SIZE_BYTES } from '../../abi/layout/partition-information.ts';
import { refuse } from '../memory-checks.ts';
import { POWER_MANAGEMENT_CPU_OFF, POWER_MANAGEMENT_RESUME, POWER_MANAGEMENT_SUSPEND } from '../partition-setup.ts';
import type { AvailabilityRules, FlagRules, Personality } from '../personality.ts';
import { KIND_DONATE } from '../transaction.ts';
import { checkFrameworkRelay } from '../vm-availability.ts';
import { HAFNIUM_MEMORY, HAFNIUM_PERSONALITY } from './hafnium.ts';

/** No optional flag at all; the type of the transaction may be stated. [TF-A spmc_shared_mem.c] */
const FLAGS: FlagRules = {
  sendMask(kind) {
    return kind << MEMORY_FLAG_TYPE_SHIFT;
  },
  ignored: false,
  checkRetrieve(transaction, _own, flags) {
    if (flags === 0) return FFA_OK;
    if ((flags & ~MEMORY_FLAG_TYPE_MASK) !== 0 || transaction.kind === KIND_DONATE) {
      return refuse('retrieve: flags exist');
    }
    return FFA_OK;
  },
  checkRelinquish(flags) {
    return flags === 0 ? FFA_OK : refuse('relinquish: flags');
  },
  checkReclaim(_byPartition, flags) {
    return flags === 0 ? FFA_OK : refuse('reclaim: flags');
  },
};

/** Any framework message reaches the partition, whether it asked for it or not. */
const AVAILABILITY: AvailabilityRules = {
  check: checkFrameworkRelay,
  destroyed() {},
};

/** Handles count up and begin there again when the SPMC restarts. */
export const TFA_EL3_PERSONALITY: Personality = {
  ...HAFNIUM_PERSONALITY,
  name: 'tfa-el3',
  handleShape: 'counting',
  absentFunctions: [
    FFA_MEM_DONATE_32,
    FFA_MSG_SEND2,
    FFA_NOTIFICATION_BITMAP_CREATE,
    FFA_NOTIFICATION_BITMAP_DESTROY,
    FFA_NOTIFICATION_BIND,
    FFA_NOTIFICATION_UNBIND,
    FFA_NOTIFICATION_SET,
    FFA_NOTIFICATION_GET,
    FFA_NOTIFICATION_INFO_GET_32,
    FFA_PARTITION_INFO_GET_REGS,
    FFA_RX_ACQUIRE,
  ],
  narrowForms: true,
  partitionInfoSizeBytes: PARTITION_INFO_1_1_SIZE_BYTES,
  freesOnAbort: false,
  memory: {
    ...HAFNIUM_MEMORY,
    flags: FLAGS,
    partitionSends: [],
    partitionSendError: FFA_INVALID_PARAMETERS,
    partitionReclaims: false,
    normalWorldRelinquishes: false,
    sharedPageError: FFA_INVALID_PARAMETERS,
    wrongSenderError: FFA_INVALID_PARAMETERS,
    rxFullError: FFA_DENIED,
    retrievesPerBorrower: Number.POSITIVE_INFINITY,
    rereadsFragment: true,
  },
  availability: AVAILABILITY,
  powerManagement: POWER_MANAGEMENT_CPU_OFF | POWER_MANAGEMENT_SUSPEND | POWER_MANAGEMENT_RESUME,
};
