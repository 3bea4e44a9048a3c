// The event log: fixed-width records of numbers, text only when read. Time, kind and PE, then nine arguments whose
// meaning the kind's row in event-kinds.ts gives. Same world + same choices = the same records, bit for bit.
//
// When nobody listens and nothing is kept, `on` is false and a component skips the call:
//
//     if (events.on) events.emit(EVENT_FRAME_FREE, pe.index, frame, count, owner);

/** Numbers in one record: time, kind, PE, nine arguments. */
export const EVENT_WIDTH = 12;
export const EVENT_ARGUMENTS = 9;
const FIRST_CAPACITY = 256;

/** Told of each record at once, in order. Reads it from the log; must not emit. */
export interface EventListener {
  event(log: EventLog, at: number): void;
}

export class EventLog {
  /** Whether emitting has any effect. */
  on = false;
  /** Records so far (kept or not). */
  count = 0;
  /** Set by the machine's clock as time goes on. */
  nowNs = 0;
  /**
   * Index of the PE whose step runs now, set by whoever runs the steps: frames, stage 2 and time stamp it on theirs.
   */
  currentPe = 0;
  private records = new Float64Array(0);
  private keeping = false;
  private readonly listeners: EventListener[] = [];

  /** Keeps all records from now on (else only the newest is readable, by a listener). */
  keep(): void {
    this.keeping = true;
    this.on = true;
  }

  listen(listener: EventListener): void {
    this.listeners.push(listener);
    this.on = true;
  }

  /** Forgets all records; listeners and keeping stay. */
  reset(): void {
    this.count = 0;
    this.nowNs = 0;
    this.currentPe = 0;
  }

  emit(kind: number, pe: number, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0): void {
    const at = this.keeping ? this.count : 0;
    this.count++;
    const base = at * EVENT_WIDTH;
    if (base + EVENT_WIDTH > this.records.length) this.grow(base + EVENT_WIDTH);
    const r = this.records;
    r[base] = this.nowNs;
    r[base + 1] = kind;
    r[base + 2] = pe;
    r[base + 3] = a;
    r[base + 4] = b;
    r[base + 5] = c;
    r[base + 6] = d;
    r[base + 7] = e;
    r[base + 8] = f;
    r[base + 9] = g;
    r[base + 10] = h;
    r[base + 11] = i;
    for (let n = 0; n < this.listeners.length; n++) this.listeners[n].event(this, at);
  }

  /** Records that can be read. */
  get kept(): number {
    return this.keeping ? this.count : Math.min(this.count, 1);
  }

  timeNs(at: number): number {
    return this.records[at * EVENT_WIDTH];
  }

  kind(at: number): number {
    return this.records[at * EVENT_WIDTH + 1];
  }

  pe(at: number): number {
    return this.records[at * EVENT_WIDTH + 2];
  }

  /** Argument `n` (0 to 8) of record `at`. */
  argument(at: number, n: number): number {
    return this.records[at * EVENT_WIDTH + 3 + n];
  }

  /** A 53-bit digest of all kept records, the same on every machine: the golden hash of a world's run. */
  digest(): number {
    let a = 0x9e3779b9;
    let b = 0x85ebca6b;
    const end = this.kept * EVENT_WIDTH;
    for (let n = 0; n < end; n++) {
      const value = this.records[n];
      const high = Math.floor(value / 0x1_0000_0000) | 0;
      a = Math.imul(a ^ (value >>> 0), 0x01000193) ^ (b >>> 13);
      b = Math.imul(b ^ high ^ n, 0xc2b2ae35) ^ (a >>> 16);
    }
    return ((b >>> 0) & 0x1f_ffff) * 0x1_0000_0000 + (a >>> 0);
  }

  private grow(needed: number): void {
    let capacity = Math.max(this.records.length, FIRST_CAPACITY * EVENT_WIDTH);
    while (capacity < needed) capacity *= 2;
    const larger = new Float64Array(capacity);
    larger.set(this.records);
    this.records = larger;
  }
}
