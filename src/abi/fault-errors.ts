// Which FF-A error answers each kind of fault. One table; a profile or personality that answers otherwise overrides it.

import { FFA_INVALID_PARAMETERS, FFA_NOT_SUPPORTED, type FfaErrorCode } from './errors.ts';
import type { FaultKind } from './fault.ts';

export const FAULT_ERRORS: Readonly<Record<FaultKind, FfaErrorCode>> = {
  'too-short': FFA_INVALID_PARAMETERS,
  'size-unsupported': FFA_INVALID_PARAMETERS,
  'offset-inside-header': FFA_INVALID_PARAMETERS,
  'offset-unaligned': FFA_INVALID_PARAMETERS,
  'offset-outside': FFA_INVALID_PARAMETERS,
  'offset-differs': FFA_INVALID_PARAMETERS,
  'count-outside': FFA_INVALID_PARAMETERS,
  'count-mismatch': FFA_INVALID_PARAMETERS,
  'length-unaligned': FFA_INVALID_PARAMETERS,
  signature: FFA_INVALID_PARAMETERS,
  version: FFA_NOT_SUPPORTED,
  function: FFA_NOT_SUPPORTED,
  'message-type': FFA_INVALID_PARAMETERS,
  'reserved-not-zero': FFA_INVALID_PARAMETERS,
};

/** The FF-A error that answers a fault of this kind. */
export function faultError(kind: FaultKind): FfaErrorCode {
  return FAULT_ERRORS[kind];
}
