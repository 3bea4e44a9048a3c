// Who owned and who held which pages, over time, as rows of letters: a row is a run of frames with one history, a
// column a change of somebody's hold. A page that never comes back is a stripe that never becomes a dot.
//
// Only frames that were shared, pinned or in quarantine have a row; the others are counted below.

import * as k from '../base/event-kinds.ts';
import { type ActorNames, endpointName } from './actor-names.ts';
import type { EventSource } from './event-source.ts';
import { count } from './event-words.ts';
import { FrameOwners } from './frame-owners.ts';
import { type FrameRun, FrameRuns, OWNER_FREE } from './frame-runs.ts';
import { HUES, LineBuilder, line, type Style, type StyledLine } from './styled-text.ts';
import { columnTime } from './time-text.ts';

export interface OwnershipMapOptions {
  /** Columns for the ribbon. */
  readonly columns?: number;
}

const COLUMNS = 64;
const ROWS_SHOWN = 32;
/** A longer name of an owner is cut. */
const NAME_COLUMNS_MAX = 14;
const TIMES_EVERY = 16;
/** A short run gets wide cells. */
const CELL_MAX = 4;

const FREE = '.';
const PINNED = '~';
const HELD_AFTER_DEATH = '#';
const QUARANTINED = 'Q';
const SEVERAL = '+';
const NOT_YET = ' ';
const FIRST_SECURE_ID = 0x8000;
/** The last letter stands for all that come after it. */
const VM_LETTERS = 'abcdefghijklmnopqrstuvwxyz';
/** Q says quarantine. */
const SP_LETTERS = 'ABCDEFGHIJKLMNOPRSTUVWXYZ';

interface Row {
  readonly first: number;
  count: number;
  /** The letter from a moment on, for each moment at which it changed. */
  readonly changes: { readonly moment: number; readonly letter: string }[];
  readonly owner: string;
}

interface Moment {
  readonly timeNs: number;
  /** What happened at it: `†` somebody dies, `╳` is gone, `▲` quarantine. */
  mark: string;
}

/** The map, its times and its legend. */
export function ownershipMap(events: EventSource, names: ActorNames, options: OwnershipMapOptions = {}): StyledLine[] {
  const letters = new Letters(names, events);
  const { rows, moments, otherPages } = history(events, names, letters);
  const width = options.columns ?? COLUMNS;
  const columns = bucketsOf(moments.length, width);
  const cell = Math.max(1, Math.min(CELL_MAX, Math.floor(width / columns.length)));
  const lines: StyledLine[] = [line('Who holds which pages', 'title')];
  if (rows.length === 0)
    return [...lines, line(`No page was shared; ${count(otherPages, 'page')} never left their owner.`)];
  const shown = chooseRows(rows);
  const margin = shown.reduce((most, row) => Math.max(most, label(row).length), 0) + 2;
  lines.push(markLine(moments, columns, cell, margin));
  for (const row of shown) lines.push(rowLine(row, columns, cell, margin, letters));
  if (rows.length > shown.length) {
    const chosen = new Set(shown);
    const open = rows.filter((row) => !chosen.has(row) && lastLetter(row) !== FREE).length;
    const end = open === 0 ? 'all free at the end' : `${open} of them not free at the end`;
    lines.push(line(`… ${count(rows.length - shown.length, 'more row')}, ${end}`, 'dim'));
  }
  lines.push(timeLine(moments, columns, cell, margin), ...letters.legend(lettersIn(shown)));
  if (moments.length > columns.length) {
    lines.push(
      line(`A column is up to ${Math.ceil(moments.length / columns.length)} changes and shows the last.`, 'dim'),
    );
  }
  if (otherPages > 0) lines.push(line(`${count(otherPages, 'page')} besides were never shared.`, 'dim'));
  return lines;
}

/** Which letter stands for whom. */
class Letters {
  private readonly ofSpace = new Map<number, string>();
  private readonly names: ActorNames;
  /** VM ids of guests that are on their way out. */
  private readonly dying = new Set<number>();

  constructor(names: ActorNames, events: EventSource) {
    this.names = names;
    const vms = new Set(names.vms.map((one) => one.id));
    const sps = new Set(names.sps.map((one) => one.id));
    for (let at = 0; at < events.kept; at++) {
      if (events.kind(at) === k.EVENT_DOMAIN_CREATE) vms.add(events.argument(at, 0));
      if (events.kind(at) === k.EVENT_MAP && events.argument(at, 0) >= FIRST_SECURE_ID) sps.add(events.argument(at, 0));
    }
    let n = 0;
    for (const id of vms) this.ofSpace.set(id, VM_LETTERS[Math.min(n++, VM_LETTERS.length - 1)]);
    n = 0;
    for (const id of sps) this.ofSpace.set(id, SP_LETTERS[Math.min(n++, SP_LETTERS.length - 1)]);
  }

