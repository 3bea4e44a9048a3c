// RX/TX buffers: mapped, forwarded, unmapped; RX has one owner at a time.

import { describe, expect, test } from 'vitest';
import {
  FFA_MSG_SEND2,
  FFA_NOTIFICATION_BITMAP_CREATE,
  FFA_NOTIFICATION_GET,
  FFA_PARTITION_INFO_GET,
  FFA_RX_ACQUIRE,
  FFA_RX_RELEASE,
  FFA_RXTX_MAP_32,
  FFA_RXTX_MAP_64,
  FFA_RXTX_UNMAP,
} from '../../src/abi/function-ids.ts';
import { STAGE2_READ, STAGE2_RW, STAGE2_RWX, STAGE2_SHARED, STAGE2_UNOWNED } from '../../src/hardware/stage2.ts';
import type { SpmcOptions } from '../../src/spmc/options.ts';
import { HAFNIUM_PERSONALITY } from '../../src/spmc/personalities/hafnium.ts';
import { BufferWorld, VM, VM_RX, VM_TX } from './buffer-world.ts';
import { GUEST_MEMORY, HYPERVISOR_RX, HYPERVISOR_TX, ids, PAGE, SmallWorld, SP1, SP2, said } from './small-world.ts';

const SP1_IMAGE = 0x5000_0000;
const SP2_IMAGE = 0x5010_0000;
const NO_BUFFERS = {
  services: [{ uuid: [1, 2, 3, 4] as const, messagingMethod: 0x607 }],
  memoryRegions: [
    { baseAddress: SP1_IMAGE + 0x20_0000, pageCount: 1, attributes: 1 },
    { baseAddress: SP1_IMAGE + 0x20_1000, pageCount: 1, attributes: 5 },
  ],
};

/** A world whose first partition has unmapped what its manifest gave it. */
function unmapped(options: Partial<SpmcOptions> = {}): SmallWorld {
  const world = new SmallWorld([NO_BUFFERS, {}], options);
  expect(said(world.callAs(SP1, FFA_RXTX_UNMAP))).toBe('FFA_SUCCESS_32');
  return world;
}

