// An SP program whose parts may be tasks (task.ts): what it does at its start, about a message, about a VM that goes
// away, and when it is entered for something else. The loop around them is sp-program.ts.
//
// Each part gives at once what is next (a `SERVE_...`), or is a task that makes calls and ends with that. A vCPU has
// one task at a time, and none while it waits for a message: between messages all state is plain fields.

import { FFA_FEATURE_NPI } from '../abi/features.ts';
import type { VcpuContext } from '../hardware/partition-entry.ts';
import { CALL_MADE, CALL_WAIT } from './caller.ts';
import { SpCalls } from './sp-calls.ts';
import { SpProgram } from './sp-program.ts';
import type { Serve, SpVcpu } from './sp-vcpu.ts';
import * as sp from './sp-vcpu.ts';
import { TASK_CALL, TASK_YIELD, type Task } from './task.ts';

/** What a part of a service gives. */
export type Part = Serve | Task<Serve>;

export abstract class SpService extends SpProgram {
  /** Id of the notification-pending interrupt, as FFA_FEATURES told `learnInterrupt`; -1: not asked, or none. */
  private pendingInterrupt = -1;
  private readonly calls: SpCalls[] = this.vcpus.map((vcpu) => new SpCalls(vcpu));
  private readonly tasks: (Task<Serve> | null)[] = this.vcpus.map(() => null);

  override reset(): void {
    super.reset();
    this.tasks.fill(null);
    this.pendingInterrupt = -1;
  }

  /** Whether a vCPU is in the middle of a message, or of its start. */
  underWay(): boolean {
    return this.tasks.some((task) => task !== null);
  }

  /** A partition message (`ffa.vcpu` has it): ends with `ffa.vcpu.answer(...)`, or SERVE_NOTHING for no answer. */
  protected abstract message(ffa: SpCalls): Part;

  /** After version and buffers, before the first FFA_MSG_WAIT. */
  protected atStart(_ffa: SpCalls): Part {
    return sp.SERVE_NOTHING;
  }

  /** On each entry, before the message (if there is one) is served. */
  protected atEntry(_ffa: SpCalls): Part {
    return sp.SERVE_NOTHING;
  }

  /** A VM has gone away, and an honest answer is due. */
  protected atVmDestroyed(ffa: SpCalls, vmId: number): Part {
    return ffa.vcpu.answer(this.availability.take(vmId, false));
  }

  protected override started(vcpu: SpVcpu, context: VcpuContext): Serve {
    // From here on an error is the task's own affair.
    vcpu.step = 1;
    const ffa = this.enter(context);
    return this.goOn(ffa, context.vcpu) ?? this.first(ffa, context.vcpu, this.atStart(ffa));
  }

  protected override errand(_vcpu: SpVcpu, context: VcpuContext): Serve {
    const ffa = this.enter(context);
    return this.goOn(ffa, context.vcpu) ?? this.first(ffa, context.vcpu, this.atEntry(ffa));
  }

  protected override serve(_vcpu: SpVcpu, context: VcpuContext): Serve {
    const ffa = this.enter(context);
    return this.goOn(ffa, context.vcpu) ?? this.first(ffa, context.vcpu, this.message(ffa));
  }

  protected override vmDestroyed(vcpu: SpVcpu, context: VcpuContext, vmId: number): Serve {
    vcpu.step = 1;
    const ffa = this.enter(context);
    return this.goOn(ffa, context.vcpu) ?? this.first(ffa, context.vcpu, this.atVmDestroyed(ffa, vmId));
  }

  /** For services that take notifications, at their start: which interrupt tells of them. */
  protected *learnInterrupt(ffa: SpCalls): Task {
    const answer = yield* ffa.features(FFA_FEATURE_NPI);
    this.pendingInterrupt = answer.ok ? answer.value.w2 : -1;
  }

  /** Whether this entry may have brought notifications: nothing else woke the vCPU, or the interrupt came. */
  protected mayBeNotified({ vcpu }: SpCalls): boolean {
    return vcpu.useInterrupt(this.pendingInterrupt) || vcpu.kind === 'none';
  }

  private enter(context: VcpuContext): SpCalls {
    const ffa = this.calls[context.vcpu];
    ffa.context = context;
    return ffa;
  }

  /** A part has begun: its end, or its task's first step. */
  private first(ffa: SpCalls, index: number, part: Part): Serve {
    if (typeof part === 'number') return part;
    this.tasks[index] = part;
    return this.step(ffa, index, part);
  }

  /** The next step of the vCPU's task; null when it has none. */
  private goOn(ffa: SpCalls, index: number): Serve | null {
    const task = this.tasks[index];
    return task === null ? null : this.step(ffa, index, task);
  }

  private step(ffa: SpCalls, index: number, task: Task<Serve>): Serve {
    const { done, value } = task.next();
    if (done === true) {
      this.tasks[index] = null;
      return value;
    }
    const { vcpu } = ffa;
    if (value === TASK_YIELD) return sp.SERVE_YIELD;
    if (value === TASK_CALL || vcpu.caller.operation !== null) {
      vcpu.callStep = value === TASK_CALL ? CALL_MADE : CALL_WAIT;
      return sp.SERVE_CALL;
    }
    vcpu.workUntilNs = ffa.waitUntilNs;
    return sp.SERVE_WORK;
  }
}
