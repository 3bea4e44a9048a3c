// OP-TEE as SPMC at S-EL1: partitions share among themselves, borrowers are counted, buffers may be the sender's own,
// and what a destroyed VM left behind can always be reclaimed.

import { FFA_DENIED, FFA_NOT_SUPPORTED, FFA_OK } from '../../abi/errors.ts';
import { FFA_MEM_DONATE_32, FFA_MEM_FRAG_RX, FFA_MSG_SEND2, FFA_RX_ACQUIRE } from '../../abi/function-ids.ts';
import { MEMORY_FLAG_ZERO_AFTER_RELINQUISH, RECLAIM_FLAG_ZERO } from '../../abi/layout/memory-bits.ts';
import { VM_CREATED_REQ_W2, VM_DESTROYED_REQ_W2 } from '../../abi/layout/messages.ts';
import { PARTITION_INFO_1_1_SIZE_BYTES } from '../../abi/layout/partition-information.ts';
import { refuse } from '../memory-checks.ts';
import { takeBackFrom } from '../memory-reclaim.ts';
import type { AvailabilityRules, FlagRules, Personality } from '../personality.ts';
import { KIND_SHARE } from '../transaction.ts';
import { checkVmAvailability } from '../vm-availability.ts';
import { HAFNIUM_MEMORY, HAFNIUM_PERSONALITY } from './hafnium.ts';

/** Flags fit a byte, and all but one of them say nothing. [OP-TEE spmc_sp_handler.c] */
const FLAGS: FlagRules = {
  sendMask() {
    return 0xff;
  },
  ignored: true,
  checkRetrieve(_transaction, _own, flags) {
    if ((flags & MEMORY_FLAG_ZERO_AFTER_RELINQUISH) !== 0) return refuse('retrieve: no zeroing of a share');
    return (flags & ~0xff) === 0 ? FFA_OK : refuse('retrieve: flags exist');
  },
  checkRelinquish() {
    return FFA_OK;
  },
  checkReclaim(byPartition, flags) {
    return !byPartition && (flags & RECLAIM_FLAG_ZERO) !== 0 ? refuse('reclaim: flags', FFA_DENIED) : FFA_OK;
  },
};

/** [OP-TEE thread_spmc.c] */
const AVAILABILITY: AvailabilityRules = {
  check(receiver, r) {
    const w2 = r.w(2);
    const known = w2 === VM_CREATED_REQ_W2 || w2 === VM_DESTROYED_REQ_W2;
    return known ? checkVmAvailability(receiver, r) : FFA_NOT_SUPPORTED;
  },
  // The VM's memory is nobody's to use any more: what it shared comes back whether it was relinquished or not.
  destroyed: takeBackFrom,
};

export const OPTEE_PERSONALITY: Personality = {
  ...HAFNIUM_PERSONALITY,
  name: 'optee',
  handleShape: 'guest',
  absentFunctions: [FFA_MEM_DONATE_32, FFA_MEM_FRAG_RX, FFA_MSG_SEND2, FFA_RX_ACQUIRE],
  narrowForms: true,
  requestNotTakenError: FFA_NOT_SUPPORTED,
  partitionInfoSizeBytes: PARTITION_INFO_1_1_SIZE_BYTES,
  freesOnAbort: false,
  notifications: { perVcpu: false, perVcpuError: FFA_DENIED, reporting: 'level' },
  memory: {
    ...HAFNIUM_MEMORY,
    flags: FLAGS,
    partitionSends: [KIND_SHARE],
    partitionSendError: FFA_NOT_SUPPORTED,
    partitionFragments: false,
    unknownHandleError: FFA_DENIED,
    notHeldError: FFA_DENIED,
    rxFullError: FFA_DENIED,
    retrievesPerBorrower: 255,
    fragmentedResponses: false,
    exactResponse: false,
    senderBuffers: true,
  },
  availability: AVAILABILITY,
  powerManagement: 0,
  errorAnswersRequest: true,
};
