// How much of everything the SPMC has. Data, so that a world can lower one of them ("an SPMC out of slots") or raise
// it. The defaults are Hafnium's [Hafnium ffa_memory.c].

export interface SpmcLimits {
  /** Memory transactions that live at once. */
  readonly slots: number;
  /** Fragments in which one memory transaction may be sent. */
  readonly fragments: number;
  /** Receivers of one memory transaction. */
  readonly receivers: number;
  /** Pages of 4 KiB in an RX or a TX buffer. */
  readonly bufferPages: number;
  /** Width of a physical address: nothing is mapped beyond. */
  readonly physicalAddressBits: number;
  /** Normal-world endpoints that have buffers or notifications here at once. */
  readonly virtualMachines: number;
  /** vCPUs of a VM in FFA_NOTIFICATION_BITMAP_CREATE. */
  readonly vcpus: number;
}

export const DEFAULT_LIMITS: SpmcLimits = {
  slots: 100,
  fragments: 20,
  receivers: 2,
  bufferPages: 1,
  physicalAddressBits: 40,
  virtualMachines: 32_768,
  vcpus: 512,
};
