// The mediator's door: an input is a header and records of 24 bytes, each one operation: a call of some vCPU of some
// guest with what belongs to it in memory, a guest created or destroyed, time going on, an interrupt, a step of what
// is under way. Eight bytes of each record say how the secure world answers (hostile-spmc.ts).
//
// When the records have ended the secure world becomes honest, everything under way goes on to its end, the guests are
// destroyed and the timers fire: then nothing may stand still, no lock be held, and (default profile) nothing be owed.

import * as id from '../../../src/abi/function-ids.ts';
import { type Coroutine, WAIT_LOCK, WAIT_TIME, WAIT_WAKE, type Wait } from '../../../src/base/coroutine.ts';
import { NS_PER_MS, NS_PER_S, PAGE_SIZE_BYTES } from '../../../src/base/units.ts';
import { Machine } from '../../../src/hardware/machine.ts';
import { Pe } from '../../../src/hardware/pe.ts';
import { DOMAIN_ALIVE, type Domain, TEE_FFA, type Vcpu } from '../../../src/hypervisor/domain.ts';
import { Hypervisor } from '../../../src/hypervisor/hypervisor.ts';
import type { Profile } from '../../../src/hypervisor/profile.ts';
import { RecordLifecycle } from '../../../src/hypervisor/record-lifecycle.ts';
import { Oracle } from '../../../src/oracle/oracle.ts';
import type { Violation } from '../../../src/oracle/violation.ts';
import { PERSONALITIES } from '../../../src/spmc/personalities/personality-table.ts';
import { oracleOptions } from '../../../src/world/oracle-options.ts';
import { type Features, Finding } from '../target.ts';
import { GuestCalls, type Operation } from './guest-calls.ts';
import { IMAGE_PAGES } from './hostile-partition.ts';
import { HOSTILE_VERSIONS, type HostilePartition, HostileSpmc } from './hostile-spmc.ts';
import { RealSecureWorld } from './real-secure-world.ts';
import { rewriteWhatIsRead } from './rewritten-memory.ts';
import type { SecureSide } from './secure-side.ts';

export const HEADER_BYTES = 8;
export const RECORD_BYTES = 24;
export const RECORDS_MAX = 64;

export const RAM_BASE = 0x4000_0000;
export const RAM_PAGES = 48;
/** Of guests and hypervisor, and of a real secure world's partitions. */
const FRAME_COUNT = (1 << 10) + 3 * IMAGE_PAGES;
const GUEST_SLOTS = 3;
const VCPUS = 2;
const CREATIONS_MAX = 10;
/** Steps of one input before it counts as one that does not end. */
const STEPS_MAX = 60_000;
/** Timers that may fire at the end. */
const FIRINGS_MAX = 3000;

export const PARTITIONS: readonly HostilePartition[] = [
  { id: 0x8001, properties: 0x1ff },
  { id: 0x8002, properties: 0x0c7 },
  { id: 0x8003, properties: 0x107 },
];

/** Properties of the oracle that must hold whatever the secure world answers. */
const HELD = new Set(['P1', 'P1b', 'P2', 'P3', 'P4', 'P5', 'P10']);

/** What partitions that do what they like break by themselves, before our own SPMC. */
const UNTIDY = new Set(['P6', 'P7', 'P13']);

const GUEST_CALL = 'guest call';

const GIVEN_TWICE = /gave a page twice/;

interface Task {
  readonly pe: Pe;
  readonly name: string;
  readonly coroutine: Coroutine<unknown>;
  wait: Wait;
}

interface FirstCall {
  readonly vcpu: Vcpu;
  readonly words: Uint32Array;
}

export interface Slot {
  domain: Domain | null;
  /** Whether its creation or destruction is under way. */
  busy: boolean;
}

export interface DoorOptions {
  readonly profile: Profile;
  /** Whether the oracle judges. */
  readonly judged: boolean;
  /** Whether our own SPMC is behind the mediator, with hostile partitions. */
  readonly realSpmc?: boolean;
  /** Whether a guest rewrites each word of its TX page as soon as the mediator has read it. */
  readonly rewrites?: boolean;
  /** Whether what goes in and out is kept, for comparing. */
  readonly keepTranscript?: boolean;
  /** Whether everything goes through without yielding. */
  readonly plain?: boolean;
}

