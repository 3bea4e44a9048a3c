// The project's own files, as the tidy tests see them: everything that would be committed, vectors and builds apart.

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A text file of the project. */
export interface SourceFile {
  /** Relative to the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

/** A file that breaks a rule: `path:line: what is wrong`. Empty lists mean that the rule holds. */
export type Finding = string;

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

// Not ours, or not text. Dot folders other than .ci are those of tools.
const IGNORED_FOLDERS: readonly string[] = ['node_modules', 'dist'];
const MEASUREMENTS = join(ROOT, 'coverage');
const BINARY = /\.(gz|tgz|png|ico|woff2|wasm|dtb|bin|cast)$/;

function walk(folder: string, found: string[]): void {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      const ours = !IGNORED_FOLDERS.includes(entry.name) && (!entry.name.startsWith('.') || entry.name === '.ci');
      if (ours && path !== MEASUREMENTS) walk(path, found);
    } else if (entry.isFile() && !BINARY.test(entry.name)) {
      found.push(path);
    }
  }
}

/** Every text file of the project, sorted by path. */
export function projectFiles(): SourceFile[] {
  const paths: string[] = [];
  walk(ROOT, paths);
  return paths.map((path) => ({
    path: relative(ROOT, path).split(sep).join('/'),
    text: readFileSync(path, 'utf8'),
  }));
}

/** The TypeScript files under the folder `top` (`src`, `test`, …). */
export function typescriptFiles(top: string): SourceFile[] {
  return projectFiles().filter((file) => file.path.startsWith(`${top}/`) && file.path.endsWith('.ts'));
}

/** The text of one file of the project. */
export function readProjectFile(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** A file that is not on disk, for a test that a rule can fail. */
export function snippet(path: string, text: string): SourceFile {
  return { path, text };
}

/** `path:line: what`, with a 1-based line. */
export function finding(file: SourceFile, line: number, what: string): Finding {
  return `${file.path}:${line}: ${what}`;
}

/** The folder under src/ that a path belongs to, or null: `src/abi/errors.ts` is in `abi`. */
export function layerOf(path: string): string | null {
  const match = /^src\/([^/]+)\//.exec(path);
  return match === null ? null : match[1]!;
}

/** The layers that run anywhere: no Node, no DOM, no clock, no chance. ARCHITECTURE.md calls them the core. */
export const CORE_LAYERS: readonly string[] = [
  'base',
  'abi',
  'hardware',
  'hypervisor',
  'spmc',
  'partitions',
  'oracle',
  'world',
  'conform',
  'explore',
];

export function isCore(path: string): boolean {
  const layer = layerOf(path);
  return layer !== null && CORE_LAYERS.includes(layer);
}
