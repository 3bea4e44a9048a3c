import { describe, expect, test } from 'vitest';
import { FFA_VERSION_1_1 } from '../../src/abi/versions.ts';
import { EXIT_CALL, EXIT_CRASH, EXIT_WORK } from '../../src/hardware/partition-entry.ts';
import { type AvailabilityEntry, parseAvailabilityEntry } from '../../src/partitions/availability.ts';
import { EchoProgram } from '../../src/partitions/programs/echo.ts';
import { HolderProgram } from '../../src/partitions/programs/holder.ts';
import { drive, type Exchange, FakeVcpu, RAM_BASE, RX_ADDRESS } from './fake-door.ts';

const BUFFERS = { version: FFA_VERSION_1_1, txAddress: RAM_BASE, rxAddress: RX_ADDRESS };
const REQ = 0x8400006f;
const RESP = 0x84000070;
const WAIT = 0x8400006b;
const SUCCESS = 0x84000061;
const START: Exchange[] = [
  { call: [0x84000063, 0x10001], answer: [0x10001] },
  { call: [0x84000069], answer: [SUCCESS, 0, 0x8001] },
  { call: [0xc4000066, RAM_BASE, RX_ADDRESS, 1], answer: [SUCCESS] },
];

function entries(...texts: string[]): AvailabilityEntry[] {
  return texts.map((text) => {
    const entry = parseAvailabilityEntry(text);
    if (entry === undefined) throw new Error(text);
    return entry;
  });
}

describe('echo', () => {
  test('starts, and answers each form with its payload', () => {
    const vcpu = new FakeVcpu(0x8001);
    const exit = drive(new EchoProgram(BUFFERS), vcpu, [
      ...START,
      { call: [WAIT], answer: [REQ, 0x28001, 0, 1, 2, 3, 4, 5] },
      {
        call: [RESP, 0x80010002, 0, 1, 2, 3, 4, 5],
        answer: [0xc400006f, 0x28001, 0, '0x1122334455667788', 0, 0, 0, 7],
      },
      {
        call: [0xc4000070, 0x80010002, 0, '0x1122334455667788', 0, 0, 0, 7],
        answer: [0xc400008d, 0x38001, '0x99', '0x88', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, '0xe00000000000000e'],
      },
    ]);
    expect(exit).toBe(EXIT_CALL);
    expect(vcpu.call()).toEqual(
      ['0xc400008e', '0x80010003', '0x0', '0x0', '0x1', '0x2', '0x3', '0x4', '0x5', '0x6', '0x7', '0x8', '0x9'].concat([
        '0xa',
        '0xb',
        '0xc',
        '0xd',
        '0xe00000000000000e',
      ]),
    );
  });

  test('without buffers it does not map', () => {
    drive(new EchoProgram({ ...BUFFERS, mapBuffers: false }), new FakeVcpu(0x8001), [
      ...START.slice(0, 2),
      { call: [WAIT], answer: [REQ, 0x28001] },
    ]);
  });

  test('run without a message: it waits again; a refused answer too; a refused wait is its end', () => {
    const vcpu = new FakeVcpu(0x8001);
    const program = new EchoProgram(BUFFERS);
    const exit = drive(program, vcpu, [
      ...START,
      { call: [WAIT], answer: [0x8400006d, 0x80010000] },
      { call: [WAIT], answer: [REQ, 0x28001] },
      { call: [RESP, 0x80010002], answer: [0x84000060, 0, 0xfffffffe] },
      { call: [WAIT], answer: [0x84000060, 0, 0xfffffffa] },
    ]);
    expect(exit).toBe(EXIT_CRASH);
    expect(program.vcpus[0].refusedCount).toBe(2);
  });

  test.each([
    ['FFA_VERSION', [{ call: [0x84000063, 0x10001], answer: [0xffffffff] }]],
    ['FFA_ID_GET', [START[0], { call: [0x84000069], answer: [0x84000060, 0, 0xffffffff] }]],
    ['FFA_RXTX_MAP', [START[0], START[1], { ...START[2], answer: [0x84000060, 0, 0xfffffffe] }]],
  ])('a start that fails at %s is a crash', (_name, exchanges) => {
    expect(drive(new EchoProgram(BUFFERS), new FakeVcpu(0x8001), exchanges)).toBe(EXIT_CRASH);
  });

  test('a second vCPU does not negotiate again', () => {
    const program = new EchoProgram({ ...BUFFERS, vcpuCount: 2 });
    drive(program, new FakeVcpu(0x8001, 0), [...START, { call: [WAIT], answer: [REQ, 0x28001] }]);
    drive(program, new FakeVcpu(0x8001, 1), [{ call: [WAIT], answer: [REQ, 0x28001] }]);
  });
});

