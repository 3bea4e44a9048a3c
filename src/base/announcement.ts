// Announced accesses: before a step, its coroutine says which objects the step will touch, and how. The explorer takes
// independence from this; an audit fails a step that touches what it did not announce.
//
// Limits: one step announces at most 16 objects; a step that may touch more announces TOUCH_EVERYTHING.

/** The kind of an announced object; the id says which. */
export type TouchKind = number;
export const TOUCH_LOCK = 1;
/** One frame's contents. Id: frame number. */
export const TOUCH_FRAME = 2;
/** One frame's references and owner. Id: frame number. */
export const TOUCH_REFERENCES = 3;
/** A memory handle. Id: its low word. */
export const TOUCH_HANDLE = 4;
/** An RX or TX buffer's ownership. Id: endpoint id. */
export const TOUCH_BUFFER = 5;
/** A transaction slot pool. Id: endpoint id of the pool's owner. */
export const TOUCH_SLOTS = 6;
/** A domain's life and references. Id: its serial. */
export const TOUCH_DOMAIN = 7;
/** An endpoint's state at the SPMC (vCPU states, notifications, call chain). Id: endpoint id. */
export const TOUCH_PARTITION = 8;
/** A queue that is shared without a lock. Id: of the queue's choosing. */
export const TOUCH_QUEUE = 9;
/** A timer. Id: the timer's. */
export const TOUCH_TIMER = 10;
/** An endpoint's negotiated version. Id: endpoint id. */
export const TOUCH_VERSION = 11;
/** A door between two components (an SMC): id 0. */
export const TOUCH_CONDUIT = 12;
/** Anything at all: the step commutes with nothing. */
export const TOUCH_EVERYTHING = 15;

export const ACCESS_READ = 0;
export const ACCESS_WRITE = 1;
export type Access = 0 | 1;

const TOUCHES_MAX = 16;

/** The objects that one PE's next step touches. Plain words, reused for each step. */
export class Announcement {
  count = 0;
  readonly kinds = new Int32Array(TOUCHES_MAX);
  readonly ids = new Float64Array(TOUCHES_MAX);
  readonly accesses = new Uint8Array(TOUCHES_MAX);

  clear(): void {
    this.count = 0;
  }

  /** Adds one object; beyond the limit the announcement becomes "everything". */
  add(kind: TouchKind, id: number, access: Access): void {
    if (this.count === TOUCHES_MAX) {
      this.count = 1;
      this.kinds[0] = TOUCH_EVERYTHING;
      this.ids[0] = 0;
      this.accesses[0] = ACCESS_WRITE;
      return;
    }
    const at = this.count++;
    this.kinds[at] = kind;
    this.ids[at] = id;
    this.accesses[at] = access;
  }
}
