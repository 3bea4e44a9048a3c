import { describe, expect, test } from 'vitest';
import { FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2, FFA_VERSION_1_3 } from '../../src/abi/versions.ts';
import {
  CALL_DONE,
  CALL_MADE,
  CALL_WAIT,
  Caller,
  type CallStep,
  DEFAULT_CALL_POLICY,
  type Operation,
} from '../../src/partitions/caller.ts';
import { Endpoint } from '../../src/partitions/endpoint.ts';
import type { MemoryKind, MemoryRegion } from '../../src/partitions/memory-region.ts';
import { DiscoverByRegisters } from '../../src/partitions/operations/discover-by-registers.ts';
import { DiscoverPartitions } from '../../src/partitions/operations/discover-partitions.ts';
import { ReceiveMessage, SendMessage } from '../../src/partitions/operations/indirect-message.ts';
import { MapBuffers, UnmapBuffers } from '../../src/partitions/operations/map-buffers.ts';
import {
  BindNotifications,
  GetNotifications,
  NotificationInfoGet,
  SetNotifications,
} from '../../src/partitions/operations/notifications.ts';
import { QueryFeatures } from '../../src/partitions/operations/query-features.ts';
import { RelinquishMemory } from '../../src/partitions/operations/relinquish-memory.ts';
import { encodeRetrieve, RetrieveMemory } from '../../src/partitions/operations/retrieve-memory.ts';
import { RunPartition } from '../../src/partitions/operations/run-partition.ts';
import { encodeSend, SendMemory } from '../../src/partitions/operations/send-memory.ts';
import { outcomeName } from '../../src/partitions/outcome.ts';
import { type Exchange, FakeVcpu, RAM_BASE, RX_ADDRESS } from './fake-door.ts';

const SUCCESS = 0x84000061;
const ERROR = 0x84000060;
const RX_RELEASE: Exchange = { call: [0x84000065], answer: [SUCCESS] };

function endpoint(version: number, id = 2): Endpoint {
  const made = new Endpoint({ version, txAddress: RAM_BASE, rxAddress: RX_ADDRESS });
  made.version = version;
  made.id = id;
  return made;
}

function region(
  kind: MemoryKind,
  ranges = [{ address: 0x40010000, pageCount: 1 }],
  receivers = [0x8001],
): MemoryRegion {
  return {
    name: 'buf',
    kind,
    owner: 2,
    receivers,
    ranges,
    handleLow: 0,
    handleHigh: 0,
    tagLow: 0,
    tagHigh: 0,
    state: 'sending',
  };
}

/** Drives one operation through exchanges; gives the name of its outcome, with the virtual time that it took. */
function drive(caller: Caller, operation: Operation, exchanges: readonly Exchange[], vcpu = new FakeVcpu()): string {
  let step: CallStep = caller.begin(operation, vcpu);
  for (const [n, exchange] of exchanges.entries()) {
    while (step === CALL_WAIT) {
      vcpu.nowNs = caller.waitUntilNs;
      step = caller.resume(vcpu);
    }
    expect(step, `call ${n} is made`).toBe(CALL_MADE);
    const wanted = exchange.call.map((register) => `0x${BigInt.asUintN(64, BigInt(register)).toString(16)}`);
    while (wanted[wanted.length - 1] === '0x0') wanted.pop();
    expect(vcpu.call(), `call ${n}`).toEqual(wanted);
    if (exchange.tx !== undefined) {
      expect(vcpu.memory.hex(RAM_BASE, exchange.tx.length / 2), `TX at call ${n}`).toBe(exchange.tx);
    }
    if (exchange.rx !== undefined) vcpu.memory.put(RX_ADDRESS, exchange.rx);
    vcpu.answer(...exchange.answer);
    step = caller.resume(vcpu);
  }
  expect(step, 'after the last answer').toBe(CALL_DONE);
  return outcomeName(caller.outcome);
}

