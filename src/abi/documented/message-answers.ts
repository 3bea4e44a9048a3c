// Documented answers: direct and indirect messages, CPU cycles.

import {
  FFA_ABORTED,
  FFA_BUSY,
  FFA_DENIED,
  FFA_INTERRUPTED,
  FFA_INVALID_PARAMETERS,
  FFA_NO_MEMORY,
  FFA_NOT_SUPPORTED,
  FFA_RETRY,
} from '../errors.ts';
import * as f from '../function-ids.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../versions.ts';
import {
  type AnswerLimits,
  absent,
  type DocumentedAnswer,
  type DocumentedRow,
  NO_ANSWER,
  ofOthers,
  on,
  row,
} from './documented-answer.ts';

const HAFNIUM = 'Hafnium api.c';
const DIRECT = 'Hafnium direct_messaging.c';
const CYCLES = 'Hafnium cpu_cycles.c';
const XEN = 'Xen ffa_msg.c';
const SPMC = ['hypervisor', 'partition'] as const;
const OK = f.FFA_SUCCESS_32;
const REQ_32 = f.FFA_MSG_SEND_DIRECT_REQ_32;
const REQ_64 = f.FFA_MSG_SEND_DIRECT_REQ_64;
const REQ2 = f.FFA_MSG_SEND_DIRECT_REQ2;
const RESP_32 = f.FFA_MSG_SEND_DIRECT_RESP_32;
const RESP_64 = f.FFA_MSG_SEND_DIRECT_RESP_64;
const RESP2 = f.FFA_MSG_SEND_DIRECT_RESP2;
const REQUESTS = [REQ_32, REQ_64, REQ2];
const RESPONSES = [RESP_32, RESP_64, RESP2];
const HANDLER = 'Hafnium handler.c';
const INTERRUPTS = 'Hafnium interrupts.c';
const INDIRECT = 'Hafnium indirect_messaging.c';
const IN_1_2 = { since: FFA_VERSION_1_2 };
const FROM_1_1 = { since: FFA_VERSION_1_1 };
const BEFORE_1_2 = { until: FFA_VERSION_1_1 };
const XEN_2026 = ['xen-2026', 'xen-2026-vm-to-vm'];
const IN_W3 = { notGiven: 'a response says so in w3, and FFA_INTERRUPT says it of a partition that is preempted' };
const LACKING = 'the SPMC lacks the function';

/** What a partition that ended its turn is given next. */
const NEXT_WORK = [
  on(f.FFA_RUN, 'it is run again', CYCLES),
  on(REQ_32, 'a request comes', HAFNIUM),
  on(REQ_64, 'a request in the 64-bit form comes', HAFNIUM),
  on(REQ2, 'a request of the second kind comes', HAFNIUM, IN_1_2),
  on(f.FFA_INTERRUPT, 'an interrupt of its own comes', INTERRUPTS),
];

/** Of a guest's requests, in the version that has them. */
function guestRequest(limits: AnswerLimits): DocumentedAnswer[] {
  return [
    on(f.FFA_INTERRUPT, 'the partition is preempted', XEN, limits),
    on(f.FFA_YIELD, 'the partition yields', XEN, limits),
    on(FFA_NOT_SUPPORTED, LACKING, XEN, limits),
    on(FFA_INVALID_PARAMETERS, 'a sender that the guest is not', XEN, limits),
    on(FFA_INVALID_PARAMETERS, 'itself as receiver', XEN, limits),
    on(FFA_NOT_SUPPORTED, 'the receiver is no partition', XEN, { ...limits, only: XEN_2026 }),
    on(FFA_ABORTED, 'an answer that is none', XEN, limits),
  ];
}

/** Requests of one VM to another. */
function betweenVms(limits: AnswerLimits): DocumentedAnswer[] {
  return [
    on(f.FFA_INTERRUPT, 'an interrupt comes while a VM is asked', HAFNIUM, limits),
    on(FFA_INVALID_PARAMETERS, 'a VM that there is not', HAFNIUM, limits),
    on(FFA_BUSY, 'a VM that does not wait', HAFNIUM, limits),
    on(FFA_ABORTED, 'the VM ends meanwhile', HAFNIUM, limits),
  ];
}

