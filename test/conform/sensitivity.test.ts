// A replay that compares nothing would pass every vector. So: each field that is compared is changed in a recorded
// session that passes, and the replay must fail there, by that field.

import { describe, expect, it } from 'vitest';
import { FileReplay } from '../../src/conform/file-replay.ts';
import { type Step, vectorSession } from './vector-files.ts';

interface Row {
  readonly what: string;
  readonly file: string;
  readonly session: string;
  /** The operation whose answer is changed: its last occurrence for which `change` applies. */
  readonly operation: string;
  /** Changes the answer; false: this one has not got what is to be changed. */
  readonly change: (answer: Record<string, unknown>) => boolean;
  /** How the difference begins. */
  readonly field: string;
}

type Exchange = Record<string, unknown> & { in: string[]; out: string[] };

function exchanges(answer: Record<string, unknown>): Exchange[] {
  return (answer['spmc'] ?? []) as Exchange[];
}

function set(field: string, value: unknown): (answer: Record<string, unknown>) => boolean {
  return (answer) => {
    if (answer[field] === undefined || answer[field] === value) return false;
    answer[field] = value;
    return true;
  };
}

/** The first SMC that has `field`, changed. */
function inSmc(field: string, change: (exchange: Exchange) => void): (answer: Record<string, unknown>) => boolean {
  return (answer) => {
    const exchange = exchanges(answer).find((one) => one[field] !== undefined);
    if (exchange === undefined) return false;
    change(exchange);
    return true;
  };
}

function otherLastByte(hex: string): string {
  return `${hex.slice(0, -2)}${hex.endsWith('00') ? '01' : '00'}`;
}

const SHARE = { file: 'xen-2024.share', session: 'ma-scattered-16-g1.0f1' };
const KILL = { file: 'xen-2024.lifecycle', session: 'kill-1shm-inv' };
const NESTED = { file: 'xen-2024.nested', session: 'reclaim-vs-share-g1.0f1' };
const INTERRUPT = { file: 'xen-2026.extra', session: 'sri-one-g1.0f1' };

