// Targets for the decoders of bytes and of registers: whatever is decoded, there is a value or a fault, never an
// exception, and the byte map changes nothing. Byte 0 of an input says version and options, the rest is decoded.

import { deepStrictEqual } from 'node:assert';
import {
  bootName,
  buildBootInformation,
  decodeBootInformation,
  decodeBootInformation10,
  encodeBootInformation,
  encodeBootInformation10,
} from '../../../src/abi/boot-information.ts';
import { CALLS } from '../../../src/abi/calls/call-table.ts';
import { decodeAnswer, decodeCall } from '../../../src/abi/calls/register-call.ts';
import { compositeOf, constituent } from '../../../src/abi/composite-region.ts';
import { decodeDeviceTree, encodeDeviceTree } from '../../../src/abi/device-tree.ts';
import type { Decoded, DecodeOptions } from '../../../src/abi/fault.ts';
import { memoryAccess } from '../../../src/abi/memory-access.ts';
import {
  buildMemoryTransaction,
  decodeMemoryTransaction,
  encodeMemoryTransaction,
} from '../../../src/abi/memory-transaction.ts';
import { decodeMessageHeader } from '../../../src/abi/message-header.ts';
import { decodeNotificationInfo } from '../../../src/abi/notification-info.ts';
import { decodePartitionInformation } from '../../../src/abi/partition-information.ts';
import { decodePartitionInformationRegisters } from '../../../src/abi/partition-information-registers.ts';
import { readPartitionManifest } from '../../../src/abi/partition-manifest-reader.ts';
import { decodeRelinquish, encodeRelinquish } from '../../../src/abi/relinquish.ts';
import { buildRxtxDescriptor, decodeRxtxDescriptor, encodeRxtxDescriptor } from '../../../src/abi/rxtx-descriptor.ts';
import type { Target } from '../target.ts';

const VERSIONS = [0x1_0000, 0x1_0001, 0x1_0002, 0x1_0003];
const BYTES_MAX = 1024;
const NONE: readonly Uint8Array[] = [];

function versionOf(option: number): number {
  return VERSIONS[option & 3];
}

/** `how`: byte 0, in front of what is decoded. */
function withOption(how: number, bytes: Uint8Array): Uint8Array {
  return Uint8Array.from([how, ...bytes]);
}

function target(
  name: string,
  seeds: readonly Uint8Array[],
  decode: (bytes: Uint8Array, option: number, options: DecodeOptions) => Decoded<unknown, string>,
): Target {
  return {
    name,
    bytesMax: BYTES_MAX,
    recordBytes: 0,
    headerBytes: 0,
    seeds,
    dictionary: NONE,
    run: (input) => {
      const option = input.length === 0 ? 0 : input[0];
      const bytes = input.slice(1);
      const plain = decode(bytes, option, {});
      const mapped = decode(bytes, option, { fields: true });
      deepStrictEqual(outcomeOf(mapped), outcomeOf(plain));
      decode(bytes, option, { strict: true, fields: true });
    },
  };
}

function outcomeOf(decoded: Decoded<unknown, string>): unknown {
  return decoded.ok ? decoded.value : decoded.fault;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** 36 words of registers from bytes. */
function words(bytes: Uint8Array): Uint32Array {
  const all = new Uint8Array(36 * 4);
  all.set(bytes.subarray(0, all.length));
  return new Uint32Array(all.buffer);
}

const TRANSACTIONS = VERSIONS.map((version, n) => {
  const receivers = [memoryAccess(0x8001, 2), memoryAccess(0x8002, 1)];
  const constituents = [constituent(0x4000_0000, 2), constituent(0x4001_0000, 1)];
  const transaction = buildMemoryTransaction(version, { sender: 1, attributes: 0x2f, receivers, constituents });
  return withOption(n, encodeMemoryTransaction(transaction, version));
});

const REGION = compositeOf([constituent(0x4000_0000, 1)]);
const HANDLE = { low: 5, high: 0 };
const BOOT = { name: bootName('manifest'), type: 0, flags: 0, contents: { low: 0x1000, high: 0 } };
const CALL_WORDS = CALLS.slice(0, 64).map((call) => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, call.fid, true);
  return withOption(2, bytes);
});

