// FFA_RXTX_MAP and FFA_RXTX_UNMAP at the SPMC in the default profile: what its answer means for the pages. Buffers that
// it may map after an answer that nobody can read stay pinned, in quarantine, and the VM id is never used again; the
// guest hears ABORTED. Buffers of which it did not say that it let go stay the guest's.

import { FFA_ABORTED, FFA_OK } from '../abi/errors.ts';
import { FFA_ERROR, FFA_RXTX_MAP_64, FFA_RXTX_UNMAP } from '../abi/function-ids.ts';
import { RXTX_UNMAP_ENDPOINT_SHIFT } from '../abi/layout/buffers.ts';
import type { Coroutine } from '../base/coroutine.ts';
import { EVENT_ANSWER_CLASS } from '../base/event-kinds.ts';
import type { FrameNumber } from '../base/units.ts';
import type { Pe } from '../hardware/pe.ts';
import {
  CALL_RXTX_MAP,
  CALL_RXTX_UNMAP,
  classifyReply,
  type OwnCall,
  REPLY_PREEMPTED,
  REPLY_SUCCESS,
  type ReplyClass,
  treatmentOf,
} from './answer-table.ts';
import type { FfaContext } from './ffa-context.ts';
import { unpinPage } from './guest-memory.ts';
import type { Hypervisor } from './hypervisor.ts';
import { NOT_TAKEN, RUNS_MAX, runToEnd } from './run-to-end.ts';
import { mapBuffersBy, unmapBuffersBy, writeBuffers } from './rx-tx-buffers.ts';
import { recordsOf } from './send-outcome.ts';
import { prepareCall } from './spmc-answer.ts';

/** FFA_RXTX_MAP of a guest of the default profile. */
export const mapBuffersClearly = mapBuffersBy(mapAtSpmc);
/** FFA_RXTX_UNMAP of a guest of the default profile. */
export const unmapBuffersClearly = unmapBuffersBy(unmapAtSpmc);

function* mapAtSpmc(
  hypervisor: Hypervisor,
  pe: Pe,
  context: FfaContext,
  txFrame: FrameNumber,
  rxFrame: FrameNumber,
): Coroutine<number> {
  const { secure } = hypervisor;
  yield* secure.txLock.acquire(pe);
  writeBuffers(hypervisor, context.vmId, txFrame, rxFrame);
  prepareCall(pe, FFA_RXTX_MAP_64);
  const reply = yield* callToEnd(hypervisor, pe, context, CALL_RXTX_MAP);
  secure.txLock.release(pe);
  if (reply === REPLY_SUCCESS) return FFA_OK;
  if (treatmentOf(reply, CALL_RXTX_MAP) === 'refuse') {
    unpinPage(hypervisor, rxFrame);
    unpinPage(hypervisor, txFrame);
    return codeOf(pe);
  }
  context.retire = 'quarantine';
  recordsOf(hypervisor).quarantine.add({
    vmId: context.vmId,
    serial: context.domain.serial,
    reason: 'buffers-still-mapped',
    hasHandle: false,
    handleLow: 0,
    handleHigh: 0,
    runs: [txFrame, 1, rxFrame, 1],
    share: null,
    answer: [pe.smc.w(0), pe.smc.w(2)],
  });
  return FFA_ABORTED;
}

function* unmapAtSpmc(hypervisor: Hypervisor, pe: Pe, context: FfaContext): Coroutine<number> {
  prepareCall(pe, FFA_RXTX_UNMAP, context.vmId << RXTX_UNMAP_ENDPOINT_SHIFT);
  const reply = yield* callToEnd(hypervisor, pe, context, CALL_RXTX_UNMAP);
  return reply === REPLY_SUCCESS ? FFA_OK : codeOf(pe);
}

/** The SMC in `pe.smc`, run on while it is preempted; an answer that is no success is noted. */
function* callToEnd(hypervisor: Hypervisor, pe: Pe, context: FfaContext, call: OwnCall): Coroutine<ReplyClass> {
  const { secure, machine } = hypervisor;
  const pending = secure.call(pe, context.vmId);
  if (pending !== null) yield* pending;
  let reply = classifyReply(pe.smc);
  if (reply === REPLY_SUCCESS) return reply;
  if (reply === REPLY_PREEMPTED) {
    const taken = { runTarget: NOT_TAKEN, runMoved: false };
    reply = yield* runToEnd(secure, pe, context.vmId, taken, call, 0, { left: RUNS_MAX });
  }
  const { smc } = pe;
  const { events } = machine;
  if (events.on) events.emit(EVENT_ANSWER_CLASS, pe.index, context.vmId, call, reply, smc.w(0), smc.w(2), smc.w(3));
  return reply;
}

/** The SPMC's code for the guest; ABORTED for what is no error. */
function codeOf(pe: Pe): number {
  const code = pe.smc.w(2) | 0;
  return pe.smc.w(0) === FFA_ERROR && code < 0 ? code : FFA_ABORTED;
}
