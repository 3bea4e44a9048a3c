// The closing table: for each guest that lived, how many pages it had and where each of them is now. The columns of a
// row add up to its first, by construction of the counts: a page that nobody accounts for would show as missing.

import type { ActorNames } from './actor-names.ts';
import type { EventSource } from './event-source.ts';
import { count } from './event-words.ts';
import { FrameOwners } from './frame-owners.ts';
import { type FrameRun, FrameRuns, OWNER_FREE } from './frame-runs.ts';
import { LineBuilder, line, type Style, type StyledLine } from './styled-text.ts';

/** Where the pages of one owner are at the end. */
export interface PagesOfOwner {
  readonly owner: number;
  readonly name: string;
  readonly state: 'alive' | 'dying' | 'gone';
  readonly pages: number;
  /** Back on the free list (perhaps used by somebody else since). */
  readonly returned: number;
  /** Still the owner's, and nobody else holds them. */
  readonly own: number;
  /** Still the owner's, and pinned or mapped by somebody else, or the owner is dying. */
  readonly held: number;
  readonly quarantined: number;
  /** Given away: now another owner's. */
  readonly elsewhere: number;
}

const ROWS_SHOWN = 24;
const HEADINGS = ['', 'pages', 'returned', 'its own', 'held', 'quarantine', 'elsewhere'];
const NAME_COLUMNS_MIN = 14;
const COLUMN = 11;

/** Each owner that ever had pages, in the order in which they came. */
export function pagesOfOwners(events: EventSource, names: ActorNames): PagesOfOwner[] {
  const runs = new FrameRuns();
  const owners = new FrameOwners(names, events);
  for (let at = 0; at < events.kept; at++) {
    runs.see(events, at);
    owners.see(events, at);
  }
  const list: PagesOfOwner[] = [];
  const runsOf = new Map<number, FrameRun[]>();
  for (const run of runs.list) {
    const others = runsOf.get(run.home);
    if (others === undefined) runsOf.set(run.home, [run]);
    else others.push(run);
  }
  for (const [owner, pages] of runs.allocated) {
    if (owner <= OWNER_FREE) continue;
    const life = owners.life(owner);
    let own = 0;
    let held = 0;
    let quarantined = 0;
    let elsewhere = 0;
    for (const run of runsOf.get(owner) ?? []) {
      const isHeld = run.references > 1 || run.spaces.length > 1 || life.isDying;
      if (run.isQuarantined) quarantined += run.count;
      else if (run.owner !== owner) elsewhere += run.count;
      else if (isHeld) held += run.count;
      else own += run.count;
    }
    const state = life.isGone ? 'gone' : life.isDying ? 'dying' : 'alive';
    const returned = runs.returned.get(owner) ?? 0;
    list.push({ owner, name: life.name, state, pages, returned, own, held, quarantined, elsewhere });
  }
  return list;
}

/** The table. */
export function wherePagesWent(events: EventSource, names: ActorNames): StyledLine[] {
  const list = pagesOfOwners(events, names);
  const shown = chooseOwners(list);
  const width = shown.reduce((most, row) => Math.max(most, markedName(row).length + 2), NAME_COLUMNS_MIN);
  const lines: StyledLine[] = [line('Where each page went', 'title'), headingLine(width)];
  for (const row of shown) lines.push(rowLine(row, width));
  if (list.length > shown.length) {
    const chosen = new Set(shown);
    const rest = list.filter((row) => !chosen.has(row));
    lines.push(rowLine({ ...sum(rest), name: `… ${rest.length} more` }, width));
  }
  if (list.length > 1) lines.push(rowLine({ ...sum(list), name: 'all' }, width));
  lines.push(closingLine(sum(list)));
  return lines;
}

/** At most ROWS_SHOWN owners, in their order; those whose pages did not all come back before the others. */
function chooseOwners(list: readonly PagesOfOwner[]): readonly PagesOfOwner[] {
  if (list.length <= ROWS_SHOWN) return list;
  const isOpen = (row: PagesOfOwner) => row.held > 0 || row.quarantined > 0;
  const chosen = new Set([...list.filter(isOpen), ...list.filter((row) => !isOpen(row))].slice(0, ROWS_SHOWN));
  return list.filter((row) => chosen.has(row));
}

function headingLine(width: number): StyledLine {
  return line(
    `${' '.repeat(width)}${HEADINGS.slice(1)
      .map((one) => one.padStart(COLUMN))
      .join('')}`,
    'dim',
  );
}

function markedName({ name, state }: PagesOfOwner): string {
  return state === 'gone' ? `${name} ╳` : state === 'dying' ? `${name} †` : name;
}

function rowLine(row: PagesOfOwner, width: number): StyledLine {
  const built = new LineBuilder().add(markedName(row).padEnd(width), 'strong');
  const add = (pages: number, style: Style) => built.add(String(pages).padStart(COLUMN), pages === 0 ? 'dim' : style);
  add(row.pages, 'plain');
  add(row.returned, 'good');
  add(row.own, 'plain');
  add(row.held, 'warning');
  add(row.quarantined, 'warning');
  add(row.elsewhere, 'plain');
  return built.done();
}

function sum(list: readonly PagesOfOwner[]): PagesOfOwner {
  const total = { pages: 0, returned: 0, own: 0, held: 0, quarantined: 0, elsewhere: 0 };
  for (const row of list) {
    total.pages += row.pages;
    total.returned += row.returned;
    total.own += row.own;
    total.held += row.held;
    total.quarantined += row.quarantined;
    total.elsewhere += row.elsewhere;
  }
  return { owner: OWNER_FREE, name: '', state: 'alive', ...total };
}

function closingLine(all: PagesOfOwner): StyledLine {
  const { elsewhere, held, own, pages, quarantined, returned } = all;
  const missing = pages - returned - own - held - quarantined - elsewhere;
  if (missing !== 0) return line(`${count(missing, 'page')} of ${pages} cannot be accounted for`, 'wrong');
  return line(`Every one of ${count(pages, 'page')} is accounted for.`, 'good');
}