export const TREE = encodeDeviceTree({
  bootCpu: 0,
  reservations: [],
  root: {
    name: '',
    properties: [
      { name: 'compatible', value: new TextEncoder().encode('arm,ffa-manifest-1.0\0') },
      { name: 'ffa-version', value: Uint8Array.of(0, 1, 0, 2) },
      { name: 'uuid', value: new Uint8Array(16).fill(7) },
      { name: 'execution-ctx-count', value: Uint8Array.of(0, 0, 0, 1) },
      { name: 'exception-level', value: Uint8Array.of(0, 0, 0, 2) },
      { name: 'messaging-method', value: Uint8Array.of(0, 0, 0, 3) },
    ],
    children: [
      {
        name: 'memory-regions',
        properties: [{ name: 'compatible', value: new TextEncoder().encode('arm,ffa-manifest-memory-regions\0') }],
        children: [
          {
            name: 'heap',
            properties: [
              { name: 'pages-count', value: Uint8Array.of(0, 0, 0, 4) },
              { name: 'attributes', value: Uint8Array.of(0, 0, 0, 3) },
            ],
            children: [],
          },
        ],
      },
    ],
  },
});

export const DESCRIPTOR_TARGETS: readonly Target[] = [
  target('memory-transaction', TRANSACTIONS, (bytes, option, options) => {
    const isFragment = (option & 4) !== 0;
    return decodeMemoryTransaction(view(bytes), versionOf(option), { ...options, isFragment });
  }),
  target(
    'relinquish',
    [withOption(0, encodeRelinquish({ handle: HANDLE, flags: 0, endpoints: [0x8001] }))],
    (bytes, _option, options) => decodeRelinquish(view(bytes), options),
  ),
  target('partition-information', [withOption(0x11, new Uint8Array(72))], (bytes, option, options) => {
    const sizeBytes = [8, 24, 48, 40][option & 3];
    return decodePartitionInformation(view(bytes), option >> 2, sizeBytes, options);
  }),
  target('message-header', [withOption(2, new Uint8Array(64))], (bytes, option, options) =>
    decodeMessageHeader(view(bytes), versionOf(option), options),
  ),
  target(
    'boot-information',
    [
      withOption(0, encodeBootInformation10([{ name: BOOT.name, value: HANDLE, size: HANDLE }])),
      withOption(1, encodeBootInformation(buildBootInformation(0x1_0001, []))),
    ],
    (bytes, option, options) =>
      (option & 1) === 0 ? decodeBootInformation10(view(bytes), options) : decodeBootInformation(view(bytes), options),
  ),
  target(
    'rxtx-descriptor',
    [withOption(0, encodeRxtxDescriptor(buildRxtxDescriptor(1, REGION, REGION)))],
    (bytes, _option, options) => decodeRxtxDescriptor(view(bytes), options),
  ),
  target('notification-info', [withOption(0, Uint8Array.of(0x61, 0, 0, 0xc4))], (bytes) =>
    decodeNotificationInfo(words(bytes)),
  ),
  target('partition-information-registers', [withOption(0, Uint8Array.of(0x61, 0, 0, 0xc4))], (bytes, option) =>
    decodePartitionInformationRegisters(words(bytes), option >> 4),
  ),
  target('call-registers', CALL_WORDS, (bytes, option, options) => {
    const version = versionOf(option);
    if ((option & 4) === 0) return decodeCall(words(bytes), { ...options, version });
    return decodeAnswer(words(bytes), CALLS[(option >> 3) % CALLS.length], { ...options, version });
  }),
  target('device-tree', [withOption(0, TREE)], (bytes) => decodeDeviceTree(bytes)),
  {
    ...target('partition-manifest', [TREE], (bytes) => decodeDeviceTree(bytes)),
    run: (input) => {
      const tree = decodeDeviceTree(input);
      if (tree.ok) readPartitionManifest(tree.value);
    },
  },
];
