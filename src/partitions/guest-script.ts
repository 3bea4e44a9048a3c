// A guest that follows a script: a list of steps (guest-step.ts) for each of its vCPUs. All state is plain; the same
// script and the same answers make the same calls.
//
// Between two exits a vCPU does as many steps as need no call and no time, at most STEPS_PER_ENTRY_MAX.

import type { Words64 } from '../abi/words.ts';
import { wordsOf, ZERO_WORDS } from '../abi/words.ts';
import { assert, present } from '../base/assert.ts';
import type { Ipa } from '../base/units.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import {
  EXIT_CALL,
  EXIT_CRASH,
  EXIT_IDLE,
  EXIT_WORK,
  type Exit,
  type PartitionEntry,
  type VcpuContext,
} from '../hardware/partition-entry.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import { type CallPolicy, DEFAULT_CALL_POLICY } from './caller.ts';
import { checkGuestSteps } from './check-steps.ts';
import { Endpoint } from './endpoint.ts';
import type { Expectation, GuestStep } from './guest-step.ts';
import { GuestVcpu } from './guest-vcpu.ts';
import type { MemoryRegion } from './memory-region.ts';
import { outcomeName } from './outcome.ts';
import { PagePlan } from './page-plan.ts';
import { beginStep, goOnWithStep, type Progress } from './step-handlers.ts';
import { type ParsedWord, parseWord, type WordExpression } from './word-expression.ts';

/** Told what a script finds out. */
export interface ScriptReporter {
  /** A step with an outcome (`vcpu.outcome`) is over; `held`: it is what the step expects. */
  stepOver(vcpu: GuestVcpu, step: GuestStep, held: boolean): void;
}

/** An expectation that did not hold. */
export interface ScriptFailure {
  readonly place: string;
  readonly step: GuestStep['step'];
  /** Names of the outcomes that would have fitted. */
  readonly expected: string;
  readonly got: string;
}

export interface GuestScriptOptions {
  /** The steps of each vCPU. */
  readonly vcpus: readonly (readonly GuestStep[])[];
  /** FF-A version that the guest asks for. */
  readonly version: number;
  readonly bits?: 32 | 64;
  /** Where the guest's RAM begins, and how many pages it has. */
  readonly ramBase: Ipa;
  readonly ramPages: number;
  /** Pages in each buffer, default 1. */
  readonly bufferPages?: number;
  /** First page (from the start of RAM) of TX, of RX, and of what is shared; default 0, behind TX, 16. */
  readonly txPage?: number;
  readonly rxPage?: number;
  readonly dataPage?: number;
  /** Ids of endpoints by name: every name that the script uses. */
  readonly endpoints?: ReadonlyMap<string, number>;
  /** Other guests by name, for `guest:region`. The map may be filled after this script was made. */
  readonly guests?: ReadonlyMap<string, Endpoint>;
  readonly policy?: Partial<CallPolicy>;
  readonly reporter?: ScriptReporter;
}

/** Steps without a call or a wait in one entry; then a pause of 1 us lets the rest of the world go on. */
const STEPS_PER_ENTRY_MAX = 1000;
const PAUSE_NS = 1000;
/** Failures kept with their text; later ones are only counted. */
const FAILURES_MAX = 100;
const DEFAULT_DATA_PAGE = 16;

export class GuestScript implements PartitionEntry {
  readonly endpoint: Endpoint;
  readonly vcpus: GuestVcpu[];
  readonly pages: PagePlan;
  readonly policy: CallPolicy;
  /** Variables of `set`, by name. */
  readonly variables = new Map<string, number>();
  /** Registers that steps saved, by name. */
  readonly saved = new Map<string, Uint32Array>();
  readonly failures: ScriptFailure[] = [];
  failureCount = 0;
  /** Expectations that held. */
  heldCount = 0;
  private readonly endpoints: ReadonlyMap<string, number>;
  private readonly guests: ReadonlyMap<string, Endpoint>;
  private readonly reporter: ScriptReporter | null;
  private readonly parsed = new Map<string, ParsedWord>();

  constructor(options: GuestScriptOptions) {
    this.endpoints = options.endpoints ?? new Map();
    for (const [index, steps] of options.vcpus.entries()) checkGuestSteps(steps, `vcpus[${index}]`, this.endpoints);
    const bufferPages = options.bufferPages ?? 1;
    const txPage = options.txPage ?? 0;
    const rxPage = options.rxPage ?? txPage + bufferPages;
    this.endpoint = new Endpoint({
      version: options.version,
      bits: options.bits ?? 64,
      txAddress: options.ramBase + txPage * PAGE_SIZE_BYTES,
      rxAddress: options.ramBase + rxPage * PAGE_SIZE_BYTES,
      bufferPages,
    });
    this.pages = new PagePlan(options.ramBase, options.ramPages, options.dataPage ?? DEFAULT_DATA_PAGE);
    this.policy = { ...DEFAULT_CALL_POLICY, ...options.policy };
    this.guests = options.guests ?? new Map();
    this.reporter = options.reporter ?? null;
    this.vcpus = options.vcpus.map((steps, index) => new GuestVcpu(this.endpoint, index, steps));
  }

  reset(): void {
    this.endpoint.reset();
    this.pages.reset();
    this.variables.clear();
    this.saved.clear();
    this.failures.length = 0;
    this.failureCount = 0;
    this.heldCount = 0;
    for (const vcpu of this.vcpus) vcpu.reset();
  }

  /** Whether every vCPU has come to the end of its steps. */
  get ended(): boolean {
    return this.vcpus.every((vcpu) => vcpu.ended);
  }

