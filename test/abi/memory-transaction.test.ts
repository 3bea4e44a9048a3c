// Memory transactions: recorded descriptors four ways, faults, random bytes.

import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { constituent, decodeConstituents, encodeConstituents } from '../../src/abi/composite-region.ts';
import type { FieldSpan } from '../../src/abi/fault.ts';
import { memoryAccess, NO_IMPDEF } from '../../src/abi/memory-access.ts';
import {
  buildMemoryTransaction,
  decodeMemoryTransaction,
  encodeMemoryTransaction,
  hypervisorRetrieve,
  type MemoryTransaction,
} from '../../src/abi/memory-transaction.ts';
import { decodeRelinquish, encodeRelinquish } from '../../src/abi/relinquish.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2, FFA_VERSION_1_3 } from '../../src/abi/versions.ts';
import { wordsOf, ZERO_WORDS } from '../../src/abi/words.ts';
import {
  bytesOfHex,
  type Codec,
  checkFaults,
  checkRows,
  decodeWatched,
  hexOf,
  viewOf,
  viewOfHex,
} from './codec-rows.ts';

function codec(version: number, isFragment = false): Codec<MemoryTransaction> {
  return {
    decode: (view, options) => decodeMemoryTransaction(view, version, { ...options, isFragment }),
    encode: (value) => encodeMemoryTransaction(value, version),
  };
}

const SHARE_1_1 =
  '02002f000000000000000000000000000000000000000000100000000100000030000000000000000000000000000000' +
  '01800200400000000000000000000000' +
  '02000000010000000000000000000000' +
  '00000140000000000200000000000000';
const SHARE_1_0 =
  '02002f0000000000000000000000000000000000000000000000000001000000' +
  '01800200300000000000000000000000' +
  '01000000010000000000000000000000' +
  '00000140000000000100000000000000';

checkRows('memory transaction 1.0', codec(FFA_VERSION_1_0), [
  {
    name: 'share of one page',
    source: 'a guest of Xen, xen-2026',
    hex: SHARE_1_0,
    value: buildMemoryTransaction(FFA_VERSION_1_0, {
      sender: 2,
      attributes: 0x2f,
      receivers: [memoryAccess(0x8001, 2)],
      constituents: [constituent(0x40010000, 1)],
    }),
  },
  {
    name: 'retrieve request for two borrowers',
    source: 'Hafnium, frx/share/two/130-120',
    hex:
      '0000000000000000000000000000000000000000000000000000000002000000' +
      '01800200000000000000000000000000' +
      '03800200000000000000000000000000',
    value: buildMemoryTransaction(FFA_VERSION_1_0, {
      sender: 0,
      receivers: [memoryAccess(0x8001, 2), memoryAccess(0x8003, 2)],
    }),
  },
]);

checkRows('memory transaction 1.1', codec(FFA_VERSION_1_1), [
  {
    name: 'share of two pages',
    source: 'a guest of Xen, xen-2026',
    hex: SHARE_1_1,
    value: buildMemoryTransaction(FFA_VERSION_1_1, {
      sender: 2,
      attributes: 0x2f,
      receivers: [memoryAccess(0x8001, 2)],
      constituents: [constituent(0x40010000, 2)],
    }),
  },
  {
    name: 'share with access descriptors behind a gap',
    source: 'a guest of Xen, xen-2024',
    hex:
      '0b002f000000000000000000000000000000000000000000100000000100000050000000000000000000000000000000' +
      '0000000000000000000000000000000000000000000000000000000000000000' +
      '09800200600000000000000000000000' +
      '40000000010000000000000000000000' +
      '00500d40000000000400000000000000',
    value: {
      sender: 0xb,
      attributes: 0x2f,
      flags: 0,
      handle: ZERO_WORDS,
      tag: ZERO_WORDS,
      accessSizeBytes: 16,
      accessOffset: 0x50,
      receivers: [memoryAccess(0x8009, 2)],
      compositeOffset: 0x60,
      composite: { pageCount: 0x40, constituentCount: 1, constituents: [constituent(0x400d5000, 4)] },
    },
  },
  {
    name: 'retrieve response with NS and a handle',
    source: 'Hafnium, rand/5001',
    hex:
      '00006f000800000000000000000000000000000000000000100000000100000030000000000000000000000000000000' +
      '02800600400000000000000000000000' +
      '01000000010000000000000000000000' +
      '00600020000000000100000000000000',
    value: buildMemoryTransaction(FFA_VERSION_1_1, {
      sender: 0,
      attributes: 0x6f,
      flags: 8,
      receivers: [memoryAccess(0x8002, 6)],
      constituents: [constituent(0x20006000, 1)],
    }),
  },
  {
    name: "a hypervisor's retrieve request",
    source: 'Hafnium, frx-hyp/share/one',
    hex: '00'.repeat(48),
    value: hypervisorRetrieve(FFA_VERSION_1_1, ZERO_WORDS),
  },
]);

