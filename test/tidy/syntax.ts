// TypeScript files as syntax trees, so that a rule sees code where there is code and comments where there are comments.

import ts from 'typescript';
import type { SourceFile } from './tree.ts';

/** A comment, or several line comments on consecutive lines, without its markers and line breaks. */
export interface Comment {
  /** 1-based line on which it begins. */
  readonly line: number;
  readonly text: string;
}

/** An import or a re-export. */
export interface Import {
  readonly line: number;
  /** What is written between the quotes. */
  readonly from: string;
}

export function parse(file: SourceFile): ts.SourceFile {
  return ts.createSourceFile(file.path, file.text, ts.ScriptTarget.ES2023, true, ts.ScriptKind.TS);
}

/** The 1-based line on which `node` begins. */
export function lineOf(tree: ts.SourceFile, node: ts.Node): number {
  return tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1;
}

/** Calls `see` for `node` and everything in it. */
export function visit(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node);
  node.forEachChild((child) => visit(child, see));
}

/** Every module that a file imports, statically, dynamically, as a type, or to export it again. */
export function importsOf(file: SourceFile): Import[] {
  const tree = parse(file);
  const found: Import[] = [];
  visit(tree, (node) => {
    let specifier: ts.Node | undefined;
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) specifier = node.moduleSpecifier;
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) specifier = node.argument.literal;
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      specifier = node.arguments[0];
    }
    if (specifier === undefined) return;
    const from = ts.isStringLiteralLike(specifier) ? specifier.text : '(computed)';
    found.push({ line: lineOf(tree, node), from });
  });
  return found;
}

/** Every comment of a file, in order. */
export function commentsOf(file: SourceFile): Comment[] {
  const tree = parse(file);
  const ranges = new Map<number, ts.CommentRange>();
  const collect = (node: ts.Node): void => {
    for (const range of ts.getLeadingCommentRanges(file.text, node.pos) ?? []) ranges.set(range.pos, range);
    for (const range of ts.getTrailingCommentRanges(file.text, node.end) ?? []) ranges.set(range.pos, range);
    for (const child of node.getChildren(tree)) collect(child);
  };
  collect(tree);

  const found: { line: number; lastLine: number; text: string }[] = [];
  for (const range of [...ranges.values()].sort((a, b) => a.pos - b.pos)) {
    const line = tree.getLineAndCharacterOfPosition(range.pos).line + 1;
    const lastLine = tree.getLineAndCharacterOfPosition(range.end).line + 1;
    const text = withoutMarkers(file.text.slice(range.pos, range.end));
    const previous = found.at(-1);
    if (
      previous !== undefined &&
      range.kind === ts.SyntaxKind.SingleLineCommentTrivia &&
      previous.lastLine === line - 1
    ) {
      previous.text += ` ${text}`;
      previous.lastLine = lastLine;
    } else {
      found.push({ line, lastLine, text });
    }
  }
  return found;
}

function withoutMarkers(comment: string): string {
  if (comment.startsWith('//')) return comment.slice(2).trim();
  const lines = comment.slice(2, -2).split('\n');
  return lines
    .map((line) => line.replace(/^\s*\*+ ?/, '').trim())
    .join(' ')
    .trim();
}
