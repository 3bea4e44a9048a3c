// FFA_FEATURES: whether a function or feature is there, and its properties.

import { FFA_FEATURES, FFA_SUCCESS_32 } from '../../abi/function-ids.ts';
import type { CallContext, Caller, CallStep, Operation } from '../caller.ts';
import { OUTCOME_SUCCESS, OUTCOME_UNEXPECTED } from '../outcome.ts';

export class QueryFeatures implements Operation {
  /** The answer's w2 and w3. */
  w2 = 0;
  w3 = 0;
  private readonly asked: number;
  private readonly input: number;

  /** `asked`: a function id, or a feature id; `input`: the property that the caller states in w2. */
  constructor(asked: number, input = 0) {
    this.asked = asked;
    this.input = input;
  }

  start(caller: Caller, context: CallContext): CallStep {
    return caller.call(context, FFA_FEATURES, this.asked, this.input);
  }

  answered(caller: Caller, context: CallContext): CallStep {
    if (context.registers.w(0) !== FFA_SUCCESS_32) return caller.finish(OUTCOME_UNEXPECTED);
    this.w2 = context.registers.w(2);
    this.w3 = context.registers.w(3);
    return caller.finish(OUTCOME_SUCCESS);
  }
}
