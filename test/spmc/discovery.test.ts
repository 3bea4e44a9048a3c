import { describe, expect, test } from 'vitest';
import {
  FFA_FEATURES,
  FFA_ID_GET,
  FFA_PARTITION_INFO_GET,
  FFA_PARTITION_INFO_GET_REGS,
  FFA_RXTX_MAP_64,
  FFA_RXTX_UNMAP,
  FFA_SPM_ID_GET,
  FFA_SUCCESS_32,
  FFA_VERSION,
} from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2, FFA_VERSION_1_3 } from '../../src/abi/versions.ts';
import { HYPERVISOR_RX, HYPERVISOR_TX, SmallWorld, SP1, said } from './small-world.ts';

const NOT_SUPPORTED = 0xffffffff;

describe('FFA_VERSION', () => {
  test.each([
    [FFA_VERSION_1_2, FFA_VERSION_1_2],
    [FFA_VERSION_1_1, FFA_VERSION_1_2],
    [FFA_VERSION_1_3, FFA_VERSION_1_2],
    [0x20000, NOT_SUPPORTED],
    [0x0ffff, NOT_SUPPORTED],
    [0x80010002, NOT_SUPPORTED],
  ])('%i before any other call: %i', (asked, expected) => {
    const world = new SmallWorld();
    world.spmc.normalWorld.versionLocked = false;
    expect(world.call(FFA_VERSION, asked)).toEqual([expected, 0, 0, 0, 0, 0, 0, 0]);
  });

  test('stays after another call', () => {
    const world = new SmallWorld();
    expect(world.call(FFA_VERSION, FFA_VERSION_1_0)[0]).toBe(NOT_SUPPORTED);
    expect(world.call(FFA_VERSION, FFA_VERSION_1_2)[0]).toBe(FFA_VERSION_1_2);
    expect(world.spmc.normalWorld.version).toBe(FFA_VERSION_1_2);
  });

  test('decides layouts: an older caller gets shorter partition information', () => {
    const world = new SmallWorld();
    world.spmc.normalWorld.versionLocked = false;
    world.call(FFA_VERSION, FFA_VERSION_1_0);
    expect(world.call(FFA_PARTITION_INFO_GET).slice(0, 4)).toEqual([FFA_SUCCESS_32, 0, 1, 8]);
    const entry = new DataView(world.read(HYPERVISOR_RX, 24).buffer);
    expect([entry.getUint16(0, true), entry.getUint32(8, true)]).toEqual([SP1, 0]);
  });
});

describe('a version is settled once', () => {
  test.each<[string, (world: SmallWorld) => void]>([
    ['FFA_FEATURES', (w) => w.call(FFA_FEATURES, 1)],
    ['a call that is refused', (w) => w.call(0x840000ff)],
    ['FFA_RUN of nobody', (w) => w.call(0x8400006d, 0x80090000)],
  ])('8fb85514c: after %s no older version is taken, and none is stored', (_name, call) => {
    const world = new SmallWorld();
    world.spmc.normalWorld.versionLocked = false;
    call(world);
    expect(world.call(FFA_VERSION, FFA_VERSION_1_0)[0]).toBe(NOT_SUPPORTED);
    expect(world.spmc.normalWorld.version).toBe(FFA_VERSION_1_2);
  });

  test('8fb85514c: a partition too keeps the version with which it made its first call', () => {
    const world = new SmallWorld([{ ffaVersion: FFA_VERSION_1_1 }]);
    expect(world.callAs(SP1, FFA_VERSION, FFA_VERSION_1_2)[0]).toBe(NOT_SUPPORTED);
    expect(world.callAs(SP1, FFA_VERSION, FFA_VERSION_1_1)[0]).toBe(FFA_VERSION_1_2);
    expect(world.spmc.partitions[0].version).toBe(FFA_VERSION_1_1);
  });

  test.each([0x10003, 0x20000, 0x00000, 0x8001_0002])(
    '3cc96af8d: a version that is not taken is not stored: %i',
    (asked) => {
      const world = new SmallWorld();
      world.spmc.normalWorld.versionLocked = false;
      world.call(FFA_VERSION, asked);
      expect(world.spmc.normalWorld.version).toBe(FFA_VERSION_1_2);
    },
  );

  test('2e975efc4: a call under way on another PE keeps the version that it began with', () => {
    const world = new SmallWorld([{}, {}]);
    world.spmc.normalWorld.versionLocked = false;
    const { pe, otherPe } = world;
    pe.stepping = true;
    pe.smc.clear();
    pe.smc.setW(0, FFA_PARTITION_INFO_GET_REGS);
    const listing = world.spmc.smc(pe);
    // It has begun, and waits at its first step.
    expect(listing?.next().done).toBe(false);
    expect(world.callOn(otherPe, FFA_VERSION, FFA_VERSION_1_0)[0]).toBe(NOT_SUPPORTED);
    while (listing?.next().done === false) expect(world.spmc.normalWorld.version).toBe(FFA_VERSION_1_2);
    expect([pe.smc.w(2), pe.smc.w(6)]).toEqual([0x10001, 0x18002]);
  });

  test.each([FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2])(
    'eb863c75b: a normal world of version %i maps its buffers',
    (version) => {
      const world = new SmallWorld();
      world.call(FFA_RXTX_UNMAP);
      world.spmc.normalWorld.versionLocked = false;
      expect(world.call(FFA_VERSION, version)[0]).toBe(FFA_VERSION_1_2);
      expect(said(world.call(FFA_RXTX_MAP_64, HYPERVISOR_TX, HYPERVISOR_RX, 1))).toBe('FFA_SUCCESS_32');
    },
  );
});

describe('ids', () => {
  test('of caller and SPMC', () => {
    const world = new SmallWorld();
    expect(world.call(FFA_ID_GET)[2]).toBe(0);
    expect(world.callAs(SP1, FFA_ID_GET)[2]).toBe(SP1);
    expect(world.callAs(SP1, FFA_SPM_ID_GET)[2]).toBe(0x8000);
  });

  test('a call that does not exist is not supported', () => {
    const world = new SmallWorld();
    for (const id of [0x840000ff, 0x84000060, 0x12345678, 0xc4000069, 0x84000078]) {
      expect(said(world.call(id))).toBe('FFA_ERROR NOT_SUPPORTED');
      expect(said(world.callAs(SP1, id))).toBe('FFA_ERROR NOT_SUPPORTED');
    }
  });
});
