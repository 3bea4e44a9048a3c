// Memory transactions in all their forms: fragments that stop coming, versions that differ, borrowers of both worlds,
// permissions, zeroing, devices, implementation defined values.

import { describe, expect, test } from 'vitest';
import {
  FFA_MEM_DONATE_32,
  FFA_MEM_FRAG_RX,
  FFA_MEM_FRAG_TX,
  FFA_MEM_LEND_32,
  FFA_MEM_RETRIEVE_REQ_32,
  FFA_MEM_SHARE_32,
  FFA_RX_RELEASE,
} from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import {
  STAGE2_DEVICE,
  STAGE2_INVALID,
  STAGE2_NON_SECURE,
  STAGE2_RW,
  STAGE2_RWX,
  STAGE2_SHARED,
  STAGE2_UNOWNED,
} from '../../src/hardware/stage2.ts';
import { REGION_READ, REGION_WRITE } from '../../src/spmc/partition-setup.ts';
import { apart, descriptor, headerBytes, type Memory, MemoryWorld, PAGE, VERSIONS, VM } from './memory-world.ts';
import { GUEST_MEMORY, HYPERVISOR_TX, ids, SP1, SP2, SP3, said } from './small-world.ts';

const RW = 2;
const RO = 1;
const SP1_IMAGE = 0x5000_0000;
const OWNED = STAGE2_RWX | STAGE2_NON_SECURE;
const SECOND_NS = 1_000_000_000;

/** Begins a send of two pages in two fragments; the answer. */
function begin(world: MemoryWorld, sender: number, page: number, from = 0): number[] {
  const base = from === 0 ? GUEST_MEMORY : SP1_IMAGE;
  const to = [[from === SP1 ? SP2 : SP1, RW]] as const;
  const bytes = descriptor({ sender, to, at: apart(base + page * PAGE, 2) });
  world.write(world.txOf(from), bytes);
  return world.from(from, FFA_MEM_SHARE_32, bytes.length, bytes.length - 16);
}

/** Brings the second fragment of what `begin` began. */
function finish(world: MemoryWorld, sender: number, page: number, handle: number, from = 0): string {
  const base = from === 0 ? GUEST_MEMORY : SP1_IMAGE;
  const bytes = descriptor({ sender, at: apart(base + page * PAGE, 2) });
  world.write(world.txOf(from), bytes.subarray(bytes.length - 16));
  return said(world.from(from, FFA_MEM_FRAG_TX, handle, 0, 16, from === 0 ? ids(sender, 0) : 0));
}

