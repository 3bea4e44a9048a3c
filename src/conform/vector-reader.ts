// A vector file line by line: a header, steps that sessions share, sessions. Lines are parsed as they come; nothing of
// an earlier session is kept but the shared steps.
//
// A step is a pair [operation, answer]. What the operations mean is the replay's business.

import type { UserError } from '../base/user-error.ts';
import { type LineValues, parseLine, wrongLine } from './vector-line.ts';

export const MEDIATOR_FORMAT = 'ffabric-vectors/1';

export interface VectorHeader {
  readonly profile: string;
  readonly category: string;
}

export interface VectorStep {
  readonly operation: unknown;
  readonly answer: unknown;
  /** 1-based line of the file in which it stands. */
  readonly line: number;
}

export interface VectorSession {
  readonly name: string;
  readonly line: number;
  /** The steps of its setup, then its own. */
  readonly steps: readonly VectorStep[];
}

export class VectorReader {
  readonly file: string;
  private found: VectorHeader | null = null;
  private readonly setups = new Map<string, readonly VectorStep[]>();

  constructor(file: string) {
    this.file = file;
  }

  /** The header; a file without one is refused. */
  get header(): VectorHeader {
    if (this.found === null)
      throw this.wrong(1, 'there is no header', `the first line must say "format":"${MEDIATOR_FORMAT}"`);
    return this.found;
  }

  /** Takes line `number` (from 1); returns its session, if it holds one. */
  line(text: string, number: number): VectorSession | null {
    if (text.trim() === '') return null;
    const value = parseLine(this.file, text, number);
    if (this.found === null) {
      this.found = this.readHeader(value, number);
      return null;
    }
    const { name, setup } = value;
    const own = this.readSteps(value, number);
    if (name === undefined && typeof setup === 'string') {
      this.setups.set(setup, own);
      return null;
    }
    if (typeof name !== 'string') throw this.wrong(number, 'a session without a name', '"name" must be text');
    return { name, line: number, steps: this.withSetup(setup, own, number) };
  }

  private readHeader(value: LineValues, number: number): VectorHeader {
    const { format, profile, category } = value;
    if (format !== MEDIATOR_FORMAT) {
      throw this.wrong(
        number,
        `format ${JSON.stringify(format) ?? 'missing'}`,
        `this version reads "${MEDIATOR_FORMAT}"`,
      );
    }
    if (typeof profile !== 'string') throw this.wrong(number, 'the header names no profile', '"profile" must be text');
    return { profile, category: typeof category === 'string' ? category : '' };
  }

  private readSteps(value: LineValues, number: number): VectorStep[] {
    const { steps } = value;
    if (!Array.isArray(steps)) throw this.wrong(number, '"steps" is no list', 'it must hold [operation, answer] pairs');
    return steps.map((step: unknown, n) => {
      if (!Array.isArray(step) || step.length !== 2) {
        throw this.wrong(number, `step ${n + 1} is no pair`, 'a step is [operation, answer]');
      }
      return { operation: step[0], answer: step[1], line: number };
    });
  }

  private withSetup(setup: unknown, own: readonly VectorStep[], number: number): readonly VectorStep[] {
    if (setup === undefined) return own;
    const shared = typeof setup === 'string' ? this.setups.get(setup) : undefined;
    if (shared === undefined) {
      throw this.wrong(number, `no setup ${JSON.stringify(setup)}`, 'a setup must stand before its first session');
    }
    return [...shared, ...own];
  }

  private wrong(line: number, what: string, hint: string): UserError {
    return wrongLine(this.file, line, what, hint);
  }
}
