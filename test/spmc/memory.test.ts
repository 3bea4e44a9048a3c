// Memory transactions end to end. The order of single checks is held by recorded answers of a real SPMC elsewhere; here
// is what follows from them for pages, slots and handles.

import { describe, expect, test } from 'vitest';
import {
  FFA_MEM_DONATE_32,
  FFA_MEM_FRAG_RX,
  FFA_MEM_FRAG_TX,
  FFA_MEM_LEND_32,
  FFA_MEM_RECLAIM,
  FFA_MEM_RELINQUISH,
  FFA_MEM_RETRIEVE_REQ_32,
  FFA_MEM_SHARE_32,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_RX_RELEASE,
} from '../../src/abi/function-ids.ts';
import { EXIT_CRASH } from '../../src/hardware/partition-entry.ts';
import {
  STAGE2_INVALID,
  STAGE2_NON_SECURE,
  STAGE2_RW,
  STAGE2_RWX,
  STAGE2_SHARED,
  STAGE2_UNOWNED,
} from '../../src/hardware/stage2.ts';
import { HAFNIUM_PERSONALITY } from '../../src/spmc/personalities/hafnium.ts';
import { RW, RW_NX, relinquishDescriptor, retrieveDescriptor, scattered, sendDescriptor } from './descriptors.ts';
import { GUEST_MEMORY, HYPERVISOR_TX, ids, PAGE, SmallWorld, SP1, SP2, said } from './small-world.ts';

const PAGE_NUMBER = GUEST_MEMORY / PAGE;
const OWNED = STAGE2_RWX | STAGE2_NON_SECURE;

class MemoryWorld extends SmallWorld {
  /** Sends what the bytes say; returns the answer. */
  send(functionId: number, bytes: Uint8Array): number[] {
    this.write(HYPERVISOR_TX, bytes);
    return this.call(functionId, bytes.length, bytes.length);
  }

  /** The same, and the handle that was given. */
  share(options: Parameters<typeof sendDescriptor>[0], functionId = FFA_MEM_SHARE_32): number {
    const answer = this.send(functionId, sendDescriptor(options));
    expect(said(answer)).toBe('FFA_SUCCESS_32');
    return answer[2] + answer[3] * 2 ** 32;
  }

  txOf(id: number): number {
    return this.spmc.partitions[id - SP1].txFrame * PAGE;
  }

  retrieve(id: number, handle: number, sender: number, permissions = RW, more = {}): string {
    const bytes = retrieveDescriptor({ sender, handle, receivers: [{ id, permissions }], ...more });
    this.write(this.txOf(id), bytes);
    const answer = said(this.callAs(id, FFA_MEM_RETRIEVE_REQ_32, bytes.length, bytes.length));
    this.callAs(id, FFA_RX_RELEASE);
    return answer;
  }

  relinquish(id: number, handle: number, flags = 0): string {
    this.write(this.txOf(id), relinquishDescriptor(handle, id, flags));
    return said(this.callAs(id, FFA_MEM_RELINQUISH));
  }

  reclaim(handle: number, flags = 0): string {
    return said(this.call(FFA_MEM_RECLAIM, handle >>> 0, Math.floor(handle / 2 ** 32), flags));
  }

  /** Attributes of a page in the normal world's table (0) or a partition's; 0: not there. */
  attributes(endpoint: number, page = PAGE_NUMBER): number {
    const { pages } = endpoint === 0 ? this.spmc.normalWorld : this.spmc.partitions[endpoint - SP1];
    return pages.translate(page) < 0 ? 0 : pages.attributes;
  }
}

const ONE_PAGE = { sender: 3, receivers: [{ id: SP1, permissions: RW }], constituents: [[GUEST_MEMORY, 1]] } as const;

