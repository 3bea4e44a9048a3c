// Where in a text something is, for a message: line and column if the text came from a file.

import type { Place } from '../../base/user-error.ts';

/** The place of character `index` of `text`; null for text that was given on the command line. */
export function placeIn(text: string, index: number, file: string | null): Place | null {
  if (file === null) return null;
  const before = text.slice(0, index);
  const line = before.split('\n').length;
  return { file, line, column: index - before.lastIndexOf('\n') };
}
