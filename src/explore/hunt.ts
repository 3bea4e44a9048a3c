// The museum's runner: looks for one bug, from a world alone, with the property that is said to notice it and no other.
// It is told nothing of a schedule.
//
// Limit: a bug counts as found when that property does not hold; whether for the reason that was meant, the anomaly
// says.

import type { WorldDescription } from '../world/description.ts';
import type { WorldParts } from '../world/world-parts.ts';
import { type ExploreOptions, type ExploreResult, type SearchProgress, search } from './search.ts';

/** Every property of the oracle. */
export const PROPERTY_IDS: readonly string[] = ['P1', 'P1b', ...Array.from({ length: 18 }, (_, n) => `P${n + 2}`)];

/** Searches `description`, with `parts` put wrong, until `property` does not hold. */
export function* hunt(
  description: WorldDescription,
  parts: WorldParts,
  property: string,
  options: ExploreOptions = {},
): Generator<SearchProgress, ExploreResult, void> {
  const propertiesOff = PROPERTY_IDS.filter((id) => id !== property);
  return yield* search({ ...description, propertiesOff }, parts, options);
}

/** The same to its end. */
export function huntDown(
  description: WorldDescription,
  parts: WorldParts,
  property: string,
  options: ExploreOptions = {},
): ExploreResult {
  const running = hunt(description, parts, property, options);
  for (;;) {
    const { done, value } = running.next();
    if (done === true) return value;
  }
}
