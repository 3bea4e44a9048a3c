// FFA_MSG_SEND2 and notifications.

import { describe, expect, it } from 'vitest';
import {
  FFA_BUSY,
  FFA_DENIED,
  FFA_INVALID_PARAMETERS,
  FFA_NO_DATA,
  FFA_NO_MEMORY,
  FFA_NOT_SUPPORTED,
} from '../../src/abi/errors.ts';
import {
  FFA_ERROR,
  FFA_MSG_SEND2,
  FFA_NOTIFICATION_BIND,
  FFA_NOTIFICATION_BITMAP_CREATE,
  FFA_NOTIFICATION_GET,
  FFA_NOTIFICATION_INFO_GET_32,
  FFA_NOTIFICATION_INFO_GET_64,
  FFA_NOTIFICATION_SET,
  FFA_NOTIFICATION_UNBIND,
  FFA_RX_ACQUIRE,
  FFA_RX_RELEASE,
  FFA_SUCCESS_32,
  FFA_SUCCESS_64,
  FFA_VERSION,
} from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import type { Domain } from '../../src/hypervisor/domain.ts';
import { FFABRIC } from '../../src/hypervisor/profiles/ffabric.ts';
import {
  contextOf,
  drive,
  errorAnswer,
  Mediator,
  RX,
  SP1,
  successAnswer,
  TX,
  XEN_2024,
  XEN_2026,
  XEN_2026_VM_TO_VM,
} from './mediator.ts';

interface Message {
  readonly flags?: number;
  readonly offset?: number;
  readonly receiver?: number;
  readonly sender?: number;
  readonly size?: number;
}

/** A header and a payload of counting bytes behind it. */
function message({ flags = 0, offset = 40, receiver = SP1, sender = 2, size = 8 }: Message = {}): Uint8Array {
  const bytes = new Uint8Array(128);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, flags, true);
  view.setUint32(8, offset, true);
  view.setUint16(12, receiver, true);
  view.setUint16(14, sender, true);
  view.setUint32(16, size, true);
  for (let n = 40; n < 128; n++) bytes[n] = n;
  return bytes;
}

function send(mediator: Mediator, guest: Domain, fields: Message = {}): number[] {
  mediator.write(guest, TX, message(fields));
  return mediator.call(guest, FFA_MSG_SEND2, 0x5555, 0x2222);
}

