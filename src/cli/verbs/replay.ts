// `ffabric replay`: executes one schedule of a world again, as `ffabric explore` found it, and tells what happened.
//
// Exit code 1: something did not hold, as before.

import type { Command } from 'commander';
import { UserError } from '../../base/user-error.ts';
import { replay } from '../../explore/replay.ts';
import { writeEventFile } from '../../export/event-file.ts';
import type { TimelineDetail } from '../../export/event-text.ts';
import { mermaidDiagram } from '../../export/mermaid.ts';
import { perfettoTrace } from '../../export/perfetto.ts';
import { LineBuilder, line, type StyledLine } from '../../export/styled-text.ts';
import { PROFILES } from '../../hypervisor/profiles/profile-table.ts';
import type { CliContext } from '../context.ts';
import { EXIT_FAILED } from '../exit-codes.ts';
import { factLines, storyLines, timeline } from '../explore/explore-report.ts';
import { readLink } from '../explore/schedule-link.ts';
import { saveText } from '../save-text.ts';
import { loadWorldFrom } from '../world/load-world.ts';
import { worldNames } from '../world/world-names.ts';

interface ReplayFlags {
  readonly detail?: string;
  readonly expectations?: boolean;
  readonly trace?: string;
  readonly events?: string;
  readonly mermaid?: boolean;
  readonly json?: boolean;
}

const DETAILS: readonly TimelineDetail[] = ['story', 'calls', 'all'];

const HELP = `
Examples:
  $ ffabric replay found.json
  $ ffabric replay 'worlds/explore/two-guests.yaml#s1-4.1'
  $ ffabric replay found.json --trace found-trace.json      (open it at https://ui.perfetto.dev)

Exit code: 0 everything held, 1 something did not.`;

export function register(program: Command, context: CliContext): void {
  program
    .command('replay')
    .description('Executes one schedule of a world again and tells what happens.')
    .argument('<what>', "a file that 'explore --save' wrote, or 'WORLD#SCHEDULE'")
    .option('-d, --detail <what>', 'how much of the timeline: story, calls or all')
    .option('--expectations', "judge the world's own expectations as well")
    .option('--trace <file>', 'also write a trace for Perfetto or chrome://tracing')
    .option('--events <file>', 'also write every event, as JSON lines')
    .option('--mermaid', 'a Mermaid sequence diagram instead')
    .option('--json', 'one JSON document instead')
    .addHelpText('after', HELP)
    .action((what: string, flags: ReplayFlags) => replayLink(context, what, flags));
}

async function replayLink(context: CliContext, what: string, flags: ReplayFlags): Promise<void> {
  const detail = DETAILS.find((one) => one === flags.detail);
  if (flags.detail !== undefined && detail === undefined) {
    throw new UserError(`--detail does not know '${flags.detail}'`, null, `it takes ${DETAILS.join(', ')}`);
  }
  const link = readLink(what, context.host.directory);
  const { description, programs } = await loadWorldFrom(link.file, context.host.directory);
  const profile = link.profile ?? description.profile;
  if (!PROFILES.has(profile)) {
    throw new UserError(`there is no profile '${profile}'`, null, `there are ${[...PROFILES.keys()].join(', ')}`);
  }
  const options = { expectations: flags.expectations === true };
  const replayed = replay({ ...description, profile }, { programs }, link.schedule, options);
  const { finding, firstEvent, misfits, steps, world } = replayed;
  const { events } = world.machine;
  const names = worldNames(world);
  if (flags.events !== undefined) {
    saveText(context, flags.events, writeEventFile(events, { world: description.name, names }));
  }
  if (flags.trace !== undefined) saveText(context, flags.trace, perfettoTrace(events, names));
  if (finding !== null) context.exitCode = EXIT_FAILED;
  if (flags.json === true) {
    const verdict = finding === null ? 'held' : 'violated';
    const { anomaly = null, property = null, facts = null } = finding ?? {};
    context.out.json({
      world: description.name,
      verdict,
      property,
      anomaly,
      facts,
      steps,
      events: events.count,
      misfits,
    });
    return;
  }
  if (flags.mermaid === true) {
    context.out.write(mermaidDiagram(events, names, { from: firstEvent }));
    return;
  }
  context.out.print(detail === undefined ? storyLines(replayed) : timeline(replayed, detail));
  const lines: StyledLine[] = [[]];
  if (misfits > 0) {
    lines.push(line(`${misfits} choices of this schedule do not exist in this world: it has changed since`, 'warning'));
  }
  const at = `${description.name}: ${steps} steps, ${events.count.toLocaleString('en-US')} events`;
  if (finding === null) lines.push(new LineBuilder().add('held', 'good').add(`  ${at}`).done());
  else {
    lines.push(
      new LineBuilder()
        .add('VIOLATED', 'wrong')
        .add(`  ${at}: `)
        .add(`${finding.property} ${finding.anomaly}`, 'strong')
        .done(),
      ...factLines(finding),
    );
  }
  context.out.print(lines);
}
