import { describe, expect, test } from 'vitest';
import { FFA_MSG_WAIT } from '../../src/abi/function-ids.ts';
import { UserError } from '../../src/base/user-error.ts';
import { OWNER_SECURE } from '../../src/hardware/frames.ts';
import { Machine } from '../../src/hardware/machine.ts';
import { Pe } from '../../src/hardware/pe.ts';
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
