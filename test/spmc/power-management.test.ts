import { describe, expect, test } from 'vitest';
import { FFA_SPMC_ID, FFA_SPMD_ID } from '../../src/abi/endpoint-ids.ts';
import {
  FFA_ERROR,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_MSG_WAIT,
  FFA_RUN,
  FFA_YIELD,
} from '../../src/abi/function-ids.ts';
import { PSCI_CPU_OFF, PSCI_CPU_SUSPEND_64 } from '../../src/abi/layout/psci.ts';
import { FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import { EXIT_CRASH } from '../../src/hardware/partition-entry.ts';
import { VCPU_OFF, VCPU_WAITING } from '../../src/spmc/partition.ts';
import type { PartitionManifest } from '../../src/spmc/partition-setup.ts';
import { HAFNIUM_PERSONALITY } from '../../src/spmc/personalities/hafnium.ts';
import { calls, inTurn, works } from './partition-steps.ts';
import { type Behaviour, callWith, ids, SmallWorld, SP1, SP2, SP3, said } from './small-world.ts';

const REQ = FFA_MSG_SEND_DIRECT_REQ_32;
const RESP = FFA_MSG_SEND_DIRECT_RESP_32;
const TO_SPMC = ids(FFA_SPMD_ID, FFA_SPMC_ID);
const PSCI_REQUEST = 0x80000000;
const WARM_BOOT = 0x80000001;
const PM_RESPONSE = 0x80000002;
const VERSION_REQUEST = 0x80000008;
const VERSION_RESPONSE = 0x80000009;
const DENIED = 0xfffffffd;
const NOT_SUPPORTED = 0xffffffff;
const ALL = { ...HAFNIUM_PERSONALITY, powerManagement: 7 };

function subscriber(bits: number, more: Partial<PartitionManifest> = {}): Partial<PartitionManifest> {
  return { executionContextCount: 2, powerManagementMessages: bits, ...more };
}

/** A world in which the boot of the second contexts is not noted. */
function booted(...made: ConstructorParameters<typeof SmallWorld>): SmallWorld {
  const world = new SmallWorld(...made);
  for (const program of world.programs) program.entries.length = 0;
  return world;
}

/** A framework message of the SPMD; w0 to w3 of the answer. */
function tell(world: SmallWorld, ...words: number[]): number[] {
  world.pe.smc.clear();
  for (const [n, word] of words.entries()) world.pe.smc.setW(n, word);
  const pending = world.spmc.spmdMessage(world.pe);
  if (pending !== null) world.drive(pending);
  return [0, 1, 2, 3].map((n) => world.pe.smc.w(n));
}

function response(word: number, type = PM_RESPONSE): number[] {
  return [RESP, ids(FFA_SPMC_ID, FFA_SPMD_ID), type, word];
}

/** Answers each power message with `status`. */
function answers(id: number, status: number): Behaviour {
  return (context) => callWith(context, RESP, ids(id, FFA_SPMC_ID), PM_RESPONSE, status);
}

describe('PSCI CPU_OFF', () => {
  test('reaches each subscriber in boot order; then the contexts of the PE are off', () => {
    const world = booted([subscriber(1, { bootOrder: 2 }), subscriber(1, { bootOrder: 1 }), subscriber(0), {}]);
    const order: number[] = [];
    for (const id of [SP1, SP2]) {
      world.program(id).behaviour = (context) => {
        order.push(id);
        return answers(id, 0)(context);
      };
    }
    expect(tell(world, REQ, TO_SPMC, PSCI_REQUEST, PSCI_CPU_OFF)).toEqual(response(0));
    expect(order).toEqual([SP2, SP1]);
    expect(world.program(SP1).entries).toEqual([[REQ, ids(FFA_SPMC_ID, SP1), PSCI_REQUEST, PSCI_CPU_OFF, 0, 0, 0, 0]]);
    const states = world.spmc.partitions.map(({ vcpus }) => vcpus.map(({ state }) => state));
    // The last has one context, which migrates: it stays as it is.
    expect(states).toEqual([
      [VCPU_OFF, VCPU_WAITING],
      [VCPU_OFF, VCPU_WAITING],
      [VCPU_OFF, VCPU_WAITING],
      [VCPU_WAITING],
    ]);
    expect(said(world.call(REQ, ids(0, SP1)))).toBe('FFA_ERROR BUSY');
    expect(said(world.call(FFA_RUN, ids(SP1, 0)))).toBe('FFA_ERROR DENIED');
    for (const program of world.programs) program.behaviour = calls(FFA_MSG_WAIT);
    world.drive(world.spmc.peOn(world.pe));
    expect(world.spmc.partitions.map(({ vcpus }) => vcpus[0].state)).toEqual(Array(4).fill(VCPU_WAITING));
  });

  test('8723eaf2f: one that does not agree is heard: DENIED, and nobody else is asked', () => {
    const world = booted([subscriber(1), subscriber(1)]);
    world.program(SP1).behaviour = answers(SP1, DENIED);
    world.program(SP2).behaviour = answers(SP2, 0);
    expect(tell(world, REQ, TO_SPMC, PSCI_REQUEST, PSCI_CPU_OFF)).toEqual(response(DENIED));
    expect(world.program(SP2).entries).toEqual([]);
    expect(world.spmc.partitions.map(({ vcpus }) => vcpus[0].state)).toEqual([VCPU_WAITING, VCPU_WAITING]);
  });

  test('passes over who does not wait, and a partition with one context', () => {
    const world = booted([subscriber(1), { powerManagementMessages: 1 }]);
    world.program(SP1).behaviour = inTurn([calls(FFA_YIELD)], calls(RESP, ids(SP1, 0))).behaviour;
    world.call(REQ, ids(0, SP1));
    expect(tell(world, REQ, TO_SPMC, PSCI_REQUEST, PSCI_CPU_OFF)).toEqual(response(0));
    expect([world.program(SP1).entries.length, world.program(SP2).entries.length]).toEqual([1, 0]);
    expect(said(world.call(FFA_RUN, ids(SP1, 0)))).toBe('FFA_MSG_SEND_DIRECT_RESP_32');
  });

  test('is not interrupted: a non-secure interrupt waits', () => {
    const world = booted([subscriber(1)]);
    world.program(SP1).behaviour = inTurn([works(100)], answers(SP1, 0)).behaviour;
    world.pe.interruptPending = true;
    expect(tell(world, REQ, TO_SPMC, PSCI_REQUEST, PSCI_CPU_OFF)).toEqual(response(0));
    expect(world.pe.interruptPending).toBe(true);
  });

  test.each([
    ['the wrong type', [RESP, ids(SP1, FFA_SPMC_ID), 0x80000005], 'INVALID_PARAMETERS'],
    ['a partition message', [RESP, ids(SP1, FFA_SPMC_ID), 0], 'INVALID_PARAMETERS'],
    ['an answer for the hypervisor', [RESP, ids(SP1, 0), PM_RESPONSE], 'INVALID_PARAMETERS'],
    ['FFA_YIELD', [FFA_YIELD], 'DENIED'],
    ['a request', [REQ, ids(SP1, SP2)], 'DENIED'],
  ])('answered by %s: the partition is told so, and answers again', (_name, words, error) => {
    const world = booted([subscriber(1), {}]);
    const sp = inTurn([calls(...words)], answers(SP1, 0));
    world.program(SP1).behaviour = sp.behaviour;
    expect(tell(world, REQ, TO_SPMC, PSCI_REQUEST, PSCI_CPU_OFF)).toEqual(response(0));
    expect(sp.heard[1]).toBe(`FFA_ERROR ${error}`);
  });

  test('of a partition that dies over it is ABORTED', () => {
    const world = booted([subscriber(1)]);
    world.program(SP1).behaviour = () => EXIT_CRASH;
    expect(said(tell(world, REQ, TO_SPMC, PSCI_REQUEST, PSCI_CPU_OFF))).toBe('FFA_ERROR ABORTED');
  });
});

describe('other power messages', () => {
  test.each([
    ['suspend', [PSCI_REQUEST, PSCI_CPU_SUSPEND_64], 2],
    ['warm boot', [WARM_BOOT, 1], 4],
  ])('%s is passed on where the personality does so', (_name, words, bit) => {
    const world = booted([subscriber(bit), subscriber(7 & ~bit)], { personality: ALL });
    for (const id of [SP1, SP2]) world.program(id).behaviour = answers(id, 0);
    expect(tell(world, REQ, TO_SPMC, ...words)).toEqual(response(0));
    expect(world.program(SP1).entries.map((entry) => entry.slice(2, 4))).toEqual([words]);
    expect(world.program(SP2).entries).toEqual([]);
    expect(world.spmc.partitions[0].vcpus[0].state).toBe(VCPU_WAITING);
  });

  test('Hafnium passes on neither: suspend is not supported, warm boot succeeds', () => {
    const world = booted([subscriber(7)]);
    expect(tell(world, REQ, TO_SPMC, PSCI_REQUEST, PSCI_CPU_SUSPEND_64)).toEqual(response(NOT_SUPPORTED));
    expect(tell(world, REQ, TO_SPMC, WARM_BOOT, 0)).toEqual(response(0));
    expect(tell(world, REQ, TO_SPMC, PSCI_REQUEST, 0x84000009)).toEqual(response(NOT_SUPPORTED));
    expect(world.program(SP1).entries).toEqual([]);
  });
});

describe('the SPMD’s version message', () => {
  test('negotiates for the hypervisor, and may come after other calls with the same version alone', () => {
    const world = new SmallWorld([{}]);
    expect(tell(world, REQ, TO_SPMC, VERSION_REQUEST, FFA_VERSION_1_2)).toEqual(
      response(FFA_VERSION_1_2, VERSION_RESPONSE),
    );
    expect(tell(world, REQ, TO_SPMC, VERSION_REQUEST, FFA_VERSION_1_1)).toEqual(
      response(NOT_SUPPORTED, VERSION_RESPONSE),
    );
    expect(tell(world, REQ, TO_SPMC, VERSION_REQUEST, 0x20000)).toEqual(response(NOT_SUPPORTED, VERSION_RESPONSE));
  });
});

describe('the door of the SPMD', () => {
  test.each([
    ['another sender', [REQ, ids(0, FFA_SPMC_ID), PSCI_REQUEST, PSCI_CPU_OFF]],
    ['another receiver', [REQ, ids(FFA_SPMD_ID, SP1), PSCI_REQUEST, PSCI_CPU_OFF]],
    ['a partition message', [REQ, TO_SPMC, 0]],
    ['a type that is none', [REQ, TO_SPMC, 0x80000077]],
    ['another call', [FFA_RUN, TO_SPMC, PSCI_REQUEST]],
  ])('refuses %s', (_name, words) => {
    const answer = tell(new SmallWorld([{}]), ...words);
    expect([answer[0], said(answer)]).toEqual([FFA_ERROR, 'FFA_ERROR INVALID_PARAMETERS']);
  });

  test('9b1d1cf0d: a framework request to the SPMC’s id is no partition’s, and nobody’s but the SPMD’s to make', () => {
    const world = booted([subscriber(7, { vmAvailabilityMessages: 3 }), {}, {}]);
    // Whoever reaches it hears of that.
    world.program(SP1).behaviour = () => EXIT_CRASH;
    for (const sender of [0, 3, FFA_SPMD_ID]) {
      for (const w2 of [PSCI_REQUEST, 0x80000004, 0]) {
        const answer = world.call(REQ, ids(sender, FFA_SPMC_ID), w2, PSCI_CPU_OFF);
        expect(said(answer)).toBe('FFA_ERROR INVALID_PARAMETERS');
      }
    }
    expect(said(world.callAs(SP2, REQ, ids(SP2, FFA_SPMC_ID), PSCI_REQUEST))).toBe('FFA_ERROR INVALID_PARAMETERS');
    expect(said(world.callAs(SP2, REQ, ids(SP2, SP3), 0x80000004))).toBe('FFA_ERROR DENIED');
    for (const program of world.programs.slice(0, 1)) expect(program.entries).toEqual([]);
  });
});
