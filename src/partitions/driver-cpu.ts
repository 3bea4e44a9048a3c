// One vCPU of a guest that has an FF-A driver: the calls (ffa-calls.ts), the probe that a driver makes when it is
// loaded, notifications with callbacks, and the guest's own waits.
//
// Interrupts. The notification-pending and the schedule-receiver interrupt are taken before each call, in a wait, while
// a call waits to be repeated, and when the vCPU idles; not between the calls of one operation. Callbacks run there.
// Which interrupts they are, FFA_FEATURES says (`probe`).
//
// Limit: a task's own variables are in no snapshot of a world; a script's are (guest-script.ts).
//
// Source: [Linux arm_ffa].

import { FFA_NO_MEMORY } from '../abi/errors.ts';
import { FFA_FEATURE_NPI, FFA_FEATURE_SRI } from '../abi/features.ts';
import { FFA_PARTITION_INFO_GET_REGS } from '../abi/function-ids.ts';
import { NOTIFICATION_FRAMEWORK_RX_FULL } from '../abi/layout/notifications.ts';
import type { PartitionInformation } from '../abi/partition-information.ts';
import { sameUuid, type Uuid } from '../abi/uuid.ts';
import { FFA_VERSION_1_1 } from '../abi/versions.ts';
import type { Words64 } from '../abi/words.ts';
import { type CallResult, resultOf } from './call-result.ts';
import { Caller } from './caller.ts';
import { FfaCalls } from './ffa-calls.ts';
import type { GuestDriver } from './guest-driver.ts';
import {
  type BoundNotification,
  bitmapOf,
  bitsOf,
  type MessageCallback,
  type NotificationCallback,
  type ScheduleCallback,
} from './notification-table.ts';
import { OUTCOME_NO_REGION, OUTCOME_SUCCESS } from './outcome.ts';
import { TASK_IDLE, type Task } from './task.ts';

export interface RequestNotificationOptions {
  /** Which bit; default: the lowest free one. */
  readonly bit?: number;
  readonly perVcpu?: boolean;
}

export interface SendNotificationOptions {
  /** Per-vCPU: for this vCPU of the receiver. */
  readonly vcpu?: number;
  readonly delaySri?: boolean;
}

export class DriverCpu extends FfaCalls {
  readonly driver: GuestDriver;
  /** Callbacks make their calls with another state of calls, so that they may run while one of ours waits. */
  private readonly inner: DriverCpu | null;
  private pendingIds: number[] = [];

  constructor(driver: GuestDriver, vcpu: number, inner: DriverCpu | null = null) {
    super(new Caller(driver.endpoint, vcpu));
    this.driver = driver;
    this.inner = inner;
    this.pages = driver.pages;
    this.policy = driver.policy;
  }

  /** Index of this vCPU. */
  get vcpu(): number {
    return this.caller.vcpu;
  }

  reset(): void {
    this.caller.reset();
    this.pendingIds = [];
    this.waitUntilNs = 0;
    this.inner?.reset();
  }

  /**
   * What a kernel's driver does when it is loaded: version and id, buffers, the interrupts of notifications, and who is
   * there (in registers where that is offered, else through RX). Ends with the first error; that there are no
   * notifications is none.
   */
  *probe(): Task<CallResult<readonly PartitionInformation[]>> {
    const version = yield* this.version();
    if (!version.ok) return version;
    const mapped = yield* this.mapBuffers();
    if (!mapped.ok) return mapped;
    if (version.value >= FFA_VERSION_1_1) {
      this.driver.pendingInterrupt = yield* this.interruptOf(FFA_FEATURE_NPI);
      this.driver.scheduleInterrupt = yield* this.interruptOf(FFA_FEATURE_SRI);
      const byRegisters = yield* this.features(FFA_PARTITION_INFO_GET_REGS);
      if (byRegisters.ok) return yield* this.discover({ by: 'registers' });
    }
    return yield* this.discover();
  }

  /** The first partition of the last discovery that offers a service; undefined when none does. */
  partition(uuid: Uuid): PartitionInformation | undefined {
    return this.endpoint.partitions.find((partition) => sameUuid(partition.uuid, uuid));
  }

  /**
   * Binds a bit to `sender` and has `callback` called each time it comes. Gives the bit; NO_MEMORY when all are bound,
   * DENIED when this one is.
   */
  *requestNotification(
    sender: number,
    callback: NotificationCallback,
    options: RequestNotificationOptions = {},
  ): Task<CallResult<number>> {
    const table = this.driver.notifications;
    const bit = options.bit ?? table.freeBit();
    const perVcpu = options.perVcpu ?? false;
    if (bit < 0) return resultOf('FFA_NOTIFICATION_BIND', FFA_NO_MEMORY, bit);
    const bound = yield* this.bind(sender, bitmapOf(bit), perVcpu);
    if (!bound.ok) return bound;
    table.bound.set(bit, { bit, sender, perVcpu, callback, count: 0 });
    return resultOf('FFA_NOTIFICATION_BIND', OUTCOME_SUCCESS, bit);
  }

