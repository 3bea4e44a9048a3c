// `ffabric conform`: replays recorded vectors on the mediator or on the SPMC, as each file says, and compares every
// answer.
//
// Exit code 1: something differs. A refusal is no difference: ours keeps a property there that the recorded answer
// breaks. Ctrl-C prints what was found so far.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Command } from 'commander';
import { UserError } from '../../base/user-error.ts';
import { type Failure, FileReplay } from '../../conform/file-replay.ts';
import { forEachLine } from '../../conform/text-lines.ts';
import { type Style, type StyledLine, span } from '../../export/styled-text.ts';
import type { Profile } from '../../hypervisor/profile.ts';
import { PROFILES } from '../../hypervisor/profiles/profile-table.ts';
import type { CliContext } from '../context.ts';
import { EXIT_FAILED } from '../exit-codes.ts';

interface ConformFlags {
  readonly profile?: string;
  readonly session?: string;
  readonly max: string;
  readonly json?: boolean;
}

const FAILURES_SHOWN = 10;
const SHOWN_LENGTH_MAX = 400;
const BREATH_LINES = 512;

const HELP = `
Examples:
  $ ffabric conform vectors/xen-*.jsonl.gz
  $ ffabric conform vectors/xen-2024.share.jsonl.gz --session ma-scattered-2
  $ ffabric conform vectors/hafnium.*.jsonl.gz

Exit code: 0 all as recorded, 1 something differs, 2 a file could not be read.`;

export function register(program: Command, context: CliContext): void {
  program
    .command('conform')
    .description('Replays recorded vectors on the mediator or the SPMC and compares all that its calls show.')
    .argument('<file...>', 'vector files (.jsonl or .jsonl.gz)')
    .option('--profile <name>', `replay on this profile, not on the one that the file names (${profileNames()})`)
    .option('--session <text>', 'only sessions whose name contains this')
    .option('--max <count>', 'differences shown', String(FAILURES_SHOWN))
    .option('--json', 'one JSON document')
    .addHelpText('after', HELP)
    .action((files: string[], flags: ConformFlags) => conform(files, flags, context));
}

function profileNames(): string {
  return [...PROFILES.keys()].join(', ');
}

async function conform(files: readonly string[], flags: ConformFlags, context: CliContext): Promise<void> {
  const profile = profileOf(flags);
  const max = Number(flags.max);
  if (!Number.isSafeInteger(max) || max < 0) {
    throw new UserError(`--max is '${flags.max}'`, null, 'it takes a number, 0 or more');
  }
  const began = performance.now();
  const replays: FileReplay[] = [];
  const report = () => {
    const seconds = (performance.now() - began) / 1000;
    if (flags.json === true) context.out.json(document(replays, seconds));
    else context.out.print(summary(replays, seconds, max, flags.profile));
  };
  context.onInterrupt(report);
  for (const file of files) {
    const replay = new FileReplay(file, {
      profile,
      ...(flags.session === undefined ? {} : { session: flags.session }),
    });
    replays.push(replay);
    const text = readText(resolve(context.host.directory, file), file);
    for (const number of forEachLine(text, replay)) if (number % BREATH_LINES === 0) await context.breathe();
    if (flags.json !== true) context.out.print([fileLine(replay)]);
  }
  if (flags.session !== undefined && replays.every((replay) => replay.sessions === 0)) {
    throw new UserError(`no session's name contains '${flags.session}'`, null, '--session takes a part of a name');
  }
  report();
  if (replays.some((replay) => replay.failed > 0)) context.exitCode = EXIT_FAILED;
}

function profileOf(flags: ConformFlags): Profile | null {
  if (flags.profile === undefined) return null;
  const profile = PROFILES.get(flags.profile);
  if (profile === undefined) {
    throw new UserError(`there is no profile '${flags.profile}'`, null, `the profiles are ${profileNames()}`);
  }
  return profile;
}

const GZIP_MAGIC = 0x1f8b;

/** A file's text, unpacked if it is packed. */
function readText(path: string, file: string): string {
  const place = { file, line: 0, column: 0 };
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new UserError(`cannot be read: ${reason(error)}`, place, 'give a vector file (.jsonl or .jsonl.gz)');
  }
  if (bytes.length < 2 || bytes.readUInt16BE(0) !== GZIP_MAGIC) {
    if (file.endsWith('.gz')) throw new UserError('is not packed with gzip', place, 'its name says that it is');
    return bytes.toString('utf8');
  }
  try {
    return gunzipSync(bytes).toString('utf8');
  } catch (error) {
    throw new UserError(`cannot be unpacked: ${reason(error)}`, place, 'it must be a whole gzip file');
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'it is not allowed',
};

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? error.message;
}