describe('VM availability', () => {
  const created = (vm: number) => [REQ, 0x8001, 0x80000004, 0, 0, vm];
  const destroyed = (vm: number) => [REQ, 0x8001, 0x80000006, 0, 0, vm];
  const createdIs = (status: number) => [RESP, 0x80010000, 0x80000005, status];
  const destroyedIs = (status: number) => [RESP, 0x80010000, 0x80000007, status];
  const IP = 0xfffffffe;
  const RETRY = 0xfffffff9;

  function talk(program: EchoProgram, messages: number[][], answers: (number[] | 'wait')[]): void {
    const exchanges: Exchange[] = [...START];
    exchanges.push({ call: [WAIT], answer: messages[0] });
    for (const [n, answer] of answers.entries()) {
      exchanges.push({ call: answer === 'wait' ? [WAIT] : answer, answer: messages[n + 1] ?? [0x8400006d] });
    }
    drive(program, new FakeVcpu(0x8001), exchanges);
  }

  test('the state machine', () => {
    talk(
      new EchoProgram(BUFFERS),
      [created(2), destroyed(2), created(2), created(3), created(2), destroyed(2), destroyed(3), destroyed(4)],
      [
        createdIs(0),
        destroyedIs(0),
        createdIs(0),
        createdIs(0),
        createdIs(IP),
        destroyedIs(IP),
        destroyedIs(0),
        destroyedIs(IP),
      ],
    );
  });

  test('a list of answers, for each VM anew', () => {
    const program = new EchoProgram({
      ...BUFFERS,
      created: entries('DENIED'),
      destroyed: entries('RETRY x2', 'accept'),
    });
    talk(
      program,
      [created(2), created(2), destroyed(2), destroyed(2), created(3), destroyed(2), destroyed(3)],
      [
        createdIs(0xfffffffa),
        createdIs(0),
        destroyedIs(RETRY),
        destroyedIs(RETRY),
        createdIs(0xfffffffa),
        destroyedIs(0),
        destroyedIs(RETRY),
      ],
    );
    expect(program.availability.vms.get(2)?.state).toBe('unavailable');
  });

  test('answers that break the rules', () => {
    talk(
      new EchoProgram({
        ...BUFFERS,
        created: entries('no-answer', 'wrong-type', 'partition-message', 'INTERRUPTED forever'),
      }),
      [created(2), created(2), created(2), created(2), created(2)],
      ['wait', [RESP, 0x80010000, 0x80000007], [RESP, 0x80010000], createdIs(0xfffffffb), createdIs(0xfffffffb)],
    );
  });

  test('yield, then the next entry', () => {
    talk(
      new EchoProgram({ ...BUFFERS, created: entries('yield', 'DENIED') }),
      [created(2), [0x8400006d, 0x80010000]],
      [[0x8400006c], createdIs(0xfffffffa)],
    );
  });

  test.each([
    ['RETRY x3', { answer: { error: -7 }, times: 3 }],
    ['accept', { answer: 'accept', times: 1 }],
    ['no-answer forever', { answer: 'no-answer', times: Number.POSITIVE_INFINITY }],
    ['RETRY x0', undefined],
    ['retry', undefined],
    ['RETRY 3', undefined],
    ['', undefined],
  ])('entry %j', (text, entry) => {
    expect(parseAvailabilityEntry(text)).toEqual(entry);
  });
});

