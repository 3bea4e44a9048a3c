// FFA_RXTX_MAP and FFA_RXTX_UNMAP.

import { FFA_RXTX_MAP_32, FFA_RXTX_MAP_64, FFA_RXTX_UNMAP, FFA_SUCCESS_32 } from '../../abi/function-ids.ts';
import type { CallContext, Caller, CallStep, Operation } from '../caller.ts';
import { OUTCOME_SUCCESS, OUTCOME_UNEXPECTED } from '../outcome.ts';

/** Maps the endpoint's buffers, in the form of the call that fits the endpoint. */
export class MapBuffers implements Operation {
  start(caller: Caller, context: CallContext): CallStep {
    const { bits, bufferPages, rxAddress, txAddress } = caller.endpoint;
    const { registers } = context;
    registers.clear();
    registers.setW(0, bits === 64 ? FFA_RXTX_MAP_64 : FFA_RXTX_MAP_32);
    registers.setX(1, txAddress);
    registers.setX(2, rxAddress);
    registers.setW(3, bufferPages);
    return caller.made(context);
  }

  answered(caller: Caller, context: CallContext): CallStep {
    if (context.registers.w(0) !== FFA_SUCCESS_32) return caller.finish(OUTCOME_UNEXPECTED);
    caller.endpoint.buffersMapped = true;
    return caller.finish(OUTCOME_SUCCESS);
  }
}

/** Unmaps them. w1 must be zero at a virtual instance. [Linux arm_ffa] */
export class UnmapBuffers implements Operation {
  start(caller: Caller, context: CallContext): CallStep {
    return caller.call(context, FFA_RXTX_UNMAP);
  }

  answered(caller: Caller, context: CallContext): CallStep {
    if (context.registers.w(0) !== FFA_SUCCESS_32) return caller.finish(OUTCOME_UNEXPECTED);
    caller.endpoint.buffersMapped = false;
    return caller.finish(OUTCOME_SUCCESS);
  }
}
