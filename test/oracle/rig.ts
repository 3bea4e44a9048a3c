// A machine without software: tests play hypervisor, SPMC, guests and partitions by emitting what these would emit and
// by changing the hardware as these would. The oracle under test sees exactly what it sees in a world.

import * as kinds from '../../src/base/event-kinds.ts';
import { Machine } from '../../src/hardware/machine.ts';
import { STAGE2_NON_SECURE, STAGE2_RW, STAGE2_RWX, Stage2 } from '../../src/hardware/stage2.ts';
import { Oracle, type OracleOptionsInput } from '../../src/oracle/index.ts';

const FIRST_FRAME = 0x40000;
/** Frames of the hypervisor's TX and RX. */
export const TX = FIRST_FRAME;
const RX = FIRST_FRAME + 1;
export const SP = 0x8001;
export const SP2 = 0x8002;

export const SUCCESS = 0x84000061;
export const ERROR = 0x84000060;
export const INTERRUPT = 0x84000062;
export const VERSION = 0x84000063;
export const RX_RELEASE = 0x84000065;
export const RXTX_MAP = 0xc4000066;
export const RXTX_UNMAP = 0x84000067;
export const PARTITION_INFO_GET = 0x84000068;
export const ID_GET = 0x84000069;
export const RUN = 0x8400006d;
export const DIRECT_REQ = 0x8400006f;
export const DIRECT_RESP = 0x84000070;
export const MEM_DONATE = 0x84000071;
export const MEM_LEND = 0x84000072;
export const MEM_SHARE = 0x84000073;
export const MEM_RECLAIM = 0x84000077;
export const FRAG_RX = 0x8400007a;
export const FRAG_TX = 0x8400007b;

export const NOT_SUPPORTED = 0xffffffff;
export const INVALID_PARAMETERS = 0xfffffffe;
export const BUSY = 0xfffffffc;
export const DENIED = 0xfffffffa;
export const RETRY = 0xfffffff9;
export const ABORTED = 0xfffffff8;

export type Words = readonly number[];
export const OK: Words = [SUCCESS];
export const refused = (code: number): Words => [ERROR, 0, code];

export interface Descriptor {
  readonly sender: number;
  readonly receivers?: readonly (readonly [id: number, permissions: number])[];
  readonly flags?: number;
  readonly tag?: number;
  /** first frame, count, ... */
  readonly ranges: readonly number[];
  /** Pages that the composite announces, when not those of `ranges`. */
  readonly pages?: number;
  /** Constituents that it announces, when not those of `ranges`. */
  readonly constituents?: number;
}

export class Rig {
  readonly machine: Machine;
  readonly oracle: Oracle;
  readonly spaces = new Map<number, Stage2>();

  constructor(options: OracleOptionsInput = {}, frameCount = 4096) {
    this.machine = new Machine({ firstFrame: FIRST_FRAME, frameCount });
    this.oracle = new Oracle(this.machine, options);
    this.machine.frames.allocateAt(TX, 2, -1);
    this.smc(0, [RXTX_MAP, TX * 4096, RX * 4096, 1], OK);
  }

  emit(kind: number, pe: number, ...args: number[]): void {
    const [a, b, c, d, e, f, g, h, i] = args;
    this.machine.events.emit(kind, pe, a, b, c, d, e, f, g, h, i);
  }

  /** A partition with a watched, empty stage 2. */
  partition(endpoint: number): Stage2 {
    const stage2 = new Stage2(this.machine.events, endpoint);
    this.spaces.set(endpoint, stage2);
    this.oracle.watchSpace(endpoint, stage2);
    return stage2;
  }

  /** A guest with RAM at guest frame 0x100; returns its first frame. */
  guest(vm: number, serial: number, pages = 16, watch = false): number {
    const frame = this.machine.frames.allocate(pages, serial);
    const stage2 = new Stage2(this.machine.events, vm);
    if (watch) this.oracle.watchSpace(vm, stage2);
    this.spaces.set(vm, stage2);
    stage2.addRegion(0x100, frame, pages, STAGE2_RWX);
    this.emit(kinds.EVENT_DOMAIN_CREATE, 0, vm, serial, pages);
    return frame;
  }

  smcOut(caller: number, request: Words, pe = 0): void {
    this.emit(kinds.EVENT_SMC, pe, caller, ...request);
  }

  smcBack(caller: number, answer: Words, pe = 0): void {
    this.emit(kinds.EVENT_SMC_RETURN, pe, caller, ...answer);
  }

  smc(caller: number, request: Words, answer: Words, during?: () => void, pe = 0): void {
    this.smcOut(caller, request, pe);
    during?.();
    this.smcBack(caller, answer, pe);
  }

  /** A guest's call; `during` is what EL2 does. */
  call(vm: number, request: Words, answer: Words, during?: () => void, pe = 0): void {
    this.emit(kinds.EVENT_GUEST_CALL, pe, vm, ...request);
    during?.();
    this.emit(kinds.EVENT_GUEST_RETURN, pe, vm, ...answer);
  }

  spCall(sp: number, request: Words, answer: Words, during?: () => void, pe = 0): void {
    this.emit(kinds.EVENT_SP_CALL, pe, sp, ...request);
    during?.();
    this.emit(kinds.EVENT_SP_RETURN, pe, sp, ...answer);
  }

