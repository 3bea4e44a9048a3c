// A machine with an SPMC and scripted partitions: what the tests of this folder stand on. The normal world is the test
// itself, calling through smc().

import { errorName } from '../../src/abi/errors.ts';
import {
  FFA_ERROR,
  FFA_MSG_WAIT,
  FFA_RUN,
  FFA_RXTX_MAP_64,
  FFA_SUCCESS_32,
  FFA_VERSION,
  functionName,
} from '../../src/abi/function-ids.ts';
import { MSG_WAIT_FLAG_RETAIN_RX } from '../../src/abi/layout/messages.ts';
import { FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import { assert } from '../../src/base/assert.ts';
import { WAIT_TIME } from '../../src/base/coroutine.ts';
import { Machine } from '../../src/hardware/machine.ts';
import { EXIT_CALL, type Exit, type PartitionEntry, type VcpuContext } from '../../src/hardware/partition-entry.ts';
import { Pe } from '../../src/hardware/pe.ts';
import type { RegisterFile } from '../../src/hardware/registers.ts';
import type { SpmcOptions } from '../../src/spmc/options.ts';
import type { PartitionBuffers, PartitionManifest, PartitionSetup } from '../../src/spmc/partition-setup.ts';
import { Spmc } from '../../src/spmc/spmc.ts';

export const PAGE = 4096;
/** 512 MiB of memory from here. */
const MEMORY_BASE = 0x4000_0000;
export const HYPERVISOR_TX = 0x4000_0000;
export const HYPERVISOR_RX = 0x4000_1000;
/** Where guests have their pages. */
export const GUEST_MEMORY = 0x4100_0000;
export const SP1 = 0x8001;
export const SP2 = 0x8002;
export const SP3 = 0x8003;
/** Receives and sends direct requests of both families, and indirect messages. */
export const ALL_METHODS = 0x607;

/** What a partition does when it is entered; w0 of its registers is its next call. */
export type Behaviour = (context: VcpuContext) => Exit;

/** A program that the test can exchange between calls. */
export class ScriptedProgram implements PartitionEntry {
  behaviour: Behaviour = waits;
  /** w0 to w7 of each entry that was no first one. */
  readonly entries: number[][] = [];
  started = false;

  run(context: VcpuContext): Exit {
    if (!this.started) {
      this.started = true;
      return callWith(context, FFA_MSG_WAIT);
    }
    this.entries.push([0, 1, 2, 3, 4, 5, 6, 7].map((n) => context.registers.w(n)));
    return this.behaviour(context);
  }

  reset(): void {
    this.started = false;
    this.entries.length = 0;
  }
}

export function callWith(context: VcpuContext, ...words: number[]): Exit {
  context.registers.clear();
  for (const [n, word] of words.entries()) context.registers.setW(n, word);
  return EXIT_CALL;
}

const waits: Behaviour = (context) => callWith(context, FFA_MSG_WAIT);

export function said(answer: readonly number[]): string {
  const name = functionName(answer[0]);
  return answer[0] === FFA_ERROR ? `${name} ${errorName(answer[2])}` : name;
}

/** Two ids as w1 has them. */
export function ids(high: number, low: number): number {
  return ((high << 16) | low) >>> 0;
}

export interface RaisedInterrupt {
  readonly endpoint: number;
  readonly target: number;
  readonly id: number;
}

export function setupOf(
  id: number,
  program: PartitionEntry,
  manifest: Partial<PartitionManifest> = {},
): PartitionSetup {
  const baseAddress = 0x5000_0000 + (id - SP1) * 0x10_0000;
  return {
    id,
    program,
    image: { baseAddress, pageCount: 64 },
    manifest: {
      services: [{ uuid: [id, 0, 0, 1], messagingMethod: ALL_METHODS }],
      // The image of a partition at S-EL0 is not writable.
      ...(manifest.exceptionLevel === 'S-EL0' ? {} : { buffers: buffersIn(baseAddress) }),
      ...manifest,
    },
  };
}

function buffersIn(imageBase: number): PartitionBuffers {
  return { txAddress: imageBase + 62 * PAGE, rxAddress: imageBase + 63 * PAGE, pageCount: 1 };
}

export class SmallWorld {
  readonly machine = new Machine({ firstFrame: MEMORY_BASE / PAGE, frameCount: 0x2000_0000 / PAGE });
  readonly programs: ScriptedProgram[];
  readonly interrupts: RaisedInterrupt[] = [];
  readonly console: string[] = [];
  readonly spmc: Spmc;
  readonly pe = new Pe(0);
  readonly otherPe = new Pe(1);

  /** One partition for each manifest given, ids from 0x8001. */
  constructor(manifests: readonly Partial<PartitionManifest>[] = [{}], options: Partial<SpmcOptions> = {}) {
    this.programs = manifests.map(() => new ScriptedProgram());
    this.spmc = new Spmc(this.machine, {
      partitions: manifests.map((manifest, n) => setupOf(SP1 + n, this.programs[n], manifest)),
      interrupts: { raise: (endpoint, target, id) => this.interrupts.push({ endpoint, target, id }) },
      console: { log: (_endpoint, text) => this.console.push(text) },
      ...options,
    });
    this.boot();
  }

  boot(): void {
    this.drive(this.spmc.boot(this.pe));
    this.call(FFA_VERSION, FFA_VERSION_1_2);
    const r = this.pe.smc;
    r.clear();
    r.setW(0, FFA_RXTX_MAP_64);
    r.setX(1, HYPERVISOR_TX);
    r.setX(2, HYPERVISOR_RX);
    r.setW(3, 1);
    this.smc(this.pe);
    assert(r.w(0) === FFA_SUCCESS_32, 'the hypervisor has buffers');
  }

  /** Runs a coroutine to its end, letting time pass where it sleeps. */
  drive(coroutine: Generator<number, void, void>, pe: Pe = this.pe): number {
    let steps = 0;
    for (;;) {
      const next = coroutine.next();
      if (next.done === true) return steps;
      steps++;
      assert(steps < 10_000, 'a call ends');
      if (next.value === WAIT_TIME && !pe.interruptPending) this.machine.time.advanceTo(pe.wakeNs);
    }
  }

  /** The SMC in the PE's registers, to its end. */
  smc(pe: Pe = this.pe): RegisterFile {
    const pending = this.spmc.smc(pe);
    if (pending !== null) this.drive(pending, pe);
    return pe.smc;
  }

  /** An SMC with these words; returns w0 to w7 of the answer. */
  call(...words: number[]): number[] {
    return this.callOn(this.pe, ...words);
  }

  callOn(pe: Pe, ...words: number[]): number[] {
    pe.smc.clear();
    for (const [n, word] of words.entries()) pe.smc.setW(n, word);
    const r = this.smc(pe);
    return [0, 1, 2, 3, 4, 5, 6, 7].map((n) => r.w(n));
  }

  write(address: number, bytes: Uint8Array): void {
    this.machine.frames.contents.write(address, bytes, 0, bytes.length);
  }

  read(address: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.machine.frames.contents.read(address, bytes, 0, length);
    return bytes;
  }

  /** A call that partition `id` makes, while it waits, as if it were run; returns w0 to w7 of the answer. */
  callAs(id: number, ...words: number[]): number[] {
    let answer: number[] = [];
    const program = this.program(id);
    const before = program.behaviour;
    program.behaviour = (context) => {
      if (context.registers.w(0) === FFA_RUN) return callWith(context, ...words);
      answer = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => context.registers.w(n));
      program.behaviour = before;
      return callWith(context, FFA_MSG_WAIT, 0, MSG_WAIT_FLAG_RETAIN_RX);
    };
    this.call(FFA_RUN, (id << 16) >>> 0);
    return answer;
  }

  program(id: number): ScriptedProgram {
    return this.programs[id - SP1];
  }
}
