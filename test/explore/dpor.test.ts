// Partial-order reduction loses nothing: on reference worlds it meets exactly the classes of executions that unreduced
// depth-first search meets, and few executions more than there are classes. And what counts as independent commutes:
// all executions of one class end in the same state.

import { describe, expect, it } from 'vitest';
import { Executor } from '../../src/explore/executor.ts';
import { DepthFirst } from '../../src/explore/strategies/depth-first.ts';
import { Dpor } from '../../src/explore/strategies/dpor.ts';
import { Replay } from '../../src/explore/strategies/replay.ts';
import type { Strategy } from '../../src/explore/strategy.ts';
import type { WorldDescription } from '../../src/world/description.ts';
import { reportOf } from '../../src/world/report.ts';
import type { World } from '../../src/world/world.ts';
import { Traced } from './traces.ts';
import { smallWorld } from './worlds.ts';

const RELEASE = 'call: {registers: [FFA_RX_RELEASE]}';
const VERSION = 'call: {registers: [FFA_VERSION, 0x10001]}';
const UNMAP = 'unmap: {expect: any}';
const ECHO = 'message: {to: crypto, do: echo, words: [1], expect: any}';
const SHARE = 'share: {name: a, to: crypto, pages: 1, expect: any}';
const DESTROY = '[{at: 1s, destroy: g1}]';

interface Row {
  readonly what: string;
  readonly world: WorldDescription;
  readonly traces: number;
  /** Of unreduced search. */
  readonly executions: number;
}

const ROWS: readonly Row[] = [
  {
    what: 'four vCPUs release RX',
    world: smallWorld([[RELEASE], [RELEASE], [RELEASE], [RELEASE]]),
    traces: 2520,
    executions: 25_344,
  },
  {
    what: 'two messages and a version',
    world: smallWorld([[ECHO], [ECHO], [VERSION]]),
    traces: 1370,
    executions: 22_530,
  },
  { what: 'a share beside a release', world: smallWorld([[SHARE], [RELEASE]]), traces: 64, executions: 1287 },
  { what: 'a guest dies as it shares', world: smallWorld([[SHARE]], DESTROY), traces: 5, executions: 23 },
  {
    what: 'a guest dies as it gives up its buffers',
    world: smallWorld([[UNMAP], [RELEASE]], DESTROY),
    traces: 28,
    executions: 505,
  },
];

/** All of a world's end that anybody can see: lives, pages and who has them, quarantine, registers. */
function endOf(world: World): string {
  const { frames } = world.machine;
  const { expectations: _, ...report } = reportOf(world);
  const owners: number[] = [];
  for (let n = 0; n < frames.count; n++) {
    const frame = frames.firstFrame + n;
    if (frames.references(frame) > 0) owners.push(frame, frames.owner(frame), frames.references(frame));
  }
  const registers = world.guests.map(({ domain }) => domain?.vcpus.map((vcpu) => [...vcpu.registers.words]));
  return JSON.stringify([report, owners, registers]);
}

/** Normal forms of all complete executions, and how many there were, cut ones included. */
function tracesOf(world: WorldDescription, make: (executor: Executor) => Strategy, replays: boolean) {
  const executor = new Executor(world, {}, { faultsMax: 0 });
  for (;;) {
    executor.forget();
    const strategy = make(executor);
    const traced = new Traced(executor, strategy);
    const used: Strategy = replays ? strategy : traced;
    const traces = new Set<string>();
    const ends = new Map<string, string>();
    let count = 0;
    let complete = 0;
    for (; used.begin() && !executor.tainted; count++) {
      expect(executor.execute(used)).toBe(null);
      if (used.abandoned === true) continue;
      complete++;
      if (!replays) {
        const trace = traced.trace();
        traces.add(trace);
        const end = endOf(executor.world);
        expect(ends.get(trace) ?? end).toBe(end);
        ends.set(trace, end);
      } else {
        const again = new Traced(executor, new Replay([...executor.world.machine.choices.values]));
        again.begin();
        executor.execute(again);
        traces.add(again.trace());
      }
    }
    if (!executor.tainted) return { traces, count, complete };
  }
}

describe('partial-order reduction', () => {
  for (const { executions, traces, what, world } of ROWS) {
    it(`meets every class when ${what}: ${traces} of ${executions}`, { timeout: 60_000 }, () => {
      const all = tracesOf(world, () => new DepthFirst(), false);
      expect(all.count).toBe(executions);
      expect(all.traces.size).toBe(traces);
      const reduced = tracesOf(world, (executor) => new Dpor(executor.footprint, executor.world.machine.time), true);
      expect(reduced.traces).toEqual(all.traces);
      expect(reduced.complete).toBeLessThanOrEqual(2 * traces);
      expect(reduced.count).toBeLessThanOrEqual(2 * traces);
    });
  }
});
