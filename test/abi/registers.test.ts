// What travels in registers and is more than a row of the call table: lists, framework messages, characters, features.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { consoleLogMax, decodeConsoleLog, encodeConsoleLog } from '../../src/abi/console-log.ts';
import type { Decoded } from '../../src/abi/fault.ts';
import {
  decodeFeatureProperties,
  encodeFeatureProperties,
  type FeatureProperties,
} from '../../src/abi/feature-properties.ts';
import {
  decodeFrameworkMessage,
  decodeVmAvailability,
  encodeFrameworkMessage,
  encodeVmAvailability,
  encodeVmAvailabilityResponse,
  formatFrameworkMessage,
  formatMessageFlags,
  NO_INFORMATION,
} from '../../src/abi/framework-message.ts';
import * as f from '../../src/abi/function-ids.ts';
import { decodeMemoryPermissions, encodeMemoryPermissions } from '../../src/abi/memory-permissions.ts';
import {
  decodeNotificationInfo,
  encodeNotificationInfo,
  type NotificationInfo,
  type NotificationList,
} from '../../src/abi/notification-info.ts';
import {
  decodePartitionInformationRegisters,
  encodePartitionInformationRegisters,
  type PartitionInformationRegisters,
} from '../../src/abi/partition-information-registers.ts';
import { NIL_UUID } from '../../src/abi/uuid.ts';
import { FFA_VERSION_1_1, FFA_VERSION_1_2 } from '../../src/abi/versions.ts';
import { ZERO_WORDS } from '../../src/abi/words.ts';
import { registersOfWords, wordsOfRegisters } from './register-words.ts';

function encoded(write: (words: Uint32Array) => void): string[] {
  const words = new Uint32Array(36).fill(0xa5a5a5a5);
  write(words);
  return registersOfWords(words);
}

function good<T>(decoded: Decoded<T>): T {
  if (!decoded.ok) throw new Error(JSON.stringify(decoded.fault));
  return decoded.value;
}

describe('partition information in registers', () => {
  const registers = [
    0xc4000061,
    0,
    '0x18000200020002',
    '0x1c300018002',
    '0x202020202020202',
    '0x202020202020202',
    '0x10e00020002',
  ];
  const uuid = [0x02020202, 0x02020202, 0x02020202, 0x02020202] as const;
  const value: PartitionInformationRegisters = {
    lastIndex: 2,
    currentIndex: 2,
    tag: 2,
    sizeBytes: 24,
    partitions: [
      { id: 0x8002, executionContexts: 1, properties: 0x1c3, uuid },
      { id: 2, executionContexts: 2, properties: 0x10e, uuid: NIL_UUID },
    ],
  };

  test('as Xen answered it, from index 1', () => {
    expect(good(decodePartitionInformationRegisters(wordsOfRegisters(...registers), 1))).toEqual(value);
    expect(encoded((words) => encodePartitionInformationRegisters(value, words))).toEqual(
      registersOfWords(wordsOfRegisters(...registers)),
    );
  });

  test('strides by the size that is stated', () => {
    const image = { uuid: [1, 2, 3, 4] as const, version: 0x10003 };
    const two: PartitionInformationRegisters = {
      lastIndex: 3,
      currentIndex: 1,
      tag: 1,
      sizeBytes: 48,
      partitions: value.partitions.map((partition) => ({ ...partition, image })),
    };
    const words = new Uint32Array(36);
    encodePartitionInformationRegisters(two, words);
    expect(registersOfWords(words).slice(2, 10)).toEqual([
      '0x30000100010003',
      '0x1c300018002',
      '0x202020202020202',
      '0x202020202020202',
      '0x200000001',
      '0x400000003',
      '0x10003',
      '0x10e00020002',
    ]);
    expect(good(decodePartitionInformationRegisters(words, 0))).toEqual(two);
  });

  test.each([
    ['another function', [0x84000061], 'function', 'w0', '0x84000061', 'must be FFA_SUCCESS_64'],
    [
      'a size of 20',
      [0xc4000061, 0, '0x14000000000000'],
      'size-unsupported',
      'x2[63:48]',
      '20',
      'must be a multiple of 8, 24 or more',
    ],
    [
      'an index before the start',
      [0xc4000061, 0, '0x18000100000002'],
      'count-mismatch',
      'x2[31:16]',
      '0',
      'must be 1 to 2',
    ],
    [
      'an index behind the last',
      [0xc4000061, 0, '0x18000100030002'],
      'count-mismatch',
      'x2[31:16]',
      '3',
      'must be 1 to 2',
    ],
    [
      'more than the registers hold',
      [0xc4000061, 0, '0x18000100060006'],
      'count-outside',
      'x2[31:16]',
      '6',
      '6 entries of 24 bytes: the registers hold 5',
    ],
  ] as const)('%s', (_, given, kind, path, found, rule) => {
    const decoded = decodePartitionInformationRegisters(wordsOfRegisters(...given), 1);
    expect(decoded.ok ? null : { ...decoded.fault, offset: 0 }).toEqual({ kind, path, offset: 0, found, rule });
  });
});

