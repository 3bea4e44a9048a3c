// The pictures of the sample run, as they are printed.

import { describe, expect, it } from 'vitest';
import {
  EVENT_DOMAIN_CREATE,
  EVENT_DOMAIN_DYING,
  EVENT_DOMAIN_GONE,
  EVENT_FRAME_ALLOCATE,
  EVENT_FRAME_FREE,
  EVENT_FRAME_GET,
  EVENT_FRAME_PUT,
  EVENT_GUEST_CALL,
  EVENT_GUEST_RETURN,
  EVENT_KINDS,
  EVENT_MAP,
} from '../../src/base/event-kinds.ts';
import { EventLog } from '../../src/base/event-log.ts';
import { eventText } from '../../src/export/event-text.ts';
import { eventWords, hasWords } from '../../src/export/event-words.ts';
import { mermaidDiagram } from '../../src/export/mermaid.ts';
import { ownershipMap } from '../../src/export/ownership-map.ts';
import { traceEvents } from '../../src/export/perfetto.ts';
import { lineText, plainText } from '../../src/export/styled-text.ts';
import { columnTime, spanTime } from '../../src/export/time-text.ts';
import { pagesOfOwners, wherePagesWent } from '../../src/export/where-pages-went.ts';
import { SAMPLE_NAMES, sampleRun } from './sample-run.ts';

describe('the timeline', () => {
  it('tells the story', async () => {
    const text = plainText(eventText(sampleRun(), SAMPLE_NAMES, { detail: 'story' }));
    await expect(text).toMatchFileSnapshot('story.golden.txt');
  });

  it('tells calls and answers with arrows between lanes', async () => {
    await expect(plainText(eventText(sampleRun(), SAMPLE_NAMES))).toMatchFileSnapshot('calls.golden.txt');
  });

  it('tells every record but those that belong to the one before, when asked for all', () => {
    const run = sampleRun();
    expect(eventText(run, SAMPLE_NAMES, { detail: 'all' })).toHaveLength(run.kept + 1);
  });

  it('puts a crowd of guests into one lane, and still says who speaks', () => {
    const log = new EventLog();
    log.keep();
    const vms = Array.from({ length: 40 }, (_, n) => ({ id: n + 1, name: `g-${n}` }));
    log.emit(EVENT_GUEST_CALL, 0, 40, 0x84000063, 0x10002);
    const text = plainText(eventText(log, { vms, sps: [] }));
    expect(text.split('\n')[0]).toBe('time (s)  guests  hyp     SPMC    timer');
    expect(text).toContain('g-39: FFA_VERSION version 1.2');
  });
});

