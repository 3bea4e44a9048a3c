// Interrupts while partitions run, or the normal world does [Hafnium interrupts.c].
//
// A secure one, of a device in a partition's manifest, goes to that partition's context for the PE: one that waits is
// run at once, with FFA_INTERRUPT in w0 and the interrupt in w2, and gives the PE back with FFA_MSG_WAIT; one that
// waits for an answer in the same call chain is run too, and gives it back with FFA_RUN; one that runs sees it at once;
// any other finds it pending when it runs again. While a context handles one, others wait.
//
// A non-secure one takes the PE away from who runs, as the manifest says: at once, call chain and all (each caller gets
// FFA_INTERRUPT for an answer), or after it was asked to leave (managed exit), or only when it has finished.

import { FFA_INTERRUPT } from '../abi/function-ids.ts';
import { RUN_ENDPOINT_SHIFT } from '../abi/layout/messages.ts';
import { EVENT_SECURE_INTERRUPT, EVENT_SP_PREEMPTED } from '../base/event-kinds.ts';
import type { Pe } from '../hardware/pe.ts';
import { MANAGED_EXIT_INTERRUPT, NOTIFICATION_PENDING_INTERRUPT } from './interrupt-ids.ts';
import {
  type PartitionVcpu,
  RUNTIME_INIT,
  RUNTIME_NONE,
  RUNTIME_SECURE_INTERRUPT,
  VCPU_ABORTED,
  VCPU_BLOCKED,
  VCPU_PREEMPTED,
  VCPU_RUNNING,
  VCPU_WAITING,
} from './partition.ts';
import { type NsInterruptAction, SRI_POLICY_ENTERING_WAIT, SRI_POLICY_WHILE_WAITING } from './partition-setup.ts';
import { precedes, predecessor } from './runtime-models.ts';
import type { Spmc } from './spmc.ts';

/** What waits for the PE is looked at, before `running` (null: the normal world) goes on. Returns who does go on. */
export function takeInterrupts(spmc: Spmc, pe: Pe, running: PartitionVcpu | null): PartitionVcpu | null {
  const { pending } = spmc;
  let current = running;
  while (pending.hasSecure(pe.index) && !masksSecure(current)) {
    current = signal(spmc, pe, current, pending.takeSecure(pe.index));
  }
  return current !== null && pending.hasNonSecure(pe.index) ? takeNonSecure(spmc, pe, current) : current;
}

/** Who handles an interrupt is not interrupted, nor who is called in a chain in which somebody queues them. */
function masksSecure(current: PartitionVcpu | null): boolean {
  if (current === null) return false;
  if (current.scheduledBySpmc) return true;
  for (let at: PartitionVcpu | null = current; at !== null; at = predecessor(at)) {
    if (at.partition.otherSecureInterruptAction === 'queue') return true;
  }
  return false;
}

/** The interrupt becomes pending at its partition. Returns who runs now. */
function signal(spmc: Spmc, pe: Pe, current: PartitionVcpu | null, id: number): PartitionVcpu | null {
  const target = spmc.interruptOwners.get(id)?.vcpuFor(pe.index);
  if (target === undefined || target.partition.crashed || target.state === VCPU_ABORTED) return current;
  if (!target.interrupts.includes(id)) target.interrupts.push(id);
  target.toldInterrupt = -1;
  const events = spmc.machine.events;
  if (events.on) events.emit(EVENT_SECURE_INTERRUPT, pe.index, target.endpoint, target.vcpu, id);
  const { partition } = target;
  switch (target.state) {
    case VCPU_WAITING:
      if ((partition.sriInterruptsPolicy & SRI_POLICY_WHILE_WAITING) !== 0) {
        spmc.interruptWaits(target, pe.index);
        return current;
      }
      runForInterrupt(target, current, id);
      return target;
    case VCPU_BLOCKED:
      if (partition.sEl0 || current === null || target.peIndex !== pe.index || !precedes(target, current))
        return current;
      suspend(current, target);
      tell(target, 0, 0);
      return target;
    default:
      return current;
  }
}

/** A waiting context gets the PE for an interrupt of its own. */
function runForInterrupt(target: PartitionVcpu, current: PartitionVcpu | null, id: number): void {
  // What runs at S-EL0 takes no exception: it learns of the interrupt by this answer alone.
  if (target.partition.sEl0) forget(target, id);
  target.toldInterrupt = id;
  target.runtime = RUNTIME_SECURE_INTERRUPT;
  target.scheduledBySpmc = true;
  if (current !== null) suspend(current, target);
  tell(target, 0, id);
}

function suspend(current: PartitionVcpu, handler: PartitionVcpu): void {
  current.state = VCPU_PREEMPTED;
  current.handler = handler;
  handler.interrupted = current;
}

