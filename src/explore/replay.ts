// One execution again, with all its events kept: what a schedule leads to.

import type { WorldDescription } from '../world/description.ts';
import type { World } from '../world/world.ts';
import type { WorldParts } from '../world/world-parts.ts';
import { Executor } from './executor.ts';
import type { Finding } from './finding.ts';
import type { Schedule } from './schedule.ts';
import { Replay } from './strategies/replay.ts';

export interface Replayed {
  /** The world at its end; its event log has everything. */
  readonly world: World;
  readonly finding: Finding | null;
  readonly steps: number;
  /** Events before exploration began. */
  readonly firstEvent: number;
  /** Choices of the schedule that this world does not have. */
  readonly misfits: number;
}

export interface ReplayOptions {
  readonly stepsMax?: number;
  readonly expectations?: boolean;
}

/** Executes a schedule. */
export function replay(
  description: WorldDescription,
  parts: WorldParts,
  schedule: Schedule,
  options: ReplayOptions = {},
): Replayed {
  const executor = new Executor(
    description,
    { ...parts, keepEvents: true },
    { ...options, faultsMax: schedule.faultsMax, repeats: false },
  );
  const strategy = new Replay(schedule.choices);
  strategy.begin();
  const firstEvent = executor.world.machine.events.count;
  const finding = executor.execute(strategy);
  return { world: executor.world, finding, steps: executor.steps, firstEvent, misfits: strategy.misfits };
}
