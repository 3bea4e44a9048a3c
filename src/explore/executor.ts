// Executes a world again and again, each time under the choices of a strategy. One world is made and run up to where
// the exploration begins; from there each execution starts at a checkpoint.
//
//     const executor = new Executor(description, parts, options);
//     const finding = executor.execute(strategy);
//
// An execution ends at the first thing that does not hold, or when the world has come to rest. Faults strike within a
// budget and then no more, and a world's clock goes on only when nobody else can: so what must come to an end has every
// chance to. Where a world says so (`early`), the clock may go on a few times although somebody could.
//
// Limits: `stepsMax` steps an execution; one that needs more counts as one that does not end (P12).

import { AssertionFailure } from '../base/assert.ts';
import type { ChoicePolicy } from '../base/choice-stack.ts';
import { UserError } from '../base/user-error.ts';
import type { WorldDescription } from '../world/description.ts';
import type { Director, Task } from '../world/scheduler.ts';
import { SITE_SCHEDULE } from '../world/scheduler.ts';
import { World } from '../world/world.ts';
import type { WorldParts } from '../world/world-parts.ts';
import { Checkpoint } from './checkpoint.ts';
import { ASSERTION_PROPERTY, type Finding } from './finding.ts';
import { Footprint } from './footprint.ts';
import { SeededRandom } from './random.ts';
import { RandomWalk } from './strategies/random-walk.ts';
import { Replay } from './strategies/replay.ts';
import type { Strategy } from './strategy.ts';

export interface ExecutorOptions {
  /** Explored faults that may strike in one execution. */
  readonly faultsMax: number;
  /** Steps of one execution, default 20,000. */
  readonly stepsMax?: number;
  /** Whether what the world expects is judged too, default false: it is meant for the plain run. */
  readonly expectations?: boolean;
  /** Whether many executions follow, default true; false: one, which may keep its events. */
  readonly repeats?: boolean;
}

const STEPS_MAX = 20_000;
/** PEs of the host, so that what is planned for the same time can happen at the same time. */
const HOST_PES_MAX = 6;
/** Executions before the first that counts, which show what an execution changes. */
const TRAINING_EXECUTIONS = 160;
const TRAINING_STEPS = 20_000;
const CUT_STEPS_MAX = 64;
/** Afterwards the whole state is looked at after each of the first executions, then ever less often. */
const VERIFY_EACH = 64;
const VERIFY_EVERY = 512;
const VERIFY_CUTS_EVERY = 16;

export class Executor implements Director, ChoicePolicy {
  readonly world: World;
  faultsMax: number;
  readonly stepsMax: number;
  /** Executions, and steps in them, since `forget`. */
  executionCount = 0;
  stepTotal = 0;
  /** Set when an execution may have begun in a wrong state: the search has to begin anew (`forget`). */
  tainted = false;
  /** What steps touch, for a strategy that asks. */
  readonly footprint = new Footprint();
  private readonly repeats: boolean;
  private readonly judgesExpectations: boolean;
  private readonly checkpoint: Checkpoint;
  private readonly underWay: readonly Task[];
  private readonly firstStep: number;
  private strategy: Strategy;
  private tasks: readonly Task[] = [];
  private taskCount = 0;
  private verifyAt = 1;
  private cutCount = 0;

  /** Makes the world, runs it to where exploration begins. */
  constructor(description: WorldDescription, parts: WorldParts, options: ExecutorOptions) {
    this.faultsMax = options.faultsMax;
    this.stepsMax = options.stepsMax ?? STEPS_MAX;
    this.judgesExpectations = options.expectations ?? false;
    this.strategy = new RandomWalk(1);
    this.world = beginWorld(description, parts);
    const { machine, scheduler } = this.world;
    this.underWay = [...scheduler.all()];
    this.firstStep = scheduler.stepCount;
    scheduler.director = this;
    machine.events.listen(this.footprint);
    machine.frames.contents.watcher = this.footprint;
    machine.touches = this.footprint;
    const except = new Set<unknown>([
      this,
      this.footprint,
      machine.choices,
      description,
      this.world.hypervisor.profile,
    ]);
    this.checkpoint = new Checkpoint(this.world, except);
    this.repeats = options.repeats ?? true;
    if (this.repeats) this.train();
  }

