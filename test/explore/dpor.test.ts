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
import { slowRing } from '../require.ts';
import { Traced } from './traces.ts';
import { smallWorld } from './worlds.ts';

const RELEASE = 'call: {registers: [FFA_RX_RELEASE]}';
const VERSION = 'call: {registers: [FFA_VERSION, 0x10001]}';
const UNMAP = 'unmap: {expect: any}';
const ECHO = 'message: {to: crypto, do: echo, words: [1], expect: any}';
const SHARE = 'share: {name: a, to: crypto, pages: 1, expect: any}';
const DESTROY = '[{at: 1s, destroy: g1}]';
const RETRY = DESTROY.replace(']', ', {at: 2s, say: later}]');
const LATER = 'until: {time: 2s}';

interface Row {
  readonly what: string;
  readonly world: WorldDescription;
  /** Classes, at least: a world with fewer shows less. */
  readonly traces: number;
  /** Of unreduced search, at least. */
  readonly executions: number;
}

const LARGE_ROWS: readonly Row[] = [
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
];

const ROWS: readonly Row[] = [
  {
    what: 'three vCPUs release RX',
    world: smallWorld([[RELEASE], [RELEASE], [RELEASE]]),
    traces: 90,
    executions: 396,
  },
  {
    what: 'a guest dies as it shares, and time may go on early',
    world: early(smallWorld([[SHARE]], RETRY)),
    traces: 138,
    executions: 486,
  },
  {
    what: 'two vCPUs release RX, and time may go on early twice',
    world: early(smallWorld([[RELEASE, LATER, VERSION], [RELEASE]]), 2),
    traces: 33,
    executions: 102,
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

/** The same world, in which time may go on early. */
function early(world: WorldDescription, earlyMax = 1): WorldDescription {
  const { explore } = world;
  if (explore === undefined) throw new Error('no world to explore');
  return { ...world, explore: { ...explore, earlyMax } };
}

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

function compare(rows: readonly Row[]): void {
  for (const { executions, traces, what, world } of rows) {
    it(`meets every class when ${what}: ${traces} of ${executions} or more`, { timeout: 240_000 }, () => {
      const all = tracesOf(world, () => new DepthFirst(), false);
      const found = all.traces.size;
      expect(all.count).toBeGreaterThanOrEqual(executions);
      expect(found).toBeGreaterThanOrEqual(traces);
      const reduced = tracesOf(world, (executor) => new Dpor(executor.footprint, executor.world), true);
      expect(reduced.traces).toEqual(all.traces);
      expect(reduced.complete).toBeLessThanOrEqual(2 * found);
      expect(reduced.count).toBeLessThanOrEqual(2 * found);
    });
  }
}

describe('partial-order reduction', () => compare(ROWS));
slowRing('explore')('partial-order reduction of large worlds', () => compare(LARGE_ROWS));
