// What a guest does at the door: one record becomes the registers of a call and the bytes in TX that belong to it,
// mostly well-formed, sometimes anything.

import * as id from '../../../src/abi/function-ids.ts';
import { FFA_VERSION_1_0 } from '../../../src/abi/versions.ts';
import { PAGE_SIZE_BYTES } from '../../../src/base/units.ts';
import type { Domain, Vcpu } from '../../../src/hypervisor/domain.ts';
import { Random } from '../random.ts';
import { makeDescriptor } from './descriptor-maker.ts';
import { type Door, PARTITIONS, RAM_BASE, RAM_PAGES } from './door.ts';

/** A record without its answers. */
export interface Operation {
  readonly code: number;
  /** Guest in the low four bits, vCPU in the high ones. */
  readonly who: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly p: number;
  readonly q: number;
  readonly r: number;
}

const VERSIONS = [0x1_0001, 0x1_0002, 0x1_0000, 0x1_0001, 0x1_0003, 0, 0x2_0000, 0x8001_0001];
const SENDS = [
  id.FFA_MEM_SHARE_32,
  id.FFA_MEM_LEND_32,
  id.FFA_MEM_DONATE_32,
  id.FFA_MEM_SHARE_64,
  id.FFA_MEM_LEND_64,
  id.FFA_MEM_DONATE_64,
];
const NOTIFICATION_CALLS = [
  id.FFA_NOTIFICATION_BIND,
  id.FFA_NOTIFICATION_UNBIND,
  id.FFA_NOTIFICATION_SET,
  id.FFA_NOTIFICATION_GET,
  id.FFA_NOTIFICATION_INFO_GET_32,
  id.FFA_NOTIFICATION_INFO_GET_64,
];
/** Where `created` puts TX and RX. */
const TX_PAGE = 0;
const RX_PAGE = 1;

export class GuestCalls {
  private readonly door: Door;
  /** Where a send in fragments stands, by VM id: handle and bytes that are missing. */
  private readonly partial = new Map<number, { low: number; high: number; rest: Uint8Array }>();
  /** Bytes of the last send, by VM id, as far as they did not go out with it. */
  private readonly unsent = new Map<number, Uint8Array>();

  constructor(door: Door) {
    this.door = door;
  }

  /** A new guest: most agree on a version and map their buffers at once. */
  created(domain: Domain, how: number): void {
    this.partial.delete(domain.vmId);
    if (how >= 240 || domain.ffa === null) return;
    const [vcpu] = domain.vcpus;
    const { hypervisor } = this.door;
    vcpu.registers.clear();
    vcpu.registers.set8(id.FFA_VERSION, VERSIONS[how & 3]);
    this.door.callLater(vcpu, vcpu.registers.words.slice());
    if (how >= 224 || hypervisor.secure.txFrame < 0) return;
    vcpu.registers.set8(
      id.FFA_RXTX_MAP_32,
      RAM_BASE + TX_PAGE * PAGE_SIZE_BYTES,
      RAM_BASE + RX_PAGE * PAGE_SIZE_BYTES,
      1,
    );
    this.door.callLater(vcpu, vcpu.registers.words.slice());
  }

  /** After a call of the guest's: what its driver remembers. */
  answered(vcpu: Vcpu, request: number): void {
    const { vmId } = vcpu.domain;
    const { registers } = vcpu;
    if (registers.w(0) === id.FFA_MEM_FRAG_RX) {
      if (request === id.FFA_MEM_FRAG_TX) return;
      const rest = this.unsent.get(vmId);
      if (rest !== undefined) this.partial.set(vmId, { low: registers.w(1), high: registers.w(2), rest });
    } else if (request === id.FFA_MEM_FRAG_TX) this.partial.delete(vmId);
  }

