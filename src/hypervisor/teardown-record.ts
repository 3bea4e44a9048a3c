// A teardown record: what is left of a guest that dies. It points into no domain; it pins the pages that are still
// shared and keeps the VM id out of use until nothing is owed under it.

import type { Deadline } from '../base/deadline-queue.ts';
import type { FrameNumber, Nanoseconds } from '../base/units.ts';
import type { FrameOwner } from '../hardware/frames.ts';
import type { Machine } from '../hardware/machine.ts';
import type { Owed, RetireReason } from './owed.ts';
import { NOT_TAKEN } from './run-to-end.ts';

export class TeardownRecord implements Deadline, FrameOwner {
  readonly vmId: number;
  readonly domainId: number;
  /** Owner of the pages: the dead domain's serial. */
  readonly serial: number;
  /** Frames of the RX/TX buffers while the SPMC may still map them; -1: none. */
  txFrame: FrameNumber = -1;
  rxFrame: FrameNumber = -1;
  /** In the order in which they are tried; finished ones are taken out. */
  owed: Owed[] = [];
  /** Where the round under way stands in `owed`. */
  cursor = 0;
  /** Rounds begun. */
  round = 0;
  /** Delay before the next round. */
  delayNs: Nanoseconds = 0;
  /** Rounds in a row after which something had still to be run on. */
  runRounds = 0;
  retire: RetireReason = 'none';
  /** Pages of the dead domain that somebody still references. */
  pagesHeld = 0;
  /** Pages that went to quarantine. */
  quarantinedPages = 0;

  deadlineNs: Nanoseconds = 0;
  sequence = 0;
  slot = -1;

  private readonly machine: Machine;

  constructor(machine: Machine, vmId: number, serial: number) {
    this.machine = machine;
    this.vmId = vmId;
    this.domainId = vmId - 1;
    this.serial = serial;
  }

  /** FrameOwner: pages of the dead domain have come back. They are scrubbed before anybody gets them. */
  framesFreed(frame: FrameNumber, count: number): void {
    this.pagesHeld -= count;
    this.machine.frames.scrub(frame, count);
  }

  /** Whether the secure world has taken one of its calls and has not answered it: it is to be run on. */
  get running(): boolean {
    return this.owed.some((item) => item.runTarget !== NOT_TAKEN);
  }

  /** Calls of one kind that are still owed. */
  countOwed(call: number): number {
    let count = 0;
    for (const item of this.owed) if (item.call === call) count++;
    return count;
  }
}
