// What a fuzzing run says: a line for each target, and for each mistake its text, its files and the command that
// replays it.

import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { FuzzOutcome } from './fuzz-target.ts';

const FOLDER = 'fuzz-findings';
const HEX_SHOWN_BYTES = 512;

export function reportLine(outcome: FuzzOutcome, seed: number): string {
  const { target, seconds, progress, failures } = outcome;
  const { inputs, corpus, edges, counters, features } = progress;
  const rate = seconds > 0 ? Math.round(inputs / seconds) : 0;
  const verdict = failures.length === 0 ? 'nothing found' : `${failures.length} FOUND`;
  return (
    `${target}: ${inputs} inputs in ${seconds.toFixed(1)} s (${rate}/s), corpus ${corpus}, ` +
    `${edges} of ${counters} edges, ${features} features, seed ${seed}: ${verdict}`
  );
}

/** Writes the inputs of each failure under `directory`; returns what to print. */
export function writeFindings(outcome: FuzzOutcome, directory: string): string[] {
  const lines: string[] = [];
  for (const { text, input, shrunk } of outcome.failures) {
    lines.push('', text);
    if (input.length === 0 && shrunk.length === 0) continue;
    const folder = join(directory, FOLDER);
    mkdirSync(folder, { recursive: true });
    const name = `${outcome.target}-${createHash('sha256').update(shrunk).digest('hex').slice(0, 8)}`;
    writeFileSync(join(folder, `${name}-found.bin`), input);
    const file = join(folder, `${name}.bin`);
    writeFileSync(file, shrunk);
    lines.push(`shrunk from ${input.length} to ${shrunk.length} bytes: ${hex(shrunk)}`);
    lines.push(`replay: npm run fuzz -- --target ${outcome.target} --replay ${relative(directory, file)}`);
  }
  return lines;
}

function hex(bytes: Uint8Array): string {
  const shown = Array.from(bytes.subarray(0, HEX_SHOWN_BYTES), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return bytes.length > HEX_SHOWN_BYTES ? `${shown}…` : shown;
}
