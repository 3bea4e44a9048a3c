// Files that a verb writes on the side: a trace, a list of events.

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { UserError } from '../base/user-error.ts';
import { line } from '../export/styled-text.ts';
import type { CliContext } from './context.ts';

/** Writes `text` and says so. A file that cannot be written is a UserError. */
export function saveText(context: CliContext, file: string, text: string): void {
  try {
    writeFileSync(resolve(context.host.directory, file), text);
  } catch (error) {
    throw new UserError(
      `${file} cannot be written: ${(error as Error).message}`,
      null,
      'name a file in a folder that exists',
    );
  }
  context.talk.print([line(`${file} is written`, 'dim')]);
}
