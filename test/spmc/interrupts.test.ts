import { describe, expect, test } from 'vitest';
import {
  FFA_ERROR,
  FFA_INTERRUPT,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_MSG_WAIT,
  FFA_RUN,
  FFA_SUCCESS_32,
  FFA_VERSION,
  FFA_YIELD,
} from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import { EXIT_CRASH } from '../../src/hardware/partition-entry.ts';
import { pinOf } from '../../src/spmc/paravirtual-interrupts.ts';
import { VCPU_ABORTED, VCPU_PREEMPTED, VCPU_RUNNING, VCPU_WAITING } from '../../src/spmc/partition.ts';
import type { PartitionManifest } from '../../src/spmc/partition-setup.ts';
import { calls, inTurn, works } from './partition-steps.ts';
import { callWith, ids, SmallWorld, SP1, SP2, SP3, said } from './small-world.ts';

const REQ = FFA_MSG_SEND_DIRECT_REQ_32;
const RESP = FFA_MSG_SEND_DIRECT_RESP_32;
const MANAGED_EXIT = 4;
const SRI = 8;
const DEVICE1 = 56;
const DEVICE2 = 58;

/** A manifest with one device, whose interrupt is `id`. */
function device(id: number, more: Partial<PartitionManifest> = {}): Partial<PartitionManifest> {
  const region = { baseAddress: 0x1000_0000 + id * 0x1_0000, pageCount: 1, attributes: 3 };
  return { deviceRegions: [{ ...region, interrupts: [{ id, attributes: 0x100 }] }], ...more };
}

const wait = calls(FFA_MSG_WAIT);
const answerVm = (sp: number) => calls(RESP, ids(sp, 0), 0, 7);

/** Starts a request and lets `ns` pass; the call is still under way. */
function startRequest(world: SmallWorld, receiver: number, ns: number) {
  world.pe.smc.clear();
  world.pe.smc.set8(REQ, ids(0, receiver));
  const call = world.spmc.smc(world.pe);
  if (call === null) throw new Error('the partition works');
  call.next();
  world.machine.time.advanceTo(world.machine.time.nowNs + ns);
  return call;
}

function stateOf(world: SmallWorld, id: number): number {
  return world.spmc.partitionById.get(id)?.vcpus[0].state ?? -1;
}

/** A device's interrupt while the normal world runs. */
function interrupt(world: SmallWorld, id: number, pe = world.pe): void {
  expect(world.spmc.assertInterrupt(pe, id)).toBe(true);
  const pending = world.spmc.takeInterrupt(pe);
  if (pending !== null) world.drive(pending, pe);
}

