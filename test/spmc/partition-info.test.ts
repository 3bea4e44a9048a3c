// FFA_PARTITION_INFO_GET and FFA_PARTITION_INFO_GET_REGS: who is listed, with what, to whom.

import { describe, expect, test } from 'vitest';
import {
  FFA_PARTITION_INFO_GET,
  FFA_PARTITION_INFO_GET_REGS,
  FFA_RX_RELEASE,
  FFA_RXTX_UNMAP,
  FFA_SUCCESS_32,
  FFA_SUCCESS_64,
} from '../../src/abi/function-ids.ts';
import type { Uuid } from '../../src/abi/uuid.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import { EXIT_CALL } from '../../src/hardware/partition-entry.ts';
import type { SpmcOptions } from '../../src/spmc/options.ts';
import type { PartitionManifest } from '../../src/spmc/partition-setup.ts';
import { ALL_METHODS, HYPERVISOR_RX, PAGE, SmallWorld, SP1, SP2, said } from './small-world.ts';

const RECEIVER: Uuid = [5, 6, 7, 8];
const PARTITIONS: readonly Partial<PartitionManifest>[] = [
  {
    services: [
      { uuid: [1, 2, 3, 4], messagingMethod: ALL_METHODS },
      { uuid: RECEIVER, messagingMethod: 1 },
    ],
    vmAvailabilityMessages: 3,
    notificationSupport: true,
  },
  { services: [{ uuid: RECEIVER, messagingMethod: 1 }], executionContextCount: 4 },
];

class InfoWorld extends SmallWorld {
  constructor(partitions = PARTITIONS, options: Partial<SpmcOptions> = {}) {
    super(partitions, options);
  }

  set hypervisorVersion(version: number) {
    this.spmc.normalWorld.version = version;
  }

  /** The entries in RX at `rx`, `size` bytes each: id, contexts, properties, and the UUID if there is one. */
  entries(count: number, size: number, rx = HYPERVISOR_RX): (number | string)[][] {
    const view = new DataView(this.read(rx, size * count).buffer);
    return Array.from({ length: count }, (_, n) => {
      const at = n * size;
      const fixed = [view.getUint16(at, true), view.getUint16(at + 2, true), view.getUint32(at + 4, true)];
      if (size === 8) return fixed;
      return [...fixed, [8, 12, 16, 20].map((offset) => view.getUint32(at + offset, true)).join()];
    });
  }

  /** What partition `id` is told; its RX is its own afterwards. */
  entriesOf(id: number, count: number, size: number): (number | string)[][] {
    const rx = (this.spmc.partitionById.get(id)?.rxFrame ?? 0) * PAGE;
    return this.entries(count, size, rx);
  }
}

