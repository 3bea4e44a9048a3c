// The timeline for the terminal: one line an event; in its middle one lane an actor, so that a scroll becomes a
// picture:
//
//     0.000000  ├────▶│     │     │    g1: FFA_MEM_SHARE_32 totalLength 96
//               │     ├────▶│     │    hypervisor: FFA_MEM_SHARE_64 totalLength 96
//               │     │◀╌╌╌╌┤     │    SPMC: SUCCESS handle 0x1
//
// A time is printed when it changes. A destroyed guest's lane ends. Many guests share one lane.

import * as k from '../base/event-kinds.ts';
import { type ActorNames, endpointName } from './actor-names.ts';
import { type Actor, Actors } from './actors.ts';
import { answerText, type CallText, callText } from './call-text.ts';
import type { EventSource } from './event-source.ts';
import { count, type EventWords, eventWords } from './event-words.ts';
import { NamesOverTime } from './names-over-time.ts';
import { doorOf, OpenCalls } from './open-calls.ts';
import { functionIdOf, registersOf } from './registers-of.ts';
import { hue, LineBuilder, line, type Style, type StyledLine } from './styled-text.ts';
import { columnTime } from './time-text.ts';

/** How much is told: `story`: lives, teardown, time, what went wrong; `calls`: calls as well; `all`: every event. */
export type TimelineDetail = 'story' | 'calls' | 'all';

export interface TimelineOptions {
  readonly detail?: TimelineDetail;
  /** Records that are told beside those of the detail. */
  readonly also?: (events: EventSource, at: number) => boolean;
}

const TIME_COLUMNS = 9;
const LANES_COLUMNS = 56;
const LANE_MIN = 3;
const LANE_MAX = 8;
/** More guests, or more partitions, than this share one lane. */
const LANES_OF_A_KIND = 6;

const STORY_KINDS: ReadonlySet<number> = new Set([
  k.EVENT_DOMAIN_CREATE,
  k.EVENT_DOMAIN_DYING,
  k.EVENT_DOMAIN_ZOMBIE,
  k.EVENT_DOMAIN_GONE,
  k.EVENT_DOMAIN_CREATE_FAILED,
  k.EVENT_VM_ID_RETIRED,
  k.EVENT_TEARDOWN_BEGIN,
  k.EVENT_TEARDOWN_WAIT,
  k.EVENT_TEARDOWN_END,
  k.EVENT_QUARANTINE,
  k.EVENT_QUARANTINE_RELEASE,
  k.EVENT_SHARE_LIVE,
  k.EVENT_SHARE_DEAD,
  k.EVENT_TIMER_FIRE,
  k.EVENT_SP_CRASH,
  k.EVENT_DMA_START,
  k.EVENT_DMA_END,
  k.EVENT_FAULT,
  k.EVENT_STORY,
  k.EVENT_EXPECTATION,
  k.EVENT_VIOLATION,
]);

const CALL_KINDS: ReadonlySet<number> = new Set([
  k.EVENT_GUEST_CALL,
  k.EVENT_GUEST_RETURN,
  k.EVENT_SMC,
  k.EVENT_SMC_RETURN,
  k.EVENT_SP_CALL,
  k.EVENT_SP_RETURN,
  k.EVENT_TEARDOWN_ROUND,
  k.EVENT_SP_PREEMPTED,
  k.EVENT_INTERRUPT,
]);

const GLYPHS: ReadonlyMap<number, string> = new Map([
  [k.EVENT_DOMAIN_CREATE, '◇'],
  [k.EVENT_DOMAIN_DYING, '†'],
  [k.EVENT_DOMAIN_ZOMBIE, '‡'],
  [k.EVENT_DOMAIN_GONE, '╳'],
  [k.EVENT_QUARANTINE, '▲'],
  [k.EVENT_SP_CRASH, '╳'],
  [k.EVENT_FAULT, '⚡'],
]);

export class Timeline {
  private readonly over: NamesOverTime;
  private readonly actors: Actors;
  private readonly detail: TimelineDetail;
  private readonly also: ((events: EventSource, at: number) => boolean) | undefined;
  private readonly laneColumns: number;
  private readonly open = new OpenCalls();
  private readonly ended = new Set<Actor>();
  private lastTimeNs = -1;

  /** `events`: what is known of the run beforehand; null: guests and partitions that `names` lacks share lanes. */
  constructor(names: ActorNames, events: EventSource | null, options: TimelineOptions = {}) {
    this.over = new NamesOverTime(names);
    this.actors = new Actors(names, events, LANES_OF_A_KIND);
    this.detail = options.detail ?? 'calls';
    this.also = options.also;
    const fair = Math.floor(LANES_COLUMNS / this.actors.list.length);
    this.laneColumns = Math.max(LANE_MIN, Math.min(LANE_MAX, fair));
  }

  /** The names of the lanes; long names are cut. */
  header(): StyledLine[] {
    const built = new LineBuilder().add('time (s)'.padEnd(TIME_COLUMNS + 1), 'dim');
    this.actors.list.forEach((actor, n) => {
      const short = (actor.kind === 'hypervisor' ? 'hyp' : actor.name).slice(0, this.laneColumns - 1);
      built.add(short.padEnd(this.laneColumns), this.style(n));
    });
    return [built.done()];
  }

