// Drivers: direct and indirect messages, CPU cycles.

import * as f from '../../../src/abi/function-ids.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../../src/abi/versions.ts';
import type { Domain } from '../../../src/hypervisor/domain.ts';
import { GUEST_MEMORY, ids, SP1, SP2, SP3 } from '../../spmc/small-world.ts';
import { type Driver, guestDrivers, secureDrivers } from '../driver.ts';
import type { GuestBench } from '../guest-bench.ts';
import { type SecureBench, VM } from '../secure-bench.ts';
import { crashes, makes, responds, stays, works, worksAndYields, yields } from './behaviours.ts';
import { indirectMessage } from './buffers.ts';
import { mapVm } from './setup.ts';

const FILE = 'messages';
const SPMC = ['hypervisor', 'partition'] as const;
const REQ_32 = f.FFA_MSG_SEND_DIRECT_REQ_32;
const REQ_64 = f.FFA_MSG_SEND_DIRECT_REQ_64;
const REQ2 = f.FFA_MSG_SEND_DIRECT_REQ2;
const RESP_32 = f.FFA_MSG_SEND_DIRECT_RESP_32;
const RESP_64 = f.FFA_MSG_SEND_DIRECT_RESP_64;
const RESP2 = f.FFA_MSG_SEND_DIRECT_RESP2;
const REQUESTS = [REQ_32, REQ_64, REQ2];
const RESPONSES = [RESP_32, RESP_64, RESP2];
const SEND2 = f.FFA_MSG_SEND2;
/** Messaging methods without: any request taken; any sent; indirect messages. */
const TAKES_NONE = 0x406;
const SENDS_NONE = 0x205;
const NO_INDIRECT = 0x603;
const VM_CREATED = 0x8000_0004;
const HYPERVISOR = 0;
const DEVICE_INTERRUPT = 40;
const DEVICE = {
  deviceRegions: [
    {
      baseAddress: 0x1000_0000,
      pageCount: 1,
      attributes: 3,
      interrupts: [{ id: DEVICE_INTERRUPT, attributes: 0x100 }],
    },
  ],
};

function withMethods(messagingMethod: number): {
  services: { uuid: [number, number, number, number]; messagingMethod: number }[];
} {
  return { services: [{ uuid: [1, 2, 3, 4], messagingMethod }] };
}

/** Who asks in the caller's name: a VM for the hypervisor. */
function ask(b: SecureBench, receiver = SP2, w2 = 0): number[] {
  return b.call(ids(b.me, receiver), w2);
}

function askGuest(b: GuestBench, receiver = SP1, w2 = 0): number[] {
  return b.call(ids(b.me, receiver), w2);
}

/** The request that a response answers. */
function requestFor(response: number): number {
  return (response & 0xff) === (RESP2 & 0xff) ? REQ2 : response === RESP_64 ? REQ_64 : REQ_32;
}

/** The hypervisor asks SP1 something, and SP1 makes these calls. */
function serving(b: SecureBench, request: number, ...list: readonly (readonly number[])[]): void {
  b.as(f.FFA_ID_GET);
  b.sp(SP1, f.FFA_MSG_WAIT);
  makes(b, SP1, ...list);
  b.hyp(request, ids(VM, SP1));
}

/** SP1 responds with the bench's call, and the hypervisor asks or runs it next. */
function servedThen(b: SecureBench, ...words: readonly number[]): void {
  serving(b, requestFor(b.fid), [b.fid, ids(SP1, VM)]);
  b.hyp(...words);
}

/** SP1 waits by FFA_MSG_WAIT, then this comes. */
function waitedThen(b: SecureBench, ...words: readonly number[]): void {
  b.call();
  b.hyp(...words);
}

/** SP1 answers a request with FFA_ERROR, and the hypervisor asks or runs it next. */
function failedThen(b: SecureBench, ...words: readonly number[]): void {
  serving(b, REQ_32, [f.FFA_ERROR, 0, -2]);
  b.hyp(...words);
}

/** The device of SP1 asserts its interrupt while the normal world runs. */
function interrupt(b: SecureBench): void {
  b.spmc.assertInterrupt(b.pe, DEVICE_INTERRUPT);
  const pending = b.spmc.takeInterrupt(b.pe);
  if (pending !== null) b.drive(pending, b.pe);
}

