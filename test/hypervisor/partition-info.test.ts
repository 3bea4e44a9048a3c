import { describe, expect, it } from 'vitest';
import {
  FFA_BUSY,
  FFA_DENIED,
  FFA_INVALID_PARAMETERS,
  FFA_NO_MEMORY,
  FFA_NOT_SUPPORTED,
  FFA_RETRY,
} from '../../src/abi/errors.ts';
import {
  FFA_ERROR,
  FFA_ID_GET,
  FFA_PARTITION_INFO_GET,
  FFA_PARTITION_INFO_GET_REGS,
  FFA_RX_ACQUIRE,
  FFA_RX_RELEASE,
  FFA_SUCCESS_32,
  FFA_SUCCESS_64,
  FFA_VERSION,
} from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import type { Domain, Vcpu } from '../../src/hypervisor/domain.ts';
import { Hypervisor } from '../../src/hypervisor/hypervisor.ts';
import { listInRegisters } from '../../src/hypervisor/partition-info-regs.ts';
import {
  contextOf,
  errorAnswer,
  Mediator,
  RX,
  successAnswer,
  XEN_2024,
  XEN_2026,
  XEN_2026_VM_TO_VM,
} from './mediator.ts';

const SHORT1 = [1, 0x80, 1, 0, 3, 1, 0, 0];
const SHORT2 = [2, 0x80, 1, 0, 3, 1, 0, 0];
const UUID1 = new Array<number>(16).fill(1);
const UUID2 = new Array<number>(16).fill(2);
const NO_UUID = new Array<number>(16).fill(0);
/** VM id 2 with two vCPUs, of 64 bits: sends direct, indirect, receives notifications, AArch64. */
const VM2 = [2, 0, 2, 0, 0x0e, 1, 0, 0, ...NO_UUID];
const VM3 = [3, 0, 2, 0, 0x0e, 1, 0, 0, ...NO_UUID];
const SP1_UUID = [0x0101_0101, 0x0101_0101, 0x0101_0101, 0x0101_0101];

function rx(mediator: Mediator, guest: Domain, length: number): number[] {
  return [...mediator.read(guest, RX, length)];
}

