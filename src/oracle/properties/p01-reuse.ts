// P1 reuse, and P1b pins: a page that the secure world may still reach is neither freed nor left without a pin.

import { EVENT_FRAME_FREE, EVENT_FRAME_PUT, EVENT_SMC } from '../../base/event-kinds.ts';
import type { EventLog } from '../../base/event-log.ts';
import { OWNER_FREE, OWNER_SECURE } from '../../hardware/frames.ts';
import { STAGE2_FOREIGN } from '../../hardware/stage2.ts';
import { PURPOSE_SEND } from '../model/exchange.ts';
import { STATE_LIVE, STATE_SENDING, type Transaction } from '../model/transaction.ts';
import { Property, type PropertyInfo } from '../property.ts';
import { nameEndpoint } from '../violation.ts';

/** Pages of one event that suffer from the same anomaly. */
interface Finding {
  readonly anomaly: string;
  readonly frame: number;
  pages: number;
  readonly vm: number;
  readonly handle: string;
}

export class Reuse extends Property {
  readonly info: PropertyInfo = {
    id: 'P1',
    title: 'reuse',
    checks:
      'When the last reference to a frame goes, no transaction that exists or may exist names it, no partition maps ' +
      'it, no DMA runs on it and the SPMC does not map it as a buffer.',
    blindTo:
      'Whether another schedule would free it earlier; stale TLB entries, which the modelled hardware does not have.',
  };
  readonly kinds = [EVENT_FRAME_FREE];
  private readonly findings: Finding[] = [];
  private readonly lookAtNames = (frame: number): void => this.named(frame);

  override event(_kind: number, log: EventLog, at: number): void {
    const first = log.argument(at, 0);
    const count = log.argument(at, 1);
    const owner = log.argument(at, 2);
    const { model } = this.bench;
    this.findings.length = 0;
    model.transactions.overlap(first, count, this.lookAtNames);
    if (owner !== OWNER_SECURE) this.mapped(first, count, owner);
    for (const transfer of model.dma.running) {
      const from = Math.max(first, transfer.frame);
      const pages = Math.min(first + count, transfer.frame + transfer.count) - from;
      const who = nameEndpoint(transfer.sp);
      if (pages > 0) this.find(`page returned while DMA of ${who} is under way on it`, from, pages, -1, '');
    }
    if (!this.relaxed('buffers-forgotten')) {
      this.overlap(model.buffers.frameCount, model.buffers.frames(), first, count, (frame) => {
        const vm = model.buffers.vmOf(frame);
        if (vm >= 0) this.find(`page returned while the SPMC maps it as a buffer of VM ${vm}`, frame, 1, vm, '');
      });
    }
    for (const { anomaly, frame, pages, vm, handle } of this.findings) {
      const facts: Record<string, number | string> = { frame, pages, owner };
      if (vm >= 0) facts['vm'] = vm;
      if (handle !== '') facts['handle'] = handle;
      this.report(anomaly, facts);
    }
  }

  /** Calls `look` for each frame of the range that may be in a table of `size` frames: walks the smaller of the two. */
  private overlap(
    size: number,
    frames: IterableIterator<number>,
    first: number,
    count: number,
    look: (frame: number) => void,
  ): void {
    if (size === 0) return;
    if (size < count) {
      for (const frame of frames) if (frame >= first && frame < first + count) look(frame);
    } else {
      for (let frame = first; frame < first + count; frame++) look(frame);
    }
  }

  private named(frame: number): void {
    const { transactions } = this.bench.model;
    const count = transactions.namedBy(frame);
    for (let n = 0; n < count; n++) {
      const transaction = transactions.at(frame, n);
      this.find(nameState(transaction), frame, 1, transaction.sender, transaction.handle);
    }
  }

  private mapped(first: number, count: number, owner: number): void {
    for (const space of this.bench.model.spaces.list) {
      const holder = nameEndpoint(space.endpoint);
      space.overlap(first, count, (frame) => {
        if (!space.secure && (space.attributes & STAGE2_FOREIGN) === 0) return;
        const serial = this.bench.model.domains.byVm.get(space.endpoint)?.serial;
        if (serial !== undefined && serial === owner) return;
        this.find(`page returned while ${holder} holds it`, frame, 1, -1, '');
      });
    }
  }

  private find(anomaly: string, frame: number, pages: number, vm: number, handle: string): void {
    for (const finding of this.findings) {
      if (finding.anomaly === anomaly && finding.handle === handle) {
        finding.pages += pages;
        return;
      }
    }
    this.findings.push({ anomaly, frame, pages, vm, handle });
  }
}

function nameState(transaction: Transaction): string {
  const whose = `VM ${transaction.sender}`;
  switch (transaction.state) {
    case STATE_SENDING:
      return `page returned while a transaction of ${whose} that names it is on its way`;
    case STATE_LIVE:
      return `page returned while a live transaction of ${whose} names it`;
    default:
      return `page returned while a transaction of ${whose} with unknown outcome names it`;
  }
}

export class Pins extends Property {
  readonly info: PropertyInfo = {
    id: 'P1b',
    title: 'pins',
    checks:
      'From the moment a transaction leaves for the SPMC until it is known to have ended, each of its pages has one ' +
      'reference for it beside that of its allocation and those of other transactions.',
    blindTo: 'Which reference belongs to whom: two that are swapped cancel out.',
  };
  readonly kinds = [EVENT_FRAME_PUT, EVENT_SMC];
  private readonly lookAtPut = (frame: number): void => this.putOne(frame);

  override event(kind: number, log: EventLog, at: number): void {
    if (kind === EVENT_FRAME_PUT) {
      this.put(log.argument(at, 0), log.argument(at, 1));
      return;
    }
    const exchange = this.bench.model.door.of(log.pe(at));
    if (exchange.purpose === PURPOSE_SEND && exchange.transaction !== null) this.covered(exchange.transaction);
  }

  // From then on only a put can take a pin away.

  /** The record comes before the references go down. */
  private put(first: number, count: number): void {
    this.bench.model.transactions.overlap(first, count, this.lookAtPut);
  }

  private putOne(frame: number): void {
    const { machine, model } = this.bench;
    const needed = model.transactions.referencesOf(frame);
    if (needed === 0) return;
    const left = machine.frames.references(frame) - 1;
    if (left >= needed + model.allocationReferences(frame)) return;
    const transaction = model.transactions.at(frame, 0);
    this.report(`page unpinned while a transaction of VM ${transaction.sender} names it`, {
      frame,
      references: left,
      needed: needed + model.allocationReferences(frame),
      vm: transaction.sender,
      handle: transaction.handle,
    });
  }

  private covered(transaction: Transaction): void {
    const { machine, model } = this.bench;
    const { ranges, overlaps, repeats } = transaction;
    const { frames } = machine;
    let owner = Number.NaN;
    let allocation = 0;
    for (let n = 0; n < ranges.length; n += 2) {
      const end = ranges[n] + ranges[n + 1];
      for (let frame = ranges[n]; frame < end; frame++) {
        const exists = frames.has(frame);
        const now = exists ? frames.owner(frame) : OWNER_FREE;
        if (now !== owner) {
          owner = now;
          allocation = exists ? model.allocationReferences(frame) : 0;
        }
        const total = allocation + (overlaps || repeats ? model.transactions.referencesOf(frame) : 1);
        const references = exists ? frames.references(frame) : 0;
        if (references >= total) continue;
        const vm = transaction.sender;
        const facts = { frame, references, needed: total, vm, handle: transaction.handle };
        this.report(`page without a pin when a transaction of VM ${vm} leaves for the SPMC`, facts);
        return;
      }
    }
  }
}
