// docs/coverage.md is what the table and the drivers say: `npx tsx scripts/coverage-doc.ts` writes it anew.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { coveragePage } from './page.ts';

it('is up to date', () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'coverage.md'), 'utf8');
  expect(page).toBe(coveragePage());
}, 60_000);
