// `ffabric bench`: the figures of the README, on this machine.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gunzipSync } from 'node:zlib';
import type { Command } from 'commander';
import { UserError } from '../../base/user-error.ts';
import { FileReplay } from '../../conform/file-replay.ts';
import { forEachLine } from '../../conform/text-lines.ts';
import { type StyledLine, span } from '../../export/styled-text.ts';
import { PROFILES } from '../../hypervisor/profiles/profile-table.ts';
import { calibrationTurns, measure, type Row } from '../bench/measure.ts';
import { type BenchRow, ROWS } from '../bench/rows.ts';
import type { CliContext } from '../context.ts';

interface BenchFlags {
  readonly profile: string;
  readonly json?: boolean;
}

const HELP = `
Examples:
  $ ffabric bench
  $ ffabric bench share-reclaim-1 guest-life-32x16 --json

Each figure is the median of batches; "per calibration" is it divided by one turn of a fixed loop of integer arithmetic,
measured right before, so that machines compare. The oracle is off, and the SPMC answers at once and keeps nothing, but
in rows that name a partition. Node inlines more here than it does by itself (bin/ffabric.js).`;

export function register(program: Command, context: CliContext): void {
  program
    .command('bench')
    .description('Measures the mediator on this machine: each row an operation, beside a fixed calibration loop.')
    .argument('[row...]', 'rows to measure (default: all)')
    .option('--profile <name>', `profile to measure (${[...PROFILES.keys()].join(', ')})`, 'ffabric')
    .option('--json', 'one JSON document')
    .addHelpText('after', HELP)
    .action((names: string[], flags: BenchFlags) => bench(names, flags, context));
}

async function bench(names: readonly string[], flags: BenchFlags, context: CliContext): Promise<void> {
  const profile = PROFILES.get(flags.profile);
  if (profile === undefined) {
    throw new UserError(`--profile: '${flags.profile}' is none`, null, `one of ${[...PROFILES.keys()].join(', ')}`);
  }
  const wanted = rowsNamed(names);
  const rows: Row[] = [];
  const conform = vectorReplay();
  const collect = collector();
  let calibrationNs = 0;
  for (const row of wanted) {
    if (context.talk.isTerminal) context.talk.write(`${row.name} ...\r`);
    calibrationNs = measure(calibrationTurns);
    if (row.name === 'conform' && conform === null) {
      context.talk.write('conform: no vectors/xen-*.jsonl.gz here, row left out\n');
      continue;
    }
    const result = row.run({ profile, conform, collect }, calibrationNs);
    rows.push(result);
    if (flags.json !== true) context.out.print([lineOf(row, result)]);
    await context.breathe();
  }
  if (flags.json === true) context.out.json({ calibrationNs, rows });
  else context.out.write(`calibration: ${calibrationNs.toFixed(2)} ns a turn\n`);
}

function rowsNamed(names: readonly string[]): readonly BenchRow[] {
  if (names.length === 0) return ROWS;
  return names.map((name) => {
    const row = ROWS.find((candidate) => candidate.name === name);
    if (row !== undefined) return row;
    throw new UserError(`row '${name}' is none`, null, `one of ${ROWS.map((known) => known.name).join(', ')}`);
  });
}

const NAME_WIDTH = 50;
const FIGURE_WIDTH = 10;

function lineOf(row: BenchRow, result: Row): StyledLine {
  const unit = row.name === 'zombie-bytes' ? 'bytes' : 'ns';
  const figure = result.nsPerOp.toFixed(result.nsPerOp < 100 ? 1 : 0).padStart(FIGURE_WIDTH);
  const relative = `${result.perCalibration.toFixed(0)}x`.padStart(8);
  return [
    span(row.name.padEnd(NAME_WIDTH), 'strong'),
    span(`${figure} ${unit.padEnd(6)}${unit === 'ns' ? relative : ' '.repeat(8)}  `),
    span(row.what, 'dim'),
  ];
}

/** Replays all of the project's vectors; null when they are not there. */
function vectorReplay(): (() => number) | null {
  const folder = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'vectors');
  if (!existsSync(folder)) return null;
  const files = readdirSync(folder).filter((name) => name.startsWith('xen-') && name.endsWith('.jsonl.gz'));
  if (files.length === 0) return null;
  return () => {
    let calls = 0;
    for (const name of files) {
      const replay = new FileReplay(name);
      const text = gunzipSync(readFileSync(join(folder, name))).toString('utf8');
      for (const _number of forEachLine(text, replay));
      calls += replay.calls;
    }
    return calls;
  };
}

/** Full garbage collection on demand, which needs a flag of V8's. */
function collector(): (() => void) | null {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  return typeof collect === 'function' ? () => void collect() : null;
}
