// A process for the command line to run in, without one: what it prints is kept, what it reads is given.

import type { Host } from '../../src/cli/host.ts';

export interface FakeHostOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly directory?: string;
  readonly input?: string | Uint8Array;
  readonly isTerminal?: boolean;
}

export class FakeHost implements Host {
  readonly env: Readonly<Record<string, string>>;
  readonly directory: string;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  readonly columns = 100;
  stdout = '';
  stderr = '';
  private readonly input: Uint8Array;
  private interruptWork: (() => void) | null = null;

  constructor(options: FakeHostOptions = {}) {
    this.env = options.env ?? {};
    this.directory = options.directory ?? '.';
    this.stdoutIsTerminal = options.isTerminal ?? false;
    this.stderrIsTerminal = options.isTerminal ?? false;
    const input = options.input ?? '';
    this.input = typeof input === 'string' ? new TextEncoder().encode(input) : input;
  }

  writeOut(text: string): void {
    this.stdout += text;
  }

  writeErr(text: string): void {
    this.stderr += text;
  }

  readInput(): Uint8Array {
    return this.input;
  }

  onInterrupt(work: (() => void) | null): void {
    this.interruptWork = work;
  }

  /** Ctrl-C; false if nobody asked to be told. */
  pressControlC(): boolean {
    const work = this.interruptWork;
    if (work === null) return false;
    work();
    return true;
  }
}
