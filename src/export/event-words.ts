// What an event says, in words, for every kind that is not a call or an answer. A kind without a sentence of its own
// prints its arguments by name.

import { errorName } from '../abi/errors.ts';
import * as k from '../base/event-kinds.ts';
import { type ActorNames, endpointName, textOf } from './actor-names.ts';
import type { EventSource } from './event-source.ts';
import type { Style } from './styled-text.ts';
import { columnTime, spanTime } from './time-text.ts';

export interface EventWords {
  readonly text: string;
  readonly style: Style;
}

type Describe = (a: readonly number[], names: ActorNames) => EventWords;

const OWNER_NAMES: ReadonlyMap<number, string> = new Map([
  [0, 'nobody'],
  [-1, 'the hypervisor'],
  [-2, 'the quarantine'],
  [-3, 'the secure world'],
]);

const DESCRIBE: ReadonlyMap<number, Describe> = new Map<number, Describe>([
  [
    k.EVENT_DOMAIN_CREATE,
    ([vm, , pages], n) => strong(`${endpointName(n, vm)} is created with ${count(pages, 'page')}`),
  ],
  [k.EVENT_DOMAIN_DYING, ([vm], n) => strong(`${endpointName(n, vm)} is being destroyed`)],
  [
    k.EVENT_DOMAIN_ZOMBIE,
    ([vm, , pages, references], n) =>
      warning(
        `${endpointName(n, vm)} is a zombie: ${count(pages, 'page')} and ${count(references, 'reference')} keep it`,
      ),
  ],
  [k.EVENT_DOMAIN_GONE, ([vm], n) => strong(`${endpointName(n, vm)} is gone`)],
  [
    k.EVENT_DOMAIN_CREATE_FAILED,
    ([vm, , error], n) => warning(`${endpointName(n, vm)} could not be created: ${errorName(error)}`),
  ],
  [
    k.EVENT_VM_ID_RETIRED,
    ([vm, reason], n) =>
      warning(`the id of ${endpointName(n, vm)} is retired: ${named(n, 'vm-id-retired.reason', reason)}`),
  ],
  [
    k.EVENT_TEARDOWN_BEGIN,
    ([vm, , shares, messages, pages], n) =>
      strong(`${teardown(n, vm)}: ${owed(shares, messages)} owed, ` + `${count(pages, 'page')} held`),
  ],
  [
    k.EVENT_TEARDOWN_ROUND,
    ([vm, round, shares, messages], n) => plain(`${teardown(n, vm)}, round ${round}: ${owed(shares, messages)} left`),
  ],
  [
    k.EVENT_TEARDOWN_WAIT,
    ([vm, untilNs, shares, messages], n) =>
      plain(`${teardown(n, vm)} waits until ${columnTime(untilNs)} s: ` + `${owed(shares, messages)} left`),
  ],
  [
    k.EVENT_TEARDOWN_END,
    ([vm, rounds, pages], n) =>
      pages === 0
        ? good(`${teardown(n, vm)} is done after ${count(rounds, 'round')}`)
        : warning(`${teardown(n, vm)} ends after ${count(rounds, 'round')}, ${count(pages, 'page')} in quarantine`),
  ],
  [
    k.EVENT_QUARANTINE,
    ([vm, reason, low, high, pages, frame], n) =>
      warning(
        `quarantine: ${pagesOf(n, vm, pages)} from frame ${hex(frame)}, ${handle(low, high)}: ` +
          named(n, 'quarantine.reason', reason),
      ),
  ],
  [
    k.EVENT_QUARANTINE_RELEASE,
    ([vm, how, low, high, pages], n) =>
      howReleased(`quarantine: ${pagesOf(n, vm, pages)}, ${handle(low, high)}`, how, n),
  ],
  [
    k.EVENT_ANSWER_CLASS,
    ([, call, kind], n) =>
      dim(`answer to ${named(n, 'answer-class.call', call)} means: ${named(n, 'answer-class.class', kind)}`),
  ],
  [
    k.EVENT_SHARE_LIVE,
    ([vm, low, high, pages, receiver], n) =>
      plain(`${pagesOf(n, vm, pages)} shared with ${endpointName(n, receiver)}, ${handle(low, high)}`),
  ],
  [
    k.EVENT_SHARE_DEAD,
    ([vm, low, high, pages, receiver], n) =>
      plain(`${pagesOf(n, vm, pages)} back from ${endpointName(n, receiver)}, ${handle(low, high)}`),
  ],
  [k.EVENT_TIMER_ARM, ([timer, expiryNs], n) => dim(`${timerName(n, timer)} is set to ${columnTime(expiryNs)} s`)],
  [k.EVENT_TIMER_FIRE, ([timer], n) => plain(`${timerName(n, timer)} fires`)],
  [k.EVENT_TIMER_STOP, ([timer], n) => dim(`${timerName(n, timer)} is stopped`)],
  [k.EVENT_INTERRUPT, ([endpoint, interrupt], n) => plain(`interrupt ${interrupt} to ${endpointName(n, endpoint)}`)],
  [k.EVENT_LOCK, ([lock], n) => dim(`takes ${named(n, 'lock.lock', lock)}`)],
  [k.EVENT_UNLOCK, ([lock], n) => dim(`releases ${named(n, 'lock.lock', lock)}`)],
  [k.EVENT_SP_ENTER, ([sp, vcpu], n) => dim(`${spName(n, sp, vcpu)} runs`)],
  [k.EVENT_SP_EXIT, ([sp, vcpu], n) => dim(`${spName(n, sp, vcpu)} stops`)],
  [k.EVENT_SP_CRASH, ([sp, vcpu], n) => wrong(`${spName(n, sp, vcpu)} crashes`)],
  [k.EVENT_SP_RESTART, ([sp], n) => plain(`${spName(n, sp, 0)} starts anew`)],
  [k.EVENT_SP_STOP, ([sp, vcpu], n) => wrong(`${spName(n, sp, vcpu)} is stopped`)],
  [k.EVENT_SP_PREEMPTED, ([sp, vcpu], n) => warning(`${spName(n, sp, vcpu)} is preempted`)],
  [
    k.EVENT_SECURE_INTERRUPT,
    ([sp, vcpu, interrupt], n) => plain(`${spName(n, sp, vcpu)} has interrupt ${interrupt} pending`),
  ],
  [k.EVENT_SP_WORK, ([sp, vcpu, workNs], n) => dim(`${spName(n, sp, vcpu)} works for ${spanTime(workNs)}`)],
  [
    k.EVENT_DMA_START,
    ([sp, frame, pages], n) => plain(`DMA of ${endpointName(n, sp)} to ${frames(frame, pages)} begins`),
  ],
  [k.EVENT_DMA_END, ([sp, frame, pages], n) => plain(`DMA of ${endpointName(n, sp)} to ${frames(frame, pages)} ends`)],
  [
    k.EVENT_FRAME_ALLOCATE,
    ([frame, pages, owner], n) => dim(`${frames(frame, pages)} allocated to ${ownerName(n, owner)}`),
  ],
  [k.EVENT_FRAME_FREE, ([frame, pages, owner], n) => dim(`${frames(frame, pages)} of ${ownerName(n, owner)} free`)],
  [k.EVENT_FRAME_GET, ([frame, pages]) => dim(`${frames(frame, pages)} pinned`)],
  [k.EVENT_FRAME_PUT, ([frame, pages]) => dim(`${frames(frame, pages)} released`)],
  [k.EVENT_FRAME_SCRUB, ([frame, pages]) => dim(`${frames(frame, pages)} zeroed`)],
  [
    k.EVENT_FRAME_OWNER,
    ([frame, pages, owner, before], n) =>
      dim(`${frames(frame, pages)} from ${ownerName(n, before)} to ${ownerName(n, owner)}`),
  ],
  [
    k.EVENT_MAP,
    ([space, gfn, frame, pages], n) => dim(`${endpointName(n, space)} maps ${frames(frame, pages)} at ${hex(gfn)}`),
  ],
  [
    k.EVENT_UNMAP,
    ([space, gfn, frame, pages], n) => dim(`${endpointName(n, space)} unmaps ${frames(frame, pages)} at ${hex(gfn)}`),
  ],
  [
    k.EVENT_FAULT,
    ([fault, fid], n) => warning(`fault: ${textOf(n, 'fault.fault', fault) ?? `${fault} in ${hex(fid)}`}`),
  ],
  [k.EVENT_STORY, ([line], n) => ({ text: named(n, 'story.line', line), style: 'title' })],
  [
    k.EVENT_EXPECTATION,
    ([expectation, held], n) => {
      const text = named(n, 'expectation.expectation', expectation);
      return held === 1 ? good(`as expected: ${text}`) : wrong(`not as expected: ${text}`);
    },
  ],
  [
    k.EVENT_VIOLATION,
    ([property, violation], n) =>
      wrong(`VIOLATION of ${textOf(n, 'violation.violation', violation) ?? `P${property}, number ${violation}`}`),
  ],
  [k.EVENT_CHOICE, ([site, bound, value], n) => dim(`choice ${value} of ${bound} at ${named(n, 'choice.site', site)}`)],
]);

