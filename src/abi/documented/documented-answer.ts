// How the table of documented answers is written: who calls, what answers, when, and who says so in public.
//
// A row holds for each of its calls and sides. Versions are the caller's.

import { FFA_NOT_SUPPORTED } from '../errors.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_2 } from '../versions.ts';

/** Who calls whom: a guest its hypervisor's mediator, the hypervisor the SPMC, a secure partition the SPMC. */
export type Side = 'guest' | 'hypervisor' | 'partition';

/** Every side, in the order of the page. */
export const SIDES: readonly Side[] = ['guest', 'hypervisor', 'partition'];

/** The call ends its caller: nothing is answered. */
export const NO_ANSWER = 0;

/** The chapters of the page. */
export type Chapter = 'setup' | 'messages' | 'memory' | 'notifications' | 'others';

export interface DocumentedAnswer {
  /**
   * A function id, an error code (negative), or NO_ANSWER. FFA_VERSION stands for a version in w0; its error is in w0
   * too.
   */
  readonly answer: number;
  /** Why. Unique among the answers of one call at one side. */
  readonly when: string;
  /** A key of `CITATIONS`. */
  readonly source: string;
  /** Oldest and newest version of a caller that is answered so. */
  readonly since: number;
  readonly until: number;
  /** Profiles or personalities that answer so, where it is not the default one; empty: the default one does. */
  readonly only: readonly string[];
  /** Why nobody here ever answers so; empty where somebody does. */
  readonly notGiven: string;
}

export interface DocumentedRow {
  readonly chapter: Chapter;
  readonly sides: readonly Side[];
  readonly calls: readonly number[];
  readonly answers: readonly DocumentedAnswer[];
  /** Calls to the SPMC whose error the mediator passes on to the guest. */
  readonly relays: readonly number[];
}

/** What an answer may say beside its reason. */
export interface AnswerLimits {
  readonly since?: number;
  readonly until?: number;
  readonly only?: readonly string[];
  readonly notGiven?: string;
}

/** One documented answer. */
export function on(answer: number, when: string, source: string, limits: AnswerLimits = {}): DocumentedAnswer {
  return {
    answer,
    when,
    source,
    since: limits.since ?? FFA_VERSION_1_0,
    until: limits.until ?? FFA_VERSION_1_2,
    only: limits.only ?? [],
    notGiven: limits.notGiven ?? '',
  };
}

/** A call that a personality's SPMC has not; made with nothing in its registers. */
export const ABSENT_CALL = 'this SPMC has no such call';

/** Calls that are NOT_SUPPORTED in one personality only. */
export function absent(personality: string, source: string): DocumentedAnswer {
  return on(FFA_NOT_SUPPORTED, `${ABSENT_CALL} (${personality})`, source, { only: [personality] });
}

/** The same answers of these personalities only, as `source` documents them. */
export function ofOthers(
  answers: readonly DocumentedAnswer[],
  personalities: readonly string[],
  source: string,
): DocumentedAnswer[] {
  return answers.map((answer) => ({ ...answer, source, only: personalities }));
}

/** A row of one chapter. */
export function row(
  chapter: Chapter,
  sides: readonly Side[],
  calls: readonly number[],
  answers: readonly DocumentedAnswer[],
  relays: readonly number[] = [],
): DocumentedRow {
  return { chapter, sides, calls, answers, relays };
}
