// The SPMC's own door, without a mediator before it: an input is a header and records of 24 bytes, each one raw call of
// a hypervisor that does what it likes, on one of two PEs; eight bytes of each record are what the partitions do when
// they run. Interrupts, time and the SPMD's messages come in between.
//
// Wrong is: an exception, a call that does not end, a lock that is held at the end, a page of the normal world that a
// partition reaches though no transaction gives it to it.

import * as id from '../../../src/abi/function-ids.ts';
import { VM_CREATED_REQ_W2, VM_DESTROYED_REQ_W2 } from '../../../src/abi/layout/messages.ts';
import { type Coroutine, WAIT_LOCK, WAIT_TIME, WAIT_WAKE, type Wait } from '../../../src/base/coroutine.ts';
import { NS_PER_MS, PAGE_SIZE_BYTES } from '../../../src/base/units.ts';
import { Machine } from '../../../src/hardware/machine.ts';
import { Pe } from '../../../src/hardware/pe.ts';
import { STAGE2_INVALID, STAGE2_READ, STAGE2_UNOWNED, STAGE2_WRITE } from '../../../src/hardware/stage2.ts';
import { PERSONALITIES } from '../../../src/spmc/personalities/personality-table.ts';
import type { Transaction } from '../../../src/spmc/transaction.ts';
import { Random } from '../random.ts';
import { type Features, Finding } from '../target.ts';
import { makeDescriptor } from './descriptor-maker.ts';
import { HEADER_BYTES, RECORD_BYTES, RECORDS_MAX } from './door.ts';
import { IMAGE_PAGES } from './hostile-partition.ts';
import { RealSecureWorld } from './real-secure-world.ts';

const RAM_BASE = 0x4000_0000;
const NORMAL_PAGES = 256;
const GUEST_PAGES = 46;
const PARTITION_IDS = [0x8001, 0x8002, 0x8003];
/** TX, RX of the hypervisor, then those of VMs. */
const TX = RAM_BASE;
const RX = RAM_BASE + PAGE_SIZE_BYTES;
const VM_BUFFERS = RAM_BASE + 2 * PAGE_SIZE_BYTES;
const GUEST_RAM = RAM_BASE + 0x10 * PAGE_SIZE_BYTES;
const STEPS_MAX = 40_000;
const SENDS = [id.FFA_MEM_SHARE_32, id.FFA_MEM_LEND_32, id.FFA_MEM_DONATE_32, id.FFA_MEM_SHARE_64];
const NOTIFICATION_CALLS = [
  id.FFA_NOTIFICATION_BITMAP_CREATE,
  id.FFA_NOTIFICATION_BITMAP_DESTROY,
  id.FFA_NOTIFICATION_BIND,
  id.FFA_NOTIFICATION_UNBIND,
  id.FFA_NOTIFICATION_SET,
  id.FFA_NOTIFICATION_GET,
  id.FFA_NOTIFICATION_INFO_GET_32,
  id.FFA_NOTIFICATION_INFO_GET_64,
];
const NORMAL_WORLD_ONLY = [
  id.FFA_RX_ACQUIRE,
  id.FFA_RX_RELEASE,
  id.FFA_PARTITION_INFO_GET,
  id.FFA_PARTITION_INFO_GET_REGS,
  id.FFA_FEATURES,
  id.FFA_VERSION,
];

interface Record {
  readonly code: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly q: number;
  readonly r: number;
}

interface Task {
  readonly pe: Pe;
  readonly coroutine: Coroutine;
  wait: Wait;
}

export class SpmcDoor {
  private readonly machine = new Machine({
    firstFrame: RAM_BASE / PAGE_SIZE_BYTES,
    frameCount: NORMAL_PAGES + PARTITION_IDS.length * IMAGE_PAGES,
  });
  private readonly world: RealSecureWorld;
  private readonly pes = [new Pe(0), new Pe(1)];
  private readonly input: Uint8Array;
  private readonly features: Features;
  private tasks: Task[] = [];
  private steps = 0;
  private answersAt = 0;
  /** What is left of the last send in fragments. */
  private rest = new Uint8Array(0);

  constructor(input: Uint8Array, features: Features) {
    this.input = input;
    this.features = features;
    const personalities = [...PERSONALITIES.values()];
    this.world = new RealSecureWorld(this.machine, {
      partitionIds: PARTITION_IDS.slice(0, 1 + (this.header(1) % 3)),
      personality: personalities[this.header(2) % personalities.length],
      queues: this.header(3),
    });
    this.machine.frames.allocateAt(RAM_BASE / PAGE_SIZE_BYTES, NORMAL_PAGES, 1);
    const stepping = (this.header(0) & 1) !== 0;
    for (const pe of this.pes) pe.stepping = stepping;
  }

