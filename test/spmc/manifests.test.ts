// Partition manifests, from the bytes of a device tree to a partition that runs: each property has its effect, or is
// refused by name.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decodeBootInformation } from '../../src/abi/boot-information.ts';
import { type DeviceTreeNode, decodeDeviceTree, encodeDeviceTree } from '../../src/abi/device-tree.ts';
import { FFA_PARTITION_INFO_GET } from '../../src/abi/function-ids.ts';
import type { PartitionManifest as DecodedManifest } from '../../src/abi/partition-manifest.ts';
import { readPartitionManifest } from '../../src/abi/partition-manifest-reader.ts';
import { writePartitionManifest } from '../../src/abi/partition-manifest-writer.ts';
import { UserError } from '../../src/base/user-error.ts';
import { STAGE2_DEVICE, STAGE2_NON_SECURE, STAGE2_READ, STAGE2_RW, STAGE2_RWX } from '../../src/hardware/stage2.ts';
import { checkManifests, type ManifestSources, setupFromManifest } from '../../src/spmc/manifest-setup.ts';
import { InitProgram } from './init-program.ts';
import { HYPERVISOR_RX, PAGE, SmallWorld, SP1, SP2 } from './small-world.ts';

const BASE = 0x5000_0000;
const IMAGE = { baseAddress: BASE, pageCount: 64 };
const ELSEWHERE = BASE + 0x80_0000;

const PLAIN: DecodedManifest = {
  manifestVersion: '1.1',
  ffaVersion: 0x10002,
  services: [{ uuid: [1, 2, 3, 4], messagingMethod: 0x607 }],
  executionContextCount: 1,
  exceptionLevel: 'S-EL1',
  isAarch32: false,
  entrypointOffset: 0,
  granuleBytes: 4096,
  nsInterruptsAction: 'signaled',
  isManagedExitVirq: false,
  otherSecureInterruptsAction: 'signaled',
  sriInterruptsPolicy: 0,
  hasNotifications: false,
  hasPrimaryScheduler: false,
  isMemoryNotTimeSliced: false,
  powerManagementMessages: 0,
  vmAvailabilityMessages: 0,
  hasLifecycle: false,
  memoryRegions: [],
  deviceRegions: [],
  bootInformation: [],
};

/** The manifest as it is after it was bytes. */
function reread(manifest: DecodedManifest): DecodedManifest {
  const tree = decodeDeviceTree(encodeDeviceTree(writePartitionManifest(manifest)));
  if (!tree.ok) throw new Error(JSON.stringify(tree.fault));
  const reading = readPartitionManifest(tree.value);
  if (!reading.ok) throw new Error(JSON.stringify(reading.faults));
  return reading.manifest;
}

/** A booted world whose only partition is as the manifest says. */
function booted(change: Partial<DecodedManifest>, sources: ManifestSources = {}) {
  const program = new InitProgram([]);
  const setup = setupFromManifest(SP1, reread({ ...PLAIN, ...change }), IMAGE, program, sources);
  const world = new SmallWorld([], { partitions: [setup] });
  return { world, program, partition: world.spmc.partitions[0] };
}

/** What the partition may do with the page at `address`; 0: nothing is there. */
function attributesAt({ partition }: ReturnType<typeof booted>, address: number): number {
  const { pages } = partition;
  return pages.translate(address / PAGE) < 0 ? 0 : pages.attributes;
}

const region = { name: 'one', pageCount: 2, attributes: 3 };
const device = {
  name: 'uart',
  pageCount: 1,
  attributes: 3,
  baseAddress: 0x1c0b_0000,
  interrupts: [],
  isExclusive: false,
};
type Booted = ReturnType<typeof booted>;

