// FFA_SECONDARY_EP_REGISTER: where a partition's other execution contexts begin. While nothing is registered they begin
// where the first one did; of several registrations the last one counts [Hafnium api.c].

import { FFA_DENIED, FFA_NOT_SUPPORTED } from '../abi/errors.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import { answerSuccess, type Result } from './answers.ts';
import { currentVcpu } from './current-vcpu.ts';
import type { Endpoint } from './endpoint.ts';
import { Partition, RUNTIME_INIT } from './partition.ts';
import type { Spmc } from './spmc.ts';
import type { Staging } from './staging.ts';

/** Not checked: whether the address, of which 53 bits are kept, is the partition's own. It is its own fault. */
export function registerSecondaryEntry(
  _spmc: Spmc,
  caller: Endpoint,
  r: RegisterFile,
  _staging: Staging,
  peIndex: number,
): Result {
  if (!(caller instanceof Partition) || caller.vcpus.length === 1) return FFA_NOT_SUPPORTED;
  if (currentVcpu(caller, peIndex)?.runtime !== RUNTIME_INIT) return FFA_DENIED;
  caller.secondaryEntryAddress = r.x(1);
  return answerSuccess(r);
}
