// Notifications: bitmaps, bindings, what is set and fetched, and how the hypervisor hears of it.

import { describe, expect, test } from 'vitest';
import { FFA_DENIED } from '../../src/abi/errors.ts';
import {
  FFA_MSG_SEND2,
  FFA_MSG_WAIT,
  FFA_NOTIFICATION_BIND,
  FFA_NOTIFICATION_BITMAP_CREATE,
  FFA_NOTIFICATION_BITMAP_DESTROY,
  FFA_NOTIFICATION_GET,
  FFA_NOTIFICATION_INFO_GET_32,
  FFA_NOTIFICATION_INFO_GET_64,
  FFA_NOTIFICATION_SET,
  FFA_NOTIFICATION_UNBIND,
  FFA_RUN,
  FFA_RXTX_UNMAP,
} from '../../src/abi/function-ids.ts';
import { decodeNotificationInfo } from '../../src/abi/notification-info.ts';
import type { SpmcOptions } from '../../src/spmc/options.ts';
import { HAFNIUM_PERSONALITY } from '../../src/spmc/personalities/hafnium.ts';
import type { Personality } from '../../src/spmc/personality.ts';
import { BufferWorld, SRI, VM, VM_TX } from './buffer-world.ts';
import { callWith, ids, SP1, SP2, SP3, said } from './small-world.ts';

const GET_SP = 1;
const GET_VM = 2;
const GET_SPM = 4;
const GET_HYP = 8;
const PER_VCPU = 1;
const DELAY = 2;

/** SP1 and SP3 (which has two contexts) take notifications, SP2 does not; SP1 may set 1, 2 and 35 of the VM. */
function bound(options: Partial<SpmcOptions> = {}): BufferWorld {
  const taking = { notificationSupport: true };
  const world = new BufferWorld([taking, {}, { ...taking, executionContextCount: 2 }], options);
  expect(said(world.call(FFA_NOTIFICATION_BITMAP_CREATE, VM, 2))).toBe('FFA_SUCCESS_32');
  expect(said(world.call(FFA_NOTIFICATION_BIND, ids(SP1, VM), 0, 6, 8))).toBe('FFA_SUCCESS_32');
  return world;
}

/** A personality like Hafnium's with other rules for notifications. */
function withRules(rules: Partial<Personality['notifications']>): Partial<SpmcOptions> {
  const notifications = { ...HAFNIUM_PERSONALITY.notifications, ...rules };
  return { personality: { ...HAFNIUM_PERSONALITY, notifications, narrowForms: true } };
}

/** The lists of an answer of FFA_NOTIFICATION_INFO_GET, and whether there is more. */
function told(world: BufferWorld, call = FFA_NOTIFICATION_INFO_GET_64): unknown {
  const answer = world.call(call);
  if (answer[0] === 0x84000060) return said(answer);
  const decoded = decodeNotificationInfo(world.pe.smc.words);
  if (!decoded.ok) throw new Error(JSON.stringify(decoded.fault));
  const { lists, isMorePending } = decoded.value;
  return [...lists.map(({ endpoint, vcpus }) => [endpoint, ...vcpus]), ...(isMorePending ? ['more'] : [])];
}

