// Raw layout of the notification calls' registers.
//
// A bitmap is 64 bits, as two words: low in the first register, high in the second.
// Sources: [Hafnium api.c], [Linux arm_ffa], [Xen ffa_notif.c].

/** BIND, UNBIND, SET w1: [31:16] sender, [15:0] receiver. */
export const NOTIFICATION_SENDER_SHIFT = 16;
/** GET w1: [31:16] vCPU, [15:0] receiver. */
export const NOTIFICATION_GET_VCPU_SHIFT = 16;

/** BIND and SET w2 bit 0: per-vCPU notifications. */
export const NOTIFICATION_FLAG_PER_VCPU = 1 << 0;
/** SET w2 bit 1: delay the schedule receiver interrupt. */
export const NOTIFICATION_FLAG_DELAY_SRI = 1 << 1;
/** SET w2 [31:16]: the receiver's vCPU. */
export const NOTIFICATION_SET_VCPU_SHIFT = 16;

/** GET w2: which bitmaps are wanted. */
export const NOTIFICATION_GET_FROM_SP = 1 << 0;
export const NOTIFICATION_GET_FROM_VM = 1 << 1;
export const NOTIFICATION_GET_FROM_SPM = 1 << 2;
export const NOTIFICATION_GET_FROM_HYP = 1 << 3;
export const NOTIFICATION_GET_FLAGS_MASK = 0xf;

/** Framework bitmaps (w6 SPM, w7 hypervisor) bit 0: the RX buffer is full. */
export const NOTIFICATION_FRAMEWORK_RX_FULL = 1 << 0;

/** Bits in a bitmap. */
export const NOTIFICATION_BIT_COUNT = 64;

/** INFO_GET answer, w2 bit 0: more notifications are pending. */
export const INFO_GET_MORE_PENDING = 1 << 0;
/** INFO_GET answer, w2 [11:7]: number of lists. */
export const INFO_GET_LIST_COUNT_SHIFT = 7;
export const INFO_GET_LIST_COUNT_MASK = 0x1f;
/** INFO_GET answer, w2 [13:12] and so on, two bits a list: number of vCPU ids after the list's endpoint id. */
export const INFO_GET_FIRST_LIST_SHIFT = 12;
export const INFO_GET_LIST_VCPU_COUNT_MASK = 0x3;
/** INFO_GET answer: ids are 16 bits each, packed from register 3 to 7. */
export const INFO_GET_FIRST_REGISTER = 3;
export const INFO_GET_MAX_IDS_32 = 10;
export const INFO_GET_MAX_IDS_64 = 20;
export const INFO_GET_MAX_LISTS_32 = 10;
/** The 64-bit form has room for 20 ids; list sizes then reach up to bit 51 of x2. */
export const INFO_GET_MAX_LISTS_64 = 20;
