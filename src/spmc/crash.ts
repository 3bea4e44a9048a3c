// The end of a partition's life, and its next one. A partition dies of an error of its own, by FFA_ABORT, or because an
// operator ends it; whoever waits for it is told. Unless the personality keeps what the dead held, the SPMC cleans up
// [Hafnium ffa_memory.c]: what it borrowed is relinquished for it, what it sent and nobody holds is reclaimed; what
// others still hold is reclaimed when the last of them relinquishes, and nobody retrieves it any more. Its DMA is
// stopped before any page leaves it, its buffers and notifications are forgotten.
//
// Then its manifest's abort-action: `stop` and `destroy` leave it dead (a destroyed one is not even known any more),
// `restart` runs it from its first instruction, with its memory scrubbed, before who called it hears of the abort.
//
// Not done: `propagate` (the SPMC would end, and the machine with it), regions unmapped from the dead (nothing of it
// runs, and its pages stay its own), a context that computes on another PE ends only when it has finished that.

import type { AbortAction } from '../abi/partition-manifest.ts';
import type { Coroutine } from '../base/coroutine.ts';
import { EVENT_SP_CRASH, EVENT_SP_RESTART, EVENT_SP_STOP } from '../base/event-kinds.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import { UserError } from '../base/user-error.ts';
import type { Pe } from '../hardware/pe.ts';
import { STAGE2_DEVICE, STAGE2_NON_SECURE } from '../hardware/stage2.ts';
import { prepareStart } from './boot-information.ts';
import { abandon } from './call-chain.ts';
import { reclaim, relinquish } from './memory-reclaim.ts';
import { OWNERSHIP_BITS } from './page-states.ts';
import { type Partition, type PartitionVcpu, RUNTIME_INIT, VCPU_ABORTED, VCPU_OFF, VCPU_WAITING } from './partition.ts';
import type { PartitionSetup } from './partition-setup.ts';
import { runVcpu } from './run-loop.ts';
import { mapBuffers } from './rx-tx.ts';
import type { Spmc } from './spmc.ts';

/** Throws a UserError that says what of a partition's life cannot be done. */
export function checkLife({ id, manifest }: PartitionSetup): void {
  const who = `partition 0x${id.toString(16)}`;
  if (manifest.abortAction === 'propagate') {
    throw new UserError(`${who}: abort-action propagate would end the whole machine`, null, 'stop, destroy or restart');
  }
  if (manifest.abortAction === 'restart' && (manifest.executionContextCount ?? 1) > 1) {
    throw new UserError(
      `${who}: abort-action restart is for partitions with one execution context`,
      null,
      'stop or destroy',
    );
  }
}

/** The context is dead; its caller gets FFA_ERROR ABORTED. Returns who runs next, null for the normal world. */
export function abortVcpu(spmc: Spmc, pe: Pe, vcpu: PartitionVcpu): PartitionVcpu | null {
  const { partition, restarting, halted } = vcpu;
  const action = restarting ? 'stop' : actionOf(spmc, partition);
  if (!partition.crashed) die(spmc, partition, action);
  const next = abandon(pe, vcpu);
  if (restarting) {
    vcpu.restarting = false;
    return halted;
  }
  if (action !== 'restart') return next;
  revive(spmc, pe, partition);
  vcpu.restarting = true;
  vcpu.halted = next;
  vcpu.runtime = RUNTIME_INIT;
  prepareStart(vcpu, spmc.contents);
  return vcpu;
}

function actionOf(spmc: Spmc, partition: Partition): AbortAction | 'keep' {
  return partition.setup.manifest.abortAction ?? (spmc.personality.freesOnAbort ? 'stop' : 'keep');
}

/** The restarted context waits for its first message: who was halted meanwhile goes on. */
export function endRestart(vcpu: PartitionVcpu): PartitionVcpu | null {
  const next = vcpu.halted;
  vcpu.restarting = false;
  vcpu.halted = null;
  return next;
}

/** An error that strikes the partition from outside; false when it is dead already. */
export function crashPartition(spmc: Spmc, partition: Partition): boolean {
  return endPartition(spmc, partition, EVENT_SP_CRASH);
}

/** An operator stops the partition; false when it is dead already. */
export function stopPartition(spmc: Spmc, partition: Partition): boolean {
  return endPartition(spmc, partition, EVENT_SP_STOP);
}

