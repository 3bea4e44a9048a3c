// Runs drivers and says what was answered: what the test of each cell looks at, and what the page shows.

import {
  ABSENT_CALL,
  type DocumentedAnswer,
  NO_ANSWER,
  type Side,
} from '../../src/abi/documented/documented-answer.ts';
import {
  CALLER_VERSIONS,
  DOCUMENTED_CALLS,
  type DocumentedCall,
  documentedAnswers,
  NO_SUCH_CALL,
  RELAYED,
  UNNEGOTIATED,
} from '../../src/abi/documented/documented-table.ts';
import { errorName } from '../../src/abi/errors.ts';
import { FFA_VERSION, functionName, SMC64_BIT } from '../../src/abi/function-ids.ts';
import { formatVersion } from '../../src/abi/versions.ts';
import { present } from '../../src/base/assert.ts';
import { PROFILES } from '../../src/hypervisor/profiles/profile-table.ts';
import { PERSONALITIES } from '../../src/spmc/personalities/personality-table.ts';
import type { Bench } from './bench.ts';
import type { Driver, GuestDrive, SecureDrive } from './driver.ts';
import { DRIVERS } from './drivers/index.ts';
import { GuestBench } from './guest-bench.ts';
import type { Seen } from './recorder.ts';
import { SecureBench } from './secure-bench.ts';

/** Who answers: a profile at the guest's side, a personality at the SPMC's. */
export type Flavour = string;

/** The first one of a side is the default. */
export function flavoursOf(side: Side): readonly Flavour[] {
  const names = side === 'guest' ? [...PROFILES.keys()] : [...PERSONALITIES.keys()];
  const first = side === 'guest' ? 'ffabric' : 'hafnium';
  return [first, ...names.filter((name) => name !== first)];
}

const DRIVER_OF: ReadonlyMap<string, Driver> = new Map(
  DRIVERS.map((driver) => [`${driver.side} ${driver.fid} ${driver.when}`, driver]),
);

export function driverOf(call: DocumentedCall, when: string): Driver | undefined {
  return DRIVER_OF.get(`${call.side} ${call.fid} ${when}`);
}

export interface Run {
  /** The last answer to the call by the caller that the bench is about. */
  readonly answer: number | undefined;
  readonly seen: readonly Seen[];
}

/** Makes the call so that `answer` is due; null when no driver does. */
function run(call: DocumentedCall, answer: DocumentedAnswer, version: number, flavour: Flavour): Run | null {
  const bench = benchOf(call, version, flavour);
  if (!drive(bench, call, answer)) return null;
  const { seen } = bench.recorder;
  const own = seen.filter((one) => one.fid === call.fid && one.side === call.side && isOwn(bench, one));
  const isInjected = bench instanceof GuestBench && bench.isInjected;
  return { answer: own.at(-1)?.answer, seen: isInjected ? seen.filter(({ side }) => side !== 'hypervisor') : seen };
}

function isOwn(bench: Bench, one: Seen): boolean {
  return one.side === 'hypervisor' || one.endpoint === bench.me;
}

function benchOf(call: DocumentedCall, version: number, flavour: Flavour): GuestBench | SecureBench {
  if (call.side === 'guest') return new GuestBench(present(PROFILES.get(flavour), flavour), call.fid, version);
  return new SecureBench(call.side, call.fid, version, PERSONALITIES.get(flavour));
}

function drive(bench: GuestBench | SecureBench, call: DocumentedCall, answer: DocumentedAnswer): boolean {
  switch (answer.when) {
    case NO_SUCH_CALL:
      bench.call();
      return true;
    case UNNEGOTIATED:
      bench.given({ unnegotiated: true }).call();
      return true;
    case RELAYED: {
      const success = call.answers.find((one) => one.answer > 0 && one.since <= bench.version);
      if (success === undefined) return false;
      const refused = new Set([...call.relays, call.fid, (call.fid | SMC64_BIT) >>> 0]);
      bench.given({ refuses: [...refused].map((fid) => [fid, answer.answer] as const) });
      return drive(bench, call, success);
    }
    default: {
      if (answer.when.startsWith(ABSENT_CALL)) {
        bench.call();
        return true;
      }
      const driver = driverOf(call, answer.when);
      if (driver === undefined) return false;
      if (bench instanceof GuestBench) (driver.drive as GuestDrive)(bench, answer);
      else (driver.drive as SecureDrive)(bench, answer);
      return true;
    }
  }
}