  /** Registers and TX for one operation. */
  prepare(domain: Domain, vcpu: Vcpu, operation: Operation): void {
    const { registers } = vcpu;
    registers.clear();
    const { a, b, q, r } = operation;
    switch (operation.code % 26) {
      case 0:
        this.anything(vcpu, operation);
        return;
      case 1:
        registers.set8(id.FFA_VERSION, VERSIONS[a & 7]);
        return;
      case 2:
        this.mapBuffers(vcpu, operation);
        return;
      case 3:
        registers.set8(id.FFA_RXTX_UNMAP, a < 192 ? 0 : q);
        return;
      case 4:
      case 5:
      case 6:
        this.send(domain, vcpu, operation);
        return;
      case 7:
        this.fragment(domain, vcpu, operation);
        return;
      case 8: {
        const [low, high] = this.handle(b, q);
        registers.set8(id.FFA_MEM_RECLAIM, low, high, a < 200 ? 0 : a & 7);
        return;
      }
      case 9:
        this.retrieve(domain, vcpu, operation);
        return;
      case 10:
        this.relinquish(domain, vcpu, operation);
        return;
      case 11:
        this.direct(domain, vcpu, operation);
        return;
      case 12:
        registers.set8(id.FFA_RUN, a < 200 ? ((this.partition(b) << 16) | (a < 160 ? 0 : a & 3)) >>> 0 : q);
        return;
      case 13:
        this.message(domain, vcpu, operation);
        return;
      case 14:
        registers.set8(id.FFA_PARTITION_INFO_GET, a < 128 ? 0 : this.partition(b), 0, 0, a < 192 ? 0 : q, b & 1);
        return;
      case 15:
        registers.set8(id.FFA_PARTITION_INFO_GET_REGS, a < 128 ? 0 : q, 0, b < 128 ? 0 : b & 7);
        return;
      case 16:
        registers.set8(id.FFA_RX_RELEASE, a < 200 ? 0 : q);
        return;
      case 17:
      case 18:
        this.notification(domain, vcpu, operation);
        return;
      default:
        registers.set8(id.FFA_FEATURES, a < 128 ? 0x8400_0060 + (b & 0x3f) : q, a < 64 ? r : 0);
    }
  }

  private anything(vcpu: Vcpu, { a, b, q, r, p, c }: Operation): void {
    const { registers } = vcpu;
    registers.set8(
      0x8400_0060 + (a % 0x30),
      q,
      r,
      p,
      c & 1 ? q : 0,
      c & 2 ? r : 0,
      c & 4 ? 0x1000 : 0,
      c & 8 ? q ^ r : 0,
    );
    if ((b & 1) !== 0) registers.setW(0, (registers.w(0) | 0x4000_0000) >>> 0);
    if (b >= 128) for (let n = 1; n < 8; n++) registers.setWords(n, registers.w(n), Math.imul(q, n) >>> 0);
    if (b >= 192) for (let n = 8; n < 18; n++) registers.setWords(n, Math.imul(r, n) >>> 0, q);
    if (b >= 248) registers.setW(0, q);
    const { domain } = vcpu;
    if (c >= 128) this.writeTx(domain, makeDescriptor(this.plan(domain, p | 1, r, false)));
  }

  private mapBuffers(vcpu: Vcpu, { a, b, c, q, r }: Operation): void {
    const { registers } = vcpu;
    const tx = a < 160 ? TX_PAGE : a % RAM_PAGES;
    const rx = b < 160 ? RX_PAGE : b % RAM_PAGES;
    registers.set8((c & 1) !== 0 ? id.FFA_RXTX_MAP_64 : id.FFA_RXTX_MAP_32, 0, 0, c < 200 ? 1 : c & 0x3f);
    registers.setX(1, a < 240 ? RAM_BASE + tx * PAGE_SIZE_BYTES : q);
    registers.setX(2, b < 240 ? RAM_BASE + rx * PAGE_SIZE_BYTES : r);
    if (c >= 250) registers.setWords(1, q, r);
  }

