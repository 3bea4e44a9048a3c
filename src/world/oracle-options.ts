// What the oracle holds against a hypervisor: the default profile is held to everything that it promises, an imitated
// Xen only to what Xen promises.

import type { Hypervisor } from '../hypervisor/hypervisor.ts';
import { RANK_RX, RANK_SPMC_RX, RANK_SPMC_TX, RANK_TX, RANK_VERSION } from '../hypervisor/lock-order.ts';
import { RecordLifecycle, SMCS_PER_HYPERCALL, SMCS_PER_TICK } from '../hypervisor/record-lifecycle.ts';
import { type OracleOptionsInput, RELAXATIONS, type Relaxation } from '../oracle/options.ts';

/**
 * Locks that may be held over an SMC: a guest's own, which nobody else may want for long, and those of the two buffers
 * that the hypervisor itself shares with the SPMC.
 */
const RANKS_OVER_SMC = [RANK_VERSION, RANK_RX, RANK_TX, RANK_SPMC_RX, RANK_SPMC_TX];
/** A call that has been begun is finished: it may need some SMCs more than the budget had left. */
const SMCS_TO_FINISH = 16;

const ALL_RELAXATIONS = Object.keys(RELAXATIONS) as Relaxation[];

/** `spmcSlots`: memory transactions that the SPMC keeps at once; 0: it is not ours, and is not judged. */
export function oracleOptions(hypervisor: Hypervisor, spmcSlots: number): OracleOptionsInput {
  const { limits, lifecycle } = hypervisor;
  const spmcJudged = spmcSlots > 0;
  if (!(lifecycle instanceof RecordLifecycle)) return { relax: ALL_RELAXATIONS, spmcJudged };
  return {
    smcsPerCallMax: SMCS_PER_HYPERCALL + SMCS_TO_FINISH,
    smcsPerTickMax: SMCS_PER_TICK + SMCS_TO_FINISH,
    lockRanksOverSmc: RANKS_OVER_SMC,
    spmcSlots,
    sharesPerGuestMax: limits.sharesPerGuest,
    sharesPerHostMax: limits.sharesPerHost,
    sharesReserved: limits.sharesReserved,
    sharesAssured: limits.sharesAssured,
    sharesPerBorrowerMax: limits.sharesPerBorrower,
    pinnedPagesPerGuestMax: limits.sharesPerGuest * limits.pagesPerShare,
    spmcJudged,
  };
}
