import { describe, expect, test } from 'vitest';
import {
  FFA_ERROR,
  FFA_INTERRUPT,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_MSG_SEND2,
  FFA_MSG_WAIT,
  FFA_NOTIFICATION_GET,
  FFA_RUN,
  FFA_SUCCESS_32,
  FFA_YIELD,
} from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_1 } from '../../src/abi/versions.ts';
import { Pe } from '../../src/hardware/pe.ts';
import { RX_EMPTY, RX_FULL } from '../../src/spmc/endpoint.ts';
import { VCPU_BLOCKED, VCPU_PREEMPTED, VCPU_WAITING } from '../../src/spmc/partition.ts';
import { calls, inTurn, works } from './partition-steps.ts';
import { callWith, ids, PAGE, SmallWorld, SP1, SP2, SP3, said } from './small-world.ts';

const REQ = FFA_MSG_SEND_DIRECT_REQ_32;
const RESP = FFA_MSG_SEND_DIRECT_RESP_32;
const MP = { executionContextCount: 4 };

function start(world: SmallWorld, pe: Pe, ...words: number[]) {
  pe.smc.clear();
  for (const [n, word] of words.entries()) pe.smc.setW(n, word);
  const call = world.spmc.smc(pe);
  if (call === null) throw new Error('the partition works');
  call.next();
  return call;
}

describe('FFA_RUN by the normal world', () => {
  test('of a single context: it migrates to the PE that runs it', () => {
    const world = new SmallWorld([{}]);
    world.program(SP1).behaviour = inTurn([works(100)], calls(RESP, ids(SP1, 0), 0, 7)).behaviour;
    world.pe.interruptPending = true;
    expect(said(world.call(REQ, ids(0, SP1)))).toBe('FFA_INTERRUPT');
    const [vcpu] = world.spmc.partitions[0].vcpus;
    expect([vcpu.state, vcpu.peIndex]).toEqual([VCPU_PREEMPTED, 0]);
    expect(world.callOn(world.otherPe, FFA_RUN, ids(SP1, 0)).slice(0, 4)).toEqual([RESP, ids(SP1, 0), 0, 7]);
    expect(vcpu.peIndex).toBe(1);
  });

  test.each([
    ['its own PE', 1, 1, 'FFA_MSG_WAIT'],
    ['another PE', 1, 2, 'FFA_ERROR INVALID_PARAMETERS'],
    ['a PE beyond the contexts, which share them out', 5, 1, 'FFA_MSG_WAIT'],
    ['no such context', 1, 4, 'FFA_ERROR INVALID_PARAMETERS'],
  ])('of a pinned context, on %s', (_name, peIndex, context, answer) => {
    const world = new SmallWorld([MP]);
    expect(said(world.callOn(new Pe(peIndex), FFA_RUN, ids(SP1, context)))).toBe(answer);
  });

  test('of a running context is BUSY', () => {
    const world = new SmallWorld();
    world.program(SP1).behaviour = inTurn([works(100)], calls(RESP, ids(SP1, 0))).behaviour;
    const call = start(world, world.pe, REQ, ids(0, SP1));
    expect(said(world.callOn(world.otherPe, FFA_RUN, ids(SP1, 0)))).toBe('FFA_ERROR BUSY');
    world.drive(call);
    expect(world.pe.smc.w(0)).toBe(RESP);
  });

  test('003aa9ac: no context of a call chain moves to another PE', () => {
    const world = new SmallWorld([{}, {}]);
    world.program(SP1).behaviour = inTurn([calls(REQ, ids(SP1, SP2))], calls(RESP, ids(SP1, 0), 0, 7)).behaviour;
    world.program(SP2).behaviour = inTurn([works(100)], calls(RESP, ids(SP2, SP1))).behaviour;
    const call = start(world, world.pe, REQ, ids(0, SP1));
    for (const id of [SP1, SP2]) {
      expect(said(world.callOn(world.otherPe, FFA_RUN, ids(id, 0)))).toBe('FFA_ERROR DENIED');
    }
    expect(world.spmc.partitions.map(({ vcpus }) => vcpus[0].peIndex)).toEqual([0, 0]);
    world.drive(call);
    expect([world.pe.smc.w(0), world.pe.smc.w(3)]).toEqual([RESP, 7]);
  });

  test('after a chain was taken apart it may go on elsewhere, link by link', () => {
    const world = new SmallWorld([{}, {}]);
    world.program(SP1).behaviour = inTurn(
      [calls(REQ, ids(SP1, SP2)), calls(FFA_RUN, ids(SP2, 0))],
      calls(RESP, ids(SP1, 0), 0, 7),
    ).behaviour;
    world.program(SP2).behaviour = inTurn([works(100)], calls(RESP, ids(SP2, SP1))).behaviour;
    world.pe.interruptPending = true;
    expect(said(world.call(REQ, ids(0, SP1)))).toBe('FFA_INTERRUPT');
    expect(world.callOn(world.otherPe, FFA_RUN, ids(SP1, 0)).slice(0, 4)).toEqual([RESP, ids(SP1, 0), 0, 7]);
    expect(world.spmc.partitions.map(({ vcpus }) => vcpus[0].peIndex)).toEqual([1, 1]);
  });

  test('of a context that a partition’s request waits for is DENIED, until that partition has died', () => {
    const world = new SmallWorld([{}, {}]);
    const first = inTurn([calls(REQ, ids(SP1, SP2))], () => 4);
    world.program(SP1).behaviour = first.behaviour;
    world.program(SP2).behaviour = inTurn([calls(FFA_YIELD)], calls(RESP, ids(SP2, SP1))).behaviour;
    expect(said(world.call(REQ, ids(0, SP1)))).toBe('FFA_ERROR ABORTED');
    expect(first.heard).toEqual(['FFA_MSG_SEND_DIRECT_REQ_32', 'FFA_YIELD']);
    expect(world.call(FFA_RUN, ids(SP2, 0)).slice(0, 2)).toEqual([FFA_MSG_WAIT, 0]);
    expect(world.spmc.partitions[1].vcpus[0].state).toBe(VCPU_WAITING);
  });
});

