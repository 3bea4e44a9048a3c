// Writes docs/coverage.md from the table of documented answers: `npx tsx scripts/coverage-doc.ts`.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { coveragePage } from '../test/coverage/page.ts';

writeFileSync(join(import.meta.dirname, '..', 'docs', 'coverage.md'), coveragePage());
