// What a run came to: each guest's end and where its pages are, what is in quarantine, what the oracle found, which
// expectations held. Plain data, the source of `run --json` and of what the command line prints.

import { OWNER_QUARANTINE } from '../hardware/frames.ts';
import { DOMAIN_ALIVE } from '../hypervisor/domain.ts';
import type { QuarantineReason } from '../hypervisor/quarantine.ts';
import { KIND_NAMES } from '../oracle/model/transaction.ts';
import { nameHandle } from '../oracle/violation.ts';
import type { ScriptFailure } from '../partitions/guest-script.ts';
import type { GuestEnd } from './description.ts';
import type { ExpectationOutcome } from './expectations.ts';
import type { World } from './world.ts';
import type { WorldGuest } from './world-parts.ts';

/** How a guest stands; `absent`: nobody has created it. */
export type GuestState = GuestEnd | 'absent';

/** Where a guest's pages are. The last four add up to `total`. */
export interface GuestPages {
  readonly total: number;
  /** Back on the free list, scrubbed, or used by somebody else since. */
  readonly returned: number;
  /** Its own, while it lives. */
  readonly own: number;
  /** Still in its name although it is dead: somebody may use them. */
  readonly held: number;
  readonly quarantined: number;
}

/** A transaction of a guest's that exists at the end. */
export interface LiveShare {
  readonly kind: string;
  /** Sixteen hexadecimal digits, or `none`. */
  readonly handle: string;
  readonly pages: number;
  /** Borrowers by name, or id. */
  readonly borrowers: readonly string[];
  /** Those of them that map its pages. */
  readonly heldBy: readonly string[];
}

export interface GuestReport {
  readonly name: string;
  /** 0: it never had one. */
  readonly vmId: number;
  readonly state: GuestState;
  readonly createdNs: number | null;
  /** When nothing of it was left. */
  readonly goneNs: number | null;
  readonly pages: GuestPages;
  readonly shares: readonly LiveShare[];
  /** Expectations of its script that held, and those that did not (the first hundred). */
  readonly stepsHeld: number;
  readonly failures: readonly ScriptFailure[];
}

export interface QuarantineReport {
  readonly id: number;
  readonly guest: string;
  readonly vmId: number;
  readonly reason: QuarantineReason;
  /** Sixteen hexadecimal digits; null: the SPMC gave none. */
  readonly handle: string | null;
  readonly pages: number;
  readonly writtenOff: boolean;
}

export interface ViolationReport {
  /** `P1`, ...; `expect`: an expectation of the world's own. */
  readonly property: string;
  readonly anomaly: string;
  readonly facts: Readonly<Record<string, number | string>>;
  readonly timeNs: number;
  /** Events before the one at which it was found. */
  readonly event: number;
  readonly repeats: number;
}

export interface WorldReport {
  readonly world: string;
  readonly verdict: 'held' | 'violated';
  readonly events: number;
  /** Virtual time at the end. */
  readonly virtualNs: number;
  /** Whether it came to rest by itself. */
  readonly quiet: boolean;
  readonly guests: readonly GuestReport[];
  readonly quarantine: readonly QuarantineReport[];
  readonly violations: readonly ViolationReport[];
  readonly expectations: readonly ExpectationOutcome[];
}

/** The property that a broken expectation counts as. */
export const EXPECTATION_PROPERTY = 'expect';

export function reportOf(world: World): WorldReport {
  const violations = violationsOf(world);
  return {
    world: world.description.name,
    verdict: violations.length === 0 ? 'held' : 'violated',
    events: world.machine.events.count,
    virtualNs: world.machine.time.nowNs,
    quiet: world.quiet,
    guests: world.guests.map((guest) => guestReport(world, guest)),
    quarantine: quarantineOf(world),
    violations,
    expectations: world.expectationOutcomes,
  };
}

/** How a guest stands now. */
export function guestState(world: World, guest: WorldGuest): GuestState {
  if (guest.createError !== 0) return 'refused';
  if (guest.domain === null) return 'absent';
  if (guest.domain.life === DOMAIN_ALIVE) return 'alive';
  if (guest.goneNs !== null) return 'gone';
  const record = world.records?.records.get(guest.vmId);
  return record !== undefined && record.serial === guest.domain.serial ? 'held' : 'zombie';
}

/** Where the pages of a guest are now, as the machine's frame table says. */
export function guestPages(world: World, guest: WorldGuest): GuestPages {
  const { domain } = guest;
  let [total, returned, own, held, quarantined] = [0, 0, 0, 0, 0];
  for (const { frame, count } of domain?.banks ?? []) {
    total += count;
    for (let n = 0; n < count; n++) {
      const owner = world.machine.frames.owner(frame + n);
      if (owner === OWNER_QUARANTINE) quarantined++;
      else if (owner !== domain?.serial) returned++;
      else if (domain.life === DOMAIN_ALIVE) own++;
      else held++;
    }
  }
  return { total, returned, own, held, quarantined };
}

function guestReport(world: World, guest: WorldGuest): GuestReport {
  const { createdNs, goneNs, name, script, vmId } = guest;
  return {
    name,
    vmId,
    state: guestState(world, guest),
    createdNs,
    goneNs,
    pages: guestPages(world, guest),
    shares: sharesOf(world, guest),
    stepsHeld: script.heldCount,
    failures: script.failures,
  };
}

function sharesOf(world: World, guest: WorldGuest): LiveShare[] {
  const { domain } = guest;
  const { oracle } = world;
  if (domain === null || oracle === null) return [];
  const shares: LiveShare[] = [];
  for (const one of oracle.liveTransactions) {
    if (one.serial !== domain.serial) continue;
    const borrowers = one.receivers.map(({ id }) => nameOf(world, id));
    const holders = one.receivers.filter(({ id }) => oracle.model.spaces.find(id)?.maps(one.ranges[0]) === true);
    shares.push({
      kind: KIND_NAMES[one.kind],
      handle: one.handle,
      pages: one.pageCount,
      borrowers,
      heldBy: holders.map(({ id }) => nameOf(world, id)),
    });
  }
  return shares;
}

function quarantineOf(world: World): QuarantineReport[] {
  const list: QuarantineReport[] = [];
  for (const entry of world.records?.quarantine.list() ?? []) {
    const { id, vmId, reason, hasHandle, handleLow, handleHigh, pageCount, serial, writtenOff } = entry;
    const guest = world.guests.find(({ domain }) => domain?.serial === serial)?.name ?? `VM ${vmId}`;
    const handle = hasHandle ? nameHandle(handleLow, handleHigh) : null;
    list.push({ id, guest, vmId, reason, handle, pages: pageCount, writtenOff });
  }
  return list;
}

function violationsOf(world: World): ViolationReport[] {
  const list: ViolationReport[] = [];
  for (const { property, anomaly, facts, timeNs, eventIndex, repeats } of world.oracle?.violations ?? []) {
    list.push({ property, anomaly, facts, timeNs, event: eventIndex, repeats });
  }
  const lost = world.oracle?.violationsLost ?? 0;
  const end = { timeNs: world.machine.time.nowNs, event: world.machine.events.count, repeats: 0 };
  if (lost > 0) list.push({ property: 'all', anomaly: `${lost} more, which were not kept`, facts: {}, ...end });
  for (const { held, text, found } of world.expectationOutcomes) {
    if (!held) list.push({ property: EXPECTATION_PROPERTY, anomaly: `${text}: ${found}`, facts: {}, ...end });
  }
  return list;
}

function nameOf(world: World, id: number): string {
  for (const [name, endpoint] of world.endpoints) if (endpoint === id) return name;
  return `0x${id.toString(16)}`;
}