describe('FFA_RUN by a partition', () => {
  test.each([
    ['an unknown partition', ids(0x8009, 0), 'INVALID_PARAMETERS'],
    ['a VM', ids(5, 0), 'INVALID_PARAMETERS'],
    ['itself', ids(SP1, 0), 'DENIED'],
    ['one that waits', ids(SP2, 0), 'DENIED'],
    ['one that serves somebody else', ids(SP3, 0), 'DENIED'],
    ['a context that does not exist', ids(SP2, 3), 'INVALID_PARAMETERS'],
  ])('of %s', (_name, w1, error) => {
    const world = new SmallWorld([{}, {}, {}]);
    world.program(SP3).behaviour = inTurn([calls(FFA_YIELD)], calls(RESP, ids(SP3, 0))).behaviour;
    world.call(REQ, ids(0, SP3));
    expect(said(world.callAs(SP1, FFA_RUN, w1))).toBe(`FFA_ERROR ${error}`);
  });

  test('of one that it called and that yielded: the timeout is passed on, the answer comes', () => {
    const world = new SmallWorld([{}, {}]);
    const seen: number[][] = [];
    const first = inTurn([calls(REQ, ids(SP1, SP2)), calls(FFA_RUN, ids(SP2, 0))], calls(RESP, ids(SP1, 0), 0, 7));
    world.program(SP1).behaviour = (context) => {
      seen.push([0, 1, 2, 3].map((n) => context.registers.w(n)));
      return first.behaviour(context);
    };
    const second = inTurn([calls(FFA_YIELD, 0, 5, 6)], calls(RESP, ids(SP2, SP1), 0, 9));
    world.program(SP2).behaviour = second.behaviour;
    expect(said(world.call(REQ, ids(0, SP1)))).toBe('FFA_MSG_SEND_DIRECT_RESP_32');
    expect(seen[1]).toEqual([FFA_YIELD, ids(SP2, 0), 5, 6]);
    expect(seen[2]).toEqual([RESP, ids(SP2, SP1), 0, 9]);
    expect(second.heard[1]).toBe('FFA_SUCCESS_32');
  });

  test('in 1.2, with anything in x8 to x17, is refused', () => {
    const world = new SmallWorld([{}]);
    let answer = '';
    world.program(SP1).behaviour = (context) => {
      const r = context.registers;
      if (r.w(0) === FFA_ERROR) {
        answer = said([r.w(0), 0, r.w(2)]);
        return callWith(context, FFA_MSG_WAIT);
      }
      callWith(context, FFA_RUN, ids(SP2, 0));
      r.setW(17, 1);
      return 1;
    };
    world.call(FFA_RUN, ids(SP1, 0));
    expect(answer).toBe('FFA_ERROR INVALID_PARAMETERS');
  });
});

