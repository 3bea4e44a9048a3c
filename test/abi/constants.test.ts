// Function ids, errors, versions, features, endpoint ids, UUIDs, words, faults: numbers against what the field calls
// them.

import { describe, expect, test } from 'vitest';
import { formatEndpointId, isSecureEndpoint } from '../../src/abi/endpoint-ids.ts';
import { errorName, FFA_ERROR_CODES, isFfaErrorCode } from '../../src/abi/errors.ts';
import { type FaultKind, formatFault } from '../../src/abi/fault.ts';
import { FAULT_ERRORS, faultError } from '../../src/abi/fault-errors.ts';
import { featureName } from '../../src/abi/features.ts';
import * as f from '../../src/abi/function-ids.ts';
import {
  formatMemoryAttributes,
  formatMemoryFlags,
  formatPermissions,
  formatRelinquishFlags,
} from '../../src/abi/memory-text.ts';
import { formatUuid, isNilUuid, NIL_UUID, parseUuid, sameUuid } from '../../src/abi/uuid.ts';
import { compareVersions, formatVersion, makeVersion, parseVersion } from '../../src/abi/versions.ts';
import { formatWords, numberOf, sameWords, wordsOf } from '../../src/abi/words.ts';

describe('function ids', () => {
  // Function number, name without FFA_, forms: from [Linux arm_ffa.h] and [Hafnium ffa.h].
  const NUMBERS: readonly (readonly [number: number, name: string, forms: 'w' | 'x' | 'wx'])[] = [
    [0x60, 'ERROR', 'w'],
    [0x61, 'SUCCESS', 'wx'],
    [0x62, 'INTERRUPT', 'w'],
    [0x63, 'VERSION', 'w'],
    [0x64, 'FEATURES', 'w'],
    [0x65, 'RX_RELEASE', 'w'],
    [0x66, 'RXTX_MAP', 'wx'],
    [0x67, 'RXTX_UNMAP', 'w'],
    [0x68, 'PARTITION_INFO_GET', 'w'],
    [0x69, 'ID_GET', 'w'],
    [0x6a, 'MSG_POLL', 'w'],
    [0x6b, 'MSG_WAIT', 'w'],
    [0x6c, 'YIELD', 'w'],
    [0x6d, 'RUN', 'w'],
    [0x6e, 'MSG_SEND', 'w'],
    [0x6f, 'MSG_SEND_DIRECT_REQ', 'wx'],
    [0x70, 'MSG_SEND_DIRECT_RESP', 'wx'],
    [0x71, 'MEM_DONATE', 'wx'],
    [0x72, 'MEM_LEND', 'wx'],
    [0x73, 'MEM_SHARE', 'wx'],
    [0x74, 'MEM_RETRIEVE_REQ', 'wx'],
    [0x75, 'MEM_RETRIEVE_RESP', 'w'],
    [0x76, 'MEM_RELINQUISH', 'w'],
    [0x77, 'MEM_RECLAIM', 'w'],
    [0x78, 'MEM_OP_PAUSE', 'w'],
    [0x79, 'MEM_OP_RESUME', 'w'],
    [0x7a, 'MEM_FRAG_RX', 'w'],
    [0x7b, 'MEM_FRAG_TX', 'w'],
    [0x7c, 'NORMAL_WORLD_RESUME', 'w'],
    [0x7d, 'NOTIFICATION_BITMAP_CREATE', 'w'],
    [0x7e, 'NOTIFICATION_BITMAP_DESTROY', 'w'],
    [0x7f, 'NOTIFICATION_BIND', 'w'],
    [0x80, 'NOTIFICATION_UNBIND', 'w'],
    [0x81, 'NOTIFICATION_SET', 'w'],
    [0x82, 'NOTIFICATION_GET', 'w'],
    [0x83, 'NOTIFICATION_INFO_GET', 'wx'],
    [0x84, 'RX_ACQUIRE', 'w'],
    [0x85, 'SPM_ID_GET', 'w'],
    [0x86, 'MSG_SEND2', 'w'],
    [0x87, 'SECONDARY_EP_REGISTER', 'x'],
    [0x88, 'MEM_PERM_GET', 'wx'],
    [0x89, 'MEM_PERM_SET', 'wx'],
    [0x8a, 'CONSOLE_LOG', 'wx'],
    [0x8b, 'PARTITION_INFO_GET_REGS', 'x'],
    [0x8c, 'EL3_INTR_HANDLE', 'w'],
    [0x8d, 'MSG_SEND_DIRECT_REQ2', 'x'],
    [0x8e, 'MSG_SEND_DIRECT_RESP2', 'x'],
    [0x8f, 'NS_RES_INFO_GET', 'x'],
    [0x90, 'ABORT', 'wx'],
    [0x94, 'NOTIFICATION_BIND2', 'x'],
    [0x95, 'NOTIFICATION_UNBIND2', 'x'],
    [0x96, 'NOTIFICATION_SET2', 'x'],
    [0x97, 'NOTIFICATION_GET2', 'x'],
  ];

  test.each(NUMBERS)('%i is FFA_%s', (number, name, forms) => {
    const isBoth = forms === 'wx';
    for (const form of forms) {
      const fid = (form === 'x' ? 0xc4000000 : 0x84000000) + number;
      const full = isBoth ? `FFA_${name}_${form === 'x' ? 64 : 32}` : `FFA_${name}`;
      expect(f.functionName(fid)).toBe(full);
      expect(f.functionName(fid | 0)).toBe(full);
      expect(f.functionIdOf(full)).toBe(fid);
      expect((f as unknown as Record<string, unknown>)[full]).toBe(fid);
      expect(f.isFfaFunctionId(fid)).toBe(true);
      expect(f.isSmc64(fid)).toBe(form === 'x');
    }
    if (!isBoth) expect(f.isFfaFunctionId((forms === 'x' ? 0x84000000 : 0xc4000000) + number)).toBe(false);
  });

  test('there is no other', () => {
    expect(f.FUNCTION_NAMES.length).toBe(NUMBERS.reduce((count, [, , forms]) => count + forms.length, 0));
    expect(f.functionName(0x840000ff)).toBe('0x840000ff');
    expect(f.functionIdOf('FFA_NOTHING')).toBeUndefined();
  });

  test('the range holds ids without a name too, and nothing of other owners', () => {
    const ids = [
      0x84000060, 0xc4000060, 0x84000091, 0x84000097, 0x8400005f, 0x84000098, 0x83000063, 0x32000063, 0x04000063,
    ];
    expect(ids.map(f.isInFfaRange)).toEqual([true, true, true, true, false, false, false, false, false]);
  });
});