describe('one call', () => {
  const low = { low: 0x11, high: 0x80000000 };
  const rows: [string, Operation, (number | string)[]][] = [
    ['RXTX_MAP', new MapBuffers(), [0xc4000066, RAM_BASE, RX_ADDRESS, 1]],
    ['RXTX_UNMAP', new UnmapBuffers(), [0x84000067]],
    ['FEATURES', new QueryFeatures(0xc4000074, 2), [0x84000064, 0xc4000074, 2]],
    ['BIND', new BindNotifications(true, 0x8001, low), [0x8400007f, 0x80010002, 0, 0x11, 0x80000000]],
    ['BIND per vCPU', new BindNotifications(true, 0x8001, low, true), [0x8400007f, 0x80010002, 1, 0x11, 0x80000000]],
    ['UNBIND', new BindNotifications(false, 0x8001, low), [0x84000080, 0x80010002, 0, 0x11, 0x80000000]],
    ['SET', new SetNotifications(0x8001, low), [0x84000081, 0x28001, 0, 0x11, 0x80000000]],
    [
      'SET with everything',
      new SetNotifications(0x8001, low, { perVcpu: true, vcpu: 0xffff, delaySri: true, sender: 3 }),
      [0x84000081, 0x38001, 0xffff0003, 0x11, 0x80000000],
    ],
    ['GET', new GetNotifications(0xf, 3), [0x84000082, 0x30002, 0xf]],
    ['RUN', new RunPartition(0x8001, 2), [0x8400006d, 0x80010002]],
  ];

  test.each(rows)('%s: its registers; SUCCESS, an error, an odd answer', (_name, operation, call) => {
    for (const [answer, outcome] of [
      [[SUCCESS], 'SUCCESS'],
      [[ERROR, 0, 0xfffffffe], 'INVALID_PARAMETERS'],
      [[0xffffffff], 'NOT_SUPPORTED'],
      [[0x84000073], 'UNEXPECTED'],
      [[ERROR, 0, 5], 'UNEXPECTED'],
    ] as const) {
      expect(drive(new Caller(endpoint(FFA_VERSION_1_1), 0), operation, [{ call, answer }])).toBe(outcome);
    }
  });

  test('FEATURES: the properties', () => {
    const operation = new QueryFeatures(1);
    drive(new Caller(endpoint(FFA_VERSION_1_1), 0), operation, [{ call: [0x84000064, 1], answer: [SUCCESS, 0, 8, 9] }]);
    expect([operation.w2, operation.w3]).toEqual([8, 9]);
  });

  test('GET: bits by their source', () => {
    const operation = new GetNotifications(3, 0);
    drive(new Caller(endpoint(FFA_VERSION_1_1), 0), operation, [
      { call: [0x84000082, 2, 3], answer: [SUCCESS, 0, 1, 2, 3, 0x80000004, 5, 6] },
    ]);
    expect(operation).toMatchObject({
      fromSp: { low: 1, high: 2 },
      fromVm: { low: 3, high: 0x80000004 },
      fromSpm: 5,
      fromHypervisor: 6,
    });
  });

  test.each([[[0x84000070, 0x80010002]], [[0xc4000070, 0x80010002]], [[0xc400008e, 0x80010002]], [[0x8400006b]]])(
    'RUN: %j is an end',
    (answer) => {
      const caller = new Caller(endpoint(FFA_VERSION_1_1), 0);
      expect(drive(caller, new RunPartition(0x8001, 0), [{ call: [0x8400006d, 0x80010000], answer }])).toBe('SUCCESS');
    },
  );
});

