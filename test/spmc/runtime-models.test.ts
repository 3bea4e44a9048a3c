// The table of runtime models, cell by cell: each call is made by a partition that is in that model.

import { describe, expect, test } from 'vitest';
import { FFA_SPMC_ID, FFA_SPMD_ID } from '../../src/abi/endpoint-ids.ts';
import { FFA_ABORTED } from '../../src/abi/errors.ts';
import {
  FFA_ERROR,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_MSG_WAIT,
  FFA_RUN,
  FFA_YIELD,
} from '../../src/abi/function-ids.ts';
import { PSCI_CPU_OFF } from '../../src/abi/layout/psci.ts';
import type { VcpuContext } from '../../src/hardware/partition-entry.ts';
import { VCPU_ABORTED, VCPU_BLOCKED, VCPU_OFF, VCPU_RUNNING, VCPU_WAITING } from '../../src/spmc/partition.ts';
import {
  ALLOWED,
  DENIED,
  NO_CYCLE,
  NOTHING_HAPPENS,
  RUNTIME_MODELS,
  TARGET_PREEMPTED,
  TARGET_STARTED,
} from '../../src/spmc/runtime-models.ts';
import { callWith, ids, SmallWorld, SP1, SP2, said } from './small-world.ts';

const DEVICE = 56;
const PSCI_REQUEST = 0x80000000;
const CALLS = ['request', 'response', 'FFA_RUN', 'FFA_MSG_WAIT', 'FFA_YIELD', 'FFA_ERROR'] as const;

/** The call of a column: to or of SP2, which waits; the response is for whoever asked. */
function callOf(column: number, context: VcpuContext, requester: number): void {
  switch (column) {
    case 0:
      callWith(context, FFA_MSG_SEND_DIRECT_REQ_32, ids(SP1, SP2));
      return;
    case 1: {
      const power = requester === FFA_SPMC_ID;
      callWith(context, FFA_MSG_SEND_DIRECT_RESP_32, ids(SP1, requester), power ? 0x80000002 : 0);
      return;
    }
    case 2:
      callWith(context, FFA_RUN, ids(SP2, 0));
      return;
    case 3:
      callWith(context, FFA_MSG_WAIT);
      return;
    case 4:
      callWith(context, FFA_YIELD);
      return;
    default:
      callWith(context, FFA_ERROR, 0, FFA_ABORTED >>> 0);
  }
}

interface Outcome {
  /** The answer, if the caller got one at once. */
  readonly answer: string;
  /** Its state right after the call. */
  readonly state: number;
}

/** Brings SP1 into the model, lets it make the call, and says what came of it. */
function tryCell(row: number, column: number): Outcome {
  const device = { baseAddress: 0x1000_0000, pageCount: 1, attributes: 3, interrupts: [{ id: DEVICE, attributes: 0 }] };
  const world = new SmallWorld([
    { deviceRegions: [device], executionContextCount: 2, powerManagementMessages: 1 },
    { bootOrder: 1 },
  ]);
  const [vcpu] = world.spmc.partitions[0].vcpus;
  let outcome: Outcome | null = null;
  let made = false;
  let model = -1;
  world.program(SP1).behaviour = (context) => {
    if (context.vcpu !== 0) return callWith(context, FFA_MSG_WAIT);
    if (!made) {
      made = true;
      model = vcpu.runtime;
      callOf(column, context, vcpu.requester);
      return 1;
    }
    const r = context.registers;
    if (outcome === null) outcome = { answer: said([r.w(0), 0, r.w(2)]), state: vcpu.state };
    context.interrupts.length = 0;
    return leave(context, vcpu.runtime, vcpu.requester);
  };
  world.program(SP2).behaviour = (context) => {
    outcome ??= { answer: '', state: vcpu.state };
    const w1 = context.registers.w(1);
    if (context.registers.w(0) === FFA_RUN) return callWith(context, FFA_MSG_WAIT);
    return callWith(context, FFA_MSG_SEND_DIRECT_RESP_32, ids(w1 & 0xffff, w1 >>> 16));
  };
  enterModel(world, row);
  expect(model).toBe(row);
  return outcome ?? { answer: '', state: vcpu.state };
}

