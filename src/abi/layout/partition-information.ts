// Raw layout of partition information: the descriptors that FFA_PARTITION_INFO_GET writes to RX, the registers of
// FFA_PARTITION_INFO_GET_REGS, and the partition properties that both carry.
//
// Sources: [Hafnium api.c], [Linux arm_ffa], [arm-ffa crate].

/** Size of a descriptor in 1.0. */
export const PARTITION_INFO_1_0_SIZE_BYTES = 8;
/** Size of a descriptor in 1.1 and 1.2. */
export const PARTITION_INFO_1_1_SIZE_BYTES = 24;
/** Size of a descriptor in 1.3. */
export const PARTITION_INFO_1_3_SIZE_BYTES = 48;

/** Offset 0, length 2: partition id. */
export const PARTITION_INFO_ID_OFFSET = 0;
/** Offset 2, length 2: number of execution contexts, or the id of the partition that this one is a proxy for. */
export const PARTITION_INFO_EXECUTION_CONTEXTS_OFFSET = 2;
/** Offset 4, length 4: properties, `PARTITION_...`. */
export const PARTITION_INFO_PROPERTIES_OFFSET = 4;
/** Offset 8, length 16, since 1.1: protocol UUID; zero if the caller asked for one UUID. */
export const PARTITION_INFO_UUID_OFFSET = 8;
/** Offset 24, length 16, 1.3: image UUID. */
export const PARTITION_INFO_IMAGE_UUID_OFFSET = 24;
/** Offset 40, length 4, 1.3: FF-A version of the partition. */
export const PARTITION_INFO_VERSION_OFFSET = 40;
/** Offset 44, length 4, 1.3: reserved. */
export const PARTITION_INFO_RESERVED_44_OFFSET = 44;

/** Properties bit 0: receives direct requests. */
export const PARTITION_RECEIVES_DIRECT_REQ = 1 << 0;
/** Properties bit 1: sends direct requests. */
export const PARTITION_SENDS_DIRECT_REQ = 1 << 1;
/** Properties bit 2: sends and receives indirect messages. */
export const PARTITION_INDIRECT_MESSAGES = 1 << 2;
/** Properties bit 3: receives notifications. */
export const PARTITION_NOTIFICATIONS = 1 << 3;
/** Properties [5:4]: what kind of id this is. */
export const PARTITION_ID_TYPE_SHIFT = 4;
export const PARTITION_ID_TYPE_MASK = 0x3 << PARTITION_ID_TYPE_SHIFT;
export const PARTITION_ID_TYPE_PE_ENDPOINT = 0 << PARTITION_ID_TYPE_SHIFT;
export const PARTITION_ID_TYPE_SEPID_INDEPENDENT = 1 << PARTITION_ID_TYPE_SHIFT;
export const PARTITION_ID_TYPE_SEPID_DEPENDENT = 2 << PARTITION_ID_TYPE_SHIFT;
export const PARTITION_ID_TYPE_AUXILIARY = 3 << PARTITION_ID_TYPE_SHIFT;
/** Properties bit 6: wants to be told of VMs that are created. */
export const PARTITION_VM_CREATED = 1 << 6;
/** Properties bit 7: wants to be told of VMs that are destroyed. */
export const PARTITION_VM_DESTROYED = 1 << 7;
/** Properties bit 8: runs in AArch64 state. */
export const PARTITION_AARCH64 = 1 << 8;
/** Properties bit 9, since 1.2: receives FFA_MSG_SEND_DIRECT_REQ2. */
export const PARTITION_RECEIVES_DIRECT_REQ2 = 1 << 9;
/** Properties bit 10, since 1.2: sends FFA_MSG_SEND_DIRECT_REQ2. */
export const PARTITION_SENDS_DIRECT_REQ2 = 1 << 10;
/** Properties bit 11, 1.3: live activation. */
export const PARTITION_LIVE_ACTIVATION = 1 << 11;
/** Properties bit 12, 1.3: live activation needs a CPU rendezvous. */
export const PARTITION_CPU_RENDEZVOUS = 1 << 12;
/** Properties bit 13, 1.3: SMC64 cycle management [arm-ffa crate]. */
export const PARTITION_SMC64_CYCLE_MANAGEMENT = 1 << 13;

/** FFA_PARTITION_INFO_GET w5 bit 0, since 1.1: return the count only. */
export const PARTITION_INFO_GET_FLAG_COUNT_ONLY = 1 << 0;

/** FFA_PARTITION_INFO_GET_REGS: x3 [15:0] start index. */
export const INFO_REGS_START_INDEX_SHIFT = 0;
/** FFA_PARTITION_INFO_GET_REGS: x3 [31:16] information tag. */
export const INFO_REGS_TAG_SHIFT = 16;
/** Answer: x2 [15:0] index of the last partition there is. */
export const INFO_REGS_LAST_INDEX_SHIFT = 0;
/** Answer: x2 [31:16] index of the last partition in this answer. */
export const INFO_REGS_CURRENT_INDEX_SHIFT = 16;
/** Answer: x2 [47:32], i.e. [15:0] of the high word: information tag. */
export const INFO_REGS_ANSWER_TAG_HIGH_SHIFT = 0;
/** Answer: x2 [63:48], i.e. [31:16] of the high word: size of a descriptor in bytes. */
export const INFO_REGS_DESCRIPTOR_SIZE_HIGH_SHIFT = 16;
/** Answer: the descriptors begin in x3 and may go on to x17. */
export const INFO_REGS_FIRST_REGISTER = 3;
export const INFO_REGS_LAST_REGISTER = 17;
/** Most descriptors of 24 bytes (3 registers each) in one answer. */
export const INFO_REGS_MAX_ENTRIES_24 = 5;
/** Most descriptors of 48 bytes (6 registers each) in one answer. */
export const INFO_REGS_MAX_ENTRIES_48 = 2;
