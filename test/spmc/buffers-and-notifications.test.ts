// RX/TX buffers, indirect messages and notifications: they share RX and the schedule receiver interrupt.

import { describe, expect, test } from 'vitest';
import {
  FFA_MSG_SEND2,
  FFA_MSG_WAIT,
  FFA_NOTIFICATION_BIND,
  FFA_NOTIFICATION_BITMAP_CREATE,
  FFA_NOTIFICATION_BITMAP_DESTROY,
  FFA_NOTIFICATION_GET,
  FFA_NOTIFICATION_INFO_GET_32,
  FFA_NOTIFICATION_INFO_GET_64,
  FFA_NOTIFICATION_SET,
  FFA_NOTIFICATION_UNBIND,
  FFA_RUN,
  FFA_RX_ACQUIRE,
  FFA_RX_RELEASE,
  FFA_RXTX_MAP_64,
  FFA_RXTX_UNMAP,
} from '../../src/abi/function-ids.ts';
import { STAGE2_RWX } from '../../src/hardware/stage2.ts';
import {
  ALL_METHODS,
  callWith,
  GUEST_MEMORY,
  HYPERVISOR_TX,
  ids,
  PAGE,
  SmallWorld,
  SP1,
  SP2,
  said,
} from './small-world.ts';

const VM = 3;
const VM_TX = GUEST_MEMORY;
const VM_RX = GUEST_MEMORY + PAGE;
const SRI = { endpoint: 0, target: 0, id: 8 };

/** The descriptor with which the hypervisor forwards a VM's buffers. */
function forwarded(id: number, tx: number, rx: number, pages = 1): Uint8Array {
  const bytes = new Uint8Array(80);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, id, true);
  view.setUint32(4, 16, true);
  view.setUint32(8, 48, true);
  for (const [at, address] of [
    [16, rx],
    [48, tx],
  ]) {
    view.setUint32(at, pages, true);
    view.setUint32(at + 4, 1, true);
    view.setUint32(at + 16, address, true);
    view.setUint32(at + 24, pages, true);
  }
  return bytes;
}

class BufferWorld extends SmallWorld {
  mapVm(id = VM, tx = VM_TX, rx = VM_RX, pages = 1): string {
    this.write(HYPERVISOR_TX, forwarded(id, tx, rx, pages));
    return said(this.call(FFA_RXTX_MAP_64));
  }

