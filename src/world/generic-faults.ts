// The faults that an explorer may try in any world: each call of the hypervisor for itself, with each kind of answer
// that a secure world which is slow, poor, stubborn or broken could give. None of them reaches the SPMC: the call is
// answered on the way, so that nothing has happened behind it.
//
// Not among them: lies about what has happened (a SUCCESS for nothing), which no hypervisor can see through, and
// refusals for good (NOT_SUPPORTED, ABORTED, UNKNOWN) of what the same secure world did a moment ago.

import type { FaultCall, FaultDescription } from './description.ts';

const ANSWERS: readonly (readonly [FaultCall, readonly string[]])[] = [
  ['MEM_RECLAIM', ['DENIED', 'BUSY', 'NO_MEMORY']],
  ['MEM_SHARE', ['BUSY', 'DENIED', 'NO_MEMORY']],
  ['MEM_LEND', ['BUSY', 'DENIED', 'NO_MEMORY']],
  ['MEM_DONATE', ['BUSY', 'DENIED', 'NO_MEMORY']],
  ['VM_CREATED', ['status RETRY', 'status DENIED', 'BUSY']],
  ['VM_DESTROYED', ['status RETRY', 'status DENIED', 'BUSY']],
  ['RXTX_MAP', ['BUSY', 'NO_MEMORY']],
  ['RXTX_UNMAP', ['BUSY', 'RETRY']],
  ['BITMAP_CREATE', ['NO_MEMORY', 'DENIED']],
  ['BITMAP_DESTROY', ['BUSY', 'RETRY']],
];

export const GENERIC_FAULTS: readonly FaultDescription[] = ANSWERS.flatMap(([call, answers]) =>
  answers.map((answer) => ({ call, answer, skip: 0, times: Number.POSITIVE_INFINITY, reaches: false })),
);