describe("a partition's buffers", () => {
  test('in the 32-bit form they are mapped where the personality has it', () => {
    const asked = [FFA_RXTX_MAP_32, SP1_IMAGE, SP1_IMAGE + PAGE, 1] as const;
    expect(said(unmapped().callAs(SP1, ...asked))).toBe('FFA_ERROR NOT_SUPPORTED');
    const narrow = unmapped({ personality: { ...HAFNIUM_PERSONALITY, narrowForms: true } });
    expect(said(narrow.callAs(SP1, ...asked))).toBe('FFA_SUCCESS_32');
  });

  test('it keeps the use of them, and not their ownership', () => {
    const world = unmapped();
    const call = FFA_RXTX_MAP_64;
    expect(said(world.callAs(SP1, call, SP1_IMAGE, SP1_IMAGE + PAGE, 1))).toBe('FFA_SUCCESS_32');
    const { pages } = world.spmc.partitions[0];
    const attributes = (page: number) => (pages.translate(SP1_IMAGE / PAGE + page) < 0 ? 0 : pages.attributes);
    const kept = STAGE2_UNOWNED | STAGE2_SHARED;
    expect([attributes(0), attributes(1)]).toEqual([STAGE2_RW | kept, STAGE2_READ | kept]);
    expect(said(world.callAs(SP1, FFA_RXTX_UNMAP))).toBe('FFA_SUCCESS_32');
    expect([attributes(0), attributes(1)]).toEqual([STAGE2_RWX, STAGE2_RWX]);
  });

  test('RX need not be writable for the partition', () => {
    const world = unmapped();
    expect(said(world.callAs(SP1, FFA_RXTX_MAP_64, SP1_IMAGE, SP1_IMAGE + 0x20_0000, 1))).toBe('FFA_SUCCESS_32');
  });

  test.each([
    ['no page', SP1_IMAGE, SP1_IMAGE + PAGE, 0],
    ['more pages than there may be', SP1_IMAGE, SP1_IMAGE + 4 * PAGE, 2],
    ['reserved bits of the page count', SP1_IMAGE, SP1_IMAGE + PAGE, 0x41],
    ['no page address of TX', SP1_IMAGE + 8, SP1_IMAGE + PAGE, 1],
    ['no page address of RX', SP1_IMAGE, SP1_IMAGE + PAGE + 1, 1],
    ['one page for both', SP1_IMAGE, SP1_IMAGE, 1],
    ["another partition's TX", SP2_IMAGE, SP1_IMAGE, 1],
    ["another partition's RX", SP1_IMAGE, SP2_IMAGE, 1],
    ['memory of nobody', SP1_IMAGE, 0x7000_0000, 1],
    ['memory of the normal world', GUEST_MEMORY, SP1_IMAGE, 1],
    ['a TX that is not writable', SP1_IMAGE + 0x20_0000, SP1_IMAGE, 1],
  ])('with %s are INVALID_PARAMETERS, and nothing changes', (_name, tx, rx, count) => {
    const world = unmapped();
    expect(said(world.callAs(SP1, FFA_RXTX_MAP_64, tx, rx, count))).toBe('FFA_ERROR INVALID_PARAMETERS');
    expect(said(world.callAs(SP1, FFA_RXTX_MAP_64, SP1_IMAGE, SP1_IMAGE + PAGE, 1))).toBe('FFA_SUCCESS_32');
  });

  test('a second pair is DENIED, whatever else is wrong with it', () => {
    const world = new SmallWorld();
    for (const call of [
      [SP1_IMAGE, SP1_IMAGE + PAGE, 1],
      [0, 0, 0],
      [8, 8, 70],
    ]) {
      const expected = call[2] === 70 ? 'FFA_ERROR INVALID_PARAMETERS' : 'FFA_ERROR DENIED';
      expect(said(world.callAs(SP1, FFA_RXTX_MAP_64, ...call))).toBe(expected);
    }
  });

  test('of several pages, where the SPMC allows that', () => {
    const world = new SmallWorld([{}], { limits: { bufferPages: 4 } });
    world.callAs(SP1, FFA_RXTX_UNMAP);
    expect(said(world.callAs(SP1, FFA_RXTX_MAP_64, SP1_IMAGE, SP1_IMAGE + 4 * PAGE, 4))).toBe('FFA_SUCCESS_32');
    expect(said(world.callAs(SP1, FFA_RXTX_UNMAP))).toBe('FFA_SUCCESS_32');
    expect(said(world.callAs(SP1, FFA_RXTX_MAP_64, SP1_IMAGE, SP1_IMAGE + 3 * PAGE, 4))).toBe(
      'FFA_ERROR INVALID_PARAMETERS',
    );
  });

  test.each([
    ['UNMAP twice', FFA_RXTX_UNMAP, 0, 'INVALID_PARAMETERS'],
    ['RELEASE', FFA_RX_RELEASE, 0, 'DENIED'],
    ['INFO_GET', FFA_PARTITION_INFO_GET, 0, 'BUSY'],
  ])('%s without buffers', (_name, call, w1, expected) => {
    expect(said(unmapped().callAs(SP1, call, w1))).toBe(`FFA_ERROR ${expected}`);
  });
});

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
    ['beyond memory', VM, 0xf000_0000, VM_RX, 1, 'DENIED'],
    ["that are the hypervisor's own", VM, HYPERVISOR_TX, VM_RX, 1, 'DENIED'],
  ])('%s are refused, and nothing is left', (_name, id, tx, rx, pages, expected) => {
    const world = new BufferWorld();
    expect(world.mapVm(id, tx, rx, pages)).toBe(`FFA_ERROR ${expected}`);
    expect(world.spmc.virtualMachines.size).toBe(0);
    expect(world.spmc.normalWorld.pages.translate(VM_RX / PAGE)).toBe(VM_RX / PAGE);
  });

  test("that are another VM's are DENIED", () => {
    const world = new BufferWorld();
    world.mapVm();
    expect(world.mapVm(VM + 1, VM_TX + 4 * PAGE, VM_RX)).toBe('FFA_ERROR DENIED');
    expect(world.mapVm(VM + 1, VM_TX, VM_RX + 4 * PAGE)).toBe('FFA_ERROR DENIED');
    expect(world.mapVm(VM + 1, VM_TX + 4 * PAGE, VM_RX + 4 * PAGE)).toBe('FFA_SUCCESS_32');
  });

  test('9502204ba: unmapped, leave those of others, and the memory of the SPMC, as they are', () => {
    const world = new BufferWorld();
    world.mapVm();
    world.mapVm(VM + 1, VM_TX + 4 * PAGE, VM_RX + 4 * PAGE);
    world.call(FFA_RXTX_UNMAP, ids(VM, 0));
    const { pages } = world.spmc.normalWorld;
    const gone = [VM_TX, VM_RX, VM_TX + 4 * PAGE, VM_RX + 4 * PAGE, HYPERVISOR_TX, HYPERVISOR_RX, SP1_IMAGE];
    expect(gone.map((address) => pages.translate(address / PAGE) < 0)).toEqual([
      false,
      false,
      true,
      true,
      true,
      true,
      true,
    ]);
    world.message(VM_TX + 4 * PAGE, VM + 1, SP1, 'still there');
    expect(said(world.call(FFA_MSG_SEND2, ids(VM + 1, 0)))).toBe('FFA_SUCCESS_32');
  });

  test('for which there is no room are DENIED', () => {
    const world = new BufferWorld([{}], { limits: { virtualMachines: 1 } });
    world.mapVm();
    expect(world.mapVm(VM + 1, VM_TX + 4 * PAGE, VM_RX + 4 * PAGE)).toBe('FFA_ERROR DENIED');
  });

  /** Offsets of the two composites, and what stands in one of them, made wrong. */
  test.each<[string, (view: DataView) => void, string?]>([
    ['d1b958a9: RX right behind a header of 12 bytes', (v) => v.setUint32(4, 12, true)],
    ['TX right behind a header of 12 bytes', (v) => v.setUint32(8, 12, true)],
    ['RX inside the header', (v) => v.setUint32(4, 8, true)],
    ['RX at an odd offset', (v) => v.setUint32(4, 20, true)],
    ['RX beyond the buffer', (v) => v.setUint32(4, PAGE, true)],
    ['RX that ends beyond the buffer', (v) => v.setUint32(4, PAGE - 24, true)],
    ['an offset near 2^32', (v) => v.setUint32(8, 0xffff_fff8, true)],
    ['no constituent', (v) => v.setUint32(20, 0, true)],
    ['two constituents', (v) => v.setUint32(52, 2, true)],
    ['a page count that is not of the constituent', (v) => v.setUint32(16, 2, true)],
    ['RX and TX of different sizes', (v) => [v.setUint32(48, 2, true), v.setUint32(72, 2, true)]],
    ['a high address', (v) => v.setUint32(36, 0x1000_0000, true), 'DENIED'],
  ])('described with %s are refused', (_name, change, expected = 'INVALID_PARAMETERS') => {
    const world = new BufferWorld([{}], { limits: { bufferPages: 2 } });
    world.mapVm();
    world.call(FFA_RXTX_UNMAP, ids(VM, 0));
    const view = new DataView(world.read(HYPERVISOR_TX, 80).buffer);
    change(view);
    world.write(HYPERVISOR_TX, new Uint8Array(view.buffer));
    expect(said(world.call(FFA_RXTX_MAP_64))).toBe(`FFA_ERROR ${expected}`);
    expect(world.spmc.virtualMachines.size).toBe(0);
  });

  test('b9705e2b: forwarded before the hypervisor has a TX of its own, they are INVALID_PARAMETERS', () => {
    const world = new BufferWorld();
    world.call(FFA_RXTX_UNMAP);
    world.write(HYPERVISOR_TX, new Uint8Array(PAGE));
    expect(said(world.call(FFA_RXTX_MAP_64))).toBe('FFA_ERROR INVALID_PARAMETERS');
    expect(said(world.call(FFA_RXTX_MAP_64, HYPERVISOR_TX, HYPERVISOR_RX, 1))).toBe('FFA_SUCCESS_32');
    expect(world.mapVm()).toBe('FFA_SUCCESS_32');
  });
});

