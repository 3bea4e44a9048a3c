// A secure partition and its execution contexts.

import { isSecureEndpoint } from '../abi/endpoint-ids.ts';
import { assert } from '../base/assert.ts';
import type { Nanoseconds } from '../base/units.ts';
import type { Machine } from '../hardware/machine.ts';
import type { PartitionEntry, PartitionMemory, VcpuContext } from '../hardware/partition-entry.ts';
import { RegisterFile } from '../hardware/registers.ts';
import { Stage2 } from '../hardware/stage2.ts';
import { Endpoint } from './endpoint.ts';
import { Stage2Memory } from './partition-memory.ts';
import type { NsInterruptAction, PartitionSetup } from './partition-setup.ts';

/** Interrupt that tells a partition of pending notifications [Hafnium notifications.c]. */
export const NOTIFICATION_PENDING_INTERRUPT = 5;

/** States of an execution context [Hafnium vcpu.h]. */
export type VcpuState = 0 | 1 | 2 | 3 | 4 | 5;
/** Not booted yet. */
export const VCPU_OFF = 0;
/** In FFA_MSG_WAIT. */
export const VCPU_WAITING = 1;
export const VCPU_RUNNING = 2;
/** It called another partition, or yielded. */
export const VCPU_BLOCKED = 3;
/** A non-secure interrupt took its PE away. */
export const VCPU_PREEMPTED = 4;
/** It crashed. */
export const VCPU_ABORTED = 5;

/** What an execution context was given its PE for: decides which calls may give it up. */
export type RuntimeModel = 0 | 1 | 2 | 3;
export const RUNTIME_NONE = 0;
export const RUNTIME_INIT = 1;
export const RUNTIME_RUN = 2;
export const RUNTIME_DIRECT_REQUEST = 3;

/** Families of direct messages: a request is answered within its own. */
export type RequestFamily = 0 | 1 | 2 | 3;
export const REQUEST_NONE = 0;
/** FFA_MSG_SEND_DIRECT_REQ, either form. */
export const REQUEST_DIRECT = 1;
export const REQUEST_DIRECT2 = 2;
/** A framework message. */
export const REQUEST_FRAMEWORK = 3;

export class PartitionVcpu implements VcpuContext {
  readonly partition: Partition;
  readonly vcpu: number;
  readonly program: PartitionEntry;
  readonly registers = new RegisterFile();
  readonly memory: PartitionMemory;
  readonly interrupts: number[] = [];
  workNs: Nanoseconds = 0;
  private readonly machine: Machine;

  state: VcpuState = VCPU_OFF;
  runtime: RuntimeModel = RUNTIME_NONE;
  /** Index of the PE that it runs on, or was on when it lost it; -1 before it ran. */
  peIndex = -1;
  /** Work that was left when it was preempted. */
  remainingNs: Nanoseconds = 0;
  /** Whether its registers hold something that it has not seen: an answer or a message. */
  answered = false;
  /** Whether it is blocked because it yielded, not because it waits for an answer. */
  yielded = false;
  /** The endpoint whose direct request it serves, and the family of that request. */
  requester = 0;
  request: RequestFamily = REQUEST_NONE;
  /** w2 that a framework request's response has. */
  frameworkResponse = 0;
  /** The execution context that called it; null: the normal world did. */
  caller: PartitionVcpu | null = null;

  constructor(partition: Partition, vcpu: number, program: PartitionEntry, machine: Machine) {
    this.partition = partition;
    this.vcpu = vcpu;
    this.program = program;
    this.machine = machine;
    this.memory = partition.memory;
  }

  get endpoint(): number {
    return this.partition.id;
  }

  get nowNs(): Nanoseconds {
    return this.machine.time.nowNs;
  }

  /** As before boot. */
  restart(): void {
    this.registers.clear();
    this.interrupts.length = 0;
    this.workNs = 0;
    this.state = VCPU_OFF;
    this.runtime = RUNTIME_NONE;
    this.peIndex = -1;
    this.remainingNs = 0;
    this.answered = false;
    this.yielded = false;
    this.endRequest();
    this.program.reset();
  }

  /** Forgets the request that it served, if any. */
  endRequest(): void {
    this.requester = 0;
    this.request = REQUEST_NONE;
    this.frameworkResponse = 0;
    this.caller = null;
  }
}

export class Partition extends Endpoint {
  readonly setup: PartitionSetup;
  readonly memory: PartitionMemory;
  readonly vcpus: PartitionVcpu[] = [];
  readonly aarch32: boolean;
  readonly nsInterruptAction: NsInterruptAction;
  /** Manifest bits: 0 told of created VMs, 1 of destroyed ones. */
  readonly vmAvailability: number;
  /** Messaging methods of all its services together. */
  readonly messagingMethods: number;
  /** One of its contexts crashed: it takes no calls any more. */
  crashed = false;

  constructor(setup: PartitionSetup, machine: Machine, spmcVersion: number) {
    const version = setup.manifest.ffaVersion ?? spmcVersion;
    super(setup.id, true, version, new Stage2(machine.events, setup.id));
    assert(isSecureEndpoint(setup.id), 'a partition has a secure id');
    this.setup = setup;
    this.memory = new Stage2Memory(this.pages, machine.frames.contents);
    this.aarch32 = setup.manifest.aarch32 ?? false;
    this.nsInterruptAction = setup.manifest.nsInterruptAction ?? 'signal';
    this.vmAvailability = setup.manifest.vmAvailabilityMessages ?? 0;
    let methods = 0;
    for (const service of setup.manifest.services) methods |= service.messagingMethod;
    this.messagingMethods = methods;
    this.notifications.enabled = setup.manifest.notificationSupport ?? false;
    const count = setup.manifest.executionContextCount ?? 1;
    this.notifications.vcpuCount = count;
    assert(count > 0, 'a partition has an execution context');
    for (let n = 0; n < count; n++) {
      const program = 'run' in setup.program ? setup.program : setup.program[n];
      this.vcpus.push(new PartitionVcpu(this, n, program, machine));
    }
  }

  /** As before boot. */
  restart(spmcVersion: number): void {
    this.reset(this.setup.manifest.ffaVersion ?? spmcVersion);
    this.crashed = false;
    for (const vcpu of this.vcpus) vcpu.restart();
  }

  /** The context that runs on PE `peIndex`. Where there are more PEs than contexts, several PEs share one. */
  vcpuFor(peIndex: number): PartitionVcpu {
    return this.vcpus[peIndex % this.vcpus.length];
  }

  /** Makes the notification pending interrupt pending at its first context, if it is not yet. */
  notifyPending(): void {
    const { interrupts } = this.vcpus[0];
    if (!interrupts.includes(NOTIFICATION_PENDING_INTERRUPT)) interrupts.push(NOTIFICATION_PENDING_INTERRUPT);
  }
}
