// How partitions start: in which order, with what in their registers and in their memory, where their contexts begin.

import { describe, expect, test } from 'vitest';
import { decodeBootInformation, decodeBootInformation10 } from '../../src/abi/boot-information.ts';
import { FFA_SECONDARY_EP_REGISTER } from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import { Machine } from '../../src/hardware/machine.ts';
import { Pe } from '../../src/hardware/pe.ts';
import { Spmc } from '../../src/spmc/spmc.ts';
import { InitProgram, initialised } from './init-program.ts';
import { PAGE, SmallWorld, SP1, said, setupOf } from './small-world.ts';

const IMAGE = 0x5000_0000;

describe('boot order', () => {
  /** Ids, without their first bit, in the order in which partitions with these orders boot. */
  function booted(orders: readonly (number | undefined)[]): number[] {
    const order: number[] = [];
    const machine = new Machine({ firstFrame: 0x4000_0000 / PAGE, frameCount: 0x2000_0000 / PAGE });
    const partitions = orders.map((bootOrder, n) => {
      const program = new InitProgram([]);
      const run = program.run.bind(program);
      program.run = (context) => {
        order.push(context.endpoint & 0x7fff);
        return run(context);
      };
      return setupOf(SP1 + n, program, bootOrder === undefined ? {} : { bootOrder });
    });
    const spmc = new Spmc(machine, { partitions, interrupts: { raise: () => {} } });
    for (const wait of spmc.boot(new Pe(0))) throw new Error(`boot waits: ${wait}`);
    return order;
  }

  test.each([
    ['smaller boots first', [3, 1, 2], [2, 3, 1]],
    ['who has none has 0', [9, undefined, 1], [2, 3, 1]],
    ['equal ones in the order of their ids', [5, 1, 5, 1], [2, 4, 1, 3]],
    ['none at all', [undefined, undefined, undefined], [1, 2, 3]],
    ['the largest there is', [0xffff, 0xfffe, undefined], [3, 2, 1]],
  ])('%s', (_name, orders, expected) => {
    expect(booted(orders)).toEqual(expected);
  });
});

describe('registers at the start', () => {
  test('x4 is the index of the context; all others are zero', () => {
    const { program } = initialised({ executionContextCount: 3 }, []);
    expect(program.first).toEqual([
      [0, 0, 0, 0, 0, 0, 0, 0],
      [0, 0, 0, 0, 1, 0, 0, 0],
      [0, 0, 0, 0, 2, 0, 0, 0],
    ]);
  });

  test.each([0, 1, 2, 3])('x%i has the address of the boot information, for each context', (bootRegister) => {
    const bootInformation = { contents: ['ffa_manifest'], manifestBlob: new Uint8Array(8) };
    const { program } = initialised({ executionContextCount: 2, bootRegister, bootInformation }, []);
    for (const [n, registers] of program.first.entries()) {
      const expected = [0, 0, 0, 0, n, 0, 0, 0];
      expected[bootRegister] = IMAGE;
      expect(registers).toEqual(expected);
    }
  });

  test.each([
    ['no register is named', { bootInformation: { contents: [] } }],
    ['nothing is asked for', { bootRegister: 0 }],
  ])('no address where %s', (_name, manifest) => {
    expect(initialised(manifest, []).program.first).toEqual([[0, 0, 0, 0, 0, 0, 0, 0]]);
  });
});

