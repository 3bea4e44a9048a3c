// A replay that compares nothing would pass every recording. So: each field that is compared is changed in a recording
// that passes, and the replay must fail at that step, by that field. And it must not call a failure a refusal.

import { describe, expect, it } from 'vitest';
import { FileReplay } from '../../src/conform/file-replay.ts';
import { REFUSED_MIXED, REFUSED_NOT_ALONE, REFUSED_OTHER_WORLD } from '../../src/conform/spmc/refusals.ts';
import { vectorLines } from './vector-files.ts';

type Change = [endpoint: number, address: number, count: number, state: string];

interface Answer {
  regs: (number | string)[];
  rx?: string;
  pages?: Change[];
  zeroed?: [number, number][];
  rxbusy: number[];
  slots: number;
}

interface Call {
  op: 'call';
  ep: number;
  regs: (number | string)[];
  tx?: string;
  out: Answer;
}

const FILE = 'hafnium.positive-v12';
/** Sends two pages, retrieves, releases RX, reclaims too early, relinquishes, reclaims and zeroes. */
const RECORDING = 'share/nwd/fl0-rf8-rel0-rc1';
const [HEADER, ...LINES] = vectorLines(FILE);

function recorded(): Call[] {
  const line = LINES.find((one) => one.startsWith(`{"id":"${RECORDING}"`));
  return (JSON.parse(line as string) as { steps: Call[] }).steps;
}

function replay(steps: readonly unknown[]): FileReplay {
  const file = new FileReplay('changed');
  file.line(HEADER, 1);
  file.line(JSON.stringify({ id: 'changed', steps }), 2);
  return file;
}

const SEND = 1;
const RETRIEVE = 2;
const RECLAIM = 6;

const ROWS: readonly (readonly [what: string, step: number, field: string, change: (answer: Answer) => void])[] = [
  ['a register', SEND, 'x0', ({ regs }) => regs.splice(0, 1, 0x8400_0062)],
  ['a register’s upper half', RETRIEVE, 'x7', ({ regs }) => regs.splice(7, 1, '0x100000000')],
  ['an error code', 4, 'x2', ({ regs }) => regs.splice(2, 1, 0xffff_fffe)],
  [
    'a byte of RX',
    RETRIEVE,
    'rx byte 111',
    (answer) => {
      answer.rx = `${answer.rx?.slice(0, -2)}01`;
    },
  ],
  [
    'a page’s state',
    RETRIEVE,
    'pages 0x8001 0x20000000',
    (answer) => {
      (answer.pages as Change[])[0][3] = 'RWX+UNOWNED+SHARED+NS';
    },
  ],
  [
    'one page less that changed',
    SEND,
    'pages 0x0 0x20001000',
    (answer) => {
      (answer.pages as Change[])[0][2] = 1;
    },
  ],
  [
    'one page more that changed',
    RETRIEVE,
    'pages 0x8001 0x20002000',
    (answer) => {
      (answer.pages as Change[])[0][2] = 3;
    },
  ],
  ['a change that was not recorded', SEND, 'pages 0x0 0x20000000', (answer) => delete answer.pages],
  [
    'whose page changed',
    RETRIEVE,
    'pages 0x8001 0x20000000',
    (answer) => {
      (answer.pages as Change[])[0][0] = 0x8002;
    },
  ],
  ['pages that became zero, not recorded', RECLAIM, 'zeroed 0x20000000', (answer) => delete answer.zeroed],
  [
    'one page more that became zero',
    RECLAIM,
    'zeroed 0x20002000',
    (answer) => {
      answer.zeroed = [[0x2000_0000, 3]];
    },
  ],
  [
    'zero too early',
    SEND,
    'zeroed 0x20000000',
    (answer) => {
      answer.zeroed = [[0x2000_0000, 1]];
    },
  ],
  ['whose RX is taken', RETRIEVE, 'rxbusy', (answer) => answer.rxbusy.splice(0, 1, 0x8002)],
  ['that RX is taken', SEND, 'rxbusy', (answer) => answer.rxbusy.push(0x8001)],
  [
    'how many transactions live',
    RECLAIM,
    'slots',
    (answer) => {
      answer.slots = 1;
    },
  ],
];

