// One vCPU as a caller of FF-A: a machine over registers and memory, without coroutines or promises. An operation (send
// memory, retrieve, ask a partition ...) is one or more calls in a row; the caller makes them one by one:
//
//     step = caller.begin(operation, context);        // registers hold the first call
//     while (step !== CALL_DONE) {
//       if (step === CALL_MADE) ... make the call, put the answer into the same registers ...
//       else ... let time pass until caller.waitUntilNs ...
//       step = caller.resume(context);
//     }
//     caller.outcome                                   // SUCCESS, an FF-A error, or why it went wrong
//
// What every call has in common is here: FFA_ERROR, w0 = -1, BUSY and RETRY (the same request again, after a while, a
// few times), FFA_INTERRUPT and FFA_YIELD (FFA_RUN the partition that w1 names until it answers).
//
// A context is any (registers, memory, time); see hardware's VcpuContext.

import { FFA_BUSY, FFA_NOT_SUPPORTED, FFA_RETRY } from '../abi/errors.ts';
import { FFA_ERROR, FFA_INTERRUPT, FFA_RUN, FFA_YIELD } from '../abi/function-ids.ts';
import type { Nanoseconds } from '../base/units.ts';
import { NS_PER_MS, NS_PER_US } from '../base/units.ts';
import type { PartitionMemory } from '../hardware/partition-entry.ts';
import { RegisterFile } from '../hardware/registers.ts';
import type { Endpoint } from './endpoint.ts';
import { OUTCOME_INTERRUPT, OUTCOME_SUCCESS, OUTCOME_UNEXPECTED, OUTCOME_YIELD, type Outcome } from './outcome.ts';

/** What the caller needs of a vCPU. */
export interface CallContext {
  readonly registers: RegisterFile;
  readonly memory: PartitionMemory;
  readonly nowNs: Nanoseconds;
}

export type CallStep = 1 | 2 | 3;
/** The registers hold a call to make. */
export const CALL_MADE = 1;
/** The operation is over; `outcome` says how. */
export const CALL_DONE = 2;
/** Nothing to do before `waitUntilNs`. */
export const CALL_WAIT = 3;

/** One thing that an endpoint does, in one or more calls. Its state is plain fields. */
export interface Operation {
  /** Makes the first call. Begun anew when it had to wait for a buffer. */
  start(caller: Caller, context: CallContext): CallStep;
  /** Reads an answer that is no error, and makes the next call or finishes. */
  answered(caller: Caller, context: CallContext): CallStep;
  /** Instead of the same request again after BUSY or RETRY: makes another one. */
  again?(caller: Caller, context: CallContext, code: number): CallStep;
  /** Told when the last call was answered with an error, before the operation ends with it. */
  failed?(caller: Caller, outcome: Outcome): void;
}

/** What to do when an answer is not final. */
export interface CallPolicy {
  /** How often a request is repeated that got BUSY or RETRY. */
  readonly repeatCount: number;
  /** How long to wait before each repetition. */
  readonly repeatDelayNs: Nanoseconds;
  /** How often FFA_RUN is called for one request; 0: FFA_INTERRUPT and FFA_YIELD end the operation. */
  readonly runCount: number;
  /** How long to wait after FFA_YIELD before FFA_RUN. */
  readonly yieldDelayNs: Nanoseconds;
}

/** As a patient driver does it: ten repetitions 1 ms apart; FFA_RUN at once after an interrupt, 1 ms after a yield. */
export const DEFAULT_CALL_POLICY: CallPolicy = {
  repeatCount: 10,
  repeatDelayNs: NS_PER_MS,
  runCount: 10_000,
  yieldDelayNs: NS_PER_MS,
};

/** How long a vCPU waits before it looks again whether a sibling has finished with a buffer. */
const BUFFER_POLL_NS = NS_PER_US;

type Phase = 0 | 1 | 2 | 3 | 4;
const PHASE_IDLE = 0;
const PHASE_ANSWER = 1;
const PHASE_START = 2;
const PHASE_REPEAT = 3;
const PHASE_RUN = 4;

export class Caller {
  readonly endpoint: Endpoint;
  /** Index of the vCPU: whose claim on the buffers it is. */
  readonly vcpu: number;
  policy: CallPolicy = DEFAULT_CALL_POLICY;
  operation: Operation | null = null;
  outcome: Outcome = OUTCOME_SUCCESS;
  waitUntilNs: Nanoseconds = 0;
  private phase: Phase = PHASE_IDLE;
  private repeats = 0;
  /** BUSY or RETRY, whichever came last. */
  private repeatCode = 0;
  private runs = 0;
  /** w1 of the FFA_INTERRUPT or FFA_YIELD that came last: whom to run. */
  private runTarget = 0;
  /** The request under way, for a repetition. */
  private readonly request = new RegisterFile();

  constructor(endpoint: Endpoint, vcpu: number) {
    this.endpoint = endpoint;
    this.vcpu = vcpu;
  }

  reset(): void {
    this.operation = null;
    this.outcome = OUTCOME_SUCCESS;
    this.waitUntilNs = 0;
    this.phase = PHASE_IDLE;
    this.policy = DEFAULT_CALL_POLICY;
  }

