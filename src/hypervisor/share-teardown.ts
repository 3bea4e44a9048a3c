// Takes back every share of a dead guest, as both generations of Xen do. Only DENIED is tried again. Any other error is
// for good: the record goes, the pages stay pinned and stay counted, so that they are never reused and the domain stays
// a zombie. [Xen 7356bb5e47]

import { FFA_DENIED, FFA_OK } from '../abi/errors.ts';
import { FFA_MEM_RECLAIM } from '../abi/function-ids.ts';
import { ACCESS_WRITE, TOUCH_DOMAIN, TOUCH_HANDLE, TOUCH_REFERENCES } from '../base/announcement.ts';
import { type Coroutine, WAIT_STEP, type Wait } from '../base/coroutine.ts';
import type { Pe } from '../hardware/pe.ts';
import type { FfaContext, Share } from './ffa-context.ts';
import type { Hypervisor } from './hypervisor.ts';
import { emitShareDead } from './mem-reclaim.ts';
import { returnShare, unlinkShare } from './share-records.ts';
import { callSimply } from './spmc-answer.ts';

/** FFA_MEM_RECLAIM of one handle, flags 0; returns its code. */
export type ReclaimCall = (
  hypervisor: Hypervisor,
  pe: Pe,
  context: FfaContext,
  handleLow: number,
  handleHigh: number,
) => Coroutine<number>;

export function reclaimFromSpmc(
  hypervisor: Hypervisor,
  pe: Pe,
  context: FfaContext,
  handleLow: number,
  handleHigh: number,
): Coroutine<number> {
  return callSimply(hypervisor.secure, pe, context.vmId, FFA_MEM_RECLAIM, handleLow, handleHigh);
}

/** Reclaims each share once, in their order. */
export function* reclaimShares(hypervisor: Hypervisor, pe: Pe, context: FfaContext, reclaim: ReclaimCall): Coroutine {
  const { shares } = context;
  let at = 0;
  while (at < shares.length) {
    const share = shares[at];
    const code = yield* reclaim(hypervisor, pe, context, share.handleLow, share.handleHigh);
    if (code === FFA_DENIED) {
      at++;
      continue;
    }
    unlinkShare(context, at);
    if (code !== FFA_OK) continue;
    if (pe.stepping) yield announceReturn(pe, context, share);
    emitShareDead(hypervisor, context, share);
    returnShare(hypervisor, context, share);
  }
}

/** The step that returns a share touches its pages' references and, with the last share, the domain's. */
function announceReturn(pe: Pe, context: FfaContext, share: Share): Wait {
  pe.writes(TOUCH_DOMAIN, context.domain.serial);
  pe.also(TOUCH_HANDLE, share.handleLow, ACCESS_WRITE);
  for (let n = 0; n < share.runCount; n++) pe.also(TOUCH_REFERENCES, share.runs[2 * n], ACCESS_WRITE);
  return WAIT_STEP;
}