describe('boot information', () => {
  const manifestBlob = Uint8Array.from({ length: 5000 }, (_, n) => n);
  const hobList = Uint8Array.from([9, 8, 7]);
  const both = { contents: ['ffa_manifest', 'hob_list'], manifestBlob, hobList };

  function view(world: SmallWorld, address: number, length: number): DataView {
    return new DataView(world.read(address, length).buffer);
  }

  test('since 1.1: header, descriptors, and what they point to, one after the other', () => {
    const { world } = initialised({ ffaVersion: FFA_VERSION_1_1, bootRegister: 0, bootInformation: both }, []);
    const decoded = decodeBootInformation(view(world, IMAGE, PAGE));
    if (!decoded.ok) throw new Error(JSON.stringify(decoded.fault));
    const { version, blobSizeBytes, descriptors } = decoded.value;
    expect([version, blobSizeBytes]).toEqual([FFA_VERSION_1_1, 4 * PAGE]);
    expect(
      descriptors.map(({ type, flags, contentSizeBytes, content }) => [type, flags, contentSizeBytes, content.low]),
    ).toEqual([
      [0, 0, 5000, IMAGE + PAGE],
      [1, 0, 3, IMAGE + 3 * PAGE],
    ]);
    expect(world.read(IMAGE + PAGE, 5000)).toEqual(manifestBlob);
    expect(world.read(IMAGE + 3 * PAGE, 3)).toEqual(hobList);
  });

  test('states the version of the partition', () => {
    const { world } = initialised({ ffaVersion: FFA_VERSION_1_2, bootInformation: { contents: [] } }, []);
    const decoded = decodeBootInformation(view(world, IMAGE, PAGE));
    expect(decoded.ok && decoded.value).toMatchObject({
      version: FFA_VERSION_1_2,
      blobSizeBytes: PAGE,
      descriptors: [],
    });
  });

  test('of 1.0: names and values', () => {
    const bootInformation = { contents: ['ffa_manifest'], form: '1.0' as const, manifestBlob };
    const { world } = initialised({ bootRegister: 3, bootInformation }, []);
    const decoded = decodeBootInformation10(view(world, IMAGE, PAGE));
    if (!decoded.ok) throw new Error(JSON.stringify(decoded.fault));
    const entries = decoded.value.map(({ name, value, size }) => [
      new TextDecoder().decode(name).replaceAll('\0', ''),
      value.low,
      size.low,
    ]);
    expect(entries).toEqual([['TYPE_DT', IMAGE + PAGE, 5000]]);
  });

  test.each([
    [
      'a name that there is not',
      { contents: ['dtb'] },
      'boot-info: there is no dtb; there are ffa_manifest and hob_list',
    ],
    ['a manifest that there is not', { contents: ['ffa_manifest'] }, 'boot-info: the partition has no ffa_manifest'],
    ['a list that there is not', { contents: ['hob_list'] }, 'boot-info: the partition has no hob_list'],
    [
      'a list in the form of 1.0',
      { contents: ['hob_list'], form: '1.0' as const, hobList },
      'boot-info: the form of 1.0 has no hob_list; it has ffa_manifest',
    ],
    [
      'more than its image has room for',
      { contents: ['ffa_manifest'], manifestBlob: new Uint8Array(64 * PAGE) },
      'partition 0x8001: its boot information has 266240 bytes; 262144 before its code',
    ],
  ])('%s is refused', (_name, bootInformation, message) => {
    expect(() => initialised({ bootInformation }, [])).toThrow(message);
  });

  test('does not lie over the code', () => {
    const manifest = (entrypointOffset: number) => ({ entrypointOffset, bootInformation: both });
    expect(() => initialised(manifest(3 * PAGE), [])).toThrow('has 16384 bytes; 12288 before its code');
    expect(initialised(manifest(4 * PAGE), []).world.spmc.partitions[0].entryAddress).toBe(IMAGE + 4 * PAGE);
  });
});

describe('FFA_SECONDARY_EP_REGISTER', () => {
  const other = [FFA_SECONDARY_EP_REGISTER, IMAGE + 0x8000];

  test('says where the other contexts begin; the last one counts', () => {
    const calls = [[FFA_SECONDARY_EP_REGISTER, IMAGE + 0x4000], other];
    const manifest = { executionContextCount: 3, entrypointOffset: 0x1000 };
    const { world, answers } = initialised(manifest, calls);
    expect(answers).toEqual(['FFA_SUCCESS_32', 'FFA_SUCCESS_32']);
    const entries = world.spmc.partitions[0].vcpus.map((vcpu) => vcpu.entryAddress);
    expect(entries).toEqual([IMAGE + 0x1000, IMAGE + 0x8000, IMAGE + 0x8000]);
  });

  test('without it they begin where the first one does', () => {
    const { world } = initialised({ executionContextCount: 2, entrypointOffset: 0x1000 }, []);
    const entries = world.spmc.partitions[0].vcpus.map((vcpu) => vcpu.entryAddress);
    expect(entries).toEqual([IMAGE + 0x1000, IMAGE + 0x1000]);
  });

  test('is forgotten when the SPMC is reset', () => {
    const { world } = initialised({ executionContextCount: 2 }, [other]);
    world.spmc.reset();
    expect(world.spmc.partitions[0].secondaryEntryAddress).toBe(IMAGE);
  });

  test('is not for a partition with one context, nor for the normal world', () => {
    const { world, answers } = initialised({}, [other]);
    expect([answers[0], said(world.call(...other))]).toEqual(Array(2).fill('FFA_ERROR NOT_SUPPORTED'));
  });

  test('is DENIED once the partition has started', () => {
    const world = new SmallWorld([{ executionContextCount: 2 }]);
    expect(said(world.callAs(SP1, ...other))).toBe('FFA_ERROR DENIED');
    expect(world.spmc.partitions[0].vcpus[1].entryAddress).toBe(IMAGE);
  });
});
