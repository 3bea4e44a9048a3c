// A guest with an FF-A driver, as a program of a world: one task for each vCPU. What the vCPUs share is here: the
// endpoint (version, id, buffers, regions), free pages, bound notifications.
//
//     const guest = guestDriver(function* (ffa) {
//       must(yield* ffa.probe());
//       const buffer = must(yield* ffa.share({ to: 0x8001, pages: 4 }));
//       ...
//     });
//
// `guestDriver(...)` is what a world takes as a guest's program. When a task has ended, its vCPU sleeps for ever, but
// still takes the driver's interrupts and runs its callbacks.

import type { Ipa } from '../base/units.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import { UserError } from '../base/user-error.ts';
import {
  EXIT_CALL,
  EXIT_IDLE,
  EXIT_WORK,
  type Exit,
  type PartitionEntry,
  type VcpuContext,
} from '../hardware/partition-entry.ts';
import { type CallPolicy, DEFAULT_CALL_POLICY } from './caller.ts';
import { DriverCpu } from './driver-cpu.ts';
import { Endpoint } from './endpoint.ts';
import { NotificationTable } from './notification-table.ts';
import { PagePlan } from './page-plan.ts';
import type { ProgramEnvironment } from './partition-program-module.ts';
import { TASK_CALL, TASK_WAIT, type Task } from './task.ts';

/** What a vCPU does from its start. */
export type GuestTask = (ffa: DriverCpu) => Task;

export interface GuestDriverOptions {
  /** FF-A version that it asks for, e.g. FFA_VERSION_1_2. */
  readonly version: number;
  /** 32: an AArch32 guest. Default 64. */
  readonly bits?: 32 | 64;
  readonly ramBase: Ipa;
  readonly ramPages: number;
  /** Default: the first and the second page of RAM. */
  readonly txAddress?: Ipa;
  readonly rxAddress?: Ipa;
  /** Pages in each buffer, default 1. */
  readonly bufferPages?: number;
  /** Pages from here on, counted from the start of RAM, may be sent. Default 16. */
  readonly dataPage?: number;
  readonly policy?: Partial<CallPolicy>;
}

const DEFAULT_DATA_PAGE = 16;
const NO_INTERRUPT = -1;

export class GuestDriver implements PartitionEntry {
  readonly endpoint: Endpoint;
  readonly pages: PagePlan;
  readonly policy: CallPolicy;
  readonly notifications = new NotificationTable();
  /** Ids of the notification-pending and the schedule-receiver interrupt, as FFA_FEATURES told them; -1: none. */
  pendingInterrupt = NO_INTERRUPT;
  scheduleInterrupt = NO_INTERRUPT;
  readonly cpus: DriverCpu[] = [];
  private readonly mains: readonly GuestTask[];
  private tasks: (Task | null)[] = [];

  /** `mains`: one for each vCPU. */
  constructor(mains: readonly GuestTask[], options: GuestDriverOptions) {
    const { bits, bufferPages, ramBase, ramPages, version } = options;
    const txAddress = options.txAddress ?? ramBase;
    this.endpoint = new Endpoint({
      version,
      bits: bits ?? 64,
      txAddress,
      rxAddress: options.rxAddress ?? txAddress + (bufferPages ?? 1) * PAGE_SIZE_BYTES,
      bufferPages: bufferPages ?? 1,
    });
    this.pages = new PagePlan(ramBase, ramPages, options.dataPage ?? DEFAULT_DATA_PAGE);
    this.policy = { ...DEFAULT_CALL_POLICY, ...options.policy };
    this.mains = mains;
    for (let n = 0; n < mains.length; n++) this.cpus.push(new DriverCpu(this, n, new DriverCpu(this, n)));
  }

  reset(): void {
    this.endpoint.reset();
    this.pages.reset();
    this.notifications.reset();
    this.pendingInterrupt = NO_INTERRUPT;
    this.scheduleInterrupt = NO_INTERRUPT;
    this.tasks = [];
    for (const cpu of this.cpus) cpu.reset();
  }

  /** A task has no end before its vCPU's. */
  underWay(): boolean {
    return this.tasks.some((task) => task !== null);
  }

  run(context: VcpuContext): Exit {
    const cpu = this.cpus[context.vcpu];
    cpu.context = context;
    this.tasks[context.vcpu] ??= this.life(cpu, this.mains[context.vcpu]);
    const { value } = (this.tasks[context.vcpu] as Task).next();
    switch (value) {
      case TASK_CALL:
        return EXIT_CALL;
      case TASK_WAIT:
        context.workNs = Math.max(0, cpu.waitUntilNs - context.nowNs);
        return EXIT_WORK;
      default:
        return EXIT_IDLE;
    }
  }

  private *life(cpu: DriverCpu, main: GuestTask): Task {
    yield* main(cpu);
    for (;;) yield* cpu.idle();
  }
}

/** A guest's program for a world: a task for its only vCPU, or one for each. */
export function guestDriver(
  main: GuestTask | readonly GuestTask[],
  options: Pick<GuestDriverOptions, 'policy' | 'bits' | 'dataPage'> = {},
): (environment: ProgramEnvironment) => GuestDriver {
  const mains = typeof main === 'function' ? [main] : main;
  return (environment) => {
    const { memory, name, rxAddress, txAddress, vcpuCount, version } = environment;
    if (mains.length !== vcpuCount) {
      throw new UserError(
        `guest ${name}: ${mains.length} tasks for ${vcpuCount} vCPUs`,
        null,
        'one task for each vCPU',
      );
    }
    const place = { ramBase: memory.address, ramPages: memory.pageCount, txAddress, rxAddress };
    return new GuestDriver(mains, { version, ...place, ...options });
  };
}