describe('a secure interrupt', () => {
  test('from the normal world: the waiting partition runs with it, and the normal world notices nothing', () => {
    const world = new SmallWorld([device(DEVICE1)]);
    const sp = inTurn([], wait);
    world.program(SP1).behaviour = sp.behaviour;
    world.pe.smc.set8(1, 2, 3, 4, 5, 6, 7, 8);
    interrupt(world, DEVICE1);
    expect(world.program(SP1).entries).toEqual([[FFA_INTERRUPT, 0, DEVICE1, 0, 0, 0, 0, 0]]);
    expect(sp.interrupts).toEqual([[DEVICE1]]);
    expect([0, 1, 2, 3, 4, 5, 6, 7].map((n) => world.pe.smc.w(n))).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(stateOf(world, SP1)).toBe(VCPU_WAITING);
  });

  test('of no device is nobody’s', () => {
    expect(new SmallWorld([device(DEVICE1)]).spmc.assertInterrupt(new SmallWorld().pe, 57)).toBe(false);
  });

  test('two partitions cannot have the same', () => {
    const message = 'interrupt 56: partitions 0x8001 and 0x8002 both have it';
    expect(() => new SmallWorld([device(DEVICE1), device(DEVICE1)])).toThrow(message);
  });

  test('issues 7, 10: a second one while the first is handled waits for its turn', () => {
    const world = new SmallWorld([device(DEVICE1), device(DEVICE2)]);
    const first = inTurn([works(1000)], wait);
    const second = inTurn([], wait);
    world.program(SP1).behaviour = first.behaviour;
    world.program(SP2).behaviour = second.behaviour;
    world.spmc.assertInterrupt(world.pe, DEVICE1);
    const call = world.spmc.takeInterrupt(world.pe);
    call?.next();
    world.spmc.assertInterrupt(world.pe, DEVICE2);
    world.spmc.assertInterrupt(world.pe, DEVICE1);
    call?.next();
    expect([stateOf(world, SP1), stateOf(world, SP2)]).toEqual([VCPU_RUNNING, VCPU_WAITING]);
    if (call !== null) world.drive(call);
    expect(second.heard).toEqual(['FFA_INTERRUPT']);
    // Its own second one makes the first run again.
    expect(first.heard).toEqual(['FFA_INTERRUPT', 'FFA_INTERRUPT', 'FFA_INTERRUPT']);
    expect([stateOf(world, SP1), stateOf(world, SP2), world.spmc.pending.count]).toEqual([
      VCPU_WAITING,
      VCPU_WAITING,
      0,
    ]);
  });

  test('takes the PE from a partition that works, which then goes on with the rest of its work', () => {
    const world = new SmallWorld([device(DEVICE1), {}]);
    const handler = inTurn([works(50)], wait);
    world.program(SP1).behaviour = handler.behaviour;
    const worker = inTurn([works(1000)], answerVm(SP2));
    world.program(SP2).behaviour = worker.behaviour;
    const before = world.machine.time.nowNs;
    const call = startRequest(world, SP2, 300);
    world.spmc.assertInterrupt(world.pe, DEVICE1);
    call.next();
    expect([stateOf(world, SP1), stateOf(world, SP2)]).toEqual([VCPU_RUNNING, VCPU_PREEMPTED]);
    world.drive(call);
    expect(world.pe.smc.w(0)).toBe(RESP);
    expect(world.machine.time.nowNs - before).toBe(1050);
    expect(worker.heard).toEqual(['FFA_MSG_SEND_DIRECT_REQ_32', 'FFA_MSG_SEND_DIRECT_REQ_32']);
    expect(handler.interrupts).toEqual([[DEVICE1], []]);
  });

  test('of the partition that runs is seen at once', () => {
    const world = new SmallWorld([device(DEVICE1)]);
    const sp = inTurn([works(1000)], answerVm(SP1));
    world.program(SP1).behaviour = sp.behaviour;
    const call = startRequest(world, SP1, 300);
    world.spmc.assertInterrupt(world.pe, DEVICE1);
    world.drive(call);
    expect(sp.interrupts).toEqual([[], [DEVICE1]]);
    expect([world.pe.smc.w(0), world.machine.time.nowNs]).toEqual([RESP, 300]);
  });

  test('waits while a partition runs that queues those of others, and while one is called by such', () => {
    const world = new SmallWorld([device(DEVICE1), { otherSecureInterruptAction: 'queue' }, {}]);
    const handler = inTurn([], wait);
    world.program(SP1).behaviour = handler.behaviour;
    world.program(SP2).behaviour = inTurn([calls(REQ, ids(SP2, SP3))], answerVm(SP2)).behaviour;
    let heardMeanwhile = -1;
    world.program(SP3).behaviour = inTurn([works(100)], (context) => {
      heardMeanwhile = handler.heard.length;
      return callWith(context, RESP, ids(SP3, SP2));
    }).behaviour;
    const call = startRequest(world, SP2, 10);
    world.spmc.assertInterrupt(world.pe, DEVICE1);
    world.drive(call);
    expect([heardMeanwhile, handler.heard.length]).toEqual([0, 1]);
    expect(world.pe.smc.w(3)).toBe(7);
  });

  test('of a partition further up in the chain: it handles it and gives the PE back with FFA_RUN', () => {
    const world = new SmallWorld([device(DEVICE1), {}, {}]);
    const run2 = calls(FFA_RUN, ids(SP2, 0));
    const first = inTurn(
      [calls(REQ, ids(SP1, SP2)), wait, calls(RESP, ids(SP1, 0)), calls(REQ, ids(SP1, SP2)), run2],
      answerVm(SP1),
    );
    world.program(SP1).behaviour = first.behaviour;
    world.program(SP2).behaviour = inTurn([calls(REQ, ids(SP2, SP3))], calls(RESP, ids(SP2, SP1), 0, 5)).behaviour;
    world.program(SP3).behaviour = inTurn([works(100)], calls(RESP, ids(SP3, SP2))).behaviour;
    const call = startRequest(world, SP1, 10);
    world.spmc.assertInterrupt(world.pe, DEVICE1);
    world.drive(call);
    // Nothing but FFA_RUN is allowed meanwhile.
    expect(first.heard).toEqual([
      'FFA_MSG_SEND_DIRECT_REQ_32',
      'FFA_INTERRUPT',
      'FFA_ERROR DENIED',
      'FFA_ERROR DENIED',
      'FFA_ERROR BUSY',
      'FFA_MSG_SEND_DIRECT_RESP_32',
    ]);
    expect([world.pe.smc.w(0), world.pe.smc.w(3)]).toEqual([RESP, 7]);
    for (const id of [SP1, SP2, SP3]) expect(stateOf(world, id)).toBe(VCPU_WAITING);
  });

  test('that was not taken yet forbids FFA_RUN', () => {
    const world = new SmallWorld([device(DEVICE1), {}]);
    const heard: string[] = [];
    world.program(SP1).behaviour = (context) => {
      const r = context.registers;
      heard.push(said([r.w(0), 0, r.w(2)]));
      if (heard.length === 1) return callWith(context, REQ, ids(SP1, SP2));
      if (heard.length === 2) return callWith(context, FFA_RUN, ids(SP2, 0));
      if (heard.length === 3) {
        context.interrupts.length = 0;
        return callWith(context, FFA_RUN, ids(SP2, 0));
      }
      return callWith(context, RESP, ids(SP1, 0), 0, 7);
    };
    world.program(SP2).behaviour = inTurn([works(100)], calls(RESP, ids(SP2, SP1))).behaviour;
    const call = startRequest(world, SP1, 10);
    world.spmc.assertInterrupt(world.pe, DEVICE1);
    world.drive(call);
    expect(heard.slice(1)).toEqual(['FFA_INTERRUPT', 'FFA_ERROR DENIED', 'FFA_MSG_SEND_DIRECT_RESP_32']);
  });

  test('of a preempted partition is pending until FFA_RUN', () => {
    const world = new SmallWorld([device(DEVICE1)]);
    const sp = inTurn([works(1000)], answerVm(SP1));
    world.program(SP1).behaviour = sp.behaviour;
    world.pe.interruptPending = true;
    expect(said(world.call(REQ, ids(0, SP1)))).toBe('FFA_INTERRUPT');
    interrupt(world, DEVICE1);
    expect([sp.heard.length, stateOf(world, SP1)]).toEqual([1, VCPU_PREEMPTED]);
    expect(said(world.call(FFA_RUN, ids(SP1, 0)))).toBe('FFA_MSG_SEND_DIRECT_RESP_32');
    expect(sp.interrupts).toEqual([[], [DEVICE1]]);
  });

  test('of a partition that yielded is queued; so is one whose context runs on another PE', () => {
    const world = new SmallWorld([device(DEVICE1)]);
    const sp = inTurn([calls(FFA_YIELD), works(100)], answerVm(SP1));
    world.program(SP1).behaviour = sp.behaviour;
    expect(said(world.call(REQ, ids(0, SP1)))).toBe('FFA_YIELD');
    interrupt(world, DEVICE1);
    expect(sp.heard.length).toBe(1);
    world.pe.smc.clear();
    world.pe.smc.set8(FFA_RUN, ids(SP1, 0));
    const call = world.spmc.smc(world.pe);
    call?.next();
    interrupt(world, DEVICE1, world.otherPe);
    if (call !== null) world.drive(call);
    expect(sp.interrupts).toEqual([[], [DEVICE1], [DEVICE1]]);
  });

  test('during initialisation is handled when that is over', () => {
    const world = new SmallWorld([device(DEVICE1)]);
    const sp = inTurn([], wait);
    world.spmc.reset();
    world.programs[0].reset();
    world.programs[0].behaviour = sp.behaviour;
    world.machine.frames.reset();
    world.spmc.assertInterrupt(world.pe, DEVICE1);
    world.boot();
    expect([sp.heard, sp.interrupts]).toEqual([['FFA_INTERRUPT'], [[DEVICE1]]]);
    expect(stateOf(world, SP1)).toBe(VCPU_WAITING);
  });

  test('of a dead partition is dropped; one that dies over it gives the PE back', () => {
    const world = new SmallWorld([device(DEVICE1), {}]);
    world.program(SP1).behaviour = () => EXIT_CRASH;
    world.program(SP2).behaviour = inTurn([works(1000)], answerVm(SP2)).behaviour;
    const call = startRequest(world, SP2, 300);
    world.spmc.assertInterrupt(world.pe, DEVICE1);
    world.drive(call);
    expect([world.pe.smc.w(0), stateOf(world, SP1)]).toEqual([RESP, VCPU_ABORTED]);
    interrupt(world, DEVICE1);
    expect([stateOf(world, SP1), world.spmc.pending.count]).toEqual([VCPU_ABORTED, 0]);
  });

  test('found waiting or entering a wait, where the manifest says so, raises the schedule receiver interrupt', () => {
    const world = new SmallWorld([
      device(DEVICE1, { sriInterruptsPolicy: 1 }),
      device(DEVICE2, { sriInterruptsPolicy: 2 }),
    ]);
    const first = inTurn([], wait);
    world.program(SP1).behaviour = first.behaviour;
    interrupt(world, DEVICE1);
    expect([first.heard, world.interrupts.map(({ id }) => id)]).toEqual([[], [SRI]]);
    expect(said(world.call(FFA_RUN, ids(SP1, 0)))).toBe('FFA_MSG_WAIT');
    expect(first.interrupts).toEqual([[DEVICE1]]);
    // It leaves the interrupt where it is, and waits.
    world.program(SP2).behaviour = (context) => callWith(context, FFA_MSG_WAIT);
    interrupt(world, DEVICE2);
    expect([stateOf(world, SP2), world.program(SP2).entries.length]).toEqual([VCPU_WAITING, 1]);
  });

  test('S-EL0: FFA_INTERRUPT alone tells of it', () => {
    const world = new SmallWorld([device(DEVICE1, { exceptionLevel: 'S-EL0' })]);
    const sp = inTurn([], wait);
    world.program(SP1).behaviour = sp.behaviour;
    interrupt(world, DEVICE1);
    expect([sp.heard, sp.interrupts]).toEqual([['FFA_INTERRUPT'], [[]]]);
  });

  test('the handler may ask other partitions, and FFA_YIELD does nothing', () => {
    const world = new SmallWorld([device(DEVICE1), {}]);
    const handler = inTurn([calls(FFA_YIELD), calls(REQ, ids(SP1, SP2))], wait);
    world.program(SP1).behaviour = handler.behaviour;
    world.program(SP2).behaviour = inTurn([works(10)], calls(RESP, ids(SP2, SP1))).behaviour;
    world.pe.interruptPending = true;
    interrupt(world, DEVICE1);
    expect(handler.heard).toEqual(['FFA_INTERRUPT', 'FFA_SUCCESS_32', 'FFA_MSG_SEND_DIRECT_RESP_32']);
    // Neither of them was preempted: the normal world takes its interrupt when it has the PE.
    expect(world.pe.interruptPending).toBe(true);
  });

  test('67fec989b: FFA_SUCCESS does not end the handling of an interrupt, FFA_MSG_WAIT does', () => {
    const world = new SmallWorld([device(DEVICE1)]);
    const sp = inTurn([calls(FFA_SUCCESS_32)], wait);
    world.program(SP1).behaviour = sp.behaviour;
    interrupt(world, DEVICE1);
    expect(sp.heard).toEqual(['FFA_INTERRUPT', 'FFA_ERROR NOT_SUPPORTED']);
    expect(stateOf(world, SP1)).toBe(VCPU_WAITING);
  });

  test('1fff55d2: an interrupt before FFA_VERSION does not end the negotiation', () => {
    const world = new SmallWorld([device(DEVICE1)]);
    world.spmc.reset();
    world.programs[0].reset();
    world.machine.frames.reset();
    world.drive(world.spmc.boot(world.pe));
    interrupt(world, DEVICE1);
    expect(said(world.call(FFA_INTERRUPT))).toBe('FFA_ERROR NOT_SUPPORTED');
    expect(world.call(FFA_VERSION, FFA_VERSION_1_1)[0]).toBe(FFA_VERSION_1_2);
    expect(world.spmc.normalWorld.version).toBe(FFA_VERSION_1_1);
    world.call(FFA_RUN, ids(SP1, 0));
    expect(world.call(FFA_VERSION, FFA_VERSION_1_2)[0]).toBe(0xffffffff);
  });

  test('an interrupt for the context that the PE is about to run comes once, and holds nothing up', () => {
    const world = new SmallWorld([device(DEVICE1)]);
    const sp = inTurn([], wait);
    world.program(SP1).behaviour = sp.behaviour;
    world.spmc.assertInterrupt(world.pe, DEVICE1);
    expect(said(world.call(FFA_RUN, ids(SP1, 0)))).toBe('FFA_MSG_WAIT');
    expect(sp.interrupts.flat()).toEqual([DEVICE1]);
    expect([stateOf(world, SP1), world.spmc.pending.count]).toEqual([VCPU_WAITING, 0]);
  });

  test('0a704e55: a response that an interrupt holds up ends the call chain all the same', () => {
    const world = new SmallWorld([{}, device(DEVICE2)]);
    const caller = inTurn([calls(REQ, ids(SP1, SP2)), calls(REQ, ids(SP1, SP2))], answerVm(SP1));
    world.program(SP1).behaviour = caller.behaviour;
    const heard: string[] = [];
    const [one, two] = world.spmc.partitions.map((partition) => partition.vcpus[0]);
    world.program(SP2).behaviour = (context) => {
      const r = context.registers;
      heard.push(said([r.w(0), 0, r.w(2)]));
      // The response is made: nobody waits for whoever handles the interrupt.
      if (r.w(0) === FFA_INTERRUPT) expect([one.callee, two.caller]).toEqual([null, null]);
      // It answers the first request with an interrupt of its own pending.
      if (heard.length === 1) {
        world.spmc.assertInterrupt(world.pe, DEVICE2);
        return works(5)(context);
      }
      if (heard.length > 2) context.interrupts.length = 0;
      if (r.w(0) === FFA_INTERRUPT) return callWith(context, FFA_MSG_WAIT);
      return callWith(context, RESP, ids(SP2, SP1), 0, 5);
    };
    const answer = world.call(REQ, ids(0, SP1));
    expect([answer[0], answer[3]]).toEqual([RESP, 7]);
    expect(heard).toEqual([
      'FFA_MSG_SEND_DIRECT_REQ_32',
      'FFA_MSG_SEND_DIRECT_REQ_32',
      'FFA_INTERRUPT',
      'FFA_MSG_SEND_DIRECT_REQ_32',
    ]);
    expect(caller.heard.slice(1)).toEqual(['FFA_MSG_SEND_DIRECT_RESP_32', 'FFA_MSG_SEND_DIRECT_RESP_32']);
    expect([one.callee, one.state, two.state]).toEqual([null, VCPU_WAITING, VCPU_WAITING]);
  });
});

