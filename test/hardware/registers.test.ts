import { expect, it } from 'vitest';
import { REGISTER_COUNT, RegisterFile } from '../../src/hardware/registers.ts';

/** A file in which no word is zero. */
function full(): RegisterFile {
  const file = new RegisterFile();
  for (let n = 0; n < REGISTER_COUNT; n++) file.setWords(n, 0x100 + n, 0x200 + n);
  return file;
}

it('keeps both halves of a register', () => {
  const file = new RegisterFile();
  file.setWords(3, 0xffff_fffe, 0x8000_0001);
  expect([file.w(3), file.high(3)]).toEqual([0xffff_fffe, 0x8000_0001]);
  file.setX(4, 0x12_3456_7800);
  expect([file.w(4), file.high(4), file.x(4)]).toEqual([0x3456_7800, 0x12, 0x12_3456_7800]);
  file.setX(5, 2 ** 53 - 1);
  expect(file.x(5)).toBe(2 ** 53 - 1);
});

it('writes of 32 bits clear the upper half, and take signed values', () => {
  const file = full();
  file.setW(2, -6);
  expect([file.w(2), file.high(2)]).toEqual([0xffff_fffa, 0]);
  expect(file.high(1)).toBe(0x201);
});

it('set8 writes x0 to x7, what is left out as zero, and nothing above', () => {
  const file = full();
  file.set8(1, 2, 0xffff_ffff);
  expect([...file.words.subarray(0, 16)]).toEqual([1, 0, 2, 0, 0xffff_ffff, 0, ...new Array(10).fill(0)]);
  expect([file.w(8), file.high(8)]).toEqual([0x108, 0x208]);
});

it('set4 writes the same as set8 with four arguments', () => {
  const [short, long] = [full(), full()];
  short.set4(0x8400_0061 | 0, 5, -2, 7);
  long.set8(0x8400_0061 | 0, 5, -2, 7);
  expect([...short.words]).toEqual([...long.words]);
  expect(short.w(0)).toBe(0x8400_0061);
});

it.each([
  [0, 17],
  [8, 17],
  [2, 2],
])('clears and copies x%i to x%i alone', (first, last) => {
  const inside = (n: number) => n >= first && n <= last;
  const cleared = full();
  cleared.clear(first, last);
  const copied = new RegisterFile();
  copied.copy(full(), first, last);
  for (let n = 0; n < REGISTER_COUNT; n++) {
    expect([cleared.w(n), cleared.high(n)]).toEqual(inside(n) ? [0, 0] : [0x100 + n, 0x200 + n]);
    expect([copied.w(n), copied.high(n)]).toEqual(inside(n) ? [0x100 + n, 0x200 + n] : [0, 0]);
  }
});
