import { describe, expect, test } from 'vitest';
import { FFA_MSG_WAIT } from '../../src/abi/function-ids.ts';
import type { PartitionManifest as DecodedManifest } from '../../src/abi/partition-manifest.ts';
import { UserError } from '../../src/base/user-error.ts';
import { OWNER_SECURE } from '../../src/hardware/frames.ts';
import { Machine } from '../../src/hardware/machine.ts';
import { Pe } from '../../src/hardware/pe.ts';
import { STAGE2_READ, STAGE2_RW, STAGE2_RWX, STAGE2_SHARED, STAGE2_UNOWNED } from '../../src/hardware/stage2.ts';
import { setupFromManifest } from '../../src/spmc/manifest-setup.ts';
import type { PartitionSetup } from '../../src/spmc/partition-setup.ts';
import { Spmc } from '../../src/spmc/spmc.ts';
import { callWith, PAGE, ScriptedProgram, SmallWorld, SP1, SP2, setupOf } from './small-world.ts';

const BASE = 0x5000_0000;

function bootedWith(setups: readonly PartitionSetup[]): Spmc {
  const machine = new Machine({ firstFrame: 0x4000_0000 / PAGE, frameCount: 0x2000_0000 / PAGE });
  const spmc = new Spmc(machine, { partitions: setups, interrupts: { raise: () => {} } });
  for (const wait of spmc.boot(new Pe(0))) throw new Error(`boot waits: ${wait}`);
  return spmc;
}

describe('boot', () => {
  test('runs partitions in boot order, each until it waits', () => {
    const order: number[] = [];
    const setups = [SP1, SP2].map((id, n) => {
      const program = new ScriptedProgram();
      program.run = (context) => {
        order.push(context.endpoint);
        return callWith(context, FFA_MSG_WAIT);
      };
      return setupOf(id, program, { bootOrder: 2 - n });
    });
    bootedWith(setups);
    expect(order).toEqual([SP2, SP1]);
  });

  test('takes secure memory out of the machine and out of the normal world', () => {
    const { spmc, machine } = new SmallWorld();
    expect(machine.frames.owner(BASE / PAGE)).toBe(OWNER_SECURE);
    const { pages } = spmc.normalWorld;
    expect([BASE / PAGE - 1, BASE / PAGE, BASE / PAGE + 63, BASE / PAGE + 64].map((n) => pages.translate(n))).toEqual([
      BASE / PAGE - 1,
      -1,
      -1,
      BASE / PAGE + 64,
    ]);
  });

  test.each([
    ['two partitions in one place', { image: { baseAddress: BASE, pageCount: 64 } }, "another partition's"],
    ['at no page', { image: { baseAddress: BASE + 5, pageCount: 64 } }, 'no range of whole pages'],
    ['of no page', { image: { baseAddress: BASE + 0x20_0000, pageCount: 0 } }, 'no range of whole pages'],
    ['partly beyond memory', { image: { baseAddress: 0x5fff_f000, pageCount: 64 } }, 'not free'],
  ])('refuses memory: %s', (_name, change, message) => {
    const setups = [setupOf(SP1, new ScriptedProgram()), { ...setupOf(SP2, new ScriptedProgram()), ...change }];
    expect(() => bootedWith(setups)).toThrow(UserError);
    expect(() => bootedWith(setups)).toThrow(message);
  });

  test.each([
    [{ slots: 0 }, "the SPMC's limit slots is 0; from 1 to 65536"],
    [{ physicalAddressBits: 52 }, "the SPMC's limit physicalAddressBits is 52; from 32 to 42"],
    [{ receivers: 1.5 }, "the SPMC's limit receivers is 1.5; from 1 to 64"],
  ])('refuses the limits %o', (limits, message) => {
    expect(() => new SmallWorld([{}], { limits })).toThrow(message);
  });
});

describe('a decoded manifest', () => {
  const manifest: DecodedManifest = {
    manifestVersion: '1.0',
    ffaVersion: 0x10001,
    services: [{ uuid: [1, 2, 3, 4], messagingMethod: 3 }],
    description: 'crypto',
    executionContextCount: 1,
    exceptionLevel: 'S-EL1',
    isAarch32: false,
    loadAddress: BASE,
    entrypointOffset: 0,
    granuleBytes: 4096,
    bootOrder: 1,
    buffers: { rx: 'rx', tx: 'tx' },
    nsInterruptsAction: 'queued',
    isManagedExitVirq: false,
    otherSecureInterruptsAction: 'signaled',
    sriInterruptsPolicy: 0,
    hasNotifications: true,
    hasPrimaryScheduler: false,
    isMemoryNotTimeSliced: false,
    powerManagementMessages: 0,
    vmAvailabilityMessages: 3,
    hasLifecycle: false,
    memoryRegions: [
      { name: 'rx', pageCount: 1, attributes: 3, loadAddressRelativeOffset: 62 * PAGE },
      { name: 'tx', pageCount: 1, attributes: 3, baseAddress: BASE + 63 * PAGE },
      { name: 'table', pageCount: 2, attributes: 1, baseAddress: BASE + 0x8_0000 },
    ],
    deviceRegions: [],
    bootInformation: [],
  };
  const image = { baseAddress: BASE, pageCount: 64 };

  test('becomes a partition with the same regions, buffers and properties', () => {
    const spmc = bootedWith([setupFromManifest(SP1, manifest, image, new ScriptedProgram())]);
    const partition = spmc.partitions[0];
    const attributes = (page: number) =>
      partition.pages.translate(BASE / PAGE + page) < 0 ? 0 : partition.pages.attributes;
    expect([0, 61, 62, 63, 64, 0x80, 0x81, 0x82].map(attributes)).toEqual([
      STAGE2_RWX,
      STAGE2_RWX,
      STAGE2_READ | STAGE2_UNOWNED | STAGE2_SHARED,
      STAGE2_RW | STAGE2_UNOWNED | STAGE2_SHARED,
      0,
      STAGE2_READ,
      STAGE2_READ,
      0,
    ]);
    expect([partition.version, partition.nsInterruptAction, partition.vmAvailability]).toEqual([0x10001, 'queue', 3]);
  });

  test.each([
    [{ nsInterruptsAction: 'managed-exit' as const }, 'managed exit is not supported'],
    [{ exceptionLevel: 'S-EL0' as const }, 'S-EL0 is not supported'],
    [{ buffers: { rx: 'rx', tx: 'none' } }, 'no memory region is named none'],
    [{ buffers: { rx: 'rx', tx: 'table' } }, 'rx and table differ in size'],
    [{ memoryRegions: [{ name: 'heap', pageCount: 1, attributes: 3 }] }, 'memory region heap: it has no base-address'],
  ])('that asks for what there is not: %o', (change, message) => {
    const decoded = { ...manifest, ...change };
    expect(() => setupFromManifest(SP1, decoded, image, new ScriptedProgram())).toThrow(UserError);
    expect(() => setupFromManifest(SP1, decoded, image, new ScriptedProgram())).toThrow(message);
  });
});
