// The descriptors beside memory transactions: partition information, message header, RX/TX map, boot information.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type BootDescriptor,
  type BootEntry10,
  bootName,
  buildBootInformation,
  decodeBootInformation,
  decodeBootInformation10,
  encodeBootInformation,
  encodeBootInformation10,
} from '../../src/abi/boot-information.ts';
import { compositeOf, constituent } from '../../src/abi/composite-region.ts';
import type { DecodeOptions } from '../../src/abi/fault.ts';
import { decodeMessageHeader, encodeMessageHeader, type MessageHeader } from '../../src/abi/message-header.ts';
import {
  decodePartitionInformation,
  encodePartitionInformation,
  formatPartitionProperties,
  type PartitionInformation,
  partitionInformationBytes,
} from '../../src/abi/partition-information.ts';
import { buildRxtxDescriptor, decodeRxtxDescriptor, encodeRxtxDescriptor } from '../../src/abi/rxtx-descriptor.ts';
import { NIL_UUID, parseUuid, type Uuid } from '../../src/abi/uuid.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2, FFA_VERSION_1_3 } from '../../src/abi/versions.ts';
import { wordsOf } from '../../src/abi/words.ts';
import { type Codec, checkFaults, checkRows, decodeWatched, viewOf, viewOfHex } from './codec-rows.ts';

function information(count: number, sizeBytes: number): Codec<readonly PartitionInformation[]> {
  return {
    decode: (view: DataView, options?: DecodeOptions) => decodePartitionInformation(view, count, sizeBytes, options),
    encode: (list: readonly PartitionInformation[]) => encodePartitionInformation(list, sizeBytes),
  };
}

function uuidOf(byte: number): Uuid {
  const word = byte * 0x01010101;
  return [word, word, word, word];
}

checkRows('partition information, 24 bytes', information(2, 24), [
  {
    name: 'two SPs',
    source: "an SPMC's answer to Xen, xen-2026",
    hex: '01800100c30100000101010101010101010101010101010102800100c301000002020202020202020202020202020202',
    value: [
      { id: 0x8001, executionContexts: 1, properties: 0x1c3, uuid: uuidOf(1) },
      { id: 0x8002, executionContexts: 1, properties: 0x1c3, uuid: uuidOf(2) },
    ],
  },
]);

checkRows('partition information, 24 bytes, one', information(1, 24), [
  {
    name: 'asked for by UUID: no UUID in it',
    source: "an SPMC's answer to Xen, xen-2024",
    hex: '01800100c301000000000000000000000000000000000000',
    value: [{ id: 0x8001, executionContexts: 1, properties: 0x1c3, uuid: NIL_UUID }],
  },
]);

checkRows('partition information of a size that nobody defined', information(3, 40), [
  {
    name: 'strides by 40',
    source: "an SPMC's answer to Xen, xen-2024",
    hex:
      '0180010003010000010101010101010101010101010101010000000000000000000000000000000002800100' +
      '03010000020202020202020202020202020202020000000000000000000000000000000003800100030100' +
      '000303030303030303030303030303030300000000000000000000000000000000',
    value: [1, 2, 3].map((n) => ({ id: 0x8000 + n, executionContexts: 1, properties: 0x103, uuid: uuidOf(n) })),
  },
]);

const IMAGE: readonly PartitionInformation[] = [
  {
    id: 0x8001,
    executionContexts: 8,
    properties: 0x70f,
    uuid: parseUuid('b4b5671e-4a90-4fe1-b81f-fb13dae1dacb') ?? NIL_UUID,
    image: { uuid: uuidOf(9), version: FFA_VERSION_1_3 },
  },
];

checkRows('partition information, 8 and 48 bytes', information(1, 48), [
  {
    name: 'of 1.3',
    source: 'offsets of [Hafnium ffa.h], written by hand',
    hex:
      '01800800' +
      '0f070000' +
      'b4b5671e4a904fe1b81ffb13dae1dacb' +
      '09090909090909090909090909090909' +
      '03000100' +
      '00000000',
    value: IMAGE,
  },
]);

checkRows('partition information, 8 bytes', information(1, 8), [
  {
    name: 'of 1.0',
    source: 'offsets of [Hafnium ffa_v1_0.h], written by hand',
    hex: '01800800' + '0f070000',
    value: [{ id: 0x8001, executionContexts: 8, properties: 0x70f, uuid: NIL_UUID }],
  },
]);

checkFaults('faults of partition information', information(2, 24).decode, [
  {
    name: 'one of two',
    hex: '01800100c301000000000000000000000000000000000000',
    fault: {
      kind: 'count-outside',
      path: 'count',
      offset: 0,
      found: '2',
      rule: '2 descriptors of 24 bytes do not fit 24 bytes',
    },
  },
]);
checkFaults('faults of partition information, size', information(1, 7).decode, [
  {
    name: 'too small a size',
    hex: '01800100c3010000',
    fault: { kind: 'size-unsupported', path: 'size', offset: 0, found: '7', rule: 'must be 8 or more' },
  },
]);

