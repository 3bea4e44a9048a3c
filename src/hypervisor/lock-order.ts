// The lock order of the hypervisor, in one place: a PE takes locks in rising rank. Ranks that a profile of Xen does not
// keep to (it has its own history) are that profile's; the default profile keeps to them, and the explorer fails on a
// cycle.

/** A guest's version negotiation. */
export const RANK_VERSION = 10;
/** A guest's RX buffer. */
export const RANK_RX = 20;
/** A guest's TX buffer. */
export const RANK_TX = 30;
/** The list of VMs that speak FF-A. */
export const RANK_VM_LIST = 40;
/** The hypervisor's own RX buffer at the SPMC. */
export const RANK_SPMC_RX = 50;
/** The hypervisor's own TX buffer at the SPMC. */
export const RANK_SPMC_TX = 60;
/** Leaves: a guest's share list, the teardown queue. */
export const RANK_CONTEXT = 70;
export const RANK_TEARDOWN = 80;
