// What all SP programs have in common: start (FFA_VERSION, FFA_ID_GET, FFA_RXTX_MAP where asked, FFA_MSG_WAIT), direct
// messages in their three forms and their answers, VM availability, work that takes time, FFA_YIELD, a crash.
//
// A program is an event handler over plain state. `serve` is called with a partition message, and again each time that
// something it asked for is over (an operation, work, a yield); `vcpu.step` is its own progress meanwhile.
//
// Programs that make calls while they serve are written as tasks: sp-service.ts.

import { FFA_INVALID_PARAMETERS } from '../abi/errors.ts';
import * as id from '../abi/function-ids.ts';
import * as messages from '../abi/layout/messages.ts';
import type { Nanoseconds } from '../base/units.ts';
import {
  EXIT_CALL,
  EXIT_CRASH,
  EXIT_WORK,
  type Exit,
  type PartitionEntry,
  type VcpuContext,
} from '../hardware/partition-entry.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import { type AvailabilityEntry, VmAvailability } from './availability.ts';
import { CALL_DONE, CALL_MADE, type CallPolicy, DEFAULT_CALL_POLICY, type Operation } from './caller.ts';
import { Endpoint } from './endpoint.ts';
import { type DirectForm, firstPayloadRegister, payloadRegisterCount } from './operations/direct-request.ts';
import { MapBuffers } from './operations/map-buffers.ts';
import { NegotiateVersion } from './operations/negotiate-version.ts';
import { OUTCOME_SUCCESS } from './outcome.ts';
import * as sp from './sp-vcpu.ts';
import { type Serve, SpVcpu } from './sp-vcpu.ts';

export interface SpProgramOptions {
  /** FF-A version that the SP asks for, e.g. FFA_VERSION_1_1. */
  readonly version: number;
  readonly vcpuCount?: number;
  readonly txAddress: number;
  readonly rxAddress: number;
  /** False: no FFA_RXTX_MAP (the manifest names the buffers, or the SP needs none). Default true. */
  readonly mapBuffers?: boolean;
  /** How VM_CREATED is answered, for each VM, before the honest answers begin. */
  readonly created?: readonly AvailabilityEntry[];
  /** The same for VM_DESTROYED. */
  readonly destroyed?: readonly AvailabilityEntry[];
  /** Computes so long over each message before it does anything about it. Default 0. */
  readonly messageWorkNs?: Nanoseconds;
}

/** Points in a program's life at which a program may crash. */
export type SpPoint = 'start' | 'message' | 'vm-created' | 'vm-destroyed' | 'retrieved' | 'relinquish' | 'answer';
export const SP_POINTS: readonly SpPoint[] = [
  'start',
  'message',
  'vm-created',
  'vm-destroyed',
  'retrieved',
  'relinquish',
  'answer',
];

const RESPONSES: Record<DirectForm, number> = {
  req32: id.FFA_MSG_SEND_DIRECT_RESP_32,
  req64: id.FFA_MSG_SEND_DIRECT_RESP_64,
  req2: id.FFA_MSG_SEND_DIRECT_RESP2,
};

export abstract class SpProgram implements PartitionEntry {
  readonly endpoint: Endpoint;
  readonly vcpus: SpVcpu[] = [];
  readonly availability: VmAvailability;
  /** Policy of the SP's own calls. */
  policy: CallPolicy = DEFAULT_CALL_POLICY;
  private readonly mapBuffers: boolean;
  private readonly messageWorkNs: Nanoseconds;

  constructor(options: SpProgramOptions) {
    this.endpoint = new Endpoint(options);
    this.mapBuffers = options.mapBuffers ?? true;
    this.messageWorkNs = options.messageWorkNs ?? 0;
    this.availability = new VmAvailability(options.created, options.destroyed);
    for (let n = 0; n < (options.vcpuCount ?? 1); n++) this.vcpus.push(new SpVcpu(this.endpoint, n));
  }