describe('discovery by buffer', () => {
  const CALL = [0x84000068];
  const ENTRY_8 = '01800100c3010000';
  const ENTRY_24 = `${ENTRY_8}00112233445566778899aabbccddeeff`;
  const ENTRY_48 = `02800400ff010000${'0'.repeat(32)}${'1'.repeat(32)}0300010000000000`;

  test.each([
    ['8 bytes in 1.0, whatever w3 says', FFA_VERSION_1_0, 24, [ENTRY_8, ENTRY_8], [0x8001, 0x8001]],
    ['24 bytes', FFA_VERSION_1_1, 24, [ENTRY_24, ENTRY_24], [0x8001, 0x8001]],
    ['48 bytes to a guest of 1.1', FFA_VERSION_1_1, 48, [ENTRY_48, ENTRY_48], [0x8002, 0x8002]],
    ['nothing stated: by the version', FFA_VERSION_1_2, 0, [ENTRY_24], [0x8001]],
    ['48 bytes by the version', FFA_VERSION_1_3, 0, [ENTRY_48], [0x8002]],
    ['nobody', FFA_VERSION_1_1, 24, [], []],
  ] as const)('%s', (_name, version, sizeBytes, entries, ids) => {
    const self = endpoint(version);
    const outcome = drive(new Caller(self, 0), new DiscoverPartitions(), [
      { call: CALL, rx: entries.join(''), answer: [SUCCESS, 0, entries.length, sizeBytes] },
      RX_RELEASE,
    ]);
    expect(outcome).toBe('SUCCESS');
    expect(self.partitions.map((partition) => partition.id)).toEqual(ids);
    expect(self.rxUser).toBe(-1);
  });

  test('fields of an entry', () => {
    const self = endpoint(FFA_VERSION_1_1);
    drive(new Caller(self, 0), new DiscoverPartitions(), [
      { call: CALL, rx: ENTRY_24, answer: [SUCCESS, 0, 1, 24] },
      RX_RELEASE,
    ]);
    expect(self.partitions[0]).toEqual({
      id: 0x8001,
      executionContexts: 1,
      properties: 0x1c3,
      uuid: [0x33221100, 0x77665544, 0xbbaa9988, 0xffeeddcc],
    });
  });

  test('more than RX holds is not believed, and RX is given back', () => {
    const outcome = drive(new Caller(endpoint(FFA_VERSION_1_1), 0), new DiscoverPartitions(), [
      { call: CALL, answer: [SUCCESS, 0, 171, 24] },
      RX_RELEASE,
    ]);
    expect(outcome).toBe('MALFORMED');
  });

  test('an entry too short', () => {
    const outcome = drive(new Caller(endpoint(FFA_VERSION_1_1), 0), new DiscoverPartitions(), [
      { call: CALL, answer: [SUCCESS, 0, 1, 4] },
      RX_RELEASE,
    ]);
    expect(outcome).toBe('MALFORMED');
  });

  test('the count only, of one protocol', () => {
    const operation = new DiscoverPartitions([1, 2, 3, 4], true);
    const outcome = drive(new Caller(endpoint(FFA_VERSION_1_1), 0), operation, [
      { call: [0x84000068, 1, 2, 3, 4, 1], answer: [SUCCESS, 0, 7] },
    ]);
    expect(outcome).toBe('SUCCESS');
    expect(operation.count).toBe(7);
  });
});

