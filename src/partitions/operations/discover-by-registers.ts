// FFA_PARTITION_INFO_GET_REGS (1.1 and later): who is there, a few entries at a time, without buffers. When the list
// changes meanwhile (RETRY), it is read from its beginning again.

import { FFA_RETRY } from '../../abi/errors.ts';
import { FFA_PARTITION_INFO_GET_REGS } from '../../abi/function-ids.ts';
import { INFO_REGS_TAG_SHIFT } from '../../abi/layout/partition-information.ts';
import type { PartitionInformation } from '../../abi/partition-information.ts';
import { decodePartitionInformationRegisters } from '../../abi/partition-information-registers.ts';
import { NIL_UUID, type Uuid } from '../../abi/uuid.ts';
import type { CallContext, Caller, CallStep, Operation } from '../caller.ts';
import { OUTCOME_MALFORMED, OUTCOME_SUCCESS } from '../outcome.ts';

export class DiscoverByRegisters implements Operation {
  private readonly uuid: Uuid;
  private found: PartitionInformation[] = [];
  private tag = 0;

  constructor(uuid: Uuid = NIL_UUID) {
    this.uuid = uuid;
  }

  /** How many partitions have been listed. */
  get count(): number {
    return this.found.length;
  }

  start(caller: Caller, context: CallContext): CallStep {
    this.found = [];
    this.tag = 0;
    return this.ask(caller, context);
  }

  again(caller: Caller, context: CallContext, code: number): CallStep {
    return code === FFA_RETRY ? this.start(caller, context) : this.ask(caller, context);
  }

  answered(caller: Caller, context: CallContext): CallStep {
    const decoded = decodePartitionInformationRegisters(context.registers.words, this.found.length);
    if (!decoded.ok) return caller.finish(OUTCOME_MALFORMED);
    const { currentIndex, lastIndex, partitions, tag } = decoded.value;
    this.found.push(...partitions);
    this.tag = tag;
    if (currentIndex < lastIndex) return this.ask(caller, context);
    caller.endpoint.partitions = this.found;
    return caller.finish(OUTCOME_SUCCESS);
  }

  private ask(caller: Caller, context: CallContext): CallStep {
    const { registers } = context;
    registers.clear();
    registers.setW(0, FFA_PARTITION_INFO_GET_REGS);
    registers.setWords(1, this.uuid[0], this.uuid[1]);
    registers.setWords(2, this.uuid[2], this.uuid[3]);
    registers.setW(3, (this.found.length | (this.tag << INFO_REGS_TAG_SHIFT)) >>> 0);
    return caller.made(context);
  }
}
