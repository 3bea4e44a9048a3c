// P3 references: what is counted is what holds.

import { FFA_RXTX_MAP_32, FFA_RXTX_MAP_64, FFA_RXTX_UNMAP, FFA_SUCCESS_32 } from '../../abi/function-ids.ts';
import {
  EVENT_DOMAIN_DYING,
  EVENT_DOMAIN_GONE,
  EVENT_FRAME_ALLOCATE,
  EVENT_FRAME_FREE,
  EVENT_GUEST_RETURN,
  EVENT_QUARANTINE,
  EVENT_QUARANTINE_RELEASE,
} from '../../base/event-kinds.ts';
import type { EventLog } from '../../base/event-log.ts';
import { OWNER_FREE } from '../../hardware/frames.ts';
import { LIFE_ALIVE, LIFE_ZOMBIE } from '../model/domains.ts';
import type { GuestCall } from '../model/guest-call.ts';
import { Property, type PropertyInfo } from '../property.ts';

/** How an entry leaves quarantine: its pages are back. */
const RELEASED = 0;

interface Allocation {
  readonly frame: number;
  readonly count: number;
}

export class References extends Property {
  readonly info: PropertyInfo = {
    id: 'P3',
    title: 'references',
    checks:
      'When all is quiet, each page of a guest has one reference for its allocation, one for each time a transaction ' +
      'names it and one for each buffer that it is, and a guest without transactions is back at its first reference ' +
      'count.',
    blindTo:
      'Counts that are wrong for a while and right again when all is quiet; of a page in quarantine, which pin is ' +
      'whose.',
  };
  readonly kinds = [
    EVENT_FRAME_FREE,
    EVENT_QUARANTINE,
    EVENT_QUARANTINE_RELEASE,
    EVENT_FRAME_ALLOCATE,
    EVENT_GUEST_RETURN,
    EVENT_DOMAIN_DYING,
    EVENT_DOMAIN_GONE,
  ];
  /** What was allocated to each owner that is not settled yet. */
  private readonly allocations = new Map<number, Allocation[]>();

  /** How many pins frames took with them into quarantine, as far as they are not free since. */
  private readonly quarantined = new Map<number, number>();
  /** Runs of frames by whose entry they are, so that a release takes the pins of its own. */
  private readonly entries = new Map<string, Allocation[]>();

  override reset(): void {
    this.quarantined.clear();
    this.entries.clear();
    this.allocations.clear();
  }

  override event(kind: number, log: EventLog, at: number): void {
    if (kind === EVENT_FRAME_ALLOCATE) {
      const owner = log.argument(at, 2);
      if (owner <= 0) return;
      const allocation = { frame: log.argument(at, 0), count: log.argument(at, 1) };
      const known = this.allocations.get(owner);
      if (known === undefined) this.allocations.set(owner, [allocation]);
      else known.push(allocation);
    } else if (kind === EVENT_QUARANTINE) {
      const entry = { frame: log.argument(at, 5), count: log.argument(at, 4) };
      const key = entryKey(log, at);
      const known = this.entries.get(key);
      if (known === undefined) this.entries.set(key, [entry]);
      else known.push(entry);
      this.quarantine(entry, 1);
    } else if (kind === EVENT_QUARANTINE_RELEASE) {
      if (log.argument(at, 1) !== RELEASED) return;
      const key = entryKey(log, at);
      for (const entry of this.entries.get(key) ?? []) this.quarantine(entry, -1);
      this.entries.delete(key);
    } else if (kind === EVENT_FRAME_FREE) {
      if (this.quarantined.size === 0) return;
      const first = log.argument(at, 0);
      const end = first + log.argument(at, 1);
      for (const frame of this.quarantined.keys()) if (frame >= first && frame < end) this.quarantined.delete(frame);
    } else if (kind === EVENT_GUEST_RETURN) {
      this.buffers(this.bench.model.call(log.pe(at)));
    } else if (kind === EVENT_DOMAIN_DYING) {
      const { buffers } = this.bench.model;
      if (!buffers.atSpmc.has(log.argument(at, 0))) buffers.pinned.delete(log.argument(at, 0));
    }
  }

  private quarantine({ frame: first, count }: Allocation, change: number): void {
    for (let frame = first; frame < first + count; frame++) {
      const pins = (this.quarantined.get(frame) ?? 0) + change;
      if (pins > 0) this.quarantined.set(frame, pins);
      else this.quarantined.delete(frame);
    }
  }

