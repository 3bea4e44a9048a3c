import { describe, expect, test } from 'vitest';
import {
  FFA_CONSOLE_LOG_32,
  FFA_CONSOLE_LOG_64,
  FFA_FEATURES,
  FFA_ID_GET,
  FFA_MEM_RETRIEVE_REQ_32,
  FFA_MEM_SHARE_32,
  FFA_MSG_SEND_DIRECT_REQ2,
  FFA_MSG_WAIT,
  FFA_NOTIFICATION_BITMAP_CREATE,
  FFA_PARTITION_INFO_GET,
  FFA_PARTITION_INFO_GET_REGS,
  FFA_RX_ACQUIRE,
  FFA_RX_RELEASE,
  FFA_RXTX_MAP_64,
  FFA_SPM_ID_GET,
  FFA_SUCCESS_32,
  FFA_SUCCESS_64,
  FFA_VERSION,
} from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2, FFA_VERSION_1_3 } from '../../src/abi/versions.ts';
import { ALL_METHODS, HYPERVISOR_RX, SmallWorld, SP1, SP2, said } from './small-world.ts';

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
    expect(world.call(FFA_PARTITION_INFO_GET).slice(0, 4)).toEqual([FFA_SUCCESS_32, 0, 1, 0]);
    const entry = new DataView(world.read(HYPERVISOR_RX, 24).buffer);
    expect([entry.getUint16(0, true), entry.getUint32(8, true)]).toEqual([SP1, 0]);
  });
});

