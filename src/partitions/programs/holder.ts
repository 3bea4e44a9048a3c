// holder: retrieves what a direct message tells it to, keeps it, and gives it back when its time has come, when it is
// asked to, or when the owner is destroyed. Speaks the protocol of protocol.ts.
//
// An SP has no CPU of its own: "after a time" means at the first entry after that time, whatever the entry is for.

import {
  FFA_ABORTED,
  FFA_DENIED,
  FFA_INVALID_PARAMETERS,
  FFA_NOT_SUPPORTED,
  FFA_OK,
  FFA_RETRY,
} from '../../abi/errors.ts';
import { DATA_ACCESS_RO, RELINQUISH_FLAG_ZERO } from '../../abi/layout/memory-bits.ts';
import { type Nanoseconds, NS_PER_US, PAGE_SIZE_BYTES } from '../../base/units.ts';
import type { VcpuContext } from '../../hardware/partition-entry.ts';
import { type MemoryRegion, pageCountOf } from '../memory-region.ts';
import { DirectRequest } from '../operations/direct-request.ts';
import { RelinquishMemory } from '../operations/relinquish-memory.ts';
import { RetrieveMemory, type RetrieveMemoryOptions } from '../operations/retrieve-memory.ts';
import { OUTCOME_SUCCESS } from '../outcome.ts';
import * as protocol from '../protocol.ts';
import { SpProgram, type SpProgramOptions } from '../sp-program.ts';
import { SERVE_CRASH, SERVE_NOTHING, SERVE_YIELD, type Serve, type SpVcpu } from '../sp-vcpu.ts';

/** What a holder does about VM_DESTROYED while it holds memory of that VM. */
export type OnDestroyed = 'relinquish' | 'retry' | 'accept';

export interface HolderOptions extends SpProgramOptions {
  /** Gives each region back at the first entry so long after it was retrieved; absent: not by itself. */
  readonly holdNs?: Nanoseconds;
  /** Default `relinquish`. */
  readonly onDestroyed?: OnDestroyed;
  /** Touches the first word of every page at once when it is retrieved. Default `none`. */
  readonly touch?: 'none' | 'read' | 'write';
  /** Always states access descriptors of 16 bytes when it retrieves. Default: those of its version. */
  readonly shortAccess?: boolean;
}

/** A region that the SP holds, and since when. */
interface Held {
  readonly region: MemoryRegion;
  readonly sinceNs: Nanoseconds;
}

const TOUCH_BYTE = 0xa5;
const ANY_OWNER = -1;

export class HolderProgram extends SpProgram {
  /** Regions that it holds, in the order in which they came. */
  held: Held[] = [];
  /** Touches of held memory that its stage 2 refused, for reports. */
  faultCount = 0;
  private readonly holdNs: Nanoseconds;
  private readonly onDestroyed: OnDestroyed;
  private readonly touch: 'none' | 'read' | 'write';
  private readonly shortAccess: boolean;
  private readonly pending: (MemoryRegion | null)[] = [];
  private readonly forwarded: DirectRequest[] = [];
  private readonly word = new Uint8Array(4);

  constructor(options: HolderOptions) {
    super(options);
    this.holdNs = options.holdNs ?? Number.POSITIVE_INFINITY;
    this.onDestroyed = options.onDestroyed ?? 'relinquish';
    this.touch = options.touch ?? 'none';
    this.shortAccess = options.shortAccess ?? false;
  }

  override reset(): void {
    super.reset();
    this.held = [];
    this.faultCount = 0;
    this.pending.length = 0;
  }

  protected override serve(vcpu: SpVcpu, context: VcpuContext): Serve {
    switch (vcpu.word(0)) {
      case protocol.PROTOCOL_RETRIEVE:
        return this.retrieve(vcpu, context);
      case protocol.PROTOCOL_RELINQUISH:
        return this.relinquish(vcpu, context);
      case protocol.PROTOCOL_ECHO:
        return vcpu.answerEcho();
      case protocol.PROTOCOL_TOUCH:
        return this.touchAsked(vcpu, context);
      case protocol.PROTOCOL_WORK:
        if (vcpu.step++ > 0) return vcpu.answer(FFA_OK);
        return this.workFor(vcpu, context, vcpu.word(1) * NS_PER_US);
      case protocol.PROTOCOL_YIELD:
        return vcpu.step++ < vcpu.word(1) ? SERVE_YIELD : vcpu.answer(FFA_OK);
      case protocol.PROTOCOL_CRASH:
        return SERVE_CRASH;
      case protocol.PROTOCOL_FORWARD:
        return this.forward(vcpu, context);
      case protocol.PROTOCOL_STATUS:
        return vcpu.answer(FFA_OK, this.held.length, this.heldPageCount());
      default:
        return vcpu.answer(FFA_NOT_SUPPORTED);
    }
  }

