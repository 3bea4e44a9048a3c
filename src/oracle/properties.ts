// All properties, in the order of their numbers.

import { Pins, Reuse } from './properties/p01-reuse.ts';
import { Access } from './properties/p02-access.ts';
import { References } from './properties/p03-references.ts';
import { Lifetime } from './properties/p04-lifetime.ts';
import { Reclaim } from './properties/p05-reclaim.ts';
import { AvailabilityMessages } from './properties/p06-availability.ts';
import { Quiet } from './properties/p07-quiet.ts';
import { Atomicity } from './properties/p08-atomicity.ts';
import { BufferToken } from './properties/p09-buffer-token.ts';
import { SingleFetch } from './properties/p10-single-fetch.ts';
import { Impersonation } from './properties/p11-impersonation.ts';
import { Progress } from './properties/p12-progress.ts';
import { Abi } from './properties/p13-abi.ts';
import { Truth } from './properties/p14-truth.ts';
import { Residue } from './properties/p15-residue.ts';
import { Notifications } from './properties/p16-notifications.ts';
import { Version } from './properties/p17-version.ts';
import { Scrub } from './properties/p18-scrub.ts';
import { Limits } from './properties/p19-limits.ts';
import type { Bench, Property } from './property.ts';

export function makeProperties(bench: Bench): Property[] {
  return [
    new Reuse(bench),
    new Pins(bench),
    new Access(bench),
    new References(bench),
    new Lifetime(bench),
    new Reclaim(bench),
    new AvailabilityMessages(bench),
    new Quiet(bench),
    new Atomicity(bench),
    new BufferToken(bench),
    new SingleFetch(bench),
    new Impersonation(bench),
    new Progress(bench),
    new Abi(bench),
    new Truth(bench),
    new Residue(bench),
    new Notifications(bench),
    new Version(bench),
    new Scrub(bench),
    new Limits(bench),
  ];
}
