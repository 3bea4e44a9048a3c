// What FFA_FEATURES answers in w2 and w3, by what was asked for.
//
// Sources: FF-A 1.2 §13.3, [Xen ffa.c], [Hafnium api.c], [ACS].

import * as bits from './features.ts';
import {
  FFA_MEM_DONATE_32,
  FFA_MEM_LEND_32,
  FFA_MEM_RETRIEVE_REQ_32,
  FFA_MEM_SHARE_32,
  FFA_RXTX_MAP_32,
  SMC64_BIT,
} from './function-ids.ts';

/** An answer as values; which of them there are follows from what was asked for. */
export type FeatureProperties =
  /** A feature id: the id of its interrupt. */
  | { readonly kind: 'interrupt'; readonly interruptId: number }
  /** FFA_RXTX_MAP. */
  | { readonly kind: 'buffers'; readonly granuleBytes: number; readonly maxPageCount: number }
  /** FFA_MEM_DONATE, LEND, SHARE. */
  | { readonly kind: 'send'; readonly hasDynamicBuffer: boolean }
  /** FFA_MEM_RETRIEVE_REQ; `retrieveCount` is how often a region may be retrieved before it is relinquished. */
  | {
      readonly kind: 'retrieve';
      readonly hasDynamicBuffer: boolean;
      readonly hasNsBit: boolean;
      readonly hasHypervisorRetrieve: boolean;
      readonly retrieveCount: number;
    }
  /** Any other function: nothing but that it is there. */
  | { readonly kind: 'present' };

const GRANULES = [4096, 65536, 16384];
const PRESENT: FeatureProperties = { kind: 'present' };

/** What a successful answer says; a reserved granule reads as 0 bytes. */
export function decodeFeatureProperties(asked: number, w2: number, w3: number): FeatureProperties {
  if ((asked & bits.FFA_FEATURES_FUNCTION_ID_BIT) === 0) return { kind: 'interrupt', interruptId: w2 };
  switch ((asked & ~SMC64_BIT) >>> 0) {
    case FFA_RXTX_MAP_32:
      return {
        kind: 'buffers',
        granuleBytes: GRANULES[w2 & bits.FFA_FEATURES_RXTX_GRANULE_MASK] ?? 0,
        maxPageCount: w2 >>> bits.FFA_FEATURES_RXTX_MAX_PAGES_SHIFT,
      };
    case FFA_MEM_DONATE_32:
    case FFA_MEM_LEND_32:
    case FFA_MEM_SHARE_32:
      return { kind: 'send', hasDynamicBuffer: (w2 & bits.FFA_FEATURES_DYNAMIC_BUFFER) !== 0 };
    case FFA_MEM_RETRIEVE_REQ_32:
      return {
        kind: 'retrieve',
        hasDynamicBuffer: (w2 & bits.FFA_FEATURES_DYNAMIC_BUFFER) !== 0,
        hasNsBit: (w2 & bits.FFA_FEATURES_RETRIEVE_NS_BIT) !== 0,
        hasHypervisorRetrieve: (w2 & bits.FFA_FEATURES_RETRIEVE_BY_HYPERVISOR) !== 0,
        retrieveCount: 2 ** ((w3 & bits.FFA_FEATURES_RETRIEVE_COUNT_MASK) + 1) - 1,
      };
    default:
      return PRESENT;
  }
}

/** w2 and w3 of the answer. */
export function encodeFeatureProperties(properties: FeatureProperties): { readonly w2: number; readonly w3: number } {
  switch (properties.kind) {
    case 'interrupt':
      return { w2: properties.interruptId, w3: 0 };
    case 'buffers': {
      const granule = Math.max(0, GRANULES.indexOf(properties.granuleBytes));
      return { w2: ((properties.maxPageCount << bits.FFA_FEATURES_RXTX_MAX_PAGES_SHIFT) | granule) >>> 0, w3: 0 };
    }
    case 'send':
      return { w2: properties.hasDynamicBuffer ? bits.FFA_FEATURES_DYNAMIC_BUFFER : 0, w3: 0 };
    case 'retrieve': {
      let w2 = properties.hasDynamicBuffer ? bits.FFA_FEATURES_DYNAMIC_BUFFER : 0;
      if (properties.hasNsBit) w2 |= bits.FFA_FEATURES_RETRIEVE_NS_BIT;
      if (properties.hasHypervisorRetrieve) w2 |= bits.FFA_FEATURES_RETRIEVE_BY_HYPERVISOR;
      return { w2, w3: 30 - Math.clz32(properties.retrieveCount + 1) };
    }
    case 'present':
      return { w2: 0, w3: 0 };
  }
}
