import { describe, expect, it } from 'vitest';
import { FFA_NOT_SUPPORTED } from '../../src/abi/errors.ts';
import {
  FFA_FEATURES,
  FFA_ID_GET,
  FFA_MEM_SHARE_32,
  FFA_MEM_SHARE_64,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_REQ_64,
  FFA_MSG_SEND_DIRECT_REQ2,
  FFA_MSG_SEND2,
  FFA_NOTIFICATION_BITMAP_CREATE,
  FFA_NOTIFICATION_GET,
  FFA_PARTITION_INFO_GET_REGS,
  FFA_RUN,
  FFA_RX_ACQUIRE,
  FFA_RXTX_MAP_64,
  FFA_SPM_ID_GET,
  FFA_VERSION,
} from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import type { Vcpu } from '../../src/hypervisor/domain.ts';
import {
  contextOf,
  errorAnswer,
  lowWords,
  Mediator,
  successAnswer,
  XEN_2024,
  XEN_2026,
  XEN_2026_VM_TO_VM,
} from './mediator.ts';

const SPM = [0, 0, 0, 0, 0, 0, 0] as const;

describe('FFA_VERSION of the first generation', () => {
  it.each([
    [0, FFA_VERSION_1_0],
    [0xffff, FFA_VERSION_1_0],
    [FFA_VERSION_1_0, FFA_VERSION_1_0],
    [FFA_VERSION_1_1, FFA_VERSION_1_1],
    [FFA_VERSION_1_2, FFA_VERSION_1_1],
    [0x70000, FFA_VERSION_1_1],
    [0x8001_0000, FFA_VERSION_1_1],
  ])('answers 0x%x with 0x%x, which is in force at once', (asked, version) => {
    const mediator = new Mediator({ profile: XEN_2024 });
    const guest = mediator.guest();
    expect(mediator.call(guest, FFA_VERSION, asked)).toEqual([version, ...SPM]);
    expect(contextOf(guest).version).toBe(version);
    expect(mediator.spmc.smcs).toEqual([]);
  });

  it('may be asked again at any time, and need not be asked at all', () => {
    const mediator = new Mediator({ profile: XEN_2024 });
    const guest = mediator.guest();
    expect(mediator.call(guest, FFA_ID_GET)).toEqual(successAnswer(2));
    mediator.call(guest, FFA_VERSION, FFA_VERSION_1_1);
    mediator.call(guest, FFA_VERSION, FFA_VERSION_1_0);
    expect(contextOf(guest).version).toBe(FFA_VERSION_1_0);
  });
});

describe('FFA_VERSION of the second generation', () => {
  it.each([
    [0, FFA_VERSION_1_2],
    [FFA_VERSION_1_0, FFA_VERSION_1_0],
    [FFA_VERSION_1_1, FFA_VERSION_1_1],
    [FFA_VERSION_1_2, FFA_VERSION_1_2],
    [0x10003, FFA_VERSION_1_2],
    [0x20000, FFA_VERSION_1_2],
    [0x8001_0001, 0x8001_0001],
  ])('answers 0x%x with 1.2 and puts 0x%x into force at the next call', (asked, version) => {
    const mediator = new Mediator({ profile: XEN_2026 });
    const guest = mediator.guest();
    expect(mediator.call(guest, FFA_VERSION, asked)).toEqual([FFA_VERSION_1_2, ...SPM]);
    expect(contextOf(guest).version).toBe(0);
    expect(mediator.call(guest, FFA_ID_GET)).toEqual(successAnswer(2));
    expect(contextOf(guest).version).toBe(version);
  });

  it('refuses every other call before, and changes nothing after', () => {
    const mediator = new Mediator({ profile: XEN_2026 });
    const guest = mediator.guest();
    expect(mediator.call(guest, FFA_ID_GET)).toEqual(errorAnswer(FFA_NOT_SUPPORTED));
    mediator.call(guest, FFA_VERSION, FFA_VERSION_1_0);
    mediator.call(guest, FFA_VERSION, FFA_VERSION_1_1);
    mediator.call(guest, FFA_ID_GET);
    expect(mediator.call(guest, FFA_VERSION, FFA_VERSION_1_0)).toEqual([FFA_VERSION_1_2, ...SPM]);
    expect(contextOf(guest).version).toBe(FFA_VERSION_1_1);
  });

  it('waits while another vCPU negotiates, and takes its result', () => {
    const mediator = new Mediator({ profile: XEN_2026_VM_TO_VM });
    const guest = mediator.guest();
    const context = contextOf(guest);
    mediator.call(guest, FFA_VERSION, FFA_VERSION_1_1);
    expect(context.versionLock.tryAcquire(mediator.otherPe)).toBe(true);
    const vcpu = guest.vcpus[0] as Vcpu;
    vcpu.registers.set8(FFA_VERSION, FFA_VERSION_1_0);
    const pending = mediator.hypervisor.guestCall(mediator.pe, vcpu);
    expect(pending?.next().done).toBe(false);
    context.version = FFA_VERSION_1_1;
    context.versionLock.release(mediator.otherPe);
    expect(pending?.next().done).toBe(true);
    expect(lowWords(vcpu.registers)).toEqual([FFA_VERSION_1_2, ...SPM]);
    expect([context.version, mediator.pe.heldCount]).toEqual([FFA_VERSION_1_1, 0]);
  });

  it('joins the list of VMs once, where VMs see each other', () => {
    const mediator = new Mediator({ profile: XEN_2026_VM_TO_VM });
    const guest = mediator.guest();
    const list = mediator.hypervisor.vmList;
    mediator.call(guest, FFA_VERSION, FFA_VERSION_1_2);
    expect([list.members.length, list.tag]).toEqual([0, 1]);
    mediator.call(guest, FFA_ID_GET);
    mediator.call(guest, FFA_ID_GET);
    expect([list.members, list.tag]).toEqual([[contextOf(guest)], 2]);
    const alone = new Mediator({ profile: XEN_2026 });
    alone.readyGuest(FFA_VERSION_1_2);
    expect([alone.hypervisor.vmList.members.length, alone.hypervisor.vmList.tag]).toEqual([0, 1]);
  });

  it.each([
    [64, FFA_VERSION_1_1, 7],
    [64, FFA_VERSION_1_2, 0],
    [32, FFA_VERSION_1_2, 7],
  ] as const)('clears x8 to x17 in answers to 1.2 guests of 64 bits only (%i bits, 0x%x)', (bits, version, x8) => {
    const mediator = new Mediator({ profile: XEN_2026 });
    const guest = mediator.guest(bits);
    mediator.call(guest, FFA_VERSION, version);
    const vcpu = guest.vcpus[0] as Vcpu;
    vcpu.registers.setWords(8, 7, 7);
    mediator.call(guest, FFA_ID_GET);
    expect(vcpu.registers.w(8)).toBe(x8);
  });

  it('knows no 64-bit function of a guest of 32 bits', () => {
    const mediator = new Mediator({ profile: XEN_2026 });
    const guest = mediator.guest(32);
    mediator.call(guest, FFA_VERSION, FFA_VERSION_1_1);
    mediator.call(guest, FFA_ID_GET);
    expect(mediator.call(guest, FFA_RXTX_MAP_64, 1)).toEqual([0xffff_ffff, 1, 0, 0, 0, 0, 0, 0]);
  });
});

