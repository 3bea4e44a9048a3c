// FFA_MEM_RETRIEVE_REQ by a borrower: the request goes into TX, the response arrives in RX, its rest by
// FFA_MEM_FRAG_RX. RX is given back after each part: the next part needs it. [Hafnium api.c], [TF-A spmc]
//
// The pages are where the response says (a borrower names no addresses of its own).

import * as id from '../../abi/function-ids.ts';
import * as bits from '../../abi/layout/memory-bits.ts';
import { type MemoryAccess, memoryAccess } from '../../abi/memory-access.ts';
import {
  buildMemoryTransaction,
  decodeMemoryTransaction,
  encodeMemoryTransaction,
} from '../../abi/memory-transaction.ts';
import { numberOf } from '../../abi/words.ts';
import type { CallContext, Caller, CallStep, Operation } from '../caller.ts';
import type { MemoryKind, MemoryRegion } from '../memory-region.ts';
import { OUTCOME_FAULT, OUTCOME_MALFORMED, OUTCOME_SUCCESS, OUTCOME_UNEXPECTED, type Outcome } from '../outcome.ts';

export interface RetrieveMemoryOptions {
  /** Permissions byte that this borrower asks for; default: read-write, not executable where that must be said. */
  readonly permissions?: number;
  /** Name this borrower alone though there are others (FF-A 1.1 and later). */
  readonly bypassOthers?: boolean;
  /** Ask for the memory to be zeroed first. */
  readonly zero?: boolean;
  /**
   * Size of the access descriptors in the request; default: the version's. A borrower of 1.2 needs 16 where the sender
   * stated 16 and the SPMC takes what follows them for the sender's 16 implementation defined bytes.
   * [Hafnium ffa_memory.c]
   */
  readonly accessSizeBytes?: 16 | 32;
  /** More `MEMORY_FLAG_...` bits. */
  readonly flags?: number;
}

/** A response longer than this is not believed: 64 Ki ranges. */
const RESPONSE_BYTES_MAX = 0x10_0000;

const KIND_FLAGS: Record<MemoryKind, number> = {
  share: bits.MEMORY_FLAG_TYPE_SHARE,
  lend: bits.MEMORY_FLAG_TYPE_LEND,
  donate: bits.MEMORY_FLAG_TYPE_DONATE,
};

/** What a borrower must say: instruction access only where it is the only borrower of a lend or donation. */
export function retrievePermissions(kind: MemoryKind, receiverCount: number): number {
  if (kind === 'share' || receiverCount > 1) return bits.DATA_ACCESS_RW;
  return bits.DATA_ACCESS_RW | bits.INSTRUCTION_ACCESS_NX;
}

/** The request of borrower `self` for a region that it knows by its handle. */
export function encodeRetrieve(
  version: number,
  self: number,
  region: MemoryRegion,
  options: RetrieveMemoryOptions,
): Uint8Array {
  const permissions = options.permissions ?? retrievePermissions(region.kind, region.receivers.length);
  let flags = KIND_FLAGS[region.kind] | (options.flags ?? 0);
  if (options.zero === true) flags |= bits.MEMORY_FLAG_ZERO;
  let receivers: readonly MemoryAccess[];
  if (options.bypassOthers === true) {
    flags |= bits.MEMORY_FLAG_BYPASS_BORROWER_CHECK;
    receivers = [memoryAccess(self, permissions)];
  } else {
    receivers = region.receivers.map((receiver) => memoryAccess(receiver, permissions));
  }
  const transaction = buildMemoryTransaction(version, {
    sender: region.owner,
    attributes: bits.MEMORY_NORMAL_WRITE_BACK_INNER,
    flags,
    handle: { low: region.handleLow, high: region.handleHigh },
    tag: { low: region.tagLow, high: region.tagHigh },
    receivers,
  });
  const accessSizeBytes = options.accessSizeBytes ?? transaction.accessSizeBytes;
  return encodeMemoryTransaction({ ...transaction, accessSizeBytes }, version);
}

type Stage = 0 | 1 | 2;
const STAGE_RESPONSE = 0;
const STAGE_FRAGMENT = 1;
const STAGE_RELEASE = 2;

