// Event files: JSON Lines. The first line says what it is, for which version of the events, and who is who; each other
// line is one event with its arguments by name, so that a person, `grep` and `jq` can read it, and no number is lost:
// reading a file gives the same records, bit for bit.
//
//     {"format":"ffabric-events/1","world":"destroy-while-held","names":{"vms":[{"id":1,"name":"g1"}],"sps":[]}}
//     {"ns":0,"pe":0,"event":"guest-call","vm":1,"x":["0x84000063","0x10002"]}
//
// Registers are a list without the zeros at its end. The reader is strict: an event that it does not know, an argument
// too many or too few is a mistake in the file, reported with its line and column.

import { EVENT_FORMAT, EVENT_KINDS, type EventKind } from '../base/event-kinds.ts';
import { EVENT_ARGUMENTS, EventLog } from '../base/event-log.ts';
import { UserError } from '../base/user-error.ts';
import { type ActorNames, type NamedActor, NO_NAMES } from './actor-names.ts';
import type { EventSource } from './event-source.ts';

const FORMAT = `ffabric-events/${EVENT_FORMAT}`;
/** Arguments of this name begin a list of registers. */
const FIRST_REGISTER = 'x0Hex';

export interface EventFileHeader {
  /** Name of the world that ran. */
  readonly world: string;
  readonly names: ActorNames;
}

export interface EventFile {
  readonly header: EventFileHeader;
  readonly events: EventLog;
}

const KIND_OF_NAME: ReadonlyMap<string, number> = new Map(
  [...EVENT_KINDS].map(([number, kind]) => [kind.name, number]),
);

/** The header line, without a line break. */
export function eventFileHeader(header: EventFileHeader): string {
  return JSON.stringify({ format: FORMAT, world: header.world, names: header.names });
}

/** The line of record `at`, without a line break. */
export function eventFileLine(events: EventSource, at: number): string {
  const number = events.kind(at);
  const kind = EVENT_KINDS.get(number);
  const name = kind?.name ?? `kind-${number}`;
  let text = `{"ns":${events.timeNs(at)},"pe":${events.pe(at)},"event":"${name}"`;
  const names = kind?.arguments ?? [];
  for (let n = 0; n < names.length; n++) {
    if (names[n] === FIRST_REGISTER) {
      text += `,"x":[${registerList(events, at, n, names.length)}]`;
      break;
    }
    const isHex = names[n].endsWith('Hex');
    const value = events.argument(at, n);
    text += `,"${plainName(names[n])}":${isHex && value >= 0 ? `"0x${value.toString(16)}"` : value}`;
  }
  return `${text}}`;
}

/** A whole file. */
export function writeEventFile(events: EventSource, header: EventFileHeader): string {
  const lines = [eventFileHeader(header)];
  for (let at = 0; at < events.kept; at++) lines.push(eventFileLine(events, at));
  return `${lines.join('\n')}\n`;
}

/** Reads a whole file. `file` names it in messages. */
export function readEventFile(text: string, file: string): EventFile {
  const lines = text.split('\n');
  if (lines[lines.length - 1] === '') lines.pop();
  const header = readHeader(parseLine(lines[0] ?? '', file, 1), file);
  const events = new EventLog();
  events.keep();
  for (let n = 1; n < lines.length; n++) readEvent(events, parseLine(lines[n], file, n + 1), lines[n], file, n + 1);
  return { header, events };
}

function registerList(events: EventSource, at: number, first: number, end: number): string {
  let last = end;
  while (last > first && events.argument(at, last - 1) === 0) last--;
  let text = '';
  for (let n = first; n < last; n++) text += `${n > first ? ',' : ''}"0x${events.argument(at, n).toString(16)}"`;
  return text;
}

/** `frame` of `frameHex`. */
function plainName(argument: string): string {
  return argument.endsWith('Hex') ? argument.slice(0, -3) : argument;
}

function parseLine(text: string, file: string, line: number): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const position = /at position (\d+)/.exec((error as Error).message)?.[1];
    const column = position === undefined ? Math.max(1, text.length) : Number(position) + 1;
    throw new UserError('this is not JSON', { file, line, column }, 'an event file has one JSON object a line');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UserError('this is no object', { file, line, column: 1 }, 'an event file has one JSON object a line');
  }
  return value as Record<string, unknown>;
}

