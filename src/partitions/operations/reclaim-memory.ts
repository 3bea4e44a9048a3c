// FFA_MEM_RECLAIM: the owner takes its memory back.

import { FFA_MEM_RECLAIM, FFA_SUCCESS_32 } from '../../abi/function-ids.ts';
import type { CallContext, Caller, CallStep, Operation } from '../caller.ts';
import type { MemoryRegion } from '../memory-region.ts';
import { OUTCOME_SUCCESS, OUTCOME_UNEXPECTED } from '../outcome.ts';

export class ReclaimMemory implements Operation {
  private readonly region: MemoryRegion;
  private readonly flags: number;

  /** `flags`: `RECLAIM_FLAG_...`. */
  constructor(region: MemoryRegion, flags = 0) {
    this.region = region;
    this.flags = flags;
  }

  start(caller: Caller, context: CallContext): CallStep {
    return caller.call(context, FFA_MEM_RECLAIM, this.region.handleLow, this.region.handleHigh, this.flags);
  }

  answered(caller: Caller, context: CallContext): CallStep {
    if (context.registers.w(0) !== FFA_SUCCESS_32) return caller.finish(OUTCOME_UNEXPECTED);
    this.region.state = 'reclaimed';
    return caller.finish(OUTCOME_SUCCESS);
  }
}