describe('pending notifications', () => {
  const rows: readonly (readonly [name: string, registers: (number | string)[], info: NotificationInfo])[] = [
    ['one endpoint', [0xc4000061, 0, 0x80, 3], { isMorePending: false, lists: [{ endpoint: 3, vcpus: [] }] }],
    ['more pending', [0xc4000061, 0, 0x81, 2], { isMorePending: true, lists: [{ endpoint: 2, vcpus: [] }] }],
    ['a vCPU', [0xc4000061, 0, 0x1080, 0x10002], { isMorePending: false, lists: [{ endpoint: 2, vcpus: [1] }] }],
    [
      'ten in the 32-bit form',
      [0x84000061, 0, 0x500, 0x30002, 0x30002, 0x30002, 0x30002, 0x30002],
      {
        isMorePending: false,
        lists: [2, 3, 2, 3, 2, 3, 2, 3, 2, 3].map((endpoint) => ({ endpoint, vcpus: [] })),
      },
    ],
  ];
  test.each(rows)('as recorded: %s', (_, registers, info) => {
    const words = wordsOfRegisters(...registers);
    expect(good(decodeNotificationInfo(words))).toEqual(info);
    expect(encoded((out) => encodeNotificationInfo(info, words[0], out))).toEqual(registersOfWords(words));
  });

  test.each([
    ['another function', [0x84000060], 'function', 'w0', '0x84000060', 'must be FFA_SUCCESS_32 or FFA_SUCCESS_64'],
    ['11 lists in the 32-bit form', [0x84000061, 0, 0x580], 'count-outside', 'w2[11:7]', '11', 'must be 10 or less'],
    ['31 lists', [0xc4000061, 0, 0xf80], 'count-outside', 'w2[11:7]', '31', 'must be 20 or less'],
    [
      'lists that need 12 ids',
      [0x84000061, 0, '0x3f180'],
      'count-outside',
      'lists[2]',
      '3',
      'list 2 ends at id 12: the registers hold 10',
    ],
  ] as const)('%s', (_, given, kind, path, found, rule) => {
    const decoded = decodeNotificationInfo(wordsOfRegisters(...given));
    expect(decoded.ok ? null : { ...decoded.fault, offset: 0 }).toEqual({ kind, path, offset: 0, found, rule });
  });

  test('decode(encode(x)) = x, in both forms; any registers decode', () => {
    const id = fc.nat({ max: 0xffff });
    const list = fc.record({ endpoint: id, vcpus: fc.array(id, { maxLength: 3 }) });
    const lists = (most: number) => fc.array(list, { maxLength: most }).map((all) => firstThatFit(all, most));
    for (const [success, most] of [
      [f.FFA_SUCCESS_32, 10],
      [f.FFA_SUCCESS_64, 20],
    ] as const) {
      fc.assert(
        fc.property(lists(most), fc.boolean(), (some, isMorePending) => {
          const words = new Uint32Array(36);
          encodeNotificationInfo({ isMorePending, lists: some }, success, words);
          expect(good(decodeNotificationInfo(words))).toEqual({ isMorePending, lists: some });
        }),
      );
    }
    const registers = fc.array(fc.nat({ max: 0xffffffff }), { minLength: 36, maxLength: 36 });
    fc.assert(
      fc.property(registers, fc.constantFrom(f.FFA_SUCCESS_32, f.FFA_SUCCESS_64), (random, success) => {
        const words = Uint32Array.from(random);
        words[0] = success;
        decodeNotificationInfo(words);
        decodePartitionInformationRegisters(words, random[35] & 7);
        decodeConsoleLog(words, FFA_VERSION_1_2);
        words[0] = f.FFA_MSG_SEND_DIRECT_REQ_32;
        decodeVmAvailability(words);
        words[0] = f.FFA_CONSOLE_LOG_64;
        decodeConsoleLog(words, FFA_VERSION_1_2);
      }),
    );
  });
});