const ROWS: readonly Row[] = [
  {
    what: 'a guest register',
    ...SHARE,
    operation: 'smc',
    change: (answer) => {
      (answer['x'] as string[])[3] = '0x5';
      return true;
    },
    field: 'x3',
  },
  {
    what: 'a register that the recording says has not changed',
    file: 'xen-2026.calls',
    session: 'id-get-g1.2f1',
    operation: 'smc',
    change: (answer) => {
      const registers = answer['x'] as string[];
      if (registers.length !== 18) return false;
      registers.length = 8;
      return true;
    },
    field: 'x8',
  },
  {
    what: 'whether the call was handled',
    ...SHARE,
    operation: 'smc',
    change: (answer) => {
      answer['unhandled'] = true;
      return true;
    },
    field: 'unhandled',
  },
  {
    what: 'an SMC',
    ...SHARE,
    operation: 'smc',
    change: inSmc('in', (exchange) => exchange.in.push('0x1')),
    field: 'spmc 1, in',
  },
  {
    what: 'an SMC that was recorded and is not made',
    ...SHARE,
    operation: 'smc',
    change: (answer) => {
      const list = exchanges(answer);
      if (list.length > 0) list.push({ ...list[0] });
      return list.length > 0;
    },
    field: 'spmc 2 of 2',
  },
  {
    what: 'an SMC that was not recorded and is made',
    ...SHARE,
    operation: 'smc',
    change: (answer) => {
      const found = exchanges(answer).length > 0;
      delete answer['spmc'];
      return found;
    },
    field: 'spmc',
  },
  {
    what: 'the TX page',
    ...SHARE,
    operation: 'smc',
    change: inSmc('tx', (exchange) => {
      exchange['tx'] = otherLastByte(exchange['tx'] as string);
    }),
    field: 'spmc 1, tx byte 335',
  },
  {
    what: 'the RX page that the SPMC left',
    file: 'xen-2024.probe',
    session: 'version-10001',
    operation: 'probe',
    change: inSmc('rx', (exchange) => {
      exchange['rx'] = `${(exchange['rx'] as string).slice(0, 8)}00${(exchange['rx'] as string).slice(10)}`;
    }),
    field: 'spmc 1, in',
  },
  {
    what: 'a call within a call',
    ...NESTED,
    operation: 'smc',
    change: inSmc('nested', (exchange) => {
      const [nested] = exchange['nested'] as Record<string, unknown>[];
      (nested['x'] as string[])[2] = '0x77';
    }),
    field: 'nested 1, x2',
  },
  { what: 'references', ...SHARE, operation: 'smc', change: set('ref', 9), field: 'ref' },
  { what: 'held pages', ...SHARE, operation: 'smc', change: set('held', 99), field: 'held' },
  {
    what: 'references of held pages',
    ...SHARE,
    operation: 'smc',
    change: (answer) => {
      answer['held_refs'] = 99;
      return true;
    },
    field: 'held_refs',
  },
  {
    what: 'a machine address',
    ...SHARE,
    operation: 'domain_init',
    change: set('maddr', '0x40800000'),
    field: 'maddr',
  },
  { what: 'a return code', ...KILL, operation: 'domain_init', change: set('rc', -12), field: 'rc' },
  { what: 'FF-A found usable', ...KILL, operation: 'probe', change: set('ok', false), field: 'ok' },
  {
    what: 'freed',
    ...KILL,
    operation: 'domain_kill',
    change: (answer) => {
      answer['freed'] = true;
      return true;
    },
    field: 'freed',
  },
  { what: 'the timer', ...KILL, operation: 'domain_kill', change: set('timer', 5), field: 'timer' },
  {
    what: 'a timer that is armed and was not recorded',
    ...KILL,
    operation: 'domain_kill',
    change: (answer) => delete answer['timer'],
    field: 'timer',
  },
  { what: 'the time', ...KILL, operation: 'state', change: set('now', 5), field: 'now' },
  { what: 'a life', ...KILL, operation: 'state', change: set('dying', 0), field: 'dying' },
  { what: 'a destruction', ...KILL, operation: 'state', change: set('destroyed', true), field: 'destroyed' },
  { what: 'pages of a domain', ...KILL, operation: 'state', change: set('tot_pages', 77), field: 'tot_pages' },
  {
    what: 'ranges of held pages',
    ...KILL,
    operation: 'state',
    change: (answer) => {
      const ranges = answer['held_ranges'] as [string, number, number][];
      if (ranges.length === 0) return false;
      ranges[0][0] = '0x40099000';
      return true;
    },
    field: 'held_ranges',
  },
  {
    what: 'when a timer fired',
    ...KILL,
    operation: 'advance',
    change: (answer) => {
      const [fire] = answer['fires'] as Record<string, unknown>[];
      if (fire === undefined) return false;
      fire['t'] = 17;
      return true;
    },
    field: 'fires 1, t',
  },
  {
    what: 'a timer that fires and was not recorded',
    ...KILL,
    operation: 'advance',
    change: (answer) => {
      const fires = answer['fires'] as unknown[];
      const some = fires.length > 0;
      fires.length = 0;
      return some;
    },
    field: 'fires',
  },
  {
    what: 'a timer that was recorded and does not fire',
    ...KILL,
    operation: 'advance',
    change: (answer) => {
      (answer['fires'] as unknown[]).push({ t: 1 });
      return true;
    },
    field: 'fires',
  },
  { what: 'who took an interrupt', ...INTERRUPT, operation: 'irq', change: set('handlers', 0), field: 'handlers' },
  {
    what: 'what a guest reads',
    file: 'xen-2026.calls',
    session: 'version-0-raw-f1',
    operation: 'read',
    change: (answer) => {
      answer['hex'] = otherLastByte(answer['hex'] as string);
      return true;
    },
    field: 'hex',
  },
];

/** Changes the last step of the operation that can be changed; returns its number, from 1. */
function changeStep(steps: Step[], row: Row): number {
  for (let n = steps.length - 1; n >= 0; n--) {
    const [operation, answer] = steps[n];
    if (operation['op'] === row.operation && row.change(answer)) return n + 1;
  }
  throw new Error(`no ${row.operation} of ${row.session} can be changed so`);
}

function replay(header: string, name: string, steps: Step[]): FileReplay {
  const file = new FileReplay('changed');
  file.line(header, 1);
  file.line(JSON.stringify({ name, steps }), 2);
  return file;
}

describe('a recording with one thing changed', () => {
  it.each(ROWS)('fails by $what', (row) => {
    const { header, steps } = vectorSession(row.file, row.session);
    const before = replay(header, row.session, steps);
    expect(before.failures).toEqual([]);
    expect(before.passed).toBe(1);
    const step = changeStep(steps, row);
    const after = replay(header, row.session, steps);
    expect(after.failed).toBe(1);
    const [failure] = after.failures;
    // Only a changed RX page shows later: in what the mediator does with it.
    if (row.field === 'spmc 1, in' && row.operation === 'probe') expect(failure.step).toBeGreaterThan(step);
    else expect(failure.step).toBe(step);
    expect(failure.expected.split(': ')[0]).toBe(row.field);
    expect(failure.got).not.toBe(failure.expected);
  });
});
