// FFA_MEM_SHARE from a VM to one partition: check the descriptor, pin the pages, write the SPMC's descriptor, ask it,
// and keep the handle, or undo everything. [Xen ffa_shm.c]
//
// What is checked is a copy, read once. The guest's TX lock is held from there to the end, the hypervisor's TX lock
// over the SMC. Where the generations differ, `ShareRules` says how.
//
// Limits: one receiver, one fragment that lies in the TX buffer, plain RAM, read-write access.

import { FFA_ABORTED, FFA_BUSY, FFA_INVALID_PARAMETERS, FFA_NOT_SUPPORTED, FFA_OK } from '../abi/errors.ts';
import { FFA_ERROR, FFA_MEM_FRAG_RX, FFA_MEM_SHARE_64, FFA_SUCCESS_32 } from '../abi/function-ids.ts';
import { EMAD_1_0_SIZE_BYTES, EMAD_1_2_SIZE_BYTES } from '../abi/layout/memory-transaction.ts';
import { FFA_VERSION_1_2 } from '../abi/versions.ts';
import {
  ACCESS_READ,
  ACCESS_WRITE,
  TOUCH_BUFFER,
  TOUCH_DOMAIN,
  TOUCH_FRAME,
  TOUCH_HANDLE,
  TOUCH_LOCK,
  TOUCH_REFERENCES,
} from '../base/announcement.ts';
import type { Coroutine, Pending, Wait } from '../base/coroutine.ts';
import { EVENT_SHARE_LIVE } from '../base/event-kinds.ts';
import type { Pe } from '../hardware/pe.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import { answerError, answerSuccess } from './answer.ts';
import type { Vcpu } from './domain.ts';
import type { FfaContext, Share } from './ffa-context.ts';
import type { Hypervisor } from './hypervisor.ts';
import type { Handler } from './profile.ts';
import { announceReserve, checkShare, reserveShare, type ShareRules } from './share-check.ts';
import { writeSpmcDescriptor } from './share-descriptor.ts';
import { returnShare } from './share-records.ts';
import { prepareCall } from './spmc-answer.ts';
import { spmcTxWords } from './spmc-buffers.ts';
import { type Staging, stagingOf } from './staging.ts';

/** The handler of FFA_MEM_SHARE under `rules`. */
export function shareBy(rules: ShareRules): Handler {
  return (hypervisor, pe, vcpu) => {
    if (pe.stepping) return shareInSteps(hypervisor, pe, vcpu, rules);
    return share(hypervisor, pe, vcpu, rules);
  };
}

/**
 * Nobody explores: a plain path, which becomes a coroutine when the hypervisor's TX is taken or the SPMC needs time.
 */
function share(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu, rules: ShareRules): Pending {
  const registers = vcpu.registers;
  const context = vcpu.domain.ffa as FfaContext;
  const error = checkShareRegisters(hypervisor, registers, rules);
  if (error !== FFA_OK) {
    answerError(registers, error);
    return null;
  }
  if (!context.txLock.tryAcquire(pe)) {
    answerError(registers, FFA_BUSY);
    return null;
  }
  const staging = stagingOf(hypervisor, pe);
  const length = registers.w(2);
  staging.error = checkShare(hypervisor, staging, context, rules, length);
  const made = hasPages(staging) ? reserveShare(hypervisor, staging, context, rules, length) : null;
  if (made === null) {
    context.txLock.release(pe);
    answerCode(registers, staging.error);
    return null;
  }
  const secure = hypervisor.secure;
  if (!secure.txLock.tryAcquire(pe)) return transmitInSteps(hypervisor, pe, vcpu, context, made, rules);
  if (!writeRequest(hypervisor, pe, context, made, staging, rules)) {
    concludeShare(hypervisor, pe, vcpu, context, made, FFA_NOT_SUPPORTED);
    return null;
  }
  const pending = secure.call(pe, context.vmId);
  if (pending !== null) return finishShare(hypervisor, pe, vcpu, context, made, pending);
  concludeShare(hypervisor, pe, vcpu, context, made, shareAnswer(pe.smc, made));
  return null;
}

