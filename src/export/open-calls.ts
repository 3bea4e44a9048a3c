// Which answer belongs to which call. Doors nest on a PE: a guest's call, in it the hypervisor's SMCs. A partition's
// calls do not: what ends its turn (FFA_MSG_WAIT, a direct response) is answered when it is entered again, perhaps by
// another PE.

import {
  EVENT_GUEST_CALL,
  EVENT_GUEST_RETURN,
  EVENT_SMC,
  EVENT_SMC_RETURN,
  EVENT_SP_CALL,
  EVENT_SP_RETURN,
} from '../base/event-kinds.ts';
import type { EventSource } from './event-source.ts';

export type Door = 'guest' | 'secure' | 'partition';

const NO_RECORD = -1;

/** The door of an event, and whether it is the answer; null for an event at no door. */
export function doorOf(kind: number): { readonly door: Door; readonly isAnswer: boolean } | null {
  switch (kind) {
    case EVENT_GUEST_CALL:
      return { door: 'guest', isAnswer: false };
    case EVENT_GUEST_RETURN:
      return { door: 'guest', isAnswer: true };
    case EVENT_SMC:
      return { door: 'secure', isAnswer: false };
    case EVENT_SMC_RETURN:
      return { door: 'secure', isAnswer: true };
    case EVENT_SP_CALL:
      return { door: 'partition', isAnswer: false };
    case EVENT_SP_RETURN:
      return { door: 'partition', isAnswer: true };
    default:
      return null;
  }
}

interface OpenCall {
  readonly at: number;
  readonly pe: number;
}

/** Follows a run record by record, in order. */
export class OpenCalls {
  private readonly stacks = new Map<string, OpenCall[]>();

  /** Sees record `at`. For an answer: the record of its call, -1 if there was none; for anything else -1. */
  see(events: EventSource, at: number): number {
    const door = doorOf(events.kind(at));
    if (door === null) return NO_RECORD;
    const pe = events.pe(at);
    const key = door.door === 'partition' ? `partition ${events.argument(at, 0)}` : `${door.door} ${pe}`;
    let stack = this.stacks.get(key);
    if (stack === undefined) {
      stack = [];
      this.stacks.set(key, stack);
    }
    if (!door.isAnswer) {
      stack.push({ at, pe });
      return NO_RECORD;
    }
    let from = stack.length - 1;
    while (from >= 0 && stack[from].pe !== pe) from--;
    if (from < 0) from = stack.length - 1;
    if (from < 0) return NO_RECORD;
    const [call] = stack.splice(from);
    return call.at;
  }
}

/** For each record at a door, the record of its call or answer; -1 where there is none (yet). */
export function pairCalls(events: EventSource): Int32Array {
  const partner = new Int32Array(events.kept).fill(NO_RECORD);
  const open = new OpenCalls();
  for (let at = 0; at < events.kept; at++) {
    const call = open.see(events, at);
    if (call === NO_RECORD) continue;
    partner[at] = call;
    partner[call] = at;
  }
  return partner;
}
