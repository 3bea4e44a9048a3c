// FFA_PARTITION_INFO_GET: who is there. The list arrives in RX; its entries are as long as the answer says (8, 24 or 48
// bytes, or what a later version makes of them). [Linux arm_ffa], [Hafnium api.c]

import { FFA_PARTITION_INFO_GET, FFA_RX_RELEASE, FFA_SUCCESS_32 } from '../../abi/function-ids.ts';
import { PARTITION_INFO_GET_FLAG_COUNT_ONLY } from '../../abi/layout/partition-information.ts';
import { decodePartitionInformation, partitionInformationBytes } from '../../abi/partition-information.ts';
import { NIL_UUID, type Uuid } from '../../abi/uuid.ts';
import { FFA_VERSION_1_0 } from '../../abi/versions.ts';
import type { CallContext, Caller, CallStep, Operation } from '../caller.ts';
import type { Endpoint } from '../endpoint.ts';
import { OUTCOME_FAULT, OUTCOME_MALFORMED, OUTCOME_SUCCESS, OUTCOME_UNEXPECTED, type Outcome } from '../outcome.ts';

export class DiscoverPartitions implements Operation {
  /** How many partitions there are, as the answer says. */
  count = 0;
  private readonly uuid: Uuid;
  private readonly countOnly: boolean;
  private releasing = false;
  private result: Outcome = OUTCOME_SUCCESS;

  /** `uuid`: only those that speak this protocol; nil: all. `countOnly` (1.1 and later): no list. */
  constructor(uuid: Uuid = NIL_UUID, countOnly = false) {
    this.uuid = uuid;
    this.countOnly = countOnly;
  }

  start(caller: Caller, context: CallContext): CallStep {
    if (!caller.endpoint.claimBuffers(caller.vcpu, true)) return caller.startLater(context);
    const flags = this.countOnly ? PARTITION_INFO_GET_FLAG_COUNT_ONLY : 0;
    return caller.call(context, FFA_PARTITION_INFO_GET, ...this.uuid, flags);
  }

  answered(caller: Caller, context: CallContext): CallStep {
    const { registers } = context;
    if (registers.w(0) !== FFA_SUCCESS_32) return caller.finish(OUTCOME_UNEXPECTED);
    if (this.releasing) return caller.finish(this.result);
    this.count = registers.w(2);
    if (this.countOnly) return caller.finish(OUTCOME_SUCCESS);
    this.result = this.readList(caller.endpoint, context, registers.w(3));
    this.releasing = true;
    return caller.call(context, FFA_RX_RELEASE);
  }

  private readList(endpoint: Endpoint, context: CallContext, statedSizeBytes: number): Outcome {
    const version = endpoint.layoutVersion;
    const bySize = version !== FFA_VERSION_1_0 && statedSizeBytes !== 0;
    const sizeBytes = bySize ? statedSizeBytes : partitionInformationBytes(version);
    const length = this.count * sizeBytes;
    if (length > endpoint.bufferBytes) return OUTCOME_MALFORMED;
    const bytes = new Uint8Array(length);
    if (!context.memory.read(endpoint.rxAddress, bytes, 0, length)) return OUTCOME_FAULT;
    const decoded = decodePartitionInformation(new DataView(bytes.buffer), this.count, sizeBytes);
    if (!decoded.ok) return OUTCOME_MALFORMED;
    endpoint.partitions = decoded.value;
    return OUTCOME_SUCCESS;
  }
}
