// The SPMC: the secure world's FF-A manager, as it stands behind the conduit. This file holds its state and its life
// (boot, calls, reset); each chapter of FF-A has a file of its own, named in door.ts.
//
// Covered: FF-A 1.0 to 1.2, by default as Hafnium does it. Not covered: FF-A 1.3's own calls.
//
// A call costs the same however many partitions, transactions or pages there are: endpoints, slots and pages are found
// by index or map.

import { FFA_HYPERVISOR_ID, FFA_SPMC_ID, isSecureEndpoint } from '../abi/endpoint-ids.ts';
import { FFA_VERSION_1_2 } from '../abi/versions.ts';
import { assert, present } from '../base/assert.ts';
import type { Coroutine, Pending } from '../base/coroutine.ts';
import { EventLog } from '../base/event-log.ts';
import { PAGE_SHIFT, PAGE_SIZE_BYTES } from '../base/units.ts';
import type { Conduit, InterruptSink } from '../hardware/conduit.ts';
import type { FrameContents } from '../hardware/frame-contents.ts';
import type { FrameTable } from '../hardware/frames.ts';
import type { Machine } from '../hardware/machine.ts';
import type { Pe } from '../hardware/pe.ts';
import { Stage2 } from '../hardware/stage2.ts';
import { bootPartitions } from './boot.ts';
import { ConsoleLines } from './console-log.ts';
import { checkLife, crashPartition, restartPartition, stopPartition } from './crash.ts';
import { callFromNormalWorld } from './door.ts';
import { Endpoint } from './endpoint.ts';
import { type Handler, handlerOf, handlersWithout } from './handlers.ts';
import { ownersOfInterrupts } from './interrupt-owners.ts';
import { completeLimits, type SpmcLimits } from './limits.ts';
import { NotificationQueue } from './notification-queue.ts';
import type { SpmcOptions } from './options.ts';
import { Partition, type PartitionVcpu } from './partition.ts';
import { PartitionTable } from './partition-table.ts';
import { PendingInterrupts } from './pending-interrupts.ts';
import { HAFNIUM_PERSONALITY } from './personalities/hafnium.ts';
import type { Personality } from './personality.ts';
import { messageFromSpmd, type PowerOperation, startContexts } from './power-management.ts';
import { interruptNormalWorld } from './run-loop.ts';
import { ScheduleReceiver } from './schedule-receiver.ts';
import { Slots } from './slots.ts';
import { SHORT_BYTES_MAX, Staging } from './staging.ts';
import type { Transaction } from './transaction.ts';

export class Spmc implements Conduit {
  readonly machine: Machine;
  readonly personality: Personality;
  readonly limits: SpmcLimits;
  readonly options: SpmcOptions;
  readonly id: number;
  /** Highest version that it speaks. */
  readonly version: number;
  readonly consoleLines: ConsoleLines;
  readonly table: PartitionTable;
  /** The hypervisor: endpoint 0 at the non-secure physical instance. Its page table is the whole normal world's. */
  readonly normalWorld: Endpoint;
  /** VMs that have buffers or a notification bitmap here. */
  readonly virtualMachines = new Map<number, Endpoint>();
  readonly slots: Slots;
  readonly scheduleReceiver: ScheduleReceiver;
  /** Interrupts that wait for somebody to let them through. */
  readonly pending = new PendingInterrupts();
  /** What each PE's partitions are being told of its power. */
  readonly powerOperations: (PowerOperation | undefined)[] = [];
  /** The partition that drives the device whose interrupt it is. */
  readonly interruptOwners: ReadonlyMap<number, Partition>;
  /** First page that no address reaches. */
  readonly pageLimit: number;
  /** Where an answer is put together before it goes to RX. */
  readonly response: Uint8Array;
  /** The same, as words. */
  readonly responseWords: Uint32Array;
  /** The handler of a call that gives the PE back at once; another one may stand in its place. */
  handlerOf: (functionId: number) => Handler | undefined = handlerOf;
  booted = false;
  /** Endpoints with notifications that FFA_NOTIFICATION_INFO_GET has to tell of. */
  readonly unreported: NotificationQueue;
  private readonly stagings: Staging[] = [];

