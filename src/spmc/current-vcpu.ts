// Which of a partition's execution contexts makes a call: the one that runs on the PE that the call came from.

import { type Partition, type PartitionVcpu, VCPU_RUNNING } from './partition.ts';

export function currentVcpu(partition: Partition, peIndex: number): PartitionVcpu | undefined {
  for (const vcpu of partition.vcpus) {
    if (vcpu.state === VCPU_RUNNING && vcpu.peIndex === peIndex) return vcpu;
  }
  return undefined;
}
