// From a guest's addresses to frames that the mediator may use: mapped, plain read-write RAM, the guest's own. What is
// used is pinned first, so that it stays the guest's memory whatever the guest does meanwhile. [Xen ffa_shm.c]

import type { FrameNumber, GuestFrame } from '../base/units.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import {
  STAGE2_DEVICE,
  STAGE2_FOREIGN,
  STAGE2_INVALID,
  STAGE2_READ,
  STAGE2_WRITE,
  type Stage2,
} from '../hardware/stage2.ts';
import type { Domain } from './domain.ts';
import type { Hypervisor } from './hypervisor.ts';

const PLAIN_RAM = STAGE2_READ | STAGE2_WRITE;
const PLAIN_RAM_MASK = STAGE2_READ | STAGE2_WRITE | STAGE2_DEVICE | STAGE2_FOREIGN | STAGE2_INVALID;

/** Guest frames from here on would need more than 64 bits of address. */
export const GUEST_FRAME_END = 2 ** 52;

/** Nothing is mapped there. */
export const NO_FRAME = -1;

/**
 * The frame behind `gfn` if it is mapped as plain read-write RAM, else NO_FRAME. `stage2.run` then says how many frames
 * follow in the same mapping.
 */
export function plainRam(stage2: Stage2, gfn: GuestFrame): FrameNumber {
  const frame = stage2.translate(gfn);
  return (stage2.attributes & PLAIN_RAM_MASK) === PLAIN_RAM ? frame : NO_FRAME;
}

/** Pins one page of plain RAM of the guest. Returns its frame, or NO_FRAME and pins nothing. */
export function pinPage(hypervisor: Hypervisor, domain: Domain, gfn: GuestFrame): FrameNumber {
  const frame = plainRam(domain.stage2, gfn);
  if (frame === NO_FRAME) return NO_FRAME;
  return hypervisor.machine.frames.getRange(frame, 1, domain.serial) ? frame : NO_FRAME;
}

export function unpinPage(hypervisor: Hypervisor, frame: FrameNumber): void {
  hypervisor.machine.frames.putRange(frame, 1);
}

/** The guest frame of the address in x[n]; the upper half counts only for a 64-bit call. */
export function guestFrameOf(registers: RegisterFile, n: number, wide: boolean): GuestFrame {
  const low = registers.w(n);
  return wide ? registers.high(n) * 0x10_0000 + (low >>> 12) : low >>> 12;
}