describe('discovery by registers', () => {
  const CALL = 0xc400008b;
  const entry = (id: number) => [BigInt(id) | (1n << 16n) | (0x1c3n << 32n), 0n, 0n].map(String);
  const head = (last: number, current: number, tag: number, size: number) =>
    String(BigInt(last) | (BigInt(current) << 16n) | (BigInt(tag) << 32n) | (BigInt(size) << 48n));

  test('goes on where the answer ended, with its tag', () => {
    const self = endpoint(FFA_VERSION_1_2);
    const first = [0x8001, 0x8002, 0x8003, 0x8004, 0x8005].flatMap(entry);
    const outcome = drive(new Caller(self, 0), new DiscoverByRegisters([1, 2, 3, 4]), [
      { call: [CALL, '0x200000001', '0x400000003'], answer: ['0xc4000061', 0, head(6, 4, 9, 24), ...first] },
      {
        call: [CALL, '0x200000001', '0x400000003', 0x90005],
        answer: ['0xc4000061', 0, head(6, 6, 9, 24), ...entry(0x8006), ...entry(0x8007)],
      },
    ]);
    expect(outcome).toBe('SUCCESS');
    expect(self.partitions.map((partition) => partition.id)).toEqual([
      0x8001, 0x8002, 0x8003, 0x8004, 0x8005, 0x8006, 0x8007,
    ]);
  });

  test('48 bytes an entry', () => {
    const self = endpoint(FFA_VERSION_1_2);
    const answer = ['0xc4000061', 0, head(1, 1, 1, 48), ...entry(0x8001), 0, 0, 0, ...entry(0x8002), 0, 0, 0];
    expect(drive(new Caller(self, 0), new DiscoverByRegisters(), [{ call: [CALL], answer }])).toBe('SUCCESS');
    expect(self.partitions.map((partition) => partition.id)).toEqual([0x8001, 0x8002]);
  });

  test('RETRY: from the beginning, without the old tag; ten times at most', () => {
    const self = endpoint(FFA_VERSION_1_2);
    const begin: Exchange = { call: [CALL], answer: ['0xc4000061', 0, head(5, 0, 9, 24), ...entry(0x8001)] };
    const changed: Exchange = { call: [CALL, 0, 0, 0x90001], answer: [ERROR, 0, 0xfffffff9] };
    const last: Exchange = { call: [CALL], answer: ['0xc4000061', 0, head(0, 0, 10, 24), ...entry(0x8002)] };
    const outcome = drive(new Caller(self, 0), new DiscoverByRegisters(), [begin, changed, last]);
    expect(outcome).toBe('SUCCESS');
    expect(self.partitions.map((partition) => partition.id)).toEqual([0x8002]);
    const stale: Exchange = { call: [CALL], answer: [ERROR, 0, 0xfffffff9] };
    const again = drive(new Caller(self, 0), new DiscoverByRegisters(), new Array(11).fill(stale));
    expect(again).toBe('RETRY');
  });

  test('an answer that goes nowhere', () => {
    const answer = ['0xc4000061', 0, head(3, 4, 1, 24)];
    const caller = new Caller(endpoint(FFA_VERSION_1_2), 0);
    expect(drive(caller, new DiscoverByRegisters(), [{ call: [CALL], answer }])).toBe('MALFORMED');
  });
});

