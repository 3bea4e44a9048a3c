// FFA_MSG_SEND_DIRECT_REQ (both forms) and FFA_MSG_SEND_DIRECT_REQ2: ask a partition and read its answer. An answer
// that is interrupted or yields is run to its end by the caller's policy.

import * as id from '../../abi/function-ids.ts';
import {
  DIRECT_ENDPOINT_MASK,
  DIRECT_PAYLOAD_FIRST_REGISTER,
  DIRECT_PAYLOAD_LAST_REGISTER,
  DIRECT_SENDER_SHIFT,
  DIRECT2_PAYLOAD_FIRST_REGISTER,
  DIRECT2_PAYLOAD_LAST_REGISTER,
} from '../../abi/layout/messages.ts';
import type { Uuid } from '../../abi/uuid.ts';
import type { CallContext, Caller, CallStep, Operation } from '../caller.ts';
import { OUTCOME_SUCCESS, OUTCOME_UNEXPECTED } from '../outcome.ts';

/** Which call carries the message: payload of 5 words, of 5 or of 14 64-bit registers. */
export type DirectForm = 'req32' | 'req64' | 'req2';

const REQUESTS: Record<DirectForm, number> = {
  req32: id.FFA_MSG_SEND_DIRECT_REQ_32,
  req64: id.FFA_MSG_SEND_DIRECT_REQ_64,
  req2: id.FFA_MSG_SEND_DIRECT_REQ2,
};
const RESPONSES: Record<DirectForm, number> = {
  req32: id.FFA_MSG_SEND_DIRECT_RESP_32,
  req64: id.FFA_MSG_SEND_DIRECT_RESP_64,
  req2: id.FFA_MSG_SEND_DIRECT_RESP2,
};

/** First register of the payload. */
export function firstPayloadRegister(form: DirectForm): number {
  return form === 'req2' ? DIRECT2_PAYLOAD_FIRST_REGISTER : DIRECT_PAYLOAD_FIRST_REGISTER;
}

/** Registers that a payload of that form has. */
export function payloadRegisterCount(form: DirectForm): number {
  const last = form === 'req2' ? DIRECT2_PAYLOAD_LAST_REGISTER : DIRECT_PAYLOAD_LAST_REGISTER;
  return last - firstPayloadRegister(form) + 1;
}

export interface DirectRequestOptions {
  readonly form?: DirectForm;
  /** REQ2: the service that is asked. */
  readonly uuid?: Uuid;
  /** w2 of REQ: must be zero unless somebody tries what only a hypervisor may. */
  readonly flags?: number;
  /** Sender in w1; default: the endpoint's own id. Another one is an impersonation. */
  readonly sender?: number;
}

export class DirectRequest implements Operation {
  readonly receiver: number;
  readonly form: DirectForm;
  private readonly options: DirectRequestOptions;
  /** Low and high words of the payload's registers, in turn. */
  readonly words: readonly number[];
  /** The answer's payload, in the same shape; as long as the form allows. */
  readonly reply: number[] = [];

  constructor(receiver: number, words: readonly number[], options: DirectRequestOptions = {}) {
    this.receiver = receiver;
    this.words = words;
    this.options = options;
    this.form = options.form ?? 'req32';
  }

  start(caller: Caller, context: CallContext): CallStep {
    const { registers } = context;
    const sender = this.options.sender ?? caller.endpoint.id;
    registers.clear();
    registers.setW(0, REQUESTS[this.form]);
    registers.setW(1, ((sender << DIRECT_SENDER_SHIFT) | (this.receiver & DIRECT_ENDPOINT_MASK)) >>> 0);
    if (this.form === 'req2') {
      const uuid = this.options.uuid;
      if (uuid !== undefined) {
        registers.setWords(2, uuid[0], uuid[1]);
        registers.setWords(3, uuid[2], uuid[3]);
      }
    } else {
      registers.setW(2, this.options.flags ?? 0);
    }
    const first = firstPayloadRegister(this.form);
    const count = Math.min(payloadRegisterCount(this.form), this.words.length >> 1);
    for (let n = 0; n < count; n++) {
      const high = this.form === 'req32' ? 0 : this.words[2 * n + 1];
      registers.setWords(first + n, this.words[2 * n], high);
    }
    return caller.made(context);
  }

  answered(caller: Caller, context: CallContext): CallStep {
    const { registers } = context;
    if (registers.w(0) !== RESPONSES[this.form]) return caller.finish(OUTCOME_UNEXPECTED);
    const from = registers.w(1) >>> DIRECT_SENDER_SHIFT;
    const to = registers.w(1) & DIRECT_ENDPOINT_MASK;
    const sender = this.options.sender ?? caller.endpoint.id;
    if (from !== (this.receiver & DIRECT_ENDPOINT_MASK) || to !== (sender & DIRECT_ENDPOINT_MASK)) {
      return caller.finish(OUTCOME_UNEXPECTED);
    }
    const first = firstPayloadRegister(this.form);
    for (let n = 0; n < payloadRegisterCount(this.form); n++) {
      this.reply.push(registers.w(first + n), this.form === 'req32' ? 0 : registers.high(first + n));
    }
    return caller.finish(OUTCOME_SUCCESS);
  }
}