describe('whose buffers', () => {
  test('9bd324a4: the normal world unmaps no partition', () => {
    const world = new BufferWorld([{}, {}]);
    for (const id of [SP1, SP2, 0x8009, 0xffff]) {
      expect(said(world.call(FFA_RXTX_UNMAP, ids(id, 0)))).toBe('FFA_ERROR INVALID_PARAMETERS');
    }
    expect(world.spmc.partitions.map((partition) => partition.mapped)).toEqual([true, true]);
  });

  test('7007993a: the VM to unmap is in the upper half of w1', () => {
    const world = new BufferWorld();
    world.mapVm();
    expect(said(world.call(FFA_RXTX_UNMAP, ids(VM + 1, VM)))).toBe('FFA_ERROR INVALID_PARAMETERS');
    expect(said(world.call(FFA_RXTX_UNMAP, ids(VM, 0)))).toBe('FFA_SUCCESS_32');
  });

  test.each([
    ['UNMAP', FFA_RXTX_UNMAP, ids(SP1, 0)],
    ['UNMAP', FFA_RXTX_UNMAP, ids(SP2, 0)],
    ['UNMAP', FFA_RXTX_UNMAP, ids(VM, 0)],
    ['RELEASE', FFA_RX_RELEASE, SP1],
    ['RELEASE', FFA_RX_RELEASE, SP2],
    ['RELEASE', FFA_RX_RELEASE, VM],
  ])('dfc80d65: a partition names nobody in %s, not even itself: %i %i', (_name, call, w1) => {
    const world = new BufferWorld([{}, {}]);
    world.mapVm();
    expect(said(world.callAs(SP1, call, w1))).toBe('FFA_ERROR INVALID_PARAMETERS');
  });

  test.each([
    ['67686054: of a VM that nobody knows', 7, 'INVALID_PARAMETERS'],
    ['of a VM without buffers', 4, 'INVALID_PARAMETERS'],
    ['of a partition', SP1, 'NOT_SUPPORTED'],
    ['of the SPMC', 0x8000, 'NOT_SUPPORTED'],
  ])('RX_ACQUIRE %s is %s', (_name, id, expected) => {
    const world = new BufferWorld();
    world.call(FFA_NOTIFICATION_BITMAP_CREATE, 4, 1);
    expect(said(world.call(FFA_RX_ACQUIRE, id))).toBe(`FFA_ERROR ${expected}`);
  });

  test('RX_ACQUIRE is for the hypervisor: a partition has no such call', () => {
    const world = new BufferWorld();
    world.mapVm();
    for (const id of [0, SP1, VM]) {
      expect(said(world.callAs(SP1, FFA_RX_ACQUIRE, id))).toBe('FFA_ERROR NOT_SUPPORTED');
    }
  });
});