describe('FFA_YIELD', () => {
  test.each([4, 5, 6, 7])('with w%i not zero is refused', (register) => {
    const world = new SmallWorld();
    const words = [FFA_YIELD, 0, 0, 0, 0, 0, 0, 0];
    words[register] = 1;
    expect(said(world.callAs(SP1, ...words))).toBe('FFA_ERROR INVALID_PARAMETERS');
  });

  test('of a context that was run: the normal world hears it, and runs it again', () => {
    const world = new SmallWorld();
    const sp = inTurn([calls(FFA_YIELD, 0, 1, 2)], calls(FFA_MSG_WAIT));
    world.program(SP1).behaviour = sp.behaviour;
    expect(world.call(FFA_RUN, ids(SP1, 0)).slice(0, 4)).toEqual([FFA_YIELD, ids(SP1, 0), 1, 2]);
    expect(world.spmc.partitions[0].vcpus[0].state).toBe(VCPU_BLOCKED);
    // Meanwhile a request finds it busy.
    expect(said(world.call(REQ, ids(0, SP1)))).toBe('FFA_ERROR BUSY');
    expect(said(world.call(FFA_RUN, ids(SP1, 0)))).toBe('FFA_MSG_WAIT');
    expect(sp.heard).toEqual(['FFA_RUN', 'FFA_SUCCESS_32']);
  });
});

