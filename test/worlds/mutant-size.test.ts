// A mutant is small, or it would be another program and not this one with something taken out: what an entry of a list
// is made of (its own line, and the declarations of its file that it leads to) has at most 30 lines.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { MUTANTS } from './mutants/index.ts';

const LINES_MAX = 30;
const folder = join(import.meta.dirname, 'mutants');
/** Not lists of mutants: their index, and what all of them are made with. */
const OTHERS = ['index.ts', 'mutant.ts'];

interface Size {
  /** `file: the first line of the entry`. */
  readonly entry: string;
  readonly lines: number;
}

/** The size of each entry of the lists `..._MUTANTS` in a file. */
function sizes(name: string, text: string): Size[] {
  const file = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
  const linesOf = (node: ts.Node) =>
    file.getLineAndCharacterOfPosition(node.getEnd()).line -
    file.getLineAndCharacterOfPosition(node.getStart(file)).line +
    1;
  const declared = new Map<string, ts.Node>();
  const entries: ts.Expression[] = [];
  for (const statement of file.statements) {
    if (ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) {
      declared.set(statement.name?.text ?? '', statement);
    }
    if (!ts.isVariableStatement(statement)) continue;
    for (const { initializer, name: called } of statement.declarationList.declarations) {
      const isList = called.getText(file).endsWith('_MUTANTS');
      if (isList && initializer !== undefined && ts.isArrayLiteralExpression(initializer)) {
        entries.push(...initializer.elements);
      } else declared.set(called.getText(file), statement);
    }
  }
  return entries.map((entry) => {
    const parts = new Set<ts.Node>([entry]);
    const visit = (node: ts.Node): void => {
      const found = ts.isIdentifier(node) ? declared.get(node.text) : undefined;
      if (found !== undefined && !parts.has(found)) {
        parts.add(found);
        visit(found);
      }
      ts.forEachChild(node, visit);
    };
    visit(entry);
    const lines = [...parts].reduce((sum, part) => sum + linesOf(part), 0);
    return { entry: `${name}: ${entry.getText(file).split('\n').slice(0, 3).join(' ')}`, lines };
  });
}

const all = readdirSync(folder)
  .filter((name) => !OTHERS.includes(name))
  .flatMap((name) => sizes(name, readFileSync(join(folder, name), 'utf8')));

describe('mutants', () => {
  it('are all seen', () => {
    expect(all.length).toBe(MUTANTS.length);
  });

  it(`have at most ${LINES_MAX} lines`, () => {
    expect(all.filter(({ lines }) => lines > LINES_MAX)).toEqual([]);
  });

  it('are counted with what they are made of', () => {
    const text = [
      'function inner() {',
      '  return 1;',
      '}',
      'const unused = 1;',
      'const outer = () => inner();',
      'export const A_MUTANTS = [{ parts: outer }, { parts: 1 }];',
    ].join('\n');
    expect(sizes('a.ts', text).map(({ lines }) => lines)).toEqual([5, 1]);
  });
});
