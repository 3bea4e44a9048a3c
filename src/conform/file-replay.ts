// Replays one vector file, line by line, and counts. What the header calls its format decides what is replayed: the
// mediator (mediator-file.ts) or the SPMC (spmc/spmc-file.ts).

import type { Profile } from '../hypervisor/profile.ts';
import { MediatorFile } from './mediator-file.ts';
import type { RecordedFile, SessionResult } from './recorded-file.ts';
import type { ReplayOptions } from './session-replay.ts';
import { SPMC_FORMAT, SpmcFile } from './spmc/spmc-file.ts';
import { parseLine, wrongLine } from './vector-line.ts';
import { MEDIATOR_FORMAT } from './vector-reader.ts';

export interface FileReplayOptions extends ReplayOptions {
  /** Replays on this profile, whatever the file names. A file of the SPMC has none and takes none. */
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

/** A session in which ours refuses what the recorded implementation did. */
export interface Refusal {
  readonly session: string;
  readonly step: number;
  readonly reason: string;
}

export class FileReplay {
  readonly file: string;
  passed = 0;
  failed = 0;
  skipped = 0;
  refused = 0;
  /** Calls made: guests' calls, or endpoints' calls to the SPMC. */
  calls = 0;
  readonly failures: Failure[] = [];
  readonly refusals: Refusal[] = [];
  private readonly options: FileReplayOptions;
  private recorded: RecordedFile | null = null;

  constructor(file: string, options: FileReplayOptions = {}) {
    this.file = file;
    this.options = options;
  }

  /** The category that the header names. */
  get category(): string {
    return this.recorded?.category ?? '';
  }

  /** Whether the file was recorded from an SPMC. */
  get isOfSpmc(): boolean {
    return this.recorded instanceof SpmcFile;
  }

  /** Sessions that were looked at. */
  get sessions(): number {
    return this.passed + this.failed + this.skipped + this.refused;
  }

  /** Takes line `number` (from 1). A line that cannot be read is a UserError. */
  line(text: string, number: number): void {
    if (text.trim() === '') return;
    this.recorded ??= this.open(text, number);
    const session = this.recorded.line(text, number);
    if (session === null) return;
    const { session: wanted } = this.options;
    if (wanted !== undefined && !session.name.includes(wanted)) return;
    this.count(session.name, session.run());
  }

  /** What reads the format that the header, the first line, names. */
  private open(header: string, number: number): RecordedFile {
    const { format } = parseLine(this.file, header, number);
    const profile = this.options.profile ?? null;
    if (format === MEDIATOR_FORMAT) return new MediatorFile(this.file, profile, this.options);
    if (format !== SPMC_FORMAT) {
      const found = `format ${JSON.stringify(format) ?? 'missing'}`;
      throw wrongLine(this.file, number, found, `this version reads "${MEDIATOR_FORMAT}" and "${SPMC_FORMAT}"`);
    }
    if (profile !== null) {
      throw wrongLine(this.file, number, 'a recording of an SPMC has no profile', 'replay it without one');
    }
    return new SpmcFile(this.file);
  }

  private count(session: string, result: SessionResult): void {
    this.calls += result.calls;
    this[result.verdict]++;
    const { difference, step } = result;
    if (result.verdict === 'refused') this.refusals.push({ session, step, reason: result.refusal ?? '' });
    if (difference === null) return;
    this.failures.push({
      file: this.file,
      session,
      step,
      operation: result.operation,
      expected: `${difference.field}: ${difference.expected}`,
      got: `${difference.field}: ${difference.got}`,
    });
  }
}