  /** A buffer call that succeeded changes what holds the buffers' pages. */
  private buffers(call: GuestCall): void {
    if (call.a(0) !== FFA_SUCCESS_32) return;
    const { pinned } = this.bench.model.buffers;
    const fid = call.w(0);
    if (fid === FFA_RXTX_UNMAP) pinned.delete(call.vm);
    else if (fid === FFA_RXTX_MAP_32 || fid === FFA_RXTX_MAP_64) {
      const ranges: number[] = [];
      for (let n = 0; n < call.ledger.length; n += 3) {
        if (call.ledger[n + 2] > 0) ranges.push(call.ledger[n], call.ledger[n + 1]);
      }
      pinned.set(call.vm, ranges);
    }
  }

  override quiet(): void {
    const held = this.bufferReferences();
    for (const [owner, allocations] of this.allocations) {
      let left = 0;
      for (const { frame, count } of allocations) left += this.scan(owner, frame, count, held);
      if (left === 0) {
        this.allocations.delete(owner);
        this.zombie(owner);
      }
    }
    for (const domain of this.bench.model.domains.bySerial.values()) {
      if (domain.life !== LIFE_ALIVE || domain.failed || domain.baseline < 0) continue;
      if (this.bench.model.transactions.bySerial.has(domain.serial) || domain.references === domain.baseline) continue;
      const { vm, serial, references, baseline } = domain;
      this.report(`VM ${vm} has other references than at first though nothing of it is shared`, {
        vm,
        serial,
        references,
        baseline,
      });
    }
  }

  /** A domain without a page: what keeps it is a reference that nobody will drop. */
  private zombie(owner: number): void {
    const domain = this.bench.model.domains.bySerial.get(owner);
    if (domain?.life !== LIFE_ZOMBIE || this.relaxed('messages-forgotten')) return;
    const { vm, serial, references } = domain;
    this.report(`VM ${vm} is dead and has no page left, and something still holds it`, { vm, serial, references });
  }

  /** Looks at the frames of one allocation that still belong to somebody; returns their number. */
  private scan(owner: number, first: number, count: number, held: ReadonlyMap<number, number>): number {
    const { machine, model } = this.bench;
    const { frames } = machine;
    let left = 0;
    let wrong = 0;
    let wrongFrame = -1;
    for (let frame = first; frame < first + count; frame++) {
      const now = frames.owner(frame);
      if (now === OWNER_FREE || (now > 0 && now !== owner)) continue;
      left++;
      const users = model.transactions.referencesOf(frame) + (held.get(frame) ?? 0);
      // What took a pin into quarantine may still be known as a transaction or a buffer, or not be any more.
      const pins = this.quarantined.get(frame) ?? 0;
      const found = frames.references(frame) - model.allocationReferences(frame);
      if (found >= Math.max(users, pins) && found <= users + pins) continue;
      if (wrong++ === 0) wrongFrame = frame;
    }
    if (wrong > 0) {
      const references = frames.references(wrongFrame);
      const holds =
        model.allocationReferences(wrongFrame) +
        model.transactions.referencesOf(wrongFrame) +
        (held.get(wrongFrame) ?? 0);
      const anomaly =
        references > holds ? 'page with a reference that nothing holds' : 'page with fewer references than hold it';
      this.report(anomaly, { frame: wrongFrame, pages: wrong, owner, references, holds });
    }
    return left;
  }

  private bufferReferences(): Map<number, number> {
    const { buffers, domains } = this.bench.model;
    const held = new Map<number, number>();
    for (const [vm, ranges] of buffers.pinned) {
      const alive = domains.byVm.get(vm)?.life === LIFE_ALIVE;
      if (!alive && !buffers.atSpmc.has(vm)) continue;
      for (let n = 0; n < ranges.length; n += 2) {
        for (let frame = ranges[n]; frame < ranges[n] + ranges[n + 1]; frame++) {
          held.set(frame, (held.get(frame) ?? 0) + 1);
        }
      }
    }
    return held;
  }
}

/** An entry of the quarantine: VM and handle. */
function entryKey(log: EventLog, at: number): string {
  return `${log.argument(at, 0)}:${log.argument(at, 2)}:${log.argument(at, 3)}`;
}
