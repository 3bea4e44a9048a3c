// What every driver stands on: one call at one side by a caller of one version, and a machine around it that is made at
// first use. Partitions are scripted: what they call is said step by step, each on a PE of its own.

import type { Side } from '../../src/abi/documented/documented-answer.ts';
import { FFA_MSG_WAIT, FFA_RUN, SMC64_BIT } from '../../src/abi/function-ids.ts';
import { present } from '../../src/base/assert.ts';
import { type Coroutine, WAIT_TIME } from '../../src/base/coroutine.ts';
import { EVENT_SMC, EVENT_SMC_RETURN } from '../../src/base/event-kinds.ts';
import { emitRegisters } from '../../src/hardware/emit-registers.ts';
import type { Machine } from '../../src/hardware/machine.ts';
import {
  EXIT_CALL,
  EXIT_EXTERNAL,
  type Exit,
  type PartitionEntry,
  type VcpuContext,
} from '../../src/hardware/partition-entry.ts';
import { Pe } from '../../src/hardware/pe.ts';
import type { RegisterFile } from '../../src/hardware/registers.ts';
import type { SpmcLimits } from '../../src/spmc/limits.ts';
import type { NormalWorldMemory } from '../../src/spmc/options.ts';
import type { PartitionManifest } from '../../src/spmc/partition-setup.ts';
import type { Personality } from '../../src/spmc/personality.ts';
import type { Spmc } from '../../src/spmc/spmc.ts';
import { PAGE, SP1 } from '../spmc/small-world.ts';
import { type Described, type DescribeOptions, describe } from './descriptor.ts';
import { Recorder } from './recorder.ts';

export type Behaviour = (context: VcpuContext) => Exit;

/** A partition that does what it is told, call by call, or what its behaviour says. */
export class BenchProgram implements PartitionEntry {
  /** What it does instead, once it has booted. */
  behaviour: Behaviour | null = null;
  /** Calls that it makes while it boots, before it waits. */
  atBoot: (readonly number[])[] = [];
  /** Answers to them. */
  readonly bootAnswers: number[][] = [];
  booted = false;
  private orders: (readonly number[])[] = [];
  private asked = false;
  answer: number[] = [];

  order(words: readonly number[]): void {
    this.orders.push(words);
  }

  run(context: VcpuContext): Exit {
    if (!this.booted) return this.boot(context);
    if (this.behaviour !== null) return this.behaviour(context);
    if (this.asked) this.answer = wordsOf(context.registers);
    this.asked = false;
    const next = this.orders.shift();
    if (next === undefined) return EXIT_EXTERNAL;
    this.asked = true;
    return calls(context, ...next);
  }

  private boot(context: VcpuContext): Exit {
    if (this.asked) this.bootAnswers.push(wordsOf(context.registers));
    this.asked = false;
    const next = this.atBoot.shift();
    if (next !== undefined) {
      this.asked = true;
      return calls(context, ...next);
    }
    this.booted = true;
    return calls(context, FFA_MSG_WAIT);
  }

  reset(): void {
    this.booted = false;
  }
}

/** Puts a call into a partition's registers. */
export function calls(context: VcpuContext, ...words: readonly number[]): Exit {
  put(context.registers, words);
  return EXIT_CALL;
}

export function put(registers: RegisterFile, words: readonly number[]): void {
  registers.clear();
  for (const [n, word] of words.entries()) registers.setX(n, word < 0 ? word >>> 0 : word);
}

/** x0 to x7, or their low words where that is more than a double holds. */
export function wordsOf(registers: RegisterFile): number[] {
  return [0, 1, 2, 3, 4, 5, 6, 7].map((n) => registers.w(n));
}

export interface BenchOptions {
  /** What differs in the manifests of SP1, SP2, ... */
  readonly manifests?: readonly Partial<PartitionManifest>[];
  readonly limits?: Partial<SpmcLimits>;
  /** Small partitions beside the three that are scripted. */
  readonly morePartitions?: number;
  /** The caller has no buffers. */
  readonly unmapped?: boolean;
  readonly normalWorldMemory?: readonly NormalWorldMemory[];
  /** What SP1 calls while it boots. */
  readonly atBoot?: readonly (readonly number[])[];
  /** Functions that the SPMC denies when the mediator asks at its boot. */
  readonly lacks?: readonly number[];
  /** Calls that the SPMC answers with an error once the machine stands: function id and code. */
  readonly refuses?: readonly (readonly [fid: number, code: number])[];
  /** Guests may run partitions that wait. */
  readonly guestsRunWaiting?: boolean;
  /** FFA_VERSION has not been called. */
  readonly unnegotiated?: boolean;
}

