// Every profile by its name.

import type { Profile } from '../profile.ts';
import { FFABRIC } from './ffabric.ts';
import { XEN_2024 } from './xen-2024.ts';
import { XEN_2026 } from './xen-2026.ts';
import { XEN_2026_VM_TO_VM } from './xen-2026-vm-to-vm.ts';

export const PROFILES: ReadonlyMap<string, Profile> = new Map(
  [FFABRIC, XEN_2024, XEN_2026, XEN_2026_VM_TO_VM].map((profile) => [profile.name, profile]),
);
