// The VMs that have agreed on a version, for those profiles in which VMs see each other: who is listed, in the order in
// which they joined, and a tag that changes with the list. [Xen ffa_partinfo.c]

import type { Lock } from '../hardware/lock.ts';
import type { Machine } from '../hardware/machine.ts';
import type { FfaContext } from './ffa-context.ts';
import { RANK_VM_LIST } from './lock-order.ts';

/** The tag while the list has never changed; never 0, which would mean "no tag". */
const FIRST_TAG = 1;

export class VmList {
  /** Held while the list is changed or walked. */
  readonly lock: Lock;
  readonly members: FfaContext[] = [];
  /** Changes with each join and leave; guests see its low 16 bits. */
  tag = FIRST_TAG;

  constructor(machine: Machine) {
    this.lock = machine.lock(RANK_VM_LIST);
  }

  has(context: FfaContext): boolean {
    return this.members.includes(context);
  }

  /** The caller holds `lock`. */
  join(context: FfaContext): void {
    this.members.push(context);
    this.tag++;
  }

  /** The caller holds `lock`. False when it was not listed. */
  leave(context: FfaContext): boolean {
    const at = this.members.indexOf(context);
    if (at < 0) return false;
    this.members.splice(at, 1);
    this.tag++;
    return true;
  }

  find(vmId: number): FfaContext | null {
    for (const member of this.members) if (member.vmId === vmId) return member;
    return null;
  }
}