export class Door {
  readonly machine = new Machine({ firstFrame: RAM_BASE / PAGE_SIZE_BYTES, frameCount: FRAME_COUNT });
  readonly spmc: SecureSide;
  readonly hypervisor: Hypervisor;
  readonly slots: Slot[] = [];
  readonly guestCalls: GuestCalls;
  private readonly features: Features;
  private readonly oracle: Oracle | null;
  private readonly hostPe = new Pe(0);
  private readonly timerPe = new Pe(1);
  private readonly vcpuPes: Pe[] = [];
  private tasks: Task[] = [];
  private steps = 0;
  private creations = 0;
  private answersAt = 0;
  private readonly input: Uint8Array;
  /** Calls that new guests make before anything else. */
  private firstCalls: FirstCall[] = [];

  constructor(input: Uint8Array, options: DoorOptions, features: Features) {
    this.input = input;
    this.features = features;
    this.spmc = options.realSpmc === true ? this.realSecureWorld() : this.hostileSecureWorld(options);
    const limits = (this.header(0) & 2) !== 0 ? { sharesPerGuest: 2, pagesPerShare: 8, vmIdMax: 4 } : {};
    this.hypervisor = new Hypervisor(this.machine, options.profile, this.spmc, { limits });
    this.oracle = options.judged ? new Oracle(this.machine, oracleOptions(this.hypervisor, 0)) : null;
    if (this.spmc instanceof RealSecureWorld && this.oracle !== null) {
      for (const partition of this.spmc.spmc.partitions) this.oracle.watchSpace(partition.id, partition.pages);
    }
    const stepping = options.plain !== true && (this.header(0) & 1) !== 0;
    for (let n = 0; n < GUEST_SLOTS; n++) this.slots.push({ domain: null, busy: false });
    for (let n = 0; n < GUEST_SLOTS * VCPUS; n++) this.vcpuPes.push(new Pe(2 + n));
    for (const pe of [this.hostPe, this.timerPe, ...this.vcpuPes]) pe.stepping = stepping;
    this.guestCalls = new GuestCalls(this);
    if (options.rewrites === true) rewriteWhatIsRead(this.machine, (frame) => this.isTx(frame));
  }

  /** A secure world that answers as the input says. */
  private hostileSecureWorld(options: DoorOptions): HostileSpmc {
    const partitions = PARTITIONS.slice(0, 1 + (this.header(1) % 3));
    const spmc = new HostileSpmc(this.machine, partitions, options.keepTranscript === true);
    spmc.version = HOSTILE_VERSIONS[this.header(2) < 200 ? this.header(2) & 1 : this.header(2) % 6];
    spmc.answered = (request, answer, error) => this.features.seen(hash(request, answer, error));
    if (this.header(3) >= 128) spmc.lacking.add([id.FFA_RX_ACQUIRE, id.FFA_MSG_SEND2][this.header(3) & 1]);
    if (this.header(3) >= 192) spmc.lacking.add(0x8400_0060 + (this.header(3) & 0x3f));
    if (this.header(3) >= 224) spmc.lacking.add(0xc400_0060 + (this.header(3) & 0x1f));
    return spmc;
  }

  /** Our own, with partitions that do as the input says. */
  private realSecureWorld(): RealSecureWorld {
    const personalities = [...PERSONALITIES.values()];
    return new RealSecureWorld(this.machine, {
      partitionIds: PARTITIONS.slice(0, 1 + (this.header(1) % 3)).map((partition) => partition.id),
      personality: personalities[this.header(2) < 160 ? 0 : this.header(2) % personalities.length],
      queues: this.header(3),
    });
  }

  /** The whole input. */
  run(): void {
    if (!this.boot()) return;
    for (let n = 0; n < RECORDS_MAX; n++) {
      const at = HEADER_BYTES + n * RECORD_BYTES;
      if (at + RECORD_BYTES > this.input.length) break;
      this.answersAt = at + 16;
      this.operate(operationAt(this.input, at));
      this.judge();
    }
    this.answersAt = this.input.length;
    this.end();
  }

