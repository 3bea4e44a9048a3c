// What the replay of a file needs from a format: lines in, sessions out, each of which can be run.

import type { Difference } from './difference.ts';

/** `refused`: ours answers with an error where the recorded answer breaks a property that ours keeps. */
export type Verdict = 'passed' | 'failed' | 'skipped' | 'refused';

export interface SessionResult {
  readonly verdict: Verdict;
  /** Calls made, those within others included. */
  readonly calls: number;
  /** Where a session first differs: the step's number, from 1, over the setup's steps and its own. */
  readonly step: number;
  readonly operation: string;
  readonly difference: Difference | null;
  /** Why ours refused, when it did. */
  readonly refusal?: string;
}

export interface RunnableSession {
  readonly name: string;
  run(): SessionResult;
}

export interface RecordedFile {
  /** The category that the header names; '' when it names none. */
  readonly category: string;
  /** Takes line `number` (from 1), the header first; returns the session that it holds, if any. */
  line(text: string, number: number): RunnableSession | null;
}
