// A secure partition and its execution contexts.

import { isSecureEndpoint } from '../abi/endpoint-ids.ts';
import { assert } from '../base/assert.ts';
import type { Nanoseconds } from '../base/units.ts';
import type { Machine } from '../hardware/machine.ts';
import type { PartitionEntry, PartitionMemory, VcpuContext } from '../hardware/partition-entry.ts';
import { RegisterFile } from '../hardware/registers.ts';
import { Stage2 } from '../hardware/stage2.ts';
import { Endpoint } from './endpoint.ts';
import { NOTIFICATION_PENDING_INTERRUPT } from './interrupt-ids.ts';
import { Stage2Memory } from './partition-memory.ts';
import type { NsInterruptAction, PartitionSetup } from './partition-setup.ts';

/** States of an execution context [Hafnium vcpu.h]. */
export type VcpuState = 0 | 1 | 2 | 3 | 4 | 5;
/** Not booted yet, or its PE is off. */
export const VCPU_OFF = 0;
/** In FFA_MSG_WAIT. */
export const VCPU_WAITING = 1;
export const VCPU_RUNNING = 2;
/** It called another partition, or yielded. */
export const VCPU_BLOCKED = 3;
/** An interrupt took its PE away. */
export const VCPU_PREEMPTED = 4;
/** It crashed. */
export const VCPU_ABORTED = 5;

/** What an execution context was given its PE for: decides which calls may give it up (runtime-models.ts). */
export type RuntimeModel = 0 | 1 | 2 | 3 | 4 | 5;
export const RUNTIME_NONE = 0;
export const RUNTIME_INIT = 1;
export const RUNTIME_RUN = 2;
export const RUNTIME_DIRECT_REQUEST = 3;
/** To handle a secure interrupt. */
export const RUNTIME_SECURE_INTERRUPT = 4;
/** To take part in turning its PE off. */
export const RUNTIME_POWER_MANAGEMENT = 5;

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
  /** The execution context whose request it serves; null: the normal world's, or the SPMC's. */
  caller: PartitionVcpu | null = null;
  /** The execution context that it called, in the same call chain; null once that was preempted. */
  callee: PartitionVcpu | null = null;
  /** Whose PE it got for an interrupt of its own; null: nobody's, or the normal world's. */
  interrupted: PartitionVcpu | null = null;
  /** Who handles the interrupt that took its PE: that one gives it back. */
  handler: PartitionVcpu | null = null;
  /** The interrupt for which it was run last; -1: none since another came. */
  toldInterrupt = -1;
  /** Whether the SPMC gave it the PE, for an interrupt or a PE that goes off: then no interrupt takes it away. */
  scheduledBySpmc = false;
  /** Whether it was asked to give its PE up, and has not done so. */
  managedExit = false;
  /** Interrupts that it fetched with HF_INTERRUPT_GET and has not deactivated. */
  readonly activeInterrupts: number[] = [];
  /** It runs anew because it crashed, and who goes on when it waits; null: the normal world. */
  restarting = false;
  halted: PartitionVcpu | null = null;
  /** Interrupts that it enabled, and by which line it wants to be told of them. */
  readonly enabledInterrupts = new Map<number, 'irq' | 'fiq'>();

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

  /** Where its code begins. */
  get entryAddress(): number {
    return this.vcpu === 0 ? this.partition.entryAddress : this.partition.secondaryEntryAddress;
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
    this.callee = null;
    this.interrupted = null;
    this.handler = null;
    this.toldInterrupt = -1;
    this.scheduledBySpmc = false;
    this.managedExit = false;
    this.activeInterrupts.length = 0;
    this.restarting = false;
    this.halted = null;
    this.enabledInterrupts.clear();
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
  /** It runs at S-EL0: it has one context, no interrupts of its own, and sets the permissions of its memory itself. */
  readonly sEl0: boolean;
  readonly nsInterruptAction: NsInterruptAction;
  readonly otherSecureInterruptAction: 'queue' | 'signal';
  /** `SRI_POLICY_...` bits. */
  readonly sriInterruptsPolicy: number;
  /** `POWER_MANAGEMENT_...` bits. */
  readonly powerManagement: number;
  /** Manifest bits: 0 told of created VMs, 1 of destroyed ones. */
  readonly vmAvailability: number;
  /** Messaging methods of all its services together. */
  readonly messagingMethods: number;
  /** Where its first context begins; the others too, unless FFA_SECONDARY_EP_REGISTER said otherwise. */
  readonly entryAddress: number;
  /** Where its other contexts begin. */
  secondaryEntryAddress: number;
  /** One of its contexts crashed: it takes no calls any more. */
  crashed = false;

  constructor(setup: PartitionSetup, machine: Machine, spmcVersion: number) {
    const version = setup.manifest.ffaVersion ?? spmcVersion;
    super(setup.id, true, version, new Stage2(machine.events, setup.id));
    assert(isSecureEndpoint(setup.id), 'a partition has a secure id');
    this.setup = setup;
    this.memory = new Stage2Memory(this.pages, machine.frames.contents);
    this.aarch32 = setup.manifest.aarch32 ?? false;
    this.sEl0 = setup.manifest.exceptionLevel === 'S-EL0';
    this.entryAddress = setup.image.baseAddress + (setup.manifest.entrypointOffset ?? 0);
    this.secondaryEntryAddress = this.entryAddress;
    this.nsInterruptAction = setup.manifest.nsInterruptAction ?? 'signal';
    this.otherSecureInterruptAction = setup.manifest.otherSecureInterruptAction ?? 'signal';
    this.sriInterruptsPolicy = setup.manifest.sriInterruptsPolicy ?? 0;
    this.powerManagement = setup.manifest.powerManagementMessages ?? 0;
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
    this.revive(spmcVersion);
  }

  /** The same, but with the pages that it has now. */
  revive(spmcVersion: number): void {
    this.version = this.setup.manifest.ffaVersion ?? spmcVersion;
    this.versionLocked = false;
    this.crashed = false;
    this.dying = false;
    this.secondaryEntryAddress = this.entryAddress;
    for (const vcpu of this.vcpus) vcpu.restart();
  }

  /** The context that runs on PE `peIndex`. Where there are more PEs than contexts, several PEs share one. */
  vcpuFor(peIndex: number): PartitionVcpu {
    return this.vcpus[peIndex % this.vcpus.length];
  }

  /**
   * Makes the notification pending interrupt pending at a context (of a global notification: at its first), if it is
   * not yet. A partition at S-EL0 takes no interrupts: it asks.
   */
  notifyPending(vcpu: number): void {
    if (this.sEl0) return;
    const { interrupts } = this.vcpus[Math.max(0, vcpu)];
    if (!interrupts.includes(NOTIFICATION_PENDING_INTERRUPT)) interrupts.push(NOTIFICATION_PENDING_INTERRUPT);
  }
}
