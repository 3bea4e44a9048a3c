// Images that are none, or do not fit: one message each.

import { describe, expect, it } from 'vitest';
import { imageOf } from '../../src/qemu/image-file.ts';

const BASE = 0x5000_0000;

/** An ELF file with one segment. */
function elf(change: (view: DataView) => void = () => undefined): Uint8Array {
  const bytes = new Uint8Array(64 + 56 + 16);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(18, 183, true);
  view.setBigUint64(24, BigInt(BASE + 4), true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true);
  view.setBigUint64(64 + 8, 120n, true);
  view.setBigUint64(64 + 16, BigInt(BASE), true);
  view.setBigUint64(64 + 32, 16n, true);
  view.setBigUint64(64 + 40, 32n, true);
  bytes.fill(0xa5, 120);
  change(view);
  return bytes;
}

it('takes what an ELF file loads, with what it leaves zero', () => {
  const image = imageOf(elf(), 'a.elf', BASE, 1);
  expect(image.entryOffset).toBe(4);
  expect([...image.bytes]).toEqual([...new Array(16).fill(0xa5), ...new Array(16).fill(0)]);
});

it('takes raw bytes as they are', () => {
  expect(imageOf(Uint8Array.of(1, 2, 3, 4), 'a.bin', BASE, 1)).toEqual({
    bytes: Uint8Array.of(1, 2, 3, 4),
    entryOffset: 0,
  });
});

describe('refuses', () => {
  it.each([
    ['nothing', new Uint8Array(0), 'a.elf is empty (an image has at least one instruction)'],
    ['what is larger than its memory', new Uint8Array(4097), "a.elf has 4097 bytes (its endpoint's memory has 4096)"],
    [
      'code for another machine',
      elf((view) => view.setUint16(18, 62, true)),
      'a.elf is an ELF file for another machine (an ELF file for AArch64 (ELF64, little-endian) or a raw image)',
    ],
    [
      'a segment elsewhere',
      elf((view) => view.setBigUint64(64 + 16, BigInt(BASE + 4090), true)),
      'a.elf wants 32 bytes at 0x50000ffa (its memory is 0x50000000 to 0x50001000)',
    ],
    [
      'a segment that the file ends in',
      elf((view) => view.setBigUint64(64 + 8, 130n, true)),
      'a.elf ends within its segment at 0x50000000',
    ],
    ['headers behind the end', elf((view) => view.setUint16(56, 9, true)), 'a.elf ends in its headers'],
    [
      'an entry where nothing is',
      elf((view) => view.setBigUint64(24, BigInt(BASE + 64), true)),
      'a.elf begins at 0x50000040, where it loads nothing',
    ],
  ])('%s', (_name, file, message) => {
    expect(() => imageOf(file, 'a.elf', BASE, 1)).toThrow(message.split(' (')[0]);
  });
});
