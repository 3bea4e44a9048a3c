// The one CPU of the machine under QEMU, driven through the shim's mailbox: run this context until it leaves.
//
// Waiting is looking: some thousand looks as fast as they go (an exit takes microseconds), then a look every half
// millisecond. The shim makes every context leave when its slice is over, so a wait ends unless QEMU itself has ended.

import { PAGE_SIZE_BYTES, type PhysicalAddress, TWO_POW_32 } from '../base/units.ts';
import { UserError } from '../base/user-error.ts';
import type { Context } from './context.ts';
import {
  BOX_COMMAND,
  BOX_COMMAND_NUMBER,
  BOX_CONTEXT,
  BOX_DONE_NUMBER,
  BOX_ESR,
  BOX_FAR,
  BOX_FLAGS,
  BOX_FREQUENCY,
  BOX_HPFAR,
  BOX_REASON,
  BOX_SIZE_BYTES,
  BOX_SLICE,
  COMMAND_REWRITE,
  COMMAND_RUN,
  FLAG_TLB,
  MAILBOX_ADDRESS,
  REASON_SHIM,
} from './layout.ts';
import { pause } from './pause.ts';
import type { QemuProcess } from './qemu-process.ts';

const LOOKS = 4000;
/** After this the machine as a whole counts as lost. */
const LOST_MS = 10_000;

export class Cpu {
  readonly qemu: QemuProcess;
  /** Why the last context left, and what it trapped on: ESR's low word, the faulting address in two parts. */
  reason = 0;
  syndrome = 0;
  faultOffset = 0;
  faultPage = 0;
  /** Exits so far. */
  exits = 0;
  /** The box of commands that run no context. */
  private readonly own = Buffer.alloc(BOX_SIZE_BYTES);
  private readonly ticksPerMs: number;
  private number = 0;

  constructor(qemu: QemuProcess) {
    this.qemu = qemu;
    this.ticksPerMs = qemu.ram.readWord(MAILBOX_ADDRESS + BOX_FREQUENCY) / 1000;
  }

  /** Runs the context for at most `sliceMs`; its registers are in its box, before and after. */
  run(context: Context, sliceMs: number, tablesChanged: boolean): void {
    const { box } = context;
    this.command(box, COMMAND_RUN, tablesChanged ? FLAG_TLB : 0, context.address, Math.ceil(sliceMs * this.ticksPerMs));
    this.await(sliceMs);
    this.exits++;
    this.qemu.ram.read(MAILBOX_ADDRESS, box, 0, BOX_SIZE_BYTES);
    this.reason = box.readUInt32LE(BOX_REASON);
    this.syndrome = box.readUInt32LE(BOX_ESR);
    this.faultOffset = box.readUInt32LE(BOX_FAR) % PAGE_SIZE_BYTES;
    // HPFAR holds the page's number from bit 4 on.
    this.faultPage = Math.floor(box.readUInt32LE(BOX_HPFAR) / 16) + box.readUInt32LE(BOX_HPFAR + 4) * 2 ** 28;
    if (this.reason === REASON_SHIM) shimFailed(box);
  }

  /** Makes QEMU see what ffabric has written into pages from which code may have been run before. */
  rewrite(address: PhysicalAddress, length: number): void {
    this.command(this.own, COMMAND_REWRITE, 0, address, length);
    this.await(0);
  }

  /** Writes a command with all that it needs, then its number. */
  private command(box: Buffer, command: number, flags: number, address: PhysicalAddress, value: number): void {
    const { ram } = this.qemu;
    this.number = (this.number + 1) >>> 0;
    box.writeUInt32LE(command, BOX_COMMAND);
    box.writeUInt32LE(flags, BOX_FLAGS);
    box.writeUInt32LE(address % TWO_POW_32, BOX_CONTEXT);
    box.writeUInt32LE(Math.floor(address / TWO_POW_32), BOX_CONTEXT + 4);
    box.writeUInt32LE(value, BOX_SLICE);
    box.writeUInt32LE(0, BOX_SLICE + 4);
    ram.write(MAILBOX_ADDRESS + BOX_COMMAND, box, BOX_COMMAND, BOX_SIZE_BYTES - BOX_COMMAND);
    ram.writeWord(MAILBOX_ADDRESS + BOX_COMMAND_NUMBER, this.number);
  }

  private await(sliceMs: number): void {
    const { ram } = this.qemu;
    for (let looks = 0; looks < LOOKS; looks++) {
      if (ram.readWord(MAILBOX_ADDRESS + BOX_DONE_NUMBER) === this.number) return;
    }
    const lostMs = performance.now() + sliceMs + LOST_MS;
    for (let looks = 0; ram.readWord(MAILBOX_ADDRESS + BOX_DONE_NUMBER) !== this.number; looks++) {
      pause(0.5);
      if (looks % 64 !== 63) continue;
      if (!this.qemu.alive)
        throw new UserError(`QEMU has ended${this.qemu.printed === '' ? '' : `: ${this.qemu.printed}`}`);
      if (performance.now() > lostMs) throw new UserError('QEMU answers no more', null, 'start the machine again');
    }
  }
}

function shimFailed(box: Buffer): never {
  const syndrome = box.readUInt32LE(BOX_ESR).toString(16);
  const at = box.readUInt32LE(BOX_HPFAR).toString(16);
  throw new Error(`the shim took an exception: ESR 0x${syndrome}, ELR 0x${at}`);
}