describe('FFA_MSG_SEND2', () => {
  it('leaves the reading to the SPMC when a partition receives', () => {
    const mediator = new Mediator({ profile: XEN_2026 });
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    expect(send(mediator, guest, { offset: 20, flags: 0xff })).toEqual(successAnswer());
    expect(mediator.spmc.smcs).toEqual([[FFA_MSG_SEND2, 0x2_0000, 0, 0, 0, 0, 0, 0]]);
    mediator.spmc.answers.set(FFA_MSG_SEND2, [FFA_ERROR, 0, FFA_BUSY]);
    expect(send(mediator, guest)).toEqual(errorAnswer(FFA_BUSY));
  });

  it.each([
    ['another sender', { sender: 3 }, FFA_VERSION_1_1],
    ['to itself', { receiver: 2 }, FFA_VERSION_1_1],
    ['a payload inside the header', { offset: 19 }, FFA_VERSION_1_1],
    ['a payload inside the header of 1.2', { offset: 39 }, FFA_VERSION_1_2],
    ['no payload', { size: 0 }, FFA_VERSION_1_1],
    ['a payload that leaves the buffer', { size: 4096 - 39 }, FFA_VERSION_1_1],
    ['an offset beyond the buffer', { offset: 4097 }, FFA_VERSION_1_1],
    ['offset and size that wrap', { offset: 0xffff_f000, size: 0x1020 }, FFA_VERSION_1_1],
    ['a VM, where VMs do not see each other', { receiver: 3 }, FFA_VERSION_1_1],
  ])('refuses %s', (_name, fields, version) => {
    const mediator = new Mediator({ profile: XEN_2026 });
    const guest = mediator.readyGuest(version);
    mediator.readyGuest(FFA_VERSION_1_1);
    expect(send(mediator, guest, fields)).toEqual(errorAnswer(FFA_INVALID_PARAMETERS));
    expect(mediator.spmc.smcs).toEqual([]);
    expect(mediator.pe.heldCount).toBe(0);
  });

  it('needs a TX buffer, which it does not wait for', () => {
    const mediator = new Mediator({ profile: XEN_2026 });
    const without = mediator.guest();
    mediator.call(without, FFA_VERSION, FFA_VERSION_1_1);
    expect(mediator.call(without, FFA_MSG_SEND2)).toEqual(errorAnswer(FFA_DENIED));
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    let inner: number[] = [];
    mediator.spmc.meanwhile.set(FFA_MSG_SEND2, () => {
      inner = mediator.otherCall(guest, FFA_MSG_SEND2);
    });
    expect(send(mediator, guest, { sender: 3 })).toEqual(successAnswer());
    expect(inner).toEqual(errorAnswer(FFA_BUSY));
  });

  it('is not supported by an SPMC that lacks it, nor by the first generation', () => {
    const mediator = new Mediator({ profile: XEN_2026, lacks: [FFA_MSG_SEND2] });
    expect(send(mediator, mediator.readyGuest(FFA_VERSION_1_1))).toEqual(errorAnswer(FFA_NOT_SUPPORTED));
    const first = new Mediator({ profile: XEN_2024 });
    expect(send(first, first.readyGuest(FFA_VERSION_1_1))).toEqual(errorAnswer(FFA_NOT_SUPPORTED));
  });

  describe('to another VM', () => {
    function two(): { mediator: Mediator; sender: Domain; receiver: Domain } {
      const mediator = new Mediator({ profile: XEN_2026_VM_TO_VM });
      const sender = mediator.readyGuest(FFA_VERSION_1_1);
      const receiver = mediator.readyGuest(FFA_VERSION_1_2);
      mediator.spmc.forget();
      return { mediator, sender, receiver };
    }

    it('copies a header of 40 bytes and the payload, and raises RX full', () => {
      const { mediator, sender, receiver } = two();
      expect(send(mediator, sender, { receiver: 3, offset: 60, flags: 0xff })).toEqual(successAnswer());
      expect(mediator.spmc.smcs).toEqual([[FFA_RX_ACQUIRE, 3, 0, 0, 0, 0, 0, 0]]);
      const expected = message({ receiver: 3 });
      expected.set(expected.slice(60, 68), 40);
      expected.fill(0, 48);
      expect(mediator.read(receiver, RX, 128)).toEqual(expected);
      expect(contextOf(receiver).rxFree).toBe(false);
      expect(receiver.vcpus.map((vcpu) => vcpu.interrupts)).toEqual([[8], []]);
      expect(mediator.call(receiver, FFA_NOTIFICATION_GET, 3, 8)).toEqual([FFA_SUCCESS_32, 0, 0, 0, 0, 0, 0, 1]);
      expect(mediator.references(receiver, RX)).toBe(2);
    });

    it('tells what stands in the way', () => {
      const { mediator, sender, receiver } = two();
      expect(send(mediator, sender, { receiver: 4 })).toEqual(errorAnswer(FFA_INVALID_PARAMETERS));
      expect(send(mediator, sender, { receiver: 0 })).toEqual(errorAnswer(FFA_INVALID_PARAMETERS));
      send(mediator, sender, { receiver: 3 });
      expect(send(mediator, sender, { receiver: 3 })).toEqual(errorAnswer(FFA_BUSY));
      mediator.call(receiver, FFA_RX_RELEASE);
      mediator.spmc.forget();
      mediator.spmc.answers.set(FFA_RX_ACQUIRE, [FFA_ERROR, 0, FFA_DENIED]);
      expect(send(mediator, sender, { receiver: 3 })).toEqual(errorAnswer(FFA_DENIED));
      const silent = mediator.guest();
      expect(send(mediator, sender, { receiver: silent.vmId })).toEqual(errorAnswer(FFA_INVALID_PARAMETERS));
      drive(mediator.hypervisor.teardownDomain(mediator.pe, receiver));
      expect(send(mediator, sender, { receiver: 3 })).toEqual(errorAnswer(FFA_INVALID_PARAMETERS));
    });

    it('gives RX back when header and payload exceed it', () => {
      const { mediator, sender, receiver } = two();
      expect(send(mediator, sender, { receiver: 3, offset: 20, size: 4057 })).toEqual(errorAnswer(FFA_NO_MEMORY));
      expect(mediator.spmc.smcs.map((smc) => smc[0])).toEqual([FFA_RX_ACQUIRE, FFA_RX_RELEASE]);
      expect(contextOf(receiver).rxFree).toBe(true);
      expect(send(mediator, sender, { receiver: 3, offset: 20, size: 4056 })).toEqual(successAnswer());
    });
  });
});

