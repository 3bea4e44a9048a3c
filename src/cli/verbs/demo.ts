// `ffabric demo` (`npm start`): the story that ffabric is about, told from a run of worlds/guest-dies-under-dma.yaml,
// and what the same guest's end does to its neighbour where nobody takes care of it.
//
// Every number that is printed comes from one of the two runs.

import { join } from 'node:path';
import type { Command } from 'commander';
import { FFA_MSG_SEND_DIRECT_RESP_32 } from '../../abi/function-ids.ts';
import { VM_DESTROYED_REQ_W2, VM_DESTROYED_RESP_W2 } from '../../abi/layout/messages.ts';
import { EVENT_DMA_END, EVENT_EXPECTATION, EVENT_SMC, EVENT_SMC_RETURN, EVENT_STORY } from '../../base/event-kinds.ts';
import type { EventSource } from '../../export/event-source.ts';
import { Timeline } from '../../export/event-text.ts';
import { ownershipMap } from '../../export/ownership-map.ts';
import { LineBuilder, line, type StyledLine } from '../../export/styled-text.ts';
import { spanTime } from '../../export/time-text.ts';
import { wherePagesWent } from '../../export/where-pages-went.ts';
import type { WorldDescription } from '../../world/description.ts';
import type { WorldReport } from '../../world/report.ts';
import { World } from '../../world/world.ts';
import type { CliContext } from '../context.ts';
import { EXIT_FAILED } from '../exit-codes.ts';
import { loadWorldFrom } from '../world/load-world.ts';
import { reportDocument } from '../world/verdict.ts';
import { WITHOUT_TEARDOWN } from '../world/without-teardown.ts';
import { worldNames } from '../world/world-names.ts';

/** From src/cli/verbs and from dist/cli/verbs alike. */
const WORLDS = join(import.meta.dirname, '..', '..', '..', 'worlds');
const STORY = 'guest-dies-under-dma.yaml';

export function register(program: Command, context: CliContext): void {
  program
    .command('demo')
    .description('Tells the story that ffabric is about: a guest dies while its memory is in use.')
    .option('--json', 'what it came to, as one JSON document instead')
    .addHelpText('after', '\nExample:\n  $ ffabric demo\n\nExit code: 0 everything held, 1 something did not.')
    .action((flags: { readonly json?: boolean }) => demo(context, flags.json === true));
}

async function demo(context: CliContext, asDocument: boolean): Promise<void> {
  const begunMs = performance.now();
  const { description } = await loadWorldFrom(STORY, WORLDS);
  const world = new World(description);
  const report = world.run();
  if (report.verdict === 'violated') context.exitCode = EXIT_FAILED;
  if (asDocument) {
    context.out.json(reportDocument(report, (performance.now() - begunMs) / 1000));
    return;
  }
  const names = worldNames(world);
  const { events } = world.machine;
  context.out.print([
    ...opening(),
    ...timeline(world),
    [],
    ...ownershipMap(events, names),
    [],
    ...wherePagesWent(events, names),
    [],
    ...contrast(description),
    [],
    ...closing(report, (performance.now() - begunMs) * 1e6),
  ]);
}

function opening(): StyledLine[] {
  return [
    line('A guest dies while a device writes into its memory', 'title'),
    [],
    line('g1 shares four buffers with camera, a secure partition. camera starts a DMA transfer into each of them.'),
    line('Then somebody destroys g1. Nothing may use those pages again before the device has let go of them, and'),
    line('only the secure world knows when that is.'),
    [],
  ];
}

/** The story; and of the calls, what was said about g1's end and what came back. */
function timeline(world: World): StyledLine[] {
  const { events } = world.machine;
  const told = new Timeline(worldNames(world), events, { detail: 'story', also: isAboutTheEnd });
  const lines = told.header();
  for (let at = world.bootEventCount; at < events.kept; at++) {
    if (events.kind(at) === EVENT_STORY) lines.push([]);
    const next = events.kind(at) === EVENT_EXPECTATION ? null : told.line(events, at);
    if (next !== null) lines.push(next);
  }
  return lines;
}

function isAboutTheEnd(events: EventSource, at: number): boolean {
  const kind = events.kind(at);
  const w2 = events.argument(at, 3);
  if (kind === EVENT_SMC) return w2 === VM_DESTROYED_REQ_W2;
  if (kind !== EVENT_SMC_RETURN) return false;
  return events.argument(at, 1) === FFA_MSG_SEND_DIRECT_RESP_32 && w2 === VM_DESTROYED_RESP_W2;
}

/** The same world where a guest's end is no more than the end of its RAM. */
function contrast(description: WorldDescription): StyledLine[] {
  const profiles = new Map([[description.profile, WITHOUT_TEARDOWN]]);
  const world = new World({ ...description, expectations: [] }, { profiles });
  const { violations } = world.run();
  const reused = violations.filter(({ property }) => property === 'P1').length;
  const told = new LineBuilder()
    .add('Without teardown ', 'strong')
    .add('all of it is free at once: g2 is given ')
    .add(`${pagesOverwritten(world)} pages`, 'wrong')
    .add(' into which the device then writes')
    .add(` (${reused} × P1).`, 'dim');
  return [told.done()];
}

/** Pages into which a transfer ended that had another owner by then. */
function pagesOverwritten(world: World): number {
  const { events, frames } = world.machine;
  const victim = world.guests.find(({ name }) => name === 'g2')?.domain?.serial;
  let pages = 0;
  for (let at = 0; at < events.kept; at++) {
    if (events.kind(at) !== EVENT_DMA_END) continue;
    for (let n = 0; n < events.argument(at, 2); n++) {
      if (frames.owner(events.argument(at, 1) + n) === victim) pages++;
    }
  }
  return pages;
}

function closing(report: WorldReport, tookNs: number): StyledLine[] {
  const held = report.verdict === 'held';
  const verdict = held ? 'Every property held' : `${report.violations.length} violations`;
  const next: readonly (readonly [string, string])[] = [
    [`ffabric run worlds/${STORY}`, 'the same with every call'],
    ['ffabric run worlds/thousand-die-at-once.yaml', '1,000 guests, one slow partition'],
    ['ffabric conform vectors/xen-*.jsonl.gz', "every answer of Xen's own mediator, replayed"],
    ['ffabric --help', 'all verbs'],
  ];
  return [
    new LineBuilder()
      .add(`${verdict}: `, held ? 'good' : 'wrong')
      .add(`${report.events} events in ${spanTime(report.virtualNs)} of virtual time`)
      .add(`, told in ${spanTime(Math.round(tookNs / 1e6) * 1e6)}.`, 'dim')
      .done(),
    [],
    line('Next', 'title'),
    ...next.map(([command, what]) =>
      new LineBuilder()
        .add(`  ${command.padEnd(47)}`, 'strong')
        .add(what, 'dim')
        .done(),
    ),
  ];
}
