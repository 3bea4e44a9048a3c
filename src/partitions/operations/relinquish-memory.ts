// FFA_MEM_RELINQUISH: a borrower gives back what it retrieved. The descriptor in TX names the borrower alone.

import { FFA_MEM_RELINQUISH, FFA_SUCCESS_32 } from '../../abi/function-ids.ts';
import { encodeRelinquish } from '../../abi/relinquish.ts';
import type { CallContext, Caller, CallStep, Operation } from '../caller.ts';
import type { MemoryRegion } from '../memory-region.ts';
import { OUTCOME_FAULT, OUTCOME_SUCCESS, OUTCOME_UNEXPECTED } from '../outcome.ts';

export class RelinquishMemory implements Operation {
  private readonly region: MemoryRegion;
  private readonly flags: number;

  /** `flags`: `RELINQUISH_FLAG_...`. */
  constructor(region: MemoryRegion, flags = 0) {
    this.region = region;
    this.flags = flags;
  }

  start(caller: Caller, context: CallContext): CallStep {
    const { endpoint } = caller;
    if (!endpoint.claimBuffers(caller.vcpu, false)) return caller.startLater(context);
    const { handleHigh, handleLow } = this.region;
    const handle = { low: handleLow, high: handleHigh };
    const bytes = encodeRelinquish({ handle, flags: this.flags, endpoints: [endpoint.id] });
    if (!context.memory.write(endpoint.txAddress, bytes, 0, bytes.length)) return caller.finish(OUTCOME_FAULT);
    return caller.call(context, FFA_MEM_RELINQUISH);
  }

  answered(caller: Caller, context: CallContext): CallStep {
    if (context.registers.w(0) !== FFA_SUCCESS_32) return caller.finish(OUTCOME_UNEXPECTED);
    this.region.state = 'relinquished';
    return caller.finish(OUTCOME_SUCCESS);
  }
}
