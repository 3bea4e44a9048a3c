// What an endpoint knows about itself and keeps between its calls, shared by all its vCPUs: the negotiated version, its
// id, its RX/TX buffers and which vCPU uses them, whom it discovered, and the memory regions it sent or holds.
//
// The buffers are claimed by a vCPU for one operation, as a driver's mutex does it. A hostile script ignores the claim.

import type { PartitionInformation } from '../abi/partition-information.ts';
import { FFA_VERSION_1_0 } from '../abi/versions.ts';
import type { Ipa } from '../base/units.ts';
import { PAGE_SIZE_BYTES } from '../base/units.ts';
import type { MemoryRegion } from './memory-region.ts';

export interface EndpointOptions {
  /** The version that it asks for. */
  readonly version: number;
  /** 32: an AArch32 endpoint, which makes no SMC64 call. Default 64. */
  readonly bits?: 32 | 64;
  readonly txAddress: Ipa;
  readonly rxAddress: Ipa;
  /** Pages of 4 KiB in each buffer, default 1. */
  readonly bufferPages?: number;
}

const NOBODY = -1;

export class Endpoint {
  readonly wantedVersion: number;
  readonly bits: 32 | 64;
  readonly txAddress: Ipa;
  readonly rxAddress: Ipa;
  readonly bufferPages: number;
  /** The negotiated version; 0 before. */
  version = 0;
  /** Its id, as FFA_ID_GET told it; -1 before. */
  id = -1;
  buffersMapped = false;
  /** Which vCPU uses the buffer now, or -1. */
  txUser = NOBODY;
  rxUser = NOBODY;
  /** Whom the last discovery found. */
  partitions: readonly PartitionInformation[] = [];
  /** Regions by their name, in the order of their first use. */
  readonly regions = new Map<string, MemoryRegion>();
  /** Regions that got their name by number. */
  regionCount = 0;

  constructor(options: EndpointOptions) {
    this.wantedVersion = options.version;
    this.bits = options.bits ?? 64;
    this.txAddress = options.txAddress;
    this.rxAddress = options.rxAddress;
    this.bufferPages = options.bufferPages ?? 1;
  }

  reset(): void {
    this.version = 0;
    this.id = -1;
    this.buffersMapped = false;
    this.txUser = NOBODY;
    this.rxUser = NOBODY;
    this.partitions = [];
    this.regions.clear();
    this.regionCount = 0;
  }

  get bufferBytes(): number {
    return this.bufferPages * PAGE_SIZE_BYTES;
  }

  /** The version that decides layouts: what was negotiated, or what it would ask for. Never below 1.0. */
  get layoutVersion(): number {
    return Math.max(this.version === 0 ? this.wantedVersion : this.version, FFA_VERSION_1_0);
  }

  /** The region with that handle which this endpoint still sends or holds, or null. */
  liveRegion(handleLow: number, handleHigh: number): MemoryRegion | null {
    for (const region of this.regions.values()) {
      const live = region.state === 'sent' || region.state === 'held';
      if (live && region.handleLow === handleLow && region.handleHigh === handleHigh) return region;
    }
    return null;
  }

  /** Takes TX (and RX if `withRx`) for vCPU `user`; false, and nothing taken, when a sibling uses one of them. */
  claimBuffers(user: number, withRx: boolean): boolean {
    if (this.txUser !== NOBODY && this.txUser !== user) return false;
    if (withRx && this.rxUser !== NOBODY && this.rxUser !== user) return false;
    this.txUser = user;
    if (withRx) this.rxUser = user;
    return true;
  }

  /** Whether vCPU `user` has claimed a buffer. */
  usesBuffers(user: number): boolean {
    return this.txUser === user || this.rxUser === user;
  }

  /** Gives back whatever vCPU `user` claimed. */
  releaseBuffers(user: number): void {
    if (this.txUser === user) this.txUser = NOBODY;
    if (this.rxUser === user) this.rxUser = NOBODY;
  }
}