test('partition information: sizes by version, properties as words', () => {
  const versions = [FFA_VERSION_1_0, FFA_VERSION_1_1, FFA_VERSION_1_2, FFA_VERSION_1_3];
  expect(versions.map(partitionInformationBytes)).toEqual([8, 24, 24, 48]);
  expect(formatPartitionProperties(0x1c3)).toBe(
    '0x1c3 receives direct requests, sends direct requests, told of VMs created, told of VMs destroyed, AArch64',
  );
  expect(formatPartitionProperties(0x30)).toBe('0x30 auxiliary id');
  expect(formatPartitionProperties(0)).toBe('0x0');
});

function header(version: number): Codec<MessageHeader> {
  return {
    decode: (view, options) => decodeMessageHeader(view, version, options),
    // The payload follows, so that the bytes hold what the header promises.
    encode: (value) => {
      const bytes = new Uint8Array(value.payloadOffset + value.payloadSizeBytes);
      bytes.set(encodeMessageHeader(value, version));
      return bytes;
    },
  };
}

checkRows('message header 1.1', header(FFA_VERSION_1_1), [
  {
    name: 'with a payload of zeros',
    source: 'a guest of Xen, xen-2026, its payload cut to 4 bytes',
    hex: '00000000000000001400000002000d000400000000000000',
    value: { flags: 0, payloadOffset: 20, receiver: 2, sender: 13, payloadSizeBytes: 4, uuid: NIL_UUID },
  },
]);

checkRows('message header 1.2', header(FFA_VERSION_1_2), [
  {
    name: 'with a UUID',
    source: 'offsets of [Hafnium ffa.h], written by hand',
    hex: '0000000000000000280000000180020002000000' + '00000000' + 'b4b5671e4a904fe1b81ffb13dae1dacb' + '0000',
    value: {
      flags: 0,
      payloadOffset: 40,
      receiver: 0x8001,
      sender: 2,
      payloadSizeBytes: 2,
      uuid: parseUuid('b4b5671e-4a90-4fe1-b81f-fb13dae1dacb') ?? NIL_UUID,
    },
  },
]);

checkFaults('faults of a 1.2 message header', header(FFA_VERSION_1_2).decode, [
  {
    name: 'a payload inside the header, as a guest of Xen sent it',
    hex: `00000000000000001300000001800200100000000000000000000000000000000000000000000000${'00'.repeat(64)}`,
    fault: {
      kind: 'offset-inside-header',
      path: 'payloadOffset',
      offset: 8,
      found: '0x13',
      rule: 'must be 0x28 or more',
    },
  },
  {
    name: 'a payload that begins behind the end',
    hex: '00000000000000002900000001800200000000000000000000000000000000000000000000000000',
    fault: { kind: 'offset-outside', path: 'payloadOffset', offset: 8, found: '0x29', rule: 'must not exceed 0x28' },
  },
  {
    name: 'a payload that ends behind the end',
    hex: '00000000000000002800000001800200010000000000000000000000000000000000000000000000',
    fault: { kind: 'count-outside', path: 'payloadSize', offset: 16, found: '0x1', rule: 'must not exceed 0x0' },
  },
  {
    name: 'a payload size that overflows',
    hex: '0000000000000000280000000180020' + '0ffffffff' + '0000000000000000000000000000000000000000',
    fault: {
      kind: 'count-outside',
      path: 'payloadSize',
      offset: 16,
      found: '0xffffffff',
      rule: 'must not exceed 0x0',
    },
  },
  {
    name: 'a header of 1.1',
    hex: '0000000000000000140000000200000001000000',
    fault: { kind: 'too-short', path: 'reserved', offset: 20, found: '20 bytes', rule: 'needs 24 bytes' },
  },
]);

const RXTX =
  '02000000100000003000000000000000' +
  '01000000010000000000000000000000' +
  '00104040000000000100000000000000' +
  '01000000010000000000000000000000' +
  '00004040000000000100000000000000';

checkRows('RX/TX map descriptor', { decode: decodeRxtxDescriptor, encode: encodeRxtxDescriptor }, [
  {
    name: 'one page each',
    source: 'sent by Xen, xen-2026',
    hex: RXTX,
    value: buildRxtxDescriptor(2, compositeOf([constituent(0x40401000, 1)]), compositeOf([constituent(0x40400000, 1)])),
  },
]);

