// Long random sequences of memory calls by VMs and partitions that crash, restart and stop half-way, under each
// personality: every page has one owner at all times, whoever has it mapped otherwise holds a live transaction, a call
// that fails changes nothing, and in the end everything comes back.

import { describe, expect, test } from 'vitest';
import {
  FFA_ERROR,
  FFA_MEM_DONATE_32,
  FFA_MEM_FRAG_TX,
  FFA_MEM_LEND_32,
  FFA_MEM_RECLAIM,
  FFA_MEM_RELINQUISH,
  FFA_MEM_RETRIEVE_REQ_32,
  FFA_MEM_SHARE_32,
  FFA_RX_RELEASE,
} from '../../src/abi/function-ids.ts';
import { STAGE2_NON_SECURE, STAGE2_RWX, STAGE2_UNOWNED } from '../../src/hardware/stage2.ts';
import { PERSONALITIES } from '../../src/spmc/personalities/personality-table.ts';
import { KIND_DONATE } from '../../src/spmc/transaction.ts';
import { relinquishDescriptor } from './descriptors.ts';
import { descriptor, GUEST_PAGE, MemoryWorld, PAGE } from './memory-world.ts';
import { GUEST_MEMORY, HYPERVISOR_TX, ids, SP1, SP2, SP3 } from './small-world.ts';
import { snapshotOf } from './spmc-snapshot.ts';

const PAGES = 12;
const PARTITIONS = [SP1, SP2, SP3] as const;
const NORMAL_WORLD = [{ baseAddress: HYPERVISOR_TX, pageCount: 0x1000 + 64, attributes: 7 }];
const STEPS = 400;

