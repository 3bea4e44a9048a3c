// Whom the default profile lets run: partitions that the SPMC lists, and those that a guest may run.

import { describe, expect, it } from 'vitest';
import { FFA_ABORTED, FFA_BUSY, FFA_DENIED, FFA_NOT_SUPPORTED } from '../../src/abi/errors.ts';
import {
  FFA_ERROR,
  FFA_INTERRUPT,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_MSG_WAIT,
  FFA_NOTIFICATION_INFO_GET_64,
  FFA_RUN,
  FFA_SUCCESS_64,
  FFA_YIELD,
} from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import { FFABRIC } from '../../src/hypervisor/profiles/ffabric.ts';
import { contextOf, drive, errorAnswer, Mediator, SP1, XEN_2026 } from './mediator.ts';

const TARGET = (SP1 << 16) >>> 0;
const SP2_TARGET = ((SP1 + 1) << 16) >>> 0;
const PERMISSIVE = { ...FFABRIC, guestsRunWaiting: true };
const LIST_OF_ONE = 1 << 7;
const LIST_OF_TWO = 2 << 7;

/** FFA_RUN is answered so, in turn; the last answer stays. */
function answerRuns(mediator: Mediator, answers: readonly (readonly number[])[]): void {
  let at = 0;
  const next = () => mediator.spmc.answers.set(FFA_RUN, answers[Math.min(at++, answers.length - 1)]);
  next();
  mediator.spmc.meanwhile.set(FFA_RUN, next);
}

function runs(mediator: Mediator): number[] {
  return mediator.spmc.smcs.filter(([w0]) => w0 === FFA_RUN).map(([, w1]) => w1);
}

/** The SPMC lists these two ids, or one. */
function interrupt(mediator: Mediator, first: number, second = 0): void {
  const lists = second === 0 ? LIST_OF_ONE : LIST_OF_TWO;
  mediator.spmc.answers.set(FFA_NOTIFICATION_INFO_GET_64, [FFA_SUCCESS_64, 0, lists, first + second * 0x1_0000]);
  drive(mediator.hypervisor.scheduleReceiver(mediator.pe));
}

describe('the schedule-receiver interrupt', () => {
  it('gives a PE to each partition that is listed, and tells the VMs', () => {
    const mediator = new Mediator({ profile: FFABRIC });
    const guest = mediator.readyGuest(FFA_VERSION_1_2);
    guest.vcpus[0].online = true;
    answerRuns(mediator, [[FFA_MSG_WAIT, TARGET]]);
    interrupt(mediator, SP1, guest.vmId);
    expect(runs(mediator)).toEqual([TARGET]);
    expect(contextOf(guest).secureNotificationPending).toBe(true);
    mediator.spmc.forget();
    interrupt(mediator, SP1, SP1 + 1);
    expect(runs(mediator)).toEqual([TARGET, SP2_TARGET]);
  });

  it('of Xen runs nobody', () => {
    const mediator = new Mediator({ profile: XEN_2026 });
    interrupt(mediator, SP1);
    expect(runs(mediator)).toEqual([]);
  });

  it('passes over a partition that is not known, and the hypervisor’s own id', () => {
    const mediator = new Mediator({ profile: FFABRIC });
    interrupt(mediator, 0x8009);
    interrupt(mediator, 0);
    expect(runs(mediator)).toEqual([]);
  });

  it('runs a partition on that is preempted or yields; after many times the tick goes on', () => {
    const mediator = new Mediator({ profile: FFABRIC });
    mediator.pe.interruptPending = true;
    answerRuns(mediator, [
      [FFA_INTERRUPT, TARGET],
      [FFA_YIELD, TARGET],
      [FFA_MSG_WAIT, TARGET],
    ]);
    interrupt(mediator, SP1);
    expect([runs(mediator).length, mediator.pe.interruptPending]).toEqual([3, false]);
    expect(mediator.hypervisor.secure.stopped.size).toBe(0);
    mediator.spmc.forget();
    answerRuns(mediator, [[FFA_INTERRUPT, TARGET]]);
    interrupt(mediator, SP1);
    expect([runs(mediator).length, mediator.hypervisor.schedule.unfinished]).toEqual([16, [TARGET]]);
    // It is not started a second time meanwhile.
    interrupt(mediator, SP1);
    expect(runs(mediator).length).toBe(16);
    mediator.spmc.forget();
    answerRuns(mediator, [[FFA_MSG_WAIT, TARGET]]);
    const timer = mediator.machine.time.takeDue(mediator.machine.time.nowNs + 10_000_000);
    if (timer === null) throw new Error('a tick is due');
    drive(mediator.hypervisor.timerFired(mediator.pe, timer));
    expect([runs(mediator), mediator.hypervisor.schedule.unfinished]).toEqual([[TARGET], []]);
    expect(mediator.machine.time.next).toBeNull();
  });

  it('leaves alone what stands still in the service of a guest', () => {
    const mediator = new Mediator({ profile: FFABRIC });
    const guest = mediator.readyGuest(FFA_VERSION_1_2);
    mediator.spmc.answers.set(FFA_MSG_SEND_DIRECT_REQ_32, [FFA_INTERRUPT, TARGET]);
    mediator.call(guest, FFA_MSG_SEND_DIRECT_REQ_32, ((guest.vmId << 16) | SP1) >>> 0);
    interrupt(mediator, SP1);
    expect(runs(mediator)).toEqual([]);
    // Once the guest has its answer the partition is free.
    answerRuns(mediator, [
      [FFA_MSG_SEND_DIRECT_RESP_32, ((SP1 << 16) | guest.vmId) >>> 0],
      [FFA_MSG_WAIT, TARGET],
    ]);
    mediator.call(guest, FFA_RUN, TARGET);
    interrupt(mediator, SP1);
    expect(runs(mediator)).toEqual([TARGET, TARGET]);
  });
});

