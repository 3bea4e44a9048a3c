import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatWords,
  parseBytes,
  parseDouble,
  parsed,
  parseRegisters,
  parseWords,
} from '../../src/conform/vector-value.ts';

describe('numbers of vector files', () => {
  it.each([
    [0, 0, 0],
    [-1, 0xffff_ffff, 0xffff_ffff],
    [2 ** 32 + 5, 5, 1],
    ['0x0', 0, 0],
    ['0x84000061', 0x8400_0061, 0],
    ['0xDeadBeef84000061', 0x8400_0061, 0xdead_beef],
    ['0xffffffffffffffff', 0xffff_ffff, 0xffff_ffff],
    ['17', 17, 0],
    ['-1', 0xffff_ffff, 0xffff_ffff],
    ['-6', 0xffff_fffa, 0xffff_ffff],
    ['9007199254740993', 1, 0x20_0000],
    ['18446744073709551615', 0xffff_ffff, 0xffff_ffff],
  ])('%j is %i and %i', (value, low, high) => {
    expect(parseWords(value)).toBe(true);
    expect([parsed.low, parsed.high]).toEqual([low, high]);
  });

  it.each([
    ['0x'],
    ['18446744073709551616'],
    ['-9223372036854775808'],
    ['0x12345678123456789'],
    ['0xg'],
    ['1.5'],
    [''],
    ['--1'],
    [1.5],
    [2 ** 60],
    [null],
    [true],
    [[]],
  ])('%j is none', (value) => {
    expect(parseWords(value)).toBe(false);
    expect(parseDouble(value)).toBeNull();
  });

  it('are doubles below 2^53 only', () => {
    expect(parseDouble('0x1fffffffffffff')).toBe(Number.MAX_SAFE_INTEGER);
    expect(parseDouble('0x20000000000000')).toBeNull();
    expect(parseDouble('-19')).toBe(-19);
    expect(parseDouble(-19)).toBe(-19);
  });
});

describe('registers of vector files', () => {
  it('are zero where the list ends', () => {
    const words = new Uint32Array(6).fill(7);
    expect(parseRegisters(['0x1', '0x500000002'], words)).toBe(-1);
    expect([...words]).toEqual([1, 0, 2, 5, 0, 0]);
  });

  it('say which entry is none, and when there are too many', () => {
    expect(parseRegisters(['0x1', 'x'], new Uint32Array(6))).toBe(1);
    expect(parseRegisters([1, 2, 3, 4], new Uint32Array(6))).toBe(3);
  });

  it('are written as they are read', () => {
    expect(formatWords(0x8400_0061, 0)).toBe('0x84000061');
    expect(formatWords(0x61, 0xdead_beef)).toBe('0xdeadbeef00000061');
  });
});

describe('bytes of vector files', () => {
  it('are read and written', () => {
    const bytes = new Uint8Array(4);
    expect(parseBytes('00ffA5', bytes, 1)).toBe(3);
    expect([...bytes]).toEqual([0, 0, 0xff, 0xa5]);
    expect(formatBytes(bytes, 3)).toBe('0000ff');
  });

  it.each([['0'], ['0g'], ['0011223344']])('%j are none', (text) => {
    expect(parseBytes(text, new Uint8Array(4), 0)).toBe(-1);
  });
});
