// What a broken vector file gets: one message with the file, the line, what was found and what would be right.

import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/user-error.ts';
import { FileReplay } from '../../src/conform/file-replay.ts';
import { PROFILES } from '../../src/hypervisor/profiles/profile-table.ts';
import { XEN_2024 } from '../../src/hypervisor/profiles/xen-2024.ts';
import { XEN_2026 } from '../../src/hypervisor/profiles/xen-2026.ts';

const HEADER = '{"format":"ffabric-vectors/1","profile":"xen-2024","category":"calls"}';
const PROBE =
  '[{"op":"probe","spmc":{"sps":[]}},' +
  '{"op":"probe","rc":0,"ok":false,"spmc":[{"in":["0x84000063","0x10001"],"out":["-1"]}]}]';

function session(...steps: string[]): string {
  return `{"name":"s","steps":[${steps.join(',')}]}`;
}

function messageOf(lines: readonly string[]): string {
  const replay = new FileReplay('file');
  try {
    for (let n = 0; n < lines.length; n++) replay.line(lines[n], n + 1);
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return 'no message';
}

describe('a broken vector file', () => {
  it.each<[what: string, lines: string[], message: string]>([
    ['no JSON', [HEADER, '{'], 'file:2:1: no JSON: '],
    ['no object', ['[]'], 'file:1:1: no JSON object; each line must be one JSON object'],
    [
      'another format',
      ['{"format":"x"}'],
      'file:1:1: format "x"; this version reads "ffabric-vectors/1" and "ffabric-spmc-vectors/1"',
    ],
    [
      'no format',
      ['{"name":"s"}'],
      'file:1:1: format missing; this version reads "ffabric-vectors/1" and "ffabric-spmc-vectors/1"',
    ],
    ['no profile', ['{"format":"ffabric-vectors/1"}'], 'file:1:1: the header names no profile; "profile" must be text'],
    [
      'an unknown profile',
      ['{"format":"ffabric-vectors/1","profile":"xen-1999"}', session()],
      `file:1:1: no profile "xen-1999"; the profiles are ${[...PROFILES.keys()].join(', ')}`,
    ],
    ['no steps', [HEADER, '{"name":"s"}'], 'file:2:1: "steps" is no list; it must hold [operation, answer] pairs'],
    ['no pair', [HEADER, session(PROBE, '[{}]')], 'file:2:1: step 2 is no pair; a step is [operation, answer]'],
    ['no name', [HEADER, '{"steps":[]}'], 'file:2:1: a session without a name; "name" must be text'],
    [
      'no setup',
      [HEADER, '{"name":"s","setup":"t","steps":[]}'],
      'file:2:1: no setup "t"; a setup must stand before its first session',
    ],
    [
      'an operation that is no object',
      [HEADER, session(PROBE, '[5,{}]')],
      'file:2:1: session "s", step 2: the operation is 5; it must be an object',
    ],
    [
      'an unknown operation',
      [HEADER, session(PROBE, '[{"op":"dance"},{}]')],
      'file:2:1: session "s", step 2: "op" is "dance"; it must be one of probe, domain_init, domain_create, smc, ' +
        'write, read, map, spmc_script, domain_teardown, domain_kill, domain_relinquish, domain_put, advance, irq, ' +
        'vcpu, state',
    ],
    [
      'a session that begins without a probe',
      [HEADER, session('[{"op":"state"},{"now":0}]')],
      'file:2:1: session "s", step 1: "op" is "state"; it must be a probe: each session begins with one',
    ],
    [
      'an unknown domain',
      [HEADER, session(PROBE, '[{"op":"smc","dom":1,"regs":[]},{}]')],
      'file:2:1: session "s", step 2: "dom" is 1; it must be a domain that an earlier step created',
    ],
    [
      'a missing field',
      [HEADER, session(PROBE, '[{"op":"advance"},{}]')],
      'file:2:1: session "s", step 2: "ms" is missing; it must be a number from 0 to 1000000000',
    ],
    [
      'a number that is none',
      [HEADER, session(PROBE, '[{"op":"domain_init","dom":"one"},{}]')],
      'file:2:1: session "s", step 2: "dom" is "one"; it must be a number, 0 or more ("0x…" or decimal)',
    ],
    [
      'more memory than there is',
      [HEADER, session(PROBE, '[{"op":"domain_init","dom":1,"pages":99999},{}]')],
      'file:2:1: session "s", step 2: "pages" is 99999; it must be a number from 0 to 16384',
    ],
    [
      'more memory than is left',
      [HEADER, session(PROBE, '[{"op":"domain_init","dom":1,"pages":16384},{}]')],
      'file:2:1: session "s", step 2: "pages" is 16384; it must be no more than the recorded machine has left ' +
        '(16384 in all)',
    ],
    [
      'time without end',
      [HEADER, session(PROBE, '[{"op":"advance","ms":1e300},{}]')],
      'file:2:1: session "s", step 2: "ms" is 1e+300; it must be a number from 0 to 1000000000',
    ],
    [
      'an answer that is not there',
      [HEADER, session(PROBE, '[{"op":"state"},{}]')],
      'file:2:1: session "s", step 2: "now" is missing; it must be a number ("0x…" or decimal)',
    ],
    [
      'registers that are none',
      [HEADER, session('[{"op":"probe","spmc":{"sps":[]}},{"ok":false,"spmc":[{"in":["zero"]}]}]')],
      'file:2:1: session "s", step 1: "in" is ["zero"]; it must be a list of up to 18 registers',
    ],
  ])('%s', (_, lines, message) => {
    expect(messageOf(lines).slice(0, message.length)).toBe(message);
  });

  it('is not one that is well-formed', () => {
    expect(messageOf([HEADER, '', session(PROBE)])).toBe('no message');
  });
});

describe('a profile that is given', () => {
  it('is the one that is used, whatever the file names', () => {
    const replay = new FileReplay('file', { profile: XEN_2024 });
    replay.line(HEADER.replace('xen-2024', 'xen-1999'), 1);
    replay.line(session(PROBE), 2);
    expect([replay.passed, replay.failed]).toEqual([1, 0]);
    const other = new FileReplay('file', { profile: XEN_2026 });
    other.line(HEADER, 1);
    other.line(session(PROBE), 2);
    expect(other.failures).toEqual([
      {
        file: 'file',
        session: 's',
        step: 1,
        operation: 'probe',
        expected: 'spmc 1, in: 0x84000063 0x10001',
        got: 'spmc 1, in: 0x84000063 0x10002',
      },
    ]);
  });
});

const VERSIONS = '"ffa_versions":{"0":"1.2","0x8001":"1.2","0x8002":"1.2","0x8003":"1.2"}';
const SPMC_HEADER = `{"format":"ffabric-spmc-vectors/1","config":{${VERSIONS}}}`;

/** A recording of one call that releases RX; `step` replaces its fields, `out` those of its answer. */
function recording(step: Record<string, unknown> = {}, out: Record<string, unknown> = {}): string {
  const answer = { regs: [0x8400_0060, 0, 0xffff_fffa], rxbusy: [], slots: 0, ...out };
  return JSON.stringify({ id: 'r', steps: [{ op: 'call', ep: 0, regs: [0x8400_0065], out: answer, ...step }] });
}

describe('a broken file of the SPMC', () => {
  const at = 'file:2:1: recording "r", step 1: ';
  const pages = 'a list of [endpoint, address, pages, state]';
  it.each<[what: string, lines: string[], message: string]>([
    ['no JSON', [SPMC_HEADER, '{'], 'file:2:1: no JSON: '],
    [
      'no versions',
      ['{"format":"ffabric-spmc-vectors/1","config":{}}'],
      'file:1:1: the header: "0" is missing; it must be text in quotes',
    ],
    [
      'an unknown version',
      [SPMC_HEADER.replace('"1.2"', '"2.0"')],
      'file:1:1: the header: "0" is "2.0"; it must be a version, "1.0" to "1.3"',
    ],
    [
      'a limit out of range',
      [SPMC_HEADER.replace('"config":{', '"config":{"rxtx_pages":2,')],
      'file:1:1: the header: "rxtx_pages" is 2; it must be a number from 1 to 1',
    ],
    ['no id', [SPMC_HEADER, '{"steps":[]}'], 'file:2:1: a recording without an id; "id" must be text'],
    ['no steps', [SPMC_HEADER, '{"id":"r"}'], 'file:2:1: "steps" is no list; it must hold the calls'],
    ['a step that is no object', [SPMC_HEADER, '{"id":"r","steps":[5]}'], `${at}the step is 5; it must be an object`],
    ['another operation', [SPMC_HEADER, recording({ op: 'dance' })], `${at}"op" is "dance"; it must be "call"`],
    [
      'an unknown caller',
      [SPMC_HEADER, recording({ ep: 1 })],
      `${at}"ep" is 1; it must be 0 (the normal world) or a partition, 32769 to 32771`,
    ],
    [
      'registers that are none',
      [SPMC_HEADER, recording({ regs: ['zero'] })],
      `${at}"regs" is ["zero"]; it must be a list of up to 8 registers`,
    ],
    [
      'a call that another endpoint would answer',
      [SPMC_HEADER, recording({ regs: [0x8400_006f] })],
      `${at}"regs" is [2214592623]; it must be a call that the SPMC answers itself`,
    ],
    [
      'a TX that is no hexadecimal',
      [SPMC_HEADER, recording({ tx: '0g' })],
      `${at}"tx" is "0g"; it must be bytes in hexadecimal, at most two pages`,
    ],
    [
      'no answer',
      [SPMC_HEADER, recording({ out: {} })],
      `${at}"regs" is missing; it must be a list of up to 8 registers`,
    ],
    [
      'an RX that is no hexadecimal',
      [SPMC_HEADER, recording({}, { rx: '0' })],
      `${at}"rx" is "0"; it must be bytes in hexadecimal, at most a page`,
    ],
    ['a page that is none', [SPMC_HEADER, recording({}, { pages: [5] })], `${at}"pages" is [5]; it must be ${pages}`],
    [
      'a page of nobody',
      [SPMC_HEADER, recording({}, { pages: [[7, 0x2000_0000, 1, 'R']] })],
      `${at}"pages" is [[7,536870912,1,"R"]]; it must be ${pages}`,
    ],
    [
      'a page beyond the machine',
      [SPMC_HEADER, recording({}, { pages: [[0, 0x200f_f000, 2, 'R']] })],
      `${at}"pages" is [[0,537915392,2,"R"]]; it must be of pages that the recorded machine has`,
    ],
    [
      'an address within a page',
      [SPMC_HEADER, recording({}, { zeroed: [[0x2000_0001, 1]] })],
      `${at}"zeroed" is [[536870913,1]]; it must be of pages that the recorded machine has`,
    ],
    [
      'no RX states',
      [SPMC_HEADER, recording({}, { rxbusy: undefined })],
      `${at}"rxbusy" is missing; it must be a list of endpoints`,
    ],
    [
      'no count of transactions',
      [SPMC_HEADER, recording({}, { slots: undefined })],
      `${at}"slots" is missing; it must be a number ("0x…" or decimal)`,
    ],
  ])('%s', (_, lines, message) => {
    expect(messageOf(lines).slice(0, message.length)).toBe(message);
  });

  it('is not one that is well-formed', () => {
    expect(messageOf([SPMC_HEADER, '', recording()])).toBe('no message');
  });

  it('takes no profile', () => {
    const replay = new FileReplay('file', { profile: XEN_2024 });
    expect(() => replay.line(SPMC_HEADER, 1)).toThrow(
      'file:1:1: a recording of an SPMC has no profile; replay it without one',
    );
  });
});
