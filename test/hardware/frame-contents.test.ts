import { expect, it } from 'vitest';
import { FrameContents } from '../../src/hardware/frame-contents.ts';

const PAGE = 4096;

function bytesOf(contents: FrameContents, address: number, length: number): number[] {
  const into = new Uint8Array(length + 2).fill(0xee);
  contents.read(address, into, 1, length);
  expect([into[0], into[length + 1]]).toEqual([0xee, 0xee]);
  return [...into.subarray(1, length + 1)];
}

it('is zero and takes no room until it is written', () => {
  const contents = new FrameContents();
  expect(bytesOf(contents, 5 * PAGE + 100, 4)).toEqual([0, 0, 0, 0]);
  expect(contents.isZero(5)).toBe(true);
  expect(contents.firstNonZero(0, 2 ** 24)).toBe(-1);
  expect(contents.touchedCount).toBe(0);
});

// Short copies and long ones take different ways.
it.each([
  ['within a page', 3 * PAGE + 17, 40],
  ['a long range within a page', 3 * PAGE + 17, 1000],
  ['over a border of pages', 4 * PAGE - 3, 8],
  ['over several pages', 4 * PAGE - 30, 2 * PAGE + 60],
  ['over a border of 2 MiB', 512 * PAGE - 5, 10],
  ['far up', 2 ** 37 - 2, 4],
])('gives back what was written: %s', (_name, address, length) => {
  const contents = new FrameContents();
  const from = Uint8Array.from({ length: length + 3 }, (_, n) => (n * 7 + 1) & 0xff);
  contents.write(address, from, 3, length);
  expect(bytesOf(contents, address - 1, length + 2)).toEqual([0, ...from.subarray(3), 0]);
  const pages = Math.floor((address + length - 1) / PAGE) - Math.floor(address / PAGE) + 1;
  expect(contents.touchedCount).toBe(pages);
});

it('shows the same bytes as words, as bytes and live', () => {
  const contents = new FrameContents();
  const words = contents.words(9);
  words[2] = 0x1122_3344;
  expect(bytesOf(contents, 9 * PAGE + 8, 4)).toEqual([0x44, 0x33, 0x22, 0x11]);
  contents.write(9 * PAGE + 8, Uint8Array.of(1), 0, 1);
  expect(words[2]).toBe(0x1122_3301);
  expect(contents.words(9)).toBe(words);
});

it('zeroes exactly the frames named, and gives their room back', () => {
  const contents = new FrameContents();
  for (const frame of [510, 511, 512, 513]) contents.page(frame)[1] = 1;
  const words = contents.words(511);
  contents.zero(511, 2);
  expect([510, 511, 512, 513].map((frame) => contents.isZero(frame))).toEqual([false, true, true, false]);
  expect(contents.touchedCount).toBe(2);
  expect(contents.words(511)).not.toBe(words);
  contents.page(600)[0] = 7;
  expect(bytesOf(contents, 600 * PAGE, 3)).toEqual([7, 0, 0]);
});

it('finds the lowest frame that is not zero', () => {
  const contents = new FrameContents();
  contents.page(4);
  contents.page(1030)[4095] = 1;
  contents.page(1031)[0] = 1;
  expect(contents.firstNonZero(0, 1030)).toBe(-1);
  expect(contents.firstNonZero(0, 1031)).toBe(1030);
  expect(contents.firstNonZero(1031, 10)).toBe(1031);
});

it('is zero again after a reset', () => {
  const contents = new FrameContents();
  contents.page(1)[0] = 1;
  contents.page(10_000)[0] = 1;
  contents.reset();
  expect(contents.touchedCount).toBe(0);
  expect(contents.isZero(1) && contents.isZero(10_000)).toBe(true);
  expect(contents.page(1).every((byte) => byte === 0)).toBe(true);
});
