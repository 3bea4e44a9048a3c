// FFA_MEM_SHARE, FFA_MEM_LEND, FFA_MEM_DONATE: the descriptor goes into TX in the layout of the negotiated version;
// what does not fit follows by FFA_MEM_FRAG_TX, from the offset that each FFA_MEM_FRAG_RX asks for.
//
// The region's `state` and handle are kept up to date on the way, so that a report shows a half-sent one.
//
// Sources: [Linux arm_ffa], [Hafnium ffa_memory.c].

import { constituent } from '../../abi/composite-region.ts';
import * as id from '../../abi/function-ids.ts';
import * as bits from '../../abi/layout/memory-bits.ts';
import { CONSTITUENT_SIZE_BYTES } from '../../abi/layout/memory-transaction.ts';
import { memoryAccess } from '../../abi/memory-access.ts';
import { buildMemoryTransaction, encodeMemoryTransaction } from '../../abi/memory-transaction.ts';
import { assert } from '../../base/assert.ts';
import type { Nanoseconds } from '../../base/units.ts';
import type { CallContext, Caller, CallStep, Operation } from '../caller.ts';
import type { MemoryKind, MemoryRegion } from '../memory-region.ts';
import { OUTCOME_FAULT, OUTCOME_SUCCESS, OUTCOME_UNEXPECTED } from '../outcome.ts';

export interface SendMemoryOptions {
  /** Use the SMC64 form of the call (default: the SMC32 form; both carry the same). */
  readonly wide?: boolean;
  /** Ask for the memory to be zeroed. */
  readonly zero?: boolean;
  /** Permissions byte of every borrower; default: what fits the kind. */
  readonly permissions?: number;
  /** Attributes; default: what fits the kind. */
  readonly attributes?: number;
  /** Bytes of one fragment at most; default: what TX holds. */
  readonly fragmentBytes?: number;
  /** Time between two fragments. */
  readonly fragmentPauseNs?: Nanoseconds;
}

const NARROW: Record<MemoryKind, number> = {
  share: id.FFA_MEM_SHARE_32,
  lend: id.FFA_MEM_LEND_32,
  donate: id.FFA_MEM_DONATE_32,
};
const WIDE: Record<MemoryKind, number> = {
  share: id.FFA_MEM_SHARE_64,
  lend: id.FFA_MEM_LEND_64,
  donate: id.FFA_MEM_DONATE_64,
};

/**
 * The attributes that an SPMC takes: a lender to one borrower and a donor leave the type open. [Hafnium ffa_memory.c]
 */
export function sendAttributes(kind: MemoryKind, receiverCount: number): number {
  return kind === 'share' || (kind === 'lend' && receiverCount > 1) ? bits.MEMORY_NORMAL_WRITE_BACK_INNER : 0;
}

/** The permissions that a sender states: read-write, and nothing for a donation. [Hafnium ffa_memory.c] */
export function sendPermissions(kind: MemoryKind): number {
  return kind === 'donate' ? bits.DATA_ACCESS_UNSPECIFIED : bits.DATA_ACCESS_RW;
}

/** The whole descriptor of a region, as its owner sends it. */
export function encodeSend(version: number, region: MemoryRegion, options: SendMemoryOptions): Uint8Array {
  const { kind, owner, ranges, receivers, tagHigh, tagLow } = region;
  const permissions = options.permissions ?? sendPermissions(kind);
  const transaction = buildMemoryTransaction(version, {
    sender: owner,
    attributes: options.attributes ?? sendAttributes(kind, receivers.length),
    flags: options.zero === true ? bits.MEMORY_FLAG_ZERO : 0,
    tag: { low: tagLow, high: tagHigh },
    receivers: receivers.map((receiver) => memoryAccess(receiver, permissions)),
    constituents: ranges.map((range) => constituent(range.address, range.pageCount)),
  });
  return encodeMemoryTransaction(transaction, version);
}

export class SendMemory implements Operation {
  private readonly region: MemoryRegion;
  private readonly options: SendMemoryOptions;
  private descriptor: Uint8Array = new Uint8Array(0);
  private sentBytes = 0;
  private handleKnown = false;

  constructor(region: MemoryRegion, options: SendMemoryOptions = {}) {
    this.region = region;
    this.options = options;
  }

  start(caller: Caller, context: CallContext): CallStep {
    const { endpoint } = caller;
    if (!endpoint.claimBuffers(caller.vcpu, false)) return caller.startLater(context);
    this.region.state = 'sending';
    this.descriptor = encodeSend(endpoint.layoutVersion, this.region, this.options);
    const length = this.fragmentFrom(0, caller);
    if (!context.memory.write(endpoint.txAddress, this.descriptor, 0, length)) return this.end(caller, OUTCOME_FAULT);
    this.sentBytes = length;
    const table = this.options.wide === true ? WIDE : NARROW;
    return caller.call(context, table[this.region.kind], this.descriptor.length, length);
  }

  answered(caller: Caller, context: CallContext): CallStep {
    const { registers } = context;
    const answer = registers.w(0);
    if (answer === id.FFA_SUCCESS_32 || answer === id.FFA_SUCCESS_64) {
      if (this.sentBytes !== this.descriptor.length) return this.end(caller, OUTCOME_UNEXPECTED);
      this.learnHandle(registers.w(2), registers.w(3));
      this.region.state = 'sent';
      return caller.finish(OUTCOME_SUCCESS);
    }
    if (answer !== id.FFA_MEM_FRAG_RX) return this.end(caller, OUTCOME_UNEXPECTED);
    this.learnHandle(registers.w(1), registers.w(2));
    // The receiver says where to go on; it may ask for a part again, never for one that was not reached yet.
    const offset = registers.w(3);
    const inside = offset <= this.sentBytes && offset < this.descriptor.length && offset > 0;
    if (!inside || offset % CONSTITUENT_SIZE_BYTES !== 0) return this.end(caller, OUTCOME_UNEXPECTED);
    const length = this.fragmentFrom(offset, caller);
    if (!context.memory.write(caller.endpoint.txAddress, this.descriptor, offset, length)) {
      return this.end(caller, OUTCOME_FAULT);
    }
    this.sentBytes = offset + length;
    const { handleHigh, handleLow } = this.region;
    caller.call(context, id.FFA_MEM_FRAG_TX, handleLow, handleHigh, length);
    return caller.madeLater(context, this.options.fragmentPauseNs ?? 0);
  }

  failed(): void {
    // With a handle in hand the receiver still keeps what it got so far: the region stays as it is, half sent.
    if (!this.handleKnown) this.region.state = 'refused';
  }

  private end(caller: Caller, outcome: number): CallStep {
    this.failed();
    return caller.finish(outcome);
  }

  private learnHandle(low: number, high: number): void {
    this.region.handleLow = low;
    this.region.handleHigh = high;
    this.handleKnown = true;
  }

  /** Length of the fragment that begins at `offset`: whole constituents, at most what TX or the script allows. */
  private fragmentFrom(offset: number, caller: Caller): number {
    const room = Math.min(this.options.fragmentBytes ?? caller.endpoint.bufferBytes, caller.endpoint.bufferBytes);
    const rest = this.descriptor.length - offset;
    if (rest <= room) return rest;
    const length = room - (room % CONSTITUENT_SIZE_BYTES);
    assert(length > 0, 'a fragment holds at least one constituent');
    return length;
  }
}
