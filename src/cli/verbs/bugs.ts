// `ffabric bugs`: the museum. Lists the bugs in it, shows one, or hunts one or all of them: searches the world that
// exposes a bug, told nothing of when and how, until the property that notices it does not hold.
//
// Exit code 1: a bug was not found. 3: time ran out first.

import type { Command } from 'commander';
import { UserError } from '../../base/user-error.ts';
import { hunt } from '../../explore/hunt.ts';
import { replay } from '../../explore/replay.ts';
import { printSchedule } from '../../explore/schedule.ts';
import type { ExploreResult } from '../../explore/search.ts';
import { LineBuilder, line, type StyledLine } from '../../export/styled-text.ts';
import type { CliContext } from '../context.ts';
import { EXIT_FAILED, EXIT_INCONCLUSIVE } from '../exit-codes.ts';
import { factLines, storyLines } from '../explore/explore-report.ts';
import { type Bug, findBug, loadBugs, worldFileOf, worldOf } from '../museum/load-bugs.ts';

interface BugsFlags {
  readonly time?: string;
  readonly executions?: string;
  readonly seed?: string;
  readonly shrink: boolean;
  readonly json?: boolean;
}

/** One bug, hunted. */
interface Hunted {
  readonly bug: Bug;
  readonly result: ExploreResult;
  readonly seconds: number;
}

const SECOND_MS = 1000;
const SECONDS_EACH = 60;
const BREATH_MS = 50;

const HELP = `
Examples:
  $ ffabric bugs
  $ ffabric bugs show xen-two-maps-at-once
  $ ffabric bugs hunt xen-two-maps-at-once
  $ ffabric bugs hunt --json

Exit code: 0 every bug asked for was found, 1 one was not, 2 there is no such bug, 3 time ran out first, 130
interrupted.`;

export function register(program: Command, context: CliContext): void {
  program
    .command('bugs')
    .description('Bugs that were fixed upstream, each put back as one override: lists, shows or hunts them.')
    .argument('[action]', 'list, show or hunt', 'list')
    .argument('[id]', 'one of them; hunt: all when absent')
    .option('--time <seconds>', `hunt: at most so long for each (default ${SECONDS_EACH})`)
    .option('--executions <count>', 'hunt: executions of each at most (default 20000)')
    .option('--seed <number>', 'hunt: of all that is random (default 1)')
    .option('--no-shrink', 'hunt one: show what was found as it was found')
    .option('--json', 'one JSON document instead')
    .addHelpText('after', HELP)
    .action((action: string, id: string | undefined, flags: BugsFlags) => act(context, action, id, flags));
}

async function act(context: CliContext, action: string, id: string | undefined, flags: BugsFlags): Promise<void> {
  const bugs = await loadBugs();
  switch (action) {
    case 'list':
      if (flags.json === true) context.out.json(bugs.map(documentOf));
      else context.out.print(listLines(bugs));
      return;
    case 'show': {
      if (id === undefined) throw new UserError('which bug?', null, 'ffabric bugs show ID');
      const bug = findBug(bugs, id);
      if (flags.json === true) context.out.json(documentOf(bug));
      else context.out.print(showLines(bug));
      return;
    }
    case 'hunt':
      await huntAll(context, id === undefined ? bugs : [findBug(bugs, id)], id !== undefined, flags);
      return;
    default:
      throw new UserError(`'${action}' is nothing that can be done with bugs`, null, 'it takes list, show or hunt');
  }
}

function documentOf({ broke, id, kind, property, title, upstream, world }: Bug): unknown {
  return { id, title, kind, property, world, upstream, broke };
}

function listLines(bugs: readonly Bug[]): StyledLine[] {
  const width = Math.max(...bugs.map(({ id }) => id.length));
  return bugs.map(({ id, kind, property, title }) =>
    new LineBuilder()
      .add(id.padEnd(width), 'strong')
      .add(`  ${property.padEnd(4)} ${kind.padEnd(13)} ${title}`)
      .done(),
  );
}