  /** Unbinds a bit; NO_REGION when this driver has not bound it, DENIED while it is pending. */
  *relinquishNotification(bit: number): Task<CallResult> {
    const bound = this.driver.notifications.bound.get(bit);
    if (bound === undefined) return { ok: false, outcome: OUTCOME_NO_REGION, call: 'FFA_NOTIFICATION_UNBIND' };
    const unbound = yield* this.unbind(bound.sender, bitmapOf(bit));
    if (unbound.ok) this.driver.notifications.bound.delete(bit);
    return unbound;
  }

  /** Sets one bit of a receiver that has bound it to this guest. */
  sendNotification(to: number, bit: number, options: SendNotificationOptions = {}): Task<CallResult> {
    const { delaySri, vcpu } = options;
    return this.notify(to, bitmapOf(bit), {
      perVcpu: vcpu !== undefined,
      vcpu: vcpu ?? 0,
      delaySri: delaySri ?? false,
    });
  }

  /** Who is called with each indirect message; without anybody, messages stay in RX until `receive`. */
  onMessage(callback: MessageCallback | null): void {
    this.driver.notifications.onMessage = callback;
  }

  /** Who is called when the schedule-receiver interrupt says that a partition has something pending. */
  onSchedule(callback: ScheduleCallback | null): void {
    this.driver.notifications.onSchedule = callback;
  }

  /** Sleeps until an interrupt has been taken: a notification, or any other. Gives the ids of those that came. */
  *idle(): Task<readonly number[]> {
    for (;;) {
      const first = this.attend();
      if (first !== null) yield* first;
      if (this.pendingIds.length > 0) {
        const came = this.pendingIds;
        this.pendingIds = [];
        return came;
      }
      yield TASK_IDLE;
    }
  }

  /** Waits until `holds` does, looking again after each interrupt and every `everyNs`; false when time is up. */
  *until(holds: () => boolean, timeoutNs: number, everyNs = 100_000): Task<boolean> {
    const endNs = this.nowNs + timeoutNs;
    for (;;) {
      const first = this.attend();
      if (first !== null) yield* first;
      if (holds()) return true;
      if (this.nowNs >= endNs) return false;
      yield* this.wait(Math.min(everyNs, endNs - this.nowNs));
    }
  }

  protected override attend(): Task | null {
    const { interrupts } = this.now;
    // A callback is not interrupted.
    if (this.inner === null || interrupts.length === 0) return null;
    const taken = interrupts.splice(0);
    this.pendingIds.push(...taken);
    return this.handle(this.inner, taken);
  }

  private *handle(inner: DriverCpu, ids: readonly number[]): Task {
    const { pendingInterrupt, scheduleInterrupt } = this.driver;
    if (ids.includes(scheduleInterrupt)) yield* this.through(inner, inner.scheduleReceivers());
    if (ids.includes(pendingInterrupt)) yield* this.through(inner, inner.takeNotifications());
  }

  /** A task of the callbacks' state of calls: its waits are ours. */
  private *through(inner: DriverCpu, task: Task): Task {
    for (;;) {
      inner.context = this.context;
      const { done, value } = task.next();
      if (done === true) return;
      this.waitUntilNs = inner.waitUntilNs;
      yield value;
    }
  }

  /** The schedule-receiver interrupt: asks for whom something is pending. Its own is taken at once. */
  private *scheduleReceivers(): Task {
    const info = yield* this.notificationInfo();
    if (!info.ok) return;
    for (const { endpoint, vcpus } of info.value) {
      if (endpoint === this.id) {
        yield* this.takeNotifications();
        continue;
      }
      const called = this.driver.notifications.onSchedule?.(this, endpoint, vcpus);
      if (called !== undefined) yield* called;
    }
  }

  private *takeNotifications(): Task {
    const got = yield* this.notifications();
    if (!got.ok) return;
    const { fromHypervisor, fromSp, fromSpm, fromVm } = got.value;
    yield* this.callBack(fromSp);
    yield* this.callBack(fromVm);
    if (((fromSpm | fromHypervisor) & NOTIFICATION_FRAMEWORK_RX_FULL) === 0) return;
    const { onMessage } = this.driver.notifications;
    if (onMessage === null) return;
    const message = yield* this.receive();
    if (!message.ok) return;
    const called = onMessage(this, message.value);
    if (called !== undefined) yield* called;
  }

  private *callBack(bitmap: Words64): Task {
    for (const bit of bitsOf(bitmap)) {
      const bound: BoundNotification | undefined = this.driver.notifications.bound.get(bit);
      if (bound === undefined) {
        this.driver.notifications.strayCount++;
        continue;
      }
      bound.count++;
      const called = bound.callback(this, bit);
      if (called !== undefined) yield* called;
    }
  }

  /** The interrupt that a feature id stands for; -1 when it is not there. */
  private *interruptOf(feature: number): Task<number> {
    const answer = yield* this.features(feature);
    return answer.ok ? answer.value.w2 : -1;
  }
}
