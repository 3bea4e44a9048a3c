// A run as Chrome trace events, which ui.perfetto.dev and chrome://tracing open: one track for each guest, partition
// and PE, calls as slices, arrows from door to door, what happens at once as instants, and counters of pages.
//
// Virtual time may stand still while much happens, and a viewer draws nothing that takes no time. So events of one
// instant are spread one nanosecond apart, in their order; `args.ns` of each is its true time.
//
// [Perfetto]: the JSON format is the legacy one; begin and end events nest per track, flow events bind to the slice
// that encloses them.

import * as k from '../base/event-kinds.ts';
import type { ActorNames } from './actor-names.ts';
import { type Actor, Actors } from './actors.ts';
import { answerText, callText, shortCallText } from './call-text.ts';
import type { EventSource } from './event-source.ts';
import { eventWords } from './event-words.ts';
import { NamesOverTime } from './names-over-time.ts';
import { doorOf, pairCalls } from './open-calls.ts';
import { PageCounters } from './page-counters.ts';
import { functionIdOf, registersOf } from './registers-of.ts';
import { COUNTER_PROCESS, NO_PE, TraceTracks, type Track } from './trace-tracks.ts';

/** One Chrome trace event. Times are microseconds. */
export interface TraceEvent {
  readonly ph: 'B' | 'E' | 'i' | 's' | 'f' | 'C' | 'M';
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly name?: string;
  readonly cat?: string;
  readonly id?: number;
  readonly bp?: 'e';
  readonly s?: 't';
  readonly args?: Readonly<Record<string, unknown>>;
}

const NS_OF_TRACE_UNIT = 1000;

/** Kinds that are drawn as instants; what is not here and no slice is not drawn. */
const INSTANTS: ReadonlySet<number> = new Set([
  k.EVENT_DOMAIN_CREATE,
  k.EVENT_DOMAIN_DYING,
  k.EVENT_DOMAIN_ZOMBIE,
  k.EVENT_DOMAIN_GONE,
  k.EVENT_DOMAIN_CREATE_FAILED,
  k.EVENT_VM_ID_RETIRED,
  k.EVENT_TEARDOWN_BEGIN,
  k.EVENT_TEARDOWN_ROUND,
  k.EVENT_TEARDOWN_WAIT,
  k.EVENT_TEARDOWN_END,
  k.EVENT_QUARANTINE,
  k.EVENT_QUARANTINE_RELEASE,
  k.EVENT_SHARE_LIVE,
  k.EVENT_SHARE_DEAD,
  k.EVENT_TIMER_FIRE,
  k.EVENT_INTERRUPT,
  k.EVENT_SP_CRASH,
  k.EVENT_SP_PREEMPTED,
  k.EVENT_FAULT,
  k.EVENT_DMA_START,
  k.EVENT_DMA_END,
]);

/** The trace's events: names of the tracks first, then in order of time. */
export function traceEvents(events: EventSource, names: ActorNames): TraceEvent[] {
  return new TraceWriter(events, names).run();
}

/** A whole trace file. */
export function perfettoTrace(events: EventSource, names: ActorNames): string {
  const lines = traceEvents(events, names).map((event) => JSON.stringify(event));
  return `{"displayTimeUnit":"ns","traceEvents":[\n${lines.join(',\n')}\n]}\n`;
}

class TraceWriter {
  private readonly events: EventSource;
  private readonly names: ActorNames;
  private readonly over: NamesOverTime;
  private readonly actors: Actors;
  private readonly tracks = new TraceTracks();
  private readonly partner: Int32Array;
  private readonly counters = new PageCounters();
  private readonly out: TraceEvent[] = [];
  /** Slices that are open, per track: a process and a thread name one. */
  private readonly open = new Map<Track, number>();
  private drawNs = -1;
  private flows = 0;

  constructor(events: EventSource, names: ActorNames) {
    this.events = events;
    this.over = new NamesOverTime(names);
    this.names = this.over.names;
    this.actors = new Actors(names, events);
    this.partner = pairCalls(events);
  }

  run(): TraceEvent[] {
    for (let at = 0; at < this.events.kept; at++) {
      this.drawNs = Math.max(this.drawNs + 1, this.events.timeNs(at));
      this.over.see(this.events, at);
      this.draw(at);
      if (this.counters.see(this.events, at)) this.count();
    }
    this.drawNs++;
    for (const [track, depth] of this.open) for (let n = 0; n < depth; n++) this.end(track, { unfinished: true });
    return [...this.metadata(), ...this.out];
  }

  private draw(at: number): void {
    const { events } = this;
    const kind = events.kind(at);
    const door = doorOf(kind);
    if (door !== null) {
      if (door.isAnswer) this.answer(at);
      else this.call(at);
      return;
    }
    const pe = events.pe(at);
    switch (kind) {
      case k.EVENT_SP_ENTER: {
        const track = this.tracks.track(this.actors.endpoint(events.argument(at, 0)), pe);
        const args = { ns: events.timeNs(at), vcpu: events.argument(at, 1) };
        this.beginFrom(this.tracks.track(this.actors.spmc, pe), track, 'runs', args);
        return;
      }
      case k.EVENT_SP_EXIT:
        this.closeAll(this.tracks.track(this.actors.endpoint(events.argument(at, 0)), pe));
        return;
      case k.EVENT_STORY:
      case k.EVENT_EXPECTATION:
      case k.EVENT_VIOLATION:
        this.instant(this.tracks.story(), at);
        return;
      default: {
        if (!INSTANTS.has(kind)) return;
        const ends = this.actors.endsOf(events, at);
        if (ends === null) return;
        const isLife = ends.from.kind === 'vm' || ends.from.kind === 'sp';
        this.instant(this.tracks.track(ends.from, isLife ? NO_PE : pe), at);
      }
    }
  }

