// All properties, in the order of their numbers.

import { Pins, Reuse } from './properties/p01-reuse.ts';
import { References } from './properties/p03-references.ts';
import { Reclaim } from './properties/p05-reclaim.ts';
import { AvailabilityMessages } from './properties/p06-availability.ts';
import { Scrub } from './properties/p18-scrub.ts';
import type { Bench, Property } from './property.ts';

export function makeProperties(bench: Bench): Property[] {
  return [
    new Reuse(bench),
    new Pins(bench),
    new References(bench),
    new Reclaim(bench),
    new AvailabilityMessages(bench),
    new Scrub(bench),
  ];
}
