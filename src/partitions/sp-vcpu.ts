// One vCPU of an SP program: how far it is, the message that it serves, the answer that it builds. Plain state.

import { NIL_UUID, type Uuid } from '../abi/uuid.ts';
import type { Nanoseconds } from '../base/units.ts';
import { CALL_DONE, Caller, type CallStep } from './caller.ts';
import type { Endpoint } from './endpoint.ts';
import type { DirectForm } from './operations/direct-request.ts';

/** What a program does next. */
export type Serve = 1 | 2 | 3 | 4 | 5 | 6;
/** Answer the message with `vcpu.reply`. */
export const SERVE_REPLY = 1;
/** An operation has been begun; go on when it is over. */
export const SERVE_CALL = 2;
/** Compute until `vcpu.workUntilNs`, then go on. */
export const SERVE_WORK = 3;
/** FFA_YIELD; go on when run again. */
export const SERVE_YIELD = 4;
/** Crash. */
export const SERVE_CRASH = 5;
/** Nothing (more) to do here: no answer, or an errand that is over. */
export const SERVE_NOTHING = 6;

/** Where a vCPU stands between its first entry and its wait for the next message. */
export type SpStage = 0 | 1 | 2 | 3 | 4 | 5;
export const SP_STAGE_VERSION = 0;
export const SP_STAGE_MAP = 1;
export const SP_STAGE_START = 2;
/** It made FFA_MSG_WAIT or answered: the registers hold what came next. */
export const SP_STAGE_WAITING = 3;
export const SP_STAGE_ERRAND = 4;
export const SP_STAGE_SERVING = 5;

/** What woke a vCPU. */
export type MessageKind = 'none' | 'partition' | 'framework';

/** 14 registers of FFA_MSG_SEND_DIRECT_REQ2, as low and high words. */
const PAYLOAD_WORDS_MAX = 28;

export class SpVcpu {
  readonly caller: Caller;
  stage: SpStage = SP_STAGE_VERSION;
  /** The program's progress in what it does now; 0 when that begins. */
  step = 0;
  kind: MessageKind = 'none';
  form: DirectForm = 'req32';
  /** Who sent the message. */
  sender = 0;
  /** Type of a framework message. */
  frameworkType = 0;
  /** Payload of the message: low and high words of its registers, in turn. */
  readonly words = new Uint32Array(PAYLOAD_WORDS_MAX);
  /** Payload of the answer, in the same shape. */
  readonly reply = new Uint32Array(PAYLOAD_WORDS_MAX);
  /** With `req2`: the service that is asked. */
  uuid: Uuid = NIL_UUID;
  /** Interrupts that have come and that nobody has taken, each once; `useInterrupt` takes one. */
  readonly interrupts: number[] = [];
  workUntilNs: Nanoseconds = 0;
  /** An interrupt that ends its work early; -1: none does. */
  workEndsWith = -1;
  callStep: CallStep = CALL_DONE;
  /** Messages answered, for reports. */
  answeredCount = 0;
  /** Its answers that were refused, for reports. */
  refusedCount = 0;
  /** Power management messages, for reports. */
  powerCount = 0;
  /** x0 to x3 as they were at its first entry: one of them may have the address of the boot information. */
  readonly bootRegisters: [number, number, number, number] = [0, 0, 0, 0];
  crashed = false;

  constructor(endpoint: Endpoint, index: number) {
    this.caller = new Caller(endpoint, index);
  }

  reset(): void {
    this.caller.reset();
    this.stage = SP_STAGE_VERSION;
    this.step = 0;
    this.kind = 'none';
    this.form = 'req32';
    this.sender = 0;
    this.frameworkType = 0;
    this.words.fill(0);
    this.reply.fill(0);
    this.uuid = NIL_UUID;
    this.interrupts.length = 0;
    this.workUntilNs = 0;
    this.workEndsWith = -1;
    this.callStep = CALL_DONE;
    this.answeredCount = 0;
    this.refusedCount = 0;
    this.powerCount = 0;
    this.bootRegisters.fill(0);
    this.crashed = false;
  }

  /** Takes what is pending at the vCPU; each id is kept once. */
  takeInterrupts(pending: number[]): void {
    for (const id of pending) this.noteInterrupt(id);
    pending.length = 0;
  }

  noteInterrupt(id: number): void {
    if (!this.interrupts.includes(id)) this.interrupts.push(id);
  }

  /** Takes one interrupt of that id; false when none came. */
  useInterrupt(id: number): boolean {
    const at = this.interrupts.indexOf(id);
    if (at < 0) return false;
    this.interrupts.splice(at, 1);
    return true;
  }

  /** Word `n` of the protocol: the low half of payload register `n`. */
  word(n: number): number {
    return this.words[2 * n];
  }

  /** Builds the answer {status, first, second}, the rest zero. `status`: 0 or an FF-A error code. */
  answer(status: number, first = 0, second = 0): Serve {
    this.reply.fill(0);
    this.reply[0] = status;
    this.reply[2] = first;
    this.reply[4] = second;
    return SERVE_REPLY;
  }

  /** Builds the answer that is the payload itself. */
  answerEcho(): Serve {
    this.reply.set(this.words);
    return SERVE_REPLY;
  }
}
