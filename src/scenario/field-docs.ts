// The documentation of world files, made from the schema and the tables that the reader itself goes by:
// docs/world-files.md is this text, and a test holds it against it.

import { GUEST_STEPS, SP_PROGRAMS, WORD_EXPRESSION_FORM } from '../world/vocabulary.ts';
import { fileName } from './step-reader.ts';
import { type FieldMeta, worldSchema } from './world-schema.ts';

interface SchemaNode {
  readonly shape?: Record<string, SchemaNode>;
  readonly element?: SchemaNode;
  unwrap?(): SchemaNode;
  meta?(): FieldMeta | undefined;
}

const INTRODUCTION = `# World files

This page is made from the tables that the reader of world files itself goes by
(\`npx tsx scripts/world-files-doc.ts\`).

A world is a YAML file: memory, partitions, guests with their scripts, what happens when, which answers of the secure
world are replaced, and what must hold at the end. \`ffabric run FILE\` runs it in virtual time. Worlds to begin with
are in \`worlds/\`.

    partitions:
      - {name: crypto, id: 0x8001, program: holder}
    guests:
      - name: g1
        script:
          - version
          - map
          - share: {name: buf, to: crypto, pages: 4}
          - message: {to: crypto, do: retrieve, region: buf}
    timeline:
      - {at: 1s, destroy: g1}
    expect:
      - {guest: g1, is: gone, by: 6s}
      - pages: back

- A **time** has a unit: \`5ns\`, \`10us\`, \`250ms\`, \`1s\`, \`2min\`. **Pages** are a number, or a size: \`64KiB\`,
  \`1MiB\`.
- A **name** stands for a guest or a partition wherever an endpoint is asked for; an id does as well.
- A **module** of your own (\`program: ./mine.js\`) exports \`create(environment)\`, which returns
  \`{run(context), reset()}\`; its path is relative to the world file. A TypeScript module
  needs a Node that strips types (22.18 or later).
- A mistake is one message with file, line and column.
`;

/** The page, with a line break at its end. */
export function worldFilesPage(): string {
  const lines: string[] = [INTRODUCTION, '## Fields', ''];
  addFields(lines, worldSchema(new Set()) as unknown as SchemaNode, '');
  lines.push('## Steps', '');
  lines.push(
    'A step is its name, or its name and fields: `map`, `wait: 5ms`, `share: {name: buf, to: crypto}`. Each call',
  );
  lines.push(
    'expects SUCCESS unless `expect` says otherwise. In a name `#` stands for the number of the innermost `repeat`.',
  );
  lines.push(`A word is ${WORD_EXPRESSION_FORM}.`, '');
  for (const [kind, row] of Object.entries(GUEST_STEPS)) {
    const bare = row.bare === undefined ? '' : ` A bare value is \`${fileName(row.bare)}\`.`;
    lines.push(`### ${kind}`, '', `${row.summary}.${bare}`, '');
    for (const [field, { choices, default: fallback, doc, required, type }] of Object.entries(row.fields)) {
      const fits = choices === undefined ? type : choices.join(', ');
      const absent = required === true ? 'required' : fallback === undefined ? 'optional' : `default ${fallback}`;
      lines.push(`- \`${fileName(field)}\` (${fits}; ${absent}): ${doc}`);
    }
    if (Object.keys(row.fields).length > 0) lines.push('');
  }
  lines.push('## Programs', '');
  for (const { name, parameters, summary } of SP_PROGRAMS) {
    lines.push(`### ${name}`, '', `${summary[0].toUpperCase()}${summary.slice(1)}.`, '');
    for (const parameter of parameters) {
      const fits = parameter.choices === undefined ? parameter.type : parameter.choices.join(', ');
      const absent = parameter.default === undefined ? 'required' : `default ${parameter.default}`;
      lines.push(`- \`${fileName(parameter.name)}\` (${fits}; ${absent}): ${parameter.doc}`);
    }
    lines.push('');
  }
  return `${lines.flatMap(wrapped).join('\n').trimEnd()}\n`;
}

const COLUMNS = 120;

/** A paragraph or item as lines of at most so many columns; what follows an item's first line is indented. */
function wrapped(text: string): string[] {
  if (text.length <= COLUMNS || text.includes('\n')) return [text];
  const indent = text.startsWith('- ') ? '  ' : '';
  const rows: string[] = [];
  let row = '';
  for (const word of text.split(' ')) {
    if (row !== '' && row.length + 1 + word.length > COLUMNS) {
      rows.push(row);
      row = `${indent}${word}`;
    } else row = row === '' ? word : `${row} ${word}`;
  }
  return [...rows, row];
}

/** The fields of a mapping, those of mappings inside below them. */
function addFields(lines: string[], node: SchemaNode, path: string): void {
  const inside: [string, SchemaNode][] = [];
  for (const [field, schema] of Object.entries(node.shape ?? {})) {
    const { doc, fallback, fits } = schema.meta?.() ?? { doc: '' };
    const bare = unwrapped(schema);
    const isList = bare.shape === undefined && bare.element !== undefined;
    const element = isList ? unwrapped(bare.element as SchemaNode) : bare;
    const what = fits ?? (isList ? 'a list' : 'fields');
    lines.push(
      `- \`${path}${field}\` (${what}; ${fallback === undefined ? 'required' : `default ${fallback}`}): ${doc}`,
    );
    if (element.shape !== undefined) inside.push([`${path}${field}${isList ? '[].' : '.'}`, element]);
  }
  lines.push('');
  for (const [inner, element] of inside) {
    lines.push(`### ${inner.replace(/\.$/, '')}`, '');
    addFields(lines, element, inner);
  }
}

/** What is below defaults and options. */
function unwrapped(node: SchemaNode): SchemaNode {
  let at = node;
  while (at.shape === undefined && at.element === undefined && at.unwrap !== undefined) at = at.unwrap();
  return at;
}