describe('set and fetched', () => {
  test('what a partition sets reaches the VM once, with one interrupt', () => {
    const world = bound();
    expect(said(world.callAs(SP1, FFA_NOTIFICATION_SET, ids(SP1, VM), 0, 2))).toBe('FFA_SUCCESS_32');
    expect(said(world.callAs(SP1, FFA_NOTIFICATION_SET, ids(SP1, VM), 0, 0, 8))).toBe('FFA_SUCCESS_32');
    expect(world.interrupts).toEqual([SRI]);
    expect(told(world)).toEqual([[VM]]);
    expect(told(world)).toBe('FFA_ERROR NO_DATA');
    expect(world.call(FFA_NOTIFICATION_GET, VM, GET_SP).slice(1)).toEqual([0, 2, 8, 0, 0, 0, 0]);
    expect(world.call(FFA_NOTIFICATION_GET, VM, GET_SP).slice(1)).toEqual([0, 0, 0, 0, 0, 0, 0]);
    world.callAs(SP1, FFA_NOTIFICATION_SET, ids(SP1, VM), 0, 2);
    expect(world.interrupts).toEqual([SRI, SRI]);
  });

  test('what a VM sets reaches the partition, which has its interrupt', () => {
    const world = bound();
    expect(said(world.callAs(SP1, FFA_NOTIFICATION_BIND, ids(VM, SP1), 0, 1))).toBe('FFA_SUCCESS_32');
    expect(said(world.call(FFA_NOTIFICATION_SET, ids(VM, SP1), 0, 1))).toBe('FFA_SUCCESS_32');
    expect(world.spmc.partitions[0].vcpus[0].interrupts).toEqual([5]);
    expect(told(world)).toEqual([[SP1]]);
    expect(world.callAs(SP1, FFA_NOTIFICATION_GET, SP1, GET_SP | GET_VM).slice(2)).toEqual([0, 0, 1, 0, 0, 0]);
  });

  test('what partitions set for each other', () => {
    const world = bound();
    world.callAs(SP3, FFA_NOTIFICATION_BIND, ids(SP1, SP3), 0, 0x8000_0000, 1);
    expect(said(world.callAs(SP1, FFA_NOTIFICATION_SET, ids(SP1, SP3), 0, 0x8000_0000, 1))).toBe('FFA_SUCCESS_32');
    expect(world.callAs(SP3, FFA_NOTIFICATION_GET, ids(1, SP3), 3).slice(2)).toEqual([0x8000_0000, 1, 0, 0, 0, 0]);
  });

  test('a partition at S-EL0 gets no interrupt: it asks', () => {
    const el0 = { notificationSupport: true, exceptionLevel: 'S-EL0' as const };
    const world = new BufferWorld([el0, {}]);
    world.callAs(SP1, FFA_NOTIFICATION_BIND, ids(SP2, SP1), 0, 1);
    world.callAs(SP2, FFA_NOTIFICATION_SET, ids(SP2, SP1), 0, 1);
    expect(world.spmc.partitions[0].vcpus[0].interrupts).toEqual([]);
    expect(world.callAs(SP1, FFA_NOTIFICATION_GET, SP1, GET_SP)[2]).toBe(1);
  });

  test('fc50ef7d: one that is set twice is one, and the next is told of', () => {
    const world = bound();
    for (let n = 0; n < 2; n++) {
      expect(said(world.callAs(SP1, FFA_NOTIFICATION_SET, ids(SP1, VM), 0, 2))).toBe('FFA_SUCCESS_32');
    }
    expect(world.call(FFA_NOTIFICATION_GET, VM, GET_SP)[2]).toBe(2);
    expect(told(world)).toBe('FFA_ERROR NO_DATA');
    world.interrupts.length = 0;
    world.callAs(SP1, FFA_NOTIFICATION_SET, ids(SP1, VM), 0, 4);
    expect(world.interrupts).toEqual([SRI]);
    expect(told(world)).toEqual([[VM]]);
  });

  test('fc50ef7d: one that is set again after it was told of is not told of again, and another is', () => {
    const world = bound();
    world.callAs(SP1, FFA_NOTIFICATION_SET, ids(SP1, VM), 0, 2);
    expect(told(world)).toEqual([[VM]]);
    world.callAs(SP1, FFA_NOTIFICATION_SET, ids(SP1, VM), 0, 2);
    expect(told(world)).toBe('FFA_ERROR NO_DATA');
    world.callAs(SP1, FFA_NOTIFICATION_SET, ids(SP1, VM), 0, 6);
    expect(told(world)).toEqual([[VM]]);
    expect(world.call(FFA_NOTIFICATION_GET, VM, GET_SP)[2]).toBe(6);
  });

  test('b59e43fec: GET has the vCPU in the upper half of w1, the receiver in the lower', () => {
    const world = bound();
    world.callAs(SP1, FFA_NOTIFICATION_SET, ids(SP1, VM), 0, 2);
    // vCPU 1 of VM 3, not vCPU 3 of VM 1.
    expect(world.call(FFA_NOTIFICATION_GET, ids(1, VM), GET_SP).slice(0, 3)).toEqual([0x84000061, 0, 2]);
    expect(said(world.call(FFA_NOTIFICATION_GET, ids(VM, 1), GET_SP))).toBe('FFA_ERROR INVALID_PARAMETERS');
    expect(said(world.call(FFA_NOTIFICATION_GET, ids(2, VM), GET_SP))).toBe('FFA_ERROR INVALID_PARAMETERS');
  });

  test('each flag fetches its own', () => {
    const world = bound();
    world.callAs(SP1, FFA_NOTIFICATION_BIND, ids(VM, SP1), 0, 1);
    world.callAs(SP1, FFA_NOTIFICATION_BIND, ids(SP2, SP1), 0, 1);
    world.call(FFA_NOTIFICATION_SET, ids(VM, SP1), 0, 1);
    world.callAs(SP2, FFA_NOTIFICATION_SET, ids(SP2, SP1), 0, 1);
    expect(world.callAs(SP1, FFA_NOTIFICATION_GET, SP1, 0).slice(2)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(world.callAs(SP1, FFA_NOTIFICATION_GET, SP1, GET_VM).slice(2)).toEqual([0, 0, 1, 0, 0, 0]);
    expect(world.callAs(SP1, FFA_NOTIFICATION_GET, SP1, GET_SP | GET_VM).slice(2)).toEqual([1, 0, 0, 0, 0, 0]);
  });
});

describe('of the framework', () => {
  test.each([
    ["a VM's message: the hypervisor's", GET_HYP, [0, 1]],
    ['either flag fetches both', GET_SPM, [0, 1]],
  ])('%s', (_name, flag, expected) => {
    const world = bound();
    world.mapVm();
    world.message(VM_TX, VM, SP1, 'hello');
    expect(said(world.call(FFA_MSG_SEND2, ids(VM, 0)))).toBe('FFA_SUCCESS_32');
    expect(world.interrupts).toEqual([SRI]);
    expect(told(world)).toEqual([[SP1]]);
    expect(world.callAs(SP1, FFA_NOTIFICATION_GET, SP1, flag).slice(6)).toEqual(expected);
    expect(world.callAs(SP1, FFA_NOTIFICATION_GET, SP1, flag).slice(6)).toEqual([0, 0]);
  });

  test("a partition's message: the SPM's, to a VM whether or not it has a bitmap", () => {
    const world = bound();
    world.mapVm(VM + 1);
    world.message(world.txOf(SP1), SP1, VM + 1, 'hello');
    expect(said(world.callAs(SP1, FFA_MSG_SEND2))).toBe('FFA_SUCCESS_32');
    expect(told(world)).toEqual([[VM + 1]]);
    expect(world.call(FFA_NOTIFICATION_GET, VM + 1, GET_SPM).slice(6)).toEqual([1, 0]);
  });

  test('of buffers that are unmapped is not pending any more', () => {
    const world = bound();
    world.mapVm();
    world.message(world.txOf(SP1), SP1, VM, 'hello');
    world.callAs(SP1, FFA_MSG_SEND2);
    world.call(FFA_RXTX_UNMAP, ids(VM, 0));
    expect(told(world)).toBe('FFA_ERROR NO_DATA');
    expect(world.call(FFA_NOTIFICATION_GET, VM, GET_SPM).slice(6)).toEqual([0, 0]);
  });
});

describe('refused', () => {
  const S = FFA_NOTIFICATION_SET;
  const B = FFA_NOTIFICATION_BIND;
  const U = FFA_NOTIFICATION_UNBIND;
  const G = FFA_NOTIFICATION_GET;
  const rows: readonly [string, (world: BufferWorld) => number[], string][] = [
    ['CREATE twice', (w) => w.call(FFA_NOTIFICATION_BITMAP_CREATE, VM, 1), 'DENIED'],
    ['7ccaccf2: CREATE for a partition', (w) => w.call(FFA_NOTIFICATION_BITMAP_CREATE, SP1, 1), 'INVALID_PARAMETERS'],
    ['CREATE for no id', (w) => w.call(FFA_NOTIFICATION_BITMAP_CREATE, 0x10004, 1), 'INVALID_PARAMETERS'],
    ['CREATE without vCPUs', (w) => w.call(FFA_NOTIFICATION_BITMAP_CREATE, 4, 0), 'INVALID_PARAMETERS'],
    ['CREATE with too many vCPUs', (w) => w.call(FFA_NOTIFICATION_BITMAP_CREATE, 4, 513), 'INVALID_PARAMETERS'],
    ['CREATE by a partition', (w) => w.callAs(SP1, FFA_NOTIFICATION_BITMAP_CREATE, 4, 1), 'NOT_SUPPORTED'],
    ['DESTROY of none', (w) => w.call(FFA_NOTIFICATION_BITMAP_DESTROY, 4), 'DENIED'],
    ['7ccaccf2: DESTROY of a partition', (w) => w.call(FFA_NOTIFICATION_BITMAP_DESTROY, SP1), 'INVALID_PARAMETERS'],
    ['DESTROY by a partition', (w) => w.callAs(SP1, FFA_NOTIFICATION_BITMAP_DESTROY, VM), 'NOT_SUPPORTED'],
    ['BIND of a bound one', (w) => w.call(B, ids(SP2, VM), 0, 4), 'DENIED'],
    ['BIND of its own again', (w) => w.call(B, ids(SP1, VM), 0, 4), 'DENIED'],
    ['BIND of nothing', (w) => w.call(B, ids(SP2, VM), 0, 0), 'INVALID_PARAMETERS'],
    ['BIND for each vCPU', (w) => w.call(B, ids(SP2, VM), PER_VCPU, 1), 'INVALID_PARAMETERS'],
    ['BIND with reserved flags', (w) => w.call(B, ids(SP2, VM), 0x10, 1), 'INVALID_PARAMETERS'],
    ['BIND to itself', (w) => w.callAs(SP1, B, ids(SP1, SP1), 0, 1), 'INVALID_PARAMETERS'],
    ['BIND for another', (w) => w.callAs(SP1, B, ids(SP2, VM), 0, 1), 'INVALID_PARAMETERS'],
    ['BIND among VMs', (w) => w.call(B, ids(VM + 1, VM), 0, 1), 'INVALID_PARAMETERS'],
    ['BIND for a partition by the hypervisor', (w) => w.call(B, ids(SP2, SP1), 0, 1), 'INVALID_PARAMETERS'],
    ['7333dcfa: BIND to a partition that is not there', (w) => w.call(B, ids(0x8009, VM), 0, 1), 'INVALID_PARAMETERS'],
    ['7333dcfa: BIND for a VM that is not there', (w) => w.call(B, ids(SP1, 9), 0, 1), 'INVALID_PARAMETERS'],
    ['BIND to a logical partition', (w) => w.callAs(SP1, B, ids(0xffc0, SP1), 0, 1), 'INVALID_PARAMETERS'],
    ['BIND without support', (w) => w.callAs(SP2, B, ids(SP1, SP2), 0, 1), 'NOT_SUPPORTED'],
    ['UNBIND by another', (w) => w.call(U, ids(SP2, VM), 0, 2), 'DENIED'],
    ['UNBIND of one that is not bound', (w) => w.call(U, ids(SP1, VM), 0, 1), 'DENIED'],
    ['UNBIND of nothing', (w) => w.call(U, ids(SP1, VM), 0, 0), 'INVALID_PARAMETERS'],
    ['UNBIND with flags', (w) => w.call(U, ids(SP1, VM), 1, 2), 'INVALID_PARAMETERS'],
    ['UNBIND without support', (w) => w.callAs(SP2, U, ids(SP1, SP2), 0, 1), 'NOT_SUPPORTED'],
    ['SET of an unbound one', (w) => w.callAs(SP1, S, ids(SP1, VM), 0, 1), 'DENIED'],
    ['SET of one bound and one unbound', (w) => w.callAs(SP1, S, ids(SP1, VM), 0, 3), 'DENIED'],
    ['SET by another', (w) => w.callAs(SP2, S, ids(SP2, VM), 0, 2), 'DENIED'],
    ['SET to whom takes none', (w) => w.callAs(SP1, S, ids(SP1, SP2), 0, 2), 'DENIED'],
    ['SET in its name', (w) => w.callAs(SP2, S, ids(SP1, VM), 0, 2), 'INVALID_PARAMETERS'],
    ['SET in its name by the hypervisor', (w) => w.call(S, ids(SP1, SP3), 0, 2), 'INVALID_PARAMETERS'],
    ['SET among VMs', (w) => w.call(S, ids(VM, VM + 1), 0, 2), 'INVALID_PARAMETERS'],
    ['SET to itself', (w) => w.callAs(SP1, S, ids(SP1, SP1), 0, 2), 'INVALID_PARAMETERS'],
    ['SET of nothing', (w) => w.callAs(SP1, S, ids(SP1, VM), 0, 0), 'INVALID_PARAMETERS'],
    ['7333dcfa: SET to nobody', (w) => w.callAs(SP1, S, ids(SP1, 9), 0, 2), 'INVALID_PARAMETERS'],
    ['7333dcfa: SET to no partition', (w) => w.call(S, ids(VM, 0x8009), 0, 2), 'INVALID_PARAMETERS'],
    ['6b754a18: SET with reserved flags', (w) => w.callAs(SP1, S, ids(SP1, VM), 4, 2), 'INVALID_PARAMETERS'],
    ['SET for a vCPU', (w) => w.callAs(SP1, S, ids(SP1, VM), PER_VCPU, 2), 'INVALID_PARAMETERS'],
    ['SET of a global one to a vCPU', (w) => w.callAs(SP1, S, ids(SP1, VM), 0x10000, 2), 'INVALID_PARAMETERS'],
    ['SET with a delay by a VM', (w) => w.call(S, ids(VM, SP1), DELAY, 2), 'INVALID_PARAMETERS'],
    ['GET for another', (w) => w.callAs(SP1, G, VM, GET_SP), 'INVALID_PARAMETERS'],
    ['GET for a partition by the hypervisor', (w) => w.call(G, SP1, GET_SP), 'INVALID_PARAMETERS'],
    ['GET for a VM that is not there', (w) => w.call(G, 9, GET_SP), 'INVALID_PARAMETERS'],
    ['GET with reserved flags', (w) => w.call(G, VM, 0x11), 'INVALID_PARAMETERS'],
    ["GET of VMs' for a VM", (w) => w.call(G, VM, GET_SP | GET_VM), 'INVALID_PARAMETERS'],
    ["GET of the hypervisor's for a VM", (w) => w.call(G, VM, GET_HYP), 'INVALID_PARAMETERS'],
    ['GET of a vCPU too many', (w) => w.call(G, ids(2, VM), GET_SP), 'INVALID_PARAMETERS'],
    ['GET of a context too many', (w) => w.callAs(SP3, G, ids(2, SP3), GET_SP), 'INVALID_PARAMETERS'],
    ['INFO_GET by a partition, 32', (w) => w.callAs(SP1, FFA_NOTIFICATION_INFO_GET_32), 'NOT_SUPPORTED'],
    ['INFO_GET by a partition, 64', (w) => w.callAs(SP1, FFA_NOTIFICATION_INFO_GET_64), 'NOT_SUPPORTED'],
    ['INFO_GET of nothing', (w) => w.call(FFA_NOTIFICATION_INFO_GET_64), 'NO_DATA'],
  ];

  test.each(rows)('%s', (_name, call, expected) => {
    const world = bound();
    expect(said(call(world))).toBe(`FFA_ERROR ${expected}`);
    // Nothing is pending, and what was bound is bound still.
    expect(world.interrupts).toEqual([]);
    expect(said(world.callAs(SP1, FFA_NOTIFICATION_SET, ids(SP1, VM), 0, 6, 8))).toBe('FFA_SUCCESS_32');
    expect(world.call(FFA_NOTIFICATION_GET, VM, GET_SP).slice(2, 4)).toEqual([6, 8]);
  });

  test('BIND and UNBIND of a partition of 1.0', () => {
    const world = new BufferWorld([{ notificationSupport: true, ffaVersion: 0x10000 }, {}]);
    for (const call of [B, U]) {
      expect(said(world.callAs(SP1, call, ids(SP2, SP1), 0, 1))).toBe('FFA_ERROR NOT_SUPPORTED');
    }
  });
});

describe('the bitmap of a VM that goes', () => {
  test('stays while something is pending; fetched and destroyed nothing is left', () => {
    const world = bound();
    world.callAs(SP1, FFA_NOTIFICATION_SET, ids(SP1, VM), 0, 0, 8);
    expect(said(world.call(FFA_NOTIFICATION_BITMAP_DESTROY, VM))).toBe('FFA_ERROR DENIED');
    expect(said(world.call(FFA_NOTIFICATION_UNBIND, ids(SP1, VM), 0, 0, 8))).toBe('FFA_ERROR DENIED');
    expect(said(world.call(FFA_NOTIFICATION_UNBIND, ids(SP1, VM), 0, 6))).toBe('FFA_SUCCESS_32');
    world.call(FFA_NOTIFICATION_GET, VM, GET_SP);
    expect(said(world.call(FFA_NOTIFICATION_UNBIND, ids(SP1, VM), 0, 0, 8))).toBe('FFA_SUCCESS_32');
    expect(said(world.call(FFA_NOTIFICATION_BITMAP_DESTROY, VM))).toBe('FFA_SUCCESS_32');
    expect(world.spmc.virtualMachines.size).toBe(0);
  });

  test('does not wait for a message in RX', () => {
    const world = bound();
    world.mapVm();
    world.message(world.txOf(SP1), SP1, VM, 'hello');
    world.callAs(SP1, FFA_MSG_SEND2);
    expect(said(world.call(FFA_NOTIFICATION_BITMAP_DESTROY, VM))).toBe('FFA_SUCCESS_32');
    expect(told(world)).toBe('FFA_ERROR NO_DATA');
  });

  test('leaves no binding to the next VM of that id', () => {
    const world = bound();
    world.call(FFA_NOTIFICATION_BITMAP_DESTROY, VM);
    expect(said(world.callAs(SP1, FFA_NOTIFICATION_SET, ids(SP1, VM), 0, 2))).toBe('FFA_ERROR INVALID_PARAMETERS');
    world.call(FFA_NOTIFICATION_BITMAP_CREATE, VM, 1);
    expect(said(world.callAs(SP1, FFA_NOTIFICATION_SET, ids(SP1, VM), 0, 2))).toBe('FFA_ERROR DENIED');
    expect(said(world.call(FFA_NOTIFICATION_GET, ids(1, VM), GET_SP))).toBe('FFA_ERROR INVALID_PARAMETERS');
  });

  test('was told of, and is told of no more', () => {
    const world = bound();
    world.callAs(SP1, FFA_NOTIFICATION_SET, ids(SP1, VM), 0, 2);
    world.call(FFA_NOTIFICATION_GET, VM, GET_SP);
    world.call(FFA_NOTIFICATION_BITMAP_DESTROY, VM);
    expect(told(world)).toBe('FFA_ERROR NO_DATA');
  });
});

describe('the schedule receiver interrupt', () => {
  /** How many interrupts there were after SP1's SET with `flags`, and after its PE was back. */
  function raised(world: BufferWorld, flags: number): number[] {
    const counts: number[] = [];
    world.program(SP1).behaviour = (context) => {
      if (context.registers.w(0) === FFA_RUN) return callWith(context, FFA_NOTIFICATION_SET, ids(SP1, VM), flags, 2);
      counts.push(world.interrupts.length);
      return callWith(context, FFA_MSG_WAIT);
    };
    world.call(FFA_RUN, ids(SP1, 0));
    counts.push(world.interrupts.length);
    return counts;
  }

  test('comes at once, or when the PE returns if it was delayed', () => {
    expect(raised(bound(), 0)).toEqual([1, 1]);
    expect(raised(bound(), DELAY)).toEqual([0, 1]);
  });

  test('delayed on one PE is not raised by the return of another', () => {
    const world = bound();
    const { scheduleReceiver } = world.spmc;
    scheduleReceiver.delay(0);
    scheduleReceiver.leaving(1);
    expect(world.interrupts).toEqual([]);
    scheduleReceiver.leaving(0);
    expect(world.interrupts).toEqual([SRI]);
    scheduleReceiver.leaving(0);
    expect(world.interrupts).toEqual([SRI]);
  });

  test('of a SET that is not delayed covers one that was', () => {
    const world = bound();
    world.spmc.scheduleReceiver.delay(0);
    world.spmc.scheduleReceiver.raise(0);
    world.spmc.scheduleReceiver.handled();
    world.spmc.scheduleReceiver.leaving(0);
    expect(world.interrupts).toEqual([SRI]);
  });

  test('is raised on the PE of the SET', () => {
    const world = bound();
    world.callAs(SP1, FFA_NOTIFICATION_BIND, ids(VM, SP1), 0, 1);
    world.callOn(world.otherPe, FFA_NOTIFICATION_SET, ids(VM, SP1), 0, 1);
    expect(world.interrupts).toEqual([{ ...SRI, target: 1 }]);
  });
});

describe('FFA_NOTIFICATION_INFO_GET', () => {
  function manyVms(count: number, options: Partial<SpmcOptions> = {}): BufferWorld {
    const world = new BufferWorld([{}], options);
    for (let vm = 1; vm <= count; vm++) {
      world.call(FFA_NOTIFICATION_BITMAP_CREATE, vm, 1);
      world.call(FFA_NOTIFICATION_BIND, ids(SP1, vm), 0, 1);
      world.callAs(SP1, FFA_NOTIFICATION_SET, ids(SP1, vm), 0, 1);
    }
    return world;
  }

  const lists = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, n) => [first + n]);

  test('be4d4543: 32: ten endpoints an answer, two in each of w3 to w7', () => {
    expect(said(manyVms(1).call(FFA_NOTIFICATION_INFO_GET_32))).toBe('FFA_ERROR NOT_SUPPORTED');
    const world = manyVms(12, withRules({}));
    const first = world.call(FFA_NOTIFICATION_INFO_GET_32);
    expect(first.slice(0, 3)).toEqual([0x84000061, 0, (10 << 7) | 1]);
    expect(first.slice(3)).toEqual([ids(2, 1), ids(4, 3), ids(6, 5), ids(8, 7), ids(10, 9)]);
    const second = world.call(FFA_NOTIFICATION_INFO_GET_32);
    expect(second.slice(2)).toEqual([2 << 7, ids(12, 11), 0, 0, 0, 0]);
  });

  test('64: twenty endpoints an answer, four in each of x3 to x7', () => {
    const world = manyVms(21);
    expect(told(world)).toEqual([...lists(1, 20), 'more']);
    expect(world.pe.smc.w(0)).toBe(0xc4000061);
    expect([world.pe.smc.w(3), world.pe.smc.high(3)]).toEqual([ids(2, 1), ids(4, 3)]);
    expect(told(world)).toEqual(lists(21, 21));
    expect(told(world)).toBe('FFA_ERROR NO_DATA');
  });

  test('says that there is more only when there is', () => {
    expect(told(manyVms(20))).toEqual(lists(1, 20));
    const world = manyVms(21);
    world.call(FFA_NOTIFICATION_GET, 21, GET_SP);
    expect(told(world)).toEqual(lists(1, 20));
  });

  test('level reporting: what is pending is told each time, until it is fetched', () => {
    const world = manyVms(3, withRules({ reporting: 'level' }));
    expect(told(world)).toEqual([[1], [2], [3]]);
    expect(told(world)).toEqual([[1], [2], [3]]);
    world.call(FFA_NOTIFICATION_GET, 2, GET_SP);
    expect(told(world)).toEqual([[1], [3]]);
    for (const vm of [1, 3]) world.call(FFA_NOTIFICATION_GET, vm, GET_SP);
    expect(told(world)).toBe('FFA_ERROR NO_DATA');
  });

  test('level reporting: who found no room comes first the next time', () => {
    const world = manyVms(22, withRules({ reporting: 'level' }));
    expect(told(world)).toEqual([...lists(1, 20), 'more']);
    expect(told(world)).toEqual([...lists(21, 22), ...lists(1, 18), 'more']);
  });

  test('costs what it tells, however many endpoints there are', () => {
    const world = manyVms(500);
    for (let vm = 1; vm <= 500; vm++) world.call(FFA_NOTIFICATION_GET, vm, GET_SP);
    expect(told(world)).toBe('FFA_ERROR NO_DATA');
    world.callAs(SP1, FFA_NOTIFICATION_SET, ids(SP1, 7), 0, 1);
    let asked = 0;
    for (const machine of world.spmc.virtualMachines.values()) {
      const { notifications } = machine;
      const tells = notifications.tells.bind(notifications);
      notifications.tells = (level) => {
        asked++;
        return tells(level);
      };
    }
    expect(told(world)).toEqual([[7]]);
    expect(asked).toBeLessThan(4);
  });
});

