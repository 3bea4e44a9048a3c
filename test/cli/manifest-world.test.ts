// A world file whose partition has a manifest: what the manifest says holds; what is wrong in it is said at its place.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeDeviceTree } from '../../src/abi/device-tree.ts';
import type { PartitionManifest } from '../../src/abi/partition-manifest.ts';
import { writePartitionManifest } from '../../src/abi/partition-manifest-writer.ts';
import { loadWorldFrom } from '../../src/cli/world/load-world.ts';
import { World } from '../../src/world/world.ts';

const MANIFEST: PartitionManifest = {
  manifestVersion: '1.0',
  ffaVersion: 0x10002,
  services: [{ uuid: [0xa, 0xb, 0xc, 0xd], messagingMethod: 0x607 }],
  id: 0x8001,
  description: 'crypto',
  executionContextCount: 2,
  exceptionLevel: 'S-EL1',
  isAarch32: false,
  entrypointOffset: 0x4000,
  granuleBytes: 4096,
  bootOrder: 5,
  bootRegister: 0,
  buffers: { rx: 'rx', tx: 'tx' },
  nsInterruptsAction: 'queued',
  isManagedExitVirq: false,
  otherSecureInterruptsAction: 'queued',
  sriInterruptsPolicy: 0,
  hasNotifications: true,
  hasPrimaryScheduler: false,
  isMemoryNotTimeSliced: false,
  powerManagementMessages: 1,
  vmAvailabilityMessages: 3,
  hasLifecycle: false,
  memoryRegions: [
    { name: 'rx', pageCount: 1, attributes: 1, loadAddressRelativeOffset: 0x8000 },
    { name: 'tx', pageCount: 1, attributes: 3, loadAddressRelativeOffset: 0x9000 },
  ],
  deviceRegions: [],
  bootInformation: ['ffa_manifest'],
};

const WORLD = `partitions:
  - {name: crypto, id: 0x8001, program: holder, manifest: ./crypto.dtb}
guests:
  - name: g1
    script:
      - version
      - map
      - share: {name: buf, to: crypto, pages: 4}
      - message: {to: crypto, do: retrieve, region: buf}
timeline:
  - {at: 1s, destroy: g1}
expect:
  - {guest: g1, is: gone, by: 30s}
  - scripts: hold
`;

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ffabric-manifest-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(change: Partial<PartitionManifest>, world = WORLD): void {
  writeFileSync(join(folder, 'w.yaml'), world);
  writeFileSync(join(folder, 'crypto.dtb'), encodeDeviceTree(writePartitionManifest({ ...MANIFEST, ...change })));
}

async function load() {
  const { description, programs } = await loadWorldFrom('w.yaml', folder);
  return new World(description, { programs });
}

describe('a partition with a manifest', () => {
  test('is what the manifest says, and takes part in the story', async () => {
    write({});
    const world = await load();
    world.run();
    const [partition] = world.spmc.partitions;
    const image = partition.setup.image.baseAddress;
    expect([partition.version, partition.vcpus.length, partition.nsInterruptAction]).toEqual([0x10002, 2, 'queue']);
    expect([partition.entryAddress, partition.vmAvailability, partition.powerManagement]).toEqual([
      image + 0x4000,
      3,
      1,
    ]);
    expect([partition.rxFrame * 4096, partition.txFrame * 4096]).toEqual([image + 0x8000, image + 0x9000]);
    expect(partition.setup.manifest.services).toEqual(MANIFEST.services);
    expect(world.oracle?.violations.map(({ anomaly }) => anomaly)).toEqual([]);
  });

  test('has buffers of its own if the manifest has none, and its image where the manifest says', async () => {
    const { buffers, ...rest } = MANIFEST;
    expect(buffers).toBeDefined();
    writeFileSync(join(folder, 'w.yaml'), WORLD);
    const manifest = { ...rest, memoryRegions: [], loadAddress: 0x9000_0000 };
    writeFileSync(join(folder, 'crypto.dtb'), encodeDeviceTree(writePartitionManifest(manifest)));
    const world = await load();
    world.run();
    const [partition] = world.spmc.partitions;
    expect(partition.setup.image.baseAddress).toBe(0x9000_0000);
    expect(partition.rxFrame * 4096).toBe(0x9000_0000 + 63 * 4096);
  });

  test.each<[string, Partial<PartitionManifest>, string]>([
    [
      'a property that is wrong',
      { vmAvailabilityMessages: 9 },
      'crypto.dtb: /vm-availability-messages: 9; must be 0 to 3',
    ],
    [
      'several that are',
      { vmAvailabilityMessages: 9, bootOrder: 0x10000 },
      'crypto.dtb: /vm-availability-messages: 9; must be 0 to 3 (and 1 more: ffabric decode crypto.dtb)',
    ],
    [
      'an image in the memory of the normal world',
      { loadAddress: 0x4000_0000 },
      "/load-address: 0x40000000 is not above the normal world's memory",
    ],
  ])('%s', async (_name, change, message) => {
    write(change);
    await expect(load()).rejects.toThrow(message);
    await expect(load()).rejects.toMatchObject({ place: { file: 'w.yaml', line: 2 } });
  });

  test('what is not supported is said when the world is made', async () => {
    write({ id: 0x8002 });
    await expect(load()).rejects.toThrow("id: 0x8002 is not the partition's; 0x8001, or none");
  });

  test.each([
    ['no file', (path: string) => rmSync(path), 'there is no manifest crypto.dtb'],
    ['no device tree', (path: string) => writeFileSync(path, 'hello'), 'crypto.dtb: '],
  ])('%s', async (_name, spoil, message) => {
    write({});
    spoil(join(folder, 'crypto.dtb'));
    await expect(load()).rejects.toThrow(message);
  });
});