/** Versions for which the answer is documented. */
export function versionsOf(answer: DocumentedAnswer): number[] {
  return CALLER_VERSIONS.filter((version) => answer.since <= version && version <= answer.until);
}

/** Whether the table has what was seen. */
function isInTable(seen: Seen, flavour: Flavour): boolean {
  const call = documentedAnswers(seen.fid, seen.side);
  if (call === undefined) return seen.answer === -1;
  const isFirst = flavoursOf(seen.side)[0] === flavour;
  return call.answers.some(
    (one) =>
      one.answer === seen.answer &&
      one.notGiven === '' &&
      one.since <= seen.version &&
      seen.version <= one.until &&
      (isFirst ? one.only.length === 0 : one.only.length === 0 || one.only.includes(flavour)),
  );
}

/** `DENIED`, `FFA_SUCCESS_32`, `a version`. */
export function answerName(answer: number): string {
  if (answer < 0) return errorName(answer);
  if (answer === NO_ANSWER) return 'no answer';
  return answer === FFA_VERSION ? 'a version' : functionName(answer);
}

/** `FFA_RX_RELEASE by partition of 1.1: DENIED (RX is empty)`. */
function cellName(call: DocumentedCall, version: number, answer: DocumentedAnswer): string {
  const who = `${functionName(call.fid)} by ${call.side} of ${formatVersion(version)}`;
  return `${who}: ${answerName(answer.answer)} (${answer.when})`;
}

function seenName(seen: Seen): string {
  return `${functionName(seen.fid)} by ${seen.side} of ${formatVersion(seen.version)}: ${answerName(seen.answer)}`;
}

/** What is wrong with the cells of one call, a line each. */
export function problemsOf(call: DocumentedCall): string[] {
  const problems = new Set<string>();
  for (const answer of call.answers) {
    if (answer.notGiven !== '') continue;
    const [flavour] = answer.only.length > 0 ? answer.only : flavoursOf(call.side);
    for (const version of versionsOf(answer)) {
      const name = cellName(call, version, answer);
      const done = run(call, answer, version, flavour);
      if (done === null) {
        problems.add(`${name}: nothing exercises it`);
        continue;
      }
      const given = done.answer ?? NO_ANSWER;
      if (given !== answer.answer) problems.add(`${name}: was ${answerName(given)}`);
      for (const seen of done.seen) if (!isInTable(seen, flavour)) problems.add(`not in the table: ${seenName(seen)}`);
    }
  }
  return [...problems];
}

/** What a profile or personality answers, under the drivers of the default one, that the table lacks; a line each. */
export function strangersOf(side: Side, flavour: Flavour): string[] {
  const found = new Set<string>();
  for (const call of DOCUMENTED_CALLS) {
    if (call.side !== side) continue;
    for (const answer of call.answers) {
      if (answer.notGiven !== '' || (answer.only.length > 0 && !answer.only.includes(flavour))) continue;
      for (const version of versionsOf(answer)) {
        for (const seen of runIfPossible(call, answer, version, flavour)?.seen ?? []) {
          if (!isInTable(seen, flavour)) found.add(seenName(seen));
        }
      }
    }
  }
  return [...found];
}

/** The same as `run`; null too where what the driver stands on cannot be had: no FF-A at all, a call that waits. */
export function runIfPossible(
  call: DocumentedCall,
  answer: DocumentedAnswer,
  version: number,
  flavour: Flavour,
): Run | null {
  try {
    return run(call, answer, version, flavour);
  } catch (error) {
    if (answer.only.length === 0 && flavour === flavoursOf(call.side)[0]) throw error;
    return null;
  }
}
