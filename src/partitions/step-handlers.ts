// What each kind of step does: how it begins, and how it goes on after an exit.

import { assert } from '../base/assert.ts';
import { NS_PER_S, NS_PER_US } from '../base/units.ts';
import type { VcpuContext } from '../hardware/partition-entry.ts';
import * as call from './call-steps.ts';
import { CALL_DONE, CALL_MADE, type CallStep, type Operation } from './caller.ts';
import type { GuestScript } from './guest-script.ts';
import type { Condition, GuestStep, UntilStep } from './guest-step.ts';
import type { GuestVcpu } from './guest-vcpu.ts';
import * as memory from './memory-steps.ts';
import { OUTCOME_FAULT, OUTCOME_SUCCESS, OUTCOME_TIMEOUT } from './outcome.ts';

/**
 * - `call`: the registers hold a call;  `wait`: until `vcpu.untilNs`;  `idle`: until an interrupt;
 * - `over`: the step is done and has an outcome to judge;  `done`: it is done, nothing to judge;
 * - `entered`: a list inside begins;  `stop`, `crash`: the end.
 */
export type Progress = 'call' | 'wait' | 'idle' | 'over' | 'done' | 'entered' | 'stop' | 'crash';

const UNTIL_EVERY_NS = 100 * NS_PER_US;
const UNTIL_TIMEOUT_NS = 60 * NS_PER_S;
const REWRITE_EVERY_NS = NS_PER_US;

/** Begins a step. */
export function beginStep(script: GuestScript, vcpu: GuestVcpu, step: GuestStep, context: VcpuContext): Progress {
  switch (step.step) {
    case 'wait':
      vcpu.activity = 'wait';
      vcpu.untilNs = context.nowNs + step.durationNs;
      return 'wait';
    case 'set':
      script.variables.set(script.nameOf(vcpu, step.name), step.value);
      return 'done';
    case 'until':
      vcpu.activity = 'poll';
      vcpu.timeoutNs = context.nowNs + (step.timeoutNs ?? UNTIL_TIMEOUT_NS);
      return goOnWithStep(script, vcpu, step, context);
    case 'repeat':
      vcpu.frames[vcpu.frames.length - 1].at++;
      vcpu.frames.push({ steps: step.steps, at: 0, iteration: 0, times: step.times });
      return 'entered';
    case 'stop':
    case 'crash':
      return step.step;
    case 'write':
      vcpu.outcome = memory.writeMemory(script, vcpu, step, context);
      return 'over';
    case 'read':
      vcpu.outcome = memory.readMemory(script, vcpu, step, context);
      return 'over';
    case 'tx':
      vcpu.outcome = memory.writeTx(script, step, context);
      return 'over';
    case 'rewrite-tx':
      vcpu.activity = 'rewrite';
      vcpu.writeCount = 0;
      vcpu.untilNs = 0;
      return goOnWithStep(script, vcpu, step, context);
    case 'call':
      vcpu.activity = 'raw-call';
      call.makeRawCall(script, vcpu, step, context);
      return 'call';
    default: {
      const begun = call.operationOf(script, vcpu, step);
      if (typeof begun === 'number') {
        vcpu.outcome = begun;
        return 'over';
      }
      return beginOperation(script, vcpu, step, context, begun);
    }
  }
}

/** Goes on with a step after an exit: an answer is in the registers, or time has passed. */
export function goOnWithStep(script: GuestScript, vcpu: GuestVcpu, step: GuestStep, context: VcpuContext): Progress {
  switch (vcpu.activity) {
    case 'operation':
      return progressOf(script, vcpu, step, context, vcpu.caller.resume(context));
    case 'raw-call':
      assert(step.step === 'call', 'a raw call belongs to a call step');
      vcpu.outcome = call.readRawAnswer(script, vcpu, step, context);
      return 'over';
    case 'wait':
      return context.nowNs < vcpu.untilNs ? 'wait' : 'done';
    case 'poll':
      assert(step.step === 'until', 'only until polls');
      return poll(script, vcpu, step, context);
    case 'rewrite': {
      assert(step.step === 'rewrite-tx', 'only rewrite-tx rewrites');
      if (context.nowNs < vcpu.untilNs) return 'wait';
      if (vcpu.writeCount >= step.times) return 'done';
      const offset = step.offset ?? 0;
      if (!memory.rewriteTx(script, offset, step.hex[vcpu.writeCount % step.hex.length], context)) {
        vcpu.outcome = OUTCOME_FAULT;
        return 'over';
      }
      vcpu.writeCount++;
      vcpu.untilNs = context.nowNs + (step.everyNs ?? REWRITE_EVERY_NS);
      return 'wait';
    }
    case 'none':
      return beginStep(script, vcpu, step, context);
  }
}

function beginOperation(
  script: GuestScript,
  vcpu: GuestVcpu,
  step: GuestStep,
  context: VcpuContext,
  operation: Operation,
): Progress {
  vcpu.activity = 'operation';
  const once = step.step === 'run' || (step.step === 'message' && step.onInterrupt === 'return');
  const policy = once ? { ...script.policy, runCount: 0 } : script.policy;
  vcpu.operation = operation;
  return progressOf(script, vcpu, step, context, vcpu.caller.begin(operation, context, policy));
}

function progressOf(
  script: GuestScript,
  vcpu: GuestVcpu,
  step: GuestStep,
  context: VcpuContext,
  made: CallStep,
): Progress {
  if (made === CALL_MADE) return 'call';
  if (made !== CALL_DONE) {
    vcpu.untilNs = vcpu.caller.waitUntilNs;
    return 'wait';
  }
  vcpu.outcome = call.operationOver(script, vcpu, step, context, vcpu.caller.outcome);
  vcpu.operation = null;
  return 'over';
}

function poll(script: GuestScript, vcpu: GuestVcpu, step: UntilStep, context: VcpuContext): Progress {
  if (holds(script, vcpu, step.condition, context)) {
    vcpu.outcome = OUTCOME_SUCCESS;
    return 'over';
  }
  if (context.nowNs >= vcpu.timeoutNs) {
    vcpu.outcome = OUTCOME_TIMEOUT;
    return 'over';
  }
  let next = context.nowNs + (step.everyNs ?? UNTIL_EVERY_NS);
  if ('timeNs' in step.condition) next = step.condition.timeNs;
  vcpu.untilNs = Math.min(next, vcpu.timeoutNs);
  return 'wait';
}

function holds(script: GuestScript, vcpu: GuestVcpu, condition: Condition, context: VcpuContext): boolean {
  if ('variable' in condition) {
    return (script.variables.get(script.nameOf(vcpu, condition.variable)) ?? 0) === condition.is;
  }
  if ('region' in condition) return script.region(vcpu, condition.region)?.state === condition.state;
  if ('interrupt' in condition) return vcpu.useInterrupt(condition.interrupt);
  if ('timeNs' in condition) return context.nowNs >= condition.timeNs;
  return memory.byteAt(script, vcpu, condition.address, context) === condition.byte;
}
