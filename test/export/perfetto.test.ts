import { describe, expect, it } from 'vitest';
import { EVENT_GUEST_CALL, EVENT_SMC } from '../../src/base/event-kinds.ts';
import { EventLog } from '../../src/base/event-log.ts';
import { perfettoTrace, type TraceEvent, traceEvents } from '../../src/export/perfetto.ts';
import { SAMPLE_NAMES, sampleRun } from './sample-run.ts';

interface Slice {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly depth: number;
}

/** What a viewer makes of the events: slices per track, from begins and ends in the order of the file. */
function slicesOf(events: readonly TraceEvent[]): Map<string, Slice[]> {
  const tracks = new Map<string, Slice[]>();
  const stacks = new Map<string, TraceEvent[]>();
  for (const event of events) {
    if (event.ph !== 'B' && event.ph !== 'E') continue;
    const key = `${event.pid}/${event.tid}`;
    const stack = stacks.get(key) ?? [];
    stacks.set(key, stack);
    if (event.ph === 'B') {
      stack.push(event);
      continue;
    }
    const begin = stack.pop();
    expect(begin, `an end without a begin on ${key}`).toBeDefined();
    const slices = tracks.get(key) ?? [];
    tracks.set(key, slices);
    slices.push({ name: begin?.name ?? '', from: begin?.ts ?? 0, to: event.ts, depth: stack.length });
  }
  for (const [key, stack] of stacks) expect(stack, `open slices on ${key}`).toEqual([]);
  return tracks;
}

function trackOf(events: readonly TraceEvent[], name: string): string {
  const found = events.find((event) => event.name === 'thread_name' && event.args?.['name'] === name);
  return `${found?.pid}/${found?.tid}`;
}

describe('the Perfetto trace', () => {
  const events = traceEvents(sampleRun(), SAMPLE_NAMES);

  it('is JSON with what a viewer needs in every event', () => {
    const parsed = JSON.parse(perfettoTrace(sampleRun(), SAMPLE_NAMES)) as { traceEvents: TraceEvent[] };
    expect(parsed.traceEvents).toEqual(JSON.parse(JSON.stringify(events)));
    for (const event of parsed.traceEvents) {
      expect(typeof event.ph).toBe('string');
      expect(Number.isFinite(event.ts)).toBe(true);
      expect(Number.isInteger(event.pid)).toBe(true);
      expect(Number.isInteger(event.tid)).toBe(true);
    }
  });

  it('is in order of time, and spreads what happens at one instant', () => {
    const drawn = events.filter((event) => event.ph !== 'M');
    for (let n = 1; n < drawn.length; n++) expect(drawn[n].ts).toBeGreaterThanOrEqual(drawn[n - 1].ts);
    for (const slices of slicesOf(events).values()) {
      for (const slice of slices) expect(slice.to, slice.name).toBeGreaterThan(slice.from);
    }
  });

  it('nests slices on every track: each ends, and none overlaps another half-way', () => {
    for (const slices of slicesOf(events).values()) {
      for (const a of slices) {
        for (const b of slices) {
          const isHalfInside = a.from < b.from && b.from < a.to && a.to < b.to;
          expect(isHalfInside, `${a.name} and ${b.name}`).toBe(false);
        }
      }
    }
  });

  it("draws a guest's call on the guest, the hypervisor, and inside it the SMC on the SPMC", () => {
    const tracks = slicesOf(events);
    const guest = tracks.get(trackOf(events, 'g1 on PE 0')) ?? [];
    expect(guest.map((slice) => slice.name)).toEqual(['FFA_VERSION', 'FFA_MEM_SHARE_32', 'FFA_MSG_SEND_DIRECT_REQ_32']);
    const hypervisor = [...tracks].filter(([key]) => key.startsWith('2/')).flatMap(([, slices]) => slices);
    expect(hypervisor).toContainEqual(expect.objectContaining({ name: 'FFA_MEM_SHARE_32', depth: 0 }));
    expect(hypervisor).toContainEqual(expect.objectContaining({ name: 'FFA_MEM_SHARE_64', depth: 1 }));
  });

  it('draws a partition as running from entry to exit, its calls inside', () => {
    const crypto = slicesOf(events).get(trackOf(events, 'crypto on PE 0')) ?? [];
    expect(crypto.map(({ name, depth }) => [name, depth])).toEqual([
      ['FFA_MEM_RETRIEVE_REQ_32', 1],
      ['runs', 0],
    ]);
  });

  it('pairs every arrow, and both its ends lie in slices', () => {
    const starts = events.filter((event) => event.ph === 's');
    const ends = events.filter((event) => event.ph === 'f');
    expect(starts.length).toBeGreaterThan(8);
    expect(ends.map((event) => event.id)).toEqual(starts.map((event) => event.id));
    const tracks = slicesOf(events);
    for (const event of [...starts, ...ends]) {
      const slices = tracks.get(`${event.pid}/${event.tid}`) ?? [];
      const encloses = slices.some((slice) => slice.from <= event.ts && event.ts < slice.to);
      expect(encloses, `${event.ph} ${event.name} at ${event.ts}`).toBe(true);
    }
  });

  it('says the answer at the end of a slice', () => {
    const answers = events.filter((event) => event.ph === 'E').map((event) => event.args?.['answer']);
    expect(answers).toContain('DENIED');
    expect(answers).toContain('SUCCESS handle 0x7');
  });

  it('counts pages: shared ones come and go, one stays in quarantine', () => {
    const counts = (name: string) =>
      events.filter((event) => event.ph === 'C' && event.name === name).map((event) => event.args?.['pages']);
    expect(Math.max(...(counts('pages shared') as number[]))).toBe(3);
    expect(counts('pages shared').at(-1)).toBe(1);
    expect(counts('pages quarantined').at(-1)).toBe(1);
    expect(counts('pages allocated').at(-1)).toBe(1);
  });

  it('names each track once, and no thread is in two processes', () => {
    const names = events.filter((event) => event.name === 'thread_name');
    expect(new Set(names.map((event) => event.tid)).size).toBe(names.length);
    const used = new Set(events.filter((event) => 'BEisf'.includes(event.ph)).map((event) => event.tid));
    for (const tid of used) expect(names.some((event) => event.tid === tid)).toBe(true);
  });

  it('ends what the run left open, and says so', () => {
    const log = new EventLog();
    log.keep();
    log.emit(EVENT_GUEST_CALL, 0, 1, 0x84000073);
    log.emit(EVENT_SMC, 0, 1, 0xc4000073);
    const cut = traceEvents(log, SAMPLE_NAMES);
    const ends = cut.filter((event) => event.ph === 'E');
    expect(ends).toHaveLength(4);
    for (const event of ends) expect(event.args).toEqual({ unfinished: true });
    slicesOf(cut);
  });
});