describe('sending memory', () => {
  test.each([
    ['share', 0x84000073, 0xc4000073, '2f00', '02'],
    ['lend', 0x84000072, 0xc4000072, '0000', '02'],
    ['donate', 0x84000071, 0xc4000071, '0000', '00'],
  ] as const)('%s: both forms, attributes and permissions', (kind, narrow, wide, attributes, permissions) => {
    const tx = `0200${attributes}${'0'.repeat(40)}100000000100000030000000${'0'.repeat(24)}0180${permissions}00`;
    for (const [isWide, functionId] of [
      [false, narrow],
      [true, wide],
    ] as const) {
      const operation = new SendMemory(region(kind), { wide: isWide });
      const outcome = drive(new Caller(endpoint(FFA_VERSION_1_1), 0), operation, [
        { call: [functionId, 0x60, 0x60], tx, answer: [SUCCESS, 0, 1] },
      ]);
      expect(outcome).toBe('SUCCESS');
    }
  });

  test('several borrowers: one composite, attributes stated even for a lend', () => {
    const bytes = encodeSend(FFA_VERSION_1_2, region('lend', undefined, [0x8001, 0x8002]), { zero: true });
    expect(Buffer.from(bytes).toString('hex')).toBe(
      `02002f0001000000${'0'.repeat(32)}200000000200000030000000${'0'.repeat(24)}` +
        `0180020070000000${'0'.repeat(48)}0280020070000000${'0'.repeat(48)}` +
        '010000000100000000000000000000000000014000000000 0100000000000000'.replace(' ', ''),
    );
  });

  const ranges = Array.from({ length: 6 }, (_none, n) => ({ address: 0x40010000 + n * 0x2000, pageCount: 1 }));
  const constituent = (n: number) => `00${(n * 0x20).toString(16).padStart(2, '0')}0140000000000100000000000000`;

  test('fragments: whole constituents, from the offset that is asked for', () => {
    const buf = region('share', ranges);
    const vcpu = new FakeVcpu();
    // 96 + 5 * 16 bytes in all; 127 allowed: 112 fit.
    const operation = new SendMemory(buf, { fragmentBytes: 127, fragmentPauseNs: 500 });
    const outcome = drive(
      new Caller(endpoint(FFA_VERSION_1_1), 0),
      operation,
      [
        { call: [0x84000073, 0xb0, 0x70], answer: [0x8400007a, 0x15, 0x80000000, 0x70] },
        {
          call: [0x8400007b, 0x15, 0x80000000, 0x40],
          tx: constituent(2) + constituent(3) + constituent(4) + constituent(5),
          answer: [0x8400007a, 0x15, 0x80000000, 0xa0],
        },
        {
          call: [0x8400007b, 0x15, 0x80000000, 0x10],
          tx: constituent(5),
          answer: [SUCCESS, 0, 0x15, 0x80000000],
        },
      ],
      vcpu,
    );
    expect(outcome).toBe('SUCCESS');
    expect(buf).toMatchObject({ state: 'sent', handleLow: 0x15, handleHigh: 0x80000000 });
    expect(vcpu.nowNs).toBe(1000);
  });

  test('what TX cannot hold goes in fragments by itself', () => {
    const many = Array.from({ length: 300 }, (_none, n) => ({ address: 0x40010000 + n * 0x2000, pageCount: 1 }));
    const outcome = drive(new Caller(endpoint(FFA_VERSION_1_1), 0), new SendMemory(region('share', many)), [
      { call: [0x84000073, 80 + 300 * 16, 4096], answer: [0x8400007a, 1, 0, 4096] },
      { call: [0x8400007b, 1, 0, 80 + 300 * 16 - 4096], answer: [SUCCESS, 0, 1] },
    ]);
    expect(outcome).toBe('SUCCESS');
  });

  test.each([
    ['beyond what was sent', [0x8400007a, 1, 0, 0x80], 'UNEXPECTED'],
    ['beyond the end', [0x8400007a, 1, 0, 0xb0], 'UNEXPECTED'],
    ['between constituents', [0x8400007a, 1, 0, 0x68], 'UNEXPECTED'],
    ['0', [0x8400007a, 1, 0, 0], 'UNEXPECTED'],
    ['SUCCESS too early', [SUCCESS, 0, 1], 'UNEXPECTED'],
    ['an error', [ERROR, 0, 0xfffffffd], 'NO_MEMORY'],
  ])('an odd answer to the first fragment: %s', (_name, answer, expected) => {
    const buf = region('share', ranges);
    const outcome = drive(new Caller(endpoint(FFA_VERSION_1_1), 0), new SendMemory(buf, { fragmentBytes: 112 }), [
      { call: [0x84000073, 0xb0, 0x70], answer },
    ]);
    expect(outcome).toBe(expected);
  });

  test('an error after the first fragment leaves it half sent', () => {
    const buf = region('share', ranges);
    drive(new Caller(endpoint(FFA_VERSION_1_1), 0), new SendMemory(buf, { fragmentBytes: 112 }), [
      { call: [0x84000073, 0xb0, 0x70], answer: [0x8400007a, 1, 0, 0x70] },
      { call: [0x8400007b, 1, 0, 0x40], answer: [ERROR, 0, 0xfffffffa] },
    ]);
    expect(buf.state).toBe('sending');
  });

  test('a TX that the guest cannot write', () => {
    const self = new Endpoint({ version: FFA_VERSION_1_1, txAddress: 0x1000, rxAddress: RX_ADDRESS });
    const caller = new Caller(self, 0);
    const buf = region('share');
    expect(caller.begin(new SendMemory(buf), new FakeVcpu())).toBe(CALL_DONE);
    expect(outcomeName(caller.outcome)).toBe('FAULT');
    expect(buf.state).toBe('refused');
    expect(self.txUser).toBe(-1);
  });

  test('a vCPU waits while its sibling uses TX', () => {
    const self = endpoint(FFA_VERSION_1_1);
    const [first, second] = [new Caller(self, 0), new Caller(self, 1)];
    const [one, two] = [new FakeVcpu(2, 0), new FakeVcpu(2, 1)];
    expect(first.begin(new SendMemory(region('share')), one)).toBe(CALL_MADE);
    expect(second.begin(new SendMemory(region('share')), two)).toBe(CALL_WAIT);
    expect(second.waitUntilNs).toBe(1000);
    expect(second.resume(two)).toBe(CALL_WAIT);
    one.answer(SUCCESS, 0, 1);
    expect(first.resume(one)).toBe(CALL_DONE);
    two.nowNs = 1000;
    expect(second.resume(two)).toBe(CALL_MADE);
  });
});

