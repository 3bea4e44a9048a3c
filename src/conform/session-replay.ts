// Replays sessions on the mediator of one profile, and says of each whether it passed, failed (and where), or was
// skipped.
//
// Skipped: sessions in which an allocation was made to fail (that depends on the order in which C allocates), and those
// in which a call within a call would have waited for a lock for ever. A session that ended in a crash of the recorded
// mediator passes if nothing throws here and the oracle's P1 to P5 hold.

import { UserError } from '../base/user-error.ts';
import type { Profile } from '../hypervisor/profile.ts';
import { AnswerCheck } from './answer-check.ts';
import type { Difference } from './difference.ts';
import { Fields, type FieldsPlace } from './fields.ts';
import { OPERATIONS } from './operations.ts';
import type { UnderWay } from './recorded-conduit.ts';
import type { SessionResult, Verdict } from './recorded-file.ts';
import { ReplayMachine } from './replay-machine.ts';
import type { VectorSession, VectorStep } from './vector-reader.ts';

export interface ReplayOptions {
  /** Whether every interleaving point yields (the answers are the same; slower). */
  readonly stepping?: boolean;
  /** Whether the oracle judges every session, not only those that crashed. */
  readonly judged?: boolean;
}

export class SessionReplay {
  private readonly file: string;
  private readonly profile: Profile;
  private readonly stepping: boolean;
  private readonly judgesAll: boolean;
  /** The machine of the session that runs. */
  private replay: ReplayMachine;
  private readonly plain: ReplayMachine;
  /** Judged by the oracle; slower. */
  private judged: ReplayMachine | null = null;
  private calls = 0;
  private place: FieldsPlace;

  constructor(file: string, profile: Profile, options: ReplayOptions = {}) {
    this.file = file;
    this.profile = profile;
    this.stepping = options.stepping ?? false;
    this.judgesAll = options.judged ?? false;
    this.place = { file, line: 0, where: '' };
    this.plain = this.machine(false);
    this.replay = this.plain;
  }

  private machineFor(session: VectorSession): ReplayMachine {
    if (!this.judgesAll && !session.steps.some(isCrash)) return this.plain;
    this.judged ??= this.machine(true);
    return this.judged;
  }

  private machine(judged: boolean): ReplayMachine {
    const replay = new ReplayMachine(this.profile, { stepping: this.stepping, judged });
    replay.meanwhile = (underWay) => this.meanwhile(underWay);
    return replay;
  }

  run(session: VectorSession): SessionResult {
    this.calls = 0;
    if (session.steps.some(isBeyondReplay)) return this.result('skipped', 0, '', null);
    this.replay = this.machineFor(session);
    for (let n = 0; n < session.steps.length; n++) {
      const step = session.steps[n];
      this.place = { file: this.file, line: step.line, where: `session "${session.name}", step ${n + 1}` };
      const operation = new Fields(step.operation, this.place, 'the operation');
      const answer = new Fields(step.answer, this.place, 'the answer');
      const difference = this.step(operation, answer);
      if (difference !== null) return this.result('failed', n + 1, operation.text('op'), difference);
    }
    const violation = this.replay.judge();
    if (violation === null) return this.result('passed', 0, '', null);
    const got = `${violation.anomaly} ${JSON.stringify(violation.facts)}`;
    return this.result('failed', session.steps.length, 'oracle', {
      field: violation.property,
      expected: 'P1 to P5 hold',
      got,
    });
  }

  private step(operation: Fields, answer: Fields): Difference | null {
    const check = new AnswerCheck(this.replay, answer);
    try {
      this.operate(operation, check);
    } catch (error) {
      if (error instanceof UserError || !(error instanceof Error)) throw error;
      const expected = answer.flag('crash') ? 'nothing thrown' : 'an answer';
      return { field: 'threw', expected, got: `${error.name}: ${error.stack ?? error.message}` };
    }
    return check.difference;
  }

  private operate(operation: Fields, check: AnswerCheck): void {
    const name = operation.text('op');
    const operate = OPERATIONS.get(name);
    if (operate === undefined) operation.fail('op', `one of ${[...OPERATIONS.keys()].join(', ')}`);
    if (name !== 'probe' && !this.replay.hasBooted) operation.fail('op', 'a probe: each session begins with one');
    if (name === 'smc') this.calls++;
    operate(this.replay, operation, check);
  }

  /** Operations of other vCPUs while an SMC is under way. */
  private meanwhile(underWay: UnderWay): void {
    const { operations, answers, fields } = underWay;
    const { conduit } = this.replay;
    for (let n = 0; n < operations.length; n++) {
      const operation = fields.entry(operations[n], `operation ${n + 1} meanwhile`);
      const answer = fields.entry(answers[n] ?? {}, `"nested" ${n + 1}`);
      const check = new AnswerCheck(this.replay, answer);
      this.operate(operation, check);
      const { difference } = check;
      if (difference === null) continue;
      conduit.difference ??= { ...difference, field: `nested ${n + 1}, ${difference.field}` };
    }
  }

  private result(verdict: Verdict, step: number, operation: string, difference: Difference | null): SessionResult {
    return { verdict, calls: this.calls, step, operation, difference };
  }
}

/** Whether a step is one of those that a replay skips: a failing allocation, a call that blocks for ever. */
function isBeyondReplay(step: VectorStep): boolean {
  const operation = step.operation as Record<string, unknown> | null;
  const answer = step.answer as Record<string, unknown> | null;
  if (operation?.['op'] === 'fail' || operation?.['fail_alloc'] !== undefined) return true;
  if (operation?.['fail_xenheap'] !== undefined) return true;
  return blocks(answer);
}

function isCrash(step: VectorStep): boolean {
  return (step.answer as Record<string, unknown> | null)?.['crash'] === true;
}

function blocks(answer: Record<string, unknown> | null): boolean {
  if (answer?.['blocked'] !== undefined) return true;
  const exchanges = answer?.['spmc'];
  if (!Array.isArray(exchanges)) return false;
  for (const exchange of exchanges as (Record<string, unknown> | null)[]) {
    const nested = exchange?.['nested'];
    if (Array.isArray(nested) && nested.some(blocks)) return true;
  }
  return false;
}
