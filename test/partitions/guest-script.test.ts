import { describe, expect, test } from 'vitest';
import { FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import { EXIT_CRASH, EXIT_IDLE, EXIT_WORK } from '../../src/hardware/partition-entry.ts';
import { GuestScript, type ScriptReporter } from '../../src/partitions/guest-script.ts';
import type { GuestStep } from '../../src/partitions/guest-step.ts';
import { outcomeName } from '../../src/partitions/outcome.ts';
import { drive, type Exchange, FakeVcpu, FlatMemory, RAM_BASE, RAM_PAGES } from './fake-door.ts';

const ENDPOINTS = new Map([
  ['holder', 0x8001],
  ['second', 0x8002],
  ['third', 0x8003],
]);
const START: readonly GuestStep[] = [{ step: 'version' }, { step: 'map' }];

function script(steps: readonly GuestStep[], version = FFA_VERSION_1_1, extra = {}): GuestScript {
  return new GuestScript({
    vcpus: [steps],
    version,
    ramBase: RAM_BASE,
    ramPages: RAM_PAGES,
    endpoints: ENDPOINTS,
    ...extra,
  });
}

function start(version: number): Exchange[] {
  return [
    { call: [0x84000063, version], answer: [version] },
    { call: [0x84000069], answer: [0x84000061, 0, 2] },
    { call: [0xc4000066, 0x40000000, 0x40001000, 1], answer: [0x84000061] },
  ];
}

describe('version', () => {
  test('an older other side is asked again with its own version', () => {
    const guest = script([{ step: 'version' }], FFA_VERSION_1_2);
    const exit = drive(guest, new FakeVcpu(), [
      { call: [0x84000063, 0x10002], answer: [0x10001] },
      { call: [0x84000063, 0x10001], answer: [0x10001] },
      { call: [0x84000069], answer: [0x84000061, 0, 7] },
    ]);
    expect(exit).toBe(EXIT_IDLE);
    expect(guest.endpoint.version).toBe(FFA_VERSION_1_1);
    expect(guest.endpoint.id).toBe(7);
    expect(guest.failures).toEqual([]);
  });

  test.each([
    ['a newer other side', 0x10003, 'SUCCESS', FFA_VERSION_1_1],
    ['another major number', 0x20000, 'NOT_SUPPORTED', 0],
    ['-1', 0xffffffff, 'NOT_SUPPORTED', 0],
    ['bit 31 in a version', 0x80010001, 'UNEXPECTED', 0],
  ])('%s', (_name, answer, outcome, version) => {
    const guest = script([{ step: 'version', identify: false, expect: outcome }]);
    drive(guest, new FakeVcpu(), [{ call: [0x84000063, 0x10001], answer: [answer] }]);
    expect(guest.failures).toEqual([]);
    expect(guest.endpoint.version).toBe(version);
  });

  test('a side that gets older while it is asked is not believed', () => {
    const guest = script([{ step: 'version', expect: 'UNEXPECTED' }], FFA_VERSION_1_2);
    drive(guest, new FakeVcpu(), [
      { call: [0x84000063, 0x10002], answer: [0x10001] },
      { call: [0x84000063, 0x10001], answer: [0x10000] },
    ]);
    expect(guest.failures).toEqual([]);
  });
});

test('an AArch32 guest maps with the 32-bit call', () => {
  const guest = script([{ step: 'map' }], FFA_VERSION_1_1, { bits: 32 });
  drive(guest, new FakeVcpu(), [{ call: [0x84000066, 0x40000000, 0x40001000, 1], answer: [0x84000061] }]);
  expect(guest.endpoint.buffersMapped).toBe(true);
});

describe('share and reclaim', () => {
  // Recorded from real guests' TX pages: 1.0 and 1.1 as in vectors/xen-2024.share (2pages, scattered-2).
  const TX_1_0 =
    '02002f0000000000000000000000000000000000000000000000000001000000' +
    '01800200300000000000000000000000' +
    '02000000010000000000000000000000' +
    '00000140000000000200000000000000';

  test('1.0: the descriptor, the handle, the reclaim', () => {
    const steps: GuestStep[] = [
      ...START,
      { step: 'share', name: 'buf', to: 'holder', pages: 2 },
      { step: 'reclaim', name: 'buf', zero: true },
    ];
    const guest = script(steps, FFA_VERSION_1_0);
    const exit = drive(guest, new FakeVcpu(), [
      ...start(FFA_VERSION_1_0),
      { call: [0x84000073, 0x50, 0x50], tx: TX_1_0, answer: [0x84000061, 0, 0x1234, 0x80000000] },
      { call: [0x84000077, 0x1234, 0x80000000, 1], answer: [0x84000061] },
    ]);
    expect(exit).toBe(EXIT_IDLE);
    expect(guest.failures).toEqual([]);
    expect(guest.heldCount).toBe(4);
    expect(guest.endpoint.regions.get('buf')).toMatchObject({
      handleLow: 0x1234,
      handleHigh: 0x80000000,
      state: 'reclaimed',
      receivers: [0x8001],
    });
  });

  test('a refusal is an outcome, and frees the pages', () => {
    const steps: GuestStep[] = [
      ...START,
      { step: 'share', name: 'buf', to: 'holder', expect: 'DENIED' },
      { step: 'share', name: 'again', to: 'holder' },
    ];
    const guest = script(steps);
    drive(guest, new FakeVcpu(), [
      ...start(FFA_VERSION_1_1),
      { call: [0x84000073, 0x60, 0x60], answer: [0x84000060, 0, 0xfffffffa] },
      { call: [0x84000073, 0x60, 0x60], answer: [0x84000061, 0, 1] },
    ]);
    expect(guest.failures).toEqual([]);
    expect(guest.endpoint.regions.get('buf')?.state).toBe('refused');
    expect(guest.endpoint.regions.get('again')?.ranges).toEqual([{ address: 0x40010000, pageCount: 1 }]);
  });

  test('what differs from the expectation is reported with its place, and the script goes on', () => {
    const steps: GuestStep[] = [
      { step: 'repeat', times: 2, steps: [{ step: 'share', name: 'b#', to: 'holder', expect: ['BUSY', 'SUCCESS'] }] },
    ];
    const guest = script(steps);
    const exit = drive(guest, new FakeVcpu(), [
      { call: [0x84000073, 0x60, 0x60], answer: [0x84000061, 0, 1] },
      { call: [0x84000073, 0x60, 0x60], answer: [0x84000060, 0, 0xfffffffd] },
    ]);
    expect(exit).toBe(EXIT_IDLE);
    expect([...guest.endpoint.regions.keys()]).toEqual(['b0', 'b1']);
    expect(guest.failures).toEqual([
      { place: 'vcpu 0, step 1.1, round 2', step: 'share', expected: 'BUSY or SUCCESS', got: 'NO_MEMORY' },
    ]);
  });

  test('BUSY and RETRY: the same request again after 1 ms, ten times', () => {
    const share: Exchange = { call: [0x84000073, 0x60, 0x60], answer: [0x84000060, 0, 0xfffffffc] };
    const guest = script([{ step: 'share', name: 'b', to: 'holder', expect: 'BUSY' }]);
    const vcpu = new FakeVcpu();
    expect(drive(guest, vcpu, new Array(11).fill(share))).toBe(EXIT_IDLE);
    expect(guest.failures).toEqual([]);
    expect(vcpu.nowNs).toBe(10_000_000);
  });
});

describe('messages', () => {
  const REQ = 0x8400006f;
  const RESP = 0x84000070;
  const share: GuestStep = { step: 'share', name: 'buf', to: 'holder', pages: 3, tag: 0x77 };
  const shared: Exchange = { call: [0x84000073, 0x60, 0x60], answer: [0x84000061, 0, 5, 6] };

  test('retrieve: operation, handle, kind, tag', () => {
    const guest = script([...START, share, { step: 'message', to: 'holder', do: 'retrieve', region: 'buf' }]);
    drive(guest, new FakeVcpu(), [
      ...start(FFA_VERSION_1_1),
      shared,
      { call: [REQ, 0x28001, 0, 1, 5, 6, 1, 0x77], answer: [RESP, 0x80010002, 0, 0, 3] },
    ]);
    expect(guest.failures).toEqual([]);
  });

  test('interrupted and yielding: FFA_RUN until it answers', () => {
    const guest = script([...START, { step: 'message', to: 'holder', do: 'work', durationNs: 5_000_000 }]);
    const vcpu = new FakeVcpu();
    drive(guest, vcpu, [
      ...start(FFA_VERSION_1_1),
      { call: [REQ, 0x28001, 0, 6, 5000], answer: [0x84000062, 0x80010003] },
      { call: [0x8400006d, 0x80010003], answer: [0x8400006c, 0x80010003] },
      { call: [0x8400006d, 0x80010003], answer: [0x84000060, 0, 0xfffffffc] },
      { call: [0x8400006d, 0x80010003], answer: [RESP, 0x80010002] },
    ]);
    expect(guest.failures).toEqual([]);
    // 1 ms after the yield, 1 ms after BUSY.
    expect(vcpu.nowNs).toBe(2_000_000);
  });

  test.each([
    ['its status', { do: 'status' }, [RESP, 0x80010002, 0, 0xfffffffa], 'DENIED'],
    ['an answer from somebody else', { do: 'status' }, [RESP, 0x80020002], 'UNEXPECTED'],
    ['an answer to somebody else', { do: 'status' }, [RESP, 0x80010003], 'UNEXPECTED'],
    ['another form', { do: 'status' }, [0xc4000070, 0x80010002], 'UNEXPECTED'],
    ['interrupted, and left so', { do: 'status', onInterrupt: 'return' }, [0x84000062, 0x80010000], 'INTERRUPT'],
    ['yielded, and left so', { do: 'status', onInterrupt: 'return' }, [0x8400006c, 0x80010000], 'YIELD'],
  ] as const)('%s', (_name, fields, answer, expected) => {
    const guest = script([...START, { step: 'message', to: 'holder', ...fields, expect: expected }]);
    drive(guest, new FakeVcpu(), [...start(FFA_VERSION_1_1), { call: [REQ, 0x28001, 0, 11], answer }]);
    expect(guest.failures).toEqual([]);
  });

  test.each([
    [[0xaa, 0xbb], 'SUCCESS'],
    [[0xaa, 0xbc], 'MISMATCH'],
  ])('the reply %j must be as the step says', (reply, expected) => {
    const step: GuestStep = { step: 'message', to: 0x8001, words: [1, 2], reply: [0xaa, 0xbb], expect: expected };
    const guest = script([...START, step]);
    const answer = [RESP, 0x80010002, 0, ...reply];
    drive(guest, new FakeVcpu(), [...start(FFA_VERSION_1_1), { call: [REQ, 0x28001, 0, 1, 2], answer }]);
    expect(guest.failures).toEqual([]);
  });

  test('a region that does not exist', () => {
    const guest = script([{ step: 'message', to: 'holder', do: 'retrieve', region: 'none' }]);
    expect(guest.run(new FakeVcpu())).toBe(EXIT_IDLE);
    expect(guest.failures).toEqual([
      { place: 'vcpu 0, step 1', step: 'message', expected: 'SUCCESS', got: 'NO_REGION' },
    ]);
  });
});

describe('the other forms of a direct request', () => {
  test('req64: 64-bit words', () => {
    const words = ['0x1122334455667788', 2];
    const step: GuestStep = { step: 'message', to: 'holder', form: 'req64', words, reply: ['0x8000000000000001'] };
    const guest = script([...START, step]);
    drive(guest, new FakeVcpu(), [
      ...start(FFA_VERSION_1_1),
      { call: [0xc400006f, 0x28001, 0, ...words], answer: [0xc4000070, 0x80010002, 0, '0x8000000000000001'] },
    ]);
    expect(guest.failures).toEqual([]);
  });

  test('req2: the service in x2 and x3, fourteen registers of payload', () => {
    const words = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, '0xe00000000000000e'];
    const uuid = '00112233-4455-6677-8899-aabbccddeeff';
    const step: GuestStep = { step: 'message', to: 'holder', form: 'req2', uuid, words, reply: words };
    const guest = script([...START, step], FFA_VERSION_1_2);
    drive(guest, new FakeVcpu(), [
      ...start(FFA_VERSION_1_2),
      {
        call: [0xc400008d, 0x28001, '0x7766554433221100', '0xffeeddccbbaa9988', ...words],
        answer: [0xc400008e, 0x80010002, 0, 0, ...words],
      },
    ]);
    expect(guest.failures).toEqual([]);
  });

  test('lies: a framework message, another sender', () => {
    const step: GuestStep = {
      step: 'message',
      to: 'holder',
      flags: 0x80000006,
      sender: 0,
      words: [0, 0, 3],
      expect: 'INVALID_PARAMETERS',
    };
    const guest = script([...START, step]);
    drive(guest, new FakeVcpu(), [
      ...start(FFA_VERSION_1_1),
      { call: [0x8400006f, 0x8001, 0x80000006, 0, 0, 3], answer: [0x84000060, 0, 0xfffffffe] },
    ]);
    expect(guest.failures).toEqual([]);
  });
});