describe('FFA_FEATURES', () => {
  const rows: readonly (readonly [string, number, number, readonly number[], number | null])[] = [
    ['a function of the mediator’s own', FFA_VERSION, FFA_VERSION_1_1, [], 0],
    ['a direct request', FFA_MSG_SEND_DIRECT_REQ_32, FFA_VERSION_1_1, [], 0],
    [
      'a direct request that the SPMC lacks',
      FFA_MSG_SEND_DIRECT_REQ_64,
      FFA_VERSION_1_1,
      [FFA_MSG_SEND_DIRECT_REQ_64],
      null,
    ],
    ['run that the SPMC lacks', FFA_RUN, FFA_VERSION_1_1, [FFA_RUN], null],
    ['the 32-bit share, by the 64-bit one of the SPMC', FFA_MEM_SHARE_32, FFA_VERSION_1_1, [FFA_MEM_SHARE_64], null],
    ['an indirect message that the SPMC lacks', FFA_MSG_SEND2, FFA_VERSION_1_1, [FFA_MSG_SEND2], null],
    ['a direct request 2 for 1.1', FFA_MSG_SEND_DIRECT_REQ2, FFA_VERSION_1_1, [], null],
    ['a direct request 2 for 1.2', FFA_MSG_SEND_DIRECT_REQ2, FFA_VERSION_1_2, [], 0],
    ['information in registers for 1.1', FFA_PARTITION_INFO_GET_REGS, FFA_VERSION_1_1, [], null],
    ['information in registers for 1.2', FFA_PARTITION_INFO_GET_REGS, FFA_VERSION_1_2, [], 0],
    ['buffers for 1.1', FFA_RXTX_MAP_64, FFA_VERSION_1_1, [], 0],
    ['buffers for 1.2: one page', FFA_RXTX_MAP_64, FFA_VERSION_1_2, [], 0x10000],
    ['the pending interrupt', 1, FFA_VERSION_1_1, [], 8],
    ['the schedule-receiver interrupt', 2, FFA_VERSION_1_1, [], 9],
    ['managed exit', 3, FFA_VERSION_1_1, [], null],
    ['a notification call, whatever the SPMC has', FFA_NOTIFICATION_GET, FFA_VERSION_1_1, [FFA_NOTIFICATION_GET], 0],
    ['what only a hypervisor calls', FFA_NOTIFICATION_BITMAP_CREATE, FFA_VERSION_1_2, [], null],
    ['acquiring RX', FFA_RX_ACQUIRE, FFA_VERSION_1_2, [], null],
    ['the id of the SPMC', FFA_SPM_ID_GET, FFA_VERSION_1_2, [], null],
  ];

  it.each(rows)('%s', (_name, asked, version, lacks, w2) => {
    const mediator = new Mediator({ profile: XEN_2026, lacks });
    const guest = mediator.readyGuest(version);
    const answer = mediator.call(guest, FFA_FEATURES, asked, 0xdead);
    expect(answer).toEqual(w2 === null ? errorAnswer(FFA_NOT_SUPPORTED) : successAnswer(w2));
  });

  it('is itself not supported in the first generation', () => {
    const mediator = new Mediator({ profile: XEN_2024 });
    expect(mediator.call(mediator.guest(), FFA_FEATURES, FFA_VERSION)).toEqual(errorAnswer(FFA_NOT_SUPPORTED));
  });

  it('denies 64-bit functions to a guest of 32 bits', () => {
    const mediator = new Mediator({ profile: XEN_2026 });
    const guest = mediator.guest(32);
    mediator.call(guest, FFA_VERSION, FFA_VERSION_1_1);
    expect(mediator.call(guest, FFA_FEATURES, FFA_MEM_SHARE_64)).toEqual(errorAnswer(FFA_NOT_SUPPORTED));
    expect(mediator.call(guest, FFA_FEATURES, FFA_MEM_SHARE_32)).toEqual(successAnswer());
  });
});
