import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/base/user-error.ts';
import { checkGuestSteps } from '../../src/partitions/check-steps.ts';
import type { GuestStep } from '../../src/partitions/guest-step.ts';
import { GUEST_STEPS } from '../../src/partitions/guest-steps.ts';
import { parseWord } from '../../src/partitions/word-expression.ts';

const ENDPOINTS = new Map([
  ['crypto', 0x8001],
  ['g1', 2],
]);

function check(step: unknown): void {
  checkGuestSteps([step as GuestStep], 'guest', ENDPOINTS);
}

test.each([
  [{ step: 'sahre' }, 'guest[0].step: found sahre; expected one of version, map, unmap, features, discover, share'],
  [{ step: 'map', to: 'crypto' }, 'guest[0]: found the field to; expected map has expect'],
  [{ step: 'stop', now: 1 }, 'guest[0]: found the field now; expected stop has no fields'],
  [{ step: 'share', to: 'crypto' }, 'guest[0]: found no name; expected under which the region'],
  [
    { step: 'share', to: 'cripto', name: 'a' },
    'guest[0].to: found cripto; expected an id up to 0xffff or one of crypto',
  ],
  [{ step: 'share', to: [], name: 'a' }, 'guest[0].to: found []; expected one endpoint at least'],
  [{ step: 'share', to: 0x10000, name: 'a' }, 'guest[0].to: found 65536; expected an id'],
  [{ step: 'share', to: 'crypto', name: '1a' }, 'guest[0].name: found 1a; expected letters'],
  [{ step: 'share', to: 'crypto', name: 'a', pages: 0 }, 'guest[0].pages: found 0; expected a whole number from 1 to'],
  [{ step: 'share', to: 'crypto', name: 'a', zero: 1 }, 'guest[0].zero: found 1; expected true or false'],
  [
    { step: 'share', to: 'crypto', name: 'a', ranges: [{ count: 1 }] },
    'guest[0].ranges[0]: found {"count":1}; expected page or address, not both',
  ],
  [
    {
      step: 'share',
      to: 'crypto',
      name: 'a',
      ranges: [
        { address: 0, count: 1 },
        { page: -1, count: 1 },
      ],
    },
    'guest[0].ranges[1].page: found -1; expected a page of RAM',
  ],
  [{ step: 'reclaim', name: 'g1:' + ' b' }, 'guest[0].name: found g1: b; expected a name, or guest:name'],
  [{ step: 'message', to: 'crypto', do: 'dance' }, 'guest[0].do: found dance; expected one of retrieve, relinquish'],
  [{ step: 'message', to: 'crypto', words: ['x'] }, 'guest[0].words[0]: found x; expected a number, 0x...'],
  [{ step: 'message', to: 'crypto', words: ['@nobody'] }, 'guest[0].words[0]: found nobody; expected an id'],
  [
    { step: 'message', to: 'crypto', expect: 'OK' },
    'guest[0].expect: found OK; expected any, or one or more of SUCCESS',
  ],
  [{ step: 'message', to: 'crypto', uuid: 'x' }, 'guest[0].uuid: found x; expected a canonical UUID'],
  [{ step: 'call', registers: new Array(19).fill(0) }, 'guest[0].registers: found 0,0,'],
  [{ step: 'call', registers: [null] }, 'guest[0].registers[0]: found null; expected a number'],
  [{ step: 'tx', hex: 'abc' }, 'guest[0].hex: found abc; expected pairs of hexadecimal digits'],
  [{ step: 'rewrite-tx', hex: [], times: 1 }, 'guest[0].hex: found ; expected a list of pairs'],
  [{ step: 'wait', durationNs: '5 ms' }, 'guest[0].durationNs: found 5 ms; expected nanoseconds, 0 or more'],
  [{ step: 'version', version: 0 }, 'guest[0].version: found 0; expected a version such as 0x10001'],
  [
    { step: 'until', condition: { variable: 'a' } },
    'guest[0].condition: found {"variable":"a"}; expected {variable, is}',
  ],
  [
    { step: 'until', condition: { variable: 'a b', is: 1 } },
    'guest[0].condition: found {"variable":"a b","is":1}; expected {variable, is}',
  ],
  [{ step: 'until', condition: { timeNs: 'x' } }, 'guest[0].condition: found {"timeNs":"x"}; expected'],
  [{ step: 'until', condition: { interrupt: 'x' } }, 'guest[0].condition: found {"interrupt":"x"}; expected'],
  [{ step: 'until', condition: { address: 'x', byte: 1 } }, 'guest[0].condition.address: found x; expected a number'],
  [{ step: 'until', condition: 3 }, 'guest[0].condition: found 3; expected {variable, is}'],
  [
    { step: 'until', condition: { region: 'a', state: 'gone' } },
    'guest[0].condition: found {"region":"a","state":"gone"}; expected',
  ],
  [
    { step: 'repeat', times: 2, steps: [{ step: 'map' }, { step: 'wait' }] },
    'guest[0].steps[1]: found no durationNs; expected how long',
  ],
])('%j', (step, message) => {
  expect(() => check(step)).toThrow(UserError);
  expect(() => check(step)).toThrow(message);
});

