// What machine code of one world has in common: the machine under QEMU, the room for contexts and tables, the consoles,
// and what went wrong.

import { assert } from '../base/assert.ts';
import { type FrameNumber, PAGE_SIZE_BYTES, type PhysicalAddress } from '../base/units.ts';
import type { Stage2 } from '../hardware/stage2.ts';
import { Cpu } from './cpu.ts';
import { CONTEXT_COUNT, CONTEXTS_ADDRESS } from './layout.ts';
import type { QemuProcess } from './qemu-process.ts';
import { RamContents } from './ram-contents.ts';
import { TablePool } from './stage2-tables.ts';

/** An endpoint of machine code that ended by its own fault. */
export interface ImageFinding {
  readonly endpoint: string;
  readonly what: string;
  /** Registers at that moment, as text. */
  readonly registers: readonly string[];
}

export interface ImageHostOptions {
  /** Told each line that an endpoint prints. */
  readonly console: (endpoint: string, line: string) => void;
  /** How long machine code may run at once before others have their turn, in milliseconds. */
  readonly sliceMs: number;
  /** How long it may run without any call before that counts as stuck, in milliseconds of the host. */
  readonly stuckMs: number;
}

export const IMAGE_HOST_DEFAULTS = { sliceMs: 5, stuckMs: 10_000 };

export class ImageHost {
  readonly qemu: QemuProcess;
  readonly cpu: Cpu;
  readonly contents: RamContents;
  readonly pool = new TablePool();
  readonly options: ImageHostOptions;
  readonly findings: ImageFinding[] = [];
  private spaces: (endpoint: number) => Stage2 | null = () => null;
  private contexts = 0;

  constructor(qemu: QemuProcess, options: ImageHostOptions) {
    this.qemu = qemu;
    this.cpu = new Cpu(qemu);
    this.contents = new RamContents(qemu.ram);
    this.options = options;
  }

  /** Says where endpoints' stage-2 spaces are found; before anything runs. */
  attach(spaces: (endpoint: number) => Stage2 | null): void {
    this.spaces = spaces;
  }

  spaceOf(endpoint: number): Stage2 {
    const space = this.spaces(endpoint);
    assert(space !== null, 'an endpoint that runs has a stage 2');
    return space;
  }

  /** Puts a frame where machine code can touch it. */
  expose(frame: FrameNumber): void {
    if (this.contents.isInFile(frame)) return;
    this.contents.moveToFile(frame, 1);
    this.cpu.rewrite(frame * PAGE_SIZE_BYTES, PAGE_SIZE_BYTES);
  }

  /** Room for one more context, and its number: the VMID under which its translations are cached. */
  newContext(): { readonly address: PhysicalAddress; readonly number: number } {
    assert(this.contexts < CONTEXT_COUNT, `a machine has room for ${CONTEXT_COUNT} vCPUs of machine code`);
    const number = ++this.contexts;
    return { address: CONTEXTS_ADDRESS + (number - 1) * PAGE_SIZE_BYTES, number };
  }
}