const IMPDEF: readonly [{ low: number; high: number }, { low: number; high: number }] = [
  { low: 5, high: 0 },
  { low: 6, high: 0 },
];

checkRows('memory transaction 1.2 and 1.3', codec(FFA_VERSION_1_2), [
  {
    name: 'share to two, 32-byte access descriptors',
    source: 'Hafnium, rand/1001',
    hex:
      '00002f000000000000000000000000000700000000000000200000000200000030000000000000000000000000000000' +
      '0180020070000000000000000000000000000000000000000000000000000000' +
      '0280020070000000000000000000000000000000000000000000000000000000' +
      '04000000030000000000000000000000' +
      '00900020000000000100000000000000' +
      '00300020000000000200000000000000' +
      '00000020000000000100000000000000',
    value: buildMemoryTransaction(FFA_VERSION_1_2, {
      sender: 0,
      attributes: 0x2f,
      tag: wordsOf(7),
      receivers: [memoryAccess(0x8001, 2), memoryAccess(0x8002, 2)],
      constituents: [constituent(0x20009000, 1), constituent(0x20003000, 2), constituent(0x20000000, 1)],
    }),
  },
  {
    name: 'retrieve request with implementation defined bytes',
    source: 'Hafnium, rand/1000',
    hex:
      '00002f000000000000000000000000000000000000000000200000000100000030000000000000000000000000000000' +
      '0380060000000000050000000000000006000000000000000000000000000000',
    value: buildMemoryTransaction(FFA_VERSION_1_2, {
      sender: 0,
      attributes: 0x2f,
      receivers: [{ receiver: 0x8003, permissions: 6, flags: 0, impdef: IMPDEF }],
    }),
  },
  {
    name: 'donate of 1.3',
    source: 'Hafnium, rand/9000',
    hex:
      '000000000000000000000000000000000000000000000000200000000100000030000000000000000000000000000000' +
      '0380000050000000050000000000000006000000000000000000000000000000' +
      '04000000030000000000000000000000' +
      '00500020000000000100000000000000' +
      '00700020000000000200000000000000' +
      '00600020000000000100000000000000',
    value: buildMemoryTransaction(FFA_VERSION_1_3, {
      sender: 0,
      receivers: [{ receiver: 0x8003, permissions: 0, flags: 0, impdef: IMPDEF }],
      constituents: [constituent(0x20005000, 1), constituent(0x20007000, 2), constituent(0x20006000, 1)],
    }),
  },
]);

checkRows('first fragment', codec(FFA_VERSION_1_1, true), [
  {
    name: '1 of 251 constituents',
    source: 'Hafnium, frx/share/one/1-248-2',
    hex:
      '00002f000000000000000000000000000000000000000000100000000100000030000000000000000000000000000000' +
      '01800200400000000000000000000000' +
      'fb000000fb0000000000000000000000' +
      '00000020000000000100000000000000',
    value: {
      sender: 0,
      attributes: 0x2f,
      flags: 0,
      handle: ZERO_WORDS,
      tag: ZERO_WORDS,
      accessSizeBytes: 16,
      accessOffset: 0x30,
      receivers: [memoryAccess(0x8001, 2)],
      compositeOffset: 0x40,
      composite: { pageCount: 251, constituentCount: 251, constituents: [constituent(0x20000000, 1)] },
    },
  },
]);

