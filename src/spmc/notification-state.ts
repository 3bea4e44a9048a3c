// One endpoint's notifications: 64 that secure partitions may set, 64 that VMs may, each global or (where the
// personality has that) for each vCPU, and the framework's own.
//
// There is no counter of what is pending: a bit that is set twice is one bit [Hafnium fc50ef7d].

import { NOTIFICATION_BIT_COUNT } from '../abi/layout/notifications.ts';

const NOBODY = -1;
/** The vCPU of a notification that is for no vCPU in particular. */
export const ANY_VCPU = -1;

/** Framework notification: a partition's message is in RX. */
export const RX_FULL_FROM_SPM = 1 << 0;
/** Framework notification: a VM's message, which the hypervisor relayed, is in RX. */
export const RX_FULL_FROM_HYPERVISOR = 1 << 1;

/** 64 bits that are pending, and those of them that FFA_NOTIFICATION_INFO_GET has told of. */
class PendingBits {
  low = 0;
  high = 0;
  private reportedLow = 0;
  private reportedHigh = 0;

  clear(): void {
    this.low = 0;
    this.high = 0;
    this.reportedLow = 0;
    this.reportedHigh = 0;
  }

  set(low: number, high: number): void {
    this.low = (this.low | low) >>> 0;
    this.high = (this.high | high) >>> 0;
  }

  get any(): boolean {
    return (this.low | this.high) !== 0;
  }

  get unreported(): boolean {
    return ((this.low & ~this.reportedLow) | (this.high & ~this.reportedHigh)) !== 0;
  }

  report(): void {
    this.reportedLow = this.low;
    this.reportedHigh = this.high;
  }
}

/** 64 notifications that one kind of sender may set. */
export class NotificationBitmap {
  readonly global = new PendingBits();
  /** By vCPU; made with the first notification that is set for one. */
  private vcpus: PendingBits[] | null = null;
  /** Bits that are bound for each vCPU. */
  private perVcpuLow = 0;
  private perVcpuHigh = 0;
  /** Who may set each bit. */
  private readonly senders = new Int32Array(NOTIFICATION_BIT_COUNT).fill(NOBODY);

  clear(): void {
    this.global.clear();
    this.vcpus = null;
    this.perVcpuLow = 0;
    this.perVcpuHigh = 0;
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

  /** Whether every bit asked for is bound for each vCPU, or every one globally. */
  allBoundAs(perVcpu: boolean, low: number, high: number): boolean {
    const wrongLow = perVcpu ? ~this.perVcpuLow : this.perVcpuLow;
    const wrongHigh = perVcpu ? ~this.perVcpuHigh : this.perVcpuHigh;
    return ((wrongLow & low) | (wrongHigh & high)) === 0;
  }

  bind(sender: number, low: number, high: number, perVcpu: boolean): void {
    this.setSender(sender, low, high);
    this.perVcpuLow = perVcpu ? this.perVcpuLow | low : this.perVcpuLow & ~low;
    this.perVcpuHigh = perVcpu ? this.perVcpuHigh | high : this.perVcpuHigh & ~high;
  }

  unbind(low: number, high: number): void {
    this.bind(NOBODY, low, high, false);
  }

  /** Makes the bits pending for a vCPU, or for ANY_VCPU. */
  set(vcpu: number, low: number, high: number): void {
    if (vcpu === ANY_VCPU) {
      this.global.set(low, high);
      return;
    }
    this.vcpus ??= [];
    while (this.vcpus.length <= vcpu) this.vcpus.push(new PendingBits());
    this.vcpus[vcpu].set(low, high);
  }

  /** What the vCPU has pending, its own or nobody's in particular; null when that is nothing of its own. */
  ofVcpu(vcpu: number): PendingBits | null {
    return this.vcpus?.[vcpu] ?? null;
  }

  /** How many vCPUs may have something of their own pending. */
  get vcpuCount(): number {
    return this.vcpus?.length ?? 0;
  }

  /** Whether one of the bits is pending, for whichever vCPU. */
  pendingAmong(low: number, high: number): boolean {
    if (((this.global.low & low) | (this.global.high & high)) !== 0) return true;
    for (const own of this.vcpus ?? []) {
      if (((own.low & low) | (own.high & high)) !== 0) return true;
    }
    return false;
  }

  get pending(): boolean {
    return this.pendingAmong(-1, -1);
  }

  private setSender(sender: number, low: number, high: number): void {
    for (let bit = 0; bit < 32; bit++) {
      if (((low >>> bit) & 1) !== 0) this.senders[bit] = sender;
      if (((high >>> bit) & 1) !== 0) this.senders[bit + 32] = sender;
    }
  }
}

export class Notifications {
  /** SP: its manifest says so. VM: its bitmap was created. */
  enabled = false;
  vcpuCount = 0;
  readonly fromPartitions = new NotificationBitmap();
  readonly fromVms = new NotificationBitmap();
  /** RX_FULL_... bits that are pending. */
  framework = 0;
  /** Those of them that FFA_NOTIFICATION_INFO_GET has told of. */
  private frameworkReported = 0;
  /** vCPUs that wait with an interrupt, of which FFA_NOTIFICATION_INFO_GET has not told. */
  private readonly interrupted: number[] = [];
  /** Whether the endpoint stands in the SPMC's list of those to report. */
  queued = false;

