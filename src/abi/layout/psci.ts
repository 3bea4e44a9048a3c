// What framework messages about power carry of PSCI: the functions that partitions are told of, and their return codes.
//
// Sources: [Hafnium direct_messaging.c], [TF-A spmc_pm.c].

export const PSCI_CPU_SUSPEND_32 = 0x84000001;
export const PSCI_CPU_SUSPEND_64 = 0xc4000001;
export const PSCI_CPU_OFF = 0x84000002;

export const PSCI_SUCCESS = 0;
export const PSCI_NOT_SUPPORTED = -1;
export const PSCI_DENIED = -3;