checkRows('later fragment', { decode: decodeConstituents, encode: encodeConstituents }, [
  {
    name: 'two constituents',
    source: 'Hafnium, frx/share/one/1-248-2',
    hex: '00900f2000000000010000000000000000a00f20000000000100000000000000',
    value: [constituent(0x200f9000, 1), constituent(0x200fa000, 1)],
  },
]);

checkRows('relinquish', { decode: decodeRelinquish, encode: encodeRelinquish }, [
  {
    name: 'by one endpoint',
    source: 'Hafnium, frx/share/one/130-120',
    hex: '000000000000000000000000010000000180',
    value: { handle: ZERO_WORDS, flags: 0, endpoints: [0x8001] },
  },
  {
    name: 'with a zero flag',
    source: 'Hafnium, rand/1000',
    hex: 'ffffffff0000000001000000010000000380',
    value: { handle: { low: 0xffffffff, high: 0 }, flags: 1, endpoints: [0x8003] },
  },
]);

/** `SHARE_1_1` with the bytes at `offset` replaced. */
function patched(hex: string, offset: number, replacement: string): string {
  return hex.slice(0, 2 * offset) + replacement + hex.slice(2 * offset + replacement.length);
}

checkFaults('faults of a 1.1 transaction', codec(FFA_VERSION_1_1).decode, [
  {
    name: 'header cut off',
    hex: SHARE_1_1.slice(0, 2 * 40),
    fault: { kind: 'too-short', path: 'reserved', offset: 36, found: '40 bytes', rule: 'needs 48 bytes' },
  },
  {
    name: 'nothing at all',
    hex: '',
    fault: { kind: 'too-short', path: 'sender', offset: 0, found: '0 bytes', rule: 'needs 2 bytes' },
  },
  {
    name: 'access descriptors of 15 bytes',
    hex: patched(SHARE_1_1, 24, '0f000000'),
    fault: {
      kind: 'size-unsupported',
      path: 'accessSizeBytes',
      offset: 24,
      found: '15',
      rule: 'must be 16 or more',
    },
  },
  {
    name: 'access descriptors inside the header',
    hex: patched(SHARE_1_1, 32, '20000000'),
    fault: {
      kind: 'offset-inside-header',
      path: 'accessOffset',
      offset: 32,
      found: '0x20',
      rule: 'must be 0x30 or more',
    },
  },
  {
    name: 'access descriptors not aligned',
    hex: patched(SHARE_1_1, 32, '38000000'),
    fault: {
      kind: 'offset-unaligned',
      path: 'accessOffset',
      offset: 32,
      found: '0x38',
      rule: 'must be a multiple of 16',
    },
  },
  {
    name: 'access descriptors behind the end',
    hex: patched(SHARE_1_1, 32, 'f0ffffff'),
    fault: {
      kind: 'offset-outside',
      path: 'accessOffset',
      offset: 32,
      found: '0xfffffff0',
      rule: 'must not exceed 0x60',
    },
  },
  {
    name: 'more receivers than fit',
    hex: patched(SHARE_1_1, 28, '04000000'),
    fault: {
      kind: 'count-outside',
      path: 'receiverCount',
      offset: 28,
      found: '4',
      rule: '4 access descriptors of 16 bytes end at 112 of 96',
    },
  },
  {
    name: 'a product that overflows 32 bits',
    hex: patched(patched(SHARE_1_1, 24, '10000010'), 28, 'ffffffff'),
    fault: {
      kind: 'count-outside',
      path: 'receiverCount',
      offset: 28,
      found: '4294967295',
      rule: '4294967295 access descriptors of 268435472 bytes end at 1152921573057888300 of 96',
    },
  },
  {
    name: 'a composite inside the access descriptors',
    hex: patched(SHARE_1_1, 52, '38000000'),
    fault: {
      kind: 'offset-inside-header',
      path: 'receivers[0].compositeOffset',
      offset: 52,
      found: '0x38',
      rule: 'must be 0, or 0x40 or more',
    },
  },
  {
    name: 'a composite whose header does not fit',
    hex: patched(SHARE_1_1, 52, '51000000'),
    fault: {
      kind: 'offset-outside',
      path: 'receivers[0].compositeOffset',
      offset: 52,
      found: '0x51',
      rule: 'must leave 16 bytes before 0x60',
    },
  },
  {
    name: 'more constituents than fit',
    hex: patched(SHARE_1_1, 68, '02000000'),
    fault: {
      kind: 'count-outside',
      path: 'composite.constituentCount',
      offset: 68,
      found: '2',
      rule: 'room for 1 constituents of 16 bytes is left',
    },
  },
  {
    name: 'two receivers with different composites',
    hex:
      patched(SHARE_1_1.slice(0, 96), 28, '02000000') +
      '01800200500000000000000000000000' +
      '02800200600000000000000000000000' +
      '02000000010000000000000000000000' +
      '00000140000000000200000000000000',
    fault: {
      kind: 'offset-differs',
      path: 'receivers[1].compositeOffset',
      offset: 68,
      found: '0x60',
      rule: 'must be 0x50 as in the first access descriptor',
    },
  },
]);

