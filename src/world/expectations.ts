// A world's expectations, judged when its run has ended. One that does not hold is a violation like any of the
// oracle's.

import { NS_PER_S } from '../base/units.ts';
import { SpProgram } from '../partitions/sp-program.ts';
import type { Expectation } from './description.ts';
import { guestPages, guestState } from './report.ts';
import type { World } from './world.ts';
import type { WorldGuest } from './world-parts.ts';

export interface ExpectationOutcome {
  readonly held: boolean;
  /** The expectation in words, e.g. `g1 is gone by 6 s`. */
  readonly text: string;
  /** What there was instead; empty when it held. */
  readonly found: string;
}

/** In the order of the description. */
export function judgeExpectations(world: World): ExpectationOutcome[] {
  return world.description.expectations.map((expectation) => {
    const found = misfit(world, expectation);
    return { held: found === null, text: expectationText(expectation), found: found ?? '' };
  });
}

/** The expectation in words. */
export function expectationText(expectation: Expectation): string {
  switch (expectation.kind) {
    case 'guest': {
      const { byNs, guest, is } = expectation;
      return byNs === null ? `${guest} is ${is}` : `${guest} is ${is} by ${seconds(byNs)}`;
    }
    case 'quarantine':
      return expectation.pages === 0 ? 'nothing is in quarantine' : `${pages(expectation.pages)} in quarantine`;
    case 'pages-back':
      return 'every page of every dead guest is back';
    case 'quiet':
      return expectation.is ? 'the world comes to rest' : 'the world does not come to rest';
    case 'scripts':
      return 'every script finds what it expects';
    case 'console':
      return `the console says ${expectation.lines.join(', then ')}`;
    case 'believers':
      return `${expectation.partition} believes in ${expectation.count} VMs`;
  }
}

/** What there is instead, or null when the expectation holds. */
function misfit(world: World, expectation: Expectation): string | null {
  switch (expectation.kind) {
    case 'guest':
      return first(world.guestsNamed(expectation.guest), (guest) => {
        const state = guestState(world, guest);
        if (state !== expectation.is) return `${guest.name} is ${state}`;
        const late = expectation.byNs !== null && (guest.goneNs ?? 0) > expectation.byNs;
        return late ? `${guest.name} was gone at ${seconds(guest.goneNs ?? 0)}` : null;
      });
    case 'quarantine': {
      const count = world.records?.quarantine.pageCount ?? 0;
      return count === expectation.pages ? null : `${pages(count)} are there`;
    }
    case 'pages-back':
      return first(world.guests, (guest) => {
        const { held, quarantined } = guestPages(world, guest);
        if (held + quarantined === 0) return null;
        return `of ${guest.name} ${pages(held)} are held and ${quarantined} in quarantine`;
      });
    case 'quiet':
      if (world.quiet === expectation.is) return null;
      return world.quiet ? 'it did' : `at ${seconds(world.machine.time.nowNs)} something was still under way`;
    case 'scripts':
      if (world.guests.every(({ script }) => script.heldCount + script.failureCount === 0)) {
        return 'no script has checked anything';
      }
      return first(world.guests, ({ name, script }) => {
        if (script.failureCount === 0) return null;
        const { place, step, expected, got } = script.failures[0];
        return `${name}, ${place} (${step}): expected ${expected}, got ${got}`;
      });
    case 'console': {
      const missing = firstMissing(expectation.lines, world.console);
      return missing === null ? null : `'${missing}' is not there (in this order): ${world.console.join(' | ')}`;
    }
    case 'believers': {
      const count = believers(world, expectation.partition);
      return count === expectation.count ? null : `it believes in ${count}`;
    }
  }
}

/** The first of `wanted` that does not follow the ones before it in `lines`; null when all do. */
function firstMissing(wanted: readonly string[], lines: readonly string[]): string | null {
  let at = 0;
  for (const line of wanted) {
    at = lines.indexOf(line, at) + 1;
    if (at === 0) return line;
  }
  return null;
}

/** VMs that a partition has been told of, and not of their end. */
function believers(world: World, partition: string): number {
  const program = world.spmc.partitionById.get(world.endpoints.get(partition) ?? 0)?.vcpus[0].program;
  if (!(program instanceof SpProgram)) return 0;
  let count = 0;
  for (const vm of program.availability.vms.values()) if (vm.state === 'available') count++;
  return count;
}

function first(guests: readonly WorldGuest[], misfitOf: (guest: WorldGuest) => string | null): string | null {
  for (const guest of guests) {
    const found = misfitOf(guest);
    if (found !== null) return found;
  }
  return null;
}

function seconds(timeNs: number): string {
  return `${Number((timeNs / NS_PER_S).toFixed(6))} s`;
}

function pages(count: number): string {
  return count === 1 ? '1 page' : `${count} pages`;
}