  private call(at: number): void {
    const { events, names } = this;
    const words = registersOf(events, at);
    const name = shortCallText(words, names);
    const args = { ns: events.timeNs(at), call: callText(words, names).text };
    const { from, to } = this.ends(at);
    const source = this.tracks.track(from, events.pe(at));
    // A partition's last call of a turn ends with the turn: no slice of its own would ever end well.
    if (from.kind === 'sp' && !this.isAnsweredInTurn(at)) {
      this.instant(source, at, name, args);
      return;
    }
    // The guest's slice is its wait. The hypervisor's SMC is a slice of the hypervisor and, what it causes, of the
    // SPMC.
    this.begin(source, name, args);
    const target = this.tracks.track(to, events.pe(at));
    if (from.kind === 'sp') return;
    this.beginFrom(source, target, name, args);
  }

  private answer(at: number): void {
    const { events, names } = this;
    const callAt = this.partner[at];
    const { from, to } = this.ends(at);
    const caller = this.tracks.track(to, events.pe(at));
    const words = registersOf(events, at);
    const args = {
      ns: events.timeNs(at),
      answer: answerText(words, callAt < 0 ? 0 : functionIdOf(events, callAt), names).text,
    };
    if (to.kind === 'sp') {
      if (callAt >= 0 && this.isAnsweredInTurn(callAt)) this.end(caller, args);
      else this.instant(caller, at, args.answer, args);
      return;
    }
    if (callAt < 0) return;
    this.end(this.tracks.track(from, events.pe(at)), args);
    this.end(caller, args);
  }

  /** Whether a partition's call is answered on the same PE before the partition stops. */
  private isAnsweredInTurn(callAt: number): boolean {
    const { events } = this;
    const answerAt = this.partner[callAt];
    if (answerAt < 0 || events.pe(answerAt) !== events.pe(callAt)) return false;
    const sp = events.argument(callAt, 0);
    for (let at = callAt + 1; at < answerAt; at++) {
      const isOwn = events.argument(at, 0) === sp && events.pe(at) === events.pe(callAt);
      if (isOwn && (events.kind(at) === k.EVENT_SP_EXIT || events.kind(at) === k.EVENT_SP_ENTER)) return false;
    }
    return true;
  }

  private ends(at: number): { readonly from: Actor; readonly to: Actor } {
    const ends = this.actors.endsOf(this.events, at);
    return { from: ends?.from ?? this.actors.hypervisor, to: ends?.to ?? this.actors.hypervisor };
  }

  private begin(track: Track, name: string, args: Readonly<Record<string, unknown>>): void {
    this.open.set(track, (this.open.get(track) ?? 0) + 1);
    this.out.push({ ph: 'B', pid: track.process, tid: track.thread, ts: this.ts(), name, cat: 'ffa', args });
  }

  private end(track: Track, args: Readonly<Record<string, unknown>>): void {
    const depth = this.open.get(track) ?? 0;
    if (depth === 0) return;
    this.open.set(track, depth - 1);
    this.out.push({ ph: 'E', pid: track.process, tid: track.thread, ts: this.ts(), args });
  }

  private closeAll(track: Track): void {
    while ((this.open.get(track) ?? 0) > 0) this.end(track, {});
  }

  private instant(track: Track, at: number, name?: string, args?: Readonly<Record<string, unknown>>): void {
    this.out.push({
      ph: 'i',
      pid: track.process,
      tid: track.thread,
      ts: this.ts(),
      s: 't',
      name: name ?? eventWords(this.events, at, this.names).text,
      cat: 'ffa',
      args: args ?? { ns: this.events.timeNs(at) },
    });
  }

  /** Begins a slice one nanosecond later, with an arrow to it from the slice that is open on `from`, if one is. */
  private beginFrom(from: Track, to: Track, name: string, args: Readonly<Record<string, unknown>>): void {
    if ((this.open.get(from) ?? 0) === 0) {
      this.begin(to, name, args);
      return;
    }
    const id = ++this.flows;
    this.out.push({ ph: 's', pid: from.process, tid: from.thread, ts: this.ts(), id, name, cat: 'door' });
    this.drawNs++;
    this.begin(to, name, args);
    this.out.push({ ph: 'f', bp: 'e', pid: to.process, tid: to.thread, ts: this.ts(), id, name, cat: 'door' });
  }

  private count(): void {
    const { allocated, quarantined, shared } = this.counters;
    for (const [name, pages] of Object.entries({ shared, quarantined, allocated })) {
      this.out.push({
        ph: 'C',
        pid: COUNTER_PROCESS,
        tid: 0,
        ts: this.ts(),
        name: `pages ${name}`,
        args: { pages },
      });
    }
  }

  private metadata(): TraceEvent[] {
    const list: TraceEvent[] = [];
    let process = 0;
    for (const track of this.tracks.names) {
      const common = { ph: 'M', pid: track.process, ts: 0 } as const;
      if (track.process !== process) {
        list.push({ ...common, tid: 0, name: 'process_name', args: { name: track.processName } });
        list.push({ ...common, tid: 0, name: 'process_sort_index', args: { sort_index: track.process } });
      }
      process = track.process;
      list.push({ ...common, tid: track.thread, name: 'thread_name', args: { name: track.threadName } });
      list.push({ ...common, tid: track.thread, name: 'thread_sort_index', args: { sort_index: list.length } });
    }
    return list;
  }

  private ts(): number {
    return this.drawNs / NS_OF_TRACE_UNIT;
  }
}
