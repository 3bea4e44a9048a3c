// P18 scrub: what a guest gets is zero, whoever had it before.

import { EVENT_FRAME_ALLOCATE, EVENT_GUEST_CALL } from '../../base/event-kinds.ts';
import type { EventLog } from '../../base/event-log.ts';
import { Property, type PropertyInfo } from '../property.ts';

interface Dirty {
  readonly frame: number;
  readonly count: number;
  readonly allocatedIndex: number;
}

export class Scrub extends Property {
  readonly info: PropertyInfo = {
    id: 'P18',
    title: 'scrub',
    checks:
      'Frames that are handed to a guest are zero, or are made zero before its first call: nobody reads what another ' +
      'left.',
    blindTo: 'What a guest reads between its creation and its first call.',
  };
  readonly kinds = [EVENT_FRAME_ALLOCATE, EVENT_GUEST_CALL];
  /** Allocations with something in them, by owner. */
  private readonly dirty = new Map<number, Dirty[]>();

  override reset(): void {
    this.dirty.clear();
  }

  override event(kind: number, log: EventLog, at: number): void {
    if (kind === EVENT_GUEST_CALL) {
      if (this.dirty.size === 0) return;
      const serial = this.bench.model.call(log.pe(at)).serial;
      this.judge(serial);
      return;
    }
    const owner = log.argument(at, 2);
    if (owner <= 0 || this.relaxed('unscrubbed')) return;
    const frame = log.argument(at, 0);
    const count = log.argument(at, 1);
    const { contents } = this.bench.machine.frames;
    let from = frame;
    while (from < frame + count) {
      const found = contents.firstNonZero(from, frame + count - from);
      if (found < 0) return;
      const entry = { frame: found, count: 1, allocatedIndex: log.count - 1 };
      const known = this.dirty.get(owner);
      if (known === undefined) this.dirty.set(owner, [entry]);
      else known.push(entry);
      from = found + 1;
    }
  }

  override quiet(): void {
    for (const owner of [...this.dirty.keys()]) this.judge(owner);
  }

  private judge(owner: number): void {
    const entries = this.dirty.get(owner);
    if (entries === undefined) return;
    this.dirty.delete(owner);
    const { contents } = this.bench.machine.frames;
    const left = entries.filter((entry) => !contents.isZero(entry.frame));
    if (left.length === 0) return;
    const { frame, allocatedIndex } = left[0];
    const vm = this.bench.model.domains.bySerial.get(owner)?.vm ?? 0;
    this.report('page handed to a new owner with what another left in it', {
      frame,
      pages: left.length,
      owner,
      vm,
      allocatedIndex,
    });
  }
}
