// Replays one vector file, line by line, and counts.

import { UserError } from '../base/user-error.ts';
import type { Profile } from '../hypervisor/profile.ts';
import { PROFILES } from '../hypervisor/profiles/profile-table.ts';
import { type ReplayOptions, SessionReplay, type SessionResult } from './session-replay.ts';
import { VectorReader, type VectorSession } from './vector-reader.ts';

export interface FileReplayOptions extends ReplayOptions {
  /** Replays on this profile, whatever the file names. */
  readonly profile?: Profile | null;
  /** Only sessions whose name contains this. */
  readonly session?: string;
}

/** Where a session first differs from its recording. */
export interface Failure {
  readonly file: string;
  readonly session: string;
  /** Number of the step, from 1, over the steps of the session's setup and its own. */
  readonly step: number;
  /** The step's operation. */
  readonly operation: string;
  /** Which part of the answer, and what was recorded. */
  readonly expected: string;
  readonly got: string;
}

export class FileReplay {
  readonly file: string;
  passed = 0;
  failed = 0;
  skipped = 0;
  /** Guest calls made. */
  calls = 0;
  readonly failures: Failure[] = [];
  private readonly reader: VectorReader;
  private readonly options: FileReplayOptions;
  private replay: SessionReplay | null = null;

  constructor(file: string, options: FileReplayOptions = {}) {
    this.file = file;
    this.options = options;
    this.reader = new VectorReader(file);
  }

  /** The category that the header names. */
  get category(): string {
    return this.reader.header.category;
  }

  /** Takes line `number` (from 1). A line that cannot be read is a UserError. */
  line(text: string, number: number): void {
    const session = this.reader.line(text, number);
    if (session === null) return;
    const { session: wanted } = this.options;
    if (wanted !== undefined && !session.name.includes(wanted)) return;
    this.replay ??= new SessionReplay(this.file, this.profile(), this.options);
    this.count(session, this.replay.run(session));
  }

  private count(session: VectorSession, result: SessionResult): void {
    this.calls += result.calls;
    if (result.verdict === 'passed') this.passed++;
    else if (result.verdict === 'skipped') this.skipped++;
    else this.failed++;
    const { difference } = result;
    if (difference === null) return;
    this.failures.push({
      file: this.file,
      session: session.name,
      step: result.step,
      operation: result.operation,
      expected: `${difference.field}: ${difference.expected}`,
      got: `${difference.field}: ${difference.got}`,
    });
  }

  private profile(): Profile {
    const { profile } = this.options;
    if (profile !== undefined && profile !== null) return profile;
    const { header } = this.reader;
    const named = PROFILES.get(header.profile);
    if (named !== undefined) return named;
    throw new UserError(
      `no profile "${header.profile}"`,
      { file: this.file, line: 1, column: 1 },
      `the profiles are ${[...PROFILES.keys()].join(', ')}`,
    );
  }
}