  constructor(machine: Machine, options: SpmcOptions) {
    this.machine = machine;
    this.options = options;
    this.personality = options.personality ?? HAFNIUM_PERSONALITY;
    this.limits = completeLimits(options.limits);
    this.id = options.id ?? FFA_SPMC_ID;
    this.version = options.version ?? FFA_VERSION_1_2;
    this.consoleLines = new ConsoleLines(options.console ?? null);
    if (this.personality.absentFunctions.length > 0) this.handlerOf = handlersWithout(this.personality);
    this.slots = new Slots(this.limits, this.personality.handleShape);
    this.scheduleReceiver = new ScheduleReceiver(options.interrupts);
    this.unreported = new NotificationQueue(this.personality.notifications.reporting === 'level');
    this.pageLimit = 2 ** (this.limits.physicalAddressBits - PAGE_SHIFT);
    this.response = new Uint8Array(this.limits.bufferPages * PAGE_SIZE_BYTES);
    this.responseWords = new Uint32Array(this.response.buffer);
    // The ownership table of the normal world maps nothing for anybody: it is no stage 2 that events should tell of.
    this.normalWorld = new Endpoint(FFA_HYPERVISOR_ID, false, this.version, new Stage2(new EventLog(), 0));
    for (const setup of options.partitions) checkLife(setup);
    this.table = new PartitionTable(options.partitions.map((setup) => new Partition(setup, machine, this.version)));
    this.interruptOwners = ownersOfInterrupts(this.table.partitions);
  }

  /** In the order of their ids. */
  get partitions(): readonly Partition[] {
    return this.table.partitions;
  }

  get partitionById(): ReadonlyMap<number, Partition> {
    return this.table.byId;
  }

  get interrupts(): InterruptSink {
    return this.options.interrupts;
  }

  get frames(): FrameTable {
    return this.machine.frames;
  }

  get contents(): FrameContents {
    return this.machine.frames.contents;
  }

  /** Maps memory, then runs each partition to its first FFA_MSG_WAIT, in boot order. */
  *boot(pe: Pe): Coroutine {
    yield* bootPartitions(this, pe);
  }

  /** The normal world's door: registers of `pe.smc`, in and out. */
  smc(pe: Pe): Pending {
    assert(this.booted, 'the SPMC boots before it is called');
    return callFromNormalWorld(this, pe);
  }

  /**
   * The SPMD's own door: framework messages in `pe.smc` about a PE that goes off or comes back, or about the version of
   * FF-A; the answer is there too.
   */
  spmdMessage(pe: Pe): Pending {
    assert(this.booted, 'the SPMC boots before it is called');
    return messageFromSpmd(this, pe);
  }

  /** The PE is on again: the contexts that were turned off with it start anew. */
  peOn(pe: Pe): Coroutine {
    return startContexts(this, pe);
  }

  /**
   * A device's secure interrupt is asserted at the PE. Whoever runs there in the secure world is to be roused; when the
   * normal world does, `takeInterrupt` follows. False: no partition drives that device.
   */
  assertInterrupt(pe: Pe, id: number): boolean {
    if (!this.interruptOwners.has(id)) return false;
    this.pending.addSecure(pe.index, id);
    return true;
  }

  /** The normal world runs on the PE, and a secure interrupt takes it from there; `pe.smc` stays as it is. */
  takeInterrupt(pe: Pe): Pending {
    assert(this.booted, 'the SPMC boots before it is called');
    return interruptNormalWorld(this, pe);
  }

  /** An error strikes a partition from outside; false when there is none of that id alive. */
  crash(id: number): boolean {
    const partition = this.partitionById.get(id);
    return partition !== undefined && crashPartition(this, partition);
  }

  /** An operator stops a partition. */
  stop(id: number): boolean {
    const partition = this.partitionById.get(id);
    return partition !== undefined && stopPartition(this, partition);
  }

  /** An operator starts a dead partition anew, on `pe`; false when that is not possible or it died again. */
  *restart(pe: Pe, id: number): Coroutine<boolean> {
    const partition = this.partitionById.get(id);
    return partition !== undefined && (yield* restartPartition(this, pe, partition));
  }

