// The end of a test run, beside vitest's own report: what was skipped and why, the seconds of each ring, and as the
// very last line `N passed, N failed` (and `, N skipped` where something was). With FFABRIC_RESULTS=FILE the same
// numbers go to that file, for .ci/run.

import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** The counts of one ring. `seconds`: the sum over its files, which run side by side: it may exceed the run's own. */
export interface RingResult {
  ring: string;
  passed: number;
  failed: number;
  skipped: number;
  seconds: number;
}

/** What FFABRIC_RESULTS receives. */
export interface RunResult {
  passed: number;
  failed: number;
  skipped: number;
  rings: RingResult[];
}

export default class RingReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const rings = new Map<string, RingResult>();
    const skippedSuites: string[] = [];
    for (const module of modules) countModule(module, ringOf(module, rings), skippedSuites);

    const result = total([...rings.values()], errors.length);
    const lines = skippedSuites.map((suite) => `skipped: ${suite}`);
    for (const ring of result.rings) lines.push(ringLine(ring));
    lines.push(lastLine(result));
    process.stdout.write(`${lines.join('\n')}\n`);

    const file = process.env['FFABRIC_RESULTS'];
    if (file !== undefined && file !== '') writeFileSync(file, `${JSON.stringify(result)}\n`);
  }
}

function ringOf(module: TestModule, rings: Map<string, RingResult>): RingResult {
  const ring = module.project.name;
  let result = rings.get(ring);
  if (result === undefined) {
    result = { ring, passed: 0, failed: 0, skipped: 0, seconds: 0 };
    rings.set(ring, result);
  }
  return result;
}

function countModule(module: TestModule, ring: RingResult, skippedSuites: string[]): void {
  const spent = module.diagnostic();
  ring.seconds += (spent.environmentSetupDuration + spent.prepareDuration + spent.collectDuration) / 1000;
  ring.seconds += (spent.setupDuration + spent.duration) / 1000;
  for (const test of module.children.allTests()) {
    const { state } = test.result();
    if (state === 'passed') ring.passed++;
    else if (state === 'skipped') ring.skipped++;
    else ring.failed++;
  }
  // A file or a suite that fails outside its tests (an import, a hook) fails as one item of its own.
  ring.failed += module.errors().length;
  for (const suite of module.children.allSuites()) {
    ring.failed += suite.errors().length;
    if (suite.options.mode === 'skip' && suite.parent.type === 'module') skippedSuites.push(suite.fullName);
  }
}

/** Adds rings up; an error outside every file (an unhandled rejection) counts as one failed item. */
export function total(rings: RingResult[], errorCount: number): RunResult {
  const result: RunResult = { passed: 0, failed: errorCount, skipped: 0, rings };
  for (const ring of rings) {
    result.passed += ring.passed;
    result.failed += ring.failed;
    result.skipped += ring.skipped;
  }
  return result;
}

export function ringLine(ring: RingResult): string {
  const skipped = ring.skipped === 0 ? '' : `, ${ring.skipped} skipped`;
  return `ring ${ring.ring}: ${ring.seconds.toFixed(1)} s, ${ring.passed} passed, ${ring.failed} failed${skipped}`;
}

export function lastLine(result: RunResult): string {
  const skipped = result.skipped === 0 ? '' : `, ${result.skipped} skipped`;
  return `${result.passed} passed, ${result.failed} failed${skipped}`;
}