checkFaults('faults of the RX/TX map descriptor', decodeRxtxDescriptor, [
  {
    name: 'an offset inside the header',
    hex: `0200000008000000${RXTX.slice(16)}`,
    fault: { kind: 'offset-inside-header', path: 'rxOffset', offset: 4, found: '0x8', rule: 'must be 0xc or more' },
  },
  {
    name: 'an offset that is not aligned',
    hex: `0200000014000000${RXTX.slice(16)}`,
    fault: { kind: 'offset-unaligned', path: 'rxOffset', offset: 4, found: '0x14', rule: 'must be a multiple of 8' },
  },
  {
    name: 'an offset behind the end',
    hex: `020000001000000048000000${RXTX.slice(24)}`,
    fault: {
      kind: 'offset-outside',
      path: 'txOffset',
      offset: 8,
      found: '0x48',
      rule: 'must leave 16 bytes before 0x50',
    },
  },
  {
    name: 'composites that overlap',
    hex: `020000001000000028000000${RXTX.slice(24)}`,
    fault: {
      kind: 'offset-inside-header',
      path: 'txOffset',
      offset: 8,
      found: '0x28',
      rule: 'must be 0x30 or more',
    },
  },
  {
    name: 'constituents that do not fit',
    hex: `${RXTX.slice(0, 104)}05000000${RXTX.slice(112)}`,
    fault: {
      kind: 'count-outside',
      path: 'tx.constituentCount',
      offset: 52,
      found: '5',
      rule: 'room for 1 constituents of 16 bytes is left',
    },
  },
]);

const FDT: BootDescriptor = {
  name: bootName('FDT'),
  type: 0,
  flags: 0,
  contentSizeBytes: 0x1000,
  content: wordsOf(0x6280000),
};

const BOOT =
  'fa0f0000' +
  '01000100' +
  '40000000' +
  '20000000' +
  '01000000' +
  '20000000' +
  '0000000000000000' +
  '46445400000000000000000000000000' +
  '00' +
  '00' +
  '0000' +
  '00100000' +
  '0000280600000000';

checkRows('boot information', { decode: decodeBootInformation, encode: encodeBootInformation }, [
  {
    name: 'an FDT at an address',
    source: 'offsets of [Hafnium boot_info.c], written by hand',
    hex: BOOT,
    value: buildBootInformation(FFA_VERSION_1_1, [FDT]),
  },
  {
    name: 'no descriptor',
    source: 'offsets of [Hafnium boot_info.c], written by hand',
    hex: `fa0f00000200010020000000200000000000000020000000${'00'.repeat(8)}`,
    value: buildBootInformation(FFA_VERSION_1_2, []),
  },
]);

checkFaults('faults of boot information', decodeBootInformation, [
  {
    name: 'another signature',
    hex: `fb0f0000${BOOT.slice(8)}`,
    fault: { kind: 'signature', path: 'signature', offset: 0, found: '0xffb', rule: 'must be 0xffa' },
  },
  {
    name: 'another major version',
    hex: `fa0f000000000200${BOOT.slice(16)}`,
    fault: { kind: 'version', path: 'version', offset: 4, found: '2.0', rule: 'must have major version 1' },
  },
  {
    name: 'descriptors of 31 bytes',
    hex: `${BOOT.slice(0, 24)}1f000000${BOOT.slice(32)}`,
    fault: { kind: 'size-unsupported', path: 'descriptorSize', offset: 12, found: '31', rule: 'must be 32 or more' },
  },
  {
    name: 'descriptors inside the header',
    hex: `${BOOT.slice(0, 40)}10000000${BOOT.slice(48)}`,
    fault: {
      kind: 'offset-inside-header',
      path: 'descriptorsOffset',
      offset: 20,
      found: '0x10',
      rule: 'must be 0x20 or more',
    },
  },
  {
    name: 'more descriptors than fit',
    hex: `${BOOT.slice(0, 32)}02000000${BOOT.slice(40)}`,
    fault: {
      kind: 'count-outside',
      path: 'descriptorCount',
      offset: 16,
      found: '2',
      rule: '2 descriptors of 32 bytes from 0x20 exceed 0x40',
    },
  },
  {
    name: 'descriptors behind the end of the blob',
    hex: `${BOOT.slice(0, 16)}3f000000${BOOT.slice(24)}`,
    fault: {
      kind: 'count-outside',
      path: 'descriptorCount',
      offset: 16,
      found: '1',
      rule: '1 descriptors of 32 bytes from 0x20 exceed 0x3f',
    },
  },
]);

const ENTRIES: readonly BootEntry10[] = [
  { name: bootName('TYPE_DT'), value: wordsOf(0x6280000), size: wordsOf(0x800) },
];

checkRows('boot information 1.0', { decode: decodeBootInformation10, encode: encodeBootInformation10 }, [
  {
    name: 'a device tree',
    source: 'offsets of [OP-TEE spmc_sp_handler.c], written by hand',
    hex: '46462d4101000000' + '545950455f4454000000000000000000' + '0000280600000000' + '0008000000000000',
    value: ENTRIES,
  },
]);