test('errors', () => {
  expect(FFA_ERROR_CODES.map(errorName)).toEqual([
    'NOT_SUPPORTED',
    'INVALID_PARAMETERS',
    'NO_MEMORY',
    'BUSY',
    'INTERRUPTED',
    'DENIED',
    'RETRY',
    'ABORTED',
    'NO_DATA',
    'NOT_READY',
  ]);
  expect([0, 0xfffffffa, -11, 64].map(errorName)).toEqual(['OK', 'DENIED', '-11', '64']);
  expect([-1, -10, 0xffffffff, 0, -11, 1].map(isFfaErrorCode)).toEqual([true, true, true, false, false, false]);
});

test('versions', () => {
  expect([0x10000, 0x10001, 0x10002, 0x80010002].map(formatVersion)).toEqual(['1.0', '1.1', '1.2', '1.2']);
  expect(['1.0', '1.2', '32767.65535'].map(parseVersion)).toEqual([0x10000, 0x10002, 0x7fffffff]);
  expect(['', '1', '1.', '1.2.3', 'v1.2', '-1.0', '32768.0', '1.65536', ' 1.2'].map(parseVersion)).toEqual(
    Array.from({ length: 9 }, () => undefined),
  );
  expect(makeVersion(1, 2)).toBe(0x10002);
  expect(Math.sign(compareVersions(0x10002, 0x10001))).toBe(1);
  expect(Math.sign(compareVersions(0x1ffff, 0x20000))).toBe(-1);
  expect(compareVersions(0x80010001, 0x10001)).toBe(0);
});

test('features and endpoint ids', () => {
  expect([1, 2, 3, 4, 5, 0].map(featureName)).toEqual(['NPI', 'SRI', 'MEI', 'NOTIFICATIONS', '0x5', '0x0']);
  expect([0, 1, 0x8000, 0x8001, 0xffff].map(formatEndpointId)).toEqual([
    '0x0000 (hypervisor)',
    '0x0001',
    '0x8000 (SPMC)',
    '0x8001',
    '0xffff (SPMD)',
  ]);
  expect([0, 0x7fff, 0x8000, 0xffff].map(isSecureEndpoint)).toEqual([false, false, true, true]);
});