  private boot(): boolean {
    this.spmc.answers = { next: () => this.nextAnswer() };
    // Four bytes of the header say how the boot is answered, from its nth call on.
    const hostile = this.header(4) >= 128;
    let skip = this.header(5) & 31;
    this.answersAt = this.input.length;
    if (hostile) this.spmc.answers = { next: () => (skip-- === 0 ? (this.header(6) << 8) | this.header(7) : 0) };
    let usable = false;
    this.start(
      this.hostPe,
      'boot',
      this.bootThen((found) => (usable = found)),
    );
    this.finish();
    this.spmc.answers = { next: () => this.nextAnswer() };
    return usable;
  }

  private *bootThen(told: (usable: boolean) => void): Coroutine {
    yield* this.spmc.boot(this.hostPe);
    told(yield* this.hypervisor.boot(this.hostPe));
  }

  private header(n: number): number {
    return n < this.input.length ? this.input[n] : 0;
  }

  /** The next pair of the record's answers; honest after four. */
  private nextAnswer(): number {
    const at = this.answersAt;
    if (at + 2 > this.input.length || (at - HEADER_BYTES) % RECORD_BYTES < 16) return 0;
    this.answersAt += 2;
    return (this.input[at] << 8) | this.input[at + 1];
  }

  private isTx(frame: number): boolean {
    return this.slots.some((slot) => slot.domain?.ffa?.txFrame === frame);
  }

  // Operations -----------------------------------------------------------------------------------------------------

  private operate(operation: Operation): void {
    const { code, who } = operation;
    const slotIndex = who % GUEST_SLOTS;
    const slot = this.slots[slotIndex];
    const pe = this.vcpuPes[slotIndex * VCPUS + ((who >> 4) % VCPUS)];
    switch (code % 26) {
      case 20:
        this.create(slot, operation);
        break;
      case 21:
        this.destroy(slot);
        break;
      case 22:
        this.passTime(operation.b);
        break;
      case 23:
        if (this.isIdle(this.timerPe)) {
          this.start(this.timerPe, 'schedule receiver', this.hypervisor.scheduleReceiver(this.timerPe));
        }
        break;
      case 24:
        this.goOn(operation);
        return;
      case 25:
        this.odd(operation, pe);
        break;
      default: {
        const { domain } = slot;
        if (domain === null) {
          if (operation.a < 64) this.create(slot, operation);
          break;
        }
        if (slot.busy || domain.life !== DOMAIN_ALIVE || !this.isIdle(pe)) break;
        const vcpu = domain.vcpus[(who >> 4) % domain.vcpus.length];
        this.guestCalls.prepare(domain, vcpu, operation);
        this.start(pe, GUEST_CALL, this.serve(pe, vcpu));
      }
    }
    this.settle(pe.stepping ? 1 + operation.d : STEPS_MAX);
  }

  private *serve(pe: Pe, vcpu: Vcpu): Coroutine {
    // The guest may be taken off its PEs before it comes to its call.
    if (vcpu.domain.life !== DOMAIN_ALIVE) return;
    const request = vcpu.registers.w(0);
    yield* this.hypervisor.serve(pe, vcpu);
    const answer = vcpu.registers.w(0);
    const error = answer === id.FFA_ERROR ? vcpu.registers.w(2) : 0;
    this.features.seen(hash(request ^ 0x55, answer, error));
    this.guestCalls.answered(vcpu, request);
    const { transcript } = this.spmc;
    if (transcript !== null) transcript.push(`= ${Array.from(vcpu.registers.words).join(' ')}`);
  }

  private create(slot: Slot, operation: Operation): void {
    if (slot.domain !== null || slot.busy || !this.isIdle(this.hostPe) || this.creations >= CREATIONS_MAX) return;
    this.creations++;
    slot.busy = true;
    const config = {
      vcpuCount: VCPUS,
      bits: operation.b >= 240 ? 32 : 64,
      pageCount: RAM_PAGES,
      ramBase: RAM_BASE,
      tee: TEE_FFA,
    } as const;
    this.start(this.hostPe, 'create', this.createIn(slot, config, operation.c));
  }

  private *createIn(slot: Slot, config: Domain['config'], how: number): Coroutine {
    const { domain } = yield* this.hypervisor.createDomain(this.hostPe, config);
    slot.domain = domain;
    slot.busy = false;
    if (domain !== null) this.guestCalls.created(domain, how);
  }