  /** Whether it may give the region back now: 0, or the FF-A error that says why not. */
  protected mayRelinquish(_region: MemoryRegion, _context: VcpuContext): number {
    return FFA_OK;
  }

  /** The region has just been retrieved: 0, or the FF-A error for the asker. */
  protected retrieved(_vcpu: SpVcpu, _region: MemoryRegion, _context: VcpuContext): number {
    return FFA_OK;
  }

  protected override errand(vcpu: SpVcpu, context: VcpuContext): Serve {
    return this.giveBackFirst(vcpu, context, ANY_OWNER);
  }

  protected override vmDestroyed(vcpu: SpVcpu, context: VcpuContext, vmId: number): Serve {
    vcpu.step = 1;
    if (this.onDestroyed === 'relinquish') {
      const next = this.giveBackFirst(vcpu, context, vmId);
      if (next !== SERVE_NOTHING) return next;
    }
    const holds = this.held.some((one) => isLoan(one.region) && one.region.owner === vmId);
    if (holds && this.onDestroyed !== 'accept') return vcpu.answer(FFA_RETRY);
    return super.vmDestroyed(vcpu, context, vmId);
  }

  protected heldRegion(handleLow: number, handleHigh: number): MemoryRegion | null {
    for (const { region } of this.held) {
      if (region.handleLow === handleLow && region.handleHigh === handleHigh) return region;
    }
    return null;
  }

  private heldPageCount(): number {
    let count = 0;
    for (const { region } of this.held) count += pageCountOf(region.ranges);
    return count;
  }

  private retrieve(vcpu: SpVcpu, context: VcpuContext): Serve {
    if (vcpu.step === 0) {
      vcpu.step = 1;
      const region = this.regionAsTold(vcpu);
      this.pending[context.vcpu] = region;
      const how = vcpu.word(3);
      const readOnly = (how & protocol.PROTOCOL_READ_ONLY) !== 0;
      const bypassOthers = (how & protocol.PROTOCOL_BYPASS_OTHERS) !== 0;
      const options: RetrieveMemoryOptions = {
        bypassOthers,
        ...(readOnly ? { permissions: DATA_ACCESS_RO } : {}),
        ...((how & protocol.PROTOCOL_SHORT_ACCESS) !== 0 || this.shortAccess ? { accessSizeBytes: 16 } : {}),
      };
      return this.begin(vcpu, context, new RetrieveMemory(region, options));
    }
    const region = this.takePending(context.vcpu);
    if (region === null) return vcpu.answer(FFA_ABORTED);
    // A response that it cannot read leaves the SP as a borrower all the same.
    if (region.state === 'held') this.held.push({ region, sinceNs: context.nowNs });
    if (this.crashesAt('retrieved')) return SERVE_CRASH;
    if (vcpu.caller.outcome !== OUTCOME_SUCCESS) return vcpu.answer(protocol.protocolStatus(vcpu.caller.outcome));
    if (this.touch !== 'none') this.touchRegion(region, context, this.touch === 'write', TOUCH_BYTE);
    return vcpu.answer(this.retrieved(vcpu, region, context), pageCountOf(region.ranges));
  }

  private regionAsTold(vcpu: SpVcpu): MemoryRegion {
    const how = vcpu.word(3);
    const other = how >>> protocol.PROTOCOL_OTHER_BORROWER_SHIFT;
    const self = this.endpoint.id;
    return {
      name: `from 0x${vcpu.sender.toString(16)}`,
      kind: protocol.protocolKind(how),
      owner: vcpu.sender,
      receivers: other === 0 ? [self] : [self, other],
      ranges: [],
      handleLow: vcpu.word(1),
      handleHigh: vcpu.word(2),
      tagLow: vcpu.word(4),
      tagHigh: 0,
      state: 'sent',
    };
  }

