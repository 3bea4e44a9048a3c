// Runs every page of test/cli: each heading is a test. A page that says `Needs: TOOL (how to install it)` runs where
// that tool is.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { requireTool } from '../require.ts';
import { FakeHost } from './fake-host.ts';
import { type PageTest, patternOf, readPage } from './markdown-page.ts';

const here = import.meta.dirname;
const root = join(here, '..', '..');
const pages = readdirSync(here).filter((name) => name.endsWith('.md'));

for (const page of pages) {
  const text = readFileSync(join(here, page), 'utf8');
  const tests = readPage(text);
  const needs = /^Needs: (\S+) \((.*)\)$/m.exec(text);
  const suite = needs === null ? describe : requireTool(needs[1], needs[2]);
  suite(page, () => {
    let directory = '';
    beforeAll(() => {
      directory = mkdtempSync(join(tmpdir(), 'ffabric-page-'));
    });
    afterAll(() => {
      rmSync(directory, { recursive: true, force: true });
    });
    it('has tests', () => {
      expect(tests.length).toBeGreaterThan(0);
    });
    for (const test of tests) {
      it(`${test.heading} (line ${test.line})`, () => runTest(test, directory));
    }
  });
}

/** A page's command runs where its files are; without files, in the project, so that a page can name files of it. */
async function runTest(test: PageTest, directory: string): Promise<void> {
  for (const { name, text } of test.files) writeFileSync(join(directory, name), `${text}\n`);
  const where = test.files.length > 0 ? directory : root;
  const host = new FakeHost({ directory: where, input: test.stdin, env: { PATH: process.env['PATH'] ?? '' } });
  const exitCode = await main([...test.command], host);
  expectPrinted(host.stderr, test.stderr);
  expectPrinted(host.stdout, test.stdout);
  expect(exitCode).toBe(test.exitCode);
}

/** Compares as text first, for its better report, and as a pattern where the page has placeholders. */
function expectPrinted(printed: string, expected: string): void {
  if (/<(number|any|lines)>/.test(expected)) expect(printed).toMatch(patternOf(expected));
  else expect(printed).toBe(expected === '' ? '' : `${expected}\n`);
}
