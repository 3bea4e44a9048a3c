// One SMC of the hypervisor and its answer, and what it was for. A PE has one at a time.

import { lowWord } from './answers.ts';
import type { Pair } from './availability.ts';
import type { Transaction } from './transaction.ts';

export type Purpose = 0 | 1 | 2 | 3 | 4 | 5 | 6;
export const PURPOSE_OTHER = 0;
/** MEM_SHARE, LEND, DONATE, or a further fragment of one. */
export const PURPOSE_SEND = 1;
export const PURPOSE_RECLAIM = 2;
/** A VM availability message of the hypervisor. */
export const PURPOSE_AVAILABILITY = 3;
/** A direct request on behalf of a guest. */
export const PURPOSE_DIRECT = 4;
export const PURPOSE_RUN = 5;
export const PURPOSE_BUFFERS = 6;

export class Exchange {
  readonly pe: number;
  /** Whether the answer is still awaited. */
  open = false;
  /** VM on whose behalf; 0: the hypervisor itself. */
  caller = 0;
  /** Events before the SMC. */
  index = 0;
  readonly request = new Float64Array(8);
  readonly answer = new Float64Array(8);
  /** What the SMC asks for. */
  purpose: Purpose = PURPOSE_OTHER;
  /** What the answer answers: of an FFA_RUN, the call that was taken before. */
  answers: Purpose = PURPOSE_OTHER;
  /** Function id of the call that the answer answers. */
  answeredFid = 0;
  transaction: Transaction | null = null;
  /** The handle of a reclaim named nothing that exists: who had it last, or -1. */
  buriedSender = -1;
  pair: Pair | null = null;
  /** What is wrong with a VM availability message or its place, or null. */
  anomaly: string | null = null;
  /** VM for whom the partition that FFA_RUN names was preempted; -1: for nobody that is known. */
  servedVm = -1;
  /** Of a buffer call: whose buffers; -1: the hypervisor's own, or not known. */
  subject = -1;

  constructor(pe: number) {
    this.pe = pe;
  }

  /** w[n] of the request. */
  w(n: number): number {
    return lowWord(this.request[n]);
  }

  /** w[n] of the answer. */
  a(n: number): number {
    return lowWord(this.answer[n]);
  }
}

/** A call that the secure world took and has not answered. */
export interface Taken {
  /** w1 of FFA_INTERRUPT or FFA_YIELD: partition and vCPU. */
  readonly target: number;
  /** PE that made the call. */
  readonly pe: number;
  readonly purpose: Purpose;
  readonly fid: number;
  readonly caller: number;
  readonly transaction: Transaction | null;
  readonly pair: Pair | null;
  readonly subject: number;
  /** Whether FFA_RUN of what was preempted first has led on to another vCPU. */
  readonly moved: boolean;
}
