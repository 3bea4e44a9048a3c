// Writes docs/bugs.md: npx tsx scripts/bugs-doc.ts

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bugsPage } from '../bugs/bugs-page.ts';
import { BUGS } from '../bugs/index.ts';

writeFileSync(join(import.meta.dirname, '..', 'docs', 'bugs.md'), bugsPage(BUGS));