  run(): void {
    const [pe] = this.pes;
    this.answersAt = this.input.length;
    this.world.answers = { next: () => this.nextAnswer() };
    this.start(pe, this.world.boot(pe));
    this.finish();
    this.call(pe, id.FFA_VERSION, [this.version]);
    this.call(pe, id.FFA_RXTX_MAP_64, [TX, RX, 1]);
    for (let n = 0; n < RECORDS_MAX; n++) {
      const at = HEADER_BYTES + n * RECORD_BYTES;
      if (at + RECORD_BYTES > this.input.length) break;
      this.answersAt = at + 16;
      this.operate(at);
      this.checkPages();
    }
    this.answersAt = this.input.length;
    this.finish();
    for (const one of this.pes) {
      this.start(one, this.world.makeAmends(one));
      this.finish();
    }
    this.checkPages();
    for (const { heldCount } of this.pes) if (heldCount !== 0) throw new Finding('a PE holds a lock at the end');
  }

  private header(n: number): number {
    return n < this.input.length ? this.input[n] : 0;
  }

  /** What the normal world speaks. */
  private get version(): number {
    return [0x1_0001, 0x1_0002, 0x1_0000, 0x1_0001][this.header(4) & 3];
  }

  private nextAnswer(): number {
    const at = this.answersAt;
    if (at + 2 > this.input.length || (at - HEADER_BYTES) % RECORD_BYTES < 16) return 0;
    this.answersAt += 2;
    return (this.input[at] << 8) | this.input[at + 1];
  }

  private operate(at: number): void {
    const view = new DataView(this.input.buffer, this.input.byteOffset + at, 16);
    const [code, who, a, b, c] = this.input.subarray(at, at + 5);
    const record = { code, a, b, c, q: view.getUint32(8, true), r: view.getUint32(12, true) };
    const pe = this.pes[who & 1];
    if (code % 16 === 14) {
      this.passTime(record);
      return;
    }
    if (code % 16 === 15) {
      pe.interruptPending = true;
      this.goOn(STEPS_MAX);
      return;
    }
    if (this.tasks.some((task) => task.pe === pe)) return;
    if (code % 16 === 13) {
      this.prepare(pe, id.FFA_MSG_SEND_DIRECT_REQ_32, [a & 1 ? 0xffff_8000 : a, 0x8000_0000 | (b & 15), record.q]);
      const pending = this.world.spmc.spmdMessage(pe);
      if (pending !== null) this.start(pe, pending);
    } else this.normalWorldCall(pe, record);
    this.goOn((who & 0x10) === 0 ? STEPS_MAX : c);
  }

  private passTime({ a, b }: Record): void {
    const { time } = this.machine;
    time.advanceTo(time.nowNs + a * (b < 128 ? 1000 : NS_PER_MS));
    this.goOn(STEPS_MAX);
  }

  private normalWorldCall(pe: Pe, record: Record): void {
    const { code, a, b, c, q, r } = record;
    const vm = c === 255 ? 0 : 1 + (a & 1);
    const partition = PARTITION_IDS[b % 3];
    const pair = ((vm << 16) | partition) >>> 0;
    switch (code % 16) {
      case 0:
      case 1:
        this.send(pe, record, vm);
        return;
      case 2: {
        const { known } = this.world;
        const { low, high } = known[known.length - 1 - (b % Math.min(4, known.length))] ?? { low: b, high: 0 };
        const functionId = a < 200 ? id.FFA_MEM_RECLAIM : id.FFA_MEM_FRAG_RX;
        this.call(pe, functionId, [low, high, a < 64 ? 0 : c & 0xf0, vm << 16]);
        return;
      }
      case 3: {
        const { known } = this.world;
        const last = known[known.length - 1] ?? { low: 0, high: 0 };
        const piece = this.rest.slice(0, 16 * (1 + (c & 7)));
        this.rest = this.rest.slice(piece.length);
        this.write(piece);
        this.call(pe, id.FFA_MEM_FRAG_TX, [last.low, last.high, piece.length, a < 128 ? 0 : vm << 16]);
        return;
      }
      case 4:
        this.retrieve(pe, record, vm);
        return;
      case 5: {
        const { low, high } = this.world.known[b % Math.max(1, this.world.known.length)] ?? { low: b, high: 0 };
        this.write(new Uint8Array(Uint32Array.of(low, high, 0, 1, a < 128 ? vm : q).buffer));
        this.call(pe, id.FFA_MEM_RELINQUISH, []);
        return;
      }
      case 6: {
        const direct = [id.FFA_MSG_SEND_DIRECT_REQ_32, id.FFA_MSG_SEND_DIRECT_REQ_64, id.FFA_MSG_SEND_DIRECT_REQ2][
          c % 3
        ];
        this.call(pe, direct, [pair, c < 200 ? 0 : q, r]);
        return;
      }
      case 7:
        this.call(pe, id.FFA_RUN, [((partition << 16) | (c < 200 ? 0 : c & 3)) >>> 0]);
        return;
      case 8: {
        const w2 = c < 128 ? VM_CREATED_REQ_W2 : VM_DESTROYED_REQ_W2;
        this.call(pe, id.FFA_MSG_SEND_DIRECT_REQ_32, [partition, w2, 0, 0, vm]);
        return;
      }
      case 9: {
        const functionId = NOTIFICATION_CALLS[a % NOTIFICATION_CALLS.length];
        const swapped = ((partition << 16) | vm) >>> 0;
        this.call(pe, functionId, [c < 85 ? vm : c < 170 ? pair : swapped, b & 15, 1 << (b & 7), q & 1]);
        return;
      }
      case 10:
        this.buffers(pe, record, vm);
        return;
      case 11:
        this.call(pe, NORMAL_WORLD_ONLY[a % NORMAL_WORLD_ONLY.length], [b < 128 ? vm : q, 0, 0, 0, b & 1]);
        return;
      default:
        this.anything(pe, record);
    }
  }

