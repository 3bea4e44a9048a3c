// The rules of CONTRIBUTING.md that a program can check: names, lines, files, and what TypeScript leaves out here.

import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { lineOf, parse, visit } from './syntax.ts';
import { type Finding, finding, layerOf, projectFiles, type SourceFile, snippet, typescriptFiles } from './tree.ts';

const LINE_COLUMNS_MAX = 120;
const FILE_LINES_MAX = 600;

/** Folders whose files keep the names and words of others. */
const FOREIGN = /^(vectors\/|LICENSE$|package-lock\.json$)/;
// The words that the rules look for stand in the rules themselves.
const RULES = 'test/tidy/';

/** Lines of text beyond the limit. Tables and links of Markdown cannot be wrapped, nor what a command prints. */
function longLines(file: SourceFile): Finding[] {
  if (!/\.(ts|js|mjs|sh|ya?ml|md|dts)$/.test(file.path) && file.path !== '.ci/run') return [];
  const findings: Finding[] = [];
  let isFenced = false;
  for (const [index, line] of file.text.split('\n').entries()) {
    if (file.path.endsWith('.md') && line.startsWith('```')) isFenced = !isFenced;
    if (isFenced) continue;
    const columns = [...line].length;
    const unbreakable = file.path.endsWith('.md') && (line.startsWith('|') || /https?:\S{60}/.test(line));
    if (columns > LINE_COLUMNS_MAX && !unbreakable) {
      findings.push(finding(file, index + 1, `${columns} columns, at most ${LINE_COLUMNS_MAX}`));
    }
  }
  return findings;
}

/** Files under src/ that have grown beyond reading. */
function longFiles(file: SourceFile): Finding[] {
  const lines = file.text.split('\n').length;
  return lines <= FILE_LINES_MAX ? [] : [finding(file, lines, `${lines} lines, at most ${FILE_LINES_MAX}: divide it`)];
}

/** Names of files and folders that are not kebab-case, or say nothing. */
function badNames(file: SourceFile): Finding[] {
  const findings: Finding[] = [];
  for (const part of file.path.split('/')) {
    const [stem = ''] = part.split('.');
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(stem)) findings.push(finding(file, 1, `'${part}' is not kebab-case`));
    if (/^(util|utils|utilities|helper|helpers|common|misc|shared|stuff)$/.test(stem)) {
      findings.push(finding(file, 1, `'${part}' says nothing of what is in it`));
    }
  }
  return findings;
}

/** Marks of unfinished work, tests left alone or switched off, and traces of the machine that a text was written on. */
const BANNED_TEXTS: readonly { readonly pattern: RegExp; readonly why: string; readonly only?: RegExp }[] = [
  { pattern: /\b(TODO|FIXME|XXX|HACK)\b/, why: 'unfinished work is finished, or listed as a limit' },
  { pattern: /\b(describe|it|test|suite|bench)\.only\b/, why: 'a test left alone hides the others' },
  {
    pattern: /\b(describe|it|test)\.(skip|todo)\b/,
    why: 'a test that does not run is no test; test/require.ts says why',
    only: /^test\/(?!require\.ts$)/,
  },
  { pattern: /(?<![\w.)}])\/(home|root|work|Users|mnt|srv)\/\w/, why: 'a path of one machine' },
  { pattern: /(?<![\w.)}])\/tmp\/\w/, why: 'a path of one machine: os.tmpdir() or mktemp', only: /\.(ts|js|mjs|sh)$/ },
  { pattern: /\bissue #?\d/i, why: 'a number that only its authors can look up' },
  { pattern: /\b(subagent|coding agent|language model|the brief)\b/i, why: 'a text speaks of the project' },
  { pattern: /\/\/registry\.|\bregistry\.npmjs\b|\bregistry\.yarnpkg\b/, why: 'the host of a registry' },
  { pattern: /[ \t]+$/m, why: 'blanks at the end of a line' },
  { pattern: /\r/, why: 'a carriage return' },
];

