// Share records: a guest's right to one more share, its pages pinned run by run, and the way back. Records are pooled.
//
// The first share of a guest takes a reference to its domain, the last one returned drops it. [Xen ffa_shm.c]

import type { FrameNumber, GuestFrame } from '../base/units.ts';
import type { FrameTable, Owner } from '../hardware/frames.ts';
import type { Stage2 } from '../hardware/stage2.ts';
import { type FfaContext, Share } from './ffa-context.ts';
import { NO_FRAME, plainRam } from './guest-memory.ts';
import type { Hypervisor } from './hypervisor.ts';
import { NOT_TAKEN } from './run-to-end.ts';

/** A new record for `pageCount` pages, none pinned yet; null when the guest has as many shares as it may have. */
export function takeShare(hypervisor: Hypervisor, context: FfaContext): Share | null {
  if (context.shareCount >= hypervisor.limits.sharesPerGuest) return null;
  if (context.shareCount === 0) hypervisor.domains.get(context.domain);
  context.shareCount++;
  const share = hypervisor.spareShares.pop();
  if (share === undefined) return new Share();
  share.handleLow = 0;
  share.handleHigh = 0;
  share.receiver = 0;
  share.pageCount = 0;
  share.runCount = 0;
  share.rounds = 0;
  share.runTarget = NOT_TAKEN;
  share.runMoved = false;
  return share;
}

/**
 * Pins `count` pages of the guest from `gfn`, all plain RAM of its own, and adds them to the share. False when one is
 * not: what was pinned before stays in the record, for `returnShare`.
 */
export function pinRange(
  hypervisor: Hypervisor,
  context: FfaContext,
  share: Share,
  gfn: GuestFrame,
  count: number,
): boolean {
  const { stage2, serial } = context.domain;
  return pinIn(hypervisor.machine.frames, stage2, serial, share, gfn, count);
}

/** `pinRange` for who pins many ranges of one guest (measured: half the time of a range of one page). */
export function pinIn(
  frames: FrameTable,
  stage2: Stage2,
  owner: Owner,
  share: Share,
  gfn: GuestFrame,
  count: number,
): boolean {
  let done = 0;
  while (done < count) {
    const frame = plainRam(stage2, gfn + done);
    if (frame === NO_FRAME) return false;
    const rest = count - done;
    const run = stage2.run < rest ? stage2.run : rest;
    if (!frames.getRange(frame, run, owner)) return false;
    addRun(share, frame, run);
    done += run;
  }
  return true;
}

/** Adds a run of frames; one that follows the last run lengthens it. */
function addRun(share: Share, frame: FrameNumber, count: number): void {
  const runs = share.runs;
  const at = 2 * share.runCount;
  share.pageCount += count;
  if (at > 0 && runs[at - 2] + runs[at - 1] === frame) {
    runs[at - 1] += count;
    return;
  }
  runs[at] = frame;
  runs[at + 1] = count;
  share.runCount++;
}

/**
 * Ends a share: the guest may have another, its domain's reference goes with the last one, the pages are unpinned. The
 * order is the patch's: the count first, the pages last. [Xen 7356bb5e47]
 */
export function returnShare(hypervisor: Hypervisor, context: FfaContext, share: Share): void {
  context.shareCount--;
  if (context.shareCount === 0) hypervisor.domains.put(context.domain);
  const frames = hypervisor.machine.frames;
  const runs = share.runs;
  const end = 2 * share.runCount;
  for (let at = 0; at < end; at += 2) frames.putRange(runs[at], runs[at + 1]);
  giveBack(hypervisor, share);
}

/** Puts a record that nobody needs any more, its pages unpinned, back for the next share. */
export function giveBack(hypervisor: Hypervisor, share: Share): void {
  hypervisor.slots.end(share);
  share.others = null;
  share.runCount = 0;
  share.taken = null;
  share.donated = false;
  share.hasHandle = false;
  share.reclaiming = false;
  share.holder = null;
  hypervisor.spareShares.push(share);
}

/** Place of a live share in the guest's list by its handle; -1 when it has none of that handle. */
export function findShare(context: FfaContext, handleLow: number, handleHigh: number): number {
  const shares = context.shares;
  for (let at = 0; at < shares.length; at++) {
    const share = shares[at];
    if (share.handleLow === handleLow && share.handleHigh === handleHigh) return at;
  }
  return -1;
}

/** Takes the share at `at` out of the guest's list; the others keep their order. */
export function unlinkShare(context: FfaContext, at: number): Share {
  const shares = context.shares;
  const share = shares[at];
  const last = shares.length - 1;
  for (let n = at; n < last; n++) shares[n] = shares[n + 1];
  shares.pop();
  return share;
}