  /** The line of record `at`, or null if it is not told at this detail. Records must come in order, each once. */
  line(events: EventSource, at: number): StyledLine | null {
    const call = this.open.see(events, at);
    this.over.see(events, at);
    const kind = events.kind(at);
    if (kind === k.EVENT_REGISTERS_HIGH || kind === k.EVENT_REGISTERS_REST) return null;
    const isTold =
      this.detail === 'all' ||
      STORY_KINDS.has(kind) ||
      (this.detail === 'calls' && CALL_KINDS.has(kind)) ||
      this.also?.(events, at) === true;
    const ends = this.actors.endsOf(events, at);
    if (kind === k.EVENT_DOMAIN_CREATE && ends !== null) this.ended.delete(ends.from);
    let told: StyledLine | null = null;
    if (isTold) {
      const words = this.words(events, at, call);
      const built = new LineBuilder().add(this.time(events.timeNs(at)), 'dim').add(' ');
      if (ends === null) this.addIdleLanes(built);
      else this.addLanes(built, ends.from, ends.to, kind);
      const speaker =
        ends === null || ends.to === null || kind === k.EVENT_TIMER_FIRE
          ? ''
          : `${this.nameOf(events, at, ends.from)}: `;
      built.add(' ').add(speaker, speaker === '' ? 'plain' : this.style(this.actors.list.indexOf(ends?.from as Actor)));
      told = built.add(words.text, words.style).done();
    }
    if (kind === k.EVENT_DOMAIN_GONE && ends !== null) this.ended.add(ends.from);
    return told;
  }

  private words(events: EventSource, at: number, call: number): EventWords | CallText {
    const { names } = this.over;
    const door = doorOf(events.kind(at));
    if (door === null) return eventWords(events, at, names);
    const words = registersOf(events, at);
    if (!door.isAnswer) return callText(words, names);
    return answerText(words, call < 0 ? 0 : functionIdOf(events, call), names);
  }

  /** Who speaks, by the name of now; in a crowd's lane too. */
  private nameOf(events: EventSource, at: number, actor: Actor): string {
    const isEndpoint = actor.kind === 'vm' || actor.kind === 'sp';
    return isEndpoint ? endpointName(this.over.names, events.argument(at, 0)) : actor.name;
  }

  private time(timeNs: number): string {
    if (timeNs === this.lastTimeNs) return ' '.repeat(TIME_COLUMNS);
    this.lastTimeNs = timeNs;
    return columnTime(timeNs).padStart(TIME_COLUMNS);
  }

  private style(lane: number): Style {
    return hue(lane);
  }

  private addIdleLanes(built: LineBuilder): void {
    for (const actor of this.actors.list) built.add(this.idle(actor), 'dim').add(' '.repeat(this.laneColumns - 1));
  }

  private idle(actor: Actor): string {
    return this.ended.has(actor) ? ' ' : '│';
  }

  private addLanes(built: LineBuilder, from: Actor, to: Actor | null, kind: number): void {
    const { list } = this.actors;
    const start = list.indexOf(from);
    const end = to === null ? start : list.indexOf(to);
    const left = Math.min(start, end);
    const right = Math.max(start, end);
    const isAnswer = doorOf(kind)?.isAnswer ?? false;
    const shaft = isAnswer ? '╌' : '─';
    const style = this.style(isAnswer ? end : start);
    for (let n = 0; n < list.length; n++) {
      const gap = this.laneColumns - 1;
      if (n < left || n > right) {
        built.add(this.idle(list[n]), 'dim').add(' '.repeat(gap));
      } else if (left === right) {
        built.add(GLYPHS.get(kind) ?? '●', this.style(n)).add(' '.repeat(gap));
      } else {
        const isRightward = start < end;
        const point = n === left ? (isRightward ? '├' : '│') : n === right ? (isRightward ? '│' : '┤') : shaft;
        built.add(point, style);
        if (n === right) built.add(' '.repeat(gap));
        else if (isRightward && n === right - 1) built.add(`${shaft.repeat(gap - 1)}▶`, style);
        else if (!isRightward && n === left) built.add(`◀${shaft.repeat(gap - 1)}`, style);
        else built.add(shaft.repeat(gap), style);
      }
    }
  }
}

/** The whole timeline. The calls with which everybody boots are told as a number, unless all is told. */
export function eventText(events: EventSource, names: ActorNames, options: TimelineOptions = {}): StyledLine[] {
  const timeline = new Timeline(names, events, options);
  const lines = timeline.header();
  const first = options.detail === 'all' ? 0 : firstLife(events);
  let bootCalls = 0;
  for (let at = 0; at < first; at++) if (doorOf(events.kind(at))?.isAnswer === false) bootCalls++;
  if (bootCalls > 0) lines.push(line(`${' '.repeat(TIME_COLUMNS + 1)}(${count(bootCalls, 'call')} at boot)`, 'dim'));
  for (let at = first; at < events.kept; at++) {
    const told = timeline.line(events, at);
    if (told !== null) lines.push(told);
  }
  return lines;
}

/** The record at which the first guest is created; 0 if the log does not begin with a boot. */
function firstLife(events: EventSource): number {
  for (let at = 0; at < events.kept; at++) if (events.kind(at) === k.EVENT_DOMAIN_CREATE) return at;
  return 0;
}