describe('notification calls to the SPMC', () => {
  const FROM_SP = (SP1 << 16) | 2;
  const TO_SP = (2 << 16) | SP1;

  it.each([
    ['bind', FFA_NOTIFICATION_BIND, [FROM_SP, 0, 1, 2], [FROM_SP, 0, 1, 2], 0],
    ['bind for another', FFA_NOTIFICATION_BIND, [(SP1 << 16) | 3, 0, 1, 2], null, FFA_INVALID_PARAMETERS],
    ['bind per vCPU', FFA_NOTIFICATION_BIND, [FROM_SP, 1, 1, 2], null, FFA_DENIED],
    ['bind of a VM', FFA_NOTIFICATION_BIND, [(3 << 16) | 2, 0, 1, 2], null, FFA_NOT_SUPPORTED],
    ['unbind, whatever the flags', FFA_NOTIFICATION_UNBIND, [FROM_SP, 1, 1, 2], [FROM_SP, 0, 1, 2], 0],
    ['unbind for another', FFA_NOTIFICATION_UNBIND, [(SP1 << 16) | 3, 0, 1, 2], null, FFA_INVALID_PARAMETERS],
    ['set with its flags', FFA_NOTIFICATION_SET, [TO_SP, 0x3_0001, 1, 2], [TO_SP, 0x3_0001, 1, 2], 0],
    ['set for another', FFA_NOTIFICATION_SET, [(3 << 16) | SP1, 0, 1, 2], null, FFA_INVALID_PARAMETERS],
    ['set to a VM', FFA_NOTIFICATION_SET, [(2 << 16) | 3, 0, 1, 2], null, FFA_NOT_SUPPORTED],
  ])('%s', (_name, functionId, words, forwarded, error) => {
    const mediator = new Mediator({ profile: XEN_2026 });
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    const unsigned = words.map((word) => word >>> 0);
    expect(mediator.call(guest, functionId, ...unsigned)).toEqual(error === 0 ? successAnswer() : errorAnswer(error));
    const sent = forwarded === null ? [] : [[functionId, ...forwarded.map((word) => word >>> 0), 0, 0, 0]];
    expect(mediator.spmc.smcs).toEqual(sent);
  });

  it('are not supported where the SPMC has no notifications', () => {
    const mediator = new Mediator({ profile: XEN_2026, lacks: [FFA_NOTIFICATION_BITMAP_CREATE] });
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    for (const functionId of [FFA_NOTIFICATION_BIND, FFA_NOTIFICATION_UNBIND]) {
      expect(mediator.call(guest, functionId, FROM_SP >>> 0)).toEqual(errorAnswer(FFA_NOT_SUPPORTED));
    }
    expect(mediator.call(guest, FFA_NOTIFICATION_GET, 2, 1)).toEqual(errorAnswer(FFA_NOT_SUPPORTED));
    expect(mediator.call(guest, FFA_NOTIFICATION_INFO_GET_64)).toEqual(errorAnswer(FFA_NOT_SUPPORTED));
  });

  it.each([
    ['of partitions', 1, 1, [0x11, 0x22, 0, 0, 0, 0]],
    ['of the SPMC', 4, 4, [0, 0, 0, 0, 0x55, 0]],
    ['of both, and of others that there are not', 0xf, 5, [0x11, 0x22, 0, 0, 0x55, 0]],
    ['of VMs: none', 2, null, [0, 0, 0, 0, 0, 0]],
  ])('gets the bitmaps %s', (_name, flags, asked, bitmaps) => {
    const mediator = new Mediator({ profile: XEN_2026 });
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    mediator.spmc.answers.set(FFA_NOTIFICATION_GET, [FFA_SUCCESS_32, 0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66]);
    expect(mediator.call(guest, FFA_NOTIFICATION_GET, 0x1_0002, flags)).toEqual([FFA_SUCCESS_32, 0, ...bitmaps]);
    const sent = asked === null ? [] : [[FFA_NOTIFICATION_GET, 0x1_0002, asked, 0, 0, 0, 0, 0]];
    expect(mediator.spmc.smcs).toEqual(sent);
    expect(mediator.call(guest, FFA_NOTIFICATION_GET, 3, flags)).toEqual(errorAnswer(FFA_INVALID_PARAMETERS));
  });
});

