// Reading bytes as a descriptor: as the one named, or as the one that they look like.

import type { Fault, FieldSpan } from '../../abi/fault.ts';
import { faultError } from '../../abi/fault-errors.ts';
import { FFA_VERSION_1_2, formatVersion } from '../../abi/versions.ts';
import { DESCRIPTOR_KINDS, type DescriptorKind } from './descriptor-kinds.ts';

/** One reading of the bytes. */
export interface Reading {
  readonly kind: DescriptorKind;
  /** The version whose layout was used; null where all versions have one layout. */
  readonly version: number | null;
  readonly fields: readonly FieldSpan[];
  readonly fault: Fault | null;
  /** The FF-A error that answers the fault. */
  readonly error: number | null;
  readonly isPlausible: boolean;
  /** Bytes that no field covers and that are not zero. */
  readonly leftBytes: number;
}

/** Reads the bytes as `kind`, in the layout that an endpoint of `version` uses (null: the likeliest). */
export function readAsKind(kind: DescriptorKind, bytes: Uint8Array, version: number | null): Reading {
  return likeliestFirst(readingsOf(kind, bytes, version))[0];
}

function readAs(kind: DescriptorKind, bytes: Uint8Array, version: number | null): Reading {
  const oldest = kind.versions[kind.versions.length - 1];
  const newest = kind.versions[0] ?? FFA_VERSION_1_2;
  const layoutVersion = version === null ? newest : (kind.versions.find((one) => one <= version) ?? oldest ?? newest);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { decoded, isPlausible } = kind.read(view, layoutVersion);
  return {
    kind,
    version: kind.versions.length === 0 ? null : layoutVersion,
    fields: decoded.fields,
    fault: decoded.ok ? null : decoded.fault,
    error: decoded.ok ? null : faultError(decoded.fault.kind),
    isPlausible,
    leftBytes: leftBytes(decoded.fields, bytes),
  };
}

/** All readings of the bytes, the likeliest first; of equals, the one that is tried first. */
export function guess(bytes: Uint8Array, version: number | null): Reading[] {
  const readings: Reading[] = [];
  for (const kind of DESCRIPTOR_KINDS) readings.push(...readingsOf(kind, bytes, version));
  return likeliestFirst(readings);
}

/** One reading for each layout that may be meant. */
function readingsOf(kind: DescriptorKind, bytes: Uint8Array, version: number | null): Reading[] {
  const versions = version !== null || kind.versions.length === 0 ? [version] : kind.versions;
  return versions.map((one) => readAs(kind, bytes, one));
}

function likeliestFirst(readings: readonly Reading[]): Reading[] {
  return [...readings].sort((a, b) => likelihood(b) - likelihood(a));
}

/** Whether the reading has neither a fault nor a remark. */
export function isClean(reading: Reading): boolean {
  return reading.fault === null && reading.fields.every((field) => field.rule === undefined);
}

/** Whether someone who sees these bytes may well mean this. */
export function isLikely(reading: Reading): boolean {
  return isClean(reading) && reading.isPlausible && reading.leftBytes === 0;
}

/** `memory transaction, layout of FF-A 1.1 and later`. */
export function readingTitle(reading: Reading): string {
  const name = reading.kind.name.replaceAll('-', ' ');
  const { version } = reading;
  const { versions } = reading.kind;
  if (version === null) return name;
  const newer = versions[versions.indexOf(version) - 1];
  const until = newer === undefined ? ' and later' : newer === version + 1 ? '' : ` to 1.${(newer & 0xffff) - 1}`;
  return `${name}, layout of FF-A ${formatVersion(version)}${until}`;
}

/**
 * What speaks for a reading: that it decodes, that somebody would write it, that nothing is left over, that few rules
 * are broken; and among readings with a fault, how far it came.
 */
function likelihood(reading: Reading): number {
  let wrong = 0;
  for (const field of reading.fields) if (field.rule !== undefined) wrong++;
  const saying = Math.min(reading.fields.length - wrong, 15);
  let score = saying - 20 * Math.min(wrong, 4) - 3 * Math.min(reading.leftBytes, 20);
  if (reading.fault === null) score += reading.isPlausible ? 200 : -100;
  return score;
}

function leftBytes(fields: readonly FieldSpan[], bytes: Uint8Array): number {
  const covered = new Uint8Array(bytes.length);
  for (const field of fields) covered.fill(1, field.offset, field.offset + field.length);
  let left = 0;
  for (let n = 0; n < bytes.length; n++) if (covered[n] === 0 && bytes[n] !== 0) left++;
  return left;
}
