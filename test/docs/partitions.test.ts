// docs/partitions.md: each block of TypeScript is a whole program. It is compiled as a user's would be, run, and prints
// what stands in the block below it.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatWithOptions } from 'node:util';
import ts from 'typescript';
import { afterAll, describe, expect, it, vi } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(ROOT, 'docs', 'partitions.md'), 'utf8');

/** It reads all of src/. */
const COMPILER_TIMEOUT_MS = 180_000;

interface Block {
  readonly title: string;
  readonly code: string;
  readonly prints: string;
}

const blocks: Block[] = [...page.matchAll(/```ts\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/g)].map((match) => ({
  title: [...page.slice(0, match.index).matchAll(/^## (.*)$/gm)].at(-1)?.[1] ?? '',
  code: match[1],
  prints: match[2],
}));

const folder = mkdtempSync(join(tmpdir(), 'ffabric-docs-'));
const files = blocks.map((block, n) => {
  const path = join(folder, `block-${n}.ts`);
  writeFileSync(path, block.code);
  return path;
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('docs/partitions.md', () => {
  it('has a program with its output for each part, and none without', () => {
    expect(blocks.length).toBe(7);
    expect([...page.matchAll(/^```ts$/gm)].length).toBe(blocks.length);
  });

  it(
    'is typed',
    () => {
      const program = ts.createProgram(files, {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.Preserve,
        moduleResolution: ts.ModuleResolutionKind.Bundler,
        lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
        strict: true,
        noEmit: true,
        allowImportingTsExtensions: true,
        skipLibCheck: true,
        types: [],
        paths: { 'ffabric/*': [join(ROOT, 'src/*/index.ts')] },
      });
      const mine = ts
        .getPreEmitDiagnostics(program)
        .filter(({ file }) => file === undefined || files.includes(file.fileName));
      expect(mine.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([]);
    },
    COMPILER_TIMEOUT_MS,
  );

  for (const [n, { prints, title }] of blocks.entries()) {
    it(`prints what it says: ${title}`, async () => {
      const lines: string[] = [];
      const log = vi.spyOn(console, 'log').mockImplementation((...parts: unknown[]) => {
        lines.push(`${formatWithOptions({ colors: false }, ...parts)}\n`);
      });
      await import(files[n]);
      log.mockRestore();
      expect(lines.join('')).toBe(prints);
    });
  }
});