  see(events: EventSource, at: number): void {
    if (events.kind(at) === k.EVENT_DOMAIN_CREATE) this.dying.delete(events.argument(at, 0));
    if (events.kind(at) === k.EVENT_DOMAIN_DYING) this.dying.add(events.argument(at, 0));
  }

  /** The letter of one run of frames now. */
  letter(run: FrameRun, owners: FrameOwners): string {
    return this.find(run, owners);
  }

  style(letter: string): Style {
    if (letter === QUARANTINED || letter === HELD_AFTER_DEATH) return 'warning';
    if (letter === FREE || letter === NOT_YET) return 'dim';
    if (letter === PINNED || letter === SEVERAL) return 'strong';
    return HUES[[...this.ofSpace.values()].indexOf(letter) % HUES.length];
  }

  /** What the letters in `used` stand for. */
  legend(used: ReadonlySet<string>): StyledLine[] {
    const built = new LineBuilder();
    const add = (letter: string, text: string) => {
      if (used.has(letter)) built.add(letter, this.style(letter)).add(` ${text}   `);
    };
    for (const letter of new Set(this.ofSpace.values())) {
      const spaces = [...this.ofSpace].filter((one) => one[1] === letter).map((one) => one[0]);
      const others = spaces.length > 1 ? ` and ${spaces.length - 1} more` : '';
      add(letter, `${endpointName(this.names, spaces[0])}${others}`);
    }
    add(SEVERAL, 'several borrowers');
    add(PINNED, 'shared, not mapped by a borrower');
    add(HELD_AFTER_DEATH, 'held after its owner died');
    add(QUARANTINED, 'quarantine');
    add(FREE, 'free');
    return [built.done(), line('A capital letter: that partition maps the pages of the row.', 'dim')];
  }

  private find(run: FrameRun, owners: FrameOwners): string {
    if (run.owner === OWNER_FREE) {
      // A guest that is on its way out needs no unmapping: its stage 2 goes with it.
      const users = run.spaces.filter((space) => space >= FIRST_SECURE_ID || !this.dying.has(space));
      return users.length > 0 ? this.borrower(users) : FREE;
    }
    if (run.isQuarantined) return QUARANTINED;
    const life = owners.life(run.owner);
    const borrowers = run.spaces.filter((space) => space !== life.vm);
    if (borrowers.length > 0) return this.borrower(borrowers);
    if (life.isDying) return HELD_AFTER_DEATH;
    if (run.references > 1) return PINNED;
    return this.ofSpace.get(life.vm) ?? '?';
  }

  private borrower(spaces: readonly number[]): string {
    return spaces.length > 1 ? SEVERAL : (this.ofSpace.get(spaces[0]) ?? '?');
  }
}

interface History {
  readonly rows: readonly Row[];
  readonly moments: readonly Moment[];
  readonly otherPages: number;
}

function history(events: EventSource, names: ActorNames, letters: Letters): History {
  const scout = new FrameRuns();
  for (let at = 0; at < events.kept; at++) scout.see(events, at);
  const cells = new Map<number, Row>();
  let otherPages = 0;
  for (const run of scout.list) {
    if (run.wasShared) cells.set(run.first, { first: run.first, count: run.count, changes: [], owner: '' });
    else otherPages += run.count;
  }
  const cellOrder = [...cells.values()];

  const runs = new FrameRuns();
  const owners = new FrameOwners(names, events);
  const moments: Moment[] = [];
  const now = new Map<Row, string>();
  const homes = new Map<Row, Set<string>>();
  for (let at = 0; at < events.kept; at++) {
    owners.see(events, at);
    letters.see(events, at);
    const mark = markOf(events.kind(at));
    let isChanged = mark !== '';
    const touched: Row[] = [];
    const changed = events.kind(at) === k.EVENT_DOMAIN_DYING ? runs.list : runs.see(events, at);
    for (const run of changed) {
      for (const row of rowsIn(cellOrder, run)) {
        const letter = letters.letter(run, owners);
        if (now.get(row) !== letter) {
          isChanged = true;
          touched.push(row);
        }
        now.set(row, letter);
        if (run.home > OWNER_FREE) addTo(homes, row, owners.life(run.home).name);
      }
    }
    if (!isChanged || cellOrder.length === 0) continue;
    for (const row of touched) {
      const letter = now.get(row) ?? NOT_YET;
      if (row.changes[row.changes.length - 1]?.letter !== letter) row.changes.push({ moment: moments.length, letter });
    }
    moments.push({ timeNs: events.timeNs(at), mark });
  }
  return {
    rows: mergeAlike(cellOrder.map((row) => ({ ...row, owner: [...(homes.get(row) ?? [])].join('/') }))),
    moments,
    otherPages,
  };
}

