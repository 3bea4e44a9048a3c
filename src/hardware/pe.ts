// A processing element: the register file through which it meets EL2 and the secure world, what its coroutine waits
// for, and what its next step will touch. One PE executes at most one call at a time.

import { ACCESS_READ, ACCESS_WRITE, type Access, Announcement, type TouchKind } from '../base/announcement.ts';
import { WAIT_LOCK, WAIT_STEP, WAIT_TIME, WAIT_WAKE, type Wait } from '../base/coroutine.ts';
import type { Nanoseconds } from '../base/units.ts';
import type { Lock } from './lock.ts';
import { RegisterFile } from './registers.ts';

/** Told when a PE that may stand still is woken. */
export interface Sleeper {
  woken(pe: Pe): void;
}

export class Pe {
  readonly index: number;
  /** Registers of the SMC to the secure world, in and out. */
  readonly smc = new RegisterFile();
  /** On whose behalf the PE talks to the secure world now: a VM id, 0 for the hypervisor itself. For events only. */
  caller = 0;
  /** Whether somebody explores: each interleaving point then yields. Off: only what blocks yields. */
  stepping = false;
  /** Whether it waits at a lock until that is free, rather than trying once: an explorer then sees no vain try. */
  patient = false;
  readonly announcement = new Announcement();
  /** The lock that the coroutine waits for (WAIT_LOCK). */
  waitLock: Lock | null = null;
  /** When the coroutine goes on (WAIT_TIME). */
  wakeNs: Nanoseconds = 0;
  /** Locks held, in the order in which they were taken (the first `heldCount`). */
  readonly held: Lock[] = [];
  heldCount = 0;
  /** Set by whoever wakes a coroutine that stands at WAIT_WAKE. */
  awake = false;
  /** Whoever schedules the PE: told when it is woken. */
  sleeper: Sleeper | null = null;
  /** A non-secure interrupt is pending at this PE: a partition that runs here is preempted at its next chance. */
  interruptPending = false;

  constructor(index: number) {
    this.index = index;
  }

  /** Announces a step that touches one object. `if (pe.stepping) yield pe.step(...)`. */
  step(kind: TouchKind, id: number, access: Access): Wait {
    this.announcement.clear();
    this.announcement.add(kind, id, access);
    return WAIT_STEP;
  }

  reads(kind: TouchKind, id: number): Wait {
    return this.step(kind, id, ACCESS_READ);
  }

  writes(kind: TouchKind, id: number): Wait {
    return this.step(kind, id, ACCESS_WRITE);
  }

  /** Announces one more object of the same step. */
  also(kind: TouchKind, id: number, access: Access): Wait {
    this.announcement.add(kind, id, access);
    return WAIT_STEP;
  }

  /** Sleeps until `wakeNs`. */
  sleepUntil(wakeNs: Nanoseconds): Wait {
    this.announcement.clear();
    this.wakeNs = wakeNs;
    return WAIT_TIME;
  }

  /** Stands still until `wake`. */
  suspend(): Wait {
    this.announcement.clear();
    this.awake = false;
    return WAIT_WAKE;
  }

  wake(): void {
    this.awake = true;
    this.sleeper?.woken(this);
  }

  waitFor(lock: Lock): Wait {
    this.waitLock = lock;
    return WAIT_LOCK;
  }
}
