// A file of `ffabric-vectors/1`: sessions of the mediator of one profile.

import { UserError } from '../base/user-error.ts';
import type { Profile } from '../hypervisor/profile.ts';
import { PROFILES } from '../hypervisor/profiles/profile-table.ts';
import type { RecordedFile, RunnableSession } from './recorded-file.ts';
import { type ReplayOptions, SessionReplay } from './session-replay.ts';
import { VectorReader } from './vector-reader.ts';

export class MediatorFile implements RecordedFile {
  private readonly file: string;
  private readonly given: Profile | null;
  private readonly options: ReplayOptions;
  private readonly reader: VectorReader;
  private replay: SessionReplay | null = null;

  /** `given` is the profile to replay on; null: the one that the header names. */
  constructor(file: string, given: Profile | null, options: ReplayOptions) {
    this.file = file;
    this.given = given;
    this.options = options;
    this.reader = new VectorReader(file);
  }

  get category(): string {
    return this.reader.header.category;
  }

  line(text: string, number: number): RunnableSession | null {
    const session = this.reader.line(text, number);
    if (session === null) return null;
    return {
      name: session.name,
      run: () => {
        this.replay ??= new SessionReplay(this.file, this.profile(), this.options);
        return this.replay.run(session);
      },
    };
  }

  private profile(): Profile {
    if (this.given !== null) return this.given;
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