  private relinquish(vcpu: SpVcpu, context: VcpuContext): Serve {
    if (vcpu.step === 0) {
      const region = this.heldRegion(vcpu.word(1), vcpu.word(2));
      if (region === null) return vcpu.answer(FFA_INVALID_PARAMETERS);
      const refusal = this.mayRelinquish(region, context);
      if (refusal !== FFA_OK) return vcpu.answer(refusal);
      if (this.crashesAt('relinquish')) return SERVE_CRASH;
      vcpu.step = 1;
      this.pending[context.vcpu] = region;
      const zero = (vcpu.word(3) & protocol.PROTOCOL_ZERO) !== 0 ? RELINQUISH_FLAG_ZERO : 0;
      return this.begin(vcpu, context, new RelinquishMemory(region, zero));
    }
    const region = this.takePending(context.vcpu);
    if (region !== null) this.forget(region);
    return vcpu.answer(protocol.protocolStatus(vcpu.caller.outcome));
  }

  /** Passes three words on to another partition, and its three back: a call chain. */
  private forward(vcpu: SpVcpu, context: VcpuContext): Serve {
    if (vcpu.step++ === 0) {
      const words = [vcpu.word(2), 0, vcpu.word(3), 0, vcpu.word(4), 0];
      const request = new DirectRequest(vcpu.word(1) & 0xffff, words);
      this.forwarded[context.vcpu] = request;
      return this.begin(vcpu, context, request);
    }
    if (vcpu.caller.outcome !== OUTCOME_SUCCESS) return vcpu.answer(protocol.protocolStatus(vcpu.caller.outcome));
    const { reply } = this.forwarded[context.vcpu];
    return vcpu.answer(reply[0], reply[2], reply[4]);
  }

  /**
   * Gives back the regions of `owner`, or those whose time has come (ANY_OWNER), one call at a time; SERVE_NOTHING when
   * none is left that may go.
   */
  private giveBackFirst(vcpu: SpVcpu, context: VcpuContext, owner: number): Serve {
    const before = this.takePending(context.vcpu);
    if (before !== null) this.forget(before);
    // One that the SPMC refuses to take back is not tried again in this entry.
    if (before !== null && before.state === 'held') return SERVE_NOTHING;
    for (const one of this.held) {
      const due = owner === ANY_OWNER ? context.nowNs >= one.sinceNs + this.holdNs : one.region.owner === owner;
      if (!due || !isLoan(one.region) || this.mayRelinquish(one.region, context) !== FFA_OK) continue;
      if (this.crashesAt('relinquish')) return SERVE_CRASH;
      this.pending[context.vcpu] = one.region;
      return this.begin(vcpu, context, new RelinquishMemory(one.region));
    }
    return SERVE_NOTHING;
  }

  /** Drops a region from the list if it has been given back. */
  private forget(region: MemoryRegion): void {
    if (region.state === 'relinquished') this.held = this.held.filter((one) => one.region !== region);
  }

  private takePending(vcpu: number): MemoryRegion | null {
    const region = this.pending[vcpu] ?? null;
    this.pending[vcpu] = null;
    return region;
  }

  private touchAsked(vcpu: SpVcpu, context: VcpuContext): Serve {
    const region = this.heldRegion(vcpu.word(1), vcpu.word(2));
    if (region === null) return vcpu.answer(FFA_INVALID_PARAMETERS);
    const first = region.ranges.length === 0 ? 0 : this.firstWord(region, context);
    const write = (vcpu.word(3) & protocol.PROTOCOL_TOUCH_WRITE) !== 0;
    const touched = this.touchRegion(region, context, write, vcpu.word(3) & 0xff);
    return vcpu.answer(touched ? FFA_OK : FFA_DENIED, first);
  }

  private firstWord(region: MemoryRegion, context: VcpuContext): number {
    if (!context.memory.read(region.ranges[0].address, this.word, 0, 4)) return 0;
    return (this.word[0] | (this.word[1] << 8) | (this.word[2] << 16) | (this.word[3] << 24)) >>> 0;
  }

  private touchRegion(region: MemoryRegion, context: VcpuContext, write: boolean, byte: number): boolean {
    let ok = true;
    for (const range of region.ranges) {
      for (let n = 0; n < range.pageCount; n++) {
        const address = range.address + n * PAGE_SIZE_BYTES;
        this.word.fill(byte);
        const done = write
          ? context.memory.write(address, this.word, 0, 4)
          : context.memory.read(address, this.word, 0, 4);
        if (done) continue;
        this.faultCount++;
        ok = false;
      }
    }
    return ok;
  }
}

/** What was donated is its own: there is nobody to give it back to. */
function isLoan(region: MemoryRegion): boolean {
  return region.kind !== 'donate';
}