/** The first lists that `most` ids have room for. */
function firstThatFit(lists: readonly NotificationList[], most: number): NotificationList[] {
  const fitting: NotificationList[] = [];
  let used = 0;
  for (const list of lists) {
    used += 1 + list.vcpus.length;
    if (used > most) break;
    fitting.push(list);
  }
  return fitting;
}

describe('framework messages', () => {
  test('VM created, as Xen sends it, and the response', () => {
    const words = wordsOfRegisters(0x8400006f, 0x8002, 0x80000004, 0, 0, 2);
    const request = { sender: 0, receiver: 0x8002, isCreated: true, vm: 2, handle: ZERO_WORDS };
    expect(good(decodeVmAvailability(words))).toEqual(request);
    expect(encoded((out) => encodeVmAvailability(request, out))).toEqual(registersOfWords(words));
    expect(formatFrameworkMessage(good(decodeFrameworkMessage(words)))).toBe(
      'VM created 0x0002, no information region',
    );
    expect(encoded((out) => encodeVmAvailabilityResponse(request, 0, out))).toEqual([
      '0x84000070',
      '0x80020000',
      '0x80000005',
    ]);
    const refused = wordsOfRegisters(0x84000070, 0x80020000, 0x80000007, 0xfffffff9);
    expect(encoded((out) => encodeVmAvailabilityResponse({ ...request, isCreated: false }, -7, out))).toEqual(
      registersOfWords(refused),
    );
    expect(formatFrameworkMessage(good(decodeFrameworkMessage(refused)))).toBe('VM destroyed response: RETRY');
  });

  test('VM destroyed without an information region, as pKVM sends it', () => {
    const words = wordsOfRegisters(0x8400006f, 0x8001, 0x80000006, 0xffffffff, 0xffffffff, 5);
    expect(good(decodeVmAvailability(words))).toEqual({
      sender: 0,
      receiver: 0x8001,
      isCreated: false,
      vm: 5,
      handle: NO_INFORMATION,
    });
    expect(formatFrameworkMessage(good(decodeFrameworkMessage(words)))).toBe(
      'VM destroyed 0x0005, no information region',
    );
  });

  test('any message: decode(encode(x)) = x', () => {
    const word = fc.nat({ max: 0xffffffff });
    const id = fc.nat({ max: 0xffff });
    const type = fc.constantFrom(0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const payload = fc.tuple(word, word, word, word, word);
    fc.assert(
      fc.property(fc.record({ sender: id, receiver: id, type, payload }), (message) => {
        const words = new Uint32Array(36);
        encodeFrameworkMessage(message, words);
        expect(good(decodeFrameworkMessage(words))).toEqual(message);
      }),
    );
  });

  test.each([
    [
      'another call',
      [0xc400006f, 1, 0x80000004],
      'function',
      'w0',
      '0xc400006f',
      'must be FFA_MSG_SEND_DIRECT_REQ_32 or FFA_MSG_SEND_DIRECT_RESP_32',
    ],
    [
      'a partition message',
      [0x8400006f, 1, 0],
      'message-type',
      'w2',
      '0x0',
      'must have bit 31 set: a framework message',
    ],
    ['an unknown type', [0x8400006f, 1, 0x80000003], 'message-type', 'w2[7:0]', '0x3', 'must be a known type'],
    [
      'a response as a request',
      [0x8400006f, 1, 0x80000005],
      'message-type',
      'w2[7:0]',
      '0x5',
      'must be the type of a request',
    ],
    [
      'a request as a response',
      [0x84000070, 1, 0x80000004],
      'message-type',
      'w2[7:0]',
      '0x4',
      'must be the type of a response',
    ],
    [
      'a PSCI request',
      [0x8400006f, 1, 0x80000000],
      'message-type',
      'w2[7:0]',
      '0x0',
      'must be VM created (4) or VM destroyed (6)',
    ],
  ] as const)('%s', (_, given, kind, path, found, rule) => {
    const decoded = decodeVmAvailability(wordsOfRegisters(...given));
    const offset = path === 'w0' ? 0 : 16;
    expect(decoded.ok ? null : decoded.fault).toEqual({ kind, path, offset, found, rule });
  });

  test('flags as text', () => {
    expect([0, 0x80000006, 5, 0x80000063].map(formatMessageFlags)).toEqual([
      '0',
      'framework: VM destroyed',
      '0x5',
      'framework: type 99',
    ]);
  });
});

describe('console log', () => {
  const text = (length: number): Uint8Array => Uint8Array.from({ length }, (_, n) => 0x21 + (n % 90));

  test('characters are packed from register 2 on, low byte first', () => {
    const words = new Uint32Array(36);
    encodeConsoleLog(Uint8Array.from([0x48, 0x69, 0x21, 0x0a, 0x2e]), f.FFA_CONSOLE_LOG_32, FFA_VERSION_1_2, words);
    expect(registersOfWords(words)).toEqual(['0x8400008a', '0x5', '0xa216948', '0x2e']);
    encodeConsoleLog(Uint8Array.from([0x48, 0x69, 0x21, 0x0a, 0x2e]), f.FFA_CONSOLE_LOG_64, FFA_VERSION_1_2, words);
    expect(registersOfWords(words)).toEqual(['0xc400008a', '0x5', '0x2e0a216948']);
  });

  test('one character, as the compliance suite logs', () => {
    expect(good(decodeConsoleLog(wordsOfRegisters(0xc400008a, 1, 0x41), FFA_VERSION_1_2))).toEqual(
      Uint8Array.from([0x41]),
    );
  });

  test.each([
    [f.FFA_CONSOLE_LOG_32, FFA_VERSION_1_2, 24],
    [f.FFA_CONSOLE_LOG_64, FFA_VERSION_1_1, 48],
    [f.FFA_CONSOLE_LOG_64, FFA_VERSION_1_2, 128],
  ] as const)('as many as %i takes in version %i', (fid, version, most) => {
    expect(consoleLogMax(fid, version)).toBe(most);
    const words = new Uint32Array(36);
    encodeConsoleLog(text(most), fid, version, words);
    expect(good(decodeConsoleLog(words, version))).toEqual(text(most));
    words[2] = most + 1;
    const decoded = decodeConsoleLog(words, version);
    expect(decoded.ok ? null : decoded.fault).toEqual({
      kind: 'count-outside',
      path: 'w1[7:0]',
      offset: 8,
      found: String(most + 1),
      rule: `must be 1 to ${most}`,
    });
  });

  test('another function', () => {
    const decoded = decodeConsoleLog(wordsOfRegisters(0x84000061, 1), FFA_VERSION_1_2);
    expect(decoded.ok ? null : decoded.fault).toEqual({
      kind: 'function',
      path: 'w0',
      offset: 0,
      found: '0x84000061',
      rule: 'must be FFA_CONSOLE_LOG_32 or FFA_CONSOLE_LOG_64',
    });
  });
});

test.each<[string, number, number, number, FeatureProperties]>([
  ['SRI', 2, 9, 0, { kind: 'interrupt', interruptId: 9 }],
  ['RXTX_MAP of Xen', f.FFA_RXTX_MAP_64, 0x10000, 0, { kind: 'buffers', granuleBytes: 4096, maxPageCount: 1 }],
  ['RXTX_MAP, 64 KiB', f.FFA_RXTX_MAP_32, 1, 0, { kind: 'buffers', granuleBytes: 65536, maxPageCount: 0 }],
  ['RXTX_MAP, 16 KiB', f.FFA_RXTX_MAP_32, 2, 0, { kind: 'buffers', granuleBytes: 16384, maxPageCount: 0 }],
  ['MEM_SHARE', f.FFA_MEM_SHARE_64, 1, 0, { kind: 'send', hasDynamicBuffer: true }],
  [
    'MEM_RETRIEVE_REQ',
    f.FFA_MEM_RETRIEVE_REQ_32,
    6,
    7,
    { kind: 'retrieve', hasDynamicBuffer: false, hasNsBit: true, hasHypervisorRetrieve: true, retrieveCount: 255 },
  ],
  ['anything else', f.FFA_RUN, 0, 0, { kind: 'present' }],
])('features: %s', (_, asked, w2, w3, properties) => {
  expect(decodeFeatureProperties(asked, w2, w3)).toEqual(properties);
  expect(encodeFeatureProperties(properties)).toEqual({ w2, w3 });
});

test('memory permissions', () => {
  const all = [0, 1, 3, 4, 5, 7].map((bits) => decodeMemoryPermissions(bits));
  expect(all).toEqual([
    { data: 'none', isExecutable: true },
    { data: 'RW', isExecutable: true },
    { data: 'RO', isExecutable: true },
    { data: 'none', isExecutable: false },
    { data: 'RW', isExecutable: false },
    { data: 'RO', isExecutable: false },
  ]);
  expect(all.map((one) => one && encodeMemoryPermissions(one))).toEqual([0, 1, 3, 4, 5, 7]);
  expect([2, 6].map(decodeMemoryPermissions)).toEqual([undefined, undefined]);
});
