// FFA_FEATURES: feature ids (w1 without bit 31), and the bits of its answers and of its one input property.
//
// w1 with bit 31 set asks for a function id instead. `features-call.ts` encodes and decodes the answers.

/** Notification pending interrupt: the answer's w2 is its interrupt id. */
export const FFA_FEATURE_NPI = 1;
/** Schedule receiver interrupt: the answer's w2 is its interrupt id. */
export const FFA_FEATURE_SRI = 2;
/** Managed exit interrupt: the answer's w2 is its interrupt id. */
export const FFA_FEATURE_MEI = 3;
/** FF-A 1.3: which kinds of notification there are. */
export const FFA_FEATURE_NOTIFICATIONS = 4;

/** w1: set in a query for a function id, clear in one for a feature id. */
export const FFA_FEATURES_FUNCTION_ID_BIT = 0x80000000;

/** w2 of a query for FFA_MEM_RETRIEVE_REQ: the caller wants the NS bit in retrieve responses. */
export const FFA_FEATURES_RETRIEVE_NS_BIT_WANTED = 1 << 1;

/**
 * w2 of the answer for MEM_DONATE, LEND, SHARE, RETRIEVE_REQ: descriptors may lie in a dynamically allocated buffer.
 */
export const FFA_FEATURES_DYNAMIC_BUFFER = 1 << 0;
/** w2 of the answer for MEM_RETRIEVE_REQ: the NS bit is reported. */
export const FFA_FEATURES_RETRIEVE_NS_BIT = 1 << 1;
/** w2 of the answer for MEM_RETRIEVE_REQ: the hypervisor may retrieve. */
export const FFA_FEATURES_RETRIEVE_BY_HYPERVISOR = 1 << 2;
/**
 * w3 [7:0] of the answer for MEM_RETRIEVE_REQ: n, so that a region may be retrieved 2^(n+1) - 1 times before it is
 * relinquished.
 */
export const FFA_FEATURES_RETRIEVE_COUNT_MASK = 0xff;

/** w2 [1:0] of the answer for RXTX_MAP: smallest buffer size and alignment. */
export const FFA_FEATURES_RXTX_GRANULE_MASK = 0x3;
export const FFA_FEATURES_RXTX_GRANULE_4K = 0;
export const FFA_FEATURES_RXTX_GRANULE_64K = 1;
export const FFA_FEATURES_RXTX_GRANULE_16K = 2;
/** w2 [31:16] of the answer for RXTX_MAP, FF-A 1.2: most pages a buffer may have; 0 = no limit is stated. */
export const FFA_FEATURES_RXTX_MAX_PAGES_SHIFT = 16;

const FEATURE_NAMES: readonly (string | undefined)[] = [undefined, 'NPI', 'SRI', 'MEI', 'NOTIFICATIONS'];

/** `NPI` for 1; the number in hex for an id without a name. */
export function featureName(featureId: number): string {
  return FEATURE_NAMES[featureId] ?? `0x${(featureId >>> 0).toString(16)}`;
}
