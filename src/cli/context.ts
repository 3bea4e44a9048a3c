// What a verb gets: where to print, what to read, how to end. A verb never touches the process.

import { UserError } from '../base/user-error.ts';
import type { StyledLine } from '../export/styled-text.ts';
import { EXIT_HELD } from './exit-codes.ts';
import type { Host } from './host.ts';
import { paint } from './paint.ts';

export type ColourWhen = 'auto' | 'always' | 'never';

/** One of the two streams. */
export interface Printer {
  /** Whether styled lines get colour. */
  readonly colour: boolean;
  readonly isTerminal: boolean;
  readonly columns: number;
  write(text: string): void;
  print(lines: readonly StyledLine[]): void;
  /** One JSON document, indented, with a line break at its end. */
  json(document: unknown): void;
}

export interface CliContext {
  readonly host: Host;
  /** Standard output: data. */
  readonly out: Printer;
  /** Standard error: talk. */
  readonly talk: Printer;
  /** The verb's exit code; 0 unless the verb says otherwise. */
  exitCode: number;
  /**
   * Does `work` when the user presses Ctrl-C: print what was found so far, remove half a file. Then ffabric ends with
   * 130. A verb that asks for this must let go of the thread now and then (`await breathe()`); a verb that does not is
   * ended by the system at once.
   */
  onInterrupt(work: () => void): void;
  /** Gives Ctrl-C its turn. After it, a verb that waits here waits for ever: it has been ended. */
  breathe(): Promise<void>;
}

export function makeContext(host: Host, when: ColourWhen): CliContext & { readonly interrupted: Promise<void> } {
  const works: (() => void)[] = [];
  let interrupt: () => void = () => undefined;
  let isInterrupted = false;
  const interrupted = new Promise<void>((resolve) => {
    interrupt = resolve;
  });
  return {
    host,
    out: makePrinter(host, host.stdoutIsTerminal, when, (text) => host.writeOut(text)),
    talk: makePrinter(host, host.stderrIsTerminal, when, (text) => host.writeErr(text)),
    exitCode: EXIT_HELD,
    interrupted,
    onInterrupt(work) {
      works.push(work);
      host.onInterrupt(() => {
        host.onInterrupt(null);
        isInterrupted = true;
        for (let n = works.length - 1; n >= 0; n--) works[n]();
        interrupt();
      });
    },
    breathe: () =>
      new Promise((resolve) => {
        setImmediate(() => {
          if (!isInterrupted) resolve();
        });
      }),
  };
}

function makePrinter(host: Host, isTerminal: boolean, when: ColourWhen, write: (text: string) => void): Printer {
  const colour = when === 'always' || (when === 'auto' && isTerminal && wantsColour(host));
  return {
    colour,
    isTerminal,
    columns: host.columns,
    write,
    print: (lines) => write(paint(lines, colour)),
    json: (document) => write(`${JSON.stringify(document, null, 2)}\n`),
  };
}

/**
 * The habits of https://no-color.org: a variable that is set and not empty; and a terminal that says that it is dumb.
 */
function wantsColour(host: Host): boolean {
  const { NO_COLOR, TERM } = host.env;
  return (NO_COLOR === undefined || NO_COLOR === '') && TERM !== 'dumb';
}

/**
 * Takes `--color WHEN`, `--color` (always) and `--no-color` out of the arguments, wherever they stand, so that no verb
 * has to know them.
 */
export function takeColour(argv: readonly string[]): { readonly when: ColourWhen; readonly rest: string[] } {
  let when: ColourWhen = 'auto';
  const rest: string[] = [];
  for (let n = 0; n < argv.length; n++) {
    const argument = argv[n];
    if (argument === '--') {
      rest.push(...argv.slice(n));
      break;
    }
    if (argument === '--no-color') when = 'never';
    else if (argument === '--color' && isColourWhen(argv[n + 1])) when = argv[++n] as ColourWhen;
    else if (argument === '--color') when = 'always';
    else if (argument.startsWith('--color=')) when = colourWhen(argument.slice('--color='.length));
    else rest.push(argument);
  }
  return { when, rest };
}

function isColourWhen(text: string | undefined): boolean {
  return text === 'auto' || text === 'always' || text === 'never';
}

function colourWhen(text: string): ColourWhen {
  if (!isColourWhen(text))
    throw new UserError(`--color does not know '${text}'`, null, 'it takes auto, always or never');
  return text as ColourWhen;
}