describe('the words of an event', () => {
  const calls = new Set(['guest-call', 'guest-return', 'smc', 'smc-return', 'sp-call', 'sp-return']);
  const quiet = new Set([
    'registers-high',
    'registers-rest',
    'memory-write',
    'memory-read',
    'domain-get',
    'domain-put',
  ]);
  for (const [number, kind] of EVENT_KINDS) {
    it(`are there for ${kind.name}`, () => {
      expect(hasWords(number)).toBe(!calls.has(kind.name) && !quiet.has(kind.name));
      const log = new EventLog();
      log.keep();
      log.emit(number, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1);
      const { text } = eventWords(log, 0, SAMPLE_NAMES);
      expect(text.length).toBeGreaterThan(5);
      expect(text).not.toMatch(/undefined|NaN|\[object/);
    });
  }
});

describe('the sequence diagram', () => {
  it('has participants in order, calls, answers, errors and notes', () => {
    const run = sampleRun();
    const from = Array.from({ length: run.kept }, (_, at) => at).find((at) => run.timeNs(at) === 20_000_000) ?? 0;
    expect(mermaidDiagram(run, SAMPLE_NAMES, { from, to: from + 14 })).toMatchInlineSnapshot(`
      "sequenceDiagram
        participant vm1 as g1
        participant hypervisor as hypervisor
        participant spmc as SPMC
        participant sp8001 as crypto
        Note over hypervisor,spmc: g1 is destroyed while crypto holds its pages
        Note over vm1: g1 is being destroyed
        Note over hypervisor: teardown of g1: 1 share and 1 message owed, 2 pages held
        hypervisor->>spmc: VM_DESTROYED of g1 to crypto
        spmc-->>sp8001: VM_DESTROYED of g1 to crypto
        sp8001->>spmc: VM_DESTROYED from crypto: handled
        spmc-->>hypervisor: VM_DESTROYED from crypto: handled
        hypervisor->>spmc: FFA_MEM_RECLAIM handle 0x7
        spmc--xhypervisor: DENIED
      "
    `);
  });

  it('ends with an honest note when it is cut', () => {
    const cut = mermaidDiagram(sampleRun(), SAMPLE_NAMES, { mostMessages: 5 });
    const whole = mermaidDiagram(sampleRun(), SAMPLE_NAMES, { mostMessages: 1000 });
    const drawn = (text: string) =>
      text.split('\n').filter((line) => /Note|>>|--x/.test(line) && !/: [\d.]+ s$/.test(line));
    const left = Number(/… (\d+) more/.exec(cut)?.[1]);
    expect(drawn(cut).length - 1 + left).toBe(drawn(whole).length);
    expect(whole).not.toContain('more');
  });

  it('escapes what Mermaid would take for its own', () => {
    const names = { ...SAMPLE_NAMES, vms: [{ id: 1, name: 'a;b#c<d>' }] };
    expect(mermaidDiagram(sampleRun(), names)).toContain('participant vm1 as a#59;b#35;c#60;d#62;');
  });

  it('has only lines that the grammar knows', () => {
    for (const text of mermaidDiagram(sampleRun(), SAMPLE_NAMES).trimEnd().split('\n').slice(1)) {
      expect(text).toMatch(/^ {2}(participant \w+ as .+|Note over \w+(,\w+)?: .+|\w+(->>|-->>|--x)\w+: .+)$/);
    }
  });
});

describe('the map of pages', () => {
  it('shows who held which pages over time', () => {
    expect(plainText(ownershipMap(sampleRun(), SAMPLE_NAMES))).toMatchInlineSnapshot(`
      "Who holds which pages
                                            †           ╳   †       ▲   ╳
      g1     0x40402+2  aaaaaaaa~~~~AAAAAAAAAAAA####........................
      g2     0x40415        bbbbbbbbbbbb~~~~~~~~~~~~~~~~~~~~####QQQQQQQQQQQQ
                        ^0.000000 s     ^0.002500 s     ^1.020000 s     ^2.000000 s
      a g1   b g2   A crypto   ~ shared, not mapped by a borrower   # held after its owner died   Q quarantine   . free
      A capital letter: that partition maps the pages of the row.
      29 pages besides were never shared.
      "
    `);
  });

  it('shows the last of several changes where there are more than columns', () => {
    const lines = ownershipMap(sampleRun(), SAMPLE_NAMES, { columns: 4 }).map(lineText);
    expect(lines.find((line) => line.startsWith('g1'))).toMatch(/ {2}....$/);
    expect(lines.some((line) => /^A column is up to \d+ changes and shows the last\.$/.test(line))).toBe(true);
  });

  it('says so when nothing was shared', () => {
    const log = new EventLog();
    log.keep();
    expect(plainText(ownershipMap(log, SAMPLE_NAMES))).toBe(
      'Who holds which pages\nNo page was shared; 0 pages never left their owner.\n',
    );
  });
});

describe('the closing table', () => {
  it('says where each page went', () => {
    expect(plainText(wherePagesWent(sampleRun(), SAMPLE_NAMES))).toMatchInlineSnapshot(`
      "Where each page went
                          pages   returned    its own       held quarantine  elsewhere
      g1 ╳                   16         16          0          0          0          0
      g2 ╳                   16         15          0          0          1          0
      all                    32         31          0          0          1          0
      Every one of 32 pages is accounted for.
      "
    `);
  });

  it('adds up at every moment of the run', () => {
    const run = sampleRun();
    const cut = new EventLog();
    cut.keep();
    for (let at = 0; at < run.kept; at++) {
      const [a, b, c, d, e, f, g, h, i] = Array.from({ length: 9 }, (_, n) => run.argument(at, n));
      cut.emit(run.kind(at), run.pe(at), a, b, c, d, e, f, g, h, i);
      for (const row of pagesOfOwners(cut, SAMPLE_NAMES)) {
        expect(row.returned + row.own + row.held + row.quarantined + row.elsewhere, `at ${at}`).toBe(row.pages);
      }
    }
  });
});

describe('a VM id that lives twice', () => {
  const names = {
    vms: [
      { id: 1, name: 'old' },
      { id: 1, name: 'new' },
    ],
    sps: [],
    owners: [
      { id: 21, name: 'old' },
      { id: 22, name: 'new' },
    ],
  };
  const log = new EventLog();
  log.keep();
  for (const serial of [21, 22]) {
    log.emit(EVENT_FRAME_ALLOCATE, 0, 0x40400, 2, serial);
    log.emit(EVENT_DOMAIN_CREATE, 0, 1, serial, 2);
    log.emit(EVENT_MAP, 0, 1, 0x40000, 0x40400, 2, 7);
    log.emit(EVENT_GUEST_CALL, 0, 1, 0x84000063, 0x10002);
    log.emit(EVENT_GUEST_RETURN, 0, 1, 0x10002);
    log.emit(EVENT_FRAME_GET, 0, 0x40400, 1, serial);
    if (serial === 22) break;
    log.nowNs += 1_000_000_000;
    log.emit(EVENT_DOMAIN_DYING, 0, 1, serial);
    log.emit(EVENT_FRAME_PUT, 0, 0x40400, 2, serial);
    log.emit(EVENT_FRAME_PUT, 0, 0x40400, 1, serial);
    log.emit(EVENT_FRAME_FREE, 0, 0x40400, 2, serial);
    log.emit(EVENT_DOMAIN_GONE, 0, 1, serial);
  }

  it('is two guests in the timeline', () => {
    const text = plainText(eventText(log, names));
    expect(text.split('\n')[0]).toBe('time (s)  old/new hyp     SPMC    timer');
    expect(text.match(/\w+: FFA_VERSION|\w+ is (created|gone)/g)).toEqual([
      'old is created',
      'old: FFA_VERSION',
      'old is gone',
      'new is created',
      'new: FFA_VERSION',
    ]);
  });

  it('is two guests in the diagram and in the trace', () => {
    expect(mermaidDiagram(log, names)).toContain('participant vm1 as old/new');
    expect(mermaidDiagram(log, names)).toContain('Note over vm1: new is created');
    expect(traceEvents(log, names).map((event) => event.name)).toContain('new is created with 2 pages');
  });

  it('has a row that both owned, free in between', () => {
    const rows = ownershipMap(log, names).map(lineText);
    expect(rows.find((row) => row.includes('0x40400'))).toMatch(/^old\/new 0x40400 {2}a+~+#+\.+a+~+$/);
  });

  it('has a line for each of the two, and numbers for namesakes', () => {
    const rows = (of: typeof names) =>
      pagesOfOwners(log, of).map(({ name, pages, returned }) => [name, pages, returned]);
    expect(rows(names)).toEqual([
      ['old', 2, 2],
      ['new', 2, 0],
    ]);
    expect(rows({ ...names, vms: [{ id: 1, name: 'g' }], owners: [] })).toEqual([
      ['g #1', 2, 2],
      ['g #2', 2, 0],
    ]);
  });
});

describe('times', () => {
  const columns: readonly (readonly [number, string])[] = [
    [0, '0.000000'],
    [1_000, '0.000001'],
    [1_500, '0.000001500'],
    [2_000_000_000, '2.000000'],
    [61_000_000_001, '61.000000001'],
  ];
  for (const [ns, text] of columns) it(`${ns} ns in a column: ${text}`, () => expect(columnTime(ns)).toBe(text));
  const spans: readonly (readonly [number, string])[] = [
    [0, '0 ns'],
    [215, '215 ns'],
    [3_000, '3 us'],
    [20_500_000, '20.5 ms'],
    [1_234_567_890, '1.235 s'],
  ];
  for (const [ns, text] of spans) it(`a span of ${ns} ns: ${text}`, () => expect(spanTime(ns)).toBe(text));
});
