// Where things lie in the RAM that QEMU and ffabric share, and what is where in the two pages through which they talk.
// shim.S has the same numbers; a test compares.

/** Where the RAM of QEMU's `virt` machine begins. The first megabyte is QEMU's own (its device tree). */
export const RAM_BASE = 0x4000_0000;
export const SHIM_ADDRESS = 0x4020_0000;
export const MAILBOX_ADDRESS = 0x4028_0000;
/** One page for each context. */
export const CONTEXTS_ADDRESS = 0x4029_0000;
export const CONTEXT_COUNT = 256;
/** Stage-2 tables. */
export const TABLES_ADDRESS = 0x4040_0000;
export const TABLES_END = 0x4100_0000;
/** From here on the RAM is the system's: what a machine file may give to guests and partitions. */
export const SYSTEM_ADDRESS = 0x4100_0000;

/** The mailbox: byte offsets. */
export const BOX_COMMAND_NUMBER = 0;
export const BOX_DONE_NUMBER = 4;
export const BOX_COMMAND = 8;
export const BOX_FLAGS = 12;
export const BOX_CONTEXT = 16;
export const BOX_SLICE = 24;
export const BOX_REASON = 32;
export const BOX_ESR = 40;
export const BOX_FAR = 48;
export const BOX_HPFAR = 56;
export const BOX_READY = 64;
export const BOX_FREQUENCY = 72;
/** x0 to x30 of the context that runs, and what else changes from entry to entry. */
export const BOX_X = 128;
export const BOX_PC = 376;
export const BOX_SPSR = 384;
export const BOX_HCR = 392;
export const BOX_LR0 = 400;
export const BOX_SIZE_BYTES = 408;

export const COMMAND_RUN = 1;
/** Store what is in memory once more: from the address in BOX_CONTEXT, as many bytes as BOX_SLICE says. */
export const COMMAND_REWRITE = 2;
/** Stage-2 tables have changed. */
export const FLAG_TLB = 1;

export const REASON_SYNC = 1;
export const REASON_SLICE = 2;
export const REASON_SERROR = 3;
export const REASON_SHIM = 4;
export const REASON_TIMER = 5;

export const READY_MAGIC = 0x4d49_4853;

/** A context's page: what changes hands only when another context runs. */
export const CONTEXT_SYSTEM = 0;
export const CONTEXT_VTTBR = 256;
export const CONTEXT_VMPIDR = 264;
export const CONTEXT_VPIDR = 272;
export const CONTEXT_CNTVOFF = 280;
export const CONTEXT_SIZE_BYTES = 288;