describe('per vCPU, where a personality has it', () => {
  const rules = withRules({ perVcpu: true });

  /** SP1 may set 1 of the VM (which has nine vCPUs) globally, and 4 for each vCPU. */
  function perVcpu(options = rules): BufferWorld {
    const world = new BufferWorld([{ notificationSupport: true }], options);
    world.call(FFA_NOTIFICATION_BITMAP_CREATE, VM, 9);
    expect(said(world.call(FFA_NOTIFICATION_BIND, ids(SP1, VM), 0, 1))).toBe('FFA_SUCCESS_32');
    expect(said(world.call(FFA_NOTIFICATION_BIND, ids(SP1, VM), PER_VCPU, 4))).toBe('FFA_SUCCESS_32');
    return world;
  }

  const set = (world: BufferWorld, bits: number, vcpu?: number) =>
    said(world.callAs(SP1, FFA_NOTIFICATION_SET, ids(SP1, VM), vcpu === undefined ? 0 : (vcpu << 16) | PER_VCPU, bits));

  test('each vCPU fetches its own, and whoever comes first what is for all', () => {
    const world = perVcpu();
    expect([set(world, 4, 2), set(world, 4, 5), set(world, 1)]).toEqual(Array(3).fill('FFA_SUCCESS_32'));
    const got = (vcpu: number) => world.call(FFA_NOTIFICATION_GET, ids(vcpu, VM), GET_SP)[2];
    expect([got(0), got(2), got(2), got(5), got(5)]).toEqual([1, 4, 0, 4, 0]);
  });

  test('lists name up to three vCPUs; the endpoint is named again for more', () => {
    const world = perVcpu();
    for (const vcpu of [0, 2, 4, 6, 8]) set(world, 4, vcpu);
    set(world, 1);
    expect(told(world)).toEqual([
      [VM, 0, 2, 4],
      [VM, 6, 8],
    ]);
    expect(told(world)).toBe('FFA_ERROR NO_DATA');
    set(world, 4, 3);
    expect(told(world)).toEqual([[VM, 3]]);
  });

  test('32: what does not fit, an id without its vCPU among it, is told the next time', () => {
    const world = perVcpu();
    for (let vcpu = 0; vcpu < 9; vcpu++) set(world, 4, vcpu);
    expect(told(world, FFA_NOTIFICATION_INFO_GET_32)).toEqual([[VM, 0, 1, 2], [VM, 3, 4, 5], [VM, 6], 'more']);
    expect(told(world, FFA_NOTIFICATION_INFO_GET_32)).toEqual([[VM, 7, 8]]);
  });

  test('32: no list begins where only its endpoint would fit', () => {
    const world = perVcpu();
    for (let vm = 4; vm <= 12; vm++) {
      world.call(FFA_NOTIFICATION_BITMAP_CREATE, vm, 1);
      world.call(FFA_NOTIFICATION_BIND, ids(SP1, vm), 0, 1);
      world.callAs(SP1, FFA_NOTIFICATION_SET, ids(SP1, vm), 0, 1);
    }
    set(world, 4, 1);
    const nine = [4, 5, 6, 7, 8, 9, 10, 11, 12].map((vm) => [vm]);
    expect(told(world, FFA_NOTIFICATION_INFO_GET_32)).toEqual([...nine, 'more']);
    expect(told(world, FFA_NOTIFICATION_INFO_GET_32)).toEqual([[VM, 1]]);
  });

  test.each([
    ['89c22131: SET for a vCPU of a global one', 1, 2, 'INVALID_PARAMETERS'],
    ['89c22131: SET for all of one for each vCPU', 4, undefined, 'INVALID_PARAMETERS'],
    ['SET of both kinds', 5, 2, 'INVALID_PARAMETERS'],
    ['SET for a vCPU that is not there', 4, 9, 'INVALID_PARAMETERS'],
    ['SET of one that is not bound', 8, 2, 'DENIED'],
  ])('%s is refused', (_name, bits, vcpu, expected) => {
    const world = perVcpu();
    expect(set(world, bits, vcpu)).toBe(`FFA_ERROR ${expected}`);
    expect(told(world)).toBe('FFA_ERROR NO_DATA');
  });

  test('what is pending for one vCPU keeps its binding and the bitmap', () => {
    const world = perVcpu();
    set(world, 4, 8);
    expect(said(world.call(FFA_NOTIFICATION_UNBIND, ids(SP1, VM), 0, 4))).toBe('FFA_ERROR DENIED');
    expect(said(world.call(FFA_NOTIFICATION_BITMAP_DESTROY, VM))).toBe('FFA_ERROR DENIED');
    world.call(FFA_NOTIFICATION_GET, ids(8, VM), GET_SP);
    expect(said(world.call(FFA_NOTIFICATION_UNBIND, ids(SP1, VM), 0, 4))).toBe('FFA_SUCCESS_32');
    // Bound anew it may be of the other kind.
    expect(said(world.call(FFA_NOTIFICATION_BIND, ids(SP1, VM), 0, 4))).toBe('FFA_SUCCESS_32');
    expect(set(world, 4)).toBe('FFA_SUCCESS_32');
  });

  test('where there is no such thing, BIND is answered as the personality says', () => {
    const world = new BufferWorld([{ notificationSupport: true }], withRules({ perVcpuError: FFA_DENIED }));
    world.call(FFA_NOTIFICATION_BITMAP_CREATE, VM, 1);
    expect(said(world.call(FFA_NOTIFICATION_BIND, ids(SP1, VM), PER_VCPU, 4))).toBe('FFA_ERROR DENIED');
  });

  test('the interrupt of a notification for a context is of that context', () => {
    const world = new BufferWorld([{ notificationSupport: true, executionContextCount: 2 }], rules);
    world.callAs(SP1, FFA_NOTIFICATION_BIND, ids(VM, SP1), PER_VCPU, 1);
    world.call(FFA_NOTIFICATION_SET, ids(VM, SP1), (1 << 16) | PER_VCPU, 1);
    expect(world.spmc.partitions[0].vcpus.map((vcpu) => vcpu.interrupts)).toEqual([[], [5]]);
  });
});
