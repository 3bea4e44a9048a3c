// The call table is complete and sound; calls and answers as Xen's mediator and its guests exchanged them.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Argument, Call } from '../../src/abi/calls/call.ts';
import { CALLS, callOf, isDocumentedError } from '../../src/abi/calls/call-table.ts';
import {
  type ArgumentValues,
  carriedBits,
  decodeAnswer,
  decodeCall,
  encodeCall,
  encodeSuccess,
  reservedRegister,
} from '../../src/abi/calls/register-call.ts';
import { FFA_DENIED, FFA_NO_DATA, FFA_NOT_SUPPORTED } from '../../src/abi/errors.ts';
import * as f from '../../src/abi/function-ids.ts';
import { FFA_VERSION_1_0, FFA_VERSION_1_2, FFA_VERSION_1_3 } from '../../src/abi/versions.ts';
import { CITATIONS } from '../../src/base/citations.ts';
import { registersOfWords, wordsOfRegisters } from './register-words.ts';

/** The row of an id that is known to have one. */
function row(fid: number): Call {
  const call = callOf(fid);
  if (call === undefined) throw new Error(`no row for ${f.functionName(fid)}`);
  return call;
}

/** Bits that two arguments of one list both claim, as text. */
function claimedTwice(list: readonly Argument[]): string[] {
  const claimed = new Uint32Array(36);
  const twice: string[] = [];
  for (const argument of list) {
    const bits = carriedBits([argument], FFA_VERSION_1_3);
    if (bits.some((mask, n) => (mask & claimed[n]) !== 0)) twice.push(argument.name);
    for (let n = 0; n < 36; n++) claimed[n] |= bits[n];
  }
  return twice;
}

describe('the table', () => {
  test('has one row for each function id, in no other order than by chapter', () => {
    const ids = CALLS.map((call) => call.fid);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort((a, b) => a - b)).toEqual(f.FUNCTION_NAMES.map(([fid]) => fid).sort((a, b) => a - b));
    for (const call of CALLS) expect(call.name).toBe(f.functionName(call.fid));
  });

  test.each(CALLS.map((call) => [call.name, call] as const))('%s', (_, call) => {
    expect(call.isSmc64).toBe(f.isSmc64(call.fid));
    expect(call.callers.length).toBeGreaterThan(0);
    expect(claimedTwice(call.arguments)).toEqual([]);
    expect(claimedTwice(call.results)).toEqual([]);
    const names = [call.arguments, call.results].map((list) => list.map((argument) => argument.name));
    for (const list of names) expect(new Set(list).size).toBe(list.length);
    for (const answer of call.answers) expect(callOf(answer)?.fid).toBe(answer);
    // A 32-bit call carries nothing in upper halves.
    const high = carriedBits(call.arguments, FFA_VERSION_1_3).filter((_mask, n) => n % 2 === 1);
    if (!call.isSmc64) expect(high.every((mask) => mask === 0)).toBe(true);
    const keys = new Set(CITATIONS.map((citation) => citation.key));
    expect(call.errors.filter((error) => !keys.has(error.source))).toEqual([]);
    for (const error of call.errors) expect(error.when).toMatch(/^[^.]+$/);
  });

  test('says what answers and what errors are documented', () => {
    expect(row(f.FFA_MEM_SHARE_32).answers.map(f.functionName)).toEqual(['FFA_SUCCESS_32', 'FFA_MEM_FRAG_RX']);
    expect(isDocumentedError(row(f.FFA_MEM_RECLAIM), FFA_DENIED)).toBe(true);
    expect(isDocumentedError(row(f.FFA_MEM_RECLAIM), 0xfffffffa)).toBe(true);
    expect(isDocumentedError(row(f.FFA_MEM_RECLAIM), FFA_NO_DATA)).toBe(false);
    expect(isDocumentedError(row(f.FFA_SUCCESS_32), FFA_NOT_SUPPORTED)).toBe(true);
    expect(callOf(0x840000ff)).toBeUndefined();
  });
});

