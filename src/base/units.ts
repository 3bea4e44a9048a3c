// Types for numbers that must not be mixed. Each is a plain double at run time; a plain number may become any of
// them, but one of them never another.

declare const unit: unique symbol;
type Unit<Name extends string> = number & { readonly [unit]?: Name };

/** Virtual time since the world began, or a span of it, in nanoseconds. */
export type Nanoseconds = Unit<'ns'>;
/** A physical address in bytes (below 2^53, so a double holds it exactly). */
export type PhysicalAddress = Unit<'pa'>;
/** An address in a guest's or partition's own physical space, in bytes. */
export type Ipa = Unit<'ipa'>;
/** A physical frame of 4 KiB: physical address / 4096. */
export type FrameNumber = Unit<'frame'>;
/** A guest frame of 4 KiB: intermediate physical address / 4096. */
export type GuestFrame = Unit<'gfn'>;
/** A 16-bit FF-A endpoint id. */
export type EndpointId = Unit<'endpoint'>;

export const PAGE_SHIFT = 12;
export const PAGE_SIZE_BYTES = 4096;
export const TWO_POW_32 = 0x1_0000_0000;

export const NS_PER_US = 1_000;
export const NS_PER_MS = 1_000_000;
export const NS_PER_S = 1_000_000_000;
