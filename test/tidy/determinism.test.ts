// The core is deterministic, and quick: no clock, no chance, no asynchrony, no Node, no DOM, no BigInt. The rule reads
// syntax trees, so a comment or a string that names a clock is no offence. (The compiler stands on the other side:
// tsconfig.core.json knows neither Node nor DOM, so a name that is missing from this list does not compile there.)

import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { lineOf, parse, visit } from './syntax.ts';
import { type Finding, finding, isCore, type SourceFile, snippet, typescriptFiles } from './tree.ts';

/** Global names that the core may not use, by what is wrong with them. */
const BANNED_NAMES: Readonly<Record<string, readonly string[]>> = {
  'a clock': ['Date', 'performance', 'Temporal', 'Intl'],
  asynchrony: [
    'Promise',
    'setTimeout',
    'setInterval',
    'setImmediate',
    'clearTimeout',
    'clearInterval',
    'queueMicrotask',
    'requestAnimationFrame',
    'requestIdleCallback',
    'AsyncIterator',
    'AsyncGenerator',
    'AsyncIterable',
  ],
  'chance or the collector': ['crypto', 'WeakRef', 'FinalizationRegistry'],
  'shared memory': ['Atomics', 'SharedArrayBuffer'],
  'the outside': [
    'process',
    'console',
    'require',
    'Buffer',
    'global',
    'globalThis',
    'window',
    'self',
    'document',
    'navigator',
    'location',
    'localStorage',
    'sessionStorage',
    'indexedDB',
    'fetch',
    'XMLHttpRequest',
    'WebSocket',
    'Worker',
    'MessageChannel',
    'BroadcastChannel',
    'eval',
    'Function',
  ],
  BigInt: ['BigInt', 'BigInt64Array', 'BigUint64Array'],
};

// Members of objects that are otherwise welcome. The functions of Math are those whose last bit is left to the engine.
const BANNED_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  Math: ['random', 'sin', 'cos', 'tan', 'exp', 'log', 'log2', 'log10', 'pow', 'sinh', 'cosh', 'tanh', 'cbrt', 'hypot'],
};
const BANNED_METHODS: readonly string[] = [
  'getBigInt64',
  'getBigUint64',
  'setBigInt64',
  'setBigUint64',
  'localeCompare',
  'toLocaleString',
  'toLocaleLowerCase',
  'toLocaleUpperCase',
];

const reasonOf = new Map(Object.entries(BANNED_NAMES).flatMap(([why, names]) => names.map((name) => [name, why])));

/** Whether an identifier names something declared elsewhere, rather than a member, a label, or a declaration. */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name !== node;
  if (ts.isQualifiedName(parent)) return parent.right !== node;
  if (ts.isBindingElement(parent)) return parent.initializer === node;
  if (ts.isPropertyAssignment(parent) || ts.isEnumMember(parent)) return parent.initializer === node;
  if (ts.isPropertySignature(parent) || ts.isMethodSignature(parent) || ts.isMethodDeclaration(parent)) return false;
  if (ts.isPropertyDeclaration(parent)) return parent.initializer === node;
  if (ts.isGetAccessor(parent) || ts.isSetAccessor(parent)) return false;
  if (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent)) return false;
  if (ts.isVariableDeclaration(parent) || ts.isParameter(parent)) return parent.name !== node;
  return true;
}

