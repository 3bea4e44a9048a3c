// FFA_VERSION, then FFA_ID_GET. When the other side is older than what was asked for, it is asked again with its own
// version, so that both sides hold the same one. [Linux arm_ffa]

import { FFA_NOT_SUPPORTED } from '../../abi/errors.ts';
import { FFA_ID_GET, FFA_SUCCESS_32, FFA_VERSION } from '../../abi/function-ids.ts';
import { compareVersions, FFA_VERSION_MBZ_BIT, versionMajor } from '../../abi/versions.ts';
import type { CallContext, Caller, CallStep, Operation } from '../caller.ts';
import { OUTCOME_SUCCESS, OUTCOME_UNEXPECTED } from '../outcome.ts';

export class NegotiateVersion implements Operation {
  private readonly wanted: number;
  private readonly identify: boolean;
  private asked = 0;
  private identifying = false;

  /** `identify`: also learn the own id. */
  constructor(wanted: number, identify = true) {
    this.wanted = wanted;
    this.identify = identify;
  }

  start(caller: Caller, context: CallContext): CallStep {
    this.asked = this.wanted;
    return caller.call(context, FFA_VERSION, this.asked);
  }

  answered(caller: Caller, context: CallContext): CallStep {
    const { registers } = context;
    if (this.identifying) {
      if (registers.w(0) !== FFA_SUCCESS_32) return caller.finish(OUTCOME_UNEXPECTED);
      caller.endpoint.id = registers.w(2) & 0xffff;
      return caller.finish(OUTCOME_SUCCESS);
    }
    const theirs = registers.w(0);
    if ((theirs & FFA_VERSION_MBZ_BIT) !== 0) return caller.finish(OUTCOME_UNEXPECTED);
    if (versionMajor(theirs) !== versionMajor(this.asked)) return caller.finish(FFA_NOT_SUPPORTED);
    if (compareVersions(theirs, this.asked) < 0) {
      // Asked once more at most: its own version cannot be older than itself.
      if (this.asked !== this.wanted) return caller.finish(OUTCOME_UNEXPECTED);
      this.asked = theirs;
      return caller.call(context, FFA_VERSION, this.asked);
    }
    caller.endpoint.version = this.asked;
    if (!this.identify) return caller.finish(OUTCOME_SUCCESS);
    this.identifying = true;
    return caller.call(context, FFA_ID_GET);
  }
}