/** Properties, what they are set to, what is looked at, and what is then there. */
const EFFECTS: readonly [string, Partial<DecodedManifest>, (b: Booted) => unknown, unknown][] = [
  [
    'ffa-version',
    { ffaVersion: 0x10001, services: [{ uuid: [1, 2, 3, 4], messagingMethod: 7 }] },
    (b) => b.partition.version,
    0x10001,
  ],
  [
    'uuid, messaging-method',
    {
      services: [
        { uuid: [1, 2, 3, 4], messagingMethod: 1 },
        { uuid: [5, 6, 7, 8], messagingMethod: 4 },
      ],
    },
    (b) => [b.world.call(FFA_PARTITION_INFO_GET, 5, 6, 7, 8)[2], b.world.read(HYPERVISOR_RX + 4, 2)],
    [1, Uint8Array.from([4, 1])],
  ],
  ['description', { description: 'crypto' }, (b) => b.partition.setup.manifest.description, 'crypto'],
  ['execution-ctx-count', { executionContextCount: 4 }, (b) => b.partition.vcpus.length, 4],
  ['exception-level', { exceptionLevel: 'S-EL0' }, (b) => [b.partition.sEl0, attributesAt(b, BASE)], [true, 5]],
  [
    'exception-level',
    { exceptionLevel: 'S-EL1' },
    (b) => [b.partition.sEl0, attributesAt(b, BASE)],
    [false, STAGE2_RWX],
  ],
  ['load-address', { loadAddress: BASE }, (b) => b.partition.entryAddress, BASE],
  ['entrypoint-offset', { entrypointOffset: 0x4000 }, (b) => b.partition.entryAddress, BASE + 0x4000],
  ['boot-order', { bootOrder: 7 }, (b) => b.partition.setup.manifest.bootOrder, 7],
  ['boot-order, none', {}, (b) => b.partition.setup.manifest.bootOrder, 0xffff],
  [
    'gp-register-num',
    { bootRegister: 2, bootInformation: ['ffa_manifest'] },
    (b) => b.program.first[0],
    [0, 0, BASE, 0, 0, 0, 0, 0],
  ],
  [
    'rx_tx-info',
    {
      buffers: { rx: 'rx', tx: 'tx' },
      memoryRegions: [
        { name: 'rx', pageCount: 1, attributes: 1, baseAddress: ELSEWHERE },
        { name: 'tx', pageCount: 1, attributes: 3, loadAddressRelativeOffset: 0x3000 },
      ],
    },
    (b) => [b.partition.rxFrame * PAGE, b.partition.txFrame * PAGE, b.partition.bufferPages],
    [ELSEWHERE, BASE + 0x3000, 1],
  ],
  ['ns-interrupts-action 0', { nsInterruptsAction: 'queued' }, (b) => b.partition.nsInterruptAction, 'queue'],
  [
    'ns-interrupts-action 1, managed-exit',
    { nsInterruptsAction: 'managed-exit' },
    (b) => b.partition.nsInterruptAction,
    'managed-exit',
  ],
  ['ns-interrupts-action 2', { nsInterruptsAction: 'signaled' }, (b) => b.partition.nsInterruptAction, 'signal'],
  [
    'managed-exit-virq',
    { nsInterruptsAction: 'managed-exit', isManagedExitVirq: true },
    (b) => b.partition.setup.manifest.managedExitVirq,
    true,
  ],
  [
    'other-s-interrupts-action 0',
    { nsInterruptsAction: 'queued', otherSecureInterruptsAction: 'queued' },
    (b) => b.partition.setup.manifest.otherSecureInterruptAction,
    'queue',
  ],
  [
    'other-s-interrupts-action 1',
    { otherSecureInterruptsAction: 'signaled' },
    (b) => b.partition.setup.manifest.otherSecureInterruptAction,
    'signal',
  ],
  ['sri-interrupts-policy', { sriInterruptsPolicy: 3 }, (b) => b.partition.sriInterruptsPolicy, 3],
  ['notification-support', { hasNotifications: true }, (b) => b.partition.notifications.enabled, true],
  [
    'power-management-messages',
    { executionContextCount: 2, powerManagementMessages: 5 },
    (b) => b.partition.powerManagement,
    5,
  ],
  ['power-management-messages of one context', { powerManagementMessages: 5 }, (b) => b.partition.powerManagement, 0],
  ['vm-availability-messages', { vmAvailabilityMessages: 2 }, (b) => b.partition.vmAvailability, 2],
  [
    'abort-action',
    { hasLifecycle: true, abortAction: 'destroy' },
    (b) => b.partition.setup.manifest.abortAction,
    'destroy',
  ],
  [
    'lifecycle-support without abort-action',
    { hasLifecycle: true },
    (b) => b.partition.setup.manifest.abortAction,
    undefined,
  ],
  [
    'memory-regions: base-address, pages-count, attributes',
    { memoryRegions: [{ ...region, baseAddress: ELSEWHERE }] },
    (b) => [-1, 0, 1, 2].map((n) => attributesAt(b, ELSEWHERE + n * PAGE)),
    [0, STAGE2_RW, STAGE2_RW, 0],
  ],
  [
    'memory-regions: load-address-relative-offset',
    { memoryRegions: [{ ...region, loadAddressRelativeOffset: 0x5000, attributes: 1 }] },
    (b) => [4, 5, 6, 7].map((n) => attributesAt(b, BASE + n * PAGE)),
    [STAGE2_RWX, STAGE2_READ, STAGE2_READ, STAGE2_RWX],
  ],
  [
    'memory-regions: non-secure memory stays in the normal world',
    { memoryRegions: [{ ...region, baseAddress: 0x4200_0000, attributes: 0xb }] },
    (b) => [attributesAt(b, 0x4200_0000), b.world.spmc.normalWorld.pages.translate(0x4200_0000 / PAGE)],
    [STAGE2_RW | STAGE2_NON_SECURE, 0x4200_0000 / PAGE],
  ],
  [
    'device-regions: base-address, attributes',
    { deviceRegions: [{ ...device, attributes: 1 }] },
    (b) => attributesAt(b, device.baseAddress),
    STAGE2_READ | STAGE2_DEVICE,
  ],
  [
    'device-regions: interrupts',
    { deviceRegions: [{ ...device, interrupts: [{ id: 56, attributes: 0x900 }] }] },
    (b) => b.world.spmc.interruptOwners.get(56)?.id,
    SP1,
  ],
  // Taken, and without effect.
  ['auxiliary-id', { auxiliaryId: 0xae }, (b) => b.partition.id, SP1],
  ['has-primary-scheduler', { hasPrimaryScheduler: true }, (b) => b.partition.id, SP1],
  ['time-slice-mem', { isMemoryNotTimeSliced: true }, (b) => b.partition.id, SP1],
];

