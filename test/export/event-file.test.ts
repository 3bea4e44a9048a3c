import { describe, expect, it } from 'vitest';
import { EVENT_DOMAIN_DYING, EVENT_KINDS, EVENT_QUARANTINE } from '../../src/base/event-kinds.ts';
import { EventLog } from '../../src/base/event-log.ts';
import { UserError } from '../../src/base/user-error.ts';
import { eventFileLine, readEventFile, writeEventFile } from '../../src/export/event-file.ts';
import { SAMPLE_NAMES, sampleRun } from './sample-run.ts';

const HEADER = { world: 'sample', names: SAMPLE_NAMES };
const GOOD_HEADER = '{"format":"ffabric-events/1","world":"w","names":{"vms":[],"sps":[]}}';

describe('event files', () => {
  it('give back the same records, bit for bit', () => {
    const run = sampleRun();
    const read = readEventFile(writeEventFile(run, HEADER), 'sample.jsonl');
    expect(read.header).toEqual(HEADER);
    expect(read.events.kept).toBe(run.kept);
    expect(read.events.digest()).toBe(run.digest());
  });

  it('give back every kind, with numbers as large and as negative as they come', () => {
    const log = new EventLog();
    log.keep();
    for (const [number, kind] of EVENT_KINDS) {
      const values = Array.from({ length: 9 }, (_, n) => {
        if (n >= kind.arguments.length) return 0;
        return n % 3 === 0 ? -(n + 1) : n % 3 === 1 ? Number.MAX_SAFE_INTEGER : 0x8400_0073;
      }).map((value, n) => (/^x\d/.test(kind.arguments[n] ?? '') ? Math.abs(value) : value));
      log.nowNs += 1;
      const [a, b, c, d, e, f, g, h, i] = values;
      log.emit(number, 3, a, b, c, d, e, f, g, h, i);
    }
    const read = readEventFile(writeEventFile(log, HEADER), 'all.jsonl');
    expect(read.events.digest()).toBe(log.digest());
  });

  it('name arguments, and cut the zeros at the end of registers', () => {
    const run = sampleRun();
    const lines = Array.from({ length: run.kept }, (_, at) => eventFileLine(run, at));
    expect(lines[0]).toBe('{"ns":0,"pe":0,"event":"domain-create","vm":1,"serial":11,"pages":16}');
    expect(lines[6]).toBe('{"ns":0,"pe":0,"event":"guest-call","vm":1,"x":["0x84000063","0x10002"]}');
    const quarantine = lines[Array.from(lines.keys()).find((at) => run.kind(at) === EVENT_QUARANTINE) ?? -1];
    expect(quarantine).toContain('"handleLow":"0x8","handleHigh":"0x0","pages":1,"frame":"0x40415"');
    expect(run.kind(0)).not.toBe(EVENT_DOMAIN_DYING);
  });

  const mistakes: readonly (readonly [name: string, text: string, message: string])[] = [
    ['nothing', '', 'f.jsonl:1:1: this is not JSON; an event file has one JSON object a line'],
    ['a list', '[]', 'f.jsonl:1:1: this is no object; an event file has one JSON object a line'],
    [
      'another format',
      '{"format":"trace"}',
      'f.jsonl:1:1: this is no event file: "format" is "trace"; its first line has "format":"ffabric-events/1"',
    ],
    [
      'names of another shape',
      '{"format":"ffabric-events/1","names":{"vms":["g1"],"sps":[]}}',
      'f.jsonl:1:1: "names" does not say who is who; it has "vms" and "sps", each a list of {"id", "name"}',
    ],
    ['an event without a name', `${GOOD_HEADER}\n{"ns":0}`, 'f.jsonl:2:1: there is no "event"'],
    [
      'an argument too many',
      `${GOOD_HEADER}\n{"ns":0,"pe":0,"event":"domain-dying","vm":1,"serial":1,"pages":2}`,
      'f.jsonl:2:57: domain-dying has no "pages"; it has vm, serial',
    ],
    [
      'an argument too few',
      `${GOOD_HEADER}\n{"ns":0,"pe":0,"event":"domain-dying","vm":1}`,
      'f.jsonl:2:1: domain-dying lacks "serial"',
    ],
    [
      'too many registers',
      `${GOOD_HEADER}\n{"ns":0,"pe":0,"event":"smc","vm":1,"x":[1,2,3,4,5,6,7,8,9]}`,
      'f.jsonl:2:37: "x" is no list of registers; it has at most 8 numbers such as "0x84000063"',
    ],
    [
      'a number above 2^53',
      `${GOOD_HEADER}\n{"ns":0,"pe":0,"event":"smc","vm":1,"x":["0xffffffffffffffff"]}`,
      'f.jsonl:2:37: "x[0]" is "0xffffffffffffffff"; it takes a number, or hex such as "0x84000063"',
    ],
  ];
  for (const [name, text, message] of mistakes) {
    it(`say where the mistake is: ${name}`, () => {
      let found: unknown = null;
      try {
        readEventFile(text, 'f.jsonl');
      } catch (error) {
        found = error;
      }
      expect(found).toBeInstanceOf(UserError);
      const { message: said } = found as UserError;
      expect(said.startsWith(message), said).toBe(true);
    });
  }
});