describe('time, memory and siblings', () => {
  test('wait takes its time, also when it is entered early', () => {
    const guest = script([{ step: 'wait', durationNs: 500 }]);
    const vcpu = new FakeVcpu();
    expect(guest.run(vcpu)).toBe(EXIT_WORK);
    expect(vcpu.workNs).toBe(500);
    vcpu.nowNs = 200;
    expect(guest.run(vcpu)).toBe(EXIT_WORK);
    expect(vcpu.workNs).toBe(300);
    vcpu.nowNs = 500;
    expect(guest.run(vcpu)).toBe(EXIT_IDLE);
  });

  test('write and read', () => {
    const guest = script([
      { step: 'write', address: RAM_BASE + 0x10000, hex: 'c0 ff ee' },
      { step: 'read', address: RAM_BASE + 0x10000, hex: 'c0ffee00' },
      { step: 'read', address: RAM_BASE + 0x10000, hex: 'c0ffef', expect: 'MISMATCH' },
      { step: 'write', address: 0x1000, byte: 1, expect: 'FAULT' },
      { step: 'read', address: 0x1000, byte: 1, expect: 'FAULT' },
    ]);
    const vcpu = new FakeVcpu();
    expect(guest.run(vcpu)).toBe(EXIT_IDLE);
    expect(guest.failures).toEqual([]);
    expect(vcpu.memory.hex(RAM_BASE + 0x10000, 4)).toBe('c0ffee00');
  });

  test('a sibling waits for a variable', () => {
    const vcpus: GuestStep[][] = [
      [{ step: 'until', condition: { variable: 'go', is: 1 }, everyNs: 1000 }],
      [
        { step: 'wait', durationNs: 2500 },
        { step: 'set', name: 'go', value: 1 },
      ],
    ];
    const guest = script([], FFA_VERSION_1_1, { vcpus });
    const memory = new FlatMemory();
    const first = new FakeVcpu(2, 0, memory);
    const second = new FakeVcpu(2, 1, memory);
    expect(guest.run(first)).toBe(EXIT_WORK);
    expect(first.workNs).toBe(1000);
    guest.run(second);
    second.nowNs = 2500;
    expect(guest.run(second)).toBe(EXIT_IDLE);
    first.nowNs = 3000;
    expect(guest.run(first)).toBe(EXIT_IDLE);
    expect(guest.failures).toEqual([]);
    expect(guest.ended).toBe(true);
  });

  test('until gives up', () => {
    const condition = { interrupt: 8 } as const;
    const guest = script([{ step: 'until', condition, timeoutNs: 1_000_000, expect: 'TIMEOUT' }]);
    const vcpu = new FakeVcpu();
    let exit = guest.run(vcpu);
    while (exit === EXIT_WORK) {
      vcpu.nowNs += vcpu.workNs;
      exit = guest.run(vcpu);
    }
    expect(exit).toBe(EXIT_IDLE);
    expect(vcpu.nowNs).toBe(1_000_000);
    expect(guest.failures).toEqual([]);
  });

  test('an interrupt is taken once', () => {
    const condition = { interrupt: 8 } as const;
    const guest = script([
      { step: 'until', condition },
      { step: 'until', condition, timeoutNs: 10, expect: 'TIMEOUT' },
    ]);
    const vcpu = new FakeVcpu();
    vcpu.interrupts.push(8, 9);
    expect(guest.run(vcpu)).toBe(EXIT_WORK);
    expect(vcpu.interrupts).toEqual([]);
    vcpu.nowNs = 10;
    expect(guest.run(vcpu)).toBe(EXIT_IDLE);
    expect(guest.failures).toEqual([]);
  });

  test('a hostile sibling rewrites TX in turn', () => {
    const guest = script([{ step: 'rewrite-tx', offset: 4, hex: ['01', '02'], times: 3, everyNs: 0 }]);
    const vcpu = new FakeVcpu();
    const seen: string[] = [];
    while (guest.run(vcpu) === EXIT_WORK) seen.push(`${vcpu.memory.hex(RAM_BASE + 4, 1)} ${vcpu.workNs}`);
    expect(seen).toEqual(['01 0', '02 0', '01 0']);
  });

  test('crash and stop', () => {
    const crashing = script([{ step: 'crash' }, { step: 'map' }]);
    for (let n = 0; n < 2; n++) {
      expect(crashing.run(new FakeVcpu())).toBe(EXIT_CRASH);
      expect(crashing.run(new FakeVcpu())).toBe(EXIT_CRASH);
      crashing.reset();
      expect(crashing.vcpus[0].crashed).toBe(false);
    }
    const stopping = script([{ step: 'stop' }, { step: 'map' }]);
    expect(stopping.run(new FakeVcpu())).toBe(EXIT_IDLE);
    expect(stopping.run(new FakeVcpu())).toBe(EXIT_IDLE);
  });

  test('a list of steps that needs no time still lets others go on', () => {
    const guest = script([{ step: 'repeat', times: 1_000_000, steps: [{ step: 'set', name: 'x', value: 1 }] }]);
    const vcpu = new FakeVcpu();
    expect(guest.run(vcpu)).toBe(EXIT_WORK);
    expect(vcpu.workNs).toBe(1000);
  });
});

