// `npm run fuzz`: fuzzes every target in turn, three minutes each.
//
//     npm run fuzz -- --list
//     npm run fuzz -- --target door-ffabric --seconds 20 --seed 7
//     npm run fuzz -- --target door-ffabric --replay fuzz-findings/door-ffabric-1a2b3c4d.bin
//
// An input that shows a mistake is written to fuzz-findings/, as found and shrunk. Exit code: 0 nothing found, 1
// something found, 2 bad usage, 4 a failure of the fuzzers' own.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { TARGET_PLACES } from './all-targets.ts';
import { fuzzTarget, replayInput } from './fuzz-target.ts';
import { instrumentedTree } from './instrumented-tree.ts';
import { reportLine, writeFindings } from './report.ts';

const SECONDS = 180;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      target: { type: 'string', multiple: true },
      seconds: { type: 'string' },
      inputs: { type: 'string' },
      seed: { type: 'string' },
      replay: { type: 'string' },
      list: { type: 'boolean' },
    },
  });
  if (values.list === true) {
    for (const { name, about } of TARGET_PLACES) console.log(`${name.padEnd(26)} ${about}`);
    return 0;
  }
  const wanted = values.target ?? TARGET_PLACES.map(({ name }) => name);
  const places = wanted.map((name) => TARGET_PLACES.find((place) => place.name === name));
  const missing = wanted.find((_, n) => places[n] === undefined);
  if (missing !== undefined) return usage(`--target: '${missing}' is none; see --list`);
  const seconds = number(values.seconds ?? String(SECONDS));
  const inputsMax = values.inputs === undefined ? Number.POSITIVE_INFINITY : number(values.inputs);
  const seed = values.seed === undefined ? Date.now() & 0x7fff_ffff : number(values.seed);
  if (Number.isNaN(seconds + seed) || Number.isNaN(inputsMax)) return usage('--seconds, --inputs, --seed: a number');
  const tree = instrumentedTree();
  if (values.replay !== undefined) {
    const [place] = places;
    if (place === undefined || places.length !== 1) return usage('--replay takes one --target');
    const text = await replayInput(tree, place, readFileSync(values.replay));
    console.log(text ?? 'nothing wrong');
    return text === null ? 0 : 1;
  }
  let found = 0;
  for (const place of places) {
    if (place === undefined) continue;
    const outcome = await fuzzTarget(tree, place, { seed, seconds, inputsMax });
    console.log(reportLine(outcome, seed));
    for (const line of writeFindings(outcome, process.cwd())) console.log(line);
    found += outcome.failures.length;
  }
  return found === 0 ? 0 : 1;
}

function number(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}

function usage(message: string): number {
  console.error(message);
  return 2;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error);
  process.exitCode = 4;
}
