// Interrupts that the SPMC makes itself, and the schedule receiver's, which the hypervisor takes.
//
// Sources: [Hafnium api.c], [ACS].

/** Schedule receiver interrupt, a software-generated one: the hypervisor asks who has notifications. */
export const SCHEDULE_RECEIVER_INTERRUPT = 8;
/** Managed exit interrupt: the partition is asked to give its PE up. */
export const MANAGED_EXIT_INTERRUPT = 4;
/** Notification pending interrupt: the partition has notifications to fetch. */
export const NOTIFICATION_PENDING_INTERRUPT = 5;