/** Recorded calls: registers as given, and what they say. */
const RECORDED_CALLS: readonly {
  readonly name: string;
  readonly registers: readonly (number | string)[];
  readonly call: string;
  readonly values: ArgumentValues;
}[] = [
  {
    name: 'a version',
    registers: [0x84000063, 0x10002],
    call: 'FFA_VERSION',
    values: { version: 0x10002 },
  },
  {
    name: 'VM created',
    registers: [0x8400006f, 0x8002, 0x80000004, 0, 0, 2],
    call: 'FFA_MSG_SEND_DIRECT_REQ_32',
    values: {
      sender: 0,
      receiver: 0x8002,
      messageFlags: 0x80000004,
      'payload[0]': 0,
      'payload[1]': 0,
      'payload[2]': 2,
      'payload[3]': 0,
      'payload[4]': 0,
    },
  },
  {
    name: 'buffers',
    registers: [0xc4000066, 0x40000000, 0x40001000, 1],
    call: 'FFA_RXTX_MAP_64',
    values: { txAddress: { low: 0x40000000, high: 0 }, rxAddress: { low: 0x40001000, high: 0 }, pageCount: 1 },
  },
  {
    name: 'a share',
    registers: [0xc4000073, 0x60, 0x60],
    call: 'FFA_MEM_SHARE_64',
    values: { totalLength: 0x60, fragmentLength: 0x60, bufferAddress: { low: 0, high: 0 }, bufferPageCount: 0 },
  },
  {
    name: 'a binding of all notifications',
    registers: [0x8400007f, 0x80010002, 0, 0xffffffff, 0xffffffff],
    call: 'FFA_NOTIFICATION_BIND',
    values: { sender: 0x8001, receiver: 2, flags: 0, bitmap: { low: 0xffffffff, high: 0xffffffff } },
  },
  {
    name: 'a listing from index 1',
    registers: [0xc400008b, 0, 0, 0x20001],
    call: 'FFA_PARTITION_INFO_GET_REGS',
    values: { uuid: [0, 0, 0, 0], startIndex: 1, tag: 2 },
  },
  {
    name: 'a listing by UUID',
    registers: [0x84000068, 0x1010101, 0x1010101, 0x1010101, 0x1010101],
    call: 'FFA_PARTITION_INFO_GET',
    values: { uuid: [0x1010101, 0x1010101, 0x1010101, 0x1010101], flags: 0 },
  },
  {
    name: 'a vCPU to run',
    registers: [0x8400006d, 0x80010000],
    call: 'FFA_RUN',
    values: { endpoint: 0x8001, vcpu: 0 },
  },
];

describe('recorded calls', () => {
  test.each(RECORDED_CALLS.map((one) => [one.name, one] as const))('%s', (_, { registers, call, values }) => {
    const words = wordsOfRegisters(...registers);
    const decoded = decodeCall(words, { strict: true });
    expect(decoded).toEqual({ ok: true, value: { call: row(words[0]), values }, fields: [] });
    expect(row(words[0]).name).toBe(call);
    const again = new Uint32Array(36);
    encodeCall(row(words[0]), values, again);
    expect(registersOfWords(again)).toEqual(registersOfWords(words));
  });

  test('a 32-bit call ignores upper halves', () => {
    const words = wordsOfRegisters(0x8400006f, 0x38001, 0, '0xb0f479ef784de7c6', 0x53db51, 5, 6, 7);
    const decoded = decodeCall(words, { strict: true });
    expect(decoded.ok && decoded.value.values['payload[0]']).toBe(0x784de7c6);
  });

  test('a 64-bit call carries whole registers', () => {
    const words = wordsOfRegisters(0xc400006f, 0x38001, 0, '0xb0f479ef784de7c6');
    const decoded = decodeCall(words, { strict: true });
    expect(decoded.ok && decoded.value.values['payload[0]']).toEqual({ low: 0x784de7c6, high: 0xb0f479ef });
  });

  test('arguments of a later version are not there before it', () => {
    const words = wordsOfRegisters(0x84000068, 0, 0, 0, 0, 1);
    expect(decodeCall(words, { strict: true, version: FFA_VERSION_1_0 })).toEqual({
      ok: false,
      fault: { kind: 'reserved-not-zero', path: 'w5', offset: 40, found: '0x1', rule: 'reserved, must be zero' },
      fields: [],
    });
    const decoded = decodeCall(words, { strict: true, version: FFA_VERSION_1_2 });
    expect(decoded.ok && decoded.value.values['flags']).toBe(1);
  });

  test('what is no function id of FF-A is a fault', () => {
    expect(decodeCall(wordsOfRegisters(0x84000001, 1))).toEqual({
      ok: false,
      fault: {
        kind: 'function',
        path: 'w0',
        offset: 0,
        found: '0x84000001',
        rule: 'must be a function id of FF-A',
      },
      fields: [],
    });
  });
});