  /** As before boot. The machine's frames are reset by whoever owns the machine. */
  reset(): void {
    this.booted = false;
    this.pending.reset();
    this.powerOperations.length = 0;
    this.unreported.reset();
    this.consoleLines.reset();
    this.slots.reset();
    this.table.reset();
    this.scheduleReceiver.reset();
    this.virtualMachines.clear();
    this.normalWorld.reset(this.version);
    for (const partition of this.partitions) partition.restart(this.version);
  }

  /** The private copy that calls on this PE work on. */
  staging(pe: Pe): Staging {
    const found = this.stagings[pe.index];
    if (found !== undefined) return found;
    const staging = new Staging(this.limits.bufferPages);
    this.stagings[pe.index] = staging;
    return staging;
  }

  /** Whether `id` can be named as an endpoint: a partition that exists, or any normal-world id. */
  isEndpoint(id: number): boolean {
    return isSecureEndpoint(id) ? this.partitionById.has(id) : true;
  }

  /** The endpoint's record, if there is one: a VM has one while it has buffers or a notification bitmap. */
  endpoint(id: number): Endpoint | undefined {
    if (isSecureEndpoint(id)) return this.partitionById.get(id);
    return id === FFA_HYPERVISOR_ID ? this.normalWorld : this.virtualMachines.get(id);
  }

  /** The VM's record, made if need be; undefined when there is no room for one more. */
  makeVirtualMachine(id: number): Endpoint | undefined {
    const found = this.endpoint(id);
    if (found !== undefined) return found;
    if (this.virtualMachines.size >= this.limits.virtualMachines) return undefined;
    const machine = new Endpoint(id, false, this.normalWorld.version, this.normalWorld.pages);
    this.virtualMachines.set(id, machine);
    return machine;
  }

  /** Forgets a VM of which nothing is left here. */
  forgetVirtualMachine(machine: Endpoint): void {
    if (!machine.mapped && !machine.notifications.enabled) this.virtualMachines.delete(machine.id);
  }

  /**
   * Something became pending for an endpoint (for one of its vCPUs, or ANY_VCPU): the hypervisor is told, now or when
   * the PE returns to it.
   */
  notificationPending(receiver: Endpoint, vcpu: number, delayed: boolean, peIndex: number): void {
    this.unreported.add(receiver);
    if (receiver instanceof Partition) receiver.notifyPending(vcpu);
    if (delayed) this.scheduleReceiver.delay(peIndex);
    else this.scheduleReceiver.raise(peIndex);
  }

  /** A context waits with an interrupt that it handles only in the hypervisor's time: the hypervisor is told of it. */
  interruptWaits(vcpu: PartitionVcpu, peIndex: number): void {
    vcpu.partition.notifications.addInterrupted(vcpu.vcpu);
    this.unreported.add(vcpu.partition);
    this.scheduleReceiver.delay(peIndex);
  }

  /** The table in which a transaction's sender has its pages. */
  senderPages(transaction: Transaction): Stage2 {
    return present(transaction.senderPages, 'the table of a sender whose transaction lives');
  }

  /** Writes `length` bytes to the endpoint's RX buffer; the rest of the buffer becomes zero. */
  writeRx(to: Endpoint, bytes: Uint8Array, length: number): void {
    const size = to.bufferPages * PAGE_SIZE_BYTES;
    assert(to.mapped && length <= size, 'what goes to RX fits');
    if (length <= SHORT_BYTES_MAX && bytes === this.response && (length & 3) === 0) {
      const words = this.contents.words(to.rxFrame);
      for (let n = 0; n < length >>> 2; n++) words[n] = this.responseWords[n];
    } else {
      this.contents.write(to.rxFrame * PAGE_SIZE_BYTES, bytes, 0, length);
    }
    // Only what the last answer left behind: to clear a whole page costs as much as all else of a short answer.
    const used = Math.min(size, to.rxUsedBytes);
    if (length < used) this.contents.write(to.rxFrame * PAGE_SIZE_BYTES + length, ZEROES, 0, used - length);
    to.rxUsedBytes = length;
  }
}

const ZEROES = new Uint8Array(64 * PAGE_SIZE_BYTES);