describe('a property has its effect', () => {
  test.each(EFFECTS)('%s: %#', (_name, change, look, expected) => {
    expect(look(booted(change))).toEqual(expected);
  });

  test('boot-info: the manifest as it was, or as it is written anew; a list if there is one', () => {
    const manifestBlob = encodeDeviceTree(writePartitionManifest({ ...PLAIN, description: 'as it was' }));
    const hobList = Uint8Array.from([1, 2, 3]);
    const wanted = { bootInformation: ['ffa_manifest', 'hob_list'], bootRegister: 0 };
    for (const sources of [{ manifestBlob, hobList }, { hobList }]) {
      const { world } = booted(wanted, sources);
      const decoded = decodeBootInformation(new DataView(world.read(BASE, PAGE).buffer));
      if (!decoded.ok) throw new Error(JSON.stringify(decoded.fault));
      const [manifest, list] = decoded.value.descriptors;
      const blob = world.read(manifest.content.low, manifest.contentSizeBytes);
      const tree = decodeDeviceTree(blob);
      const reading = tree.ok ? readPartitionManifest(tree.value) : undefined;
      const description = reading?.ok === true ? reading.manifest.description : 'none';
      expect(description).toBe('manifestBlob' in sources ? 'as it was' : undefined);
      expect(world.read(list.content.low, list.contentSizeBytes)).toEqual(hobList);
    }
  });

  test('the image lies where the manifest says, if nobody else says it', () => {
    const setup = setupFromManifest(SP1, { ...PLAIN, loadAddress: ELSEWHERE }, { pageCount: 4 }, new InitProgram([]));
    expect(setup.image).toEqual({ baseAddress: ELSEWHERE, pageCount: 4 });
  });
});

