// Attributes, permissions and flags of memory transactions as text, for byte maps, logs and traces.

import * as bits from './layout/memory-bits.ts';

const SHAREABILITY = ['non-shareable', 'shareability 1', 'outer shareable', 'inner shareable'];
const NORMAL_CACHEABILITY = ['cacheability 0', 'non-cacheable', 'cacheability 2', 'write-back'];
const DEVICE_KINDS = ['nGnRnE', 'nGnRE', 'nGRE', 'GRE'];
const DATA_ACCESS = ['data unspecified', 'RO', 'RW', 'data reserved'];
const INSTRUCTION_ACCESS = ['instruction unspecified', 'NX', 'X', 'instruction reserved'];
const TRANSACTION_TYPES = ['unspecified', 'share', 'lend', 'donate'];

/** `0x2f normal write-back inner shareable`. */
export function formatMemoryAttributes(attributes: number): string {
  const words = [hex(attributes)];
  const kind = (attributes & bits.MEMORY_CACHEABILITY_MASK) >>> bits.MEMORY_CACHEABILITY_SHIFT;
  const shareability = SHAREABILITY[attributes & bits.MEMORY_SHAREABILITY_MASK];
  switch (attributes & bits.MEMORY_TYPE_MASK) {
    case bits.MEMORY_TYPE_UNSPECIFIED:
      words.push('unspecified');
      break;
    case bits.MEMORY_TYPE_DEVICE:
      words.push('device', DEVICE_KINDS[kind]);
      break;
    case bits.MEMORY_TYPE_NORMAL:
      words.push('normal', NORMAL_CACHEABILITY[kind], shareability);
      break;
    default:
      words.push('type 3');
  }
  if ((attributes & bits.MEMORY_ATTRIBUTE_NS) !== 0) words.push('NS');
  return words.join(' ');
}

/** `0x2 RW, instruction unspecified`. */
export function formatPermissions(permissions: number): string {
  const data = DATA_ACCESS[permissions & bits.DATA_ACCESS_MASK];
  const instruction =
    INSTRUCTION_ACCESS[(permissions & bits.INSTRUCTION_ACCESS_MASK) >>> bits.INSTRUCTION_ACCESS_SHIFT];
  return `${hex(permissions)} ${data}, ${instruction}`;
}

/** `0x11 zero, lend`; `0x0` if no flag is set. */
export function formatMemoryFlags(flags: number): string {
  const words: string[] = [];
  if ((flags & bits.MEMORY_FLAG_ZERO) !== 0) words.push('zero');
  if ((flags & bits.MEMORY_FLAG_TIME_SLICE) !== 0) words.push('time-slice');
  if ((flags & bits.MEMORY_FLAG_ZERO_AFTER_RELINQUISH) !== 0) words.push('zero after relinquish');
  const type = (flags & bits.MEMORY_FLAG_TYPE_MASK) >>> bits.MEMORY_FLAG_TYPE_SHIFT;
  if (type !== 0) words.push(TRANSACTION_TYPES[type]);
  const hint = (flags & bits.MEMORY_FLAG_ALIGNMENT_HINT_MASK) >>> bits.MEMORY_FLAG_ALIGNMENT_HINT_SHIFT;
  if ((flags & bits.MEMORY_FLAG_ALIGNMENT_HINT_VALID) !== 0) words.push(`alignment hint ${hint}`);
  else if (hint !== 0) words.push(`alignment hint ${hint} (not valid)`);
  if ((flags & bits.MEMORY_FLAG_BYPASS_BORROWER_CHECK) !== 0) words.push('bypass borrower check');
  return words.length === 0 ? hex(flags) : `${hex(flags)} ${words.join(', ')}`;
}

/** `0x1 zero`; `0x0` if no flag is set. Also the flags of FFA_MEM_RECLAIM. */
export function formatRelinquishFlags(flags: number): string {
  const words: string[] = [];
  if ((flags & bits.RELINQUISH_FLAG_ZERO) !== 0) words.push('zero');
  if ((flags & bits.RELINQUISH_FLAG_TIME_SLICE) !== 0) words.push('time-slice');
  return words.length === 0 ? hex(flags) : `${hex(flags)} ${words.join(', ')}`;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
