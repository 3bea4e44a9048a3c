// Stage-2 translation of one endpoint: guest frame -> frame and attributes. A few linear regions (RAM banks) hold most
// of a space; 2 MiB tables override them where single pages differ. A space of 64 GiB costs what is changed in it.
//
// Attributes are bits: access (R, W, X), what the frame is, and for partitions the software bits that hold ownership.

import { assert } from '../base/assert.ts';
import { EVENT_MAP, EVENT_UNMAP } from '../base/event-kinds.ts';
import type { EventLog } from '../base/event-log.ts';
import type { FrameNumber, GuestFrame } from '../base/units.ts';

export type Stage2Attributes = number;
export const STAGE2_READ = 1;
export const STAGE2_WRITE = 2;
export const STAGE2_EXECUTE = 4;
/** Device memory, not RAM. */
export const STAGE2_DEVICE = 8;
/** Non-secure memory, seen from a secure partition. */
export const STAGE2_NON_SECURE = 0x10;
/** RAM that belongs to another domain (foreign or grant mapping). */
export const STAGE2_FOREIGN = 0x20;
/** Software bits of the SPMC's page states. */
export const STAGE2_UNOWNED = 0x40;
export const STAGE2_SHARED = 0x80;
/** Owner without access (lent): present in the table, not accessible. */
export const STAGE2_INVALID = 0x100;

export const STAGE2_RW = STAGE2_READ | STAGE2_WRITE;
export const STAGE2_RWX = STAGE2_READ | STAGE2_WRITE | STAGE2_EXECUTE;

const TABLE_SHIFT = 9;
const TABLE_ENTRIES = 1 << TABLE_SHIFT;
const TABLE_MASK = TABLE_ENTRIES - 1;
/** Below this a shift divides. */
const SMALL_FRAME_END = 2 ** 31;

interface Region {
  readonly first: GuestFrame;
  readonly count: number;
  readonly frame: FrameNumber;
  readonly attributes: Stage2Attributes;
}

interface Table {
  readonly frames: Int32Array;
  readonly attributes: Uint16Array;
}

export class Stage2 {
  /** Names the space in events: an endpoint id. */
  readonly space: number;
  private readonly events: EventLog;
  private regions: Region[] = [];
  /** By table index; made with the first page that is unlike its region. */
  private tables: Map<number, Table> | null = null;
  private lastTableIndex = -1;
  private lastTable: Table | null = null;
  /** Changes of any mapping so far: who mirrors the space looks again when it has moved. */
  changes = 0;
  /** Attributes of the entry that `translate` found last; 0 when it found none. */
  attributes: Stage2Attributes = 0;
  /** How many frames from the one that `translate` found last are known to follow in the same linear region. */
  run = 0;

  constructor(events: EventLog, space: number) {
    this.events = events;
    this.space = space;
  }

  /** Page tables of 2 MiB that it needs. */
  get tableCount(): number {
    return this.tables?.size ?? 0;
  }

  /** Adds to `missing` the tables that a change of `count` pages would make. */
  missingTables(gfn: GuestFrame, count: number, missing: Set<number>): void {
    const last = tableIndex(gfn + count - 1);
    for (let index = tableIndex(gfn); index <= last; index++) if (this.tables?.has(index) !== true) missing.add(index);
  }

  /** Unmaps everything at once (the space dies). */
  clear(): void {
    this.changes++;
    this.regions = [];
    this.tables = null;
    this.lastTableIndex = -1;
    this.lastTable = null;
  }

  /** The frame behind `gfn`, or -1. `attributes` and `run` then describe the entry. */
  translate(gfn: GuestFrame): FrameNumber {
    if (this.tables !== null) {
      const index = tableIndex(gfn);
      const table = index === this.lastTableIndex ? this.lastTable : this.findTable(index);
      if (table !== null) {
        const at = gfn & TABLE_MASK;
        this.attributes = table.attributes[at];
        this.run = 1;
        return this.attributes === 0 ? -1 : table.frames[at];
      }
    }
    const regions = this.regions;
    for (let n = 0; n < regions.length; n++) {
      const region = regions[n];
      const offset = gfn - region.first;
      if (offset >= 0 && offset < region.count) {
        this.attributes = region.attributes;
        this.run = region.count - offset;
        if (this.tables !== null) this.run = Math.min(this.run, TABLE_ENTRIES - (gfn & TABLE_MASK));
        return region.frame + offset;
      }
    }
    this.attributes = 0;
    this.run = 0;
    return -1;
  }