/** What record `at` says; for a call or an answer its arguments by name. */
export function eventWords(events: EventSource, at: number, names: ActorNames): EventWords {
  const number = events.kind(at);
  const describe = DESCRIBE.get(number);
  if (describe === undefined) return dim(argumentWords(events, at));
  const values: number[] = [];
  for (let n = 0; n < (k.EVENT_KINDS.get(number)?.arguments.length ?? 0); n++) values.push(events.argument(at, n));
  return describe(values, names);
}

/** Kinds that have a sentence of their own, for the test that walks all kinds. */
export function hasWords(kind: number): boolean {
  return DESCRIBE.has(kind);
}

/** The name of a frame owner. */
export function ownerName(names: ActorNames, owner: number): string {
  return OWNER_NAMES.get(owner) ?? names.owners?.find((one) => one.id === owner)?.name ?? `owner ${owner}`;
}

function argumentWords(events: EventSource, at: number): string {
  const kind = k.EVENT_KINDS.get(events.kind(at));
  let text = kind?.name ?? `kind ${events.kind(at)}`;
  kind?.arguments.forEach((name, n) => {
    const value = events.argument(at, n);
    if (name.endsWith('Hex')) text += ` ${name.slice(0, -3)} ${hex(value)}`;
    else if (name.endsWith('Ns')) text += ` ${name.slice(0, -2)} ${spanTime(value)}`;
    else text += ` ${name} ${value}`;
  });
  return text;
}

