// A schedule in print: the choices of one execution, from the first on; what comes after the last is always the first
// alternative. It is short because most choices are the first alternative:
//
//     s1-4.2-a.1     after 4 first alternatives the third (2), then ten (a) first ones, then the second (1)
//
// After the version come pairs, each after a dash: a run of first alternatives (its length in base 36, left out if it
// is none), a dot, and a value (in base 36). `s1f2` says that two faults may strike. Replay, shard and link are all
// this text.
//
// Limits: values and runs of four digits; nine faults.

import { UserError } from '../base/user-error.ts';

const PREFIX = 's1';

export interface Schedule {
  readonly choices: readonly number[];
  /** Faults that may strike: where they may, an answer is a choice. */
  readonly faultsMax: number;
}

/** The text of a schedule. Trailing first alternatives are left out. */
export function printSchedule({ choices, faultsMax }: Schedule): string {
  let text = faultsMax === 0 ? PREFIX : `${PREFIX}f${faultsMax}`;
  let zeros = 0;
  for (const choice of choices) {
    if (choice === 0) {
      zeros++;
      continue;
    }
    text += `-${zeros === 0 ? '' : zeros.toString(36)}.${choice.toString(36)}`;
    zeros = 0;
  }
  return text;
}

/** A printed schedule; a UserError if it is none. */
export function parseSchedule(text: string): Schedule {
  const [first, ...pieces] = text.trim().split('-');
  const head = /^s1(?:f([0-9]))?$/.exec(first);
  if (head === null) {
    throw new UserError(`'${text}' is no schedule`, null, `a schedule begins with ${PREFIX}, such as ${PREFIX}-4.1`);
  }
  const choices: number[] = [];
  for (const piece of pieces) {
    const match = /^([0-9a-z]{0,4})\.([0-9a-z]{1,4})$/.exec(piece);
    if (match === null) {
      throw new UserError(`'${piece}' in a schedule is no choice`, null, 'it is RUN.VALUE in base 36, such as 4.1');
    }
    const zeros = match[1] === '' ? 0 : Number.parseInt(match[1], 36);
    for (let n = 0; n < zeros; n++) choices.push(0);
    choices.push(Number.parseInt(match[2], 36));
  }
  return { choices, faultsMax: head[1] === undefined ? 0 : Number(head[1]) };
}

/** Whether a text looks like a printed schedule. */
export function isSchedule(text: string): boolean {
  return /^s1(f[0-9])?(-|$)/.test(text);
}
