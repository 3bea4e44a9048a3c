// Rows of the call table: messages and CPU cycles.

import * as f from '../function-ids.ts';
import { FFA_VERSION_1_1, FFA_VERSION_1_2, FFA_VERSION_1_3 } from '../versions.ts';
import {
  type Argument,
  aborted,
  bits,
  busy,
  type Call,
  call,
  denied,
  endpoint,
  interrupted,
  invalid,
  noMemory,
  notSupported,
  pair,
  payload,
  retry,
  since,
  w,
  x,
} from './call.ts';

const SUCCESS = [f.FFA_SUCCESS_32];
const ENDS: readonly Argument[] = [endpoint(1, 'high', 'sender'), endpoint(1, 'low', 'receiver')];
const VCPU: readonly Argument[] = [endpoint(1, 'high', 'endpoint'), bits(1, 15, 0, 'vcpu', 'decimal')];

/** What may come back while a partition runs for somebody. */
const RUN_ANSWERS = [f.FFA_INTERRUPT, f.FFA_YIELD];
const DIRECT_RESPONSES = [f.FFA_MSG_SEND_DIRECT_RESP_32, f.FFA_MSG_SEND_DIRECT_RESP_64, f.FFA_MSG_SEND_DIRECT_RESP2];
/** What SPMC or hypervisor gives a partition that ends its turn: its next work. */
const NEXT_WORK = [
  f.FFA_SUCCESS_32,
  f.FFA_RUN,
  f.FFA_INTERRUPT,
  f.FFA_MSG_SEND_DIRECT_REQ_32,
  f.FFA_MSG_SEND_DIRECT_REQ_64,
  f.FFA_MSG_SEND_DIRECT_REQ2,
];

function directArguments(isSmc64: boolean): Argument[] {
  const more = isSmc64 ? since(FFA_VERSION_1_3, payload(true, 8, 17, 'morePayload')) : [];
  return [...ENDS, w(2, 'messageFlags', 'flags'), ...payload(isSmc64, 3, 7), ...more];
}

const DIRECT_REQ_ERRORS = [
  invalid('a sender that is not the caller, or an unknown receiver', 'Xen ffa_msg.c'),
  denied('the receiver takes no such message', 'Hafnium api.c'),
  denied('the caller sends no such message, or is in no state for it', 'Hafnium api.c'),
  busy('the receiver serves another message', 'Hafnium api.c'),
  aborted('the receiver ended with a fatal error', 'Hafnium api.c'),
  notSupported('the receiver takes no such message', 'OP-TEE thread_spmc.c'),
  interrupted('the receiver was interrupted before it took the message', 'Xen 7356bb5e47'),
  retry('the receiver cannot now', 'Xen 7356bb5e47'),
];

const DIRECT_RESP_ERRORS = [
  invalid('not the request that is answered, or flags that are not its own', 'Hafnium api.c'),
  denied('no request is being served', 'Hafnium api.c'),
  aborted('the VM that made the call ends', 'Hafnium api.c'),
];

