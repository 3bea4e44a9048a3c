// Raw layout of boot information: what a partition finds at the address in its boot register.
//
// Sources: [Hafnium boot_info.c], [OP-TEE spmc_sp_handler.c], [arm-ffa crate].

/** Size of the header since 1.1. */
export const BOOT_INFO_HEADER_SIZE_BYTES = 32;
/** Offset 0, length 4: signature, 0x0ffa. */
export const BOOT_INFO_SIGNATURE_OFFSET = 0;
export const BOOT_INFO_SIGNATURE = 0x0ffa;
/** Offset 4, length 4: FF-A version of the blob. */
export const BOOT_INFO_VERSION_OFFSET = 4;
/** Offset 8, length 4: size of the whole blob in bytes, values that descriptors point to included. */
export const BOOT_INFO_BLOB_SIZE_OFFSET = 8;
/** Offset 12, length 4: size of each descriptor in bytes. */
export const BOOT_INFO_DESCRIPTOR_SIZE_OFFSET = 12;
/** Offset 16, length 4: number of descriptors. */
export const BOOT_INFO_DESCRIPTOR_COUNT_OFFSET = 16;
/** Offset 20, length 4: offset of the descriptors from the header's start. */
export const BOOT_INFO_DESCRIPTORS_OFFSET = 20;
/** Offset 24, length 8: reserved, must be zero. */
export const BOOT_INFO_RESERVED_24_OFFSET = 24;

export const BOOT_DESCRIPTOR_SIZE_BYTES = 32;
/** Offset 0, length 16: name, a string or a UUID. */
export const BOOT_DESCRIPTOR_NAME_OFFSET = 0;
export const BOOT_DESCRIPTOR_NAME_SIZE_BYTES = 16;
/** Offset 16, length 1: type. */
export const BOOT_DESCRIPTOR_TYPE_OFFSET = 16;
/** Offset 17, length 1: reserved, must be zero. */
export const BOOT_DESCRIPTOR_RESERVED_17_OFFSET = 17;
/** Offset 18, length 2: flags. */
export const BOOT_DESCRIPTOR_FLAGS_OFFSET = 18;
/** Offset 20, length 4: size of the content in bytes. */
export const BOOT_DESCRIPTOR_CONTENT_SIZE_OFFSET = 20;
/** Offset 24, length 8: the content, or where it is. */
export const BOOT_DESCRIPTOR_CONTENT_OFFSET = 24;

/** Type bit 7: implementation defined. */
export const BOOT_TYPE_IMPDEF_BIT = 0x80;
/** Type [6:0]. */
export const BOOT_TYPE_MASK = 0x7f;
export const BOOT_TYPE_FDT = 0;
export const BOOT_TYPE_HOB = 1;
/** Flags [1:0]: form of the name. */
export const BOOT_FLAG_NAME_MASK = 0x3;
export const BOOT_FLAG_NAME_STRING = 0;
export const BOOT_FLAG_NAME_UUID = 1;
/** Flags [3:2]: form of the content. */
export const BOOT_FLAG_CONTENT_SHIFT = 2;
export const BOOT_FLAG_CONTENT_MASK = 0x3 << BOOT_FLAG_CONTENT_SHIFT;
export const BOOT_FLAG_CONTENT_ADDRESS = 0 << BOOT_FLAG_CONTENT_SHIFT;
export const BOOT_FLAG_CONTENT_VALUE = 1 << BOOT_FLAG_CONTENT_SHIFT;
/** FF-A 1.3. */
export const BOOT_FLAG_CONTENT_OFFSET = 2 << BOOT_FLAG_CONTENT_SHIFT;

/** Size of the 1.0 form's header: magic and count. */
export const BOOT_INFO_1_0_HEADER_SIZE_BYTES = 8;
/** Offset 0, length 4: the characters `FF-A`. */
export const BOOT_INFO_1_0_MAGIC_OFFSET = 0;
/** `FF-A` as a little-endian word. */
export const BOOT_INFO_1_0_MAGIC = 0x412d4646;
/** Offset 4, length 4: number of entries. */
export const BOOT_INFO_1_0_COUNT_OFFSET = 4;
/** Size of one entry of the 1.0 form. */
export const BOOT_INFO_1_0_ENTRY_SIZE_BYTES = 32;
/** Offset 0, length 16: name. */
export const BOOT_INFO_1_0_NAME_OFFSET = 0;
/** Offset 16, length 8: value. */
export const BOOT_INFO_1_0_VALUE_OFFSET = 16;
/** Offset 24, length 8: size. */
export const BOOT_INFO_1_0_SIZE_OFFSET = 24;