  run(context: VcpuContext): Exit {
    const vcpu = this.vcpus[context.vcpu];
    vcpu.takeInterrupts(context.interrupts);
    if (vcpu.crashed) return EXIT_CRASH;
    for (let n = 0; n < STEPS_PER_ENTRY_MAX; n++) {
      const step = vcpu.ended ? null : vcpu.current();
      if (step === null) {
        vcpu.ended = true;
        return EXIT_IDLE;
      }
      const begin = vcpu.activity === 'none';
      const progress = begin ? beginStep(this, vcpu, step, context) : goOnWithStep(this, vcpu, step, context);
      const exit = this.leave(vcpu, context, step, progress);
      if (exit !== null) return exit;
    }
    context.workNs = PAUSE_NS;
    return EXIT_WORK;
  }

  private leave(vcpu: GuestVcpu, context: VcpuContext, step: GuestStep, progress: Progress): Exit | null {
    switch (progress) {
      case 'call':
        return EXIT_CALL;
      case 'wait':
        context.workNs = Math.max(0, vcpu.untilNs - context.nowNs);
        return EXIT_WORK;
      case 'idle':
        return EXIT_IDLE;
      case 'stop':
        vcpu.ended = true;
        return EXIT_IDLE;
      case 'crash':
        vcpu.crashed = true;
        return EXIT_CRASH;
      case 'entered':
        return null;
      case 'over':
        this.judge(vcpu, step);
        break;
      case 'done':
        break;
    }
    vcpu.activity = 'none';
    vcpu.stepCount++;
    vcpu.frames[vcpu.frames.length - 1].at++;
    return null;
  }

  /** Compares a step's outcome with what it expects. */
  private judge(vcpu: GuestVcpu, step: GuestStep): void {
    const expectation = expectationOf(step);
    const got = outcomeName(vcpu.outcome);
    const fits = typeof expectation === 'string' ? expectation === got : expectation.includes(got);
    const held = fits || (typeof expectation === 'string' ? expectation === 'any' : expectation.includes('any'));
    if (held) this.heldCount++;
    else this.fail(vcpu, step, expectation, got);
    this.reporter?.stepOver(vcpu, step, held);
  }

  private fail(vcpu: GuestVcpu, step: GuestStep, expectation: Expectation, got: string): void {
    this.failureCount++;
    if (this.failures.length >= FAILURES_MAX) return;
    const expected = typeof expectation === 'string' ? expectation : expectation.join(' or ');
    this.failures.push({ place: vcpu.place(), step: step.step, expected, got });
  }

  // What step handlers look up.

  /** A name with its `#` replaced by the round of the innermost `repeat`. */
  nameOf(vcpu: GuestVcpu, name: string): string {
    return name.includes('#') ? name.replaceAll('#', String(vcpu.iteration)) : name;
  }

  /** The region of that name: an own one, or another guest's (`guest:region`); null when there is none. */
  region(vcpu: GuestVcpu, name: string): MemoryRegion | null {
    const full = this.nameOf(vcpu, name);
    const own = this.endpoint.regions.get(full);
    if (own !== undefined) return own;
    const colon = full.indexOf(':');
    if (colon < 0) return null;
    return this.guests.get(full.slice(0, colon))?.regions.get(full.slice(colon + 1)) ?? null;
  }

  /** An endpoint's id, 16 bits. */
  endpointId(reference: string | number): number {
    const id = typeof reference === 'number' ? reference : this.endpoints.get(reference);
    assert(id !== undefined, 'names of endpoints were checked when the script was made');
    return id & 0xffff;
  }

  /** Evaluates an expression; what names nothing that exists is 0. */
  word(vcpu: GuestVcpu, expression: WordExpression): Words64 {
    const parsed = this.parse(expression);
    switch (parsed.kind) {
      case 'literal':
        return parsed;
      case 'endpoint':
        return wordsOf(this.endpointId(parsed.name));
      case 'register': {
        const words = this.saved.get(this.nameOf(vcpu, parsed.name));
        if (words === undefined) return ZERO_WORDS;
        const high = parsed.wide ? words[2 * parsed.register + 1] : 0;
        return { low: words[2 * parsed.register], high };
      }
      case 'region':
        return wordsOfRegion(this.region(vcpu, parsed.name), parsed.part);
    }
  }

  /** Keeps the registers under a name. */
  save(vcpu: GuestVcpu, name: string | undefined, registers: RegisterFile): void {
    if (name !== undefined) this.saved.set(this.nameOf(vcpu, name), registers.words.slice());
  }

  private parse(expression: WordExpression): ParsedWord {
    const key = String(expression);
    const known = this.parsed.get(key);
    if (known !== undefined) return known;
    const parsed = present(parseWord(expression), 'a word that was checked when the script was made');
    this.parsed.set(key, parsed);
    return parsed;
  }
}

function expectationOf(step: GuestStep): Expectation {
  const expectation = 'expect' in step ? step.expect : undefined;
  if (expectation !== undefined) return expectation;
  return step.step === 'call' && step.answer === undefined ? 'any' : 'SUCCESS';
}

function wordsOfRegion(region: MemoryRegion | null, part: 'handle' | 'low' | 'high' | 'address'): Words64 {
  if (region === null) return ZERO_WORDS;
  switch (part) {
    case 'handle':
      return { low: region.handleLow, high: region.handleHigh };
    case 'low':
      return wordsOf(region.handleLow);
    case 'high':
      return wordsOf(region.handleHigh);
    case 'address':
      return region.ranges.length === 0 ? ZERO_WORDS : wordsOf(region.ranges[0].address);
  }
}
