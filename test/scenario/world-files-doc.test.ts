// docs/world-files.md is what the tables say: `npx tsx scripts/world-files-doc.ts` writes it anew.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { worldFilesPage } from '../../src/scenario/field-docs.ts';

it('is up to date', () => {
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'world-files.md'), 'utf8');
  expect(page).toBe(worldFilesPage());
  for (const field of ['guests[].script', 'faults[].answer', 'spmc.handles', 'expect[].believers.partition']) {
    expect(page).toContain(`- \`${field}\` (`);
  }
});
