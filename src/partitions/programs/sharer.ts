// sharer: an SP that owns pages and shares, lends or donates them when a message tells it to (SHARE), tells the
// borrower to retrieve them where that is an SP, and takes them back (RECLAIM). It is a holder as well, so that SPs
// can share in a ring.
//
// An SP may send to other SPs; to a VM only where the SPMC allows it. [Hafnium ffa_memory.c]

import { isSecureEndpoint } from '../../abi/endpoint-ids.ts';
import { FFA_ABORTED, FFA_INVALID_PARAMETERS, FFA_NO_MEMORY, FFA_OK } from '../../abi/errors.ts';
import { RECLAIM_FLAG_ZERO } from '../../abi/layout/memory-bits.ts';
import { FFA_VERSION_1_2 } from '../../abi/versions.ts';
import type { Ipa } from '../../base/units.ts';
import type { VcpuContext } from '../../hardware/partition-entry.ts';
import type { MemoryRegion } from '../memory-region.ts';
import { DirectRequest } from '../operations/direct-request.ts';
import { ReclaimMemory } from '../operations/reclaim-memory.ts';
import { SendMemory } from '../operations/send-memory.ts';
import { OUTCOME_SUCCESS } from '../outcome.ts';
import { PagePlan } from '../page-plan.ts';
import * as protocol from '../protocol.ts';
import type { Serve, SpVcpu } from '../sp-vcpu.ts';
import { type HolderOptions, HolderProgram } from './holder.ts';

export interface SharerOptions extends HolderOptions {
  /** The pages that it may send: where they begin, and how many. */
  readonly sharedAddress: Ipa;
  readonly sharedPages: number;
  /** Tell a borrower that is an SP to retrieve at once. Default true. */
  readonly tell?: boolean;
}

export class SharerProgram extends HolderProgram {
  readonly pages: PagePlan;
  private readonly tell: boolean;
  private readonly current: (MemoryRegion | null)[] = [];
  private readonly told: DirectRequest[] = [];
  private sentCount = 0;

  constructor(options: SharerOptions) {
    super(options);
    this.pages = new PagePlan(options.sharedAddress, options.sharedPages, 0);
    this.tell = options.tell ?? true;
  }

  override reset(): void {
    super.reset();
    this.pages.reset();
    this.current.length = 0;
    this.sentCount = 0;
  }

  protected override serve(vcpu: SpVcpu, context: VcpuContext): Serve {
    switch (vcpu.word(0)) {
      case protocol.PROTOCOL_SHARE:
        return this.share(vcpu, context);
      case protocol.PROTOCOL_RECLAIM:
        return this.reclaim(vcpu, context);
      default:
        return super.serve(vcpu, context);
    }
  }

  private share(vcpu: SpVcpu, context: VcpuContext): Serve {
    const { outcome } = vcpu.caller;
    switch (vcpu.step++) {
      case 0: {
        const region = this.regionToSend(vcpu);
        if (region === null) return vcpu.answer(FFA_NO_MEMORY);
        this.current[context.vcpu] = region;
        return this.begin(vcpu, context, new SendMemory(region));
      }
      case 1: {
        const region = this.current[context.vcpu];
        if (region === null) return vcpu.answer(FFA_ABORTED);
        if (outcome !== OUTCOME_SUCCESS) {
          if (region.state === 'refused') this.pages.giveBack(region.ranges);
          return vcpu.answer(protocol.protocolStatus(outcome));
        }
        const receiver = region.receivers[0];
        if (!this.tell || !isSecureEndpoint(receiver)) return vcpu.answer(FFA_OK, region.handleLow, region.handleHigh);
        let how = protocol.protocolKindWord(region.kind);
        if (this.endpoint.layoutVersion < FFA_VERSION_1_2) how |= protocol.PROTOCOL_SHORT_ACCESS;
        const words = [
          protocol.PROTOCOL_RETRIEVE,
          0,
          region.handleLow,
          0,
          region.handleHigh,
          0,
          how,
          0,
          region.tagLow,
          0,
        ];
        this.told[context.vcpu] = new DirectRequest(receiver, words);
        return this.begin(vcpu, context, this.told[context.vcpu]);
      }
      default: {
        const region = this.current[context.vcpu];
        if (region === null) return vcpu.answer(FFA_ABORTED);
        const status =
          outcome === OUTCOME_SUCCESS ? this.told[context.vcpu].reply[0] : protocol.protocolStatus(outcome);
        return vcpu.answer(status, region.handleLow, region.handleHigh);
      }
    }
  }

  private regionToSend(vcpu: SpVcpu): MemoryRegion | null {
    const pageCount = vcpu.word(2);
    const ranges = pageCount === 0 ? null : this.pages.take(pageCount, false);
    if (ranges === null) return null;
    const region: MemoryRegion = {
      name: `sent ${this.sentCount++}`,
      kind: protocol.protocolKind(vcpu.word(3)),
      owner: this.endpoint.id,
      receivers: [vcpu.word(1) & 0xffff],
      ranges,
      handleLow: 0,
      handleHigh: 0,
      tagLow: vcpu.word(4),
      tagHigh: 0,
      state: 'sending',
    };
    this.endpoint.regions.set(region.name, region);
    return region;
  }

  private reclaim(vcpu: SpVcpu, context: VcpuContext): Serve {
    if (vcpu.step++ === 0) {
      const region = this.endpoint.liveRegion(vcpu.word(1), vcpu.word(2));
      if (region === null) return vcpu.answer(FFA_INVALID_PARAMETERS);
      this.current[context.vcpu] = region;
      const flags = (vcpu.word(3) & protocol.PROTOCOL_ZERO) !== 0 ? RECLAIM_FLAG_ZERO : 0;
      return this.begin(vcpu, context, new ReclaimMemory(region, flags));
    }
    const region = this.current[context.vcpu];
    if (region !== null && region.state === 'reclaimed') this.pages.giveBack(region.ranges);
    return vcpu.answer(protocol.protocolStatus(vcpu.caller.outcome));
  }
}