describe('recorded answers', () => {
  test('a handle', () => {
    const request = row(f.FFA_MEM_SHARE_64);
    const words = wordsOfRegisters(0x84000061, 0, 1, 0);
    const decoded = decodeAnswer(words, request, { strict: true });
    const values = { handle: { low: 1, high: 0 } };
    expect(decoded).toEqual({ ok: true, value: { call: row(f.FFA_SUCCESS_32), error: 0, values }, fields: [] });
    const again = new Uint32Array(36);
    encodeSuccess(request, f.FFA_SUCCESS_32, values, again);
    expect(registersOfWords(again)).toEqual(registersOfWords(words));
  });

  test('a version in w0', () => {
    const words = wordsOfRegisters(0x10002);
    expect(decodeAnswer(words, row(f.FFA_VERSION), { strict: true })).toEqual({
      ok: true,
      value: { call: row(f.FFA_VERSION), error: 0, values: { version: 0x10002 } },
      fields: [],
    });
  });

  test('an error, zero-extended', () => {
    const words = wordsOfRegisters(0x84000060, 0, 0xfffffffa);
    expect(decodeAnswer(words, row(f.FFA_MEM_RECLAIM), { strict: true })).toEqual({
      ok: true,
      value: {
        call: row(f.FFA_ERROR),
        error: FFA_DENIED,
        values: { sender: 0, receiver: 0, code: 0xfffffffa },
      },
      fields: [],
    });
  });

  test('a register that must be zero is not', () => {
    const words = wordsOfRegisters(0x84000061, 0, 1, 0, '0x100000000');
    expect(decodeAnswer(words, row(f.FFA_MEM_SHARE_64), { strict: true })).toEqual({
      ok: false,
      fault: {
        kind: 'reserved-not-zero',
        path: 'w4',
        offset: 32,
        found: '0x100000000',
        rule: 'reserved, must be zero',
      },
      fields: [],
    });
    const lenient = decodeAnswer(words, row(f.FFA_MEM_SHARE_64), { fields: true });
    expect(lenient.ok).toBe(true);
    expect(lenient.fields.map(({ path, text, rule }) => [path, text, rule ?? ''].join(' | '))).toEqual([
      'w0 function | FFA_SUCCESS_32 | ',
      'w2:w3 handle | 0x1 | ',
      'w4 | 0x100000000 | reserved, must be zero',
    ]);
  });

  test('one that is no FF-A answer', () => {
    const decoded = decodeAnswer(wordsOfRegisters('0xffffffffffffffff'), row(f.FFA_RUN));
    expect(!decoded.ok && decoded.fault.found).toBe('0xffffffff');
  });
});

test('every field of every call reads as words', () => {
  const words = wordsOfRegisters(0x84000082, 0x10002, 0xf);
  const decoded = decodeCall(words, { fields: true });
  expect(decoded.fields.map(({ offset, length, path, text }) => `${offset}+${length} ${path} = ${text}`)).toEqual([
    '0+4 w0 function = FFA_NOTIFICATION_GET',
    '8+2 w1[15:0] receiver = 0x0002',
    '10+2 w1[31:16] vcpu = 1',
    '16+4 w2 flags = 0xf',
  ]);
  for (const call of CALLS) {
    const all = decodeCall(wordsOfRegisters(call.fid), { fields: true, version: FFA_VERSION_1_3 });
    expect(all.fields.length).toBe(call.arguments.length + 1);
  }
});

test('reservedRegister finds the first bit that nothing carries', () => {
  const carried = carriedBits(row(f.FFA_RUN).arguments, FFA_VERSION_1_2);
  expect(reservedRegister(wordsOfRegisters(0, '0x1ffffffff'), carried, false)).toBe(-1);
  expect(reservedRegister(wordsOfRegisters(0, '0x1ffffffff'), carried, true)).toBe(1);
  expect(reservedRegister(wordsOfRegisters(0, 0xffffffff, 0, 0, 0, 0, 0, 1), carried, false)).toBe(7);
});

test('decoding any registers never throws; encoding what was decoded gives the bits that are carried', () => {
  const fids = fc.constantFrom(...CALLS.map((call) => call.fid));
  const registers = fc.array(fc.nat({ max: 0xffffffff }), { minLength: 36, maxLength: 36 });
  fc.assert(
    fc.property(fids, registers, (fid, random) => {
      const words = Uint32Array.from(random);
      decodeCall(words, { fields: true, strict: true });
      words[0] = fid;
      const decoded = decodeCall(words, { version: FFA_VERSION_1_3 });
      if (!decoded.ok) throw new Error(JSON.stringify(decoded.fault));
      const carried = carriedBits(row(fid).arguments, FFA_VERSION_1_3);
      const expected = words.map((word, n) => (n === 0 ? fid : word & carried[n]));
      const encoded = new Uint32Array(36);
      encodeCall(row(fid), decoded.value.values, encoded);
      expect(registersOfWords(encoded)).toEqual(registersOfWords(expected));
      for (const request of [row(fid), row(f.FFA_VERSION)])
        decodeAnswer(words, request, { fields: true, strict: true });
    }),
    { numRuns: 500 },
  );
});
