// A driver makes one call be answered in one documented way. Drivers are written by the table's own reasons: for each
// side and call, what to do so that the reason applies.

import type { DocumentedAnswer, Side } from '../../src/abi/documented/documented-answer.ts';
import { NO_SUCH_CALL, RELAYED, UNNEGOTIATED } from '../../src/abi/documented/documented-table.ts';
import type { GuestBench } from './guest-bench.ts';
import type { SecureBench } from './secure-bench.ts';

export type GuestDrive = (bench: GuestBench, answer: DocumentedAnswer) => void;
export type SecureDrive = (bench: SecureBench, answer: DocumentedAnswer) => void;

export interface Driver {
  readonly side: Side;
  readonly fid: number;
  readonly when: string;
  /** The file that it stands in. */
  readonly file: string;
  readonly drive: GuestDrive | SecureDrive;
}

/** Drivers of these calls at the guest's side, by reason. */
export function guestDrivers(
  file: string,
  fids: readonly number[],
  drives: Readonly<Record<string, GuestDrive>>,
): Driver[] {
  return drivers(file, ['guest'], fids, drives);
}

/** Drivers of these calls at the SPMC, by reason. */
export function secureDrivers(
  file: string,
  sides: readonly ('hypervisor' | 'partition')[],
  fids: readonly number[],
  drives: Readonly<Record<string, SecureDrive>>,
): Driver[] {
  return drivers(file, sides, fids, drives);
}

function drivers(
  file: string,
  sides: readonly Side[],
  fids: readonly number[],
  drives: Readonly<Record<string, GuestDrive | SecureDrive>>,
): Driver[] {
  const made: Driver[] = [];
  for (const side of sides) {
    for (const fid of fids) {
      for (const [when, drive] of Object.entries(drives)) made.push({ side, fid, when, file, drive });
    }
  }
  return made;
}

/** Reasons that need no driver of their own: the call is made with nothing in its registers. */
export function isGeneral(when: string): boolean {
  return when === NO_SUCH_CALL || when === UNNEGOTIATED || when === RELAYED;
}
