// FFA_PARTITION_INFO_GET_REGS answers: three registers per partition from x3 on, spread over up to six event records.

import { FFA_SUCCESS_64 } from '../../abi/function-ids.ts';
import {
  INFO_REGS_FIRST_REGISTER,
  PARTITION_VM_CREATED,
  PARTITION_VM_DESTROYED,
} from '../../abi/layout/partition-information.ts';
import type { EventLog } from '../../base/event-log.ts';
import { TWO_POW_32 } from '../../base/units.ts';
import { lowWord } from './answers.ts';
import type { Availability } from './availability.ts';
import type { Exchange } from './exchange.ts';

const REGISTERS = 18;
const BYTES_PER_REGISTER = 8;

export class ListedPartitions {
  private readonly availability: Availability;
  private readonly low = new Uint32Array(REGISTERS);
  private readonly high = new Uint32Array(REGISTERS);
  /** PE whose answer is being put together; -1: none. */
  private pe = -1;

  constructor(availability: Availability) {
    this.availability = availability;
  }

  reset(): void {
    this.pe = -1;
  }

  /** The first record of an answer; further ones follow at once, from the same PE. */
  answer(x: Exchange): void {
    this.pe = -1;
    if (x.a(0) !== FFA_SUCCESS_64) return;
    this.pe = x.pe;
    this.low.fill(0);
    this.high.fill(0);
    for (let n = 0; n < 8; n++) {
      this.low[n] = lowWord(x.answer[n]);
      this.high[n] = Math.floor(x.answer[n] / TWO_POW_32);
    }
    this.read();
  }

  more(log: EventLog, at: number, high: boolean): void {
    if (this.pe !== log.pe(at)) return;
    if (high) {
      for (let n = 0; n < 8; n++) this.high[n] = log.argument(at, n + 1);
    } else {
      const part = log.argument(at, 1);
      const words = part >> 1 === 0 ? this.low : this.high;
      const first = 8 + (part & 1) * 5;
      for (let n = 0; n < 5; n++) words[first + n] = log.argument(at, n + 2);
    }
    this.read();
  }

  /** Any other record ends the answer. */
  close(): void {
    this.pe = -1;
  }

  private read(): void {
    const last = this.low[2] & 0xffff;
    const current = this.low[2] >>> 16;
    const stride = (this.high[2] >>> 16) / BYTES_PER_REGISTER;
    if (stride < 1 || current > last) return;
    for (let n = INFO_REGS_FIRST_REGISTER; n + stride <= REGISTERS; n += stride) {
      const id = this.low[n] & 0xffff;
      const properties = this.high[n];
      if (id === 0 || properties === 0) continue;
      const created = (properties & PARTITION_VM_CREATED) !== 0;
      this.availability.subscribe(id, created, (properties & PARTITION_VM_DESTROYED) !== 0);
    }
  }
}
