// dma: a holder that lets a device work on the memory which it retrieved. While a transfer runs, it cannot give the
// memory back: it answers BUSY when asked to, and RETRY to VM_DESTROYED.

import { FFA_ABORTED, FFA_BUSY, FFA_DENIED, FFA_INVALID_PARAMETERS, FFA_OK } from '../../abi/errors.ts';
import { type Nanoseconds, NS_PER_US } from '../../base/units.ts';
import type { DmaEngine } from '../dma-engine.ts';
import { type MemoryRegion, pageCountOf } from '../memory-region.ts';
import { PROTOCOL_DMA } from '../protocol.ts';
import type { SpCalls } from '../sp-calls.ts';
import type { Part } from '../sp-service.ts';
import { type HolderOptions, HolderProgram } from './holder.ts';

export interface DmaOptions extends HolderOptions {
  readonly engine: DmaEngine;
  /** How long a transfer takes that starts by itself. */
  readonly durationNs: Nanoseconds;
  /** `retrieve`: a transfer starts as soon as memory is retrieved. `request`: only when a message asks for it. */
  readonly start?: 'retrieve' | 'request';
}

interface Transfer {
  readonly region: MemoryRegion;
  readonly number: number;
}

export class DmaProgram extends HolderProgram {
  /** Transfers so far, in the order of their start. */
  transfers: Transfer[] = [];
  private readonly engine: DmaEngine;
  private readonly durationNs: Nanoseconds;
  private readonly startsAtRetrieve: boolean;

  constructor(options: DmaOptions) {
    super(options);
    this.engine = options.engine;
    this.durationNs = options.durationNs;
    this.startsAtRetrieve = (options.start ?? 'retrieve') === 'retrieve';
  }

  override reset(): void {
    super.reset();
    this.transfers = [];
  }

  protected override message(ffa: SpCalls): Part {
    const { vcpu } = ffa;
    if (vcpu.word(0) !== PROTOCOL_DMA) return super.message(ffa);
    const region = this.heldRegion(vcpu.word(1), vcpu.word(2));
    if (region === null) return vcpu.answer(FFA_INVALID_PARAMETERS);
    return vcpu.answer(this.transfer(region, vcpu.word(3) * NS_PER_US), pageCountOf(region.ranges));
  }

  protected override retrieved(region: MemoryRegion): number {
    return this.startsAtRetrieve ? this.transfer(region, this.durationNs) : FFA_OK;
  }

  protected override mayRelinquish(region: MemoryRegion): number {
    const works = this.transfers.some((transfer) => transfer.region === region && this.engine.active(transfer.number));
    return works ? FFA_BUSY : super.mayRelinquish(region);
  }

  private transfer(region: MemoryRegion, durationNs: Nanoseconds): number {
    if (region.ranges.length === 0) return FFA_ABORTED;
    const number = this.engine.start(this.endpoint.id, region.ranges, durationNs);
    if (number < 0) return FFA_DENIED;
    this.transfers.push({ region, number });
    return FFA_OK;
  }
}
