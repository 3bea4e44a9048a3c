// Quarantine: pages that nobody may use again, because nobody can say whether a partition still has them. Each entry
// is listed with its reason. An operator may retry its reclaim, under a guard, or write it off: leaked until restart,
// never freed.

import { assert } from '../base/assert.ts';
import { EVENT_QUARANTINE, EVENT_QUARANTINE_RELEASE } from '../base/event-kinds.ts';
import { OWNER_QUARANTINE } from '../hardware/frames.ts';
import type { Machine } from '../hardware/machine.ts';

/** Why pages are in quarantine. The index is argument `reason` of the event. */
export type QuarantineReason =
  | 'reclaim-refused-for-good'
  | 'reclaim-unclear'
  | 'share-outcome-unknown'
  | 'buffers-still-mapped'
  /** Given away for good: a partition owns the pages. */
  | 'donated';
export const QUARANTINE_REASONS: readonly QuarantineReason[] = [
  'reclaim-refused-for-good',
  'reclaim-unclear',
  'share-outcome-unknown',
  'buffers-still-mapped',
  'donated',
];

export interface QuarantineEntry {
  readonly id: number;
  readonly vmId: number;
  /** Serial of the guest's incarnation whose pages these are. */
  readonly serial: number;
  readonly reason: QuarantineReason;
  /** Whether the SPMC gave a handle: without one there is nothing to retry. */
  readonly hasHandle: boolean;
  readonly handleLow: number;
  readonly handleHigh: number;
  /** Runs of frames: first, count, first, count, ... */
  readonly runs: readonly number[];
  readonly pageCount: number;
  /** What the secure world answered last: w0 and w2. */
  readonly answer: readonly [number, number];
  writtenOff: boolean;
  /** Whether the pages have left their dead owner for the system. */
  adopted: boolean;
}

export class Quarantine {
  private readonly machine: Machine;
  private readonly entries = new Map<number, QuarantineEntry>();
  private entryCount = 0;
  /** Pages in all entries, written off or not. */
  pageCount = 0;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  list(): IterableIterator<QuarantineEntry> {
    return this.entries.values();
  }

  get size(): number {
    return this.entries.size;
  }

  find(id: number): QuarantineEntry | null {
    return this.entries.get(id) ?? null;
  }

  /** Takes the pages in. They keep the pin that they had. */
  add(entry: Omit<QuarantineEntry, 'id' | 'writtenOff' | 'adopted' | 'pageCount'>): QuarantineEntry {
    let pageCount = 0;
    for (let n = 1; n < entry.runs.length; n += 2) pageCount += entry.runs[n];
    const whole: QuarantineEntry = { ...entry, id: ++this.entryCount, pageCount, writtenOff: false, adopted: false };
    this.entries.set(whole.id, whole);
    this.pageCount += pageCount;
    const events = this.machine.events;
    if (events.on) {
      const reason = QUARANTINE_REASONS.indexOf(entry.reason);
      for (let n = 0; n < entry.runs.length; n += 2) {
        const [frame, count] = [entry.runs[n], entry.runs[n + 1]];
        events.emit(EVENT_QUARANTINE, 0, entry.vmId, reason, entry.handleLow, entry.handleHigh, count, frame);
      }
    }
    return whole;
  }

  /** Hands the pages of a dead guest to the system: whoever owned them is gone. */
  adopt(entry: QuarantineEntry): void {
    if (entry.adopted) return;
    entry.adopted = true;
    for (let n = 0; n < entry.runs.length; n += 2) {
      this.machine.frames.changeOwner(entry.runs[n], entry.runs[n + 1], OWNER_QUARANTINE);
    }
  }

  /** All entries that a guest's incarnation left. */
  *of(serial: number): IterableIterator<QuarantineEntry> {
    for (const entry of this.entries.values()) if (entry.serial === serial) yield entry;
  }

  /** The secure world has proved that the pages are back: they leave, scrubbed, and their pin is dropped. */
  release(entry: QuarantineEntry): void {
    this.remove(entry, 0);
    for (let n = 0; n < entry.runs.length; n += 2) {
      this.machine.frames.scrub(entry.runs[n], entry.runs[n + 1]);
      this.machine.frames.putRange(entry.runs[n], entry.runs[n + 1]);
    }
  }

  /** Gives the pages up: they stay pinned until restart, and stay listed. */
  writeOff(entry: QuarantineEntry): void {
    entry.writtenOff = true;
    const events = this.machine.events;
    if (events.on) {
      const { vmId, handleLow, handleHigh, pageCount } = entry;
      events.emit(EVENT_QUARANTINE_RELEASE, 0, vmId, 1, handleLow, handleHigh, pageCount);
    }
  }

  private remove(entry: QuarantineEntry, how: number): void {
    assert(this.entries.delete(entry.id), 'an entry leaves quarantine once');
    this.pageCount -= entry.pageCount;
    const events = this.machine.events;
    if (events.on) {
      const { vmId, handleLow, handleHigh, pageCount } = entry;
      events.emit(EVENT_QUARANTINE_RELEASE, 0, vmId, how, handleLow, handleHigh, pageCount);
    }
  }
}
