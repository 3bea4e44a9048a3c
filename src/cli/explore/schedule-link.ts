// A counterexample as one text, `WORLD#SCHEDULE` (with `?profile=NAME` before the #, if it is not the file's own), and
// as a file of JSON that holds it.

import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { UserError } from '../../base/user-error.ts';
import { isSchedule, parseSchedule, printSchedule, type Schedule } from '../../explore/schedule.ts';

export interface ScheduleLink {
  readonly file: string;
  readonly profile: string | undefined;
  readonly schedule: Schedule;
}

export function linkOf(file: string, profile: string | undefined, schedule: Schedule): string {
  return `${file}${profile === undefined ? '' : `?profile=${profile}`}#${printSchedule(schedule)}`;
}

/** Reads a link, or a file that `explore --save` wrote. */
export function readLink(text: string, directory: string): ScheduleLink {
  const hash = text.lastIndexOf('#');
  if (hash >= 0 && isSchedule(text.slice(hash + 1))) return parseLink(text, hash);
  const path = resolve(directory, text);
  if (!existsSync(path)) {
    throw new UserError(`'${text}' is no file and no schedule`, null, "it takes a file, or 'WORLD#SCHEDULE'");
  }
  const link = linkIn(readFileSync(path, 'utf8'));
  const at = link?.lastIndexOf('#') ?? -1;
  if (link === null || at < 0 || !isSchedule(link.slice(at + 1))) {
    throw new UserError(
      `${text} holds no counterexample`,
      { file: text, line: 1, column: 1 },
      'explore --save writes one',
    );
  }
  return parseLink(link, at);
}

function linkIn(text: string): string | null {
  try {
    const { link } = JSON.parse(text) as { link?: unknown };
    return typeof link === 'string' ? link : null;
  } catch {
    return null;
  }
}

function parseLink(text: string, hash: number): ScheduleLink {
  const world = text.slice(0, hash);
  const match = /^(.*)\?profile=([\w-]+)$/.exec(world);
  return {
    file: match === null ? world : match[1],
    profile: match?.[2],
    schedule: parseSchedule(text.slice(hash + 1)),
  };
}