export class RetrieveMemory implements Operation {
  private readonly region: MemoryRegion;
  private readonly options: RetrieveMemoryOptions;
  private stage: Stage = STAGE_RESPONSE;
  private response: Uint8Array = new Uint8Array(0);
  private receivedBytes = 0;
  private result: Outcome = OUTCOME_SUCCESS;

  /** `region`: owner, kind, receivers, handle and tag as told; its ranges are filled in. */
  constructor(region: MemoryRegion, options: RetrieveMemoryOptions = {}) {
    this.region = region;
    this.options = options;
  }

  start(caller: Caller, context: CallContext): CallStep {
    const { endpoint } = caller;
    if (!endpoint.claimBuffers(caller.vcpu, true)) return caller.startLater(context);
    const request = encodeRetrieve(endpoint.layoutVersion, endpoint.id, this.region, this.options);
    if (!context.memory.write(endpoint.txAddress, request, 0, request.length)) return caller.finish(OUTCOME_FAULT);
    return caller.call(context, id.FFA_MEM_RETRIEVE_REQ_32, request.length, request.length);
  }

  answered(caller: Caller, context: CallContext): CallStep {
    const { registers } = context;
    switch (this.stage) {
      case STAGE_RESPONSE:
        if (registers.w(0) !== id.FFA_MEM_RETRIEVE_RESP) return caller.finish(OUTCOME_UNEXPECTED);
        return this.firstPart(caller, context, registers.w(1), registers.w(2));
      case STAGE_FRAGMENT:
        if (registers.w(0) !== id.FFA_MEM_FRAG_TX) return caller.finish(OUTCOME_UNEXPECTED);
        return this.part(caller, context, registers.w(3));
      case STAGE_RELEASE:
        return this.released(caller, context);
    }
  }

  private firstPart(caller: Caller, context: CallContext, totalBytes: number, length: number): CallStep {
    // From here on the memory is retrieved, whatever the response looks like.
    this.region.state = 'held';
    const believable = totalBytes <= RESPONSE_BYTES_MAX && length <= totalBytes;
    this.response = new Uint8Array(believable ? totalBytes : 0);
    if (!believable) return this.release(caller, context, OUTCOME_MALFORMED);
    return this.part(caller, context, length);
  }

  private part(caller: Caller, context: CallContext, length: number): CallStep {
    const { endpoint } = caller;
    const fits = length > 0 && length <= endpoint.bufferBytes;
    if (!fits || this.receivedBytes + length > this.response.length) {
      return this.release(caller, context, OUTCOME_MALFORMED);
    }
    if (!context.memory.read(endpoint.rxAddress, this.response, this.receivedBytes, length)) {
      return this.release(caller, context, OUTCOME_FAULT);
    }
    this.receivedBytes += length;
    return this.release(caller, context, OUTCOME_SUCCESS);
  }

  private release(caller: Caller, context: CallContext, result: Outcome): CallStep {
    this.result = result;
    this.stage = STAGE_RELEASE;
    return caller.call(context, id.FFA_RX_RELEASE);
  }

  private released(caller: Caller, context: CallContext): CallStep {
    if (context.registers.w(0) !== id.FFA_SUCCESS_32) return caller.finish(OUTCOME_UNEXPECTED);
    if (this.result !== OUTCOME_SUCCESS) return caller.finish(this.result);
    if (this.receivedBytes === this.response.length) return caller.finish(this.decode(caller));
    this.stage = STAGE_FRAGMENT;
    const { handleHigh, handleLow } = this.region;
    return caller.call(context, id.FFA_MEM_FRAG_RX, handleLow, handleHigh, this.receivedBytes);
  }

  private decode(caller: Caller): Outcome {
    const view = new DataView(this.response.buffer);
    const decoded = decodeMemoryTransaction(view, caller.endpoint.layoutVersion);
    if (!decoded.ok || decoded.value.composite === undefined) return OUTCOME_MALFORMED;
    this.region.ranges = decoded.value.composite.constituents.map((one) => ({
      address: numberOf(one.address),
      pageCount: one.pageCount,
    }));
    return OUTCOME_SUCCESS;
  }
}