describe('a send in fragments that stops', () => {
  test('keeps its slot while nobody wants it, and as long as its sender may still come', () => {
    const world = new MemoryWorld([{}], { limits: { slots: 1 } });
    const [, handle] = begin(world, VM, 0);
    world.machine.time.advanceTo(world.machine.time.nowNs + 10 * SECOND_NS);
    expect(finish(world, VM, 0, handle)).toBe('FFA_SUCCESS_32');
  });

  test('gives its slot up to the next send, once it has waited long enough', () => {
    const world = new MemoryWorld([{}], { limits: { slots: 1 } });
    const [, handle] = begin(world, VM, 0);
    const other = descriptor({ sender: 4, at: [[GUEST_MEMORY + 9 * PAGE, 1]] });
    const now = world.machine.time.nowNs;
    world.machine.time.advanceTo(now + SECOND_NS - 1);
    expect(said(world.carry(0, FFA_MEM_SHARE_32, other))).toBe('FFA_ERROR NO_MEMORY');
    world.machine.time.advanceTo(now + SECOND_NS);
    expect(said(world.carry(0, FFA_MEM_SHARE_32, other))).toBe('FFA_SUCCESS_32');
    expect(finish(world, VM, 0, handle)).toBe('FFA_ERROR INVALID_PARAMETERS');
    expect(world.page(0)).toBe(OWNED);
  });

  test('waits from its last fragment on; the one that waits longest goes first', () => {
    const world = new MemoryWorld([{}], { limits: { slots: 3, fragmentPatienceNs: 100 } });
    const long = descriptor({ at: apart(GUEST_MEMORY, 3) });
    world.write(HYPERVISOR_TX, long);
    const [, first] = world.call(FFA_MEM_SHARE_32, long.length, 112);
    const [, second] = begin(world, VM, 10);
    const [, third] = begin(world, VM, 20);
    world.machine.time.advanceTo(world.machine.time.nowNs + 50);
    world.write(HYPERVISOR_TX, long.subarray(112));
    expect(said(world.call(FFA_MEM_FRAG_TX, first, 0, 16, ids(VM, 0)))).toBe('FFA_MEM_FRAG_RX');
    world.machine.time.advanceTo(world.machine.time.nowNs + 60);
    // The first has waited for 60, the others for 110, the second a little longer than the third.
    expect(begin(world, VM, 40)[1]).toBe(second);
    expect(begin(world, VM, 50)[1]).toBe(third);
    expect(said(begin(world, VM, 60))).toBe('FFA_ERROR NO_MEMORY');
    world.write(HYPERVISOR_TX, long.subarray(128));
    expect(said(world.call(FFA_MEM_FRAG_TX, first, 0, 16, ids(VM, 0)))).toBe('FFA_SUCCESS_32');
  });

  test('a thousand times, by VMs and partitions that never finish, takes no slot from anybody for long', () => {
    const world = new MemoryWorld([{}, {}], { limits: { slots: 4 } });
    for (let n = 0; n < 1000; n++) {
      if (n % 4 === 0) world.machine.time.advanceTo(world.machine.time.nowNs + SECOND_NS);
      const from = n % 3 === 0 ? SP1 : 0;
      expect(said(begin(world, from === 0 ? 3 + (n % 5) : SP1, 0, from))).toBe('FFA_MEM_FRAG_RX');
    }
    world.machine.time.advanceTo(world.machine.time.nowNs + SECOND_NS);
    const handle = world.sent({ at: [[GUEST_MEMORY + 100 * PAGE, 1]] });
    expect(world.retrieve(SP1, { handle })).toBe('FFA_MEM_RETRIEVE_RESP');
  });

  test('never takes the slot of one that is complete', () => {
    const world = new MemoryWorld([{}], { limits: { slots: 1 } });
    world.sent({});
    world.machine.time.advanceTo(world.machine.time.nowNs + 100 * SECOND_NS);
    const other = descriptor({ at: [[GUEST_MEMORY + PAGE, 1]] });
    expect(said(world.carry(0, FFA_MEM_SHARE_32, other))).toBe('FFA_ERROR NO_MEMORY');
  });

  test('completes too late for pages that were sent otherwise meanwhile', () => {
    const world = new MemoryWorld([{}]);
    const [, handle] = begin(world, VM, 0);
    world.sent({});
    expect(finish(world, VM, 0, handle)).toBe('FFA_ERROR DENIED');
    expect(world.spmc.slots.inUse).toBe(1);
  });
});

describe('sends in fragments under way at once', () => {
  test('of VMs and partitions do not mix, whatever the order', () => {
    const world = new MemoryWorld([{}, {}]);
    const first = begin(world, 3, 0);
    const second = begin(world, 4, 10);
    const own = begin(world, SP1, 0, SP1);
    expect([first, second, own].map((answer) => answer[3])).toEqual([112, 112, 112]);
    expect(own[4]).toBe(0);
    expect(said(world.callAs(SP2, FFA_MEM_FRAG_TX, own[1], 0, 16))).toBe('FFA_ERROR INVALID_PARAMETERS');
    expect(finish(world, SP1, 0, own[1], SP1)).toBe('FFA_SUCCESS_32');
    expect(finish(world, 4, 10, second[1])).toBe('FFA_SUCCESS_32');
    expect(finish(world, 3, 0, first[1])).toBe('FFA_SUCCESS_32');
    for (const [n, handle] of [first[1], second[1]].entries()) {
      world.retrieveFull(SP1, { handle, sender: 3 + n });
      const view = world.rxView(SP1);
      const composite = view.getUint32(52, true);
      const told = [0, 1].map((m) => view.getUint32(composite + 16 + 16 * m, true));
      expect(told).toEqual([0, 2].map((page) => GUEST_MEMORY + (10 * n + page) * PAGE));
      world.release(SP1);
    }
  });
});