function leave(context: VcpuContext, runtime: number, requester: number): 1 {
  const response = FFA_MSG_SEND_DIRECT_RESP_32;
  if (runtime === 3) callWith(context, response, ids(SP1, requester));
  else if (runtime === 5) callWith(context, response, ids(SP1, requester), 0x80000002);
  else callWith(context, FFA_MSG_WAIT);
  return 1;
}

function enterModel(world: SmallWorld, row: number): void {
  switch (row) {
    case 1: {
      world.spmc.reset();
      world.machine.frames.reset();
      // Its first entry is no first one for the script: the behaviour begins at once.
      world.programs[0].started = true;
      world.drive(world.spmc.boot(world.pe));
      return;
    }
    case 2:
      world.call(FFA_RUN, ids(SP1, 0));
      return;
    case 3:
      world.call(FFA_MSG_SEND_DIRECT_REQ_32, ids(0, SP1));
      return;
    case 4: {
      world.spmc.assertInterrupt(world.pe, DEVICE);
      const pending = world.spmc.takeInterrupt(world.pe);
      if (pending !== null) world.drive(pending);
      return;
    }
    default: {
      world.pe.smc.clear();
      world.pe.smc.set8(FFA_MSG_SEND_DIRECT_REQ_32, ids(FFA_SPMD_ID, FFA_SPMC_ID), PSCI_REQUEST, PSCI_CPU_OFF);
      const pending = world.spmc.spmdMessage(world.pe);
      if (pending !== null) world.drive(pending);
    }
  }
}

/** What an allowed call leaves its caller in. */
const AFTER = [VCPU_BLOCKED, VCPU_WAITING, VCPU_BLOCKED, VCPU_WAITING, VCPU_BLOCKED, VCPU_ABORTED];

describe('a runtime model', () => {
  const cells = RUNTIME_MODELS.filter(({ row }) => row >= 1 && row <= 5).flatMap(({ name, row, verdicts }) =>
    verdicts.map((verdict, column) => ({ name, row, column, call: CALLS[column], verdict })),
  );

  test.each(cells)('$name: $call', ({ column, row, verdict }) => {
    const { answer, state } = tryCell(row, column);
    switch (verdict) {
      case DENIED:
      case TARGET_PREEMPTED:
        // FFA_ERROR that gives up nothing is not supported; FFA_RUN of what waits is denied in any model.
        expect([answer, state]).toEqual([`FFA_ERROR ${column === 5 ? 'NOT_SUPPORTED' : 'DENIED'}`, VCPU_RUNNING]);
        return;
      case NOTHING_HAPPENS:
        expect([answer, state]).toEqual(['FFA_SUCCESS_32', VCPU_RUNNING]);
        return;
      case TARGET_STARTED:
        // SP2 boots later, so it is off.
        expect([answer, state]).toEqual(['FFA_ERROR BUSY', VCPU_RUNNING]);
        return;
      case NO_CYCLE:
      case ALLOWED:
        if (column === 2) expect([answer, state]).toEqual(['FFA_ERROR DENIED', VCPU_RUNNING]);
        else expect([answer, state]).toEqual(['', row === 5 ? VCPU_OFF : AFTER[column]]);
    }
  });

  test('2e425266: a call that initialisation does not allow is DENIED, and the partition goes on', () => {
    expect([1, 2, 4].map((column) => tryCell(1, column).answer)).toEqual(Array(3).fill('FFA_ERROR DENIED'));
  });

  test('has a verdict for every call', () => {
    expect(RUNTIME_MODELS.map(({ row }) => row)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    for (const { verdicts } of RUNTIME_MODELS) expect(verdicts.length).toBe(CALLS.length);
  });
});