describe('buffers', () => {
  const held: MemoryRegion = { ...region('share'), state: 'held' };
  const rows: [string, () => Operation, boolean][] = [
    ['send', () => new SendMemory(region('share')), false],
    ['relinquish', () => new RelinquishMemory(held), false],
    ['send a message', () => new SendMessage(0x8001, new Uint8Array(1)), false],
    ['retrieve', () => new RetrieveMemory(region('share')), true],
    ['discover', () => new DiscoverPartitions(), true],
    ['receive', () => new ReceiveMessage(), true],
  ];

  test.each(rows)('%s waits while a sibling uses TX, or RX where it needs it', (_name, make, needsRx) => {
    for (const [txUser, rxUser, waits] of [
      [1, -1, true],
      [-1, 1, needsRx],
      [0, 0, false],
      [-1, -1, false],
    ] as const) {
      const self = endpoint(FFA_VERSION_1_1);
      self.txUser = txUser;
      self.rxUser = rxUser;
      const caller = new Caller(self, 0);
      expect(caller.begin(make(), new FakeVcpu()), `TX ${txUser}, RX ${rxUser}`).toBe(waits ? CALL_WAIT : CALL_MADE);
      expect(self.txUser).toBe(txUser === 1 ? 1 : waits ? -1 : 0);
    }
  });

  test.each(rows)('%s: memory that the endpoint cannot access', (_name, make, _needsRx) => {
    const self = new Endpoint({ version: FFA_VERSION_1_1, txAddress: 0x1000, rxAddress: 0x2000 });
    const caller = new Caller(self, 0);
    const vcpu = new FakeVcpu();
    let step = caller.begin(make(), vcpu);
    while (step !== CALL_DONE) {
      vcpu.answer(SUCCESS, 0, 1, 24);
      step = caller.resume(vcpu);
    }
    expect(outcomeName(caller.outcome)).toBe('FAULT');
    expect([self.txUser, self.rxUser]).toEqual([-1, -1]);
  });
});

