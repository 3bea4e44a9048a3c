import { describe, expect, test } from 'vitest';
import { errorName } from '../../src/abi/errors.ts';
import {
  FFA_ERROR,
  FFA_INTERRUPT,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_REQ_64,
  FFA_MSG_SEND_DIRECT_REQ2,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_MSG_SEND_DIRECT_RESP_64,
  FFA_MSG_SEND_DIRECT_RESP2,
  FFA_MSG_WAIT,
  FFA_RUN,
  FFA_SUCCESS_32,
  FFA_YIELD,
  functionName,
} from '../../src/abi/function-ids.ts';
import { EXIT_CRASH, EXIT_WORK } from '../../src/hardware/partition-entry.ts';
import { VCPU_ABORTED, VCPU_BLOCKED, VCPU_PREEMPTED, VCPU_WAITING } from '../../src/spmc/partition.ts';
import { ALL_METHODS, type Behaviour, callWith, ids, SmallWorld, SP1, SP2, SP3, said } from './small-world.ts';

/** Answers each request with its payload plus one. */
const echo: Behaviour = (context) => {
  const r = context.registers;
  const asked = r.w(0);
  const response = asked === FFA_MSG_SEND_DIRECT_REQ_64 ? FFA_MSG_SEND_DIRECT_RESP_64 : FFA_MSG_SEND_DIRECT_RESP_32;
  return callWith(context, response, swapped(r.w(1)), 0, r.w(3) + 1, r.w(4), r.w(5), r.w(6), r.w(7));
};

function swapped(w1: number): number {
  return ((w1 << 16) | (w1 >>> 16)) >>> 0;
}

describe('a direct request', () => {
  test('is answered by its receiver, registers as the form carries them', () => {
    const world = new SmallWorld();
    world.program(SP1).behaviour = echo;
    const answer = world.call(FFA_MSG_SEND_DIRECT_REQ_32, ids(3, SP1), 0, 41, 5, 6, 7, 8);
    expect(answer).toEqual([FFA_MSG_SEND_DIRECT_RESP_32, ids(SP1, 3), 0, 42, 5, 6, 7, 8]);
    expect(world.program(SP1).entries).toEqual([[FFA_MSG_SEND_DIRECT_REQ_32, ids(3, SP1), 0, 41, 5, 6, 7, 8]]);
  });

  test('of the 32-bit form loses the upper halves, of the 64-bit form keeps them', () => {
    const world = new SmallWorld();
    world.program(SP1).behaviour = (context) => {
      const high = context.registers.high(3);
      callWith(context, FFA_MSG_SEND_DIRECT_RESP_64, ids(SP1, 0));
      context.registers.setWords(3, 0, high);
      return 1;
    };
    for (const [request, high] of [
      [FFA_MSG_SEND_DIRECT_REQ_32, 0],
      [FFA_MSG_SEND_DIRECT_REQ_64, 0xabcd],
    ]) {
      const r = world.pe.smc;
      r.clear();
      r.setW(0, request);
      r.setW(1, SP1);
      r.setWords(3, 1, 0xabcd);
      world.smc();
      expect(r.high(3)).toBe(high);
    }
  });

  test.each([
    ['an unknown partition', ids(0, 0x8009), 'FFA_ERROR INVALID_PARAMETERS'],
    ['a VM', ids(0, 5), 'FFA_ERROR INVALID_PARAMETERS'],
    ['the SPMC', ids(0, 0x8000), 'FFA_ERROR INVALID_PARAMETERS'],
    ['a partition, in the name of one', ids(SP2, SP1), 'FFA_ERROR INVALID_PARAMETERS'],
    ['a partition that takes none', ids(0, SP2), 'FFA_ERROR DENIED'],
  ])('to %s is refused', (_name, w1, expected) => {
    const world = new SmallWorld([{}, { services: [{ uuid: [1, 2, 3, 4], messagingMethod: ALL_METHODS & ~1 }] }]);
    expect(said(world.call(FFA_MSG_SEND_DIRECT_REQ_32, w1))).toBe(expected);
  });

  test('of the second kind carries x4 to x17 and is answered by its own kind alone', () => {
    const world = new SmallWorld();
    const errors: string[] = [];
    world.program(SP1).behaviour = (context) => {
      const r = context.registers;
      if (r.w(0) === FFA_MSG_SEND_DIRECT_REQ2) return callWith(context, FFA_MSG_SEND_DIRECT_RESP_64, ids(SP1, 0));
      errors.push(errorName(r.w(2)));
      callWith(context, FFA_MSG_SEND_DIRECT_RESP2, ids(SP1, 0));
      r.setWords(17, 7, 9);
      return 1;
    };
    const r = world.pe.smc;
    r.clear();
    r.setW(0, FFA_MSG_SEND_DIRECT_REQ2);
    r.setW(1, SP1);
    world.smc();
    expect(errors).toEqual(['DENIED']);
    expect([r.w(0), r.w(17), r.high(17)]).toEqual([FFA_MSG_SEND_DIRECT_RESP2, 7, 9]);
  });
});

