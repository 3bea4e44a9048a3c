// `ffabric explore`: tries what a scheduler, the secure world and time could do in a world, and says within which
// bounds all of it held, or shows the shortest story that was found in which it did not.
//
// Exit code 1: something did not hold. 3: time ran out before the bounds were done.

import type { Command } from 'commander';
import { UserError } from '../../base/user-error.ts';
import { STRATEGY_NAMES } from '../../explore/plan.ts';
import { printSchedule } from '../../explore/schedule.ts';
import { type ExploreOptions, type ExploreResult, type SearchProgress, search } from '../../explore/search.ts';
import { line } from '../../export/styled-text.ts';
import { PROFILES } from '../../hypervisor/profiles/profile-table.ts';
import type { CliContext } from '../context.ts';
import { EXIT_FAILED, EXIT_INCONCLUSIVE } from '../exit-codes.ts';
import { findingLines, heldLines, inconclusiveLines } from '../explore/explore-report.ts';
import { junitDocument } from '../explore/junit.ts';
import { linkOf } from '../explore/schedule-link.ts';
import { searchWithWorkers, type Watch } from '../explore/workers.ts';
import { saveText } from '../save-text.ts';
import { loadWorldFrom } from '../world/load-world.ts';

interface ExploreFlags {
  readonly strategy: string;
  readonly executions?: string;
  readonly time?: string;
  readonly faults?: string;
  readonly delays?: string;
  readonly seed?: string;
  readonly workers?: string;
  readonly expectations?: boolean;
  readonly shrink: boolean;
  readonly profile?: string;
  readonly save?: string;
  readonly junit?: string;
  readonly json?: boolean;
}

const HELP = `
Strategies: dfs tries every schedule; delay every schedule with 0, 1, 2, ... departures from the plain order; random,
urw, pct and portfolio so many by chance, from one seed; auto takes a portfolio and then delay. Faults (the answers in
the world's 'explore' section) come in a budget: with none, with one, with two.

Examples:
  $ ffabric explore worlds/explore/two-guests.yaml
  $ ffabric explore worlds/explore/two-guests.yaml --strategy portfolio --executions 100000 --seed 7
  $ ffabric explore worlds/explore/two-guests.yaml --profile xen-2024 --save found.json

Exit code: 0 all held within the bounds that are printed, 1 something did not, 2 the file cannot be read, 3 time ran
out first, 4 ffabric itself failed, 130 interrupted, with what was found so far.`;

const SECOND_MS = 1000;
const BREATH_MS = 50;
const WORKERS_MAX = 64;

export function register(program: Command, context: CliContext): void {
  program
    .command('explore')
    .description('Tries what scheduler, secure world and time could do in a world; shows the shortest failure found.')
    .argument('<world>', 'a world file')
    .option('--strategy <name>', STRATEGY_NAMES.join(', '), 'auto')
    .option('--executions <count>', 'executions at most (default 20000)')
    .option('--time <seconds>', 'ends inconclusive after so many seconds')
    .option('--faults <count>', 'faults in one execution at most (default: what the world says)')
    .option('--delays <count>', 'departures from the plain order at most (default 3)')
    .option('--seed <number>', 'of all that is random (default 1)')
    .option('--workers <count>', 'threads; the result is the same (default 1)')
    .option('--expectations', "judge the world's own expectations as well")
    .option('--no-shrink', 'show what was found as it was found')
    .option('--profile <name>', `another hypervisor than the file says: ${[...PROFILES.keys()].join(', ')}`)
    .option('--save <file>', 'write what was found, for ffabric replay')
    .option('--junit <file>', 'also write the verdict as JUnit XML')
    .option('--json', 'one JSON document instead')
    .addHelpText('after', HELP)
    .action((file: string, flags: ExploreFlags) => exploreWorld(context, file, flags));
}

async function exploreWorld(context: CliContext, file: string, flags: ExploreFlags): Promise<void> {
  const options = optionsOf(flags);
  const workers = count('--workers', flags.workers) ?? 1;
  const { description: written, programs } = await loadWorldFrom(file, context.host.directory);
  const profile = flags.profile ?? written.profile;
  if (!PROFILES.has(profile)) {
    throw new UserError(`there is no profile '${profile}'`, null, `there are ${[...PROFILES.keys()].join(', ')}`);
  }
  const description = { ...written, profile };
  const begunMs = performance.now();
  const watch = watcher(context, begunMs);
  const setup = {
    file,
    directory: context.host.directory,
    profile,
    options: { expectations: options.expectations === true },
  };
  const result =
    workers > 1
      ? await searchWithWorkers({ description, programs }, setup, Math.min(workers, WORKERS_MAX), options, watch)
      : await complete(search(description, { programs }, options), watch);
  if (context.talk.isTerminal) context.talk.write('\r\x1b[K');
  const seconds = (performance.now() - begunMs) / 1000;
  const link = result.finding === null ? null : linkOf(file, flags.profile, result.finding);
  if (result.verdict === 'violated') context.exitCode = EXIT_FAILED;
  if (result.verdict === 'inconclusive') context.exitCode = EXIT_INCONCLUSIVE;
  if (flags.save !== undefined && link !== null && result.finding !== null) {
    const { anomaly, property } = result.finding;
    const saved = { ffabric: 'counterexample', link, property, anomaly };
    saveText(context, flags.save, `${JSON.stringify(saved, null, 2)}\n`);
  }
  if (flags.junit !== undefined) saveText(context, flags.junit, junitDocument(description.name, result, seconds, link));
  if (flags.json === true) {
    context.out.json(documentOf(result, seconds));
    return;
  }
  if (result.finding !== null && link !== null) {
    context.out.print(findingLines({ description, programs, result, finding: result.finding, seconds, link }));
  } else if (result.verdict === 'held') context.out.print(heldLines(description.name, result, seconds));
  else context.out.print(inconclusiveLines(description.name, result, seconds));
}

