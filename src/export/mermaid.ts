// A run, or a part of one, as a Mermaid sequence diagram, which GitHub and many editors draw.
//
// A diagram that nobody can read helps nobody: after `mostMessages` it ends with a note that says how many are left
// out.

import * as k from '../base/event-kinds.ts';
import type { ActorNames } from './actor-names.ts';
import { type Actor, Actors } from './actors.ts';
import { answerText, callText } from './call-text.ts';
import type { EventSource } from './event-source.ts';
import { eventWords } from './event-words.ts';
import { NamesOverTime } from './names-over-time.ts';
import { doorOf, pairCalls } from './open-calls.ts';
import { functionIdOf, registersOf } from './registers-of.ts';
import { columnTime } from './time-text.ts';

export interface MermaidOptions {
  /** First record to draw; 0 if absent. */
  readonly from?: number;
  /** Record before which to end; all if absent. */
  readonly to?: number;
  /** Messages and notes drawn at most. */
  readonly mostMessages?: number;
}

const MOST_MESSAGES = 200;
/** More guests, or more partitions, than this share one lifeline. */
const LIFELINES_OF_A_KIND = 10;

const NOTED: ReadonlySet<number> = new Set([
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
  k.EVENT_SP_CRASH,
  k.EVENT_SP_PREEMPTED,
  k.EVENT_DMA_START,
  k.EVENT_DMA_END,
  k.EVENT_FAULT,
  k.EVENT_STORY,
  k.EVENT_EXPECTATION,
  k.EVENT_VIOLATION,
]);

/** The diagram, ended by a line break. */
export function mermaidDiagram(events: EventSource, names: ActorNames, options: MermaidOptions = {}): string {
  const actors = new Actors(names, events, LIFELINES_OF_A_KIND);
  const over = new NamesOverTime(names);
  const partner = pairCalls(events);
  const most = options.mostMessages ?? MOST_MESSAGES;
  const to = Math.min(options.to ?? events.kept, events.kept);
  const body: string[] = [];
  const drawn = new Set<Actor>();
  let left = 0;
  let lastNs = -1;
  for (let at = 0; at < to; at++) {
    over.see(events, at);
    if (at < (options.from ?? 0)) continue;
    const line = drawRecord(events, at, over.names, actors, partner, drawn, body.length < most);
    if (line === null) continue;
    if (body.length >= most) {
      left++;
      continue;
    }
    const timeNs = events.timeNs(at);
    if (timeNs !== lastNs && lastNs >= 0) body.push(`  Note over ${id(actors.hypervisor)}: ${columnTime(timeNs)} s`);
    lastNs = timeNs;
    body.push(line);
  }
  drawn.add(actors.hypervisor);
  const head = ['sequenceDiagram'];
  for (const actor of actors.list) {
    if (drawn.has(actor)) head.push(`  participant ${id(actor)} as ${escapeText(actor.name)}`);
  }
  if (left > 0) body.push(`  Note over ${id(actors.hypervisor)}: … ${left} more`);
  return `${[...head, ...body].join('\n')}\n`;
}

/** The line of one record, or null; remembers whom it draws if `isDrawn`. */
function drawRecord(
  events: EventSource,
  at: number,
  names: ActorNames,
  actors: Actors,
  partner: Int32Array,
  drawn: Set<Actor>,
  isDrawn: boolean,
): string | null {
  const kind = events.kind(at);
  const ends = actors.endsOf(events, at);
  const door = doorOf(kind);
  if (door === null && !NOTED.has(kind)) return null;
  if (!isDrawn) return '';
  const from = ends?.from ?? actors.hypervisor;
  drawn.add(from);
  if (ends === null) {
    drawn.add(actors.hypervisor);
    drawn.add(actors.spmc);
    return `  Note over ${id(actors.hypervisor)},${id(actors.spmc)}: ${escapeText(eventWords(events, at, names).text)}`;
  }
  if (door === null || ends.to === null) {
    return `  Note over ${id(from)}: ${escapeText(eventWords(events, at, names).text)}`;
  }
  drawn.add(ends.to);
  const words = registersOf(events, at);
  const callFid = partner[at] < 0 ? 0 : functionIdOf(events, partner[at]);
  const text = door.isAnswer ? answerText(words, callFid, names) : callText(words, names);
  const isError = door.isAnswer && text.style === 'warning';
  const arrow = door.isAnswer ? (isError ? '--x' : '-->>') : '->>';
  return `  ${id(from)}${arrow}${id(ends.to)}: ${escapeText(text.text)}`;
}

/** A name that Mermaid takes for a participant: letters and digits, and none of its own words. */
function id(actor: Actor): string {
  if (actor.kind === 'vm') return actor.id < 0 ? 'guests' : `vm${actor.id}`;
  if (actor.kind === 'sp') return actor.id < 0 ? 'partitions' : `sp${actor.id.toString(16)}`;
  return actor.kind;
}

/** Text without what Mermaid would take for its own: `;` ends a statement, `#` begins an entity, `<` HTML. */
function escapeText(text: string): string {
  return text.replaceAll(/[#;<>\n]/g, (one) => (one === '\n' ? ' ' : `#${one.charCodeAt(0)};`));
}
