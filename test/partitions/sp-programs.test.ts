import { describe, expect, test } from 'vitest';
import { FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import { EXIT_CRASH, EXIT_WORK } from '../../src/hardware/partition-entry.ts';
import type { DmaEngine } from '../../src/partitions/dma-engine.ts';
import type { PageRange } from '../../src/partitions/memory-region.ts';
import type { ProgramEnvironment } from '../../src/partitions/partition-program-module.ts';
import type { HolderProgram } from '../../src/partitions/programs/holder.ts';
import { createSpProgram, SP_PROGRAMS } from '../../src/partitions/sp-programs.ts';
import { drive, type Exchange, FakeVcpu, RAM_BASE, RX_ADDRESS } from './fake-door.ts';

/** A device whose transfers end when the test says so. */
class FakeDma implements DmaEngine {
  readonly started: { endpoint: number; ranges: readonly PageRange[]; durationNs: number }[] = [];
  running = true;
  refuse = false;

  start(endpoint: number, ranges: readonly PageRange[], durationNs: number): number {
    if (this.refuse) return -1;
    this.started.push({ endpoint, ranges, durationNs });
    return this.started.length - 1;
  }

  active(): boolean {
    return this.running;
  }
}

function environment(parameters: Record<string, unknown>, dma: DmaEngine = new FakeDma()): ProgramEnvironment {
  return {
    name: 'sp',
    kind: 'partition',
    version: FFA_VERSION_1_1,
    vcpuCount: 1,
    txAddress: RAM_BASE,
    rxAddress: RX_ADDRESS,
    buffersMapped: true,
    memory: { address: RAM_BASE, pageCount: 64 },
    endpoints: new Map(),
    dma,
    parameters,
  };
}

const REQ = 0x8400006f;
const RESP = 0x84000070;
const WAIT = 0x8400006b;
const SUCCESS = 0x84000061;
const START: Exchange[] = [
  { call: [0x84000063, 0x10001], answer: [0x10001] },
  { call: [0x84000069], answer: [SUCCESS, 0, 0x8001] },
];
const IDLE = [0x8400006d, 0x80010000];
const RX_RELEASE: Exchange = { call: [0x84000065], answer: [SUCCESS] };
const RELINQUISH: Exchange = { call: [0x84000076], answer: [SUCCESS] };
const RESPONSE =
  '02002f000800000015000000000000000000000000000000100000000100000030000000000000000000000000000000' +
  '01800200400000000000000000000000' +
  '03000000020000000000000000000000' +
  '00000140000000000200000000000000' +
  '00000240000000000100000000000000';
const RETRIEVE: Exchange[] = [
  { call: [0x84000074, 0x40, 0x40], rx: RESPONSE, answer: [0x84000075, 0x70, 0x70] },
  RX_RELEASE,
];
const TOLD = [REQ, 0x28001, 0, 1, 0x15, 0, 1];
const ASKED_BACK = [REQ, 0x28001, 0, 2, 0x15];
const CREATED = [REQ, 0x8001, 0x80000004, 0, 0, 2];
const DESTROYED = [REQ, 0x8001, 0x80000006, 0, 0, 2];
const answer = (...words: number[]) => [RESP, 0x80010002, 0, ...words];
const destroyedIs = (status: number) => [RESP, 0x80010000, 0x80000007, status];
const createdIs = (status: number) => [RESP, 0x80010000, 0x80000005, status];
const BUSY = 0xfffffffc;
const DENIED = 0xfffffffa;
const RETRY = 0xfffffff9;

describe('dma', () => {
  test('works on what it retrieves, and cannot give it back before the device has finished', () => {
    const dma = new FakeDma();
    const program = createSpProgram('dma', environment({ durationNs: 5000 }, dma));
    const vcpu = new FakeVcpu(0x8001);
    drive(program, vcpu, [
      ...START,
      { call: [WAIT], answer: CREATED },
      { call: createdIs(0), answer: TOLD },
      ...RETRIEVE,
      { call: answer(0, 3), answer: ASKED_BACK },
      { call: answer(BUSY), answer: DESTROYED },
      { call: destroyedIs(RETRY), answer: IDLE },
      { call: [WAIT], answer: IDLE },
    ]);
    expect(dma.started).toEqual([
      {
        endpoint: 0x8001,
        ranges: [
          { address: 0x40010000, pageCount: 2 },
          { address: 0x40020000, pageCount: 1 },
        ],
        durationNs: 5000,
      },
    ]);
    dma.running = false;
    vcpu.answer(...DESTROYED);
    drive(program, vcpu, [RELINQUISH, { call: destroyedIs(0), answer: IDLE }]);
  });

  test('starts when asked to', () => {
    const dma = new FakeDma();
    const program = createSpProgram('dma', environment({ durationNs: 5000, start: 'request' }, dma));
    drive(program, new FakeVcpu(0x8001), [
      ...START,
      { call: [WAIT], answer: TOLD },
      ...RETRIEVE,
      { call: answer(0, 3), answer: [REQ, 0x28001, 0, 4, 0x15, 0, 7] },
      { call: answer(0, 3), answer: [REQ, 0x28001, 0, 4, 0x16, 0, 7] },
      { call: answer(0xfffffffe), answer: IDLE },
    ]);
    expect(dma.started.map((transfer) => transfer.durationNs)).toEqual([7000]);
  });

  test('pages that are not there', () => {
    const dma = new FakeDma();
    dma.refuse = true;
    drive(createSpProgram('dma', environment({ durationNs: 1 }, dma)), new FakeVcpu(0x8001), [
      ...START,
      { call: [WAIT], answer: TOLD },
      ...RETRIEVE,
      { call: answer(DENIED, 3), answer: IDLE },
    ]);
  });
});

describe('stubborn', () => {
  test.each([
    ['accept', 0],
    ['retry', RETRY],
  ])('gives nothing back: %s', (onDestroyed, status) => {
    drive(createSpProgram('stubborn', environment({ onDestroyed })), new FakeVcpu(0x8001), [
      ...START,
      { call: [WAIT], answer: CREATED },
      { call: createdIs(0), answer: TOLD },
      ...RETRIEVE,
      { call: answer(0, 3), answer: ASKED_BACK },
      { call: answer(DENIED), answer: DESTROYED },
      { call: destroyedIs(status), answer: IDLE },
    ]);
  });
});

describe('crash', () => {
  const wait = (...message: (number | string)[]): Exchange => ({ call: [WAIT], answer: message });
  test.each([
    ['start', 1, START],
    ['message', 1, [...START, wait(...TOLD)]],
    ['message', 2, [...START, wait(REQ, 0x28001, 0, 3), { call: answer(3), answer: TOLD }]],
    ['vm-created', 1, [...START, wait(...CREATED)]],
    ['vm-destroyed', 1, [...START, wait(...CREATED), { call: createdIs(0), answer: DESTROYED }]],
    ['retrieved', 1, [...START, wait(...TOLD), ...RETRIEVE]],
    ['relinquish', 1, [...START, wait(...TOLD), ...RETRIEVE, { call: answer(0, 3), answer: ASKED_BACK }]],
    ['answer', 1, [...START, wait(...TOLD), ...RETRIEVE]],
  ] as const)('at %s, time %i', (at, nth, exchanges) => {
    const program = createSpProgram('crash', environment({ at, nth }));
    const vcpu = new FakeVcpu(0x8001);
    expect(drive(program, vcpu, exchanges)).toBe(EXIT_CRASH);
    expect(program.run(vcpu)).toBe(EXIT_CRASH);
    program.reset();
    expect(drive(program, new FakeVcpu(0x8001), exchanges)).toBe(EXIT_CRASH);
  });
});

test('slow: computes over each message before anything else', () => {
  const program = createSpProgram('slow', environment({ messageWorkNs: 700 }));
  const vcpu = new FakeVcpu(0x8001);
  drive(program, vcpu, [...START, { call: [WAIT], answer: CREATED }]);
  expect(vcpu.workNs).toBe(700);
  expect(program.run(vcpu)).toBe(EXIT_WORK);
  vcpu.nowNs = 700;
  drive(program, vcpu, [{ call: createdIs(0), answer: TOLD }]);
  vcpu.nowNs = 1400;
  drive(program, vcpu, [...RETRIEVE, { call: answer(0, 3), answer: IDLE }]);
  expect(vcpu.nowNs).toBe(1400);
});

describe('sharer', () => {
  const SHARE = [REQ, 0x28001, 0, 9, 0x8002, 2, 2, 0x77];
  // Sender 0x8001, lend, tag 0x77, borrower 0x8002, two pages: the first of its last 16.
  const TX =
    '018000000000000000000000000000007700000000000000100000000100000030000000000000000000000000000000' +
    '02800200400000000000000000000000' +
    '02000000010000000000000000000000' +
    '00000340000000000200000000000000';
  const SENT: Exchange = { call: [0x84000072, 0x60, 0x60], tx: TX, answer: [SUCCESS, 0, 5, 0x80000000] };

  test('sends, tells an SP, and takes back', () => {
    drive(createSpProgram('sharer', environment({})), new FakeVcpu(0x8001), [
      ...START,
      { call: [WAIT], answer: SHARE },
      SENT,
      { call: [REQ, 0x80018002, 0, 1, 5, 0x80000000, 0x12, 0x77], answer: [RESP, 0x80028001, 0, 0, 2] },
      { call: answer(0, 5, 0x80000000), answer: [REQ, 0x28001, 0, 10, 5, 0x80000000, 1] },
      { call: [0x84000077, 5, 0x80000000, 1], answer: [0x84000060, 0, DENIED] },
      { call: answer(DENIED), answer: [REQ, 0x28001, 0, 10, 5, 0x80000000] },
      { call: [0x84000077, 5, 0x80000000], answer: [SUCCESS] },
      { call: answer(0), answer: [REQ, 0x28001, 0, 10, 5, 0x80000000] },
      { call: answer(0xfffffffe), answer: SHARE },
      { ...SENT, answer: [0x84000060, 0, 0xfffffffd] },
      { call: answer(0xfffffffd), answer: [REQ, 0x28001, 0, 9, 0x8002, 17, 1] },
      { call: answer(0xfffffffd), answer: IDLE },
    ]);
  });

  test('tells nobody when it must not, or the borrower is a VM', () => {
    drive(createSpProgram('sharer', environment({ tell: false })), new FakeVcpu(0x8001), [
      ...START,
      { call: [WAIT], answer: SHARE },
      SENT,
      { call: answer(0, 5, 0x80000000), answer: IDLE },
    ]);
    drive(createSpProgram('sharer', environment({})), new FakeVcpu(0x8001), [
      ...START,
      { call: [WAIT], answer: [REQ, 0x28001, 0, 9, 2, 2, 1] },
      { call: [0x84000073, 0x60, 0x60], answer: [SUCCESS, 0, 5] },
      { call: answer(0, 5), answer: IDLE },
    ]);
  });

  test("hands on the borrower's refusal", () => {
    drive(createSpProgram('sharer', environment({})), new FakeVcpu(0x8001), [
      ...START,
      { call: [WAIT], answer: SHARE },
      SENT,
      { call: [REQ, 0x80018002, 0, 1, 5, 0x80000000, 0x12, 0x77], answer: [RESP, 0x80028001, 0, DENIED] },
      { call: answer(DENIED, 5, 0x80000000), answer: IDLE },
    ]);
  });
});

test('holder: passes words on to another partition', () => {
  drive(createSpProgram('holder', environment({})), new FakeVcpu(0x8001), [
    ...START,
    { call: [WAIT], answer: [REQ, 0x28001, 0, 12, 0x8002, 3, 7, 8] },
    { call: [REQ, 0x80018002, 0, 3, 7, 8], answer: [RESP, 0x80028001, 0, 3, 7, 8] },
    { call: answer(3, 7, 8), answer: [REQ, 0x28001, 0, 12, 0x8001] },
    { call: [REQ, 0x80018001], answer: [0x84000060, 0, 0xfffffffe] },
    { call: answer(0xfffffffe), answer: IDLE },
  ]);
});

test('holder: as told about other borrowers, permissions and descriptor sizes', () => {
  const access = (...rows: string[]) =>
    `02002f000800000015000000${'0'.repeat(24)}100000000${rows.length}00000030000000${'0'.repeat(24)}${rows.join('')}`;
  const zero = '0'.repeat(24);
  for (const [how, tx] of [
    [0x80020001, access(`01800200${zero}`, `02800200${zero}`)],
    [0x9, access(`01800100${zero}`)],
    [0x5, access(`01800200${zero}`).replace('2f0008000000', '2f0008040000')],
  ] as const) {
    drive(createSpProgram('holder', environment({})), new FakeVcpu(0x8001), [
      ...START,
      { call: [WAIT], answer: [REQ, 0x28001, 0, 1, 0x15, 0, how] },
      { call: [0x84000074, tx.length / 2, tx.length / 2], tx, answer: [0x84000060, 0, DENIED] },
      { call: answer(DENIED), answer: IDLE },
    ]);
  }
});

test('a sharer of 1.2 says nothing of short access descriptors', () => {
  drive(createSpProgram('sharer', { ...environment({}), version: FFA_VERSION_1_2 }), new FakeVcpu(0x8001), [
    { call: [0x84000063, 0x10002], answer: [0x10002] },
    START[1],
    { call: [WAIT], answer: [REQ, 0x28001, 0, 9, 0x8002, 1, 3] },
    { call: [0x84000071, 0x70, 0x70], answer: [SUCCESS, 0, 5] },
    { call: [REQ, 0x80018002, 0, 1, 5, 0, 3], answer: [RESP, 0x80028001, 0, 0, 1] },
    { call: answer(0, 5), answer: IDLE },
  ]);
});

describe('mailbox', () => {
  const get = (...answer: (number | string)[]): Exchange => ({ call: [0x84000082, 0x8001, 0xf], answer });
  const FULL = '0000000000000000140000000180020002000000beef';
  const received = [REQ, 0x28001, 0, 15];
  // Which interrupt tells of notifications.
  const LEARN: Exchange = { call: [0x84000064, 1], answer: [SUCCESS, 0, 5] };

  test('takes notifications and the message, and sends it back', () => {
    drive(createSpProgram('mailbox', environment({ answer: true })), new FakeVcpu(0x8001), [
      ...START,
      LEARN,
      { call: [WAIT], answer: IDLE },
      { ...get(SUCCESS, 0, 1, 0, 4, 0, 1), rx: FULL },
      RX_RELEASE,
      { call: [0x84000086], tx: '0000000000000000140000000200018002000000beef', answer: [SUCCESS] },
      { call: [WAIT], answer: IDLE },
      { ...get(SUCCESS, 0, 0x10, 0, 0, 0, 0, 1) },
      { ...RX_RELEASE, answer: [0x84000060, 0, DENIED] },
      { call: [WAIT], answer: IDLE },
      { ...get(0x84000060, 0, 0xffffffff) },
      { call: [WAIT], answer: received },
      { call: answer(0, 0x15, 1), answer: IDLE },
      { ...get(SUCCESS) },
      { call: [WAIT], answer: IDLE },
    ]);
  });

  test('only reads when it must not answer', () => {
    drive(createSpProgram('mailbox', environment({})), new FakeVcpu(0x8001), [
      ...START,
      LEARN,
      { call: [WAIT], answer: IDLE },
      { ...get(SUCCESS, 0, 0, 0, 0, 0, 1), rx: FULL },
      RX_RELEASE,
      { call: [WAIT], answer: received },
      { call: answer(0, 0, 1), answer: IDLE },
    ]);
  });

  test('looks when the interrupt came together with a message', () => {
    const vcpu = new FakeVcpu(0x8001);
    const program = createSpProgram('mailbox', environment({}));
    drive(program, vcpu, [...START, LEARN]);
    vcpu.answer(...received);
    vcpu.interrupts.push(5);
    drive(program, vcpu, [
      { ...get(SUCCESS, 0, 0, 0, 2) },
      { call: answer(0, 2, 0), answer: received },
      { call: answer(0, 2, 0), answer: IDLE },
    ]);
  });

  test('binds and sets when told to', () => {
    drive(createSpProgram('mailbox', environment({})), new FakeVcpu(0x8001), [
      ...START,
      LEARN,
      { call: [WAIT], answer: [REQ, 0x28001, 0, 14, 2, 1, 0x80000000] },
      { call: [0x8400007f, 0x28001, 0, 1, 0x80000000], answer: [SUCCESS] },
      { call: answer(0), answer: [REQ, 0x28001, 0, 13, 2, 1] },
      { call: [0x84000081, 0x80010002, 0, 1], answer: [0x84000060, 0, DENIED] },
      { call: answer(DENIED), answer: [REQ, 0x28001, 0, 99] },
      { call: answer(0xffffffff), answer: [REQ, 0x28001, 0, 3, 4] },
      { call: answer(3, 4), answer: IDLE },
    ]);
  });
});

describe('touch', () => {
  function held(vcpu: FakeVcpu, response: string): ReturnType<typeof createSpProgram> {
    const program = createSpProgram('holder', environment({}));
    drive(program, vcpu, [
      ...START,
      { call: [WAIT], answer: TOLD },
      { ...RETRIEVE[0], rx: response },
      RX_RELEASE,
      { call: answer(0, 3), answer: IDLE },
    ]);
    return program;
  }
  const touch = (handle: number, how: number): Exchange['answer'] => [REQ, 0x28001, 0, 5, handle, 0, how];

  test('reads and writes the first word of every page', () => {
    const vcpu = new FakeVcpu(0x8001);
    const program = held(vcpu, RESPONSE);
    vcpu.memory.put(0x40010000, 'efbeadde');
    drive(program, vcpu, [
      { call: [WAIT], answer: touch(0x15, 0x77) },
      { call: answer(0, 0xdeadbeef), answer: touch(0x15, 0x177) },
      { call: answer(0, 0xdeadbeef), answer: touch(0x15, 0) },
      { call: answer(0, 0x77777777), answer: touch(0x16, 0) },
      { call: answer(0xfffffffe), answer: IDLE },
    ]);
    for (const page of [0x40010000, 0x40011000, 0x40020000]) expect(vcpu.memory.hex(page, 5)).toBe('7777777700');
  });

  test.each([0, 0x100])('what its stage 2 refuses is counted (%i)', (how) => {
    const vcpu = new FakeVcpu(0x8001);
    const program = held(vcpu, RESPONSE.replace('00000240', '00000250')) as HolderProgram;
    drive(program, vcpu, [
      { call: [WAIT], answer: touch(0x15, how) },
      { call: answer(DENIED), answer: IDLE },
    ]);
    expect(program.faultCount).toBe(1);
  });
});

test('answers to VM availability messages, as texts', () => {
  const program = createSpProgram('echo', environment({ created: ['RETRY x2'], destroyed: ['DENIED forever'] }));
  drive(program, new FakeVcpu(0x8001), [
    ...START,
    { call: [WAIT], answer: CREATED },
    { call: createdIs(RETRY), answer: CREATED },
    { call: createdIs(RETRY), answer: CREATED },
    { call: createdIs(0), answer: DESTROYED },
    { call: destroyedIs(DENIED), answer: DESTROYED },
    { call: destroyedIs(DENIED), answer: IDLE },
  ]);
});

describe('the table', () => {
  test('every program can be made from its own defaults', () => {
    const needed: Record<string, unknown> = { durationNs: 1, messageWorkNs: 1, at: 'start' };
    for (const { name, parameters } of SP_PROGRAMS) {
      const given = parameters
        .filter((parameter) => parameter.default === undefined)
        .map((parameter) => [parameter.name, needed[parameter.name]]);
      expect(() => createSpProgram(name, environment(Object.fromEntries(given))), name).not.toThrow();
    }
  });

  test.each([
    ['holder', { hold: 1 }, /^program holder has no parameter hold; it has created, destroyed, /],
    ['dma', {}, /^program dma needs the parameter durationNs; how long a transfer takes$/],
    ['holder', { holdNs: -1 }, /^program holder, parameter holdNs: found -1; expected nanoseconds, 0 or more$/],
    ['holder', { touch: 'all' }, /^program holder, parameter touch: found all; expected one of none, read, write$/],
    ['crash', { at: 'start', nth: 0 }, /parameter nth: found 0; expected a whole number, 1 or more$/],
    ['sharer', { tell: 1 }, /parameter tell: found 1; expected true or false$/],
    ['echo', { created: 'RETRY' }, /parameter created: found RETRY; expected a list; each entry: honest, accept, /],
    ['echo', { created: ['RETRY 3'] }, /parameter created: found \["RETRY 3"\]; expected a list; each entry: /],
    [
      'nobody',
      {},
      new RegExp(`^program nobody does not exist; expected ${SP_PROGRAMS.map(({ name }) => name).join(', ')}$`),
    ],
  ])('%s with %j', (name, parameters, message) => {
    expect(() => createSpProgram(name, environment(parameters))).toThrow(message);
  });
});
