// What a test may need beyond Node, and the slow rings. A test that cannot run here is skipped under a name that says
// why and what to install; where FFABRIC_REQUIRE=all (as in .ci/run) nothing is skipped: what is missing fails.
//
//   requireTool('dtc', 'apt-get install device-tree-compiler')('our blobs against dtc', () => { it(…) });
//   slowRing('package')('the packed package', () => { it(…) });
//
// FFABRIC_REQUIRE may also name slow rings, separated by commas:
//   FFABRIC_REQUIRE=package npx vitest run --project package

import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, it } from 'vitest';

/** Registers a suite, as `describe` does. */
export type Suite = (name: string, body: () => void) => void;

/** What FFABRIC_REQUIRE asks for: `all`, or a list of slow rings; empty by default. */
export function requirements(value: string | undefined): ReadonlySet<string> {
  return new Set((value ?? '').split(',').filter((word) => word !== ''));
}

const required = requirements(process.env['FFABRIC_REQUIRE']);

/** The path of the program `tool` on `path` (colon-separated folders), or null. */
export function findTool(tool: string, path: string | undefined = process.env['PATH']): string | null {
  for (const folder of (path ?? '').split(delimiter)) {
    const file = join(folder, tool);
    if (folder !== '' && isProgram(file)) return file;
  }
  return null;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** How a suite is to be registered: run it, skip it under a name that says why, or fail it. */
export type Verdict = { readonly kind: 'run' } | { readonly kind: 'skip' | 'fail'; readonly why: string };

/** The verdict on a suite that needs `tool`, which `install` installs. */
export function toolVerdict(found: string | null, tool: string, install: string, all: boolean): Verdict {
  if (found !== null) return { kind: 'run' };
  return { kind: all ? 'fail' : 'skip', why: `needs ${tool}: ${install}` };
}

/** The verdict on a suite of the slow ring `name`. */
export function ringVerdict(name: string, asked: ReadonlySet<string>): Verdict {
  if (asked.has('all') || asked.has(name)) return { kind: 'run' };
  return { kind: 'skip', why: `slow ring: FFABRIC_REQUIRE=${name}` };
}

/** A `describe` for tests that run the program `tool`; `install` is the command that installs it. */
export function requireTool(tool: string, install: string): Suite {
  return suiteOf(toolVerdict(findTool(tool), tool, install, required.has('all')));
}

/** A `describe` for tests that are too slow for everyday: they run if FFABRIC_REQUIRE is `all` or names the ring. */
export function slowRing(name: string): Suite {
  return suiteOf(ringVerdict(name, required));
}

function suiteOf(verdict: Verdict): Suite {
  if (verdict.kind === 'run') return (name, body) => describe(name, body);
  const { why } = verdict;
  if (verdict.kind === 'skip') return (name, body) => describe.skip(`${name} (${why})`, body);
  return (name) =>
    describe(name, () => {
      it(why, () => {
        throw new Error(why);
      });
    });
}