describe('what there is not is refused by name', () => {
  test.each<[Partial<DecodedManifest>, string]>([
    [{ ffaVersion: 0x10003 }, 'ffa-version: 1.3 is not spoken here; 1.2 or less'],
    [{ exceptionLevel: 'EL1' }, "exception-level: EL1 is a VM's; S-EL0 (1) or S-EL1 (2)"],
    [{ isAarch32: true }, 'execution-state: AArch32 is not supported; AArch64 (0)'],
    [{ granuleBytes: 65536 }, 'xlat-granule: 65536 bytes are not supported; 4096 (0)'],
    [{ id: 3 }, "id: 0x3 is not the partition's; 0x8001, or none"],
    [{ id: 0x8002 }, "id: 0x8002 is not the partition's; 0x8001, or none"],
    [{ loadAddress: ELSEWHERE }, 'load-address: 0x50800000 is not where the image lies; 0x50000000'],
    [{ entrypointOffset: 64 * PAGE }, 'entrypoint-offset: 0x40000 lies beyond the image; less than 0x40000'],
    [
      { hasLifecycle: true, liveActivation: { imageUuid: [9, 9, 9, 9] } },
      'live-activation-support: it is not supported; leave it out',
    ],
    [
      { hasLifecycle: true, abortAction: 'propagate' },
      'partition 0x8001: abort-action propagate would end the whole machine; stop, destroy or restart',
    ],
    [
      { memoryRegions: [{ name: 'heap', pageCount: 1, attributes: 3 }] },
      'memory region heap: it has no base-address; give it one, or a load-address-relative-offset',
    ],
    [{ bootInformation: ['hob_list'] }, 'boot-info: the partition has no hob_list'],
    [{ bootInformation: ['acpi'] }, 'boot-info: there is no acpi; there are ffa_manifest and hob_list'],
    [
      { memoryRegions: [{ ...region, baseAddress: 0x9000_0000, pageCount: 0xffff_ffff }] },
      'partition 0x8001: 0x90000000, 4294967295 pages, is no range of whole pages',
    ],
  ])('%o', (change, message) => {
    expect(() => booted(change)).toThrow(UserError);
    expect(() => booted(change)).toThrow(message);
  });

  test.each([0x8001, 1, undefined])('the id may be %o', (id) => {
    expect(booted(id === undefined ? {} : { id }).partition.id).toBe(SP1);
  });

  test('an image without an address', () => {
    const make = () => setupFromManifest(SP1, PLAIN, { pageCount: 4 }, new InitProgram([]));
    expect(make).toThrow('load-address: it is not stated, and the image has no address; state one of them');
  });

  test('buffers that are no regions, or of different sizes', () => {
    const memoryRegions = [
      { name: 'rx', pageCount: 1, attributes: 1, baseAddress: ELSEWHERE },
      { name: 'tx', pageCount: 2, attributes: 3, baseAddress: ELSEWHERE + PAGE },
    ];
    const make = (tx: string) => () =>
      setupFromManifest(SP1, { ...PLAIN, memoryRegions, buffers: { rx: 'rx', tx } }, IMAGE, new InitProgram([]));
    expect(make('tx')).toThrow('rx_tx-info: rx and tx differ in size; give them equal pages-count');
    expect(make('none')).toThrow('rx_tx-info: no memory region is named none');
  });
});