describe('RX', () => {
  test('has one owner at a time', () => {
    const world = new BufferWorld();
    world.mapVm();
    expect(said(world.call(FFA_RX_RELEASE, VM))).toBe('FFA_ERROR DENIED');
    expect(said(world.call(FFA_RX_ACQUIRE, VM))).toBe('FFA_SUCCESS_32');
    expect(said(world.call(FFA_RX_ACQUIRE, VM))).toBe('FFA_ERROR DENIED');
    world.message(world.txOf(SP1), SP1, VM, 'x');
    expect(said(world.callAs(SP1, FFA_MSG_SEND2))).toBe('FFA_ERROR BUSY');
    expect(said(world.call(FFA_RX_RELEASE, VM))).toBe('FFA_SUCCESS_32');
    expect(said(world.callAs(SP1, FFA_MSG_SEND2))).toBe('FFA_SUCCESS_32');
    expect(said(world.call(FFA_RX_ACQUIRE, VM))).toBe('FFA_ERROR DENIED');
  });

  test('has nothing behind a message of what the hypervisor wrote there', () => {
    const world = new BufferWorld();
    world.mapVm();
    const tail = () => world.read(VM_RX + 64, PAGE - 64).some((byte) => byte !== 0);
    const send = () => {
      world.message(world.txOf(SP1), SP1, VM, 'x');
      return said(world.callAs(SP1, FFA_MSG_SEND2));
    };
    const release = () => {
      world.call(FFA_NOTIFICATION_GET, VM, 4);
      return said(world.call(FFA_RX_RELEASE, VM));
    };
    expect([send(), release()]).toEqual(['FFA_SUCCESS_32', 'FFA_SUCCESS_32']);
    world.call(FFA_RX_ACQUIRE, VM);
    world.write(VM_RX, new Uint8Array(PAGE).fill(0xee));
    expect([tail(), release(), send(), tail()]).toEqual([true, 'FFA_SUCCESS_32', 'FFA_SUCCESS_32', false]);
  });

  test('is released once; of an unknown VM, or a partition, not at all', () => {
    const world = new BufferWorld();
    world.call(FFA_PARTITION_INFO_GET);
    expect(said(world.call(FFA_RX_RELEASE))).toBe('FFA_SUCCESS_32');
    expect(said(world.call(FFA_RX_RELEASE))).toBe('FFA_ERROR DENIED');
    expect(said(world.call(FFA_RX_RELEASE, 7))).toBe('FFA_ERROR INVALID_PARAMETERS');
    expect(said(world.call(FFA_RX_RELEASE, SP1))).toBe('FFA_ERROR INVALID_PARAMETERS');
  });

  test('is empty again when its buffers are unmapped and mapped', () => {
    const world = new BufferWorld();
    world.mapVm();
    world.message(world.txOf(SP1), SP1, VM, 'x');
    world.callAs(SP1, FFA_MSG_SEND2);
    world.call(FFA_RXTX_UNMAP, ids(VM, 0));
    world.mapVm();
    expect(said(world.call(FFA_RX_ACQUIRE, VM))).toBe('FFA_SUCCESS_32');
  });
});
