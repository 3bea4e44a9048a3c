// One vCPU of machine code: its registers while it does not run. Those that every exit may change are here; the rest
// (system registers, floating point) lie in the context's page in the RAM file, where shim.S loads and stores them.

import { type PhysicalAddress, TWO_POW_32 } from '../base/units.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import {
  BOX_HCR,
  BOX_PC,
  BOX_SIZE_BYTES,
  BOX_SPSR,
  BOX_X,
  CONTEXT_SIZE_BYTES,
  CONTEXT_SYSTEM,
  CONTEXT_VMPIDR,
  CONTEXT_VPIDR,
  CONTEXT_VTTBR,
} from './layout.ts';
import type { RamFile } from './ram-file.ts';

const REGISTERS_OF_A_CALL = 18;
const GENERAL_REGISTERS = 31;

/** EL1 with its own stack pointer, all interrupts masked. */
const PSTATE_EL1H_MASKED = 0x3c5;
/** SCTLR_EL1 at reset: MMU and caches off, reserved ones set. */
const SCTLR_RESET = 0x30d0_0800;
/** HCR_EL2: AArch64, SMC and WFI trapped, SError, IRQ and FIQ to EL2, set/way by address, stage 2 on. */
const HCR = 0x8000_0000 + (1 << 19) + (1 << 13) + (1 << 5) + (1 << 4) + (1 << 3) + (1 << 1) + 1;
/** MPIDR: affinity only, the bit that is always one. */
const MPIDR_FIXED = 0x8000_0000;
/** Cortex-A72. */
const MIDR = 0x410f_d083;
/** Where the VMID stands in the upper word of VTTBR. */
const VMID_SHIFT = 16;

export class Context {
  readonly address: PhysicalAddress;
  /** The part of the mailbox that is this vCPU's while it runs, at the same offsets. */
  readonly box = Buffer.alloc(BOX_SIZE_BYTES);

  /** A vCPU that has never run. Its page is at `address`. */
  constructor(file: RamFile, address: PhysicalAddress, entry: number, vcpu: number, tables: number, vmid: number) {
    this.address = address;
    const page = Buffer.alloc(CONTEXT_SIZE_BYTES);
    page.writeUInt32LE(SCTLR_RESET, CONTEXT_SYSTEM);
    page.writeUInt32LE(tables % TWO_POW_32, CONTEXT_VTTBR);
    page.writeUInt32LE(vmid * 2 ** VMID_SHIFT + Math.floor(tables / TWO_POW_32), CONTEXT_VTTBR + 4);
    page.writeUInt32LE(MPIDR_FIXED + vcpu, CONTEXT_VMPIDR);
    page.writeUInt32LE(MIDR, CONTEXT_VPIDR);
    file.write(address, page, 0, CONTEXT_SIZE_BYTES);
    this.set(BOX_PC, entry);
    this.set(BOX_SPSR, PSTATE_EL1H_MASKED);
    this.set(BOX_HCR, HCR);
  }

  /** x0 to x17 into `registers`. */
  takeCall(registers: RegisterFile): void {
    const { box } = this;
    for (let n = 0, at = BOX_X; n < REGISTERS_OF_A_CALL; n++, at += 8) {
      registers.setWords(n, box.readUInt32LE(at), box.readUInt32LE(at + 4));
    }
  }

  /** The answer: x0 to x17. */
  putAnswer(registers: RegisterFile): void {
    const { box } = this;
    for (let n = 0, at = BOX_X; n < REGISTERS_OF_A_CALL; n++, at += 8) {
      box.writeUInt32LE(registers.w(n), at);
      box.writeUInt32LE(registers.high(n), at + 4);
    }
  }

  /** x[n] as a double, exact below 2^53; register 31 reads as zero. */
  x(n: number): number {
    return n === GENERAL_REGISTERS ? 0 : this.get(BOX_X + 8 * n);
  }

  setX(n: number, value: number): void {
    if (n !== GENERAL_REGISTERS) this.set(BOX_X + 8 * n, value);
  }

  /** Passes over the instruction that trapped. */
  skipInstruction(): void {
    this.set(BOX_PC, this.get(BOX_PC) + 4);
  }

  /** All registers as text, for reports: four a line. */
  dump(): string[] {
    const lines: string[] = [`pc ${this.hex(BOX_PC)}  pstate ${this.hex(BOX_SPSR)}`];
    for (let n = 0; n < GENERAL_REGISTERS; n += 4) {
      const names: string[] = [];
      for (let m = n; m < Math.min(n + 4, GENERAL_REGISTERS); m++) names.push(`x${m} ${this.hex(BOX_X + 8 * m)}`);
      lines.push(names.join('  '));
    }
    return lines;
  }

  private hex(at: number): string {
    const high = this.box
      .readUInt32LE(at + 4)
      .toString(16)
      .padStart(8, '0');
    return `0x${high}${this.box.readUInt32LE(at).toString(16).padStart(8, '0')}`;
  }

  private get(at: number): number {
    return this.box.readUInt32LE(at) + this.box.readUInt32LE(at + 4) * TWO_POW_32;
  }

  private set(at: number, value: number): void {
    this.box.writeUInt32LE(value % TWO_POW_32, at);
    this.box.writeUInt32LE(Math.floor(value / TWO_POW_32), at + 4);
  }
}
