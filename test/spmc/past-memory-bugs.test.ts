// Bugs of memory management that Hafnium, TF-A and OP-TEE had and fixed: each test would fail with the bug that it
// names (a commit, or a report). What could exist only in their allocators or caches is told by what it led to.

import { describe, expect, test } from 'vitest';
import {
  FFA_ERROR,
  FFA_MEM_DONATE_32,
  FFA_MEM_FRAG_RX,
  FFA_MEM_FRAG_TX,
  FFA_MEM_LEND_32,
  FFA_MEM_RECLAIM,
  FFA_MEM_RELINQUISH,
  FFA_MEM_RETRIEVE_REQ_32,
  FFA_MEM_SHARE_32,
  FFA_RUN,
  FFA_RX_RELEASE,
} from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import { WAIT_TIME } from '../../src/base/coroutine.ts';
import { STAGE2_NON_SECURE, STAGE2_RWX, STAGE2_SHARED } from '../../src/hardware/stage2.ts';
import { lastRefusal, MEMORY_CHECKS, type MemoryCheck } from '../../src/spmc/memory-checks.ts';
import { relinquishDescriptor } from './descriptors.ts';
import { apart, descriptor, headerBytes, type Memory, MemoryWorld, PAGE, VERSIONS, VM } from './memory-world.ts';
import { callWith, GUEST_MEMORY, HYPERVISOR_TX, ids, SP1, SP2, SP3, said } from './small-world.ts';

const RW = 2;
const RO = 1;
const RW_NX = 6;
const SP1_IMAGE = 0x5000_0000;
const OWNED = STAGE2_RWX | STAGE2_NON_SECURE;
const BOTH: Memory = {
  to: [
    [SP1, RW],
    [SP2, RW],
  ],
};

function two(options: ConstructorParameters<typeof MemoryWorld>[1] = {}): MemoryWorld {
  return new MemoryWorld([{}, {}, {}], options);
}

/** A send in fragments of `size` bytes; every answer. */
function sendInFragments(world: MemoryWorld, memory: Memory, size: number, first = size, from = 0): number[][] {
  const bytes = descriptor(memory);
  world.write(world.txOf(from), bytes.subarray(0, first));
  const answers = [world.from(from, FFA_MEM_SHARE_32, bytes.length, first)];
  for (let at = first; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size);
    world.write(world.txOf(from), piece);
    const sender = from === 0 ? ids(memory.sender ?? VM, 0) : 0;
    answers.push(world.from(from, FFA_MEM_FRAG_TX, answers[0][1], answers[0][2], piece.length, sender));
  }
  return answers;
}

