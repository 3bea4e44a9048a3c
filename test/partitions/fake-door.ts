// A vCPU with flat memory and nobody behind its door: a test reads each call that an entry makes and answers by hand.

import { expect } from 'vitest';
import {
  EXIT_CALL,
  type Exit,
  type PartitionEntry,
  type PartitionMemory,
  type VcpuContext,
} from '../../src/hardware/partition-entry.ts';
import { RegisterFile } from '../../src/hardware/registers.ts';

export const RAM_BASE = 0x4000_0000;
export const RAM_PAGES = 1024;

/** RAM as one array; outside of it every access is refused. */
export class FlatMemory implements PartitionMemory {
  readonly bytes = new Uint8Array(RAM_PAGES * 4096);

  read(address: number, into: Uint8Array, at: number, length: number): boolean {
    const offset = address - RAM_BASE;
    if (offset < 0 || offset + length > this.bytes.length) return false;
    into.set(this.bytes.subarray(offset, offset + length), at);
    return true;
  }

  write(address: number, from: Uint8Array, at: number, length: number): boolean {
    const offset = address - RAM_BASE;
    if (offset < 0 || offset + length > this.bytes.length) return false;
    this.bytes.set(from.subarray(at, at + length), offset);
    return true;
  }

  hex(address: number, length: number): string {
    const into = new Uint8Array(length);
    this.read(address, into, 0, length);
    return Buffer.from(into).toString('hex');
  }

  put(address: number, hex: string): void {
    const bytes = Buffer.from(hex, 'hex');
    this.write(address, bytes, 0, bytes.length);
  }
}

export class FakeVcpu implements VcpuContext {
  readonly endpoint: number;
  readonly vcpu: number;
  readonly registers = new RegisterFile();
  readonly memory: FlatMemory;
  nowNs = 0;
  workNs = 0;
  readonly interrupts: number[] = [];

  constructor(endpoint = 2, vcpu = 0, memory = new FlatMemory()) {
    this.endpoint = endpoint;
    this.vcpu = vcpu;
    this.memory = memory;
  }

  /** x0, x1, ... as text, trailing zeros cut. */
  call(): string[] {
    const words = this.registers.words;
    const all: string[] = [];
    for (let n = 0; n < words.length; n += 2) {
      all.push(`0x${((BigInt(words[n + 1]) << 32n) | BigInt(words[n])).toString(16)}`);
    }
    while (all.length > 0 && all[all.length - 1] === '0x0') all.pop();
    return all;
  }

  answer(...registers: (number | string)[]): void {
    this.registers.clear();
    registers.forEach((register, n) => {
      const value = BigInt.asUintN(64, BigInt(register));
      this.registers.setWords(n, Number(value & 0xffff_ffffn), Number(value >> 32n));
    });
  }
}

/** A call that must be made, and its answer. `tx`: bytes at RAM_BASE when it is made; `rx`: bytes put into RX. */
export interface Exchange {
  readonly call: readonly (number | string)[];
  readonly tx?: string;
  readonly rx?: string;
  readonly answer: readonly (number | string)[];
}

export const RX_ADDRESS = RAM_BASE + 0x1000;

/** Runs an entry through exchanges, time passing as it asks; gives its exit after the last answer. */
export function drive(entry: PartitionEntry, vcpu: FakeVcpu, exchanges: readonly Exchange[]): Exit {
  let exit = entry.run(vcpu);
  for (const [n, exchange] of exchanges.entries()) {
    exit = passTime(entry, vcpu, exit);
    expect(exit, `exit before call ${n}`).toBe(EXIT_CALL);
    const wanted = exchange.call.map((register) => `0x${BigInt.asUintN(64, BigInt(register)).toString(16)}`);
    while (wanted.length > 0 && wanted[wanted.length - 1] === '0x0') wanted.pop();
    expect(vcpu.call(), `call ${n}`).toEqual(wanted);
    if (exchange.tx !== undefined) {
      expect(vcpu.memory.hex(RAM_BASE, exchange.tx.length / 2), `TX at call ${n}`).toBe(exchange.tx);
    }
    if (exchange.rx !== undefined) vcpu.memory.put(RX_ADDRESS, exchange.rx);
    vcpu.answer(...exchange.answer);
    exit = entry.run(vcpu);
  }
  return exit;
}

/** Lets the time of EXIT_WORK pass until the entry leaves otherwise. */
function passTime(entry: PartitionEntry, vcpu: FakeVcpu, first: Exit): Exit {
  let exit = first;
  for (let n = 0; exit === 2; n++) {
    expect(n, 'rounds of work').toBeLessThan(100_000);
    vcpu.nowNs += vcpu.workNs;
    exit = entry.run(vcpu);
  }
  return exit;
}
