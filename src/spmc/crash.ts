// A partition crashes: whoever waits for it is told, nobody reaches it again. What it had retrieved stays held, unless
// the personality gives it back.

import { FFA_ABORTED } from '../abi/errors.ts';
import type { Pe } from '../hardware/pe.ts';
import { answerError } from './answers.ts';
import { relinquish } from './memory-reclaim.ts';
import { type Partition, type PartitionVcpu, VCPU_ABORTED } from './partition.ts';
import type { Spmc } from './spmc.ts';

/** The context is dead; its caller gets FFA_ERROR ABORTED. Returns who runs next, null for the normal world. */
export function abortVcpu(spmc: Spmc, pe: Pe, vcpu: PartitionVcpu): PartitionVcpu | null {
  const caller = vcpu.caller;
  vcpu.endRequest();
  vcpu.state = VCPU_ABORTED;
  vcpu.partition.crashed = true;
  if (spmc.personality.freesOnAbort) giveBack(spmc, vcpu.partition);
  if (caller === null) {
    answerError(pe.smc, FFA_ABORTED);
    return null;
  }
  answerError(caller.registers, FFA_ABORTED);
  caller.answered = true;
  return caller;
}

function giveBack(spmc: Spmc, partition: Partition): void {
  for (const transaction of spmc.slots.transactions) {
    if (!transaction.inUse || !transaction.complete) continue;
    const receiver = transaction.receiver(partition.id);
    if (receiver?.holds === true) relinquish(spmc, transaction, receiver);
  }
}
