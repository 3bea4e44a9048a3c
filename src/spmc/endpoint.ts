// What the SPMC keeps of any endpoint, secure or not: version, page states, RX/TX buffers, notifications.

import type { EndpointId } from '../base/units.ts';
import type { Stage2 } from '../hardware/stage2.ts';
import { Notifications } from './notification-state.ts';

/** Who may write the RX buffer now. */
export type RxState = 0 | 1 | 2;
/** The SPMC may. */
export const RX_EMPTY = 0;
/** Nobody may: the endpoint reads it. */
export const RX_FULL = 1;
/** The hypervisor may (FFA_RX_ACQUIRE). */
export const RX_HYPERVISOR = 2;

export class Endpoint {
  readonly id: EndpointId;
  readonly secure: boolean;
  /** Negotiated or from the manifest: decides each layout. */
  version: number;
  /** Whether a call other than FFA_VERSION has been made: the version stays from then on. */
  versionLocked = false;
  /** A partition that something ended: it runs no more, and makes no more calls. */
  dying = false;
  /** Page states. All normal-world endpoints share one table: the SPMC does not know which VM owns what. */
  readonly pages: Stage2;
  /** First page of each buffer, or -1. Memory has the same address in every space here, so a page is a frame. */
  txFrame: number = -1;
  rxFrame: number = -1;
  bufferPages = 0;
  /** Attributes that the buffers' pages had before, to be restored when they are unmapped. */
  txAttributes = 0;
  rxAttributes = 0;
  rx: RxState = RX_EMPTY;
  /** Bytes of RX from its beginning that may not be zero: what was written last. */
  rxUsedBytes: number = Number.POSITIVE_INFINITY;
  readonly notifications = new Notifications();

  constructor(id: EndpointId, secure: boolean, version: number, pages: Stage2) {
    this.id = id;
    this.secure = secure;
    this.version = version;
    this.pages = pages;
  }

  get mapped(): boolean {
    return this.txFrame >= 0;
  }

  /** As before boot. */
  reset(version: number): void {
    this.version = version;
    this.versionLocked = false;
    this.pages.clear();
    this.forgetBuffers();
    this.notifications.clear();
  }

  forgetBuffers(): void {
    this.txFrame = -1;
    this.rxFrame = -1;
    this.bufferPages = 0;
    this.rx = RX_EMPTY;
    this.rxUsedBytes = Number.POSITIVE_INFINITY;
  }
}