describe('raw calls', () => {
  test('registers from expressions, the answer kept and compared', () => {
    const guest = script([
      { step: 'share', name: 'buf', to: 'holder' },
      {
        step: 'call',
        registers: ['FFA_MEM_RECLAIM', '$buf.low', '$buf.high', '0xffffffff00000001', -1, '@holder', '$buf', 'DENIED'],
        save: 'first',
        answer: ['FFA_ERROR', null, 'DENIED'],
      },
      { step: 'call', registers: ['$first.w0', '$first.x2'], expect: 'NOT_SUPPORTED' },
    ]);
    drive(guest, new FakeVcpu(), [
      { call: [0x84000073, 0x60, 0x60], answer: [0x84000061, 0, 5, 6] },
      {
        call: [0x84000077, 5, 6, '0xffffffff00000001', -1, 0x8001, '0x600000005', 0xfffffffa],
        answer: [0x84000060, 9, 0xfffffffa],
      },
      { call: [0x84000060, 0xfffffffa], answer: [0x84000060, 0, 0xffffffff] },
    ]);
    expect(guest.failures).toEqual([]);
  });

  test.each([
    [[0x84000060, 0, 0xfffffffa], 'DENIED'],
    [[0x84000060, 0, 7], 'UNEXPECTED'],
    [[0xffffffff], 'NOT_SUPPORTED'],
    [['0xffffffffffffffff'], 'NOT_SUPPORTED'],
    [[0x84000062], 'INTERRUPT'],
    [[0x8400006c], 'YIELD'],
    [[0x1234], 'SUCCESS'],
  ])('the answer %j is %s', (answer, expected) => {
    const guest = script([{ step: 'call', registers: [1], expect: expected }]);
    drive(guest, new FakeVcpu(), [{ call: [1], answer }]);
    expect(guest.failures).toEqual([]);
  });

  test('raw bytes in TX', () => {
    const guest = script([{ step: 'tx', offset: 2, hex: 'dead beef' }]);
    const vcpu = new FakeVcpu();
    guest.run(vcpu);
    expect(vcpu.memory.hex(RAM_BASE, 8)).toBe('0000deadbeef0000');
  });
});

