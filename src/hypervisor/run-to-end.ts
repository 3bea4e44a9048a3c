// A call of the hypervisor that the secure world took and did not answer (FFA_INTERRUPT, FFA_YIELD): FFA_RUN of what
// was preempted, until the answer comes. What was taken is never sent again while it is unanswered.
//
// An error that FFA_RUN brings is the call's answer or FFA_RUN's own. "Busy" and its like say that the vCPU cannot run
// now: the call is still taken. After FFA_RUN has led on to another vCPU, only an error that FFA_RUN does not have
// (NO_MEMORY) is clearly the call's; and where INVALID_PARAMETERS would mean "there is nothing to undo", it is not
// believed after FFA_RUN, which has the same code for a vCPU that does not wait.

import { FFA_RUN, FFA_YIELD } from '../abi/function-ids.ts';
import { VM_CREATED_RESP_W2, VM_DESTROYED_RESP_W2 } from '../abi/layout/messages.ts';
import type { Coroutine } from '../base/coroutine.ts';
import type { Pe } from '../hardware/pe.ts';
import {
  CALL_BITMAP_DESTROY,
  CALL_MEM_RELINQUISH,
  CALL_RUN_OUT,
  CALL_RXTX_UNMAP,
  CALL_VM_CREATED,
  CALL_VM_DESTROYED,
  classifyReply,
  classifyResponse,
  type OwnCall,
  REPLY_ERROR_ABORTED,
  REPLY_ERROR_AGAIN,
  REPLY_ERROR_DENIED,
  REPLY_ERROR_INVALID,
  REPLY_ERROR_NO_MEMORY,
  REPLY_ERROR_NOT_SUPPORTED,
  REPLY_OTHER,
  REPLY_PREEMPTED,
  type ReplyClass,
} from './answer-table.ts';
import type { SecureWorld } from './secure-world.ts';
import { prepareCall } from './spmc-answer.ts';

/** The secure world does not hold this call: it may be sent. */
export const NOT_TAKEN = -1;

/** FFA_RUNs of a guest's call before its outcome counts as unknown. */
export const RUNS_MAX = 64;

/** A call that the secure world may have taken. */
export interface Taken {
  /** w1 for FFA_RUN while the secure world has taken the call and has not answered; NOT_TAKEN otherwise. */
  runTarget: number;
  /** Whether FFA_RUN of what the secure world named has led on to another vCPU since. */
  runMoved: boolean;
}

/** FFA_RUNs that may still be made. */
export interface Runs {
  left: number;
}

/**
 * The class of the answer in `pe.smc` to `call`, once what it left preempted has been run on; REPLY_PREEMPTED: it is
 * still taken. `partition`: to whom a framework message went, else 0.
 */
export function* runToEnd(
  secure: SecureWorld,
  pe: Pe,
  caller: number,
  taken: Taken,
  call: OwnCall,
  partition: number,
  runs: Runs,
): Coroutine<ReplyClass> {
  let reply = noteAnswer(pe, taken, call, partition);
  while (reply === REPLY_PREEMPTED && runs.left > 0) {
    runs.left--;
    yield* run(secure, pe, caller, taken);
    reply = noteAnswer(pe, taken, call, partition);
  }
  return reply;
}

/** One FFA_RUN of what a call left preempted; its answer is in `pe.smc`, to be noted. */
export function* run(secure: SecureWorld, pe: Pe, caller: number, taken: Taken): Coroutine {
  prepareCall(pe, FFA_RUN, taken.runTarget);
  const pending = secure.call(pe, caller);
  if (pending !== null) yield* pending;
}

/** The class of the answer in `pe.smc` to a call, or to an FFA_RUN of it; notes what is to be run next. */
export function noteAnswer(pe: Pe, taken: Taken, call: OwnCall, partition: number): ReplyClass {
  const { smc } = pe;
  const plain = classifyAnswer(pe, call, partition);
  const ran = taken.runTarget !== NOT_TAKEN;
  if (plain === REPLY_PREEMPTED) {
    // The interrupt is the hypervisor's, which takes it now.
    pe.interruptPending = false;
    // FFA_YIELD need not say whose it is.
    const unnamed = smc.w(0) === FFA_YIELD && smc.w(1) === 0;
    if (unnamed && ran) return plain;
    const target = unnamed ? (partition << 16) >>> 0 : smc.w(1);
    if (ran && target !== taken.runTarget) taken.runMoved = true;
    taken.runTarget = target;
    return plain;
  }
  const reply = ran ? afterRun(plain, call, taken.runMoved) : plain;
  if (reply !== REPLY_PREEMPTED) {
    taken.runTarget = NOT_TAKEN;
    taken.runMoved = false;
  }
  return reply;
}

function classifyAnswer(pe: Pe, call: OwnCall, partition: number): ReplyClass {
  switch (call) {
    case CALL_VM_CREATED:
      return classifyResponse(pe.smc, (partition << 16) >>> 0, VM_CREATED_RESP_W2);
    case CALL_VM_DESTROYED:
      return classifyResponse(pe.smc, (partition << 16) >>> 0, VM_DESTROYED_RESP_W2);
    default:
      return classifyReply(pe.smc);
  }
}

/** What the answer to an FFA_RUN says of the call that is run on. */
function afterRun(reply: ReplyClass, call: OwnCall, moved: boolean): ReplyClass {
  switch (reply) {
    case REPLY_ERROR_AGAIN:
      return REPLY_PREEMPTED;
    case REPLY_ERROR_NO_MEMORY:
      return call === CALL_RUN_OUT ? REPLY_PREEMPTED : reply;
    case REPLY_ERROR_DENIED:
    case REPLY_ERROR_INVALID:
    case REPLY_ERROR_NOT_SUPPORTED:
    case REPLY_ERROR_ABORTED:
      if (call === CALL_RUN_OUT) return reply;
      // A message that may have been handled is not sent again.
      if (moved) return call === CALL_VM_DESTROYED ? REPLY_ERROR_ABORTED : REPLY_OTHER;
      return reply === REPLY_ERROR_INVALID && isUndoing(call) ? REPLY_OTHER : reply;
    default:
      return reply;
  }
}

/** Calls that undo something, for which INVALID_PARAMETERS says that there is nothing to undo. */
function isUndoing(call: OwnCall): boolean {
  return call === CALL_RXTX_UNMAP || call === CALL_BITMAP_DESTROY || call === CALL_MEM_RELINQUISH;
}