describe('FFA_FEATURES', () => {
  test.each([
    ['RXTX_MAP', FFA_RXTX_MAP_64, 0x10000, 0x10000],
    ['MEM_SHARE', FFA_MEM_SHARE_32, 0, 0],
    ['MEM_RETRIEVE_REQ', FFA_MEM_RETRIEVE_REQ_32, 6, 2],
    ['MSG_SEND_DIRECT_REQ2', FFA_MSG_SEND_DIRECT_REQ2, 0, 0],
    ['RX_ACQUIRE', FFA_RX_ACQUIRE, 0, null],
    ['NOTIFICATION_BITMAP_CREATE', FFA_NOTIFICATION_BITMAP_CREATE, 0, null],
    ['MSG_WAIT', FFA_MSG_WAIT, null, 0],
    ['nothing of FF-A', 0x840000ff, null, null],
    ['the schedule receiver interrupt', 2, 8, null],
    ['the notification pending interrupt', 1, null, 5],
    ['the managed exit interrupt', 3, null, null],
  ])('of %s', (_name, id, forNormalWorld, forPartition) => {
    const world = new SmallWorld();
    const expected = (w2: number | null) => (w2 === null ? 'FFA_ERROR NOT_SUPPORTED' : `FFA_SUCCESS_32 ${w2}`);
    const got = (answer: number[]) => (answer[0] === FFA_SUCCESS_32 ? `FFA_SUCCESS_32 ${answer[2]}` : said(answer));
    expect(got(world.call(FFA_FEATURES, id))).toBe(expected(forNormalWorld));
    expect(got(world.callAs(SP1, FFA_FEATURES, id))).toBe(expected(forPartition));
  });
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

describe('partition information', () => {
  const partitions = [
    {
      services: [
        { uuid: [1, 2, 3, 4], messagingMethod: ALL_METHODS },
        { uuid: [5, 6, 7, 8], messagingMethod: 1 },
      ],
      vmAvailabilityMessages: 3,
      notificationSupport: true,
    },
    { services: [{ uuid: [5, 6, 7, 8], messagingMethod: 1 }], executionContextCount: 4 },
  ] as const;

  /** id, contexts, properties and the first word of the UUID of each entry. */
  function entries(world: SmallWorld, count: number, rx: number): number[][] {
    const view = new DataView(world.read(rx, 24 * count).buffer);
    return Array.from({ length: count }, (_, n) => [
      view.getUint16(24 * n, true),
      view.getUint16(24 * n + 2, true),
      view.getUint32(24 * n + 4, true),
      view.getUint32(24 * n + 8, true),
    ]);
  }

  test('names each service once; the normal world sees what it can do with it', () => {
    const world = new SmallWorld(partitions);
    expect(world.call(FFA_PARTITION_INFO_GET).slice(0, 4)).toEqual([FFA_SUCCESS_32, 0, 3, 24]);
    expect(entries(world, 3, HYPERVISOR_RX)).toEqual([
      [SP1, 1, 0x3cd | 0, 1],
      [SP1, 1, 0x1c9, 5],
      [SP2, 4, 0x101, 5],
    ]);
    expect(said(world.call(FFA_PARTITION_INFO_GET))).toBe('FFA_ERROR BUSY');
    expect(said(world.call(FFA_RX_RELEASE))).toBe('FFA_SUCCESS_32');
    expect(said(world.call(FFA_RX_RELEASE))).toBe('FFA_ERROR DENIED');
  });

  test('a partition sees what the others send too, and nothing of VM availability', () => {
    const world = new SmallWorld(partitions.map((manifest, n) => ({ ...manifest, ...buffersAt(n) })));
    world.callAs(SP1, FFA_PARTITION_INFO_GET);
    const rx = world.spmc.partitions[0].rxFrame * 4096;
    expect(entries(world, 3, rx)[0]).toEqual([SP1, 1, 0x70f, 1]);
  });

  test('of one UUID has no UUIDs in it; of an unknown one there is none', () => {
    const world = new SmallWorld(partitions);
    expect(world.call(FFA_PARTITION_INFO_GET, 5, 6, 7, 8).slice(0, 4)).toEqual([FFA_SUCCESS_32, 0, 2, 24]);
    expect(entries(world, 2, HYPERVISOR_RX).map((entry) => entry[3])).toEqual([0, 0]);
    expect(said(world.call(FFA_PARTITION_INFO_GET, 9, 9, 9, 9))).toBe('FFA_ERROR INVALID_PARAMETERS');
  });

  test('may be the count alone, which takes no buffer', () => {
    const world = new SmallWorld(partitions);
    expect(world.call(FFA_PARTITION_INFO_GET, 0, 0, 0, 0, 1).slice(0, 4)).toEqual([FFA_SUCCESS_32, 0, 3, 0]);
    expect(said(world.call(FFA_RX_RELEASE))).toBe('FFA_ERROR DENIED');
    expect(said(world.call(FFA_PARTITION_INFO_GET, 0, 0, 0, 0, 2))).toBe('FFA_ERROR INVALID_PARAMETERS');
  });

  test('in registers: five entries a call, the rest by their index', () => {
    const world = new SmallWorld([
      { services: Array.from({ length: 7 }, (_, n) => ({ uuid: [n + 1, 0, 0, 0] as const, messagingMethod: 1 })) },
    ]);
    const first = world.call(FFA_PARTITION_INFO_GET_REGS);
    expect([first[0], first[2], world.pe.smc.high(2)]).toEqual([FFA_SUCCESS_64, 0x40006, 24 << 16]);
    expect([3, 4, 15, 16].map((n) => world.pe.smc.w(n))).toEqual([0x18001, 1, 0x18001, 5]);
    expect([3, 15].map((n) => world.pe.smc.high(n))).toEqual([0x101, 0x101]);
    const second = world.call(FFA_PARTITION_INFO_GET_REGS, 0, 0, 5);
    expect(second[2]).toBe(0x60006);
    expect([4, 7, 9, 10].map((n) => world.pe.smc.w(n))).toEqual([6, 7, 0, 0]);
    expect(said(world.call(FFA_PARTITION_INFO_GET_REGS, 0, 0, 7))).toBe('FFA_ERROR INVALID_PARAMETERS');
    expect(said(world.call(FFA_PARTITION_INFO_GET_REGS, 0, 0, 0x10000))).toBe('FFA_ERROR RETRY');
  });
});

/** The buffers that small-world.ts gives partition `n`, for manifests that are spread over it. */
function buffersAt(n: number) {
  const baseAddress = 0x5000_0000 + n * 0x10_0000;
  return { buffers: { txAddress: baseAddress + 62 * 4096, rxAddress: baseAddress + 63 * 4096, pageCount: 1 } };
}

describe('FFA_CONSOLE_LOG', () => {
  test('takes as many characters as its registers hold', () => {
    const world = new SmallWorld();
    expect(said(world.callAs(SP1, FFA_CONSOLE_LOG_32, 6, 0x6c6c6568, 0x0a6f))).toBe('FFA_SUCCESS_32');
    const r = world.pe.smc;
    r.clear();
    r.setW(0, FFA_CONSOLE_LOG_64);
    r.setW(1, 9);
    r.setWords(2, 0x64636261, 0x68676665);
    r.setW(3, 0x69);
    world.smc();
    expect(world.console).toEqual(['hello\n', 'abcdefghi']);
  });

  test.each([
    [FFA_CONSOLE_LOG_32, 0],
    [FFA_CONSOLE_LOG_32, 25],
    [FFA_CONSOLE_LOG_64, 129],
  ])('%i of %i characters is refused', (functionId, count) => {
    expect(said(new SmallWorld().call(functionId, count))).toBe('FFA_ERROR INVALID_PARAMETERS');
  });
});