test('a reporter is told of each outcome; one of a list, or any, may fit', () => {
  const told: string[] = [];
  const reporter: ScriptReporter = {
    stepOver: (vcpu, step, held) => told.push(`${vcpu.place()} ${step.step} ${outcomeName(vcpu.outcome)} ${held}`),
  };
  const steps: GuestStep[] = [
    { step: 'map', expect: ['DENIED', 'any'] },
    { step: 'map', expect: 'any' },
    { step: 'set', name: 'x', value: 1 },
    { step: 'map', expect: ['DENIED', 'BUSY'] },
  ];
  const guest = script(steps, FFA_VERSION_1_1, { reporter });
  const mapped: Exchange = { call: [0xc4000066, 0x40000000, 0x40001000, 1], answer: [0x84000061] };
  drive(guest, new FakeVcpu(), [mapped, mapped, mapped]);
  expect(told).toEqual([
    'vcpu 0, step 1 map SUCCESS true',
    'vcpu 0, step 2 map SUCCESS true',
    'vcpu 0, step 4 map SUCCESS false',
  ]);
});

test('reset: the same calls again', () => {
  const guest = script([{ step: 'share', name: 'buf', to: 'holder' }]);
  for (let n = 0; n < 2; n++) {
    drive(guest, new FakeVcpu(), [{ call: [0x84000073, 0x60, 0x60], answer: [0x84000061, 0, 5] }]);
    expect(guest.endpoint.regions.get('buf')?.ranges).toEqual([{ address: 0x40010000, pageCount: 1 }]);
    guest.reset();
    expect(guest.endpoint.regions.size).toBe(0);
  }
});
