// A context's page: the registers of one vCPU while it does not run, in the RAM file. shim.S loads and stores them.

import { PAGE_SIZE_BYTES, type PhysicalAddress, TWO_POW_32 } from '../base/units.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import {
  CONTEXT_CNTVOFF,
  CONTEXT_CORE_BYTES,
  CONTEXT_HCR,
  CONTEXT_LR0,
  CONTEXT_PC,
  CONTEXT_SPSR,
  CONTEXT_SYSTEM,
  CONTEXT_VMPIDR,
  CONTEXT_VPIDR,
  CONTEXT_VTTBR,
} from './layout.ts';
import type { RamFile } from './ram-file.ts';

const REGISTERS_OF_A_CALL = 18;
export const GENERAL_REGISTERS = 31;

/** EL1 with its own stack pointer, all interrupts masked. */
const PSTATE_EL1H_MASKED = 0x3c5;
/** SCTLR_EL1 at reset: MMU and caches off, reserved ones set. */
const SCTLR_RESET = 0x30d0_0800;
/** HCR_EL2: stage 2, SWIO, FIQ, IRQ and SError to EL2, WFI and SMC trapped; AArch64 in the upper word's bit. */
const HCR_LOW = 0x8000_0000 + (1 << 19) + (1 << 13) + (1 << 5) + (1 << 4) + (1 << 3) + (1 << 1) + 1;
/** MPIDR: affinity only, the bit that is always one. */
const MPIDR_FIXED = 0x8000_0000;
/** Cortex-A72. */
const MIDR = 0x410f_d083;

export class ContextPage {
  readonly address: PhysicalAddress;
  private readonly file: RamFile;
  private readonly bytes = Buffer.alloc(PAGE_SIZE_BYTES);

  constructor(file: RamFile, address: PhysicalAddress) {
    this.file = file;
    this.address = address;
  }

  /** A vCPU that has never run. */
  begin(entry: number, vcpu: number, tables: PhysicalAddress, vmid: number): void {
    this.bytes.fill(0);
    this.set(CONTEXT_PC, entry);
    this.set(CONTEXT_SPSR, PSTATE_EL1H_MASKED);
    this.set(CONTEXT_SYSTEM, SCTLR_RESET);
    this.set(CONTEXT_VTTBR, tables, vmid << 16);
    this.set(CONTEXT_HCR, HCR_LOW);
    this.set(CONTEXT_VMPIDR, MPIDR_FIXED + vcpu);
    this.set(CONTEXT_VPIDR, MIDR);
    this.set(CONTEXT_LR0, 0);
    this.set(CONTEXT_CNTVOFF, 0);
    this.file.write(this.address, this.bytes, 0, PAGE_SIZE_BYTES);
  }

  /** Reads what an exit may have changed. */
  load(): void {
    this.file.read(this.address, this.bytes, 0, CONTEXT_CORE_BYTES);
  }

  /** Writes it back. */
  store(): void {
    this.file.write(this.address, this.bytes, 0, CONTEXT_CORE_BYTES);
  }

  /** x0 to x17 into `registers`. */
  takeCall(registers: RegisterFile): void {
    for (let n = 0; n < REGISTERS_OF_A_CALL; n++) {
      registers.setWords(n, this.bytes.readUInt32LE(8 * n), this.bytes.readUInt32LE(8 * n + 4));
    }
  }

  /** The answer: x0 to x17. */
  putAnswer(registers: RegisterFile): void {
    for (let n = 0; n < REGISTERS_OF_A_CALL; n++) {
      this.bytes.writeUInt32LE(registers.w(n), 8 * n);
      this.bytes.writeUInt32LE(registers.high(n), 8 * n + 4);
    }
  }

  /** x[n] as a double; register 31 reads as zero. */
  x(n: number): number {
    return n === GENERAL_REGISTERS ? 0 : this.get(8 * n);
  }

  setX(n: number, value: number): void {
    if (n !== GENERAL_REGISTERS) this.set(8 * n, value % TWO_POW_32, Math.floor(value / TWO_POW_32));
  }

  get pc(): number {
    return this.get(CONTEXT_PC);
  }

  /** Passes over the instruction that trapped. */
  skipInstruction(): void {
    this.set(CONTEXT_PC, this.pc + 4);
  }

  /** All registers as text, for reports: four a line. */
  dump(): string[] {
    const lines: string[] = [`pc ${this.hex(CONTEXT_PC)}  pstate ${this.hex(CONTEXT_SPSR)}`];
    for (let n = 0; n < GENERAL_REGISTERS; n += 4) {
      const names: string[] = [];
      for (let m = n; m < Math.min(n + 4, GENERAL_REGISTERS); m++) names.push(`x${m} ${this.hex(8 * m)}`);
      lines.push(names.join('  '));
    }
    return lines;
  }

  private hex(at: number): string {
    const high = this.bytes
      .readUInt32LE(at + 4)
      .toString(16)
      .padStart(8, '0');
    return `0x${high}${this.bytes.readUInt32LE(at).toString(16).padStart(8, '0')}`;
  }

  private get(at: number): number {
    return this.bytes.readUInt32LE(at) + this.bytes.readUInt32LE(at + 4) * TWO_POW_32;
  }

  /** A 64-bit field; without `high` from a double. */
  private set(at: number, low: number, high = Math.floor(low / TWO_POW_32)): void {
    this.bytes.writeUInt32LE(low % TWO_POW_32, at);
    this.bytes.writeUInt32LE(high, at + 4);
  }
}