export const MESSAGE_CALLS: readonly Call[] = [
  ...[f.FFA_MSG_SEND_DIRECT_REQ_32, f.FFA_MSG_SEND_DIRECT_REQ_64].map((fid) =>
    call(fid, f.functionName(fid), {
      callers: ['vm', 'hypervisor', 'sp', 'spmc', 'spmd'],
      arguments: directArguments(f.isSmc64(fid)),
      answers: [...DIRECT_RESPONSES.slice(0, 2), ...RUN_ANSWERS, f.FFA_SUCCESS_32],
      errors: DIRECT_REQ_ERRORS,
    }),
  ),
  ...[f.FFA_MSG_SEND_DIRECT_RESP_32, f.FFA_MSG_SEND_DIRECT_RESP_64].map((fid) =>
    call(fid, f.functionName(fid), {
      callers: ['vm', 'hypervisor', 'sp', 'spmc', 'spmd'],
      arguments: directArguments(f.isSmc64(fid)),
      answers: NEXT_WORK,
      errors: DIRECT_RESP_ERRORS,
    }),
  ),
  call(f.FFA_MSG_SEND_DIRECT_REQ2, 'FFA_MSG_SEND_DIRECT_REQ2', {
    since: FFA_VERSION_1_2,
    callers: ['vm', 'hypervisor', 'sp', 'spmc', 'spmd'],
    arguments: [...ENDS, { ...x(2, 'uuid'), form: 'uuid64' }, ...payload(true, 4, 17)],
    answers: [f.FFA_MSG_SEND_DIRECT_RESP2, ...RUN_ANSWERS, f.FFA_SUCCESS_32],
    errors: DIRECT_REQ_ERRORS,
  }),
  call(f.FFA_MSG_SEND_DIRECT_RESP2, 'FFA_MSG_SEND_DIRECT_RESP2', {
    since: FFA_VERSION_1_2,
    callers: ['vm', 'hypervisor', 'sp', 'spmc', 'spmd'],
    arguments: [...ENDS, ...payload(true, 4, 17)],
    answers: NEXT_WORK,
    errors: DIRECT_RESP_ERRORS,
  }),
  call(f.FFA_MSG_SEND2, 'FFA_MSG_SEND2', {
    since: FFA_VERSION_1_1,
    callers: ['vm', 'hypervisor', 'sp'],
    arguments: [endpoint(1, 'high', 'sender'), w(2, 'flags', 'flags')],
    answers: SUCCESS,
    errors: [
      invalid('a header that is wrong, or an unknown receiver', 'Hafnium api.c'),
      denied('an end that takes no indirect messages, or no buffers', 'Hafnium api.c'),
      busy("the receiver's RX is not free", 'Hafnium api.c'),
      noMemory("the message does not fit the receiver's RX", 'Xen ffa_msg.c'),
      aborted('a buffer could not be read or written', 'Hafnium api.c'),
    ],
  }),
  call(f.FFA_MSG_SEND, 'FFA_MSG_SEND', {
    until: FFA_VERSION_1_1,
    callers: ['vm', 'hypervisor', 'sp'],
    arguments: [...ENDS, w(3, 'length', 'decimal'), w(4, 'attributes', 'flags')],
    answers: SUCCESS,
  }),
  call(f.FFA_MSG_POLL, 'FFA_MSG_POLL', {
    until: FFA_VERSION_1_1,
    callers: ['vm', 'hypervisor', 'sp'],
    answers: [f.FFA_MSG_SEND],
    errors: [retry('there is no message', 'arm-ffa crate')],
  }),
  call(f.FFA_MSG_WAIT, 'FFA_MSG_WAIT', {
    callers: ['vm', 'sp', 'spmc'],
    arguments: since(FFA_VERSION_1_2, [w(2, 'flags', 'flags')]),
    answers: NEXT_WORK,
    errors: [
      invalid('reserved registers are not zero', 'Hafnium api.c'),
      denied('the caller serves a request', 'Hafnium api.c'),
      denied('the runtime model does not allow it', 'Hafnium cpu_cycles.c'),
      aborted('the VM that made the call ends', 'Hafnium api.c'),
    ],
  }),
  // As an answer (to FFA_RUN or a direct request) w1 names who yielded.
  call(f.FFA_YIELD, 'FFA_YIELD', {
    callers: ['vm', 'sp', 'spmc'],
    arguments: [...VCPU, pair(2, 'timeout')],
    answers: NEXT_WORK,
    errors: [
      denied('the runtime model does not allow it', 'Hafnium api.c'),
      invalid('reserved registers are not zero', 'Hafnium api.c'),
    ],
  }),
  call(f.FFA_RUN, 'FFA_RUN', {
    callers: ['vm', 'hypervisor', 'sp', 'spmd'],
    arguments: VCPU,
    answers: [f.FFA_MSG_WAIT, ...RUN_ANSWERS, ...DIRECT_RESPONSES, f.FFA_SUCCESS_32],
    errors: [
      invalid('no such endpoint or vCPU', 'Hafnium api.c'),
      denied('that vCPU is in no state to be run by the caller', 'Hafnium api.c'),
      busy('that vCPU runs', 'Hafnium api.c'),
      aborted('the endpoint ended with a fatal error', 'Hafnium api.c'),
      notSupported('the endpoint is no partition', 'Xen ffa_msg.c'),
    ],
  }),
];
