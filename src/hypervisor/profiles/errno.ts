// Errors of domain creation, as the hypervisor's toolstack interface numbers them. [Xen common/domain.c]

export const EIO = -5;
export const ENOMEM = -12;
export const ENODEV = -19;
export const EINVAL = -22;
export const ERANGE = -34;