  private destroy(slot: Slot): void {
    if (slot.domain === null || slot.busy || !this.isIdle(this.hostPe)) return;
    slot.busy = true;
    this.start(this.hostPe, 'destroy', this.destroyIn(slot, slot.domain));
  }

  private *destroyIn(slot: Slot, domain: Domain): Coroutine {
    yield* this.hypervisor.destroyDomain(this.hostPe, domain);
    slot.domain = null;
    slot.busy = false;
  }

  private passTime(amount: number): void {
    const { time } = this.machine;
    time.advanceTo(time.nowNs + (amount < 128 ? amount * NS_PER_MS : (amount - 127) * NS_PER_S));
    this.fire();
  }

  /** Fires what is due, if the PE for it is free. */
  private fire(): boolean {
    if (!this.isIdle(this.timerPe)) return false;
    const timer = this.machine.time.takeDue(this.machine.time.nowNs);
    if (timer === null) return false;
    this.start(this.timerPe, 'timer', this.hypervisor.timerFired(this.timerPe, timer));
    return true;
  }

  /** What is under way goes on: one that waits in the secure world, or one task by some steps. */
  private goOn(operation: Operation): void {
    const { waiting } = this.spmc;
    if ((operation.a & 1) === 0 && waiting.length > 0) {
      this.spmc.wake(waiting[operation.b % waiting.length]);
      this.settle(STEPS_MAX);
      return;
    }
    if (this.tasks.length === 0) return;
    const task = this.tasks[operation.b % this.tasks.length];
    for (let n = 0; n <= operation.c && this.canGoOn(task) && this.tasks.includes(task); n++) this.step(task);
  }

  private odd(operation: Operation, pe: Pe): void {
    const { lifecycle } = this.hypervisor;
    switch (operation.a % 3) {
      case 0:
        pe.interruptPending = true;
        return;
      case 1: {
        if (!(lifecycle instanceof RecordLifecycle) || !this.isIdle(this.hostPe)) return;
        const entries = [...lifecycle.quarantine.list()];
        if (entries.length === 0) return;
        const entry = entries[operation.b % entries.length];
        const retry = lifecycle.retryQuarantine(this.hypervisor, this.hostPe, entry);
        this.start(this.hostPe, 'quarantine retry', retry);
        return;
      }
      default: {
        const { domain } = this.slots[operation.b % GUEST_SLOTS];
        if (domain !== null) this.guestCalls.scribble(domain, operation);
      }
    }
  }

  /** A call of a new guest's first vCPU, made as soon as that may be. */
  callLater(vcpu: Vcpu, words: Uint32Array): void {
    this.firstCalls.push({ vcpu, words });
  }

  private startFirstCalls(): void {
    for (const call of this.firstCalls) {
      const { vcpu, words } = call;
      const slotIndex = this.slots.findIndex((slot) => slot.domain === vcpu.domain);
      const pe = slotIndex < 0 ? null : this.vcpuPes[slotIndex * VCPUS];
      if (pe !== null && !this.isIdle(pe)) continue;
      this.firstCalls = this.firstCalls.filter((other) => other !== call);
      if (pe === null || vcpu.domain.life !== DOMAIN_ALIVE) continue;
      vcpu.registers.words.set(words);
      this.start(pe, GUEST_CALL, this.serve(pe, vcpu));
    }
  }

  // Scheduling -----------------------------------------------------------------------------------------------------

  private isIdle(pe: Pe): boolean {
    return !this.tasks.some((task) => task.pe === pe);
  }

  private start(pe: Pe, name: string, coroutine: Coroutine<unknown>): void {
    this.tasks.push({ pe, name, coroutine, wait: 0 });
  }