describe('the schedule-receiver interrupt', () => {
  function pending(mediator: Mediator, guest: Domain, functionId = FFA_NOTIFICATION_INFO_GET_64): number[] {
    return mediator.call(guest, functionId);
  }

  /** Answers of the SPMC, one after another. */
  function answers(mediator: Mediator, list: readonly (readonly [number, number, number, number, number])[]): void {
    const rest = [...list];
    mediator.spmc.smc = (pe) => {
      const [functionId, x2, x3Low, x3High, x2High] = rest.shift() ?? [FFA_ERROR, FFA_NO_DATA, 0, 0, 0];
      pe.smc.set8(functionId, 0, x2, x3Low);
      pe.smc.setWords(2, x2, x2High);
      pe.smc.setWords(3, x3Low, x3High);
      return null;
    };
  }

  it.each([
    ['one VM', [[FFA_SUCCESS_64, 0x80, 2, 0, 0]], [true, false]],
    ['the 32-bit form', [[FFA_SUCCESS_32, 0x100, 0x3_0002, 0, 0]], [true, true]],
    ['vCPUs behind a VM', [[FFA_SUCCESS_64, 0x1100, 0x0_0003, 0x2, 0]], [true, true]],
    ['a vCPU that is named like a VM', [[FFA_SUCCESS_64, 0x1080, 0x3_0002, 0, 0]], [true, false]],
    [
      'more to come',
      [
        [FFA_SUCCESS_64, 0x81, 3, 0, 0],
        [FFA_SUCCESS_64, 0x80, 2, 0, 0],
      ],
      [true, true],
    ],
    ['a partition, the hypervisor, and nobody', [[FFA_SUCCESS_64, 0x180, 0x8002, 0x55, 0]], [false, false]],
    ['an error', [[FFA_ERROR, 0x80, 2, 0, 0]], [false, false]],
    ['more lists than fit', [[FFA_SUCCESS_64, 0xf80, 2, 0, 0xffff_ffff]], [true, false]],
  ] as const)('tells %s', (_name, list, told) => {
    const mediator = new Mediator({ profile: XEN_2026 });
    const guests = [mediator.readyGuest(FFA_VERSION_1_1), mediator.readyGuest(FFA_VERSION_1_1)];
    answers(mediator, list);
    drive(mediator.hypervisor.scheduleReceiver(mediator.pe));
    expect(guests.map((guest) => contextOf(guest).secureNotificationPending)).toEqual(told);
    expect(guests.map((guest) => guest.vcpus[0]?.interrupts.length === 1)).toEqual(told);
  });

  it('interrupts the first vCPU that is online', () => {
    const mediator = new Mediator({ profile: XEN_2026 });
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    const [first, second] = guest.vcpus;
    if (first !== undefined) first.online = false;
    answers(mediator, [[FFA_SUCCESS_64, 0x80, 2, 0, 0]]);
    drive(mediator.hypervisor.scheduleReceiver(mediator.pe));
    expect([first?.interrupts, second?.interrupts]).toEqual([[], [8]]);
  });

  it('is what INFO_GET tells, once, and in the 64-bit form always', () => {
    const mediator = new Mediator({ profile: XEN_2026 });
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    expect(pending(mediator, guest)).toEqual(errorAnswer(FFA_NO_DATA));
    contextOf(guest).secureNotificationPending = true;
    expect(pending(mediator, guest, FFA_NOTIFICATION_INFO_GET_32)).toEqual([FFA_SUCCESS_64, 0, 0x80, 2, 0, 0, 0, 0]);
    expect(pending(mediator, guest)).toEqual(errorAnswer(FFA_NO_DATA));
  });

  it.each([
    [FFA_NOTIFICATION_INFO_GET_32, FFA_SUCCESS_32],
    [FFA_NOTIFICATION_INFO_GET_64, FFA_SUCCESS_64],
  ])('is told as wide as it was asked in the default profile: function %i', (functionId, success) => {
    const mediator = new Mediator({ profile: FFABRIC });
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    expect(pending(mediator, guest, functionId)).toEqual(errorAnswer(FFA_NO_DATA));
    contextOf(guest).secureNotificationPending = true;
    expect(pending(mediator, guest, functionId)).toEqual([success, 0, 0x80, guest.vmId, 0, 0, 0, 0]);
  });

  it('is forgotten when all bitmaps of the secure world are got', () => {
    const mediator = new Mediator({ profile: XEN_2026 });
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    for (const [flags, left] of [
      [1, true],
      [4, true],
      [5, false],
    ] as const) {
      contextOf(guest).secureNotificationPending = true;
      mediator.call(guest, FFA_NOTIFICATION_GET, 2, flags);
      expect(contextOf(guest).secureNotificationPending).toBe(left);
    }
  });
});
