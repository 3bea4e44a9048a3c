// Work that waits for one of the host's own PEs.

import { present } from '../base/assert.ts';
import type { Coroutine } from '../base/coroutine.ts';
import type { Pe } from '../hardware/pe.ts';

/** First come, first served; taking costs the same however much waits. */
export class WorkQueue {
  private items: { name: string; work: (pe: Pe) => Coroutine }[] = [];
  private next = 0;

  get empty(): boolean {
    return this.next === this.items.length;
  }

  push(name: string, work: (pe: Pe) => Coroutine): void {
    this.items.push({ name, work });
  }

  take(): { name: string; work: (pe: Pe) => Coroutine } {
    const item = present(this.items[this.next++], 'waiting work');
    if (this.empty) {
      this.items = [];
      this.next = 0;
    }
    return item;
  }
}
