// The machine under a replay: the mediator of a profile over the recorded secure world, the domains that the recording
// names, and the driver of their coroutines. A probe resets it all.
//
// Memory is as README.md of the vectors says: 64 MiB from 0x40000000, zero at reset, the hypervisor's heap in the first
// 4 MiB, then the domains' pages in order of creation, never reused.

import { present } from '../base/assert.ts';
import { type Coroutine, type Pending, WAIT_LOCK, WAIT_WAKE } from '../base/coroutine.ts';
import { type FrameNumber, type Nanoseconds, PAGE_SIZE_BYTES } from '../base/units.ts';
import { OWNER_HYPERVISOR } from '../hardware/frames.ts';
import { Machine } from '../hardware/machine.ts';
import { Pe } from '../hardware/pe.ts';
import type { Domain } from '../hypervisor/domain.ts';
import { Hypervisor } from '../hypervisor/hypervisor.ts';
import type { Profile } from '../hypervisor/profile.ts';
import { Oracle, type Violation } from '../oracle/index.ts';
import { RecordedConduit, type UnderWay } from './recorded-conduit.ts';

const FIRST_FRAME = 0x40000;
/** Frames of the whole machine. */
export const FRAME_COUNT = 0x4000;
const HEAP_FRAMES = 0x400;
/** Left free in the heap, each on its own: the mediator's RX and TX. */
const OWN_BUFFERS: readonly FrameNumber[] = [FIRST_FRAME, FIRST_FRAME + 2];
const HEAP_END = FIRST_FRAME + HEAP_FRAMES;
/** Properties that need more than a recording shows, or that the recorded mediators do not keep. */
const UNJUDGED = ['P6', 'P7', 'P8', 'P9', 'P10', 'P11', 'P12', 'P13', 'P14', 'P15', 'P16', 'P17', 'P18', 'P19'];
export const RAM_BASE = 0x4000_0000;

/** A call that would have to wait for a lock that the call around it holds. */
class Blocked extends Error {
  override readonly name = 'Blocked';
}

/** A domain as the recording names it. */
export interface ReplayDomain {
  readonly domain: Domain;
  /** Its creation failed and it was undone: its pages had not been given to it yet in the recorded system. */
  undone: boolean;
}

export class ReplayMachine {
  readonly machine = new Machine({ firstFrame: FIRST_FRAME, frameCount: FRAME_COUNT, reuseFrames: false });
  readonly conduit = new RecordedConduit(this.machine);
  readonly domains = new Map<number, ReplayDomain>();
  /** Runs the operations of other vCPUs while an SMC is under way. */
  meanwhile: (underWay: UnderWay) => void = () => {};
  private readonly profile: Profile;
  private readonly stepping: boolean;
  private readonly pes: Pe[] = [];
  private depth = 0;
  private booted: Hypervisor | null = null;
  /** Judges the session, if it is to be judged. */
  private readonly oracle: Oracle | null;

  constructor(profile: Profile, options: { readonly stepping: boolean; readonly judged: boolean }) {
    this.profile = profile;
    this.stepping = options.stepping;
    this.oracle = options.judged ? new Oracle(this.machine, { off: UNJUDGED }) : null;
  }

  /** What the oracle found, now that nothing is under way; null: nothing, or nobody judges. */
  judge(): Violation | null {
    if (this.oracle === null) return null;
    // A domain whose destruction the session left half-way still has its pages: nothing is quiet then.
    let halfway = false;
    for (const { domain } of this.domains.values()) if (domain.tornDown && !domain.relinquished) halfway = true;
    if (!halfway) this.oracle.quiet();
    return this.oracle.violations[0] ?? null;
  }

  get hypervisor(): Hypervisor {
    return present(this.booted, 'a hypervisor: a session begins with a probe');
  }

  get hasBooted(): boolean {
    return this.booted !== null;
  }

  /** Back to power-on, with a new hypervisor that has not booted yet. */
  reset(): Hypervisor {
    const { machine } = this;
    machine.frames.reset();
    machine.time.reset();
    machine.events.reset();
    this.oracle?.reset();
    this.conduit.reset();
    this.domains.clear();
    this.depth = 0;
    this.pes.length = 0;
    let taken = FIRST_FRAME;
    for (const frame of [...OWN_BUFFERS, HEAP_END]) {
      if (frame > taken) machine.frames.allocateAt(taken, frame - taken, OWNER_HYPERVISOR);
      taken = frame + 1;
    }
    this.booted = new Hypervisor(machine, this.profile, this.conduit);
    return this.booted;
  }

  /** After the probe: what is left of the heap is taken, so that domains' pages begin behind it. */
  closeHeap(): void {
    for (const frame of OWN_BUFFERS) this.machine.frames.allocateAt(frame, 1, OWNER_HYPERVISOR);
  }

  /** The PE of the call that is about to run: calls within calls run on others. */
  enter(): Pe {
    const at = this.depth++;
    if (at === this.pes.length) {
      const pe = new Pe(at);
      pe.stepping = this.stepping;
      this.pes.push(pe);
    }
    this.machine.events.currentPe = at;
    return this.pes[at];
  }

  leave(): void {
    this.depth--;
    this.machine.events.currentPe = Math.max(this.depth - 1, 0);
  }

  finish(pending: Pending): void {
    if (pending !== null) this.run(pending);
  }

  /** Drives a coroutine to its end. */
  run<T>(coroutine: Coroutine<T>): T {
    for (;;) {
      const step = coroutine.next();
      if (step.done === true) return step.value;
      if (step.value === WAIT_LOCK) throw new Blocked('waits for a lock that the call around it holds');
      if (step.value === WAIT_WAKE) {
        const underWay = present(this.conduit.underWay, 'only the conduit suspends a call');
        this.conduit.underWay = null;
        this.meanwhile(underWay);
      }
    }
  }

  /** Lets time pass to `targetNs`; calls `fired` around each timer that falls due. */
  advance(targetNs: Nanoseconds, fire: (atNs: Nanoseconds, run: () => void) => void): void {
    const { time } = this.machine;
    for (;;) {
      const timer = time.takeDue(targetNs);
      if (timer === null) break;
      time.advanceTo(timer.expiryNs);
      fire(time.nowNs, () => {
        this.run(this.hypervisor.timerFired(this.enter(), timer));
        this.leave();
      });
    }
    time.advanceTo(targetNs);
  }

  /** The frame that `gpa` of a domain had at its creation, or -1. */
  creationFrame(domain: Domain, gpa: number): FrameNumber {
    const gfn = Math.floor(gpa / PAGE_SIZE_BYTES);
    for (const bank of domain.banks) {
      if (gfn >= bank.gfn && gfn < bank.gfn + bank.count) return bank.frame + gfn - bank.gfn;
    }
    return -1;
  }
}
