// The explorer inside a test runner: explores, and throws when something does not hold. The error's message is the code
// that replays it.
//
//     it('survives every schedule', () => expectHeld(world, {}, { strategy: 'dpor' }));

import type { WorldDescription } from '../world/description.ts';
import type { WorldParts } from '../world/world-parts.ts';
import type { Finding } from './finding.ts';
import { printSchedule } from './schedule.ts';
import { type ExploreOptions, type ExploreResult, explore } from './search.ts';

/** Something did not hold. */
export class NotHeld extends Error {
  override readonly name = 'NotHeld';
  readonly finding: Finding;
  readonly result: ExploreResult;

  constructor(finding: Finding, result: ExploreResult) {
    super(messageOf(finding, result));
    this.finding = finding;
    this.result = result;
  }
}

/** Explores; returns what was covered, or throws a NotHeld. */
export function expectHeld(
  description: WorldDescription,
  parts: WorldParts = {},
  options: ExploreOptions = {},
): ExploreResult {
  const result = explore(description, parts, options);
  if (result.finding !== null) throw new NotHeld(result.finding, result);
  return result;
}

function messageOf(finding: Finding, { executions, original, strategy }: ExploreResult): string {
  const { anomaly, property, steps } = finding;
  const shrunk = `shrunk ${original?.steps ?? steps} -> ${steps}`;
  return `${property} ${anomaly}
after ${steps} steps (${shrunk}), execution ${executions} of ${strategy}. To see it again:

  import { parseSchedule, replay } from 'ffabric/explore';
  const { finding, world } = replay(description, parts, parseSchedule('${printSchedule(finding)}'));
`;
}