describe('retrieving memory', () => {
  const told = (kind: MemoryKind, receivers = [0x8001]): MemoryRegion => ({
    ...region(kind, [], receivers),
    handleLow: 0x15,
    state: 'sent',
  });

  test.each([
    ['share', [0x8001], {}, '08000000', '018002000000000000000000000000 00'],
    ['lend', [0x8001], {}, '10000000', '01800600000000000000000000000000'],
    ['donate', [0x8001], { zero: true }, '19000000', '01800600000000000000000000000000'],
    ['lend', [0x8001, 0x8002], {}, '10000000', '0180020000000000000000000000000002800200000000000000000000000000'],
    ['lend', [0x8001, 0x8002], { bypassOthers: true }, '10040000', '01800200000000000000000000000000'],
    ['share', [0x8001], { permissions: 1 }, '08000000', '01800100000000000000000000000000'],
    ['share', [0x8001], { flags: 2 }, '0a000000', '01800200000000000000000000000000'],
  ] as const)('%s to %j with %j', (kind, receivers, options, flags, access) => {
    const bytes = encodeRetrieve(FFA_VERSION_1_1, 0x8001, told(kind, [...receivers]), options);
    const count = `0${access.replace(' ', '').length / 32}`;
    expect(Buffer.from(bytes).toString('hex')).toBe(
      `02002f00${flags}1500000000000000${'0'.repeat(16)}10000000${count}00000030000000${'0'.repeat(24)}` +
        access.replace(' ', ''),
    );
  });

  test.each([
    [FFA_VERSION_1_0, {}, 32 + 16],
    [FFA_VERSION_1_1, {}, 48 + 16],
    [FFA_VERSION_1_2, {}, 48 + 32],
    [FFA_VERSION_1_2, { accessSizeBytes: 16 as const }, 48 + 16],
  ])('layout of 0x%x with %j: %i bytes', (version, options, length) => {
    expect(encodeRetrieve(version, 0x8001, told('share'), options).length).toBe(length);
  });

  // 300 ranges: 80 + 4800 bytes, in fragments of 4096 and 784.
  const head =
    `02002f000800000015${'0'.repeat(30)}100000000100000030000000${'0'.repeat(24)}` +
    `01800200400000000000000000000000${'2c0100002c010000'}${'0'.repeat(16)}`;
  const ranges = Array.from({ length: 300 }, (_none, n) => ({ address: 0x40000000 + n * 0x2000, pageCount: 1 }));
  const body = ranges
    .map(({ address }) => {
      const bytes = Buffer.alloc(16);
      bytes.writeUInt32LE(address, 0);
      bytes.writeUInt32LE(1, 8);
      return bytes.toString('hex');
    })
    .join('');
  const response = head + body;

  test('a response in fragments: RX is given back before each next one', () => {
    const self = endpoint(FFA_VERSION_1_1, 0x8001);
    const buf = told('share');
    const outcome = drive(new Caller(self, 0), new RetrieveMemory(buf), [
      { call: [0x84000074, 0x40, 0x40], rx: response.slice(0, 8192), answer: [0x84000075, 4880, 4096] },
      RX_RELEASE,
      { call: [0x8400007a, 0x15, 0, 4096], rx: response.slice(8192), answer: [0x8400007b, 0x15, 0, 784] },
      RX_RELEASE,
    ]);
    expect(outcome).toBe('SUCCESS');
    expect(buf.ranges).toEqual(ranges);
    expect(buf.state).toBe('held');
    expect([self.txUser, self.rxUser]).toEqual([-1, -1]);
  });

  test.each([
    ['a fragment longer than the whole', [0x84000075, 0x60, 0x70]],
    ['no fragment', [0x84000075, 0x60, 0]],
    ['more than a buffer', [0x84000075, 0x2000, 0x1010]],
    ['an unbelievable whole', [0x84000075, 0xffffffff, 0x60]],
    ['zeroes', [0x84000075, 0x60, 0x60]],
  ])('a response that cannot be: %s; RX is given back, the memory counts as held', (_name, answer) => {
    const buf = told('share');
    const outcome = drive(new Caller(endpoint(FFA_VERSION_1_1, 0x8001), 0), new RetrieveMemory(buf), [
      { call: [0x84000074, 0x40, 0x40], answer },
      RX_RELEASE,
    ]);
    expect(outcome).toBe('MALFORMED');
    expect(buf.state).toBe('held');
  });

  test('relinquish', () => {
    const buf: MemoryRegion = { ...told('share'), handleHigh: 0x80000000, state: 'held' };
    const outcome = drive(new Caller(endpoint(FFA_VERSION_1_1, 0x8001), 0), new RelinquishMemory(buf, 1), [
      { call: [0x84000076], tx: '150000000000008001000000010000000180', answer: [SUCCESS] },
    ]);
    expect(outcome).toBe('SUCCESS');
    expect(buf.state).toBe('relinquished');
  });
});

