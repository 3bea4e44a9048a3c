// Writes docs/world-files.md: npx tsx scripts/world-files-doc.ts

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { worldFilesPage } from '../src/scenario/field-docs.ts';

writeFileSync(join(import.meta.dirname, '..', 'docs', 'world-files.md'), worldFilesPage());
