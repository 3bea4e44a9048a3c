// FFA_RUN of a partition's vCPU: lets it go on where it was preempted or yielded. What comes back may be its answer
// to a direct request of this caller, another interruption, or that it waits for messages.

import * as id from '../../abi/function-ids.ts';
import { RUN_ENDPOINT_SHIFT, RUN_VCPU_MASK } from '../../abi/layout/messages.ts';
import type { CallContext, Caller, CallStep, Operation } from '../caller.ts';
import { OUTCOME_SUCCESS, OUTCOME_UNEXPECTED } from '../outcome.ts';

export class RunPartition implements Operation {
  private readonly partition: number;
  private readonly vcpu: number;

  constructor(partition: number, vcpu: number) {
    this.partition = partition;
    this.vcpu = vcpu;
  }

  start(caller: Caller, context: CallContext): CallStep {
    const target = ((this.partition << RUN_ENDPOINT_SHIFT) | (this.vcpu & RUN_VCPU_MASK)) >>> 0;
    return caller.call(context, id.FFA_RUN, target);
  }

  answered(caller: Caller, context: CallContext): CallStep {
    switch (context.registers.w(0)) {
      case id.FFA_MSG_SEND_DIRECT_RESP_32:
      case id.FFA_MSG_SEND_DIRECT_RESP_64:
      case id.FFA_MSG_SEND_DIRECT_RESP2:
      case id.FFA_MSG_WAIT:
      case id.FFA_SUCCESS_32:
        return caller.finish(OUTCOME_SUCCESS);
      default:
        return caller.finish(OUTCOME_UNEXPECTED);
    }
  }
}
