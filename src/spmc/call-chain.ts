// Call chains: a partition that serves a request may request something of another, and waits for it. Each context knows
// whose request it serves (`caller`) and for whom it waits (`callee`). A chain stays on its PE. A non-secure interrupt
// takes it apart: each caller gets FFA_INTERRUPT, and puts its link together again with FFA_RUN.

import { FFA_ABORTED } from '../abi/errors.ts';
import { FFA_MSG_WAIT } from '../abi/function-ids.ts';
import type { Pe } from '../hardware/pe.ts';
import { answerError } from './answers.ts';
import { endInterrupt } from './interrupts.ts';
import {
  type PartitionVcpu,
  REQUEST_NONE,
  RUNTIME_SECURE_INTERRUPT,
  VCPU_ABORTED,
  VCPU_BLOCKED,
  VCPU_RUNNING,
} from './partition.ts';
import { isHandlingInChain } from './runtime-models.ts';

/** `caller` waits for `callee`, which runs no interrupt more readily than the chain that it becomes part of. */
export function link(caller: PartitionVcpu, callee: PartitionVcpu): void {
  caller.callee = callee;
  caller.state = VCPU_BLOCKED;
  callee.scheduledBySpmc = caller.scheduledBySpmc;
}

/** `callee` no longer stands between its caller and whatever else that one calls. */
export function unlink(callee: PartitionVcpu): void {
  const { caller } = callee;
  if (caller !== null && caller.callee === callee) caller.callee = null;
}

/** Whether nobody is left who could run, or hear of, what the context does for its caller. */
export function isOrphan(vcpu: PartitionVcpu): boolean {
  return vcpu.caller !== null && isDead(vcpu.caller);
}

function isDead(vcpu: PartitionVcpu): boolean {
  return vcpu.state === VCPU_ABORTED || vcpu.partition.crashed;
}

/** The context's caller has its answer in its registers, and runs. */
export function resumeCaller(caller: PartitionVcpu): PartitionVcpu {
  caller.answered = true;
  caller.state = VCPU_RUNNING;
  return caller;
}

/**
 * The context is dead. Whose PE it had for an interrupt goes on; else its caller gets FFA_ERROR ABORTED. Returns who
 * runs, null for the normal world.
 */
export function abandon(pe: Pe, vcpu: PartitionVcpu): PartitionVcpu | null {
  vcpu.state = VCPU_ABORTED;
  const inChain = isHandlingInChain(vcpu);
  if (inChain || vcpu.runtime === RUNTIME_SECURE_INTERRUPT) {
    // What it was asked for is still owed an answer, which comes when those that it called have finished.
    const before = endInterrupt(vcpu);
    if (!inChain) vcpu.endRequest();
    return before;
  }
  return failRequest(pe, vcpu);
}

/** An answer finds its receiver dead: that one's own caller hears of it. Returns who runs. */
export function answerToDead(pe: Pe, dead: PartitionVcpu): PartitionVcpu | null {
  if (dead.request !== REQUEST_NONE) return failRequest(pe, dead);
  pe.smc.clear();
  pe.smc.setW(0, FFA_MSG_WAIT);
  return null;
}

/** Whoever waits for a dead context gets FFA_ERROR ABORTED. Returns who that is, null for the normal world. */
function failRequest(pe: Pe, vcpu: PartitionVcpu): PartitionVcpu | null {
  const { caller } = vcpu;
  unlink(vcpu);
  vcpu.endRequest();
  if (caller === null) {
    answerError(pe.smc, FFA_ABORTED);
    return null;
  }
  if (isDead(caller)) return answerToDead(pe, caller);
  answerError(caller.registers, FFA_ABORTED);
  return resumeCaller(caller);
}
