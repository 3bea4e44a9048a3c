// A descriptor as a byte map and a field tree, with what is wrong said first.

import { errorName } from '../../abi/errors.ts';
import { formatVersion, parseVersion } from '../../abi/versions.ts';
import { UserError } from '../../base/user-error.ts';
import { byteMap } from '../../export/byte-map.ts';
import { count } from '../../export/event-words.ts';
import { labelFields } from '../../export/field-labels.ts';
import { fieldTree } from '../../export/field-tree.ts';
import { LineBuilder, line, type StyledLine } from '../../export/styled-text.ts';
import { DESCRIPTOR_KINDS, type DescriptorKind } from './descriptor-kinds.ts';
import { guess, isClean, isLikely, type Reading, readAsKind, readingTitle } from './reading.ts';

/** Wrong fields named before the map. */
const REMARKS_SHOWN = 8;

export interface DecodedBytes {
  readonly reading: Reading;
  /** Whether the user said what the bytes are. */
  readonly isNamed: boolean;
  /** Other readings of the same bytes in which nothing is wrong either; empty when the kind was named. */
  readonly alternatives: readonly Reading[];
}

/** Reads bytes as the kind named, or as what they look like. */
export function decodeBytes(bytes: Uint8Array, kind: DescriptorKind | null, version: number | null): DecodedBytes {
  if (kind !== null) {
    return { reading: readAsKind(kind, bytes, version), isNamed: true, alternatives: [] };
  }
  const [first, ...others] = guess(bytes, version);
  return { reading: first, isNamed: false, alternatives: isLikely(first) ? others.filter(isLikely) : [] };
}

/** The kind of that name; null if there is none. */
export function descriptorKind(name: string): DescriptorKind | null {
  return DESCRIPTOR_KINDS.find((one) => one.name === name) ?? null;
}

/** The version that `--version` names. */
export function ffaVersion(text: string): number {
  const version = /^1\.[0-3]$/.test(text) ? parseVersion(text) : undefined;
  if (version === undefined)
    throw new UserError(`--version does not know '${text}'`, null, 'it takes 1.0, 1.1, 1.2 or 1.3');
  return version;
}

/** The picture. */
export function describeBytes(bytes: Uint8Array, decoded: DecodedBytes, all: boolean): StyledLine[] {
  const { reading } = decoded;
  const fields = labelFields(reading.fields, reading.fault, bytes.length);
  const lines: StyledLine[] = [];
  lines.push(new LineBuilder().add(readingTitle(reading), 'strong').add(`, ${bytes.length} bytes`).done());
  if (!decoded.isNamed && !isLikely(reading)) {
    lines.push(
      line('No descriptor fits these bytes in full; this one comes nearest. --as NAME says what they are.', 'warning'),
    );
  }
  if (decoded.alternatives.length > 0) {
    const others = decoded.alternatives.map(optionsOf).join(', ');
    lines.push(line(`also reads as ${others}`, 'dim'));
  }
  if (reading.fault !== null && reading.error !== null) {
    const { kind, path, offset, found, rule } = reading.fault;
    const verb = kind === 'too-short' ? 'does not fit' : `is ${found}`;
    lines.push(
      line(`${path} at 0x${offset.toString(16)} ${verb}: ${rule}. FF-A answers ${errorName(reading.error)}.`, 'wrong'),
    );
  }
  for (const remark of remarkLines(reading, all)) lines.push(remark);
  if (reading.fault === null && reading.leftBytes > 0) {
    lines.push(line(`${count(reading.leftBytes, 'byte')} besides are not zero and belong to no field.`, 'warning'));
  }
  return [...lines, [], ...byteMap(bytes, fields, { all }), [], ...fieldTree(fields, { all })];
}

/** What breaks a rule though the whole could be decoded. */
function remarkLines(reading: Reading, all: boolean): StyledLine[] {
  const remarks = reading.fields.filter(
    ({ offset, path, rule }) =>
      rule !== undefined && !(path === reading.fault?.path && offset === reading.fault.offset),
  );
  const shown = all ? remarks : remarks.slice(0, REMARKS_SHOWN);
  const lines = shown.map(({ path, offset, text, rule }) =>
    line(`${path} at 0x${offset.toString(16)} is ${text}: ${rule}.`, 'wrong'),
  );
  const left = remarks.length - shown.length;
  if (left > 0) lines.push(line(`… ${count(left, 'more field')} with something wrong (--all shows them)`, 'wrong'));
  return lines;
}

/** The same as data. */
export function bytesDocument(bytes: Uint8Array, decoded: DecodedBytes): unknown {
  const { reading } = decoded;
  return {
    kind: reading.kind.name,
    title: readingTitle(reading),
    sizeBytes: bytes.length,
    valid: isClean(reading),
    fault:
      reading.fault === null || reading.error === null
        ? null
        : { ...reading.fault, error: errorName(reading.error), errorCode: reading.error },
    fields: reading.fields,
    alternatives: decoded.alternatives.map(optionsOf),
  };
}

/** `--as message --version 1.1`. */
function optionsOf(reading: Reading): string {
  const version = reading.version === null ? '' : ` --version ${formatVersion(reading.version)}`;
  return `--as ${reading.kind.name}${version}`;
}