describe('a page', () => {
  test('that is shared is accessible to both until it is relinquished and reclaimed', () => {
    const world = new MemoryWorld();
    const handle = world.share(ONE_PAGE);
    expect([world.attributes(0), world.attributes(SP1)]).toEqual([OWNED | STAGE2_SHARED, 0]);
    expect(world.retrieve(SP1, handle, 3)).toBe('FFA_MEM_RETRIEVE_RESP');
    expect(world.attributes(SP1)).toBe(STAGE2_RW | STAGE2_UNOWNED | STAGE2_SHARED | STAGE2_NON_SECURE);
    expect(world.reclaim(handle)).toBe('FFA_ERROR DENIED');
    expect(world.relinquish(SP1, handle)).toBe('FFA_SUCCESS_32');
    expect(world.attributes(SP1)).toBe(0);
    expect(world.reclaim(handle)).toBe('FFA_SUCCESS_32');
    expect(world.attributes(0)).toBe(OWNED);
    expect(world.reclaim(handle)).toBe('FFA_ERROR INVALID_PARAMETERS');
    expect(world.spmc.slots.inUse).toBe(0);
  });

  test("that is lent is its borrower's alone, and the owner keeps its claim", () => {
    const world = new MemoryWorld();
    const handle = world.share({ ...ONE_PAGE, attributes: 0 }, FFA_MEM_LEND_32);
    expect(world.attributes(0)).toBe(OWNED | STAGE2_INVALID);
    expect(world.retrieve(SP1, handle, 3, RW_NX)).toBe('FFA_MEM_RETRIEVE_RESP');
    expect(world.attributes(SP1)).toBe(STAGE2_RW | STAGE2_UNOWNED | STAGE2_NON_SECURE);
    expect(world.relinquish(SP1, handle)).toBe('FFA_SUCCESS_32');
    expect(world.reclaim(handle)).toBe('FFA_SUCCESS_32');
    expect(world.attributes(0)).toBe(OWNED);
  });

  test('that is donated changes its owner for good, and its handle is dead', () => {
    const world = new MemoryWorld();
    const donation = { ...ONE_PAGE, attributes: 0, receivers: [{ id: SP1, permissions: 0 }] };
    const handle = world.share(donation, FFA_MEM_DONATE_32);
    expect(world.attributes(0)).toBe(0);
    expect(world.retrieve(SP1, handle, 3, RW_NX)).toBe('FFA_MEM_RETRIEVE_RESP');
    expect(world.attributes(SP1)).toBe(STAGE2_RW | STAGE2_NON_SECURE);
    expect(world.reclaim(handle)).toBe('FFA_ERROR INVALID_PARAMETERS');
    expect(world.spmc.slots.inUse).toBe(0);
  });

  test('that is donated and not yet retrieved can be taken back', () => {
    const world = new MemoryWorld();
    const donation = { ...ONE_PAGE, attributes: 0, receivers: [{ id: SP1, permissions: 0 }] };
    const handle = world.share(donation, FFA_MEM_DONATE_32);
    expect(world.reclaim(handle)).toBe('FFA_SUCCESS_32');
    expect(world.attributes(0)).toBe(OWNED);
  });

  test('that is shared already cannot be sent again, by itself or among others, and nothing changes', () => {
    const world = new MemoryWorld();
    world.share(ONE_PAGE);
    for (const constituents of [
      [[GUEST_MEMORY, 1]],
      [
        [GUEST_MEMORY, 1],
        [GUEST_MEMORY + 2 * PAGE, 1],
      ],
    ] as const) {
      const answer = world.send(FFA_MEM_SHARE_32, sendDescriptor({ ...ONE_PAGE, constituents }));
      expect(said(answer)).toBe('FFA_ERROR DENIED');
    }
    expect(world.attributes(0, PAGE_NUMBER + 2)).toBe(OWNED);
    expect(world.spmc.slots.inUse).toBe(1);
  });

  test('of a partition cannot be sent by the normal world', () => {
    const world = new MemoryWorld();
    const constituents = [[0x5000_0000, 1]] as const;
    const answer = world.send(FFA_MEM_SHARE_32, sendDescriptor({ ...ONE_PAGE, constituents }));
    expect(said(answer)).toBe('FFA_ERROR DENIED');
  });

  test('that is lent with the zero flag reads zero, and so does one that is reclaimed with it', () => {
    const world = new MemoryWorld();
    const secret = new Uint8Array([1, 2, 3]);
    world.write(GUEST_MEMORY, secret);
    const handle = world.share({ ...ONE_PAGE, attributes: 0, flags: 1 }, FFA_MEM_LEND_32);
    expect([...world.read(GUEST_MEMORY, 3)]).toEqual([0, 0, 0]);
    world.write(GUEST_MEMORY, secret);
    expect(world.reclaim(handle, 1)).toBe('FFA_SUCCESS_32');
    expect([...world.read(GUEST_MEMORY, 3)]).toEqual([0, 0, 0]);
  });
});