  private send(domain: Domain, vcpu: Vcpu, operation: Operation): void {
    const { a, b, c, d, p, q, r } = operation;
    const fragmented = a >= 168;
    const rangesMin = fragmented ? 2 + d : 1;
    const plan = { ...this.plan(domain, p, c < 160 ? 0 : r | 1, false, b, 64), rangesMin, rangesMax: rangesMin + 63 };
    const whole = makeDescriptor(plan);
    const first = fragmented ? Math.min(whole.length, 96 + 16 * (q % 200)) : whole.length;
    const sent = whole.slice(0, Math.min(first, PAGE_SIZE_BYTES));
    this.writeTx(domain, sent);
    this.unsent.set(domain.vmId, whole.slice(sent.length));
    const total = c < 240 ? whole.length : q;
    vcpu.registers.set8(SENDS[(a ^ (operation.code << 1)) % SENDS.length], total, c < 250 ? sent.length : r);
  }

  private fragment(domain: Domain, vcpu: Vcpu, { a, b, c, q, r }: Operation): void {
    const partial = this.partial.get(domain.vmId);
    const [low, high] = partial === undefined || a >= 224 ? this.handle(b, q) : [partial.low, partial.high];
    let bytes = partial?.rest ?? new Uint8Array(32);
    if (c >= 128) bytes = bytes.slice(0, 16 * (1 + (c & 7)));
    if (c >= 240) bytes = Uint8Array.from({ length: c & 31 }, (_, n) => r >>> (8 * (n & 3)));
    const piece = bytes.slice(0, PAGE_SIZE_BYTES);
    if (partial !== undefined) partial.rest = bytes.slice(piece.length);
    this.writeTx(domain, piece);
    vcpu.registers.set8(id.FFA_MEM_FRAG_TX, low, high, a < 200 ? piece.length : q & 0x1fff, a < 250 ? 0 : r);
  }

  private retrieve(domain: Domain, vcpu: Vcpu, { a, b, c, p, q, r }: Operation): void {
    const bytes = makeDescriptor(this.plan(domain, p, c < 160 ? 0 : r | 1, true, b, 1));
    const view = new DataView(bytes.buffer);
    if (a < 200) {
      // The borrower is the caller, and the sender a partition or another VM.
      view.setUint16(0, a < 100 ? this.partition(b) : 1 + (b % 4), true);
      view.setUint16((domain.ffa?.version ?? 0) === FFA_VERSION_1_0 ? 32 : 48, domain.vmId, true);
      const [low, high] = this.handle(b, q);
      view.setUint32(8, low, true);
      view.setUint32(12, high, true);
    }
    this.writeTx(domain, bytes);
    const functionId = (a & 1) !== 0 ? id.FFA_MEM_RETRIEVE_REQ_64 : id.FFA_MEM_RETRIEVE_REQ_32;
    vcpu.registers.set8(functionId, c < 240 ? bytes.length : q, bytes.length);
  }

  private relinquish(domain: Domain, vcpu: Vcpu, { a, b, c, q, r }: Operation): void {
    const [low, high] = this.handle(b, q);
    const words = Uint32Array.of(low, high, c < 200 ? 0 : r, a < 224 ? 1 : a & 7, a < 240 ? domain.vmId : q);
    this.writeTx(domain, new Uint8Array(words.buffer));
    vcpu.registers.set8(id.FFA_MEM_RELINQUISH);
  }

  private direct(domain: Domain, vcpu: Vcpu, { a, b, c, q, r }: Operation): void {
    const { registers } = vcpu;
    const functionId = [
      id.FFA_MSG_SEND_DIRECT_REQ_32,
      id.FFA_MSG_SEND_DIRECT_REQ_64,
      id.FFA_MSG_SEND_DIRECT_REQ2,
      id.FFA_MSG_SEND_DIRECT_RESP_32,
    ][c & 3];
    const sender = a < 240 ? domain.vmId : a & 7;
    const receiver = b < 224 ? this.partition(b) : b & 7;
    registers.set8(functionId, ((sender << 16) | receiver) >>> 0, c < 200 ? 0 : q, q, r, a, b, c);
    if (c >= 128) for (let n = 3; n < 18; n++) registers.setWords(n, Math.imul(q, n) >>> 0, Math.imul(r, n) >>> 0);
  }