  reset(): void {
    this.endpoint.reset();
    this.availability.reset();
    for (const vcpu of this.vcpus) vcpu.reset();
  }

  run(context: VcpuContext): Exit {
    const vcpu = this.vcpus[context.vcpu];
    if (context.interrupts.length > 0) vcpu.takeInterrupts(context.interrupts);
    if (vcpu.crashed) return EXIT_CRASH;
    if (vcpu.interrupts.includes(vcpu.workEndsWith)) vcpu.workUntilNs = context.nowNs;
    if (context.nowNs < vcpu.workUntilNs) return workUntil(context, vcpu.workUntilNs);
    if (vcpu.caller.operation !== null) {
      vcpu.callStep = vcpu.caller.resume(context);
      if (vcpu.callStep !== CALL_DONE) return callExit(vcpu, context);
    }
    for (;;) {
      const exit = this.leave(vcpu, context, this.next(vcpu, context));
      if (exit !== null) return exit;
    }
  }

  /** A partition message is to be served, or what `serve` asked for is over. */
  protected abstract serve(vcpu: SpVcpu, context: VcpuContext): Serve;

  /** Between the start and the first FFA_MSG_WAIT; again after each thing it asks for, until SERVE_NOTHING. */
  protected started(_vcpu: SpVcpu, _context: VcpuContext): Serve {
    return sp.SERVE_NOTHING;
  }

  /** On each entry, before the message is looked at: things whose time has come. Until SERVE_NOTHING. */
  protected errand(_vcpu: SpVcpu, _context: VcpuContext): Serve {
    return sp.SERVE_NOTHING;
  }

  /** A VM goes away and an honest answer is due, perhaps after something else. */
  protected vmDestroyed(vcpu: SpVcpu, _context: VcpuContext, vmId: number): Serve {
    return vcpu.answer(this.availability.take(vmId, false));
  }

  /** A power management message: what a PSCI call answers, 0 for success. */
  protected power(_vcpu: SpVcpu, _warmBoot: boolean): number {
    return 0;
  }

  /** Whether it crashes at this point of its life. */
  protected crashesAt(_point: SpPoint): boolean {
    return false;
  }

  /** For programs: begins an operation; `serve` goes on when it is over, with `vcpu.caller.outcome`. */
  protected begin(vcpu: SpVcpu, context: VcpuContext, operation: Operation): Serve {
    vcpu.callStep = vcpu.caller.begin(operation, context, this.policy);
    return sp.SERVE_CALL;
  }

  /** For programs: computes for so long. */
  protected workFor(vcpu: SpVcpu, context: VcpuContext, durationNs: Nanoseconds): Serve {
    vcpu.workUntilNs = context.nowNs + durationNs;
    return sp.SERVE_WORK;
  }

  private next(vcpu: SpVcpu, context: VcpuContext): Serve {
    switch (vcpu.stage) {
      case sp.SP_STAGE_VERSION:
        vcpu.stage = sp.SP_STAGE_MAP;
        for (let n = 0; n < vcpu.bootRegisters.length; n++) vcpu.bootRegisters[n] = context.registers.x(n);
        // A second vCPU finds version and id negotiated by the first.
        if (this.endpoint.version !== 0) return sp.SERVE_CALL;
        return this.begin(vcpu, context, new NegotiateVersion(this.endpoint.wantedVersion));
      case sp.SP_STAGE_MAP:
        if (vcpu.caller.outcome !== OUTCOME_SUCCESS) return sp.SERVE_CRASH;
        vcpu.stage = sp.SP_STAGE_START;
        if (!this.mapBuffers || this.endpoint.buffersMapped) return sp.SERVE_CALL;
        return this.begin(vcpu, context, new MapBuffers());
      case sp.SP_STAGE_START:
        if (vcpu.step === 0 && vcpu.caller.outcome !== OUTCOME_SUCCESS) return sp.SERVE_CRASH;
        if (vcpu.step === 0 && this.crashesAt('start')) return sp.SERVE_CRASH;
        return this.started(vcpu, context);
      case sp.SP_STAGE_WAITING:
        return this.woken(vcpu, context.registers);
      case sp.SP_STAGE_ERRAND: {
        const next = this.errand(vcpu, context);
        if (next !== sp.SERVE_NOTHING || vcpu.kind === 'none') return next;
        vcpu.stage = sp.SP_STAGE_SERVING;
        vcpu.step = 0;
        if (this.crashesAt(pointOf(vcpu))) return sp.SERVE_CRASH;
        return this.workFor(vcpu, context, this.messageWorkNs);
      }
      case sp.SP_STAGE_SERVING:
        return vcpu.kind === 'framework' ? this.serveFramework(vcpu, context) : this.serve(vcpu, context);
    }
  }