describe('FFA_MSG_WAIT', () => {
  test.each([
    ['w1', [1], 'INVALID_PARAMETERS'],
    ['w3', [0, 0, 1], 'INVALID_PARAMETERS'],
    ['w7', [0, 0, 0, 0, 0, 0, 1], 'INVALID_PARAMETERS'],
  ])('with %s not zero is refused', (_name, words, error) => {
    expect(said(new SmallWorld().callAs(SP1, FFA_MSG_WAIT, ...words))).toBe(`FFA_ERROR ${error}`);
  });

  test('before 1.2 has no flags', () => {
    const world = new SmallWorld([{ ffaVersion: FFA_VERSION_1_1 }]);
    let answer = '';
    const first = inTurn([calls(FFA_MSG_WAIT, 0, 1)], (context) => {
      answer = said([context.registers.w(0), 0, context.registers.w(2)]);
      return callWith(context, FFA_MSG_WAIT);
    });
    world.program(SP1).behaviour = first.behaviour;
    world.call(FFA_RUN, ids(SP1, 0));
    expect(answer).toBe('FFA_ERROR INVALID_PARAMETERS');
  });

  /** SP2 sends SP1 a message; the receiver's RX is full then. */
  function sendTo1(world: SmallWorld): string {
    const tx = (world.spmc.partitionById.get(SP2)?.txFrame ?? 0) * PAGE;
    const bytes = new Uint8Array(44);
    const view = new DataView(bytes.buffer);
    view.setUint32(8, 40, true);
    view.setUint16(12, SP1, true);
    view.setUint16(14, SP2, true);
    view.setUint32(16, 4, true);
    world.write(tx, bytes);
    return said(world.callAs(SP2, FFA_MSG_SEND2));
  }

  test('be1a0b7a, f779fb7e: gives RX back, unless the caller keeps it or was not told of the message', () => {
    const world = new SmallWorld([{ notificationSupport: true }, {}]);
    const rx = () => world.spmc.partitions[0].rx;
    expect(sendTo1(world)).toBe('FFA_SUCCESS_32');
    // Not told yet: it stays full, and the next message is refused.
    world.program(SP1).behaviour = inTurn([], calls(FFA_MSG_WAIT)).behaviour;
    world.call(FFA_RUN, ids(SP1, 0));
    expect([rx(), sendTo1(world)]).toEqual([RX_FULL, 'FFA_ERROR BUSY']);
    // Told, and kept.
    world.program(SP1).behaviour = inTurn([calls(FFA_NOTIFICATION_GET, SP1, 4)], calls(FFA_MSG_WAIT, 0, 1)).behaviour;
    world.call(FFA_RUN, ids(SP1, 0));
    expect([rx(), sendTo1(world)]).toEqual([RX_FULL, 'FFA_ERROR BUSY']);
    // Given back.
    world.program(SP1).behaviour = inTurn([], calls(FFA_MSG_WAIT)).behaviour;
    world.call(FFA_RUN, ids(SP1, 0));
    expect([rx(), sendTo1(world)]).toEqual([RX_EMPTY, 'FFA_SUCCESS_32']);
  });

  test('that is refused gives nothing back', () => {
    const world = new SmallWorld([{ notificationSupport: true }, {}]);
    sendTo1(world);
    world.program(SP1).behaviour = inTurn(
      [calls(FFA_NOTIFICATION_GET, SP1, 4), calls(FFA_MSG_WAIT)],
      calls(RESP, ids(SP1, 0)),
    ).behaviour;
    expect(said(world.call(REQ, ids(0, SP1)))).toBe('FFA_MSG_SEND_DIRECT_RESP_32');
    expect(world.spmc.partitions[0].rx).toBe(RX_FULL);
  });

  test('of a preempted partition’s caller is not possible: what it answers first counts', () => {
    const world = new SmallWorld([{}, {}]);
    // It gives up on its callee, answers, and is asked again; the callee still owes its answer.
    const first = inTurn(
      [calls(REQ, ids(SP1, SP2)), calls(RESP, ids(SP1, 0), 0, 1), calls(FFA_RUN, ids(SP2, 0))],
      calls(RESP, ids(SP1, 0), 0, 2),
    );
    world.program(SP1).behaviour = first.behaviour;
    world.program(SP2).behaviour = inTurn([works(100)], calls(RESP, ids(SP2, SP1), 0, 9)).behaviour;
    world.pe.interruptPending = true;
    expect(said(world.call(REQ, ids(0, SP1)))).toBe('FFA_INTERRUPT');
    expect(world.call(FFA_RUN, ids(SP1, 0))[3]).toBe(1);
    expect(said(world.call(REQ, ids(0, SP2)))).toBe('FFA_ERROR BUSY');
    expect(world.call(REQ, ids(0, SP1))[3]).toBe(2);
    expect(first.heard).toEqual([
      'FFA_MSG_SEND_DIRECT_REQ_32',
      'FFA_INTERRUPT',
      'FFA_MSG_SEND_DIRECT_REQ_32',
      'FFA_MSG_SEND_DIRECT_RESP_32',
    ]);
    expect(said(world.call(FFA_INTERRUPT))).toBe('FFA_ERROR NOT_SUPPORTED');
    expect(said(world.call(FFA_SUCCESS_32))).toBe('FFA_ERROR NOT_SUPPORTED');
  });
});
