// A DMA engine: transfers that a partition starts and that go on for a time by themselves, whatever stage 2 says
// meanwhile. It holds no reference: that nobody reuses the pages before it ends is what the oracle watches.

import { EVENT_DMA_END, EVENT_DMA_START } from '../base/event-kinds.ts';
import { type Nanoseconds, PAGE_SIZE_BYTES } from '../base/units.ts';
import type { Machine } from '../hardware/machine.ts';
import { STAGE2_INVALID, type Stage2 } from '../hardware/stage2.ts';
import type { Timer } from '../hardware/time.ts';
import type { DmaEngine } from '../partitions/dma-engine.ts';
import type { PageRange } from '../partitions/memory-region.ts';

interface Transfer {
  readonly number: number;
  readonly sp: number;
  /** First frame and length of each run: first, count, first, count, ... */
  readonly runs: readonly number[];
}

/** What a transfer leaves in the first byte of each page. */
const LAST_WRITE = Uint8Array.of(0xd3);

export class WorldDmaEngine implements DmaEngine {
  private readonly machine: Machine;
  private readonly spaceOf: (sp: number) => Stage2 | null;
  private readonly transfers = new Map<Timer, Transfer>();
  private readonly running = new Set<number>();
  private transferCount = 0;

  constructor(machine: Machine, spaceOf: (sp: number) => Stage2 | null) {
    this.machine = machine;
    this.spaceOf = spaceOf;
  }

  start(endpoint: number, ranges: readonly PageRange[], durationNs: Nanoseconds): number {
    const runs = this.runsOf(endpoint, ranges);
    if (runs === null) return -1;
    const { time, events } = this.machine;
    const number = this.transferCount++;
    const timer = time.timer(`dma ${number}`);
    this.transfers.set(timer, { number, sp: endpoint, runs });
    this.running.add(number);
    for (let n = 0; events.on && n < runs.length; n += 2) {
      events.emit(EVENT_DMA_START, events.currentPe, endpoint, runs[n], runs[n + 1]);
    }
    time.arm(timer, time.nowNs + durationNs);
    return number;
  }

  /** Ends every transfer of a partition at once, without its last write. */
  stop(endpoint: number): void {
    const { time, events } = this.machine;
    for (const [timer, { number, runs, sp }] of this.transfers) {
      if (sp !== endpoint) continue;
      time.stop(timer);
      this.transfers.delete(timer);
      this.running.delete(number);
      for (let n = 0; events.on && n < runs.length; n += 2) {
        events.emit(EVENT_DMA_END, events.currentPe, sp, runs[n], runs[n + 1]);
      }
    }
  }

  active(transfer: number): boolean {
    return this.running.has(transfer);
  }

  /** Whether the timer was a transfer's; it has ended then, with its last write. */
  timerFired(timer: Timer): boolean {
    const transfer = this.transfers.get(timer);
    if (transfer === undefined) return false;
    this.transfers.delete(timer);
    this.running.delete(transfer.number);
    const { frames, events } = this.machine;
    const { runs, sp } = transfer;
    for (let n = 0; n < runs.length; n += 2) {
      for (let frame = runs[n]; frame < runs[n] + runs[n + 1]; frame++) {
        frames.contents.write(frame * PAGE_SIZE_BYTES, LAST_WRITE, 0, 1);
      }
      if (events.on) events.emit(EVENT_DMA_END, events.currentPe, sp, runs[n], runs[n + 1]);
    }
    return true;
  }

  /** The frames behind the ranges, or null when one of the pages is not mapped. */
  private runsOf(endpoint: number, ranges: readonly PageRange[]): number[] | null {
    const stage2 = this.spaceOf(endpoint);
    if (stage2 === null) return null;
    const runs: number[] = [];
    for (const { address, pageCount } of ranges) {
      const first = Math.floor(address / PAGE_SIZE_BYTES);
      for (let n = 0; n < pageCount; n++) {
        const frame = stage2.translate(first + n);
        if (frame < 0 || (stage2.attributes & STAGE2_INVALID) !== 0) return null;
        const last = runs.length - 2;
        if (last >= 0 && runs[last] + runs[last + 1] === frame) runs[last + 1]++;
        else runs.push(frame, 1);
      }
    }
    return runs;
  }
}
