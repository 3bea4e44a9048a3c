// The normal world's door: every call of the hypervisor, for itself or for a VM. Chapters:
//
//   discovery.ts         FFA_VERSION, FEATURES, ID_GET, SPM_ID_GET
//   rx-tx.ts             RXTX_MAP, RXTX_UNMAP, RX_ACQUIRE, RX_RELEASE
//   partition-info.ts    PARTITION_INFO_GET, PARTITION_INFO_GET_REGS
//   direct-message.ts    MSG_SEND_DIRECT_REQ, REQ2 and their responses
//   vm-availability.ts   what the hypervisor tells of VMs
//   run.ts               RUN, MSG_WAIT, YIELD; runtime-models.ts, call-chain.ts
//   interrupts.ts        INTERRUPT: secure ones, preemption, managed exit; paravirtual-interrupts.ts
//   power-management.ts  what the SPMD tells of PEs
//   indirect-message.ts  MSG_SEND2
//   notifications.ts     NOTIFICATION_BITMAP_CREATE and DESTROY, BIND, UNBIND, SET, GET; notification-info.ts INFO_GET
//   memory-send.ts       MEM_SHARE, LEND, DONATE; send-checks.ts; overlap.ts
//   memory-retrieve.ts   MEM_RETRIEVE_REQ; retrieve-checks.ts, retrieve-response.ts
//   memory-reclaim.ts    MEM_RELINQUISH, MEM_RECLAIM
//   fragments.ts         MEM_FRAG_TX, MEM_FRAG_RX
//   console-log.ts       CONSOLE_LOG
//   memory-permissions.ts  MEM_PERM_GET, MEM_PERM_SET
//   secondary-entry.ts   SECONDARY_EP_REGISTER
//   boot.ts              how partitions start; boot-information.ts; manifest-setup.ts: from their manifests

import { FFA_NOT_SUPPORTED } from '../abi/errors.ts';
import {
  FFA_INTERRUPT,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_REQ_64,
  FFA_MSG_SEND_DIRECT_REQ2,
  FFA_RUN,
} from '../abi/function-ids.ts';
import { TOUCH_PARTITION } from '../base/announcement.ts';
import type { Coroutine, Pending } from '../base/coroutine.ts';
import type { Pe } from '../hardware/pe.ts';
import { answerError } from './answers.ts';
import { requestFromNormalWorld } from './direct-message.ts';
import type { PartitionVcpu } from './partition.ts';
import { plainCall, plainCallInSteps } from './plain-call.ts';
import { runFromNormalWorld } from './run.ts';
import { runVcpu } from './run-loop.ts';
import type { Spmc } from './spmc.ts';

export function callFromNormalWorld(spmc: Spmc, pe: Pe): Pending {
  const r = pe.smc;
  const handler = spmc.handlerOf(r.w(0));
  if (handler !== undefined) {
    if (pe.stepping) return plainCallInSteps(spmc, pe, spmc.normalWorld, r, handler);
    plainCall(spmc, pe, spmc.normalWorld, r, handler);
    return null;
  }
  // An interrupt that came early is no call of the hypervisor's [Hafnium 1fff55d2].
  if (r.w(0) !== FFA_INTERRUPT) spmc.normalWorld.versionLocked = true;
  if (pe.stepping) return transferInSteps(spmc, pe);
  const next = transfer(spmc, pe);
  return next === null ? null : runVcpu(spmc, pe, next);
}

function* transferInSteps(spmc: Spmc, pe: Pe): Coroutine {
  yield pe.writes(TOUCH_PARTITION, pe.smc.w(1) & 0xffff);
  const next = transfer(spmc, pe);
  if (next === null) return;
  const pending = runVcpu(spmc, pe, next);
  if (pending !== null) yield* pending;
}

/** The execution context that the call gives the PE to, or null when the answer is in `pe.smc` already. */
function transfer(spmc: Spmc, pe: Pe): PartitionVcpu | null {
  switch (pe.smc.w(0)) {
    case FFA_MSG_SEND_DIRECT_REQ_32:
    case FFA_MSG_SEND_DIRECT_REQ_64:
    case FFA_MSG_SEND_DIRECT_REQ2:
      return requestFromNormalWorld(spmc, pe);
    case FFA_RUN:
      return runFromNormalWorld(spmc, pe);
    default:
      answerError(pe.smc, FFA_NOT_SUPPORTED);
      return null;
  }
}
