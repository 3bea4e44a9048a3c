// What guests have told of themselves at their own door: version and buffers. Buffers can be placed only for guests
// whose stage 2 is watched.

import {
  FFA_ERROR,
  FFA_RXTX_MAP_32,
  FFA_RXTX_MAP_64,
  FFA_RXTX_UNMAP,
  FFA_SUCCESS_32,
  FFA_VERSION,
} from '../../abi/function-ids.ts';
import { PAGE_SIZE_BYTES } from '../../base/units.ts';
import type { GuestCall } from './guest-call.ts';
import type { Spaces } from './spaces.ts';

export interface Guest {
  readonly vm: number;
  /** What it asked for last, as far as the answer allows; 0: nothing yet. */
  version: number;
  /** What FFA_VERSION answered first; 0: nothing yet. */
  versionAnswer: number;
  /** Whether it made another call that was served: its version counts from then on. */
  settled: boolean;
  /** Whether a 64-bit call of it succeeded. */
  isWide: boolean;
  /** -1: not known, or none. */
  txFrame: number;
  rxFrame: number;
}

export class Guests {
  private readonly byVm = new Map<number, Guest>();
  /** Whether the profile lets a guest change its version at any time. */
  renegotiable = false;
  private readonly spaces: Spaces;

  constructor(spaces: Spaces) {
    this.spaces = spaces;
  }

  reset(): void {
    this.byVm.clear();
  }

  find(vm: number): Guest | null {
    return this.byVm.get(vm) ?? null;
  }

  forget(vm: number): void {
    this.byVm.delete(vm);
  }

  of(vm: number): Guest {
    const known = this.byVm.get(vm);
    if (known !== undefined) return known;
    const guest: Guest = { vm, version: 0, versionAnswer: 0, settled: false, isWide: false, txFrame: -1, rxFrame: -1 };
    this.byVm.set(vm, guest);
    return guest;
  }

  /** A call of a guest has been answered. */
  answered(call: GuestCall): void {
    if (call.w(0) !== FFA_VERSION) this.settle(call.vm);
    switch (call.w(0)) {
      case FFA_VERSION: {
        const guest = this.of(call.vm);
        const theirs = call.a(0);
        if (theirs >>> 31 !== 0 || theirs === FFA_ERROR || guest.settled) return;
        guest.version = Math.min(theirs, call.w(1));
        return;
      }
      case FFA_RXTX_MAP_32:
      case FFA_RXTX_MAP_64: {
        if (call.a(0) !== FFA_SUCCESS_32) return;
        const wide = call.w(0) === FFA_RXTX_MAP_64;
        const guest = this.of(call.vm);
        guest.isWide ||= wide;
        guest.txFrame = this.frameAt(call.vm, wide ? call.request[1] : call.w(1));
        guest.rxFrame = this.frameAt(call.vm, wide ? call.request[2] : call.w(2));
        return;
      }
      case FFA_RXTX_UNMAP: {
        if (call.a(0) !== FFA_SUCCESS_32) return;
        const guest = this.of(call.vm);
        guest.txFrame = -1;
        guest.rxFrame = -1;
        return;
      }
      default:
        return;
    }
  }

  private settle(vm: number): void {
    const guest = this.byVm.get(vm);
    if (guest !== undefined && guest.version !== 0 && !this.renegotiable) guest.settled = true;
  }

  private frameAt(vm: number, address: number): number {
    const space = this.spaces.find(vm);
    return space === null ? -1 : space.stage2.translate(Math.floor(address / PAGE_SIZE_BYTES));
  }
}
