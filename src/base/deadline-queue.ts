// A queue by deadline: the earliest first, equal deadlines in the order in which they were set. A binary heap; every
// operation costs O(log n), whatever else waits.

import { assert } from './assert.ts';
import type { Nanoseconds } from './units.ts';

/** What can wait in a queue: in at most one at a time. */
export interface Deadline {
  deadlineNs: Nanoseconds;
  /** Order among equal deadlines; set by the queue. */
  sequence: number;
  /** Place in the heap; -1 when it does not wait. */
  slot: number;
}

export class DeadlineQueue<T extends Deadline> {
  private heap: T[] = [];
  private sequence = 0;

  get size(): number {
    return this.heap.length;
  }

  /** The one whose turn is next, or null. */
  get first(): T | null {
    return this.heap.length === 0 ? null : this.heap[0];
  }

  add(item: T, deadlineNs: Nanoseconds): void {
    assert(item.slot < 0, 'an item waits once');
    item.deadlineNs = deadlineNs;
    item.sequence = ++this.sequence;
    item.slot = this.heap.length;
    this.heap.push(item);
    this.up(item.slot);
  }

  /** Takes out the first if its deadline is at or before `untilNs`. */
  takeDue(untilNs: Nanoseconds): T | null {
    const first = this.first;
    if (first === null || first.deadlineNs > untilNs) return null;
    this.remove(first);
    return first;
  }

  remove(item: T): void {
    const slot = item.slot;
    assert(this.heap[slot] === item, 'what is removed was waiting');
    const last = this.heap.pop() as T;
    if (last !== item) {
      this.heap[slot] = last;
      last.slot = slot;
      this.up(slot);
      this.down(last.slot);
    }
    item.slot = -1;
  }

  clear(): void {
    for (const item of this.heap) item.slot = -1;
    this.heap = [];
    this.sequence = 0;
  }

  /** All that wait, in no particular but deterministic order. */
  items(): readonly T[] {
    return this.heap;
  }

  private up(from: number): void {
    let slot = from;
    while (slot > 0) {
      const parent = (slot - 1) >> 1;
      if (!before(this.heap[slot], this.heap[parent])) return;
      this.swap(slot, parent);
      slot = parent;
    }
  }

  private down(from: number): void {
    let slot = from;
    for (;;) {
      const left = 2 * slot + 1;
      if (left >= this.heap.length) return;
      const right = left + 1;
      const least = right < this.heap.length && before(this.heap[right], this.heap[left]) ? right : left;
      if (!before(this.heap[least], this.heap[slot])) return;
      this.swap(slot, least);
      slot = least;
    }
  }

  private swap(a: number, b: number): void {
    const item = this.heap[a];
    this.heap[a] = this.heap[b];
    this.heap[b] = item;
    this.heap[a].slot = a;
    this.heap[b].slot = b;
  }
}

function before(a: Deadline, b: Deadline): boolean {
  return a.deadlineNs < b.deadlineNs || (a.deadlineNs === b.deadlineNs && a.sequence < b.sequence);
}