checkFaults(
  'reserved fields, strict',
  (view, options) => decodeMemoryTransaction(view, FFA_VERSION_1_1, { ...options, strict: true }),
  [
    {
      name: 'in the header',
      hex: patched(SHARE_1_1, 40, '01'),
      fault: {
        kind: 'reserved-not-zero',
        path: 'reserved',
        offset: 36,
        found: '00 00 00 00 01 00 00 00 00 00 00 00',
        rule: 'reserved, must be zero',
      },
    },
    {
      name: 'in a constituent',
      hex: patched(SHARE_1_1, 95, '80'),
      fault: {
        kind: 'reserved-not-zero',
        path: 'composite.constituents[0].reserved',
        offset: 92,
        found: '00 00 00 80',
        rule: 'reserved, must be zero',
      },
    },
  ],
);

checkFaults('faults of later fragments and relinquish', decodeConstituents, [
  {
    name: 'not whole constituents',
    hex: '00900f20000000000100000000000000ff',
    fault: { kind: 'length-unaligned', path: 'length', offset: 0, found: '17', rule: 'must be a multiple of 16' },
  },
]);
checkFaults('faults of relinquish', decodeRelinquish, [
  {
    name: 'more endpoints than fit',
    hex: '000000000000000000000000020000000180',
    fault: {
      kind: 'count-outside',
      path: 'endpointCount',
      offset: 12,
      found: '2',
      rule: 'room for 1 endpoint ids is left',
    },
  },
  {
    name: 'cut off',
    hex: '0000000000000000',
    fault: { kind: 'too-short', path: 'flags', offset: 8, found: '8 bytes', rule: 'needs 12 bytes' },
  },
]);

test('the byte map names every byte of a share, and what is odd about it', () => {
  const odd = patched(patched(SHARE_1_1, 64, '03'), 80, '01');
  const decoded = decodeMemoryTransaction(viewOfHex(odd), FFA_VERSION_1_1, { fields: true });
  expect(decoded.ok).toBe(true);
  const lines = decoded.fields.map(fieldLine);
  expect(lines).toMatchInlineSnapshot(`
    [
      "0+2 sender = 0x0002",
      "2+2 attributes = 0x2f normal write-back inner shareable",
      "4+4 flags = 0x0",
      "8+8 handle = 0x0",
      "16+8 tag = 0x0",
      "24+4 accessSizeBytes = 16",
      "28+4 receiverCount = 1",
      "32+4 accessOffset = 0x30",
      "36+12 reserved = 0",
      "48+2 receivers[0].receiver = 0x8001",
      "50+1 receivers[0].permissions = 0x2 RW, instruction unspecified",
      "51+1 receivers[0].flags = 0x0",
      "52+4 receivers[0].compositeOffset = 0x40",
      "56+8 receivers[0].reserved = 0",
      "64+4 composite.pageCount = 3 (the constituents have 2 pages)",
      "68+4 composite.constituentCount = 1",
      "72+8 composite.reserved = 0",
      "80+8 composite.constituents[0].address = 0x40010001 (must be a multiple of 4096)",
      "88+4 composite.constituents[0].pageCount = 2",
      "92+4 composite.constituents[0].reserved = 0",
    ]
  `);
  expect(decoded.fields.reduce((bytes, field) => bytes + field.length, 0)).toBe(96);
});