describe('Hafnium', () => {
  test('9b23ccde: sends that fail, early or late, use nothing up', () => {
    const world = two({ limits: { slots: 1 } });
    for (let n = 0; n < 500; n++) {
      for (const memory of [{ flags: 4 }, { at: [[0x9000_0000, 1]] }, { sender: SP2 }] as Memory[]) {
        const bytes = descriptor({ at: [[GUEST_MEMORY, 1]], ...memory });
        expect(said(world.carry(0, FFA_MEM_SHARE_32, bytes))).toMatch(/FFA_ERROR (INVALID_PARAMETERS|DENIED)/);
      }
    }
    expect(world.spmc.slots.inUse).toBe(0);
    world.sent({});
  });

  test('d89f5d43: nothing of an answer before is left behind a shorter one in RX', () => {
    const world = two();
    const long = world.sent({ at: apart(GUEST_MEMORY, 200) });
    const short = world.sent({ at: [[GUEST_MEMORY + 600 * PAGE, 1]] });
    world.retrieve(SP1, { handle: long });
    const answer = world.retrieveFull(SP1, { handle: short });
    expect(answer[2]).toBe(112);
    expect([...world.rx(SP1, PAGE)].slice(112).every((byte) => byte === 0)).toBe(true);
  });

  test("4fa4fa73: what follows a short descriptor is not another sender's", () => {
    const world = two({ limits: { receivers: 3 } });
    const full = (view: DataView) => {
      for (const at of [56, 60, 64, 68]) view.setUint32(at, 0xeeee_eeee);
      for (const at of [88, 92, 96, 100]) view.setUint32(at, 0xeeee_eeee);
      for (const at of [120, 124, 128, 132]) view.setUint32(at, 0xeeee_eeee);
    };
    const before = world.sent({
      to: [
        [SP1, RW],
        [SP2, RW],
        [SP3, RW],
      ],
      patch: full,
    });
    expect(world.reclaim(before)).toBe('FFA_SUCCESS_32');
    world.write(HYPERVISOR_TX, new Uint8Array(PAGE).fill(0xee));
    expect(said(world.call(FFA_MEM_SHARE_32, PAGE, PAGE))).toBe('FFA_ERROR INVALID_PARAMETERS');
    // Of three access descriptors of 16 bytes the hypervisor is given 24 bytes in each 32: the last of them lie behind
    // the descriptor's end.
    const to = [
      [SP1, RW],
      [SP2, RW],
      [SP3, RW],
    ] as const;
    const handle = world.sent({ to, emadSize: 16 });
    world.write(HYPERVISOR_TX, descriptor({ sender: 0, handle, to: [] }));
    expect(said(world.call(FFA_MEM_RETRIEVE_REQ_32, 48, 48))).toBe('FFA_MEM_RETRIEVE_RESP');
    expect([...world.rx(0, PAGE)]).not.toContain(0xee);
  });

  test('a283c021: a sender of 1.0 is asked for what follows the bytes that it sent', () => {
    const world = two();
    world.speak(0, FFA_VERSION_1_0);
    const answers = sendInFragments(world, { version: FFA_VERSION_1_0, at: apart(GUEST_MEMORY, 10) }, 64, 96);
    expect(answers.map((answer) => (answer[0] === FFA_MEM_FRAG_RX ? answer[3] : said(answer)))).toEqual([
      96,
      160,
      'FFA_SUCCESS_32',
    ]);
  });

  test.each(VERSIONS)('b446fd89: a borrower of %s finds the region where it is told', (_name, version) => {
    const world = two();
    const handle = world.sent({ at: apart(GUEST_MEMORY, 3) });
    world.speak(SP1, version);
    world.retrieveFull(SP1, { handle, version });
    const view = world.rxView(SP1);
    const composite = view.getUint32(headerBytes(version) + 4, true);
    expect([view.getUint32(composite, true), view.getUint32(composite + 4, true)]).toEqual([3, 3]);
    expect(view.getUint32(composite + 16 + 16, true)).toBe(GUEST_MEMORY + 2 * PAGE);
  });

  test('a334fe7e: every answer to a fragment names the sender', () => {
    const world = two();
    const answers = sendInFragments(world, { at: apart(GUEST_MEMORY, 10) }, 48, 112);
    expect(answers.slice(0, -1).map((answer) => answer[4])).toEqual([ids(VM, 0), ids(VM, 0), ids(VM, 0)]);
    expect(answers.length).toBe(4);
  });

  test('a9d6a31f: two receivers in a fragment that holds one', () => {
    const world = two();
    // The second one lies in TX, behind the fragment.
    const bytes = descriptor({ ...BOTH, at: [[GUEST_MEMORY, 1]], patch: (view) => view.setUint32(52, 96, true) });
    world.write(HYPERVISOR_TX, bytes);
    expect(said(world.call(FFA_MEM_SHARE_32, 112, 112))).toBe('FFA_ERROR INVALID_PARAMETERS');
    world.write(HYPERVISOR_TX, bytes);
    expect(said(world.call(FFA_MEM_SHARE_32, bytes.length, 80))).toBe('FFA_ERROR INVALID_PARAMETERS');
    expect(lastRefusal()).toBe('send: access descriptors within fragment');
  });

  test('13e224e3: nobody executes memory that is non-secure', () => {
    const world = two();
    const handle = world.sent({ attributes: 0 }, FFA_MEM_LEND_32);
    expect(world.retrieve(SP1, { handle, to: [[SP1, RW | 8]] })).toBe('FFA_ERROR INVALID_PARAMETERS');
    const own = world.sent({ sender: SP1, attributes: 0, to: [[SP2, RW]], at: [[SP1_IMAGE, 1]] }, FFA_MEM_LEND_32, SP1);
    expect(world.retrieve(SP2, { handle: own, sender: SP1, to: [[SP2, RW | 8]] })).toBe('FFA_MEM_RETRIEVE_RESP');
  });

  test('c57709a6: what a borrower asked for is not what the sender said', () => {
    const world = two();
    const handle = world.sent({});
    expect(world.retrieve(SP1, { handle, to: [[SP1, RO]] })).toBe('FFA_MEM_RETRIEVE_RESP');
    world.write(HYPERVISOR_TX, descriptor({ sender: 0, handle, to: [] }));
    world.call(FFA_MEM_RETRIEVE_REQ_32, 48, 48);
    expect(world.rx(0, 52)[50]).toBe(RW);
    expect(world.relinquish(SP1, handle)).toBe('FFA_SUCCESS_32');
    expect(world.retrieve(SP1, { handle, to: [[SP1, RW]] })).toBe('FFA_MEM_RETRIEVE_RESP');
  });

  test('c0c8f8cd: the bypass flag is for one of several borrowers', () => {
    const world = two();
    const one = world.sent({});
    expect(world.retrieve(SP1, { handle: one, flags: 0x400 })).toBe('FFA_ERROR INVALID_PARAMETERS');
    const both = world.sent({ ...BOTH, at: [[GUEST_MEMORY + PAGE, 1]] });
    expect(world.retrieve(SP1, { handle: both, flags: 0x400 })).toBe('FFA_MEM_RETRIEVE_RESP');
  });

  test.each(VERSIONS)('c7270b75: the hypervisor retrieves in %s', (_name, version) => {
    const world = two();
    const handle = world.sent({ ...BOTH, tag: 7 });
    world.speak(0, version);
    const request = descriptor({ version, sender: 0, handle, to: [] });
    const answer = world.carry(0, FFA_MEM_RETRIEVE_REQ_32, request);
    expect(said(answer)).toBe('FFA_MEM_RETRIEVE_RESP');
    const view = world.rxView(0);
    const header = headerBytes(version);
    const size = version >= FFA_VERSION_1_2 ? 32 : 16;
    expect(answer[1]).toBe(header + 2 * size + 32);
    expect([view.getUint16(0, true), view.getUint32(28, true)]).toEqual([VM, 2]);
    expect([view.getUint16(header, true), view.getUint16(header + size, true)]).toEqual([SP1, SP2]);
    if (version >= FFA_VERSION_1_1) expect([view.getUint32(24, true), view.getUint32(32, true)]).toEqual([size, 48]);
    expect(view.getUint32(view.getUint32(header + 4, true) + 16, true)).toBe(GUEST_MEMORY);
  });

  test('bd060340: a VM and a partition borrow; each relinquishes for itself', () => {
    const world = two();
    const to = [
      [SP1, RW],
      [9, RW],
    ] as const;
    const handle = world.sent({ to });
    expect(world.retrieve(SP1, { handle, to })).toBe('FFA_MEM_RETRIEVE_RESP');
    expect(said(world.carry(0, FFA_MEM_RETRIEVE_REQ_32, descriptor({ handle, to })))).toBe('FFA_MEM_RETRIEVE_RESP');
    world.release(0);
    expect(world.relinquish(9, handle, 0, 0)).toBe('FFA_SUCCESS_32');
    expect(world.reclaim(handle)).toBe('FFA_ERROR DENIED');
    expect(world.relinquish(SP1, handle)).toBe('FFA_SUCCESS_32');
    expect(world.reclaim(handle)).toBe('FFA_SUCCESS_32');
  });

  test('4b846eb8: who may only read cannot have memory zeroed', () => {
    const world = two();
    world.write(GUEST_MEMORY, new Uint8Array([42]));
    const handle = world.sent({ attributes: 0, to: [[SP1, RO]] }, FFA_MEM_LEND_32);
    expect(world.retrieve(SP1, { handle, to: [[SP1, RO | 4]] })).toBe('FFA_MEM_RETRIEVE_RESP');
    expect(world.relinquish(SP1, handle, 1)).toBe('FFA_ERROR DENIED');
    expect(world.relinquish(SP1, handle)).toBe('FFA_SUCCESS_32');
    expect(world.read(GUEST_MEMORY, 1)[0]).toBe(42);
  });

  test('f06b5236: no receivers, access descriptors of another size, half a header: an error each', () => {
    const world = two();
    const none = descriptor({ at: [[GUEST_MEMORY, 1]], to: [] });
    expect(said(world.carry(0, FFA_MEM_SHARE_32, none))).toBe('FFA_ERROR INVALID_PARAMETERS');
    const handle = world.sent({ emadSize: 16 });
    const empty = descriptor({ handle, to: [] });
    expect(said(world.carry(SP1, FFA_MEM_RETRIEVE_REQ_32, empty))).toBe('FFA_ERROR INVALID_PARAMETERS');
    world.speak(SP1, FFA_VERSION_1_1);
    const wide = descriptor({ handle, version: FFA_VERSION_1_2 });
    expect(said(world.carry(SP1, FFA_MEM_RETRIEVE_REQ_32, wide))).toBe('FFA_ERROR INVALID_PARAMETERS');
    expect(world.retrieve(SP1, { handle, version: FFA_VERSION_1_1 })).toBe('FFA_MEM_RETRIEVE_RESP');
  });

  test('2e14ebe8: what the relinquish says of zeroing wins over what the retrieve said', () => {
    const world = two();
    world.write(GUEST_MEMORY, new Uint8Array([42]));
    const handle = world.sent({ attributes: 0 }, FFA_MEM_LEND_32);
    expect(world.retrieve(SP1, { handle, flags: 4, to: [[SP1, RW_NX]] })).toBe('FFA_MEM_RETRIEVE_RESP');
    expect(world.relinquish(SP1, handle)).toBe('FFA_SUCCESS_32');
    expect(world.read(GUEST_MEMORY, 1)[0]).toBe(42);
    expect(world.retrieve(SP1, { handle, to: [[SP1, RW_NX]] })).toBe('FFA_MEM_RETRIEVE_RESP');
    expect(world.relinquish(SP1, handle, 1)).toBe('FFA_SUCCESS_32');
    expect(world.read(GUEST_MEMORY, 1)[0]).toBe(0);
  });

  test('8457f93f: every page of every constituent is zeroed', () => {
    const world = two();
    const at = [
      [GUEST_MEMORY, 1],
      [GUEST_MEMORY + 4 * PAGE, 3],
      [GUEST_MEMORY + 9 * PAGE, 2],
    ] as const;
    const pages = at.flatMap(([address, count]) => Array.from({ length: count }, (_, n) => address + n * PAGE));
    for (const page of pages) world.write(page + 5, new Uint8Array([9]));
    world.sent({ attributes: 0, flags: 1, at }, FFA_MEM_LEND_32);
    expect(pages.map((page) => world.read(page + 5, 1)[0])).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('788b4492: a partition gives nothing to the normal world for good', () => {
    const world = two();
    const bytes = descriptor({ sender: SP1, attributes: 0, to: [[VM, 0]], at: [[SP1_IMAGE, 1]] });
    expect(said(world.carry(SP1, FFA_MEM_DONATE_32, bytes))).toBe('FFA_ERROR DENIED');
    expect(world.page(SP1, SP1_IMAGE / PAGE)).toBe(STAGE2_RWX);
  });

  test.each<[string, Memory]>([
    [
      'a page twice',
      {
        at: [
          [GUEST_MEMORY, 1],
          [GUEST_MEMORY, 1],
        ],
      },
    ],
    [
      'ranges that overlap, out of order',
      {
        at: [
          [GUEST_MEMORY + 2 * PAGE, 2],
          [GUEST_MEMORY, 3],
        ],
      },
    ],
    ['a total that is none', { at: [[GUEST_MEMORY, 2]], patch: (view) => view.setUint32(80, 1, true) }],
  ])('5952d940: %s', (_name, memory) => {
    const world = two();
    expect(said(world.carry(0, FFA_MEM_SHARE_32, descriptor(memory)))).toBe('FFA_ERROR INVALID_PARAMETERS');
    expect(world.page(0)).toBe(OWNED);
  });

  test.each<[string, number, number, Memory, MemoryCheck]>([
    [
      '2^28 constituents',
      112,
      112,
      { patch: (view) => view.setUint32(84, 0x1000_0001, true) },
      'send: constituents match length',
    ],
    ['an odd length', 128, 120, { at: apart(GUEST_MEMORY, 2) }, 'send: length is whole'],
    ['an odd total', 113, 112, {}, 'send: total is whole'],
    [
      'a composite at 2^32 - 16',
      112,
      112,
      { patch: (view) => view.setUint32(52, 0xffff_fff0, true) },
      'send: composite within fragment',
    ],
    [
      '2^32 - 1 receivers',
      112,
      112,
      { patch: (view) => view.setUint32(28, 0xffff_ffff, true) },
      'send: not too many receivers',
    ],
    [
      'access descriptors at 2^32 - 16',
      112,
      112,
      { patch: (view) => view.setUint32(32, 0xffff_fff0, true) },
      'send: access descriptors within fragment',
    ],
    ['2^32 - 1 pages', 112, 112, { at: [[GUEST_MEMORY, 0xffff_ffff]] }, 'pages: of one kind, and mapped'],
    ['an address at the end of 2^64', 112, 112, { at: [[2 ** 64 - 2 ** 12, 1]] }, 'pages: of one kind, and mapped'],
  ])('d467741c: %s', (_name, total, fragment, memory, check) => {
    const world = two();
    world.write(HYPERVISOR_TX, descriptor({ at: [[GUEST_MEMORY, 1]], ...memory }));
    const answer = world.call(FFA_MEM_SHARE_32, total, fragment);
    expect([said(answer), lastRefusal()]).toEqual([said([FFA_ERROR, 0, MEMORY_CHECKS[check]]), check]);
    expect(world.spmc.slots.inUse).toBe(0);
  });
});

describe('TF-A', () => {
  test('04b47dd94: a request that changes while it is read is read once', () => {
    const world = two();
    const first = world.sent({});
    const second = world.sent({ at: [[GUEST_MEMORY + PAGE, 1]], tag: 1 });
    const bytes = descriptor({ handle: first });
    world.write(world.txOf(SP1), bytes);
    world.program(SP1).behaviour = (context) =>
      context.registers.w(0) === FFA_RUN
        ? callWith(context, FFA_MEM_RETRIEVE_REQ_32, bytes.length, bytes.length)
        : callWith(context, FFA_RX_RELEASE);
    let steps = 0;
    for (let change = 1; change < 6; change++) {
      const handles = steppedRetrieve(world, change, second);
      steps++;
      // Whichever of the two requests was read, it was one of them: the first with its tag, or a wrong tag.
      expect(handles).toMatch(/^(first|refused)$/);
      world.relinquish(SP1, first);
      world.write(world.txOf(SP1), bytes);
    }
    expect(steps).toBe(5);

    /** Retrieves step by step; before step `change` TX names the second handle, with the first one's tag. */
    function steppedRetrieve(on: MemoryWorld, at: number, handle: number): string {
      on.write(on.txOf(SP1), bytes);
      on.pe.stepping = true;
      on.pe.smc.clear();
      on.pe.smc.set4(FFA_RUN, ids(SP1, 0), 0, 0);
      on.program(SP1).behaviour = (context) => {
        if (context.registers.w(0) === FFA_RUN) {
          return callWith(context, FFA_MEM_RETRIEVE_REQ_32, bytes.length, bytes.length);
        }
        on.program(SP1).behaviour = (next) => callWith(next, 0x8400_006b);
        return callWith(context, FFA_RX_RELEASE);
      };
      const pending = on.spmc.smc(on.pe);
      if (pending === null) throw new Error('it goes step by step');
      for (let n = 0; n < at; n++) pending.next();
      on.write(on.txOf(SP1), descriptor({ handle }));
      on.drive(pending);
      on.pe.stepping = false;
      const held = on.page(SP1) !== 0;
      expect(on.page(SP1, GUEST_MEMORY / PAGE + 1)).toBe(0);
      return held ? 'first' : 'refused';
    }
  });

  test('fc4244567: an access descriptor that ends behind the request', () => {
    const world = two();
    const handle = world.sent({});
    for (const length of [79, 72, 64, 49, 48]) {
      world.write(world.txOf(SP1), descriptor({ handle }));
      expect(said(world.callAs(SP1, FFA_MEM_RETRIEVE_REQ_32, length, length))).toBe('FFA_ERROR INVALID_PARAMETERS');
    }
    expect(world.page(SP1)).toBe(0);
  });

  test.each([
    ['beyond the response', 0xffff_f000],
    ['before its first constituent', 16],
    ['0', 0],
  ])('a0bb4403d: a borrower of 1.0 reads on at an offset %s', (_name, offset) => {
    const world = two();
    world.speak(SP1, FFA_VERSION_1_0);
    const answers = sendInFragments(world, { at: apart(GUEST_MEMORY, 300) }, PAGE);
    const handle = answers[0][1];
    world.retrieve(SP1, { handle, version: FFA_VERSION_1_0 });
    expect(said(world.callAs(SP1, FFA_MEM_FRAG_RX, handle, 0, offset))).toBe('FFA_ERROR INVALID_PARAMETERS');
    // Header 32, one access descriptor, composite, and 251 constituents fit: what was sent first are 250 of 300.
    const next = 32 + 16 + 16 + 16 * 250;
    expect(said(world.callAs(SP1, FFA_MEM_FRAG_RX, handle, 0, next))).toBe('FFA_MEM_FRAG_TX');
  });

  test('263561ba1: both receivers of a share of 1.0', () => {
    const world = two();
    for (const id of [0, SP1, SP2]) world.speak(id, FFA_VERSION_1_0);
    const to = [
      [SP1, RO],
      [SP2, RW],
    ] as const;
    const handle = world.sent({ version: FFA_VERSION_1_0, to });
    expect(world.retrieve(SP2, { version: FFA_VERSION_1_0, handle, to })).toBe('FFA_MEM_RETRIEVE_RESP');
    expect(world.retrieve(SP1, { version: FFA_VERSION_1_0, handle, to })).toBe('FFA_MEM_RETRIEVE_RESP');
    expect([world.page(SP1) & 3, world.page(SP2) & 3]).toEqual([1, 3]);
  });

  test.each([0, 2, 3, 0x0800_0001, 0xffff_ffff])('850eba90f: a retrieve with %i receivers', (count) => {
    const world = two();
    const handle = world.sent({});
    for (const id of [0, SP1]) {
      const bytes = descriptor({ handle, patch: (view) => view.setUint32(28, count, true) });
      const answer = said(world.carry(id, FFA_MEM_RETRIEVE_REQ_32, bytes));
      // With none the hypervisor asks for itself, but then names nothing but the handle.
      expect(answer).toBe('FFA_ERROR INVALID_PARAMETERS');
    }
  });

  test('6a4449471: 4 GiB of pages around another constituent overlap it', () => {
    const world = two();
    const at = [
      [0, 0x10_0000],
      [GUEST_MEMORY, 1],
    ] as const;
    expect(said(world.carry(0, FFA_MEM_SHARE_32, descriptor({ at })))).toBe('FFA_ERROR INVALID_PARAMETERS');
  });

  test('c55b519ed: the second of two fragments counts as the first, and the memory is non-secure', () => {
    const world = two();
    const answers = sendInFragments(world, { at: apart(GUEST_MEMORY, 10) }, 160, 112);
    expect(answers.map(said)).toEqual(['FFA_MEM_FRAG_RX', 'FFA_SUCCESS_32']);
    expect(answers[0][3]).toBe(112);
    world.retrieveFull(SP1, { handle: 0 });
    expect(world.rxView(SP1).getUint16(2, true) & 0x40).toBe(0x40);
    expect(world.page(SP1, GUEST_MEMORY / PAGE + 18) & STAGE2_NON_SECURE).toBe(STAGE2_NON_SECURE);
  });

  test.each([
    ['a total near 2^32', 0xffff_fff0, 1],
    ['a count whose bytes wrap around', 112, 0x1000_0001],
    ['both', 0xffff_fff0, 0x0fff_fff9],
  ])('def7590b3: %s', (_name, total, count) => {
    const world = two();
    world.write(
      HYPERVISOR_TX,
      descriptor({ at: [[GUEST_MEMORY, 1]], patch: (view) => view.setUint32(84, count, true) }),
    );
    const answer = said(world.call(FFA_MEM_SHARE_32, total, 112));
    // The last one adds up: a send of 2^32 bytes is begun, and takes no room for what has not come.
    const whole = total === 96 + 16 * count;
    expect(answer).toBe(whole ? 'FFA_MEM_FRAG_RX' : 'FFA_ERROR INVALID_PARAMETERS');
    if (!whole) expect(lastRefusal()).toBe('send: constituents match length');
  });

  test.each([
    ['inside', 1, 2],
    ['around', -1, 6],
    ['the same', 0, 4],
    ['over its beginning', -1, 2],
    ['over its end', 3, 2],
  ])('0dc351866: pages %s of another transaction', (_name, first, count) => {
    const world = two();
    world.sent({ at: [[GUEST_MEMORY + 8 * PAGE, 4]] });
    const bytes = descriptor({ at: [[GUEST_MEMORY + (8 + first) * PAGE, count]] });
    expect(said(world.carry(0, FFA_MEM_SHARE_32, bytes))).toBe('FFA_ERROR DENIED');
  });

  test('c4adbe6e6: what is not whole is not reclaimed, nor relinquished, nor retrieved', () => {
    const world = two();
    const bytes = descriptor({ at: apart(GUEST_MEMORY, 10) });
    world.write(HYPERVISOR_TX, bytes);
    const [, handle] = world.call(FFA_MEM_SHARE_32, bytes.length, 112);
    expect(world.reclaim(handle)).toBe('FFA_ERROR INVALID_PARAMETERS');
    expect(world.relinquish(SP1, handle)).toBe('FFA_ERROR INVALID_PARAMETERS');
    expect(world.retrieve(SP1, { handle })).toBe('FFA_ERROR INVALID_PARAMETERS');
    world.write(HYPERVISOR_TX, bytes.subarray(112));
    const last = world.call(FFA_MEM_FRAG_TX, handle, 0, bytes.length - 112, ids(VM, 0));
    expect(said(last)).toBe('FFA_SUCCESS_32');
  });

  test('ac568b2bc: after a relinquish that fails all goes on', () => {
    const world = two();
    const handle = world.sent({});
    world.retrieve(SP1, { handle });
    expect(world.relinquish(SP1, 50)).toBe('FFA_ERROR INVALID_PARAMETERS');
    const other = world.sent({ at: [[GUEST_MEMORY + PAGE, 1]] });
    expect(world.retrieve(SP1, { handle: other })).toBe('FFA_MEM_RETRIEVE_RESP');
    expect(world.relinquish(SP1, handle)).toBe('FFA_SUCCESS_32');
    expect(world.reclaim(handle)).toBe('FFA_SUCCESS_32');
  });

  test('b4c3621e0: a borrower relinquishes in its own name alone', () => {
    const world = two();
    const handle = world.sent(BOTH);
    for (const id of [SP1, SP2]) expect(world.retrieve(id, { handle, ...BOTH })).toBe('FFA_MEM_RETRIEVE_RESP');
    const bytes = new Uint8Array(20);
    bytes.set(relinquishDescriptor(handle, SP1));
    bytes[12] = 2;
    new DataView(bytes.buffer).setUint16(18, SP2, true);
    world.write(world.txOf(SP1), bytes);
    expect(said(world.callAs(SP1, FFA_MEM_RELINQUISH))).toBe('FFA_ERROR INVALID_PARAMETERS');
    for (const id of [SP1, SP2]) expect(world.relinquish(id, handle)).toBe('FFA_SUCCESS_32');
  });
});

describe('OP-TEE', () => {
  test('5a5377616: every region of an answer has its place', () => {
    const world = two();
    const at = [
      [SP1_IMAGE, 1],
      [SP1_IMAGE + 4 * PAGE, 3],
    ] as const;
    const handle = world.sent({ sender: SP1, to: [[SP2, RW]], at }, FFA_MEM_SHARE_32, SP1);
    world.retrieveFull(SP2, { handle, sender: SP1 });
    const view = world.rxView(SP2);
    const composite = view.getUint32(52, true);
    const told = [0, 1].map((n) => [
      view.getUint32(composite + 16 + 16 * n, true),
      view.getUint32(composite + 24 + 16 * n, true),
    ]);
    expect(told).toEqual(at.map((range) => [...range]));
  });

  test('d7210681d: relinquish, reclaim and a share on two PEs, in every order of their steps', () => {
    const orders = new Set<string>();
    for (let schedule = 0; schedule < 1 << 9; schedule++) {
      const world = two();
      const handle = world.sent({});
      world.retrieve(SP1, { handle });
      world.write(world.txOf(SP1), relinquishDescriptor(handle, SP1));
      world.program(SP1).behaviour = (context) =>
        context.registers.w(0) === FFA_RUN ? callWith(context, FFA_MEM_RELINQUISH) : callWith(context, 0x8400_006b);
      const other = descriptor({ at: [[GUEST_MEMORY, 1]], tag: 1 });
      world.write(HYPERVISOR_TX, other);
      world.pe.stepping = true;
      world.otherPe.stepping = true;
      world.pe.smc.set8(FFA_RUN, ids(SP1, 0));
      world.otherPe.smc.set8(FFA_MEM_RECLAIM, handle, 0);
      const relinquish = world.spmc.smc(world.pe);
      let act = world.spmc.smc(world.otherPe);
      const answers: string[] = [];
      let sharing = false;
      let turn = 0;
      let running = relinquish;
      while (running !== null || act !== null) {
        const second = running === null || (act !== null && ((schedule >> (turn++ % 9)) & 1) === 1);
        if (!second) {
          if (running?.next().done === true) running = null;
          continue;
        }
        const next = act?.next();
        expect(next?.value).not.toBe(WAIT_TIME);
        if (next?.done !== true) continue;
        answers.push(said([world.otherPe.smc.w(0), 0, world.otherPe.smc.w(2)]));
        if (answers[0] === 'FFA_SUCCESS_32' && !sharing) expect(world.page(SP1)).toBe(0);
        // Reclaimed: the page can be shared again at once. Not yet: it is still in the first transaction.
        act = null;
        if (sharing) continue;
        sharing = true;
        world.otherPe.smc.set8(FFA_MEM_SHARE_32, other.length, other.length);
        act = world.spmc.smc(world.otherPe);
      }
      const [reclaimed, shared] = answers;
      expect(shared).toBe(reclaimed === 'FFA_SUCCESS_32' ? 'FFA_SUCCESS_32' : 'FFA_ERROR DENIED');
      expect(world.page(SP1)).toBe(0);
      expect(world.page(0)).toBe(OWNED | STAGE2_SHARED);
      expect(world.spmc.slots.inUse).toBe(1);
      orders.add(reclaimed);
    }
    expect([...orders].sort()).toEqual(['FFA_ERROR DENIED', 'FFA_SUCCESS_32']);
  });

  test.each([0, 1, 2, 3])('cae910171: the page that may not be sent is number %i of four', (bad) => {
    const world = two();
    world.sent({ at: [[GUEST_MEMORY + 2 * bad * PAGE, 1]] });
    const bytes = descriptor({ attributes: 0, at: apart(GUEST_MEMORY, 4) });
    expect(said(world.carry(0, FFA_MEM_LEND_32, bytes))).toBe('FFA_ERROR DENIED');
    const whole = descriptor({ attributes: 0, at: [[GUEST_MEMORY, 8]] });
    expect(said(world.carry(0, FFA_MEM_LEND_32, whole))).toBe('FFA_ERROR DENIED');
  });

  test('5cf2317a1: the second of two receivers gets what is said of it', () => {
    const world = two();
    const to = [
      [SP1, RO],
      [SP2, RW],
    ] as const;
    const handle = world.sent({ to });
    expect(world.retrieve(SP2, { handle, to })).toBe('FFA_MEM_RETRIEVE_RESP');
    expect(world.page(SP2) & 3).toBe(3);
    const more = [
      [SP1, RW],
      [SP2, RW],
    ] as const;
    expect(world.retrieve(SP1, { handle, to: more })).toBe('FFA_ERROR DENIED');
  });

  test.each<[string, number, number]>([
    ['a first fragment of 104 bytes', 104, 16],
    ['a second one of 24', 112, 24],
    ['a second one of 8', 112, 8],
  ])('1ff0a11d2: %s', (_name, first, second) => {
    const world = two();
    const bytes = descriptor({ at: apart(GUEST_MEMORY, 4) });
    world.write(HYPERVISOR_TX, bytes);
    const answer = world.call(FFA_MEM_SHARE_32, bytes.length, first);
    if (first % 16 !== 0) {
      expect(said(answer)).toBe('FFA_ERROR INVALID_PARAMETERS');
      return;
    }
    expect(said(answer)).toBe('FFA_MEM_FRAG_RX');
    const next = world.call(FFA_MEM_FRAG_TX, 0, 0, second, ids(VM, 0));
    expect(said(next)).toBe('FFA_ERROR INVALID_PARAMETERS');
  });

  test.each([
    ['32', 32],
    ['16', 16],
  ])('d45fc1401: a sender of 1.2 with access descriptors of %s bytes, two receivers', (_name, emadSize) => {
    const world = two();
    const handle = world.sent({ ...BOTH, emadSize });
    for (const id of [SP1, SP2])
      expect(world.retrieve(id, { handle, ...BOTH, emadSize })).toBe('FFA_MEM_RETRIEVE_RESP');
  });

  test('a3915ecec: an error stands in w2, and w1 is zero', () => {
    const world = two();
    const handle = world.sent({});
    world.retrieve(SP1, { handle });
    expect(world.call(FFA_MEM_RECLAIM, handle, 0).slice(0, 4)).toEqual([0x8400_0060, 0, -6 >>> 0, 0]);
  });

  test('c354668a3: the answer to a retrieve is in RX, and TX is as it was', () => {
    const world = two();
    const handle = world.sent({});
    const before = [...world.rx(SP1, PAGE)];
    const request = descriptor({ handle });
    world.carry(SP1, FFA_MEM_RETRIEVE_REQ_32, request);
    expect([...world.read(world.txOf(SP1), request.length)]).toEqual([...request]);
    expect([...world.rx(SP1, PAGE)]).not.toEqual(before);
    expect(world.rxView(SP1).getUint16(0, true)).toBe(VM);
  });

  test.each([0, 1, 7, 0x7fff])('5f979c17b: what VM %i shared comes back', (sender) => {
    const world = two();
    const handle = world.sent({ sender });
    expect(world.reclaim(handle)).toBe('FFA_SUCCESS_32');
    expect(world.page(0)).toBe(OWNED);
  });

  test('7f127d42b: more is asked for until all has come, and success is told once', () => {
    const world = two();
    const answers = sendInFragments(world, { at: apart(GUEST_MEMORY, 4) }, 16, 96);
    expect(answers.map((answer) => [said(answer), answer[0] === FFA_MEM_FRAG_RX ? answer[3] : 0])).toEqual([
      ['FFA_MEM_FRAG_RX', 96],
      ['FFA_MEM_FRAG_RX', 112],
      ['FFA_MEM_FRAG_RX', 128],
      ['FFA_MEM_FRAG_RX', 144],
      ['FFA_ERROR INVALID_PARAMETERS', 0],
    ]);
    // Its first fragment had no constituent: Hafnium wants one. With one there it succeeds, at the end alone.
    const again = sendInFragments(world, { at: apart(GUEST_MEMORY, 4) }, 16, 112);
    expect(again.map(said)).toEqual(['FFA_MEM_FRAG_RX', 'FFA_MEM_FRAG_RX', 'FFA_MEM_FRAG_RX', 'FFA_SUCCESS_32']);
  });

  test('c689b8ee5: flags and tag each have their place', () => {
    const world = two();
    const handle = world.sent({ tag: 0x1234 });
    expect(world.retrieve(SP1, { handle, tag: 8, flags: 0x1234 })).toBe('FFA_ERROR INVALID_PARAMETERS');
    expect(world.retrieve(SP1, { handle, tag: 0x1234, flags: 8 })).toBe('FFA_MEM_RETRIEVE_RESP');
  });

  test('6374 of optee_os: a thousand rounds, a failed relinquish in each, leave nothing denied or used', () => {
    const world = two({ limits: { slots: 1 } });
    for (let n = 0; n < 1000; n++) {
      const handle = world.sent({});
      expect(world.retrieve(SP1, { handle })).toBe('FFA_MEM_RETRIEVE_RESP');
      expect(world.relinquish(SP1, handle + 1)).toBe('FFA_ERROR INVALID_PARAMETERS');
      expect(world.relinquish(SP1, handle)).toBe('FFA_SUCCESS_32');
      expect(world.reclaim(handle)).toBe('FFA_SUCCESS_32');
    }
    expect(world.spmc.slots.inUse).toBe(0);
  });
});