describe('FFA_PARTITION_INFO_GET', () => {
  test('names each service once; the normal world sees what it can do with it', () => {
    const world = new InfoWorld();
    expect(world.call(FFA_PARTITION_INFO_GET)).toEqual([FFA_SUCCESS_32, 0, 3, 24, 0, 0, 0, 0]);
    expect(world.entries(3, 24)).toEqual([
      [SP1, 1, 0x3cd, '1,2,3,4'],
      [SP1, 1, 0x1c9, '5,6,7,8'],
      [SP2, 4, 0x101, '5,6,7,8'],
    ]);
  });

  test('a partition sees what the others send too, and nothing of VM availability', () => {
    const world = new InfoWorld();
    expect(world.callAs(SP1, FFA_PARTITION_INFO_GET).slice(0, 4)).toEqual([FFA_SUCCESS_32, 0, 3, 24]);
    expect(world.entriesOf(SP1, 3, 24)).toEqual([
      [SP1, 1, 0x70f, '1,2,3,4'],
      [SP1, 1, 0x109, '5,6,7,8'],
      [SP2, 4, 0x101, '5,6,7,8'],
    ]);
  });

  test.each([
    [FFA_VERSION_1_1, 24, 0x3cd],
    [FFA_VERSION_1_0, 8, 0x5],
  ])('to a caller of version %i a partition has one UUID; entries have %i bytes', (version, size, properties) => {
    const world = new InfoWorld();
    world.hypervisorVersion = version;
    expect(world.call(FFA_PARTITION_INFO_GET).slice(0, 4)).toEqual([FFA_SUCCESS_32, 0, 2, size]);
    expect(world.entries(2, size).map((entry) => entry.slice(0, 3))).toEqual([
      [SP1, 1, properties],
      [SP2, 4, version === FFA_VERSION_1_0 ? 1 : 0x101],
    ]);
    expect(world.call(FFA_RX_RELEASE)[0]).toBe(FFA_SUCCESS_32);
    // Each of its UUIDs finds it all the same.
    expect(world.call(FFA_PARTITION_INFO_GET, ...RECEIVER).slice(0, 4)).toEqual([FFA_SUCCESS_32, 0, 2, size]);
  });

  test.each([
    // Its own version, the normal world's view, a partition's view: what its version does not know is not there.
    [FFA_VERSION_1_0, 0x101, 0x103],
    [FFA_VERSION_1_1, 0x10d, 0x10f],
    [FFA_VERSION_1_2, 0x30d, 0x70f],
  ])('a partition of version %i has the properties of its version', (ffaVersion, toNormalWorld, toPartition) => {
    const services = [{ uuid: [1, 2, 3, 4], messagingMethod: ALL_METHODS }] as const;
    const world = new InfoWorld([{ services, ffaVersion, notificationSupport: true }, {}]);
    world.call(FFA_PARTITION_INFO_GET, 1, 2, 3, 4);
    expect(world.entries(1, 24)[0][2]).toBe(toNormalWorld);
    world.callAs(SP2, FFA_PARTITION_INFO_GET, 1, 2, 3, 4);
    expect(world.entriesOf(SP2, 1, 24)[0][2]).toBe(toPartition);
  });

  test.each<[string, Partial<PartitionManifest>, number]>([
    ['AArch32', { aarch32: true }, 0x20d],
    ['without notifications', { notificationSupport: false }, 0x305],
    ['told of created VMs', { vmAvailabilityMessages: 1 }, 0x34d],
    ['told of destroyed VMs', { vmAvailabilityMessages: 2 }, 0x38d],
  ])('%s', (_name, change, expected) => {
    const services = [{ uuid: [1, 2, 3, 4], messagingMethod: ALL_METHODS }] as const;
    const world = new InfoWorld([{ services, notificationSupport: true, ...change }]);
    world.call(FFA_PARTITION_INFO_GET);
    expect(world.entries(1, 24)[0][2]).toBe(expected);
  });

  test('who receives no direct requests is told of no VMs, whatever its manifest says', () => {
    const services = [{ uuid: [1, 2, 3, 4], messagingMethod: 4 }] as const;
    const world = new InfoWorld([{ services, vmAvailabilityMessages: 3 }]);
    world.call(FFA_PARTITION_INFO_GET);
    expect(world.entries(1, 24)[0][2]).toBe(0x104);
  });

  test('may be the count alone, which takes no buffer', () => {
    const world = new InfoWorld();
    expect(world.call(FFA_PARTITION_INFO_GET, 0, 0, 0, 0, 1)).toEqual([FFA_SUCCESS_32, 0, 3, 0, 0, 0, 0, 0]);
    expect(world.call(FFA_PARTITION_INFO_GET, 1, 2, 3, 4, 1).slice(0, 4)).toEqual([FFA_SUCCESS_32, 0, 1, 0]);
    expect(said(world.call(FFA_RX_RELEASE))).toBe('FFA_ERROR DENIED');
    world.call(FFA_RXTX_UNMAP);
    expect(world.call(FFA_PARTITION_INFO_GET, 0, 0, 0, 0, 1)[2]).toBe(3);
  });

  test.each<[string, (world: InfoWorld) => number[], string]>([
    ['a reserved flag', (w) => w.call(FFA_PARTITION_INFO_GET, 0, 0, 0, 0, 2), 'INVALID_PARAMETERS'],
    ['an unknown UUID', (w) => w.call(FFA_PARTITION_INFO_GET, 9, 9, 9, 9), 'INVALID_PARAMETERS'],
    ['an unknown UUID, counted', (w) => w.call(FFA_PARTITION_INFO_GET, 9, 9, 9, 9, 1), 'INVALID_PARAMETERS'],
    ['half a UUID', (w) => w.call(FFA_PARTITION_INFO_GET, 1, 2, 3, 0), 'INVALID_PARAMETERS'],
    ['no buffers', (w) => [w.call(FFA_RXTX_UNMAP), w.call(FFA_PARTITION_INFO_GET)][1], 'BUSY'],
    ['RX full', (w) => [w.call(FFA_PARTITION_INFO_GET), w.call(FFA_PARTITION_INFO_GET)][1], 'BUSY'],
  ])('%s is refused', (_name, call, expected) => {
    expect(said(call(new InfoWorld()))).toBe(`FFA_ERROR ${expected}`);
  });

  test('more than fits RX is NO_MEMORY, whether or not RX is full; in 1.0 it fits', () => {
    const services = Array.from({ length: 171 }, (_, n) => ({ uuid: [n + 1, 0, 0, 0] as const, messagingMethod: 1 }));
    const world = new InfoWorld([{ services }]);
    expect(said(world.call(FFA_PARTITION_INFO_GET))).toBe('FFA_ERROR NO_MEMORY');
    expect(said(world.call(FFA_PARTITION_INFO_GET, 1))).toBe('FFA_SUCCESS_32');
    expect(said(world.call(FFA_PARTITION_INFO_GET))).toBe('FFA_ERROR NO_MEMORY');
    world.call(FFA_RX_RELEASE);
    world.hypervisorVersion = FFA_VERSION_1_0;
    expect(world.call(FFA_PARTITION_INFO_GET).slice(0, 4)).toEqual([FFA_SUCCESS_32, 0, 1, 8]);
  });

  test('9decd785: of one UUID has no UUIDs in it, nor what a listing before it left', () => {
    const world = new InfoWorld();
    world.call(FFA_PARTITION_INFO_GET);
    expect(world.read(HYPERVISOR_RX, PAGE).some((byte, at) => byte !== 0 && at >= 8)).toBe(true);
    world.call(FFA_RX_RELEASE);
    expect(world.call(FFA_PARTITION_INFO_GET, ...RECEIVER)[2]).toBe(2);
    expect(world.entries(2, 24)).toEqual([
      [SP1, 1, 0x1c9, '0,0,0,0'],
      [SP2, 4, 0x101, '0,0,0,0'],
    ]);
    expect(world.read(HYPERVISOR_RX + 48, PAGE - 48).every((byte) => byte === 0)).toBe(true);
  });
});