/** FFA_INTERRUPT is what the context gets for its last call. */
function tell(vcpu: PartitionVcpu, w1: number, id: number): void {
  vcpu.registers.clear();
  vcpu.registers.setW(0, FFA_INTERRUPT);
  vcpu.registers.setW(1, w1);
  vcpu.registers.setW(2, id);
  vcpu.answered = true;
  vcpu.state = VCPU_RUNNING;
}

/** The interrupt has been handled. Returns who had the PE before, null for the normal world. */
export function endInterrupt(vcpu: PartitionVcpu): PartitionVcpu | null {
  const before = vcpu.interrupted;
  vcpu.interrupted = null;
  if (vcpu.runtime === RUNTIME_SECURE_INTERRUPT) {
    vcpu.runtime = RUNTIME_NONE;
    vcpu.scheduledBySpmc = false;
  }
  if (before === null) return null;
  before.handler = null;
  noticeInterrupts(before);
  before.state = VCPU_RUNNING;
  return before;
}

/** The context waits, and `next` is to run: unless it has interrupts of devices left, for which it goes on itself. */
export function beforeItWaits(spmc: Spmc, vcpu: PartitionVcpu, next: PartitionVcpu | null): PartitionVcpu | null {
  if (vcpu.interrupts.length === 0) return next;
  const id = deviceInterrupt(vcpu);
  // One that it was told of, and left where it is, does not make it run again for ever.
  if (id === undefined || id === vcpu.toldInterrupt) return next;
  if ((vcpu.partition.sriInterruptsPolicy & SRI_POLICY_ENTERING_WAIT) !== 0) {
    spmc.interruptWaits(vcpu, vcpu.peIndex);
    return next;
  }
  runForInterrupt(vcpu, next, id);
  return vcpu;
}

/** The context goes on: it looks at an interrupt that came meanwhile before it goes on with its work. */
export function noticeInterrupts(vcpu: PartitionVcpu): void {
  if (vcpu.interrupts.length > 0 && deviceInterrupt(vcpu) !== undefined) vcpu.remainingNs = 0;
}

/** A device's interrupt that the context has not seen. */
export function deviceInterrupt(vcpu: PartitionVcpu): number | undefined {
  return vcpu.interrupts.find((id) => id !== NOTIFICATION_PENDING_INTERRUPT && id !== MANAGED_EXIT_INTERRUPT);
}

/** A non-secure interrupt while `current` runs. Returns who goes on: null, the normal world, with its answer. */
function takeNonSecure(spmc: Spmc, pe: Pe, current: PartitionVcpu): PartitionVcpu | null {
  const events = spmc.machine.events;
  let at = current;
  for (;;) {
    const action = nonSecureAction(at);
    if (action === 'queue') return at;
    if (action === 'managed-exit') {
      at.managedExit = true;
      at.interrupts.push(MANAGED_EXIT_INTERRUPT);
      if (events.on) events.emit(EVENT_SECURE_INTERRUPT, pe.index, at.endpoint, at.vcpu, MANAGED_EXIT_INTERRUPT);
      return at;
    }
    at.state = VCPU_PREEMPTED;
    if (events.on) events.emit(EVENT_SP_PREEMPTED, pe.index, at.endpoint, at.vcpu, at.requester);
    const name = (at.endpoint << RUN_ENDPOINT_SHIFT) | at.vcpu;
    const before = predecessor(at);
    if (before === null) {
      spmc.pending.takeNonSecure(pe.index);
      pe.smc.clear();
      pe.smc.setW(0, FFA_INTERRUPT);
      pe.smc.setW(1, name);
      return null;
    }
    before.callee = null;
    tell(before, name, 0);
    at = before;
  }
}

/**
 * What becomes of a non-secure interrupt. A chain in which somebody queues them, or has been asked to leave and has not
 * done so, is not interrupted further down either.
 */
function nonSecureAction(vcpu: PartitionVcpu): NsInterruptAction {
  if (vcpu.runtime === RUNTIME_INIT || vcpu.scheduledBySpmc) return 'queue';
  for (let at: PartitionVcpu | null = vcpu; at !== null; at = predecessor(at)) {
    if (at.managedExit || at.partition.nsInterruptAction === 'queue') return 'queue';
  }
  return vcpu.partition.nsInterruptAction;
}

/** It gave its PE up by itself: it need not be asked any more. */
export function endManagedExit(vcpu: PartitionVcpu): void {
  if (!vcpu.managedExit) return;
  vcpu.managedExit = false;
  forget(vcpu, MANAGED_EXIT_INTERRUPT);
}

function forget(vcpu: PartitionVcpu, id: number): void {
  const at = vcpu.interrupts.indexOf(id);
  if (at >= 0) vcpu.interrupts.splice(at, 1);
}