  /** Starts an operation; the one before must be over. */
  begin(operation: Operation, context: CallContext, policy: CallPolicy = DEFAULT_CALL_POLICY): CallStep {
    this.operation = operation;
    this.policy = policy;
    this.repeats = 0;
    this.runs = 0;
    this.phase = PHASE_START;
    return operation.start(this, context);
  }

  /** Goes on: the answer to the last call is in the registers, or the time to wait has passed. */
  resume(context: CallContext): CallStep {
    const operation = this.operation;
    if (operation === null) return CALL_DONE;
    switch (this.phase) {
      case PHASE_ANSWER:
        return this.read(operation, context);
      case PHASE_START:
        return context.nowNs < this.waitUntilNs ? CALL_WAIT : operation.start(this, context);
      case PHASE_REPEAT:
        if (context.nowNs < this.waitUntilNs) return CALL_WAIT;
        if (this.repeats > 0 && operation.again !== undefined) return operation.again(this, context, this.repeatCode);
        context.registers.copy(this.request);
        this.phase = PHASE_ANSWER;
        return CALL_MADE;
      case PHASE_RUN:
        return context.nowNs < this.waitUntilNs ? CALL_WAIT : this.run(context);
      default:
        return CALL_DONE;
    }
  }

  /** For operations: a call with w0..w7; the other registers are zero. */
  call(context: CallContext, w0: number, w1 = 0, w2 = 0, w3 = 0, w4 = 0, w5 = 0, w6 = 0, w7 = 0): CallStep {
    context.registers.set8(w0, w1, w2, w3, w4, w5, w6, w7);
    context.registers.clear(8);
    return this.made(context);
  }

  /** For operations: the call is in the registers. */
  made(context: CallContext): CallStep {
    this.request.copy(context.registers);
    this.runs = 0;
    this.phase = PHASE_ANSWER;
    return CALL_MADE;
  }

  /** For operations: the end. Gives the buffers back. */
  finish(outcome: Outcome): CallStep {
    this.outcome = outcome;
    this.operation = null;
    this.phase = PHASE_IDLE;
    this.endpoint.releaseBuffers(this.vcpu);
    return CALL_DONE;
  }

  /** For operations, in `start`: another vCPU uses a buffer; `start` is called again a little later. */
  startLater(context: CallContext): CallStep {
    this.waitUntilNs = context.nowNs + BUFFER_POLL_NS;
    this.phase = PHASE_START;
    return CALL_WAIT;
  }

  /** For operations: the call in the registers is made `delayNs` from now. */
  madeLater(context: CallContext, delayNs: Nanoseconds): CallStep {
    this.made(context);
    if (delayNs <= 0) return CALL_MADE;
    this.waitUntilNs = context.nowNs + delayNs;
    this.phase = PHASE_REPEAT;
    return CALL_WAIT;
  }

  private read(operation: Operation, context: CallContext): CallStep {
    const registers = context.registers;
    switch (registers.w(0)) {
      case FFA_ERROR:
        return this.failed(operation, context, registers.w(2) | 0);
      case 0xffff_ffff:
        return this.fail(operation, FFA_NOT_SUPPORTED);
      case FFA_INTERRUPT:
        return this.interrupted(operation, context, OUTCOME_INTERRUPT);
      case FFA_YIELD:
        return this.interrupted(operation, context, OUTCOME_YIELD);
      default:
        this.repeats = 0;
        return operation.answered(this, context);
    }
  }

  private failed(operation: Operation, context: CallContext, code: number): CallStep {
    if (code >= 0) return this.fail(operation, OUTCOME_UNEXPECTED);
    if ((code !== FFA_BUSY && code !== FFA_RETRY) || this.repeats >= this.policy.repeatCount) {
      return this.fail(operation, code);
    }
    this.repeats++;
    this.repeatCode = code;
    // A partition that was preempted and then refuses FFA_RUN is asked to run again, not asked the first question
    // again.
    this.phase = this.runs > 0 ? PHASE_RUN : PHASE_REPEAT;
    this.waitUntilNs = context.nowNs + this.policy.repeatDelayNs;
    return CALL_WAIT;
  }

  private interrupted(operation: Operation, context: CallContext, how: Outcome): CallStep {
    if (this.runs >= this.policy.runCount) return this.fail(operation, how);
    this.runs++;
    this.runTarget = context.registers.w(1);
    if (how === OUTCOME_INTERRUPT) return this.run(context);
    this.waitUntilNs = context.nowNs + this.policy.yieldDelayNs;
    this.phase = PHASE_RUN;
    return CALL_WAIT;
  }

  private run(context: CallContext): CallStep {
    context.registers.set8(FFA_RUN, this.runTarget);
    context.registers.clear(8);
    this.phase = PHASE_ANSWER;
    return CALL_MADE;
  }

  private fail(operation: Operation, outcome: Outcome): CallStep {
    operation.failed?.(this, outcome);
    return this.finish(outcome);
  }
}