/** Somebody explores: the same, with a yield wherever another PE can come between. */
function* shareInSteps(hypervisor: Hypervisor, pe: Pe, vcpu: Vcpu, rules: ShareRules): Coroutine {
  const registers = vcpu.registers;
  const context = vcpu.domain.ffa as FfaContext;
  const error = checkShareRegisters(hypervisor, registers, rules);
  if (error !== FFA_OK) {
    answerError(registers, error);
    return;
  }
  yield pe.writes(TOUCH_LOCK, context.txLock.id);
  if (!context.txLock.tryAcquire(pe)) {
    answerError(registers, FFA_BUSY);
    return;
  }
  pe.reads(TOUCH_BUFFER, context.vmId);
  pe.also(TOUCH_LOCK, context.txLock.id, ACCESS_WRITE);
  yield pe.also(TOUCH_FRAME, context.txFrame, ACCESS_READ);
  const staging = stagingOf(hypervisor, pe);
  const length = registers.w(2);
  staging.error = checkShare(hypervisor, staging, context, rules, length);
  let made: Share | null = null;
  if (hasPages(staging)) {
    yield announceReserve(pe, staging, context, length);
    made = reserveShare(hypervisor, staging, context, rules, length);
  }
  if (made === null) {
    context.txLock.release(pe);
    answerCode(registers, staging.error);
    return;
  }
  yield* transmitInSteps(hypervisor, pe, vcpu, context, made, rules);
}

function* transmitInSteps(
  hypervisor: Hypervisor,
  pe: Pe,
  vcpu: Vcpu,
  context: FfaContext,
  made: Share,
  rules: ShareRules,
): Coroutine {
  const secure = hypervisor.secure;
  yield* secure.txLock.acquire(pe);
  if (!writeRequest(hypervisor, pe, context, made, stagingOf(hypervisor, pe), rules)) {
    concludeShare(hypervisor, pe, vcpu, context, made, FFA_NOT_SUPPORTED);
    return;
  }
  const pending = secure.call(pe, context.vmId);
  if (pending !== null) yield* pending;
  if (pe.stepping) yield announceConclusion(pe, context, made);
  concludeShare(hypervisor, pe, vcpu, context, made, shareAnswer(pe.smc, made));
}

/** Announces what the end of a share or of a reclaim touches: the guest's list, the pages' references, the handle. */
export function announceConclusion(pe: Pe, context: FfaContext, share: Share): Wait {
  pe.writes(TOUCH_LOCK, context.lock.id);
  pe.also(TOUCH_DOMAIN, context.domain.serial, ACCESS_WRITE);
  let wait = pe.also(TOUCH_HANDLE, share.handleLow, ACCESS_WRITE);
  for (let run = 0; run < share.runCount; run++) {
    const frame = share.runs[2 * run];
    const end = frame + share.runs[2 * run + 1];
    for (let n = frame; n < end; n++) wait = pe.also(TOUCH_REFERENCES, n, ACCESS_WRITE);
  }
  return wait;
}

function* finishShare(
  hypervisor: Hypervisor,
  pe: Pe,
  vcpu: Vcpu,
  context: FfaContext,
  made: Share,
  pending: Coroutine,
): Coroutine {
  yield* pending;
  concludeShare(hypervisor, pe, vcpu, context, made, shareAnswer(pe.smc, made));
}

/**
 * Registers: w1 total length, w2 length of this fragment, x3 address of a buffer of its own, w4 its pages (not read).
 */