  private send(pe: Pe, { a, b, c, q, r }: Record, vm: number): void {
    const fragmented = c >= 160;
    const rangesMin = fragmented ? 4 + (c & 31) : 1;
    const receivers = b < 192 ? [PARTITION_IDS[b % 3]] : [PARTITION_IDS[b % 3], PARTITION_IDS[(b + 1) % 3]];
    const whole = makeDescriptor({
      version: this.version,
      sender: vm,
      receivers,
      ramBase: GUEST_RAM,
      ramPages: GUEST_PAGES,
      seed: q,
      damage: a >= 232 ? r | 1 : 0,
      handleLow: 0,
      handleHigh: 0,
      retrieve: false,
      rangesMin,
      rangesMax: rangesMin + 4,
    });
    const length = fragmented ? Math.min(whole.length, 128) : whole.length;
    this.rest = whole.slice(length);
    this.write(whole.subarray(0, length));
    this.call(pe, SENDS[(a >> 2) & 3], [whole.length, length]);
  }

  private retrieve(pe: Pe, { a, b, c, q }: Record, vm: number): void {
    const known = this.world.known[this.world.known.length - 1 - (b & 3)];
    if (known === undefined) return;
    const words = new Uint32Array(16);
    words[0] = known.sender;
    words.set([0, known.low, known.high, known.tagLow, known.tagHigh, 16, 1, 48], 1);
    words[12] = (c < 200 ? 2 << 16 : q << 16) | (a < 200 ? vm : known.sender);
    this.write(new Uint8Array(words.buffer));
    // Without receivers a hypervisor asks what a transaction is.
    if (a >= 224) words[7] = 0;
    this.call(pe, id.FFA_MEM_RETRIEVE_REQ_32, [a >= 224 ? 48 : 64, a >= 224 ? 48 : 64]);
  }

  /** A VM's buffers, as a hypervisor tells of them, or the hypervisor's own. */
  private buffers(pe: Pe, { a, b, c }: Record, vm: number): void {
    if (a >= 192) {
      this.call(pe, id.FFA_RXTX_MAP_64, [TX, RX, 1]);
      return;
    }
    if (a >= 128) {
      this.call(pe, id.FFA_RXTX_UNMAP, [b < 200 ? vm << 16 : 0]);
      return;
    }
    const words = new Uint32Array(20);
    const page = VM_BUFFERS + 2 * PAGE_SIZE_BYTES * (c % 8);
    words.set([vm, 16, 48, 0, 1, 1, 0, 0, page, 0, 1, 0, 1, 1, 0, 0, page + PAGE_SIZE_BYTES, 0, 1, 0]);
    if (b >= 224) words[b % 20] = c;
    this.write(new Uint8Array(words.buffer));
    this.call(pe, id.FFA_RXTX_MAP_64, []);
  }

  private anything(pe: Pe, { a, b, c, q, r }: Record): void {
    const random = new Random(r ^ c);
    const functionId = (0x8400_0060 + (a % 0x34) + (b & 1 ? 0x4000_0000 : 0)) >>> 0;
    const words = Array.from({ length: 7 }, () => {
      const partition = random.pick(PARTITION_IDS);
      return (
        random.pick([0, 1, 2, partition, partition << 16, (1 << 16) | partition, TX, q, random.u32(), 0x1000]) >>> 0
      );
    });
    this.prepare(pe, functionId, words);
    if (b >= 200) for (let n = 1; n < 18; n++) pe.smc.setWords(n, random.u32(), random.u32());
    this.smc(pe);
  }

