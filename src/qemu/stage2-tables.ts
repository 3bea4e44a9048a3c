// Stage-2 translation tables of one endpoint, as the architecture walks them: written into the RAM file from the model
// of that endpoint's space, anew whenever the model has changed. 4 KiB pages, 39-bit intermediate addresses, from level
// 1 on. [Arm ARM D8]
//
// Limit: pages only, no blocks.

import { assert } from '../base/assert.ts';
import { PAGE_SIZE_BYTES, type PhysicalAddress, TWO_POW_32 } from '../base/units.ts';
import {
  STAGE2_DEVICE,
  STAGE2_EXECUTE,
  STAGE2_INVALID,
  STAGE2_READ,
  STAGE2_WRITE,
  type Stage2,
} from '../hardware/stage2.ts';
import { TABLES_ADDRESS, TABLES_END } from './layout.ts';
import type { RamFile } from './ram-file.ts';

const ENTRIES = 512;
const GUEST_FRAMES_MAX = 2 ** (39 - 12);

const ENTRY_TABLE = 3;
const ENTRY_PAGE = 3;
const ACCESS_FLAG = 1 << 10;
const INNER_SHAREABLE = 3 << 8;
const MAY_READ = 1 << 6;
const MAY_WRITE = 1 << 7;
const NORMAL_WRITE_BACK = 0xf << 2;
const DEVICE_nGnRE = 1 << 2;
/** Bit 54, in an entry's upper word. */
const NEVER_EXECUTE_HIGH = 1 << 22;

/** Pages for tables, handed out from a part of the RAM that nothing else uses. */
export class TablePool {
  private next = TABLES_ADDRESS;
  private readonly free: PhysicalAddress[] = [];

  take(): PhysicalAddress {
    const spare = this.free.pop();
    if (spare !== undefined) return spare;
    assert(this.next < TABLES_END, 'there is room for the stage-2 tables');
    this.next += PAGE_SIZE_BYTES;
    return this.next - PAGE_SIZE_BYTES;
  }

  give(pages: readonly PhysicalAddress[]): void {
    this.free.push(...pages);
  }
}

export class Stage2Tables {
  private readonly file: RamFile;
  private readonly pool: TablePool;
  private readonly space: Stage2;
  private pages: PhysicalAddress[] = [];
  private writtenAt = -1;
  /** Address of the table of level 1. */
  root: PhysicalAddress;

  constructor(file: RamFile, pool: TablePool, space: Stage2) {
    this.file = file;
    this.pool = pool;
    this.space = space;
    this.root = pool.take();
  }

  /** Writes the tables if the space has changed since. True: the processor must forget what it knows of them. */
  update(moveToFile: (frame: number) => void): boolean {
    if (this.writtenAt === this.space.changes) return false;
    this.writtenAt = this.space.changes;
    this.pool.give(this.pages);
    this.pages = [];
    const tables = new Map<string, { readonly address: PhysicalAddress; readonly words: Uint32Array }>();
    const table = (level: number, index: number) => {
      const key = `${level}/${index}`;
      let found = tables.get(key);
      if (found === undefined) {
        const address = level === 1 ? this.root : this.pool.take();
        if (level !== 1) this.pages.push(address);
        found = { address, words: new Uint32Array(2 * ENTRIES) };
        tables.set(key, found);
        if (level > 1) {
          const parent = table(level - 1, Math.floor(index / ENTRIES));
          write(parent.words, index % ENTRIES, address, ENTRY_TABLE, 0);
        }
      }
      return found;
    };
    table(1, 0);
    this.space.eachRun((first, _frame, count) => {
      for (let gfn = first; gfn < first + count; gfn++) {
        const frame = this.space.translate(gfn);
        const { attributes } = this.space;
        if (frame < 0 || (attributes & STAGE2_INVALID) !== 0) continue;
        assert(gfn < GUEST_FRAMES_MAX, 'guest addresses have 39 bits');
        moveToFile(frame);
        const { words } = table(3, Math.floor(gfn / ENTRIES));
        write(words, gfn % ENTRIES, frame * PAGE_SIZE_BYTES, lowBits(attributes), highBits(attributes));
      }
    });
    for (const { address, words } of tables.values()) {
      this.file.write(address, new Uint8Array(words.buffer), 0, PAGE_SIZE_BYTES);
    }
    return true;
  }

  /** Gives the pages back. */
  release(): void {
    this.pool.give([...this.pages, this.root]);
    this.pages = [];
  }
}

function lowBits(attributes: number): number {
  const memory = (attributes & STAGE2_DEVICE) !== 0 ? DEVICE_nGnRE : NORMAL_WRITE_BACK;
  const read = (attributes & STAGE2_READ) !== 0 ? MAY_READ : 0;
  const write = (attributes & STAGE2_WRITE) !== 0 ? MAY_WRITE : 0;
  return ENTRY_PAGE | memory | read | write | INNER_SHAREABLE | ACCESS_FLAG;
}

function highBits(attributes: number): number {
  return (attributes & STAGE2_EXECUTE) !== 0 ? 0 : NEVER_EXECUTE_HIGH;
}

function write(words: Uint32Array, index: number, address: PhysicalAddress, low: number, high: number): void {
  words[2 * index] = (address % TWO_POW_32) + low;
  words[2 * index + 1] = Math.floor(address / TWO_POW_32) + high;
}