describe('a recording of the SPMC with one thing changed', () => {
  it('passes unchanged, and compares every kind of field', () => {
    const file = replay(recorded());
    expect(file.failures).toEqual([]);
    expect([file.passed, file.calls]).toEqual([1, 6]);
    const fields = new Set(recorded().flatMap(({ out }) => Object.keys(out)));
    expect([...fields].sort()).toEqual(['pages', 'regs', 'rx', 'rxbusy', 'slots', 'zeroed']);
  });

  it.each(ROWS)('fails by %s', (_, step, field, change) => {
    const steps = recorded();
    change(steps[step - 1].out);
    const file = replay(steps);
    expect([file.passed, file.failed, file.refused]).toEqual([0, 1, 0]);
    const [failure] = file.failures;
    expect([failure.session, failure.step, failure.operation]).toEqual(['changed', step, 'call']);
    expect(failure.expected.split(': ')[0]).toBe(field);
    expect(failure.got.split(': ')[0]).toBe(field);
    expect(failure.got).not.toBe(failure.expected);
  });

  it('starts each recording from reset', () => {
    const file = new FileReplay('twice');
    file.line(HEADER, 1);
    const line = JSON.stringify({ id: 'again', steps: recorded().slice(0, 2) });
    file.line(line, 2);
    file.line(line, 3);
    expect([file.passed, file.failed]).toEqual([2, 0]);
  });
});

const SUCCESS = [0x8400_0061, 0, 0, 0, 0, 0, 0, 0];

/** A call of `ep` that somebody recorded as done; none of these is a real recording. */
function done(call: { ep: number; regs: number[]; tx?: string }): unknown {
  return { op: 'call', ...call, out: { regs: SUCCESS, rxbusy: [], slots: 1 } };
}

/** A share of the normal world with 0x8001: two pages from `address`, then what else is given. */
function share(ep: number, ...runs: readonly [address: number, count: number][]): unknown {
  const bytes = new DataView(new ArrayBuffer(96 + 16 * runs.length));
  bytes.setUint16(0, ep, true);
  bytes.setUint16(2, 0x2f, true);
  const header: [at: number, value: number][] = [
    [24, 32],
    [28, 1],
    [32, 48],
    [52, 80],
    [84, runs.length],
  ];
  for (const [at, value] of header) bytes.setUint32(at, value, true);
  bytes.setUint16(48, ep === 0x8002 ? 0x8001 : 0x8002, true);
  bytes.setUint8(50, 2);
  bytes.setUint32(
    80,
    runs.reduce((sum, [, count]) => sum + count, 0),
    true,
  );
  for (const [n, [address, count]] of runs.entries()) {
    bytes.setUint32(96 + 16 * n, address, true);
    bytes.setUint32(104 + 16 * n, count, true);
  }
  const tx = Buffer.from(bytes.buffer).toString('hex');
  return done({ ep, regs: [0x8400_0073, tx.length / 2, tx.length / 2, 0, 0, 0, 0, 0], tx });
}

describe('a recorded answer that breaks a property', () => {
  it.each<[what: string, steps: unknown[], step: number, reason: string]>([
    [
      'a relinquish in another’s name',
      [done({ ep: 0, regs: [0x8400_0076, 0, 0, 0, 0, 0, 0, 0], tx: '000000000000000000000000010000000180' })],
      1,
      REFUSED_OTHER_WORLD,
    ],
    ['a send of what is lent already', [recorded()[0], share(0, [0x2000_0000, 1])], 2, REFUSED_NOT_ALONE],
    ['a send of nobody’s page', [share(0, [0x3000_0000, 1])], 1, REFUSED_NOT_ALONE],
    ['a send of both worlds’ pages', [share(0x8001, [0x1010_0000, 1], [0x1019_0000, 1])], 1, REFUSED_MIXED],
  ])('is refused: %s', (_, steps, step, reason) => {
    const file = replay(steps);
    expect(file.failures).toEqual([]);
    expect(file.refusals).toEqual([{ session: 'changed', step, reason }]);
    expect([file.passed, file.failed, file.refused, file.sessions]).toEqual([0, 0, 1, 1]);
  });

  it('is not an error that has no such reason', () => {
    const [send] = recorded();
    const file = replay([{ ...send, regs: [send.regs[0], 1, 1, 0, 0, 0, 0, 0] }]);
    expect([file.failed, file.refused]).toEqual([1, 0]);
    expect(file.failures[0].got).toMatch(/^x0: 0x84000060 0x0 0xfffffffe /);
  });

  it('is not a success that was recorded as an error', () => {
    const [send] = recorded();
    const regs = [0x8400_0060, 0, 0xffff_fffa, 0, 0, 0, 0, 0];
    expect(replay([{ ...send, out: { regs, rxbusy: [], slots: 0 } }]).failures[0].expected).toMatch(/^x0: 0x84000060 /);
  });
});

describe('a send that announces more than a page', () => {
  it('is looked at no further than its page, wherever its descriptor points', () => {
    const steps = recorded().slice(0, 1);
    // The access descriptor's composite offset points behind the page; the announced length covers it.
    const tx = `${steps[0].tx?.slice(0, 2 * 52)}00200000${steps[0].tx?.slice(2 * 56)}`;
    steps[0] = { ...steps[0], tx, regs: [steps[0].regs[0], 0x10_0000, 0x10_0000] };
    expect(() => replay(steps)).not.toThrow();
  });
});
