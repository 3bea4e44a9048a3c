// `ffabric run`: runs a world in virtual time, prints its timeline, and says whether everything held.
//
// Exit code 1: a property or an expectation did not hold. The same file gives the same run, so the command that is
// printed replays it.

import type { Command } from 'commander';
import { EVENT_EXPECTATION } from '../../base/event-kinds.ts';
import { NS_PER_MS } from '../../base/units.ts';
import { UserError } from '../../base/user-error.ts';
import type { ActorNames } from '../../export/actor-names.ts';
import { writeEventFile } from '../../export/event-file.ts';
import { Timeline, type TimelineDetail } from '../../export/event-text.ts';
import { mermaidDiagram } from '../../export/mermaid.ts';
import { perfettoTrace } from '../../export/perfetto.ts';
import { line, type StyledLine } from '../../export/styled-text.ts';
import { wherePagesWent } from '../../export/where-pages-went.ts';
import { PROFILES } from '../../hypervisor/profiles/profile-table.ts';
import type { WorldReport } from '../../world/report.ts';
import { PERSONALITIES } from '../../world/vocabulary.ts';
import { World } from '../../world/world.ts';
import type { CliContext } from '../context.ts';
import { EXIT_FAILED } from '../exit-codes.ts';
import { saveText } from '../save-text.ts';
import { loadWorldFrom } from '../world/load-world.ts';
import { reportDocument, verdictLines } from '../world/verdict.ts';
import { worldNames } from '../world/world-names.ts';

interface RunFlags {
  readonly detail?: string;
  readonly quiet?: boolean;
  readonly json?: boolean;
  readonly mermaid?: boolean;
  readonly events?: string;
  readonly trace?: string;
  readonly profile?: string;
  readonly personality?: string;
  readonly realTime?: boolean;
}

const DETAILS: readonly TimelineDetail[] = ['story', 'calls', 'all'];
/** Steps between two looks at Ctrl-C. */
const STEPS_PER_BREATH = 20_000;
/** A longer timeline is told as a story, and then cut in its middle, unless --detail asks for it. */
const LINES_MAX = 400;
const LINES_AT_EACH_END = 150;

const HELP = `
Details for --detail:
  story  lives, teardown, timers, faults, what went wrong
  calls  also each call and its answer (what you get without --detail, if it is not long)
  all    every event

Examples:
  $ ffabric run worlds/destroyed-while-held.yaml
  $ ffabric run worlds/dma-under-way.yaml --trace dma.json      (open it at https://ui.perfetto.dev)
  $ ffabric run worlds/thousand-die-at-once.yaml --quiet

Exit code: 0 everything held, 1 a property or an expectation did not, 2 the file cannot be read.`;

export function register(program: Command, context: CliContext): void {
  program
    .command('run')
    .description('Runs a world in virtual time and says whether everything held.')
    .argument('<world>', 'a world file')
    .option('-d, --detail <what>', 'how much of the timeline: story, calls or all')
    .option('-q, --quiet', 'no timeline, only what it came to')
    .option('--json', 'one JSON document instead')
    .option('--mermaid', 'a Mermaid sequence diagram instead')
    .option('--events <file>', 'also write every event, as JSON lines')
    .option('--trace <file>', 'also write a trace for Perfetto or chrome://tracing')
    .option('--profile <name>', `another hypervisor than the file says: ${[...PROFILES.keys()].join(', ')}`)
    .option('--personality <name>', `another SPMC than the file says: ${[...PERSONALITIES.keys()].join(', ')}`)
    .option('--real-time', 'show events when their virtual time has come')
    .addHelpText('after', HELP)
    .action((file: string, flags: RunFlags) => run(context, file, flags));
}

async function run(context: CliContext, file: string, flags: RunFlags): Promise<void> {
  const detail = detailOf(flags);
  const { description, programs } = await loadWorldFrom(file, context.host.directory);
  const profile = flags.profile ?? description.profile;
  if (!PROFILES.has(profile)) {
    throw new UserError(`there is no profile '${profile}'`, null, `there are ${[...PROFILES.keys()].join(', ')}`);
  }
  const personality = flags.personality ?? description.personality;
  if (!PERSONALITIES.has(personality)) {
    throw new UserError(
      `there is no personality '${personality}'`,
      null,
      `there are ${[...PERSONALITIES.keys()].join(', ')}`,
    );
  }
  const begunMs = performance.now();
  const world = new World({ ...description, profile, personality }, { programs });
  const report = await complete(context, world);
  const seconds = (performance.now() - begunMs) / 1000;
  const names = worldNames(world);
  const { events } = world.machine;
  if (flags.events !== undefined) {
    saveText(context, flags.events, writeEventFile(events, { world: description.name, names }));
  }
  if (flags.trace !== undefined) saveText(context, flags.trace, perfettoTrace(events, names));
  if (report.verdict === 'violated') context.exitCode = EXIT_FAILED;
  if (flags.json === true) {
    context.out.json(reportDocument(report, seconds));
    return;
  }
  if (flags.mermaid === true) {
    context.out.write(mermaidDiagram(events, names));
    return;
  }
  if (description.story !== '') context.out.print([...wrapped(description.story, context.out.columns), []]);
  if (flags.quiet !== true) {
    if (flags.realTime === true) await paced(context, world, names, detail ?? 'calls');
    else context.out.print(timeline(world, names, detail));
  }
  const imitated = [
    flags.profile === undefined ? '' : ` --profile ${profile}`,
    flags.personality === undefined ? '' : ` --personality ${personality}`,
  ].join('');
  const again = `ffabric run ${file}${imitated} --detail all`;
  if (flags.quiet !== true) context.out.print([[]]);
  context.out.print([...wherePagesWent(events, names), ...verdictLines(report, seconds, again)]);
}