  /** Makes one execution; null when all held. The strategy's `begin` has been called. */
  execute(strategy: Strategy): Finding | null {
    this.strategy = strategy;
    this.rewind();
    this.executionCount++;
    const finding = this.runToEnd();
    this.stepTotal += this.steps;
    strategy.end(finding !== null);
    return finding === null || !this.repeats ? finding : this.confirmed(finding);
  }

  /** The same finding from a state that was looked at as a whole; none if it is not there then. */
  private confirmed(finding: Finding): Finding | null {
    this.checkpoint.restore();
    this.checkpoint.verify();
    const { strategy } = this;
    this.strategy = new Replay(finding.choices);
    this.strategy.begin();
    this.rewind();
    const again = this.runToEnd();
    this.strategy = strategy;
    this.checkpoint.restore();
    this.checkpoint.verify();
    if (again === null || again.property !== finding.property) this.tainted = true;
    return again;
  }

  /** Steps of the execution at hand. */
  get steps(): number {
    return this.world.scheduler.stepCount - this.firstStep;
  }

  /** Begins to count anew, after `tainted`. */
  forget(): void {
    this.tainted = false;
    this.executionCount = 0;
    this.stepTotal = 0;
    this.verifyAt = 1;
    this.cutCount = 0;
  }

  /** Looks at the whole state, back at the checkpoint: `tainted` is then known for all executions so far. */
  settle(): void {
    this.checkpoint.restore();
    if (!this.checkpoint.verify()) this.tainted = true;
  }

  /** Back to the checkpoint. */
  rewind(): void {
    const { world } = this;
    this.checkpoint.restore();
    if (this.executionCount >= this.verifyAt) {
      const gap = this.executionCount < VERIFY_EACH ? 1 : Math.min(this.executionCount, VERIFY_EVERY);
      this.verifyAt = this.executionCount + gap;
      if (!this.checkpoint.verify()) this.tainted = true;
    }
    for (const task of this.underWay) if (task.again !== null) task.coroutine = task.again();
    world.faults.faultsLeft = this.faultsMax;
    if (world.scheduler.early !== null) world.scheduler.early.left = world.description.explore?.earlyMax ?? 0;
    world.machine.choices.replay([], this);
  }

  // Director -------------------------------------------------------------------------------------------------------

  enabled(tasks: readonly Task[], count: number): void {
    this.tasks = tasks;
    this.taskCount = count;
    if (count === 1) this.strategy.step?.(tasks, 1, tasks[0]);
  }

  started(task: Task): void {
    this.strategy.follows?.(task.pe.index);
  }

  enabledBy(task: Task): void {
    this.strategy.follows?.(task.pe.index);
  }

  /** ChoicePolicy. */
  pick(bound: number, site: number): number {
    if (site !== SITE_SCHEDULE) return this.strategy.data(bound, site);
    const value = this.strategy.schedule(this.tasks, this.taskCount);
    this.strategy.step?.(this.tasks, this.taskCount, this.tasks[value]);
    return value;
  }

  // ----------------------------------------------------------------------------------------------------------------