/** What a VM that waits is given next. */
function nextRequest(limits: AnswerLimits): DocumentedAnswer[] {
  return [
    on(REQ_32, 'a request comes', HAFNIUM, limits),
    on(REQ_64, 'a request in the 64-bit form comes', HAFNIUM, limits),
    on(REQ2, 'a request of the second kind comes', HAFNIUM, IN_1_2),
    on(f.FFA_INTERRUPT, 'an interrupt comes', HAFNIUM, limits),
    on(FFA_ABORTED, 'the guest ends', HAFNIUM, limits),
  ];
}

function refusedResponse(limits: AnswerLimits): DocumentedAnswer[] {
  return [
    on(FFA_INVALID_PARAMETERS, 'a sender that the guest is not', HAFNIUM, limits),
    on(FFA_DENIED, 'no request is being served', HAFNIUM, limits),
    on(FFA_DENIED, 'not to who asked', HAFNIUM, limits),
    on(FFA_DENIED, 'not the kind that the request was', HAFNIUM, IN_1_2),
  ];
}

export const MESSAGE_ANSWERS: readonly DocumentedRow[] = [
  // Requests.
  row('messages', ['guest', ...SPMC], [REQ_32], [on(RESP_32, 'the partition responds', HAFNIUM)]),
  row('messages', ['guest', ...SPMC], [REQ_64], [on(RESP_64, 'the partition responds', HAFNIUM)]),
  row('messages', ['guest', ...SPMC], [REQ2], [on(RESP2, 'the partition responds', HAFNIUM, IN_1_2)]),
  row('messages', ['guest'], [REQ_32, REQ_64], guestRequest({}), [REQ_32]),
  row(
    'messages',
    ['guest'],
    [REQ2],
    [on(FFA_NOT_SUPPORTED, 'a guest of an older version', XEN, BEFORE_1_2), ...guestRequest(IN_1_2)],
  ),
  row('messages', ['guest'], [REQ_32, REQ_64], [on(FFA_INVALID_PARAMETERS, 'w2 is not zero', HAFNIUM)]),
  row('messages', SPMC, REQUESTS, [
    on(FFA_INVALID_PARAMETERS, 'a sender that the caller is not', DIRECT),
    on(FFA_INVALID_PARAMETERS, 'no such partition', DIRECT),
  ]),
  row(
    'messages',
    SPMC,
    [REQ_32, REQ_64],
    [
      on(FFA_INVALID_PARAMETERS, 'w2 is not zero', HAFNIUM),
      on(FFA_DENIED, 'the partition takes none', DIRECT),
      on(FFA_NOT_SUPPORTED, 'the partition takes none', 'OP-TEE thread_spmc.c', { only: ['optee'] }),
      on(FFA_BUSY, 'it serves another', HAFNIUM),
      on(FFA_ABORTED, 'it ended with a fatal error', HAFNIUM),
      on(f.FFA_YIELD, 'the partition yields', CYCLES),
    ],
  ),
  row(
    'messages',
    SPMC,
    [REQ2],
    [
      on(FFA_DENIED, 'the caller is of an older version', DIRECT, BEFORE_1_2),
      on(FFA_INVALID_PARAMETERS, 'a UUID that it has not', HAFNIUM),
      on(FFA_DENIED, 'the partition takes none', DIRECT, IN_1_2),
      on(FFA_NOT_SUPPORTED, 'the partition takes none', 'OP-TEE thread_spmc.c', { ...IN_1_2, only: ['optee'] }),
      on(FFA_BUSY, 'it serves another', HAFNIUM, IN_1_2),
      on(FFA_ABORTED, 'it ended with a fatal error', HAFNIUM, IN_1_2),
      on(f.FFA_YIELD, 'the partition yields', CYCLES, IN_1_2),
    ],
  ),
  row('messages', ['hypervisor'], [REQ_32, REQ_64], [on(f.FFA_INTERRUPT, 'the partition is preempted', CYCLES)]),
  row('messages', ['hypervisor'], [REQ2], [on(f.FFA_INTERRUPT, 'the partition is preempted', CYCLES, IN_1_2)]),
  row(
    'messages',
    ['hypervisor'],
    [REQ_32, REQ_64],
    [on(FFA_INVALID_PARAMETERS, 'a framework message that the partition did not ask for', DIRECT)],
  ),
  row(
    'messages',
    ['partition'],
    [REQ_32, REQ_64],
    [
      on(f.FFA_INTERRUPT, 'a chain is preempted', INTERRUPTS),
      on(FFA_DENIED, 'a framework message', DIRECT),
      on(FFA_DENIED, 'the caller sends none', DIRECT),
      on(FFA_DENIED, 'the receiver waits for the caller in a call chain', CYCLES),
    ],
  ),
  row(
    'messages',
    ['partition'],
    [REQ2],
    [
      on(f.FFA_INTERRUPT, 'a chain is preempted', INTERRUPTS, IN_1_2),
      on(FFA_DENIED, 'the caller sends none', DIRECT),
      on(FFA_DENIED, 'the receiver waits for the caller in a call chain', CYCLES),
    ],
  ),

  // Responses, and what ends a turn.
  row('messages', ['partition'], [RESP_32, RESP_64], NEXT_WORK),
  row(
    'messages',
    ['partition'],
    [RESP2],
    NEXT_WORK.map((answer) => ({ ...answer, ...IN_1_2 })),
  ),
  row('messages', ['partition'], RESPONSES, [
    on(FFA_INVALID_PARAMETERS, 'a sender that the caller is not', HAFNIUM),
    on(FFA_DENIED, 'no request is being served', CYCLES),
    on(FFA_DENIED, 'not to who asked', CYCLES),
  ]),
  row(
    'messages',
    ['partition'],
    [RESP_32, RESP_64],
    [on(FFA_DENIED, 'not the kind that the request was', HAFNIUM, IN_1_2)],
  ),
  row('messages', ['partition'], [RESP2], [on(FFA_DENIED, 'not the kind that the request was', HAFNIUM)]),
  row(
    'messages',
    ['partition'],
    [RESP_32, RESP_64],
    [
      on(FFA_INVALID_PARAMETERS, 'w2 is not zero', HAFNIUM),
      on(FFA_DENIED, 'a framework message that answers none', HAFNIUM),
    ],
  ),
  row(
    'messages',
    ['partition'],
    [f.FFA_MSG_WAIT],
    [
      ...NEXT_WORK,
      on(FFA_INVALID_PARAMETERS, 'a register that is not zero', HAFNIUM),
      on(FFA_DENIED, 'it serves a request', CYCLES),
    ],
  ),
  row(
    'messages',
    ['partition'],
    [f.FFA_YIELD],
    [
      on(OK, 'it is run again', CYCLES),
      on(FFA_INVALID_PARAMETERS, 'a register that is not zero', HAFNIUM),
      on(FFA_DENIED, 'while it starts', CYCLES),
    ],
  ),
  row('messages', ['partition'], [f.FFA_INTERRUPT], [on(FFA_DENIED, 'always', HANDLER)]),
  row(
    'messages',
    ['partition'],
    [f.FFA_ERROR],
    [
      on(FFA_NOT_SUPPORTED, 'but ABORTED while it starts', CYCLES),
      ...ofOthers(NEXT_WORK, ['optee'], 'OP-TEE thread_spmc.c'),
    ],
  ),

  // FFA_RUN.
  row(
    'messages',
    ['guest'],
    [f.FFA_RUN],
    [
      on(RESP_32, 'a preempted partition goes on and responds', XEN),
      on(RESP_64, 'it responds to a request in the 64-bit form', XEN),
      on(RESP2, 'it responds to a request of the second kind', XEN, IN_1_2),
      on(f.FFA_YIELD, 'it yields', XEN),
      on(FFA_DENIED, 'nothing there is unfinished for the guest', HAFNIUM),
      on(FFA_NOT_SUPPORTED, 'the target is no partition', XEN, { only: XEN_2026 }),
    ],
    [f.FFA_RUN],
  ),
  row(
    'messages',
    ['hypervisor'],
    [f.FFA_RUN],
    [
      on(f.FFA_MSG_WAIT, 'the partition waits', CYCLES),
      on(f.FFA_YIELD, 'it yields', CYCLES),
      on(f.FFA_INTERRUPT, 'it is preempted', CYCLES),
      on(RESP_32, 'a preempted partition goes on and responds', HAFNIUM),
      on(RESP_64, 'it responds to a request in the 64-bit form', HAFNIUM),
      on(RESP2, 'it responds to a request of the second kind', HAFNIUM, IN_1_2),
      on(FFA_INVALID_PARAMETERS, 'no such vCPU', HAFNIUM),
      on(FFA_BUSY, 'the vCPU runs', HAFNIUM),
      on(FFA_DENIED, 'a vCPU of a call chain, on another PE', CYCLES),
      on(FFA_ABORTED, 'it ended with a fatal error', HAFNIUM),
    ],
  ),
  row(
    'messages',
    ['partition'],
    [f.FFA_RUN],
    [
      on(RESP_32, 'what yielded to it goes on and responds', HAFNIUM),
      on(RESP_64, 'it responds to a request in the 64-bit form', HAFNIUM),
      on(RESP2, 'it responds to a request of the second kind', HAFNIUM, IN_1_2),
      on(FFA_INVALID_PARAMETERS, 'no such vCPU', HAFNIUM),
      on(FFA_DENIED, 'a vCPU that waits', CYCLES),
    ],
  ),

  // Indirect messages.
  row(
    'messages',
    ['guest'],
    [f.FFA_MSG_SEND2],
    [
      on(OK, 'to a partition', XEN),
      on(OK, 'to a VM', XEN),
      on(FFA_BUSY, 'another vCPU uses TX', XEN),
      on(FFA_DENIED, 'no buffers are mapped', XEN),
      on(FFA_INVALID_PARAMETERS, 'a sender that the guest is not', XEN),
      on(FFA_INVALID_PARAMETERS, 'itself as receiver', XEN),
      on(FFA_INVALID_PARAMETERS, 'a payload inside the header', XEN),
      on(FFA_INVALID_PARAMETERS, 'no payload, or one beyond TX', XEN),
      on(FFA_INVALID_PARAMETERS, 'a VM that there is not', XEN),
      on(FFA_DENIED, 'a VM without buffers', XEN),
      on(FFA_BUSY, "the VM's RX is not free", XEN),
      // A header of 1.2 leaves as much room in TX as in RX.
      on(FFA_NO_MEMORY, "more than the VM's RX holds, with a header of 1.1", XEN, { until: FFA_VERSION_1_1 }),
      on(FFA_NOT_SUPPORTED, 'the SPMC cannot take it', XEN),
    ],
    [f.FFA_MSG_SEND2],
  ),
  row(
    'messages',
    SPMC,
    [f.FFA_MSG_SEND2],
    [
      on(OK, 'a message', HAFNIUM, FROM_1_1),
      on(FFA_INVALID_PARAMETERS, 'a sender that the caller is not', HAFNIUM),
      on(FFA_DENIED, 'no buffers are mapped', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'another sender in the header', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'itself as receiver', HAFNIUM),
      on(FFA_INVALID_PARAMETERS, 'a receiver that there is not', HAFNIUM),
      on(FFA_DENIED, 'a sender of 1.0', INDIRECT, { until: FFA_VERSION_1_0 }),
      on(FFA_DENIED, 'a receiver of 1.0', INDIRECT),
      on(FFA_DENIED, 'a receiver that takes none', INDIRECT),
      on(FFA_BUSY, "the receiver's RX is not free", HAFNIUM, FROM_1_1),
      on(FFA_BUSY, 'the receiver has no buffers', HAFNIUM, FROM_1_1),
      on(FFA_INVALID_PARAMETERS, 'a payload inside the header', HAFNIUM, FROM_1_1),
      on(FFA_INVALID_PARAMETERS, 'a payload beyond TX', HAFNIUM, FROM_1_1),
      on(FFA_ABORTED, 'a buffer could not be read or written', HAFNIUM, { notGiven: 'what is mapped can be' }),
    ],
  ),
  row(
    'messages',
    ['hypervisor'],
    [f.FFA_MSG_SEND2],
    [on(FFA_DENIED, 'a VM that is not known', HAFNIUM), on(FFA_INVALID_PARAMETERS, 'any flag', HAFNIUM)],
  ),
  row('messages', ['partition'], [f.FFA_MSG_SEND2], [on(FFA_DENIED, 'the caller sends none', INDIRECT, FROM_1_1)]),

  row(
    'messages',
    SPMC,
    [f.FFA_MSG_SEND2],
    [absent('tfa-el3', 'TF-A spmc_main.c'), absent('optee', 'OP-TEE thread_spmc.c')],
  ),

  // Of 1.3, but obeyed: who calls it ends.
  row(
    'others',
    ['partition'],
    [f.FFA_ABORT_32, f.FFA_ABORT_64],
    [
      on(NO_ANSWER, 'the partition ends', HAFNIUM),
      on(FFA_NOT_SUPPORTED, 'a caller of 1.2 or older', HAFNIUM, { notGiven: 'a partition that gives up is believed' }),
    ],
  ),

  // Status codes of VM availability messages, which Xen takes for errors of the request.
  row('messages', ['hypervisor'], REQUESTS, [
    on(FFA_INTERRUPTED, 'the partition was interrupted before it took the message', 'Xen 7356bb5e47', IN_W3),
    on(FFA_RETRY, 'the partition cannot now', 'Xen 7356bb5e47', IN_W3),
  ]),

  // Between VMs, in the default profile; a VM that serves others ends its turn as a partition does.
  row('messages', ['guest'], [REQ_32, REQ_64], betweenVms({})),
  row(
    'messages',
    ['guest'],
    [REQ2],
    [...betweenVms(IN_1_2), on(FFA_DENIED, 'a VM of an older version', DIRECT, IN_1_2)],
  ),
  row('messages', ['guest'], [REQ_64], [on(FFA_DENIED, 'a VM of 32 bits', DIRECT)]),
  row('messages', ['guest'], [REQ2], [on(FFA_DENIED, 'a VM of 32 bits', DIRECT, IN_1_2)]),
  row(
    'messages',
    ['guest'],
    [RESP_32, RESP_64],
    [...nextRequest({}), ...refusedResponse({}), on(FFA_INVALID_PARAMETERS, 'w2 is not zero', HAFNIUM)],
  ),
  row(
    'messages',
    ['guest'],
    [RESP2],
    [
      on(FFA_NOT_SUPPORTED, 'a guest of an older version', XEN, BEFORE_1_2),
      ...nextRequest(IN_1_2),
      ...refusedResponse(IN_1_2),
    ],
  ),
  row(
    'messages',
    ['guest'],
    [f.FFA_MSG_WAIT],
    [
      ...nextRequest({}),
      on(FFA_INVALID_PARAMETERS, 'a register that is not zero', HAFNIUM),
      on(FFA_DENIED, 'it serves a request', CYCLES),
    ],
  ),
  row(
    'messages',
    ['guest'],
    [f.FFA_RUN],
    [
      on(f.FFA_MSG_WAIT, 'a partition that waits, where guests may run it', HAFNIUM),
      on(RESP_32, 'the VM that was asked responds', HAFNIUM),
      on(FFA_NOT_SUPPORTED, 'nothing was asked of a VM', XEN),
      on(FFA_DENIED, 'another vCPU than the one that was asked', HAFNIUM),
      on(FFA_NOT_SUPPORTED, LACKING, XEN),
    ],
  ),
];
