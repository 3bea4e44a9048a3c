// The package as users get it: packed from the tracked sources, installed elsewhere, typed, and able to run. Slow (a
// build and an installation), so it runs only where FFABRIC_REQUIRE asks for it.

import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { slowRing } from './require.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LEFT_OUT = ['node_modules', 'dist', '.git', 'coverage'];

interface Manifest {
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
}

/** Runs a command to its end and returns what it printed; its failure is the test's, with everything that it said. */
function run(cwd: string, command: string, ...args: string[]): string {
  const result = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 240_000 });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) {
    throw new Error(`${command} ${args.join(' ')}: exit code ${result.status}\n${result.stdout}${result.stderr}`);
  }
  return result.stdout;
}

slowRing('package')('the packed package', () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
  const subpaths = Object.keys(manifest.exports).filter((subpath) => subpath !== './package.json');
  const names = subpaths.map((subpath) => subpath.slice(2));
  let folder = '';
  let user = '';

  // A copy is packed, so that the build here, which other tests run meanwhile, stays as it is.
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ffabric-package-'));
    const copy = join(folder, 'ffabric');
    cpSync(ROOT, copy, { recursive: true, filter: (path) => !LEFT_OUT.includes(basename(path)) });
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    run(copy, 'npm', 'pack', '--pack-destination', folder);

    user = join(folder, 'user');
    mkdirSync(user);
    writeFileSync(join(user, 'package.json'), '{ "name": "user", "private": true, "type": "module" }\n');
    const tarball = join(folder, `ffabric-${manifest.version}.tgz`);
    run(user, 'npm', 'install', '--no-audit', '--no-fund', '--omit=dev', tarball);
  });

  afterAll(() => {
    if (folder !== '') rmSync(folder, { recursive: true, force: true });
  });

  it('holds what users need and nothing of the workshop', () => {
    const installed = readdirSync(join(user, 'node_modules/ffabric'));
    for (const needed of ['bin', 'dist', 'package.json', 'README.md', 'LICENSE', 'worlds', 'vectors']) {
      expect(installed).toContain(needed);
    }
    for (const unwanted of ['test', 'bench', 'node_modules', '.ci']) expect(installed).not.toContain(unwanted);
    expect(existsSync(join(user, 'node_modules/ffabric/dist/.tsbuildinfo'))).toBe(false);
    expect(existsSync(join(user, 'node_modules/vitest'))).toBe(false);
  });

  it('has types for each subpath, under the strictest compiler', () => {
    const imports = names.map((name) => `import * as ${name}Module from 'ffabric/${name}';`);
    const modules = `export const modules: readonly object[] = [${names.map((name) => `${name}Module`).join(', ')}];`;
    // If a subpath had no types, its members would be `any`, and this would not be an error.
    const typed = [
      '// @ts-expect-error: the list of citations is no number.',
      'export const typed: number = baseModule.CITATIONS;',
    ].join('\n');
    const report = 'for (const module of modules) if (Object.keys(module).length === 0) throw new Error("empty");';
    writeFileSync(join(user, 'user.ts'), `${[...imports, modules, typed, report].join('\n')}\n`);
    writeFileSync(
      join(user, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          target: 'ES2023',
          lib: ['ES2023'],
          module: 'NodeNext',
          strict: true,
          noImplicitAny: true,
          exactOptionalPropertyTypes: true,
          noUncheckedIndexedAccess: true,
          skipLibCheck: false,
          types: [],
        },
        files: ['user.ts'],
      }),
    );
    run(user, process.execPath, join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json');
    run(user, process.execPath, 'user.js');
  });

  it('runs the examples, as a user with vitest would, and they are typed', () => {
    const examples = join(user, 'examples');
    cpSync(join(ROOT, 'examples'), examples, { recursive: true });
    mkdirSync(join(examples, 'node_modules'));
    symlinkSync(join(ROOT, 'node_modules/vitest'), join(examples, 'node_modules/vitest'));
    const files = readdirSync(examples).filter((name) => name.endsWith('.ts'));
    const options = { target: 'ES2023', module: 'NodeNext', strict: true, noEmit: true, skipLibCheck: true, types: [] };
    writeFileSync(join(examples, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files }));
    run(examples, process.execPath, join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json');
    const said = run(examples, process.execPath, join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run');
    expect(stripVTControlCharacters(said)).toMatch(/Tests\s+\d+ passed/);
  });

  it('has a command that helps', () => {
    const help = run(user, 'npx', '--no-install', 'ffabric', '--help');
    for (const verb of ['run', 'conform', 'decode', 'bench']) expect(help).toContain(verb);
  });
});