describe('FFA_PARTITION_INFO_GET from the boot-time listing', () => {
  it.each([
    ['1.0', XEN_2026, FFA_VERSION_1_0, successAnswer(2, 0), [...SHORT1, ...SHORT2]],
    ['1.1', XEN_2026, FFA_VERSION_1_1, successAnswer(2, 24), [...SHORT1, ...UUID1, ...SHORT2, ...UUID2]],
    [
      '1.2: itself too',
      XEN_2026,
      FFA_VERSION_1_2,
      successAnswer(3, 24),
      [...SHORT1, ...UUID1, ...SHORT2, ...UUID2, ...VM2],
    ],
  ])('lists all partitions to a guest of %s', (_name, profile, version, answer, bytes) => {
    const mediator = new Mediator({ profile });
    const guest = mediator.readyGuest(version);
    expect(mediator.call(guest, FFA_PARTITION_INFO_GET)).toEqual(answer);
    expect(rx(mediator, guest, bytes.length)).toEqual(bytes);
    expect(mediator.spmc.smcs).toEqual([[FFA_RX_ACQUIRE, 2, 0, 0, 0, 0, 0, 0]]);
    expect(contextOf(guest).rxFree).toBe(false);
  });

  it('lists other VMs where they see each other, the caller first', () => {
    const mediator = new Mediator({ profile: XEN_2026_VM_TO_VM, partitions: 1 });
    const first = mediator.readyGuest(FFA_VERSION_1_1);
    const second = mediator.readyGuest(FFA_VERSION_1_2);
    expect(mediator.call(second, FFA_PARTITION_INFO_GET)).toEqual(successAnswer(3, 24));
    expect(rx(mediator, second, 72)).toEqual([...SHORT1, ...UUID1, ...VM3, ...VM2]);
    // Before 1.2 a guest does not see itself.
    expect(mediator.call(first, FFA_PARTITION_INFO_GET)).toEqual(successAnswer(2, 24));
    expect(rx(mediator, first, 48)).toEqual([...SHORT1, ...UUID1, ...VM3]);
    expect(mediator.call(second, FFA_PARTITION_INFO_GET, 0, 0, 0, 0, 1)).toEqual(successAnswer(3));
    expect(mediator.call(first, FFA_PARTITION_INFO_GET, 0, 0, 0, 0, 1)).toEqual(successAnswer(2));
  });

  it('lists those of one UUID, without it', () => {
    const mediator = new Mediator({ profile: XEN_2026 });
    const guest = mediator.readyGuest(FFA_VERSION_1_2);
    expect(mediator.call(guest, FFA_PARTITION_INFO_GET, ...SP1_UUID)).toEqual(successAnswer(1, 24));
    expect(rx(mediator, guest, 24)).toEqual([...SHORT1, ...NO_UUID]);
    expect(mediator.call(guest, FFA_PARTITION_INFO_GET, ...SP1_UUID, 1)).toEqual(successAnswer(1));
  });

  it('gives RX back when there is nothing to list', () => {
    const mediator = new Mediator({ profile: XEN_2026 });
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    expect(mediator.call(guest, FFA_PARTITION_INFO_GET, 9, 9, 9, 9)).toEqual(errorAnswer(FFA_INVALID_PARAMETERS));
    expect(mediator.spmc.smcs.map((smc) => smc[0])).toEqual([FFA_RX_ACQUIRE, FFA_RX_RELEASE]);
    expect(contextOf(guest).rxFree).toBe(true);
    expect(mediator.call(guest, FFA_PARTITION_INFO_GET, 9, 9, 9, 9, 1)).toEqual(errorAnswer(FFA_INVALID_PARAMETERS));
  });

  it.each([
    ['flag 2', FFA_VERSION_1_1, 2],
    ['flags 1 and 2', FFA_VERSION_1_1, 3],
    ['the count for a guest of 1.0', FFA_VERSION_1_0, 1],
  ])('refuses %s', (_name, version, flags) => {
    const mediator = new Mediator({ profile: XEN_2026 });
    const guest = mediator.readyGuest(version);
    expect(mediator.call(guest, FFA_PARTITION_INFO_GET, 0, 0, 0, 0, flags)).toEqual(
      errorAnswer(FFA_INVALID_PARAMETERS),
    );
  });

  it('needs RX: mapped, free, and granted by the SPMC', () => {
    const mediator = new Mediator({ profile: XEN_2026 });
    const without = mediator.guest();
    mediator.call(without, FFA_VERSION, FFA_VERSION_1_1);
    expect(mediator.call(without, FFA_PARTITION_INFO_GET)).toEqual(errorAnswer(FFA_DENIED));
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    mediator.spmc.answers.set(FFA_RX_ACQUIRE, [FFA_ERROR, 0, FFA_RETRY]);
    expect(mediator.call(guest, FFA_PARTITION_INFO_GET)).toEqual(errorAnswer(FFA_RETRY));
    mediator.spmc.answers.clear();
    mediator.call(guest, FFA_PARTITION_INFO_GET);
    expect(mediator.call(guest, FFA_PARTITION_INFO_GET)).toEqual(errorAnswer(FFA_BUSY));
    expect(mediator.pe.heldCount).toBe(0);
  });
});

describe('FFA_PARTITION_INFO_GET asked of the SPMC', () => {
  it.each([
    ['1.0', FFA_VERSION_1_0, [...SHORT1, ...SHORT2]],
    ['1.1', FFA_VERSION_1_1, [...SHORT1, ...UUID1, ...SHORT2, ...UUID2]],
  ])('copies its entries for a guest of %s', (_name, version, bytes) => {
    const mediator = new Mediator({ profile: XEN_2024 });
    const guest = mediator.readyGuest(version);
    expect(mediator.call(guest, FFA_PARTITION_INFO_GET, 1, 2, 3, 4)).toEqual(successAnswer(2, 24));
    expect(mediator.spmc.smcs).toEqual([
      [FFA_PARTITION_INFO_GET, 1, 2, 3, 4, 0, 0, 0],
      [FFA_RX_RELEASE, 0, 0, 0, 0, 0, 0, 0],
    ]);
    expect(rx(mediator, guest, bytes.length)).toEqual(bytes);
  });

  it('relays a count to 1.1, refuses it to 1.0', () => {
    const mediator = new Mediator({ profile: XEN_2024 });
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    expect(mediator.call(guest, FFA_PARTITION_INFO_GET, 0, 0, 0, 0, 1)).toEqual(successAnswer(2, 24));
    const old = mediator.readyGuest(FFA_VERSION_1_0);
    expect(mediator.call(old, FFA_PARTITION_INFO_GET, 0, 0, 0, 0, 1)).toEqual(errorAnswer(FFA_INVALID_PARAMETERS));
  });

  it('refuses a listing that exceeds RX, and gives the SPMC its buffer back', () => {
    const mediator = new Mediator({ profile: XEN_2024 });
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    mediator.spmc.answers.set(FFA_PARTITION_INFO_GET, [FFA_SUCCESS_32, 0, 171, 24]);
    expect(mediator.call(guest, FFA_PARTITION_INFO_GET)).toEqual(errorAnswer(FFA_NO_MEMORY));
    expect(mediator.spmc.smcs.map((smc) => smc[0])).toEqual([FFA_PARTITION_INFO_GET, FFA_RX_RELEASE]);
    expect(contextOf(guest).rxFree).toBe(true);
  });

  it('does not wait for a listing under way', () => {
    const mediator = new Mediator({ profile: XEN_2024 });
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    let inner: number[] = [];
    mediator.spmc.meanwhile.set(FFA_PARTITION_INFO_GET, () => {
      inner = mediator.otherCall(guest, FFA_PARTITION_INFO_GET);
    });
    mediator.call(guest, FFA_PARTITION_INFO_GET);
    expect(inner).toEqual(errorAnswer(FFA_BUSY));
  });
});

