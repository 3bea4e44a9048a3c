// Raw layout of what concerns RX and TX buffers, and of two small calls: FFA_RXTX_MAP and the descriptor that a
// hypervisor forwards with it, RX_RELEASE, RX_ACQUIRE, RXTX_UNMAP, FFA_CONSOLE_LOG, FFA_ERROR.
//
// Sources: [Xen ffa_rxtx.c], [Hafnium api.c], [Linux arm_ffa].

/** RXTX_MAP w3 [5:0]: pages of 4 KiB in each buffer. [31:6] must be zero. */
export const RXTX_MAP_PAGE_COUNT_MASK = 0x3f;
/** RXTX_UNMAP w1 [31:16]: the VM, from the hypervisor only; else zero. */
export const RXTX_UNMAP_ENDPOINT_SHIFT = 16;
/** RX_RELEASE and RX_ACQUIRE w1 [15:0]: the VM, from the hypervisor only; else zero. */
export const RX_RELEASE_ENDPOINT_MASK = 0xffff;

/** Bytes of the endpoint RX/TX descriptor before its two composites. */
export const RXTX_DESCRIPTOR_SIZE_BYTES = 12;
/** Offset 0, length 2: the endpoint whose buffers are mapped. */
export const RXTX_DESCRIPTOR_ENDPOINT_OFFSET = 0;
/** Offset 2, length 2: reserved, must be zero. */
export const RXTX_DESCRIPTOR_RESERVED_2_OFFSET = 2;
/** Offset 4, length 4: offset of the RX buffer's composite, a multiple of 8. */
export const RXTX_DESCRIPTOR_RX_OFFSET = 4;
/** Offset 8, length 4: offset of the TX buffer's composite, a multiple of 8. */
export const RXTX_DESCRIPTOR_TX_OFFSET = 8;
/** What both offsets must be multiples of. */
export const RXTX_DESCRIPTOR_COMPOSITE_ALIGNMENT_BYTES = 8;

/** CONSOLE_LOG: w1 [7:0] number of characters; they follow from register 2. */
export const CONSOLE_LOG_FIRST_REGISTER = 2;
/** Most characters in one FFA_CONSOLE_LOG_32 (w2 to w7). */
export const CONSOLE_LOG_MAX_CHARACTERS_32 = 24;
/** Most characters in one FFA_CONSOLE_LOG_64 before 1.2 (x2 to x7). */
export const CONSOLE_LOG_MAX_CHARACTERS_64 = 48;
/** Most characters in one FFA_CONSOLE_LOG_64 since 1.2 (x2 to x17). */
export const CONSOLE_LOG_MAX_CHARACTERS_64_1_2 = 128;
