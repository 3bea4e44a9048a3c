// The notifications that a guest's driver has bound, and who is called back for each: what Linux's driver offers a
// kernel as notify_request, notify_relinquish and notify_send. [Linux arm_ffa]
//
// Each bit of the guest's bitmap belongs to one request. Per-vCPU bits are kept like the others: which vCPU they came
// for is the vCPU on which the callback runs.

import { NOTIFICATION_BIT_COUNT } from '../abi/layout/notifications.ts';
import type { Words64 } from '../abi/words.ts';
import type { DriverCpu } from './driver-cpu.ts';
import type { IndirectMessage } from './ffa-calls.ts';
import type { Task } from './task.ts';

/** Called when a bit has come, on the vCPU that was told; may make calls itself. */
export type NotificationCallback = (ffa: DriverCpu, bit: number) => Task | undefined;

/** Called with a message that was in RX; the buffer is free again. */
export type MessageCallback = (ffa: DriverCpu, message: IndirectMessage) => Task | undefined;

/** Called when another endpoint has something pending: it is to be run. `vcpus` is empty for a global notification. */
export type ScheduleCallback = (ffa: DriverCpu, partition: number, vcpus: readonly number[]) => Task | undefined;

export interface BoundNotification {
  readonly bit: number;
  /** Who may set it. */
  readonly sender: number;
  readonly perVcpu: boolean;
  readonly callback: NotificationCallback;
  /** How often it has come. */
  count: number;
}

const WORD_BITS = 32;

export class NotificationTable {
  /** By bit, in the order in which they were bound. */
  readonly bound = new Map<number, BoundNotification>();
  onMessage: MessageCallback | null = null;
  onSchedule: ScheduleCallback | null = null;
  /** Bits that came and that nobody has bound. */
  strayCount = 0;

  reset(): void {
    this.bound.clear();
    this.onMessage = null;
    this.onSchedule = null;
    this.strayCount = 0;
  }

  /** The lowest bit that nobody has bound, or -1. */
  freeBit(): number {
    for (let bit = 0; bit < NOTIFICATION_BIT_COUNT; bit++) if (!this.bound.has(bit)) return bit;
    return -1;
  }
}

/** A bitmap with one bit set, 0 to 63. */
export function bitmapOf(bit: number): Words64 {
  return bit < WORD_BITS ? { low: (1 << bit) >>> 0, high: 0 } : { low: 0, high: (1 << (bit - WORD_BITS)) >>> 0 };
}

/** The bits that are set, lowest first. */
export function* bitsOf({ high, low }: Words64): Iterable<number> {
  for (let bit = 0; bit < WORD_BITS; bit++) if (((low >>> bit) & 1) !== 0) yield bit;
  for (let bit = 0; bit < WORD_BITS; bit++) if (((high >>> bit) & 1) !== 0) yield WORD_BITS + bit;
}