describe('FFA_PARTITION_INFO_GET_REGS', () => {
  function entries(mediator: Mediator, guest: Domain, x3: number): (number | string)[] {
    const answer = mediator.call(guest, FFA_PARTITION_INFO_GET_REGS, 0, 0, x3);
    if (answer[0] !== FFA_SUCCESS_64) return answer;
    const vcpu = guest.vcpus[0] as Vcpu;
    const ids: number[] = [];
    for (let register = 3; register <= 15; register += 3) {
      const id = vcpu.registers.w(register) & 0xffff;
      if (id !== 0) ids.push(id);
    }
    const last = vcpu.registers.w(2) & 0xffff;
    const current = vcpu.registers.w(2) >>> 16;
    return [`${current} of ${last}, tag ${vcpu.registers.high(2) & 0xffff}`, ...ids];
  }

  it('gives five entries a call', () => {
    const mediator = new Mediator({ profile: XEN_2026, partitions: 7 });
    const guest = mediator.readyGuest(FFA_VERSION_1_2);
    expect(entries(mediator, guest, 0)).toEqual(['4 of 7, tag 1', 0x8001, 0x8002, 0x8003, 0x8004, 0x8005]);
    expect(entries(mediator, guest, 0x1_0005)).toEqual(['7 of 7, tag 1', 0x8006, 0x8007, 2]);
  });

  it.each([
    ['beyond the end', 0x1_0008, FFA_INVALID_PARAMETERS],
    ['an index too large', 0x1_fffc, FFA_INVALID_PARAMETERS],
    ['a first call with a tag', 0x1_0000, FFA_INVALID_PARAMETERS],
    ['a later call with another tag', 0x2_0001, FFA_RETRY],
  ])('refuses %s', (_name, x3, error) => {
    const mediator = new Mediator({ profile: XEN_2026, partitions: 7 });
    const guest = mediator.readyGuest(FFA_VERSION_1_2);
    expect(mediator.call(guest, FFA_PARTITION_INFO_GET_REGS, 0, 0, x3)).toEqual(errorAnswer(error));
  });

  it('is not for guests before 1.2', () => {
    const mediator = new Mediator({ profile: XEN_2026 });
    const guest = mediator.readyGuest(FFA_VERSION_1_1);
    expect(mediator.call(guest, FFA_PARTITION_INFO_GET_REGS)).toEqual(errorAnswer(FFA_NOT_SUPPORTED));
  });

  it('counts VMs that more VMs follow, except in the profile that forgets them', () => {
    const mediator = new Mediator({ profile: XEN_2026_VM_TO_VM, partitions: 4 });
    const guest = mediator.readyGuest(FFA_VERSION_1_2);
    mediator.readyGuest(FFA_VERSION_1_1);
    expect(entries(mediator, guest, 0)).toEqual(['3 of 5, tag 3', 0x8001, 0x8002, 0x8003, 0x8004, 2]);
    const handlers64 = [...XEN_2026_VM_TO_VM.handlers64];
    handlers64[FFA_PARTITION_INFO_GET_REGS & 0xff] = listInRegisters;
    const mended = new Mediator({ profile: { ...XEN_2026_VM_TO_VM, handlers64 }, partitions: 4 });
    expect(mended.hypervisor).toBeInstanceOf(Hypervisor);
    const again = mended.readyGuest(FFA_VERSION_1_2);
    mended.call(mended.readyGuest(FFA_VERSION_1_1), FFA_ID_GET);
    expect(entries(mended, again, 0)).toEqual(['4 of 5, tag 3', 0x8001, 0x8002, 0x8003, 0x8004, 2]);
  });
});