describe('a non-secure interrupt', () => {
  test('takes a call chain apart: each caller hears FFA_INTERRUPT, and runs its callee again', () => {
    const world = new SmallWorld([{}, {}]);
    const first = inTurn([calls(REQ, ids(SP1, SP2)), calls(FFA_RUN, ids(SP2, 0))], answerVm(SP1));
    world.program(SP1).behaviour = first.behaviour;
    world.program(SP2).behaviour = inTurn([works(1000)], calls(RESP, ids(SP2, SP1))).behaviour;
    const call = startRequest(world, SP1, 300);
    world.pe.interruptPending = true;
    world.drive(call);
    expect([world.pe.smc.w(0), world.pe.smc.w(1)]).toEqual([FFA_INTERRUPT, ids(SP1, 0)]);
    expect([stateOf(world, SP1), stateOf(world, SP2)]).toEqual([VCPU_PREEMPTED, VCPU_PREEMPTED]);
    // The callee serves a partition: only that one runs it.
    expect(said(world.call(FFA_RUN, ids(SP2, 0)))).toBe('FFA_ERROR DENIED');
    const before = world.machine.time.nowNs;
    expect(said(world.call(FFA_RUN, ids(SP1, 0)))).toBe('FFA_MSG_SEND_DIRECT_RESP_32');
    expect(world.machine.time.nowNs - before).toBe(700);
    expect(world.program(SP1).entries[1].slice(0, 3)).toEqual([FFA_INTERRUPT, ids(SP2, 0), 0]);
    expect([stateOf(world, SP1), stateOf(world, SP2)]).toEqual([VCPU_WAITING, VCPU_WAITING]);
  });

  test.each([
    ['the caller queues them', 'queue', 'signal', false],
    ['the callee queues them', 'signal', 'queue', true],
    ['both do', 'queue', 'queue', false],
  ] as const)('waits while %s', (_name, first, second, preemptsCaller) => {
    const world = new SmallWorld([{ nsInterruptAction: first }, { nsInterruptAction: second }]);
    const caller = inTurn([calls(REQ, ids(SP1, SP2))], answerVm(SP1));
    world.program(SP1).behaviour = caller.behaviour;
    world.program(SP2).behaviour = inTurn([works(1000)], calls(RESP, ids(SP2, SP1))).behaviour;
    const call = startRequest(world, SP1, 300);
    world.pe.interruptPending = true;
    world.drive(call);
    if (preemptsCaller) {
      // The callee has answered; its caller is preempted before it sees the answer.
      expect([world.pe.smc.w(0), world.pe.smc.w(1)]).toEqual([FFA_INTERRUPT, ids(SP1, 0)]);
      expect(caller.heard).toEqual(['FFA_MSG_SEND_DIRECT_REQ_32']);
      world.call(FFA_RUN, ids(SP1, 0));
    } else {
      expect(world.pe.interruptPending).toBe(true);
    }
    expect([world.pe.smc.w(0), world.pe.smc.w(3)]).toEqual([RESP, 7]);
    expect(caller.heard[1]).toBe('FFA_MSG_SEND_DIRECT_RESP_32');
  });
});

