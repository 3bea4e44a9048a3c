// What one step touched: the objects that its coroutine announced before it, and those that its events and accesses to
// memory show. Two steps of different PEs are independent if neither writes what the other touches; then their order
// makes no difference.
//
// Taken from both sides because each alone may lack something: an announcement is made before the step and may be too
// narrow, and not all state has events. `missing` is what the audit asks: which of the objects that were seen had not
// been announced.
//
// Limits: what the secure world's software does is one object (SPMC), so that no two of its steps are independent;
// beyond 192 objects a step counts as one that touches everything.

import {
  ACCESS_READ,
  ACCESS_WRITE,
  type Access,
  type Announcement,
  TOUCH_BUFFER,
  TOUCH_CONDUIT,
  TOUCH_DOMAIN,
  TOUCH_EVERYTHING,
  TOUCH_FRAME,
  TOUCH_HANDLE,
  TOUCH_LOCK,
  TOUCH_PARTITION,
  TOUCH_QUEUE,
  TOUCH_REFERENCES,
  TOUCH_TIMER,
  type TouchKind,
} from '../base/announcement.ts';
import * as k from '../base/event-kinds.ts';
import type { EventListener, EventLog } from '../base/event-log.ts';
import type { FrameNumber } from '../base/units.ts';
import type { FrameWatcher } from '../hardware/frame-contents.ts';

/** Queues without a lock, beside the hypervisor's own: free frames, teardown, VM ids, interrupts that are pending. */
const QUEUE_FREE_FRAMES = 1001;
const QUEUE_TEARDOWN = 1002;
const QUEUE_VM_IDS = 1003;
const QUEUE_INTERRUPTS = 1004;

const OBJECTS_MAX = 192;
const KIND_UNIT = 2 ** 36;
/** Frames of one event beyond which it counts as everything. */
const FRAMES_MAX = 96;

/** What a step touched, kept. */
export interface StepTouches {
  readonly everything: boolean;
  /** Numbers of objects (see `Footprint.nameOf`), and whether each was written. */
  readonly objects: Int32Array;
  readonly writes: Uint8Array;
  /** Ids of locks that were taken. */
  readonly acquired: readonly number[];
}

export class Footprint implements EventListener, FrameWatcher {
  /** Whether anything is noted now. */
  on = false;
  private everything = false;
  private count = 0;
  private readonly objects = new Int32Array(OBJECTS_MAX);
  private readonly written = new Uint8Array(OBJECTS_MAX);
  private readonly acquired: number[] = [];
  private readonly numbers = new Map<number, number>();
  private readonly keys: number[] = [];

  /** Begins a step that has announced this. */
  begin(announcement: Announcement | null): void {
    this.on = true;
    this.everything = false;
    this.count = 0;
    this.acquired.length = 0;
    if (announcement === null) return;
    for (let n = 0; n < announcement.count; n++) {
      const kind = announcement.kinds[n];
      // A partition that runs announces everything; what it did shows in its events and accesses.
      if (kind === TOUCH_EVERYTHING) this.touch(TOUCH_CONDUIT, 0, ACCESS_WRITE);
      else this.touch(kind, announcement.ids[n], announcement.accesses[n] as Access);
    }
  }

  /** What was touched since `begin`. */
  end(): StepTouches {
    this.on = false;
    return {
      everything: this.everything,
      objects: this.objects.slice(0, this.count),
      writes: this.written.slice(0, this.count),
      acquired: this.acquired.length === 0 ? NONE : this.acquired.slice(),
    };
  }

  /** How many objects have a number. */
  get objectCount(): number {
    return this.keys.length;
  }

  touch(kind: TouchKind, id: number, access: Access): void {
    if (!this.on) return;
    if (kind === TOUCH_EVERYTHING) {
      this.everything = true;
      return;
    }
    const key = kind * KIND_UNIT + id;
    let number = this.numbers.get(key);
    if (number === undefined) {
      number = this.keys.length;
      this.keys.push(key);
      this.numbers.set(key, number);
    }
    for (let n = 0; n < this.count; n++) {
      if (this.objects[n] !== number) continue;
      this.written[n] |= access;
      return;
    }
    if (this.count === OBJECTS_MAX) {
      this.everything = true;
      return;
    }
    this.objects[this.count] = number;
    this.written[this.count++] = access;
  }

  frameRead(frame: FrameNumber): void {
    if (this.on) this.touch(TOUCH_FRAME, frame, ACCESS_READ);
  }

  frameWritten(frame: FrameNumber, count: number): void {
    if (this.on) this.frames(TOUCH_FRAME, frame, count);
  }

  private frames(kind: TouchKind, frame: FrameNumber, count: number): void {
    if (count > FRAMES_MAX) {
      this.everything = true;
      return;
    }
    for (let n = 0; n < count; n++) this.touch(kind, frame + n, ACCESS_WRITE);
  }