  /** Does what the program wants; null when it can go on at once. */
  private leave(vcpu: SpVcpu, context: VcpuContext, serve: Serve): Exit | null {
    switch (serve) {
      case sp.SERVE_CALL:
        return vcpu.callStep === CALL_DONE ? null : callExit(vcpu, context);
      case sp.SERVE_WORK:
        return context.nowNs < vcpu.workUntilNs ? workUntil(context, vcpu.workUntilNs) : null;
      case sp.SERVE_YIELD:
        context.registers.set8(id.FFA_YIELD);
        context.registers.clear(8);
        return EXIT_CALL;
      case sp.SERVE_CRASH:
        vcpu.crashed = true;
        return EXIT_CRASH;
      case sp.SERVE_REPLY:
        if (this.crashesAt('answer')) return this.leave(vcpu, context, sp.SERVE_CRASH);
        this.respond(vcpu, context.registers, responseType(vcpu.frameworkType));
        return EXIT_CALL;
      case sp.SERVE_NOTHING:
        vcpu.stage = sp.SP_STAGE_WAITING;
        vcpu.kind = 'none';
        context.registers.set8(id.FFA_MSG_WAIT);
        context.registers.clear(8);
        return EXIT_CALL;
    }
  }

  private woken(vcpu: SpVcpu, registers: RegisterFile): Serve {
    const wasAnswering = vcpu.kind !== 'none';
    vcpu.stage = sp.SP_STAGE_ERRAND;
    vcpu.step = 0;
    const form = formOf(registers.w(0));
    if (form === null) {
      vcpu.kind = 'none';
      // A secure interrupt has w2; one that only lets the SP go on has not.
      if (registers.w(0) === id.FFA_INTERRUPT && registers.w(2) !== 0) vcpu.noteInterrupt(registers.w(2));
      if (registers.w(0) !== id.FFA_ERROR) return sp.SERVE_CALL;
      // A refused answer can be survived; an SP that may not even wait cannot.
      vcpu.refusedCount++;
      return wasAnswering ? sp.SERVE_NOTHING : sp.SERVE_CRASH;
    }
    const isFramework = form === 'req32' && (registers.w(2) & messages.DIRECT_FRAMEWORK_BIT) !== 0;
    vcpu.kind = isFramework ? 'framework' : 'partition';
    vcpu.form = form;
    vcpu.frameworkType = registers.w(2) & messages.DIRECT_FRAMEWORK_TYPE_MASK;
    vcpu.sender = registers.w(1) >>> messages.DIRECT_SENDER_SHIFT;
    vcpu.words.fill(0);
    vcpu.reply.fill(0);
    if (form === 'req2') vcpu.uuid = [registers.w(2), registers.high(2), registers.w(3), registers.high(3)];
    const first = firstPayloadRegister(form);
    for (let n = 0; n < payloadRegisterCount(form); n++) {
      vcpu.words[2 * n] = registers.w(first + n);
      if (form !== 'req32') vcpu.words[2 * n + 1] = registers.high(first + n);
    }
    return sp.SERVE_CALL;
  }