/** A generator of numbers below `limit`. */
function dice(seed: number): (limit: number) => number {
  let state = seed * 2654435761;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

class RandomWorld extends MemoryWorld {
  readonly roll: (limit: number) => number;
  /** Calls by how they ended. */
  succeeded = 0;
  failed = 0;

  constructor(personality: string, seed: number) {
    const chosen = PERSONALITIES.get(personality);
    if (chosen === undefined) throw new Error(personality);
    super([{}, {}, {}], { personality: chosen, normalWorldMemory: NORMAL_WORLD, limits: { slots: 6 } });
    this.roll = dice(seed);
  }

  one<T>(list: readonly T[]): T {
    return list[this.roll(list.length)];
  }

  alive(): number[] {
    return PARTITIONS.filter((id) => this.spmc.partitionById.get(id)?.crashed === false);
  }

  handle(): number {
    const live = this.spmc.slots.transactions.filter((transaction) => transaction.inUse);
    if (live.length === 0 || this.roll(10) === 0) return this.roll(8);
    const { handleLow, handleHigh } = this.one(live);
    return handleLow + handleHigh * 2 ** 32;
  }

  /** A call, after which nothing has changed if it failed (looked at now and then: it takes long). */
  tried(id: number, ...words: number[]): void {
    const isFragment = words[0] === FFA_MEM_FRAG_TX;
    const before = !isFragment && this.roll(6) === 0 ? snapshotOf(this.spmc, []) : null;
    const answer = this.from(id, ...words);
    if (answer[0] !== FFA_ERROR) {
      this.succeeded++;
      return;
    }
    this.failed++;
    if (before !== null) expect(snapshotOf(this.spmc, [])).toEqual(before);
  }

  step(): void {
    const alive = this.alive();
    const caller = this.roll(2) === 0 || alive.length === 0 ? 0 : this.one(alive);
    switch (this.roll(12)) {
      case 0:
      case 1:
      case 2:
        this.send(caller);
        return;
      case 3:
      case 4:
      case 5:
        this.retrieveSome(caller);
        return;
      case 6:
      case 7:
        this.write(this.txOf(caller), relinquishDescriptor(this.handle(), caller === 0 ? 9 : caller, this.roll(2)));
        this.tried(caller, FFA_MEM_RELINQUISH);
        return;
      case 8:
      case 9: {
        const handle = this.handle();
        this.tried(caller, FFA_MEM_RECLAIM, handle % 2 ** 32, Math.floor(handle / 2 ** 32), this.roll(2));
        return;
      }
      case 10:
        if (this.roll(4) === 0) this.live();
        return;
      default:
        this.tried(caller, FFA_MEM_FRAG_TX, this.handle() % 2 ** 32, 0, 16, caller === 0 ? ids(3, 0) : 0);
        this.machine.time.advanceTo(this.machine.time.nowNs + 400_000_000);
    }
  }

  private send(caller: number): void {
    const functionId = this.one([FFA_MEM_SHARE_32, FFA_MEM_LEND_32, FFA_MEM_DONATE_32]);
    const single = functionId !== FFA_MEM_SHARE_32;
    const access = functionId === FFA_MEM_DONATE_32 ? 0 : this.one([1, 2]);
    const receivers = [...PARTITIONS].filter((id) => id !== caller && this.roll(2) === 0);
    const base = caller === 0 ? GUEST_MEMORY : 0x5000_0000 + (caller - SP1) * 0x10_0000;
    const first = this.roll(PAGES - 2);
    const bytes = descriptor({
      sender: caller === 0 ? 3 + this.roll(2) : caller,
      to: (single ? receivers.slice(0, 1) : receivers.slice(0, 2)).map((id) => [id, access] as const),
      at: [
        [base + first * PAGE, 1],
        [base + (first + 1) * PAGE, 1 + this.roll(2)],
      ],
      attributes: single ? 0 : 0x2f,
    });
    this.write(this.txOf(caller), bytes);
    this.tried(caller, functionId, bytes.length, this.roll(5) === 0 ? bytes.length - 16 : bytes.length);
  }

  private retrieveSome(caller: number): void {
    if (caller === 0) return;
    const handle = this.handle();
    const transaction = this.spmc.slots.find(handle % 2 ** 32, Math.floor(handle / 2 ** 32));
    const listed = transaction?.receivers.slice(0, transaction.receiverCount) ?? [];
    const instruction = transaction !== null && transaction.kind !== 1 ? 4 : 0;
    const to = listed.map((receiver) => [receiver.id, (receiver.permissions || 2) | instruction] as const);
    const bytes = descriptor({ handle, sender: transaction?.sender ?? 3, to });
    this.write(this.txOf(caller), bytes);
    this.tried(caller, FFA_MEM_RETRIEVE_REQ_32, bytes.length, bytes.length);
    this.from(caller, FFA_RX_RELEASE);
  }

  /** A partition dies, or starts anew. */
  private live(): void {
    const id = this.one(PARTITIONS);
    const partition = this.spmc.partitionById.get(id);
    if (partition === undefined) return;
    if (!partition.crashed) {
      this.spmc.crash(id);
      return;
    }
    const coroutine = this.spmc.restart(this.pe, id);
    while (coroutine.next().done !== true);
  }

  /** Throws unless every page is where it may be. */
  check(): void {
    const endpoints = [this.spmc.normalWorld, ...this.spmc.partitions];
    const live = this.spmc.slots.transactions.filter((transaction) => transaction.inUse && transaction.complete);
    const ranges = [GUEST_PAGE, ...PARTITIONS.map((id) => 0x5_0000 + (id - SP1) * 0x100)];
    for (const page of ranges.flatMap((first) => Array.from({ length: PAGES + 2 }, (_, n) => first + n))) {
      const naming = live.filter((transaction) => {
        for (let n = 0; n < transaction.constituentCount; n++) {
          const first = transaction.firstPage(n);
          if (page >= first && page < first + transaction.pagesOf(n)) return true;
        }
        return false;
      });
      expect(naming.length).toBeLessThanOrEqual(1);
      let owners = 0;
      for (const { pages, id } of endpoints) {
        if (pages.translate(page) < 0) continue;
        if ((pages.attributes & STAGE2_UNOWNED) === 0) owners++;
        else expect(naming[0]?.receiver(id)?.holds).toBe(true);
      }
      // A donation under way belongs to nobody's table.
      expect(owners).toBe(naming[0]?.kind === KIND_DONATE ? 0 : 1);
    }
  }
}

describe.each([...PERSONALITIES.keys()])('%s', (personality) => {
  test.each([1, 2])('with seed %i', (seed) => {
    const world = new RandomWorld(personality, seed);
    for (let n = 0; n < STEPS; n++) {
      world.step();
      world.check();
    }
    expect(world.succeeded).toBeGreaterThan(STEPS / 20);
    expect(world.failed).toBeGreaterThan(STEPS / 20);
    if (personality !== 'hafnium') return;
    // Everybody dies: what is left was the normal world's, and all of it comes back.
    for (const id of PARTITIONS) world.spmc.crash(id);
    for (const transaction of world.spmc.slots.transactions) {
      if (transaction.inUse && transaction.complete) world.reclaim(transaction.handleLow);
    }
    world.machine.time.advanceTo(world.machine.time.nowNs + 2_000_000_000);
    const left = world.spmc.slots.transactions.filter((transaction) => transaction.inUse);
    expect(left.filter((transaction) => transaction.complete)).toEqual([]);
    expect(left.filter((transaction) => !transaction.fromNormalWorld)).toEqual([]);
    for (let n = 0; n < 30; n++) {
      const attributes = world.page(0, GUEST_PAGE + 20 + n);
      expect(attributes).toBe(STAGE2_RWX | STAGE2_NON_SECURE);
    }
  });
});
