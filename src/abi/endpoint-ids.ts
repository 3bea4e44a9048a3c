// Endpoint ids: 16 bits, bit 15 set for a secure endpoint.
//
// Ids below 0x8000 name VMs; how a VM's id follows from a domain is the hypervisor's business.

/** Set in the id of every secure endpoint. */
export const FFA_SECURE_ENDPOINT_BIT = 0x8000;
/** The hypervisor (or the only normal-world kernel where there is none). */
export const FFA_HYPERVISOR_ID = 0;
/** The SPM core, where its manifest does not say otherwise. */
export const FFA_SPMC_ID = 0x8000;
/** The SPM dispatcher at EL3. */
export const FFA_SPMD_ID = 0xffff;
/** EL3 logical partitions lie from here [Hafnium ffa.h]. */
export const FFA_EL3_LOGICAL_PARTITION_FIRST_ID = 0xffc0;
/** ... to here. */
export const FFA_EL3_LOGICAL_PARTITION_LAST_ID = 0xfffe;

/** True if bit 15 is set. Bits above 15 are ignored. */
export function isSecureEndpoint(endpointId: number): boolean {
  return (endpointId & FFA_SECURE_ENDPOINT_BIT) !== 0;
}

/** `0x8001` and who has a fixed id: `0x0000 (hypervisor)`, `0x8000 (SPMC)`, `0xffff (SPMD)`. */
export function formatEndpointId(endpointId: number): string {
  const text = `0x${(endpointId & 0xffff).toString(16).padStart(4, '0')}`;
  switch (endpointId & 0xffff) {
    case FFA_HYPERVISOR_ID:
      return `${text} (hypervisor)`;
    case FFA_SPMC_ID:
      return `${text} (SPMC)`;
    case FFA_SPMD_ID:
      return `${text} (SPMD)`;
    default:
      return text;
  }
}
