// A program that makes some calls while it initialises, and then waits: what only a partition that starts can do.

import { FFA_MSG_WAIT } from '../../src/abi/function-ids.ts';
import type { Exit, PartitionEntry, VcpuContext } from '../../src/hardware/partition-entry.ts';
import type { SpmcOptions } from '../../src/spmc/options.ts';
import type { PartitionManifest } from '../../src/spmc/partition-setup.ts';
import { callWith, SmallWorld, SP1, said, setupOf } from './small-world.ts';

export class InitProgram implements PartitionEntry {
  /** x0 to x7, low words, of the first entry of each context. */
  readonly first: number[][] = [];
  /** w0 to w7 of the answer to each call of the first context. */
  readonly answers: number[][] = [];
  private readonly calls: readonly (readonly number[])[];
  private readonly next: number[] = [];

  constructor(calls: readonly (readonly number[])[]) {
    this.calls = calls;
  }

  run(context: VcpuContext): Exit {
    const words = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => context.registers.w(n));
    const at = this.next[context.vcpu] ?? 0;
    if (at === 0) this.first.push(words);
    else if (context.vcpu === 0 && at <= this.calls.length) this.answers.push(words);
    this.next[context.vcpu] = at + 1;
    if (context.vcpu === 0 && at < this.calls.length) return callWith(context, ...this.calls[at]);
    return callWith(context, FFA_MSG_WAIT);
  }

  reset(): void {
    this.first.length = 0;
    this.answers.length = 0;
    this.next.length = 0;
  }
}

/** What `calls` of the only partition of a world answered while it initialised. */
export function initialised(
  manifest: Partial<PartitionManifest>,
  calls: readonly (readonly number[])[],
  options: Partial<SpmcOptions> = {},
): { readonly world: SmallWorld; readonly program: InitProgram; readonly answers: readonly string[] } {
  const program = new InitProgram(calls);
  const world = new SmallWorld([], { partitions: [setupOf(SP1, program, manifest)], ...options });
  return { world, program, answers: program.answers.map(said) };
}
