// Bits inside the fields of the memory management descriptors and calls: attributes, permissions, flags.
//
// Which of them a hypervisor or an SPMC accepts is its own business; nothing here judges that.
// Sources: [Hafnium ffa_memory.c], [Linux arm_ffa], [arm-ffa crate].

/** Attributes [1:0]: shareability of normal memory (device memory: reserved). */
export const MEMORY_SHAREABILITY_MASK = 0x3;
export const MEMORY_NON_SHAREABLE = 0;
export const MEMORY_OUTER_SHAREABLE = 2;
export const MEMORY_INNER_SHAREABLE = 3;

/** Attributes [3:2]: cacheability of normal memory, or which device memory. */
export const MEMORY_CACHEABILITY_SHIFT = 2;
export const MEMORY_CACHEABILITY_MASK = 0x3 << MEMORY_CACHEABILITY_SHIFT;
export const MEMORY_NON_CACHEABLE = 1 << MEMORY_CACHEABILITY_SHIFT;
export const MEMORY_WRITE_BACK = 3 << MEMORY_CACHEABILITY_SHIFT;
export const MEMORY_DEVICE_NGNRNE = 0 << MEMORY_CACHEABILITY_SHIFT;
export const MEMORY_DEVICE_NGNRE = 1 << MEMORY_CACHEABILITY_SHIFT;
export const MEMORY_DEVICE_NGRE = 2 << MEMORY_CACHEABILITY_SHIFT;
export const MEMORY_DEVICE_GRE = 3 << MEMORY_CACHEABILITY_SHIFT;

/** Attributes [5:4]: type. */
export const MEMORY_TYPE_SHIFT = 4;
export const MEMORY_TYPE_MASK = 0x3 << MEMORY_TYPE_SHIFT;
export const MEMORY_TYPE_UNSPECIFIED = 0 << MEMORY_TYPE_SHIFT;
export const MEMORY_TYPE_DEVICE = 1 << MEMORY_TYPE_SHIFT;
export const MEMORY_TYPE_NORMAL = 2 << MEMORY_TYPE_SHIFT;

/** Attributes bit 6, since 1.1: the pages are non-secure; only a retrieve response may set it. */
export const MEMORY_ATTRIBUTE_NS = 1 << 6;
/** Normal memory, write-back, inner shareable: what nearly every sender states. */
export const MEMORY_NORMAL_WRITE_BACK_INNER = 0x2f;
/** Attributes bits that have no meaning in 1.1 and 1.2. */
export const MEMORY_ATTRIBUTES_RESERVED_MASK = 0xff80;

/** EMAD permissions [1:0]: data access. */
export const DATA_ACCESS_MASK = 0x3;
export const DATA_ACCESS_UNSPECIFIED = 0;
export const DATA_ACCESS_RO = 1;
export const DATA_ACCESS_RW = 2;
export const DATA_ACCESS_RESERVED = 3;

/** EMAD permissions [3:2]: instruction access. */
export const INSTRUCTION_ACCESS_SHIFT = 2;
export const INSTRUCTION_ACCESS_MASK = 0x3 << INSTRUCTION_ACCESS_SHIFT;
export const INSTRUCTION_ACCESS_UNSPECIFIED = 0 << INSTRUCTION_ACCESS_SHIFT;
export const INSTRUCTION_ACCESS_NX = 1 << INSTRUCTION_ACCESS_SHIFT;
export const INSTRUCTION_ACCESS_X = 2 << INSTRUCTION_ACCESS_SHIFT;
export const INSTRUCTION_ACCESS_RESERVED = 3 << INSTRUCTION_ACCESS_SHIFT;
/** EMAD permissions [7:4]: reserved. */
export const EMAD_PERMISSIONS_RESERVED_MASK = 0xf0;

/** EMAD flags bit 0: this endpoint does not retrieve by itself. */
export const EMAD_FLAG_NON_RETRIEVAL_BORROWER = 1 << 0;

