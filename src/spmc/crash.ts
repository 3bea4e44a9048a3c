// A partition crashes: whoever waits for it is told, nobody reaches it again. What it had retrieved stays held, unless
// the personality gives it back.

import type { Pe } from '../hardware/pe.ts';
import { abandon } from './call-chain.ts';
import { relinquish } from './memory-reclaim.ts';
import type { Partition, PartitionVcpu } from './partition.ts';
import type { Spmc } from './spmc.ts';

/** The context is dead; its caller gets FFA_ERROR ABORTED. Returns who runs next, null for the normal world. */
export function abortVcpu(spmc: Spmc, pe: Pe, vcpu: PartitionVcpu): PartitionVcpu | null {
  vcpu.partition.crashed = true;
  if (spmc.personality.freesOnAbort) giveBack(spmc, vcpu.partition);
  return abandon(pe, vcpu);
}

function giveBack(spmc: Spmc, partition: Partition): void {
  for (const transaction of spmc.slots.transactions) {
    if (!transaction.inUse || !transaction.complete) continue;
    const receiver = transaction.receiver(partition.id);
    if (receiver?.holds === true) relinquish(spmc, transaction, receiver);
  }
}
