// Memory permissions of FFA_MEM_PERM_GET and FFA_MEM_PERM_SET, three bits.
//
// Sources: [Hafnium ffa.h], [OP-TEE spmc_sp_handler.c], [arm-ffa crate].

import * as layout from './layout/memory-bits.ts';

export interface MemoryPermissions {
  readonly data: 'none' | 'RW' | 'RO';
  readonly isExecutable: boolean;
}

/** Undefined for the reserved data access 2. */
export function decodeMemoryPermissions(bits: number): MemoryPermissions | undefined {
  const isExecutable = (bits & layout.MEM_PERM_XN) === 0;
  switch (bits & layout.MEM_PERM_DATA_MASK) {
    case layout.MEM_PERM_DATA_NONE:
      return { data: 'none', isExecutable };
    case layout.MEM_PERM_DATA_RW:
      return { data: 'RW', isExecutable };
    case layout.MEM_PERM_DATA_RO:
      return { data: 'RO', isExecutable };
    default:
      return undefined;
  }
}

export function encodeMemoryPermissions(permissions: MemoryPermissions): number {
  const { data, isExecutable } = permissions;
  const access = { none: layout.MEM_PERM_DATA_NONE, RW: layout.MEM_PERM_DATA_RW, RO: layout.MEM_PERM_DATA_RO }[data];
  return access | (isExecutable ? 0 : layout.MEM_PERM_XN);
}