describe('FFA_PARTITION_INFO_GET_REGS', () => {
  const seven = [
    { services: Array.from({ length: 7 }, (_, n) => ({ uuid: [n + 1, 0, 0, 9] as const, messagingMethod: 1 })) },
  ];

  /** x0 to x17 of the answer as pairs low, high. */
  function registers(world: SmallWorld, ...words: number[]): number[][] {
    world.call(FFA_PARTITION_INFO_GET_REGS, ...words);
    return Array.from({ length: 18 }, (_, n) => [world.pe.smc.w(n), world.pe.smc.high(n)]);
  }

  test('five entries a call, the rest by their index; registers that are not used are zero', () => {
    const world = new InfoWorld(seven);
    const first = registers(world);
    expect(first.slice(0, 3)).toEqual([
      [FFA_SUCCESS_64, 0],
      [0, 0],
      [0x40006, 24 << 16],
    ]);
    const expected = [1, 2, 3, 4, 5].flatMap((n) => [
      [0x18001, 0x101],
      [n, 0],
      [0, 9],
    ]);
    expect(first.slice(3)).toEqual(expected);
    const second = registers(world, 0, 0, 5);
    expect(second[2]).toEqual([0x60006, 24 << 16]);
    expect([second[4], second[7]]).toEqual([
      [6, 0],
      [7, 0],
    ]);
    expect(
      second
        .slice(9)
        .flat()
        .every((word) => word === 0),
    ).toBe(true);
  });

  test('of one UUID, which is in x1 and x2; without UUIDs', () => {
    const world = new InfoWorld();
    const r = world.pe.smc;
    r.clear();
    r.setW(0, FFA_PARTITION_INFO_GET_REGS);
    r.setWords(1, 5, 6);
    r.setWords(2, 7, 8);
    world.smc();
    expect([2, 3, 4, 5, 6, 7, 8].map((n) => [r.w(n), r.high(n)])).toEqual([
      [0x10001, 24 << 16],
      [0x18001, 0x1c9],
      [0, 0],
      [0, 0],
      [0x48002, 0x101],
      [0, 0],
      [0, 0],
    ]);
  });

  test('to a caller before 1.2 a partition has one UUID', () => {
    const world = new InfoWorld();
    world.hypervisorVersion = FFA_VERSION_1_1;
    expect(registers(world)[2]).toEqual([0x10001, 24 << 16]);
  });

  test('48 bytes an entry: two a call, with the version of the partition', () => {
    const plain = new InfoWorld(seven).spmc.personality;
    const world = new InfoWorld(seven, { personality: { ...plain, partitionInfoSizeBytes: 48 } });
    const first = registers(world, 0, 0, 2);
    expect(first[2]).toEqual([0x30006, 48 << 16]);
    expect([3, 4, 5, 6, 7, 8, 9, 14].map((n) => first[n])).toEqual([
      [0x18001, 0x101],
      [3, 0],
      [0, 9],
      [0, 0],
      [0, 0],
      [FFA_VERSION_1_2, 0],
      [0x18001, 0x101],
      [FFA_VERSION_1_2, 0],
    ]);
    expect(
      first
        .slice(15)
        .flat()
        .every((word) => word === 0),
    ).toBe(true);
  });

  test.each([
    ['an index beyond', [0, 0, 7], 'INVALID_PARAMETERS'],
    ['a tag', [0, 0, 0x10000], 'RETRY'],
    ['an unknown UUID', [9, 0, 0], 'INVALID_PARAMETERS'],
  ])('%s is refused', (_name, words, expected) => {
    expect(said(new InfoWorld(seven).call(FFA_PARTITION_INFO_GET_REGS, ...words))).toBe(`FFA_ERROR ${expected}`);
  });

  test('logical partitions are told to partitions, behind the others, and to nobody by buffer', () => {
    const logicalPartitions = [{ id: 0xffc0, uuid: [0xe98e43ad, 1, 2, 3] as const, properties: 0x102 }];
    const world = new InfoWorld(PARTITIONS, { logicalPartitions });
    expect(registers(world)[2][0]).toBe(0x20002);
    let seen: number[][] = [];
    const program = world.program(SP2);
    program.behaviour = (context) => {
      const r = context.registers;
      if (seen.length === 0 && r.w(0) !== FFA_SUCCESS_64) {
        r.clear();
        r.setW(0, FFA_PARTITION_INFO_GET_REGS);
        r.setW(3, 3);
        return EXIT_CALL;
      }
      seen = [2, 3, 4, 5].map((n) => [r.w(n), r.high(n)]);
      r.clear();
      r.setW(0, 0x8400006b);
      return EXIT_CALL;
    };
    world.call(0x8400006d, (SP2 << 16) >>> 0);
    expect(seen).toEqual([
      [0x30003, 24 << 16],
      [0x1ffc0, 0x102],
      [0xe98e43ad, 1],
      [2, 3],
    ]);
    expect(world.callAs(SP2, FFA_PARTITION_INFO_GET, 0xe98e43ad, 1, 2, 3).slice(0, 1)).toEqual([0x84000060]);
    expect(world.callAs(SP2, FFA_PARTITION_INFO_GET, 0, 0, 0, 0, 1)[2]).toBe(3);
  });
});