describe('a response in fragments', () => {
  test.each(VERSIONS)('to a borrower of %s brings every constituent once', (_name, version) => {
    const world = new MemoryWorld([{}]);
    const at = apart(GUEST_MEMORY, 300);
    const whole = descriptor({ at });
    world.write(HYPERVISOR_TX, whole.subarray(0, PAGE));
    world.call(FFA_MEM_SHARE_32, whole.length, PAGE);
    world.write(HYPERVISOR_TX, whole.subarray(PAGE));
    expect(said(world.call(FFA_MEM_FRAG_TX, 0, 0, whole.length - PAGE, ids(VM, 0)))).toBe('FFA_SUCCESS_32');
    world.speak(SP1, version);
    const answer = world.retrieveFull(SP1, { version, handle: 0 });
    const composite = world.rxView(SP1).getUint32(headerBytes(version) + 4, true);
    expect(answer[1]).toBe(composite + 16 + 16 * 300);
    const addresses: number[] = [];
    const take = (from: number, end: number) => {
      for (let offset = from; offset < end; offset += 16) addresses.push(world.rxView(SP1).getUint32(offset, true));
    };
    take(composite + 16, answer[2]);
    let got = answer[2];
    while (got < answer[1]) {
      world.release(SP1);
      const next = world.callAs(SP1, FFA_MEM_FRAG_RX, 0, 0, got);
      expect(said(next)).toBe('FFA_MEM_FRAG_TX');
      take(0, next[3]);
      got += next[3];
    }
    expect(addresses).toEqual(at.map(([address]) => address));
    world.release(SP1);
    expect(world.relinquish(SP1, 0)).toBe('FFA_SUCCESS_32');
  });

  test('to the hypervisor can be begun again when it was read to its end', () => {
    const world = new MemoryWorld([{}]);
    const whole = descriptor({ at: apart(GUEST_MEMORY, 300) });
    world.write(HYPERVISOR_TX, whole.subarray(0, PAGE));
    world.call(FFA_MEM_SHARE_32, whole.length, PAGE);
    world.write(HYPERVISOR_TX, whole.subarray(PAGE));
    world.call(FFA_MEM_FRAG_TX, 0, 0, whole.length - PAGE, ids(VM, 0));
    for (let round = 0; round < 2; round++) {
      const first = world.carry(0, FFA_MEM_RETRIEVE_REQ_32, descriptor({ sender: 0, handle: 0, to: [] }));
      expect(said(first)).toBe('FFA_MEM_RETRIEVE_RESP');
      world.call(FFA_RX_RELEASE);
      const rest = world.call(FFA_MEM_FRAG_RX, 0, 0, first[2]);
      expect([said(rest), first[2] + rest[3]]).toEqual(['FFA_MEM_FRAG_TX', first[1]]);
      world.call(FFA_RX_RELEASE);
    }
    // One that is not read to its end hinders nobody from taking the memory back.
    world.carry(0, FFA_MEM_RETRIEVE_REQ_32, descriptor({ sender: 0, handle: 0, to: [] }));
    world.call(FFA_RX_RELEASE);
    expect(world.reclaim(0)).toBe('FFA_SUCCESS_32');
  });
});

describe('versions that differ', () => {
  const pairs = VERSIONS.flatMap(([from, sender]) =>
    VERSIONS.map(([to, borrower]) => ({ from, to, sender, borrower })),
  );

  test.each(pairs)('a sender of $from, a borrower of $to', ({ sender, borrower }) => {
    const world = new MemoryWorld([{}, {}]);
    world.speak(SP1, sender);
    world.speak(SP2, borrower);
    const memory = { sender: SP1, to: [[SP2, RW]], at: apart(SP1_IMAGE, 2), tag: 9 } as const;
    const handle = world.sent({ ...memory, version: sender }, FFA_MEM_SHARE_32, SP1);
    const answer = world.retrieveFull(SP2, { version: borrower, sender: SP1, handle, tag: 9 });
    const size = borrower >= FFA_VERSION_1_2 ? 32 : 16;
    expect(answer.slice(1, 3)).toEqual([headerBytes(borrower) + size + 48, headerBytes(borrower) + size + 48]);
    const view = world.rxView(SP2);
    const composite = view.getUint32(headerBytes(borrower) + 4, true);
    expect([view.getUint16(0, true), view.getUint16(headerBytes(borrower), true)]).toEqual([SP1, SP2]);
    expect(view.getUint32(composite + 32, true)).toBe(SP1_IMAGE + 2 * PAGE);
  });
});

