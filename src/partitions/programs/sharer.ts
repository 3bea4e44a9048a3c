// sharer: an SP that owns pages and shares, lends or donates them when a message tells it to (SHARE), tells the
// borrower to retrieve them where that is an SP, and takes them back (RECLAIM). It is a holder as well, so that SPs
// can share in a ring.
//
// An SP may send to other SPs; to a VM only where the SPMC allows it. [Hafnium ffa_memory.c]

import { isSecureEndpoint } from '../../abi/endpoint-ids.ts';
import { FFA_INVALID_PARAMETERS, FFA_NO_MEMORY, FFA_OK } from '../../abi/errors.ts';
import { FFA_VERSION_1_2 } from '../../abi/versions.ts';
import type { Ipa } from '../../base/units.ts';
import type { SendSpec } from '../ffa-calls.ts';
import { OUTCOME_NO_REGION } from '../outcome.ts';
import { PagePlan } from '../page-plan.ts';
import * as protocol from '../protocol.ts';
import type { SpCalls } from '../sp-calls.ts';
import type { Part } from '../sp-service.ts';
import type { Serve } from '../sp-vcpu.ts';
import type { Task } from '../task.ts';
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

  constructor(options: SharerOptions) {
    super(options);
    this.pages = new PagePlan(options.sharedAddress, options.sharedPages, 0);
    this.tell = options.tell ?? true;
  }

  override reset(): void {
    super.reset();
    this.pages.reset();
  }

  protected override message(ffa: SpCalls): Part {
    switch (ffa.vcpu.word(0)) {
      case protocol.PROTOCOL_SHARE:
        return this.sendAsTold(ffa);
      case protocol.PROTOCOL_RECLAIM:
        return this.reclaimAsTold(ffa);
      default:
        return super.message(ffa);
    }
  }

  private *sendAsTold(ffa: SpCalls): Task<Serve> {
    const { vcpu } = ffa;
    ffa.pages = this.pages;
    const [, to, pages, kind, tag] = [0, 1, 2, 3, 4].map((n) => vcpu.word(n));
    if (pages === 0) return vcpu.answer(FFA_NO_MEMORY);
    const spec: SendSpec = { to: to & 0xffff, pages, tag: { low: tag, high: 0 } };
    const sent = yield* ffa.sendMemory(protocol.protocolKind(kind), spec);
    if (sent.outcome === OUTCOME_NO_REGION) return vcpu.answer(FFA_NO_MEMORY);
    if (!sent.ok) return vcpu.answer(protocol.protocolStatus(sent.outcome));
    const region = sent.value;
    const receiver = region.receivers[0];
    if (!this.tell || !isSecureEndpoint(receiver)) return vcpu.answer(FFA_OK, region.handleLow, region.handleHigh);
    let how = protocol.protocolKindWord(region.kind);
    if (this.endpoint.layoutVersion < FFA_VERSION_1_2) how |= protocol.PROTOCOL_SHORT_ACCESS;
    const told = yield* ffa.request(receiver, [
      protocol.PROTOCOL_RETRIEVE,
      region.handleLow,
      region.handleHigh,
      how,
      region.tagLow,
    ]);
    const status = told.ok ? told.value.words[0] : protocol.protocolStatus(told.outcome);
    return vcpu.answer(status, region.handleLow, region.handleHigh);
  }

  private *reclaimAsTold(ffa: SpCalls): Task<Serve> {
    const { vcpu } = ffa;
    const region = this.endpoint.liveRegion(vcpu.word(1), vcpu.word(2));
    if (region === null) return vcpu.answer(FFA_INVALID_PARAMETERS);
    const zero = (vcpu.word(3) & protocol.PROTOCOL_ZERO) !== 0;
    const { outcome } = yield* ffa.reclaim(region, { zero });
    return vcpu.answer(protocol.protocolStatus(outcome));
  }
}
