// The table of documented answers: call x side x version -> what may be answered, each with its source. It says what
// public implementations answer and why; a call that no row names at a side is NOT_SUPPORTED there.
//
// A call that came with a later version than the caller's is answered all the same, as Xen and Hafnium do, where no row
// says otherwise. What 1.3 added is known by name, and NOT_SUPPORTED.

import { FFA_NOT_SUPPORTED } from '../errors.ts';
import { FFA_VERSION, FUNCTION_NAMES } from '../function-ids.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../versions.ts';
import { type Chapter, type DocumentedAnswer, type DocumentedRow, on, SIDES, type Side } from './documented-answer.ts';
import { MEMORY_ANSWERS } from './memory-answers.ts';
import { MESSAGE_ANSWERS } from './message-answers.ts';
import { NOTIFICATION_ANSWERS } from './notification-answers.ts';
import { SETUP_ANSWERS } from './setup-answers.ts';

/** What one call may be answered at one side. */
export interface DocumentedCall {
  readonly fid: number;
  readonly side: Side;
  readonly chapter: Chapter;
  readonly answers: readonly DocumentedAnswer[];
  /** Calls to the SPMC whose errors the guest gets. */
  readonly relays: readonly number[];
}

/** Versions of a caller, oldest first. */
export const CALLER_VERSIONS: readonly number[] = [FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2];

/** How the table words an error that the mediator had from the SPMC. */
export const RELAYED = 'relayed from the SPMC';
/** How it words a call that a side has not. */
export const NO_SUCH_CALL = 'no call of this side';
/** How it words a guest's call before its first FFA_VERSION. */
export const UNNEGOTIATED = 'before any version was agreed on';

const ROWS: readonly DocumentedRow[] = [
  ...SETUP_ANSWERS,
  ...MESSAGE_ANSWERS,
  ...MEMORY_ANSWERS,
  ...NOTIFICATION_ANSWERS,
];

const NOT_A_CALL: Readonly<Record<Side, string>> = {
  guest: 'Xen ffa.c',
  hypervisor: 'Hafnium handler.c',
  partition: 'Hafnium handler.c',
};

/** Every call at every side, guests' first. */
export const DOCUMENTED_CALLS: readonly DocumentedCall[] = SIDES.flatMap((side) =>
  FUNCTION_NAMES.map(([fid]) => documentedCall(fid, side)),
);

const BY_SIDE: Readonly<Record<Side, ReadonlyMap<number, DocumentedCall>>> = {
  guest: callsOf('guest'),
  hypervisor: callsOf('hypervisor'),
  partition: callsOf('partition'),
};

function callsOf(side: Side): ReadonlyMap<number, DocumentedCall> {
  return new Map(DOCUMENTED_CALLS.filter((call) => call.side === side).map((call) => [call.fid, call]));
}

function rowsOf(fid: number, side: Side): DocumentedRow[] {
  return ROWS.filter((row) => row.calls.includes(fid) && row.sides.includes(side));
}

function documentedCall(fid: number, side: Side): DocumentedCall {
  const rows = rowsOf(fid, side);
  if (rows.length === 0) {
    return {
      fid,
      side,
      chapter: 'others',
      answers: [on(FFA_NOT_SUPPORTED, NO_SUCH_CALL, NOT_A_CALL[side])],
      relays: [],
    };
  }
  const answers = rows.flatMap((row) => [...row.answers, ...row.relays.flatMap(relayed)]);
  if (side === 'guest' && fid !== FFA_VERSION) answers.push(on(FFA_NOT_SUPPORTED, UNNEGOTIATED, 'Xen ad2d3a7daf'));
  return { fid, side, chapter: rows[0].chapter, answers, relays: rows.flatMap((row) => row.relays) };
}

/** The errors of a call to the SPMC as the guest gets them, one for each code. */
function relayed(fid: number): DocumentedAnswer[] {
  const first = new Map<number, DocumentedAnswer>();
  for (const { answers } of rowsOf(fid, 'hypervisor')) {
    for (const { answer, source, only, notGiven } of answers) {
      if (answer >= 0 || only.length > 0 || notGiven !== '' || first.has(answer)) continue;
      first.set(answer, on(answer, RELAYED, source));
    }
  }
  return [...first.values()];
}

/** What `fid` may be answered at `side`; undefined for an id that is none of FF-A's. */
export function documentedAnswers(fid: number, side: Side): DocumentedCall | undefined {
  return BY_SIDE[side].get(fid >>> 0);
}

/**
 * Whether somebody documents that `fid` is answered so. `version`: the caller's; 0: not known. What is no call of FF-A
 * is NOT_SUPPORTED.
 */
export function isDocumented(fid: number, side: Side, version: number, answer: number): boolean {
  const call = documentedAnswers(fid, side);
  if (call === undefined) return answer === FFA_NOT_SUPPORTED;
  for (const one of call.answers) {
    if (one.answer === answer && (version === 0 || (one.since <= version && version <= one.until))) return true;
  }
  return false;
}
