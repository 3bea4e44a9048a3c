// The descriptors that our guests write, against those that guests wrote whose FFA_MEM_SHARE Xen's real mediator
// took. The recorded ones vary in layout on purpose; compared are all that have the plain layout of their version.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import {
  decodeMemoryTransaction,
  memoryAccessBytes,
  memoryTransactionHeaderBytes,
} from '../../src/abi/memory-transaction.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2, formatVersion } from '../../src/abi/versions.ts';
import { numberOf } from '../../src/abi/words.ts';
import type { MemoryRegion } from '../../src/partitions/memory-region.ts';
import { encodeSend } from '../../src/partitions/operations/send-memory.ts';

interface Share {
  readonly version: number;
  readonly bytes: Uint8Array;
}

type Step = readonly [operation: Record<string, unknown>, answer: Record<string, unknown>];

const TX = 0x4000_0000;
const PAGE_BYTES = 4096;

/** Every whole share that got SUCCESS, with the guest's version and its TX bytes. */
function successfulShares(file: string): Share[] {
  const path = fileURLToPath(new URL(`../../vectors/${file}.jsonl.gz`, import.meta.url));
  const rows = gunzipSync(readFileSync(path))
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const highest = rows[0].profile === 'xen-2024' ? FFA_VERSION_1_1 : FFA_VERSION_1_2;
  const setups = new Map<string, readonly Step[]>();
  for (const row of rows) if (row.setup !== undefined && row.name === undefined) setups.set(row.setup, row.steps);
  const shares: Share[] = [];
  for (const row of rows) {
    if (row.name === undefined) continue;
    const versions = new Map<unknown, number>();
    const pages = new Map<unknown, Uint8Array>();
    for (const [operation, answer] of [...(setups.get(row.setup) ?? []), ...row.steps] as Step[]) {
      const page = pages.get(operation['dom']) ?? new Uint8Array(PAGE_BYTES);
      pages.set(operation['dom'], page);
      if (operation['op'] === 'write') {
        const offset = Number(operation['gpa']) - TX;
        const bytes = Buffer.from(String(operation['hex']), 'hex');
        if (offset >= 0 && offset + bytes.length <= PAGE_BYTES) page.set(bytes, offset);
      }
      if (operation['op'] !== 'smc') continue;
      const registers = [...(operation['regs'] as string[]), 0].map((register) => BigInt(register));
      const number = Number(registers[0] & 0xffn);
      if (number === 0x63) versions.set(operation['dom'], Math.min(Number(registers[1] & 0x7fff_ffffn), highest));
      const version = versions.get(operation['dom']);
      if (number !== 0x73 || version === undefined || (answer['x'] as string[])?.[0] !== '0x84000061') continue;
      shares.push({ version, bytes: page.slice(0, Number(registers[1] & 0xffff_ffffn)) });
    }
  }
  return shares;
}

/** What our guest writes for the same region, or null when the recorded one has another layout than its version's. */
function ours({ bytes, version }: Share): Uint8Array | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const decoded = decodeMemoryTransaction(view, version);
  if (!decoded.ok || decoded.value.composite === undefined) return null;
  const { value } = decoded;
  const accessOffset = memoryTransactionHeaderBytes(version);
  const accessBytes = memoryAccessBytes(version);
  const { composite } = decoded.value;
  const compositeOffset = accessOffset + value.receivers.length * accessBytes;
  const plain =
    value.accessOffset === accessOffset &&
    value.accessSizeBytes === accessBytes &&
    value.compositeOffset === compositeOffset &&
    compositeOffset + 16 + 16 * composite.constituentCount === bytes.length &&
    numberOf(value.handle) === 0 &&
    value.flags === 0 &&
    value.receivers.every((access) => access.flags === 0 && access.impdef.every((words) => numberOf(words) === 0));
  if (!plain) return null;
  const region: MemoryRegion = {
    name: 'recorded',
    kind: 'share',
    owner: value.sender,
    receivers: value.receivers.map((access) => access.receiver),
    ranges: composite.constituents.map((one) => ({ address: numberOf(one.address), pageCount: one.pageCount })),
    handleLow: 0,
    handleHigh: 0,
    tagLow: value.tag.low,
    tagHigh: value.tag.high,
    state: 'sending',
  };
  return encodeSend(version, region, {});
}

/** Bytes that neither side gives a meaning: reserved fields, which some recorded guests fill. */
function hasReservedBytes(share: Share, encoded: Uint8Array): boolean {
  const view = new DataView(share.bytes.buffer, share.bytes.byteOffset, share.bytes.length);
  const strict = decodeMemoryTransaction(view, share.version, { strict: true });
  return !strict.ok && strict.fault.kind === 'reserved-not-zero' && encoded.length === share.bytes.length;
}

describe.each([
  ['xen-2024.share', { '1.0': 78, '1.1': 112 }],
  ['xen-2024.random', { '1.0': 1422, '1.1': 1392 }],
  ['xen-2026.share', { '1.0': 207, '1.1': 209, '1.2': 8 }],
  ['xen-2026.random', { '1.0': 831, '1.1': 775, '1.2': 398 }],
])('%s', (file, wanted) => {
  test('byte for byte', () => {
    const compared: Record<string, number> = {};
    for (const share of successfulShares(file)) {
      const encoded = ours(share);
      if (encoded === null || hasReservedBytes(share, encoded)) continue;
      const key = formatVersion(share.version);
      compared[key] = (compared[key] ?? 0) + 1;
      expect(Buffer.from(encoded).toString('hex')).toBe(Buffer.from(share.bytes).toString('hex'));
    }
    expect(compared).toEqual(wanted);
  });
});

test('the versions differ', () => {
  const region: MemoryRegion = {
    name: 'buf',
    kind: 'share',
    owner: 2,
    receivers: [0x8001],
    ranges: [{ address: 0x4001_0000, pageCount: 1 }],
    handleLow: 0,
    handleHigh: 0,
    tagLow: 0,
    tagHigh: 0,
    state: 'sending',
  };
  const lengths = [FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2].map(
    (version) => encodeSend(version, region, {}).length,
  );
  expect(lengths).toEqual([0x50, 0x60, 0x70]);
});
