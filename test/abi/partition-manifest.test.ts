// Partition manifests: written, read back, compiled by dtc; and each wrong property with its own message.

import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import {
  type DeviceTree,
  type DeviceTreeNode,
  type DeviceTreeProperty,
  decodeDeviceTree,
  encodeDeviceTree,
} from '../../src/abi/device-tree.ts';
import { cellsProperty, emptyProperty, number64Property, textProperty } from '../../src/abi/device-tree-values.ts';
import type { PartitionManifest } from '../../src/abi/partition-manifest.ts';
import { readPartitionManifest } from '../../src/abi/partition-manifest-reader.ts';
import { writePartitionManifest } from '../../src/abi/partition-manifest-writer.ts';
import type { Uuid } from '../../src/abi/uuid.ts';
import { requireTool } from '../require.ts';

const UUID: Uuid = [0x1e67b5b4, 0xe14f904a, 0x13fb1fb8, 0xcbdae1da];
const OTHER_UUID: Uuid = [0x092358d1, 0xb94723f0, 0x64447c82, 0xc88f57f5];
const IMAGE_UUID: Uuid = [1, 2, 3, 4];

/** As little as the binding allows. */
const SMALL: PartitionManifest = {
  manifestVersion: '1.0',
  ffaVersion: 0x10001,
  services: [{ uuid: UUID, messagingMethod: 3 }],
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

/** As much as it allows. */
const LARGE: PartitionManifest = {
  manifestVersion: '1.1',
  ffaVersion: 0x10002,
  services: [
    { uuid: UUID, messagingMethod: 0x607 },
    { uuid: OTHER_UUID, messagingMethod: 1 },
  ],
  id: 0x8001,
  auxiliaryId: 0xae,
  description: 'everything',
  executionContextCount: 1,
  exceptionLevel: 'S-EL1',
  isAarch32: false,
  loadAddress: 0x1_0628_0000,
  entrypointOffset: 0x4000,
  granuleBytes: 4096,
  bootOrder: 7,
  bootRegister: 0,
  buffers: { rx: 'rx', tx: 'tx' },
  nsInterruptsAction: 'queued',
  isManagedExitVirq: true,
  otherSecureInterruptsAction: 'queued',
  sriInterruptsPolicy: 3,
  hasNotifications: true,
  hasPrimaryScheduler: true,
  isMemoryNotTimeSliced: true,
  powerManagementMessages: 7,
  vmAvailabilityMessages: 3,
  hasLifecycle: true,
  abortAction: 'restart',
  liveActivation: { register: 1, imageUuid: IMAGE_UUID, stateBuffer: 'state' },
  memoryRegions: [
    { name: 'rx', pageCount: 1, attributes: 1, baseAddress: 0x7000000 },
    { name: 'tx', pageCount: 1, attributes: 3, baseAddress: 0x7001000 },
    { name: 'state', description: 'kept', pageCount: 2, attributes: 3, loadAddressRelativeOffset: 0x10000 },
    {
      name: 'dma',
      pageCount: 16,
      attributes: 0xb,
      baseAddress: 0x7800000,
      dma: { smmuId: 1, streamIds: [5, 6], accessPermissions: [3, 3] },
    },
    { name: 'anywhere', pageCount: 1, attributes: 5 },
  ],
  deviceRegions: [
    {
      name: 'timer',
      description: 'refclk',
      pageCount: 1,
      attributes: 3,
      baseAddress: 0x2a830000,
      interrupts: [
        { id: 58, attributes: 0x900 },
        { id: 59, attributes: 0x901, targetMpidr: { high: 0, low: 0x100 } },
      ],
      isExclusive: true,
      dma: { smmuId: 1, streamIds: [5, 6], accessPermissions: [] },
    },
  ],
  bootInformation: ['ffa_manifest', 'hob_list'],
};

/** Through bytes, as a partition's package holds it. */
function reread(tree: DeviceTree): ReturnType<typeof readPartitionManifest> {
  const decoded = decodeDeviceTree(encodeDeviceTree(tree));
  if (!decoded.ok) throw new Error(JSON.stringify(decoded.fault));
  return readPartitionManifest(decoded.value);
}

/** The tree with one more or another property at `path` (names of child nodes, "/" between); null takes it away. */
function changed(tree: DeviceTree, path: string, name: string, property: DeviceTreeProperty | null): DeviceTree {
  const names = path === '' ? [] : path.split('/');
  const change = (node: DeviceTreeNode, depth: number): DeviceTreeNode => {
    if (depth < names.length) {
      const children = node.children.map((child) => (child.name === names[depth] ? change(child, depth + 1) : child));
      return { ...node, children };
    }
    const others = node.properties.filter((one) => one.name !== name);
    return { ...node, properties: property === null ? others : [...others, property] };
  };
  return { ...tree, root: change(tree.root, 0) };
}

/** `kind path: found; rule` of each fault. */
function faultsOf(tree: DeviceTree): string[] {
  const reading = reread(tree);
  return reading.ok ? [] : reading.faults.map((fault) => `${fault.kind} ${fault.path}: ${fault.found}; ${fault.rule}`);
}

describe.each([
  ['small, 1.0', SMALL],
  ['small, 1.1', { ...SMALL, manifestVersion: '1.1' }],
  ['large, 1.1', LARGE],
  ['large, 1.0', { ...LARGE, manifestVersion: '1.0' }],
] satisfies [string, PartitionManifest][])('a manifest: %s', (_, manifest) => {
  test('read(write(x)) = x', () => {
    expect(reread(writePartitionManifest(manifest))).toEqual({ ok: true, manifest, unknown: [] });
  });
});

requireTool('dtc', 'apt-get install device-tree-compiler')('a manifest as people write it, through dtc', () => {
  const read = (source: string): ReturnType<typeof readPartitionManifest> => {
    const blob = execFileSync('dtc', ['-q', '-I', 'dts', '-O', 'dtb', '-o', '-', '-'], { input: source });
    const decoded = decodeDeviceTree(new Uint8Array(blob));
    if (!decoded.ok) throw new Error(JSON.stringify(decoded.fault));
    return readPartitionManifest(decoded.value);
  };

  test('1.0', () => {
    const reading = read(`/dts-v1/;
      / {
        compatible = "arm,ffa-manifest-1.0";
        description = "crypto";
        ffa-version = <0x00010001>;
        uuid = <0x1e67b5b4 0xe14f904a 0x13fb1fb8 0xcbdae1da>, <0x092358d1 0xb94723f0 0x64447c82 0xc88f57f5>;
        messaging-method = <0x3 0x1>;
        id = <1>;
        execution-ctx-count = <8>;
        exception-level = <2>;
        execution-state = <0>;
        load-address = <0x7000000>;
        entrypoint-offset = <0x00004000>;
        xlat-granule = <0>;
        boot-order = <0>;
        managed-exit;
        vm-availability-messages = <3>;
        stream-endpoint-ids = <0 1 2 3>;
        rx_tx-info {
          compatible = "arm,ffa-manifest-rx_tx-buffer";
          rx-buffer = <&rx>;
          tx-buffer = <&tx>;
        };
        memory-regions {
          compatible = "arm,ffa-manifest-memory-regions";
          rx: rx-buffer { description = "rx"; pages-count = <1>; base-address = <0x0 0x7300000>; attributes = <0x1>; };
          tx: tx-buffer { description = "tx"; pages-count = <1>; base-address = <0x0 0x7301000>; attributes = <0x3>; };
        };
        device-regions {
          compatible = "arm,ffa-manifest-device-regions";
          watchdog {
            base-address = <0x0 0x2a490000>;
            pages-count = <32>;
            attributes = <0x3>;
            interrupts = <56 0x900>;
          };
        };
      };`);
    expect(reading).toEqual({
      ok: true,
      unknown: ['/stream-endpoint-ids'],
      manifest: {
        ...SMALL,
        services: [
          { uuid: UUID, messagingMethod: 3 },
          { uuid: OTHER_UUID, messagingMethod: 1 },
        ],
        description: 'crypto',
        id: 1,
        executionContextCount: 8,
        loadAddress: 0x7000000,
        entrypointOffset: 0x4000,
        bootOrder: 0,
        nsInterruptsAction: 'managed-exit',
        vmAvailabilityMessages: 3,
        buffers: { rx: 'rx-buffer', tx: 'tx-buffer' },
        memoryRegions: [
          { name: 'rx-buffer', description: 'rx', pageCount: 1, attributes: 1, baseAddress: 0x7300000 },
          { name: 'tx-buffer', description: 'tx', pageCount: 1, attributes: 3, baseAddress: 0x7301000 },
        ],
        deviceRegions: [
          {
            name: 'watchdog',
            pageCount: 32,
            attributes: 3,
            baseAddress: 0x2a490000,
            interrupts: [{ id: 56, attributes: 0x900 }],
            isExclusive: false,
          },
        ],
      },
    });
  });

  test('1.1', () => {
    const reading = read(`/dts-v1/;
      / {
        compatible = "arm,ffa-manifest-1.1";
        ffa-version = <0x00010002>;
        execution-ctx-count = <1>;
        exception-level = <1>;
        execution-state = <0>;
        image-uuid = "d883baea-afaf-4fb6-9b3a-10b3cf5b3fd8";
        services {
          compatible = "arm,ffa-manifest-services";
          first { uuid = "b4b5671e-4a90-4fe1-b81f-fb13dae1dacb"; messaging-method = <0x201>; };
        };
        boot-info { compatible = "arm,ffa-manifest-boot-info"; ffa_manifest; };
      };`);
    expect(reading).toEqual({
      ok: true,
      unknown: [],
      manifest: {
        ...SMALL,
        manifestVersion: '1.1',
        ffaVersion: 0x10002,
        exceptionLevel: 'S-EL0',
        services: [{ uuid: UUID, messagingMethod: 0x201 }],
        bootInformation: ['ffa_manifest'],
      },
    });
  });
});

type Wrong = readonly [path: string, name: string, property: DeviceTreeProperty | null, fault: string];
const { cells, text } = { cells: cellsProperty, text: textProperty };

/** One wrong property each, in `SMALL` as 1.0. */
const WRONG_IN_SMALL: readonly Wrong[] = [
  ['', 'compatible', null, 'compatible /compatible: nothing; must be "arm,ffa-manifest-1.0" or "arm,ffa-manifest-1.1"'],
  [
    '',
    'compatible',
    text('compatible', 'arm,ffa-manifest-2.0'),
    'compatible /compatible: "arm,ffa-manifest-2.0"; must be "arm,ffa-manifest-1.0" or "arm,ffa-manifest-1.1"',
  ],
  ['', 'ffa-version', null, 'missing /ffa-version: nothing; is mandatory'],
  ['', 'ffa-version', cells('ffa-version', 0x20000), 'range /ffa-version: 2.0; must have major version 1'],
  [
    '',
    'ffa-version',
    text('ffa-version', '1.1!!'),
    'type /ffa-version: 6 bytes; must be one number in one or two cells',
  ],
  ['', 'uuid', null, 'missing /uuid: nothing; is mandatory'],
  ['', 'uuid', cells('uuid', 1, 2, 3), 'type /uuid: 12 bytes; must be cells in groups of 4'],
  ['', 'uuid', cells('uuid', 0, 0, 0, 0), 'range /uuid: 00000000-0000-0000-0000-000000000000; must not be nil'],
  [
    '',
    'uuid',
    cells('uuid', ...UUID, ...UUID),
    'duplicate /uuid: b4b5671e-4a90-4fe1-b81f-fb13dae1dacb; no other service may have the same UUID',
  ],
  [
    '',
    'uuid',
    cells('uuid', ...Array.from({ length: 68 }, (_, n) => n)),
    'range /uuid: 17 entries; must be 16 entries or fewer',
  ],
  ['', 'messaging-method', null, 'missing /messaging-method: nothing; is mandatory'],
  [
    '',
    'messaging-method',
    cells('messaging-method', 3, 3),
    'conflict /messaging-method: 2 methods; must be 1 or 1, as there are UUIDs',
  ],
  [
    '',
    'messaging-method',
    cells('messaging-method', 8),
    'range /messaging-method: 0x8; must have no bits but those of 0x607',
  ],
  [
    '',
    'messaging-method',
    cells('messaging-method', 0x200),
    'conflict /messaging-method: 0x200; must not have direct messages 2 (0x600) in version 1.1',
  ],
  ['', 'execution-ctx-count', null, 'missing /execution-ctx-count: nothing; is mandatory'],
  ['', 'execution-ctx-count', cells('execution-ctx-count', 0), 'range /execution-ctx-count: 0; must be 1 to 0xffff'],
  ['', 'exception-level', null, 'missing /exception-level: nothing; is mandatory'],
  [
    '',
    'exception-level',
    cells('exception-level', 3),
    'range /exception-level: 3; must be 0 (EL1), 1 (S-EL0), 2 (S-EL1)',
  ],
  ['', 'execution-state', null, 'missing /execution-state: nothing; is mandatory'],
  ['', 'execution-state', cells('execution-state', 2), 'range /execution-state: 2; must be 0 (AArch64), 1 (AArch32)'],
  ['', 'xlat-granule', cells('xlat-granule', 3), 'range /xlat-granule: 3; must be 0 (4096), 1 (16384), 2 (65536)'],
  ['', 'id', cells('id', 0x10000), 'range /id: 0x10000; must be 0 to 0xffff'],
  ['', 'auxiliary-id', cells('auxiliary-id', 1, 1), 'range /auxiliary-id: 0x100000001; must be 0 to 0xffff'],
  ['', 'description', cells('description', 0x41), 'type /description: 4 bytes; must be one string'],
  [
    '',
    'load-address',
    cells('load-address', 0xffffffff, 0),
    'range /load-address: 0xffffffff00000000; must be 0 to 0x1fffffffffffff',
  ],
  [
    '',
    'load-address',
    cells('load-address', 0x7000800),
    'alignment /load-address: 0x7000800; must be a multiple of 4096',
  ],
  [
    '',
    'entrypoint-offset',
    cells('entrypoint-offset', 1, 2, 3),
    'type /entrypoint-offset: 12 bytes; must be one number in one or two cells',
  ],
  ['', 'boot-order', cells('boot-order', 0x10000), 'range /boot-order: 0x10000; must be 0 to 0xffff'],
  ['', 'gp-register-num', cells('gp-register-num', 4), 'range /gp-register-num: 4; must be 0 to 3'],
  ['', 'managed-exit', cells('managed-exit', 1), 'type /managed-exit: 4 bytes; must have no value'],
  ['', 'managed-exit-virq', cells('managed-exit-virq', 1), 'type /managed-exit-virq: 4 bytes; must have no value'],
  [
    '',
    'ns-interrupts-action',
    cells('ns-interrupts-action', 3),
    'range /ns-interrupts-action: 3; must be 0 (queued), 1 (managed-exit), 2 (signaled)',
  ],
  [
    '',
    'other-s-interrupts-action',
    cells('other-s-interrupts-action', 0),
    'conflict /other-s-interrupts-action: queued; must go with ns-interrupts-action queued',
  ],
  [
    '',
    'other-s-interrupts-action',
    cells('other-s-interrupts-action', 2),
    'range /other-s-interrupts-action: 2; must be 0 (queued), 1 (signaled)',
  ],
  ['', 'sri-interrupts-policy', cells('sri-interrupts-policy', 4), 'range /sri-interrupts-policy: 4; must be 0 to 3'],
  [
    '',
    'notification-support',
    cells('notification-support', 1),
    'type /notification-support: 4 bytes; must have no value',
  ],
  [
    '',
    'has-primary-scheduler',
    cells('has-primary-scheduler', 1),
    'type /has-primary-scheduler: 4 bytes; must have no value',
  ],
  ['', 'time-slice-mem', cells('time-slice-mem', 1), 'type /time-slice-mem: 4 bytes; must have no value'],
  [
    '',
    'power-management-messages',
    cells('power-management-messages', 8),
    'range /power-management-messages: 8; must be 0 to 7',
  ],
  [
    '',
    'vm-availability-messages',
    cells('vm-availability-messages', 4),
    'range /vm-availability-messages: 4; must be 0 to 3',
  ],
  ['', 'lifecycle-support', cells('lifecycle-support', 1), 'type /lifecycle-support: 4 bytes; must have no value'],
  [
    '',
    'abort-action',
    cells('abort-action', 4),
    'range /abort-action: 4; must be 0 (stop), 1 (destroy), 2 (restart), 3 (propagate)',
  ],
  ['', 'abort-action', cells('abort-action', 2), 'conflict /abort-action: restart; must go with lifecycle-support'],
];

/** The same in `LARGE` as 1.1. */
const WRONG_IN_LARGE: readonly Wrong[] = [
  [
    '',
    'execution-ctx-count',
    cells('execution-ctx-count', 2),
    'conflict /lifecycle-support: 2 execution contexts; must have one execution context\n' +
      'conflict /live-activation-support: 2 execution contexts; must have one execution context',
  ],
  [
    '',
    'lifecycle-support',
    null,
    'conflict /abort-action: restart; must go with lifecycle-support\n' +
      'conflict /live-activation-support: no lifecycle-support; must go with lifecycle-support',
  ],
  [
    '',
    'live-activation-register',
    cells('live-activation-register', 4),
    'conflict /live-activation-register: 4; must be neither 4 nor gp-register-num',
  ],
  [
    '',
    'live-activation-register',
    cells('live-activation-register', 0),
    'conflict /live-activation-register: 0; must be neither 4 nor gp-register-num',
  ],
  [
    '',
    'live-activation-register',
    cells('live-activation-register', 8),
    'range /live-activation-register: 8; must be 0 to 7',
  ],
  ['', 'image-uuid', null, 'missing /image-uuid: nothing; is mandatory'],
  [
    '',
    'image-uuid',
    cells('image-uuid', ...UUID),
    'duplicate /image-uuid: b4b5671e-4a90-4fe1-b81f-fb13dae1dacb; no other service may have the same UUID',
  ],
  [
    'live-state-buffer-info',
    'live-state-buffer',
    cells('live-state-buffer', 1),
    'conflict /live-state-buffer-info/live-state-buffer: 0x1; must be a region that is read and written only',
  ],
  [
    'live-state-buffer-info',
    'compatible',
    text('compatible', 'x'),
    'compatible /live-state-buffer-info/compatible: "x"; must be "arm,ffa-manifest,live-state-buffer"',
  ],
  ['services', 'compatible', null, 'compatible /services/compatible: nothing; must be "arm,ffa-manifest-services"'],
  ['services/service-0', 'uuid', null, 'missing /services/service-0/uuid: nothing; is mandatory'],
  [
    'services/service-0',
    'uuid',
    text('uuid', 'b4b5671e'),
    'type /services/service-0/uuid: "b4b5671e"; must be a UUID such as "b4b5671e-4a90-4fe1-b81f-fb13dae1dacb"',
  ],
  ['services/service-0', 'uuid', cells('uuid', ...UUID), 'type /services/service-0/uuid: 16 bytes; must be one string'],
  [
    'services/service-1',
    'uuid',
    text('uuid', 'b4b5671e-4a90-4fe1-b81f-fb13dae1dacb'),
    'duplicate /services/service-1/uuid: b4b5671e-4a90-4fe1-b81f-fb13dae1dacb; no other service may have the same UUID',
  ],
  [
    'services/service-1',
    'messaging-method',
    null,
    'missing /services/service-1/messaging-method: nothing; is mandatory',
  ],
  [
    'services/service-1',
    'messaging-method',
    cells('messaging-method', 0x800),
    'range /services/service-1/messaging-method: 0x800; must have no bits but those of 0x607',
  ],
  ['rx_tx-info', 'rx-buffer', null, 'missing /rx_tx-info/rx-buffer: nothing; is mandatory'],
  [
    'rx_tx-info',
    'rx-buffer',
    cells('rx-buffer', 9),
    'reference /rx_tx-info/rx-buffer: phandle 9; must point to a memory region',
  ],
  [
    'rx_tx-info',
    'tx-buffer',
    cells('tx-buffer', 1),
    'conflict /rx_tx-info/tx-buffer: rx; must not be the same region as rx-buffer',
  ],
  [
    'rx_tx-info',
    'tx-buffer',
    cells('tx-buffer', 3),
    'conflict /rx_tx-info/tx-buffer: 2 pages; must have 1 pages, as rx-buffer has',
  ],
  ['boot-info', 'hob_list', cells('hob_list', 1), 'type /boot-info/hob_list: 4 bytes; must have no value'],
  [
    'memory-regions',
    'compatible',
    text('compatible', 'arm,ffa-manifest-device-regions'),
    'compatible /memory-regions/compatible: "arm,ffa-manifest-device-regions"; ' +
      'must be "arm,ffa-manifest-memory-regions"',
  ],
  ['memory-regions/dma', 'pages-count', null, 'missing /memory-regions/dma/pages-count: nothing; is mandatory'],
  [
    'memory-regions/dma',
    'pages-count',
    cells('pages-count', 0),
    'range /memory-regions/dma/pages-count: 0; must be 1 to 0xffffffff',
  ],
  ['memory-regions/dma', 'attributes', null, 'missing /memory-regions/dma/attributes: nothing; is mandatory'],
  [
    'memory-regions/dma',
    'attributes',
    cells('attributes', 2),
    'range /memory-regions/dma/attributes: 0x2; must be readable (1)',
  ],
  [
    'memory-regions/dma',
    'attributes',
    cells('attributes', 0x10),
    'range /memory-regions/dma/attributes: 0x10; must be 0 to 0xf',
  ],
  [
    'memory-regions/dma',
    'base-address',
    number64Property('base-address', 0x7800800),
    'alignment /memory-regions/dma/base-address: 0x7800800; must be a multiple of 4096',
  ],
  [
    'memory-regions/tx',
    'base-address',
    number64Property('base-address', 0x7000000),
    'overlap /memory-regions/tx/base-address: 0x7000000 to 0x7001000; must not overlap memory-regions/rx',
  ],
  [
    'memory-regions/tx',
    'load-address-relative-offset',
    number64Property('load-address-relative-offset', 0x1000),
    'conflict /memory-regions/tx/load-address-relative-offset: 0x1000; must not go with base-address',
  ],
  [
    'memory-regions/state',
    'load-address-relative-offset',
    number64Property('load-address-relative-offset', 1),
    'alignment /memory-regions/state/load-address-relative-offset: 0x1; must be a multiple of 4096',
  ],
  [
    'memory-regions/dma',
    'stream-ids',
    cells('stream-ids', 5, 7),
    'reference /memory-regions/dma/stream-ids: stream 7; must be of a device region',
  ],
  [
    'memory-regions/dma',
    'smmu-id',
    null,
    'conflict /memory-regions/dma/stream-ids: 2 stream ids; must go with smmu-id',
  ],
  [
    'memory-regions/dma',
    'stream-ids-access-permissions',
    cells('stream-ids-access-permissions', 1),
    'conflict /memory-regions/dma/stream-ids-access-permissions: 1 permissions; must be 2, one for each stream id',
  ],
  [
    'memory-regions/dma',
    'stream-ids-access-permissions',
    cells('stream-ids-access-permissions', 3, 1),
    'conflict /memory-regions/dma/stream-ids-access-permissions: 0x3 and 0x1; ' +
      'must be the same for every stream id of a device',
  ],
  ['device-regions/timer', 'base-address', null, 'missing /device-regions/timer/base-address: nothing; is mandatory'],
  [
    'device-regions/timer',
    'base-address',
    number64Property('base-address', 0x7800000),
    'overlap /device-regions/timer/base-address: 0x7800000 to 0x7801000; must not overlap memory-regions/dma',
  ],
  [
    'device-regions/timer',
    'attributes',
    cells('attributes', 5),
    'range /device-regions/timer/attributes: 0x5; must be read (1) or read and write (3)',
  ],
  [
    'device-regions/timer',
    'interrupts',
    cells('interrupts', 58, 0x900, 59),
    'type /device-regions/timer/interrupts: 12 bytes; must be cells in groups of 2',
  ],
  [
    'device-regions/timer',
    'interrupts',
    cells('interrupts', 58, 0x900, 58, 0x900, 59, 0),
    'duplicate /device-regions/timer/interrupts: interrupt 58; must not be of device timer too',
  ],
  [
    'device-regions/timer',
    'interrupts-target',
    cells('interrupts-target', 60, 0, 0),
    'reference /device-regions/timer/interrupts-target: interrupt 60; must be one of interrupts',
  ],
  [
    'device-regions/timer',
    'exclusive-access',
    cells('exclusive-access', 1),
    'type /device-regions/timer/exclusive-access: 4 bytes; must have no value',
  ],
];

describe('one wrong property', () => {
  const small = writePartitionManifest(SMALL);
  const large = writePartitionManifest(LARGE);

  test.each(WRONG_IN_SMALL)('small: %s/%s: %#', (path, name, property, fault) => {
    expect(faultsOf(changed(small, path, name, property)).join('\n')).toBe(fault);
  });

  test.each(WRONG_IN_LARGE)('large: %s/%s: %#', (path, name, property, fault) => {
    expect(faultsOf(changed(large, path, name, property)).join('\n')).toBe(fault);
  });

  test('every property that is read is in one of the tables', () => {
    const names = new Set([...WRONG_IN_SMALL, ...WRONG_IN_LARGE].map(([, name]) => name));
    const read = new Set<string>();
    const collect = (node: DeviceTreeNode): void => {
      for (const property of node.properties) read.add(property.name);
      node.children.forEach(collect);
    };
    collect(large.root);
    collect(small.root);
    for (const name of ['phandle', 'live-activation-support', 'ffa_manifest']) read.delete(name);
    expect([...read].filter((name) => !names.has(name))).toEqual([]);
  });
});

describe('rules between properties', () => {
  const faults = (manifest: PartitionManifest): string[] => faultsOf(writePartitionManifest(manifest));

  test('a partition at S-EL0', () => {
    const el0 = { ...SMALL, exceptionLevel: 'S-EL0' } as const;
    expect(faults(el0)).toEqual([]);
    expect(faults({ ...el0, executionContextCount: 2 })).toEqual([
      'conflict /execution-ctx-count: 2; must be 1 for a partition at S-EL0',
    ]);
    expect(faults({ ...el0, sriInterruptsPolicy: 1 })).toEqual([
      'conflict /sri-interrupts-policy: 1; must be 0 for a partition at S-EL0',
    ]);
    expect(faults({ ...el0, nsInterruptsAction: 'managed-exit' })).toEqual([
      'conflict /ns-interrupts-action: managed exit; must not be asked for by a partition at S-EL0',
    ]);
    const memoryRegions = [{ name: 'all', pageCount: 1, attributes: 7 }];
    expect(faults({ ...SMALL, memoryRegions })).toEqual([]);
    expect(faults({ ...el0, memoryRegions })).toEqual([
      'conflict /memory-regions/all/attributes: 0x7; must not be both written and executed at S-EL0',
    ]);
  });

  test('61ba697a4: as many UUIDs as there is room for are read, and no more', () => {
    const words = (count: number) => Array.from({ length: 4 * count }, (_, n) => n + 1);
    const small = writePartitionManifest(SMALL);
    const withUuids = (count: number) => reread(changed(small, '', 'uuid', cells('uuid', ...words(count))));
    const most = withUuids(16);
    expect(most.ok && most.manifest.services.map(({ uuid }) => uuid[0])).toEqual(
      Array.from({ length: 16 }, (_, n) => 4 * n + 1),
    );
    for (const count of [17, 1000, 10_000]) {
      const reading = withUuids(count);
      expect(reading.ok ? [] : reading.faults.map(({ path, found }) => `${path}: ${found}`)).toEqual([
        `/uuid: ${count} entries`,
      ]);
    }
  });

  test('granules of 64 KiB', () => {
    const memoryRegions = [{ name: 'one', pageCount: 1, attributes: 1, baseAddress: 0x1000 }];
    expect(faults({ ...SMALL, granuleBytes: 65536, memoryRegions })).toEqual([
      'alignment /memory-regions/one/base-address: 0x1000; must be a multiple of 65536',
    ]);
  });

  test('two devices', () => {
    const device = { pageCount: 1, attributes: 1, isExclusive: false };
    const dma = { smmuId: 0, streamIds: [4], accessPermissions: [] };
    const interrupts = [{ id: 40, attributes: 0 }];
    const deviceRegions = [
      { ...device, name: 'a', baseAddress: 0x1000, dma, interrupts },
      { ...device, name: 'b', baseAddress: 0x2000, dma, interrupts },
    ];
    expect(faults({ ...SMALL, deviceRegions })).toEqual([
      'duplicate /device-regions/b/stream-ids: stream 4; must not be of device a too',
      'duplicate /device-regions/b/interrupts: interrupt 40; must not be of device a too',
    ]);
  });

  test('services that are not there, regions that are not there', () => {
    const tree = writePartitionManifest({ ...SMALL, manifestVersion: '1.1' });
    const none = { ...tree, root: { ...tree.root, children: [] } };
    expect(faultsOf(none)).toEqual(['missing /services: nothing; must have a node for each service']);
    const compatible = textProperty('compatible', 'arm,ffa-manifest-memory-regions');
    const empty = { name: 'memory-regions', properties: [compatible], children: [] };
    const small = writePartitionManifest(SMALL);
    expect(faultsOf({ ...small, root: { ...small.root, children: [empty] } })).toEqual([
      'missing /memory-regions: no region; must have a node for each region',
    ]);
  });

  test('several wrong properties are all said, with the offset of each in the blob', () => {
    let tree = writePartitionManifest(SMALL);
    tree = changed(tree, '', 'exception-level', cells('exception-level', 9));
    tree = changed(tree, '', 'boot-order', cells('boot-order', 0x10000));
    const bytes = encodeDeviceTree(tree);
    const decoded = decodeDeviceTree(bytes);
    const reading = decoded.ok ? readPartitionManifest(decoded.value) : undefined;
    const faults = reading?.ok === false ? reading.faults : [];
    expect(faults.map((fault) => fault.path)).toEqual(['/exception-level', '/boot-order']);
    const view = new DataView(bytes.buffer);
    expect(faults.map((fault) => view.getUint32(fault.offset))).toEqual([9, 0x10000]);
  });

  test('what the binding does not know is listed', () => {
    const tree = changed(writePartitionManifest(LARGE), 'memory-regions/tx', 'cacheable', emptyProperty('cacheable'));
    const children = [...tree.root.children, { name: 'hftest', properties: [], children: [] }];
    const reading = reread({ ...tree, root: { ...tree.root, children } });
    expect([reading.ok, reading.unknown]).toEqual([true, ['/memory-regions/tx/cacheable', '/hftest']]);
  });
});
