// Calls in steps: where a call stands still for others to go on, what it announces, and that nothing depends on it.

import { describe, expect, test } from 'vitest';
import {
  FFA_MEM_RECLAIM,
  FFA_MEM_SHARE_32,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_MSG_WAIT,
  FFA_PARTITION_INFO_GET,
  FFA_SUCCESS_32,
} from '../../src/abi/function-ids.ts';
import { TOUCH_FRAME } from '../../src/base/announcement.ts';
import { WAIT_STEP } from '../../src/base/coroutine.ts';
import type { Pe } from '../../src/hardware/pe.ts';
import { VCPU_WAITING } from '../../src/spmc/partition.ts';
import { RW, sendDescriptor } from './descriptors.ts';
import { callWith, GUEST_MEMORY, HYPERVISOR_TX, ids, PAGE, SmallWorld, SP1, said } from './small-world.ts';

function start(world: SmallWorld, pe: Pe, ...words: number[]) {
  pe.smc.clear();
  for (const [n, word] of words.entries()) pe.smc.setW(n, word);
  pe.stepping = true;
  const call = world.spmc.smc(pe);
  if (call === null) throw new Error('a call in steps is a coroutine');
  return call;
}

function share(address: number): Uint8Array {
  return sendDescriptor({ sender: 3, receivers: [{ id: SP1, permissions: RW }], constituents: [[address, 1]] });
}

describe('a call in steps', () => {
  test('stands still before it reads TX and before it acts', () => {
    const world = new SmallWorld();
    const bytes = share(GUEST_MEMORY);
    world.write(HYPERVISOR_TX, bytes);
    const call = start(world, world.pe, FFA_MEM_SHARE_32, bytes.length, bytes.length);
    expect(call.next().value).toBe(WAIT_STEP);
    expect([world.pe.announcement.kinds[0], world.pe.announcement.ids[0]]).toEqual([TOUCH_FRAME, HYPERVISOR_TX / PAGE]);
    expect(call.next().value).toBe(WAIT_STEP);
    expect(world.spmc.slots.inUse).toBe(0);
    expect(call.next().done).toBe(true);
    expect([world.pe.smc.w(0), world.spmc.slots.inUse]).toEqual([FFA_SUCCESS_32, 1]);
  });

  test('uses what it read once, whatever is written to TX meanwhile', () => {
    const world = new SmallWorld();
    const bytes = share(GUEST_MEMORY);
    world.write(HYPERVISOR_TX, bytes);
    const call = start(world, world.pe, FFA_MEM_SHARE_32, bytes.length, bytes.length);
    call.next();
    call.next();
    world.write(HYPERVISOR_TX, share(GUEST_MEMORY + 8 * PAGE));
    call.next();
    const { pages } = world.spmc.normalWorld;
    pages.translate(GUEST_MEMORY / PAGE);
    const shared = pages.attributes;
    pages.translate(GUEST_MEMORY / PAGE + 8);
    expect(shared).not.toBe(pages.attributes);
  });

  test('of two PEs that share one page: one of them gets it, in either order', () => {
    for (const order of [
      [0, 0, 0, 1, 1, 1],
      [0, 1, 0, 1, 0, 1],
      [1, 0, 0, 1, 1, 0],
    ]) {
      const world = new SmallWorld();
      const bytes = share(GUEST_MEMORY);
      world.write(HYPERVISOR_TX, bytes);
      const pes = [world.pe, world.otherPe];
      const calls = pes.map((pe) => start(world, pe, FFA_MEM_SHARE_32, bytes.length, bytes.length));
      for (const n of order) calls[n].next();
      const answers = pes.map((pe) => said([pe.smc.w(0), 0, pe.smc.w(2)]));
      expect(answers.sort()).toEqual(['FFA_ERROR DENIED', 'FFA_SUCCESS_32']);
      expect(world.spmc.slots.inUse).toBe(1);
    }
  });

  test('of two PEs that call one partition: the second is BUSY while the first is served', () => {
    const world = new SmallWorld();
    world.program(SP1).behaviour = (context) => callWith(context, FFA_MSG_SEND_DIRECT_RESP_32, ids(SP1, 0), 0, 5);
    const first = start(world, world.pe, FFA_MSG_SEND_DIRECT_REQ_32, ids(0, SP1));
    first.next();
    first.next();
    const second = start(world, world.otherPe, FFA_MSG_SEND_DIRECT_REQ_32, ids(0, SP1));
    world.drive(second, world.otherPe);
    expect(said([world.otherPe.smc.w(0), 0, world.otherPe.smc.w(2)])).toBe('FFA_ERROR BUSY');
    world.drive(first);
    expect([world.pe.smc.w(0), world.pe.smc.w(3)]).toEqual([FFA_MSG_SEND_DIRECT_RESP_32, 5]);
  });

  test('answers as the same call at once does', () => {
    const answers = [false, true].map((stepping) => {
      const world = new SmallWorld();
      world.program(SP1).behaviour = (context) => callWith(context, FFA_MSG_SEND_DIRECT_RESP_32, ids(SP1, 0), 0, 5);
      world.pe.stepping = stepping;
      const bytes = share(GUEST_MEMORY);
      world.write(HYPERVISOR_TX, bytes);
      return [
        world.call(FFA_MEM_SHARE_32, bytes.length, bytes.length),
        world.call(FFA_MEM_SHARE_32, bytes.length, bytes.length + 1),
        world.call(FFA_MSG_SEND_DIRECT_REQ_32, ids(0, SP1)),
        world.call(FFA_PARTITION_INFO_GET),
        world.call(FFA_MEM_RECLAIM, 0),
        world.call(0x840000ff),
      ];
    });
    expect(answers[1]).toEqual(answers[0]);
  });
});

