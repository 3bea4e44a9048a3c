// Running partitions on a PE. The normal world's call enters one; it may call another, be preempted, crash; the loop
// ends when the normal world has the PE back, with its answer in `pe.smc`.
//
// A plain loop while nothing interleaves and nothing takes time; a coroutine otherwise.

import { ACCESS_WRITE, TOUCH_EVERYTHING, TOUCH_PARTITION } from '../base/announcement.ts';
import { assert } from '../base/assert.ts';
import type { Coroutine, Pending } from '../base/coroutine.ts';
import {
  EVENT_SP_CALL,
  EVENT_SP_CRASH,
  EVENT_SP_ENTER,
  EVENT_SP_EXIT,
  EVENT_SP_RETURN,
  EVENT_SP_WORK,
} from '../base/event-kinds.ts';
import { emitRegisters } from '../hardware/emit-registers.ts';
import { EXIT_CALL, EXIT_CRASH, EXIT_EXTERNAL, EXIT_IDLE, EXIT_WORK, type Exit } from '../hardware/partition-entry.ts';
import type { Pe } from '../hardware/pe.ts';
import { abortVcpu } from './crash.ts';
import { takeInterrupts } from './interrupts.ts';
import { type PartitionVcpu, VCPU_RUNNING } from './partition.ts';
import { callFromPartition, callFromPartitionInSteps } from './partition-door.ts';
import type { Spmc } from './spmc.ts';

/** Runs `first`, and whom it calls, until the normal world has the PE again. */
export function runVcpu(spmc: Spmc, pe: Pe, first: PartitionVcpu): Pending {
  let vcpu: PartitionVcpu | null = first;
  take(pe, first);
  if (pe.stepping) return runInSteps(spmc, pe, first, 0);
  for (;;) {
    if (vcpu.remainingNs > 0) return runInSteps(spmc, pe, vcpu, 0);
    const exit = enter(spmc, pe, vcpu);
    if (exit !== EXIT_CALL && exit !== EXIT_CRASH) return runInSteps(spmc, pe, vcpu, exit);
    vcpu = exit === EXIT_CALL ? callFromPartition(spmc, pe, vcpu) : crashed(spmc, pe, vcpu);
    if (spmc.pending.count > 0) vcpu = takeInterrupts(spmc, pe, vcpu);
    if (vcpu === null) return leave(spmc, pe);
    take(pe, vcpu);
  }
}

/** A secure interrupt takes the PE from the normal world, whose registers in `pe.smc` stay as they are. */
export function interruptNormalWorld(spmc: Spmc, pe: Pe): Pending {
  const handler = takeInterrupts(spmc, pe, null);
  return handler === null ? leave(spmc, pe) : runVcpu(spmc, pe, handler);
}

/** `runVcpu` as a coroutine. `exit`: what `first` left with already, 0 if it is to be entered. */
function* runInSteps(spmc: Spmc, pe: Pe, first: PartitionVcpu, exit: Exit | 0): Coroutine {
  let vcpu: PartitionVcpu | null = first;
  let left = exit;
  while (vcpu !== null) {
    const current: PartitionVcpu = vcpu;
    if (left === 0 && current.remainingNs > 0) {
      vcpu = yield* work(spmc, pe, current);
      if (vcpu !== null) take(pe, vcpu);
      continue;
    }
    if (left === 0) {
      if (pe.stepping) {
        pe.writes(TOUCH_EVERYTHING, 0);
        yield pe.also(TOUCH_PARTITION, current.endpoint, ACCESS_WRITE);
      }
      left = enter(spmc, pe, current);
    }
    switch (left) {
      case EXIT_CALL:
        vcpu = pe.stepping ? yield* callFromPartitionInSteps(spmc, pe, current) : callFromPartition(spmc, pe, current);
        break;
      case EXIT_CRASH:
        vcpu = crashed(spmc, pe, current);
        break;
      case EXIT_WORK:
        current.remainingNs = Math.max(0, current.workNs);
        break;
      case EXIT_IDLE:
        // Nothing but an interrupt ends this: time does not.
        current.remainingNs = Number.POSITIVE_INFINITY;
        break;
      case EXIT_EXTERNAL:
        yield pe.suspend();
        break;
      default:
        assert(false, 'a partition leaves with an exit that exists');
    }
    left = 0;
    if (spmc.pending.count > 0) vcpu = takeInterrupts(spmc, pe, vcpu);
    if (vcpu !== null) take(pe, vcpu);
  }
  leave(spmc, pe);
}

/** The PE is the context's now. */
function take(pe: Pe, vcpu: PartitionVcpu): void {
  vcpu.state = VCPU_RUNNING;
  vcpu.peIndex = pe.index;
}

function enter(spmc: Spmc, pe: Pe, vcpu: PartitionVcpu): Exit {
  if (vcpu.partition.dying) return EXIT_CRASH;
  const events = spmc.machine.events;
  if (!events.on) {
    vcpu.answered = false;
    return vcpu.program.run(vcpu);
  }
  if (vcpu.answered) emitRegisters(events, EVENT_SP_RETURN, pe.index, vcpu.endpoint, vcpu.registers);
  vcpu.answered = false;
  events.emit(EVENT_SP_ENTER, pe.index, vcpu.endpoint, vcpu.vcpu);
  const exit = vcpu.program.run(vcpu);
  events.emit(EVENT_SP_EXIT, pe.index, vcpu.endpoint, vcpu.vcpu, exit);
  if (exit === EXIT_CALL) emitRegisters(events, EVENT_SP_CALL, pe.index, vcpu.endpoint, vcpu.registers);
  if (exit === EXIT_WORK) events.emit(EVENT_SP_WORK, pe.index, vcpu.endpoint, vcpu.vcpu, vcpu.workNs);
  return exit;
}

function crashed(spmc: Spmc, pe: Pe, vcpu: PartitionVcpu): PartitionVcpu | null {
  const events = spmc.machine.events;
  if (events.on) events.emit(EVENT_SP_CRASH, pe.index, vcpu.endpoint, vcpu.vcpu);
  return abortVcpu(spmc, pe, vcpu);
}

/** Lets `remainingNs` pass. Returns who goes on: somebody else when an interrupt took the PE away first. */
function* work(spmc: Spmc, pe: Pe, vcpu: PartitionVcpu): Coroutine<PartitionVcpu | null> {
  const time = spmc.machine.time;
  const untilNs = time.nowNs + vcpu.remainingNs;
  while (time.nowNs < untilNs) {
    if (pe.interruptPending) {
      // Where it is queued it stays so until the normal world runs again; meanwhile it must not end the wait.
      pe.interruptPending = false;
      spmc.pending.addNonSecure(pe.index);
    }
    if (spmc.pending.count > 0) {
      vcpu.remainingNs = untilNs - time.nowNs;
      const seen = vcpu.interrupts.length;
      const next = takeInterrupts(spmc, pe, vcpu);
      if (next !== vcpu) return next;
      // One of its own: the program is entered, and says for itself how much of its work is left.
      if (vcpu.interrupts.length > seen) break;
    }
    yield pe.sleepUntil(untilNs);
  }
  vcpu.remainingNs = 0;
  return vcpu;
}

/** The normal world has the PE. */
function leave(spmc: Spmc, pe: Pe): null {
  spmc.scheduleReceiver.leaving(pe.index);
  if (spmc.pending.count > 0 && spmc.pending.takeNonSecure(pe.index)) pe.interruptPending = true;
  return null;
}