  private message(domain: Domain, vcpu: Vcpu, { a, b, c, q, r, p }: Operation): void {
    const words = new Uint32Array(16);
    words[0] = c < 240 ? 0 : q;
    words[2] = c < 200 ? 40 : c < 220 ? 20 : q & 0x1fff;
    const receiver = a < 128 ? this.partition(b) : 1 + (b % 4);
    words[3] = (((a < 240 ? domain.vmId : a & 7) << 16) | receiver) >>> 0;
    words[4] = c < 224 ? p & 0xff : r;
    this.writeTx(domain, new Uint8Array(words.buffer));
    vcpu.registers.set8(id.FFA_MSG_SEND2, a < 200 ? 0 : q, c < 200 ? 0 : r);
  }

  private notification(domain: Domain, vcpu: Vcpu, { a, b, c, q, r }: Operation): void {
    const functionId = NOTIFICATION_CALLS[a % NOTIFICATION_CALLS.length];
    const { vmId } = domain;
    const other = b < 224 ? this.partition(b) : b & 7;
    const endpoints = functionId === id.FFA_NOTIFICATION_SET ? (vmId << 16) | other : (other << 16) | vmId;
    const isGet = functionId === id.FFA_NOTIFICATION_GET;
    const w1 = isGet ? ((a & 1) << 16) | vmId : endpoints;
    vcpu.registers.set8(
      functionId,
      c < 240 ? w1 >>> 0 : q,
      isGet ? c & 15 : c < 192 ? 0 : c & 7,
      c < 200 ? q & 0xff : q,
      r,
    );
  }

  /** The guest writes into its own memory, TX above all. */
  scribble(domain: Domain, { c, d, q, r }: Operation): void {
    const frame = domain.stage2.translate(RAM_BASE / PAGE_SIZE_BYTES + (c < 128 ? TX_PAGE : c % RAM_PAGES));
    if (frame < 0) return;
    const bytes = new Uint8Array(Uint32Array.of(q, r, q ^ r, 0x1000, 1, 16, 48).buffer);
    this.door.machine.frames.contents.write(frame * PAGE_SIZE_BYTES + 16 * d, bytes, 0, Math.min(bytes.length, 16));
  }

  private plan(domain: Domain, seed: number, damage: number, retrieve: boolean, who = 0, rangesMax = 4) {
    const version = domain.ffa?.version ?? 0;
    const count = who < 200 ? 1 : 1 + (who % 3);
    const receivers = Array.from({ length: count }, (_, n) =>
      who < 240 ? this.partition(who + n) : 1 + ((who + n) & 3),
    );
    return {
      version,
      sender: domain.vmId,
      receivers,
      ramBase: RAM_BASE,
      ramPages: RAM_PAGES,
      seed,
      damage,
      handleLow: 0,
      handleHigh: 0,
      retrieve,
      rangesMin: 1,
      rangesMax,
    };
  }

  private writeTx(domain: Domain, bytes: Uint8Array): void {
    const frame = domain.ffa?.txFrame ?? -1;
    if (frame < 0 || domain.ffa?.buffersMapped !== true) return;
    const page = new Uint8Array(PAGE_SIZE_BYTES);
    page.set(bytes.subarray(0, PAGE_SIZE_BYTES));
    this.door.machine.frames.contents.write(frame * PAGE_SIZE_BYTES, page, 0, PAGE_SIZE_BYTES);
  }

  private partition(n: number): number {
    return PARTITIONS[n % PARTITIONS.length].id;
  }

  /** A handle that was given out, or another. */
  private handle(which: number, other: number): [number, number] {
    const { handles } = this.door.spmc;
    if (which < 224 && handles.length > 0) {
      const { low, high } = handles[handles.length - 1 - (which % Math.min(8, handles.length))];
      return [low, high];
    }
    const random = new Random(other);
    return [random.oneIn(2) ? other : random.below(64), random.oneIn(4) ? 0x8000_0000 : 0];
  }
}