function total(replays: readonly FileReplay[], count: (replay: FileReplay) => number): number {
  return replays.reduce((sum, replay) => sum + count(replay), 0);
}

function allFailures(replays: readonly FileReplay[]): Failure[] {
  return replays.flatMap((replay) => replay.failures);
}

function document(replays: readonly FileReplay[], seconds: number): unknown {
  return {
    files: replays.length,
    sessions: {
      passed: total(replays, (replay) => replay.passed),
      failed: total(replays, (replay) => replay.failed),
      skipped: total(replays, (replay) => replay.skipped),
      refused: total(replays, (replay) => replay.refused),
    },
    calls: total(replays, (replay) => replay.calls),
    seconds: Number(seconds.toFixed(3)),
    failures: allFailures(replays).map(({ file, session, step, expected, got }) => ({
      file,
      session,
      step,
      expected,
      got,
    })),
  };
}

const COUNT_WIDTH = 6;

function fileLine(replay: FileReplay): StyledLine {
  const count = (value: number) => value.toLocaleString('en-US').padStart(COUNT_WIDTH);
  const failed: Style = replay.failed > 0 ? 'wrong' : 'dim';
  return [
    span(`${count(replay.passed)} passed`, 'good'),
    span(`${count(replay.failed)} failed`, failed),
    span(`${count(replay.skipped)} skipped`, 'dim'),
    span(replay.refused > 0 ? `${count(replay.refused)} refused  ` : '  ', 'dim'),
    span(replay.file),
  ];
}

function summary(
  replays: readonly FileReplay[],
  seconds: number,
  max: number,
  profile: string | undefined,
): StyledLine[] {
  const lines: StyledLine[] = [];
  const failures = allFailures(replays);
  for (const failure of failures.slice(0, max)) lines.push(...failureLines(failure, profile));
  if (failures.length > max) {
    lines.push([span(`… and ${failures.length - max} more (--max ${failures.length} shows all)`, 'dim')]);
  }
  lines.push(...refusalLines(replays));
  const passed = total(replays, (replay) => replay.passed);
  const skipped = total(replays, (replay) => replay.skipped);
  const refused = total(replays, (replay) => replay.refused);
  const all = total(replays, (replay) => replay.sessions);
  const number = (value: number) => value.toLocaleString('en-US');
  const sessions = `${number(all)} ${all === 1 ? 'session' : 'sessions'}`;
  const callCount = total(replays, (replay) => replay.calls);
  const callers = replays.some((replay) => replay.isOfSpmc) ? '' : 'guest ';
  const calls = `${number(callCount)} ${callers}${callCount === 1 ? 'call' : 'calls'}`;
  const withRefused = refused > 0 ? `, ${number(refused)} refused` : '';
  const verdict =
    `${number(passed)} passed, ${number(failures.length)} failed, ${number(skipped)} skipped${withRefused} ` +
    `of ${sessions}, ${calls}, ${seconds.toFixed(1)} s`;
  lines.push([span(verdict, failures.length > 0 ? 'wrong' : 'good')]);
  return lines;
}

/** Why ours refused, and how often. */
function refusalLines(replays: readonly FileReplay[]): StyledLine[] {
  const counts = new Map<string, number>();
  for (const { reason } of replays.flatMap((replay) => replay.refusals)) {
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].map(([reason, count]) => [span(`refused ${count}: ${reason}`, 'dim')]);
}

function failureLines(failure: Failure, profile: string | undefined): StyledLine[] {
  const again = `ffabric conform ${failure.file} --session ${failure.session}`;
  const onProfile = profile === undefined ? '' : ` --profile ${profile}`;
  return [
    [span(failure.session, 'strong'), span(`, step ${failure.step} (${failure.operation})`, 'plain')],
    [span(`  recorded  ${shorten(failure.expected)}`, 'plain')],
    [span(`  got       ${shorten(failure.got)}`, 'wrong')],
    [span(`  again     ${again}${onProfile}`, 'dim')],
  ];
}

function shorten(text: string): string {
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text;
}