function readHeader(line: Record<string, unknown>, file: string): EventFileHeader {
  const place = { file, line: 1, column: 1 };
  if (typeof line['format'] !== 'string' || !line['format'].startsWith('ffabric-events/')) {
    const found =
      line['format'] === undefined ? 'there is no "format"' : `"format" is ${JSON.stringify(line['format'])}`;
    throw new UserError(`this is no event file: ${found}`, place, `its first line has "format":"${FORMAT}"`);
  }
  if (line['format'] !== FORMAT) {
    throw new UserError(`events of ${line['format']}`, place, `this ffabric reads ${FORMAT}`);
  }
  const { world, names } = line;
  return {
    world: typeof world === 'string' ? world : '',
    names: names === undefined ? NO_NAMES : readNames(names, place),
  };
}

function readNames(value: unknown, place: { file: string; line: number; column: number }): ActorNames {
  const names = value as Partial<ActorNames> | null;
  const isActors = (list: unknown): list is NamedActor[] =>
    Array.isArray(list) && list.every((one) => Number.isInteger(one?.id) && typeof one?.name === 'string');
  const isTexts = (texts: unknown): boolean =>
    typeof texts === 'object' &&
    texts !== null &&
    Object.values(texts).every((list) => Array.isArray(list) && list.every((one) => typeof one === 'string'));
  if (
    typeof names !== 'object' ||
    names === null ||
    !isActors(names.vms) ||
    !isActors(names.sps) ||
    !(names.owners === undefined || isActors(names.owners)) ||
    !(names.texts === undefined || isTexts(names.texts))
  ) {
    throw new UserError(
      '"names" does not say who is who',
      place,
      'it has "vms" and "sps", each a list of {"id", "name"}',
    );
  }
  return names as ActorNames;
}

function readEvent(
  events: EventLog,
  line: Record<string, unknown>,
  text: string,
  file: string,
  lineNumber: number,
): void {
  const place = (key: string) => ({ file, line: lineNumber, column: Math.max(1, text.indexOf(`"${key}"`) + 1) });
  const name = line['event'];
  const number = typeof name === 'string' ? KIND_OF_NAME.get(name) : undefined;
  if (number === undefined) {
    const found = name === undefined ? 'there is no "event"' : `no event is called ${JSON.stringify(name)}`;
    throw new UserError(found, place('event'), `events are called ${nearestNames(String(name))}`);
  }
  const kind = EVENT_KINDS.get(number) as EventKind;
  const expected = expectedKeys(kind);
  for (const key of Object.keys(line)) {
    if (expected.includes(key)) continue;
    throw new UserError(`${kind.name} has no "${key}"`, place(key), `it has ${expected.slice(3).join(', ')}`);
  }
  for (const key of expected) {
    if (line[key] === undefined)
      throw new UserError(`${kind.name} lacks "${key}"`, { file, line: lineNumber, column: 1 });
  }
  const values = new Array<number>(EVENT_ARGUMENTS).fill(0);
  for (let n = 0; n < kind.arguments.length; n++) {
    const argument = kind.arguments[n];
    if (argument === FIRST_REGISTER) {
      readRegisters(values, n, kind, line['x'], place('x'));
      break;
    }
    values[n] = readNumber(line[plainName(argument)], plainName(argument), place(plainName(argument)));
  }
  events.nowNs = readNumber(line['ns'], 'ns', place('ns'));
  const [a, b, c, d, e, f, g, h, i] = values;
  events.emit(number, readNumber(line['pe'], 'pe', place('pe')), a, b, c, d, e, f, g, h, i);
}

function expectedKeys(kind: EventKind): string[] {
  const keys = ['ns', 'pe', 'event'];
  for (const argument of kind.arguments) {
    if (argument === FIRST_REGISTER) {
      keys.push('x');
      break;
    }
    keys.push(plainName(argument));
  }
  return keys;
}

function readRegisters(
  values: number[],
  first: number,
  kind: EventKind,
  list: unknown,
  place: { file: string; line: number; column: number },
): void {
  const room = kind.arguments.length - first;
  if (!Array.isArray(list) || list.length > room) {
    throw new UserError('"x" is no list of registers', place, `it has at most ${room} numbers such as "0x84000063"`);
  }
  for (let n = 0; n < list.length; n++) values[first + n] = readNumber(list[n], `x[${n}]`, place);
}

function readNumber(value: unknown, key: string, place: { file: string; line: number; column: number }): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && /^0x[0-9a-f]{1,16}$/.test(value)) {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
  }
  throw new UserError(`"${key}" is ${JSON.stringify(value)}`, place, 'it takes a number, or hex such as "0x84000063"');
}

/** Names of events that begin as `name` does, or all. */
function nearestNames(name: string): string {
  const all = [...KIND_OF_NAME.keys()];
  const near = all.filter((one) => name.length > 1 && (one.startsWith(name.slice(0, 3)) || name.startsWith(one)));
  return (near.length > 0 ? near : all).join(', ');
}
