// A partition's behaviour as a list of steps, one for each entry; what it was entered with is noted.

import { EXIT_WORK, type Exit, type VcpuContext } from '../../src/hardware/partition-entry.ts';
import { type Behaviour, callWith, said } from './small-world.ts';

export type Step = (context: VcpuContext) => Exit;

/** Makes a call with these words. */
export function calls(...words: number[]): Step {
  return (context) => callWith(context, ...words);
}

/** Computes for so long; the registers stay as they are. */
export function works(durationNs: number): Step {
  return (context) => {
    context.workNs = durationNs;
    return EXIT_WORK;
  };
}

export interface Steps {
  readonly behaviour: Behaviour;
  /** What each entry found in w0 (and the error's name), w1 and w2. */
  readonly heard: string[];
  /** Interrupts that each entry found pending, taken out. */
  readonly interrupts: number[][];
}

/** The steps in turn; `last` for every entry after them. */
export function inTurn(steps: readonly Step[], last: Step): Steps {
  const heard: string[] = [];
  const interrupts: number[][] = [];
  let at = 0;
  return {
    heard,
    interrupts,
    behaviour(context) {
      const { registers } = context;
      heard.push(said([registers.w(0), registers.w(1), registers.w(2)]));
      interrupts.push(context.interrupts.splice(0));
      const step = steps[at++] ?? last;
      return step(context);
    },
  };
}
