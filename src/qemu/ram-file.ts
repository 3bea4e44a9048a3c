// The RAM of the machine under QEMU: a file that QEMU maps and ffabric reads and writes. Addresses are physical.

import { closeSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { assert } from '../base/assert.ts';
import type { PhysicalAddress } from '../base/units.ts';
import { RAM_BASE } from './layout.ts';

export class RamFile {
  readonly path: string;
  readonly sizeBytes: number;
  private readonly file: number;
  private readonly word = Buffer.alloc(8);
  private removed = false;

  /** Makes the file, all zero and sparse. Throws when there is no room for it or it exists. */
  constructor(path: string, sizeBytes: number) {
    this.path = path;
    this.sizeBytes = sizeBytes;
    this.file = openSync(path, 'wx+', 0o600);
    ftruncateSync(this.file, sizeBytes);
  }

  read(address: PhysicalAddress, into: Uint8Array, at: number, length: number): void {
    const offset = this.offset(address, length);
    const got = readSync(this.file, into, at, length, offset);
    assert(got === length, 'the RAM file holds all of the RAM');
  }

  write(address: PhysicalAddress, from: Uint8Array, at: number, length: number): void {
    const offset = this.offset(address, length);
    const put = writeSync(this.file, from, at, length, offset);
    assert(put === length, 'the RAM file takes all that is written');
  }

  readWord(address: PhysicalAddress): number {
    this.read(address, this.word, 0, 4);
    return this.word.readUInt32LE(0);
  }

  writeWord(address: PhysicalAddress, value: number): void {
    this.word.writeUInt32LE(value, 0);
    this.write(address, this.word, 0, 4);
  }

  /** Closes the file and takes it away, once. */
  remove(): void {
    if (this.removed) return;
    this.removed = true;
    closeSync(this.file);
    unlinkSync(this.path);
  }

  private offset(address: PhysicalAddress, length: number): number {
    const offset = address - RAM_BASE;
    assert(offset >= 0 && offset + length <= this.sizeBytes, 'an address is in the RAM');
    return offset;
  }
}
