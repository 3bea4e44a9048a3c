// What a task of an SP can do beside the calls of ffa-calls.ts: compute for a time, yield; and the vCPU's message.

import type { Nanoseconds } from '../base/units.ts';
import { type BootFindings, readBootInformation } from './boot-reader.ts';
import { FfaCalls } from './ffa-calls.ts';
import type { SpVcpu } from './sp-vcpu.ts';
import { TASK_WAIT, TASK_YIELD, type Task } from './task.ts';

export class SpCalls extends FfaCalls {
  /** The vCPU: the message that it serves, and the answer that it builds. */
  readonly vcpu: SpVcpu;

  constructor(vcpu: SpVcpu) {
    super(vcpu.caller);
    this.vcpu = vcpu;
  }

  /** What the SPMC left in memory for this partition; `register`: x0 to x3, as its manifest says. Null: nothing. */
  bootInformation(register: 0 | 1 | 2 | 3 = 0): BootFindings | null {
    return readBootInformation(this.now.memory, this.vcpu.bootRegisters[register]);
  }

  /** Computes for `durationNs`; an interrupt may preempt it meanwhile. */
  work(durationNs: Nanoseconds): Task {
    return this.wait(durationNs);
  }

  /** The same, until an interrupt `id` comes; gives the time that was left, 0 when none came. */
  *workUntil(id: number, durationNs: Nanoseconds): Task<Nanoseconds> {
    const untilNs = this.nowNs + durationNs;
    this.vcpu.workEndsWith = id;
    this.waitUntilNs = untilNs;
    if (durationNs > 0) yield TASK_WAIT;
    this.vcpu.workEndsWith = -1;
    return this.vcpu.useInterrupt(id) ? Math.max(0, untilNs - this.nowNs) : 0;
  }

  /** FFA_YIELD: goes on when somebody runs it again. */
  *yield(): Task {
    yield TASK_YIELD;
  }
}
