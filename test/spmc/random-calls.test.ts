// Random calls of both worlds, with descriptors that are nearly right: no exception, and a call that fails changes
// nothing: no page, no slot, no buffer.

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
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_MSG_SEND2,
  FFA_MSG_WAIT,
  FFA_NOTIFICATION_BIND,
  FFA_NOTIFICATION_BITMAP_CREATE,
  FFA_NOTIFICATION_GET,
  FFA_NOTIFICATION_SET,
  FFA_PARTITION_INFO_GET,
  FFA_RX_ACQUIRE,
  FFA_RX_RELEASE,
  FFA_RXTX_MAP_64,
  FFA_RXTX_UNMAP,
} from '../../src/abi/function-ids.ts';
import { relinquishDescriptor, retrieveDescriptor, sendDescriptor } from './descriptors.ts';
import {
  type Behaviour,
  callWith,
  GUEST_MEMORY,
  HYPERVISOR_TX,
  ids,
  PAGE,
  SmallWorld,
  SP1,
  SP2,
} from './small-world.ts';

const IDS = [0, 1, 2, SP1, SP2, 0x8000, 0x8009, 0xffff];
const CALLS = [
  FFA_MEM_SHARE_32,
  FFA_MEM_LEND_32,
  FFA_MEM_DONATE_32,
  FFA_MEM_RETRIEVE_REQ_32,
  FFA_MEM_RETRIEVE_REQ_32,
  FFA_MEM_RELINQUISH,
  FFA_MEM_RECLAIM,
  FFA_MEM_FRAG_TX,
  FFA_MEM_FRAG_RX,
  FFA_RX_RELEASE,
  FFA_RX_RELEASE,
  FFA_RX_ACQUIRE,
  FFA_RXTX_MAP_64,
  FFA_RXTX_UNMAP,
  FFA_MSG_SEND2,
  FFA_PARTITION_INFO_GET,
  FFA_NOTIFICATION_BITMAP_CREATE,
  FFA_NOTIFICATION_BIND,
  FFA_NOTIFICATION_SET,
  FFA_NOTIFICATION_GET,
  FFA_MSG_SEND_DIRECT_REQ_32,
];

class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed;
  }

  below(bound: number): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.state / 2 ** 32) * bound);
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
}

/** A descriptor for the call, mostly right; a byte of it is changed now and then. */
function descriptor(random: Random, functionId: number, caller: number): Uint8Array {
  const wild = random.below(8) === 0;
  const single = functionId === FFA_MEM_DONATE_32 || random.below(2) === 0;
  const partners = [SP1, SP2].filter((id) => id !== caller);
  const permissions = permissionsFor(functionId, single);
  const listed = functionId === FFA_MEM_RETRIEVE_REQ_32 ? [caller] : single ? [random.of(partners)] : partners;
  const receivers = listed.map((id) => ({ id: wild ? random.of(IDS) : id, permissions: random.of(permissions) }));
  const self = caller === 0 ? 1 : caller;
  const sender = wild ? random.of(IDS) : functionId === FFA_MEM_RETRIEVE_REQ_32 ? random.of([1, SP1, SP2]) : self;
  const untyped = functionId === FFA_MEM_RETRIEVE_REQ_32 || functionId === FFA_MEM_DONATE_32;
  const attributes = untyped || (functionId === FFA_MEM_LEND_32 && receivers.length === 1) ? 0 : 0x2f;
  const common = { sender, receivers, handle: random.below(4), attributes };
  let bytes: Uint8Array;
  if (functionId === FFA_MEM_RETRIEVE_REQ_32) bytes = retrieveDescriptor(common);
  else if (functionId === FFA_MEM_RELINQUISH)
    bytes = relinquishDescriptor(random.below(4), wild ? random.of(IDS) : caller);
  else {
    const constituents = Array.from({ length: 1 + random.below(3) }, () => {
      const own = caller === 0 ? GUEST_MEMORY : 0x5000_0000 + (caller - SP1) * 0x10_0000;
      const base = wild ? random.of([GUEST_MEMORY, 0x5000_0000, 0x5010_0000]) : own;
      return [base + random.below(6) * PAGE, 1 + random.below(2)] as const;
    });
    bytes = sendDescriptor({ ...common, handle: 0, constituents, flags: random.of([0, 0, 0, 1]) });
  }
  if (random.below(10) === 0) bytes[random.below(bytes.length)] = random.below(256);
  return bytes;
}