describe('two manifests', () => {
  const two = (first: Partial<DecodedManifest>, second: Partial<DecodedManifest>) => {
    const manifests = [first, second].map((change, n) => ({ id: SP1 + n, decoded: reread({ ...PLAIN, ...change }) }));
    checkManifests(manifests);
    const partitions = manifests.map(({ id, decoded }, n) =>
      setupFromManifest(id, decoded, { baseAddress: BASE + n * 0x10_0000, pageCount: 64 }, new InitProgram([])),
    );
    return new SmallWorld([], { partitions });
  };

  test('do not state one boot order, or one interrupt, or one memory', () => {
    const uart = (baseAddress: number) => ({
      deviceRegions: [{ ...device, baseAddress, interrupts: [{ id: 56, attributes: 0 }] }],
    });
    const memory = { memoryRegions: [{ ...region, baseAddress: ELSEWHERE }] };
    expect(() => two({ bootOrder: 3 }, { bootOrder: 3 })).toThrow(
      'boot-order: partitions 0x8001 and 0x8002 both have 3; give each its own',
    );
    expect(() => two(uart(0x1c0b_0000), uart(0x1c0c_0000))).toThrow(
      'interrupt 56: partitions 0x8001 and 0x8002 both have it; give it to one device region',
    );
    expect(() => two(memory, memory)).toThrow("partition 0x8002: the memory at 0x50800000 is another partition's");
  });

  test.each<[number | undefined, number | undefined]>([
    [3, 4],
    [undefined, undefined],
    [3, undefined],
    [0xffff, 0xffff],
  ])('may have boot orders %o and %o', (first, second) => {
    const order = (bootOrder: number | undefined) => (bootOrder === undefined ? {} : { bootOrder });
    expect(two(order(first), order(second)).spmc.partitionById.has(SP2)).toBe(true);
  });
});

describe('docs/manifests.md', () => {
  const page = readFileSync(new URL('../../docs/manifests.md', import.meta.url), 'utf8');

  test('has a row for each property and node that is read', () => {
    const dma = { smmuId: 1, streamIds: [5], accessPermissions: [3] };
    const every: DecodedManifest = {
      ...PLAIN,
      id: 1,
      auxiliaryId: 2,
      description: 'all',
      loadAddress: BASE,
      entrypointOffset: 0x4000,
      bootOrder: 1,
      bootRegister: 0,
      buffers: { rx: 'rx', tx: 'tx' },
      nsInterruptsAction: 'queued',
      isManagedExitVirq: true,
      otherSecureInterruptsAction: 'queued',
      sriInterruptsPolicy: 1,
      hasNotifications: true,
      hasPrimaryScheduler: true,
      isMemoryNotTimeSliced: true,
      powerManagementMessages: 1,
      vmAvailabilityMessages: 1,
      hasLifecycle: true,
      abortAction: 'stop',
      liveActivation: { register: 1, imageUuid: [9, 9, 9, 9], stateBuffer: 'tx' },
      memoryRegions: [
        { name: 'rx', description: 'rx', pageCount: 1, attributes: 1, baseAddress: ELSEWHERE, dma },
        { name: 'tx', pageCount: 1, attributes: 3, loadAddressRelativeOffset: 0x1000 },
      ],
      deviceRegions: [
        {
          ...device,
          dma,
          isExclusive: true,
          interrupts: [{ id: 56, attributes: 0, targetMpidr: { high: 0, low: 0 } }],
        },
      ],
      bootInformation: ['ffa_manifest', 'hob_list'],
    };
    const names = new Set<string>(['managed-exit']);
    const collect = (node: DeviceTreeNode): void => {
      for (const { name } of node.properties) names.add(name);
      node.children.forEach(collect);
    };
    for (const manifestVersion of ['1.0', '1.1'] as const) {
      const { root } = writePartitionManifest({ ...every, manifestVersion });
      for (const child of root.children) names.add(child.name);
      collect(root);
    }
    names.delete('phandle');
    const rows = page.split('\n').filter((line) => line.startsWith('|'));
    const missing = [...names].filter((name) => !rows.some((row) => row.split('|')[1]?.includes(`\`${name}\``)));
    expect(missing).toEqual([]);
  });

  test('names nothing else', () => {
    const source = ['partition-manifest.ts', 'partition-manifest-reader.ts', 'manifest-regions.ts'].map((file) =>
      readFileSync(new URL(`../../src/abi/${file}`, import.meta.url), 'utf8'),
    );
    const cells = page
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) => line.split('|')[1] ?? '');
    const named = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''));
    expect(named.length).toBeGreaterThan(40);
    const boot = ['ffa_manifest', 'hob_list'];
    expect(named.filter((name) => !boot.includes(name) && !source.some((text) => text.includes(`'${name}'`)))).toEqual(
      [],
    );
  });
});