function plain(text: string): EventWords {
  return { text, style: 'plain' };
}
function strong(text: string): EventWords {
  return { text, style: 'strong' };
}
function good(text: string): EventWords {
  return { text, style: 'good' };
}
function warning(text: string): EventWords {
  return { text, style: 'warning' };
}
function wrong(text: string): EventWords {
  return { text, style: 'wrong' };
}
function dim(text: string): EventWords {
  return { text, style: 'dim' };
}

function named(names: ActorNames, kindAndArgument: string, index: number): string {
  return textOf(names, kindAndArgument, index) ?? `${kindAndArgument.slice(kindAndArgument.indexOf('.') + 1)} ${index}`;
}

function timerName(names: ActorNames, timer: number): string {
  return textOf(names, 'timer-arm.timer', timer) ?? `timer ${timer}`;
}

function spName(names: ActorNames, sp: number, vcpu: number): string {
  return vcpu === 0 ? endpointName(names, sp) : `${endpointName(names, sp)} vCPU ${vcpu}`;
}

/** 0: they came back. Anything else: they are given up, and stay where they are. */
function howReleased(what: string, how: number, names: ActorNames): EventWords {
  const text = textOf(names, 'quarantine-release.how', how) ?? (how === 0 ? 'back' : 'given up');
  return how === 0 ? good(`${what}: ${text}`) : warning(`${what}: ${text}`);
}

function owed(shares: number, messages: number): string {
  return `${count(shares, 'share')} and ${count(messages, 'message')}`;
}

function pagesOf(names: ActorNames, vm: number, pages: number): string {
  return `${count(pages, 'page')} of ${endpointName(names, vm)}`;
}

function teardown(names: ActorNames, vm: number): string {
  return `teardown of ${endpointName(names, vm)}`;
}

/** `1 page`, `2 pages`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function frames(first: number, pages: number): string {
  return pages === 1 ? `frame ${hex(first)}` : `frames ${hex(first)}+${pages}`;
}

function handle(low: number, high: number): string {
  return high === 0 ? `handle ${hex(low)}` : `handle 0x${high.toString(16)}${low.toString(16).padStart(8, '0')}`;
}

function hex(value: number): string {
  return value < 0 ? String(value) : `0x${value.toString(16)}`;
}
