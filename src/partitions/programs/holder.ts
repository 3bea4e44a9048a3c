// holder: retrieves what a direct message tells it to, keeps it, and gives it back when its time has come, when it is
// asked to, or when the owner is destroyed. Speaks the protocol of protocol.ts.
//
// An SP has no CPU of its own: "after a time" means at the first entry after that time, whatever the entry is for.

import { FFA_DENIED, FFA_INVALID_PARAMETERS, FFA_NOT_SUPPORTED, FFA_OK, FFA_RETRY } from '../../abi/errors.ts';
import { DATA_ACCESS_RO, INSTRUCTION_ACCESS_NX } from '../../abi/layout/memory-bits.ts';
import { type Nanoseconds, NS_PER_US, PAGE_SIZE_BYTES } from '../../base/units.ts';
import { type MemoryRegion, pageCountOf } from '../memory-region.ts';
import { RetrieveMemory, type RetrieveMemoryOptions } from '../operations/retrieve-memory.ts';
import { OUTCOME_SUCCESS } from '../outcome.ts';
import * as protocol from '../protocol.ts';
import type { SpCalls } from '../sp-calls.ts';
import type { SpProgramOptions } from '../sp-program.ts';
import { type Part, SpService } from '../sp-service.ts';
import { SERVE_CRASH, SERVE_NOTHING, type Serve, type SpVcpu } from '../sp-vcpu.ts';
import type { Task } from '../task.ts';

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