describe('several borrowers', () => {
  const shared = {
    ...ONE_PAGE,
    receivers: [
      { id: SP1, permissions: RW },
      { id: SP2, permissions: RW },
    ],
  };

  test('hold a page until the last of them relinquishes it', () => {
    const world = new MemoryWorld([{}, {}]);
    const handle = world.share(shared);
    for (const id of [SP1, SP2]) {
      expect(world.retrieve(id, handle, 3, RW, { receivers: shared.receivers })).toBe('FFA_MEM_RETRIEVE_RESP');
    }
    expect(world.relinquish(SP1, handle)).toBe('FFA_SUCCESS_32');
    expect(world.reclaim(handle)).toBe('FFA_ERROR DENIED');
    expect(world.relinquish(SP2, handle)).toBe('FFA_SUCCESS_32');
    expect(world.reclaim(handle)).toBe('FFA_SUCCESS_32');
  });

  test('and one who is not among them', () => {
    const world = new MemoryWorld([{}, {}]);
    const handle = world.share(ONE_PAGE);
    expect(world.retrieve(SP2, handle, 3)).toBe('FFA_ERROR INVALID_PARAMETERS');
    expect(world.relinquish(SP2, handle)).toBe('FFA_ERROR INVALID_PARAMETERS');
  });

  test('beyond the limit are refused, within a raised limit not', () => {
    const three = { ...shared, receivers: [...shared.receivers, { id: 0x8003, permissions: RW }] };
    const partitions = [{}, {}, {}];
    expect(said(new MemoryWorld(partitions).send(FFA_MEM_SHARE_32, sendDescriptor(three)))).toBe(
      'FFA_ERROR INVALID_PARAMETERS',
    );
    const wide = new MemoryWorld(partitions, { limits: { receivers: 3 } });
    expect(said(wide.send(FFA_MEM_SHARE_32, sendDescriptor(three)))).toBe('FFA_SUCCESS_32');
  });
});