const REQUEST_DRIVERS: readonly Driver[] = [
  ...guestDrivers(FILE, REQUESTS, {
    'the partition responds': (b) => {
      responds(b, SP1);
      askGuest(b);
    },
    'the partition is preempted': (b) => {
      works(b, SP1);
      b.pe.interruptPending = true;
      askGuest(b);
    },
    'the partition yields': (b) => {
      yields(b, SP1);
      askGuest(b);
    },
    'the SPMC lacks the function': (b) => askGuest(b.given({ lacks: [b.fid] })),
    'a sender that the guest is not': (b) => b.call(ids(b.me + 1, SP1)),
    'itself as receiver': (b) => b.call(ids(b.me, b.me)),
    'the receiver is no partition': (b) => b.call(ids(b.me, b.me + 1)),
    'an answer that is none': (b) => {
      b.answers(b.fid, 0x1234_5678);
      askGuest(b);
    },
    'w2 is not zero': (b) => askGuest(b, SP1, 1),
    'a guest of an older version': (b) => askGuest(b),
  }),
  ...secureDrivers(FILE, SPMC, REQUESTS, {
    'the partition responds': (b) => {
      responds(b, SP2);
      ask(b);
    },
    'the partition yields': (b) => {
      yields(b, SP2);
      ask(b);
    },
    'a sender that the caller is not': (b) => b.call(ids(SP3, SP2)),
    'no such partition': (b) => ask(b, 0x8077),
    'w2 is not zero': (b) => ask(b, SP2, 1),
    'the partition takes none': (b) => ask(b.given({ manifests: [{}, withMethods(TAKES_NONE)] })),
    'it serves another': (b) => {
      stays(b, SP2);
      b.as(f.FFA_ID_GET);
      b.sp(SP3, REQ_32, ids(SP3, SP2));
      ask(b);
    },
    'it ended with a fatal error': (b) => {
      crashes(b, SP2);
      ask(b);
    },
    'the caller is of an older version': (b) => ask(b),
    'a UUID that it has not': (b) => b.call(ids(b.me, SP2), 5, 6),
  }),
  ...secureDrivers(FILE, ['hypervisor'], REQUESTS, {
    'the partition is preempted': (b) => {
      works(b, SP2);
      b.pe.interruptPending = true;
      ask(b);
    },
    'a framework message that the partition did not ask for': (b) => {
      b.given({ manifests: [{}, { vmAvailabilityMessages: 0 }] });
      b.call(ids(HYPERVISOR, SP2), VM_CREATED);
    },
  }),
  ...secureDrivers(FILE, ['partition'], REQUESTS, {
    'a chain is preempted': (b) => {
      works(b, SP2);
      b.as(f.FFA_ID_GET);
      b.peOf(SP1).interruptPending = true;
      ask(b);
      b.sp(SP1, f.FFA_ID_GET);
    },
    'a framework message': (b) => ask(b, SP2, VM_CREATED),
    'the caller sends none': (b) => ask(b.given({ manifests: [withMethods(SENDS_NONE)] })),
    'the receiver waits for the caller in a call chain': (b) => {
      makes(b, SP1, [b.fid, ids(SP1, SP2)]);
      b.sp(SP2, REQ_32, ids(SP2, SP1));
    },
  }),
];