  private runToEnd(): Finding | null {
    const { world, stepsMax } = this;
    const violations = world.oracle?.violations ?? [];
    try {
      while (!world.over()) {
        world.advance();
        if (this.strategy.abandoned === true) {
          // What a whole execution changes back is still changed here.
          if (this.cutCount++ % VERIFY_CUTS_EVERY === 0) this.verifyAt = this.executionCount;
          return null;
        }
        if (violations.length > 0) return this.violation();
        if (this.steps >= stepsMax) {
          return this.finding('P12', `no rest within ${stepsMax} steps, although no fault strikes any more`);
        }
      }
      world.judge();
      if (violations.length > 0) return this.violation();
      return this.endless() ?? this.unexpected();
    } catch (error) {
      if (!(error instanceof AssertionFailure)) throw error;
      return this.finding(ASSERTION_PROPERTY, error.message);
    }
  }

  private violation(): Finding {
    const { anomaly, facts, property } = (this.world.oracle?.violations ?? [])[0];
    return { ...this.finding(property, anomaly), facts };
  }

  /** A world that was ended while somebody's end was still under way. */
  private endless(): Finding | null {
    const { world } = this;
    const { description } = world;
    if (world.quiet || description.faults.some(({ times }) => times === Number.POSITIVE_INFINITY)) return null;
    const left = world.records?.records.size ?? 0;
    if (left === 0 || description.propertiesOff.includes('P7')) return null;
    // Whoever still has memory may keep it for ever; then there is nothing that the teardown could do.
    const { oracle, spmc } = world;
    if (oracle === null || spmc.partitions.some(({ id }) => oracle.pagesHeldBy(id) > 0)) return null;
    return this.finding('P7', 'a teardown has not ended at the end of the world, although no fault strikes any more');
  }

  private unexpected(): Finding | null {
    if (!this.judgesExpectations) return null;
    const broken = this.world.expectationOutcomes.find(({ held }) => !held);
    return broken === undefined ? null : this.finding('expect', `${broken.text}: ${broken.found}`);
  }

  private finding(property: string, anomaly: string): Finding {
    const choices = trimmed(this.world.machine.choices.values);
    const faults = this.faultsMax - this.world.faults.faultsLeft;
    return { property, anomaly, facts: {}, choices, steps: this.steps, faults, faultsMax: this.faultsMax };
  }

  /** Executes at random until executions have shown what they change. */
  private train(): void {
    const random = new SeededRandom(0x7261696e);
    for (let n = 0, steps = 0; n < TRAINING_EXECUTIONS && steps < TRAINING_STEPS; n++) {
      // Some are left off on their way: what changes and changes back shows only there.
      const strategy = n % 3 === 0 ? new RandomWalk(random.word()) : new CutShort(random.word());
      strategy.begin();
      this.strategy = strategy;
      this.rewind();
      this.runToEnd();
      steps += this.steps;
      this.checkpoint.restore();
      this.checkpoint.verify();
    }
    this.forget();
  }
}

/** A random walk that is left off somewhere. */
class CutShort extends RandomWalk {
  abandoned = false;
  private left: number;

  constructor(seed: number) {
    super(seed);
    this.left = this.random.below(CUT_STEPS_MAX);
  }

  step(): void {
    if (--this.left < 0) this.abandoned = true;
  }
}

/** A world at the point where exploration begins. */
export function beginWorld(description: WorldDescription, parts: WorldParts): World {
  const actions = description.timeline.length + description.guests.length;
  const hostPeCount = Math.max(description.hostPeCount, Math.min(HOST_PES_MAX, 1 + actions));
  const world = new World({ ...description, hostPeCount, interleave: false }, { keepEvents: false, ...parts });
  world.begin();
  world.runBefore(description.explore?.fromNs ?? 0);
  for (const task of world.scheduler.all()) {
    if (world.resumable(task)) continue;
    const hint = "'from' names a time at which guests are in their own code and the host is idle";
    throw new UserError(`explore.from: '${task.name}' is in the middle of a call then`, null, hint);
  }
  world.explored();
  return world;
}

/** Without the first alternatives at the end, which are what happens anyway. */
export function trimmed(choices: readonly number[]): number[] {
  let length = choices.length;
  while (length > 0 && choices[length - 1] === 0) length--;
  return choices.slice(0, length);
}
