// What the command line needs of the process that it runs in, so that a test can run it without one.

import { readFileSync } from 'node:fs';

export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative paths of files begin here. */
  readonly directory: string;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** Columns of the terminal, or what a file gets. */
  readonly columns: number;
  /** Data. */
  writeOut(text: string): void;
  /** Talk. */
  writeErr(text: string): void;
  /** All of standard input. */
  readInput(): Uint8Array;
  /** Calls `work` when the user presses Ctrl-C; `null` gives Ctrl-C back to the system. */
  onInterrupt(work: (() => void) | null): void;
}

/** Columns of a picture that goes to a file. */
const COLUMNS_OF_A_FILE = 120;

/**
 * The process that ffabric runs in. A reader that goes away (`| head`) ends the output, not the verb: the exit code
 * still says what was found.
 */
export function processHost(): Host {
  let readerIsGone = false;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      readerIsGone = true;
    });
  }
  let interrupt: (() => void) | null = null;
  return {
    env: process.env,
    directory: process.cwd(),
    stdoutIsTerminal: process.stdout.isTTY === true,
    stderrIsTerminal: process.stderr.isTTY === true,
    columns: process.stdout.columns ?? COLUMNS_OF_A_FILE,
    writeOut: (text) => {
      if (!readerIsGone) process.stdout.write(text);
    },
    writeErr: (text) => {
      process.stderr.write(text);
    },
    readInput: () => readFileSync(0),
    onInterrupt: (work) => {
      if (interrupt !== null) process.off('SIGINT', interrupt);
      interrupt = work;
      if (work !== null) process.on('SIGINT', work);
    },
  };
}
