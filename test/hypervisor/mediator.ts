// A mediator with guests over a scripted SPMC, for the tests of its calls.

import { FFA_NOT_SUPPORTED } from '../../src/abi/errors.ts';
import {
  FFA_ERROR,
  FFA_MEM_SHARE_64,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_PARTITION_INFO_GET,
  FFA_RXTX_MAP_64,
  FFA_SUCCESS_32,
  FFA_VERSION,
} from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import { present } from '../../src/base/assert.ts';
import { type Coroutine, type Pending, WAIT_LOCK } from '../../src/base/coroutine.ts';
import { PAGE_SIZE_BYTES } from '../../src/base/units.ts';
import type { Conduit } from '../../src/hardware/conduit.ts';
import { Machine } from '../../src/hardware/machine.ts';
import { Pe } from '../../src/hardware/pe.ts';
import type { RegisterFile } from '../../src/hardware/registers.ts';
import { type Domain, TEE_FFA, type Vcpu } from '../../src/hypervisor/domain.ts';
import type { FfaContext } from '../../src/hypervisor/ffa-context.ts';
import { Hypervisor } from '../../src/hypervisor/hypervisor.ts';
import type { Profile } from '../../src/hypervisor/profile.ts';
import { XEN_2024 } from '../../src/hypervisor/profiles/xen-2024.ts';
import { XEN_2026 } from '../../src/hypervisor/profiles/xen-2026.ts';
import { XEN_2026_VM_TO_VM } from '../../src/hypervisor/profiles/xen-2026-vm-to-vm.ts';

export { XEN_2024, XEN_2026, XEN_2026_VM_TO_VM };

export const RAM = 0x4000_0000;
export const TX = 0x4000_0000;
export const RX = RAM + PAGE_SIZE_BYTES;
export const DATA = RAM + 0x10 * PAGE_SIZE_BYTES;
export const SP1 = 0x8001;
const GUEST_PAGES = 512;

/** An SMC as it was made: x0 to x7, low words. */
export type Smc = readonly number[];

/** An SPMC that answers everything with success, unless a test says otherwise for a function. */
export class ScriptedSpmc implements Conduit {
  /** SMCs since the last `forget`. */
  readonly smcs: Smc[] = [];
  /** Bytes of the hypervisor's TX page at each FFA_MEM_SHARE_64, as long as it said. */
  readonly descriptors: Uint8Array[] = [];
  /** Answers by function id: w0, w1, ... */
  readonly answers = new Map<number, readonly number[]>();
  /** Functions that FFA_FEATURES denies. */
  readonly lacks = new Set<number>();
  /** Called while an SMC of this function is under way. */
  readonly meanwhile = new Map<number, () => void>();
  version: number;
  private readonly machine: Machine;
  private readonly partitions: number;
  private rx = 0;
  private tx = 0;
  private handle = 0;

  constructor(machine: Machine, version: number, partitions: number) {
    this.machine = machine;
    this.version = version;
    this.partitions = partitions;
  }

  forget(): void {
    this.smcs.length = 0;
    this.descriptors.length = 0;
  }

  smc(pe: Pe): Pending {
    const registers = pe.smc;
    const functionId = registers.w(0);
    this.smcs.push(lowWords(registers));
    this.observe(registers, functionId);
    const meanwhile = this.meanwhile.get(functionId);
    const answer = this.answers.get(functionId);
    if (answer !== undefined) setAnswer(registers, answer);
    else this.answer(registers, functionId);
    meanwhile?.();
    return null;
  }

  private observe(registers: RegisterFile, functionId: number): void {
    if (functionId === FFA_RXTX_MAP_64 && registers.w(2) !== 0) {
      this.tx = registers.w(1);
      this.rx = registers.w(2);
    }
    if (functionId !== FFA_MEM_SHARE_64) return;
    const bytes = new Uint8Array(registers.w(1));
    this.machine.frames.contents.read(this.tx, bytes, 0, bytes.length);
    this.descriptors.push(bytes);
  }

  private answer(registers: RegisterFile, functionId: number): void {
    switch (functionId) {
      case FFA_VERSION:
        registers.set8(this.version);
        return;
      case FFA_PARTITION_INFO_GET:
        this.listPartitions();
        registers.set8(FFA_SUCCESS_32, 0, this.partitions, 24);
        return;
      case FFA_MSG_SEND_DIRECT_REQ_32: {
        const endpoints = registers.w(1);
        const response = registers.w(2) & 0x8000_0000 ? (registers.w(2) + 1) >>> 0 : 0;
        registers.set8(FFA_MSG_SEND_DIRECT_RESP_32, (endpoints << 16) | (endpoints >>> 16), response);
        return;
      }
      case FFA_MEM_SHARE_64:
        registers.set8(FFA_SUCCESS_32, 0, ++this.handle, 0x8000_0000);
        return;
      default: {
        const denied = functionId === 0x8400_0064 && this.lacks.has(registers.w(1));
        if (denied) registers.set8(FFA_ERROR, 0, FFA_NOT_SUPPORTED);
        else registers.set8(FFA_SUCCESS_32);
      }
    }
  }

  /** Partitions 0x8001 on, UUID bytes all alike, one execution context, properties 0x103. */
  private listPartitions(): void {
    for (let n = 1; n <= this.partitions; n++) {
      const entry = new Uint8Array(24).fill(n, 8);
      entry.set([n, 0x80, 1, 0, 0x03, 0x01, 0, 0]);
      this.machine.frames.contents.write(this.rx + (n - 1) * 24, entry, 0, 24);
    }
  }
}