describe('fragments', () => {
  const pages = scattered(GUEST_MEMORY, 300);
  const whole = sendDescriptor({ ...ONE_PAGE, constituents: pages });
  const FIRST = PAGE;

  test('complete a send, and a response that does not fit into RX is read in fragments', () => {
    const world = new MemoryWorld();
    world.write(HYPERVISOR_TX, whole.subarray(0, FIRST));
    const asked = world.call(FFA_MEM_SHARE_32, whole.length, FIRST);
    expect(asked.slice(0, 5)).toEqual([FFA_MEM_FRAG_RX, 0, 0, FIRST, ids(3, 0)]);
    expect(world.attributes(0)).toBe(OWNED);
    world.write(HYPERVISOR_TX, whole.subarray(FIRST));
    expect(said(world.call(FFA_MEM_FRAG_TX, 0, 0, whole.length - FIRST, ids(3, 0)))).toBe('FFA_SUCCESS_32');
    expect(world.attributes(0, PAGE_NUMBER + 598)).toBe(OWNED | STAGE2_SHARED);

    const request = retrieveDescriptor({ sender: 3, handle: 0, receivers: [{ id: SP1, permissions: RW }] });
    world.write(world.txOf(SP1), request);
    const response = world.callAs(SP1, FFA_MEM_RETRIEVE_REQ_32, request.length, request.length);
    expect(response.slice(1, 3)).toEqual([whole.length, FIRST]);
    world.callAs(SP1, FFA_RX_RELEASE);
    expect(world.relinquish(SP1, 0)).toBe('FFA_ERROR INVALID_PARAMETERS');
    expect(said(world.callAs(SP1, FFA_MEM_FRAG_RX, 0, 0, FIRST - 16))).toBe('FFA_ERROR INVALID_PARAMETERS');
    const rest = world.callAs(SP1, FFA_MEM_FRAG_RX, 0, 0, FIRST);
    expect(rest.slice(0, 4)).toEqual([FFA_MEM_FRAG_TX, 0, 0, whole.length - FIRST]);
    const rx = world.read(world.spmc.partitions[0].rxFrame * PAGE, rest[3]);
    expect([...rx]).toEqual([...whole.subarray(FIRST)]);
    expect(world.relinquish(SP1, 0)).toBe('FFA_SUCCESS_32');
    expect(world.reclaim(0)).toBe('FFA_SUCCESS_32');
    expect(world.attributes(0, PAGE_NUMBER + 598)).toBe(OWNED);
  });

  test('beyond the limit end the send: its slot is free again', () => {
    const world = new MemoryWorld([{}], { limits: { fragments: 2 } });
    world.write(HYPERVISOR_TX, whole.subarray(0, FIRST));
    world.call(FFA_MEM_SHARE_32, whole.length, FIRST);
    expect(said(world.call(FFA_MEM_FRAG_TX, 0, 0, 16, ids(3, 0)))).toBe('FFA_MEM_FRAG_RX');
    expect(said(world.call(FFA_MEM_FRAG_TX, 0, 0, 16, ids(3, 0)))).toBe('FFA_ERROR NO_MEMORY');
    expect(world.spmc.slots.inUse).toBe(0);
  });

  test('that stop coming leave a slot in use and all pages with their owner', () => {
    const world = new MemoryWorld();
    world.write(HYPERVISOR_TX, whole.subarray(0, FIRST));
    world.call(FFA_MEM_SHARE_32, whole.length, FIRST);
    expect(world.reclaim(0)).toBe('FFA_ERROR INVALID_PARAMETERS');
    expect([world.spmc.slots.inUse, world.attributes(0)]).toEqual([1, OWNED]);
  });
});

describe('handles', () => {
  test('are slot numbers, the lowest free one first', () => {
    const world = new MemoryWorld();
    const at = (n: number) => ({ ...ONE_PAGE, constituents: [[GUEST_MEMORY + n * PAGE, 1]] as const });
    expect([0, 1, 2].map((n) => world.share(at(n)))).toEqual([0, 1, 2]);
    world.reclaim(1);
    expect(world.share(at(3))).toBe(1);
    expect(world.share(at(4))).toBe(3);
  });

  test.each([
    ['counting', [0xffffffc0, 0xffffffc1]],
    ['guest', [0x1000_0003_0000, 0x1000_0003_0000]],
  ] as const)('of the shape %s', (handleShape, expected) => {
    const world = new MemoryWorld([{}], { personality: { ...HAFNIUM_PERSONALITY, handleShape } });
    for (const handle of expected) {
      expect(world.share(ONE_PAGE)).toBe(handle);
      expect(world.retrieve(SP1, handle, 3)).toBe('FFA_MEM_RETRIEVE_RESP');
      expect(world.relinquish(SP1, handle)).toBe('FFA_SUCCESS_32');
      expect(world.reclaim(handle)).toBe('FFA_SUCCESS_32');
      expect(world.reclaim(handle)).toBe('FFA_ERROR INVALID_PARAMETERS');
    }
  });

  test('run out: NO_MEMORY, and nothing has changed', () => {
    const world = new MemoryWorld([{}], { limits: { slots: 1 } });
    world.share(ONE_PAGE);
    const next = sendDescriptor({ ...ONE_PAGE, constituents: [[GUEST_MEMORY + PAGE, 1]] });
    expect(said(world.send(FFA_MEM_SHARE_32, next))).toBe('FFA_ERROR NO_MEMORY');
    expect(world.attributes(0, PAGE_NUMBER + 1)).toBe(OWNED);
    world.reclaim(0);
    expect(said(world.send(FFA_MEM_SHARE_32, next))).toBe('FFA_SUCCESS_32');
  });
});

