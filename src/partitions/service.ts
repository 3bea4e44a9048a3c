// A secure partition as a set of handlers, as a program of a world:
//
//     const counter = service({
//       state: () => ({ count: 0 }),
//       message: (ffa, message, state) => [0, ++state.count],
//     });
//
// A handler is a plain function, or a task (task.ts) that makes calls of its own. What it returns goes back: the
// answer's payload registers, or null for none (the SP then waits for the next message). What a service keeps between
// two messages is its `state`, made anew when the world is reset; there is one for all vCPUs.
//
// FFA_VERSION, FFA_ID_GET, FFA_RXTX_MAP and FFA_MSG_WAIT are made by themselves. Where there is a handler `notified` or
// `received`, FFA_NOTIFICATION_GET is asked when the notification-pending interrupt has come, or nothing else has; a
// message in RX is taken.

import { FFA_OK } from '../abi/errors.ts';
import { NOTIFICATION_FRAMEWORK_RX_FULL } from '../abi/layout/notifications.ts';
import type { Uuid } from '../abi/uuid.ts';
import type { Words64 } from '../abi/words.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import { type IndirectMessage, type PayloadWord, type PendingNotifications, payloadWords } from './ffa-calls.ts';
import type { DirectForm } from './operations/direct-request.ts';
import { PagePlan } from './page-plan.ts';
import type { ProgramEnvironment } from './partition-program-module.ts';
import type { SpCalls } from './sp-calls.ts';
import type { SpProgramOptions } from './sp-program.ts';
import { type Part, SpService } from './sp-service.ts';
import { SERVE_NOTHING, SERVE_REPLY, type Serve } from './sp-vcpu.ts';
import type { Task } from './task.ts';

/** A direct request as a service sees it. */
export interface ServiceMessage {
  readonly sender: number;
  readonly form: DirectForm;
  /** With `req2`: the service that is asked; else nil. */
  readonly uuid: Uuid;
  /** Lower halves of the payload registers (5, or 14 with `req2`). */
  readonly words: readonly number[];
  readonly registers: readonly Words64[];
}

/** Payload registers of an answer, the rest zero; null: no answer. */
export type Reply = readonly PayloadWord[] | null;

/** What a service does. Every handler may be left out but `message`. */
export interface ServiceHandlers<State> {
  /** What it keeps; called at the start and at each reset. */
  readonly state?: (environment: ProgramEnvironment) => State;
  /** Once on each vCPU, before its first FFA_MSG_WAIT. */
  readonly start?: (ffa: SpCalls, state: State) => Task | undefined;
  readonly message: (ffa: SpCalls, message: ServiceMessage, state: State) => Task<Reply> | Reply;
  /** Bits have come. */
  readonly notified?: (ffa: SpCalls, notifications: PendingNotifications, state: State) => Task | undefined;
  /** An indirect message has come; RX is free again. */
  readonly received?: (ffa: SpCalls, message: IndirectMessage, state: State) => Task | undefined;
  /** A secure interrupt, or one that the SPMC injects, has come. */
  readonly interrupted?: (ffa: SpCalls, id: number, state: State) => Task | undefined;
  /** VM_DESTROYED: gives the FF-A error for w3, or 0. Default: what the state machine of VM availability says. */
  readonly vmDestroyed?: (ffa: SpCalls, vmId: number, state: State) => Task<number> | number;
}

/** An SP's program for a world. `ownPages`: so many of the last pages of its image may be shared, lent and donated. */
export function service<State = undefined>(
  handlers: ServiceHandlers<State>,
  options: { readonly ownPages?: number } = {},
): (environment: ProgramEnvironment) => HandlerService<State> {
  return (environment) => {
    const { buffersMapped, memory, rxAddress, txAddress, vcpuCount, version } = environment;
    const count = options.ownPages ?? 0;
    const first = memory.address + (memory.pageCount - count) * PAGE_SIZE_BYTES;
    const pages = count === 0 ? null : new PagePlan(first, count, 0);
    const program = { version, vcpuCount, txAddress, rxAddress, mapBuffers: !buffersMapped };
    return new HandlerService(handlers, environment, pages, program);
  };
}

export class HandlerService<State> extends SpService {
  /** What the service keeps; made at its first entry. */
  state: State | null = null;
  private readonly handlers: ServiceHandlers<State>;
  private readonly environment: ProgramEnvironment;
  private readonly pages: PagePlan | null;