  private serveFramework(vcpu: SpVcpu, context: VcpuContext): Serve {
    const type = vcpu.frameworkType;
    if (type === messages.FRAMEWORK_PSCI_REQ || type === messages.FRAMEWORK_PM_WARM_BOOT) {
      vcpu.powerCount++;
      return vcpu.answer(this.power(vcpu, type === messages.FRAMEWORK_PM_WARM_BOOT));
    }
    const isCreated = type === messages.FRAMEWORK_VM_CREATED_REQ;
    if (!isCreated && type !== messages.FRAMEWORK_VM_DESTROYED_REQ) return vcpu.answer(FFA_INVALID_PARAMETERS);
    const vmId = vcpu.word(2) & messages.VM_AVAILABILITY_VM_ID_MASK;
    // Once an honest answer has been begun, the list is not asked again for this message.
    if (vcpu.step !== 0) return this.vmDestroyed(vcpu, context, vmId);
    const answer = this.availability.answer(vmId, isCreated);
    switch (answer) {
      case 'accept':
        this.availability.take(vmId, isCreated);
        return vcpu.answer(0);
      case 'no-answer':
        return sp.SERVE_NOTHING;
      case 'wrong-type':
        vcpu.frameworkType = type ^ (messages.FRAMEWORK_VM_CREATED_REQ ^ messages.FRAMEWORK_VM_DESTROYED_REQ);
        return vcpu.answer(0);
      case 'partition-message':
        vcpu.kind = 'partition';
        return vcpu.answer(0);
      case 'yield':
        return sp.SERVE_YIELD;
      case 'crash':
        return sp.SERVE_CRASH;
      case 'honest':
        if (isCreated) return vcpu.answer(this.availability.take(vmId, true));
        return this.vmDestroyed(vcpu, context, vmId);
      default:
        return vcpu.answer(answer.error);
    }
  }

  private respond(vcpu: SpVcpu, registers: RegisterFile, frameworkResponse: number): void {
    const { form, kind, reply, sender } = vcpu;
    registers.clear();
    registers.setW(0, RESPONSES[form]);
    registers.setW(1, ((this.endpoint.id << messages.DIRECT_SENDER_SHIFT) | sender) >>> 0);
    if (kind === 'framework') registers.setW(2, (messages.DIRECT_FRAMEWORK_BIT | frameworkResponse) >>> 0);
    const first = firstPayloadRegister(form);
    for (let n = 0; n < payloadRegisterCount(form); n++) {
      registers.setWords(first + n, reply[2 * n], form === 'req32' ? 0 : reply[2 * n + 1]);
    }
    vcpu.answeredCount++;
    vcpu.stage = sp.SP_STAGE_WAITING;
  }
}

/** The response to a framework message; both kinds of power management have the same. */
function responseType(request: number): number {
  return request === messages.FRAMEWORK_PSCI_REQ ? messages.FRAMEWORK_PM_RESP : request + 1;
}

function formOf(functionId: number): DirectForm | null {
  switch (functionId) {
    case id.FFA_MSG_SEND_DIRECT_REQ_32:
      return 'req32';
    case id.FFA_MSG_SEND_DIRECT_REQ_64:
      return 'req64';
    case id.FFA_MSG_SEND_DIRECT_REQ2:
      return 'req2';
    default:
      return null;
  }
}

function pointOf(vcpu: SpVcpu): SpPoint {
  if (vcpu.kind !== 'framework') return 'message';
  return vcpu.frameworkType === messages.FRAMEWORK_VM_CREATED_REQ ? 'vm-created' : 'vm-destroyed';
}

function callExit(vcpu: SpVcpu, context: VcpuContext): Exit {
  return vcpu.callStep === CALL_MADE ? EXIT_CALL : workUntil(context, vcpu.caller.waitUntilNs);
}

function workUntil(context: VcpuContext, untilNs: Nanoseconds): Exit {
  context.workNs = untilNs - context.nowNs;
  return EXIT_WORK;
}