  event(log: EventLog, at: number): void {
    if (!this.on) return;
    const kind = log.kind(at);
    const first = log.argument(at, 0);
    switch (kind) {
      case k.EVENT_GUEST_CALL:
      case k.EVENT_GUEST_RETURN:
        this.touch(TOUCH_DOMAIN, first, ACCESS_READ);
        return;
      case k.EVENT_SMC:
      case k.EVENT_SMC_RETURN:
      case k.EVENT_SP_CALL:
      case k.EVENT_SP_RETURN:
      case k.EVENT_SP_ENTER:
      case k.EVENT_SP_EXIT:
      case k.EVENT_SP_CRASH:
      case k.EVENT_SP_PREEMPTED:
      case k.EVENT_SP_WORK:
      case k.EVENT_FAULT:
        this.touch(TOUCH_CONDUIT, 0, ACCESS_WRITE);
        return;
      case k.EVENT_FRAME_ALLOCATE:
      case k.EVENT_FRAME_FREE:
        this.touch(TOUCH_QUEUE, QUEUE_FREE_FRAMES, ACCESS_WRITE);
        this.frames(TOUCH_REFERENCES, first, log.argument(at, 1));
        return;
      case k.EVENT_FRAME_GET:
      case k.EVENT_FRAME_PUT:
      case k.EVENT_FRAME_OWNER:
        this.frames(TOUCH_REFERENCES, first, log.argument(at, 1));
        return;
      case k.EVENT_FRAME_SCRUB:
      case k.EVENT_DMA_START:
      case k.EVENT_DMA_END:
        this.frames(TOUCH_FRAME, first, log.argument(at, 1));
        return;
      case k.EVENT_MAP:
      case k.EVENT_UNMAP:
        this.touch(TOUCH_DOMAIN, first, ACCESS_WRITE);
        return;
      case k.EVENT_DOMAIN_CREATE:
      case k.EVENT_DOMAIN_CREATE_FAILED:
      case k.EVENT_DOMAIN_GONE:
      case k.EVENT_VM_ID_RETIRED:
        this.touch(TOUCH_DOMAIN, first, ACCESS_WRITE);
        this.touch(TOUCH_QUEUE, QUEUE_VM_IDS, ACCESS_WRITE);
        return;
      case k.EVENT_DOMAIN_DYING:
      case k.EVENT_DOMAIN_ZOMBIE:
      case k.EVENT_DOMAIN_GET:
      case k.EVENT_DOMAIN_PUT:
        this.touch(TOUCH_DOMAIN, first, ACCESS_WRITE);
        return;
      case k.EVENT_TEARDOWN_BEGIN:
      case k.EVENT_TEARDOWN_ROUND:
      case k.EVENT_TEARDOWN_WAIT:
      case k.EVENT_TEARDOWN_END:
      case k.EVENT_QUARANTINE:
      case k.EVENT_QUARANTINE_RELEASE:
        this.touch(TOUCH_QUEUE, QUEUE_TEARDOWN, ACCESS_WRITE);
        return;
      case k.EVENT_SHARE_LIVE:
      case k.EVENT_SHARE_DEAD:
        this.touch(TOUCH_HANDLE, log.argument(at, 1), ACCESS_WRITE);
        this.touch(TOUCH_BUFFER, first, ACCESS_WRITE);
        return;
      case k.EVENT_TIMER_ARM:
      case k.EVENT_TIMER_STOP:
      case k.EVENT_TIMER_FIRE:
        this.touch(TOUCH_TIMER, first, ACCESS_WRITE);
        return;
      case k.EVENT_LOCK:
        this.acquired.push(first);
        this.touch(TOUCH_LOCK, first, ACCESS_WRITE);
        return;
      case k.EVENT_UNLOCK:
        this.touch(TOUCH_LOCK, first, ACCESS_WRITE);
        return;
      case k.EVENT_INTERRUPT:
        this.touch(TOUCH_QUEUE, QUEUE_INTERRUPTS, ACCESS_WRITE);
        this.touch(TOUCH_PARTITION, first, ACCESS_WRITE);
        return;
      default:
        return;
    }
  }
}

const NONE: readonly number[] = [];

/** Whether two steps of different PEs depend on each other. */
export function dependent(a: StepTouches, b: StepTouches): boolean {
  if (a.everything || b.everything) return true;
  for (let n = 0; n < a.objects.length; n++) {
    for (let m = 0; m < b.objects.length; m++) {
      if (a.objects[n] === b.objects[m] && (a.writes[n] | b.writes[m]) !== 0) return true;
    }
  }
  return false;
}

/** Both together. */
export function union(a: StepTouches, b: StepTouches): StepTouches {
  const objects = [...a.objects];
  const writes = [...a.writes];
  for (let n = 0; n < b.objects.length; n++) {
    const at = objects.indexOf(b.objects[n]);
    if (at >= 0) writes[at] |= b.writes[n];
    else {
      objects.push(b.objects[n]);
      writes.push(b.writes[n]);
    }
  }
  return {
    everything: a.everything || b.everything,
    objects: Int32Array.from(objects),
    writes: Uint8Array.from(writes),
    acquired: [...a.acquired, ...b.acquired],
  };
}