  constructor(
    handlers: ServiceHandlers<State>,
    environment: ProgramEnvironment,
    pages: PagePlan | null,
    options: SpProgramOptions,
  ) {
    super(options);
    this.handlers = handlers;
    this.environment = environment;
    this.pages = pages;
  }

  override reset(): void {
    super.reset();
    this.pages?.reset();
    this.state = null;
  }

  protected override atStart(ffa: SpCalls): Part {
    ffa.pages = this.pages;
    this.state ??= this.handlers.state?.(this.environment) ?? null;
    const { notified, received, start } = this.handlers;
    return start === undefined && !notified && !received ? SERVE_NOTHING : this.starting(ffa);
  }

  private *starting(ffa: SpCalls): Task<Serve> {
    const { notified, received, start } = this.handlers;
    if (notified !== undefined || received !== undefined) yield* this.learnInterrupt(ffa);
    const task = start?.(ffa, this.kept);
    if (task !== undefined) yield* task;
    return SERVE_NOTHING;
  }

  protected override atEntry(ffa: SpCalls): Part {
    const { interrupted, notified, received } = this.handlers;
    const looks = (notified !== undefined || received !== undefined) && this.mayBeNotified(ffa);
    const interrupts = interrupted === undefined || ffa.vcpu.interrupts.length === 0;
    return looks || !interrupts ? this.entered(ffa, looks) : SERVE_NOTHING;
  }

  protected override message(ffa: SpCalls): Part {
    const { vcpu } = ffa;
    const words: number[] = [];
    const registers: Words64[] = [];
    for (let n = 0; n < vcpu.words.length; n += 2) {
      words.push(vcpu.words[n]);
      registers.push({ low: vcpu.words[n], high: vcpu.words[n + 1] });
    }
    const { form, sender, uuid } = vcpu;
    const reply = this.handlers.message(ffa, { sender, form, uuid, words, registers }, this.kept);
    return reply === null || 'length' in reply ? replied(ffa, reply) : replyOf(ffa, reply);
  }

  protected override atVmDestroyed(ffa: SpCalls, vmId: number): Part {
    const status = this.handlers.vmDestroyed?.(ffa, vmId, this.kept);
    if (status === undefined) return super.atVmDestroyed(ffa, vmId);
    return typeof status === 'number' ? this.vmLeft(ffa, vmId, status) : this.vmLeaves(ffa, vmId, status);
  }

  /** The state, which handlers that said none do not ask for. */
  private get kept(): State {
    return this.state as State;
  }

  private *entered(ffa: SpCalls, looks: boolean): Task<Serve> {
    const { interrupted, notified, received } = this.handlers;
    if (interrupted !== undefined) {
      for (const id of ffa.vcpu.interrupts.splice(0)) {
        const task = interrupted(ffa, id, this.kept);
        if (task !== undefined) yield* task;
      }
    }
    const got = looks ? yield* ffa.notifications() : null;
    if (got === null || !got.ok) return SERVE_NOTHING;
    const { fromHypervisor, fromSp, fromSpm, fromVm } = got.value;
    if ((fromSp.low | fromSp.high | fromVm.low | fromVm.high) !== 0) {
      const task = notified?.(ffa, got.value, this.kept);
      if (task !== undefined) yield* task;
    }
    if (received === undefined || ((fromSpm | fromHypervisor) & NOTIFICATION_FRAMEWORK_RX_FULL) === 0) {
      return SERVE_NOTHING;
    }
    const message = yield* ffa.receive();
    const task = message.ok ? received(ffa, message.value, this.kept) : undefined;
    if (task !== undefined) yield* task;
    return SERVE_NOTHING;
  }

  private *vmLeaves(ffa: SpCalls, vmId: number, task: Task<number>): Task<Serve> {
    return this.vmLeft(ffa, vmId, yield* task);
  }

  /** An error goes back as it is, and the VM is still there. */
  private vmLeft(ffa: SpCalls, vmId: number, status: number): Serve {
    return ffa.vcpu.answer(status === FFA_OK ? this.availability.take(vmId, false) : status);
  }
}

function* replyOf(ffa: SpCalls, task: Task<Reply>): Task<Serve> {
  return replied(ffa, yield* task);
}

function replied(ffa: SpCalls, reply: Reply): Serve {
  if (reply === null) return SERVE_NOTHING;
  ffa.vcpu.reply.fill(0);
  ffa.vcpu.reply.set(payloadWords(reply).slice(0, ffa.vcpu.reply.length));
  return SERVE_REPLY;
}
