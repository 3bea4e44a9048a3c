// Where a trace viewer draws what: a process for the guests, the hypervisor, the SPMC, the partitions and time; in it a
// track for each PE that works there (two PEs in the hypervisor overlap, and one track holds nested slices only).

import type { Actor } from './actors.ts';

export interface Track {
  readonly process: number;
  readonly thread: number;
}

export interface TrackName extends Track {
  readonly processName: string;
  readonly threadName: string;
}

const GUESTS = 1;
const HYPERVISOR = 2;
const SPMC = 3;
const PARTITIONS = 4;
const TIME = 5;
/** Room for a partition's tracks: its id first, then its vCPUs or the PEs that it runs on. */
const TRACKS_OF_AN_ENDPOINT = 4096;

const PROCESS_NAMES: ReadonlyMap<number, string> = new Map([
  [GUESTS, 'guests'],
  [HYPERVISOR, 'hypervisor (NS-EL2)'],
  [SPMC, 'SPMC (S-EL2)'],
  [PARTITIONS, 'secure partitions'],
  [TIME, 'time'],
]);

export const COUNTER_PROCESS = TIME;

/** Hands out tracks and remembers their names, in the order in which they came up. */
export class TraceTracks {
  private readonly named = new Map<number, TrackName>();

  /** The track of `actor` on PE `pe`. */
  track(actor: Actor, pe: number): Track {
    switch (actor.kind) {
      case 'vm':
        return this.name(GUESTS, actor.id * TRACKS_OF_AN_ENDPOINT + pe + 1, `${actor.name} PE ${pe}`);
      case 'hypervisor':
        return this.name(HYPERVISOR, pe + 1, `PE ${pe}`);
      case 'spmc':
        return this.name(SPMC, pe + 1, `PE ${pe}`);
      case 'sp':
        return this.name(PARTITIONS, actor.id * TRACKS_OF_AN_ENDPOINT + pe + 1, `${actor.name} PE ${pe}`);
      case 'timer':
        return this.name(TIME, 1, 'timers');
    }
  }

  /** A track of its own in `time`: the story, or one timer. */
  timeTrack(thread: number, threadName: string): Track {
    return this.name(TIME, thread, threadName);
  }

  get names(): readonly TrackName[] {
    return [...this.named.values()].sort((a, b) => a.process - b.process || a.thread - b.thread);
  }

  private name(process: number, thread: number, threadName: string): Track {
    const key = process * 2 ** 40 + thread;
    let track = this.named.get(key);
    if (track === undefined) {
      track = { process, thread, threadName, processName: PROCESS_NAMES.get(process) ?? '' };
      this.named.set(key, track);
    }
    return track;
  }
}
