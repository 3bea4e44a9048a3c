// How many pages are shared, in quarantine and allocated, as a run goes on.

import * as k from '../base/event-kinds.ts';
import type { EventSource } from './event-source.ts';

export class PageCounters {
  /** Pages in shares that the hypervisor holds in its books. */
  shared = 0;
  quarantined = 0;
  allocated = 0;

  /** Sees record `at`; true if a number changed. */
  see(events: EventSource, at: number): boolean {
    switch (events.kind(at)) {
      case k.EVENT_SHARE_LIVE:
        this.shared += events.argument(at, 3);
        return true;
      case k.EVENT_SHARE_DEAD:
        this.shared -= events.argument(at, 3);
        return true;
      case k.EVENT_QUARANTINE:
        this.quarantined += events.argument(at, 4);
        return true;
      case k.EVENT_QUARANTINE_RELEASE:
        // What an operator gives up stays out of use.
        if (events.argument(at, 1) !== 0) return false;
        this.quarantined -= events.argument(at, 4);
        return true;
      case k.EVENT_FRAME_ALLOCATE:
        this.allocated += events.argument(at, 1);
        return true;
      case k.EVENT_FRAME_FREE:
        this.allocated -= events.argument(at, 1);
        return true;
      default:
        return false;
    }
  }
}