function bannedTexts(file: SourceFile): Finding[] {
  if (FOREIGN.test(file.path) || file.path.startsWith(RULES)) return [];
  const findings: Finding[] = [];
  for (const { pattern, why, only } of BANNED_TEXTS) {
    if (only !== undefined && !only.test(file.path)) continue;
    for (const [index, line] of file.text.split('\n').entries()) {
      const match = pattern.exec(line);
      if (match !== null) findings.push(finding(file, index + 1, `'${match[0]}': ${why}`));
    }
  }
  return findings;
}

/** Constructs that have no place here. */
function bannedConstructs(file: SourceFile): Finding[] {
  const tree = parse(file);
  const findings: Finding[] = [];
  visit(tree, (node) => {
    let what: string | null = null;
    if (ts.isEnumDeclaration(node)) what = 'an enum: write constants and a union';
    else if (ts.isModuleDeclaration(node)) what = 'a namespace: a file is one';
    else if (ts.isExportAssignment(node)) what = 'a default export: export by name';
    else if (node.kind === ts.SyntaxKind.DefaultKeyword && ts.canHaveModifiers(node.parent)) {
      what = 'a default export: export by name';
    } else if (ts.isExportSpecifier(node) && node.name.text === 'default') what = 'a default export: export by name';
    else if (node.kind === ts.SyntaxKind.AnyKeyword) what = 'any: say what it is, or unknown';
    else if (ts.isIdentifier(node) && /^num[A-Z]/.test(node.text) && isDeclared(node)) {
      what = `${node.text}: a count is named xCount`;
    }
    if (what !== null) findings.push(finding(file, lineOf(tree, node), what));
  });
  return findings;
}

/** Whether `name` is named here, rather than used: libraries may name things as they like. */
function isDeclared(name: ts.Identifier): boolean {
  const { parent } = name;
  if (ts.isVariableDeclaration(parent) || ts.isParameter(parent) || ts.isFunctionDeclaration(parent)) {
    return parent.name === name;
  }
  return ts.isPropertySignature(parent) || ts.isPropertyDeclaration(parent) || ts.isMethodDeclaration(parent);
}