describe('a call chain', () => {
  test('of two partitions comes back the way it went; a third call to one of them is BUSY', () => {
    const world = new SmallWorld([{}, {}, {}]);
    const heard: string[] = [];
    world.program(SP1).behaviour = (context) => {
      if (context.registers.w(0) === FFA_MSG_SEND_DIRECT_REQ_32) {
        return callWith(context, FFA_MSG_SEND_DIRECT_REQ_32, ids(SP1, SP2), 0, 1);
      }
      const got = context.registers.w(3);
      return callWith(context, FFA_MSG_SEND_DIRECT_RESP_32, ids(SP1, 0), 0, got);
    };
    world.program(SP2).behaviour = (context) => {
      const r = context.registers;
      if (r.w(0) === FFA_MSG_SEND_DIRECT_REQ_32) return callWith(context, FFA_MSG_SEND_DIRECT_REQ_32, ids(SP2, SP1));
      heard.push(`${functionName(r.w(0))} ${errorName(r.w(2))}`);
      return callWith(context, FFA_MSG_SEND_DIRECT_RESP_32, ids(SP2, SP1), 0, 99);
    };
    const answer = world.call(FFA_MSG_SEND_DIRECT_REQ_32, ids(0, SP1));
    expect(heard).toEqual(['FFA_ERROR BUSY']);
    expect(answer.slice(0, 4)).toEqual([FFA_MSG_SEND_DIRECT_RESP_32, ids(SP1, 0), 0, 99]);
    expect(world.spmc.partitions.map((partition) => partition.vcpus[0].state)).toEqual([
      VCPU_WAITING,
      VCPU_WAITING,
      VCPU_WAITING,
    ]);
  });

  test.each([
    ['the normal world', ids(SP1, 0), 'INVALID_PARAMETERS'],
    ['itself', ids(SP1, SP1), 'INVALID_PARAMETERS'],
    ['a partition, in the name of another', ids(SP3, SP2), 'INVALID_PARAMETERS'],
  ])('does not go on to %s', (_name, w1, expected) => {
    const world = new SmallWorld([{}, {}, {}]);
    let heard = '';
    world.program(SP1).behaviour = (context) => {
      if (context.registers.w(0) !== FFA_ERROR) return callWith(context, FFA_MSG_SEND_DIRECT_REQ_32, w1);
      heard = errorName(context.registers.w(2));
      return callWith(context, FFA_MSG_SEND_DIRECT_RESP_32, ids(SP1, 0));
    };
    world.call(FFA_MSG_SEND_DIRECT_REQ_32, ids(0, SP1));
    expect(heard).toBe(expected);
  });
});

