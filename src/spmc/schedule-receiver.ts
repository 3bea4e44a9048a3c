// The schedule receiver interrupt: tells the hypervisor that somebody has notifications to fetch. One is under way at a
// time; FFA_NOTIFICATION_INFO_GET answers it [Hafnium notifications.c].

import { FFA_HYPERVISOR_ID } from '../abi/endpoint-ids.ts';
import type { InterruptSink } from '../hardware/conduit.ts';
import { SCHEDULE_RECEIVER_INTERRUPT } from './interrupt-ids.ts';

export class ScheduleReceiver {
  private readonly sink: InterruptSink;
  /** Raised, and FFA_NOTIFICATION_INFO_GET has not been called since. */
  raised = false;
  /** Wanted when the PE next returns to the normal world. */
  delayed = false;

  constructor(sink: InterruptSink) {
    this.sink = sink;
  }

  reset(): void {
    this.raised = false;
    this.delayed = false;
  }

  raise(peIndex: number): void {
    this.delayed = false;
    if (this.raised) return;
    this.raised = true;
    this.sink.raise(FFA_HYPERVISOR_ID, peIndex, SCHEDULE_RECEIVER_INTERRUPT);
  }

  delay(): void {
    if (!this.raised) this.delayed = true;
  }

  /** The PE returns to the normal world. */
  leaving(peIndex: number): void {
    if (this.delayed) this.raise(peIndex);
  }

  /** The hypervisor asked who has notifications. */
  handled(): void {
    this.raised = false;
    this.delayed = false;
  }
}