test('what fits', () => {
  for (const step of [
    {
      step: 'share',
      to: ['crypto', 0x8002],
      name: 'a#',
      ranges: [
        { page: 0, count: 1 },
        { address: '$b.address', count: 2 },
      ],
    },
    { step: 'call', registers: ['FFA_VERSION', '-1', '0xffffffffffffffff'], answer: [null, '$a.x17'] },
    { step: 'until', condition: { address: '$a.address', byte: 3 }, expect: ['SUCCESS', 'TIMEOUT'] },
    { step: 'until', condition: { timeNs: 3 } },
    { step: 'message', to: 'g1', words: ['@crypto', 'DENIED'], expect: 'any' },
    { step: 'retrieve', name: 'g1:a', zero: undefined },
  ]) {
    expect(() => check(step)).not.toThrow();
  }
});

test('the table: bare values stand for fields that are there, choices have choices', () => {
  for (const [kind, row] of Object.entries(GUEST_STEPS)) {
    if ('bare' in row) expect(Object.keys(row.fields), kind).toContain(row.bare);
    for (const [name, field] of Object.entries(row.fields)) {
      expect('choices' in field && field.choices !== undefined, `${kind}.${name}`).toBe(field.type === 'choice');
    }
  }
});

describe('words', () => {
  test.each([
    [5, { kind: 'literal', low: 5, high: 0 }],
    [-1, { kind: 'literal', low: 0xffffffff, high: 0xffffffff }],
    [-2, { kind: 'literal', low: 0xfffffffe, high: 0xffffffff }],
    [0x1_0000_0002, { kind: 'literal', low: 2, high: 1 }],
    ['0x8000000000000001', { kind: 'literal', low: 1, high: 0x80000000 }],
    ['12', { kind: 'literal', low: 12, high: 0 }],
    ['FFA_RUN', { kind: 'literal', low: 0x8400006d, high: 0 }],
    ['RETRY', { kind: 'literal', low: 0xfffffff9, high: 0 }],
    ['@crypto', { kind: 'endpoint', name: 'crypto' }],
    ['$a', { kind: 'region', name: 'a', part: 'handle' }],
    ['$g1:a#.low', { kind: 'region', name: 'g1:a#', part: 'low' }],
    ['$a.w17', { kind: 'register', name: 'a', register: 17, wide: false }],
    ['$a.x2', { kind: 'register', name: 'a', register: 2, wide: true }],
    ['$a.w18', undefined],
    ['$', undefined],
    ['0x', undefined],
    ['0x10000000000000000', undefined],
    ['FFA_NOTHING', undefined],
    [0.5, undefined],
    [2 ** 53, undefined],
  ])('%j', (expression, parsed) => {
    expect(parseWord(expression)).toEqual(parsed);
  });
});