describe('managed exit', () => {
  const manifest: Partial<PartitionManifest> = { nsInterruptAction: 'managed-exit' };

  test.each([
    ['answers', answerVm(SP1), REQ, RESP],
    ['waits', wait, FFA_RUN, FFA_MSG_WAIT],
  ])('a partition is asked to leave, and %s', (_name, leave, call, answer) => {
    const world = new SmallWorld([manifest]);
    const sp = inTurn([works(1000)], leave);
    world.program(SP1).behaviour = sp.behaviour;
    world.pe.smc.clear();
    world.pe.smc.set8(call, call === REQ ? ids(0, SP1) : ids(SP1, 0));
    const pending = world.spmc.smc(world.pe);
    pending?.next();
    world.machine.time.advanceTo(300);
    world.pe.interruptPending = true;
    if (pending !== null) world.drive(pending);
    expect(sp.interrupts).toEqual([[], [MANAGED_EXIT]]);
    expect([world.pe.smc.w(0), world.machine.time.nowNs, world.pe.interruptPending]).toEqual([answer, 300, true]);
    expect(stateOf(world, SP1)).toBe(VCPU_WAITING);
  });

  test('is asked for once, however long it takes, and forgotten when it leaves without having looked', () => {
    const world = new SmallWorld([manifest]);
    let entries = 0;
    world.program(SP1).behaviour = (context) => {
      entries++;
      if (entries === 3) return callWith(context, RESP, ids(SP1, 0));
      context.workNs = 1000;
      return 2;
    };
    const call = startRequest(world, SP1, 300);
    world.pe.interruptPending = true;
    call.next();
    world.pe.interruptPending = true;
    world.drive(call);
    const [vcpu] = world.spmc.partitions[0].vcpus;
    expect([entries, vcpu.interrupts, vcpu.managedExit, world.pe.interruptPending]).toEqual([3, [], false, true]);
  });

  test('of a callee ends with its answer; its caller is preempted then, if it signals', () => {
    const world = new SmallWorld([{}, manifest]);
    world.program(SP1).behaviour = inTurn([calls(REQ, ids(SP1, SP2))], answerVm(SP1)).behaviour;
    const callee = inTurn([works(1000)], calls(RESP, ids(SP2, SP1)));
    world.program(SP2).behaviour = callee.behaviour;
    const call = startRequest(world, SP1, 300);
    world.pe.interruptPending = true;
    world.drive(call);
    expect(callee.interrupts).toEqual([[], [MANAGED_EXIT]]);
    expect([world.pe.smc.w(0), world.pe.smc.w(1)]).toEqual([FFA_INTERRUPT, ids(SP1, 0)]);
    expect(said(world.call(FFA_RUN, ids(SP1, 0)))).toBe('FFA_MSG_SEND_DIRECT_RESP_32');
  });

  test.each([
    [{}, 'fiq'],
    [{ managedExitVirq: true }, 'irq'],
  ])('with %o is told of by %s', (more, pin) => {
    const world = new SmallWorld([{ ...manifest, ...more }]);
    expect(pinOf(world.spmc.partitions[0].vcpus[0], MANAGED_EXIT)).toBe(pin);
  });
});