function permissionsFor(functionId: number, single: boolean): readonly number[] {
  if (functionId === FFA_MEM_DONATE_32) return [0, 0, 0, 1];
  return functionId === FFA_MEM_RETRIEVE_REQ_32 ? (single ? [1, 2] : [5, 6]) : [1, 2, 2, 3];
}

/** Answers requests, and otherwise waits. */
const serves: Behaviour = (context) => {
  const w1 = context.registers.w(1);
  if (context.registers.w(0) !== FFA_MSG_SEND_DIRECT_REQ_32) return callWith(context, FFA_MSG_WAIT);
  return callWith(context, FFA_MSG_SEND_DIRECT_RESP_32, ids(w1 & 0xffff, w1 >>> 16));
};

/** All that a failed call must leave alone. */
function state(world: SmallWorld): string {
  const { spmc } = world;
  const parts: unknown[] = [spmc.slots.transactions.map((slot) => [slot.inUse, slot.inUse && slot.held])];
  for (const endpoint of [spmc.normalWorld, ...spmc.partitions]) {
    parts.push(endpoint.rx, endpoint.txFrame);
    for (const base of [GUEST_MEMORY, 0x5000_0000, 0x5010_0000]) {
      for (let n = 0; n < 8; n++) {
        parts.push(endpoint.pages.translate(base / PAGE + n) < 0 ? -1 : endpoint.pages.attributes);
      }
    }
  }
  return JSON.stringify(parts);
}

/** Ends a fragmented send: the one failure that does change something, for the slot becomes free. */
const ENDS_A_SEND = FFA_MEM_FRAG_TX;

describe('random calls', () => {
  test.each([1, 2, 3, 4, 5, 6])('with seed %i', (seed) => {
    const random = new Random(seed);
    const world = new SmallWorld([{ notificationSupport: true }, {}], { limits: { slots: 12, fragments: 3 } });
    for (const program of world.programs) program.behaviour = serves;
    let succeeded = 0;
    for (let n = 0; n < 3000; n++) {
      const functionId = random.of(CALLS);
      const caller = random.of([0, SP1, SP2]);
      const bytes = descriptor(random, functionId, caller);
      const partition = world.spmc.partitionById.get(caller);
      const tx = partition === undefined ? HYPERVISOR_TX : partition.txFrame * PAGE;
      if (tx >= 0) world.write(tx, bytes);
      const first = random.below(60) === 0 ? 64 + 16 * random.below(4) : bytes.length;
      const words = words1to4(random, functionId, bytes.length, first);
      const before = state(world);
      const answer = caller === 0 ? world.call(functionId, ...words) : world.callAs(caller, functionId, ...words);
      if (answer.length > 0 && answer[0] !== FFA_ERROR) succeeded++;
      else if (answer.length > 0 && functionId !== ENDS_A_SEND) expect(state(world)).toBe(before);
    }
    expect(succeeded).toBeGreaterThan(200);
  });
});

function words1to4(random: Random, functionId: number, total: number, first: number): number[] {
  switch (functionId) {
    case FFA_MEM_SHARE_32:
    case FFA_MEM_LEND_32:
    case FFA_MEM_DONATE_32:
      return [total, Math.min(total, first), 0, 0];
    case FFA_MEM_RETRIEVE_REQ_32:
      return [total, total, 0, 0];
    case FFA_MEM_RECLAIM:
      return [random.below(4), 0, random.below(2)];
    case FFA_MEM_FRAG_TX:
      return [random.below(3), 0, 16 * random.below(4), 0];
    case FFA_MEM_FRAG_RX:
      return [random.below(3), 0, 16 * random.below(12), 0];
    case FFA_RXTX_MAP_64:
      return [GUEST_MEMORY + random.below(8) * PAGE, GUEST_MEMORY + random.below(8) * PAGE, random.below(3)];
    case FFA_RXTX_UNMAP:
      return [ids(random.of([1, 2, SP1, SP2]), 0)];
    case FFA_RX_RELEASE:
    case FFA_PARTITION_INFO_GET:
      return [];
    default:
      return [ids(random.of(IDS), random.of(IDS)), random.below(4), random.below(4), random.below(4)];
  }
}