const RESPONSE_DRIVERS: readonly Driver[] = [
  ...secureDrivers(FILE, ['partition'], RESPONSES, {
    'it is run again': (b) => servedThen(b, f.FFA_RUN, ids(SP1, 0)),
    'a request comes': (b) => servedThen(b, REQ_32, ids(VM, SP1)),
    'a request in the 64-bit form comes': (b) => servedThen(b, REQ_64, ids(VM, SP1)),
    'a request of the second kind comes': (b) => servedThen(b, REQ2, ids(VM, SP1)),
    'an interrupt of its own comes': (b) => {
      b.given({ manifests: [DEVICE] });
      servedThen(b, f.FFA_ID_GET);
      interrupt(b);
    },
    'a sender that the caller is not': (b) => serving(b, REQ_32, [b.fid, ids(SP2, VM)]),
    'no request is being served': (b) => b.call(ids(SP1, VM)),
    'not to who asked': (b) =>
      serving(b, b.version < FFA_VERSION_1_2 ? REQ_32 : requestFor(b.fid), [b.fid, ids(SP1, 5)]),
    'not the kind that the request was': (b) => serving(b, b.fid === RESP2 ? REQ_32 : REQ2, [b.fid, ids(SP1, VM)]),
    'w2 is not zero': (b) => serving(b, requestFor(b.fid), [b.fid, ids(SP1, VM), 1]),
    'a framework message that answers none': (b) => {
      serving(b, requestFor(b.fid), [b.fid, ids(SP1, VM), VM_CREATED + 1]);
    },
  }),
  ...secureDrivers(FILE, ['partition'], [f.FFA_MSG_WAIT], {
    'it is run again': (b) => waitedThen(b, f.FFA_RUN, ids(SP1, 0)),
    'a request comes': (b) => waitedThen(b, REQ_32, ids(VM, SP1)),
    'a request in the 64-bit form comes': (b) => waitedThen(b, REQ_64, ids(VM, SP1)),
    'a request of the second kind comes': (b) => waitedThen(b, REQ2, ids(VM, SP1)),
    'an interrupt of its own comes': (b) => {
      b.given({ manifests: [DEVICE] });
      waitedThen(b, f.FFA_ID_GET);
      interrupt(b);
    },
    'a register that is not zero': (b) => b.call(1),
    'it serves a request': (b) => serving(b, REQ_32, [f.FFA_MSG_WAIT]),
  }),
  ...secureDrivers(FILE, ['partition'], [f.FFA_YIELD], {
    'it is run again': (b) => {
      b.call();
      b.hyp(f.FFA_RUN, ids(SP1, 0));
    },
    'a register that is not zero': (b) => b.call(0, 0, 0, 1),
    'while it starts': (b) => b.given({ atBoot: [[f.FFA_YIELD]] }).as(f.FFA_ID_GET),
  }),
  ...secureDrivers(FILE, ['partition'], [f.FFA_INTERRUPT], { always: (b) => b.call() }),
  ...secureDrivers(FILE, ['partition'], [f.FFA_ABORT_32, f.FFA_ABORT_64], { 'the partition ends': (b) => b.call() }),
  ...secureDrivers(FILE, ['partition'], [f.FFA_ERROR], {
    'but ABORTED while it starts': (b) => b.call(0, -8),
    'it is run again': (b) => failedThen(b, f.FFA_RUN, ids(SP1, 0)),
    'a request comes': (b) => failedThen(b, REQ_32, ids(VM, SP1)),
    'a request in the 64-bit form comes': (b) => failedThen(b, REQ_64, ids(VM, SP1)),
    'a request of the second kind comes': (b) => failedThen(b, REQ2, ids(VM, SP1)),
    'an interrupt of its own comes': (b) => {
      b.given({ manifests: [DEVICE] });
      failedThen(b, f.FFA_ID_GET);
      interrupt(b);
    },
  }),
];