  clear(): void {
    this.fromPartitions.clear();
    this.fromVms.clear();
    this.takeFramework();
    this.interrupted.length = 0;
    this.queued = false;
  }

  /**
   * The vCPU waits with an interrupt that it handles when it is run. It is told of once; it may have been run for
   * another reason by then.
   */
  addInterrupted(vcpu: number): void {
    if (!this.interrupted.includes(vcpu)) this.interrupted.push(vcpu);
  }

  /** The framework's pending bits, which are pending no more. */
  takeFramework(): number {
    const taken = this.framework;
    this.framework = 0;
    this.frameworkReported = 0;
    return taken;
  }

  /** Whether something is pending for no vCPU in particular: of that, something unreported, or (`level`) anything. */
  tellsEndpoint(level: boolean): boolean {
    if (level) return this.fromPartitions.global.any || this.fromVms.global.any || this.framework !== 0;
    const framework = (this.framework & ~this.frameworkReported) !== 0;
    return framework || this.fromPartitions.global.unreported || this.fromVms.global.unreported;
  }

  reportEndpoint(): void {
    this.fromPartitions.global.report();
    this.fromVms.global.report();
    this.frameworkReported = this.framework;
  }

  /** The same for one vCPU's own, and for its interrupts. */
  tellsVcpu(vcpu: number, level: boolean): boolean {
    if (this.interrupted.includes(vcpu)) return true;
    return tells(this.fromPartitions, vcpu, level) || tells(this.fromVms, vcpu, level);
  }

  reportVcpu(vcpu: number): void {
    this.fromPartitions.ofVcpu(vcpu)?.report();
    this.fromVms.ofVcpu(vcpu)?.report();
    const at = this.interrupted.indexOf(vcpu);
    if (at >= 0) this.interrupted.splice(at, 1);
  }

  /** vCPUs from this number on have nothing of their own. */
  get toldVcpuCount(): number {
    const counts = Math.max(this.fromPartitions.vcpuCount, this.fromVms.vcpuCount);
    return this.interrupted.length === 0 ? counts : Math.max(counts, 1 + Math.max(...this.interrupted));
  }

  /** Whether FFA_NOTIFICATION_INFO_GET has something to tell of it. */
  tells(level: boolean): boolean {
    if (this.tellsEndpoint(level)) return true;
    for (let vcpu = 0; vcpu < this.toldVcpuCount; vcpu++) {
      if (this.tellsVcpu(vcpu, level)) return true;
    }
    return false;
  }
}

function tells(bitmap: NotificationBitmap, vcpu: number, level: boolean): boolean {
  const own = bitmap.ofVcpu(vcpu);
  return own !== null && (level ? own.any : own.unreported);
}