/** At once when none of its contexts is anywhere; else each ends as soon as it would run on. */
function endPartition(spmc: Spmc, partition: Partition, event: number): boolean {
  if (partition.crashed || partition.dying) return false;
  partition.dying = true;
  let active = false;
  for (const vcpu of partition.vcpus) {
    if (vcpu.state === VCPU_WAITING || vcpu.state === VCPU_OFF) continue;
    active = true;
    // Nothing is left of its work.
    vcpu.remainingNs = 0;
  }
  const { events } = spmc.machine;
  if (events.on) events.emit(event, events.currentPe, partition.id, 0);
  if (!active) die(spmc, partition, actionOf(spmc, partition));
  return true;
}

/** Runs a dead partition from its first instruction, on `pe`; false when it lives, or was destroyed. */
export function* restartPartition(spmc: Spmc, pe: Pe, partition: Partition): Coroutine<boolean> {
  if (!partition.crashed || !spmc.partitionById.has(partition.id)) return false;
  free(spmc, partition);
  revive(spmc, pe, partition);
  for (const vcpu of partition.vcpus) {
    vcpu.runtime = RUNTIME_INIT;
    prepareStart(vcpu, spmc.contents);
    const pending = runVcpu(spmc, pe, vcpu);
    if (pending !== null) yield* pending;
  }
  return !partition.crashed;
}

/** Nobody reaches the partition any more. */
function die(spmc: Spmc, partition: Partition, action: AbortAction | 'keep'): void {
  partition.dying = true;
  partition.crashed = true;
  for (const vcpu of partition.vcpus) if (vcpu.state === VCPU_WAITING) vcpu.state = VCPU_ABORTED;
  if (action === 'keep') return;
  free(spmc, partition);
  if (action === 'destroy') spmc.table.remove(partition);
}

/** Everything that the partition has of others, or others of it, ends as far as it can. */
function free(spmc: Spmc, partition: Partition): void {
  spmc.options.devices?.stop(partition.id);
  for (const transaction of spmc.slots.transactions) {
    if (!transaction.inUse) continue;
    const owned = !transaction.fromNormalWorld && transaction.sender === partition.id;
    if (!transaction.complete) {
      if (owned) spmc.slots.release(transaction);
      continue;
    }
    if (owned) {
      if (transaction.held) transaction.deferred = true;
      else reclaim(spmc, transaction);
      continue;
    }
    const receiver = transaction.receiver(partition.id);
    if (receiver?.holds === true) relinquish(spmc, transaction, receiver);
  }
  if (partition.mapped) {
    const { pages, txFrame, rxFrame, bufferPages } = partition;
    pages.map(txFrame, txFrame, bufferPages, partition.txAttributes);
    pages.map(rxFrame, rxFrame, bufferPages, partition.rxAttributes);
    partition.forgetBuffers();
  }
  partition.notifications.clear();
}

/** As it was when it booted, but for pages that it has given away since. */
function revive(spmc: Spmc, pe: Pe, partition: Partition): void {
  const { events } = spmc.machine;
  if (events.on) events.emit(EVENT_SP_RESTART, pe.index, partition.id);
  scrubImage(spmc, partition);
  partition.revive(spmc.version);
  const { buffers } = partition.setup.manifest;
  if (buffers === undefined) return;
  mapBuffers(
    spmc,
    partition,
    buffers.txAddress / PAGE_SIZE_BYTES,
    buffers.rxAddress / PAGE_SIZE_BYTES,
    buffers.pageCount,
  );
}

/** What of its image is still the partition's alone is loaded anew: nothing of its former life is in it. */
function scrubImage(spmc: Spmc, partition: Partition): void {
  const { image } = partition.setup;
  const first = image.baseAddress / PAGE_SIZE_BYTES;
  for (let page = first; page < first + image.pageCount; page++) {
    const frame = partition.pages.translate(page);
    const others = OWNERSHIP_BITS | STAGE2_NON_SECURE | STAGE2_DEVICE;
    if (frame < 0 || (partition.pages.attributes & others) !== 0 || !spmc.frames.has(frame)) continue;
    spmc.frames.scrub(frame, 1);
  }
}