describe('a partition that works', () => {
  const works: Behaviour = (context) => {
    if (context.registers.w(0) === FFA_MSG_SEND_DIRECT_REQ_32) {
      context.registers.setW(0, 0);
      context.workNs = 1000;
      return EXIT_WORK;
    }
    return callWith(context, FFA_MSG_SEND_DIRECT_RESP_32, ids(SP1, 0), 0, 7);
  };

  test('takes its time', () => {
    const world = new SmallWorld();
    world.program(SP1).behaviour = works;
    const before = world.machine.time.nowNs;
    expect(said(world.call(FFA_MSG_SEND_DIRECT_REQ_32, ids(0, SP1)))).toBe('FFA_MSG_SEND_DIRECT_RESP_32');
    expect(world.machine.time.nowNs - before).toBe(1000);
  });

  test('is preempted by a non-secure interrupt and goes on with FFA_RUN, the rest of its work kept', () => {
    const world = new SmallWorld();
    world.program(SP1).behaviour = works;
    world.pe.smc.clear();
    world.pe.smc.setW(0, FFA_MSG_SEND_DIRECT_REQ_32);
    world.pe.smc.setW(1, ids(0, SP1));
    const call = world.spmc.smc(world.pe);
    expect(call).not.toBeNull();
    call?.next();
    world.machine.time.advanceTo(world.machine.time.nowNs + 300);
    world.pe.interruptPending = true;
    expect(call?.next().done).toBe(true);
    expect([world.pe.smc.w(0), world.pe.smc.w(1)]).toEqual([FFA_INTERRUPT, ids(SP1, 0)]);
    expect(world.pe.interruptPending).toBe(false);
    expect(world.spmc.partitions[0].vcpus[0].state).toBe(VCPU_PREEMPTED);
    expect(said(world.callOn(world.otherPe, FFA_MSG_SEND_DIRECT_REQ_32, ids(0, SP1)))).toBe('FFA_ERROR BUSY');
    const before = world.machine.time.nowNs;
    expect(said(world.call(FFA_RUN, ids(SP1, 0)))).toBe('FFA_MSG_SEND_DIRECT_RESP_32');
    expect(world.machine.time.nowNs - before).toBe(700);
  });

  test('that queues non-secure interrupts ends its work first; the interrupt is pending again afterwards', () => {
    const world = new SmallWorld([{ nsInterruptAction: 'queue' }]);
    world.program(SP1).behaviour = works;
    world.pe.interruptPending = true;
    expect(said(world.call(FFA_MSG_SEND_DIRECT_REQ_32, ids(0, SP1)))).toBe('FFA_MSG_SEND_DIRECT_RESP_32');
    expect(world.pe.interruptPending).toBe(true);
  });

  test('and crashes: ABORTED for the caller and for whoever calls later', () => {
    const world = new SmallWorld();
    world.program(SP1).behaviour = () => EXIT_CRASH;
    expect(said(world.call(FFA_MSG_SEND_DIRECT_REQ_32, ids(0, SP1)))).toBe('FFA_ERROR ABORTED');
    expect(world.spmc.partitions[0].vcpus[0].state).toBe(VCPU_ABORTED);
    expect(said(world.call(FFA_MSG_SEND_DIRECT_REQ_32, ids(0, SP1)))).toBe('FFA_ERROR ABORTED');
    expect(said(world.call(FFA_RUN, ids(SP1, 0)))).toBe('FFA_ERROR ABORTED');
  });
});

describe('FFA_RUN, FFA_MSG_WAIT and FFA_YIELD', () => {
  test('a waiting context runs, and waits again', () => {
    const world = new SmallWorld();
    expect(world.call(FFA_RUN, ids(SP1, 0)).slice(0, 2)).toEqual([FFA_MSG_WAIT, 0]);
    expect(world.program(SP1).entries).toEqual([[FFA_RUN, ids(SP1, 0), 0, 0, 0, 0, 0, 0]]);
  });

  test('a context yields, and is run again', () => {
    const world = new SmallWorld();
    world.program(SP1).behaviour = (context) => {
      if (context.registers.w(0) === FFA_SUCCESS_32) {
        return callWith(context, FFA_MSG_SEND_DIRECT_RESP_32, ids(SP1, 0), 0, 3);
      }
      return callWith(context, FFA_YIELD);
    };
    expect(world.call(FFA_MSG_SEND_DIRECT_REQ_32, ids(0, SP1)).slice(0, 2)).toEqual([FFA_YIELD, ids(SP1, 0)]);
    expect(world.spmc.partitions[0].vcpus[0].state).toBe(VCPU_BLOCKED);
    expect(world.call(FFA_RUN, ids(SP1, 0)).slice(0, 4)).toEqual([FFA_MSG_SEND_DIRECT_RESP_32, ids(SP1, 0), 0, 3]);
  });

  test('FFA_MSG_WAIT is DENIED while a request is served', () => {
    const world = new SmallWorld();
    let heard = '';
    world.program(SP1).behaviour = (context) => {
      if (context.registers.w(0) === FFA_MSG_SEND_DIRECT_REQ_32) return callWith(context, FFA_MSG_WAIT);
      heard = errorName(context.registers.w(2));
      return callWith(context, FFA_MSG_SEND_DIRECT_RESP_32, ids(SP1, 0));
    };
    expect(said(world.call(FFA_MSG_SEND_DIRECT_REQ_32, ids(0, SP1)))).toBe('FFA_MSG_SEND_DIRECT_RESP_32');
    expect(heard).toBe('DENIED');
  });

  test.each([
    ['a VM', ids(3, 0), 'INVALID_PARAMETERS'],
    ['an unknown partition', ids(0x8009, 0), 'INVALID_PARAMETERS'],
    ['a context that does not exist', ids(SP1, 1), 'INVALID_PARAMETERS'],
  ])('FFA_RUN of %s', (_name, w1, expected) => {
    expect(said(new SmallWorld().call(FFA_RUN, w1))).toBe(`FFA_ERROR ${expected}`);
  });
});