describe('19 of Hafnium: a response while an interrupt comes to the same partition on another PE', () => {
  const DEVICE = 56;
  const region = { baseAddress: 0x1000_0000, pageCount: 1, attributes: 3, interrupts: [{ id: DEVICE, attributes: 0 }] };

  test.each(Array.from({ length: 12 }, (_, n) => n))('after %i steps of the request', (count) => {
    const world = new SmallWorld([{ deviceRegions: [region] }]);
    let seen = 0;
    world.program(SP1).behaviour = (context) => {
      seen += context.interrupts.splice(0).length;
      const asked = context.registers.w(0) === FFA_MSG_SEND_DIRECT_REQ_32;
      if (asked) return callWith(context, FFA_MSG_SEND_DIRECT_RESP_32, ids(SP1, 0), 0, 5);
      return callWith(context, FFA_MSG_WAIT);
    };
    const request = start(world, world.pe, FFA_MSG_SEND_DIRECT_REQ_32, ids(0, SP1));
    let ended = false;
    for (let n = 0; n < count && !ended; n++) ended = request.next().done === true;
    world.otherPe.stepping = true;
    world.spmc.assertInterrupt(world.otherPe, DEVICE);
    const interrupt = world.spmc.takeInterrupt(world.otherPe);
    // The two alternate from here on.
    let handled = interrupt === null;
    while (!ended || !handled) {
      if (!ended) ended = request.next().done === true;
      if (!handled) handled = interrupt?.next().done === true;
    }
    // A request that found the partition handling its interrupt is refused, and made again.
    if (said([world.pe.smc.w(0), 0, world.pe.smc.w(2)]) === 'FFA_ERROR BUSY') {
      world.pe.stepping = false;
      world.call(FFA_MSG_SEND_DIRECT_REQ_32, ids(0, SP1));
    }
    expect([world.pe.smc.w(0), world.pe.smc.w(3)]).toEqual([FFA_MSG_SEND_DIRECT_RESP_32, 5]);
    const [vcpu] = world.spmc.partitions[0].vcpus;
    expect([seen, vcpu.state, vcpu.interrupts, world.spmc.pending.count]).toEqual([1, VCPU_WAITING, [], 0]);
  });
});
