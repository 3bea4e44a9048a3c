// Profile `xen-2026-vm-to-vm`: as `xen-2026`, built so that VMs list each other and send each other messages.
// [Xen c447b7308b]

import type { Profile } from '../profile.ts';
import { XEN_2026 } from './xen-2026.ts';

export const XEN_2026_VM_TO_VM: Profile = {
  ...XEN_2026,
  name: 'xen-2026-vm-to-vm',
  summary: 'Xen of August 2026 (c447b7308b), built with messages between VMs',
  vmsSeeVms: true,
};
