// Target for recordings of an SPMC: their reader, and our SPMC under whatever calls they hold. Nothing but a UserError
// may come out, and no call may end in an exception.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { UserError } from '../../../src/base/user-error.ts';
import { SpmcFile } from '../../../src/conform/spmc/spmc-file.ts';
import { Finding, type Target } from '../target.ts';

/** The fuzzers run in the project's root. */
const VECTORS = join(process.cwd(), 'vectors');
const FILES = ['hafnium.negative-v12', 'hafnium.positive-v11', 'hafnium.negative-v10', 'hafnium.random-v13'];
const SEED_BYTES_MAX = 12_000;
const SEEDS_A_FILE = 3;
/** Recordings of one input that are run. */
const RUNS_MAX = 4;

function seedsOf(name: string): Uint8Array[] {
  const path = join(VECTORS, `${name}.jsonl.gz`);
  if (!existsSync(path)) return [];
  const [header, ...recordings] = gunzipSync(readFileSync(path)).toString('utf8').split('\n');
  return recordings
    .filter((line) => line !== '' && header.length + line.length < SEED_BYTES_MAX)
    .slice(0, SEEDS_A_FILE)
    .map((line) => new TextEncoder().encode(`${header}\n${line}`));
}

const WORDS = [
  '"id":"a"',
  '"steps":[]',
  '"op":"call"',
  '"ep":32769',
  '"regs":[2214592627,96,96]',
  '"regs":[3288334452,80,80]',
  '"regs":[2214592630]',
  '"regs":[2214592631,1,0,0]',
  '"regs":[2214592635,0,0,16]',
  '"regs":[2214592634,0,0,0]',
  '"regs":[2214592613]',
  '"tx":"00"',
  '"rx":""',
  '"rxbusy":[]',
  'ffffffff',
  '00000000',
  '18446744073709551615',
  ',',
  '[',
  ']',
  '{',
  '}',
  'null',
  '\n',
];

export const RECORDING_TARGETS: readonly Target[] = [
  {
    name: 'recording-lines',
    bytesMax: 16_384,
    recordBytes: 0,
    headerBytes: 0,
    seeds: FILES.flatMap(seedsOf),
    dictionary: WORDS.map((word) => new TextEncoder().encode(word)),
    run: (input) => {
      try {
        run(new TextDecoder().decode(input));
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        if (/undefined|NaN|\[object/.test(error.message)) throw new Finding(`a message says "${error.message}"`);
      }
    },
  },
];

function run(text: string): void {
  const file = new SpmcFile('fuzz.jsonl');
  let runs = 0;
  for (const [n, line] of text.split('\n').entries()) {
    const session = file.line(line, n + 1);
    if (session === null || runs++ >= RUNS_MAX) continue;
    const { difference } = session.run();
    if (difference?.field === 'threw') throw new Finding(difference.got);
  }
}
