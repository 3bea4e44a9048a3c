// What an exploration came to, for the terminal: a finding as a short story with lanes and the commands that go on from
// it, or the bounds within which all held.

import { EVENT_EXPECTATION } from '../../base/event-kinds.ts';
import type { Finding } from '../../explore/finding.ts';
import { type Replayed, replay } from '../../explore/replay.ts';
import type { ExploreResult } from '../../explore/search.ts';
import { Timeline, type TimelineDetail } from '../../export/event-text.ts';
import { LineBuilder, line, type StyledLine } from '../../export/styled-text.ts';
import { spanTime } from '../../export/time-text.ts';
import type { ProgramMaker, WorldDescription } from '../../world/description.ts';
import { worldNames } from '../world/world-names.ts';

/** Lines of a timeline that fit a screen beside the rest. */
const SCREEN_LINES = 32;

interface FoundReport {
  readonly description: WorldDescription;
  readonly programs: ReadonlyMap<string, ProgramMaker>;
  readonly result: ExploreResult;
  readonly finding: Finding;
  readonly seconds: number;
  readonly link: string;
}

export function findingLines({ description, finding, link, programs, result, seconds }: FoundReport): StyledLine[] {
  const replayed = replay(description, { programs }, finding);
  const before = result.original?.steps ?? finding.steps;
  return [
    new LineBuilder()
      .add('VIOLATED', 'wrong')
      .add(`  ${description.name}: `)
      .add(`${finding.property} ${finding.anomaly}`, 'strong')
      .done(),
    ...factLines(finding),
    line(
      `after ${finding.steps} steps (shrunk ${before} -> ${finding.steps}), with ${departures(finding)} and ` +
        `${plural(finding.faults, 'fault')}`,
      'dim',
    ),
    [],
    ...storyLines(replayed),
    [],
    line(`${costs(result, seconds)}, strategy ${result.strategy}`, 'dim'),
    line(`replay:  ffabric replay '${link}'`),
    line(`trace:   ffabric replay '${link}' --trace found.json    (open it at https://ui.perfetto.dev)`),
    line(`diagram: ffabric replay '${link}' --mermaid`),
  ];
}

export function factLines({ facts }: Finding): StyledLine[] {
  const list = Object.entries(facts).map(([name, value]) => `${name} ${value}`);
  return list.length === 0 ? [] : [line(`  ${list.join(', ')}`, 'dim')];
}

export function heldLines(world: string, result: ExploreResult, seconds: number): StyledLine[] {
  return [
    new LineBuilder()
      .add('held', 'good')
      .add(`  ${world}: ${costs(result, seconds)}`)
      .done(),
    ...result.bounds.split('; ').map((bound) => line(`  ✓ ${bound}`)),
    line(`not explored: ${result.notExplored}`, 'dim'),
  ];
}

export function inconclusiveLines(world: string, result: ExploreResult, seconds: number): StyledLine[] {
  return [
    new LineBuilder()
      .add('inconclusive', 'warning')
      .add(`  ${world}: nothing was violated in ${costs(result, seconds)}, and then time ran out`)
      .done(),
    ...result.bounds.split('; ').map((bound) => line(`  ${bound}`)),
    line(`not explored: ${result.notExplored}`, 'dim'),
  ];
}

/** The last screenful of what happened: calls if they fit, else the story alone. */
export function storyLines(replayed: Replayed): StyledLine[] {
  const calls = timeline(replayed, 'calls');
  if (calls.length <= SCREEN_LINES + 1) return calls;
  const story = timeline(replayed, 'story');
  const from = story.length <= SCREEN_LINES + 1 ? calls : story;
  const [header, ...rest] = from;
  const left = rest.length - SCREEN_LINES;
  return [header, line(`          … ${left} lines before`, 'dim'), ...rest.slice(left)];
}

export function timeline({ firstEvent, world }: Replayed, detail: TimelineDetail): StyledLine[] {
  const { events } = world.machine;
  const told = new Timeline(worldNames(world), events, { detail });
  const lines = told.header();
  for (let at = firstEvent; at < events.kept; at++) {
    const next = events.kind(at) === EVENT_EXPECTATION ? null : told.line(events, at);
    if (next !== null) lines.push(next);
  }
  return lines;
}

function departures({ choices, faults }: Finding): string {
  const count = choices.filter((choice) => choice !== 0).length - faults;
  return plural(count, 'departure');
}

function costs({ executions, steps }: ExploreResult, seconds: number): string {
  const executed = `${executions.toLocaleString('en-US')} executions, ${steps.toLocaleString('en-US')} steps`;
  return `${executed} in ${spanTime(seconds * 1e9)}`;
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
