// VM availability messages: the hypervisor tells a partition that a VM was created or destroyed. The SPMC relays them
// to partitions whose manifest asked for them; the answer is the partition's own [Hafnium direct_messaging.c].

import { FFA_HYPERVISOR_ID } from '../abi/endpoint-ids.ts';
import { FFA_DENIED, FFA_INVALID_PARAMETERS, FFA_OK } from '../abi/errors.ts';
import { FFA_MSG_SEND_DIRECT_REQ_32 } from '../abi/function-ids.ts';
import { DIRECT_SENDER_SHIFT, VM_CREATED_REQ_W2, VM_DESTROYED_REQ_W2 } from '../abi/layout/messages.ts';
import { PARTITION_RECEIVES_DIRECT_REQ } from '../abi/layout/partition-information.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import type { Result } from './answers.ts';
import type { Partition } from './partition.ts';

/** Manifest property vm-availability-messages: bit 0. */
export const SUBSCRIBES_VM_CREATED = 1 << 0;
/** Bit 1. */
export const SUBSCRIBES_VM_DESTROYED = 1 << 1;

/** Whether a partition is told of what the request in `r` tells. Registers that should be zero may be anything. */
export function checkVmAvailability(receiver: Partition, r: RegisterFile): Result {
  if (r.w(0) !== FFA_MSG_SEND_DIRECT_REQ_32) return FFA_INVALID_PARAMETERS;
  if (r.w(1) >>> DIRECT_SENDER_SHIFT !== FFA_HYPERVISOR_ID) return FFA_INVALID_PARAMETERS;
  return subscriptions(receiver) & messageBit(r.w(2)) ? FFA_OK : FFA_INVALID_PARAMETERS;
}

/** Whether a framework message is relayed by an SPMC that asks nobody whether he wants it [TF-A spmc_main.c]. */
export function checkFrameworkRelay(receiver: Partition, r: RegisterFile): Result {
  if (r.w(1) >>> DIRECT_SENDER_SHIFT !== FFA_HYPERVISOR_ID) return FFA_INVALID_PARAMETERS;
  return (receiver.messagingMethods & PARTITION_RECEIVES_DIRECT_REQ) === 0 ? FFA_DENIED : FFA_OK;
}

/** The manifest's bits, none if the partition receives no direct requests. */
export function subscriptions(partition: Partition): number {
  return (partition.messagingMethods & PARTITION_RECEIVES_DIRECT_REQ) !== 0 ? partition.vmAvailability : 0;
}

function messageBit(w2: number): number {
  if (w2 === VM_CREATED_REQ_W2) return SUBSCRIBES_VM_CREATED;
  return w2 === VM_DESTROYED_REQ_W2 ? SUBSCRIBES_VM_DESTROYED : 0;
}
