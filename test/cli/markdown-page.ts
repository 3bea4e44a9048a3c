// Reads a Markdown page that is both documentation and test. Under a heading `##`:
//
//     ```console                  the command, and its standard output below it
//     $ ffabric decode …
//     ```
//     ```stderr … ```             its standard error, if any
//     ```stdin … ```              what it reads from standard input
//     ```file NAME … ```          a file beside it
//     Exit code: 2                0 without this line
//
// In what is expected, `<number>` stands for any number, `<any>` for anything in a line, and a line `<lines>` for any
// number of lines.

export interface PageTest {
  readonly heading: string;
  /** Line of the command in the page. */
  readonly line: number;
  readonly command: readonly string[];
  readonly stdout: string;
  readonly stderr: string;
  readonly stdin: string;
  readonly files: readonly { readonly name: string; readonly text: string }[];
  readonly exitCode: number;
}

interface Block {
  readonly language: string;
  readonly line: number;
  readonly text: string;
}

/** Every section of the page that has a command. */
export function readPage(text: string): PageTest[] {
  const tests: PageTest[] = [];
  for (const section of sections(text)) {
    const console = section.blocks.find((block) => block.language === 'console');
    if (console === undefined) continue;
    const [first, ...rest] = console.text.split('\n');
    const command = splitWords(first.replace(/^\$ /, ''));
    if (!first.startsWith('$ ') || command[0] !== 'ffabric') throw new Error(`line ${console.line}: no \`$ ffabric\``);
    const block = (language: string) => section.blocks.find((one) => one.language === language)?.text ?? '';
    tests.push({
      heading: section.heading,
      line: console.line,
      command: command.slice(1),
      stdout: rest.join('\n'),
      stderr: block('stderr'),
      stdin: block('stdin'),
      files: section.blocks
        .filter((one) => one.language.startsWith('file '))
        .map((one) => ({ name: one.language.slice('file '.length), text: one.text })),
      exitCode: Number(/^Exit code: (\d+)/m.exec(section.prose)?.[1] ?? 0),
    });
  }
  return tests;
}

/** The expected text as a pattern for all of what was printed. */
export function patternOf(expected: string): RegExp {
  const lines = expected.split('\n').map((line) => {
    if (line === '<lines>') return '(?:.*\\n)*?';
    const parts = line.split(/(<number>|<any>)/).map((part) => {
      if (part === '<number>') return '-?\\d+(?:\\.\\d+)?';
      return part === '<any>' ? '.*' : part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
    });
    return `${parts.join('')}\\n`;
  });
  return new RegExp(expected === '' ? '^$' : `^${lines.join('')}$`);
}

function sections(text: string): { heading: string; prose: string; blocks: Block[] }[] {
  const found: { heading: string; prose: string; blocks: Block[] }[] = [];
  const lines = text.split('\n');
  for (let n = 0; n < lines.length; n++) {
    const heading = /^## (.*)$/.exec(lines[n]);
    if (heading !== null) {
      found.push({ heading: heading[1], prose: '', blocks: [] });
      continue;
    }
    const section = found[found.length - 1];
    const fence = /^```(.*)$/.exec(lines[n]);
    if (fence === null) {
      if (section !== undefined) section.prose += `${lines[n]}\n`;
      continue;
    }
    const first = n + 1;
    let end = first;
    while (end < lines.length && lines[end] !== '```') end++;
    section?.blocks.push({ language: fence[1], line: first + 1, text: lines.slice(first, end).join('\n') });
    n = end;
  }
  return found;
}

/** Words as a shell would make them: blanks part words, quotes keep them together. */
function splitWords(text: string): string[] {
  const words: string[] = [];
  for (const match of text.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)) {
    words.push(match[0].replaceAll(/"([^"]*)"|'([^']*)'/g, '$1$2'));
  }
  return words;
}
