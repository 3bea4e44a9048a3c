// A DMA engine: transfers that a partition starts and that go on for a time by themselves, whatever stage 2 says
// meanwhile. It holds no reference: that nobody reuses the pages before it ends is what the oracle watches.

import { EVENT_DMA_END, EVENT_DMA_START } from '../base/event-kinds.ts';
import { type FrameNumber, type Nanoseconds, PAGE_SIZE_BYTES } from '../base/units.ts';
import type { Machine } from '../hardware/machine.ts';
import { STAGE2_INVALID, type Stage2 } from '../hardware/stage2.ts';
import type { Timer } from '../hardware/time.ts';
import type { DmaPort } from './description.ts';

interface Transfer {
  readonly sp: number;
  readonly frames: readonly FrameNumber[];
  readonly timer: Timer;
}

export class DmaEngine implements DmaPort {
  private readonly machine: Machine;
  private readonly spaceOf: (sp: number) => Stage2 | null;
  private readonly transfers = new Map<Timer, Transfer>();

  constructor(machine: Machine, spaceOf: (sp: number) => Stage2 | null) {
    this.machine = machine;
    this.spaceOf = spaceOf;
  }

  start(sp: number, address: number, pageCount: number, durationNs: Nanoseconds): boolean {
    const stage2 = this.spaceOf(sp);
    if (stage2 === null) return false;
    const frames: FrameNumber[] = [];
    const first = Math.floor(address / PAGE_SIZE_BYTES);
    for (let n = 0; n < pageCount; n++) {
      const frame = stage2.translate(first + n);
      if (frame < 0 || (stage2.attributes & STAGE2_INVALID) !== 0) return false;
      frames.push(frame);
    }
    const { time, events } = this.machine;
    const timer = time.timer(`dma of ${sp.toString(16)}`);
    this.transfers.set(timer, { sp, frames, timer });
    if (events.on) for (const frame of frames) events.emit(EVENT_DMA_START, 0, sp, frame, 1);
    time.arm(timer, time.nowNs + durationNs);
    return true;
  }

  active(sp: number): boolean {
    for (const transfer of this.transfers.values()) if (transfer.sp === sp) return true;
    return false;
  }

  /** Whether the timer was a transfer's; it has ended then, with its last write. */
  timerFired(timer: Timer): boolean {
    const transfer = this.transfers.get(timer);
    if (transfer === undefined) return false;
    this.transfers.delete(timer);
    const { frames, events } = this.machine;
    for (const frame of transfer.frames) {
      frames.contents.page(frame)[0] = LAST_WRITE;
      if (events.on) events.emit(EVENT_DMA_END, 0, transfer.sp, frame, 1);
    }
    return true;
  }
}

/** What a transfer leaves in the first byte of each page. */
const LAST_WRITE = 0xd3;
