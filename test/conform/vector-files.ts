// The project's vector files, for tests: their text, and single sessions out of them.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const FOLDER = fileURLToPath(new URL('../../vectors/', import.meta.url));

/** The lines of `vectors/NAME.jsonl.gz`. */
export function vectorLines(name: string): string[] {
  return gunzipSync(readFileSync(`${FOLDER}${name}.jsonl.gz`))
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/** Names of the vector files that begin with `start`, in order. */
export function vectorNames(start: string): string[] {
  const ending = '.jsonl.gz';
  const names = readdirSync(FOLDER).filter((name) => name.startsWith(start) && name.endsWith(ending));
  return names.map((name) => name.slice(0, -ending.length)).sort();
}

export type Step = [operation: Record<string, unknown>, answer: Record<string, unknown>];

/** A file's header, and one of its sessions with the steps of its setup before its own. */
export function vectorSession(name: string, session: string): { readonly header: string; readonly steps: Step[] } {
  const lines = vectorLines(name);
  const setups = new Map<string, Step[]>();
  for (const line of lines.slice(1)) {
    const value = JSON.parse(line) as { name?: string; setup?: string; steps: Step[] };
    if (value.name === undefined) setups.set(value.setup as string, value.steps);
    else if (value.name === session) {
      return { header: lines[0], steps: [...(setups.get(value.setup ?? '') ?? []), ...value.steps] };
    }
  }
  throw new Error(`${name} has no session ${session}`);
}