export abstract class Bench {
  readonly side: Side;
  readonly fid: number;
  readonly version: number;
  readonly personality: Personality | undefined;
  options: BenchOptions = {};
  readonly recorder = new Recorder((side, endpoint) => this.versionAt(side, endpoint));
  /** What each partition's PE has under way. */
  private readonly running = new Map<number, Coroutine>();
  private readonly pes = new Map<number, Pe>();

  constructor(side: Side, fid: number, version: number, personality?: Personality) {
    this.side = side;
    this.fid = fid;
    this.version = version;
    this.personality = personality;
  }

  /** Says what is special, before the machine is used. */
  given(options: BenchOptions): this {
    this.options = { ...this.options, ...options };
    return this;
  }

  abstract get machine(): Machine;
  abstract get spmc(): Spmc;
  abstract get programs(): readonly BenchProgram[];
  /** The endpoint that calls; for the hypervisor, the VM for which it does. */
  abstract get me(): number;
  /** The call of this bench, with these arguments. */
  abstract call(...words: readonly number[]): number[];
  /** Another call of the same caller. */
  abstract as(fid: number, ...words: readonly number[]): number[];
  /** Writes to the caller's TX. */
  abstract send(bytes: Uint8Array): void;
  /** Address of the caller's `n`-th page. */
  abstract page(n: number): number;
  protected abstract versionAt(side: Side, endpoint: number): number;

  /** Whether the call has the 64-bit form. */
  get wide(): boolean {
    return (this.fid & SMC64_BIT) !== 0;
  }

  /** Buffer addresses of a partition. */
  txOf(id: number): number {
    return present(this.spmc.partitionById.get(id), 'a partition').txFrame * PAGE;
  }

  program(id: number): BenchProgram {
    return present(this.programs[id - SP1], 'a program');
  }

  write(address: number, bytes: Uint8Array): void {
    this.machine.frames.contents.write(address, bytes, 0, bytes.length);
  }

  /** A call that a partition makes while it is run; its answer. */
  sp(id: number, ...words: readonly number[]): number[] {
    const program = this.program(id);
    const pe = this.peOf(id);
    let coroutine = this.running.get(id);
    program.order(words);
    if (coroutine === undefined) {
      put(pe.smc, [FFA_RUN, ((id << 16) >>> 0) + 0]);
      const pending = this.spmc.smc(pe);
      if (pending === null) return program.answer;
      coroutine = pending;
      this.running.set(id, coroutine);
    }
    if (this.drive(coroutine, pe)) this.running.delete(id);
    return program.answer;
  }

  /** A PE of the partition's own, so that its call does not stand in others' way. */
  peOf(id: number): Pe {
    const known = this.pes.get(id);
    if (known !== undefined) return known;
    const pe = new Pe(1 + (id & 0xff));
    this.pes.set(id, pe);
    return pe;
  }

  /** Drives a coroutine until it ends (true) or waits for the outside. */
  drive(coroutine: Coroutine, pe: Pe): boolean {
    for (let steps = 0; steps < 10_000; steps++) {
      const next = coroutine.next();
      if (next.done === true) return true;
      if (next.value !== WAIT_TIME) return false;
      if (pe.interruptPending) continue;
      if (pe.wakeNs === Number.POSITIVE_INFINITY) return false;
      this.machine.time.advanceTo(pe.wakeNs);
    }
    throw new Error('a call ends');
  }

  /** An SMC of the hypervisor, told as the mediator would tell it. */
  protected smc(pe: Pe, words: readonly number[]): number[] {
    const { events } = this.machine;
    put(pe.smc, words);
    emitRegisters(events, EVENT_SMC, pe.index, 0, pe.smc);
    const pending = this.spmc.smc(pe);
    // A partition that waits for its next order has the PE: there is no answer.
    if (pending !== null && !this.drive(pending, pe)) return [];
    emitRegisters(events, EVENT_SMC_RETURN, pe.index, 0, pe.smc);
    return wordsOf(pe.smc);
  }

  /** A memory transaction in the layout of the caller's version. */
  describe(options: Partial<DescribeOptions>): Described {
    return describe(this.version, { sender: this.me, receivers: [], ranges: [], ...options });
  }
}
