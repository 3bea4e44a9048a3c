// FFA_MEM_PERM_GET and SET: of a partition at S-EL0, while it initialises.

import { describe, expect, test } from 'vitest';
import {
  FFA_MEM_PERM_GET_32,
  FFA_MEM_PERM_GET_64,
  FFA_MEM_PERM_SET_32,
  FFA_MEM_PERM_SET_64,
  FFA_RXTX_MAP_64,
} from '../../src/abi/function-ids.ts';
import { initialised } from './init-program.ts';
import { PAGE, SmallWorld, SP1, said } from './small-world.ts';

const IMAGE = 0x5000_0000;
const DATA = IMAGE + 0x20_0000;
const DEVICE = 0x1c0b_0000;
const RO = 7;
const RW = 5;
const RX = 3;
const EL0 = {
  exceptionLevel: 'S-EL0' as const,
  memoryRegions: [
    { baseAddress: DATA, pageCount: 4, attributes: 3 },
    { baseAddress: DATA + 4 * PAGE, pageCount: 2, attributes: 1 },
    // Non-secure memory.
    { baseAddress: DATA + 6 * PAGE, pageCount: 2, attributes: 0xb },
  ],
  deviceRegions: [{ baseAddress: DEVICE, pageCount: 1, attributes: 3 }],
};
const GET = FFA_MEM_PERM_GET_32;
const SET = FFA_MEM_PERM_SET_32;

/** The answers to calls that a partition at S-EL0 makes while it initialises: w2 and w3, or the error. */
function seen(...calls: (readonly number[])[]): (string | number[])[] {
  const { program } = initialised(EL0, calls);
  return program.answers.map((answer) => (answer[0] === 0x84000061 ? answer.slice(2, 4) : said(answer)));
}

describe('FFA_MEM_PERM_GET', () => {
  test.each([
    ['its image', [IMAGE], [RX, 0]],
    ['its image, several pages', [IMAGE, 9], [RX, 9]],
    ['data', [DATA], [RW, 0]],
    ['data that is only read', [DATA + 4 * PAGE], [RO, 0]],
    ['non-secure memory', [DATA + 6 * PAGE], [RW, 0]],
    ['a device', [DEVICE], [RW, 0]],
    ['a range that changes: up to where it does', [DATA + 2 * PAGE, 5], [RW, 1]],
    ['a range that ends: up to its end', [IMAGE + 60 * PAGE, 100], [RX, 3]],
    ['a range that ends in nothing', [IMAGE + 63 * PAGE, 0xffff_fffe], [RX, 0]],
  ])('of %s', (_name, words, expected) => {
    expect(seen([GET, ...words])).toEqual([expected]);
    expect(seen([FFA_MEM_PERM_GET_64, ...words])).toEqual([expected]);
  });

  test.each([
    ['memory of nobody', [0x7000_0000, 0]],
    ['no page address', [DATA + 1, 0]],
    ['all pages that there are', [DATA, 0xffff_ffff]],
    ['memory of the SPMC or of others', [IMAGE + 0x10_0000, 0]],
  ])('of %s is INVALID_PARAMETERS', (_name, words) => {
    expect(seen([GET, ...words])).toEqual(['FFA_ERROR INVALID_PARAMETERS']);
  });
});

describe('FFA_MEM_PERM_SET', () => {
  test.each([
    [RW, IMAGE, 2, [RW, 1]],
    [RO, DATA, 4, [RO, 5]],
    [RX, DATA + PAGE, 1, [RX, 0]],
    [RO, DEVICE, 1, [RO, 0]],
    [RX, DATA + 6 * PAGE, 2, [RX, 1]],
  ])('%i at %i for %i pages', (permissions, base, count, expected) => {
    expect(seen([SET, base, count, permissions], [GET, base, 9])).toEqual([[0, 0], expected]);
    expect(seen([FFA_MEM_PERM_SET_64, base, count, permissions], [GET, base, 9])).toEqual([[0, 0], expected]);
  });

  test('over pages with different permissions, which are one kind of memory', () => {
    expect(seen([SET, DATA + 3 * PAGE, 3, RX], [GET, DATA + 3 * PAGE, 9])).toEqual([
      [0, 0],
      [RX, 2],
    ]);
  });

  test('makes memory what it says: an image that is written, and is given back', () => {
    const calls = [
      [FFA_RXTX_MAP_64, IMAGE + 62 * PAGE, IMAGE + 63 * PAGE, 1],
      [SET, IMAGE + 62 * PAGE, 2, RW],
      [FFA_RXTX_MAP_64, IMAGE + 62 * PAGE, IMAGE + 63 * PAGE, 1],
    ];
    expect(initialised(EL0, calls).answers).toEqual([
      'FFA_ERROR INVALID_PARAMETERS',
      'FFA_SUCCESS_32',
      'FFA_SUCCESS_32',
    ]);
  });

  test.each([
    ['no page', [DATA, 0, RO]],
    ['no page address', [DATA + 0x800, 1, RO]],
    ['no access', [DATA, 1, 0]],
    ['no access, and no execution', [DATA, 1, 4]],
    ['write and execute', [DATA, 1, 1]],
    ['a reserved access', [DATA, 1, 6]],
    ['reserved bits', [DATA, 1, 0xd]],
    ['a device that is executed', [DEVICE, 1, RX]],
    ['memory of nobody', [0x7000_0000, 1, RO]],
    ['a range that leaves its memory', [DATA, 9, RO]],
    ['a range of two kinds of memory', [DATA, 7, RO]],
    ['as many pages as can be said', [DATA, 0xffff_ffff, RO]],
  ])('of %s is INVALID_PARAMETERS, and nothing changes', (_name, words) => {
    const [refused, ...after] = seen([SET, ...words], [GET, DATA, 9], [GET, DEVICE]);
    expect(refused).toBe('FFA_ERROR INVALID_PARAMETERS');
    expect(after).toEqual([
      [RW, 3],
      [RW, 0],
    ]);
  });
});

describe('who may not', () => {
  const calls = [
    [GET, IMAGE, 0],
    [FFA_MEM_PERM_GET_64, IMAGE, 0],
    [SET, IMAGE, 1, RO],
    [FFA_MEM_PERM_SET_64, IMAGE, 1, RO],
  ];

  test('a partition at S-EL1', () => {
    expect(initialised({}, calls).answers).toEqual(calls.map(() => 'FFA_ERROR DENIED'));
  });

  test('a partition that has started', () => {
    const world = new SmallWorld([EL0]);
    for (const call of calls) expect(said(world.callAs(SP1, ...call))).toBe('FFA_ERROR DENIED');
  });

  test('the normal world', () => {
    const world = new SmallWorld([EL0]);
    for (const call of calls) expect(said(world.call(...call))).toBe('FFA_ERROR DENIED');
  });
});
