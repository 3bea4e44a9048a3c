// Which endpoints FFA_NOTIFICATION_INFO_GET has to tell of, first come first. So its cost is what it tells, however
// many endpoints there are. (Hafnium walks its partitions, then its VMs: the order of the ids is another, what is told
// is not [Hafnium api.c].)

import type { Endpoint } from './endpoint.ts';

export class NotificationQueue {
  /** Everything that is pending is told each time, not only what is new. */
  readonly level: boolean;
  private readonly endpoints: Endpoint[] = [];
  private first = 0;

  constructor(level: boolean) {
    this.level = level;
  }

  reset(): void {
    this.endpoints.length = 0;
    this.first = 0;
  }

  /** Something became pending for the endpoint. */
  add(endpoint: Endpoint): void {
    if (endpoint.notifications.queued) return;
    endpoint.notifications.queued = true;
    this.endpoints.push(endpoint);
  }

  /** The endpoint to tell of next; it stays first until `next`. */
  peek(): Endpoint | undefined {
    while (this.first < this.endpoints.length) {
      const endpoint = this.endpoints[this.first];
      if (endpoint.notifications.tells(this.level)) return endpoint;
      // What it had was fetched before anybody asked.
      this.next();
    }
    this.reset();
    return undefined;
  }

  /** The first endpoint leaves. */
  next(): void {
    this.endpoints[this.first].notifications.queued = false;
    this.first++;
  }
}