describe('the paravirtual interrupt calls', () => {
  const ENABLE = 0xff03;
  const GET = 0xff04;
  const DEACTIVATE = 0xff08;

  test('enable, get, deactivate', () => {
    const world = new SmallWorld([device(DEVICE1)]);
    const asked = [
      [ENABLE, DEVICE1, 1, 1],
      [ENABLE, 1024, 1, 0],
      [GET],
      [GET],
      [DEACTIVATE, DEVICE1, 57],
      [DEACTIVATE, 57, 57],
      [DEACTIVATE, DEVICE1, DEVICE1],
      [DEACTIVATE, DEVICE1, DEVICE1],
    ];
    const heard: number[] = [];
    let at = 0;
    world.program(SP1).behaviour = (context) => {
      if (at > 0) heard.push(context.registers.w(0));
      return callWith(context, ...(asked[at++] ?? [FFA_MSG_WAIT]));
    };
    interrupt(world, DEVICE1);
    expect(heard).toEqual([0, 0xffffffff, DEVICE1, 0xffffffff, 0xffffffff, 0xffffffff, 0, 0xffffffff]);
    expect(pinOf(world.spmc.partitions[0].vcpus[0], DEVICE1)).toBe('fiq');
    expect(world.program(SP1).entries[0][0]).not.toBe(FFA_ERROR);
  });
});