const VM_TO_VM_DRIVERS: readonly Driver[] = [
  ...guestDrivers(FILE, REQUESTS, {
    'an interrupt comes while a VM is asked': (b) => {
      const other = waitingVm(b);
      b.call(ids(b.me, other.vmId));
      b.pe.interruptPending = true;
      b.settle();
    },
    'a VM that there is not': (b) => b.call(ids(b.me, 77)),
    'a VM that does not wait': (b) => b.call(ids(b.me, b.another().vmId)),
    'the VM ends meanwhile': (b) => {
      const other = waitingVm(b);
      b.call(ids(b.me, other.vmId));
      b.destroy(other);
    },
    'a VM of an older version': (b) => b.call(ids(b.me, b.another(FFA_VERSION_1_1).vmId)),
    'a VM of 32 bits': (b) => b.call(ids(b.me, b.another(FFA_VERSION_1_2, false, 16, 32).vmId)),
  }),
  ...guestDrivers(FILE, RESPONSES, {
    'a request comes': (b) => respondedThen(b, REQ_32),
    'a request in the 64-bit form comes': (b) => respondedThen(b, REQ_64),
    'a request of the second kind comes': (b) => respondedThen(b, REQ2),
    'an interrupt comes': (b) => {
      servingVm(b, requestFor(b.fid));
      b.call(...respondTo(b));
      b.pe.interruptPending = true;
      b.settle();
    },
    'the guest ends': (b) => {
      servingVm(b, requestFor(b.fid));
      b.call(...respondTo(b));
      b.destroy(b.guest);
    },
    'a sender that the guest is not': (b) => b.call(ids(b.me + 1, b.me + 2)),
    'no request is being served': (b) => b.call(ids(b.me, b.me + 1)),
    'not to who asked': (b) => {
      servingVm(b, requestFor(b.fid));
      b.call(ids(b.me, b.me + 5));
    },
    'not the kind that the request was': (b) => {
      servingVm(b, b.fid === RESP2 ? REQ_32 : REQ2);
      b.call(...respondTo(b));
    },
    'w2 is not zero': (b) => b.call(ids(b.me, b.me + 1), 1),
    'a guest of an older version': (b) => b.call(ids(b.me, b.me + 1)),
  }),
  ...guestDrivers(FILE, [f.FFA_MSG_WAIT], {
    'a request comes': (b) => waitedForVm(b, REQ_32),
    'a request in the 64-bit form comes': (b) => waitedForVm(b, REQ_64),
    'a request of the second kind comes': (b) => waitedForVm(b, REQ2),
    'an interrupt comes': (b) => {
      b.call();
      b.pe.interruptPending = true;
      b.settle();
    },
    'the guest ends': (b) => {
      b.call();
      b.destroy(b.guest);
    },
    'a register that is not zero': (b) => b.call(1),
    'it serves a request': (b) => {
      servingVm(b, REQ_32);
      b.call();
    },
  }),
  ...guestDrivers(FILE, [f.FFA_RUN], {
    'a partition that waits, where guests may run it': (b) => {
      responds(b.given({ guestsRunWaiting: true }), SP1);
      b.call(ids(SP1, 0));
    },
    'the VM that was asked responds': (b) => {
      const other = interruptedAsking(b);
      b.call(ids(other.vmId, 1));
      b.of(other, b.otherPe, RESP_32, ids(other.vmId, b.me));
      b.settle();
    },
    'nothing was asked of a VM': (b) => b.call(ids(b.another().vmId, 0)),
    'another vCPU than the one that was asked': (b) => b.call(ids(interruptedAsking(b).vmId, 7)),
    'the SPMC lacks the function': (b) => b.given({ lacks: [f.FFA_RUN] }).call(ids(SP1, 0)),
  }),
];

/** Another guest, whose second vCPU waits for requests. */
function waitingVm(b: GuestBench): Domain {
  b.as(f.FFA_ID_GET);
  const other = b.another();
  b.of(other, b.otherPe, f.FFA_MSG_WAIT);
  return other;
}

/** The guest has asked another, and been interrupted before the answer. */
function interruptedAsking(b: GuestBench): Domain {
  const other = waitingVm(b);
  b.as(REQ_32, ids(b.me, other.vmId));
  b.settle();
  b.pe.interruptPending = true;
  b.settle();
  return other;
}

/** The guest serves a request of another one, which waits for the answer. */
function servingVm(b: GuestBench, request: number): void {
  b.as(f.FFA_MSG_WAIT);
  const other = b.another();
  b.of(other, b.otherPe, request, ids(other.vmId, b.me));
  b.settle();
}

function respondTo(b: GuestBench): readonly number[] {
  return [ids(b.me, b.me + 1)];
}

/** The guest responds, and a third one asks it next. */
function respondedThen(b: GuestBench, request: number): void {
  servingVm(b, requestFor(b.fid));
  b.call(...respondTo(b));
  b.settle();
  const third = b.another();
  b.of(third, b.otherPe, request, ids(third.vmId, b.me));
  b.settle();
}

function waitedForVm(b: GuestBench, request: number): void {
  b.call();
  const other = b.another();
  b.of(other, b.otherPe, request, ids(other.vmId, b.me));
  b.settle();
}