function showLines(bug: Bug): StyledLine[] {
  const { broke, id, kind, property, title, upstream } = bug;
  const from =
    upstream === null
      ? 'of our own making: nobody shipped it'
      : `${upstream.project}, fixed by ${upstream.fixedBy} of ${upstream.date}`;
  return [
    line(id, 'strong'),
    line(`  ${title}`),
    line(`  ${broke}`),
    [],
    line(`  from:     ${from}`),
    line(`  kind:     ${kind}`),
    line(`  breaks:   ${property}`),
    line(`  world:    ${worldFileOf(bug)}`),
    line(`  hunt it:  ffabric bugs hunt ${id}`),
  ];
}

async function huntAll(context: CliContext, bugs: readonly Bug[], inFull: boolean, flags: BugsFlags): Promise<void> {
  const hunted: Hunted[] = [];
  context.onInterrupt(() =>
    context.talk.print([line(`interrupted after ${hunted.length} of ${bugs.length}`, 'warning')]),
  );
  for (const bug of bugs) {
    const one = await huntOne(context, bug, inFull && flags.shrink, flags);
    hunted.push(one);
    if (flags.json === true) continue;
    context.out.print(inFull ? await foundInFull(one) : [resultLine(one)]);
  }
  const found = hunted.filter(({ result }) => result.finding !== null).length;
  if (found < hunted.length) {
    const late = hunted.some(({ result }) => result.verdict === 'inconclusive');
    context.exitCode = late ? EXIT_INCONCLUSIVE : EXIT_FAILED;
  }
  if (flags.json === true) context.out.json(huntDocument(hunted, found));
  else if (!inFull)
    context.out.print([line(`${found} of ${hunted.length} found`, found === hunted.length ? 'good' : 'wrong')]);
}

async function huntOne(context: CliContext, bug: Bug, shrinks: boolean, flags: BugsFlags): Promise<Hunted> {
  const description = await worldOf(bug);
  const begunMs = performance.now();
  const endMs = begunMs + (whole('--time', flags.time) ?? SECONDS_EACH) * SECOND_MS;
  const executions = whole('--executions', flags.executions);
  const seed = whole('--seed', flags.seed);
  const running = hunt(description, bug.mutate(), bug.property, {
    ...(executions === undefined ? {} : { executions }),
    ...(seed === undefined ? {} : { seed }),
    shrinks,
    stop: () => performance.now() >= endMs,
  });
  let breathMs = begunMs;
  for (;;) {
    const { done, value } = running.next();
    const nowMs = performance.now();
    if (done === true) return { bug, result: value, seconds: (nowMs - begunMs) / SECOND_MS };
    if (nowMs - breathMs < BREATH_MS) continue;
    breathMs = nowMs;
    await context.breathe();
  }
}

function whole(flag: string, text: string | undefined): number | undefined {
  if (text === undefined || /^\d{1,9}$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new UserError(`${flag} does not know '${text}'`, null, 'it takes a number, such as 10');
}

function huntDocument(hunted: readonly Hunted[], found: number): unknown {
  return {
    total: hunted.length,
    found,
    bugs: hunted.map(({ bug, result, seconds }) => ({
      id: bug.id,
      found: result.finding !== null,
      seconds: Number(seconds.toFixed(3)),
      executions: result.executions,
      steps: result.steps,
      property: result.finding?.property ?? null,
    })),
  };
}

function resultLine({ bug, result, seconds }: Hunted): StyledLine {
  const { finding } = result;
  const text = new LineBuilder().add(finding === null ? 'missed  ' : 'found   ', finding === null ? 'wrong' : 'good');
  const what = finding === null ? result.bounds : `${finding.property} ${finding.anomaly}`;
  return text
    .add(bug.id, 'strong')
    .add(`  ${seconds.toFixed(2)} s, ${result.executions} executions: ${what}`)
    .done();
}

async function foundInFull(one: Hunted): Promise<StyledLine[]> {
  const { bug, result } = one;
  const { finding, original } = result;
  const head = [resultLine(one), line(`  ${bug.title}`)];
  if (finding === null) return [...head, line(`  not explored: ${result.notExplored}`, 'dim')];
  const replayed = replay(await worldOf(bug), bug.mutate(), finding);
  return [
    ...head,
    ...factLines(finding),
    line(`  shrunk ${original?.steps ?? finding.steps} -> ${finding.steps} steps: ${printSchedule(finding)}`, 'dim'),
    [],
    ...storyLines(replayed),
  ];
}
