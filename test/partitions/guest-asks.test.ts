// Steps that ask or tell: features, discovery, indirect messages, notifications; borrowing from another guest.

import { describe, expect, test } from 'vitest';
import { FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import { EXIT_IDLE } from '../../src/hardware/partition-entry.ts';
import { GuestScript, type GuestScriptOptions } from '../../src/partitions/guest-script.ts';
import type { GuestStep } from '../../src/partitions/guest-step.ts';
import { drive, type Exchange, FakeVcpu, RAM_BASE, RAM_PAGES, RX_ADDRESS } from './fake-door.ts';

const SUCCESS = 0x84000061;
const IDENTIFY: Exchange[] = [
  { call: [0x84000063, 0x10001], answer: [0x10001] },
  { call: [0x84000069], answer: [SUCCESS, 0, 2] },
];
const RX_RELEASE: Exchange = { call: [0x84000065], answer: [SUCCESS] };

function script(steps: readonly GuestStep[], extra: Partial<GuestScriptOptions> = {}): GuestScript {
  return new GuestScript({
    vcpus: [[{ step: 'version' }, ...steps]],
    version: FFA_VERSION_1_1,
    ramBase: RAM_BASE,
    ramPages: RAM_PAGES,
    endpoints: new Map([
      ['crypto', 0x8001],
      ['store', 0x8002],
      ['g2', 3],
    ]),
    ...extra,
  });
}

function outcomes(step: GuestStep, exchanges: readonly Exchange[], vcpu = new FakeVcpu()): string {
  const guest = script([step]);
  expect(drive(guest, vcpu, [...IDENTIFY, ...exchanges])).toBe(EXIT_IDLE);
  return guest.failures.length === 0 ? 'SUCCESS' : guest.failures[0].got;
}

test.each([
  [{ of: 'FFA_RXTX_MAP_64', properties: 0x10000 }, [SUCCESS, 0, 0x10000], 'SUCCESS'],
  [{ of: 'FFA_RXTX_MAP_64', properties: 0 }, [SUCCESS, 0, 0x10000], 'MISMATCH'],
  [{ of: 'FFA_RXTX_MAP_64' }, [0x84000060, 0, 0xffffffff], 'NOT_SUPPORTED'],
])('features %j', (fields, answer, outcome) => {
  expect(outcomes({ step: 'features', ...fields }, [{ call: [0x84000064, 0xc4000066], answer }])).toBe(outcome);
});

describe('discover', () => {
  const listed = '01800100c3010000'.padEnd(48, '0') + '02800100c3010000'.padEnd(48, '0');
  const list: Exchange[] = [{ call: [0x84000068], rx: listed, answer: [SUCCESS, 0, 2, 24] }, RX_RELEASE];

  test.each([
    [{}, 'SUCCESS'],
    [{ count: 2, includes: ['crypto', 'store'] as string[] }, 'SUCCESS'],
    [{ count: 1 }, 'MISMATCH'],
    [{ includes: 'g2' }, 'MISMATCH'],
  ])('%j', (fields, outcome) => {
    expect(outcomes({ step: 'discover', ...fields }, list)).toBe(outcome);
  });

  test('by registers, and one protocol only', () => {
    const step: GuestStep = {
      step: 'discover',
      by: 'registers',
      uuid: '00112233-4455-6677-8899-aabbccddeeff',
      includes: 'crypto',
    };
    const call = [0xc400008b, '0x7766554433221100', '0xffeeddccbbaa9988'];
    const answer = ['0xc4000061', 0, '0x18000100000000', '0x1c300018001'];
    expect(outcomes(step, [{ call, answer }])).toBe('SUCCESS');
  });

  test('the count only', () => {
    const step: GuestStep = { step: 'discover', countOnly: true, count: 3 };
    expect(outcomes(step, [{ call: [0x84000068, 0, 0, 0, 0, 1], answer: [SUCCESS, 0, 3] }])).toBe('SUCCESS');
  });
});

describe('indirect messages', () => {
  test('send, with a lie about the sender', () => {
    const step: GuestStep = { step: 'send', to: 'g2', hex: 'ab', sender: 'crypto', delaySri: true };
    const tx = '0000000000000000140000000300018001000000ab';
    expect(outcomes(step, [{ call: [0x84000086, 0, 2], tx, answer: [SUCCESS] }])).toBe('SUCCESS');
  });

  test.each([
    [{ from: 'g2', hex: 'beef' }, 'SUCCESS'],
    [{}, 'SUCCESS'],
    [{ from: 'crypto' }, 'MISMATCH'],
    [{ hex: 'bee0' }, 'MISMATCH'],
    [{ hex: 'beef00' }, 'MISMATCH'],
  ])('receive %j', (fields, outcome) => {
    const vcpu = new FakeVcpu();
    vcpu.memory.put(RX_ADDRESS, '0000000000000000140000000200030002000000beef');
    expect(outcomes({ step: 'receive', ...fields }, [RX_RELEASE], vcpu)).toBe(outcome);
  });
});

describe('notifications', () => {
  test.each([
    [{ step: 'bind', from: 'crypto', bits: '0x8000000000000001' }, [0x8400007f, 0x80010002, 0, 1, 0x80000000]],
    [{ step: 'bind', from: 'crypto', bits: 1, perVcpu: true }, [0x8400007f, 0x80010002, 1, 1]],
    [{ step: 'unbind', from: 'crypto', bits: 1 }, [0x84000080, 0x80010002, 0, 1]],
    [{ step: 'notify', to: 'crypto', bits: 2 }, [0x84000081, 0x28001, 0, 2]],
    [
      { step: 'notify', to: 'crypto', bits: 2, sender: 'g2', perVcpu: true, vcpu: 5, delaySri: true },
      [0x84000081, 0x38001, 0x50003, 2],
    ],
  ] as const)('%j', (step, call) => {
    expect(outcomes(step, [{ call, answer: [SUCCESS] }])).toBe('SUCCESS');
  });

  test.each([
    [{}, 'SUCCESS'],
    [{ sp: '0x200000001', vm: '0x400000003', spm: 5, hypervisor: 6 }, 'SUCCESS'],
    [{ sp: 1 }, 'MISMATCH'],
    [{ vm: 0 }, 'MISMATCH'],
    [{ spm: 0 }, 'MISMATCH'],
    [{ hypervisor: 0 }, 'MISMATCH'],
  ])('get %j', (fields, outcome) => {
    const exchange: Exchange = { call: [0x84000082, 2, 0xf], answer: [SUCCESS, 0, 1, 2, 3, 4, 5, 6] };
    expect(outcomes({ step: 'notifications', ...fields }, [exchange])).toBe(outcome);
  });

  test.each([
    [{ includes: 'g2' }, 'SUCCESS'],
    [{ includes: ['g2', 'crypto'] as string[] }, 'MISMATCH'],
  ])('info %j', (fields, outcome) => {
    const exchange: Exchange = { call: [0x84000083], answer: [SUCCESS, 0, 1 << 7, 3] };
    expect(outcomes({ step: 'notification-info', ...fields }, [exchange])).toBe(outcome);
  });
});

test('notification information in the 64-bit form', () => {
  const exchange: Exchange = { call: [0xc4000083], answer: ['0xc4000061', 0, 1 << 7, 3] };
  expect(outcomes({ step: 'notification-info', wide: true }, [exchange])).toBe('SUCCESS');
});

test('run: the answer is kept', () => {
  const guest = script([
    { step: 'run', to: 'crypto', vcpu: 1, save: 'late' },
    { step: 'run', to: 'crypto', expect: 'INTERRUPT' },
    { step: 'call', registers: ['$late.x3'] },
  ]);
  drive(guest, new FakeVcpu(), [
    ...IDENTIFY,
    { call: [0x8400006d, 0x80010001], answer: [0xc4000070, 0x80010002, 0, '0x123456789a'] },
    { call: [0x8400006d, 0x80010000], answer: [0x84000062, 0x80010000] },
    { call: ['0x123456789a'], answer: [0] },
  ]);
  expect(guest.failures).toEqual([]);
});

test('a guest borrows what another guest lent', () => {
  const guests = new Map();
  const lender = script([{ step: 'lend', name: 'gift', to: 'g2', pages: 1 }]);
  guests.set('g1', lender.endpoint);
  drive(lender, new FakeVcpu(2), [
    ...IDENTIFY,
    { call: [0x84000072, 0x60, 0x60], answer: [SUCCESS, 0, 0x15, 0x80000000] },
  ]);
  const borrower = script(
    [
      { step: 'retrieve', name: 'g1:gift' },
      { step: 'write', address: '$g1:gift.address', byte: 7 },
      { step: 'relinquish', name: 'g1:gift', expect: 'BUSY' },
      { step: 'relinquish', name: 'g1:gift', zero: true },
      { step: 'retrieve', name: 'g1:other', expect: 'NO_REGION' },
    ],
    { guests, policy: { repeatCount: 0 } },
  );
  const vcpu = new FakeVcpu(3);
  drive(borrower, vcpu, [
    IDENTIFY[0],
    { call: [0x84000069], answer: [SUCCESS, 0, 3] },
    {
      call: [0x84000074, 0x40, 0x40],
      tx:
        '02002f001000000015000000000000800000000000000000100000000100000030000000000000000000000000000000' +
        '03000600000000000000000000000000',
      rx:
        '02002f001000000015000000000000800000000000000000100000000100000030000000000000000000000000000000' +
        '03000600400000000000000000000000' +
        '01000000010000000000000000000000' +
        '00000540000000000100000000000000',
      answer: [0x84000075, 0x60, 0x60],
    },
    RX_RELEASE,
    { call: [0x84000076], tx: '1500000000000080000000000100000003', answer: [0x84000060, 0, 0xfffffffc] },
    { call: [0x84000076], tx: '1500000000000080010000000100000003', answer: [SUCCESS] },
  ]);
  expect(borrower.failures).toEqual([]);
  expect(vcpu.memory.hex(0x40050000, 1)).toBe('07');
  expect(lender.endpoint.regions.get('gift')?.state).toBe('sent');
  expect(borrower.endpoint.regions.get('g1:gift')?.state).toBe('relinquished');
});

test('several borrowers are told of one another', () => {
  const guest = script([
    { step: 'share', name: 'two', to: ['crypto', 'store'] },
    { step: 'message', to: 'store', do: 'retrieve', region: 'two' },
    { step: 'share', name: 'three', to: ['crypto', 'store', 'g2'] },
    { step: 'message', to: 'crypto', do: 'retrieve', region: 'three' },
  ]);
  drive(guest, new FakeVcpu(), [
    ...IDENTIFY,
    { call: [0x84000073, 0x70, 0x70], answer: [SUCCESS, 0, 1] },
    { call: [0x8400006f, 0x28002, 0, 1, 1, 0, 0x80010001], answer: [0x84000070, 0x80020002] },
    { call: [0x84000073, 0x80, 0x80], answer: [SUCCESS, 0, 2] },
    { call: [0x8400006f, 0x28001, 0, 1, 2, 0, 5], answer: [0x84000070, 0x80010002] },
  ]);
  expect(guest.failures).toEqual([]);
});

describe('pages', () => {
  const share = (name: string, fields = {}): GuestStep => ({ step: 'share', name, to: 'crypto', ...fields });
  const ok: Exchange['answer'] = [SUCCESS, 0, 1];

  test('lowest free first; scattered; given back; no room', () => {
    const guest = script(
      [
        share('a', { pages: 2 }),
        share('b', { pages: 2, scattered: true }),
        { step: 'reclaim', name: 'a' },
        share('c', { pages: 1 }),
        share('d', { pages: 100, expect: 'NO_REGION' }),
        share('e', { pages: 20, scattered: true, expect: 'NO_REGION' }),
        share('f', { ranges: [{ page: 20, count: 2 }] }),
        share('g', { pages: 1 }),
        share('h', { pages: 2 }),
      ],
      { ramPages: 32 },
    );
    const send: Exchange = { call: [0x84000073, 0x60, 0x60], answer: ok };
    drive(guest, new FakeVcpu(), [
      ...IDENTIFY,
      send,
      { call: [0x84000073, 0x70, 0x70], answer: ok },
      { call: [0x84000077, 1], answer: [SUCCESS] },
      send,
      send,
      send,
      send,
    ]);
    expect(guest.failures).toEqual([]);
    const pages = [...guest.endpoint.regions.values()].map((region) =>
      region.ranges.map((range) => `${(range.address - RAM_BASE) / 4096}+${range.pageCount}`).join(' '),
    );
    expect(pages).toEqual(['16+2', '18+1 20+1', '16+1', '20+2', '17+1', '22+2']);
  });

  test('anywhere, also where there is no RAM', () => {
    const guest = script([share('a', { ranges: [{ address: '0xffffffffff000', count: 3 }] })], {
      version: FFA_VERSION_1_2,
    });
    const tail = '00f0ffffffff0f000300000000000000';
    drive(guest, new FakeVcpu(), [
      { call: [0x84000063, 0x10002], answer: [0x10002] },
      IDENTIFY[1],
      {
        call: [0x84000073, 0x70, 0x70],
        tx:
          `02002f00${'0'.repeat(40)}200000000100000030000000${'0'.repeat(24)}` +
          `0180020050000000${'0'.repeat(48)}03000000010000000000000000000000${tail}`,
        answer: ok,
      },
    ]);
    expect(guest.failures).toEqual([]);
  });
});
