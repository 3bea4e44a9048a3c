// The schedule receiver interrupt: tells the hypervisor that somebody has notifications to fetch. One is under way at a
// time: an interrupt that is pending is pending once, and FFA_NOTIFICATION_INFO_GET answers it. A sender may ask that
// it waits until its PE returns to the normal world [Hafnium notifications.c].

import { FFA_HYPERVISOR_ID } from '../abi/endpoint-ids.ts';
import type { InterruptSink } from '../hardware/conduit.ts';
import { SCHEDULE_RECEIVER_INTERRUPT } from './interrupt-ids.ts';

export class ScheduleReceiver {
  private readonly sink: InterruptSink;
  /** Raised, and FFA_NOTIFICATION_INFO_GET has not been called since. */
  raised = false;
  /** By PE: wanted when it next returns to the normal world. */
  private readonly delayed: boolean[] = [];

  constructor(sink: InterruptSink) {
    this.sink = sink;
  }

  reset(): void {
    this.raised = false;
    this.delayed.length = 0;
  }

  raise(peIndex: number): void {
    this.delayed[peIndex] = false;
    if (this.raised) return;
    this.raised = true;
    this.sink.raise(FFA_HYPERVISOR_ID, peIndex, SCHEDULE_RECEIVER_INTERRUPT);
  }

  delay(peIndex: number): void {
    this.delayed[peIndex] = true;
  }

  /** The PE returns to the normal world. */
  leaving(peIndex: number): void {
    if (this.delayed[peIndex] === true) this.raise(peIndex);
  }

  /** The hypervisor asked who has notifications. */
  handled(): void {
    this.raised = false;
  }
}