  private write(bytes: Uint8Array): void {
    const page = new Uint8Array(PAGE_SIZE_BYTES);
    page.set(bytes.subarray(0, PAGE_SIZE_BYTES));
    this.machine.frames.contents.write(TX, page, 0, PAGE_SIZE_BYTES);
  }

  private prepare(pe: Pe, functionId: number, words: readonly number[]): void {
    pe.smc.clear();
    pe.smc.setW(0, functionId);
    for (const [n, word] of words.entries()) pe.smc.setW(n + 1, word >>> 0);
  }

  private call(pe: Pe, functionId: number, words: readonly number[]): void {
    this.prepare(pe, functionId, words);
    this.smc(pe);
  }

  private smc(pe: Pe): void {
    const request = pe.smc.w(0);
    const pending = this.world.smc(pe);
    if (pending === null) this.seen(request, pe);
    else this.start(pe, this.watched(pe, request, pending));
  }

  private *watched(pe: Pe, request: number, pending: Coroutine): Coroutine {
    yield* pending;
    this.seen(request, pe);
  }

  private seen(request: number, pe: Pe): void {
    const error = pe.smc.w(0) === id.FFA_ERROR ? pe.smc.w(2) : 0;
    this.features.seen(Math.imul(Math.imul(request ^ (pe.smc.w(0) << 3), 0x9e3779b1) ^ error, 0x85ebca6b) >>> 7);
  }

  // Scheduling -------------------------------------------------------------------------------------------------------

  private start(pe: Pe, coroutine: Coroutine): void {
    this.tasks.push({ pe, coroutine, wait: 0 });
  }

  private canGoOn({ pe, wait }: Task): boolean {
    switch (wait) {
      case WAIT_LOCK:
        return pe.waitLock === null || pe.waitLock.holder === null;
      case WAIT_TIME:
        return this.machine.time.nowNs >= pe.wakeNs || pe.interruptPending;
      case WAIT_WAKE:
        return pe.awake;
      default:
        return true;
    }
  }

  private goOn(stepsMax: number): void {
    for (let n = 0; n < stepsMax; n++) {
      const task = this.tasks.findLast((one) => this.canGoOn(one));
      if (task === undefined) return;
      if (++this.steps > STEPS_MAX) throw new Finding(`no end within ${STEPS_MAX} steps`);
      this.machine.events.currentPe = task.pe.index;
      const { value, done } = task.coroutine.next();
      if (done === true) this.tasks = this.tasks.filter((other) => other !== task);
      else task.wait = value as Wait;
    }
  }

  private finish(): void {
    for (;;) {
      this.goOn(STEPS_MAX);
      if (this.tasks.length === 0) return;
      const sleepers = this.tasks.filter((task) => task.wait === WAIT_TIME);
      if (sleepers.length === 0) throw new Finding(`deadlock: waits ${this.tasks.map(({ wait }) => wait).join(', ')}`);
      this.machine.time.advanceTo(Math.min(...sleepers.map((task) => task.pe.wakeNs)));
    }
  }

  /** No partition reaches a page that is not its own and that no transaction gives it. */
  private checkPages(): void {
    const { spmc } = this.world;
    const first = RAM_BASE / PAGE_SIZE_BYTES;
    for (const partition of spmc.partitions) {
      for (let page = first; page < first + NORMAL_PAGES; page++) {
        if (partition.pages.translate(page) < 0) continue;
        const { attributes } = partition.pages;
        if ((attributes & STAGE2_INVALID) !== 0 || (attributes & (STAGE2_READ | STAGE2_WRITE)) === 0) continue;
        if ((attributes & STAGE2_UNOWNED) === 0 || this.isGiven(partition.id, page)) continue;
        throw new Finding(`partition ${partition.id} reaches page ${page} that nobody gives it`);
      }
    }
  }

  private isGiven(partition: number, page: number): boolean {
    return this.world.spmc.slots.transactions.some(
      (transaction) =>
        transaction.inUse &&
        transaction.receivers.some(({ id: receiver, holds }) => holds && receiver === partition) &&
        names(transaction, page),
    );
  }
}

function names({ constituents, receivedCount }: Transaction, page: number): boolean {
  for (let n = 0; n < receivedCount; n++) {
    const first = constituents[4 * n + 1] * 0x10_0000 + (constituents[4 * n] >>> 12);
    if (page >= first && page < first + constituents[4 * n + 2]) return true;
  }
  return false;
}
