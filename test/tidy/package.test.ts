// What package.json promises, and the documents that must keep up with it: dependencies, their reasons, the changelog.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, readProjectFile } from './tree.ts';

interface Manifest {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, unknown>>;
}

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readProjectFile('package.json')) as Manifest;
const lock = JSON.parse(readProjectFile('package-lock.json')) as { packages: Record<string, LockedPackage> };
const dependencies = { ...manifest.dependencies, ...manifest.devDependencies };

/** Dependencies whose version may drift further than a patch. */
function unpinned(wanted: Readonly<Record<string, string>>): string[] {
  return Object.entries(wanted)
    .filter(([, range]) => !/^~?\d+\.\d+\.\d+$/.test(range))
    .map(([name, range]) => `${name}: ${range}`);
}

/** Dependencies for which `page` (docs/dependencies.md) has no row with a reason. */
function withoutReason(names: readonly string[], page: string): string[] {
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  return names.filter((name) => {
    const row = rows.find((line) => line.startsWith(`| \`${name}\` |`));
    const reason = row?.split('|').at(-2)?.trim() ?? '';
    return reason.split(' ').length < 3;
  });
}

/** Names with a row in `page` that are no dependencies. */
function outdatedRows(names: readonly string[], page: string): string[] {
  return [...page.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]!).filter((name) => !names.includes(name));
}

/** What is wrong with a locked package, or null. */
function lockFault(path: string, entry: LockedPackage): string | null {
  if (path === '') return null;
  if (entry.resolved !== undefined) return `${path} names where it comes from: ${entry.resolved}`;
  if (entry.integrity === undefined) return `${path} has no checksum`;
  if (entry.dev !== true && entry.hasInstallScript === true) return `${path} runs a script when it is installed`;
  return null;
}

/** Packages for other platforms that a locked package may need and that are not locked: npm ci fails over them. */
function unlockedPlatforms(packages: Readonly<Record<string, LockedPackage>>): string[] {
  const findings: string[] = [];
  for (const [path, entry] of Object.entries(packages)) {
    for (const name of Object.keys(entry.optionalDependencies ?? {})) {
      const places = [`${path}/node_modules/${name}`, `node_modules/${name}`];
      if (!places.some((place) => place in packages)) findings.push(`${path} may need ${name}, which is not locked`);
    }
  }
  return findings;
}

const HEADINGS = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];

/** What is wrong with the shape of a changelog (keepachangelog.com) for a package at `version`. */
function changelogFaults(text: string, version: string): string[] {
  const faults: string[] = [];
  if (!text.startsWith('# Changelog\n')) faults.push('does not begin with "# Changelog"');
  const releases: string[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('## ')) {
      const match = /^## \[(Unreleased|\d+\.\d+\.\d+)\](?: - \d{4}-\d\d-\d\d)?$/.exec(line);
      if (match === null) faults.push(`'${line}' is not '## [1.2.3] - 2026-01-31' or '## [Unreleased]'`);
      else if ((match[1] === 'Unreleased') === line.includes(' - ')) faults.push(`'${line}': a release has a date`);
      else releases.push(match[1]!);
    } else if (line.startsWith('### ') && !HEADINGS.includes(line.slice(4))) {
      faults.push(`'${line}' is none of ${HEADINGS.join(', ')}`);
    }
  }
  if (releases[0] !== 'Unreleased' && releases[0] !== version) faults.push(`says nothing of version ${version}`);
  return faults;
}

describe('dependencies', () => {
  it('are pinned to a patch', () => {
    expect(unpinned(dependencies)).toEqual([]);
    expect(unpinned({ a: '^1.2.3', b: '1.x', c: '*', d: 'latest', e: '~1.2', f: '~1.2.3', g: '1.2.3' })).toEqual([
      'a: ^1.2.3',
      'b: 1.x',
      'c: *',
      'd: latest',
      'e: ~1.2',
    ]);
  });

  it('each have a reason in docs/dependencies.md, which lists nothing else', () => {
    const page = readProjectFile('docs/dependencies.md');
    const names = Object.keys(dependencies);
    expect(withoutReason(names, page)).toEqual([]);
    expect(outdatedRows(names, page)).toEqual([]);
  });

  it('can lack a reason', () => {
    const page = '| `a` | MIT | parses the command line |\n| `b` | MIT | |\n| `old` | MIT | parses nothing any more |';
    expect(withoutReason(['a', 'b', 'c'], page)).toEqual(['b', 'c']);
    expect(outdatedRows(['a', 'b'], page)).toEqual(['old']);
  });

  it('are locked with checksums and without hosts, and run no script when users install them', () => {
    const entries = Object.entries(lock.packages);
    expect(entries.length).toBeGreaterThan(10);
    expect(entries.map(([path, entry]) => lockFault(path, entry)).filter((fault) => fault !== null)).toEqual([]);
  });

  it('are locked for every platform', () => {
    expect(unlockedPlatforms(lock.packages)).toEqual([]);
  });

  it('can be locked wrongly', () => {
    const packages = {
      a: { optionalDependencies: { 'a-linux': '1.0.0', 'a-mac': '1.0.0' } },
      'node_modules/a-mac': {},
    };
    expect(unlockedPlatforms(packages)).toEqual(['a may need a-linux, which is not locked']);
    expect(lockFault('x', { resolved: 'https://example.org/x.tgz', integrity: 'sha' })).toContain(
      'where it comes from',
    );
    expect(lockFault('x', {})).toContain('no checksum');
    expect(lockFault('x', { integrity: 'sha', hasInstallScript: true })).toContain('runs a script');
    expect(lockFault('x', { integrity: 'sha', hasInstallScript: true, dev: true })).toBeNull();
  });
});

describe('the changelog', () => {
  it('has the shape of keepachangelog.com', () => {
    expect(changelogFaults(readProjectFile('CHANGELOG.md'), manifest.version)).toEqual([]);
  });

  it('can fail', () => {
    const faults = (text: string): string => changelogFaults(text, '1.2.3').join('\n');
    expect(faults('## [1.2.3] - 2026-01-31\n')).toContain('does not begin');
    expect(faults('# Changelog\n## 1.2.3\n')).toContain("is not '## [1.2.3]");
    expect(faults('# Changelog\n## [1.2.3]\n')).toContain('a release has a date');
    expect(faults('# Changelog\n## [Unreleased] - 2026-01-31\n')).toContain('a release has a date');
    expect(faults('# Changelog\n## [Unreleased]\n### News\n')).toContain('is none of Added');
    expect(faults('# Changelog\n## [1.2.2] - 2026-01-31\n')).toContain('says nothing of version 1.2.3');
    expect(faults('# Changelog\n## [Unreleased]\n### Added\n## [1.2.2] - 2026-01-31\n')).toBe('');
  });
});

describe('files', () => {
  it.each(['bin/ffabric.js', '.ci/run'])('%s is executable', (path) => {
    expect(statSync(join(ROOT, path)).mode & 0o111).toBe(0o111);
  });

  it('has one entry file for each subpath that it exports', () => {
    const folders = Object.keys(manifest.exports).filter((subpath) => subpath !== './package.json');
    const files = folders.map((subpath) => `src/${subpath.slice(2)}/index.ts`);
    expect(files.filter((path) => statSync(join(ROOT, path), { throwIfNoEntry: false }) === undefined)).toEqual([]);
    for (const subpath of folders) {
      const built = `./dist/${subpath.slice(2)}/index`;
      expect(manifest.exports[subpath]).toEqual({ types: `${built}.d.ts`, default: `${built}.js` });
    }
  });
});