function detailOf(flags: RunFlags): TimelineDetail | null {
  if (flags.detail === undefined) return null;
  const detail = DETAILS.find((one) => one === flags.detail);
  if (detail === undefined) {
    throw new UserError(`--detail does not know '${flags.detail}'`, null, `it takes ${DETAILS.join(', ')}`);
  }
  return detail;
}

/** Runs the world; Ctrl-C ends it with what was found so far. */
async function complete(context: CliContext, world: World): Promise<WorldReport> {
  context.onInterrupt(() => {
    const { nowNs } = world.machine.time;
    context.talk.print([line(`interrupted at ${nowNs / NS_PER_MS} ms of virtual time; so far:`, 'warning')]);
    for (const { anomaly, property } of world.oracle?.violations ?? []) {
      context.talk.print([line(`  ${property} ${anomaly}`, 'wrong')]);
    }
    if ((world.oracle?.violations.length ?? 0) === 0) context.talk.print([line('  nothing was violated', 'good')]);
  });
  world.begin();
  while (!world.over()) {
    for (let n = 0; n < STEPS_PER_BREATH && !world.over(); n++) world.advance();
    await context.breathe();
  }
  return world.finish();
}

function timeline(world: World, names: ActorNames, wanted: TimelineDetail | null): StyledLine[] {
  if (wanted !== null) return linesOf(world, names, wanted);
  const calls = linesOf(world, names, 'calls');
  if (calls.length <= LINES_MAX) return calls;
  const story = linesOf(world, names, 'story');
  if (story.length <= LINES_MAX) return story;
  const left = story.length - 2 * LINES_AT_EACH_END;
  const note = line(`          … ${left.toLocaleString('en-US')} lines (--detail story shows them)`, 'dim');
  return [...story.slice(0, LINES_AT_EACH_END), note, ...story.slice(-LINES_AT_EACH_END)];
}

function linesOf(world: World, names: ActorNames, detail: TimelineDetail): StyledLine[] {
  const told = new Timeline(names, world.machine.events, { detail });
  const lines = told.header();
  const { events } = world.machine;
  const first = firstEvent(world, detail);
  if (first > 0) lines.push(line(`          everything boots (--detail all shows its ${first} events)`, 'dim'));
  for (let at = first; at < events.kept; at++) {
    const next = events.kind(at) === EVENT_EXPECTATION ? null : told.line(events, at);
    if (next !== null) lines.push(next);
  }
  return lines;
}

/** Only who asks for everything sees the boot, which is the same in all worlds. */
function firstEvent(world: World, detail: TimelineDetail): number {
  return detail === 'all' ? 0 : world.bootEventCount;
}

/** The same run, each event shown when its time has come. */
async function paced(context: CliContext, world: World, names: ActorNames, detail: TimelineDetail): Promise<void> {
  const { events } = world.machine;
  const told = new Timeline(names, events, { detail });
  context.out.print(told.header());
  const begunMs = performance.now();
  for (let at = firstEvent(world, detail); at < events.kept; at++) {
    const next = events.kind(at) === EVENT_EXPECTATION ? null : told.line(events, at);
    const waitMs = events.timeNs(at) / NS_PER_MS - (performance.now() - begunMs);
    if (waitMs > 1) await new Promise((done) => setTimeout(done, waitMs));
    if (next !== null) {
      context.out.print([next]);
      await context.breathe();
    }
  }
}

function wrapped(text: string, columns: number): StyledLine[] {
  const lines: StyledLine[] = [];
  let row = '';
  for (const word of text.split(/\s+/)) {
    if (row !== '' && row.length + word.length + 1 > Math.min(columns, 100)) {
      lines.push(line(row));
      row = '';
    }
    row += `${row === '' ? '' : ' '}${word}`;
  }
  lines.push(line(row));
  return lines;
}