function setAnswer(registers: RegisterFile, answer: readonly number[]): void {
  const [w0, w1, w2, w3, w4, w5, w6, w7] = answer;
  registers.set8(present(w0, 'w0'), w1 ?? 0, w2 ?? 0, w3 ?? 0, w4 ?? 0, w5 ?? 0, w6 ?? 0, w7 ?? 0);
}

/** w0 to w7. */
export function lowWords(registers: RegisterFile): number[] {
  const words: number[] = [];
  for (let n = 0; n < 8; n++) words.push(registers.w(n));
  return words;
}

/** Drives a coroutine to its end; one that waits for a lock stops the test. */
export function drive<T>(coroutine: Coroutine<T>): T {
  for (;;) {
    const step = coroutine.next();
    if (step.done === true) return step.value;
    if (step.value === WAIT_LOCK) throw new Error('the call waits for a lock');
  }
}

export interface Setup {
  readonly profile: Profile;
  /** Version of the SPMC (default: the newest that the profile speaks). */
  readonly spmcVersion?: number;
  readonly partitions?: number;
  readonly lacks?: readonly number[];
}

/** A booted mediator. */
export class Mediator {
  readonly machine = new Machine({ firstFrame: 0x40000, frameCount: 0x4000 });
  readonly spmc: ScriptedSpmc;
  readonly hypervisor: Hypervisor;
  /** The PE on which calls run. */
  readonly pe = new Pe(0);
  /** Another one, for what happens meanwhile. */
  readonly otherPe = new Pe(1);
  readonly booted: boolean;

  constructor(setup: Setup) {
    const newest = setup.profile === XEN_2024 ? FFA_VERSION_1_1 : FFA_VERSION_1_2;
    this.spmc = new ScriptedSpmc(this.machine, setup.spmcVersion ?? newest, setup.partitions ?? 2);
    for (const functionId of setup.lacks ?? []) this.spmc.lacks.add(functionId);
    this.hypervisor = new Hypervisor(this.machine, setup.profile, this.spmc);
    this.booted = drive(this.hypervisor.boot(this.pe));
    this.spmc.forget();
  }

  guest(bits: 32 | 64 = 64): Domain {
    const creation = drive(
      this.hypervisor.createDomain(this.pe, {
        vcpuCount: 2,
        bits,
        pageCount: GUEST_PAGES,
        ramBase: RAM,
        tee: TEE_FFA,
      }),
    );
    this.spmc.forget();
    return present(creation.domain, 'a guest');
  }

  /** A guest that has agreed on `version` and mapped its buffers. */
  readyGuest(version: number): Domain {
    const guest = this.guest();
    this.call(guest, FFA_VERSION, version);
    this.call(guest, FFA_RXTX_MAP_64, TX, RX, 1);
    this.spmc.forget();
    return guest;
  }

  /** A call by the guest's first vCPU; returns w0 to w7. */
  call(guest: Domain, ...words: number[]): number[] {
    return this.callOn(this.pe, present(guest.vcpus[0], 'vCPU 0'), words);
  }

  /** A call by the guest's second vCPU, on the other PE. */
  otherCall(guest: Domain, ...words: number[]): number[] {
    return this.callOn(this.otherPe, present(guest.vcpus[1], 'vCPU 1'), words);
  }

  callOn(pe: Pe, vcpu: Vcpu, words: readonly number[]): number[] {
    setAnswer(vcpu.registers, words);
    const pending = this.hypervisor.guestCall(pe, vcpu);
    if (pending !== null) drive(pending);
    return lowWords(vcpu.registers);
  }

  write(guest: Domain, address: number, bytes: Uint8Array): void {
    this.machine.frames.contents.write(this.physical(guest, address), bytes, 0, bytes.length);
  }

  read(guest: Domain, address: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.machine.frames.contents.read(this.physical(guest, address), bytes, 0, length);
    return bytes;
  }

  physical(guest: Domain, address: number): number {
    const frame = guest.stage2.translate(Math.floor(address / PAGE_SIZE_BYTES));
    return frame * PAGE_SIZE_BYTES + (address % PAGE_SIZE_BYTES);
  }

  /** References of the guest's page at `address`. */
  references(guest: Domain, address: number): number {
    return this.machine.frames.references(guest.stage2.translate(Math.floor(address / PAGE_SIZE_BYTES)));
  }

  /** Pages of the guest with a reference beyond their allocation. */
  heldPages(guest: Domain): number {
    let held = 0;
    for (const bank of guest.banks) {
      for (let n = 0; n < bank.count; n++) if (this.machine.frames.references(bank.frame + n) > 1) held++;
    }
    return held;
  }
}

export function contextOf(guest: Domain): FfaContext {
  return present(guest.ffa, 'an FF-A context');
}

/** FFA_ERROR with a code, as w0 to w7. */
export function errorAnswer(code: number): number[] {
  return [FFA_ERROR, 0, code >>> 0, 0, 0, 0, 0, 0];
}

/** FFA_SUCCESS_32, as w0 to w7. */
export function successAnswer(w2 = 0, w3 = 0): number[] {
  return [FFA_SUCCESS_32, 0, w2, w3, 0, 0, 0, 0];
}
