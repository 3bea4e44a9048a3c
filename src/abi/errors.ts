// FF-A error codes: 32-bit two's complement, in w2 of FFA_ERROR (and in w0 of a failed FFA_VERSION).
//
// They are negative numbers here. A register holds them zero-extended: `code >>> 0`.

export const FFA_OK = 0;
export const FFA_NOT_SUPPORTED = -1;
export const FFA_INVALID_PARAMETERS = -2;
export const FFA_NO_MEMORY = -3;
export const FFA_BUSY = -4;
export const FFA_INTERRUPTED = -5;
export const FFA_DENIED = -6;
export const FFA_RETRY = -7;
export const FFA_ABORTED = -8;
export const FFA_NO_DATA = -9;
export const FFA_NOT_READY = -10;

/** An error code that FF-A 1.0 to 1.2 defines. */
export type FfaErrorCode =
  | typeof FFA_NOT_SUPPORTED
  | typeof FFA_INVALID_PARAMETERS
  | typeof FFA_NO_MEMORY
  | typeof FFA_BUSY
  | typeof FFA_INTERRUPTED
  | typeof FFA_DENIED
  | typeof FFA_RETRY
  | typeof FFA_ABORTED
  | typeof FFA_NO_DATA
  | typeof FFA_NOT_READY;

/** Names by `-code`. */
const ERROR_NAMES: readonly string[] = [
  'OK',
  'NOT_SUPPORTED',
  'INVALID_PARAMETERS',
  'NO_MEMORY',
  'BUSY',
  'INTERRUPTED',
  'DENIED',
  'RETRY',
  'ABORTED',
  'NO_DATA',
  'NOT_READY',
];

/** Every defined error code, -1 first. */
export const FFA_ERROR_CODES: readonly FfaErrorCode[] = [-1, -2, -3, -4, -5, -6, -7, -8, -9, -10];

/** `DENIED` for -6 or 0xfffffffa (a register's content); `OK` for 0; the signed number for what has no name. */
export function errorName(code: number): string {
  const signed = code | 0;
  return ERROR_NAMES[-signed] ?? String(signed);
}

/** True if the low 32 bits of `code` are an error code that FF-A defines. */
export function isFfaErrorCode(code: number): code is FfaErrorCode {
  const signed = code | 0;
  return signed <= FFA_NOT_SUPPORTED && signed >= FFA_NOT_READY;
}
