import { describe, expect, test } from 'vitest';
import { FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import { EXIT_CALL } from '../../src/hardware/partition-entry.ts';
import { must } from '../../src/partitions/call-result.ts';
import type { ProgramEnvironment } from '../../src/partitions/partition-program-module.ts';
import { type HandlerService, type ServiceHandlers, service } from '../../src/partitions/service.ts';
import { drive, type Exchange, FakeVcpu, RAM_BASE, RX_ADDRESS } from './fake-door.ts';

const SUCCESS = 0x84000061;
const WAIT = 0x8400006b;
const BOOT: Exchange[] = [
  { call: [0x84000063, 0x10002], answer: [0x10002] },
  { call: [0x84000069], answer: [SUCCESS, 0, 0x8001] },
];

const ENVIRONMENT: ProgramEnvironment = {
  name: 'sp',
  kind: 'partition',
  version: FFA_VERSION_1_2,
  vcpuCount: 1,
  txAddress: RAM_BASE,
  rxAddress: RX_ADDRESS,
  buffersMapped: true,
  memory: { address: RAM_BASE, pageCount: 62 },
  endpoints: new Map(),
  dma: { start: () => -1, active: () => false },
  parameters: { greeting: 7 },
};

/** A service that has booted and waits: the next answer is what wakes it. */
function booted<State>(handlers: ServiceHandlers<State>, ownPages = 0, more: Exchange[] = []) {
  const program: HandlerService<State> = service(handlers, { ownPages })(ENVIRONMENT);
  const vcpu = new FakeVcpu(0x8001);
  expect(drive(program, vcpu, [...BOOT, ...more])).toBe(EXIT_CALL);
  expect(vcpu.call()).toEqual([`0x${WAIT.toString(16)}`]);
  return { program, vcpu };
}

const MESSAGE = [0x8400006f, 0x28001, 0, 3, 4];
const VM_DESTROYED = [0x8400006f, 0x00008001, 0x80000006, 0xffffffff, 0xffffffff, 9];
const VM_CREATED = [0x8400006f, 0x00008001, 0x80000004, 0xffffffff, 0xffffffff, 9];

describe('a service', () => {
  test('answers with what its handler returns, in the form of the request', () => {
    const { program, vcpu } = booted({ message: (_ffa, { words }) => [words[0] + words[1], { low: 1, high: 2 }] });
    vcpu.answer(...MESSAGE);
    drive(program, vcpu, [{ call: [0x84000070, 0x80010002, 0, 7, 1], answer: [0xc400006f, 0x28001, 0, 5, 6] }]);
    expect(vcpu.call()).toEqual(['0xc4000070', '0x80010002', '0x0', '0xb', '0x200000001']);
  });

  test('sees 14 registers and the service of a request 2', () => {
    let seen: readonly number[] = [];
    const { program, vcpu } = booted({
      message: (_ffa, { registers, uuid }) => {
        seen = [...uuid, registers.length, registers[13].high];
        return [];
      },
    });
    vcpu.answer(0xc400008d, 0x28001, '0x200000001', '0x400000003', ...Array(13).fill(0), '0x900000000');
    drive(program, vcpu, [{ call: [0xc400008e, 0x80010002], answer: [WAIT] }]);
    expect(seen.slice(0, 4)).toEqual([1, 2, 3, 4]);
    expect(seen[4]).toBeGreaterThanOrEqual(14);
    expect(seen[5]).toBe(9);
  });

  test('keeps its state from message to message, until it is reset', () => {
    const { program, vcpu } = booted({
      state: ({ parameters }) => ({ count: Number(parameters['greeting']) }),
      message: (_ffa, _message, state) => [++state.count],
    });
    vcpu.answer(...MESSAGE);
    drive(program, vcpu, [{ call: [0x84000070, 0x80010002, 0, 8], answer: MESSAGE }]);
    expect(program.state).toEqual({ count: 9 });
    program.reset();
    drive(program, vcpu, [...BOOT, { call: [WAIT], answer: MESSAGE }]);
    expect(program.state).toEqual({ count: 8 });
  });

  test('works and calls while it serves; null is no answer', () => {
    const { program, vcpu } = booted({
      *message(ffa, { words }) {
        yield* ffa.work(5000);
        yield* ffa.yield();
        const behind = must(yield* ffa.request(0x8002, [words[0]]));
        return behind.words[0] === 0 ? null : behind.words;
      },
    });
    vcpu.answer(...MESSAGE);
    drive(program, vcpu, [
      { call: [0x8400006c], answer: [SUCCESS] },
      { call: [0x8400006f, 0x80018002, 0, 3], answer: [0x84000070, 0x80028001, 0, 11] },
      { call: [0x84000070, 0x80010002, 0, 11], answer: MESSAGE },
      { call: [0x8400006c], answer: [SUCCESS] },
      { call: [0x8400006f, 0x80018002, 0, 3], answer: [0x84000070, 0x80028001, 0, 0] },
    ]);
    expect(vcpu.nowNs).toBe(10_000);
    expect(vcpu.call()).toEqual(['0x8400006b']);
  });

  test('starts with calls of its own, and sends its own pages', () => {
    const start = { call: [0xc400008a, 3, 0x0a6968], answer: [SUCCESS] };
    const { program, vcpu } = booted(
      {
        *start(ffa) {
          yield* ffa.log('hi');
        },
        *message(ffa) {
          const region = must(yield* ffa.share({ to: 0x8002, pages: 2 }));
          return [region.handleLow, region.ranges[0].address];
        },
      },
      4,
      [start],
    );
    vcpu.answer(...MESSAGE);
    drive(program, vcpu, [
      { call: [0x84000073, 112, 112], answer: [SUCCESS, 0, 5] },
      { call: [0x84000070, 0x80010002, 0, 5, RAM_BASE + 58 * 4096], answer: [WAIT] },
    ]);
  });

  test('takes notifications when their interrupt came or nothing else did, then the message', () => {
    const came: string[] = [];
    const learn = { call: [0x84000064, 1], answer: [SUCCESS, 0, 5] };
    const { program, vcpu } = booted(
      {
        message: () => [1],
        notified: (_ffa, { fromVm }) => {
          came.push(`bits ${fromVm.low}`);
          return undefined;
        },
        received: (_ffa, { payload, sender }) => {
          came.push(`${sender} sent ${payload.length}`);
          return undefined;
        },
      },
      0,
      [learn],
    );
    const get: Exchange['call'] = [0x84000082, 0x8001, 0xf];
    const header = `${'00000000'.repeat(2)}28000000${'01800200'}02000000`.padEnd(80, '0');
    vcpu.answer(...MESSAGE);
    vcpu.interrupts.push(5);
    drive(program, vcpu, [
      { call: get, rx: `${header}0a0b`, answer: [SUCCESS, 0, 0, 0, 6, 0, 1] },
      { call: [0x84000065], answer: [SUCCESS] },
      { call: [0x84000070, 0x80010002, 0, 1], answer: MESSAGE },
      { call: [0x84000070, 0x80010002, 0, 1], answer: [0x84000062] },
      { call: get, answer: [SUCCESS] },
      { call: [WAIT], answer: [0x84000062] },
    ]);
    expect(came).toEqual(['bits 6', '2 sent 2']);
  });

  test('is told of interrupts, by injection and by FFA_INTERRUPT', () => {
    const came: number[] = [];
    const { program, vcpu } = booted({
      message: () => [],
      interrupted: (_ffa, id) => {
        came.push(id);
        return undefined;
      },
    });
    vcpu.answer(0x84000062, 0, 33);
    drive(program, vcpu, [{ call: [WAIT], answer: MESSAGE }]);
    vcpu.interrupts.push(34, 34);
    vcpu.answer(...MESSAGE);
    drive(program, vcpu, []);
    expect(came).toEqual([33, 34]);
  });

  test('a VM goes away: the handler decides, an error leaves the VM as it was', () => {
    let count = 0;
    const { program, vcpu } = booted({
      message: () => [],
      *vmDestroyed(ffa) {
        yield* ffa.work(0);
        return ++count === 1 ? -7 : 0;
      },
    });
    vcpu.answer(...VM_CREATED);
    drive(program, vcpu, [
      { call: [0x84000070, 0x80010000, 0x80000005], answer: VM_DESTROYED },
      { call: [0x84000070, 0x80010000, 0x80000007, 0xfffffff9], answer: VM_DESTROYED },
      { call: [0x84000070, 0x80010000, 0x80000007], answer: VM_DESTROYED },
    ]);
    expect(vcpu.call()).toEqual(['0x84000070', '0x80010000', '0x80000007', '0xfffffffe']);
  });

  test('answers power management messages with success, in the one response that they have', () => {
    const { program, vcpu } = booted({ message: () => [] });
    vcpu.answer(0x8400006f, 0xffff8001, 0x80000000, 0x84000002);
    drive(program, vcpu, [
      { call: [0x84000070, 0x8001ffff, 0x80000002], answer: [0x8400006f, 0xffff8001, 0x80000001] },
    ]);
    expect(vcpu.call()).toEqual(['0x84000070', '0x8001ffff', '0x80000002']);
    expect(program.vcpus[0].powerCount).toBe(2);
  });
});
