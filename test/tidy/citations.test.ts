// Every citation in a comment resolves to an entry of src/base/citations.ts, so that a reader can always find the
// source and nobody invents a section number. The two forms of a citation are described there.

import { describe, expect, it } from 'vitest';
import { CITATION_SOURCES, CITATIONS } from '../../src/base/citations.ts';
import { commentsOf } from './syntax.ts';
import { type Finding, finding, type SourceFile, snippet, typescriptFiles } from './tree.ts';

const KEYS: ReadonlySet<string> = new Set(CITATIONS.map((citation) => citation.key));

// A number may be followed by a full stop that ends a sentence.
const SECTION = /(FF-A 1\.\d|DTSpec) (§|Table )(\d+(?:\.\d+)*)/g;
const BRACKET = /\[([^[\]]+)\]/g;
const SOURCE_NAME = new RegExp(`^(?:${CITATION_SOURCES.join('|')})(?![\\w-])`);

/** The citations of `text`: their keys, and what looks like a citation but has no key (a section sign on its own). */
function citationsIn(text: string): { keys: string[]; stray: string[] } {
  const keys = [...text.matchAll(SECTION)].map((match) => match[0]);
  for (const match of text.matchAll(BRACKET)) {
    if (SOURCE_NAME.test(match[1]!)) keys.push(...match[1]!.split(/[,;]\s*/).map((key) => key.trim()));
  }
  const rest = text.replace(SECTION, '');
  const stray = [...rest.matchAll(/\S*\s?§\s?\S*/g)].map((match) => match[0].trim());
  return { keys, stray };
}

/** The citations of `file` that resolve to nothing. */
function unresolved(file: SourceFile): Finding[] {
  const findings: Finding[] = [];
  for (const comment of commentsOf(file)) {
    const { keys, stray } = citationsIn(comment.text);
    for (const key of keys) {
      if (!KEYS.has(key)) findings.push(finding(file, comment.line, `'${key}' is not in src/base/citations.ts`));
    }
    for (const text of stray) {
      findings.push(finding(file, comment.line, `'${text}': a section is cited as 'FF-A 1.2 §13.2'`));
    }
  }
  return findings;
}

describe('citations', () => {
  it('resolve in every comment under src/', () => {
    const files = typescriptFiles('src').filter((file) => file.path !== 'src/base/citations.ts');
    const keyCount = files.flatMap(commentsOf).flatMap((comment) => citationsIn(comment.text).keys).length;
    expect(keyCount).toBeGreaterThan(10);
    expect(files.flatMap(unresolved)).toEqual([]);
  });

  it('have one entry each, with a title and a place', () => {
    expect(CITATIONS.map(({ key }) => key).filter((key, index, all) => all.indexOf(key) !== index)).toEqual([]);
    expect(CITATIONS.filter(({ title, where }) => title === '' || where === '')).toEqual([]);
  });

  it('name a source of the list, or a place of the specification', () => {
    const place = /^FF-A 1\.\d(?: (?:§|Table )\d+(?:\.\d+)*)?$/;
    expect(CITATIONS.filter(({ key }) => !SOURCE_NAME.test(key) && !place.test(key))).toEqual([]);
  });

  const bad: readonly [comment: string, expected: string][] = [
    ['// As in FF-A 1.1 §99.9 it says.', "'FF-A 1.1 §99.9' is not in"],
    ['/** See FF-A 1.2 Table 99.1. */', "'FF-A 1.2 Table 99.1' is not in"],
    ['// [Xen ffa_nowhere.c]', "'Xen ffa_nowhere.c' is not in"],
    ['const x = 1; // [Hafnium nothing.c]', "'Hafnium nothing.c' is not in"],
    ['// Both say so [Xen ffa_shm.c, Hafnium nothing.c].', "'Hafnium nothing.c' is not in"],
    ['// Over two lines [Hafnium\n// nothing.c].', "'Hafnium nothing.c' is not in"],
    ['// See §13.2 for this.', 'a section is cited as'],
  ];
  it.each(bad)('can fail: %j', (comment, expected) => {
    expect(unresolved(snippet('src/abi/a.ts', comment)).join('\n')).toContain(expected);
  });

  it('are told from other brackets and from code', () => {
    const good = [
      '// Bits [31:16] and the range [low, high); a list [Linuxes].',
      '/** As FF-A 1.1 §13.2.1, and [Xen 7356bb5e47; Linux arm_ffa] say: FF-A 1.1 Table 10.20. */',
      "const text = '[Xen nowhere.c] §1';",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the snippet holds a template.
      'const template = `${text} // [Xen nowhere.c]`;',
    ].join('\n');
    expect(unresolved(snippet('src/abi/a.ts', good))).toEqual([]);
  });
});