  /**
   * Whether `count` pages from `gfn` are all mapped with the same attributes, or (`attributes` 0 then) all unmapped;
   * `attributes` are theirs.
   */
  uniform(gfn: GuestFrame, count: number): boolean {
    let at = gfn;
    const end = gfn + count;
    let found = -1;
    while (at < end) {
      const index = tableIndex(at);
      const table = index === this.lastTableIndex ? this.lastTable : this.findTable(index);
      if (table === null) {
        // No single page of this table's range differs from its region.
        const mapped = this.translate(at) >= 0;
        const attributes = mapped ? this.attributes : 0;
        if (found >= 0 && attributes !== found) return false;
        found = attributes;
        at += mapped ? Math.min(this.run, TABLE_ENTRIES - (at & TABLE_MASK)) : 1;
        continue;
      }
      const bits = table.attributes;
      const from = at & TABLE_MASK;
      const to = Math.min(TABLE_ENTRIES, from + end - at);
      if (found < 0) found = bits[from];
      for (let n = from; n < to; n++) if (bits[n] !== found) return false;
      at += to - from;
    }
    this.attributes = found < 0 ? 0 : found;
    return true;
  }

  /** Adds a linear region where nothing is mapped yet: a RAM bank. */
  addRegion(gfn: GuestFrame, frame: FrameNumber, count: number, attributes: Stage2Attributes): void {
    assert(attributes !== 0 && count > 0, 'a region maps something');
    for (const region of this.regions) {
      assert(gfn + count <= region.first || region.first + region.count <= gfn, 'regions do not overlap');
    }
    this.changes++;
    this.regions.push({ first: gfn, count, frame, attributes });
    for (const [index, table] of this.tables ?? []) this.fillFromRegion(table, index, this.regions.length - 1);
    if (this.events.on) this.events.emit(EVENT_MAP, this.events.currentPe, this.space, gfn, frame, count, attributes);
  }

  /** Maps `count` pages, replacing what was there. */
  map(gfn: GuestFrame, frame: FrameNumber, count: number, attributes: Stage2Attributes): void {
    assert(attributes !== 0, 'a mapping has attributes');
    this.changes++;
    let done = 0;
    while (done < count) {
      const { frames, attributes: bits } = this.tableFor(tableIndex(gfn + done));
      const from = (gfn + done) & TABLE_MASK;
      const to = Math.min(TABLE_ENTRIES, from + count - done);
      const first = frame + done - from;
      for (let at = from; at < to; at++) {
        frames[at] = first + at;
        bits[at] = attributes;
      }
      done += to - from;
    }
    if (this.events.on) this.events.emit(EVENT_MAP, this.events.currentPe, this.space, gfn, frame, count, attributes);
  }

  /** Unmaps `count` pages; those that are not mapped stay so. */
  unmap(gfn: GuestFrame, count: number): void {
    const frame = this.events.on ? this.translate(gfn) : 0;
    this.changes++;
    let done = 0;
    while (done < count) {
      const { frames, attributes: bits } = this.tableFor(tableIndex(gfn + done));
      const from = (gfn + done) & TABLE_MASK;
      const to = Math.min(TABLE_ENTRIES, from + count - done);
      for (let at = from; at < to; at++) {
        frames[at] = 0;
        bits[at] = 0;
      }
      done += to - from;
    }
    if (this.events.on) this.events.emit(EVENT_UNMAP, this.events.currentPe, this.space, gfn, frame, count);
  }

  /**
   * Tells what may be mapped, as runs: every region as it was added, then every page of the tables. Where a table
   * overrides a region, `translate` says what holds.
   */
  eachRun(tell: (gfn: GuestFrame, frame: FrameNumber, count: number) => void): void {
    for (const region of this.regions) tell(region.first, region.frame, region.count);
    for (const [index, table] of this.tables ?? []) {
      for (let at = 0; at < TABLE_ENTRIES; at++) {
        if (table.attributes[at] !== 0) tell(index * TABLE_ENTRIES + at, table.frames[at], 1);
      }
    }
  }

  private findTable(index: number): Table | null {
    const table = this.tables?.get(index);
    if (table === undefined) return null;
    this.lastTableIndex = index;
    this.lastTable = table;
    return table;
  }

  private tableFor(index: number): Table {
    if (index === this.lastTableIndex && this.lastTable !== null) return this.lastTable;
    const found = this.findTable(index);
    if (found !== null) return found;
    const table: Table = { frames: new Int32Array(TABLE_ENTRIES), attributes: new Uint16Array(TABLE_ENTRIES) };
    for (let n = 0; n < this.regions.length; n++) this.fillFromRegion(table, index, n);
    this.tables ??= new Map();
    this.tables.set(index, table);
    this.lastTableIndex = index;
    this.lastTable = table;
    return table;
  }

  private fillFromRegion(table: Table, index: number, regionIndex: number): void {
    const region = this.regions[regionIndex];
    const base = index * TABLE_ENTRIES;
    const from = Math.max(region.first, base);
    const to = Math.min(region.first + region.count, base + TABLE_ENTRIES);
    for (let gfn = from; gfn < to; gfn++) {
      table.frames[gfn - base] = region.frame + gfn - region.first;
      table.attributes[gfn - base] = region.attributes;
    }
  }
}

/** Guest frames reach 2^52, more than bit operators do. */
function tableIndex(gfn: GuestFrame): number {
  return gfn < SMALL_FRAME_END ? gfn >> TABLE_SHIFT : Math.floor(gfn / TABLE_ENTRIES);
}