/** What a core file uses that would make a run depend on more than its world and its choices. */
function nondeterminism(file: SourceFile): Finding[] {
  const tree = parse(file);
  const declared = declaredNames(tree);
  const findings: Finding[] = [];
  const found = (node: ts.Node, what: string): void => {
    findings.push(finding(file, lineOf(tree, node), what));
  };
  visit(tree, (node) => {
    if (ts.isIdentifier(node) && isReference(node) && !declared.has(node.text)) {
      const why = reasonOf.get(node.text);
      if (why !== undefined) found(node, `the core may not use ${node.text} (${why})`);
    }
    if (ts.isPropertyAccessExpression(node)) {
      const { name, expression } = node;
      const members = ts.isIdentifier(expression) ? BANNED_MEMBERS[expression.text] : undefined;
      if (members?.includes(name.text) === true) found(node, `the core may not use ${node.getText(tree)}`);
      if (BANNED_METHODS.includes(name.text)) found(node, `the core may not use .${name.text}`);
    }
    if (node.kind === ts.SyntaxKind.AsyncKeyword) found(node, 'the core has no async functions');
    if (ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier !== undefined)) {
      found(node, 'the core does not await');
    }
    if (ts.isBigIntLiteral(node)) found(node, `the core has no BigInt: ${node.text}`);
    if (node.kind === ts.SyntaxKind.BigIntKeyword) found(node, 'the core has no BigInt: the type bigint');
  });
  return findings;
}

/** Names that the file itself declares or imports; they hide the global ones. */
function declaredNames(tree: ts.SourceFile): ReadonlySet<string> {
  const names = new Set<string>();
  visit(tree, (node) => {
    if (ts.isIdentifier(node) && !isReference(node)) {
      const { parent } = node;
      if (ts.isVariableDeclaration(parent) || ts.isParameter(parent) || ts.isBindingElement(parent))
        names.add(node.text);
      if (ts.isImportSpecifier(parent)) names.add(node.text);
    }
    const named = ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node);
    if ((named || ts.isTypeAliasDeclaration(node)) && node.name !== undefined) names.add(node.name.text);
  });
  return names;
}

describe('determinism of the core', () => {
  it('holds in every file of the core', () => {
    const files = typescriptFiles('src').filter((file) => isCore(file.path));
    expect(files.length).toBeGreaterThan(10);
    expect(files.flatMap(nondeterminism)).toEqual([]);
  });

  const bad: readonly [code: string, expected: string][] = [
    ['const t = Date.now();', 'Date (a clock)'],
    ['let d: Date;', 'Date (a clock)'],
    ['performance.now();', 'performance (a clock)'],
    ['const r = Math.random();', 'Math.random'],
    ['const x = Math.sin(1);', 'Math.sin'],
    ['setTimeout(f, 1);', 'setTimeout (asynchrony)'],
    ['setInterval(f, 1);', 'setInterval (asynchrony)'],
    ['queueMicrotask(f);', 'queueMicrotask (asynchrony)'],
    ['async function f() {}', 'no async functions'],
    ['const f = async () => 1;', 'no async functions'],
    ['await f();', 'does not await'],
    ['for await (const x of xs) {}', 'does not await'],
    ['function f(): Promise<void> {}', 'Promise (asynchrony)'],
    ['process.exit(1);', 'process (the outside)'],
    ['console.log(1);', 'console (the outside)'],
    ['document.title = "";', 'document (the outside)'],
    ["globalThis['Date'];", 'globalThis (the outside)'],
    ['const x = { now: Date };', 'Date (a clock)'],
    ['const { a = Date } = b;', 'Date (a clock)'],
    ['const n = 1n;', 'no BigInt: 1n'],
    ['let n: bigint;', 'the type bigint'],
    ['BigInt(1);', 'BigInt (BigInt)'],
    ['view.getBigUint64(0);', '.getBigUint64'],
    ['names.sort((a, b) => a.localeCompare(b));', '.localeCompare'],
  ];
  it.each(bad)('can fail: %s', (code, expected) => {
    expect(nondeterminism(snippet('src/base/a.ts', code)).join('\n')).toContain(expected);
  });

  it('passes comments, strings, members and names of its own', () => {
    const good = [
      '// Date.now() and Math.random() are banned; so is await.',
      "const text = 'Date.now()';",
      'clock.performance = record.process;',
      'interface Domain { location: number; self: Domain }',
      'function settle(process: number): number { return process + 1; }',
      'const x = Math.trunc(2 ** 32 / 3);',
    ].join('\n');
    expect(nondeterminism(snippet('src/base/a.ts', good))).toEqual([]);
  });
});