  private canGoOn(task: Task): boolean {
    const { pe } = task;
    switch (task.wait) {
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

  private step(task: Task): void {
    if (++this.steps > STEPS_MAX) throw new Finding(`${task.name} does not end within ${STEPS_MAX} steps`);
    this.machine.events.currentPe = task.pe.index;
    const { value, done } = task.coroutine.next();
    if (done !== true) {
      task.wait = value as Wait;
      return;
    }
    if (task.pe.heldCount !== 0) throw new Finding(`${task.name} ends with a lock held`);
    this.tasks = this.tasks.filter((other) => other !== task);
  }

  /** Lets tasks go on, the newest first, until all stand still or `stepsMax` steps are made. */
  private settle(stepsMax: number): void {
    for (let n = 0; n < stepsMax; n++) {
      if (this.firstCalls.length > 0) this.startFirstCalls();
      let next: Task | null = null;
      for (const task of this.tasks) if (this.canGoOn(task)) next = task;
      if (next === null) return;
      this.step(next);
    }
  }

  /** All that is under way, to its end: time moves as it must. */
  private finish(): void {
    for (;;) {
      this.settle(STEPS_MAX);
      if (this.tasks.length === 0) return;
      const waiting = this.spmc.waiting[0];
      if (waiting !== undefined) {
        this.spmc.wake(waiting);
        continue;
      }
      const sleepers = this.tasks.filter((task) => task.wait === WAIT_TIME);
      // A guest may wait for another one, which may never come.
      if (sleepers.length === 0 && this.tasks.every(({ name, wait }) => name === GUEST_CALL && wait === WAIT_WAKE)) {
        return;
      }
      if (sleepers.length === 0) {
        throw new Finding(`deadlock: ${this.tasks.map((task) => `${task.name} waits (${task.wait})`).join(', ')}`);
      }
      this.machine.time.advanceTo(Math.min(...sleepers.map((task) => task.pe.wakeNs)));
    }
  }

  // The end and the judge ------------------------------------------------------------------------------------------

  private end(): void {
    this.spmc.answers = { next: () => 0 };
    this.finish();
    for (const slot of this.slots) {
      this.destroy(slot);
      this.finish();
    }
    if (this.tasks.length > 0) throw new Finding('a vCPU is still inside EL2 after its guest has been destroyed');
    for (const pe of [this.hostPe, this.timerPe, ...this.vcpuPes]) {
      this.start(pe, 'amends', this.spmc.makeAmends(pe));
      this.finish();
    }
    const records = this.hypervisor.lifecycle instanceof RecordLifecycle ? this.hypervisor.lifecycle : null;
    const firings = records === null ? 20 : FIRINGS_MAX;
    let fired = 0;
    for (; fired < firings; fired++) {
      const { next } = this.machine.time;
      if (next === null) break;
      this.machine.time.advanceTo(next.expiryNs);
      this.fire();
      this.finish();
    }
    this.judge();
    if (records === null) return;
    if (records.records.size > 0) {
      const owed = [...records.records.values()].flatMap((record) => record.owed.map((item) => item.call));
      throw new Finding(`a teardown does not end though the secure world is honest: calls ${owed.join(', ')} are owed`);
    }
    if (fired === firings) throw new Finding('the teardown timer does not stop though nothing is owed');
    if (records.sharesInFlight !== 0) throw new Finding(`${records.sharesInFlight} sends count as under way for ever`);
    this.oracle?.quiet();
    this.judge();
  }

  /** What a sender gives twice the secure world must refuse: one that claims to have taken it has not looked. */
  private isClaimed(anomaly: string, facts: Violation['facts']): boolean {
    const { claimed } = this.spmc;
    return GIVEN_TWICE.test(anomaly) && (claimed.has(String(facts['handle'])) || claimed.has(String(facts['other'])));
  }

  private judge(): void {
    if (this.oracle === null) return;
    for (const { property, anomaly, facts } of this.oracle.violations) {
      const held = this.spmc instanceof RealSecureWorld ? !UNTIDY.has(property) : HELD.has(property);
      if (!held || this.isClaimed(anomaly, facts)) continue;
      throw new Finding(`${property}: ${anomaly} ${JSON.stringify(facts)}`);
    }
  }
}

function operationAt(input: Uint8Array, at: number): Operation {
  const view = new DataView(input.buffer, input.byteOffset + at, 16);
  return {
    code: input[at],
    who: input[at + 1],
    a: input[at + 2],
    b: input[at + 3],
    c: input[at + 4],
    d: input[at + 5],
    p: view.getUint16(6, true),
    q: view.getUint32(8, true),
    r: view.getUint32(12, true),
  };
}

function hash(a: number, b: number, c: number): number {
  return Math.imul(Math.imul(a ^ (b << 3), 0x9e3779b1) ^ c, 0x85ebca6b) >>> 7;
}
