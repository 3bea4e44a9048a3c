// docs/reclaim.md shows the answer table and names files and functions: both must be as the code has them.

import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { ANSWER_TABLE, OWN_CALL_NAMES, REPLY_CLASS_NAMES } from '../../src/hypervisor/answer-table.ts';

const PAGE = 'docs/reclaim.md';
const BEGIN = '<!-- answer table: begin -->';
const END = '<!-- answer table: end -->';

function table(): string {
  const rows = [
    `| reply | ${OWN_CALL_NAMES.join(' | ')} |`,
    `|---|${OWN_CALL_NAMES.map(() => '---').join('|')}|`,
    ...REPLY_CLASS_NAMES.map((name, row) => `| ${name} | ${ANSWER_TABLE[row].join(' | ')} |`),
  ];
  return `${BEGIN}\n${rows.join('\n')}\n${END}`;
}

it('shows the answer table as it is', () => {
  expect(readFileSync(PAGE, 'utf8')).toContain(table());
});

it('names functions that are in the files that it names', () => {
  const text = readFileSync(PAGE, 'utf8');
  const named = [...text.matchAll(/`([a-z0-9-]+\.ts)`((?:,? ?`[A-Za-z]+`)+)/g)];
  expect(named.length).toBeGreaterThan(20);
  for (const [, file, functions] of named) {
    const paths = ['src/hypervisor', 'src/hypervisor/profiles'].map((folder) => `${folder}/${file}`);
    const path = paths.find((candidate) => existsSync(candidate));
    expect(path, file).toBeDefined();
    const source = readFileSync(path as string, 'utf8');
    for (const [, name] of functions.matchAll(/`([A-Za-z]+)`/g)) expect(source, `${file} has ${name}`).toContain(name);
  }
});