describe('an implementation defined value', () => {
  const VALUE = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
  const valued: Memory['patch'] = (view) => {
    for (const [n, byte] of VALUE.entries()) view.setUint8(56 + n, byte);
  };

  test('reaches its borrower of 1.2, who must state it', () => {
    const world = new MemoryWorld([{}]);
    const handle = world.sent({ patch: valued });
    expect(world.retrieve(SP1, { handle })).toBe('FFA_ERROR INVALID_PARAMETERS');
    world.retrieveFull(SP1, { handle, patch: valued });
    expect([...world.rx(SP1, 72)].slice(56)).toEqual(VALUE);
  });

  test.each([
    ['1.1', FFA_VERSION_1_1],
    ['1.0', FFA_VERSION_1_0],
  ])('is nothing that a borrower of %s could state', (_name, version) => {
    const world = new MemoryWorld([{}]);
    const handle = world.sent({ patch: valued });
    world.speak(SP1, version);
    expect(world.retrieve(SP1, { version, handle })).toBe('FFA_MEM_RETRIEVE_RESP');
  });
});

describe('borrowers of both worlds', () => {
  const to = [
    [SP1, RW],
    [9, RO],
  ] as const;

  test('hold until each has relinquished', () => {
    const world = new MemoryWorld([{}]);
    const handle = world.sent({ to });
    const vm = descriptor({ handle, to });
    expect(said(world.carry(0, FFA_MEM_RETRIEVE_REQ_32, vm))).toBe('FFA_MEM_RETRIEVE_RESP');
    world.release(0);
    expect(world.page(0)).toBe(OWNED | STAGE2_SHARED);
    expect(world.retrieve(SP1, { handle, to })).toBe('FFA_MEM_RETRIEVE_RESP');
    expect(world.relinquish(SP1, handle)).toBe('FFA_SUCCESS_32');
    expect(world.reclaim(handle)).toBe('FFA_ERROR DENIED');
    expect(world.relinquish(9, handle, 0, 0)).toBe('FFA_SUCCESS_32');
    expect(world.reclaim(handle)).toBe('FFA_SUCCESS_32');
  });

  test.each([
    ['lend', FFA_MEM_LEND_32, { attributes: 0x2f }],
    ['donate', FFA_MEM_DONATE_32, { attributes: 0, to: [[9, 0]] as const }],
  ])('are not given exclusive memory together (%s)', (_name, functionId, memory) => {
    const world = new MemoryWorld([{}]);
    const bytes = descriptor({ to, at: [[GUEST_MEMORY, 1]], ...memory });
    expect(said(world.carry(0, functionId, bytes))).toBe('FFA_ERROR DENIED');
  });
});

describe('what a borrower may do with a page', () => {
  test.each<[string, number, number, number, number]>([
    // Function, what the sender gives, what the borrower asks, what it gets.
    ['a share, read-write', FFA_MEM_SHARE_32, RW, RW, STAGE2_RW | STAGE2_UNOWNED | STAGE2_SHARED],
    ['a share, asked read-only', FFA_MEM_SHARE_32, RW, RO, 1 | STAGE2_UNOWNED | STAGE2_SHARED],
    ['a share, asked as it comes', FFA_MEM_SHARE_32, RO, 0, 1 | STAGE2_UNOWNED | STAGE2_SHARED],
    ['a lend, not executable', FFA_MEM_LEND_32, RW, RW | 4, STAGE2_RW | STAGE2_UNOWNED],
    ['a lend, executable', FFA_MEM_LEND_32, RW, RW | 8, STAGE2_RWX | STAGE2_UNOWNED],
    ['a lend, read and execute', FFA_MEM_LEND_32, RO, RO | 8, 5 | STAGE2_UNOWNED],
    ['a donation, executable', FFA_MEM_DONATE_32, 0, RW | 8, STAGE2_RWX],
    ['a donation, read-only', FFA_MEM_DONATE_32, 0, RO | 4, 1],
  ])('of %s', (_name, functionId, given, asked, expected) => {
    const world = new MemoryWorld([{}, {}]);
    const attributes = functionId === FFA_MEM_SHARE_32 ? 0x2f : 0;
    const memory = { sender: SP1, attributes, to: [[SP2, given]], at: [[SP1_IMAGE, 1]] } as const;
    const handle = world.sent(memory, functionId, SP1);
    expect(world.retrieve(SP2, { handle, sender: SP1, to: [[SP2, asked]] })).toBe('FFA_MEM_RETRIEVE_RESP');
    expect(world.page(SP2, SP1_IMAGE / PAGE)).toBe(expected);
  });

  test('of a lend to several: each has it as if alone, and the owner not at all', () => {
    const world = new MemoryWorld([{}, {}]);
    const to = [
      [SP1, RW],
      [SP2, RW],
    ] as const;
    const handle = world.sent({ to }, FFA_MEM_LEND_32);
    for (const id of [SP1, SP2]) expect(world.retrieve(id, { handle, to })).toBe('FFA_MEM_RETRIEVE_RESP');
    expect([SP1, SP2].map((id) => world.page(id))).toEqual(
      Array(2).fill(STAGE2_RW | STAGE2_UNOWNED | STAGE2_NON_SECURE),
    );
    expect(world.page(0)).toBe(OWNED | STAGE2_INVALID);
  });
});

