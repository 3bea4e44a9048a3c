// Where a trace viewer draws what: a process for the guests, the hypervisor, the SPMC, the partitions and time; in it a
// track for each PE that works there (two PEs in the hypervisor overlap, and one track holds nested slices only).

import type { Actor } from './actors.ts';

export interface Track {
  readonly process: number;
  /** Unique in the whole trace: viewers take a thread id for the machine's. */
  readonly thread: number;
}

export interface TrackName extends Track {
  readonly processName: string;
  readonly threadName: string;
  /** Place among the tracks of its process. */
  readonly order: number;
}

const GUESTS = 1;
const HYPERVISOR = 2;
const SPMC = 3;
const PARTITIONS = 4;
const TIME = 5;
/** For an event of a guest's life, which no PE of its own does. */
export const NO_PE = -1;
const PE_COUNT_MAX = 4096;
const FIRST_THREAD = 100;

const PROCESS_NAMES: ReadonlyMap<number, string> = new Map([
  [GUESTS, 'guests'],
  [HYPERVISOR, 'hypervisor (NS-EL2)'],
  [SPMC, 'SPMC (S-EL2)'],
  [PARTITIONS, 'secure partitions'],
  [TIME, 'time'],
]);

export const COUNTER_PROCESS = TIME;

/** Hands out tracks and remembers their names. */
export class TraceTracks {
  private readonly named = new Map<string, TrackName>();

  /** The track of `actor` on PE `pe`, or of its life (`NO_PE`). */
  track(actor: Actor, pe: number): Track {
    const order = (actor.id + 1) * PE_COUNT_MAX + pe + 1;
    switch (actor.kind) {
      case 'vm':
        return this.name(GUESTS, order, pe === NO_PE ? actor.name : `${actor.name} on PE ${pe}`);
      case 'hypervisor':
        return this.name(HYPERVISOR, pe + 1, `PE ${pe}`);
      case 'spmc':
        return this.name(SPMC, pe + 1, `PE ${pe}`);
      case 'sp':
        return this.name(PARTITIONS, order, pe === NO_PE ? actor.name : `${actor.name} on PE ${pe}`);
      case 'timer':
        return this.name(TIME, 1, 'timers');
    }
  }

  /** What the world's author says. */
  story(): Track {
    return this.name(TIME, 0, 'story');
  }

  /** In the order in which they are drawn. */
  get names(): readonly TrackName[] {
    return [...this.named.values()].sort((a, b) => a.process - b.process || a.order - b.order);
  }

  private name(process: number, order: number, threadName: string): Track {
    const key = `${process} ${order}`;
    let track = this.named.get(key);
    if (track === undefined) {
      const thread = FIRST_THREAD + this.named.size;
      track = { process, thread, order, threadName, processName: PROCESS_NAMES.get(process) ?? '' };
      this.named.set(key, track);
    }
    return track;
  }
}
