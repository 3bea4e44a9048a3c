// A user's mistake: a file, a flag, a request. One message that says where, what was found and what fits. Never a
// trace.

/** Where in a file: 1-based line and column (0: unknown). */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A mistake that the user can mend. The command line prints `message` alone and exits with 2. */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly place: Place | null;
  readonly hint: string | null;

  /** `what`: what is wrong, with what was found; `hint`: what would fit, or the next command to try. */
  constructor(what: string, place: Place | null = null, hint: string | null = null) {
    super(describe(what, place, hint));
    this.place = place;
    this.hint = hint;
  }
}

function describe(what: string, place: Place | null, hint: string | null): string {
  let where = '';
  if (place !== null) {
    where = place.line > 0 ? `${place.file}:${place.line}:${place.column}: ` : `${place.file}: `;
  }
  return hint === null ? `${where}${what}` : `${where}${what}; ${hint}`;
}
