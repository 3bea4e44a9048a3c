// device: a holder that drives a device. It takes the device's secure interrupts, each with some work, and leaves its
// work when it is asked to (managed exit): the asker then gets INTERRUPTED, and what was left of the work.
//
// RECEIVED answers how many interrupts it has handled, and how often it has left.

import { FFA_INTERRUPTED, FFA_OK } from '../../abi/errors.ts';
import { FFA_FEATURE_MEI } from '../../abi/features.ts';
import { type Nanoseconds, NS_PER_US } from '../../base/units.ts';
import { PROTOCOL_RECEIVED, PROTOCOL_WORK } from '../protocol.ts';
import type { SpCalls } from '../sp-calls.ts';
import type { Part } from '../sp-service.ts';
import { SERVE_NOTHING, type Serve } from '../sp-vcpu.ts';
import type { Task } from '../task.ts';
import { type HolderOptions, HolderProgram } from './holder.ts';

export interface DeviceOptions extends HolderOptions {
  /** How long it works on each interrupt. */
  readonly handlingNs: Nanoseconds;
}

export class DeviceProgram extends HolderProgram {
  /** Interrupts that it has handled, by id, in the order in which they came. */
  handled: number[] = [];
  /** How often it has left its work. */
  exitCount = 0;
  private readonly handlingNs: Nanoseconds;
  /** Its managed exit interrupt, as FFA_FEATURES told it; -1: none. */
  private exitInterrupt = -1;

  constructor(options: DeviceOptions) {
    super(options);
    this.handlingNs = options.handlingNs;
  }

  override reset(): void {
    super.reset();
    this.handled = [];
    this.exitCount = 0;
    this.exitInterrupt = -1;
  }

  protected override *atStart(ffa: SpCalls): Task<Serve> {
    const answer = yield* ffa.features(FFA_FEATURE_MEI);
    this.exitInterrupt = answer.ok ? answer.value.w2 : -1;
    return SERVE_NOTHING;
  }

  protected override atEntry(ffa: SpCalls): Part {
    return ffa.vcpu.interrupts.length === 0 ? super.atEntry(ffa) : this.handle(ffa);
  }

  protected override message(ffa: SpCalls): Part {
    const { vcpu } = ffa;
    switch (vcpu.word(0)) {
      case PROTOCOL_RECEIVED:
        return vcpu.answer(FFA_OK, this.handled.length, this.exitCount);
      case PROTOCOL_WORK:
        return this.workOrLeave(ffa, vcpu.word(1) * NS_PER_US);
      default:
        return super.message(ffa);
    }
  }

  private *handle(ffa: SpCalls): Task<Serve> {
    for (const id of ffa.vcpu.interrupts.splice(0)) {
      yield* ffa.work(this.handlingNs);
      this.handled.push(id);
    }
    return SERVE_NOTHING;
  }

  private *workOrLeave(ffa: SpCalls, durationNs: Nanoseconds): Task<Serve> {
    const leftNs = yield* ffa.workUntil(this.exitInterrupt, durationNs);
    if (leftNs === 0) return ffa.vcpu.answer(FFA_OK);
    this.exitCount++;
    return ffa.vcpu.answer(FFA_INTERRUPTED, Math.ceil(leftNs / NS_PER_US));
  }
}