function addTo(sets: Map<Row, Set<string>>, row: Row, name: string): void {
  const set = sets.get(row);
  if (set === undefined) sets.set(row, new Set([name]));
  else set.add(name);
}

/** The rows whose frames lie in `run`: a scout's rows never straddle a run's end. */
function rowsIn(rows: readonly Row[], run: FrameRun): Row[] {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].first < run.first) low = middle + 1;
    else high = middle;
  }
  const found: Row[] = [];
  while (low < rows.length && rows[low].first < run.first + run.count) found.push(rows[low++]);
  return found;
}

function mergeAlike(rows: readonly Row[]): Row[] {
  const merged: Row[] = [];
  for (const row of rows) {
    const last = merged[merged.length - 1];
    const isNext = last !== undefined && last.first + last.count === row.first && last.owner === row.owner;
    if (isNext && sameChanges(last, row)) last.count += row.count;
    else merged.push({ ...row });
  }
  return merged;
}

function sameChanges(a: Row, b: Row): boolean {
  if (a.changes.length !== b.changes.length) return false;
  return a.changes.every(({ letter, moment }, n) => b.changes[n].letter === letter && b.changes[n].moment === moment);
}

/**
 * At most ROWS_SHOWN rows, by frame; those that do not end free before those that do. A long run is looked at for what
 * did not come back.
 */
function chooseRows(rows: readonly Row[]): readonly Row[] {
  if (rows.length <= ROWS_SHOWN) return rows;
  const isOpen = (row: Row) => lastLetter(row) !== FREE;
  const chosen = new Set([...rows.filter(isOpen), ...rows.filter((row) => !isOpen(row))].slice(0, ROWS_SHOWN));
  return rows.filter((row) => chosen.has(row));
}

function lettersIn(rows: readonly Row[]): ReadonlySet<string> {
  return new Set(rows.flatMap((row) => row.changes.map((change) => change.letter)));
}

function lastLetter(row: Row): string {
  return row.changes[row.changes.length - 1]?.letter ?? NOT_YET;
}

function markOf(kind: number): string {
  if (kind === k.EVENT_DOMAIN_DYING) return '†';
  if (kind === k.EVENT_DOMAIN_GONE) return '╳';
  return kind === k.EVENT_QUARANTINE ? '▲' : '';
}

/** For each column, the moments [from, to) that it stands for. */
function bucketsOf(moments: number, most: number): { readonly from: number; readonly to: number }[] {
  const columns = Math.min(moments, most);
  const buckets: { from: number; to: number }[] = [];
  for (let n = 0; n < columns; n++) {
    buckets.push({ from: Math.floor((n * moments) / columns), to: Math.floor(((n + 1) * moments) / columns) });
  }
  return buckets;
}

type Buckets = ReturnType<typeof bucketsOf>;

function markLine(moments: readonly Moment[], columns: Buckets, cell: number, margin: number): StyledLine {
  const built = new LineBuilder().add(' '.repeat(margin));
  for (const { from, to } of columns) {
    const marks = moments.slice(from, to).filter((moment) => moment.mark !== '');
    built.add((marks[0]?.mark ?? ' ').padEnd(cell), 'warning');
  }
  return built.done();
}

/** `g1  0x40012+4`: whose the frames were, and which they are. */
function label(row: Row): string {
  const { count: frames, first, owner } = row;
  const name = owner.length > NAME_COLUMNS_MAX ? `${owner.slice(0, NAME_COLUMNS_MAX - 1)}…` : owner;
  return `${name.padEnd(6)} 0x${first.toString(16)}${frames === 1 ? '' : `+${frames}`}`;
}

function rowLine(row: Row, columns: Buckets, cell: number, margin: number, letters: Letters): StyledLine {
  const built = new LineBuilder().add(label(row).padEnd(margin), 'dim');
  let next = 0;
  let letter = NOT_YET;
  for (const { to } of columns) {
    while (next < row.changes.length && row.changes[next].moment < to) letter = row.changes[next++].letter;
    built.add(letter.repeat(cell), letters.style(letter));
  }
  return built.done();
}

/** Times under the ribbon, each beginning at its column. */
function timeLine(moments: readonly Moment[], columns: Buckets, cell: number, margin: number): StyledLine {
  let text = ' '.repeat(margin);
  for (let n = 0; n < columns.length; n += Math.ceil(TIMES_EVERY / cell)) {
    text = `${text.padEnd(margin + n * cell)}^${columnTime(moments[columns[n].to - 1].timeNs)} s`;
  }
  return line(text, 'dim');
}