/** MTD flags bit 0: zero the memory before it is mapped (send), or when it is retrieved. */
export const MEMORY_FLAG_ZERO = 1 << 0;
/** MTD flags bit 1: the operation may be time-sliced. */
export const MEMORY_FLAG_TIME_SLICE = 1 << 1;
/** MTD flags bit 2, retrieve: zero the memory after it is relinquished. */
export const MEMORY_FLAG_ZERO_AFTER_RELINQUISH = 1 << 2;
/** MTD flags [4:3], retrieve: type of the transaction. */
export const MEMORY_FLAG_TYPE_SHIFT = 3;
export const MEMORY_FLAG_TYPE_MASK = 0x3 << MEMORY_FLAG_TYPE_SHIFT;
export const MEMORY_FLAG_TYPE_UNSPECIFIED = 0 << MEMORY_FLAG_TYPE_SHIFT;
export const MEMORY_FLAG_TYPE_SHARE = 1 << MEMORY_FLAG_TYPE_SHIFT;
export const MEMORY_FLAG_TYPE_LEND = 2 << MEMORY_FLAG_TYPE_SHIFT;
export const MEMORY_FLAG_TYPE_DONATE = 3 << MEMORY_FLAG_TYPE_SHIFT;
/** MTD flags [8:5], retrieve: address range alignment hint. */
export const MEMORY_FLAG_ALIGNMENT_HINT_SHIFT = 5;
export const MEMORY_FLAG_ALIGNMENT_HINT_MASK = 0xf << MEMORY_FLAG_ALIGNMENT_HINT_SHIFT;
/** MTD flags bit 9, retrieve: the hint is valid. */
export const MEMORY_FLAG_ALIGNMENT_HINT_VALID = 1 << 9;
/** MTD flags bit 10, retrieve, since 1.1: do not check the other borrowers. */
export const MEMORY_FLAG_BYPASS_BORROWER_CHECK = 1 << 10;
/** Flags that a sender may set. */
export const MEMORY_FLAGS_SEND_MASK = MEMORY_FLAG_ZERO | MEMORY_FLAG_TIME_SLICE;
/** Flags that a retrieve request may set. */
export const MEMORY_FLAGS_RETRIEVE_MASK = 0x7ff;

/** Relinquish flags bit 0: zero the memory. */
export const RELINQUISH_FLAG_ZERO = 1 << 0;
/** Relinquish flags bit 1: the operation may be time-sliced. */
export const RELINQUISH_FLAG_TIME_SLICE = 1 << 1;

/** FFA_MEM_RECLAIM w3 bit 0: zero the memory. */
export const RECLAIM_FLAG_ZERO = 1 << 0;
/** FFA_MEM_RECLAIM w3 bit 1: the operation may be time-sliced. */
export const RECLAIM_FLAG_TIME_SLICE = 1 << 1;

/** Both words of the handle that stands for "no handle". */
export const INVALID_HANDLE_WORD = 0xffffffff;
/** Bit 63 of a handle, in its high word: the hypervisor allocated it. */
export const HANDLE_HIGH_HYPERVISOR_BIT = 0x80000000;

/** FFA_MEM_FRAG_RX and FFA_MEM_FRAG_TX: w4 [31:16] is the endpoint id at the physical instance, else zero. */
export const FRAG_ENDPOINT_SHIFT = 16;

/** FFA_MEM_PERM_GET and SET, w3 [1:0] (w2 in an answer): data access. */
export const MEM_PERM_DATA_MASK = 0x3;
export const MEM_PERM_DATA_NONE = 0;
export const MEM_PERM_DATA_RW = 1;
export const MEM_PERM_DATA_RO = 3;
/** FFA_MEM_PERM_GET and SET: bit 2, not executable. */
export const MEM_PERM_XN = 1 << 2;
export const MEM_PERM_RO_XN = 7;
export const MEM_PERM_RW_XN = 5;
export const MEM_PERM_RO_X = 3;