function optionsOf(flags: ExploreFlags): ExploreOptions {
  const strategy = STRATEGY_NAMES.find((name) => name === flags.strategy);
  if (strategy === undefined) {
    throw new UserError(`--strategy does not know '${flags.strategy}'`, null, `it takes ${STRATEGY_NAMES.join(', ')}`);
  }
  const endMs =
    flags.time === undefined ? Number.POSITIVE_INFINITY : performance.now() + seconds(flags.time) * SECOND_MS;
  return {
    strategy,
    ...given('executions', count('--executions', flags.executions)),
    ...given('faults', count('--faults', flags.faults)),
    ...given('delays', count('--delays', flags.delays)),
    ...given('seed', count('--seed', flags.seed)),
    expectations: flags.expectations === true,
    shrinks: flags.shrink,
    stop: () => performance.now() >= endMs,
  };
}

function given<K extends string>(key: K, value: number | undefined): { [key in K]?: number } {
  return (value === undefined ? {} : { [key]: value }) as { [key in K]?: number };
}

function count(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UserError(`${flag} does not know '${text}'`, null, 'it takes a number, such as 1000');
}

function seconds(text: string): number {
  const match = /^(\d+(?:\.\d+)?)s?$/.exec(text);
  if (match === null) throw new UserError(`--time does not know '${text}'`, null, 'it takes seconds, such as 60s');
  return Number(match[1]);
}

/** Shows progress on a terminal once a second, and lets Ctrl-C have its turn; that tells what was found so far. */
function watcher(context: CliContext, begunMs: number): Watch {
  let last: SearchProgress | null = null;
  let shownMs = begunMs;
  let breathMs = begunMs;
  context.onInterrupt(() => context.talk.print(interrupted(last)));
  return async (progress) => {
    last = progress;
    const nowMs = performance.now();
    if (context.talk.isTerminal && nowMs - shownMs >= SECOND_MS) {
      shownMs = nowMs;
      context.talk.write(`\r\x1b[K${progressText(progress, nowMs - begunMs)}`);
    }
    if (nowMs - breathMs < BREATH_MS) return;
    breathMs = nowMs;
    await context.breathe();
  };
}

/** Drives a search to its end. */
async function complete(running: Generator<SearchProgress, ExploreResult, void>, watch: Watch): Promise<ExploreResult> {
  for (;;) {
    const { done, value } = running.next();
    if (done === true) return value;
    await watch(value);
  }
}

function progressText({ executions, faults, steps, strategy }: SearchProgress, elapsedMs: number): string {
  const rate = Math.round((executions / elapsedMs) * SECOND_MS);
  const count = executions.toLocaleString('en-US');
  return `${strategy}, up to ${faults} faults: ${count} executions, ${steps.toLocaleString('en-US')} steps, ${rate}/s`;
}

function interrupted(last: SearchProgress | null): ReturnType<typeof line>[] {
  if (last === null) return [line('interrupted before the first executions were done', 'warning')];
  const so = `interrupted after ${last.executions.toLocaleString('en-US')} executions; so far:`;
  if (last.best === null) return [line(so, 'warning'), line('  nothing was violated', 'good')];
  const { anomaly, property } = last.best;
  return [line(so, 'warning'), line(`  ${property} ${anomaly}`, 'wrong'), line(`  ${printSchedule(last.best)}`)];
}

/** What `--json` prints: the shape that scripts rely on. */
function documentOf(result: ExploreResult, seconds: number): unknown {
  const { bounds, executions, finding, notExplored, original, steps, strategy, verdict } = result;
  return {
    verdict,
    strategy,
    bounds,
    executions,
    steps,
    seconds: Number(seconds.toFixed(6)),
    property: finding?.property ?? null,
    anomaly: finding?.anomaly ?? null,
    schedule: finding === null ? null : printSchedule(finding),
    shrunkFrom: original?.steps ?? null,
    shrunkTo: finding?.steps ?? null,
    notExplored,
  };
}