describe('holder', () => {
  const HANDLE = [0x15, 0x80000000] as const;
  const REQUEST =
    '02002f000800000015000000000000807700000000000000100000000100000030000000000000000000000000000000' +
    '01800200000000000000000000000000';
  const RESPONSE =
    '02002f000800000015000000000000807700000000000000100000000100000030000000000000000000000000000000' +
    '01800200400000000000000000000000' +
    '03000000020000000000000000000000' +
    '00000140000000000200000000000000' +
    '00000240000000000100000000000000';
  const told = [REQ, 0x28001, 0, 1, ...HANDLE, 1, 0x77];
  const retrieve: Exchange[] = [
    { call: [0x84000074, 0x40, 0x40], tx: REQUEST, rx: RESPONSE, answer: [0x84000075, 0x70, 0x70] },
    { call: [0x84000065], answer: [SUCCESS] },
  ];
  const relinquish: Exchange = {
    call: [0x84000076],
    tx: '150000000000008000000000010000000180',
    answer: [SUCCESS],
  };
  const status = [REQ, 0x28001, 0, 11];

  test('retrieves, keeps, and gives back when asked', () => {
    const program = new HolderProgram({ ...BUFFERS, touch: 'write' });
    const vcpu = new FakeVcpu(0x8001);
    drive(program, vcpu, [
      ...START,
      { call: [WAIT], answer: told },
      ...retrieve,
      { call: [RESP, 0x80010002, 0, 0, 3], answer: status },
      { call: [RESP, 0x80010002, 0, 0, 1, 3], answer: [REQ, 0x28001, 0, 2, ...HANDLE] },
      relinquish,
      { call: [RESP, 0x80010002], answer: status },
      { call: [RESP, 0x80010002], answer: [REQ, 0x28001, 0, 2, ...HANDLE] },
      { call: [RESP, 0x80010002, 0, 0xfffffffe], answer: [0x8400006d] },
    ]);
    for (const page of [0x40010000, 0x40011000, 0x40020000]) expect(vcpu.memory.hex(page, 4)).toBe('a5a5a5a5');
    expect(program.faultCount).toBe(0);
  });

  test('tells why it could not retrieve', () => {
    const program = new HolderProgram(BUFFERS);
    drive(program, new FakeVcpu(0x8001), [
      ...START,
      { call: [WAIT], answer: told },
      { ...retrieve[0], answer: [0x84000060, 0, 0xfffffffa] },
      { call: [RESP, 0x80010002, 0, 0xfffffffa], answer: [0x8400006d] },
    ]);
    expect(program.held).toEqual([]);
  });

  test('gives back after its time, at the next entry, before it looks at the message', () => {
    const program = new HolderProgram({ ...BUFFERS, holdNs: 1000 });
    const vcpu = new FakeVcpu(0x8001);
    drive(program, vcpu, [...START, { call: [WAIT], answer: told }, ...retrieve]);
    vcpu.nowNs = 999;
    vcpu.answer(...status);
    program.run(vcpu);
    expect(vcpu.call()).toEqual(['0x84000070', '0x80010002', '0x0', '0x0', '0x1', '0x3']);
    vcpu.nowNs = 1000;
    vcpu.answer(...status);
    expect(program.run(vcpu)).toBe(EXIT_CALL);
    expect(vcpu.call()).toEqual(['0x84000076']);
    vcpu.answer(SUCCESS);
    program.run(vcpu);
    expect(vcpu.call()).toEqual(['0x84000070', '0x80010002']);
  });

  const destroy = [REQ, 0x8001, 0x80000006, 0, 0, 2];
  const create = [REQ, 0x8001, 0x80000004, 0, 0, 2];
  const before: Exchange[] = [
    ...START,
    { call: [WAIT], answer: create },
    { call: [RESP, 0x80010000, 0x80000005], answer: told },
    ...retrieve,
    { call: [RESP, 0x80010002, 0, 0, 3], answer: destroy },
  ];

  test('VM_DESTROYED: gives back first', () => {
    const program = new HolderProgram(BUFFERS);
    const exchanges = [...before, relinquish, { call: [RESP, 0x80010000, 0x80000007], answer: [0x8400006d] }];
    drive(program, new FakeVcpu(0x8001), exchanges);
    expect(program.held).toEqual([]);
    expect(program.availability.vms.get(2)?.state).toBe('unavailable');
  });

  test('VM_DESTROYED: RETRY when the SPMC does not take it back', () => {
    const program = new HolderProgram(BUFFERS);
    drive(program, new FakeVcpu(0x8001), [
      ...before,
      { ...relinquish, answer: [0x84000060, 0, 0xfffffffa] },
      { call: [RESP, 0x80010000, 0x80000007, 0xfffffff9], answer: destroy },
      relinquish,
      { call: [RESP, 0x80010000, 0x80000007], answer: [0x8400006d] },
    ]);
    expect(program.held).toEqual([]);
  });

  test.each([
    ['retry', 0xfffffff9, 1],
    ['accept', 0, 1],
  ] as const)('VM_DESTROYED: %s', (onDestroyed, answer, heldCount) => {
    const program = new HolderProgram({ ...BUFFERS, onDestroyed });
    const last: Exchange = { call: [RESP, 0x80010000, 0x80000007, answer], answer: [0x8400006d] };
    drive(program, new FakeVcpu(0x8001), [...before, last]);
    expect(program.held.length).toBe(heldCount);
  });

  test('work takes time and may be entered early; yield; unknown operations', () => {
    const program = new HolderProgram(BUFFERS);
    const vcpu = new FakeVcpu(0x8001);
    drive(program, vcpu, [...START, { call: [WAIT], answer: [REQ, 0x28001, 0, 6, 20] }]);
    vcpu.nowNs = 5000;
    expect(program.run(vcpu)).toBe(EXIT_WORK);
    expect(vcpu.workNs).toBe(15_000);
    vcpu.nowNs = 20_000;
    drive(program, vcpu, [
      { call: [RESP, 0x80010002], answer: [REQ, 0x28001, 0, 7, 2] },
      { call: [0x8400006c], answer: [0x8400006d] },
      { call: [0x8400006c], answer: [0x8400006d] },
      { call: [RESP, 0x80010002], answer: [REQ, 0x28001, 0, 99] },
      { call: [RESP, 0x80010002, 0, 0xffffffff], answer: [REQ, 0x28001, 0, 8] },
    ]);
    expect(program.run(vcpu)).toBe(EXIT_CRASH);
  });
});
