// VM availability: framework messages from the hypervisor to the partitions that asked for them, "a VM was created" and
// "a VM was destroyed", as both generations of Xen send them. FF-A 1.3 §18.3, [Xen ffa_partinfo.c]
//
// A partition that cannot answer now (RETRY, INTERRUPTED in w3 of its response) is asked again at once, a bounded
// number of times. Anything but the right response counts as a refusal for good.

import { FFA_INTERRUPTED, FFA_INVALID_PARAMETERS, FFA_OK, FFA_RETRY } from '../abi/errors.ts';
import { FFA_MSG_SEND_DIRECT_REQ_32, FFA_MSG_SEND_DIRECT_RESP_32 } from '../abi/function-ids.ts';
import {
  VM_CREATED_REQ_W2,
  VM_CREATED_RESP_W2,
  VM_DESTROYED_REQ_W2,
  VM_DESTROYED_RESP_W2,
} from '../abi/layout/messages.ts';
import { PARTITION_VM_CREATED, PARTITION_VM_DESTROYED } from '../abi/layout/partition-information.ts';
import type { Coroutine } from '../base/coroutine.ts';
import type { Pe } from '../hardware/pe.ts';
import type { FfaContext } from './ffa-context.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { SecureWorld } from './secure-world.ts';

/**
 * Tells each subscriber, in the order of the list, that the VM was created; stops at the first that does not accept it.
 * Notes in `context.owesDestroyed` who is to hear of its destruction: each subscriber to that, except those that wanted
 * to hear of the creation too and did not accept it. False: somebody did not.
 */
export function* tellCreated(hypervisor: Hypervisor, pe: Pe, context: FfaContext): Coroutine<boolean> {
  const { partitions } = hypervisor.secure;
  let failedAt = partitions.length;
  for (let n = 0; n < partitions.length; n++) {
    const { id, properties } = partitions[n];
    if ((properties & PARTITION_VM_CREATED) === 0) continue;
    const code = yield* send(hypervisor, pe, id, context.vmId, VM_CREATED_REQ_W2, VM_CREATED_RESP_W2);
    if (code === FFA_OK) continue;
    failedAt = n;
    break;
  }
  context.owesDestroyed = owedAfter(hypervisor.secure, failedAt);
  return failedAt === partitions.length;
}

function owedAfter(secure: SecureWorld, failedAt: number): Uint8Array | null {
  const { partitions } = secure;
  const owed = new Uint8Array(partitions.length);
  let any = 0;
  for (let n = 0; n < partitions.length; n++) {
    const { properties } = partitions[n];
    if ((properties & PARTITION_VM_DESTROYED) === 0) continue;
    if ((properties & PARTITION_VM_CREATED) !== 0 && n >= failedAt) continue;
    owed[n] = 1;
    any++;
  }
  return any === 0 ? null : owed;
}

/**
 * Tells everybody who is still to hear it that the VM was destroyed. Who answered RETRY or INTERRUPTED to the last
 * attempt stays in `context.owesDestroyed`; any other answer ends it. True: nobody is left.
 */
export function* tellDestroyed(hypervisor: Hypervisor, pe: Pe, context: FfaContext): Coroutine<boolean> {
  const owed = context.owesDestroyed;
  if (owed === null) return true;
  const { partitions } = hypervisor.secure;
  let left = 0;
  for (let n = 0; n < owed.length; n++) {
    if (owed[n] === 0) continue;
    const code = yield* send(hypervisor, pe, partitions[n].id, context.vmId, VM_DESTROYED_REQ_W2, VM_DESTROYED_RESP_W2);
    if (code === FFA_INTERRUPTED || code === FFA_RETRY) left++;
    else owed[n] = 0;
  }
  if (left === 0) context.owesDestroyed = null;
  return left === 0;
}

/** One message with its immediate attempts. Returns w3 of the right response, or FFA_INVALID_PARAMETERS. */
function* send(
  hypervisor: Hypervisor,
  pe: Pe,
  partition: number,
  vmId: number,
  request: number,
  response: number,
): Coroutine<number> {
  const { secure } = hypervisor;
  const { smc } = pe;
  for (let attempt = 1; ; attempt++) {
    smc.set8(FFA_MSG_SEND_DIRECT_REQ_32, partition, request, 0, 0, vmId);
    smc.clear(8, 17);
    const pending = secure.call(pe, 0);
    if (pending !== null) yield* pending;
    // The function id and the message word count with all their 64 bits, the code with 32.
    if (smc.w(0) !== FFA_MSG_SEND_DIRECT_RESP_32 || smc.high(0) !== 0) return FFA_INVALID_PARAMETERS;
    if (smc.w(2) !== response || smc.high(2) !== 0) return FFA_INVALID_PARAMETERS;
    const code = smc.w(3) | 0;
    if (code !== FFA_INTERRUPTED && code !== FFA_RETRY) return code;
    if (attempt >= hypervisor.limits.availabilityAttempts) return code;
  }
}
