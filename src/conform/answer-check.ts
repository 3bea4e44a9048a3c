// One recorded answer, and what of it the mediator's own differs in. The first difference of a step is kept.
//
// A field that the recording leaves out has a meaning too: no `timer`: none is armed; no `ref`: the domain is gone; no
// `held_refs`: the same number as `held`.

import { DOMAIN_GONE } from '../hypervisor/domain.ts';
import type { Difference } from './difference.ts';
import type { Fields } from './fields.ts';
import { HeldPages, heldRanges } from './held-pages.ts';
import type { ReplayDomain, ReplayMachine } from './replay-machine.ts';
import { formatWords, parsed, parseWords } from './vector-value.ts';

const ALL_ONES = 0xffff_ffff;
const held = new HeldPages();

export class AnswerCheck {
  readonly fields: Fields;
  difference: Difference | null = null;
  private readonly replay: ReplayMachine;
  /** The check of the whole step, when this is one of a part of it. */
  private readonly whole: AnswerCheck | null;
  private readonly part: string;
  /** The recorded mediator crashed here: there is no answer to compare with. */
  private readonly crashed: boolean;

  constructor(replay: ReplayMachine, fields: Fields, whole: AnswerCheck | null = null, part = '') {
    this.replay = replay;
    this.fields = fields;
    this.whole = whole;
    this.part = part;
    this.crashed = fields.flag('crash');
  }

  /** A check of one object within this answer; what differs there differs here. */
  within(value: unknown, part: string): AnswerCheck {
    return new AnswerCheck(this.replay, this.fields.entry(value, part), this.whole ?? this, part);
  }

  differs(field: string, expected: string, got: string): void {
    const check = this.whole ?? this;
    if (check.crashed || check.difference !== null) return;
    check.difference = { field: this.part === '' ? field : `${this.part}, ${field}`, expected, got };
  }

  text(field: string, got: string): void {
    if (this.crashed) return;
    const expected = this.fields.text(field);
    if (expected !== got) this.differs(field, expected, got);
  }

  number(field: string, got: number): void {
    if (this.crashed) return;
    const expected = this.fields.number(field);
    if (expected !== got) this.differs(field, String(expected), String(got));
  }

  flag(field: string, got: boolean): void {
    if (this.crashed) return;
    const expected = this.fields.flag(field);
    if (expected !== got) this.differs(field, String(expected), String(got));
  }

  /** An error code: only whether it is zero matters. */
  zero(field: string, got: number): void {
    if (this.crashed) return;
    const expected = this.fields.number(field);
    if ((expected === 0) !== (got === 0)) this.differs(field, String(expected), String(got));
  }

  /** Runs `body` with the SMCs of this answer's list "spmc" expected. */
  withSmcs(body: () => void): void {
    const { conduit } = this.replay;
    conduit.begin(this.fields);
    body();
    conduit.end();
    const { difference } = conduit;
    if (difference === null) return;
    conduit.difference = null;
    this.differs(difference.field, difference.expected, difference.got);
  }

  /** Runs `body` with no SMC expected; it has been found wrong already. */
  withoutSmcs(body: () => void): void {
    const { conduit } = this.replay;
    conduit.begin(this.fields.entry({}, 'nothing'));
    body();
    conduit.end();
    conduit.difference = null;
  }

  /** x0..x7 of a guest, or x0..x17; what the recording does not name has not changed since `before`. */
  registers(words: Uint32Array, before: Uint32Array): void {
    if (this.crashed) return;
    const expected = this.fields.list('x');
    const unhandled = this.fields.flag('unhandled');
    const isUnhandled = words[0] === ALL_ONES && words[1] === ALL_ONES;
    for (let n = 0; n < words.length / 2; n++) {
      let low = before[2 * n];
      let high = before[2 * n + 1];
      if (n < expected.length) {
        if (!parseWords(expected[n])) this.fields.fail('x', 'a list of registers');
        low = parsed.low;
        high = parsed.high;
      }
      if (words[2 * n] === low && words[2 * n + 1] === high) continue;
      this.differs(`x${n}`, registerList(expected), wordList(words, Math.max(expected.length, n + 1)));
      return;
    }
    if (unhandled !== isUnhandled) this.differs('unhandled', String(unhandled), String(isUnhandled));
  }

  /** What stands in every answer about one domain: its references, its held pages, the next timer. */
  domain(target: ReplayDomain): void {
    if (this.crashed) return;
    const { domain } = target;
    const gone = domain.life === DOMAIN_GONE;
    const freed = this.fields.flag('freed');
    if (freed !== gone) this.differs('freed', String(freed), String(gone));
    else if (!gone) this.number('ref', domain.references);
    held.count(this.replay.machine.frames, domain);
    this.number('held', held.pages);
    const references = this.fields.number('held_refs', this.fields.number('held'));
    if (references !== held.references) this.differs('held_refs', String(references), String(held.references));
    this.timer();
  }

  domainState(target: ReplayDomain): void {
    if (this.crashed) return;
    this.domain(target);
    const { domain } = target;
    this.number('dying', domain.life);
    this.flag('destroyed', domain.life === DOMAIN_GONE);
    this.number('tot_pages', target.undone ? domain.config.pageCount : domain.totalPages);
    const expected = JSON.stringify(this.fields.list('held_ranges'));
    const got = JSON.stringify(heldRanges(this.replay.machine.frames, domain));
    if (expected !== got) this.differs('held_ranges', expected, got);
  }

  timer(): void {
    if (this.crashed) return;
    const expected = this.fields.number('timer', -1);
    const got = this.replay.machine.time.next?.expiryNs ?? -1;
    if (expected !== got) this.differs('timer', expiry(expected), expiry(got));
  }
}

function expiry(ns: number): string {
  return ns < 0 ? 'none armed' : `${ns} ns`;
}

function registerList(registers: readonly unknown[]): string {
  return registers.join(' ');
}

function wordList(words: Uint32Array, count: number): string {
  const texts: string[] = [];
  for (let n = 0; n < count; n++) texts.push(formatWords(words[2 * n], words[2 * n + 1]));
  return texts.join(' ');
}
