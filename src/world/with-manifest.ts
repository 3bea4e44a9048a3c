// A partition of a world whose manifest says what it is: the description's own fields are made to say the same.

import { MANIFEST_VM_CREATED, MANIFEST_VM_DESTROYED, type NsInterruptsAction } from '../abi/partition-manifest.ts';
import type { ManifestDescription, PartitionDescription } from './description.ts';

const NS_INTERRUPTS: Readonly<Record<NsInterruptsAction, PartitionDescription['nsInterrupts']>> = {
  queued: 'queue',
  'managed-exit': 'managed-exit',
  signaled: 'signal',
};

/** Name, id, program, parameters and size stay; a base that is stated, too. */
export function withManifest(partition: PartitionDescription, manifest: ManifestDescription): PartitionDescription {
  const { decoded } = manifest;
  const { name, id, program, parameters, pages, baseAddress } = partition;
  return {
    name,
    id,
    program,
    parameters,
    pages,
    baseAddress: baseAddress ?? decoded.loadAddress,
    manifest,
    uuid: decoded.services[0]?.uuid,
    ffaVersion: decoded.ffaVersion,
    vcpuCount: decoded.executionContextCount,
    created: (decoded.vmAvailabilityMessages & MANIFEST_VM_CREATED) !== 0,
    destroyed: (decoded.vmAvailabilityMessages & MANIFEST_VM_DESTROYED) !== 0,
    nsInterrupts: NS_INTERRUPTS[decoded.nsInterruptsAction],
    bootOrder: decoded.bootOrder ?? 0xffff,
    notifications: decoded.hasNotifications,
    exceptionLevel: decoded.exceptionLevel === 'S-EL0' ? 'S-EL0' : 'S-EL1',
  };
}