test('UUIDs: canonical text and words as registers carry them', () => {
  // Partition SP1 of the compliance suite [ACS]: its manifest's words and its canonical text.
  const uuid = [0x1e67b5b4, 0xe14f904a, 0x13fb1fb8, 0xcbdae1da] as const;
  const text = 'b4b5671e-4a90-4fe1-b81f-fb13dae1dacb';
  expect(formatUuid(uuid)).toBe(text);
  expect(parseUuid(text)).toEqual(uuid);
  expect(parseUuid(text.toUpperCase())).toEqual(uuid);
  expect(['', text.slice(1), `${text}0`, text.replace('-', ''), text.replace('b', 'g')].map(parseUuid)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect([isNilUuid(NIL_UUID), isNilUuid(uuid), sameUuid(uuid, [...uuid]), sameUuid(uuid, NIL_UUID)]).toEqual([
    true,
    false,
    true,
    false,
  ]);
});

test('64-bit fields as words', () => {
  expect(wordsOf(0x123456789a)).toEqual({ low: 0x3456789a, high: 0x12 });
  expect(numberOf({ low: 0x3456789a, high: 0x12 })).toBe(0x123456789a);
  expect(numberOf(wordsOf(Number.MAX_SAFE_INTEGER))).toBe(Number.MAX_SAFE_INTEGER);
  expect(numberOf({ low: 0xfffff000, high: 0xffffffff })).toBe(2 ** 64 - 4096);
  expect(formatWords({ low: 1, high: 0x80000000 })).toBe('0x8000000000000001');
  expect(formatWords({ low: 0, high: 0 })).toBe('0x0');
  expect([sameWords(wordsOf(5), { low: 5, high: 0 }), sameWords(wordsOf(5), { low: 5, high: 1 })]).toEqual([
    true,
    false,
  ]);
});

test('attributes, permissions and flags as text', () => {
  expect([0x2f, 0x6f, 0x13, 0x17, 0, 0x30, 0x26].map(formatMemoryAttributes)).toEqual([
    '0x2f normal write-back inner shareable',
    '0x6f normal write-back inner shareable NS',
    '0x13 device nGnRnE',
    '0x17 device nGnRE',
    '0x0 unspecified',
    '0x30 type 3',
    '0x26 normal non-cacheable outer shareable',
  ]);
  expect([2, 5, 0xa, 0xf].map(formatPermissions)).toEqual([
    '0x2 RW, instruction unspecified',
    '0x5 RO, NX',
    '0xa RW, X',
    '0xf data reserved, instruction reserved',
  ]);
  expect([0, 0x11, 0x7ff, 0x20].map(formatMemoryFlags)).toEqual([
    '0x0',
    '0x11 zero, lend',
    '0x7ff zero, time-slice, zero after relinquish, donate, alignment hint 15, bypass borrower check',
    '0x20 alignment hint 1 (not valid)',
  ]);
  expect([0, 1, 3].map(formatRelinquishFlags)).toEqual(['0x0', '0x1 zero', '0x3 zero, time-slice']);
});

describe('faults', () => {
  // Written out: a new kind must say here what it answers.
  const ANSWERS: Readonly<Record<FaultKind, string>> = {
    'too-short': 'INVALID_PARAMETERS',
    'size-unsupported': 'INVALID_PARAMETERS',
    'offset-inside-header': 'INVALID_PARAMETERS',
    'offset-unaligned': 'INVALID_PARAMETERS',
    'offset-outside': 'INVALID_PARAMETERS',
    'offset-differs': 'INVALID_PARAMETERS',
    'count-outside': 'INVALID_PARAMETERS',
    'count-mismatch': 'INVALID_PARAMETERS',
    'length-unaligned': 'INVALID_PARAMETERS',
    signature: 'INVALID_PARAMETERS',
    version: 'NOT_SUPPORTED',
    function: 'NOT_SUPPORTED',
    'message-type': 'INVALID_PARAMETERS',
    'reserved-not-zero': 'INVALID_PARAMETERS',
  };

  test.each(Object.entries(ANSWERS))('%s answers %s', (kind, name) => {
    expect(errorName(faultError(kind as FaultKind))).toBe(name);
  });

  test('the table has no other kind', () => {
    expect(Object.keys(FAULT_ERRORS).sort()).toEqual(Object.keys(ANSWERS).sort());
  });

  test('as one line', () => {
    const fault = {
      kind: 'too-short',
      path: 'receivers[1].flags',
      offset: 67,
      found: '66 bytes',
      rule: 'needs 68 bytes',
    };
    expect(formatFault(fault)).toBe('receivers[1].flags at 0x43: found 66 bytes; needs 68 bytes');
  });
});