  /** Writes a 1.1 descriptor into the frame; returns its length in bytes. */
  describe(descriptor: Descriptor, frame = TX): number {
    const receivers = descriptor.receivers ?? [[SP, 2]];
    const { ranges } = descriptor;
    const composite = 48 + 16 * receivers.length;
    const length = composite + 16 + 8 * ranges.length;
    const bytes = new Uint8Array(length);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, descriptor.sender, true);
    view.setUint16(2, 0x2f, true);
    view.setUint32(4, descriptor.flags ?? 0, true);
    view.setUint32(16, descriptor.tag ?? 0, true);
    view.setUint32(24, 16, true);
    view.setUint32(28, receivers.length, true);
    view.setUint32(32, 48, true);
    receivers.forEach(([id, permissions], n) => {
      view.setUint16(48 + 16 * n, id, true);
      view.setUint8(50 + 16 * n, permissions);
      view.setUint32(52 + 16 * n, composite, true);
    });
    let pages = 0;
    for (let n = 0; n < ranges.length; n += 2) {
      const at = composite + 16 + 8 * n;
      view.setUint32(at, (ranges[n] * 4096) >>> 0, true);
      view.setUint32(at + 4, Math.floor((ranges[n] * 4096) / 0x1_0000_0000), true);
      view.setUint32(at + 8, ranges[n + 1], true);
      pages += ranges[n + 1];
    }
    view.setUint32(composite, descriptor.pages ?? pages, true);
    view.setUint32(composite + 4, descriptor.constituents ?? ranges.length / 2, true);
    this.machine.frames.contents.write(frame * 4096, bytes, 0, length);
    return length;
  }

  /** What the hypervisor does for a guest's MEM_SHARE: pins, sends, and keeps or drops the pins. */
  send(descriptor: Descriptor, answer: Words, fid = MEM_SHARE, during?: () => void): void {
    const { frames } = this.machine;
    const { ranges, sender } = descriptor;
    for (let n = 0; n < ranges.length; n += 2) frames.getRange(ranges[n], ranges[n + 1], frames.owner(ranges[n]));
    const length = this.describe(descriptor);
    this.smc(sender, [fid, length, length], answer, during);
    if (answer[0] === SUCCESS || answer[0] === FRAG_RX) return;
    if (answer[0] === ERROR) this.unpin(ranges);
  }

  unpin(ranges: readonly number[]): void {
    for (let n = 0; n < ranges.length; n += 2) this.machine.frames.putRange(ranges[n], ranges[n + 1]);
  }

  /** The guest's MEM_SHARE as a whole, under handle `handle`. */
  share(vm: number, ranges: readonly number[], handle: number): void {
    this.call(vm, [MEM_SHARE, 0, 0], [SUCCESS, 0, handle], () => {
      this.send({ sender: vm, ranges }, [SUCCESS, 0, handle]);
    });
  }

  /** The guest's MEM_RECLAIM as a whole. */
  reclaim(vm: number, ranges: readonly number[], handle: number): void {
    this.call(vm, [MEM_RECLAIM, handle], OK, () => {
      this.smc(vm, [MEM_RECLAIM, handle], OK);
      this.unpin(ranges);
    });
  }

  retrieve(sp: number, frame: number, count: number, attributes = STAGE2_RW | STAGE2_NON_SECURE): void {
    this.spaces.get(sp)?.map(frame, frame, count, attributes);
  }

  relinquish(sp: number, frame: number, count: number): void {
    this.spaces.get(sp)?.unmap(frame, count);
  }

  /** The guest dies: its teardown is the caller's business, then its own references go. */
  die(vm: number, serial: number, ranges: readonly number[], teardown?: () => void): void {
    this.emit(kinds.EVENT_DOMAIN_DYING, 0, vm, serial);
    teardown?.();
    this.unpin(ranges);
    this.emit(kinds.EVENT_DOMAIN_GONE, 0, vm, serial);
  }

  /** A VM availability message to a partition, and its answer. */
  tell(message: 'created' | 'destroyed', sp: number, vm: number, answer: Words): void {
    this.smc(0, [DIRECT_REQ, sp, message === 'created' ? 0x80000004 : 0x80000006, 0, 0, vm], answer);
  }

  /** The hypervisor lists the partitions at boot: id, properties, ... */
  list(...partitions: readonly (readonly [id: number, properties: number])[]): void {
    const bytes = new Uint8Array(24 * partitions.length);
    const view = new DataView(bytes.buffer);
    partitions.forEach(([id, properties], n) => {
      view.setUint16(24 * n, id, true);
      view.setUint16(24 * n + 2, 1, true);
      view.setUint32(24 * n + 4, properties, true);
    });
    this.smcOut(0, [PARTITION_INFO_GET]);
    this.machine.frames.contents.write(RX * 4096, bytes, 0, bytes.length);
    this.smcBack(0, [SUCCESS, 0, partitions.length, 24]);
  }

  /** What was found, without where in the log. */
  get found(): { property: string; anomaly: string; facts: unknown }[] {
    return this.oracle.violations.map(({ property, anomaly, facts }) => ({ property, anomaly, facts }));
  }

  /** Properties and anomalies, in the order in which they were found. */
  get anomalies(): string[] {
    return this.oracle.violations.map(({ property, anomaly }) => `${property}: ${anomaly}`);
  }
}

/** A partition's answer to a VM availability message. */
export function accepts(message: 'created' | 'destroyed', sp: number, status = 0): Words {
  return [DIRECT_RESP, sp * 0x10000, message === 'created' ? 0x80000005 : 0x80000007, status];
}

/** Partition properties: told of VMs created, of VMs destroyed. */
export const TOLD_CREATED = 0x40;
export const TOLD_DESTROYED = 0x80;