checkFaults('faults of boot information 1.0', decodeBootInformation10, [
  {
    name: 'another magic',
    hex: '46462d4200000000',
    fault: {
      kind: 'signature',
      path: 'magic',
      offset: 0,
      found: '0x422d4646',
      rule: 'must be 0x412d4646 ("FF-A")',
    },
  },
  {
    name: 'more entries than fit',
    hex: '46462d4101000000545950455f445400',
    fault: {
      kind: 'count-outside',
      path: 'count',
      offset: 4,
      found: '1',
      rule: 'room for 0 entries of 32 bytes is left',
    },
  },
]);

test('byte maps name what they show', () => {
  const boot = decodeBootInformation(viewOfHex(BOOT), { fields: true });
  expect(boot.fields.map((field) => `${field.path} = ${field.text}`)).toMatchInlineSnapshot(`
    [
      "signature = 0xffa",
      "version = 1.1",
      "blobSize = 64",
      "descriptorSize = 32",
      "descriptorCount = 1",
      "descriptorsOffset = 0x20",
      "reserved = 0",
      "descriptors[0].name = "FDT"",
      "descriptors[0].type = 0x0",
      "descriptors[0].reserved = 0",
      "descriptors[0].flags = 0x0",
      "descriptors[0].contentSize = 4096",
      "descriptors[0].content = 0x6280000",
    ]
  `);
  const odd = decodeMessageHeader(viewOfHex('01000000000000001400000002000d0000000000'), FFA_VERSION_1_1, {
    fields: true,
  });
  expect(odd.fields.map((field) => `${field.path} = ${field.text} ${field.rule ?? ''}`.trim())).toMatchInlineSnapshot(`
    [
      "flags = 0x1 must be zero",
      "reserved = 0",
      "payloadOffset = 0x14",
      "receiver = 0x0002",
      "sender = 0x000d",
      "payloadSize = 0x0",
    ]
  `);
});

describe('any bytes', () => {
  const word = fc.nat({ max: 0xffffffff });
  const id = fc.nat({ max: 0xffff });
  const uuid = fc.tuple(word, word, word, word);

  test('decode(encode(x)) = x', () => {
    const image = fc.record({ uuid, version: word });
    const partition = fc.record({ id, executionContexts: id, properties: word, uuid, image });
    fc.assert(
      fc.property(fc.array(partition, { maxLength: 4 }), fc.constantFrom(48, 56), (list, sizeBytes) => {
        const view = viewOf(encodePartitionInformation(list, sizeBytes));
        expect(decodePartitionInformation(view, list.length, sizeBytes)).toEqual({ ok: true, value: list, fields: [] });
      }),
    );
    const words = fc.record({ low: word, high: word });
    const name = fc.uint8Array({ minLength: 16, maxLength: 16 });
    const descriptor = fc.record({
      name: name.map((bytes) => Uint8Array.from(bytes)),
      type: fc.nat({ max: 255 }),
      flags: id,
      contentSizeBytes: word,
      content: words,
    });
    fc.assert(
      fc.property(fc.array(descriptor, { maxLength: 3 }), (descriptors) => {
        const value = buildBootInformation(FFA_VERSION_1_2, descriptors);
        const decoded = decodeBootInformation(viewOf(encodeBootInformation(value)));
        expect(decoded).toEqual({ ok: true, value, fields: [] });
      }),
    );
  });

  test('random and mutated bytes never throw, and no byte is read twice', () => {
    const mutation = fc.tuple(fc.nat({ max: 90 }), fc.nat({ max: 255 }));
    const start = fc.constantFrom('', RXTX, BOOT, '46462d4101000000').map((hex) => Array.from(viewBytes(hex)));
    fc.assert(
      fc.property(
        start,
        fc.uint8Array({ maxLength: 96 }),
        fc.array(mutation, { maxLength: 5 }),
        (first, rest, some) => {
          const bytes = Uint8Array.from([...first, ...rest]);
          for (const [offset, value] of some) if (offset < bytes.length) bytes[offset] = value;
          decodeWatched(decodeRxtxDescriptor, bytes);
          decodeWatched(decodeBootInformation, bytes);
          decodeWatched(decodeBootInformation10, bytes);
          decodeWatched(header(FFA_VERSION_1_1).decode, bytes);
          decodeWatched(header(FFA_VERSION_1_2).decode, bytes);
          for (const size of [0, 8, 24, 40, 48]) decodeWatched(information(bytes.length & 3, size).decode, bytes);
        },
      ),
      { numRuns: 400 },
    );
  });
});

function viewBytes(hex: string): Uint8Array {
  const view = viewOfHex(hex);
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