export class HolderProgram extends SpService {
  /** Regions that it holds, in the order in which they came. */
  held: Held[] = [];
  /** Touches of held memory that its stage 2 refused, for reports. */
  faultCount = 0;
  private readonly holdNs: Nanoseconds;
  private readonly onDestroyed: OnDestroyed;
  private readonly touch: 'none' | 'read' | 'write';
  private readonly shortAccess: boolean;

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
  }

  protected override message(ffa: SpCalls): Part {
    const { vcpu } = ffa;
    switch (vcpu.word(0)) {
      case protocol.PROTOCOL_RETRIEVE:
        return this.retrieveAsTold(ffa);
      case protocol.PROTOCOL_RELINQUISH:
        return this.relinquishAsTold(ffa);
      case protocol.PROTOCOL_ECHO:
        return vcpu.answerEcho();
      case protocol.PROTOCOL_TOUCH:
        return this.touchAsked(ffa);
      case protocol.PROTOCOL_WORK:
        return work(ffa, vcpu.word(1) * NS_PER_US);
      case protocol.PROTOCOL_YIELD:
        return yieldTimes(ffa, vcpu.word(1));
      case protocol.PROTOCOL_CRASH:
        return SERVE_CRASH;
      case protocol.PROTOCOL_FORWARD:
        return forward(ffa);
      case protocol.PROTOCOL_STATUS:
        return vcpu.answer(FFA_OK, this.held.length, this.heldPageCount());
      default:
        return vcpu.answer(FFA_NOT_SUPPORTED);
    }
  }

  /** Whether it may give the region back now: 0, or the FF-A error that says why not. */
  protected mayRelinquish(_region: MemoryRegion): number {
    return FFA_OK;
  }

  /** The region has just been retrieved: 0, or the FF-A error for the asker. */
  protected retrieved(_region: MemoryRegion): number {
    return FFA_OK;
  }

  protected override atEntry(ffa: SpCalls): Part {
    return this.nextToGiveBack(ffa, ANY_OWNER) === undefined ? SERVE_NOTHING : this.giveBack(ffa, ANY_OWNER);
  }

  protected override atVmDestroyed(ffa: SpCalls, vmId: number): Part {
    return this.leaveVm(ffa, vmId);
  }

  protected heldRegion(handleLow: number, handleHigh: number): MemoryRegion | null {
    for (const { region } of this.held) {
      if (region.handleLow === handleLow && region.handleHigh === handleHigh) return region;
    }
    return null;
  }

  private *leaveVm(ffa: SpCalls, vmId: number): Task<Serve> {
    if (this.onDestroyed === 'relinquish') {
      const end = yield* this.giveBack(ffa, vmId);
      if (end !== SERVE_NOTHING) return end;
    }
    const holds = this.held.some((one) => isLoan(one.region) && one.region.owner === vmId);
    if (holds && this.onDestroyed !== 'accept') return ffa.vcpu.answer(FFA_RETRY);
    return ffa.vcpu.answer(this.availability.take(vmId, false));
  }

  private heldPageCount(): number {
    let count = 0;
    for (const { region } of this.held) count += pageCountOf(region.ranges);
    return count;
  }

  private *retrieveAsTold(ffa: SpCalls): Task<Serve> {
    const { vcpu } = ffa;
    const region = this.regionAsTold(vcpu);
    const how = vcpu.word(3);
    const readOnly = (how & protocol.PROTOCOL_READ_ONLY) !== 0;
    const bypassOthers = (how & protocol.PROTOCOL_BYPASS_OTHERS) !== 0;
    const options: RetrieveMemoryOptions = {
      bypassOthers,
      // A borrower of a share says nothing of instructions, any other must.
      ...(readOnly ? { permissions: DATA_ACCESS_RO | (region.kind === 'share' ? 0 : INSTRUCTION_ACCESS_NX) } : {}),
      ...((how & protocol.PROTOCOL_SHORT_ACCESS) !== 0 || this.shortAccess ? { accessSizeBytes: 16 } : {}),
    };
    const outcome = yield* ffa.perform(new RetrieveMemory(region, options));
    // A response that it cannot read leaves the SP as a borrower all the same.
    if (region.state === 'held') this.held.push({ region, sinceNs: ffa.nowNs });
    if (this.crashesAt('retrieved')) return SERVE_CRASH;
    if (outcome !== OUTCOME_SUCCESS) return vcpu.answer(protocol.protocolStatus(outcome));
    if (this.touch !== 'none') this.touchRegion(ffa, region, this.touch === 'write', TOUCH_BYTE);
    return vcpu.answer(this.retrieved(region), pageCountOf(region.ranges));
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

  private relinquishAsTold(ffa: SpCalls): Part {
    const { vcpu } = ffa;
    const region = this.heldRegion(vcpu.word(1), vcpu.word(2));
    if (region === null) return vcpu.answer(FFA_INVALID_PARAMETERS);
    const refusal = this.mayRelinquish(region);
    if (refusal !== FFA_OK) return vcpu.answer(refusal);
    if (this.crashesAt('relinquish')) return SERVE_CRASH;
    return this.relinquishRegion(ffa, region, (vcpu.word(3) & protocol.PROTOCOL_ZERO) !== 0);
  }

  private *relinquishRegion(ffa: SpCalls, region: MemoryRegion, zero: boolean): Task<Serve> {
    const relinquished = yield* ffa.relinquish(region, { zero });
    this.forget(region);
    return ffa.vcpu.answer(protocol.protocolStatus(relinquished.outcome));
  }

  /**
   * Gives back the regions of `owner`, or those whose time has come (ANY_OWNER), one call at a time, up to one that the
   * SPMC refuses to take back.
   */
  private *giveBack(ffa: SpCalls, owner: number): Task<Serve> {
    for (let one = this.nextToGiveBack(ffa, owner); one !== undefined; one = this.nextToGiveBack(ffa, owner)) {
      if (this.crashesAt('relinquish')) return SERVE_CRASH;
      yield* ffa.relinquish(one.region);
      this.forget(one.region);
      if (one.region.state === 'held') return SERVE_NOTHING;
    }
    return SERVE_NOTHING;
  }

  private nextToGiveBack(ffa: SpCalls, owner: number): Held | undefined {
    return this.held.find(({ region, sinceNs }) => {
      const due = owner === ANY_OWNER ? ffa.nowNs >= sinceNs + this.holdNs : region.owner === owner;
      return due && isLoan(region) && this.mayRelinquish(region) === FFA_OK;
    });
  }

  /** Drops a region from the list if it has been given back. */
  private forget(region: MemoryRegion): void {
    if (region.state === 'relinquished') this.held = this.held.filter((one) => one.region !== region);
  }

  private touchAsked(ffa: SpCalls): Serve {
    const { vcpu } = ffa;
    const region = this.heldRegion(vcpu.word(1), vcpu.word(2));
    if (region === null) return vcpu.answer(FFA_INVALID_PARAMETERS);
    const first = region.ranges.length === 0 ? 0 : this.firstWord(ffa, region);
    const write = (vcpu.word(3) & protocol.PROTOCOL_TOUCH_WRITE) !== 0;
    const touched = this.touchRegion(ffa, region, write, vcpu.word(3) & 0xff);
    return vcpu.answer(touched ? FFA_OK : FFA_DENIED, first);
  }

  private firstWord(ffa: SpCalls, region: MemoryRegion): number {
    const word = ffa.read(region.ranges[0].address, 4);
    return word === null ? 0 : (word[0] | (word[1] << 8) | (word[2] << 16) | (word[3] << 24)) >>> 0;
  }

  private touchRegion(ffa: SpCalls, region: MemoryRegion, write: boolean, byte: number): boolean {
    const word = new Uint8Array(4).fill(byte);
    let ok = true;
    for (const range of region.ranges) {
      for (let n = 0; n < range.pageCount; n++) {
        const address = range.address + n * PAGE_SIZE_BYTES;
        if (write ? ffa.write(address, word) : ffa.read(address, 4) !== null) continue;
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

function* work(ffa: SpCalls, durationNs: Nanoseconds): Task<Serve> {
  yield* ffa.work(durationNs);
  return ffa.vcpu.answer(FFA_OK);
}

function* yieldTimes(ffa: SpCalls, times: number): Task<Serve> {
  for (let n = 0; n < times; n++) yield* ffa.yield();
  return ffa.vcpu.answer(FFA_OK);
}

/** Passes three words on to another partition, and its three back: a call chain. */
function* forward(ffa: SpCalls): Task<Serve> {
  const { vcpu } = ffa;
  const reply = yield* ffa.request(vcpu.word(1) & 0xffff, [vcpu.word(2), vcpu.word(3), vcpu.word(4)]);
  if (!reply.ok) return vcpu.answer(protocol.protocolStatus(reply.outcome));
  return vcpu.answer(reply.value.words[0], reply.value.words[1], reply.value.words[2]);
}