function checkShareRegisters(hypervisor: Hypervisor, registers: RegisterFile, rules: ShareRules): number {
  if (rules.needsFunction !== null && !hypervisor.secure.has(rules.needsFunction)) return FFA_NOT_SUPPORTED;
  // Only the RX/TX buffers are supported; the address counts with all its bits in the 32-bit form too.
  if ((registers.w(3) | registers.high(3)) !== 0) return FFA_NOT_SUPPORTED;
  const total = registers.w(1);
  const fragment = registers.w(2);
  if (fragment > total) return FFA_INVALID_PARAMETERS;
  return fragment === total ? FFA_OK : FFA_NOT_SUPPORTED;
}

/** The SPMC's descriptor into the hypervisor's TX page and the call into `pe.smc`. False when it does not fit. */
function writeRequest(
  hypervisor: Hypervisor,
  pe: Pe,
  context: FfaContext,
  made: Share,
  staging: Staging,
  rules: ShareRules,
): boolean {
  const secure = hypervisor.secure;
  const long = rules.impdefForwarded && secure.version >= FFA_VERSION_1_2;
  const accessSizeBytes = long ? EMAD_1_2_SIZE_BYTES : EMAD_1_0_SIZE_BYTES;
  const size = writeSpmcDescriptor(spmcTxWords(secure), made, context.vmId, accessSizeBytes, staging.impdef);
  if (size === 0) return false;
  prepareCall(pe, FFA_MEM_SHARE_64, size, size);
  return true;
}

/** FFA_MEM_FRAG_RX: more than this is no offset. */
const FRAGMENT_OFFSET_MAX = 0x7fff_ffff;

/**
 * What the SPMC answered: FFA_OK with the handle in the share, or the code for the guest. FFA_MEM_FRAG_RX, which nobody
 * asked for, gives the number of bytes as the code. [Xen ffa_shm.c]
 */
function shareAnswer(answer: RegisterFile, made: Share): number {
  const words = answer.words;
  switch (words[1] === 0 ? words[0] : 0) {
    case FFA_ERROR:
      return words[4] === 0 ? FFA_NOT_SUPPORTED : words[4] | 0;
    case FFA_SUCCESS_32:
      made.handleLow = words[4];
      made.handleHigh = words[6];
      return FFA_OK;
    case FFA_MEM_FRAG_RX:
      made.handleLow = words[2];
      made.handleHigh = words[4];
      return words[7] !== 0 || words[6] > FRAGMENT_OFFSET_MAX ? FFA_ABORTED : words[6];
    default:
      return FFA_NOT_SUPPORTED;
  }
}

/** Ends the call with both TX locks held: keeps the share, or undoes it; answers the guest. */
function concludeShare(
  hypervisor: Hypervisor,
  pe: Pe,
  vcpu: Vcpu,
  context: FfaContext,
  made: Share,
  code: number,
): void {
  hypervisor.secure.txLock.release(pe);
  const { handleLow, handleHigh } = made;
  if (code === FFA_OK) keepShare(hypervisor, context, made);
  else returnShare(hypervisor, context, made);
  context.txLock.release(pe);
  if (code === FFA_OK) answerSuccess(vcpu.registers, handleLow, handleHigh);
  else answerError(vcpu.registers, code);
}

/** Appends a share that the SPMC has accepted to the guest's list. */
export function keepShare(hypervisor: Hypervisor, context: FfaContext, made: Share): void {
  context.shares.push(made);
  const events = hypervisor.machine.events;
  if (events.on) {
    events.emit(EVENT_SHARE_LIVE, 0, context.vmId, made.handleLow, made.handleHigh, made.pageCount, made.receiver);
  }
}

/** Whether the check left something to share: neither refused, nor the success of nothing. */
function hasPages(staging: Staging): boolean {
  return staging.error === FFA_OK && staging.header.pageCount > 0;
}

/** An error, or the success that nothing stands behind (see `ShareRules.oversizeError`). */
function answerCode(registers: RegisterFile, code: number): void {
  if (code === FFA_OK) answerSuccess(registers);
  else answerError(registers, code);
}
