// A hypervisor of the default profile over a scripted secure world: every call succeeds at once, unless a test says
// what else is answered. Timers are fired by hand.

import * as id from '../../src/abi/function-ids.ts';
import { VM_CREATED_REQ_W2, VM_DESTROYED_REQ_W2 } from '../../src/abi/layout/messages.ts';
import { FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import { type Coroutine, type Pending, WAIT_TIME } from '../../src/base/coroutine.ts';
import { PAGE_SIZE_BYTES } from '../../src/base/units.ts';
import type { Conduit } from '../../src/hardware/conduit.ts';
import { Machine } from '../../src/hardware/machine.ts';
import { Pe } from '../../src/hardware/pe.ts';
import { type Domain, TEE_FFA, type Vcpu } from '../../src/hypervisor/domain.ts';
import { Hypervisor } from '../../src/hypervisor/hypervisor.ts';
import type { Limits } from '../../src/hypervisor/profile.ts';
import { FFABRIC } from '../../src/hypervisor/profiles/ffabric.ts';
import type { RecordLifecycle } from '../../src/hypervisor/record-lifecycle.ts';

export const RAM_BASE = 0x4000_0000;
export const FRAMES = 1 << 14;

export interface ScriptedPartition {
  readonly id: number;
  readonly properties: number;
}

export interface SmcRecord {
  readonly name: string;
  readonly words: readonly number[];
}

/** Registers of an answer; null: the usual one. */
export type Answer = readonly number[] | null;

export class ScriptedSpmc implements Conduit {
  readonly calls: SmcRecord[] = [];
  /** Asked first. `name` is the function's, or VM_CREATED or VM_DESTROYED. */
  answer: (name: string, words: readonly number[]) => Answer = () => null;
  private readonly machine: Machine;
  private readonly partitions: readonly ScriptedPartition[];
  private rxAddress = 0;
  private handles = 0x10;

  constructor(machine: Machine, partitions: readonly ScriptedPartition[]) {
    this.machine = machine;
    this.partitions = partitions;
  }

  smc(pe: Pe): Pending {
    const words = Array.from({ length: 8 }, (_, n) => pe.smc.w(n));
    const name = nameOf(words);
    this.calls.push({ name, words });
    const answer = this.answer(name, words) ?? this.usual(pe, words);
    pe.smc.set8(answer[0], answer[1] ?? 0, answer[2] ?? 0, answer[3] ?? 0, answer[4] ?? 0);
    return null;
  }

  /** Calls of that name, in order. */
  named(name: string): readonly SmcRecord[] {
    return this.calls.filter((call) => call.name === name);
  }

  private usual(pe: Pe, words: readonly number[]): readonly number[] {
    switch (words[0]) {
      case id.FFA_VERSION:
        return [FFA_VERSION_1_2];
      case id.FFA_RXTX_MAP_64:
        if (pe.smc.x(2) !== 0) this.rxAddress = pe.smc.x(2);
        return [id.FFA_SUCCESS_32];
      case id.FFA_PARTITION_INFO_GET:
        this.list();
        return [id.FFA_SUCCESS_32, 0, this.partitions.length, 24];
      case id.FFA_MEM_SHARE_64:
      case id.FFA_MEM_LEND_64:
        return [id.FFA_SUCCESS_32, 0, this.handles++, 0];
      case id.FFA_MSG_SEND_DIRECT_REQ_32:
        return [id.FFA_MSG_SEND_DIRECT_RESP_32, swap(words[1]), words[2] === 0 ? 0 : words[2] + 1, 0];
      default:
        return [id.FFA_SUCCESS_32];
    }
  }

  private list(): void {
    const bytes = new Uint8Array(24 * this.partitions.length);
    const view = new DataView(bytes.buffer);
    for (const [n, partition] of this.partitions.entries()) {
      view.setUint16(24 * n, partition.id, true);
      view.setUint16(24 * n + 2, 1, true);
      view.setUint32(24 * n + 4, partition.properties, true);
    }
    this.machine.frames.contents.write(this.rxAddress, bytes, 0, bytes.length);
  }
}

export function swap(w1: number): number {
  return ((w1 << 16) | (w1 >>> 16)) >>> 0;
}

function nameOf(words: readonly number[]): string {
  if (words[0] === id.FFA_MSG_SEND_DIRECT_REQ_32 && words[2] === VM_CREATED_REQ_W2) return 'VM_CREATED';
  if (words[0] === id.FFA_MSG_SEND_DIRECT_REQ_32 && words[2] === VM_DESTROYED_REQ_W2) return 'VM_DESTROYED';
  return id.functionName(words[0]);
}

export class ScriptedMachine {
  readonly machine: Machine;
  readonly spmc: ScriptedSpmc;
  readonly hypervisor: Hypervisor;
  readonly pe = new Pe(0);

  constructor(partitions: readonly ScriptedPartition[], limits: Partial<Limits> = {}) {
    this.machine = new Machine({ firstFrame: RAM_BASE / PAGE_SIZE_BYTES, frameCount: FRAMES });
    this.spmc = new ScriptedSpmc(this.machine, partitions);
    this.hypervisor = new Hypervisor(this.machine, FFABRIC, this.spmc, { limits });
    if (!this.drive(this.hypervisor.boot(this.pe))) throw new Error('FF-A is not usable');
    this.spmc.calls.length = 0;
  }

  get records(): RecordLifecycle {
    return this.hypervisor.lifecycle as RecordLifecycle;
  }

  /** Pages that nobody may use now, beside the hypervisor's own two. */
  get missingPages(): number {
    return FRAMES - 2 - this.machine.frames.freeCount;
  }

  /** Runs a coroutine to its end; time moves when it sleeps. */
  drive<T>(coroutine: Coroutine<T>): T {
    for (;;) {
      const { value, done } = coroutine.next();
      if (done === true) return value;
      if (value !== WAIT_TIME) throw new Error(`nothing can end the wait ${String(value)}`);
      this.machine.time.advanceTo(this.pe.wakeNs);
    }
  }

  create(pageCount = 64): { error: number; domain: Domain | null } {
    const config = { vcpuCount: 1, bits: 64, pageCount, ramBase: RAM_BASE, tee: TEE_FFA } as const;
    return this.drive(this.hypervisor.createDomain(this.pe, config));
  }

  /** A guest of FF-A 1.1 with mapped buffers. */
  ready(pageCount = 64): Domain {
    const { domain } = this.create(pageCount);
    if (domain === null) throw new Error('no guest');
    const vcpu = domain.vcpus[0];
    this.call(vcpu, id.FFA_VERSION, FFA_VERSION_1_1);
    this.call(vcpu, id.FFA_RXTX_MAP_64, RAM_BASE, RAM_BASE + PAGE_SIZE_BYTES, 1);
    return domain;
  }

  call(vcpu: Vcpu, w0: number, w1 = 0, w2 = 0, w3 = 0, w4 = 0): readonly number[] {
    vcpu.registers.set8(w0, w1, w2, w3, w4);
    const pending = this.hypervisor.guestCall(this.pe, vcpu);
    if (pending !== null) this.drive(pending);
    return Array.from({ length: 8 }, (_, n) => vcpu.registers.w(n));
  }

  /** Writes a descriptor into the guest's TX: `count` pages from page `page` of its RAM for `receiver`. */
  describe(domain: Domain, receiver: number, page: number, count: number, announced = count): void {
    const bytes = new Uint8Array(96);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, domain.vmId, true);
    view.setUint16(2, 0x2f, true);
    view.setUint32(24, 16, true);
    view.setUint32(28, 1, true);
    view.setUint32(32, 48, true);
    view.setUint16(48, receiver, true);
    view.setUint8(50, 2);
    view.setUint32(52, 64, true);
    view.setUint32(64, announced, true);
    view.setUint32(68, 1, true);
    view.setUint32(80, RAM_BASE + page * PAGE_SIZE_BYTES, true);
    view.setUint32(88, count, true);
    this.writeTx(domain, bytes);
  }

  writeTx(domain: Domain, bytes: Uint8Array): void {
    const frame = domain.stage2.translate(RAM_BASE / PAGE_SIZE_BYTES);
    this.machine.frames.contents.write(frame * PAGE_SIZE_BYTES, bytes, 0, bytes.length);
  }

  /** Shares `count` pages from page `page` of the guest's RAM with a partition; returns the guest's registers. */
  share(domain: Domain, receiver: number, page = 16, count = 1): readonly number[] {
    this.describe(domain, receiver, page, count);
    return this.call(domain.vcpus[0], id.FFA_MEM_SHARE_32, 96, 96);
  }

  destroy(domain: Domain): void {
    this.drive(this.hypervisor.destroyDomain(this.pe, domain));
  }

  /** Fires the next timer; false when none is armed. */
  tick(): boolean {
    const { time } = this.machine;
    const { next } = time;
    if (next === null) return false;
    time.advanceTo(next.expiryNs);
    const timer = time.takeDue(time.nowNs);
    if (timer === null) return false;
    this.drive(this.hypervisor.timerFired(this.pe, timer));
    return true;
  }

  /** Fires at most `count` timers. */
  ticks(count: number): void {
    for (let n = 0; n < count && this.tick(); n++);
  }
}
