// Quarantine: pages that nobody may use again, because nobody can say whether a partition still has them. Each entry
// is listed with its reason. An operator may retry its reclaim, under a guard, or write it off: leaked until restart,
// never freed.

import { assert } from '../base/assert.ts';
import { EVENT_QUARANTINE, EVENT_QUARANTINE_RELEASE } from '../base/event-kinds.ts';
import type { FrameNumber } from '../base/units.ts';
import { type FrameOwner, OWNER_QUARANTINE } from '../hardware/frames.ts';
import type { Machine } from '../hardware/machine.ts';
import type { Share } from './ffa-context.ts';
import type { ShareSlots } from './share-slots.ts';

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
  /** Runs of frames: first, count, first, count, ... A page that was given twice is in it twice, and pinned twice. */
  readonly runs: readonly number[];
  /** Pages in it, each counted once. */
  readonly pageCount: number;
  /** The share that they were in, which counts as one at the SPMC for as long; null: none does. */
  readonly share: Share | null;
  /** What the secure world answered last: w0 and w2. */
  readonly answer: readonly [number, number];
  writtenOff: boolean;
  /** Whether the pages have left their dead owner for the system. */
  adopted: boolean;
}

export class Quarantine implements FrameOwner {
  private readonly machine: Machine;
  private readonly slots: ShareSlots;
  private readonly entries = new Map<number, QuarantineEntry>();
  private entryCount = 0;
  /** How many entries each page is in. */
  private readonly entriesOf = new Map<FrameNumber, number>();

  constructor(machine: Machine, slots: ShareSlots) {
    this.machine = machine;
    this.slots = slots;
  }

  list(): IterableIterator<QuarantineEntry> {
    return this.entries.values();
  }

  /** Pages in all entries, written off or not; each counted once. */
  get pageCount(): number {
    return this.entriesOf.size;
  }

  get size(): number {
    return this.entries.size;
  }

  find(id: number): QuarantineEntry | null {
    return this.entries.get(id) ?? null;
  }

  /** Takes the pages in. They keep the pin that they had. */
  add(entry: Omit<QuarantineEntry, 'id' | 'writtenOff' | 'adopted' | 'pageCount'>): QuarantineEntry {
    const pages = pagesOf(entry.runs);
    for (const page of pages) this.entriesOf.set(page, (this.entriesOf.get(page) ?? 0) + 1);
    const id = ++this.entryCount;
    const whole: QuarantineEntry = { ...entry, id, pageCount: pages.size, writtenOff: false, adopted: false };
    this.entries.set(id, whole);
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

  /**
   * Hands the pages of a dead guest to the system: whoever owned them is gone. Returns how many had an owner until now;
   * others came with another entry.
   */
  adopt(entry: QuarantineEntry): number {
    if (entry.adopted) return 0;
    entry.adopted = true;
    const { frames } = this.machine;
    frames.setOwner(OWNER_QUARANTINE, this);
    let pages = 0;
    for (let n = 0; n < entry.runs.length; n += 2) {
      const end = entry.runs[n] + entry.runs[n + 1];
      let first = entry.runs[n];
      while (first < end) {
        let after = first;
        while (after < end && frames.owner(after) !== OWNER_QUARANTINE) after++;
        if (after > first) frames.changeOwner(first, after - first, OWNER_QUARANTINE);
        pages += after - first;
        first = after + 1;
      }
    }
    return pages;
  }

  /** FrameOwner: nothing holds these pages any more. They are scrubbed before anybody gets them. */
  framesFreed(frame: FrameNumber, count: number): void {
    this.machine.frames.scrub(frame, count);
  }

  /** All entries that a guest's incarnation left. */
  *of(serial: number): IterableIterator<QuarantineEntry> {
    for (const entry of this.entries.values()) if (entry.serial === serial) yield entry;
  }

  /** The secure world has proved that the pages are back: they leave, and their pin is dropped. */
  release(entry: QuarantineEntry): void {
    this.remove(entry, 0);
    if (entry.share !== null) this.slots.end(entry.share);
    for (let n = 0; n < entry.runs.length; n += 2) {
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
    for (const page of pagesOf(entry.runs)) {
      const left = (this.entriesOf.get(page) as number) - 1;
      if (left === 0) this.entriesOf.delete(page);
      else this.entriesOf.set(page, left);
    }
    const events = this.machine.events;
    if (events.on) {
      const { vmId, handleLow, handleHigh, pageCount } = entry;
      events.emit(EVENT_QUARANTINE_RELEASE, 0, vmId, how, handleLow, handleHigh, pageCount);
    }
  }
}

/** The pages of runs of frames, each once. */
function pagesOf(runs: readonly number[]): ReadonlySet<FrameNumber> {
  const pages = new Set<FrameNumber>();
  for (let n = 0; n < runs.length; n += 2) {
    for (let frame = runs[n]; frame < runs[n] + runs[n + 1]; frame++) pages.add(frame);
  }
  return pages;
}