describe('between the worlds', () => {
  const fromPartition = {
    sender: SP1,
    receivers: [{ id: SP2, permissions: RW }],
    constituents: [[0x5000_0000, 1]],
  } as const;

  test('what a partition shared is not reclaimed, continued or relinquished by the normal world', () => {
    const world = new MemoryWorld([{}, {}]);
    const bytes = sendDescriptor(fromPartition);
    world.write(world.txOf(SP1), bytes);
    expect(said(world.callAs(SP1, FFA_MEM_SHARE_32, bytes.length, bytes.length))).toBe('FFA_SUCCESS_32');
    expect(world.retrieve(SP2, 0, SP1)).toBe('FFA_MEM_RETRIEVE_RESP');
    expect(world.reclaim(0)).toBe('FFA_ERROR DENIED');
    expect(said(world.call(FFA_MEM_FRAG_TX, 0, 0, 16, ids(SP1, 0)))).toBe('FFA_ERROR INVALID_PARAMETERS');
    world.write(HYPERVISOR_TX, relinquishDescriptor(0, SP2));
    expect(said(world.call(FFA_MEM_RELINQUISH))).toBe('FFA_ERROR INVALID_PARAMETERS');
    expect(world.attributes(SP2, 0x50000)).toBe(STAGE2_RW | STAGE2_UNOWNED | STAGE2_SHARED);
  });

  test('a partition gives nothing to the normal world', () => {
    const world = new MemoryWorld([{}, {}]);
    for (const functionId of [FFA_MEM_SHARE_32, FFA_MEM_LEND_32, FFA_MEM_DONATE_32]) {
      const bytes = sendDescriptor({ ...fromPartition, receivers: [{ id: 3, permissions: RW }] });
      world.write(world.txOf(SP1), bytes);
      expect(said(world.callAs(SP1, functionId, bytes.length, bytes.length))).toBe('FFA_ERROR DENIED');
    }
  });

  test('the hypervisor reads what a VM sent, and holds nothing by it', () => {
    const world = new MemoryWorld();
    const handle = world.share({ ...ONE_PAGE, tag: 5 });
    const request = new Uint8Array(48);
    new DataView(request.buffer).setUint32(8, handle, true);
    world.write(HYPERVISOR_TX, request);
    expect(said(world.call(FFA_MEM_RETRIEVE_REQ_32, 48, 48))).toBe('FFA_MEM_RETRIEVE_RESP');
    expect(world.reclaim(handle)).toBe('FFA_SUCCESS_32');
  });
});

describe('a partition that crashes', () => {
  test.each([
    [false, 'FFA_ERROR DENIED'],
    [true, 'FFA_SUCCESS_32'],
  ])('(freesOnAbort %s): what it held', (freesOnAbort, expected) => {
    const world = new MemoryWorld([{}], { personality: { ...HAFNIUM_PERSONALITY, freesOnAbort } });
    const handle = world.share(ONE_PAGE);
    world.retrieve(SP1, handle, 3);
    world.program(SP1).behaviour = () => EXIT_CRASH;
    expect(said(world.call(FFA_MSG_SEND_DIRECT_REQ_32, SP1))).toBe('FFA_ERROR ABORTED');
    expect(world.attributes(SP1) === 0).toBe(freesOnAbort);
    expect(world.reclaim(handle)).toBe(expected);
  });
});

describe('reset', () => {
  test('leaves nothing behind', () => {
    const world = new MemoryWorld([{}], { personality: { ...HAFNIUM_PERSONALITY, handleShape: 'counting' } });
    const handle = world.share(ONE_PAGE);
    world.retrieve(SP1, handle, 3);
    world.machine.frames.reset();
    world.spmc.reset();
    world.boot();
    expect([world.attributes(0), world.attributes(SP1), world.spmc.slots.inUse]).toEqual([OWNED, 0, 0]);
    expect(world.reclaim(handle)).toBe('FFA_ERROR INVALID_PARAMETERS');
    expect(world.share(ONE_PAGE)).toBe(handle);
  });
});