describe('FFA_RUN of a guest', () => {
  it.each([
    [FFABRIC, errorAnswer(FFA_DENIED), 0],
    [PERMISSIVE, [FFA_MSG_WAIT, TARGET, 0, 0, 0, 0, 0, 0], 1],
  ])('of a partition that waits: $0.guestsRunWaiting', (profile, answer, count) => {
    const mediator = new Mediator({ profile });
    const guest = mediator.readyGuest(FFA_VERSION_1_2);
    answerRuns(mediator, [[FFA_MSG_WAIT, TARGET, 7, 7]]);
    expect(mediator.call(guest, FFA_RUN, TARGET)).toEqual(answer);
    expect(runs(mediator).length).toBe(count);
  });

  it('of what is no partition is not supported', () => {
    const mediator = new Mediator({ profile: PERMISSIVE });
    const guest = mediator.readyGuest(FFA_VERSION_1_2);
    expect(mediator.call(guest, FFA_RUN, 0x5_0000)).toEqual(errorAnswer(FFA_NOT_SUPPORTED));
  });

  it('of a partition that it made run, and that was preempted, goes on until it waits', () => {
    const mediator = new Mediator({ profile: PERMISSIVE });
    const guest = mediator.readyGuest(FFA_VERSION_1_2);
    const other = mediator.readyGuest(FFA_VERSION_1_2);
    answerRuns(mediator, [
      [FFA_INTERRUPT, TARGET],
      [FFA_MSG_WAIT, TARGET],
    ]);
    expect(mediator.call(guest, FFA_RUN, TARGET)[0]).toBe(FFA_INTERRUPT);
    expect(contextOf(guest).unfinished).toEqual([TARGET]);
    expect(mediator.call(other, FFA_RUN, TARGET)).toEqual(errorAnswer(FFA_DENIED));
    expect(mediator.call(guest, FFA_RUN, TARGET)[0]).toBe(FFA_MSG_WAIT);
    expect([contextOf(guest).unfinished, mediator.hypervisor.secure.stopped.size]).toEqual([[], 0]);
  });

  it.each([
    ['a message of the hypervisor', 0],
    ['a request of another guest', 1],
  ])('does not reach what stands still over %s', (_name, which) => {
    const mediator = new Mediator({ profile: PERMISSIVE });
    const guest = mediator.readyGuest(FFA_VERSION_1_2);
    const other = mediator.readyGuest(FFA_VERSION_1_2);
    if (which === 0) mediator.hypervisor.secure.stopped.set(TARGET, 0);
    else {
      mediator.spmc.answers.set(FFA_MSG_SEND_DIRECT_REQ_32, [FFA_YIELD, TARGET]);
      mediator.call(other, FFA_MSG_SEND_DIRECT_REQ_32, ((other.vmId << 16) | SP1) >>> 0);
    }
    expect(mediator.call(guest, FFA_RUN, TARGET)).toEqual(errorAnswer(FFA_DENIED));
    expect(runs(mediator)).toEqual([]);
  });

  it('that brings somebody else’s answer gets ABORTED instead; an error is relayed', () => {
    const mediator = new Mediator({ profile: PERMISSIVE });
    const guest = mediator.readyGuest(FFA_VERSION_1_2);
    answerRuns(mediator, [[FFA_MSG_SEND_DIRECT_RESP_32, ((SP1 << 16) | 99) >>> 0]]);
    expect(mediator.call(guest, FFA_RUN, TARGET)).toEqual(errorAnswer(FFA_ABORTED));
    answerRuns(mediator, [[FFA_ERROR, 0, FFA_BUSY]]);
    expect(mediator.call(guest, FFA_RUN, TARGET)).toEqual(errorAnswer(FFA_BUSY));
  });
});

describe('what stands still in the secure world', () => {
  it('is known by what it said last, and forgotten when it has answered, waits or died', () => {
    const mediator = new Mediator({ profile: FFABRIC });
    const { stopped } = mediator.hypervisor.secure;
    const guest = mediator.readyGuest(FFA_VERSION_1_2);
    const ask = () => mediator.call(guest, FFA_MSG_SEND_DIRECT_REQ_32, ((guest.vmId << 16) | SP1) >>> 0);
    mediator.spmc.answers.set(FFA_MSG_SEND_DIRECT_REQ_32, [FFA_INTERRUPT, TARGET]);
    for (const [answer, left] of [
      [[FFA_ERROR, 0, FFA_BUSY], [[TARGET, guest.vmId]]],
      [[FFA_INTERRUPT, SP2_TARGET], [[SP2_TARGET, guest.vmId]]],
    ] as const) {
      stopped.clear();
      ask();
      expect([...stopped]).toEqual([[TARGET, guest.vmId]]);
      mediator.spmc.answers.set(FFA_RUN, answer);
      mediator.call(guest, FFA_RUN, TARGET);
      expect([...stopped]).toEqual(left);
    }
    mediator.spmc.answers.set(FFA_RUN, [FFA_ERROR, 0, FFA_ABORTED]);
    mediator.call(guest, FFA_RUN, SP2_TARGET);
    expect([...stopped]).toEqual([]);
  });
});