/** Files of src/ that do not open with a comment, which says what the file is. */
function withoutOpening(file: SourceFile): Finding[] {
  return /^(#!.*\n)?\s*\/[/*]/.test(file.text) ? [] : [finding(file, 1, 'does not open with what it is')];
}

/** Folders right under src/ without an entry file. */
function withoutEntry(files: readonly SourceFile[]): string[] {
  const layers = new Set(files.map((file) => layerOf(file.path)).filter((layer) => layer !== null));
  const paths = new Set(files.map((file) => file.path));
  return [...layers].filter((layer) => !paths.has(`src/${layer}/index.ts`) && !paths.has(`src/${layer}/main.ts`));
}

const source = typescriptFiles('src');
const code = [...source, ...typescriptFiles('test'), ...typescriptFiles('bench')];
const everything = projectFiles();

// vitest takes its configuration, its reporter and its set-up from default exports.
const defaultExportAllowed = ['test/reporter.ts', 'test/fresh-build.ts'];

describe('lines and files', () => {
  it('have at most 120 columns', () => {
    expect(everything.filter((file) => !FOREIGN.test(file.path)).flatMap(longLines)).toEqual([]);
  });

  it('have at most 600 lines under src/', () => {
    expect(source.flatMap(longFiles)).toEqual([]);
  });

  it('open with what they are', () => {
    expect(source.flatMap(withoutOpening)).toEqual([]);
  });

  it('can fail', () => {
    expect(longLines(snippet('src/a.ts', `x\n${'y'.repeat(121)}`))).toEqual(['src/a.ts:2: 121 columns, at most 120']);
    expect(longLines(snippet('README.md', `${'y '.repeat(61)}`))).toHaveLength(1);
    expect(longLines(snippet('README.md', `| ${'y '.repeat(61)}`))).toEqual([]);
    expect(longLines(snippet('README.md', `\`\`\`console\n${'y '.repeat(61)}\n\`\`\``))).toEqual([]);
    expect(longLines(snippet('README.md', `\`\`\`\n\`\`\`\n${'y '.repeat(61)}`))).toHaveLength(1);
    expect(longLines(snippet('src/a.ts', '§'.repeat(120)))).toEqual([]);
    expect(longFiles(snippet('src/a.ts', '\n'.repeat(600)))).toEqual([
      'src/a.ts:601: 601 lines, at most 600: divide it',
    ]);
    expect(withoutOpening(snippet('src/a.ts', 'export const x = 1;'))).toHaveLength(1);
    expect(withoutOpening(snippet('src/a.ts', '// What it is.\nexport const x = 1;'))).toEqual([]);
  });
});

describe('names of files', () => {
  it('are kebab-case and say what is in them', () => {
    expect(code.flatMap(badNames)).toEqual([]);
  });

  it('give each folder under src/ an entry', () => {
    expect(withoutEntry(source)).toEqual([]);
  });

  it.each([
    'src/abi/memoryShare.ts',
    'src/abi/memory_share.ts',
    'src/Abi/x.ts',
    'src/utils/x.ts',
    'src/abi/helpers.ts',
  ])('can fail: %s', (path) => {
    expect(badNames(snippet(path, ''))).toHaveLength(1);
  });

  it('can fail: a folder without an entry', () => {
    expect(withoutEntry([snippet('src/abi/index.ts', ''), snippet('src/spmc/x.ts', '')])).toEqual(['spmc']);
  });
});

describe('texts', () => {
  it('hold no marks of unfinished work or of one machine', () => {
    expect(everything.flatMap(bannedTexts)).toEqual([]);
  });

  const bad: readonly [path: string, text: string, expected: string][] = [
    ['src/a.ts', '// TODO: later', 'unfinished work'],
    ['README.md', 'FIXME', 'unfinished work'],
    ['test/a.test.ts', "it.only('x', f)", 'left alone'],
    ['test/a.test.ts', "describe.skip('x', f)", 'is no test'],
    ['test/a.test.ts', "it.todo('x')", 'is no test'],
    ['docs/a.md', 'see /home/ann/notes', 'one machine'],
    ['src/a.ts', "open('/root/x')", 'one machine'],
    ['src/a.ts', "open('/tmp/x')", 'os.tmpdir'],
    ['src/a.ts', '// as issue 12 asks', 'only its authors'],
    ['package.json', '"resolved": "https://registry.npmjs.org/x"', 'registry'],
    ['docs/a.md', 'blanks  ', 'end of a line'],
    ['docs/a.md', 'line\r', 'carriage return'],
  ];
  it.each(bad)('can fail: %s with %j', (path, text, expected) => {
    expect(bannedTexts(snippet(path, text)).join('\n')).toContain(expected);
  });

  it('may name paths of the project and of the web', () => {
    const good = 'https://example.org/home/x, docs/work/x, ./tmp/x, number of pages';
    expect(bannedTexts(snippet('src/a.ts', good))).toEqual([]);
  });
});

describe('constructs', () => {
  it('are the ones that TypeScript only erases, exported by name', () => {
    const files = code.filter((file) => !defaultExportAllowed.includes(file.path));
    expect(files.flatMap(bannedConstructs)).toEqual([]);
  });

  it.each([
    ['enum Colour { red }', 'an enum'],
    ['const enum Colour { red }', 'an enum'],
    ['namespace colours { export const red = 1; }', 'a namespace'],
    ['export default 1;', 'a default export'],
    ['export default function f() {}', 'a default export'],
    ['export { x as default };', 'a default export'],
    ['let x: any;', 'any: say'],
    ['const numPages = 1;', 'xCount'],
    ['interface Region { numPages: number }', 'xCount'],
  ])('can fail: %s', (text, expected) => {
    expect(bannedConstructs(snippet('src/a.ts', text)).join('\n')).toContain(expected);
  });

  it('may switch by default and say enum in a comment', () => {
    const good = [
      '// An enum, any namespace.',
      'switch (x) { default: y(); }',
      'check(p, { numRuns: 9 });',
      "import z, { default as w } from 'z';",
    ].join('\n');
    expect(bannedConstructs(snippet('src/a.ts', good))).toEqual([]);
  });
});
