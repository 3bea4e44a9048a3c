// One endpoint's notifications: 64 that secure partitions may set, 64 that VMs may, and the framework's own. Global
// ones only: per-vCPU notifications are refused, as Hafnium does [Hafnium notifications.c].

import { NOTIFICATION_BIT_COUNT } from '../abi/layout/notifications.ts';

const NOBODY = -1;

/** 64 notifications that one kind of sender may set. */
export class NotificationBitmap {
  pendingLow = 0;
  pendingHigh = 0;
  /** Pending, and told of by FFA_NOTIFICATION_INFO_GET already. */
  reportedLow = 0;
  reportedHigh = 0;
  /** Who may set each bit. */
  readonly senders = new Int32Array(NOTIFICATION_BIT_COUNT).fill(NOBODY);

  clear(): void {
    this.pendingLow = 0;
    this.pendingHigh = 0;
    this.reportedLow = 0;
    this.reportedHigh = 0;
    this.senders.fill(NOBODY);
  }

  /** Whether every bit asked for is bound to `sender` (NOBODY: to no one). */
  allBoundTo(sender: number, low: number, high: number): boolean {
    for (let bit = 0; bit < 32; bit++) {
      if (((low >>> bit) & 1) !== 0 && this.senders[bit] !== sender) return false;
      if (((high >>> bit) & 1) !== 0 && this.senders[bit + 32] !== sender) return false;
    }
    return true;
  }

  allUnbound(low: number, high: number): boolean {
    return this.allBoundTo(NOBODY, low, high);
  }

  bind(sender: number, low: number, high: number): void {
    for (let bit = 0; bit < 32; bit++) {
      if (((low >>> bit) & 1) !== 0) this.senders[bit] = sender;
      if (((high >>> bit) & 1) !== 0) this.senders[bit + 32] = sender;
    }
  }

  unbind(low: number, high: number): void {
    this.bind(NOBODY, low, high);
  }

  /** Whether something is pending that nobody was told of. */
  get unreported(): boolean {
    return ((this.pendingLow & ~this.reportedLow) | (this.pendingHigh & ~this.reportedHigh)) !== 0;
  }

  get pending(): boolean {
    return (this.pendingLow | this.pendingHigh) !== 0;
  }

  report(): void {
    this.reportedLow = this.pendingLow;
    this.reportedHigh = this.pendingHigh;
  }
}

export class Notifications {
  /** SP: its manifest says so. VM: its bitmap was created. */
  enabled = false;
  vcpuCount = 0;
  readonly fromPartitions = new NotificationBitmap();
  readonly fromVms = new NotificationBitmap();
  /** The SPMC filled the RX buffer. */
  rxFullFromSpm = false;
  rxFullReported = false;
  /** Whether the endpoint stands in the SPMC's list of those to report. */
  queued = false;

  clear(): void {
    this.fromPartitions.clear();
    this.fromVms.clear();
    this.rxFullFromSpm = false;
    this.rxFullReported = false;
    this.queued = false;
  }

  get unreported(): boolean {
    return this.fromPartitions.unreported || this.fromVms.unreported || (this.rxFullFromSpm && !this.rxFullReported);
  }

  get pending(): boolean {
    return this.fromPartitions.pending || this.fromVms.pending || this.rxFullFromSpm;
  }

  report(): void {
    this.fromPartitions.report();
    this.fromVms.report();
    this.rxFullReported = this.rxFullFromSpm;
  }
}
