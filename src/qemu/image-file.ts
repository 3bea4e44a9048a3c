// Images of machine code: an ELF file of AArch64, or raw bytes that begin with their first instruction.

import { type Ipa, PAGE_SIZE_BYTES } from '../base/units.ts';
import { UserError } from '../base/user-error.ts';

/** What is loaded, and where it begins. */
export interface Image {
  /** Bytes from the first address of the endpoint's memory on. */
  readonly bytes: Uint8Array;
  /** The first instruction, from there. */
  readonly entryOffset: number;
}

const ELF_MAGIC = 0x464c_457f;
const ELF_CLASS_64 = 2;
const ELF_LITTLE_ENDIAN = 1;
const MACHINE_AARCH64 = 183;
const SEGMENT_LOAD = 1;
const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;

/** Whether the path of a program names machine code. */
export function isImagePath(path: string): boolean {
  return /\.(bin|elf|img)$/.test(path);
}

/**
 * The image in `file` for memory of `pageCount` pages from `base`. A file that is none, or does not fit, is a
 * UserError.
 */
export function imageOf(file: Uint8Array, name: string, base: Ipa, pageCount: number): Image {
  const room = pageCount * PAGE_SIZE_BYTES;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length === 0) throw new UserError(`${name} is empty`, null, 'an image has at least one instruction');
  if (file.length < HEADER_BYTES || view.getUint32(0, true) !== ELF_MAGIC) {
    if (file.length > room) throw tooLarge(name, file.length, room);
    return { bytes: file, entryOffset: 0 };
  }
  const wrong = 'an ELF file for AArch64 (ELF64, little-endian) or a raw image';
  if (file[4] !== ELF_CLASS_64 || file[5] !== ELF_LITTLE_ENDIAN || view.getUint16(18, true) !== MACHINE_AARCH64) {
    throw new UserError(`${name} is an ELF file for another machine`, null, wrong);
  }
  const table = Number(view.getBigUint64(32, true));
  const count = view.getUint16(56, true);
  if (table + count * PROGRAM_HEADER_BYTES > file.length)
    throw new UserError(`${name} ends in its headers`, null, wrong);
  const bytes = new Uint8Array(room);
  let end = 0;
  for (let n = 0; n < count; n++) {
    const at = table + n * PROGRAM_HEADER_BYTES;
    if (view.getUint32(at, true) !== SEGMENT_LOAD) continue;
    const offset = Number(view.getBigUint64(at + 8, true));
    const address = Number(view.getBigUint64(at + 16, true));
    const sizeInFile = Number(view.getBigUint64(at + 32, true));
    const sizeInMemory = Number(view.getBigUint64(at + 40, true));
    if (sizeInMemory === 0) continue;
    const where = `0x${address.toString(16)}`;
    if (address < base || address + sizeInMemory > base + room) {
      const fits = `0x${base.toString(16)} to 0x${(base + room).toString(16)}`;
      throw new UserError(`${name} wants ${sizeInMemory} bytes at ${where}`, null, `its memory is ${fits}`);
    }
    if (offset + sizeInFile > file.length || sizeInFile > sizeInMemory) {
      throw new UserError(`${name} ends within its segment at ${where}`, null, wrong);
    }
    bytes.set(file.subarray(offset, offset + sizeInFile), address - base);
    end = Math.max(end, address - base + sizeInMemory);
  }
  const entry = Number(view.getBigUint64(24, true));
  if (entry < base || entry >= base + end) {
    throw new UserError(`${name} begins at 0x${entry.toString(16)}, where it loads nothing`, null, wrong);
  }
  return { bytes: bytes.subarray(0, end), entryOffset: entry - base };
}

function tooLarge(name: string, found: number, room: number): UserError {
  return new UserError(`${name} has ${found} bytes`, null, `its endpoint's memory has ${room}`);
}