describe('device memory', () => {
  const DEVICE = 0x6000_0000;
  const manifest = {
    deviceRegions: [{ baseAddress: DEVICE, pageCount: 2, attributes: REGION_READ | REGION_WRITE }],
  };
  const memory = { sender: SP1, to: [[SP2, RW]], at: [[DEVICE, 1]] } as const;

  test('is lent to one borrower, and stays device memory', () => {
    const world = new MemoryWorld([manifest, {}]);
    const handle = world.sent({ ...memory, attributes: 0 }, FFA_MEM_LEND_32, SP1);
    const request = { handle, sender: SP1, to: [[SP2, RW | 4]] } as const;
    expect(world.retrieve(SP2, { ...request, attributes: 0x2f })).toBe('FFA_ERROR DENIED');
    expect(world.retrieve(SP2, { ...request, attributes: 0x13 })).toBe('FFA_MEM_RETRIEVE_RESP');
    expect(world.page(SP2, DEVICE / PAGE)).toBe(STAGE2_RW | STAGE2_DEVICE | STAGE2_UNOWNED);
  });

  test.each<[string, number, Memory]>([
    ['shared', FFA_MEM_SHARE_32, { attributes: 0x13 }],
    ['donated', FFA_MEM_DONATE_32, { attributes: 0, to: [[SP2, 0]] }],
    [
      'lent to two',
      FFA_MEM_LEND_32,
      {
        attributes: 0x13,
        to: [
          [SP2, RW],
          [SP3, RW],
        ],
      },
    ],
  ])('is not %s', (_name, functionId, how) => {
    const world = new MemoryWorld([manifest, {}, {}]);
    const bytes = descriptor({ ...memory, ...how });
    expect(said(world.carry(SP1, functionId, bytes))).toBe('FFA_ERROR DENIED');
    expect(world.page(SP1, DEVICE / PAGE)).toBe(STAGE2_RW | STAGE2_DEVICE);
  });
});

describe('zeroing', () => {
  test.each<[string, number, number, number, number]>([
    // Flags of the send, of the retrieve, of the relinquish, of the reclaim; each would be the one that zeroes.
    ['when it is lent', 1, 0, 0, 0],
    ['when it is relinquished', 0, 0, 1, 0],
    ['when it is reclaimed', 0, 0, 0, 1],
    ['not because a retrieve says "after relinquish"', 0, 4, 0, 0],
    ['not at all', 0, 0, 0, 0],
  ])('happens %s', (_name, sent, retrieved, relinquished, reclaimed) => {
    const world = new MemoryWorld([{}]);
    const mark = () => world.write(GUEST_MEMORY, new Uint8Array([7]));
    const zero = () => world.read(GUEST_MEMORY, 1)[0] === 0;
    const seen: boolean[] = [];
    mark();
    const handle = world.sent({ attributes: 0, flags: sent }, FFA_MEM_LEND_32);
    seen.push(zero());
    mark();
    world.retrieve(SP1, { handle, flags: retrieved, to: [[SP1, 6]] });
    seen.push(zero());
    mark();
    world.relinquish(SP1, handle, relinquished);
    seen.push(zero());
    mark();
    world.reclaim(handle, reclaimed);
    seen.push(zero());
    expect(seen).toEqual([sent === 1, false, relinquished === 1, reclaimed === 1]);
  });

  test('by a borrower happens when the last of them relinquishes, and not before', () => {
    const world = new MemoryWorld([{}, {}]);
    const to = [
      [SP1, RW],
      [SP2, RW],
    ] as const;
    world.write(GUEST_MEMORY, new Uint8Array([7]));
    const handle = world.sent({ to }, FFA_MEM_LEND_32);
    for (const id of [SP1, SP2]) world.retrieve(id, { handle, to });
    expect(world.relinquish(SP1, handle, 1)).toBe('FFA_SUCCESS_32');
    expect(world.read(GUEST_MEMORY, 1)[0]).toBe(7);
    expect(world.relinquish(SP2, handle, 1)).toBe('FFA_SUCCESS_32');
    expect(world.read(GUEST_MEMORY, 1)[0]).toBe(0);
  });
});