const RUN_DRIVERS: readonly Driver[] = [
  ...guestDrivers(FILE, [f.FFA_RUN], {
    'a preempted partition goes on and responds': (b) => {
      works(b, SP1);
      b.pe.interruptPending = true;
      b.as(REQ_32, ids(b.me, SP1));
      b.call(ids(SP1, 0));
    },
    'it responds to a request in the 64-bit form': (b) => {
      works(b, SP1);
      b.pe.interruptPending = true;
      b.as(REQ_64, ids(b.me, SP1));
      b.call(ids(SP1, 0));
    },
    'it responds to a request of the second kind': (b) => {
      works(b, SP1);
      b.pe.interruptPending = true;
      b.as(REQ2, ids(b.me, SP1));
      b.call(ids(SP1, 0));
    },
    'it yields': (b) => {
      worksAndYields(b, SP1);
      b.pe.interruptPending = true;
      b.as(REQ_32, ids(b.me, SP1));
      b.call(ids(SP1, 0));
    },
    'nothing there is unfinished for the guest': (b) => b.call(ids(SP1, 0)),
    'the target is no partition': (b) => b.call(ids(b.me, 0)),
  }),
  ...secureDrivers(FILE, ['hypervisor'], [f.FFA_RUN], {
    'the partition waits': (b) => {
      responds(b, SP2);
      b.call(ids(SP2, 0));
    },
    'it yields': (b) => {
      yields(b, SP2);
      b.call(ids(SP2, 0));
    },
    'it is preempted': (b) => {
      works(b, SP2);
      b.pe.interruptPending = true;
      b.call(ids(SP2, 0));
    },
    'a preempted partition goes on and responds': (b) => {
      works(b, SP2);
      b.pe.interruptPending = true;
      b.as(REQ_32, ids(VM, SP2));
      b.call(ids(SP2, 0));
    },
    'it responds to a request in the 64-bit form': (b) => {
      works(b, SP2);
      b.pe.interruptPending = true;
      b.as(REQ_64, ids(VM, SP2));
      b.call(ids(SP2, 0));
    },
    'it responds to a request of the second kind': (b) => {
      works(b, SP2);
      b.pe.interruptPending = true;
      b.as(REQ2, ids(VM, SP2));
      b.call(ids(SP2, 0));
    },
    'no such vCPU': (b) => b.call(ids(SP2, 5)),
    'the vCPU runs': (b) => {
      b.as(f.FFA_ID_GET);
      b.sp(SP2, f.FFA_ID_GET);
      b.call(ids(SP2, 0));
    },
    'a vCPU of a call chain, on another PE': (b) => {
      stays(b, SP3);
      b.sp(SP2, REQ_32, ids(SP2, SP3));
      b.call(ids(SP3, 0));
    },
    'it ended with a fatal error': (b) => {
      crashes(b, SP2);
      b.as(REQ_32, ids(VM, SP2));
      b.call(ids(SP2, 0));
    },
  }),
  ...secureDrivers(FILE, ['partition'], [f.FFA_RUN], {
    'what yielded to it goes on and responds': (b) => {
      yields(b, SP2);
      b.as(REQ_32, ids(SP1, SP2));
      b.call(ids(SP2, 0));
    },
    'it responds to a request in the 64-bit form': (b) => {
      yields(b, SP2);
      b.as(REQ_64, ids(SP1, SP2));
      b.call(ids(SP2, 0));
    },
    'it responds to a request of the second kind': (b) => {
      yields(b, SP2);
      b.as(REQ2, ids(SP1, SP2));
      b.call(ids(SP2, 0));
    },
    'no such vCPU': (b) => b.call(ids(SP2, 5)),
    'a vCPU that waits': (b) => b.call(ids(SP2, 0)),
  }),
];

/** Writes the message and makes the call at the SPMC. */
function sendMessage(b: SecureBench, bytes: Uint8Array, ...words: readonly number[]): void {
  if (b.side === 'hypervisor') {
    mapVm(b);
    b.write(GUEST_MEMORY, bytes);
    b.call(...(words.length > 0 ? words : [ids(VM, 0)]));
    return;
  }
  b.as(f.FFA_ID_GET);
  b.send(bytes);
  b.call(...words);
}

function message(b: SecureBench, wrong: { offset?: number; size?: number } = {}, receiver = SP2): Uint8Array {
  return indirectMessage(b.me, receiver, b.version, wrong);
}

/** A guest's message; to a partition its header is as the SPMC reads it. */
function sendByGuest(b: GuestBench, receiver: number, wrong: { offset?: number; size?: number } = {}): void {
  b.as(f.FFA_ID_GET);
  b.send(indirectMessage(b.me, receiver, FFA_VERSION_1_2, wrong));
  b.call();
}

