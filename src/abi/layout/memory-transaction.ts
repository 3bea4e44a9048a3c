// Raw layout of the memory management descriptors: byte offsets, all fields little-endian.
//
// memory transaction descriptor (MTD): 32 bytes in 1.0, 48 bytes since 1.1
//   -> endpoint memory access descriptors (EMAD): 16 bytes, or 32 since 1.2; the MTD states which since 1.1
//     -> composite memory region descriptor, 16 bytes, at the offset that each EMAD states
//       -> constituents, 16 bytes each
// and the relinquish descriptor. Bits inside the fields: `memory-bits.ts`.
//
// Sources: [Hafnium ffa_memory.c], [Xen ffa_shm.c], [TF-A spmc], [arm-ffa crate].

/** Size of the MTD's header in FF-A 1.0. */
export const MTD_1_0_SIZE_BYTES = 32;
/** Size of the MTD's header since FF-A 1.1. */
export const MTD_1_1_SIZE_BYTES = 48;

/** Offset 0, length 2: id of the endpoint that owns the memory. */
export const MTD_SENDER_OFFSET = 0;
/** Offset 2, length 2 (length 1 in 1.0, then one reserved byte): memory region attributes. */
export const MTD_ATTRIBUTES_OFFSET = 2;
/** Offset 3, length 1, 1.0 only: reserved, must be zero. */
export const MTD_1_0_RESERVED_3_OFFSET = 3;
/** Offset 4, length 4: flags, `MEMORY_FLAG_...`. */
export const MTD_FLAGS_OFFSET = 4;
/** Offset 8, length 8: handle; zero when memory is sent. */
export const MTD_HANDLE_OFFSET = 8;
/** Offset 16, length 8: tag, chosen by the sender and opaque to all others. */
export const MTD_TAG_OFFSET = 16;
/** Offset 24, length 4, 1.0 only: reserved, must be zero. */
export const MTD_1_0_RESERVED_24_OFFSET = 24;
/** Offset 24, length 4, since 1.1: size of each EMAD in bytes. */
export const MTD_1_1_EMAD_SIZE_OFFSET = 24;
/** Offset 28, length 4: number of EMADs. */
export const MTD_EMAD_COUNT_OFFSET = 28;
/** Offset 32, length 4, since 1.1: offset of the EMAD array from the MTD's start, a multiple of 16. */
export const MTD_1_1_EMAD_ARRAY_OFFSET = 32;
/** Offset 36, length 12, since 1.1: reserved, must be zero. */
export const MTD_1_1_RESERVED_36_OFFSET = 36;
/** What `MTD_1_1_EMAD_ARRAY_OFFSET` states must be a multiple of this. */
export const MTD_EMAD_ARRAY_ALIGNMENT_BYTES = 16;

/** Size of an EMAD in 1.0 and 1.1, and the part that both sizes share. */
export const EMAD_1_0_SIZE_BYTES = 16;
/** Size of an EMAD since 1.2. */
export const EMAD_1_2_SIZE_BYTES = 32;
/** Offset 0, length 2: the receiver's endpoint id. */
export const EMAD_RECEIVER_OFFSET = 0;
/** Offset 2, length 1: memory access permissions. */
export const EMAD_PERMISSIONS_OFFSET = 2;
/** Offset 3, length 1: flags, `EMAD_FLAG_...`. */
export const EMAD_FLAGS_OFFSET = 3;
/** Offset 4, length 4: offset of the composite from the MTD's start; 0 = there is none. */
export const EMAD_COMPOSITE_OFFSET = 4;
/** Offset 8, length 8, in an EMAD of 16 bytes: reserved, must be zero. */
export const EMAD_1_0_RESERVED_8_OFFSET = 8;
/** Offset 8, length 16, in an EMAD of 32 bytes: implementation defined information. */
export const EMAD_1_2_IMPDEF_OFFSET = 8;
export const EMAD_1_2_IMPDEF_SIZE_BYTES = 16;
/** Offset 24, length 8, in an EMAD of 32 bytes: reserved, must be zero. */
export const EMAD_1_2_RESERVED_24_OFFSET = 24;

/** Size of a composite without its constituents. */
export const COMPOSITE_SIZE_BYTES = 16;
/** Offset 0, length 4: number of 4 KiB pages in all constituents together. */
export const COMPOSITE_PAGE_COUNT_OFFSET = 0;
/** Offset 4, length 4: number of constituents. */
export const COMPOSITE_CONSTITUENT_COUNT_OFFSET = 4;
/** Offset 8, length 8: reserved, must be zero. */
export const COMPOSITE_RESERVED_8_OFFSET = 8;

export const CONSTITUENT_SIZE_BYTES = 16;
/** Offset 0, length 8: address of the first page, a multiple of 4096. */
export const CONSTITUENT_ADDRESS_OFFSET = 0;
/** Offset 8, length 4: number of pages of 4 KiB, whatever the translation granule. */
export const CONSTITUENT_PAGE_COUNT_OFFSET = 8;
/** Offset 12, length 4: reserved, must be zero. */
export const CONSTITUENT_RESERVED_12_OFFSET = 12;

/** Size of a relinquish descriptor without its endpoint ids. */
export const RELINQUISH_SIZE_BYTES = 16;
/** Offset 0, length 8: handle. */
export const RELINQUISH_HANDLE_OFFSET = 0;
/** Offset 8, length 4: flags, `RELINQUISH_FLAG_...`. */
export const RELINQUISH_FLAGS_OFFSET = 8;
/** Offset 12, length 4: number of endpoint ids. */
export const RELINQUISH_ENDPOINT_COUNT_OFFSET = 12;
/** Offset 16, length 2 each: endpoint ids. */
export const RELINQUISH_ENDPOINTS_OFFSET = 16;
export const RELINQUISH_ENDPOINT_SIZE_BYTES = 2;
