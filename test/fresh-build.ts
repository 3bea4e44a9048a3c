// Brings dist/ up to date before tests run the built command, so that nobody tests yesterday's build. The build is
// incremental: with nothing to do this takes a second or two. Types are the business of `npm run check`: a type error
// does not stop the tests, as the JavaScript is written all the same, but it is shown.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export default function freshBuild(): void {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const build = fileURLToPath(new URL('../scripts/build.js', import.meta.url));
  const built = spawnSync(process.execPath, [build], { cwd: root, encoding: 'utf8' });
  if (built.error !== undefined) throw built.error;
  if (built.status !== 0) process.stderr.write(`dist/ was built with type errors:\n${built.stdout}${built.stderr}\n`);
}