const INDIRECT_DRIVERS: readonly Driver[] = [
  ...guestDrivers(FILE, [SEND2], {
    'to a partition': (b) => sendByGuest(b, SP1),
    'to a VM': (b) => sendByGuest(b, b.another().vmId),
    'another vCPU uses TX': (b) => {
      b.as(f.FFA_ID_GET);
      b.context.txLock.tryAcquire(b.otherPe);
      b.call();
    },
    'no buffers are mapped': (b) => b.given({ unmapped: true }).call(),
    'a sender that the guest is not': (b) => {
      b.as(f.FFA_ID_GET);
      b.send(indirectMessage(b.me + 1, SP1));
      b.call();
    },
    'itself as receiver': (b) => sendByGuest(b, b.me),
    'a payload inside the header': (b) => sendByGuest(b, SP1, { offset: 8 }),
    'no payload, or one beyond TX': (b) => sendByGuest(b, SP1, { size: 0 }),
    'a VM that there is not': (b) => sendByGuest(b, 77),
    'a VM without buffers': (b) => {
      sendByGuest(b, b.another(FFA_VERSION_1_2, false).vmId);
    },
    "the VM's RX is not free": (b) => {
      const guest = b.another();
      b.of(guest, b.otherPe, f.FFA_PARTITION_INFO_GET);
      sendByGuest(b, guest.vmId);
    },
    "more than the VM's RX holds, with a header of 1.1": (b) => {
      sendByGuest(b, b.another().vmId, { offset: 20, size: 4096 - 20 });
    },
    'the SPMC cannot take it': (b) => sendByGuest(b.given({ lacks: [SEND2] }), SP1),
  }),
  ...secureDrivers(FILE, SPMC, [SEND2], {
    'a message': (b) => sendMessage(b, message(b)),
    'a sender that the caller is not': (b) => sendMessage(b, message(b), ids(SP3, 0)),
    'another sender in the header': (b) => sendMessage(b, indirectMessage(7, SP2, b.version)),
    'itself as receiver': (b) => sendMessage(b, message(b, {}, b.me)),
    'a receiver that there is not': (b) => sendMessage(b, message(b, {}, 0x8077)),
    'a sender of 1.0': (b) => sendMessage(b, message(b)),
    'a receiver of 1.0': (b) => {
      b.given({ manifests: [{}, { ffaVersion: FFA_VERSION_1_0 }] });
      sendMessage(b, message(b));
    },
    'a receiver that takes none': (b) => {
      b.given({ manifests: [{}, withMethods(NO_INDIRECT)] });
      sendMessage(b, message(b));
    },
    "the receiver's RX is not free": (b) => {
      b.as(f.FFA_ID_GET);
      b.sp(SP2, f.FFA_PARTITION_INFO_GET);
      sendMessage(b, message(b));
    },
    'the receiver has no buffers': (b) => {
      b.as(f.FFA_ID_GET);
      b.sp(SP2, f.FFA_RXTX_UNMAP);
      sendMessage(b, message(b));
    },
    'a payload inside the header': (b) => sendMessage(b, message(b, { offset: 8 })),
    'a payload beyond TX': (b) => sendMessage(b, message(b, { size: 5000 })),
  }),
  ...secureDrivers(FILE, ['hypervisor'], [SEND2], {
    'no buffers are mapped': (b) => {
      b.as(f.FFA_NOTIFICATION_BITMAP_CREATE, VM, 1);
      b.call(ids(VM, 0));
    },
    'a VM that is not known': (b) => b.call(ids(VM, 0)),
    'any flag': (b) => sendMessage(b, message(b), ids(VM, 0), 2),
  }),
  ...secureDrivers(FILE, ['partition'], [SEND2], {
    'no buffers are mapped': (b) => b.given({ unmapped: true }).call(),
    'the caller sends none': (b) => {
      b.given({ manifests: [withMethods(NO_INDIRECT)] });
      sendMessage(b, message(b));
    },
  }),
];

export const MESSAGE_DRIVERS: readonly Driver[] = [
  ...REQUEST_DRIVERS,
  ...RESPONSE_DRIVERS,
  ...VM_TO_VM_DRIVERS,
  ...RUN_DRIVERS,
  ...INDIRECT_DRIVERS,
];