function fieldLine(field: FieldSpan): string {
  const line = `${field.offset}+${field.length} ${field.path} = ${field.text}`;
  return field.rule === undefined ? line : `${line} (${field.rule})`;
}

test('every descriptor that Xen sent, in all recordings', () => {
  const folder = new URL('../../vectors/', import.meta.url);
  const sent = new Set<string>();
  for (const name of readdirSync(folder).filter((one) => /^xen-.*\.jsonl\.gz$/.test(one))) {
    addSentDescriptors(sent, gunzipSync(readFileSync(new URL(name, folder))).toString('utf8'));
  }
  for (const hex of sent) {
    const decoded = decodeWatched(codec(FFA_VERSION_1_1).decode, bytesOfHex(hex));
    if (!decoded.ok) throw new Error(`${hex}: ${JSON.stringify(decoded.fault)}`);
    expect(hexOf(encodeMemoryTransaction(decoded.value, FFA_VERSION_1_1))).toBe(hex);
  }
  expect(sent.size).toMatchInlineSnapshot(`7943`);
});

/** Adds the TX bytes of each FFA_MEM_SHARE_64 in recorded lines, cut to the length that the call states. */
function addSentDescriptors(found: Set<string>, lines: string): void {
  for (const match of lines.matchAll(/"in": ?\["0xc4000073", ?"0x([0-9a-f]+)"[^\]]*\], ?"tx": ?"([0-9a-f]+)"/g)) {
    found.add(match[2].slice(0, 2 * Number.parseInt(match[1], 16)));
  }
}

const word = fc.nat({ max: 0xffffffff });
const words = fc.record({ low: word, high: word });

/** Any transaction that the layout of `version` can carry. */
function transactions(version: number): fc.Arbitrary<MemoryTransaction> {
  const is10 = version === FFA_VERSION_1_0;
  const is16 = version < FFA_VERSION_1_2;
  const access = fc.record({
    receiver: fc.nat({ max: 0xffff }),
    permissions: fc.nat({ max: 0xff }),
    flags: fc.nat({ max: 0xff }),
    impdef: is16 ? fc.constant(NO_IMPDEF) : fc.tuple(words, words),
  });
  const parts = fc.record(
    {
      sender: fc.nat({ max: 0xffff }),
      attributes: fc.nat({ max: is10 ? 0xff : 0xffff }),
      flags: word,
      handle: words,
      tag: words,
      receivers: fc.array(access, { minLength: 1, maxLength: 4 }),
      constituents: fc.array(fc.record({ address: words, pageCount: fc.nat({ max: 0xfffff }) }), { maxLength: 5 }),
    },
    { requiredKeys: ['sender', 'attributes', 'flags', 'handle', 'tag', 'receivers'] },
  );
  return parts.map((one) => buildMemoryTransaction(version, one));
}

describe.each([FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2])('any bytes, version 0x%x', (version) => {
  test('decode(encode(x)) = x', () => {
    fc.assert(
      fc.property(transactions(version), (transaction) => {
        const bytes = encodeMemoryTransaction(transaction, version);
        const decoded = decodeMemoryTransaction(viewOf(bytes), version, { strict: true });
        expect(decoded).toEqual({ ok: true, value: transaction, fields: [] });
      }),
      { numRuns: 300 },
    );
  });

  test('mutated bytes never throw and no byte is read twice', () => {
    const mutation = fc.tuple(fc.nat({ max: 200 }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(
        transactions(version),
        fc.array(mutation, { maxLength: 6 }),
        fc.nat({ max: 200 }),
        (one, mutations, cut) => {
          const encoded = encodeMemoryTransaction(one, version);
          for (const [offset, value] of mutations) encoded[offset % encoded.length] = value;
          const bytes = Uint8Array.from(encoded.subarray(0, encoded.length - (cut > 100 ? cut - 100 : 0)));
          decodeWatched(codec(version).decode, bytes);
          decodeWatched(codec(version, true).decode, bytes);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('random bytes never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 160 }), (random) => {
        const bytes = Uint8Array.from(random);
        decodeWatched(codec(version).decode, bytes);
        decodeWatched(decodeRelinquish, bytes);
        decodeWatched(decodeConstituents, bytes);
      }),
      { numRuns: 300 },
    );
  });
});