describe('indirect messages', () => {
  const uuid = [0x33221100, 0x77665544, 0xbbaa9988, 0xffeeddcc] as const;

  test.each([
    [FFA_VERSION_1_1, `0000000000000000140000000180020003000000${'c0ffee'}`],
    [
      FFA_VERSION_1_2,
      `0000000000000000280000000180020003000000${'0'.repeat(8)}00112233445566778899aabbccddeeff${'c0ffee'}`,
    ],
  ])('the header of 0x%x', (version, tx) => {
    const operation = new SendMessage(0x8001, Uint8Array.of(0xc0, 0xff, 0xee), { uuid, flags: 2 });
    const outcome = drive(new Caller(endpoint(version), 0), operation, [
      { call: [0x84000086, 0, 2], tx, answer: [SUCCESS] },
    ]);
    expect(outcome).toBe('SUCCESS');
  });

  test('a payload that does not fit', () => {
    const caller = new Caller(endpoint(FFA_VERSION_1_1), 0);
    expect(caller.begin(new SendMessage(0x8001, new Uint8Array(4077)), new FakeVcpu())).toBe(CALL_DONE);
    expect(outcomeName(caller.outcome)).toBe('FAULT');
  });

  test('receive: read first, then RX_RELEASE', () => {
    const vcpu = new FakeVcpu();
    vcpu.memory.put(RX_ADDRESS, '0000000000000000180000000200018002000000ffffffffbeef');
    const operation = new ReceiveMessage();
    expect(drive(new Caller(endpoint(FFA_VERSION_1_1), 0), operation, [RX_RELEASE], vcpu)).toBe('SUCCESS');
    expect(operation.sender).toBe(0x8001);
    expect([...operation.payload]).toEqual([0xbe, 0xef]);
  });

  test.each([
    ['inside the header', '00000000000000001000000002000180020000'],
    ['behind the end', '0000000000000000ff0f00000200018002000000'],
  ])('a payload %s', (_name, rx) => {
    const vcpu = new FakeVcpu();
    vcpu.memory.put(RX_ADDRESS, rx);
    const caller = new Caller(endpoint(FFA_VERSION_1_1), 0);
    expect(drive(caller, new ReceiveMessage(), [RX_RELEASE], vcpu)).toBe('MALFORMED');
  });
});

describe('notification information', () => {
  test('asks again while more is pending', () => {
    const operation = new NotificationInfoGet(true);
    const more = String((1n << 7n) | 1n);
    const outcome = drive(new Caller(endpoint(FFA_VERSION_1_1), 0), operation, [
      { call: [0xc4000083], answer: ['0xc4000061', 0, more, 0x8001] },
      { call: [0xc4000083], answer: ['0xc4000061', 0, 1 << 7, 0x8002] },
    ]);
    expect(outcome).toBe('SUCCESS');
    expect(operation.lists.map((list) => list.endpoint)).toEqual([0x8001, 0x8002]);
  });

  test('not for ever', () => {
    const more: Exchange = { call: [0x84000083], answer: [SUCCESS, 0, (1 << 7) | 1, 0x8001] };
    const caller = new Caller(endpoint(FFA_VERSION_1_1), 0);
    expect(drive(caller, new NotificationInfoGet(false), new Array(64).fill(more))).toBe('UNEXPECTED');
  });
});

describe('policy', () => {
  test('no patience', () => {
    const vcpu = new FakeVcpu();
    const caller = new Caller(endpoint(FFA_VERSION_1_1), 0);
    const policy = { ...DEFAULT_CALL_POLICY, repeatCount: 0 };
    caller.begin(new UnmapBuffers(), vcpu, policy);
    vcpu.answer(ERROR, 0, 0xfffffffc);
    expect(caller.resume(vcpu)).toBe(CALL_DONE);
    expect(outcomeName(caller.outcome)).toBe('BUSY');
  });

  test('FFA_RUN is not called for ever', () => {
    const vcpu = new FakeVcpu();
    const caller = new Caller(endpoint(FFA_VERSION_1_1), 0);
    caller.begin(new RunPartition(0x8001, 0), vcpu, { ...DEFAULT_CALL_POLICY, runCount: 2 });
    for (const step of [CALL_MADE, CALL_MADE, CALL_DONE]) {
      vcpu.answer(0x84000062, 0x80010000);
      expect(caller.resume(vcpu)).toBe(step);
    }
    expect(outcomeName(caller.outcome)).toBe('INTERRUPT');
  });
});
