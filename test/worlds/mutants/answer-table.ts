// Cells of the answer table that say something else.

import * as table from '../../../src/hypervisor/answer-table.ts';
import { cell, type Mutant } from './mutant.ts';

const { CALL_MEM_RECLAIM, CALL_RXTX_UNMAP, CALL_VM_DESTROYED } = table;
const { REPLY_ERROR_DENIED, REPLY_ERROR_NO_MEMORY, REPLY_ERROR_NOT_SUPPORTED, REPLY_RESPONSE_AGAIN } = table;

const deniedIsDone = cell(REPLY_ERROR_DENIED, CALL_MEM_RECLAIM, 'done');
const deniedIsFinal = cell(REPLY_ERROR_DENIED, CALL_MEM_RECLAIM, 'quarantine');
const noMemoryIsFinal = cell(REPLY_ERROR_NO_MEMORY, CALL_MEM_RECLAIM, 'quarantine');
const refusedIsDone = cell(REPLY_ERROR_NOT_SUPPORTED, CALL_MEM_RECLAIM, 'done');
const unmapRefusedIsDone = cell(REPLY_ERROR_NOT_SUPPORTED, CALL_RXTX_UNMAP, 'done');
const retryIsForgotten = cell(REPLY_RESPONSE_AGAIN, CALL_VM_DESTROYED, 'stop');

export const ANSWER_TABLE_MUTANTS: readonly Mutant[] = [
  { world: 'guest-dies-under-dma', takesOut: 'a denied reclaim waits', fires: 'P1', parts: deniedIsDone },
  { world: 'guests-share-memory', takesOut: 'a denied reclaim waits', fires: 'P1', parts: deniedIsDone },
  { world: 'partition-crashes-with-memory', takesOut: 'a denied reclaim waits', fires: 'P1', parts: deniedIsDone },
  { world: 'reclaim-denied-for-a-while', takesOut: 'DENIED passes', fires: 'P7', parts: deniedIsFinal },
  { world: 'no-memory-for-a-reclaim', takesOut: 'NO_MEMORY passes', fires: 'P7', parts: noMemoryIsFinal },
  { world: 'reclaim-refused-for-good', takesOut: 'quarantine', fires: 'P1', parts: refusedIsDone },
  { world: 'unmap-refused', takesOut: 'quarantine of buffers', fires: 'P1', parts: unmapRefusedIsDone },
  { world: 'destroyed-answered-retry', takesOut: 'RETRY is answered by a retry', fires: 'P6', parts: retryIsForgotten },
];