  /** Writes a message of 1.2 into the buffer at `tx`. */
  message(tx: number, sender: number, receiver: number, text: string, offset = 40): void {
    const payload = new TextEncoder().encode(text);
    const bytes = new Uint8Array(Math.max(40, offset) + payload.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(8, offset, true);
    view.setUint16(12, receiver, true);
    view.setUint16(14, sender, true);
    view.setUint32(16, payload.length, true);
    bytes.set(payload, offset);
    this.write(tx, bytes);
  }

  txOf(id: number): number {
    return this.spmc.partitions[id - SP1].txFrame * PAGE;
  }

  rxOf(id: number): number {
    return this.spmc.partitions[id - SP1].rxFrame * PAGE;
  }
}

describe('buffers of a VM', () => {
  test("are mapped by the hypervisor, and leave the normal world's own memory", () => {
    const world = new BufferWorld();
    expect(world.mapVm()).toBe('FFA_SUCCESS_32');
    const { pages } = world.spmc.normalWorld;
    expect(pages.translate(VM_TX / PAGE)).toBe(-1);
    expect(world.mapVm()).toBe('FFA_ERROR DENIED');
    expect(said(world.call(FFA_RXTX_UNMAP, ids(VM, 0)))).toBe('FFA_SUCCESS_32');
    expect(pages.translate(VM_TX / PAGE)).toBe(VM_TX / PAGE);
    expect(pages.attributes & STAGE2_RWX).toBe(STAGE2_RWX);
    expect(world.spmc.virtualMachines.size).toBe(0);
    expect(said(world.call(FFA_RXTX_UNMAP, ids(VM, 0)))).toBe('FFA_ERROR INVALID_PARAMETERS');
  });

  test.each([
    ['of a partition', SP1, VM_TX, VM_RX, 1, 'INVALID_PARAMETERS'],
    ['of the hypervisor', 0, VM_TX, VM_RX, 1, 'INVALID_PARAMETERS'],
    ['that are one', VM, VM_TX, VM_TX, 1, 'INVALID_PARAMETERS'],
    ['at no page', VM, VM_TX + 8, VM_RX, 1, 'INVALID_PARAMETERS'],
    ['of no page', VM, VM_TX, VM_RX, 0, 'INVALID_PARAMETERS'],
    ['of too many pages', VM, VM_TX, VM_RX + PAGE, 2, 'INVALID_PARAMETERS'],
    ['in secure memory', VM, 0x5000_0000, VM_RX, 1, 'DENIED'],
    ["that are the hypervisor's own", VM, HYPERVISOR_TX, VM_RX, 1, 'DENIED'],
  ])('%s are refused, and nothing is left', (_name, id, tx, rx, pages, expected) => {
    const world = new BufferWorld();
    expect(world.mapVm(id, tx, rx, pages)).toBe(`FFA_ERROR ${expected}`);
    expect(world.spmc.virtualMachines.size).toBe(0);
    expect(world.spmc.normalWorld.pages.translate(VM_RX / PAGE)).toBe(VM_RX / PAGE);
  });

  test('RX has one owner at a time', () => {
    const world = new BufferWorld();
    expect(said(world.call(FFA_RX_ACQUIRE, VM))).toBe('FFA_ERROR INVALID_PARAMETERS');
    world.mapVm();
    expect(said(world.call(FFA_RX_RELEASE, VM))).toBe('FFA_ERROR DENIED');
    expect(said(world.call(FFA_RX_ACQUIRE, VM))).toBe('FFA_SUCCESS_32');
    expect(said(world.call(FFA_RX_ACQUIRE, VM))).toBe('FFA_ERROR DENIED');
    world.message(world.txOf(SP1), SP1, VM, 'x');
    expect(said(world.callAs(SP1, FFA_MSG_SEND2))).toBe('FFA_ERROR BUSY');
    expect(said(world.call(FFA_RX_RELEASE, VM))).toBe('FFA_SUCCESS_32');
    expect(said(world.callAs(SP1, FFA_MSG_SEND2))).toBe('FFA_SUCCESS_32');
  });

  test("nobody but the hypervisor names another's buffers", () => {
    const world = new BufferWorld([{}, {}]);
    for (const call of [FFA_RX_RELEASE, FFA_RX_ACQUIRE]) {
      expect(said(world.callAs(SP1, call, SP2))).toBe('FFA_ERROR INVALID_PARAMETERS');
      expect(said(world.call(call, SP2))).toBe('FFA_ERROR INVALID_PARAMETERS');
    }
    expect(said(world.call(FFA_RXTX_UNMAP, ids(SP2, 0)))).toBe('FFA_ERROR INVALID_PARAMETERS');
  });
});

describe('an indirect message', () => {
  test('from a VM to a partition: RX is full until it is released, the notification comes first', () => {
    const world = new BufferWorld([{ notificationSupport: true }]);
    world.mapVm();
    world.message(VM_TX, VM, SP1, 'hello');
    expect(said(world.call(FFA_MSG_SEND2, ids(VM, 0)))).toBe('FFA_SUCCESS_32');
    expect(world.interrupts).toEqual([SRI]);
    expect(said(world.call(FFA_MSG_SEND2, ids(VM, 0)))).toBe('FFA_ERROR BUSY');
    const rx = world.read(world.rxOf(SP1), 48);
    expect(new TextDecoder().decode(rx.subarray(40, 45))).toBe('hello');
    expect(said(world.callAs(SP1, FFA_RX_RELEASE))).toBe('FFA_ERROR DENIED');
    expect(world.callAs(SP1, FFA_NOTIFICATION_GET, SP1, 4)[6]).toBe(1);
    expect(said(world.callAs(SP1, FFA_RX_RELEASE))).toBe('FFA_SUCCESS_32');
  });

  test('from a 1.2 sender to a 1.1 receiver changes its header', () => {
    const world = new BufferWorld([{}, { ffaVersion: 0x10001 }]);
    world.message(world.txOf(SP1), SP1, SP2, 'hi', 64);
    expect(said(world.callAs(SP1, FFA_MSG_SEND2))).toBe('FFA_SUCCESS_32');
    const rx = world.read(world.rxOf(SP2), 32);
    expect(new DataView(rx.buffer).getUint32(8, true)).toBe(20);
    expect(new TextDecoder().decode(rx.subarray(20, 22))).toBe('hi');
  });

  test.each([
    ['to itself', SP1, SP1, 40, 'INVALID_PARAMETERS'],
    ["in another's name", SP2, SP2, 40, 'INVALID_PARAMETERS'],
    ['to nobody', SP1, 0x8009, 40, 'INVALID_PARAMETERS'],
    ['with its payload in the header', SP1, SP2, 32, 'INVALID_PARAMETERS'],
    ['with its payload beyond TX', SP1, SP2, PAGE, 'INVALID_PARAMETERS'],
  ])('%s is refused', (_name, sender, receiver, offset, expected) => {
    const world = new BufferWorld([{}, {}]);
    world.message(world.txOf(SP1), sender, receiver, 'text', offset);
    expect(said(world.callAs(SP1, FFA_MSG_SEND2))).toBe(`FFA_ERROR ${expected}`);
  });

  test('to one that takes none is DENIED', () => {
    const world = new BufferWorld([{}, { services: [{ uuid: [1, 2, 3, 4], messagingMethod: ALL_METHODS & ~4 }] }]);
    world.message(world.txOf(SP1), SP1, SP2, 'text');
    expect(said(world.callAs(SP1, FFA_MSG_SEND2))).toBe('FFA_ERROR DENIED');
  });

  test('that nobody was told of outlives FFA_MSG_WAIT', () => {
    const world = new BufferWorld([{}, {}]);
    world.message(world.txOf(SP1), SP1, SP2, 'text');
    world.callAs(SP1, FFA_MSG_SEND2);
    world.callAs(SP2, FFA_MSG_WAIT);
    expect(said(world.callAs(SP1, FFA_MSG_SEND2))).toBe('FFA_ERROR BUSY');
  });
});

describe('notifications', () => {
  function bound(): BufferWorld {
    const world = new BufferWorld([{ notificationSupport: true }, {}]);
    expect(said(world.call(FFA_NOTIFICATION_BITMAP_CREATE, VM, 2))).toBe('FFA_SUCCESS_32');
    expect(said(world.call(FFA_NOTIFICATION_BIND, ids(SP1, VM), 0, 6, 8))).toBe('FFA_SUCCESS_32');
    return world;
  }

  test('that a partition sets reach the VM once, with one interrupt', () => {
    const world = bound();
    expect(said(world.callAs(SP1, FFA_NOTIFICATION_SET, ids(SP1, VM), 0, 2))).toBe('FFA_SUCCESS_32');
    expect(said(world.callAs(SP1, FFA_NOTIFICATION_SET, ids(SP1, VM), 0, 0, 8))).toBe('FFA_SUCCESS_32');
    expect(world.interrupts).toEqual([SRI]);
    const info = world.call(FFA_NOTIFICATION_INFO_GET_64);
    expect([said(info), info[2], info[3]]).toEqual(['FFA_SUCCESS_64', 1 << 7, VM]);
    expect(said(world.call(FFA_NOTIFICATION_INFO_GET_32))).toBe('FFA_ERROR NO_DATA');
    expect(world.call(FFA_NOTIFICATION_GET, VM, 3).slice(2)).toEqual([2, 8, 0, 0, 0, 0]);
    expect(world.call(FFA_NOTIFICATION_GET, VM, 3).slice(2)).toEqual([0, 0, 0, 0, 0, 0]);
    world.callAs(SP1, FFA_NOTIFICATION_SET, ids(SP1, VM), 0, 2);
    expect(world.interrupts).toEqual([SRI, SRI]);
  });

  test('with a delayed interrupt: it comes when the PE returns', () => {
    const world = bound();
    const raised: number[] = [];
    world.program(SP1).behaviour = (context) => {
      if (context.registers.w(0) === FFA_RUN) return callWith(context, FFA_NOTIFICATION_SET, ids(SP1, VM), 2, 2);
      raised.push(world.interrupts.length);
      return callWith(context, FFA_MSG_WAIT);
    };
    world.call(FFA_RUN, ids(SP1, 0));
    raised.push(world.interrupts.length);
    expect(raised).toEqual([0, 1]);
  });

  test('to a partition: it has the pending interrupt, and fetches them', () => {
    const world = bound();
    expect(said(world.callAs(SP1, FFA_NOTIFICATION_BIND, ids(VM, SP1), 0, 1))).toBe('FFA_SUCCESS_32');
    expect(said(world.call(FFA_NOTIFICATION_SET, ids(VM, SP1), 0, 1))).toBe('FFA_SUCCESS_32');
    expect(world.spmc.partitions[0].vcpus[0].interrupts).toEqual([5]);
    expect(world.callAs(SP1, FFA_NOTIFICATION_GET, SP1, 3).slice(2)).toEqual([0, 0, 1, 0, 0, 0]);
  });

  test.each<[string, (world: BufferWorld) => number[], string]>([
    ['BITMAP_CREATE twice', (w) => w.call(FFA_NOTIFICATION_BITMAP_CREATE, VM, 1), 'DENIED'],
    ['BITMAP_CREATE for a partition', (w) => w.call(FFA_NOTIFICATION_BITMAP_CREATE, SP1, 1), 'INVALID_PARAMETERS'],
    ['BITMAP_CREATE without vCPUs', (w) => w.call(FFA_NOTIFICATION_BITMAP_CREATE, 4, 0), 'INVALID_PARAMETERS'],
    ['BITMAP_CREATE by a partition', (w) => w.callAs(SP1, FFA_NOTIFICATION_BITMAP_CREATE, 4, 1), 'NOT_SUPPORTED'],
    ['BITMAP_DESTROY of none', (w) => w.call(FFA_NOTIFICATION_BITMAP_DESTROY, 4), 'INVALID_PARAMETERS'],
    ['BIND of a bound one', (w) => w.call(FFA_NOTIFICATION_BIND, ids(SP2, VM), 0, 4), 'DENIED'],
    ['BIND of nothing', (w) => w.call(FFA_NOTIFICATION_BIND, ids(SP2, VM), 0, 0), 'INVALID_PARAMETERS'],
    ['BIND for each vCPU', (w) => w.call(FFA_NOTIFICATION_BIND, ids(SP2, VM), 1, 1), 'INVALID_PARAMETERS'],
    ['BIND for another', (w) => w.callAs(SP1, FFA_NOTIFICATION_BIND, ids(SP2, VM), 0, 1), 'INVALID_PARAMETERS'],
    ['BIND without support', (w) => w.callAs(SP2, FFA_NOTIFICATION_BIND, ids(SP1, SP2), 0, 1), 'NOT_SUPPORTED'],
    ['UNBIND by another', (w) => w.call(FFA_NOTIFICATION_UNBIND, ids(SP2, VM), 0, 2), 'DENIED'],
    ['SET of an unbound one', (w) => w.callAs(SP1, FFA_NOTIFICATION_SET, ids(SP1, VM), 0, 1), 'DENIED'],
    ['SET by another', (w) => w.callAs(SP2, FFA_NOTIFICATION_SET, ids(SP2, VM), 0, 2), 'DENIED'],
    ['SET in its name', (w) => w.callAs(SP2, FFA_NOTIFICATION_SET, ids(SP1, VM), 0, 2), 'INVALID_PARAMETERS'],
    ['GET of no kind', (w) => w.call(FFA_NOTIFICATION_GET, VM, 0), 'INVALID_PARAMETERS'],
    ['GET of a vCPU too many', (w) => w.call(FFA_NOTIFICATION_GET, ids(2, VM), 1), 'INVALID_PARAMETERS'],
    ['GET for another', (w) => w.callAs(SP1, FFA_NOTIFICATION_GET, VM, 1), 'INVALID_PARAMETERS'],
    ['INFO_GET by a partition', (w) => w.callAs(SP1, FFA_NOTIFICATION_INFO_GET_32), 'NOT_SUPPORTED'],
  ])('%s is refused', (_name, call, expected) => {
    expect(said(call(bound()))).toBe(`FFA_ERROR ${expected}`);
  });

  test('a bitmap with something pending stays; fetched, unbound and destroyed nothing is left', () => {
    const world = bound();
    world.callAs(SP1, FFA_NOTIFICATION_SET, ids(SP1, VM), 0, 2);
    expect(said(world.call(FFA_NOTIFICATION_BITMAP_DESTROY, VM))).toBe('FFA_ERROR DENIED');
    expect(said(world.call(FFA_NOTIFICATION_UNBIND, ids(SP1, VM), 0, 2))).toBe('FFA_ERROR DENIED');
    world.call(FFA_NOTIFICATION_GET, VM, 1);
    expect(said(world.call(FFA_NOTIFICATION_UNBIND, ids(SP1, VM), 0, 6, 8))).toBe('FFA_SUCCESS_32');
    expect(said(world.call(FFA_NOTIFICATION_BITMAP_DESTROY, VM))).toBe('FFA_SUCCESS_32');
    expect(world.spmc.virtualMachines.size).toBe(0);
  });

  test('of more endpoints than one answer names: the rest is in the next', () => {
    const world = new BufferWorld();
    for (let vm = 1; vm <= 12; vm++) {
      world.call(FFA_NOTIFICATION_BITMAP_CREATE, vm, 1);
      world.call(FFA_NOTIFICATION_BIND, ids(SP1, vm), 0, 1);
      world.callAs(SP1, FFA_NOTIFICATION_SET, ids(SP1, vm), 0, 1);
    }
    const first = world.call(FFA_NOTIFICATION_INFO_GET_32);
    expect(first.slice(2)).toEqual([(10 << 7) | 1, ids(2, 1), ids(4, 3), ids(6, 5), ids(8, 7), ids(10, 9)]);
    const second = world.call(FFA_NOTIFICATION_INFO_GET_32);
    expect(second.slice(2, 4)).toEqual([2 << 7, ids(12, 11)]);
  });
});
